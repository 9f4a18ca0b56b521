"""The closest approach: how near, when, where, with its 95 % interval.

The smallest of many noisy distances lies too near on average. So the minimum is not read off the path: a curve is
laid through the path around it, over the longest stretch that it fits within the noise, and its minimum taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.judge.normal import Z_95
from lapwing.judge.path import Path

Floats = npt.NDArray[np.float64]

_HALF_WINDOWS_S = (160.0, 80.0, 40.0, 20.0)
_POINTS_MIN = 5
_FLOOR_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Approach:
    """Closest approach; `row` of the path is nearest to it in time."""

    distance_m: float
    low_m: float               # 95 % interval
    high_m: float
    row: int
    random_m_sigma: float
    common_m_sigma: float


def closest(path: Path, decorrelation_s: float, tail_s: float) -> Approach:
    """Return the closest approach of a path (the smallest signed distance: the deepest point of one that was inside).

    Parameters
    ----------
    tail_s : how uncertain the moment is in which the object ended or was lost; matters where the path ends closing
    """
    seconds, distance = path.time_s, path.distance_m
    lowest = int(np.argmin(distance))
    value, sigma, row = float(distance[lowest]), float(path.random_m_sigma[lowest]), lowest
    for half in _HALF_WINDOWS_S:
        fitted = _fitted(path, seconds, lowest, half, decorrelation_s)
        if fitted is not None:
            value, sigma, row = fitted
            break
    common = float(path.common_m_sigma[row])
    closing = 0.0
    if row >= len(path) - 2 and len(path) > 1 and seconds[-1] > seconds[-2]:
        closing = max(0.0, float((distance[-2] - distance[-1]) / (seconds[-1] - seconds[-2])))
    reach = Z_95 * float(np.hypot(np.hypot(sigma, common), closing * tail_s))
    return Approach(value, value - reach, value + reach, row, sigma, common)


def _fitted(path: Path, seconds: Floats, lowest: int, half_s: float,
            decorrelation_s: float) -> tuple[float, float, int] | None:
    """Return minimum, its sigma and row of a parabola laid over +-half_s, or None where it does not fit."""
    rows = np.flatnonzero(np.abs(seconds - seconds[lowest]) <= half_s)
    if len(rows) < _POINTS_MIN:
        return None
    time = (seconds[rows] - seconds[lowest]) / half_s
    span = float(time[-1] - time[0]) * half_s
    if span < half_s * 0.5:
        return None
    noise = np.maximum(path.random_m_sigma[rows], 1.0)
    design = np.column_stack([np.ones_like(time), time, time**2]) / noise[:, None]
    square = design.T @ design
    if np.linalg.cond(square) > 1e10:
        return None
    inverse = np.linalg.inv(square)
    factors = inverse @ (design.T @ (path.distance_m[rows] / noise))
    curve = factors[0] + factors[1] * time + factors[2] * time**2
    misfit = (path.distance_m[rows] - curve) / noise
    if float(np.sqrt(np.mean(misfit**2))) > 0.8 or float(np.max(np.abs(misfit))) > 2.5:
        return None
    best = int(np.argmin(curve))
    # The rows are not independent: as many as there are decorrelation times in the stretch count.
    effective = max(span / decorrelation_s, 1.0)
    basis = np.array([1.0, time[best], time[best] ** 2])
    variance = float(basis @ inverse @ basis) * len(rows) / effective
    own = float(path.random_m_sigma[rows[best]])
    # The formal sigma of a fit that was chosen because it fits is too small; simulated passes ask for this floor.
    sigma = min(max(float(np.sqrt(variance)), _FLOOR_SHARE * own), own)
    return float(curve[best]), sigma, int(rows[best])

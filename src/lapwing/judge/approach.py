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
_CLOSING_S = 12.0


@dataclass(frozen=True, slots=True)
class Approach:
    """Closest approach; `row` of the path is nearest to it in time."""

    distance_m: float
    low_m: float               # 95 % interval
    high_m: float
    row: int
    random_m_sigma: float
    common_m_sigma: float


def closest(path: Path, known: Path, decorrelation_s: float, tail_s: float, *, fit: bool = True) -> Approach:
    """Return the closest approach (the smallest signed distance: the deepest point of one that was inside).

    Parameters
    ----------
    path : up to the last plot: there the object was
    known : the same and the short way that it mostly still flies before it would have been seen again
    tail_s : how long that way may be, 95 %
    fit : lay a curve; without, the smallest distance of the path stands (a live object far from the line)

    Notes
    -----
    The object was at least as near as at each row of `path`: the least of their upper bounds bounds the closest approach
    from above. From below it is bounded by the least of the lower bounds, in gaps too, and by what it may have closed in
    after its last plot, straight on.
    """
    lowest = int(np.argmin(known.distance_m))
    value, sigma, row = float(known.distance_m[lowest]), float(known.random_m_sigma[min(lowest, len(path) - 1)]), lowest
    fitted = None
    if fit:
        for half in _HALF_WINDOWS_S:
            fitted = _fitted(known, known.time_s, lowest, half, decorrelation_s)
            if fitted is not None:
                value, sigma, row = fitted
                break
    common = float(path.common_m_sigma[min(row, len(path) - 1)])
    reach = Z_95 * float(np.hypot(sigma, common))
    low, high = value - reach, value + reach
    bounds = Z_95 * path.sigma_m
    wide = path.random_m_sigma > 2.0 * sigma
    if wide.any():
        low = min(low, float(np.min((path.distance_m - bounds)[wide])))
    if row >= len(path):
        high = max(high, float(np.min(path.distance_m + bounds)))
    if lowest >= len(path) - 1:
        low = min(low, float(path.distance_m[-1] - np.hypot(bounds[-1], max(0.0, _closing_mps(path)) * tail_s)))
    return Approach(value, low, high, row, sigma, common)


def _closing_mps(path: Path) -> float:
    """Return how fast the distance falls at the end of the path, over its last seconds."""
    seconds, distance = path.time_s, path.distance_m
    start = int(np.searchsorted(seconds, seconds[-1] - _CLOSING_S))
    start = min(start, len(path) - 2)
    if start < 0 or seconds[-1] <= seconds[start]:
        return 0.0
    return float((distance[start] - distance[-1]) / (seconds[-1] - seconds[start]))


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
    # Against a sigma that is already taken on the large side.
    if float(np.sqrt(np.mean(misfit**2))) > 0.57 or float(np.max(np.abs(misfit))) > 1.8:
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

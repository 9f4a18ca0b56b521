"""Echoes of no aircraft: near-range residue, wind farms, patches over water, drifting rain, and plain noise.

A source of clutter is drawn once for a radar (where it lies) and then gives a Poisson number of plots each turn. Ranges
are slant ranges, azimuths true; the radar turns them into plots like any other echo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.sim.detection import THRESHOLD

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESIDUE, NOISE, SPOTS, PATCH, RAIN = "residue", "noise", "spots", "patch", "rain"


@dataclass(frozen=True, slots=True)
class Clutter:
    """One source. `east_m`, `north_m`: of its middle from the radar (spots, patch, rain)."""

    kind: str
    plots_per_scan: float
    east_m: float = 0.0
    north_m: float = 0.0
    size_m: float = 1_000.0  # sigma of a patch or cell; spread of a wind farm; scale of the residue's range
    drift_mps: tuple[float, float] = (0.0, 0.0)
    strength: float = 1.0  # mean power over noise beyond the threshold
    spot_count: int = 12


def sheet_clutter(plots_per_scan: float, small_range_m: float, rng: np.random.Generator) -> tuple[Clutter, ...]:
    """Return what a radar of a story has: half residue close by, a third in four patches, the rest noise.

    sensors.yaml: "clutter-map residue; clustered, not uniform"; the shares are our assumption.
    """
    found = [
        Clutter(RESIDUE, 0.48 * plots_per_scan, size_m=0.12 * small_range_m, strength=4.0),
        Clutter(NOISE, 0.20 * plots_per_scan),
    ]
    for _ in range(4):
        away_m, azimuth = rng.uniform(0.08, 0.7) * small_range_m, rng.uniform(0.0, 2.0 * math.pi)
        found.append(
            Clutter(
                PATCH,
                0.08 * plots_per_scan,
                away_m * math.sin(azimuth),
                away_m * math.cos(azimuth),
                size_m=rng.uniform(500.0, 2_000.0),
                strength=8.0,
            )
        )
    return tuple(found)


def draw(
    source: Clutter, turn_start_s: Floats, instrumented_m: float, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return turn number, range_m, azimuth_rad and amplitude_db of the plots that a source gives over all turns."""
    count = rng.poisson(source.plots_per_scan * _waxing(source, len(turn_start_s), rng))
    turn = np.repeat(np.arange(len(turn_start_s)), count)
    n = len(turn)
    if source.kind == NOISE:
        # One false-alarm chance for each resolution cell: cells are equal in range and azimuth, not on the ground.
        range_m, azimuth_rad = rng.uniform(1_000.0, instrumented_m, n), rng.uniform(0.0, 2.0 * math.pi, n)
    elif source.kind == RESIDUE:
        range_m = 800.0 + rng.exponential(source.size_m, n)
        azimuth_rad = rng.uniform(0.0, 2.0 * math.pi, n)
    else:
        east_m = source.east_m + source.drift_mps[0] * turn_start_s[turn]
        north_m = source.north_m + source.drift_mps[1] * turn_start_s[turn]
        if source.kind == SPOTS:
            spots = rng.normal(0.0, source.size_m, (source.spot_count, 2))
            which = rng.integers(0, source.spot_count, n)
            offset_m = spots[which] + rng.normal(0.0, 60.0, (n, 2))
        else:
            offset_m = rng.normal(0.0, source.size_m, (n, 2))
        east_m, north_m = east_m + offset_m[:, 0], north_m + offset_m[:, 1]
        range_m, azimuth_rad = np.hypot(east_m, north_m), np.arctan2(east_m, north_m) % (2.0 * math.pi)
    amplitude_db = 10.0 * np.log10(THRESHOLD + rng.exponential(source.strength, n))
    keep = (range_m > 300.0) & (range_m < instrumented_m)
    return turn[keep], range_m[keep], azimuth_rad[keep], amplitude_db[keep]


def _waxing(source: Clutter, turns: int, rng: np.random.Generator) -> Floats:
    """Return how strongly a source is on at each turn, mean about 1: patches come and go over minutes."""
    if source.kind not in (PATCH, RAIN):
        return np.ones(turns)
    x = np.arange(turns)
    cycles = max(turns / 150.0, 1.0)
    phase = rng.uniform(0.0, 2.0 * math.pi, 2)
    return np.maximum(
        0.0,
        1.0
        + 0.7 * np.sin(2.0 * math.pi * cycles * x / max(turns, 1) + phase[0])
        + 0.5 * np.sin(2.0 * math.pi * 2.7 * cycles * x / max(turns, 1) + phase[1]),
    )

"""P(an object comes near a place within a time): its belief flown on by a model of how such objects fly.

A flight is legs of steady speed with a wandering heading and now and then a course change. The same seeded flights, in
mirrored pairs, are flown for every object (common random numbers: the answer does not flicker from step to step).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from lapwing.model.plots import Floats, Ints
from lapwing.warn.kernels_flights import near_times_kernel, share_within_kernel
from lapwing.warn.policy import HORIZONS_S

FLIGHTS = 128
_STEP_S = np.concatenate([np.full(30, 10.0), np.full(46, 20.0)])
_HORIZON_S = np.array(HORIZONS_S)
UNTIL_S = HORIZONS_S[-1]
SINCE_S_MAX = float(_STEP_S.sum()) - UNTIL_S

# How a one-way drone or decoy flies (the project's sheet of flying objects): long straight legs, course changes of 20-90
# degrees, at most 6 degrees a second, wandering where satellite navigation is jammed. Leg times and wander are ours: they
# stand for a leg of some ten minutes and for a weave of a few degrees.
LEG_S = 600.0
TURN_RAD = (math.radians(20.0), math.radians(90.0))
WANDER_RAD = math.radians(0.6)     # per square root of a second
SPEED_SPREAD = 0.06
TURN_RATE_MAX_RADPS = math.radians(6.0)
# One that weaves comes back to its course made good; one that has begun a turn does not. Some flights do the one, some
# the other.
COURSE_S = 75.0                    # memory of the course made good: longer than half a weave, shorter than a leg
BACK_S = 30.0
WEAVE_RAD_MAX = math.radians(60.0)
COURSE_SHARE_MIN = 0.5             # a course made good of less speed than this share is a circle, not a course
SPEED_MPS_MIN = 15.0               # one that flies slower may speed up again


_RETURNS = np.flatnonzero(np.arange(FLIGHTS) % 8 < 5)


@dataclass(frozen=True, slots=True)
class Grid:
    """Places near an object on a plane about it, sorted into square cells. Arrays of length sites."""

    east_m: Floats
    north_m: Floats
    zone: Ints                     # column of the answer
    cell_first: Ints
    columns: int
    rows: int
    west_m: float
    south_m: float


def grid_of(east_m: Floats, north_m: Floats, zone: Ints, radius_m: float) -> Grid:
    """Return places sorted into cells as wide as the radius."""
    west_m, south_m = float(east_m.min()), float(north_m.min())
    column = np.floor((east_m - west_m) / radius_m).astype(np.int64)
    row = np.floor((north_m - south_m) / radius_m).astype(np.int64)
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    cell = row * columns + column
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(columns * rows + 1)).astype(np.int64)
    return Grid(east_m[order], north_m[order], zone[order], first, columns, rows, west_m, south_m)


@cache
def _draws() -> tuple[Floats, Floats, Floats, Floats]:
    """Return start (flights, 4) standard normal, wander, chance, turn (flights, steps); the second half mirrors the first."""
    generator = np.random.default_rng(20_250_806)
    half, steps = FLIGHTS // 2, len(_STEP_S)
    start, wander = generator.standard_normal((half, 4)), generator.standard_normal((half, steps))
    # Course changes are what makes the rare cases: their times are spread evenly over the flights, not drawn freely.
    chance = np.stack([(generator.permutation(half) + generator.random(half)) / half for _ in range(steps)], axis=1)
    turn = generator.random((half, steps))
    return (np.concatenate([start, -start]), np.concatenate([wander, -wander]), np.concatenate([chance, chance]),
            np.concatenate([turn, 1.0 - turn]))


def near_prob(grid: Grid, zones: int, velocity_mps: tuple[float, float], course_mps: tuple[float, float],
              position_cov_m2: Floats, velocity_cov: Floats, turn_rate_radps: float, since_s: float, radius_m: float) -> Floats:
    """Return (zones, horizons): P(within `radius_m` of a place of the zone within each of HORIZONS_S from now).

    Parameters
    ----------
    grid : places on a plane about the last known position
    velocity_mps, course_mps : east, north; now, and made good over the last minutes
    position_cov_m2, velocity_cov : (2, 2), registration included in the position's
    since_s : time of flight since that position was true; 0 for a live track
    """
    normal, wander, chance, turn = _draws()
    speed = math.hypot(*velocity_mps)
    angle = math.atan2(velocity_mps[0], velocity_mps[1])
    start = np.zeros((FLIGHTS, 5))
    east_sigma = math.sqrt(max(float(position_cov_m2[0, 0]), 0.0))
    north_sigma = math.sqrt(max(float(position_cov_m2[1, 1]), 0.0))
    both = float(position_cov_m2[0, 1]) / (east_sigma * north_sigma) if east_sigma * north_sigma > 0.0 else 0.0
    both = min(max(both, -1.0), 1.0)
    start[:, 0] = east_sigma * normal[:, 0]
    start[:, 1] = north_sigma * (both * normal[:, 0] + math.sqrt(1.0 - both * both) * normal[:, 1])
    across = np.array([math.cos(angle), -math.sin(angle)])
    ahead = np.array([math.sin(angle), math.cos(angle)])
    across_mps = math.sqrt(max(float(across @ velocity_cov @ across), 0.0))
    ahead_mps = math.sqrt(max(float(ahead @ velocity_cov @ ahead), 0.0))
    flown = max(speed, SPEED_MPS_MIN)
    start[:, 2] = angle + min(math.atan2(across_mps, flown), 1.5) * normal[:, 2]
    start[:, 3] = np.clip(1.0 + math.hypot(SPEED_SPREAD, min(ahead_mps / flown, 0.4)) * normal[:, 3], 0.3, 2.0)
    off = math.remainder(math.atan2(course_mps[0], course_mps[1]) - angle, 2.0 * math.pi)
    if math.hypot(*course_mps) >= COURSE_SHARE_MIN * flown and abs(off) <= WEAVE_RAD_MAX:
        start[_RETURNS, 4] = off
    near_s = np.full((FLIGHTS, zones), np.inf)
    near_times_kernel(
        start, wander, chance, turn, _STEP_S, min(since_s, SINCE_S_MAX), min(since_s, SINCE_S_MAX) + UNTIL_S, flown,
        min(max(turn_rate_radps, -TURN_RATE_MAX_RADPS), TURN_RATE_MAX_RADPS), BACK_S, WANDER_RAD, LEG_S, TURN_RAD[0], TURN_RAD[1],
        grid.east_m, grid.north_m, grid.zone, grid.cell_first, grid.columns, grid.rows, grid.west_m, grid.south_m,
        radius_m, near_s)
    share = np.empty((zones, len(HORIZONS_S)))
    share_within_kernel(near_s, _HORIZON_S, share)
    return share

"""P(entry within 5, 10, 15 minutes): the track's belief flown on by a stochastic route model.

A flight is legs of steady speed with a wandering heading and now and then a course change (`motion`); straight-line
prediction, which cries wolf at every bend of a river, is what this replaces. The same 128 seeded flights, mirrored in
pairs, are flown for every object (common random numbers: the answer does not flicker from step to step), over a chart
of exact border distances round the object, so that a flight costs no border search of its own.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.kernels_forecast import first_entry_kernel
from lapwing.judge.motion import Motion
from lapwing.judge.normal import normal_cdf

Floats = npt.NDArray[np.float64]

HORIZONS_S = (300.0, 600.0, 900.0)
_PATHS = 128
_STEP_S = np.concatenate([np.full(30, 10.0), np.full(20, 30.0)])
_RADII = 12
_AHEAD_DEG = (7.5, 15.0, 22.5, 30.0, 40.0, 50.0, 65.0, 90.0, 130.0, 180.0)
_ANGLE_RAD = np.radians(np.array([*(-a for a in reversed(_AHEAD_DEG)), 0.0, *_AHEAD_DEG]))
# Bins of 5 degrees, narrower than the chart's angles are apart: the right column is the bin's or the next one.
_ANGLE_BIN = np.clip(np.searchsorted(_ANGLE_RAD, np.radians(np.arange(-180.0, 180.0, 5.0)) + 1e-9) - 1, 0,
                     len(_ANGLE_RAD) - 2).astype(np.int64)


@cache
def _draws() -> tuple[Floats, Floats, Floats, Floats]:
    """Return start (paths, 6) standard normal, wander, chance, turn (paths, steps); odd paths mirror the even ones."""
    generator = np.random.default_rng(20_250_805)
    half, steps = _PATHS // 2, len(_STEP_S)
    start, wander = generator.standard_normal((half, 6)), generator.standard_normal((half, steps))
    chance, turn = generator.random((half, steps)), generator.random((half, steps))
    return (np.concatenate([start, -start]), np.concatenate([wander, -wander]), np.concatenate([chance, chance]),
            np.concatenate([turn, 1.0 - turn]))


def chart(territory: Territory, latitude_rad: float, longitude_rad: float, track_angle_rad: float,
          radius_m: float) -> Floats:
    """Return signed distances (radii, angles) round a point, radii spaced by squares; see the kernel."""
    radius = radius_m * (np.arange(_RADII) / (_RADII - 1)) ** 2
    angle = track_angle_rad + _ANGLE_RAD
    north, east = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    meridian, prime = curvature_radii_m(latitude_rad)
    latitude = latitude_rad + north / meridian
    longitude = longitude_rad + east / (prime * np.cos(0.5 * (latitude + latitude_rad)))
    return signed_distance(territory, latitude.ravel(), longitude.ravel()).signed_distance_m.reshape(_RADII, -1)


def entry_prob(territory: Territory, latitude_rad: float, longitude_rad: float, velocity_mps: Floats, state_cov: Floats,
               bias_cov_m2: Floats, line_m_sigma: float, turn_rate_radps: float,
               motion: Motion) -> tuple[float, float, float]:
    """Return P(inside at any moment within each of HORIZONS_S).

    Parameters
    ----------
    velocity_mps : (2,) east, north; state_cov : (4, 4); bias_cov_m2 : (2, 2), as in `Tracks`
    line_m_sigma : of the line at the nearest point, taken as one shift of the whole line
    """
    normal, wander, chance, turn = _draws()
    speed = max(float(np.hypot(*velocity_mps)), 1.0)
    angle = math.atan2(velocity_mps[0], velocity_mps[1])
    # Columns: forward, right in terms of east, north.
    turn_to_track = np.array([[math.sin(angle), math.cos(angle)], [math.cos(angle), -math.sin(angle)]])
    position_cov = turn_to_track @ (state_cov[:2, :2] + bias_cov_m2) @ turn_to_track.T
    velocity_cov = turn_to_track @ state_cov[2:, 2:] @ turn_to_track.T
    forward_sigma = math.sqrt(max(position_cov[0, 0], 0.0))
    right_sigma = math.sqrt(max(position_cov[1, 1], 0.0))
    both = position_cov[0, 1] / (forward_sigma * right_sigma) if forward_sigma * right_sigma > 0.0 else 0.0
    both = min(max(both, -1.0), 1.0)
    start = np.empty((_PATHS, 5))
    start[:, 0] = forward_sigma * normal[:, 0]
    start[:, 1] = right_sigma * (both * normal[:, 0] + math.sqrt(1.0 - both * both) * normal[:, 1])
    start[:, 2] = min(math.sqrt(max(velocity_cov[1, 1], 0.0)) / speed, 1.5) * normal[:, 2]
    spread = math.hypot(motion.speed_share_sigma, min(math.sqrt(max(velocity_cov[0, 0], 0.0)) / speed, 0.5))
    start[:, 3] = np.clip(1.0 + spread * normal[:, 3], 0.0, 2.0)
    start[:, 4] = line_m_sigma * normal[:, 4]
    radius = speed * HORIZONS_S[-1] * (1.0 + 2.0 * spread)
    entry_s = np.empty(_PATHS)
    first_entry_kernel(
        chart(territory, latitude_rad, longitude_rad, angle, radius), radius, _ANGLE_RAD, _ANGLE_BIN, _STEP_S, start,
        wander, chance, turn, speed, float(np.clip(turn_rate_radps, -0.1, 0.1)), motion.wander_rad_sigma, motion.leg_s,
        motion.turn_rad_min, motion.turn_rad_max, entry_s)
    five, ten, fifteen = (float(np.mean(entry_s <= horizon)) for horizon in HORIZONS_S)
    return five, ten, fifteen


def straight_entry_prob(border_m: Floats, border_m_sigma: Floats, closing_mps: Floats,
                        closing_mps_sigma: Floats) -> Floats:
    """Return (n, 3) the same for a straight line and straight flight: the plain rule, for rows not worth more.

    P(inside at the end of the horizon or now); for tentative tracks and traffic.
    """
    now = normal_cdf(-border_m / border_m_sigma)
    columns = []
    for horizon in HORIZONS_S:
        sigma = np.hypot(border_m_sigma, closing_mps_sigma * horizon)
        columns.append(np.maximum(now, normal_cdf((closing_mps * horizon - border_m) / sigma)))
    return np.column_stack(columns) if len(border_m) else np.zeros((0, 3))

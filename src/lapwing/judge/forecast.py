"""P(entry within 5, 10, 15 minutes), when and where: the track's belief flown on by a stochastic route model.

A flight weaves about a course and now and then changes it (`motion`); straight-line prediction, which cries wolf at
every bend of a river, is what this replaces. What it knows beyond the state of now is the course made good over the
last minutes (`Courses`). The same 256 quasi-random flights are flown for every object (common numbers: the answer does
not flicker from step to step), over a chart of exact border distances round the object, so that a flight costs no
border search of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge import kernels_forecast as kernels
from lapwing.judge.motion import BY_INDEX
from lapwing.judge.normal import normal_cdf
from lapwing.judge.observed import came_true

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

HORIZONS_S = (300.0, 600.0, 900.0)
QUANTILES = (0.1, 0.5, 0.9)
_FLIGHTS = 256
_STEP_S = np.concatenate([np.full(30, 10.0), np.full(20, 30.0)])
_RADII = 12
_AHEAD_DEG = (7.5, 15.0, 22.5, 30.0, 40.0, 50.0, 65.0, 90.0, 130.0, 180.0)
_ANGLE_RAD = np.radians(np.array([*(-a for a in reversed(_AHEAD_DEG)), 0.0, *_AHEAD_DEG]))
# Bins of 5 degrees, narrower than the chart's angles are apart: the right column is the bin's or the next one.
_ANGLE_BIN = np.clip(np.searchsorted(_ANGLE_RAD, np.radians(np.arange(-180.0, 180.0, 5.0)) + 1e-9) - 1, 0,
                     len(_ANGLE_RAD) - 2).astype(np.int64)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43)
SLOW_S, FAST_S = 150.0, 30.0     # memory of the two courses
# Share of flights that keep the fast course: where the two courses agree, and where they are this far apart or more.
_FAST_PROB, _FAST_PROB_TURNED, _TURNED_RAD = 0.3, 0.9, math.radians(45.0)
_MOTION = np.array([[m.leg_s, m.turn_rad_min, m.turn_rad_max, m.wander_rad_sigma, m.turn_away_prob,
                     m.speed_share_sigma] for m in BY_INDEX])


@dataclass(frozen=True, slots=True)
class Believed:
    """What is known of tracks to be flown on; arrays have length n."""

    latitude_rad: Floats
    longitude_rad: Floats
    velocity_mps: Floats          # (n, 2) east, north
    position_cov_m2: Floats       # (n, 2, 2) whole error
    velocity_cov: Floats          # (n, 2, 2)
    turn_rate_radps: Floats       # clockwise
    slow: Floats                  # (n, 3) mean velocity east, north and mean speed over SLOW_S, see `remembered`
    fast: Floats                  # (n, 3) the same over FAST_S
    line_m_sigma: Floats          # of the line at the nearest point, taken as one shift of the whole line
    class_index: Indices          # row of `motion.BY_INDEX`


@dataclass(frozen=True, slots=True)
class Forecast:
    """Arrays have length n."""

    entry_prob: Floats            # (n, 3) P(inside at any moment within each of HORIZONS_S)
    entry_s: Floats               # (n, 3) QUANTILES of the time until it is first inside; inf: not within the last horizon
    entry_latitude_rad: Floats    # mean place of first being inside, of the flights that are; NaN where none is
    entry_longitude_rad: Floats
    entry_place_m_sigma: Floats   # how far these places scatter along the line, one sigma


@cache
def _draws() -> tuple[Floats, Floats]:
    """Return draw (flights, kernels.DRAWS) and wander (flights, steps), see the kernel.

    Kronecker's sequence with the square roots of primes, each point at the middle of its cell; the wander, which has
    too many dimensions for that, is seeded and mirrored.
    """
    index = np.arange(_FLIGHTS)[:, None] + 0.5
    uniform = (index * np.sqrt(np.array(_PRIMES[: kernels.DRAWS], np.float64))[None, :]) % 1.0
    uniform = np.clip(uniform, 1e-9, 1.0 - 1e-9)
    normal = NormalDist()
    for column in (kernels.FORWARD, kernels.RIGHT, kernels.HEADING, kernels.SPEED_FACTOR, kernels.SHIFT):
        uniform[:, column] = [normal.inv_cdf(value) for value in uniform[:, column].tolist()]
    half = np.random.default_rng(20_250_805).standard_normal((_FLIGHTS // 2, len(_STEP_S)))
    wander = np.empty((_FLIGHTS, len(_STEP_S)))
    wander[::2], wander[1::2] = half, -half
    return np.ascontiguousarray(uniform), wander


def remembered(mean: Floats, velocity_mps: Floats, passed_s: Floats, age_s: Floats, memory_s: float) -> Floats:
    """Return (n, 3) the mean velocity and speed, moved on by `passed_s`; young tracks weigh all they have alike."""
    speed = np.hypot(velocity_mps[:, 0], velocity_mps[:, 1])
    new = np.column_stack([velocity_mps, speed])
    weight = np.clip(np.maximum(1.0 - np.exp(-passed_s / memory_s), passed_s / np.maximum(age_s, 1.0)), 0.0, 1.0)
    return np.asarray(mean + weight[:, None] * (new - mean), np.float64)


def chart_points(latitude_rad: Floats, longitude_rad: Floats, track_angle_rad: Floats,
                 radius_m: Floats) -> tuple[Floats, Floats]:
    """Return latitude and longitude (n, radii, angles) of the points of charts, radii spaced by squares."""
    radius = radius_m[:, None, None] * ((np.arange(_RADII) / (_RADII - 1)) ** 2)[None, :, None]
    angle = (track_angle_rad[:, None] + _ANGLE_RAD)[:, None, :]
    meridian, prime = curvature_radii_m(latitude_rad)
    latitude = latitude_rad[:, None, None] + radius * np.cos(angle) / meridian[:, None, None]
    middle = 0.5 * (latitude + latitude_rad[:, None, None])
    return latitude, longitude_rad[:, None, None] + radius * np.sin(angle) / (prime[:, None, None] * np.cos(middle))


def chart(territory: Territory, latitude_rad: Floats, longitude_rad: Floats, track_angle_rad: Floats,
          radius_m: Floats) -> Floats:
    """Return signed distances (n, radii, angles) round points; see the kernel."""
    latitude, longitude = chart_points(latitude_rad, longitude_rad, track_angle_rad, radius_m)
    return signed_distance(territory, latitude.ravel(), longitude.ravel()).signed_distance_m.reshape(latitude.shape)


def one_of(now: Believed, row: int) -> Believed:
    """Return one row."""
    return Believed(**{each.name: getattr(now, each.name)[row : row + 1] for each in fields(Believed)})


def reach(now: Believed) -> tuple[Floats, Floats, Floats]:
    """Return track angle, speed and how far each row may get within the last horizon."""
    table, angle = _table(now)
    return angle, table[:, kernels.SPEED], table[:, kernels.RADIUS]


def fly_over(now: Believed, charts_m: Floats) -> Floats:
    """Return (k, 3) P(a chart's distance falls below 0 within each horizon), of one row of `now` over k charts.

    The charts' places are not the line of a border: nobody turns away from them, and they lie where they lie.
    """
    draw, wander = _draws()
    table, _ = _table(now)
    table[:, kernels.TURN_AWAY_PROB] = table[:, kernels.LINE_SIGMA] = 0.0
    count = len(charts_m)
    entry_s, place_m = np.empty((count, _FLIGHTS)), np.empty((count, _FLIGHTS, 2))
    kernels.first_entry_kernel(np.repeat(table, count, axis=0), np.ascontiguousarray(charts_m), _ANGLE_RAD, _ANGLE_BIN, _STEP_S,
                               draw, wander, entry_s, place_m)
    return np.column_stack([np.mean(entry_s <= horizon, axis=1) for horizon in HORIZONS_S])


def fly(territory: Territory, now: Believed, *, as_observed: bool = True) -> Forecast:
    """Return the forecast of each row; `as_observed`: probabilities are what came true of what the flights say."""
    draw, wander = _draws()
    table, angle = _table(now)
    count = len(table)
    entry_s, place_m = np.empty((count, _FLIGHTS)), np.empty((count, _FLIGHTS, 2))
    kernels.first_entry_kernel(
        table, chart(territory, now.latitude_rad, now.longitude_rad, angle, table[:, kernels.RADIUS]), _ANGLE_RAD, _ANGLE_BIN,
        _STEP_S, draw, wander, entry_s, place_m)
    prob = np.column_stack([np.mean(entry_s <= horizon, axis=1) for horizon in HORIZONS_S])
    if as_observed:
        prob = came_true(prob, now.class_index, now.slow[:, 2])
    ordered = np.sort(entry_s, axis=1)
    within = ordered[:, [min(int(q * _FLIGHTS), _FLIGHTS - 1) for q in QUANTILES]]
    return Forecast(prob, within, *_place(now, angle, entry_s, place_m))


def straight_entry_prob(border_m: Floats, border_m_sigma: Floats, closing_mps: Floats,
                        closing_mps_sigma: Floats) -> Floats:
    """Return (n, 3) the same for a straight line and straight flight: the plain rule, for rows not worth more.

    P(inside at the end of the horizon or now); for tentative tracks and traffic, and the baseline to beat.
    """
    horizon = np.array([0.0, *HORIZONS_S])
    ahead = closing_mps[:, None] * horizon - border_m[:, None]
    prob = normal_cdf(ahead / np.hypot(border_m_sigma[:, None], closing_mps_sigma[:, None] * horizon))
    return np.maximum(prob[:, 1:], prob[:, :1])


def _table(now: Believed) -> tuple[Floats, Floats]:
    """Return the kernel's columns (n, kernels.COLUMNS), and the track angles."""
    count = len(now.latitude_rad)
    speed = np.maximum(np.hypot(now.velocity_mps[:, 0], now.velocity_mps[:, 1]), 1.0)
    angle = np.arctan2(now.velocity_mps[:, 0], now.velocity_mps[:, 1])
    table = np.empty((count, kernels.COLUMNS))
    table[:, kernels.LEG_S:kernels.TURN_AWAY_PROB + 1] = _MOTION[now.class_index, :5]
    table[:, kernels.SPEED], table[:, kernels.LINE_SIGMA] = speed, now.line_m_sigma
    table[:, kernels.TURN_RATE] = np.clip(now.turn_rate_radps, -0.1, 0.1)
    table[:, kernels.FORWARD_SIGMA], table[:, kernels.RIGHT_SIGMA] = _along_and_across(now.position_cov_m2, angle)
    along, beside = _along_and_across(now.velocity_cov, angle)
    table[:, kernels.HEADING_SIGMA] = np.minimum(beside / speed, 1.5)
    spread = np.hypot(_MOTION[now.class_index, 5], np.minimum(along / speed, 0.5))
    table[:, kernels.SPEED_SHARE_SIGMA] = spread
    slow_course, table[:, kernels.SLOW_WEAVE] = _course(now.slow, angle, beside / speed)
    fast_course, table[:, kernels.FAST_WEAVE] = _course(now.fast, angle, beside / speed)
    apart = np.abs((slow_course - fast_course + math.pi) % (2.0 * math.pi) - math.pi)
    table[:, kernels.SLOW_COURSE], table[:, kernels.FAST_COURSE] = slow_course, fast_course
    table[:, kernels.FAST_PROB] = _FAST_PROB + (_FAST_PROB_TURNED - _FAST_PROB) * np.minimum(apart / _TURNED_RAD, 1.0)
    table[:, kernels.RADIUS] = speed * HORIZONS_S[-1] * (1.0 + 2.0 * spread)
    return table, angle


def _along_and_across(cov: Floats, angle_rad: Floats) -> tuple[Floats, Floats]:
    """Return one sigma of covariances (n, 2, 2) along a direction and across it."""
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    east, north, both = cov[:, 0, 0], cov[:, 1, 1], 2.0 * sine * cosine * cov[:, 0, 1]
    return (np.sqrt(np.maximum(sine**2 * east + cosine**2 * north + both, 0.0)),
            np.sqrt(np.maximum(cosine**2 * east + sine**2 * north - both, 0.0)))


def _course(mean: Floats, angle_rad: Floats, heading_rad_sigma: Floats) -> tuple[Floats, Floats]:
    """Return the course made good, told from `angle_rad`, and the amplitude of the weave about it.

    The mean of the cosine of a sine of amplitude a is 1 - a^2 / 4: way made good over way flown tells a, less what the
    error of the heading alone would do to it.
    """
    made = np.hypot(mean[:, 0], mean[:, 1])
    course = np.where(made > 0.5, np.arctan2(mean[:, 0], mean[:, 1]) - angle_rad, 0.0)
    straight = np.clip(made / np.maximum(mean[:, 2], 0.5) + 0.5 * heading_rad_sigma**2, 0.0, 1.0)
    return (course + math.pi) % (2.0 * math.pi) - math.pi, np.minimum(2.0 * np.sqrt(1.0 - straight), 1.2)


def _place(now: Believed, angle_rad: Floats, entry_s: Floats, place_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean latitude and longitude of the entries, and their scatter."""
    enters = np.isfinite(entry_s)
    count = np.maximum(enters.sum(axis=1), 1)
    mean = np.where(enters[:, :, None], place_m, 0.0).sum(axis=1) / count[:, None]
    mean[~enters.any(axis=1)] = np.nan
    off = np.where(enters[:, :, None], place_m - mean[:, None, :], 0.0)
    scatter = np.sqrt((off**2).sum(axis=(1, 2)) / count)
    east = mean[:, 0] * np.sin(angle_rad) + mean[:, 1] * np.cos(angle_rad)
    north = mean[:, 0] * np.cos(angle_rad) - mean[:, 1] * np.sin(angle_rad)
    meridian, prime = curvature_radii_m(now.latitude_rad)
    latitude = now.latitude_rad + north / meridian
    longitude = now.longitude_rad + east / (prime * np.cos(0.5 * (latitude + now.latitude_rad)))
    return latitude, longitude, scatter

"""Forecasts of tracks as they were emitted: of rows of a tracks file, at instants asked for, with the zones they may reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.geo.areas import distances_m
from lapwing.judge import forecast
from lapwing.judge.from_tracks import EmittedTrack
from lapwing.judge.line import across, spread
from lapwing.judge.motion import BY_INDEX
from lapwing.judge.observed import flown_as
from lapwing.judge.settings import Settings
from lapwing.judge.straight import straight_on_prob
from lapwing.model.times import NS_PER_S

Floats = npt.NDArray[np.float64]

ZONE_NEAR_M = 3_000.0      # an object so near a zone has come to it
_ZONE_SEEN_M = 12_000.0    # a zone farther than this from a point of the chart is taken to lie so far
_PROB_MIN = 0.01           # zones less probable are not told
_VELOCITY_SIGMA = 3.0      # m/s, of a file that gives no covariance of velocity
_POSITION_SIGMA_M = 150.0
_FRESH_S = 30.0            # an older row is no news at an instant


@dataclass(frozen=True, slots=True)
class TrackForecast:
    """One track at one instant. Times in seconds from `time_ns`."""

    track_id: str
    time_ns: int
    latitude_rad: float
    longitude_rad: float
    border_m: float
    border_m_sigma: float
    entry_prob: tuple[float, float, float]
    straight_prob: tuple[float, float, float]      # the same flown straight on, for comparison
    entry_s: tuple[float, float, float]            # quantiles 10, 50, 90 %; inf not within 15 minutes
    straight_s: float                              # as it flies straight; inf: not
    earliest_s: float                              # at the greatest speed of its class
    entry_latitude_rad: float
    entry_longitude_rad: float
    entry_place_m_sigma: float
    zones: tuple[tuple[str, tuple[float, float, float]], ...]   # code, P(within 3 km in 5, 10, 15 minutes)


def forecast_tracks(emitted: Sequence[EmittedTrack], pack: Pack, instants_ns: Sequence[int] | None, every_s: float,
                    settings: Settings, *, with_zones: bool) -> list[TrackForecast]:
    """Return the forecasts, track by track in the order given.

    Parameters
    ----------
    instants_ns : the instants; None: every `every_s` of each track's life, or where that is 0 at its last row
    """
    result = []
    for track in emitted:
        rows = _rows(track, instants_ns, every_s)
        if not len(rows):
            continue
        slow, fast = _memory(track)
        cov = np.where(np.isfinite(track.position_cov_m2[rows]), track.position_cov_m2[rows], np.eye(2) * _POSITION_SIGMA_M**2)
        seen = across(pack.territory, track.latitude_rad[rows], track.longitude_rad[rows], settings, track.velocity_mps[rows])
        now = forecast.Believed(
            track.latitude_rad[rows], track.longitude_rad[rows], track.velocity_mps[rows], cov,
            np.tile(np.eye(2) * _VELOCITY_SIGMA**2, (len(rows), 1, 1)), np.zeros(len(rows)), slow[rows], fast[rows],
            seen.line_m_sigma, flown_as(np.nan_to_num(track.class_prob[rows]), slow[rows, 2]))
        flown = forecast.fly(pack.territory, now)
        sigma = np.hypot(spread(seen.outward, cov), seen.line_m_sigma)
        straight = straight_on_prob(pack.territory, now)
        speed = np.maximum(np.array([BY_INDEX[k].speed_mps_max for k in now.class_index.tolist()]), np.hypot(*now.velocity_mps.T))
        for k, row in enumerate(rows.tolist()):
            inside = seen.distance_m[k] < 0.0
            result.append(TrackForecast(
                track.track_id, int(track.time_ns[row]), float(track.latitude_rad[row]), float(track.longitude_rad[row]),
                float(seen.distance_m[k]), float(sigma[k]),
                _three(np.maximum(flown.entry_prob[k], float(inside))), _three(straight[k]),
                (0.0, 0.0, 0.0) if inside else _three(flown.entry_s[k]), float(seen.meeting_s[k]),
                max(0.0, float(seen.distance_m[k] / speed[k])), float(flown.entry_latitude_rad[k]),
                float(flown.entry_longitude_rad[k]), float(flown.entry_place_m_sigma[k]),
                _zones(pack, forecast.one_of(now, k)) if with_zones else ()))
    return result


def _three(values: Floats) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third


def _rows(track: EmittedTrack, instants_ns: Sequence[int] | None, every_s: float) -> npt.NDArray[np.intp]:
    if instants_ns is None:
        if every_s <= 0.0:
            return np.array([len(track.time_ns) - 1], np.intp)
        instants_ns = range(int(track.time_ns[0]), int(track.time_ns[-1]) + 1, max(int(every_s * NS_PER_S), 1))
    at = np.searchsorted(track.time_ns, np.array(list(instants_ns), np.int64), side="right") - 1
    age = np.array(list(instants_ns), np.int64) - track.time_ns[np.maximum(at, 0)]
    return np.unique(at[(at >= 0) & (age <= _FRESH_S * NS_PER_S)])


def _memory(track: EmittedTrack) -> tuple[Floats, Floats]:
    """Return (n, 3) the mean velocity and speed that were known at each row, over the long and the short memory."""
    count = len(track.time_ns)
    both = []
    for memory_s in (forecast.SLOW_S, forecast.FAST_S):
        mean, kept = np.zeros((1, 3)), np.empty((count, 3))
        for row in range(count):
            passed = np.array([(track.time_ns[row] - track.time_ns[row - 1]) / NS_PER_S if row else np.inf])
            age = np.array([max((track.time_ns[row] - track.time_ns[0]) / NS_PER_S, 1.0)])
            mean = forecast.remembered(mean, track.velocity_mps[row : row + 1], passed, age, memory_s)
            kept[row] = mean[0]
        both.append(kept)
    return both[0], both[1]


def _zones(pack: Pack, now: forecast.Believed) -> tuple[tuple[str, tuple[float, float, float]], ...]:
    """Return the zones that one track may come to, and how probably; finest and coarse ones alike."""
    angle, speed, radius = forecast.reach(now)
    latitude, longitude = forecast.chart_points(now.latitude_rad, now.longitude_rad, angle, radius)
    point, area, away = distances_m(pack.areas, latitude.ravel(), longitude.ravel(), _ZONE_SEEN_M)
    near = np.unique(area)
    if not len(near) or speed[0] <= 0.0:
        return ()
    charts = np.full((len(near), latitude.size), _ZONE_SEEN_M)
    charts[np.searchsorted(near, area), point] = away
    charts = charts.reshape(len(near), *latitude.shape[1:]) - ZONE_NEAR_M
    # At 3 km exactly outside the zone the chart is 0; deeper it cannot fall below -3 km, which only counts as there.
    prob = forecast.fly_over(now, charts)
    by_area = {zone.area_index: zone.code for zone in pack.zones}
    told = [(by_area[int(index)], _three(prob[k])) for k, index in enumerate(near.tolist())
            if int(index) in by_area and prob[k, 2] >= _PROB_MIN]
    return tuple(sorted(told, key=lambda each: (-each[1][1], -each[1][2], each[0])))

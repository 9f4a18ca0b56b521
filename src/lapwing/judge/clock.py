"""The border clock: where each live track stands to the line now, how it closes, when it would be there.

A row is worked out again when it got a plot, when it is new, and once a second otherwise; in between its distance is
carried on at its closing speed. The forecast is renewed every few seconds and when the track turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.judge import forecast
from lapwing.judge.line import across, spread
from lapwing.judge.motion import BY_INDEX
from lapwing.judge.normal import normal_cdf
from lapwing.judge.settings import Settings
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, Tracks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
T = TypeVar("T", bound=np.generic)

_TURNED_RAD = math.radians(12.0)   # a turn that makes a forecast stale at once
_SPEED_MPS_MAX = np.array([motion.speed_mps_max for motion in BY_INDEX])
_IMPROBABLE = 0.1          # classes less probable than this do not set the earliest arrival


@dataclass(frozen=True, slots=True)
class Clock:
    """The rows of the last step; every array has length n (outward n, 2; entry_prob n, 3), `others` k neighbours."""

    track_id: tuple[str, ...] = ()
    computed_ns: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    border_m: Floats = field(default_factory=lambda: np.zeros(0))  # at computed_ns
    outward: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    nearest_latitude_rad: Floats = field(default_factory=lambda: np.zeros(0))
    nearest_longitude_rad: Floats = field(default_factory=lambda: np.zeros(0))
    line_bound_95_m: Floats = field(default_factory=lambda: np.zeros(0))
    line_m_sigma: Floats = field(default_factory=lambda: np.zeros(0))
    undecided: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    time_to_go_s: Floats = field(default_factory=lambda: np.zeros(0))  # from computed_ns
    others_m: Floats = field(default_factory=lambda: np.zeros((0, 0)))  # (n, k)
    forecast_ns: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # 0: none yet
    forecast_angle_rad: Floats = field(default_factory=lambda: np.zeros(0))
    entry_prob: Floats = field(default_factory=lambda: np.zeros((0, 3)))


def advance(clock: Clock, tracks: Tracks, worth: Bools, territory: Territory, neighbours: Mapping[str, Territory],
            settings: Settings) -> Clock:
    """Return the clock at the tracks' time, rows as in `tracks`.

    Parameters
    ----------
    worth : (n,) rows that deserve the full forecast (judged and confirmed); the others get the straight-line one
    """
    clock, fresh = _aligned(clock, tracks, len(neighbours))
    stale = fresh | tracks.updated | (tracks.time_ns - clock.computed_ns >= settings.recompute_s * NS_PER_S)
    rows = np.flatnonzero(stale)
    if len(rows):
        clock = _recomputed(clock, tracks, rows, territory, neighbours, settings)
    return _forecast(clock, tracks, worth, territory, settings)


def closing_mps(clock: Clock, tracks: Tracks) -> Floats:
    """Return the speed at which each row nears the line, positive inwards."""
    return np.asarray(-np.einsum("ni,ni->n", clock.outward, tracks.velocity_mps), np.float64)


def border_now_m(clock: Clock, tracks: Tracks) -> Floats:
    """Return the signed distances at the tracks' own time."""
    return clock.border_m - closing_mps(clock, tracks) * _age_s(clock, tracks)


def time_to_go_now_s(clock: Clock, tracks: Tracks, border_m: Floats) -> Floats:
    """Return seconds to the line as each row flies: 0 inside, inf where it does not come to it within the hour."""
    return np.where(border_m <= 0.0, 0.0, np.maximum(clock.time_to_go_s - _age_s(clock, tracks), 0.0))


def border_sigma_m(clock: Clock, tracks: Tracks) -> Floats:
    """Return one sigma across the line: track, registration and line together."""
    return np.hypot(spread(clock.outward, tracks.state_cov[:, :2, :2] + tracks.bias_cov_m2), clock.line_m_sigma)


def earliest_s(tracks: Tracks, border_m: Floats) -> Floats:
    """Return seconds to the line straight at the greatest speed of any class that it may well be; 0 inside."""
    fastest = np.max(np.where(tracks.class_prob >= _IMPROBABLE, _SPEED_MPS_MAX, 0.0), axis=1, initial=0.0)
    speed = np.maximum(np.maximum(fastest, np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])), 1.0)
    return np.asarray(np.maximum(border_m, 0.0) / speed, np.float64)


def _age_s(clock: Clock, tracks: Tracks) -> Floats:
    return np.asarray((tracks.time_ns - clock.computed_ns) / NS_PER_S, np.float64)


def _aligned(clock: Clock, tracks: Tracks, neighbour_count: int) -> tuple[Clock, Bools]:
    """Return the clock with the rows of the tracks, and which of them are new (values to be worked out)."""
    count = len(tracks)
    if clock.track_id == tracks.track_id and clock.others_m.shape == (count, neighbour_count):
        return clock, np.zeros(count, np.bool_)
    known = {track_id: row for row, track_id in enumerate(clock.track_id)}
    source = np.array([known.get(track_id, -1) for track_id in tracks.track_id], np.intp)
    fresh = source < 0
    if clock.others_m.shape[1] != neighbour_count:
        fresh[:] = True
    old = source[~fresh]

    def column(values: Floats, fill: float = 0.0) -> Floats:
        out = np.full((count, *values.shape[1:]), fill, values.dtype)
        out[~fresh] = values[old]
        return out

    others = np.zeros((count, neighbour_count))
    if neighbour_count and len(old):
        others[~fresh] = clock.others_m[old]
    times = {name: np.zeros(count, np.int64) for name in ("computed_ns", "forecast_ns")}
    for name, values in times.items():
        values[~fresh] = getattr(clock, name)[old]
    undecided = np.zeros(count, np.bool_)
    undecided[~fresh] = clock.undecided[old]
    return Clock(
        track_id=tracks.track_id, computed_ns=times["computed_ns"], border_m=column(clock.border_m),
        outward=column(clock.outward), nearest_latitude_rad=column(clock.nearest_latitude_rad),
        nearest_longitude_rad=column(clock.nearest_longitude_rad), line_bound_95_m=column(clock.line_bound_95_m),
        line_m_sigma=column(clock.line_m_sigma), undecided=undecided, time_to_go_s=column(clock.time_to_go_s),
        others_m=others, forecast_ns=times["forecast_ns"], forecast_angle_rad=column(clock.forecast_angle_rad),
        entry_prob=column(clock.entry_prob)), fresh


def _recomputed(clock: Clock, tracks: Tracks, rows: Rows, territory: Territory, neighbours: Mapping[str, Territory],
                settings: Settings) -> Clock:
    latitude, longitude = tracks.latitude_rad[rows], tracks.longitude_rad[rows]
    seen = across(territory, latitude, longitude, settings, tracks.velocity_mps[rows])
    others = clock.others_m.copy()
    for column, code in enumerate(sorted(neighbours)):
        others[rows, column] = signed_distance(neighbours[code], latitude, longitude).signed_distance_m

    def put(values: npt.NDArray[T], new: npt.NDArray[T]) -> npt.NDArray[T]:
        out = values.copy()
        out[rows] = new
        return out

    return replace(
        clock, computed_ns=put(clock.computed_ns, tracks.time_ns[rows]), border_m=put(clock.border_m, seen.distance_m),
        outward=put(clock.outward, seen.outward), others_m=others,
        nearest_latitude_rad=put(clock.nearest_latitude_rad, seen.nearest_latitude_rad),
        nearest_longitude_rad=put(clock.nearest_longitude_rad, seen.nearest_longitude_rad),
        line_bound_95_m=put(clock.line_bound_95_m, seen.bound_95_m),
        line_m_sigma=put(clock.line_m_sigma, seen.line_m_sigma), undecided=put(clock.undecided, seen.undecided),
        time_to_go_s=put(clock.time_to_go_s, seen.meeting_s))


def _forecast(clock: Clock, tracks: Tracks, worth: Bools, territory: Territory, settings: Settings) -> Clock:
    border_m, sigma_m = border_now_m(clock, tracks), border_sigma_m(clock, tracks)
    closing_sigma = spread(clock.outward, tracks.state_cov[:, 2:, 2:])
    plain = forecast.straight_entry_prob(border_m, sigma_m, closing_mps(clock, tracks), closing_sigma)
    angle = np.arctan2(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    turned = np.abs((angle - clock.forecast_angle_rad + math.pi) % (2.0 * math.pi) - math.pi) > _TURNED_RAD
    speed = np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    in_reach = border_m - 4.0 * sigma_m < 1.5 * speed * forecast.HORIZONS_S[-1] + 1_000.0
    # What is more than ten minutes off even straight on is looked at half as often.
    rhythm_s = np.where(border_m > speed * forecast.HORIZONS_S[1], 2.0, 1.0) * settings.forecast_s
    due = (tracks.time_ns - clock.forecast_ns >= rhythm_s * NS_PER_S) | turned
    prob = np.where((worth & in_reach)[:, None], clock.entry_prob, plain)
    forecast_ns, forecast_angle = clock.forecast_ns.copy(), clock.forecast_angle_rad.copy()
    forecast_ns[~(worth & in_reach)] = 0
    best = np.argmax(tracks.class_prob, axis=1) if len(tracks) else np.zeros(0, np.intp)
    for row in np.flatnonzero(worth & in_reach & due):
        if border_m[row] < -6.0 * sigma_m[row]:
            prob[row] = 1.0
        else:
            prob[row] = forecast.entry_prob(
                territory, float(tracks.latitude_rad[row]), float(tracks.longitude_rad[row]), tracks.velocity_mps[row],
                tracks.state_cov[row], tracks.bias_cov_m2[row], float(clock.line_m_sigma[row]),
                float(tracks.turn_rate_radps[row]), BY_INDEX[int(best[row])])
        forecast_ns[row], forecast_angle[row] = tracks.time_ns[row], angle[row]
    # An object that is surely inside now was not less surely going to be a moment ago.
    prob = np.maximum(prob, normal_cdf(-border_m / sigma_m)[:, None])
    return replace(clock, entry_prob=prob, forecast_ns=forecast_ns, forecast_angle_rad=forecast_angle)


assert len(BY_INDEX) == len(CLASSES)

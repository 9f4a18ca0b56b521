"""The border clock: where each live track stands to the line now, how it closes, when it would be there.

A row is worked out again when it got a plot and is under judgement, when it is new, and once a second (traffic: in two)
otherwise; in between its distance is carried on at its closing speed. The forecast is renewed every few seconds and when the
track turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.judge import forecast
from lapwing.judge.line import across, spread
from lapwing.judge.motion import BY_INDEX
from lapwing.judge.normal import normal_cdf
from lapwing.judge.observed import flown_as
from lapwing.judge.settings import Settings
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, Tracks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_OTHERS_RHYTHM = 2.0       # traffic and what is not confirmed is worked out half as often
_TURNED_RAD = math.radians(12.0)   # a turn that makes a forecast stale at once
_SPEED_MPS_MAX = np.array([motion.speed_mps_max for motion in BY_INDEX])
_IMPROBABLE = 0.1          # classes less probable than this do not set the earliest arrival
_SURELY_INSIDE = 6.0       # sigmas: nothing left to forecast

# Columns of Clock.values
_BORDER, _EAST, _NORTH, _NEAR_LAT, _NEAR_LON, _BOUND, _LINE_SIGMA, _UNDECIDED, _TO_GO, _ANGLE = range(10)
_ENTRY, _SLOW, _FAST = slice(10, 13), slice(13, 16), slice(16, 19)
_COLUMNS = 19
_COMPUTED, _FORECAST = range(2)    # columns of Clock.times_ns


@dataclass(frozen=True, slots=True)
class Clock:
    """The rows of the last step."""

    track_id: tuple[str, ...] = ()
    values: Floats = field(default_factory=lambda: np.zeros((0, _COLUMNS)))       # (n, columns), at the time computed
    times_ns: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))    # computed; forecast (0: none yet)
    others_m: Floats = field(default_factory=lambda: np.zeros((0, 0)))            # (n, k) distance to neighbours

    @property
    def border_m(self) -> Floats:
        """Signed distance when computed."""
        return self.values[:, _BORDER]

    @property
    def outward(self) -> Floats:
        """(n, 2) unit vector east, north in which the distance grows."""
        return self.values[:, _EAST:_NORTH + 1]

    @property
    def nearest_latitude_rad(self) -> Floats:
        """Of the nearest point of the line."""
        return self.values[:, _NEAR_LAT]

    @property
    def nearest_longitude_rad(self) -> Floats:
        """Of the nearest point of the line."""
        return self.values[:, _NEAR_LON]

    @property
    def line_bound_95_m(self) -> Floats:
        """Of the line at the nearest point."""
        return self.values[:, _BOUND]

    @property
    def line_m_sigma(self) -> Floats:
        """The same as one sigma."""
        return self.values[:, _LINE_SIGMA]

    @property
    def undecided(self) -> Floats:
        """1 where the nearest stretch of the line is not decided, 0 elsewhere."""
        return self.values[:, _UNDECIDED]

    @property
    def entry_prob(self) -> Floats:
        """(n, 3) P(inside within each horizon)."""
        return self.values[:, _ENTRY]


def advance(clock: Clock, tracks: Tracks, worth: Bools, territory: Territory, neighbours: Mapping[str, Territory],
            settings: Settings) -> Clock:
    """Return the clock at the tracks' time, rows as in `tracks`.

    Parameters
    ----------
    worth : (n,) rows that deserve the full forecast (judged and confirmed); the others get the straight-line one
    """
    aligned, fresh = _aligned(clock, tracks, len(neighbours))
    rhythm_ns = np.where(worth, 1.0, _OTHERS_RHYTHM) * settings.recompute_s * NS_PER_S
    stale = fresh | (tracks.updated & worth) | (tracks.time_ns - aligned.times_ns[:, _COMPUTED] >= rhythm_ns)
    rows = np.flatnonzero(stale)
    if not len(rows):
        return aligned
    some = len(rows) < len(tracks)
    values = aligned.values.copy()
    times_ns, others_m = aligned.times_ns.copy(), aligned.others_m.copy()
    part = tracks.take(rows) if some else tracks
    _compute(values, times_ns, others_m, rows, part, fresh[rows], territory, neighbours, settings)
    _forecast(values, times_ns, rows, part, worth[rows], territory, settings)
    return Clock(tracks.track_id, values, times_ns, others_m)


def closing_mps(clock: Clock, tracks: Tracks) -> Floats:
    """Return the speed at which each row nears the line, positive inwards."""
    return -(clock.values[:, _EAST] * tracks.velocity_mps[:, 0] + clock.values[:, _NORTH] * tracks.velocity_mps[:, 1])


def border_now_m(clock: Clock, tracks: Tracks) -> Floats:
    """Return the signed distances at the tracks' own time."""
    return clock.border_m - closing_mps(clock, tracks) * _age_s(clock, tracks)


def time_to_go_now_s(clock: Clock, tracks: Tracks, border_m: Floats) -> Floats:
    """Return seconds to the line as each row flies: 0 inside, inf where it does not come to it within the hour."""
    return np.where(border_m <= 0.0, 0.0, np.maximum(clock.values[:, _TO_GO] - _age_s(clock, tracks), 0.0))


def border_sigma_m(clock: Clock, tracks: Tracks) -> Floats:
    """Return one sigma across the line: track, registration and line together."""
    return np.hypot(spread(clock.outward, tracks.state_cov[:, :2, :2] + tracks.bias_cov_m2), clock.line_m_sigma)


def earliest_s(tracks: Tracks, border_m: Floats) -> Floats:
    """Return seconds to the line straight at the greatest speed of any class that it may well be; 0 inside."""
    fastest = np.max(np.where(tracks.class_prob >= _IMPROBABLE, _SPEED_MPS_MAX, 1.0), axis=1, initial=1.0)
    speed = np.maximum(fastest, np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1]))
    return np.asarray(np.maximum(border_m, 0.0) / speed, np.float64)


def _age_s(clock: Clock, tracks: Tracks) -> Floats:
    return np.asarray((tracks.time_ns - clock.times_ns[:, _COMPUTED]) / NS_PER_S, np.float64)


def _aligned(clock: Clock, tracks: Tracks, neighbour_count: int) -> tuple[Clock, Bools]:
    """Return the clock with the rows of the tracks, and which of them are new (values to be worked out)."""
    count = len(tracks)
    if clock.track_id == tracks.track_id and clock.others_m.shape == (count, neighbour_count):
        return clock, np.zeros(count, np.bool_)
    known = {track_id: row for row, track_id in enumerate(clock.track_id)} \
        if clock.others_m.shape[1] == neighbour_count else {}
    source = np.array([known.get(track_id, -1) for track_id in tracks.track_id], np.intp)
    fresh = source < 0
    if not len(known):
        return Clock(tracks.track_id, np.zeros((count, _COLUMNS)), np.zeros((count, 2), np.int64),
                     np.zeros((count, neighbour_count))), fresh
    values, times_ns, others_m = clock.values[source], clock.times_ns[source], clock.others_m[source]
    values[fresh], times_ns[fresh], others_m[fresh] = 0.0, 0, 0.0
    return Clock(tracks.track_id, values, times_ns, others_m), fresh


def _compute(values: Floats, times_ns: Ints, others_m: Floats, rows: Rows, tracks: Tracks, fresh: Bools,
             territory: Territory, neighbours: Mapping[str, Territory], settings: Settings) -> None:
    """Fill the rows' place by the line; `tracks` and `fresh` are those rows alone."""
    seen = across(territory, tracks.latitude_rad, tracks.longitude_rad, settings, tracks.velocity_mps)
    for column, code in enumerate(sorted(neighbours)):
        others_m[rows, column] = signed_distance(neighbours[code], tracks.latitude_rad,
                                                 tracks.longitude_rad).signed_distance_m
    new = values[rows]
    new[:, _BORDER], new[:, _EAST:_NORTH + 1] = seen.distance_m, seen.outward
    new[:, _NEAR_LAT], new[:, _NEAR_LON] = seen.nearest_latitude_rad, seen.nearest_longitude_rad
    new[:, _BOUND], new[:, _LINE_SIGMA] = seen.bound_95_m, seen.line_m_sigma
    new[:, _UNDECIDED], new[:, _TO_GO] = seen.undecided, seen.meeting_s
    passed_s = np.where(fresh, np.inf, (tracks.time_ns - times_ns[rows, _COMPUTED]) / NS_PER_S)
    age_s = np.maximum((tracks.time_ns - tracks.born_ns) / NS_PER_S, 1.0)
    for columns, memory_s in ((_SLOW, forecast.SLOW_S), (_FAST, forecast.FAST_S)):
        new[:, columns] = forecast.remembered(new[:, columns], tracks.velocity_mps, passed_s, age_s, memory_s)
    values[rows] = new
    times_ns[rows, _COMPUTED] = tracks.time_ns


def _forecast(values: Floats, times_ns: Ints, rows: Rows, tracks: Tracks, worth: Bools, territory: Territory,
              settings: Settings) -> None:
    """Fill the rows' entry probabilities; `tracks` and `worth` are those rows alone."""
    mine = values[rows]
    border_m, outward = mine[:, _BORDER], mine[:, _EAST:_NORTH + 1]
    position_cov = tracks.state_cov[:, :2, :2] + tracks.bias_cov_m2
    sigma_m = np.hypot(spread(outward, position_cov), mine[:, _LINE_SIGMA])
    closing = -(mine[:, _EAST] * tracks.velocity_mps[:, 0] + mine[:, _NORTH] * tracks.velocity_mps[:, 1])
    speed = np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    in_reach = worth & (border_m - 4.0 * sigma_m < 1.5 * speed * forecast.HORIZONS_S[-1] + 1_000.0)
    prob = mine[:, _ENTRY]
    plain = np.flatnonzero(~in_reach)
    if len(plain):
        prob[plain] = forecast.straight_entry_prob(border_m[plain], sigma_m[plain], closing[plain],
                                                   spread(outward[plain], tracks.state_cov[plain, 2:, 2:]))
        times_ns[rows[plain], _FORECAST] = 0
    angle = np.arctan2(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    turned = np.abs((angle - mine[:, _ANGLE] + math.pi) % (2.0 * math.pi) - math.pi) > _TURNED_RAD
    # What is more than ten minutes off even straight on is looked at half as often.
    rhythm_s = np.where(border_m > speed * forecast.HORIZONS_S[1], 2.0, 1.0) * settings.forecast_s
    due = in_reach & ((tracks.time_ns - times_ns[rows, _FORECAST] >= rhythm_s * NS_PER_S) | turned)
    chosen = np.flatnonzero(due & (border_m >= -_SURELY_INSIDE * sigma_m))
    if len(chosen):
        prob[chosen] = forecast.fly(territory, forecast.Believed(
            tracks.latitude_rad[chosen], tracks.longitude_rad[chosen], tracks.velocity_mps[chosen], position_cov[chosen],
            tracks.state_cov[chosen, 2:, 2:], tracks.turn_rate_radps[chosen], mine[chosen, _SLOW], mine[chosen, _FAST],
            mine[chosen, _LINE_SIGMA], flown_as(tracks.class_prob[chosen], mine[chosen, _SLOW][:, 2]))).entry_prob
    times_ns[rows[due], _FORECAST], mine[due, _ANGLE] = tracks.time_ns[due], angle[due]
    # An object that is surely inside now was not less surely going to be a moment ago.
    mine[:, _ENTRY] = np.maximum(prob, normal_cdf(-border_m / sigma_m)[:, None])
    values[rows] = mine


assert len(BY_INDEX) == len(CLASSES)

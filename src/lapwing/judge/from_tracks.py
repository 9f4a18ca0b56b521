"""Verdicts from tracks as they were emitted, long after: rows of a tracks file instead of smoothed trajectories.

Emitted rows are filtered, not smoothed, and give one covariance for all parts of the error: it is taken as random with
the filter's memory, which is honest for the interval and cautious for the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.geo.border import Territory, signed_distance
from lapwing.judge import traffic
from lapwing.judge.conclude import LIVE_DECORRELATION_S, make_verdict
from lapwing.judge.existence import Other, existence, flew_beside, young
from lapwing.judge.neighbours import reached
from lapwing.judge.path import of_trajectory
from lapwing.judge.settings import Settings
from lapwing.judge.torn import parts
from lapwing.judge.verdict import find
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, Trajectory
from lapwing.model.verdicts import Traffic, Verdict

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROW_S = 1.0          # rows nearer in time than this say the same twice
_COASTED_ROW_S = 5.0
_CARRIED_GROWTH, _CARRIED_S_MAX = 1.5, 60.0
_SIGMA_M = 150.0      # of a position whose file gives no covariance


@dataclass(frozen=True, slots=True)
class EmittedTrack:
    """One track's confirmed rows in order of time. Arrays have length n."""

    track_id: str
    time_ns: Ints
    latitude_rad: Floats
    longitude_rad: Floats
    velocity_mps: Floats          # (n, 2)
    position_cov_m2: Floats       # (n, 2, 2) whole error; NaN: not given
    coasting: Bools
    class_prob: Floats            # (n, len(CLASSES)); NaN: not given
    affiliation: str              # of the last row
    plot_count: int = 0           # of all its life; 0: not given
    sensor_count: int = 0


def judge_tracks(emitted: Sequence[EmittedTrack], pack: Pack,
                 settings: Settings) -> tuple[list[Verdict], list[Traffic]]:
    """Return a final verdict or a line of traffic for every track, in the order given."""
    verdicts: list[Verdict] = []
    gone: list[Traffic] = []
    for track in emitted:
        thin = thinned(track)
        distance = signed_distance(pack.territory, thin.latitude_rad, thin.longitude_rad).signed_distance_m
        reason = traffic_reason(thin, float(distance[0]), settings)
        if reason:
            best = int(np.argmax(np.nan_to_num(thin.class_prob[-1])))
            gone.append(Traffic(
                track_id=thin.track_id, country=pack.code, reason=reason, affiliation=thin.affiliation,
                class_name=CLASSES[best], class_prob=float(np.nan_to_num(thin.class_prob[-1, best])), identity="",
                first_ns=int(thin.time_ns[0]), last_ns=int(thin.time_ns[-1]), closest_m=float(np.min(distance))))
            continue
        verdicts += [_judged(part, thin, track, emitted, pack, settings) for part in parts(_trajectory(thin), settings)]
    return verdicts, gone


def judge_neighbours(emitted: Sequence[EmittedTrack], pack: Pack, neighbours: Mapping[str, Territory],
                     settings: Settings) -> list[Verdict]:
    """Return the final verdicts of neighbours on the tracks that are judged at home and came near them, by track and code."""
    verdicts: list[Verdict] = []
    for track in emitted:
        thin = thinned(track)
        first = signed_distance(pack.territory, thin.latitude_rad[:1], thin.longitude_rad[:1]).signed_distance_m
        if traffic_reason(thin, float(first[0]), settings):
            continue
        for part in parts(_trajectory(thin), settings):
            verdicts += [_judged(part, thin, track, emitted, their, settings) for their in reached(part, pack, neighbours, settings)]
    return verdicts


def _judged(part: Trajectory, thin: EmittedTrack, track: EmittedTrack, emitted: Sequence[EmittedTrack], pack: Pack,
            settings: Settings) -> Verdict:
    path = of_trajectory(part, pack.territory, settings)
    beside = flew_beside(path, _others(emitted, track)) if young(path) else ""
    exists = existence(path, thin.sensor_count, beside, plot_count=thin.plot_count)
    finding = find(path, LIVE_DECORRELATION_S, settings, ended=True, exists=exists)
    return make_verdict(finding, part.track_id, (), pack, True, int(thin.time_ns[-1]), settings)


def _others(emitted: Sequence[EmittedTrack], but: EmittedTrack) -> Iterable[Other]:
    for each in emitted:
        if each is not but and each.time_ns[-1] >= but.time_ns[0] and each.time_ns[0] <= but.time_ns[-1]:
            yield Other(each.track_id, each.time_ns, each.latitude_rad, each.longitude_rad)


def thinned(track: EmittedTrack) -> EmittedTrack:
    """Return the rows at least a second apart, coasted ones at least five."""
    keep, last_ns = [], -(1 << 62)
    for row in range(len(track.time_ns)):
        wanted_s = _COASTED_ROW_S if track.coasting[row] else _ROW_S
        if track.time_ns[row] - last_ns >= wanted_s * NS_PER_S:
            keep.append(row)
            last_ns = int(track.time_ns[row])
    rows = np.array(keep, np.intp)
    return EmittedTrack(track.track_id, track.time_ns[rows], track.latitude_rad[rows], track.longitude_rad[rows],
                        track.velocity_mps[rows], track.position_cov_m2[rows], track.coasting[rows],
                        track.class_prob[rows], track.affiliation, track.plot_count, track.sensor_count)


def _trajectory(track: EmittedTrack) -> Trajectory:
    count = len(track.time_ns)
    cov = np.where(np.isfinite(track.position_cov_m2), track.position_cov_m2, np.eye(2) * _SIGMA_M**2)
    measured = ~track.coasting & ~_carried_on(cov, track.time_ns)
    if not measured.any():
        measured = np.ones(count, np.bool_)
    return Trajectory(
        track_id=track.track_id, time_ns=track.time_ns, latitude_rad=track.latitude_rad,
        longitude_rad=track.longitude_rad, height_m=np.full(count, np.nan), velocity_mps=track.velocity_mps,
        position_cov_m2=cov, bias_cov_m2=np.zeros((count, 2, 2)), measured=measured,
        sensor_index=np.full(count, 65_535, np.uint16), entry_sequence=np.full(count, -1, np.int64),
        residual_m=np.full(count, np.nan), association_prob=np.full(count, np.nan))


def _carried_on(cov_m2: Floats, time_ns: Ints) -> Bools:
    """Return which rows at the end are no plots: a file marks coasting only after missed looks, but sigma tells at once.

    From the last row whose sigma fell it only grows; where it has grown by half, these rows were carried on.
    """
    sigma = np.sqrt(np.trace(cov_m2, axis1=1, axis2=2))
    fell = np.flatnonzero(np.diff(sigma) <= 0.0)
    last = int(fell[-1]) + 1 if len(fell) else 0
    grown = np.zeros(len(sigma), np.bool_)
    if sigma[-1] > _CARRIED_GROWTH * sigma[last] and time_ns[-1] - time_ns[last] <= _CARRIED_S_MAX * NS_PER_S:
        grown[last + 1:] = True
    return grown


def traffic_reason(track: EmittedTrack, first_m: float, settings: Settings) -> str:
    """Return why a track as a whole is traffic, "" where it is judged; `first_m`: where it was first seen."""
    if track.affiliation in ("friend", "assumed_friend", "neutral"):
        return track.affiliation
    if not np.isfinite(track.class_prob[-1]).all():
        return ""
    speed = np.hypot(track.velocity_mps[:, 0], track.velocity_mps[:, 1])
    slow = traffic.slow_inside(np.array([first_m]), np.array([np.max(speed)]), np.ones(1, np.bool_), settings)
    reasons = traffic.class_reasons(track.class_prob, np.repeat(slow, len(track.class_prob)), settings)
    held = next((k for k, reason in enumerate(reversed(reasons)) if not reason), len(reasons))
    if not held:
        return ""
    held_s = float(track.time_ns[-1] - track.time_ns[len(reasons) - held]) / NS_PER_S
    life_s = float(track.time_ns[-1] - track.time_ns[0]) / NS_PER_S
    return reasons[-1] if held_s >= min(settings.traffic_hold_s, 0.5 * life_s) else ""

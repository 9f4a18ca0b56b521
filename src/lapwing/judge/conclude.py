"""From a finding or a trajectory to the verdict that is handed on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.judge.evidence import decisive_plots
from lapwing.judge.existence import SURE, Other, existence, flew_beside, young
from lapwing.judge.hidden import hidden_way
from lapwing.judge.path import decorrelation_s, of_trajectory, plot_gaps
from lapwing.judge.settings import Settings
from lapwing.judge.state import Said
from lapwing.judge.statement import statement
from lapwing.judge.verdict import Finding, find
from lapwing.model.sensors import TRACKER, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Trajectory
from lapwing.model.verdicts import Boundary, Evidence, Verdict

LIVE_DECORRELATION_S = 30.0  # of a filtered track: a few scans
FAR_SIGMAS = 8.0             # farther from a line than this a live verdict hardly changes
_MOVED_SHARE, _MOVED_M = 0.1, 100.0   # a change of the closest approach worth handing on


def judge_trajectory(trajectory: Trajectory, pack: Pack, now_ns: int, settings: Settings, *, identified: bool = False,
                     others: Callable[[], Iterable[Other]] = tuple, sensors: SensorTable | None = None) -> Verdict:
    """Return the final verdict on one ended track, from its smoothed trajectory.

    Parameters
    ----------
    identified : a transponder answered: there is an object
    others : the ways of the other tracks, asked for where the track is so short that it may be one of theirs
    """
    path = of_trajectory(trajectory, pack.territory, settings)
    rows = trajectory.sensor_index[trajectory.measured & (trajectory.sensor_index != 65_535)]
    saw = tuple(str(index) for index in np.unique(rows).tolist())
    ours = rows[~_tells(rows, sensors)]      # a neighbour's tracks are no looks of their own
    beside = flew_beside(path, others()) if young(path) and not identified else ""
    exists = SURE if identified else existence(path, len(np.unique(ours)), beside, plot_count=len(ours) or None)
    hidden = hidden_way(trajectory, path, sensors, pack.territory, settings) if sensors is not None else None
    finding = find(path, decorrelation_s(trajectory), settings, ended=True, exists=exists, hidden=hidden)
    verdict = make_verdict(finding, trajectory.track_id, saw, pack, True, now_ns, settings)
    return replace(verdict, evidence=replace(verdict.evidence, decisive=decisive_plots(trajectory, path, verdict.closest_ns)))


def _tells(rows: npt.NDArray[np.uint16], sensors: SensorTable | None) -> npt.NDArray[np.bool_]:
    """Return which of the sensors (rows of the table) tell tracks of theirs, and see nothing themselves."""
    if sensors is None:
        return np.zeros(len(rows), np.bool_)
    return np.isin(rows, [row for row, sensor in enumerate(sensors.rows) if sensor.kind == TRACKER])


def make_verdict(finding: Finding, track_id: str, sensors: tuple[str, ...], pack: Pack, final: bool, now_ns: int,
                 settings: Settings) -> Verdict:
    """Return the verdict that hands a finding on."""
    path, approach, territory = finding.path, finding.approach, pack.territory
    row = approach.row
    boundary = Boundary(territory.name, territory.version, territory.sha256, float(path.bound_95_m[row]))
    evidence = Evidence(int(np.count_nonzero(path.measured)), sensors, plot_gaps(path, settings.gap_s),
                        math.hypot(float(path.bias_m[row, 0]), float(path.bias_m[row, 1])),
                        int(path.time_ns[np.argmax(path.measured)]), int(path.time_ns[path.last_plot]), exists_prob=finding.exists.prob,
                        beside=finding.exists.beside if finding.doubted else "")
    return Verdict(
        track_id=track_id, country=pack.code, verdict=finding.verdict, entered_prob=finding.entered_prob,
        closest_m=approach.distance_m, closest_m_low=approach.low_m, closest_m_high=approach.high_m,
        closest_ns=int(path.time_ns[row]), closest_latitude_rad=float(path.latitude_rad[row]),
        closest_longitude_rad=float(path.longitude_rad[row]), deepest_m=finding.deepest_m, entries=finding.entries,
        seconds_inside=finding.seconds_inside, boundary=boundary, evidence=evidence,
        statement=statement(finding, track_id, pack), reason=finding.reason, final=final, time_ns=now_ns)


def news(finding: Finding, said: Said, now_ns: int, settings: Settings) -> Said | None:
    """Return what is said from now on of a live track, where a finding is new or has changed enough to be handed on; else None."""
    after = Said(finding.verdict, finding.approach.distance_m, len(finding.entries),
                 sum(1 for crossing in finding.entries if crossing.exit_ns), now_ns)
    if (after.verdict, after.entry_count, after.exit_count) != (said.verdict, said.entry_count, said.exit_count):
        return after
    moved = abs(after.closest_m - said.closest_m) > max(_MOVED_M, _MOVED_SHARE * abs(said.closest_m))
    return after if moved and now_ns - said.time_ns >= settings.repeat_s * NS_PER_S else None

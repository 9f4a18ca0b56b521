"""The judge's step: border clock of all live tracks, live verdicts that changed, final verdicts of ended tracks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.country.volumes import own_airspace
from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge import clock as border_clock
from lapwing.judge import neighbours as abroad
from lapwing.judge import safety_net, traffic
from lapwing.judge.conclude import FAR_SIGMAS, LIVE_DECORRELATION_S, judge_trajectory, make_verdict, news
from lapwing.judge.existence import BESIDE_M, SURE, Existence, Other, existence, young
from lapwing.judge.line import spread
from lapwing.judge.normal import normal_cdf
from lapwing.judge.path import Path, bias_parts, judged_sigma
from lapwing.judge.settings import Settings
from lapwing.judge.state import NEVER_NS, History, Memory, Roll, State
from lapwing.judge.torn import parts
from lapwing.judge.verdict import find
from lapwing.model.sensors import SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks, TrackUpdate, Trajectory
from lapwing.model.verdicts import BorderStates, Judgement, Traffic, Verdict

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_UNKNOWN = AFFILIATIONS.index("unknown")
_COASTED_ROW_S = 5.0          # a coasting track gets a row of history so often
_TRAFFIC_ROW_S = 2.0          # traffic gets one at a plot, but not oftener: twenty radars see an airliner five times a second
_BESIDE_MARGIN_M = 10_000.0   # ten times what counts as beside


def step(state: State, update: TrackUpdate, pack: Pack, neighbours: Mapping[str, Territory], now_ns: int,
         settings: Settings, sensors: SensorTable | None = None) -> tuple[State, Judgement]:
    """Judge all live tracks and conclude those that ended.

    Parameters
    ----------
    update : of this step's tracker; `ended` tracks get their final verdict, or their line of traffic
    neighbours : territories whose distance is handed on as `Judgement.others`, with clocks and verdicts of their own
    sensors : what is lost where none of them sees is not surely gone; None not known
    """
    tracks = update.tracks
    roll = _called(state, tracks)
    judged = ~roll.traffic
    clock = border_clock.advance(state.clock, tracks, judged & tracks.confirmed, pack.territory, neighbours, settings)
    border_m = border_clock.border_now_m(clock, tracks)
    sigma_m = border_clock.border_sigma_m(clock, tracks)

    memory = state.memory.copy() if roll is state.roll else {
        track_id: state.memory[track_id] for track_id in tracks.track_id if track_id in state.memory}
    verdicts: list[Verdict] = []
    rows, reasons = _rows_to_touch(roll, tracks), list(roll.reasons)
    for row, known in zip(rows, _touched(memory, tracks, rows, clock, border_m, settings), strict=True):
        track_id = tracks.track_id[row]
        if not known.traffic_reason and bool(tracks.confirmed[row]):
            known, said = _live_verdict(known, tracks, row, float(border_m[row] / sigma_m[row]), pack, now_ns, settings)
            verdicts += said
        memory[track_id] = known
        reasons[row] = known.traffic_reason
    final, theirs_final, gone = _concluded(state, update, pack, neighbours, now_ns, settings, sensors)
    roll = _written(roll, rows, reasons, tracks)
    states = BorderStates(
        border_m=border_m, border_m_sigma=sigma_m, nearest_latitude_rad=clock.nearest_latitude_rad,
        nearest_longitude_rad=clock.nearest_longitude_rad, line_bound_95_m=clock.line_bound_95_m,
        closing_mps=border_clock.closing_mps(clock, tracks),
        time_to_go_s=border_clock.time_to_go_now_s(clock, tracks, border_m),
        earliest_s=border_clock.earliest_s(tracks, border_m), entry_5_prob=clock.entry_prob[:, 0],
        entry_10_prob=clock.entry_prob[:, 1], entry_15_prob=clock.entry_prob[:, 2],
        inside_prob=normal_cdf(-border_m / sigma_m), judged=~roll.traffic, traffic_reason=roll.reasons)
    others = {code: clock.others_m[:, column] for column, code in enumerate(sorted(neighbours))}
    known_abroad, theirs = abroad.step(state.neighbours, tracks, rows, states.judged & tracks.confirmed, clock.others_m, pack, neighbours,
                                       now_ns, settings, lambda path, row: _live_existence(path, tracks, row))
    net, alarms = safety_net.step(state.net, tracks, states, (own_airspace(pack), *settings.volumes), now_ns, settings.net)
    return State(clock, memory, net, roll, known_abroad), Judgement(
        states, others, (*verdicts, *final), gone, alarms, (*theirs, *theirs_final), abroad.nearby(known_abroad, tracks))


def finish(state: State, update: TrackUpdate, pack: Pack, neighbours: Mapping[str, Territory], now_ns: int,
           settings: Settings, sensors: SensorTable | None = None) -> tuple[State, Judgement]:
    """Conclude the run: as `step`, and every track that is still live gets its final verdict from what is known."""
    state, judgement = step(state, update, pack, neighbours, now_ns, settings, sensors)
    final: list[Verdict] = []
    gone: list[Traffic] = []
    tracks = update.tracks
    for row in np.flatnonzero(tracks.confirmed):
        track_id = tracks.track_id[row]
        known = state.memory[track_id]
        path = known.history.path()
        if path is None:
            continue
        if known.traffic_reason:
            gone.append(_traffic(tracks, int(row), known.traffic_reason, known.history.first_ns,
                                 float(np.min(path.distance_m)), pack))
        else:
            finding = find(path, LIVE_DECORRELATION_S, settings, ended=True, exists=_live_existence(path, tracks, int(row)))
            final.append(make_verdict(finding, track_id, _mask_sensors(tracks, int(row)), pack, True, now_ns, settings))
    theirs = abroad.at_the_end(state.neighbours, tracks, pack, neighbours, now_ns, settings,
                               lambda path, row: _live_existence(path, tracks, row), lambda row: _mask_sensors(tracks, row))
    return state, replace(judgement, verdicts=(*judgement.verdicts, *final), traffic=(*judgement.traffic, *gone),
                          neighbours=(*judgement.neighbours, *theirs))


def named(judgement: Judgement, sensor_ids: tuple[str, ...]) -> Judgement:
    """Return the judgement with sensors named by id where its evidence gives rows of the sensor table."""
    def name(sensor: str) -> str:
        return sensor_ids[int(sensor)] if sensor.isdigit() and int(sensor) < len(sensor_ids) else sensor

    def renamed(verdict: Verdict) -> Verdict:
        evidence = verdict.evidence
        return replace(verdict, evidence=replace(
            evidence, sensors=tuple(name(sensor) for sensor in evidence.sensors),
            decisive=tuple(replace(plot, sensor=name(plot.sensor)) for plot in evidence.decisive)))

    return replace(judgement, verdicts=tuple(renamed(v) for v in judgement.verdicts),
                   neighbours=tuple(renamed(v) for v in judgement.neighbours))


def _called(state: State, tracks: Tracks) -> Roll:
    """Return what is known of each row's track; the same object where the rows are those of the step before."""
    if state.roll.track_id == tracks.track_id:
        return state.roll
    known = [state.memory.get(track_id) for track_id in tracks.track_id]
    reasons = tuple(each.traffic_reason if each else "" for each in known)
    return Roll(tracks.track_id, reasons, np.array([bool(reason) for reason in reasons], np.bool_),
                np.array([each.touched_ns if each else NEVER_NS for each in known], np.int64))


def _written(roll: Roll, rows: list[int], reasons: list[str], tracks: Tracks) -> Roll:
    """Return the roll after these rows were touched."""
    if not rows:
        return roll
    touched_ns, traffic = roll.touched_ns.copy(), roll.traffic
    touched_ns[rows] = tracks.time_ns[rows]
    after = tuple(reasons)
    if after != roll.reasons:
        traffic = np.array([bool(reason) for reason in after], np.bool_)
    return Roll(roll.track_id, after, traffic, touched_ns)


def _rows_to_touch(roll: Roll, tracks: Tracks) -> list[int]:
    """Return rows that are new, got a plot (traffic: not oftener than it is looked at), or have coasted for a while."""
    since_ns = tracks.time_ns - roll.touched_ns
    news = tracks.updated & (~roll.traffic | (since_ns >= round(_TRAFFIC_ROW_S * NS_PER_S)))
    rows: list[int] = np.flatnonzero(news | (roll.touched_ns == NEVER_NS) | (since_ns >= round(_COASTED_ROW_S * NS_PER_S))).tolist()
    return rows


def _touched(memory: Mapping[str, Memory], tracks: Tracks, rows: list[int], clock: border_clock.Clock, border_m: Floats,
             settings: Settings) -> list[Memory]:
    """Return the memory of these rows' tracks with what the rows add."""
    if not rows:
        return []
    at = np.array(rows, np.intp)
    outward, velocity, border = clock.outward[at], tracks.velocity_mps[at], border_m[at].tolist()
    times = tracks.time_ns[at].tolist()
    position_sigma = np.sqrt(0.5 * (tracks.state_cov[at, 0, 0] + tracks.state_cov[at, 1, 1]))
    columns = np.column_stack([
        tracks.latitude_rad[at], tracks.longitude_rad[at], border,
        judged_sigma(spread(outward, tracks.state_cov[at, :2, :2]), settings),
        bias_parts(outward, tracks.bias_cov_m2[at]), clock.line_m_sigma[at], clock.line_bound_95_m[at],
        clock.undecided[at], tracks.updated[at] & (position_sigma <= settings.trusted_m_sigma)]).tolist()
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    doubt = 2.0 * np.sqrt(np.maximum(tracks.state_cov[at, 2, 2] + tracks.state_cov[at, 3, 3], 0.0))
    unidentified = (tracks.affiliation[at] == _UNKNOWN) & ~tracks.cooperative[at]
    known = [memory.get(tracks.track_id[row]) or Memory(History(times[k]), border[k]) for k, row in enumerate(rows)]
    sure_mps = np.maximum(np.array([one.speed_mps_max for one in known]), speed - doubt)
    slow = traffic.slow_inside(np.array([one.first_border_m for one in known]), np.maximum(sure_mps, speed),
                               unidentified, settings)
    held = traffic.class_reasons(tracks.class_prob[at], slow, settings)
    result = []
    for k, (one, row) in enumerate(zip(known, rows, strict=True)):
        values = ((times[k] - one.history.first_ns) / NS_PER_S, *columns[k])
        held_ns = one.held_ns if held[k] and one.held_reason else times[k]
        reason = "" if unidentified[k] else traffic.identity_reason(tracks, row)
        if not reason and held[k] and times[k] - held_ns >= settings.traffic_hold_s * NS_PER_S:
            reason = held[k]
        result.append(Memory(
            history=one.history.with_row(values, settings.history_rows), first_border_m=one.first_border_m,
            speed_mps_max=float(sure_mps[k]), held_reason=held[k], held_ns=held_ns, traffic_reason=reason,
            touched_ns=times[k], judged_ns=one.judged_ns, said=one.said))
    return result


def _unidentified(tracks: Tracks, row: int) -> bool:
    return AFFILIATIONS[int(tracks.affiliation[row])] == "unknown" and not bool(tracks.cooperative[row])


def _live_existence(path: Path, tracks: Tracks, row: int) -> Existence:
    """Return how surely a live track is an object of its own; beside it counts who is older and there now."""
    if bool(tracks.cooperative[row]):
        return SURE
    beside = ""
    if young(path):
        meridian, prime = curvature_radii_m(float(tracks.latitude_rad[row]))
        away = np.hypot((tracks.latitude_rad - tracks.latitude_rad[row]) * float(meridian),
                        (tracks.longitude_rad - tracks.longitude_rad[row]) * float(prime) * math.cos(float(tracks.latitude_rad[row])))
        away[~tracks.confirmed | (tracks.born_ns >= tracks.born_ns[row])] = np.inf
        nearest = int(np.argmin(away))
        beside = tracks.track_id[nearest] if away[nearest] < BESIDE_M else ""
    return existence(path, int(tracks.sensor_count[row]), beside)


def _live_verdict(known: Memory, tracks: Tracks, row: int, score: float, pack: Pack, now_ns: int,
                  settings: Settings) -> tuple[Memory, list[Verdict]]:
    """Return the memory, and the live verdict where it is new or has changed enough to be handed on."""
    rhythm_s = settings.verdict_s if abs(score) > FAR_SIGMAS else 0.3 * settings.verdict_s
    if known.judged_ns and known.touched_ns - known.judged_ns < rhythm_s * NS_PER_S:
        return known, []
    path = known.history.path()
    assert path is not None, "a row was added just before"
    finding = find(path, LIVE_DECORRELATION_S, settings, ended=False, exists=_live_existence(path, tracks, row))
    known = replace(known, judged_ns=known.touched_ns)
    said = news(finding, known.said, now_ns, settings)
    if said is None:
        return known, []
    verdict = make_verdict(finding, tracks.track_id[row], (), pack, False, now_ns, settings)
    return replace(known, said=said), [verdict]


def _concluded(state: State, update: TrackUpdate, pack: Pack, neighbours: Mapping[str, Territory], now_ns: int, settings: Settings,
               sensors: SensorTable | None) -> tuple[list[Verdict], list[Verdict], tuple[Traffic, ...]]:
    """Return final verdicts, those of neighbours, and traffic lines of the tracks that ended."""
    final: list[Verdict] = []
    theirs: list[Verdict] = []
    gone: list[Traffic] = []
    for row, trajectory in enumerate(update.ended):
        if not len(trajectory):
            continue
        rows = update.ended_rows
        reason = _ended_reason(state.memory.get(trajectory.track_id), trajectory, rows, row, pack, settings)
        if reason and rows is not None:
            distance = signed_distance(pack.territory, trajectory.latitude_rad, trajectory.longitude_rad)
            gone.append(_traffic(rows, row, reason, int(trajectory.time_ns[0]),
                                 float(np.nanmin(distance.signed_distance_m)), pack))
        else:
            identified = rows is not None and bool(rows.cooperative[row])

            def others(ended: Trajectory = trajectory) -> Iterable[Other]:
                return _others(state, update, ended)

            for part in parts(trajectory, settings):
                final.append(judge_trajectory(part, pack, now_ns, settings, identified=identified, others=others, sensors=sensors))
                theirs += [judge_trajectory(part, their, now_ns, settings, identified=identified, others=others, sensors=sensors)
                           for their in abroad.reached(part, pack, neighbours, settings)]
    return final, theirs, tuple(gone)


def _others(state: State, update: TrackUpdate, ended: Trajectory) -> Iterable[Other]:
    """Return the ways of the tracks that were there with an ended one: live ones as remembered, those that ended with it."""
    for each in update.ended:
        if each.track_id != ended.track_id and len(each):
            yield Other(each.track_id, each.time_ns, each.latitude_rad, each.longitude_rad)
    for row in _near_enough(update.tracks, ended).tolist():
        track_id = update.tracks.track_id[row]
        known = state.memory.get(track_id)
        path = known.history.path() if known is not None and known.history.first_ns <= ended.time_ns[0] else None
        if path is not None:
            yield Other(track_id, path.time_ns, path.latitude_rad, path.longitude_rad)


def _near_enough(tracks: Tracks, ended: Trajectory) -> npt.NDArray[np.intp]:
    """Return the live rows that can have been beside an ended track at its last plot: of thousands few."""
    last = int(np.flatnonzero(ended.measured)[-1]) if ended.measured.any() else 0
    meridian, prime = curvature_radii_m(float(ended.latitude_rad[last]))
    away_m = np.hypot((tracks.latitude_rad - ended.latitude_rad[last]) * float(meridian),
                      (tracks.longitude_rad - ended.longitude_rad[last]) * float(prime) * math.cos(float(ended.latitude_rad[last])))
    since_s = np.maximum((tracks.time_ns - ended.time_ns[last]) / NS_PER_S, 0.0)
    speed_mps = np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    return np.flatnonzero(tracks.confirmed & (away_m < _BESIDE_MARGIN_M + 1.5 * speed_mps * since_s))


def _ended_reason(known: Memory | None, trajectory: Trajectory, rows: Tracks | None, row: int, pack: Pack,
                  settings: Settings) -> str:
    """Return why an ended track is traffic, "" where it is judged."""
    if rows is None:
        return ""
    reason = traffic.identity_reason(rows, row)
    if reason:
        return reason
    speed = np.hypot(trajectory.velocity_mps[:, 0], trajectory.velocity_mps[:, 1])
    fastest = float(np.max(speed[trajectory.measured], initial=0.0)) if trajectory.measured.any() else math.inf
    first = float(signed_distance(pack.territory, trajectory.latitude_rad[:1],
                                  trajectory.longitude_rad[:1]).signed_distance_m[0])
    slow = traffic.slow_inside(np.array([first]), np.array([fastest]), np.array([_unidentified(rows, row)]), settings)
    reason = traffic.class_reasons(rows.class_prob[row : row + 1], slow, settings)[0]
    if not reason or known is None or not known.held_reason:
        return reason if known is None else ""
    # "Stays": held to the end, for the settings' time or for most of a shorter life.
    end_ns = int(rows.last_plot_ns[row])
    life_s = (end_ns - known.history.first_ns) / NS_PER_S
    held_s = (end_ns - known.held_ns) / NS_PER_S
    return reason if held_s >= min(settings.traffic_hold_s, 0.5 * life_s) else ""


def _traffic(tracks: Tracks, row: int, reason: str, first_ns: int, closest_m: float, pack: Pack) -> Traffic:
    best = int(np.argmax(tracks.class_prob[row]))
    return Traffic(
        track_id=tracks.track_id[row], country=pack.code, reason=reason,
        affiliation=AFFILIATIONS[int(tracks.affiliation[row])], class_name=CLASSES[best],
        class_prob=float(tracks.class_prob[row, best]), identity=traffic.identity(tracks, row), first_ns=first_ns,
        last_ns=int(tracks.last_plot_ns[row]), closest_m=closest_m)


def _mask_sensors(tracks: Tracks, row: int) -> tuple[str, ...]:
    mask = int(tracks.sensors_mask[row])
    return tuple(str(bit) for bit in range(64) if mask >> bit & 1)

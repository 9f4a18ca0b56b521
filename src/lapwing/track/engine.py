"""One step of the tracker: plots in order of arrival, grouped by sensor and moment, through association to tracks.

Time of each plot is its own measured time: a track is predicted to it, or, where the plot is late, the plot is compared
with the track moved back and its weight lowered by what may have happened since. Existence falls only when a radar's
own clock (its newest plot or north mark) shows that its aerial has passed: a silent radar makes nobody vanish.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import make_plane, to_plane
from lapwing.model.plots import Bearings, Looks, Plots
from lapwing.model.reports import Identification
from lapwing.model.sensors import RADAR, SURFACE, SensorTable
from lapwing.model.times import to_iso
from lapwing.model.tracks import Tracks, TrackUpdate, Trajectory
from lapwing.track import bearing, bias, clutter, history, lifecycle, measurement, rotation, smooth
from lapwing.track.classify import class_probabilities, observe
from lapwing.track.group import Work, process
from lapwing.track.kernels_update import sweep
from lapwing.track.rows import tracks_at
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, SEED, TENTATIVE, Chunk, ClutterMap, Heard, State, freed, sized

MERGE_EVERY_NS = 2_000_000_000
IDS_DAYS = 3               # day counters kept


def step(state: State, plots: Plots, bearings: Bearings, looks: Looks, sensors: SensorTable,
         identifications: tuple[Identification, ...], now_ns: int, settings: Settings) -> tuple[State, TrackUpdate]:
    """Take one batch (a sector to a second of plots, in order of arrival) and return all tracks at `now_ns`.

    The state given is not changed. `now_ns` must not go back.
    """
    work = _begin(state, plots, sensors, settings)
    state = replace(work.state, now_ns=max(state.now_ns, now_ns))
    work.state = state
    state = replace(state, rotation=rotation.by_looks(state.rotation, looks))
    state = replace(state, registration=bias.advanced(state.registration, now_ns, work.radars, settings))
    work.state = state
    for rows in measurement.groups(plots, state.rotation, settings):
        process(work, plots.take(rows), sensors, settings)
    if len(bearings):
        bearing.apply(work, bearings, settings)
    _sweep(work, sensors, settings)
    state = work.state
    state = replace(state, heard=_heard(state, identifications))
    updated = work.updated
    changed = np.flatnonzero(updated & (state.slots.status >= SEED))
    observe(state.slots, changed)
    new_tracks, confirmed = lifecycle.promote(state.slots, settings)
    state = _numbered(state, new_tracks)
    slowest_s = rotation.slowest_turn_s(state.rotation)
    for old, new in lifecycle.stitch(state.slots, confirmed, slowest_s):
        state = _renamed(state, work, old, new, settings)
        updated[old] = True
        updated[new] = False
    if now_ns - state.merged_ns >= MERGE_EVERY_NS:
        state = _merged(replace(state, merged_ns=now_ns), settings)
    clock_ns = max(int(state.rotation.clock_ns.max(initial=0)), 0)
    forget, lost = lifecycle.fallen(state.slots, clock_ns, slowest_s, settings)
    freed(state.slots, forget)
    changed = np.flatnonzero(updated & (state.slots.status >= TENTATIVE))
    state.slots.class_prob[changed] = class_probabilities(
        state.slots.statistics[changed], state.slots.height_m[changed], state.slots.identified[changed] >= 3)
    state, ended, ended_rows = _end(state, work, lost, now_ns, settings)
    state = _logged(state, work, settings)
    return state, TrackUpdate(tracks_at(state, now_ns, work.radars, updated, settings), ended, ended_rows)


def finish(state: State, now_ns: int, settings: Settings) -> tuple[State, TrackUpdate]:
    """End every track: confirmed ones with their smoothed trajectories, the rest in silence."""
    work = _copy(state, 0, settings)
    state, ended, ended_rows = _end(work.state, work, np.flatnonzero(work.state.slots.status == CONFIRMED), now_ns,
                                    settings)
    freed(state.slots, np.flatnonzero(state.slots.status > 0))
    state = _logged(state, work, settings)
    state = replace(state, archive={}, ids={}, now_ns=max(state.now_ns, now_ns))
    none = tracks_at(state, now_ns, work.radars, work.updated, settings)
    return state, TrackUpdate(none, ended, ended_rows)


def with_clutter(state: State, maps: tuple[ClutterMap, ...]) -> State:
    """Return an empty state that starts with clutter maps of an earlier run, in the order of the sensor table."""
    return replace(state, clutter=maps)


def trajectory(state: State, track_id: str, settings: Settings) -> Trajectory:
    """Return the smoothed life of a live track up to now. KeyError where no live track has that id."""
    uid = next((u for u, name in state.ids.items() if name == track_id), None)
    rows = np.flatnonzero((state.slots.uid == (uid or 0)) & (state.slots.status >= TENTATIVE))
    if len(rows) == 0:
        raise KeyError(track_id)
    return _trajectory(state, int(rows[0]), state.young, state.now_ns, settings)


def _begin(state: State, plots: Plots, sensors: SensorTable, settings: Settings) -> Work:
    count = len(sensors.rows)
    radars = np.array([s.kind in (RADAR, SURFACE) and s.has_position for s in sensors.rows], np.bool_)
    if state.plane is None and len(plots):
        places = [(s.latitude_rad, s.longitude_rad) for s in sensors.rows if s.has_position]
        latitude = float(np.mean([p[0] for p in places])) if places else float(np.mean(plots.latitude_rad))
        longitude = float(np.mean([p[1] for p in places])) if places else float(np.mean(plots.longitude_rad))
        state = replace(state, plane=make_plane(round(latitude, 4), round(longitude, 4)))
    if state.plane is not None and len(state.sites) != count:
        known = [(s.latitude_rad, s.longitude_rad) if s.has_position else (state.plane.latitude_rad,
                                                                            state.plane.longitude_rad)
                 for s in sensors.rows]
        points = to_plane(state.plane, np.array([k[0] for k in known]), np.array([k[1] for k in known]))
        state = replace(state, sites=np.stack((points.east_m, points.north_m), axis=1), site_scale=points.scale)
    state = replace(state, rotation=rotation.sized(state.rotation, sensors),
                    registration=bias.sized(state.registration, radars, settings))
    maps = tuple(clutter.make_map(s.range_m_max, s.false_plots_per_scan)
                 for s in sensors.rows[len(state.clutter):])
    state = replace(state, clutter=state.clutter + maps)
    work = _copy(state, len(plots), settings)
    work.radars = radars
    return work


def _copy(state: State, plot_count: int, settings: Settings) -> Work:
    slots = sized(state.slots, plot_count, len(state.rotation.turn_s), settings.slots_max, settings)
    used = len(state.young.floats)
    young = history.room(state.young, used, 2 * plot_count + 8)
    return Work(state=replace(state, slots=slots), young=young, young_used=used,
                updated=np.zeros(len(slots), np.bool_), radars=np.ones(len(state.rotation.turn_s), np.bool_))


def _sweep(work: Work, sensors: SensorTable, settings: Settings) -> None:
    state = work.state
    slots = state.slots
    for sensor in range(len(sensors.rows)):
        row = sensors.rows[sensor]
        turn_s = state.rotation.turn_s[sensor]
        if not work.radars[sensor] or not math.isfinite(turn_s) or state.rotation.clock_ns[sensor] <= 0:
            continue
        reach = row.range_m_max if math.isfinite(row.range_m_max) and row.range_m_max > 0 else 1e9
        antenna = row.height_m if math.isfinite(row.height_m) else 0.0
        sweep(slots.status, sensor, int(state.rotation.clock_ns[sensor]), int(turn_s * 1e9), reach, antenna,
              state.sites[sensor, 0], state.sites[sensor, 1], slots.mean, slots.height_m, slots.detect, slots.look_ns,
              slots.log_odds)


def _numbered(state: State, rows: npt.NDArray[np.intp]) -> State:
    """Return the state with ids for seeds that became tracks: day of birth and the next number of that day."""
    if not len(rows):
        return state
    ids, counts, number = dict(state.ids), dict(state.day_counts), state.next_number
    for row in rows[np.argsort(state.slots.uid[rows], kind="stable")].tolist():
        day = to_iso(int(state.slots.born_ns[row]), digits=0)[:10].replace("-", "")
        counts[day] = counts.get(day, 0) + 1
        ids[int(state.slots.uid[row])] = f"{day}-{counts[day]:04d}"
        state.slots.number[row] = number
        number += 1
    for day in sorted(counts)[:-IDS_DAYS]:
        del counts[day]
    return replace(state, ids=ids, day_counts=counts, next_number=number)


def _settled(state: State, work: Work, settings: Settings) -> State:
    """Return the state with all tracks' rows in the archive (the work's log is emptied of them)."""
    slots = state.slots
    tracks = {int(u) for u in slots.uid[slots.status >= TENTATIVE]}
    seeds = {int(u) for u in slots.uid[slots.status == SEED]}
    used = work.young_used
    young, archive = history.settle(Chunk(work.young.floats[:used], work.young.ints[:used]), state.archive, tracks,
                                    seeds, settings.history_updates_max)
    work.young, work.young_used = history.room(young, len(young.floats), 8), len(young.floats)
    return replace(state, archive={uid: chunks for uid, chunks in archive.items() if uid in tracks})


def _logged(state: State, work: Work, settings: Settings) -> State:
    """Return the state with the young log put away; settled first where it is full."""
    if work.young_used >= state.young_rows_max:
        state = _settled(state, work, settings)
        # Twice what stays, so that settling costs the same per row however many seeds live.
        state = replace(state, young_rows_max=max(history.YOUNG_ROWS, 2 * work.young_used))
    used = work.young_used
    return replace(state, young=Chunk(work.young.floats[:used].copy(), work.young.ints[:used].copy()))


def _renamed(state: State, work: Work, old: int, new: int, settings: Settings) -> State:
    """Return the state after a stitch: the old track flies on with the new one's state, and owns both histories."""
    state = _settled(state, work, settings)
    uid_old, uid_new = int(state.slots.uid[old]), int(state.slots.uid[new])
    archive, ids = dict(state.archive), dict(state.ids)
    added = archive.pop(uid_new, ())
    if added:
        first = added[0].floats.copy()
        first[0, 30] = -abs(first[0, 30])  # its stored prediction did not start from the old track
        archive[uid_old] = (*archive.get(uid_old, ()), Chunk(first, added[0].ints), *added[1:])
    ids.pop(uid_new, None)
    lifecycle.take_over(state.slots, old, new)
    return replace(state, archive=archive, ids=ids)


def _merged(state: State, settings: Settings) -> State:
    """Return the state without twins. What the dropped one saw is not fused: both saw the same object."""
    slots = state.slots
    turn_ns = np.where(np.isfinite(state.rotation.turn_s), state.rotation.turn_s * 1e9, 1e9).astype(np.int64)
    ids = dict(state.ids)
    for kept, dropped in lifecycle.twins(slots, turn_ns, bias.doubt_m2(state.registration, settings)):
        slots.sensors_mask[kept] |= slots.sensors_mask[dropped]
        slots.hits[kept] += 1
        slots.status[kept] = max(slots.status[kept], slots.status[dropped])
        slots.log_odds[kept] = max(slots.log_odds[kept], slots.log_odds[dropped])
        ids.pop(int(slots.uid[dropped]), None)
        freed(slots, np.array([dropped]))
    return replace(state, ids=ids)


def _end(state: State, work: Work, lost: npt.NDArray[np.intp], now_ns: int,
         settings: Settings) -> tuple[State, tuple[Trajectory, ...], Tracks | None]:
    """Return (state, trajectories, last rows) of confirmed tracks that end now."""
    if not len(lost):
        return state, (), None
    state = _settled(state, work, settings)
    lost = lost[np.argsort(state.slots.number[lost], kind="stable")]
    rows = tracks_at(state, now_ns, work.radars, work.updated, settings, lost)
    blank = Chunk(np.zeros((0, 31)), np.zeros((0, 5), np.int64))
    ended = tuple(_trajectory(state, int(row), blank, now_ns, settings, work.radars) for row in lost)
    archive, ids = dict(state.archive), dict(state.ids)
    for row in lost.tolist():
        archive.pop(int(state.slots.uid[row]), None)
        ids.pop(int(state.slots.uid[row]), None)
    freed(state.slots, lost)
    return replace(state, archive=archive, ids=ids), ended, rows


def _trajectory(state: State, row: int, young: Chunk, now_ns: int, settings: Settings,
                radars: npt.NDArray[np.bool_] | None = None) -> Trajectory:
    assert state.plane is not None, "a track exists, so its plane does"
    uid = int(state.slots.uid[row])
    mine = young.ints[:, 0] == uid
    chunks = (*state.archive.get(uid, ()), Chunk(young.floats[mine], young.ints[mine]))
    path = history.joined(tuple(c for c in chunks if len(c.ints)))
    if radars is None:
        radars = np.diag(state.registration.cov)[0::2] > 0
    bias_cov = bias.exported(state.registration, state.sites, radars, state.slots.sensors_mask[[row]],
                             state.slots.mean[[row], 0], state.slots.mean[[row], 1], settings)[0]
    return smooth.trajectory(path, state.ids[uid], state.plane, float(state.slots.height_m[row]), bias_cov, now_ns,
                             settings)


def _heard(state: State, identifications: tuple[Identification, ...]) -> Heard:
    if not identifications:
        return state.heard
    by_track, by_icao = dict(state.heard.by_track), dict(state.heard.by_icao)
    by_mode3a = dict(state.heard.by_mode3a)
    for said in identifications:
        if said.track_id:
            by_track[said.track_id] = said.affiliation
        if said.icao_address >= 0:
            by_icao[said.icao_address] = said.affiliation
        if said.mode3a >= 0:
            by_mode3a[said.mode3a] = said.affiliation
    return Heard(by_track, by_icao, by_mode3a)

"""One step of the tracker: plots in order of arrival, grouped by sensor and moment, through association to tracks.

Time of each plot is its own measured time: a track is predicted to it, or, where the plot is late, the plot is compared
with the track moved back and its weight lowered by what may have happened since. Existence falls only when a radar's
own clock (its newest plot or north mark) shows that its aerial has passed: a silent radar makes nobody vanish.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import make_plane, to_plane
from lapwing.model.plots import Bearings, Looks, Plots
from lapwing.model.reports import Identification
from lapwing.model.sensors import RADAR, SURFACE, SensorTable
from lapwing.model.times import from_seconds, to_iso
from lapwing.model.tracks import Tracks, TrackUpdate, Trajectory
from lapwing.track import bearing, bias, clutter, group, history, lifecycle, measurement, neighbours, rotation, smooth, timing
from lapwing.track.classify import class_probabilities
from lapwing.track.columns import LOG_WEIGHT, SEED_USED
from lapwing.track.group import Work
from lapwing.track.kernels_life import BECAME_CONFIRMED, BECAME_TENTATIVE, FORGET, LOST, tend
from lapwing.track.learned import ClutterMap
from lapwing.track.rows import tracks_at
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, SEED, TENTATIVE, Chunk, Heard, State, freed, sized_seeds, sized_slots

MERGE_EVERY_NS = 2_000_000_000
IDS_DAYS = 3               # day counters kept


def step(state: State, plots: Plots, bearings: Bearings, looks: Looks, sensors: SensorTable,
         identifications: tuple[Identification, ...], now_ns: int, settings: Settings) -> tuple[State, TrackUpdate]:
    """Take one batch (a sector to a second of plots, in order of arrival) and return all tracks at `now_ns`.

    The state given is not changed. `now_ns` must not go back.
    """
    work = _begin(state, plots, sensors, settings)
    clocks, words = timing.advanced(work.state.timing, now_ns, work.radars, sensors, settings)
    if clocks.applied.any():
        plots = replace(plots, measured_ns=timing.corrected(clocks, plots.measured_ns, plots.sensor_index))
        looks = replace(looks, measured_ns=timing.corrected(clocks, looks.measured_ns, looks.sensor_index))
    state = replace(work.state, now_ns=max(state.now_ns, now_ns), rotation=rotation.by_looks(work.state.rotation, looks), timing=clocks,
                    registration=bias.advanced(work.state.registration, now_ns, work.radars, settings))
    work.state = state
    theirs = neighbours.theirs(plots)
    told, vouched = bool(theirs.any()), np.zeros(0, np.bool_)
    reports, plots = (plots.take(theirs), plots.take(~theirs)) if told else (plots, plots)
    if len(plots) and state.plane is not None:
        taken = measurement.measured(plots, state.plane, state.rotation, work.radars, state.site_scale, sensors, settings)
        if len(taken):
            group.take(work, taken, sensors, settings)
    if told:
        vouched = neighbours.take(work, reports, sensors, settings)
    if len(bearings):
        bearing.apply(work, bearings, settings)
    group.pass_by(work, sensors, settings)
    state = replace(work.state, heard=_heard(work.state, identifications)) if identifications else work.state
    updated, slots = work.updated, state.slots
    slowest_s = rotation.slowest_turn_s(state.rotation)
    # Where no sensor reports at all no look tells that an object is gone. It is not seen either: the clock of the network is at
    # most so far behind, so that what nobody could see any more ends by time.
    clock_ns = max(int(state.rotation.clock_ns.max(initial=0)), now_ns - from_seconds(settings.silent_s_max), 0)
    verdict = np.zeros(len(slots), np.int64)
    every = tend(slots.floats, slots.ints, slots.detect, updated.astype(np.int64), clock_ns, slowest_s,
                 state.sites, group.reaches(sensors, state.plane), lifecycle.rules(settings), verdict)
    if every & BECAME_TENTATIVE:
        state = _numbered(state, np.flatnonzero(verdict & BECAME_TENTATIVE))
    if told:
        sure = neighbours.confirmed(slots, vouched, settings)
        verdict[sure] |= BECAME_CONFIRMED
        every |= BECAME_CONFIRMED if len(sure) else 0
    if every & BECAME_CONFIRMED:
        for old, new in lifecycle.stitch(slots, np.flatnonzero(verdict & BECAME_CONFIRMED), slowest_s):
            state = _renamed(state, old, new)
            updated[old], updated[new] = True, False
            verdict[[old, new]] = 0
    if now_ns - state.merged_ns >= MERGE_EVERY_NS:
        state, merged = _merged(replace(state, merged_ns=now_ns), verdict, settings)
        verdict[merged] = LOST
        rows = np.flatnonzero(slots.status >= TENTATIVE)
        slots.class_prob[rows] = class_probabilities(slots.statistics[rows], slots.height_m[rows],
                                                     slots.identified[rows] >= 3)
    lost = np.flatnonzero(verdict & LOST)
    freed(slots, np.flatnonzero(verdict & FORGET))
    state, ended, ended_rows = _end(state, work, lost, now_ns, settings)
    state = _logged(state, settings)
    return state, TrackUpdate(tracks_at(state, now_ns, work.radars, updated, settings), ended, ended_rows, words)


def finish(state: State, now_ns: int, settings: Settings) -> tuple[State, TrackUpdate]:
    """End every track: confirmed ones with their smoothed trajectories, the rest in silence."""
    work = _copy(state, 0, settings)
    state, ended, ended_rows = _end(work.state, work, np.flatnonzero(work.state.slots.status == CONFIRMED), now_ns,
                                    settings)
    freed(state.slots, np.flatnonzero(state.slots.status > 0))
    state.seeds.ints[:, SEED_USED] = 0
    state = replace(state, archive={}, ids={}, young=(), young_rows=0, now_ns=max(state.now_ns, now_ns))
    none = tracks_at(state, now_ns, work.radars, work.updated, settings)
    return state, TrackUpdate(none, ended, ended_rows)


def with_clutter(state: State, maps: tuple[ClutterMap, ...]) -> State:
    """Return an empty state that starts with clutter maps of an earlier run, in the order of the sensor table."""
    return replace(state, clutter=clutter.joined(state.clutter, maps))


def clutter_maps(state: State) -> tuple[ClutterMap, ...]:
    """Return the clutter map of every sensor, to be kept for another run."""
    return clutter.parted(state.clutter)


def trajectory(state: State, track_id: str, settings: Settings) -> Trajectory:
    """Return the smoothed life of a live track up to now. KeyError where no live track has that id."""
    uid = next((u for u, name in state.ids.items() if name == track_id), None)
    rows = np.flatnonzero((state.slots.uid == (uid or 0)) & (state.slots.status >= TENTATIVE))
    if len(rows) == 0:
        raise KeyError(track_id)
    return _trajectory(state, int(rows[0]), state.now_ns, settings)


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
                    registration=bias.sized(state.registration, radars, settings), timing=timing.sized(state.timing, radars, settings))
    maps = tuple(clutter.make_map(s.range_m_max, s.false_plots_per_scan)
                 for s in sensors.rows[len(state.clutter):])
    state = replace(state, clutter=clutter.joined(state.clutter, maps))
    work = _copy(state, len(plots), settings)
    work.radars = radars
    return work


def _copy(state: State, plot_count: int, settings: Settings) -> Work:
    sensors = len(state.rotation.turn_s)
    slots = sized_slots(state.slots, plot_count, sensors, settings.slots_max, settings)
    seeds, shed = sized_seeds(state.seeds, plot_count, sensors, settings.slots_max, settings)
    return Work(state=replace(state, slots=slots, seeds=seeds, shed_count=state.shed_count + shed),
                updated=np.zeros(len(slots), np.bool_), radars=np.ones(sensors, np.bool_), before_ns=state.rotation.clock_ns)


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


def _logged(state: State, settings: Settings) -> State:
    """Return the state with a part of the young log settled where it is full: tracks' rows go to the archive, seeds' rows stay."""
    if state.young_rows < state.young_rows_max:
        return state
    slots = state.slots
    tracks = np.flatnonzero(slots.status >= TENTATIVE)
    seeds = {int(u) for u in slots.uid[slots.status == SEED]}
    rows_max = np.full(len(tracks), settings.history_updates_max)
    if history.rows_in(state.archive) + state.young_rows > settings.history_rows_max:
        # Thousands of tracks share what memory there is. Who answers is known by name: their pasts are thinned first.
        share = settings.history_rows_max // len(tracks)
        least = np.where(slots.identified[tracks] >= 3, max(share, history.IDENTIFIED_ROWS_MIN),
                         max(history.UNIDENTIFIED_SHARES * share, history.UNIDENTIFIED_ROWS_MIN))
        rows_max = np.minimum(rows_max, least)
    updates_max = dict(zip(slots.uid[tracks].tolist(), rows_max.tolist(), strict=True))
    parts = max(1, len(tracks) // history.PART_TRACKS)
    mine, rest = history.parted(history.joined(state.young), parts, state.young_part % parts)
    stays, archive = history.settle(mine, state.archive, updates_max, seeds)
    young = history.joined((rest, stays))
    # Twice what stays, and some rows of each track, so that settling costs the same per row however many seeds and tracks live.
    rows = max(history.YOUNG_ROWS, 2 * len(stays.ints) * parts, history.TRACK_ROWS * len(tracks))
    return replace(state, archive={uid: chunks for uid, chunks in archive.items() if uid in updates_max}, young=(young,),
                   young_rows=len(young.ints), young_rows_max=rows, young_part=(state.young_part + 1) % parts)


def _gathered(state: State, uids: list[int]) -> State:
    """Return the state with these tracks' rows in the archive."""
    young, archive = history.gathered(state.young, state.archive, uids)
    return replace(state, archive=archive, young=young, young_rows=sum(len(chunk.ints) for chunk in young))


def _renamed(state: State, old: int, new: int) -> State:
    """Return the state after a stitch: the old track flies on with the new one's state, and owns both histories."""
    uid_old, uid_new = int(state.slots.uid[old]), int(state.slots.uid[new])
    state = _gathered(state, [uid_old, uid_new])
    archive, ids = dict(state.archive), dict(state.ids)
    added = archive.pop(uid_new, ())
    if added:
        first = added[0].floats.copy()
        first[0, LOG_WEIGHT] = -abs(first[0, LOG_WEIGHT])  # its stored prediction did not start from the old track
        archive[uid_old] = (*archive.get(uid_old, ()), Chunk(first, added[0].ints), *added[1:])
    ids.pop(uid_new, None)
    lifecycle.take_over(state.slots, old, new)
    return replace(state, archive=archive, ids=ids)


def _merged(state: State, verdict: npt.NDArray[np.int64], settings: Settings) -> tuple[State, list[int]]:
    """Return (the state without twins, rows of confirmed twins that are to end).

    What the dropped one saw is not fused: both saw the same object. A confirmed one has been seen by others under its
    number, so it leaves with its trajectory like any other track that ends.
    """
    slots = state.slots
    turn_ns = np.where(np.isfinite(state.rotation.turn_s), state.rotation.turn_s * 1e9, 1e9).astype(np.int64)
    ids, ended = dict(state.ids), []
    for kept, dropped in lifecycle.twins(slots, turn_ns, bias.doubt_m2(state.registration, settings)):
        slots.sensors_mask[kept] |= slots.sensors_mask[dropped]
        slots.hits[kept] += 1
        slots.log_odds[kept] = max(slots.log_odds[kept], slots.log_odds[dropped])
        verdict[[kept, dropped]] = 0
        if slots.status[dropped] == CONFIRMED:
            slots.status[kept] = CONFIRMED
            ended.append(dropped)
        else:
            ids.pop(int(slots.uid[dropped]), None)
            freed(slots, np.array([dropped]))
    return replace(state, ids=ids), ended


def _end(state: State, work: Work, lost: npt.NDArray[np.intp], now_ns: int,
         settings: Settings) -> tuple[State, tuple[Trajectory, ...], Tracks | None]:
    """Return (state, trajectories, last rows) of confirmed tracks that end now."""
    if not len(lost):
        return state, (), None
    lost = lost[np.argsort(state.slots.number[lost], kind="stable")]
    rows = tracks_at(state, now_ns, work.radars, work.updated, settings, lost)
    ended = tuple(_trajectory(state, int(row), now_ns, settings, work.radars) for row in lost)
    archive, ids = dict(state.archive), dict(state.ids)
    for row in lost.tolist():
        archive.pop(int(state.slots.uid[row]), None)
        ids.pop(int(state.slots.uid[row]), None)
    freed(state.slots, lost)
    return replace(state, archive=archive, ids=ids), ended, rows


def _trajectory(state: State, row: int, now_ns: int, settings: Settings,
                radars: npt.NDArray[np.bool_] | None = None) -> Trajectory:
    assert state.plane is not None, "a track exists, so its plane does"
    uid = int(state.slots.uid[row])
    chunks = (*state.archive.get(uid, ()), *history.rows_of(state.young, uid))
    path = history.until_sure(history.joined(tuple(c for c in chunks if len(c.ints))), int(state.slots.sure_ns[row]))
    if radars is None:
        radars = np.diag(state.registration.cov)[0::2] > 0
    bias_cov = tracks_at(state, state.now_ns, radars, np.zeros(len(state.slots), np.bool_), settings,
                         np.array([row])).bias_cov_m2[0]
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

"""The plots of one step through the kernel: work space, what it hands back, registration."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.horizon import terrain_elevation
from lapwing.geo.plane import Plane, to_plane
from lapwing.model.plots import Bools, Floats, Ints
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.track import bias, clutter, rotation, timing
from lapwing.track import columns as at
from lapwing.track.kernels_associate import GRID, PAIRS_PER_PLOT
from lapwing.track.kernels_group import process
from lapwing.track.kernels_looks import sweep
from lapwing.track.learned import Rotation
from lapwing.track.measurement import Measured
from lapwing.track.settings import Settings
from lapwing.track.state import Chunk, State, constants

SEED_TURNS = 3.5            # of the slowest radar, that a seed waits for its second plot


@dataclass(slots=True)
class Work:
    """What a step is working on: its own copy of slots and seeds inside `state`. Never leaves the step."""

    state: State
    updated: Bools              # of slots
    radars: Bools               # of sensors: polar, with a position
    before_ns: Ints             # of sensors: their clocks before the step


def take(work: Work, plots: Measured, sensors: SensorTable, settings: Settings) -> None:
    """Take all groups of plots into the work's state."""
    state = work.state
    slots, seeds, maps = state.slots, state.seeds, clutter.copied(state.clutter)
    candidates, groups = len(slots) + len(seeds), plots.groups
    proven = int(np.count_nonzero(slots.status == at.CONFIRMED))
    pairs = PAIRS_PER_PLOT * int((groups[:, at.GROUP_END] - groups[:, at.GROUP_START]).max())
    rows = 2 * len(plots) + proven * len(groups) + 8
    log_floats, log_ints = np.empty((rows, at.LOG_FLOATS)), np.empty((rows, at.LOG_INTS), np.int64)
    touched, registered = np.zeros(len(slots), np.int64), np.empty((rows, 2), np.int64)
    counts = np.array((0, state.next_uid, 0, 0), np.int64)
    model, rules = constants(settings)
    process(groups, plots.floats, plots.ints, slots.floats, slots.ints, slots.detect, slots.looks, seeds.floats, seeds.ints,
            seeds.detect, seeds.looks, maps.fine, maps.coarse, maps.amplitude, maps.seen, maps.floats, maps.ints,
            clutter.RISE, state.sites, reaches(sensors, state.plane), state.registration.cov, state.registration.applied, model, rules,
            np.full(GRID * GRID, -1, np.int64), np.empty(candidates, np.int64), np.full(candidates, -1, np.int64),
            np.empty(candidates), np.empty((pairs, at.PAIR_FLOATS)), np.empty((pairs, at.PAIR_INTS), np.int64),
            np.empty(SCRATCH), log_floats, log_ints, touched, registered, counts, _clocks(work), settings.seed_log_odds_fall,
            _patience_ns(state))
    used = int(counts[at.COUNT_LOG])
    work.updated |= touched != 0
    young = (*state.young, Chunk(log_floats[:used].copy(), log_ints[:used].copy())) if used else state.young
    work.state = replace(state, clutter=maps, young=young, young_rows=state.young_rows + used,
                         next_uid=int(counts[at.COUNT_UID]), shed_count=state.shed_count + int(counts[at.COUNT_SHED]),
                         rotation=_turned(state.rotation, plots))
    _register(work, plots, registered[: int(counts[at.COUNT_REGISTERED])], settings)


def pass_by(work: Work, sensors: SensorTable, settings: Settings) -> None:
    """Count the looks of every radar that gave a track nothing, up to the radar's own clock; forget old seeds."""
    state = work.state
    clocks = _clocks(work)
    clocks[:, 0] = np.where(clocks[:, 1] > 0, clocks[:, 2], 0)
    slots, seeds = state.slots, state.seeds
    sweep(clocks, state.sites, reaches(sensors, state.plane), slots.floats, slots.ints, slots.detect, slots.looks, seeds.floats,
          seeds.ints, seeds.detect, seeds.looks, settings.seed_log_odds_fall,
          max(int(state.rotation.clock_ns.max(initial=0)), 0), _patience_ns(state), 0)


def _clocks(work: Work) -> Ints:
    """Return (S, 3) ns: every radar's clock before the step, its turn (0: not known, or no radar), its clock now."""
    turn_s, now_ns = work.state.rotation.turn_s, work.state.rotation.clock_ns
    known = work.radars & np.isfinite(turn_s)
    clocks = np.zeros((len(turn_s), 3), np.int64)
    clocks[known, 1] = turn_s[known] * 1e9
    clocks[: len(work.before_ns), 0], clocks[:, 2] = work.before_ns, now_ns
    return clocks


def _patience_ns(state: State) -> int:
    return int(SEED_TURNS * 1e9 * rotation.slowest_turn_s(state.rotation))


def reaches(sensors: SensorTable, plane: Plane | None) -> Floats:
    """Return (S, 2): greatest range and antenna height of every sensor, m; terrain beside them where one has it (kernels_looks)."""
    for rows, on, made in _made:
        if rows is sensors.rows and on is plane:
            return made
    table = _reaches(sensors)
    if plane is not None and any(s.horizon and s.has_position for s in sensors.rows):
        terrain = np.full((len(table), DEGREES), -1.0)      # straight down: it hides nothing
        for row, sensor in enumerate(sensors.rows):
            if sensor.horizon and sensor.has_position:
                site = to_plane(plane, np.array([sensor.latitude_rad]), np.array([sensor.longitude_rad]))
                grid_to_true = -math.atan2(float(site.north_east[0]), float(site.north_north[0]))
                terrain[row] = np.tan(terrain_elevation(sensor.horizon, np.radians(np.arange(DEGREES)) + grid_to_true))
        table = np.concatenate((table, terrain), axis=1)
    _made.append((sensors.rows, plane, table))
    del _made[:-_KEPT]
    return table


_made: list[tuple[tuple[Sensor, ...], Plane | None, Floats]] = []
_KEPT = 4
DEGREES = 360


def _reaches(sensors: SensorTable) -> Floats:
    table = np.array([(s.range_m_max, s.height_m) for s in sensors.rows]).reshape(-1, 2)
    table[:, 0] = np.where(table[:, 0] > 0, table[:, 0], 1e9)
    table[:, 1] = np.where(np.isfinite(table[:, 1]), table[:, 1], 0.0)
    return table


SCRATCH = 128


def _turned(known: Rotation, plots: Measured) -> Rotation:
    """Return the rotation after the groups: clocks go on; turns that no table tells are measured."""
    clock_ns = known.clock_ns.copy()
    unknown = [g for g in plots.groups.tolist() if not g[at.GROUP_TURN_KNOWN]]
    for g in plots.groups.tolist():
        if g[at.GROUP_TURN_KNOWN]:
            clock_ns[g[at.GROUP_SENSOR]] = max(int(clock_ns[g[at.GROUP_SENSOR]]),
                                               int(plots.ints[g[at.GROUP_END] - 1, at.PLOT_TIME]))
    known = replace(known, clock_ns=clock_ns)
    for g in unknown:
        rows = slice(g[at.GROUP_START], g[at.GROUP_END])
        known = rotation.by_plots(known, g[at.GROUP_SENSOR], plots.ints[rows, at.PLOT_TIME],
                                  plots.floats[rows, at.PLOT_AZIMUTH])
    return known


def _register(work: Work, plots: Measured, chosen: npt.NDArray[np.int64], settings: Settings) -> None:
    """Give the registration filter the identified plots with their tracks' velocities, group by group."""
    if not len(chosen) or not settings.registration or len(work.radars) < 2:
        return
    slots, known, clocks = work.state.slots, work.state.registration, work.state.timing
    found: list[bias.Found] = []
    rows, of_plot = chosen[:, 0], chosen[:, 1]
    group = np.searchsorted(plots.groups[:, at.GROUP_END], of_plot, side="right")
    for g in np.unique(group).tolist():
        mine = group == g
        row, j = rows[mine], of_plot[mine]
        raw: Floats = plots.floats[j][:, [at.PLOT_RAW_EAST, at.PLOT_RAW_NORTH]]
        identities: Ints = plots.ints[j, at.PLOT_ICAO]
        known = bias.learn(known, work.state.sites, int(plots.groups[g, at.GROUP_SENSOR]), work.radars, identities,
                           plots.ints[j, at.PLOT_TIME], raw, plots.floats[j, at.PLOT_EE : at.PLOT_NN + 1],
                           slots.mean[row, 2:], found)
    for pair in found:
        clocks = timing.learn(clocks, work.state.sites, *pair)
    work.state = replace(work.state, registration=known, timing=clocks)


__all__ = ["Work", "pass_by", "reaches", "take"]

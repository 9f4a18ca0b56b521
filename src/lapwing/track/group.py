"""One group of plots (one sensor, one moment) through association, update, clutter map, registration and birth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import KIND_PSR, Floats, Ints, Plots
from lapwing.model.sensors import SensorTable
from lapwing.track import bias, clutter, history, measurement, rotation
from lapwing.track.kernels_associate import choose, find_pairs, marginals
from lapwing.track.kernels_update import commit, pair_weights, seed
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, Chunk, Slots, State

PAIRS_PER_PLOT = 24
HEIGHT_DRIFT_MPS = 4.0      # random walk of a reported height between plots
SHARED_SPREAD = 4.0         # of a plot that two objects share: each lies somewhere in the beam,
SHARED_M2 = 100.0**2        # and within a pulse's length
FLIES_MPS = 20.0            # faster than birds in still air and rain in most winds
# Mode 3/A codes that many share, and so name nobody: conspicuity and emergency codes (ICAO Doc 8168 vol. I part III).
COMMON_CODES = (0, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700, 0o7777)


@dataclass(slots=True)
class Work:
    """What a step is working on: its own copy of the slots inside `state`, and its log. Never leaves the step."""

    state: State
    young: Chunk
    young_used: int
    updated: npt.NDArray[np.bool_]
    radars: npt.NDArray[np.bool_]


def process(work: Work, plots: Plots, sensors: SensorTable, settings: Settings) -> None:
    """Take one group into the work's state."""
    state = work.state
    assert state.plane is not None, "the step makes the plane when the first plots come"
    sensor = int(plots.sensor_index[0])
    table = sensors.rows[sensor]
    is_radar = bool(work.radars[sensor])
    raw, covariance, velocity, scale = measurement.on_plane(state.plane, plots)
    points = bias.corrected(state.registration, state.sites, sensor, raw) if is_radar else raw
    turn_s = float(state.rotation.turn_s[sensor])
    turn_ns = int(1e9 * (turn_s if math.isfinite(turn_s) else settings.rotation_s_default)) if is_radar else 0
    echo = plots.kind == KIND_PSR
    polar = is_radar and bool(np.isfinite(plots.range_m).all() and np.isfinite(plots.azimuth_rad).all())
    density, ratio = _backgrounds(state, sensor, plots, echo, polar, settings)
    mode3a = plots.mode3a
    if (mode3a >= 0).any():
        mode3a = np.where(np.isin(mode3a, COMMON_CODES), -1, mode3a).astype(np.int32)
    pairs = _pairs(state, plots, points, covariance, mode3a, ratio, 0.5 * (scale + state.site_scale[sensor]), sensor,
                   table.height_m, (2 * turn_ns) // 5, settings)
    slots, n = state.slots, len(plots)
    weight, found, share = np.empty(pairs.count), np.empty(pairs.count), np.ones(pairs.count)
    taken, plot_weight = np.zeros(n), np.zeros(n)
    track_pair = np.full(len(slots), -1, np.int64)
    if pairs.count:
        pair_weights(pairs.track, pairs.plot, pairs.likelihood, slots.log_odds, slots.detect, sensor,
                     density + settings.newcomers_per_m2, weight, found)
        marginals(pairs.track, pairs.plot, weight, len(slots), n, share, taken)
        choose(pairs.track, pairs.plot, _conditional(pairs, weight, share, len(slots)), len(slots), n, track_pair)
    work.young = _room(work, 2 * n)
    if pairs.count:
        shared = _shared(slots, pairs, weight, track_pair, n)
        work.young_used = commit(
            track_pair, shared, pairs.plot, pairs.distance2, pairs.points, pairs.covariance, found, share, plots.measured_ns,
            plots.entry_sequence, sensor, is_radar, slots.status, slots.uid, slots.time_ns, slots.last_plot_ns,
            slots.sure_ns, slots.x, slots.cov, slots.mode_prob, slots.mean, slots.mean_cov, slots.hits, slots.last_sensor,
            slots.sensors_mask, slots.detect, slots.look_ns, slots.hit_ns, slots.log_odds, settings.log_odds_max,
            settings.proven_log_odds_max, *_modes(settings),
            work.young_used, work.young.floats, work.young.ints, plot_weight)
        rows = np.flatnonzero(track_pair >= 0)
        rows = rows[plot_weight[pairs.plot[track_pair[rows]]] > 0.0]
        work.updated[rows] = True
        _describe(slots, rows, plots, mode3a, pairs.plot[track_pair[rows]], plot_weight)
        _register(work, plots, sensor, rows, pairs.plot[track_pair[rows]], raw, covariance, settings)
    _begin_seeds(work, plots, sensor, points, covariance, velocity, mode3a, density / ratio,
                 np.maximum(taken, plot_weight), settings)
    state = work.state
    if polar and echo.any():
        maps = list(state.clutter)
        maps[sensor] = clutter.learn(maps[sensor], plots.range_m[echo], plots.azimuth_rad[echo],
                                     plots.amplitude_db[echo], 1.0 - _flown(work, pairs, track_pair, plot_weight)[echo],
                                     int(plots.measured_ns.max()), turn_ns)
        state = replace(state, clutter=tuple(maps))
    known_turn = math.isfinite(table.rotation_s) and table.rotation_s > 0
    work.state = replace(state, rotation=rotation.by_plots(state.rotation, sensor, plots.measured_ns, plots.azimuth_rad,
                                                           known_turn or not is_radar))


@dataclass(frozen=True, slots=True)
class _Pairs:
    count: int
    track: Ints
    plot: Ints
    likelihood: Floats
    distance2: Floats
    points: Floats
    covariance: Floats


def _modes(settings: Settings) -> tuple[Floats, Floats, Floats, Floats]:
    return (np.array(settings.mode_turn_radps), np.array(settings.mode_noise_m2ps3), np.array(settings.mode_dwell_s),
            np.array(settings.mode_rest_prob))


def _pairs(state: State, plots: Plots, points: Floats, covariance: Floats, mode3a: npt.NDArray[np.int32], ratio: Floats,
           plane_scale: Floats, sensor: int, antenna_m: float, same_scan_ns: int, settings: Settings) -> _Pairs:
    slots = state.slots
    most = PAIRS_PER_PLOT * len(plots)
    track, plot = np.empty(most, np.int64), np.empty(most, np.int64)
    likelihood, distance2 = np.empty(most), np.empty(most)
    place, spread = np.empty((most, 2)), np.empty((most, 3))
    turn, noise, _, _ = _modes(settings)
    count = find_pairs(
        slots.status, slots.time_ns, slots.x, slots.cov, slots.mode_prob, slots.mean, slots.mean_cov, slots.hits,
        slots.last_sensor, slots.hit_ns, slots.icao, slots.mode3a, slots.identified, slots.height_m, plots.measured_ns,
        points, covariance, plots.icao_address, mode3a, plots.height_m, plots.range_m, ratio, sensor,
        antenna_m if math.isfinite(antenna_m) else 0.0, plane_scale, same_scan_ns, state.sites,
        state.registration.cov, turn, noise, track, plot, likelihood, distance2, place, spread)
    return _Pairs(int(count), track[:count], plot[:count], likelihood[:count], distance2[:count], place[:count],
                  spread[:count])


def _backgrounds(state: State, sensor: int, plots: Plots, echo: npt.NDArray[np.bool_], polar: bool,
                 settings: Settings) -> tuple[Floats, Floats]:
    """Return per plot the density of false ones (m-2 a scan) and how its amplitude speaks for an object."""
    density, ratio = np.full(len(plots), settings.false_reply_per_m2), np.ones(len(plots))
    if polar and echo.any():
        here = state.clutter[sensor]
        density[echo] = np.maximum(clutter.density(here, plots.range_m[echo], plots.azimuth_rad[echo]),
                                   settings.clutter_per_m2_min)
        ratio[echo] = clutter.amplitude_ratio(here, plots.amplitude_db[echo])
    elif echo.any():
        density[echo] = 100.0 * settings.clutter_per_m2_min
    return density, ratio


def _conditional(pairs: _Pairs, weight: Floats, share: Floats, track_count: int) -> Floats:
    """Return the marginal probability of every pair."""
    joint = weight * share
    total = np.bincount(pairs.track, joint, track_count)
    result: Floats = joint / (1.0 + total[pairs.track])
    return result


def _flown(work: Work, pairs: _Pairs, track_pair: Ints, plot_weight: Floats) -> Floats:
    """Return the probability that a plot came from something that surely flies: a confirmed track faster than clutter.

    Anything else counts as clutter. Otherwise slow false tracks would eat the plots that should betray them; and an
    object in transit adds to a cell for a few scans only.
    """
    slots, flown = work.state.slots, np.zeros(len(plot_weight))
    rows = np.flatnonzero(track_pair >= 0)
    speed2 = slots.mean[rows, 2] ** 2 + slots.mean[rows, 3] ** 2
    rows = rows[(slots.status[rows] == CONFIRMED) & (speed2 > FLIES_MPS**2)]
    plot = pairs.plot[track_pair[rows]]
    flown[plot] = plot_weight[plot]
    return flown


def _shared(slots: Slots, pairs: _Pairs, weight: Floats, track_pair: Ints, plot_count: int) -> npt.NDArray[np.bool_]:
    """Let confirmed tracks that got nothing share the plot of another: an aerial's beam may not part the two objects.

    Their `track_pair` is filled in, and that pair's covariance widened by what one plot of two objects may be off.
    """
    shared = np.zeros(len(track_pair), np.bool_)
    owner = np.full(plot_count, -1, np.int64)
    tracks = np.flatnonzero(track_pair >= 0)
    owner[pairs.plot[track_pair[tracks]]] = tracks
    best = np.flatnonzero((slots.status[pairs.track] == CONFIRMED) & (track_pair[pairs.track] < 0)
                          & (owner[pairs.plot] >= 0))
    best = best[slots.status[owner[pairs.plot[best]]] == CONFIRMED]
    for p in best[np.argsort(-weight[best], kind="stable")].tolist():
        if not shared[pairs.track[p]]:
            shared[pairs.track[p]] = True
            track_pair[pairs.track[p]] = p
            pairs.covariance[p] = SHARED_SPREAD * pairs.covariance[p] + np.array((SHARED_M2, 0.0, SHARED_M2))
    return shared


def _room(work: Work, rows: int) -> Chunk:
    if work.young_used + rows <= len(work.young.floats):
        return work.young
    return history.room(work.young, work.young_used, rows)


def _describe(slots: Slots, rows: npt.NDArray[np.intp], plots: Plots, mode3a: npt.NDArray[np.int32], of_plot: Ints,
              plot_weight: Floats) -> None:
    """Take identity and height of the plots into their tracks."""
    sure = plot_weight[of_plot] > 0.5
    rows, of_plot = rows[sure], of_plot[sure]
    for row, j in zip(rows.tolist(), of_plot.tolist(), strict=True):
        icao, code = int(plots.icao_address[j]), int(mode3a[j])
        if icao >= 0 or code >= 0:
            same = (icao >= 0 and slots.icao[row] == icao) or (icao < 0 and code >= 0 and slots.mode3a[row] == code)
            blank = slots.icao[row] < 0 and slots.mode3a[row] < 0
            slots.identified[row] = slots.identified[row] + 1 if same or blank or slots.icao[row] < 0 else 1
            if icao >= 0:
                slots.icao[row] = icao
            if code >= 0:
                slots.mode3a[row] = code
        if plots.callsign[j]:
            slots.callsign[row] = plots.callsign[j]
        height, time_ns = float(plots.height_m[j]), int(plots.measured_ns[j])
        if math.isfinite(height):
            sigma = float(plots.height_m_sigma[j])
            noise = (sigma if math.isfinite(sigma) and sigma > 0 else 30.0) ** 2
            if not math.isfinite(slots.height_m[row]):
                slots.height_m[row], slots.height_var_m2[row] = height, noise
            else:
                dt = max((time_ns - int(slots.height_ns[row])) * 1e-9, 0.0)
                variance = slots.height_var_m2[row] + HEIGHT_DRIFT_MPS**2 * dt * max(dt, 1.0)
                gain = variance / (variance + noise)
                slots.height_m[row] += gain * (height - slots.height_m[row])
                slots.height_var_m2[row] = (1.0 - gain) * variance
            slots.height_ns[row] = max(int(slots.height_ns[row]), time_ns)


def _register(work: Work, plots: Plots, sensor: int, rows: npt.NDArray[np.intp], of_plot: Ints, raw: Floats,
              covariance: Floats, settings: Settings) -> None:
    """Give the registration filter the identified plots with their tracks' velocities."""
    if not settings.registration or len(work.radars) < 2:
        return
    slots = work.state.slots
    chosen = (plots.icao_address[of_plot] >= 0) & (slots.identified[rows] >= 3)
    rows, of_plot = rows[chosen], of_plot[chosen]
    if len(rows):
        work.state = replace(work.state, registration=bias.learn(
            work.state.registration, work.state.sites, sensor, work.radars,
            plots.icao_address[of_plot].astype(np.int64), plots.measured_ns[of_plot], raw[of_plot],
            covariance[of_plot], slots.mean[rows, 2:]))


def _begin_seeds(work: Work, plots: Plots, sensor: int, points: Floats, covariance: Floats, velocity: Floats,
                 mode3a: npt.NDArray[np.int32], density: Floats, explained: Floats, settings: Settings) -> None:
    """Start a seed for every plot that no track explains."""
    state, slots = work.state, work.state.slots
    free = np.flatnonzero(explained < 0.5)
    if not len(free):
        return
    started = np.empty(len(free), np.int64)
    odds = settings.newcomers_per_m2 / density
    _, _, _, rest = _modes(settings)
    count, work.young_used = seed(
        free, plots.measured_ns, points, covariance, velocity, odds, plots.entry_sequence, sensor, state.next_uid,
        np.array((settings.detect_own, settings.detect_other)), slots.status, slots.uid, slots.time_ns, slots.born_ns,
        slots.last_plot_ns, slots.sure_ns, slots.x, slots.cov, slots.mode_prob, slots.mean, slots.mean_cov, slots.hits,
        slots.last_sensor, slots.sensors_mask, slots.detect, slots.look_ns, slots.hit_ns, slots.log_odds,
        slots.birth_log_odds, rest, settings.speed_mps_sigma, work.young_used, work.young.floats, work.young.ints,
        started)
    started, born = started[:count], free[:count]
    work.updated[started] = True
    slots.icao[started], slots.mode3a[started] = plots.icao_address[born], mode3a[born]
    slots.callsign[started] = plots.callsign[born]
    slots.identified[started] = (plots.icao_address[born] >= 0) | (mode3a[born] >= 0)
    slots.height_m[started] = plots.height_m[born]
    sigma = np.where(plots.height_m_sigma[born] > 0, plots.height_m_sigma[born], 30.0)
    slots.height_var_m2[started] = np.where(np.isfinite(plots.height_m[born]), sigma**2, np.nan)
    slots.height_ns[started] = plots.measured_ns[born]
    work.state = replace(state, next_uid=state.next_uid + int(count),
                         shed_count=state.shed_count + len(free) - int(count))

"""Kernels that change tracks: the update by a chosen plot.

They write into the rows of `state.Slots` and `state.Seeds` (copies that belong to the step under way) and into the log.
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel
from lapwing.model.plots import Floats, Ints
from lapwing.model.tracks import SHARED_PROB
from lapwing.track.columns import (
    CALLSIGN,
    CONFIRMED,
    COUNT_LOG,
    COUNT_REGISTERED,
    COUNT_SHED,
    COV,
    FREE,
    HEIGHT,
    HEIGHT_TIME,
    HEIGHT_VAR,
    HIT,
    HITS,
    ICAO,
    IDENTIFIED,
    LAST_PLOT,
    LAST_SENSOR,
    LOG_ODDS,
    LOOK,
    MASK,
    MEAN,
    MODE,
    MODE3A,
    MODEL_NOISE,
    MODEL_TURN,
    MODES,
    OWN_CELL,
    OWN_COARSE,
    OWN_CREDIT,
    OWN_FINE,
    OWN_WIDE_CELL,
    PAIR_CLEAN,
    PAIR_DISTANCE2,
    PAIR_EAST,
    PAIR_EE,
    PAIR_EN,
    PAIR_LIFT_EAST,
    PAIR_LIFT_NORTH,
    PAIR_NN,
    PAIR_NORTH,
    PAIR_PLOT,
    PAIR_RATIO,
    PAIR_SHARE,
    PAIR_STATE,
    PAIR_TRACK,
    PLOT_CALLSIGN,
    PLOT_CELL,
    PLOT_FLOWN,
    PLOT_HEIGHT,
    PLOT_HEIGHT_VAR,
    PLOT_ICAO,
    PLOT_MODE3A,
    PLOT_SEQUENCE,
    PLOT_TIME,
    PLOT_WEIGHT,
    PLOT_WIDE_CELL,
    RULE_LOG_ODDS_MAX,
    RULE_PROVEN_MAX,
    STATUS,
    SURE,
    TIME,
)
from lapwing.track.kernels_associate import enter
from lapwing.track.kernels_clutter import OTHERS_MAX, OWN_MAX, RINGS, Counts, around, nearest_wide
from lapwing.track.kernels_life import travels
from lapwing.track.kernels_lift import SLOW_MPS, SLOW_SIGMA, learn_lift, widen_lift
from lapwing.track.kernels_looks import remember, take_back
from lapwing.track.kernels_motion import gates, mix, moments, noise_scale, predict_mode, turn_factors, update_mode
from lapwing.track.kernels_seed import grow, write_log, write_moments

SURE_WEIGHT = 0.8      # a plot that keeps a track from coasting; clutter in a wide gate gives less
SHARED_WEIGHT = SHARED_PROB    # probability that a plot which serves another track is of this one too
LEAST_WEIGHT = 0.05    # below it, it is not this plot; whether the look was a miss is seen when the aerial has passed
FLIES_MPS = 20.0       # faster than birds in still air and rain in most winds
CREDIT_MAX = 20.0      # log odds: as much as the way from a seed to a confirmed track
SLOW_HITS = 8          # plots until a slow speed means something
HEIGHT_DRIFT_MPS = 4.0  # random walk of a reported height between plots


@inner_kernel
def correct(i: int, p: int, beta: float, sensor: int, plot_ns: int, floats: Floats, ints: Ints, model: Floats,
            pair_floats: Floats, scratch: Floats, log_floats: Floats, row: int) -> None:
    """Predict track `i` to the plot's time (or move the plot's view back, where it is late), correct, mix again."""
    dt = (plot_ns - ints[i, TIME]) * 1e-9
    scale = noise_scale(floats, i, ints[i, HITS])
    if pair_floats[p, PAIR_DISTANCE2] > 16.0:  # bound by identity although far off: open the filter so that it follows
        for k in range(16 * MODES):
            floats[i, COV + k] *= pair_floats[p, PAIR_DISTANCE2] / 9.0
    if dt > 0.0:
        for m in range(MODES):
            predict_mode(floats, i, m, model[MODEL_TURN, m], model[MODEL_NOISE, m] * scale, dt)
        ints[i, TIME] = plot_ns
    moments(floats, i)
    write_moments(log_floats, row, False, floats, i)
    best, likely = 0.0, 88       # scratch[88:92]: likelihood of each mode
    for m in range(MODES):
        back_a, back_b, late = 0.0, 0.0, 0.0
        if dt < 0.0:
            back_a, back_b, _, _ = turn_factors(model[MODEL_TURN, m], dt)
            late = model[MODEL_NOISE, m] * scale * abs(dt) ** 3 / 3.0
        scratch[likely + m] = 1e-300 + update_mode(
            floats, i, m, back_a, back_b, late, pair_floats[p, PAIR_EAST], pair_floats[p, PAIR_NORTH],
            pair_floats[p, PAIR_EE], pair_floats[p, PAIR_EN], pair_floats[p, PAIR_NN], pair_floats[p, PAIR_LIFT_EAST],
            pair_floats[p, PAIR_LIFT_NORTH], beta, scratch)
        best += floats[i, MODE + m] * scratch[likely + m]
    total = 0.0
    for m in range(MODES):
        floats[i, MODE + m] *= (1.0 - beta) + beta * scratch[likely + m] / best
        total += floats[i, MODE + m]
    for m in range(MODES):
        floats[i, MODE + m] /= total
    moments(floats, i)
    if ints[i, HITS] == SLOW_HITS and math.isnan(floats[i, HEIGHT]) and (
            floats[i, MEAN + 2] ** 2 + floats[i, MEAN + 3] ** 2 < SLOW_MPS * SLOW_MPS):
        widen_lift(floats, i, SLOW_SIGMA * SLOW_SIGMA, pair_floats[p, PAIR_LIFT_EAST], pair_floats[p, PAIR_LIFT_NORTH])
        moments(floats, i)
    write_moments(log_floats, row, True, floats, i)
    # Mixing now, for a step as long as the one just made, keeps prediction a pure function of the stored state.
    mix(floats, i, model, max(dt, 0.0), scratch)
    gates(floats, i)


@inner_kernel
def describe(i: int, j: int, floats: Floats, ints: Ints, plot_floats: Floats, plot_ints: Ints) -> None:
    """Take identity and height of a plot into its track."""
    icao, code = plot_ints[j, PLOT_ICAO], plot_ints[j, PLOT_MODE3A]
    if icao >= 0 or code >= 0:
        same = (icao >= 0 and ints[i, ICAO] == icao) or (icao < 0 and code >= 0 and ints[i, MODE3A] == code)
        ints[i, IDENTIFIED] = ints[i, IDENTIFIED] + 1 if same or ints[i, ICAO] < 0 else 1
        if icao >= 0:
            ints[i, ICAO] = icao
        if code >= 0:
            ints[i, MODE3A] = code
    if plot_ints[j, PLOT_CALLSIGN] != 0:
        ints[i, CALLSIGN] = plot_ints[j, PLOT_CALLSIGN]
    height, noise = plot_floats[j, PLOT_HEIGHT], plot_floats[j, PLOT_HEIGHT_VAR]
    if not math.isnan(height):
        if math.isnan(floats[i, HEIGHT]):
            floats[i, HEIGHT] = height
            floats[i, HEIGHT_VAR] = noise
            learn_lift(floats, i, 1e-6 * height * height, 1e-12 * 4.0 * height * height * noise + 1.0)
        else:
            dt = max((plot_ints[j, PLOT_TIME] - ints[i, HEIGHT_TIME]) * 1e-9, 0.0)
            variance = floats[i, HEIGHT_VAR] + HEIGHT_DRIFT_MPS**2 * dt * max(dt, 1.0)
            gain = variance / (variance + noise)
            floats[i, HEIGHT] += gain * (height - floats[i, HEIGHT])
            floats[i, HEIGHT_VAR] = (1.0 - gain) * variance
        ints[i, HEIGHT_TIME] = max(ints[i, HEIGHT_TIME], plot_ints[j, PLOT_TIME])


@inner_kernel
def own(i: int, j: int, shy: float, floats: Floats, ints: Ints, plot_ints: Ints) -> None:
    """Keep count of what a track's plots add to the clutter map where it is."""
    for cell, weight, column, number in ((PLOT_CELL, shy, OWN_FINE, OWN_CELL), (PLOT_WIDE_CELL, 1.0, OWN_COARSE, OWN_WIDE_CELL)):
        here = plot_ints[j, cell]
        before = floats[i, column] if ints[i, number] == here else 0.0
        floats[i, column] = min(before + weight, OWN_MAX * weight)
        ints[i, number] = here


@inner_kernel
def alone(i: int, sensor: int, cell: int, coarse: Counts, floats: Floats, ints: Ints, map_ints: Ints) -> bool:
    """Return whether a track's own plots, and those of others that surely go somewhere too, are all that a radar shows here.

    What stays in place, a wind farm say, is no exception: there its own plots are none either.
    """
    others = around(sensor, cell, coarse, map_ints)
    one, two, three, four = nearest_wide(cell, map_ints[sensor, RINGS])
    for k in range(len(ints)):
        wide = ints[k, OWN_WIDE_CELL]
        if ints[k, STATUS] != FREE and wide in (one, two, three, four) and (
                k == i or travels(floats, k)):
            others -= floats[k, OWN_COARSE]
    return bool(others < OTHERS_MAX)


@inner_kernel
def commit(count: int, sensor: int, turn_ns: int, floats: Floats, ints: Ints, detect: Floats, looks: Ints,
           seed_floats: Floats, seed_ints: Ints, seed_detect: Floats, seed_looks: Ints, heads: Ints, following: Ints,
           plot_floats: Floats, plot_ints: Ints, pair_floats: Floats, pair_ints: Ints, model: Floats, rules: Floats, shy: float,
           coarse: Counts, map_ints: Ints, sites: Floats, scratch: Floats, log_floats: Floats, log_ints: Ints, touched: Ints,
           registered: Ints, counts: Ints) -> None:
    """Update every candidate that was given a plot; a seed that gets one becomes a track row.

    Writes per plot the probability that its chosen track, if it exists, caused it; marks track rows in `touched`; lists
    (track row, plot) of identified plots in `registered`. `turn_ns` is 0 for what does not turn.
    """
    tracks, free = len(floats), 0
    for p in range(count):
        if pair_ints[p, PAIR_STATE] == 0:
            continue
        shared = pair_ints[p, PAIR_STATE] == 2
        c, j = pair_ints[p, PAIR_TRACK], pair_ints[p, PAIR_PLOT]
        if c < tracks:
            pd = detect[c, sensor, 0] / (detect[c, sensor, 0] + detect[c, sensor, 1])
        else:
            s = c - tracks
            pd = seed_detect[s, sensor, 0] / (seed_detect[s, sensor, 0] + seed_detect[s, sensor, 1])
        found = pair_floats[p, PAIR_RATIO] * pair_floats[p, PAIR_SHARE]
        factor = (1.0 - pd) + found
        beta = found / factor
        if beta < LEAST_WEIGHT and not shared:
            continue
        if shared:
            beta = SHARED_WEIGHT
        i = c
        if c >= tracks:
            while free < tracks and ints[free, STATUS] != FREE:
                free += 1
            if free == tracks:
                counts[COUNT_SHED] += 1
                continue
            i = free
            grow(c - tracks, i, floats, ints, detect, looks, seed_floats, seed_ints, seed_detect, seed_looks, model,
                 rules, sites, log_floats, log_ints, counts)
            enter(i, floats[i, MEAN], floats[i, MEAN + 1], heads, following)
        plot_floats[j, PLOT_WEIGHT] = max(plot_floats[j, PLOT_WEIGHT], beta)
        proven = ints[i, STATUS] == CONFIRMED
        counted_ns = max(looks[i, sensor, HIT], looks[i, sensor, LOOK] + (3 * turn_ns) // 10)
        if proven and not shared and plot_ints[j, PLOT_TIME] < counted_ns:
            floats[i, LOG_ODDS] += take_back(beta, detect, i, sensor)
        # Belief in a confirmed track is held lower: it must go on earning it, or leave within some looks.
        if not shared:
            most = rules[RULE_PROVEN_MAX] if proven else rules[RULE_LOG_ODDS_MAX]
            floats[i, LOG_ODDS] = min(most, floats[i, LOG_ODDS] + math.log(factor if turn_ns > 0 else max(factor, 1.0)))
            remember(detect, i, sensor, beta, 1.0 - beta)
        plot_ns, row = plot_ints[j, PLOT_TIME], counts[COUNT_LOG]
        correct(i, p, beta, sensor, plot_ns, floats, ints, model, pair_floats, scratch, log_floats, row)
        write_log(log_floats, log_ints, row, ints, i, plot_ns, sensor, plot_ints[j, PLOT_SEQUENCE],
                  pair_floats[p, PAIR_EAST], pair_floats[p, PAIR_NORTH], beta)
        counts[COUNT_LOG] = row + 1
        ints[i, HITS] += 1
        ints[i, LAST_SENSOR] = sensor
        ints[i, MASK] |= 1 << min(sensor, 63)
        ints[i, LAST_PLOT] = max(ints[i, LAST_PLOT], plot_ns)
        if beta >= SURE_WEIGHT or shared:
            ints[i, SURE] = max(ints[i, SURE], plot_ns)
        looks[i, sensor, HIT] = max(looks[i, sensor, HIT], plot_ns)
        looks[i, sensor, LOOK] = max(looks[i, sensor, LOOK], plot_ns)
        touched[i] = 1
        speed2 = floats[i, MEAN + 2] ** 2 + floats[i, MEAN + 3] ** 2
        if ints[i, STATUS] == CONFIRMED and speed2 > FLIES_MPS * FLIES_MPS:
            plot_floats[j, PLOT_FLOWN] = plot_floats[j, PLOT_WEIGHT]
        if ints[i, STATUS] != CONFIRMED:
            if not shared:
                clean = (1.0 - pd) + pair_floats[p, PAIR_CLEAN] * pair_floats[p, PAIR_SHARE]
                floats[i, OWN_CREDIT] = min(floats[i, OWN_CREDIT] + math.log(clean / factor), CREDIT_MAX)
            if travels(floats, i) and (plot_ints[j, PLOT_CELL] < 0 or alone(
                    i, sensor, plot_ints[j, PLOT_CELL], coarse, floats, ints, map_ints)):
                floats[i, LOG_ODDS] = min(rules[RULE_LOG_ODDS_MAX], floats[i, LOG_ODDS] + floats[i, OWN_CREDIT])
                floats[i, OWN_CREDIT] = 0.0
            own(i, j, shy, floats, ints, plot_ints)
        if plot_floats[j, PLOT_WEIGHT] > 0.5:
            describe(i, j, floats, ints, plot_floats, plot_ints)
        if plot_ints[j, PLOT_ICAO] >= 0 and ints[i, IDENTIFIED] >= 3 and counts[COUNT_REGISTERED] < len(registered):
            registered[counts[COUNT_REGISTERED], 0] = i
            registered[counts[COUNT_REGISTERED], 1] = j
            counts[COUNT_REGISTERED] += 1

"""Kernels of seeds: a plot that nobody explains starts one, its second plot makes a track row of it. And of the log."""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    AFFILIATION,
    BIRTH,
    BORN,
    CALLSIGN,
    CLASS,
    CLASS_COUNT,
    COUNT_LOG,
    COUNT_SHED,
    COUNT_UID,
    COV,
    HEIGHT,
    HEIGHT_TIME,
    HEIGHT_VAR,
    HIT,
    HITS,
    ICAO,
    IDENTIFIED,
    LAST_PLOT,
    LAST_SENSOR,
    LIFT,
    LIFT_FLOATS,
    LIFTS,
    LOG_AFTER,
    LOG_EAST,
    LOG_LIFT,
    LOG_LIFT_AFTER,
    LOG_NORTH,
    LOG_ODDS,
    LOG_PLOT_TIME,
    LOG_SENSOR,
    LOG_SEQUENCE,
    LOG_TIME,
    LOG_UID,
    LOG_WEIGHT,
    LOOK,
    MASK,
    MEAN,
    MEAN_COV,
    MODE,
    MODE3A,
    MODEL_REST,
    MODES,
    NEVER_NS,
    NUMBER,
    OWN_CELL,
    OWN_COARSE,
    OWN_CREDIT,
    OWN_FINE,
    OWN_WIDE_CELL,
    PLOT_CALLSIGN,
    PLOT_CELL,
    PLOT_DENSITY,
    PLOT_EAST,
    PLOT_EE,
    PLOT_EN,
    PLOT_HEIGHT,
    PLOT_HEIGHT_VAR,
    PLOT_ICAO,
    PLOT_LIFTS,
    PLOT_MODE3A,
    PLOT_NN,
    PLOT_NORTH,
    PLOT_RATIO,
    PLOT_SEQUENCE,
    PLOT_TAKEN,
    PLOT_TIME,
    PLOT_VE,
    PLOT_VN,
    PLOT_WEIGHT,
    PLOT_WIDE_CELL,
    RULE_NEWCOMERS,
    RULE_OTHER_FOUND,
    RULE_OTHER_MISSED,
    RULE_OWN_FOUND,
    RULE_OWN_MISSED,
    RULE_SPEED_SIGMA,
    SEED,
    SEED_BIRTH,
    SEED_CALLSIGN,
    SEED_CELL,
    SEED_EAST,
    SEED_EE,
    SEED_EN,
    SEED_HEIGHT,
    SEED_HEIGHT_VAR,
    SEED_ICAO,
    SEED_LIFTS,
    SEED_LOG_ODDS,
    SEED_MODE3A,
    SEED_NN,
    SEED_NORTH,
    SEED_OWN,
    SEED_SENSOR,
    SEED_SEQUENCE,
    SEED_TIME,
    SEED_UID,
    SEED_USED,
    SEED_VE,
    SEED_VN,
    SEED_WIDE_CELL,
    STATISTICS,
    STATISTICS_COUNT,
    STATUS,
    SURE,
    TIME,
    UID,
    X,
)
from lapwing.track.kernels_associate import KNOWN_MPS2, enter
from lapwing.track.kernels_lift import start_lift
from lapwing.track.kernels_motion import moments


@inner_kernel
def write_moments(log_floats: Floats, row: int, after: bool, floats: Floats, i: int) -> None:
    """Write mean and covariance of the whole mixture into a log row: 14 columns of the state, six of the lift."""
    start, lift = (LOG_AFTER, LOG_LIFT_AFTER) if after else (0, LOG_LIFT)
    column = start + 4
    for k in range(4):
        log_floats[row, start + k] = floats[i, MEAN + k]
        for n in range(k, 4):
            log_floats[row, column] = floats[i, MEAN_COV + 4 * k + n]
            column += 1
    mean = 0.0
    for m in range(MODES):
        mean += floats[i, MODE + m] * floats[i, LIFT + LIFT_FLOATS * m]
    log_floats[row, lift] = mean
    for k in range(1, LIFT_FLOATS):
        value = 0.0
        for m in range(MODES):
            q = LIFT + LIFT_FLOATS * m
            apart = floats[i, q] - mean
            value += floats[i, MODE + m] * (
                floats[i, q + k] + apart * (apart if k == 1 else floats[i, X + 4 * m + k - 2] - floats[i, MEAN + k - 2]))
        log_floats[row, lift + k] = value


@inner_kernel
def write_log(log_floats: Floats, log_ints: Ints, row: int, ints: Ints, i: int, plot_ns: int, sensor: int, sequence: int,
              east: float, north: float, weight: float) -> None:
    """Write which plot made an update into a log row."""
    log_floats[row, LOG_EAST] = east
    log_floats[row, LOG_NORTH] = north
    log_floats[row, LOG_WEIGHT] = weight
    log_ints[row, LOG_UID] = ints[i, UID]
    log_ints[row, LOG_TIME] = ints[i, TIME]
    log_ints[row, LOG_PLOT_TIME] = plot_ns
    log_ints[row, LOG_SENSOR] = sensor
    log_ints[row, LOG_SEQUENCE] = sequence


@inner_kernel
def grow(s: int, i: int, floats: Floats, ints: Ints, detect: Floats, looks: Ints, seed_floats: Floats, seed_ints: Ints,
         seed_detect: Floats, seed_looks: Ints, model: Floats, rules: Floats, sites: Floats, log_floats: Floats,
         log_ints: Ints, counts: Ints) -> None:
    """Make free track row `i` out of seed `s`, which got its second plot; the seed is used up."""
    known = not math.isnan(seed_floats[s, SEED_VE])
    v_m2 = KNOWN_MPS2 if known else rules[RULE_SPEED_SIGMA] * rules[RULE_SPEED_SIGMA]
    for k in range(X, MODE):
        floats[i, k] = 0.0
    for m in range(MODES):
        x, p = X + 4 * m, COV + 16 * m
        floats[i, x] = seed_floats[s, SEED_EAST]
        floats[i, x + 1] = seed_floats[s, SEED_NORTH]
        if known:
            floats[i, x + 2] = seed_floats[s, SEED_VE]
            floats[i, x + 3] = seed_floats[s, SEED_VN]
        floats[i, p] = seed_floats[s, SEED_EE]
        floats[i, p + 1] = seed_floats[s, SEED_EN]
        floats[i, p + 4] = seed_floats[s, SEED_EN]
        floats[i, p + 5] = seed_floats[s, SEED_NN]
        floats[i, p + 10] = v_m2
        floats[i, p + 15] = v_m2
        floats[i, MODE + m] = model[MODEL_REST, m]
    site = seed_ints[s, SEED_SENSOR]
    start_lift(floats, i, seed_floats[s, SEED_EAST] - sites[site, 0], seed_floats[s, SEED_NORTH] - sites[site, 1],
               seed_ints[s, SEED_LIFTS] == LIFTS)
    moments(floats, i)
    floats[i, LOG_ODDS] = seed_floats[s, SEED_LOG_ODDS]
    floats[i, BIRTH] = seed_floats[s, SEED_BIRTH]
    floats[i, HEIGHT] = seed_floats[s, SEED_HEIGHT]
    floats[i, HEIGHT_VAR] = seed_floats[s, SEED_HEIGHT_VAR]
    for k in range(STATISTICS_COUNT):
        floats[i, STATISTICS + k] = 0.0
    for k in range(CLASS_COUNT):
        floats[i, CLASS + k] = 1.0 / CLASS_COUNT
    born, sensor = seed_ints[s, SEED_TIME], seed_ints[s, SEED_SENSOR]
    ints[i, STATUS] = SEED
    ints[i, UID] = seed_ints[s, SEED_UID]
    ints[i, NUMBER] = -1
    ints[i, TIME] = born
    ints[i, BORN] = born
    ints[i, LAST_PLOT] = born
    ints[i, SURE] = born
    ints[i, HITS] = 1
    ints[i, LAST_SENSOR] = sensor
    ints[i, MASK] = 1 << min(sensor, 63)
    ints[i, HEIGHT_TIME] = born
    ints[i, MODE3A] = seed_ints[s, SEED_MODE3A]
    ints[i, ICAO] = seed_ints[s, SEED_ICAO]
    ints[i, CALLSIGN] = seed_ints[s, SEED_CALLSIGN]
    ints[i, IDENTIFIED] = 1 if ints[i, ICAO] >= 0 or ints[i, MODE3A] >= 0 else 0
    ints[i, AFFILIATION] = -1
    ints[i, OWN_CELL], ints[i, OWN_WIDE_CELL] = seed_ints[s, SEED_CELL], seed_ints[s, SEED_WIDE_CELL]
    floats[i, OWN_FINE], floats[i, OWN_COARSE] = seed_floats[s, SEED_OWN], 1.0
    floats[i, OWN_CREDIT] = 0.0
    for k in range(detect.shape[1]):
        detect[i, k, 0] = seed_detect[s, k, 0]
        detect[i, k, 1] = seed_detect[s, k, 1]
        looks[i, k, LOOK] = seed_looks[s, k]
        looks[i, k, HIT] = born if k == sensor else NEVER_NS
    seed_ints[s, SEED_USED] = -1  # its row stays in the grid's list, so nobody may take it during this step
    row = counts[COUNT_LOG]
    write_moments(log_floats, row, False, floats, i)
    write_moments(log_floats, row, True, floats, i)
    write_log(log_floats, log_ints, row, ints, i, born, sensor, seed_ints[s, SEED_SEQUENCE], seed_floats[s, SEED_EAST],
              seed_floats[s, SEED_NORTH], 1.0)
    counts[COUNT_LOG] = row + 1


@inner_kernel
def sow(first: int, last: int, sensor: int, tracks: int, shy: float, seed_floats: Floats, seed_ints: Ints, seed_detect: Floats,
        seed_looks: Ints, heads: Ints, following: Ints, plot_floats: Floats, plot_ints: Ints, rules: Floats,
        counts: Ints) -> None:
    """Start a seed for every plot [first, last) that no track explains."""
    s = 0
    for j in range(first, last):
        if max(plot_floats[j, PLOT_TAKEN], plot_floats[j, PLOT_WEIGHT]) >= 0.5:
            continue
        while s < len(seed_ints) and seed_ints[s, SEED_USED] != 0:
            s += 1
        if s == len(seed_ints):
            counts[COUNT_SHED] += 1
            continue
        seed_ints[s, SEED_USED] = 1
        seed_ints[s, SEED_UID] = counts[COUNT_UID]
        counts[COUNT_UID] += 1
        seed_ints[s, SEED_TIME] = plot_ints[j, PLOT_TIME]
        seed_ints[s, SEED_SENSOR] = sensor
        seed_ints[s, SEED_MODE3A] = plot_ints[j, PLOT_MODE3A]
        seed_ints[s, SEED_ICAO] = plot_ints[j, PLOT_ICAO]
        seed_ints[s, SEED_CALLSIGN] = plot_ints[j, PLOT_CALLSIGN]
        seed_ints[s, SEED_SEQUENCE] = plot_ints[j, PLOT_SEQUENCE]
        seed_ints[s, SEED_LIFTS] = plot_ints[j, PLOT_LIFTS]
        seed_floats[s, SEED_EAST] = plot_floats[j, PLOT_EAST]
        seed_floats[s, SEED_NORTH] = plot_floats[j, PLOT_NORTH]
        seed_floats[s, SEED_EE] = plot_floats[j, PLOT_EE]
        seed_floats[s, SEED_EN] = plot_floats[j, PLOT_EN]
        seed_floats[s, SEED_NN] = plot_floats[j, PLOT_NN]
        seed_floats[s, SEED_VE] = plot_floats[j, PLOT_VE]
        seed_floats[s, SEED_VN] = plot_floats[j, PLOT_VN]
        seed_floats[s, SEED_LOG_ODDS] = math.log(
            rules[RULE_NEWCOMERS] / (plot_floats[j, PLOT_DENSITY] / plot_floats[j, PLOT_RATIO]))
        seed_floats[s, SEED_BIRTH] = seed_floats[s, SEED_LOG_ODDS]
        seed_ints[s, SEED_CELL], seed_ints[s, SEED_WIDE_CELL] = plot_ints[j, PLOT_CELL], plot_ints[j, PLOT_WIDE_CELL]
        seed_floats[s, SEED_OWN] = shy
        seed_floats[s, SEED_HEIGHT] = plot_floats[j, PLOT_HEIGHT]
        seed_floats[s, SEED_HEIGHT_VAR] = plot_floats[j, PLOT_HEIGHT_VAR]
        for k in range(seed_detect.shape[1]):
            seed_detect[s, k, 0] = rules[RULE_OWN_FOUND] if k == sensor else rules[RULE_OTHER_FOUND]
            seed_detect[s, k, 1] = rules[RULE_OWN_MISSED] if k == sensor else rules[RULE_OTHER_MISSED]
            seed_looks[s, k] = plot_ints[j, PLOT_TIME]
        enter(tracks + s, seed_floats[s, SEED_EAST], seed_floats[s, SEED_NORTH], heads, following)

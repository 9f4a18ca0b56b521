"""The kernel of a step: every group of plots through clutter map, association, update and birth, in one call.

Nothing is allocated in here; the step hands in its work space.
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    FREE,
    GROUP_END,
    GROUP_POLAR,
    GROUP_RADAR,
    GROUP_SENSOR,
    GROUP_SLICE,
    GROUP_START,
    GROUP_TURN,
    MEAN,
    PLOT_AMPLITUDE,
    PLOT_AZIMUTH,
    PLOT_CELL,
    PLOT_DENSITY,
    PLOT_EAST,
    PLOT_ECHO,
    PLOT_FLOWN,
    PLOT_NORTH,
    PLOT_RANGE,
    PLOT_RATIO,
    PLOT_RAW_EAST,
    PLOT_RAW_NORTH,
    PLOT_TAKEN,
    PLOT_TIME,
    PLOT_WEIGHT,
    PLOT_WIDE_CELL,
    RULE_CLUTTER_MIN,
    RULE_FALSE_REPLY,
    SEED_EAST,
    SEED_NORTH,
    SEED_TIME,
    SEED_USED,
    SEED_VE,
    SEED_VN,
    STATUS,
    TIME,
)
from lapwing.track.kernels_associate import choose, enter, find_pairs, marginals, weigh
from lapwing.track.kernels_clutter import (
    Counts,
    Marks,
    amplitude_ratio,
    cell_of,
    density_m2,
    learn,
    loudness,
    shyness,
    turn_over,
    wide_cell_of,
)
from lapwing.track.kernels_looks import sweep
from lapwing.track.kernels_seed import sow
from lapwing.track.kernels_update import commit


@inner_kernel
def align(first: int, last: int, sensor: int, applied: Floats, sites: Floats, plot_floats: Floats) -> None:
    """Take the applied registration of a radar off its plots."""
    range_m, azimuth_rad = applied[2 * sensor], applied[2 * sensor + 1]
    # Azimuth runs clockwise: taking off a positive bias turns the plot back, anticlockwise.
    c, s = math.cos(azimuth_rad), math.sin(azimuth_rad)
    for j in range(first, last):
        de, dn = plot_floats[j, PLOT_RAW_EAST] - sites[sensor, 0], plot_floats[j, PLOT_RAW_NORTH] - sites[sensor, 1]
        shorter = 1.0 - range_m / (math.sqrt(de * de + dn * dn) + 1e-9)
        plot_floats[j, PLOT_EAST] = sites[sensor, 0] + (c * de - s * dn) * shorter
        plot_floats[j, PLOT_NORTH] = sites[sensor, 1] + (s * de + c * dn) * shorter


@inner_kernel
def judge_plots(first: int, last: int, sensor: int, polar: bool, plot_floats: Floats, plot_ints: Ints, fine: Counts,
                coarse: Counts, histogram: Counts, map_floats: Floats, map_ints: Ints, rise: Floats, rules: Floats) -> None:
    """Write per plot the density of false ones (m-2 a scan) and how its amplitude speaks for an object."""
    total, floor = loudness(sensor, histogram)
    for j in range(first, last):
        plot_floats[j, PLOT_DENSITY] = rules[RULE_FALSE_REPLY]
        plot_floats[j, PLOT_RATIO] = 1.0
        plot_floats[j, PLOT_TAKEN] = 0.0
        plot_floats[j, PLOT_WEIGHT] = 0.0
        plot_floats[j, PLOT_FLOWN] = 0.0
        plot_ints[j, PLOT_CELL], plot_ints[j, PLOT_WIDE_CELL] = -1, -1
        if plot_ints[j, PLOT_ECHO] != 0:
            if polar:
                plot_floats[j, PLOT_DENSITY] = max(rules[RULE_CLUTTER_MIN], density_m2(
                    sensor, plot_floats[j, PLOT_RANGE], plot_floats[j, PLOT_AZIMUTH], 0.0, 0.0, fine, coarse, map_floats, map_ints))
                cell = cell_of(sensor, plot_floats[j, PLOT_RANGE], plot_floats[j, PLOT_AZIMUTH], map_ints)
                plot_ints[j, PLOT_CELL], plot_ints[j, PLOT_WIDE_CELL] = cell, wide_cell_of(cell)
                plot_floats[j, PLOT_RATIO] = amplitude_ratio(
                    sensor, plot_floats[j, PLOT_AMPLITUDE], histogram, total, floor, rise)
            else:
                plot_floats[j, PLOT_DENSITY] = 100.0 * rules[RULE_CLUTTER_MIN]


@kernel
def process(groups: Ints, plot_floats: Floats, plot_ints: Ints, floats: Floats, ints: Ints, detect: Floats, looks: Ints,
            seed_floats: Floats, seed_ints: Ints, seed_detect: Floats, seed_looks: Ints, fine: Counts, coarse: Counts,
            histogram: Counts, seen: Marks, map_floats: Floats, map_ints: Ints, rise: Floats, sites: Floats, reach: Floats,
            bias_cov: Floats, applied: Floats, model: Floats, rules: Floats, heads: Ints, following: Ints,
            track_pair: Ints, track_sum: Floats, pair_floats: Floats, pair_ints: Ints, scratch: Floats,
            log_floats: Floats, log_ints: Ints, touched: Ints, registered: Ints, counts: Ints, clocks: Ints, fall: float,
            patience_ns: int) -> None:
    """Take the groups of a step, in order, into tracks, seeds, clutter maps and log.

    `clocks` (S, 3), ns: before the step, turn, and after the looks of the step. In a long step the looks that gave nothing
    are counted every second on the way: late, they would let a chain of clutter live that a live run has long dropped.
    """
    tracks, begin_ns = len(floats), plot_ints[0, PLOT_TIME]
    for i in range(tracks):
        if ints[i, STATUS] != FREE:
            dt = (begin_ns - ints[i, TIME]) * 1e-9
            enter(i, floats[i, MEAN] + dt * floats[i, MEAN + 2], floats[i, MEAN + 1] + dt * floats[i, MEAN + 3], heads,
                  following)
    for s in range(len(seed_ints)):
        if seed_ints[s, SEED_USED] != 0:
            known = not math.isnan(seed_floats[s, SEED_VE])
            dt = (begin_ns - seed_ints[s, SEED_TIME]) * 1e-9 if known else 0.0
            enter(tracks + s, seed_floats[s, SEED_EAST] + (dt * seed_floats[s, SEED_VE] if known else 0.0),
                  seed_floats[s, SEED_NORTH] + (dt * seed_floats[s, SEED_VN] if known else 0.0), heads, following)
    for g in range(len(groups)):
        first, last, sensor = groups[g, GROUP_START], groups[g, GROUP_END], groups[g, GROUP_SENSOR]
        if g > 0 and groups[g, GROUP_SLICE] != groups[g - 1, GROUP_SLICE]:
            now_ns = plot_ints[first, PLOT_TIME]
            for s in range(len(clocks)):
                clocks[s, 0] = max(clocks[s, 0], min(clocks[s, 2], now_ns))
            sweep(clocks, sites, reach, floats, ints, detect, looks, seed_floats, seed_ints, seed_detect, seed_looks, fall,
                  now_ns, patience_ns, -1)
        turn_ns, radar, polar = groups[g, GROUP_TURN], groups[g, GROUP_RADAR] != 0, groups[g, GROUP_POLAR] != 0
        if radar:
            align(first, last, sensor, applied, sites, plot_floats)
        judge_plots(first, last, sensor, polar, plot_floats, plot_ints, fine, coarse, histogram, map_floats, map_ints, rise,
                    rules)
        count = find_pairs(first, last, sensor, (2 * turn_ns) // 5, reach[sensor, 1], floats, ints, looks, seed_floats,
                           seed_ints, heads, following, plot_floats, plot_ints, sites, bias_cov, model, rules,
                           pair_floats, pair_ints)
        weigh(count, sensor, floats, ints, detect, seed_floats, seed_ints, seed_detect, plot_floats, plot_ints, fine, coarse,
              map_floats, map_ints, rules, pair_floats, pair_ints)
        marginals(count, first, last, pair_floats, pair_ints, track_sum, plot_floats)
        choose(count, first, last, floats, ints, pair_floats, pair_ints, track_pair, plot_ints)
        commit(count, sensor, turn_ns, floats, ints, detect, looks, seed_floats, seed_ints, seed_detect, seed_looks, heads,
               following, plot_floats, plot_ints, pair_floats, pair_ints, model, rules, shyness(sensor, map_floats), coarse, map_ints,
               sites, scratch, log_floats, log_ints, touched, registered, counts)
        sow(first, last, sensor, tracks, shyness(sensor, map_floats), seed_floats, seed_ints, seed_detect, seed_looks, heads,
            following, plot_floats, plot_ints, rules, counts)
        clocks[sensor, 0] = max(clocks[sensor, 0], plot_ints[last - 1, PLOT_TIME])
        if polar:
            turn_over(sensor, plot_ints[last - 1, PLOT_TIME], turn_ns, fine, coarse, histogram, seen, map_floats, map_ints)
            for j in range(first, last):
                if plot_ints[j, PLOT_ECHO] != 0:
                    learn(sensor, plot_floats[j, PLOT_RANGE], plot_floats[j, PLOT_AZIMUTH], plot_floats[j, PLOT_AMPLITUDE],
                          1.0 - plot_floats[j, PLOT_FLOWN], fine, coarse, histogram, seen, map_floats, map_ints)
    for s in range(len(seed_ints)):
        seed_ints[s, SEED_USED] = max(seed_ints[s, SEED_USED], 0)

"""Kernels of the looks that gave a candidate no plot: existence falls, detection is remembered, old seeds go."""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    CONFIRMED,
    FREE,
    HEIGHT,
    LOG_ODDS,
    LOOK,
    MEAN,
    SEED_BIRTH,
    SEED_EAST,
    SEED_HEIGHT,
    SEED_LOG_ODDS,
    SEED_NORTH,
    SEED_TIME,
    SEED_USED,
    STATUS,
)

MEMORY_LOOKS = 12.0    # looks that the detection probability of a track and radar remembers
LATE_LOOK = 1.35       # a look counts as missed when this part of a turn has gone by since the last one
LEAST_MISSED = 0.05    # share of misses that taking them back leaves
REACH_TERRAIN = 2      # column of the reaches where terrain begins
LOW_M = 300.0          # of what has no known height: as high as the sense stage takes it
EFFECTIVE_DIAMETER_M = 2.0 * 6_371_008.8 * 4.0 / 3.0
MISS_PROB_MAX = 0.67   # highest detection probability that a missed look of a confirmed track is charged with


@inner_kernel
def remember(detect: Floats, i: int, sensor: int, found: float, missed: float) -> None:
    """Add a look to the detection parameters of a candidate and sensor; old looks fade."""
    one, two = detect[i, sensor, 0] + found, detect[i, sensor, 1] + missed
    fade = MEMORY_LOOKS / (one + two) if one + two > MEMORY_LOOKS else 1.0
    detect[i, sensor, 0] = one * fade
    detect[i, sensor, 1] = two * fade


@inner_kernel
def take_back(share: float, detect: Floats, i: int, sensor: int) -> float:
    """Return by how much a confirmed track's log odds rise when the plot of a look that has been counted as missed comes late.

    `share` is the probability that the plot is this track's. Where plots come in order of time there is none such.
    """
    found, missed = detect[i, sensor, 0], detect[i, sensor, 1]
    detect[i, sensor, 1] = max(missed - share, min(missed, LEAST_MISSED * (found + missed)))
    pd = found / (found + detect[i, sensor, 1])
    return -share * math.log(1.0 - min(pd, MISS_PROB_MAX))


@inner_kernel
def pass_over(log_odds: float, certain: bool, seen: bool, wait_ns: int, turn_ns: int, clock_ns: int, look_ns: int,
              detect: Floats, i: int, sensor: int) -> tuple[float, int]:
    """Return (log odds, last look) of one candidate after the looks of one radar that gave it no plot.

    A candidate out of sight is not looked at: that counts neither way, so that a hidden object coasts instead of dying.
    """
    number = 0
    while clock_ns - look_ns > wait_ns:
        number += 1
        if number > 6:
            return log_odds, clock_ns - wait_ns
        look_ns += turn_ns
        if seen:
            pd = detect[i, sensor, 0] / (detect[i, sensor, 0] + detect[i, sensor, 1])
            exists = 1.0 / (1.0 + math.exp(-log_odds))
            # A fading or turning object is missed several times in a row: misses are not independent, so none counts
            # more than that of an object seen two times in three.
            log_odds += math.log(1.0 - min(pd, MISS_PROB_MAX if certain else 0.9))
            remember(detect, i, sensor, 0.0, exists if certain else 1.0)
    return log_odds, look_ns


@inner_kernel
def in_sight(sensor: int, east: float, north: float, height_m: float, sites: Floats, reach: Floats) -> bool:
    """Return whether a place is within a radar's range and, where its height is known, above the 4/3-earth horizon and the terrain.

    `reach` (S, 2): greatest range, antenna height; m. With terrain 360 columns more: the tangent of its elevation at each degree of
    the plane's azimuth. What has no known height is taken to fly low behind it: silence from there is no proof.
    """
    de, dn = east - sites[sensor, 0], north - sites[sensor, 1]
    distance = math.sqrt(de * de + dn * dn)
    if distance > reach[sensor, 0] * 1.001 + 200.0:
        return False
    if reach.shape[1] > REACH_TERRAIN:
        degree = (math.degrees(math.atan2(de, dn)) % 360.0)
        before = int(degree) % 360
        slope = reach[sensor, REACH_TERRAIN + before]
        slope += (degree - int(degree)) * (reach[sensor, REACH_TERRAIN + (before + 1) % 360] - slope)
        above = LOW_M if math.isnan(height_m) else height_m
        if above < reach[sensor, 1] + distance * slope + distance * distance / EFFECTIVE_DIAMETER_M:
            return False
    if math.isnan(height_m):
        return True
    # 4.124 km per sqrt(m): 4/3 earth; heights above the ellipsoid stand in for those above the surface.
    return distance < 4124.0 * (math.sqrt(max(reach[sensor, 1], 0.0)) + math.sqrt(max(height_m, 0.0)))


@kernel
def sweep(clocks: Ints, sites: Floats, reach: Floats, floats: Floats, ints: Ints, detect: Floats, looks: Ints,
          seed_floats: Floats, seed_ints: Ints, seed_detect: Floats, seed_looks: Ints, fall: float, newest_ns: int,
          patience_ns: int, gone: int) -> None:
    """Count the looks of every radar that gave a track or seed no plot; forget the seeds whose time is over.

    `clocks` (S, 2 or more), ns: the radar's own clock (its newest plot or look; 0 or less: none) and its turn. A seed is
    forgotten `patience_ns` before `newest_ns`, or when its log odds have fallen by `fall`: its row is marked `gone`.
    """
    for sensor in range(len(clocks)):
        clock_ns, turn_ns = clocks[sensor, 0], clocks[sensor, 1]
        if clock_ns <= 0 or turn_ns <= 0:
            continue
        wait_ns = int(LATE_LOOK * turn_ns)
        for i in range(len(ints)):
            if ints[i, STATUS] != FREE and clock_ns - looks[i, sensor, LOOK] > wait_ns:
                seen = in_sight(sensor, floats[i, MEAN], floats[i, MEAN + 1], floats[i, HEIGHT], sites, reach)
                floats[i, LOG_ODDS], looks[i, sensor, LOOK] = pass_over(
                    floats[i, LOG_ODDS], ints[i, STATUS] == CONFIRMED, seen, wait_ns, turn_ns, clock_ns,
                    looks[i, sensor, LOOK], detect, i, sensor)
        for i in range(len(seed_ints)):
            if seed_ints[i, SEED_USED] == 1 and clock_ns - seed_looks[i, sensor] > wait_ns:
                seen = in_sight(sensor, seed_floats[i, SEED_EAST], seed_floats[i, SEED_NORTH],
                                seed_floats[i, SEED_HEIGHT], sites, reach)
                seed_floats[i, SEED_LOG_ODDS], seed_looks[i, sensor] = pass_over(
                    seed_floats[i, SEED_LOG_ODDS], False, seen, wait_ns, turn_ns, clock_ns, seed_looks[i, sensor],
                    seed_detect, i, sensor)
    for i in range(len(seed_ints)):
        if seed_ints[i, SEED_USED] == 1 and (
                newest_ns - seed_ints[i, SEED_TIME] > patience_ns
                or seed_floats[i, SEED_LOG_ODDS] < max(seed_floats[i, SEED_BIRTH] - fall, -25.0)):
            seed_ints[i, SEED_USED] = gone

"""The kernel that tends tracks after a step: what they have shown so far, and who earns, keeps or loses a status.

The rules are stated in lifecycle.py and classify.py; the numbers they read come in `rules` (LIFE_*).
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    BIRTH,
    BORN,
    CONFIRMED,
    FREE,
    HITS,
    IDENTIFIED,
    LAST_PLOT,
    LOG_ODDS,
    MASK,
    MEAN,
    MEAN_COV,
    SEED,
    STATISTICS,
    STATUS,
    SURE,
    TENTATIVE,
    TIME,
)

# Columns of the statistics
(SECONDS, SPEED, SPEED_SQUARE, TURN_SQUARE, SPEED_MAX, SPEED_MIN, LAST_S, HEADING, PATH_M, REACH_M, EAST, NORTH,
 SLOW_EAST, SLOW_NORTH) = range(STATISTICS, STATISTICS + 14)
MEMORY_S = 60.0
# Entries of the rules
(LIFE_EXPORT, LIFE_CONFIRM, LIFE_PLOTS, LIFE_MOVING, LIFE_MOVED, LIFE_SPEED_MAX, LIFE_FAST, LIFE_SEEN, LIFE_FALL,
 LIFE_COAST_MIN, LIFE_COAST_MAX, LIFE_HIDDEN, LIFE_DROP, LIFE_STILL_S, LIFE_STILL_M, LIFE_ROAMED, LIFE_NEAR) = range(17)
UNKNOWN_M = 5e8      # a range beyond is none: not told
TRAVELS_CHI2, TRAVELS_D2 = 16.0, 16.0     # 4 sigma of its speed, and of its place
# Bits of the verdict on a row
BECAME_TENTATIVE, BECAME_CONFIRMED, FORGET, LOST = 1, 2, 4, 8


@inner_kernel
def observe(floats: Floats, ints: Ints, i: int) -> None:
    """Take the present place, speed and heading of an updated track into its statistics."""
    east, north, ve, vn = floats[i, MEAN], floats[i, MEAN + 1], floats[i, MEAN + 2], floats[i, MEAN + 3]
    if floats[i, EAST] == 0.0:
        floats[i, EAST] = floats[i, SLOW_EAST] = east
        floats[i, NORTH] = floats[i, SLOW_NORTH] = north
    floats[i, REACH_M] = max(floats[i, REACH_M], math.hypot(east - floats[i, EAST], north - floats[i, NORTH]))
    now_s = (ints[i, TIME] - ints[i, BORN]) * 1e-9
    dt = max(now_s - floats[i, LAST_S], 0.0)
    follow = 1.0 - math.exp(-dt / MEMORY_S)
    floats[i, SLOW_EAST] += follow * (east - floats[i, SLOW_EAST])
    floats[i, SLOW_NORTH] += follow * (north - floats[i, SLOW_NORTH])
    floats[i, LAST_S] = now_s
    speed = math.hypot(ve, vn)
    sigma = math.sqrt(max(0.5 * (floats[i, MEAN_COV + 10] + floats[i, MEAN_COV + 15]), 0.0))
    # A speed that is not yet known to a quarter (or 4 m/s) would only teach noise.
    if sigma >= max(0.25 * speed, 4.0) or ints[i, HITS] < 4 or dt <= 0.0:
        return
    heading = math.atan2(ve, vn)
    gain, rate = 1.0, 0.0
    if floats[i, SECONDS] == 0.0:
        floats[i, SECONDS] = 1.0
    else:
        floats[i, SECONDS] += min(dt, 30.0)
        gain = 1.0 - math.exp(-dt / min(MEMORY_S, floats[i, SECONDS]))
        turned = (heading - floats[i, HEADING] + math.pi) % (2.0 * math.pi) - math.pi
        rate = min(abs(turned) / max(dt, 2.0), 0.5)
    floats[i, SPEED] += gain * (speed - floats[i, SPEED])
    floats[i, SPEED_SQUARE] += gain * (speed * speed - floats[i, SPEED_SQUARE])
    floats[i, TURN_SQUARE] += gain * (rate - floats[i, TURN_SQUARE])
    slow, settled = floats[i, SPEED], floats[i, SECONDS] > 45.0
    floats[i, SPEED_MAX] = max(floats[i, SPEED_MAX], slow) if settled else slow
    floats[i, SPEED_MIN] = min(floats[i, SPEED_MIN], slow) if settled else slow
    floats[i, HEADING] = heading
    floats[i, PATH_M] += speed * min(dt, 30.0)


@inner_kernel
def travels(floats: Floats, i: int) -> bool:
    """Return whether a track surely goes somewhere: its speed is not 0, and it is well away from where it began."""
    ve, vn, c = floats[i, MEAN + 2], floats[i, MEAN + 3], MEAN_COV
    det = floats[i, c + 10] * floats[i, c + 15] - floats[i, c + 11] * floats[i, c + 11]
    chi2 = (ve * ve * floats[i, c + 15] - 2.0 * ve * vn * floats[i, c + 11] + vn * vn * floats[i, c + 10]) / det
    reach = floats[i, REACH_M]
    return bool(chi2 > TRAVELS_CHI2 and reach * reach > TRAVELS_D2 * (floats[i, c] + floats[i, c + 5]))


@inner_kernel
def plausible(floats: Floats, ints: Ints, detect: Floats, i: int, sites: Floats, reach: Floats, rules: Floats) -> bool:
    """Return whether a row moves as what flies does: a speed surely not 0, and possible. Identity proves it too."""
    ve, vn, c = floats[i, MEAN + 2], floats[i, MEAN + 3], MEAN_COV
    det = floats[i, c + 10] * floats[i, c + 15] - floats[i, c + 11] * floats[i, c + 11]
    chi2 = (ve * ve * floats[i, c + 15] - 2.0 * ve * vn * floats[i, c + 11] + vn * vn * floats[i, c + 10]) / det
    speed, known = math.hypot(ve, vn), ints[i, IDENTIFIED] >= 3
    moving = chi2 > rules[LIFE_MOVING] and speed > 2.0 and floats[i, REACH_M] > rules[LIFE_MOVED]
    if speed >= rules[LIFE_SPEED_MAX] or not (moving or known):
        return False
    # Chance joins plots of nothing into fast chains: the faster, the more plots lie within reach. Such a chain is seen
    # on a turn in four; a jet without transponder, rare as it is, on most. So a fast one must be seen by some sensor.
    # Likewise near a radar: echoes fall with the fourth power of range, so what that radar sees at all at the end of its
    # range, it sees on nearly every turn at a quarter of it (24 dB more); a chain through its residue it does not.
    seen, near = 0.0, False
    for sensor in range(detect.shape[1]):
        seen = max(seen, detect[i, sensor, 0] / (detect[i, sensor, 0] + detect[i, sensor, 1]))
        if (ints[i, MASK] >> min(sensor, 63)) & 1 != 0 and reach[sensor, 0] < UNKNOWN_M:
            away = math.hypot(floats[i, MEAN] - sites[sensor, 0], floats[i, MEAN + 1] - sites[sensor, 1])
            near = near or away < rules[LIFE_NEAR] * reach[sensor, 0]
    return bool(known or seen > rules[LIFE_SEEN] or (speed <= rules[LIFE_FAST] and not near))


@inner_kernel
def lost(floats: Floats, ints: Ints, i: int, clock_ns: int, slowest_turn_s: float, rules: Floats) -> bool:
    """Return whether a confirmed row has ended."""
    quiet_s = (clock_ns - ints[i, SURE]) * 1e-9
    age_s = (ints[i, LAST_PLOT] - ints[i, BORN]) * 1e-9
    # A slow radar alone needs its turns: four of them before anything confirmed is given up.
    may_coast = max(min(max(0.5 * age_s, rules[LIFE_COAST_MIN]), rules[LIFE_COAST_MAX]), 4.0 * slowest_turn_s)
    if quiet_s > may_coast or (quiet_s > rules[LIFE_COAST_MIN] and floats[i, LOG_ODDS] < rules[LIFE_HIDDEN]):
        return True
    # Plots still come, but no better than clutter would give them: it feeds on clutter, and is not hidden.
    if quiet_s < 0.5 * rules[LIFE_COAST_MIN] and floats[i, LOG_ODDS] < rules[LIFE_DROP]:
        return True
    # Long watched, hardly moved in the last minute and never far from where it began: a thing on the ground.
    crawled_m = math.hypot(floats[i, MEAN] - floats[i, SLOW_EAST], floats[i, MEAN + 1] - floats[i, SLOW_NORTH])
    return bool(age_s > rules[LIFE_STILL_S] and crawled_m < rules[LIFE_STILL_M] and ints[i, IDENTIFIED] < 3
                and floats[i, REACH_M] < rules[LIFE_ROAMED])


@kernel
def tend(floats: Floats, ints: Ints, detect: Floats, touched: Ints, clock_ns: int, slowest_turn_s: float, sites: Floats,
         reach: Floats, rules: Floats, verdict: Ints) -> int:
    """Change the status of rows that earned it; write the verdict bits of every row; return all bits that occur."""
    every = 0
    for i in range(len(ints)):
        verdict[i] = 0
        if ints[i, STATUS] == FREE:
            continue
        if touched[i] != 0:
            observe(floats, ints, i)
        if ints[i, STATUS] == SEED and ints[i, HITS] >= 3 and floats[i, LOG_ODDS] > rules[LIFE_EXPORT]:
            ints[i, STATUS] = TENTATIVE
            verdict[i] |= BECAME_TENTATIVE
        if ints[i, STATUS] == TENTATIVE and floats[i, LOG_ODDS] > rules[LIFE_CONFIRM] and (
                ints[i, HITS] >= rules[LIFE_PLOTS] or (ints[i, IDENTIFIED] >= 3 and ints[i, HITS] >= 3)
        ) and plausible(floats, ints, detect, i, sites, reach, rules):
            ints[i, STATUS] = CONFIRMED
            verdict[i] |= BECAME_CONFIRMED
        if ints[i, STATUS] == CONFIRMED:
            if lost(floats, ints, i, clock_ns, slowest_turn_s, rules):
                verdict[i] |= LOST
        else:
            quiet_s = (clock_ns - ints[i, LAST_PLOT]) * 1e-9
            tentative = ints[i, STATUS] == TENTATIVE
            if (quiet_s > (4.5 if tentative else 3.5) * slowest_turn_s
                    or floats[i, LOG_ODDS] < max(floats[i, BIRTH] - rules[LIFE_FALL], -25.0)
                    or (tentative and floats[i, LOG_ODDS] < rules[LIFE_EXPORT] - 3.0)):
                verdict[i] |= FORGET
        every |= verdict[i]
    return every

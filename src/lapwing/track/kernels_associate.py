"""Kernels that decide which plot may belong to which track: pairs by gating, marginals by loopy belief propagation.

Cost is bounded whatever the clutter: a grid limits the pairs, and belief propagation (Williams, Lau 2014, "Approximate
evaluation of marginal association probabilities with belief propagation", IEEE T-AES 50(4)) takes a fixed number of
passes over them. No hypotheses are enumerated.

Longer than 400 lines because of the list of columns that it reads; its kernels call each other and are read together.

Candidates are numbered: c < len(floats) is track row c, beyond that seed row c - len(floats).
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    CONFIRMED,
    FREE,
    GATE_M,
    GATE_MPS,
    HEIGHT,
    HIT,
    HITS,
    ICAO,
    IDENTIFIED,
    LAST_SENSOR,
    LIFTS,
    LOG_ODDS,
    MEAN,
    MODE,
    MODE3A,
    MODEL_NOISE,
    MODEL_REST,
    MODEL_TURN,
    MODES,
    OFF_M,
    OFF_MPS,
    OWN_CELL,
    OWN_COARSE,
    OWN_FINE,
    OWN_WIDE_CELL,
    PAIR_CLEAN,
    PAIR_DISTANCE2,
    PAIR_EAST,
    PAIR_EE,
    PAIR_EN,
    PAIR_LIFT_EAST,
    PAIR_LIFT_NORTH,
    PAIR_LIKELIHOOD,
    PAIR_MARGINAL,
    PAIR_MESSAGE,
    PAIR_NN,
    PAIR_NORTH,
    PAIR_ORDER,
    PAIR_PLOT,
    PAIR_RATIO,
    PAIR_SHARE,
    PAIR_STATE,
    PAIR_TRACK,
    PAIR_WEIGHT,
    PLOT_AZIMUTH,
    PLOT_CELL,
    PLOT_DENSITY,
    PLOT_EAST,
    PLOT_EE,
    PLOT_EN,
    PLOT_HEIGHT,
    PLOT_ICAO,
    PLOT_LIFTS,
    PLOT_MODE3A,
    PLOT_NN,
    PLOT_NORTH,
    PLOT_OWNER,
    PLOT_RANGE,
    PLOT_RATIO,
    PLOT_SCALE,
    PLOT_TAKEN,
    PLOT_TIME,
    PLOT_WIDE_CELL,
    RULE_CLUTTER_MIN,
    RULE_NEWCOMERS,
    RULE_NOISE_MAX,
    RULE_SPEED_SIGMA,
    RULE_TURN_MAX,
    SEED_CELL,
    SEED_EAST,
    SEED_EE,
    SEED_EN,
    SEED_HEIGHT,
    SEED_ICAO,
    SEED_LOG_ODDS,
    SEED_MODE3A,
    SEED_NN,
    SEED_NORTH,
    SEED_OWN,
    SEED_SENSOR,
    SEED_TIME,
    SEED_USED,
    SEED_VE,
    SEED_VN,
    SEED_WIDE_CELL,
    STATUS,
    TIME,
)
from lapwing.track.kernels_clutter import Counts, density_m2
from lapwing.track.kernels_life import travels
from lapwing.track.kernels_lift import high, lift_at, mean_lift, most_lift, widest_lift
from lapwing.track.kernels_motion import innovation, noise_scale, turn_factors

CELL_M = 8_000.0       # grid cell; also the farthest a plot may lie from a prediction
GRID = 64              # the grid wraps after 64 cells (512 km); distance is checked, so a wrapped one only costs time
GATE_D2 = 16.0         # chi-square, 2 degrees: 99.97 %
IDENTITY_D2 = 150.0    # same 24-bit address: a lost aircraft may have turned meanwhile
PASSES = 20            # of belief propagation; it contracts geometrically
PAIRS_PER_PLOT = 24    # bound of the pairs of a group, in the mean over its plots
KNOWN_MPS2 = 25.0      # variance of a reported velocity
SHARED_SPREAD = 4.0    # of a plot that two objects share: each lies somewhere in the beam,
SHARED_M2 = 100.0**2   # and within a pulse's length


@inner_kernel
def cell(east_m: float, north_m: float) -> int:
    """Return the grid cell of a place."""
    return int((math.floor(east_m / CELL_M) % GRID) * GRID + math.floor(north_m / CELL_M) % GRID)


@inner_kernel
def enter(candidate: int, east_m: float, north_m: float, heads: Ints, following: Ints) -> None:
    """Put a candidate in front of its cell's list."""
    here = cell(east_m, north_m)
    following[candidate] = heads[here]
    heads[here] = candidate


@inner_kernel
def ground_range_m(slant_m: float, antenna_m: float, height_m: float) -> float:
    """Return the distance on a sphere beneath a slant range; 0 where the height exceeds the range."""
    radius = 6_371_000.0
    square = slant_m * slant_m - (height_m - antenna_m) ** 2
    if square <= 0.0:
        return 0.0
    half = math.sqrt(square / (4.0 * (radius + antenna_m) * (radius + height_m)))
    return 2.0 * radius * math.asin(min(1.0, half))


@inner_kernel
def bias_spread(east: float, north: float, sites: Floats, first: int, second: int,
                bias_cov: Floats) -> tuple[float, float, float]:
    """Return (ee, en, nn) m2: how far two sensors may disagree at a place because of their registration errors."""
    ee, en, nn = 0.0, 0.0, 0.0
    # Columns of the Jacobian: first sensor's range, azimuth, second's range, azimuth.
    for i in range(4):
        one = first if i < 2 else second
        de, dn = east - sites[one, 0], north - sites[one, 1]
        away = 1.0 / (math.sqrt(de * de + dn * dn) + 1e-9) if i % 2 == 0 else 0.0
        e_i, n_i = (de * away, dn * away) if i % 2 == 0 else (dn, -de)
        sign = 1.0 if i < 2 else -1.0
        for j in range(4):
            two = first if j < 2 else second
            de, dn = east - sites[two, 0], north - sites[two, 1]
            away = 1.0 / (math.sqrt(de * de + dn * dn) + 1e-9) if j % 2 == 0 else 0.0
            e_j, n_j = (de * away, dn * away) if j % 2 == 0 else (dn, -de)
            p = bias_cov[2 * one + i % 2, 2 * two + j % 2] * (sign if j < 2 else -sign)
            ee += e_i * p * e_j
            en += e_i * p * n_j
            nn += n_i * p * n_j
    return ee, en, nn


@inner_kernel
def identity_factor(plot_icao: int, plot_mode3a: int, track_icao: int, track_mode3a: int,
                    track_identified: int) -> float:
    """Return the factor on the likelihood by identity: 0 forbids the pair, 1e6 binds it."""
    if plot_icao >= 0 and track_icao >= 0:
        return 1e6 if plot_icao == track_icao else 0.0
    if plot_mode3a >= 0 and track_mode3a >= 0:
        if plot_mode3a == track_mode3a:
            return 100.0
        return 0.0 if track_identified >= 3 else 0.02
    return 1.0


@inner_kernel
def find_pairs(first: int, last: int, sensor: int, same_scan_ns: int, antenna_m: float, floats: Floats, ints: Ints,
               looks: Ints, seed_floats: Floats, seed_ints: Ints, heads: Ints, following: Ints,
               plot_floats: Floats, plot_ints: Ints, sites: Floats, bias_cov: Floats, model: Floats, rules: Floats,
               pair_floats: Floats, pair_ints: Ints) -> int:
    """Fill the pair rows with every candidate and plot [first, last) that may belong together; return how many.

    Beyond `PAIRS_PER_PLOT` a plot in the mean the rest is left out. A pair holds the plot as that track should see it:
    at the track's height, with the doubt of registration between the two sensors.
    """
    tracks, count = len(floats), 0
    bound = min(len(pair_ints), PAIRS_PER_PLOT * (last - first))
    speed_m2 = rules[RULE_SPEED_SIGMA] * rules[RULE_SPEED_SIGMA]
    for j in range(first, last):
        plot_ns = plot_ints[j, PLOT_TIME]
        icao, mode3a = plot_ints[j, PLOT_ICAO], plot_ints[j, PLOT_MODE3A]
        east, north, height = plot_floats[j, PLOT_EAST], plot_floats[j, PLOT_NORTH], plot_floats[j, PLOT_HEIGHT]
        r_trace = plot_floats[j, PLOT_EE] + plot_floats[j, PLOT_NN]
        cell_e, cell_n = math.floor(east / CELL_M), math.floor(north / CELL_M)
        for near in range(9):
            following_one = heads[((cell_e + near // 3 - 1) % GRID) * GRID + (cell_n + near % 3 - 1) % GRID]
            while following_one >= 0:
                c = following_one
                following_one = following[c]
                if c < tracks:
                    if ints[c, STATUS] == FREE:
                        continue
                    dt = (plot_ns - ints[c, TIME]) * 1e-9
                    ve, vn = floats[c, MEAN + 2], floats[c, MEAN + 3]
                    de, dn = east - floats[c, MEAN] - ve * dt, north - floats[c, MEAN + 1] - vn * dt
                    gate_m = floats[c, GATE_M] + abs(dt) * floats[c, GATE_MPS]
                    off_m = floats[c, OFF_M] + abs(dt) * floats[c, OFF_MPS] + 0.5 * rules[RULE_TURN_MAX] * dt * dt * (
                        math.sqrt(ve * ve + vn * vn) + floats[c, OFF_MPS])
                    scale = noise_scale(floats, c, ints[c, HITS])
                    v_m2 = 0.0
                    hit_ns, height_known = looks[c, sensor, HIT], floats[c, HEIGHT]
                    other, last_sensor = ints[c, ICAO], ints[c, LAST_SENSOR]
                else:
                    s = c - tracks
                    if seed_ints[s, SEED_USED] != 1:
                        continue
                    dt = (plot_ns - seed_ints[s, SEED_TIME]) * 1e-9
                    known = not math.isnan(seed_floats[s, SEED_VE])
                    ve, vn = (seed_floats[s, SEED_VE], seed_floats[s, SEED_VN]) if known else (0.0, 0.0)
                    de = east - seed_floats[s, SEED_EAST] - ve * dt
                    dn = north - seed_floats[s, SEED_NORTH] - vn * dt
                    v_m2 = KNOWN_MPS2 if known else speed_m2
                    gate_m = math.sqrt(seed_floats[s, SEED_EE] + seed_floats[s, SEED_NN]) + abs(dt) * math.sqrt(2.0 * v_m2)
                    off_m = 0.5 * rules[RULE_TURN_MAX] * dt * dt * math.sqrt(ve * ve + vn * vn)
                    scale = 1.0
                    last_sensor = seed_ints[s, SEED_SENSOR]
                    hit_ns = seed_ints[s, SEED_TIME] if last_sensor == sensor else plot_ns - same_scan_ns
                    height_known, other = seed_floats[s, SEED_HEIGHT], seed_ints[s, SEED_ICAO]
                noise_m2 = scale * rules[RULE_NOISE_MAX] * abs(dt) ** 3 / 3.0
                square = de * de + dn * dn
                if square > CELL_M * CELL_M or abs(plot_ns - hit_ns) < same_scan_ns:
                    continue  # too far; or: one look gives one object one plot
                ze, zn, lift_e, lift_n = east, north, 0.0, 0.0
                if math.isnan(height) and not math.isnan(height_known) and not math.isnan(plot_floats[j, PLOT_RANGE]):
                    # Laid down at a low default height: lay it down again at the height this track is known to fly.
                    oe, on = east - sites[sensor, 0], north - sites[sensor, 1]
                    d = math.sqrt(oe * oe + on * on) + 1e-9
                    ground = ground_range_m(plot_floats[j, PLOT_RANGE], antenna_m, height_known)
                    if ground == 0.0:
                        continue  # nearer than the track is high: not this object
                    shift = ground * plot_floats[j, PLOT_SCALE] - d
                    ze += oe / d * shift
                    zn += on / d * shift
                    off_m += abs(shift)
                elif c < tracks and plot_ints[j, PLOT_LIFTS] != 0:
                    oe, on = east - sites[sensor, 0], north - sites[sensor, 1]
                    d = math.sqrt(oe * oe + on * on) + 1e-9
                    each, bent = lift_at(d, mean_lift(floats, c))
                    if plot_ints[j, PLOT_LIFTS] == LIFTS or high(floats, c):
                        ze -= bent * oe / d
                        zn -= bent * on / d
                        lift_e, lift_n = each * oe / d, each * on / d
                        gate_m += each * widest_lift(floats, c)
                        off_m += each * most_lift(floats, c) + abs(bent)
                r_ee, r_en, r_nn = plot_floats[j, PLOT_EE], plot_floats[j, PLOT_EN], plot_floats[j, PLOT_NN]
                extra_m2 = 0.0
                if last_sensor != sensor and last_sensor >= 0:
                    b_ee, b_en, b_nn = bias_spread(ze, zn, sites, sensor, last_sensor, bias_cov)
                    r_ee += b_ee
                    r_en += b_en
                    r_nn += b_nn
                    extra_m2 = b_ee + b_nn
                gate_d2 = IDENTITY_D2 if icao >= 0 and other == icao else GATE_D2
                rest_m = math.sqrt(square) - off_m
                if rest_m > 0.0 and rest_m * rest_m > gate_d2 * (gate_m * gate_m + noise_m2 + r_trace + extra_m2):
                    continue  # beyond the gate of every mode
                if c < tracks:
                    factor = identity_factor(icao, mode3a, other, ints[c, MODE3A], ints[c, IDENTIFIED])
                else:
                    factor = identity_factor(icao, mode3a, other, seed_ints[c - tracks, SEED_MODE3A], 1)
                if factor == 0.0:
                    continue
                total, least = 0.0, 1e12
                for m in range(MODES):
                    a, b, _, _ = turn_factors(model[MODEL_TURN, m], dt)
                    q = model[MODEL_NOISE, m] * scale * abs(dt) ** 3 / 3.0
                    if c < tracks:
                        nu_e, nu_n, s_ee, s_en, s_nn = innovation(
                            floats, c, m, a, b, q, ze, zn, r_ee, r_en, r_nn, lift_e, lift_n)
                        share = floats[c, MODE + m]
                    else:
                        s = c - tracks
                        nu_e = ze - (seed_floats[s, SEED_EAST] + a * ve - b * vn)
                        nu_n = zn - (seed_floats[s, SEED_NORTH] + b * ve + a * vn)
                        spread = (a * a + b * b) * v_m2 + q
                        s_ee = seed_floats[s, SEED_EE] + spread + r_ee
                        s_en = seed_floats[s, SEED_EN] + r_en
                        s_nn = seed_floats[s, SEED_NN] + spread + r_nn
                        share = model[MODEL_REST, m]
                    det = s_ee * s_nn - s_en * s_en
                    d2 = (nu_e * nu_e * s_nn - 2.0 * nu_e * nu_n * s_en + nu_n * nu_n * s_ee) / det
                    if d2 < 80.0:
                        total += share * math.exp(-0.5 * d2) / (2.0 * math.pi * math.sqrt(det))
                    least = min(least, d2)
                if factor == 1e6 and least < IDENTITY_D2:
                    total = max(total, 1e-9)
                elif least > GATE_D2:
                    continue
                if count == bound:
                    return count
                pair_ints[count, PAIR_TRACK] = c
                pair_ints[count, PAIR_PLOT] = j
                pair_floats[count, PAIR_LIKELIHOOD] = total * factor * plot_floats[j, PLOT_RATIO]
                pair_floats[count, PAIR_DISTANCE2] = least
                pair_floats[count, PAIR_EAST] = ze
                pair_floats[count, PAIR_NORTH] = zn
                pair_floats[count, PAIR_EE] = r_ee
                pair_floats[count, PAIR_EN] = r_en
                pair_floats[count, PAIR_NN] = r_nn
                pair_floats[count, PAIR_LIFT_EAST] = lift_e
                pair_floats[count, PAIR_LIFT_NORTH] = lift_n
                count += 1
    return count


@inner_kernel
def weigh(count: int, sensor: int, floats: Floats, ints: Ints, detect: Floats, seed_floats: Floats, seed_ints: Ints,
          seed_detect: Floats, plot_floats: Floats, plot_ints: Ints, fine: Counts, coarse: Counts, map_floats: Floats,
          map_ints: Ints, rules: Floats, pair_floats: Floats, pair_ints: Ints) -> None:
    """Write Pd L / density (ratio) and psi = r Pd L / (density (1 - r Pd)) (weight) of every pair.

    `PAIR_CLEAN` is the ratio if the candidate is an object: what its own plots have added to the map is no clutter then.
    """
    tracks = len(floats)
    for p in range(count):
        c, j = pair_ints[p, PAIR_TRACK], pair_ints[p, PAIR_PLOT]
        own_fine, own_coarse = 0.0, 0.0
        if c < tracks:
            found, missed, log_odds = detect[c, sensor, 0], detect[c, sensor, 1], floats[c, LOG_ODDS]
            together = ints[c, STATUS] != CONFIRMED and travels(floats, c)
            for k in range(tracks if together else 0):
                if k == c or (ints[k, STATUS] != FREE and travels(floats, k)):
                    own_fine += floats[k, OWN_FINE] if ints[k, OWN_CELL] == plot_ints[j, PLOT_CELL] else 0.0
                    own_coarse += floats[k, OWN_COARSE] if ints[k, OWN_WIDE_CELL] == plot_ints[j, PLOT_WIDE_CELL] else 0.0
            if not together and ints[c, OWN_CELL] == plot_ints[j, PLOT_CELL]:
                own_fine = floats[c, OWN_FINE]
            if not together and ints[c, OWN_WIDE_CELL] == plot_ints[j, PLOT_WIDE_CELL]:
                own_coarse = floats[c, OWN_COARSE]
        else:
            s = c - tracks
            found, missed, log_odds = seed_detect[s, sensor, 0], seed_detect[s, sensor, 1], seed_floats[s, SEED_LOG_ODDS]
            if seed_ints[s, SEED_CELL] == plot_ints[j, PLOT_CELL]:
                own_fine = seed_floats[s, SEED_OWN]
            if seed_ints[s, SEED_WIDE_CELL] == plot_ints[j, PLOT_WIDE_CELL]:
                own_coarse = 1.0
        pd = found / (found + missed)
        exists = 1.0 / (1.0 + math.exp(-log_odds))
        likelihood = pd * pair_floats[p, PAIR_LIKELIHOOD]
        ratio = likelihood / (plot_floats[j, PLOT_DENSITY] + rules[RULE_NEWCOMERS])
        clean = ratio
        if plot_ints[j, PLOT_CELL] >= 0 and own_fine + own_coarse > 0.0:
            density = max(rules[RULE_CLUTTER_MIN], density_m2(
                sensor, plot_floats[j, PLOT_RANGE], plot_floats[j, PLOT_AZIMUTH], own_fine, own_coarse, fine, coarse,
                map_floats, map_ints))
            clean = likelihood / (density + rules[RULE_NEWCOMERS])
        pair_floats[p, PAIR_RATIO] = ratio
        pair_floats[p, PAIR_CLEAN] = clean
        pair_floats[p, PAIR_WEIGHT] = exists * ratio / (1.0 - exists * pd)


@inner_kernel
def marginals(count: int, first: int, last: int, pair_floats: Floats, pair_ints: Ints, track_sum: Floats,
              plot_floats: Floats) -> None:
    """Loopy belief propagation over pair weights.

    Writes each pair's share (message plot -> track, to be multiplied into its weight) and marginal probability, and for
    each plot [first, last) the probability that some track caused it. `track_sum` is work space for all candidates.
    """
    for p in range(count):
        pair_floats[p, PAIR_SHARE] = 1.0
    for _ in range(PASSES):
        for p in range(count):
            track_sum[pair_ints[p, PAIR_TRACK]] = 0.0
            plot_floats[pair_ints[p, PAIR_PLOT], PLOT_TAKEN] = 0.0
        for p in range(count):
            track_sum[pair_ints[p, PAIR_TRACK]] += pair_floats[p, PAIR_WEIGHT] * pair_floats[p, PAIR_SHARE]
        for p in range(count):
            weight = pair_floats[p, PAIR_WEIGHT]
            message = weight / (1.0 + max(0.0, track_sum[pair_ints[p, PAIR_TRACK]] - weight * pair_floats[p, PAIR_SHARE]))
            pair_floats[p, PAIR_MESSAGE] = message
            plot_floats[pair_ints[p, PAIR_PLOT], PLOT_TAKEN] += message
        change = 0.0
        for p in range(count):
            new = 1.0 / (1.0 + max(0.0, plot_floats[pair_ints[p, PAIR_PLOT], PLOT_TAKEN] - pair_floats[p, PAIR_MESSAGE]))
            change = max(change, abs(new - pair_floats[p, PAIR_SHARE]))
            pair_floats[p, PAIR_SHARE] = new
        if change < 1e-6:
            break
    for j in range(first, last):
        plot_floats[j, PLOT_TAKEN] = 0.0
    for p in range(count):
        track_sum[pair_ints[p, PAIR_TRACK]] = 0.0
    for p in range(count):
        track_sum[pair_ints[p, PAIR_TRACK]] += pair_floats[p, PAIR_WEIGHT] * pair_floats[p, PAIR_SHARE]
    for p in range(count):
        joint = pair_floats[p, PAIR_WEIGHT] * pair_floats[p, PAIR_SHARE]
        marginal = joint / (1.0 + track_sum[pair_ints[p, PAIR_TRACK]])
        pair_floats[p, PAIR_MARGINAL] = marginal
        plot_floats[pair_ints[p, PAIR_PLOT], PLOT_TAKEN] += marginal


@inner_kernel
def rank(count: int, column: int, pair_floats: Floats, pair_ints: Ints) -> None:
    """Write the order of the pairs by a column, greatest first, equal ones as they stand: a heap sort in place."""
    for p in range(count):
        pair_ints[p, PAIR_ORDER] = p
    start, end = count // 2, count
    while end > 1:
        if start > 0:
            start -= 1
        else:
            end -= 1
            pair_ints[end, PAIR_ORDER], pair_ints[0, PAIR_ORDER] = pair_ints[0, PAIR_ORDER], pair_ints[end, PAIR_ORDER]
        root = start
        while 2 * root + 1 < end:
            child = 2 * root + 1
            one = pair_ints[child, PAIR_ORDER]
            if child + 1 < end:
                two = pair_ints[child + 1, PAIR_ORDER]
                if pair_floats[two, column] < pair_floats[one, column] or (
                        pair_floats[two, column] == pair_floats[one, column] and two > one):
                    child, one = child + 1, two
            top = pair_ints[root, PAIR_ORDER]
            if pair_floats[top, column] < pair_floats[one, column] or (
                    pair_floats[top, column] == pair_floats[one, column] and top > one):
                break
            pair_ints[root, PAIR_ORDER] = one
            pair_ints[child, PAIR_ORDER] = top
            root = child


@inner_kernel
def choose(count: int, first: int, last: int, floats: Floats, ints: Ints, pair_floats: Floats, pair_ints: Ints,
           track_pair: Ints, plot_ints: Ints) -> None:
    """Give each candidate at most one plot and each plot at most one candidate, most probable pairs first.

    Then a confirmed track that got nothing may share the plot of another one, the heaviest pair first: an aerial's beam
    may not part the two objects. Such a pair's covariance is widened by what one plot of two objects may be off.
    `track_pair` is work space for all candidates, -1 everywhere before and after.
    """
    rank(count, PAIR_MARGINAL, pair_floats, pair_ints)
    for j in range(first, last):
        plot_ints[j, PLOT_OWNER] = -1
    for p in range(count):
        pair_ints[p, PAIR_STATE] = 0
    for k in range(count):
        p = pair_ints[k, PAIR_ORDER]
        c, j = pair_ints[p, PAIR_TRACK], pair_ints[p, PAIR_PLOT]
        if pair_floats[p, PAIR_MARGINAL] > 0.0 and track_pair[c] < 0 and plot_ints[j, PLOT_OWNER] < 0:
            track_pair[c] = p
            plot_ints[j, PLOT_OWNER] = c
            pair_ints[p, PAIR_STATE] = 1
    tracks, wanting = len(floats), False
    for p in range(count):
        c = pair_ints[p, PAIR_TRACK]
        if c < tracks and track_pair[c] < 0 and ints[c, STATUS] == CONFIRMED:
            wanting = True
    if wanting:
        rank(count, PAIR_WEIGHT, pair_floats, pair_ints)
        for k in range(count):
            p = pair_ints[k, PAIR_ORDER]
            c, owner = pair_ints[p, PAIR_TRACK], plot_ints[pair_ints[p, PAIR_PLOT], PLOT_OWNER]
            if c < tracks and track_pair[c] < 0 and ints[c, STATUS] == CONFIRMED and (
                    0 <= owner < tracks and ints[owner, STATUS] == CONFIRMED):
                track_pair[c] = p
                pair_ints[p, PAIR_STATE] = 2
                pair_floats[p, PAIR_EE] = SHARED_SPREAD * pair_floats[p, PAIR_EE] + SHARED_M2
                pair_floats[p, PAIR_EN] = SHARED_SPREAD * pair_floats[p, PAIR_EN]
                pair_floats[p, PAIR_NN] = SHARED_SPREAD * pair_floats[p, PAIR_NN] + SHARED_M2
    for p in range(count):
        track_pair[pair_ints[p, PAIR_TRACK]] = -1

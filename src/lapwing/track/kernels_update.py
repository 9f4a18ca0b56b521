"""Kernels that change tracks: the update by a chosen plot, the count of missed looks, the birth of seeds.

They write into the arrays of `state.Slots` (a copy that belongs to the step under way) and into rows of the young log.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.kernels_motion import mix, moments, noise_scale, predict_mode, turn_factors, update_mode

Status = npt.NDArray[np.int8]
Masks = npt.NDArray[np.uint64]
MEMORY_LOOKS = 12.0    # looks that the detection probability of a track and radar remembers
SURE_WEIGHT = 0.8      # a plot that keeps a track from coasting; clutter in a wide gate gives less
SHARED_WEIGHT = 0.5    # probability that a plot which serves another track is of this one too
LATE_LOOK = 1.35       # a look counts as missed when this part of a turn has gone by since the last one
MISS_PROB_MAX = 0.67   # highest detection probability that a missed look of a confirmed track is charged with


@kernel
def pair_weights(pair_track: Ints, pair_plot: Ints, pair_likelihood: Floats, log_odds: Floats, detect: Floats,
                 sensor: int, density: Floats, weight: Floats, ratio: Floats) -> None:
    """Write psi (weight) and Pd L / density (ratio) of every pair. `density` per plot: clutter and newcomers, m-2."""
    for p in range(len(pair_track)):
        i = pair_track[p]
        pd = detect[i, sensor, 0] / (detect[i, sensor, 0] + detect[i, sensor, 1])
        exists = 1.0 / (1.0 + math.exp(-log_odds[i]))
        ratio[p] = pd * pair_likelihood[p] / density[pair_plot[p]]
        weight[p] = exists * ratio[p] / (1.0 - exists * pd)


@kernel
def commit(track_pair: Ints, shared: npt.NDArray[np.bool_], pair_plot: Ints, pair_distance2: Floats, pair_z: Floats,
            pair_r: Floats, ratio: Floats,
           share: Floats, plot_ns: Ints, plot_sequence: Ints, sensor: int, rotating: bool, status: Status, uid: Ints,
           time_ns: Ints, last_plot_ns: Ints, sure_ns: Ints, x: Floats, cov: Floats, mode_prob: Floats, mean: Floats,
           mean_cov: Floats, hits: Ints, last_sensor: Ints, sensors_mask: Masks, detect: Floats, look_ns: Ints,
           hit_ns: Ints, log_odds: Floats, log_odds_max: float, proven_max: float, turn_radps: Floats, noise: Floats,
           dwell_s: Floats, rest_prob: Floats, log_row: int, log_float: Floats, log_int: Ints,
           plot_weight: Floats) -> int:
    """Update every track that was given a plot; return the next free row of the log.

    `plot_weight[j]`: probability that the plot's chosen track, if it exists, caused it (0: nobody's plot).
    """
    modes = x.shape[1]
    x_mixed = np.empty((modes, 4))
    cov_mixed = np.empty((modes, 4, 4))
    prob_mixed = np.empty(modes)
    for i in range(len(track_pair)):
        p = track_pair[i]
        if p < 0:
            continue
        j = pair_plot[p]
        pd = detect[i, sensor, 0] / (detect[i, sensor, 0] + detect[i, sensor, 1])
        found = ratio[p] * share[p]
        factor = (1.0 - pd) + found
        beta = found / factor
        if beta < 0.05 and not shared[i]:
            continue  # not this plot; whether the look was a miss is seen when the aerial has passed
        if shared[i]:
            beta = SHARED_WEIGHT
        plot_weight[j] = max(plot_weight[j], beta)
        # Belief in a confirmed track is held lower: it must go on earning it, or leave within some looks.
        most = proven_max if status[i] == 3 else log_odds_max
        if not shared[i]:
            log_odds[i] = min(most, log_odds[i] + math.log(factor if rotating else max(factor, 1.0)))
            detect[i, sensor, 0] += beta
            detect[i, sensor, 1] += 1.0 - beta
        total = detect[i, sensor, 0] + detect[i, sensor, 1]
        if total > MEMORY_LOOKS:
            detect[i, sensor, 0] *= MEMORY_LOOKS / total
            detect[i, sensor, 1] *= MEMORY_LOOKS / total
        dt = (plot_ns[j] - time_ns[i]) * 1e-9
        scale = noise_scale(mean[i, 2], mean[i, 3], hits[i])
        if pair_distance2[p] > 16.0:  # bound by identity although far off: open the filter so that it follows
            for m in range(modes):
                for a in range(4):
                    for b in range(4):
                        cov[i, m, a, b] *= pair_distance2[p] / 9.0
        if dt > 0.0:
            for m in range(modes):
                predict_mode(x[i, m], cov[i, m], turn_radps[m], noise[m] * scale, dt)
            time_ns[i] = plot_ns[j]
        moments(x[i], cov[i], mode_prob[i], mean[i], mean_cov[i])
        _write(log_float, log_row, 0, mean[i], mean_cov[i])
        best = 0.0
        for m in range(modes):
            back_a, back_b, late = 0.0, 0.0, 0.0
            if dt < 0.0:
                back_a, back_b, _, _ = turn_factors(turn_radps[m], dt)
                late = noise[m] * scale * abs(dt) ** 3 / 3.0
            likelihood = update_mode(x[i, m], cov[i, m], back_a, back_b, late, pair_z[p, 0], pair_z[p, 1], pair_r[p, 0],
                                     pair_r[p, 1], pair_r[p, 2], beta)
            prob_mixed[m] = likelihood + 1e-300
            best += mode_prob[i, m] * prob_mixed[m]
        total = 0.0
        for m in range(modes):
            mode_prob[i, m] *= (1.0 - beta) + beta * prob_mixed[m] / best
            total += mode_prob[i, m]
        for m in range(modes):
            mode_prob[i, m] /= total
        moments(x[i], cov[i], mode_prob[i], mean[i], mean_cov[i])
        _write(log_float, log_row, 14, mean[i], mean_cov[i])
        log_float[log_row, 28] = pair_z[p, 0]
        log_float[log_row, 29] = pair_z[p, 1]
        log_float[log_row, 30] = beta
        log_int[log_row, 0] = uid[i]
        log_int[log_row, 1] = time_ns[i]
        log_int[log_row, 2] = plot_ns[j]
        log_int[log_row, 3] = sensor
        log_int[log_row, 4] = plot_sequence[j]
        log_row += 1
        # Mixing now, for a step as long as the one just made, keeps prediction a pure function of the stored state.
        mix(x[i], cov[i], mode_prob[i], dwell_s, rest_prob, max(dt, 0.0), x_mixed, cov_mixed, prob_mixed)
        # Element by element: assigning whole arrays would have Numba compile its error messages, 7 s of them.
        for m in range(modes):
            mode_prob[i, m] = prob_mixed[m]
            for k in range(4):
                x[i, m, k] = x_mixed[m, k]
                for n in range(4):
                    cov[i, m, k, n] = cov_mixed[m, k, n]
        hits[i] += 1
        last_sensor[i] = sensor
        sensors_mask[i] |= np.uint64(1) << np.uint64(min(sensor, 63))
        last_plot_ns[i] = max(last_plot_ns[i], plot_ns[j])
        if beta >= SURE_WEIGHT or shared[i]:
            sure_ns[i] = max(sure_ns[i], plot_ns[j])
        hit_ns[i, sensor] = max(hit_ns[i, sensor], plot_ns[j])
        look_ns[i, sensor] = max(look_ns[i, sensor], plot_ns[j])
    return log_row


@kernel
def _write(log_float: Floats, row: int, start: int, mean: Floats, cov: Floats) -> None:
    """Write a mean and the upper triangle of its covariance into 14 columns of a log row."""
    column = start + 4
    for k in range(4):
        log_float[row, start + k] = mean[k]
        for m in range(k, 4):
            log_float[row, column] = cov[k, m]
            column += 1


@kernel
def sweep(status: Status, sensor: int, clock_ns: int, turn_ns: int, range_m_max: float, antenna_m: float,
          site_east: float, site_north: float, mean: Floats, height_m: Floats, detect: Floats, look_ns: Ints,
          log_odds: Floats) -> None:
    """Count the looks of one radar that gave a track no plot, up to the radar's own clock (its newest plot or look).

    A track beyond its range or, with a known height, beneath its 4/3-earth horizon is not looked at: that counts
    neither way, so that an object known to be hidden coasts instead of dying.
    """
    wait = int(LATE_LOOK * turn_ns)
    for i in range(len(status)):
        if status[i] == 0 or clock_ns - look_ns[i, sensor] <= wait:
            continue
        de, dn = mean[i, 0] - site_east, mean[i, 1] - site_north
        distance = math.sqrt(de * de + dn * dn)
        seen = distance <= range_m_max * 1.001 + 200.0
        if seen and not math.isnan(height_m[i]):
            # 4.124 km per sqrt(m): 4/3 earth; heights above the ellipsoid stand in for those above the surface.
            horizon = 4124.0 * (math.sqrt(max(antenna_m, 0.0)) + math.sqrt(max(height_m[i], 0.0)))
            seen = distance < horizon
        looks = 0
        while clock_ns - look_ns[i, sensor] > wait:
            looks += 1
            if looks > 6:
                look_ns[i, sensor] = clock_ns - wait
                break
            look_ns[i, sensor] += turn_ns
            if not seen:
                continue
            pd = detect[i, sensor, 0] / (detect[i, sensor, 0] + detect[i, sensor, 1])
            exists = 1.0 / (1.0 + math.exp(-log_odds[i]))
            # A fading or turning object is missed several times in a row: misses are not independent, so none counts
            # more than that of an object seen two times in three.
            log_odds[i] += math.log(1.0 - min(pd, MISS_PROB_MAX if status[i] == 3 else 0.9))
            detect[i, sensor, 1] += 1.0 if status[i] < 3 else exists
            total = detect[i, sensor, 0] + detect[i, sensor, 1]
            if total > MEMORY_LOOKS:
                detect[i, sensor, 0] *= MEMORY_LOOKS / total
                detect[i, sensor, 1] *= MEMORY_LOOKS / total


@kernel
def seed(plot_rows: Ints, plot_ns: Ints, z: Floats, r: Floats, velocity: Floats, odds: Floats, plot_sequence: Ints,
         sensor: int, first_uid: int, detect_prior: Floats, status: Status, uid: Ints, time_ns: Ints, born_ns: Ints,
         last_plot_ns: Ints, sure_ns: Ints, x: Floats, cov: Floats, mode_prob: Floats, mean: Floats, mean_cov: Floats, hits: Ints,
         last_sensor: Ints, sensors_mask: Masks, detect: Floats, look_ns: Ints, hit_ns: Ints, log_odds: Floats,
         birth_log_odds: Floats, rest_prob: Floats, speed_mps_sigma: float, log_row: int, log_float: Floats,
         log_int: Ints, rows_out: Ints) -> tuple[int, int]:
    """Start a seed in a free slot for each chosen plot; return (number started, next log row)."""
    slot, started = 0, 0
    for row in range(len(plot_rows)):
        j = plot_rows[row]
        while slot < len(status) and status[slot] != 0:
            slot += 1
        if slot == len(status):
            break
        i = slot
        status[i] = 1
        uid[i] = first_uid + started
        time_ns[i] = plot_ns[j]
        born_ns[i] = plot_ns[j]
        last_plot_ns[i] = plot_ns[j]
        sure_ns[i] = plot_ns[j]
        known = not math.isnan(velocity[j, 0])
        for m in range(x.shape[1]):
            for a in range(4):
                x[i, m, a] = 0.0
                for b in range(4):
                    cov[i, m, a, b] = 0.0
            x[i, m, 0] = z[j, 0]
            x[i, m, 1] = z[j, 1]
            cov[i, m, 0, 0] = r[j, 0]
            cov[i, m, 0, 1] = r[j, 1]
            cov[i, m, 1, 0] = r[j, 1]
            cov[i, m, 1, 1] = r[j, 2]
            if known:
                x[i, m, 2] = velocity[j, 0]
                x[i, m, 3] = velocity[j, 1]
            cov[i, m, 2, 2] = 25.0 if known else speed_mps_sigma * speed_mps_sigma
            cov[i, m, 3, 3] = cov[i, m, 2, 2]
            mode_prob[i, m] = rest_prob[m]
        moments(x[i], cov[i], mode_prob[i], mean[i], mean_cov[i])
        hits[i] = 1
        last_sensor[i] = sensor
        sensors_mask[i] = np.uint64(1) << np.uint64(min(sensor, 63))
        for k in range(detect.shape[1]):
            detect[i, k, 0] = detect_prior[0 if k == sensor else 1, 0]
            detect[i, k, 1] = detect_prior[0 if k == sensor else 1, 1]
            look_ns[i, k] = plot_ns[j]
            hit_ns[i, k] = plot_ns[j] if k == sensor else -(1 << 62)
        log_odds[i] = math.log(odds[j])
        birth_log_odds[i] = log_odds[i]
        _write(log_float, log_row, 0, mean[i], mean_cov[i])
        _write(log_float, log_row, 14, mean[i], mean_cov[i])
        log_float[log_row, 28] = z[j, 0]
        log_float[log_row, 29] = z[j, 1]
        log_float[log_row, 30] = 1.0
        log_int[log_row, 0] = uid[i]
        log_int[log_row, 1] = time_ns[i]
        log_int[log_row, 2] = plot_ns[j]
        log_int[log_row, 3] = sensor
        log_int[log_row, 4] = plot_sequence[j]
        log_row += 1
        rows_out[started] = i
        started += 1
    return started, log_row

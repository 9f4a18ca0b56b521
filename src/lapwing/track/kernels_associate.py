"""Kernels that decide which plot may belong to which track: pairs by gating, marginals by loopy belief propagation.

Cost is bounded whatever the clutter: a grid limits the pairs, and belief propagation (Williams, Lau 2014, "Approximate
evaluation of marginal association probabilities with belief propagation", IEEE T-AES 50(4)) takes a fixed number of
passes over them. No hypotheses are enumerated.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.kernels_motion import innovation, noise_scale, turn_factors

Codes = npt.NDArray[np.int32]
Status = npt.NDArray[np.int8]
CELL_M = 8_000.0       # grid cell; also the farthest a plot may lie from a prediction
GRID = 64              # the grid wraps after 64 cells (512 km); distance is checked, so a wrapped one only costs time
GATE_D2 = 16.0         # chi-square, 2 degrees: 99.97 %
IDENTITY_D2 = 150.0    # same 24-bit address: a lost aircraft may have turned meanwhile
PASSES = 20            # of belief propagation; it contracts geometrically


@kernel
def ground_range_m(slant_m: float, antenna_m: float, height_m: float) -> float:
    """Return the distance on a sphere beneath a slant range; 0 where the height exceeds the range."""
    radius = 6_371_000.0
    square = slant_m * slant_m - (height_m - antenna_m) ** 2
    if square <= 0.0:
        return 0.0
    half = math.sqrt(square / (4.0 * (radius + antenna_m) * (radius + height_m)))
    return 2.0 * radius * math.asin(min(1.0, half))


@kernel
def bias_spread(east: float, north: float, sites: Floats, first: int, second: int,
                bias_cov: Floats) -> tuple[float, float, float]:
    """Return (ee, en, nn) m2: how far two sensors may disagree at a place because of their registration errors."""
    jac = np.zeros((2, 4))
    index = np.zeros(4, np.int64)
    for k in range(2):
        sensor = first if k == 0 else second
        sign = 1.0 if k == 0 else -1.0
        de, dn = east - sites[sensor, 0], north - sites[sensor, 1]
        r = math.sqrt(de * de + dn * dn) + 1e-9
        jac[0, 2 * k] = sign * de / r
        jac[1, 2 * k] = sign * dn / r
        jac[0, 2 * k + 1] = sign * dn
        jac[1, 2 * k + 1] = -sign * de
        index[2 * k] = 2 * sensor
        index[2 * k + 1] = 2 * sensor + 1
    ee, en, nn = 0.0, 0.0, 0.0
    for i in range(4):
        for j in range(4):
            p = bias_cov[index[i], index[j]]
            ee += jac[0, i] * p * jac[0, j]
            en += jac[0, i] * p * jac[1, j]
            nn += jac[1, i] * p * jac[1, j]
    return ee, en, nn


@kernel
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


@kernel
def find_pairs(status: Status, time_ns: Ints, x: Floats, cov: Floats, mode_prob: Floats, mean: Floats,
               mean_cov: Floats, hits: Ints, last_sensor: Ints, hit_ns: Ints, icao: Codes, mode3a: Codes,
               identified: Ints, height_m: Floats, plot_ns: Ints, z: Floats, r: Floats, plot_icao: Codes,
               plot_mode3a: Codes, plot_height_m: Floats, slant_m: Floats, amplitude_ratio: Floats, sensor: int,
               antenna_m: float, plane_scale: Floats, same_scan_ns: int, sites: Floats, bias_cov: Floats,
               turn_radps: Floats, noise: Floats, pair_track: Ints, pair_plot: Ints, pair_likelihood: Floats,
               pair_distance2: Floats, pair_z: Floats, pair_r: Floats) -> int:
    """Fill the pair arrays with every track and plot that may belong together; return how many there are.

    Pairs beyond the arrays' length are left out, nearest plots first come first served (the caller sizes them for
    24 a plot). `pair_z`, `pair_r`: the plot as that track should see it (its height, registration noise).
    """
    head = np.full(GRID * GRID, -1, np.int64)
    following = np.full(len(status), -1, np.int64)
    newest = plot_ns[0]
    for i in range(len(status) - 1, -1, -1):
        if status[i] == 0:
            continue
        dt = (newest - time_ns[i]) * 1e-9
        cell_e = math.floor((mean[i, 0] + mean[i, 2] * dt) / CELL_M) % GRID
        cell_n = math.floor((mean[i, 1] + mean[i, 3] * dt) / CELL_M) % GRID
        following[i] = head[cell_e * GRID + cell_n]
        head[cell_e * GRID + cell_n] = i
    count = 0
    for j in range(len(plot_ns)):
        cell_e = math.floor(z[j, 0] / CELL_M)
        cell_n = math.floor(z[j, 1] / CELL_M)
        for near in range(9):
            i = head[((cell_e + near // 3 - 1) % GRID) * GRID + (cell_n + near % 3 - 1) % GRID]
            while i >= 0:
                this = i
                i = following[i]
                dt = (plot_ns[j] - time_ns[this]) * 1e-9
                de = z[j, 0] - mean[this, 0] - mean[this, 2] * dt
                dn = z[j, 1] - mean[this, 1] - mean[this, 3] * dt
                if de * de + dn * dn > CELL_M * CELL_M:
                    continue
                if abs(plot_ns[j] - hit_ns[this, sensor]) < same_scan_ns:
                    continue  # one look gives one object one plot
                factor = identity_factor(plot_icao[j], plot_mode3a[j], icao[this], mode3a[this], identified[this])
                if factor == 0.0:
                    continue
                ze, zn = z[j, 0], z[j, 1]
                if math.isnan(plot_height_m[j]) and not math.isnan(height_m[this]) and not math.isnan(slant_m[j]):
                    # Laid down at a low default height: lay it down again at the height this track is known to fly.
                    oe, on = ze - sites[sensor, 0], zn - sites[sensor, 1]
                    d = math.sqrt(oe * oe + on * on) + 1e-9
                    ground = ground_range_m(slant_m[j], antenna_m, height_m[this])
                    if ground == 0.0:
                        continue  # nearer than the track is high: not this object
                    shift = ground * plane_scale[j] - d
                    ze += oe / d * shift
                    zn += on / d * shift
                r_ee, r_en, r_nn = r[j, 0], r[j, 1], r[j, 2]
                if last_sensor[this] != sensor and last_sensor[this] >= 0:
                    b_ee, b_en, b_nn = bias_spread(ze, zn, sites, sensor, last_sensor[this], bias_cov)
                    r_ee += b_ee
                    r_en += b_en
                    r_nn += b_nn
                scale = noise_scale(mean[this, 2], mean[this, 3], hits[this])
                total, least = 0.0, 1e12
                for m in range(x.shape[1]):
                    a, b, _, _ = turn_factors(turn_radps[m], dt)
                    noise_m2 = noise[m] * scale * abs(dt) ** 3 / 3.0
                    nu_e, nu_n, s_ee, s_en, s_nn = innovation(
                        x[this, m], cov[this, m], a, b, noise_m2, ze, zn, r_ee, r_en, r_nn)
                    det = s_ee * s_nn - s_en * s_en
                    d2 = (nu_e * nu_e * s_nn - 2.0 * nu_e * nu_n * s_en + nu_n * nu_n * s_ee) / det
                    if d2 < 80.0:
                        total += mode_prob[this, m] * math.exp(-0.5 * d2) / (2.0 * math.pi * math.sqrt(det))
                    least = min(least, d2)
                if factor == 1e6 and least < IDENTITY_D2:
                    total = max(total, 1e-9)
                elif least > GATE_D2:
                    continue
                if count == len(pair_track):
                    return count
                pair_track[count] = this
                pair_plot[count] = j
                pair_likelihood[count] = total * factor * amplitude_ratio[j]
                pair_distance2[count] = least
                pair_z[count, 0] = ze
                pair_z[count, 1] = zn
                pair_r[count, 0] = r_ee
                pair_r[count, 1] = r_en
                pair_r[count, 2] = r_nn
                count += 1
    return count


@kernel
def marginals(pair_track: Ints, pair_plot: Ints, weight: Floats, track_count: int, plot_count: int, share: Floats,
              plot_taken: Floats) -> None:
    """Loopy belief propagation over pair weights psi = r Pd L / (density (1 - r Pd)).

    Writes `share` (messages plot -> track, to be multiplied into psi) and `plot_taken` (probability that some track
    caused the plot); `pair_track`, `pair_plot` may hold any index below the counts.
    """
    pairs = len(pair_track)
    message = np.zeros(pairs)
    track_sum = np.zeros(track_count)
    plot_sum = np.zeros(plot_count)
    for p in range(pairs):
        share[p] = 1.0
    for _ in range(PASSES):
        for p in range(pairs):
            track_sum[pair_track[p]] = 0.0
            plot_sum[pair_plot[p]] = 0.0
        for p in range(pairs):
            track_sum[pair_track[p]] += weight[p] * share[p]
        for p in range(pairs):
            message[p] = weight[p] / (1.0 + max(0.0, track_sum[pair_track[p]] - weight[p] * share[p]))
            plot_sum[pair_plot[p]] += message[p]
        change = 0.0
        for p in range(pairs):
            new = 1.0 / (1.0 + max(0.0, plot_sum[pair_plot[p]] - message[p]))
            change = max(change, abs(new - share[p]))
            share[p] = new
        if change < 1e-6:
            break
    for j in range(plot_count):
        plot_taken[j] = 0.0
    for p in range(pairs):
        plot_taken[pair_plot[p]] = 0.0
        track_sum[pair_track[p]] = 0.0
    for p in range(pairs):
        track_sum[pair_track[p]] += weight[p] * share[p]
    for p in range(pairs):
        plot_taken[pair_plot[p]] += weight[p] * share[p] / (1.0 + track_sum[pair_track[p]])


@kernel
def choose(pair_track: Ints, pair_plot: Ints, marginal: Floats, track_count: int, plot_count: int,
           track_pair: Ints) -> None:
    """Give each track at most one plot and each plot at most one track, most probable pairs first.

    `track_pair[i]` becomes the pair chosen for track i, -1 for none. Ties go to the pair that stands first.
    """
    for p in range(len(pair_track)):
        track_pair[pair_track[p]] = -1
    plot_used = np.zeros(plot_count, np.bool_)
    done = np.zeros(len(pair_track), np.bool_)
    for _ in range(len(pair_track)):
        best, best_value = -1, 0.0
        for p in range(len(pair_track)):
            if not done[p] and marginal[p] > best_value:
                best, best_value = p, marginal[p]
        if best < 0:
            return
        done[best] = True
        if track_pair[pair_track[best]] < 0 and not plot_used[pair_plot[best]]:
            track_pair[pair_track[best]] = best
            plot_used[pair_plot[best]] = True

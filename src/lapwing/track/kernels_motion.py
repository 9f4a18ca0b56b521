"""Kernels of one track and one plot: motion models, the likelihood of a plot, the update. Arrays and numbers only.

Every mode of the interacting multiple models is linear: constant velocity, or a turn at a fixed rate, with white
acceleration noise. State of a mode: (east m, north m, v_east, v_north) on the system plane. The modes are stored
already mixed for the next prediction (mixing keeps the overall mean and covariance), so that looking whether a plot fits is a
pure function. `plain.py` holds the slow twins.
"""

from __future__ import annotations

import math

import numpy as np

from lapwing.geo.jit import kernel
from lapwing.model.plots import Floats


@kernel
def turn_factors(turn_radps: float, dt_s: float) -> tuple[float, float, float, float]:
    """Return (a, b, c, s): e' = e + a ve - b vn, n' = n + b ve + a vn, ve' = c ve - s vn, vn' = s ve + c vn.

    `turn_radps` anticlockwise; works for dt < 0.
    """
    if turn_radps == 0.0:
        return dt_s, 0.0, 1.0, 0.0
    angle = turn_radps * dt_s
    c, s = math.cos(angle), math.sin(angle)
    return s / turn_radps, (1.0 - c) / turn_radps, c, s


@kernel
def noise_scale(v_east: float, v_north: float, hits: int) -> float:
    """Return the factor on the acceleration noise: sideways acceleration grows with speed at a given turn rate.

    1 at 50 m/s; between 0.04 (10 m/s) and 16 (200 m/s). A track of under three plots has no speed to speak of: 1.
    """
    if hits < 3:
        return 1.0
    return min(16.0, max(0.04, (v_east * v_east + v_north * v_north) / 2500.0))


@kernel
def innovation(x: Floats, cov: Floats, a: float, b: float, noise_m2: float, z_east: float, z_north: float, r_ee: float,
               r_en: float, r_nn: float) -> tuple[float, float, float, float, float]:
    """Return (nu_e, nu_n, s_ee, s_en, s_nn) of a plot against one mode moved by (a, b), noise added on the diagonal."""
    nu_e = z_east - (x[0] + a * x[2] - b * x[3])
    nu_n = z_north - (x[1] + b * x[2] + a * x[3])
    # Rows of H P: H = [[1, 0, a, -b], [0, 1, b, a]]
    h0 = cov[0, 0] + a * cov[2, 0] - b * cov[3, 0]
    h1 = cov[0, 1] + a * cov[2, 1] - b * cov[3, 1]
    h2 = cov[0, 2] + a * cov[2, 2] - b * cov[3, 2]
    h3 = cov[0, 3] + a * cov[2, 3] - b * cov[3, 3]
    g1 = cov[1, 1] + b * cov[2, 1] + a * cov[3, 1]
    g2 = cov[1, 2] + b * cov[2, 2] + a * cov[3, 2]
    g3 = cov[1, 3] + b * cov[2, 3] + a * cov[3, 3]
    s_ee = h0 + a * h2 - b * h3 + noise_m2 + r_ee
    s_en = h1 + b * h2 + a * h3 + r_en
    s_nn = g1 + b * g2 + a * g3 + noise_m2 + r_nn
    return nu_e, nu_n, s_ee, s_en, s_nn


@kernel
def mix(x: Floats, cov: Floats, mode_prob: Floats, dwell_s: Floats, rest_prob: Floats, dt_s: float, x_out: Floats,
        cov_out: Floats, prob_out: Floats) -> None:
    """Mix the modes for the next prediction. A mode is left at rate 1/dwell for one drawn from `rest_prob`."""
    modes = x.shape[0]
    for j in range(modes):
        total = 0.0
        for k in range(4):
            x_out[j, k] = 0.0
        for i in range(modes):
            stay = math.exp(-dt_s / dwell_s[i])
            w = mode_prob[i] * ((1.0 - stay) * rest_prob[j] + (stay if i == j else 0.0))
            total += w
            for k in range(4):
                x_out[j, k] += w * x[i, k]
        for k in range(4):
            x_out[j, k] /= total
            for m in range(4):
                cov_out[j, k, m] = 0.0
        for i in range(modes):
            stay = math.exp(-dt_s / dwell_s[i])
            w = mode_prob[i] * ((1.0 - stay) * rest_prob[j] + (stay if i == j else 0.0)) / total
            for k in range(4):
                for m in range(4):
                    cov_out[j, k, m] += w * (cov[i, k, m] + (x[i, k] - x_out[j, k]) * (x[i, m] - x_out[j, m]))
        prob_out[j] = total


@kernel
def predict_mode(x: Floats, cov: Floats, turn_radps: float, noise_m2ps3: float, dt_s: float) -> None:
    """Move one mode forward by dt >= 0, in place."""
    a, b, c, s = turn_factors(turn_radps, dt_s)
    f = np.zeros((4, 4))
    f[0, 0] = 1.0
    f[1, 1] = 1.0
    f[0, 2] = a
    f[0, 3] = -b
    f[1, 2] = b
    f[1, 3] = a
    f[2, 2] = c
    f[2, 3] = -s
    f[3, 2] = s
    f[3, 3] = c
    half = np.zeros((4, 4))
    moved = np.zeros(4)
    for i in range(4):
        for j in range(4):
            moved[i] += f[i, j] * x[j]
            for k in range(4):
                half[i, j] += f[i, k] * cov[k, j]
    for i in range(4):
        x[i] = moved[i]
        for j in range(4):
            total = 0.0
            for k in range(4):
                total += half[i, k] * f[j, k]
            cov[i, j] = total
    for i in range(2):
        cov[i, i] += noise_m2ps3 * dt_s**3 / 3.0
        cov[i, i + 2] += noise_m2ps3 * dt_s**2 / 2.0
        cov[i + 2, i] += noise_m2ps3 * dt_s**2 / 2.0
        cov[i + 2, i + 2] += noise_m2ps3 * dt_s


@kernel
def update_mode(x: Floats, cov: Floats, a: float, b: float, noise_m2: float, z_east: float, z_north: float,
                r_ee: float, r_en: float, r_nn: float, weight: float) -> float:
    """Correct one mode by a plot held true with probability `weight`; in place; Joseph's form. Return the likelihood.

    (a, b) move the state to the plot's time where the plot is late (0, 0 otherwise); `noise_m2` is what may have
    happened since. With weight w: x + w K nu and (1 - w) P + w P_updated + w (1 - w) K nu nu' K'.
    """
    nu_e, nu_n, s_ee, s_en, s_nn = innovation(x, cov, a, b, noise_m2, z_east, z_north, r_ee, r_en, r_nn)
    det = s_ee * s_nn - s_en * s_en
    i_ee, i_en, i_nn = s_nn / det, -s_en / det, s_ee / det
    distance2 = nu_e * nu_e * i_ee + 2.0 * nu_e * nu_n * i_en + nu_n * nu_n * i_nn
    gain = np.empty((4, 2))
    for i in range(4):
        pe = cov[i, 0] + a * cov[i, 2] - b * cov[i, 3]
        pn = cov[i, 1] + b * cov[i, 2] + a * cov[i, 3]
        gain[i, 0] = pe * i_ee + pn * i_en
        gain[i, 1] = pe * i_en + pn * i_nn
    left = np.zeros((4, 4))  # I - K H
    for i in range(4):
        left[i, i] = 1.0
        left[i, 0] -= gain[i, 0]
        left[i, 1] -= gain[i, 1]
        left[i, 2] -= gain[i, 0] * a + gain[i, 1] * b
        left[i, 3] -= -gain[i, 0] * b + gain[i, 1] * a
    half = np.zeros((4, 4))
    shift = np.empty(4)
    for i in range(4):
        shift[i] = gain[i, 0] * nu_e + gain[i, 1] * nu_n
        for j in range(4):
            for k in range(4):
                half[i, j] += left[i, k] * cov[k, j]
    q_ee, q_nn = r_ee + noise_m2, r_nn + noise_m2
    spread = weight * (1.0 - weight)
    for i in range(4):
        x[i] += weight * shift[i]
        for j in range(4):
            joseph = 0.0
            for k in range(4):
                joseph += half[i, k] * left[j, k]
            joseph += gain[i, 0] * (q_ee * gain[j, 0] + r_en * gain[j, 1])
            joseph += gain[i, 1] * (r_en * gain[j, 0] + q_nn * gain[j, 1])
            cov[i, j] = (1.0 - weight) * cov[i, j] + weight * joseph + spread * shift[i] * shift[j]
    for i in range(4):
        for j in range(i):
            mean = 0.5 * (cov[i, j] + cov[j, i])
            cov[i, j] = mean
            cov[j, i] = mean
    return math.exp(-0.5 * distance2) / (2.0 * math.pi * math.sqrt(det))


@kernel
def moments(x: Floats, cov: Floats, mode_prob: Floats, x_out: Floats, cov_out: Floats) -> None:
    """Write the mean and covariance of the whole mixture."""
    for k in range(4):
        x_out[k] = 0.0
        for m in range(4):
            cov_out[k, m] = 0.0
    for i in range(x.shape[0]):
        for k in range(4):
            x_out[k] += mode_prob[i] * x[i, k]
    for i in range(x.shape[0]):
        for k in range(4):
            for m in range(4):
                cov_out[k, m] += mode_prob[i] * (cov[i, k, m] + (x[i, k] - x_out[k]) * (x[i, m] - x_out[m]))

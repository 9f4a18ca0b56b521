"""Kernels of one track and one plot: motion models, the likelihood of a plot, the update. Arrays and numbers only.

Every mode of the interacting multiple models is linear: constant velocity, or a turn at a fixed rate, with white
acceleration noise. State of a mode: (east m, north m, v_east, v_north) on the system plane. The modes are stored
already mixed for the next prediction (mixing keeps the overall mean and covariance), so that looking whether a plot fits
is a pure function. A track is row `i` of `floats` (columns.py). `plain.py` holds the slow twins.
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats
from lapwing.track.columns import (
    COV,
    GATE_M,
    LIFT,
    LIFT_FLOATS,
    MEAN,
    MEAN_COV,
    MODE,
    MODEL_DWELL,
    MODEL_REST,
    MODES,
    OFF_M,
    X,
)
from lapwing.track.kernels_lift import DRIFT_KM4PS, DRIFT_SLOW_KM4PS, SLOW_MPS

MIXED = 21 + LIFT_FLOATS     # numbers of one mode while it is mixed


@inner_kernel
def turn_factors(turn_radps: float, dt_s: float) -> tuple[float, float, float, float]:
    """Return (a, b, c, s): e' = e + a ve - b vn, n' = n + b ve + a vn, ve' = c ve - s vn, vn' = s ve + c vn.

    `turn_radps` anticlockwise; works for dt < 0.
    """
    if turn_radps == 0.0:
        return dt_s, 0.0, 1.0, 0.0
    angle = turn_radps * dt_s
    c, s = math.cos(angle), math.sin(angle)
    return s / turn_radps, (1.0 - c) / turn_radps, c, s


@inner_kernel
def noise_scale(floats: Floats, i: int, hits: int) -> float:
    """Return the factor on the acceleration noise: sideways acceleration grows with speed at a given turn rate.

    1 at 50 m/s; between 0.04 (10 m/s) and 16 (200 m/s). A track of under three plots has no speed to speak of: 1.
    """
    if hits < 3:
        return 1.0
    ve, vn = floats[i, MEAN + 2], floats[i, MEAN + 3]
    return float(min(16.0, max(0.04, (ve * ve + vn * vn) / 2500.0)))


@inner_kernel
def innovation(floats: Floats, i: int, m: int, a: float, b: float, noise_m2: float, z_east: float, z_north: float,
               r_ee: float, r_en: float, r_nn: float, lift_e: float, lift_n: float) -> tuple[float, float, float, float, float]:
    """Return (nu_e, nu_n, s_ee, s_en, s_nn) of a plot against one mode moved by (a, b), noise added on the diagonal.

    `lift_e`, `lift_n`: how far the plot moves per unit of lift; 0 where it was laid down at a known height.
    """
    x, p, q = X + 4 * m, COV + 16 * m, LIFT + LIFT_FLOATS * m
    ve, vn = floats[i, x + 2], floats[i, x + 3]
    nu_e = z_east - (floats[i, x] + a * ve - b * vn) - lift_e * floats[i, q]
    nu_n = z_north - (floats[i, x + 1] + b * ve + a * vn) - lift_n * floats[i, q]
    # H P H' with H = [[1, 0, a, -b], [0, 1, b, a]]; P is symmetric, its upper triangle is read.
    p02, p03, p12, p13 = floats[i, p + 2], floats[i, p + 3], floats[i, p + 6], floats[i, p + 7]
    p22, p23, p33 = floats[i, p + 10], floats[i, p + 11], floats[i, p + 15]
    h2 = p02 + a * p22 - b * p23
    h3 = p03 + a * p23 - b * p33
    g2 = p12 + b * p22 + a * p23
    g3 = p13 + b * p23 + a * p33
    s_ee = floats[i, p] + a * p02 - b * p03 + a * h2 - b * h3 + noise_m2 + r_ee
    s_en = floats[i, p + 1] + a * p12 - b * p13 + b * h2 + a * h3 + r_en
    s_nn = floats[i, p + 5] + b * p12 + a * p13 + b * g2 + a * g3 + noise_m2 + r_nn
    variance = floats[i, q + 1]
    c_e = floats[i, q + 2] + a * floats[i, q + 4] - b * floats[i, q + 5]
    c_n = floats[i, q + 3] + b * floats[i, q + 4] + a * floats[i, q + 5]
    s_ee += lift_e * (2.0 * c_e + variance * lift_e)
    s_en += lift_e * c_n + lift_n * c_e + variance * lift_e * lift_n
    s_nn += lift_n * (2.0 * c_n + variance * lift_n)
    return nu_e, nu_n, s_ee, s_en, s_nn


@inner_kernel
def mix(floats: Floats, i: int, model: Floats, dt_s: float, scratch: Floats) -> None:
    """Mix the modes for the next prediction. A mode is left at rate 1/dwell for one drawn from the rest shares."""
    for m in range(MODES):
        scratch[m] = math.exp(-dt_s / model[MODEL_DWELL, m])
    at = MODES
    for j in range(MODES):
        total = 0.0
        for m in range(MODES):
            stay = scratch[m]
            w = floats[i, MODE + m] * ((1.0 - stay) * model[MODEL_REST, j] + (stay if m == j else 0.0))
            scratch[at + m] = w
            total += w
        out = at + MODES + MIXED * j
        for k in range(4):
            value = 0.0
            for m in range(MODES):
                value += scratch[at + m] * floats[i, X + 4 * m + k]
            scratch[out + k] = value / total
        value = 0.0
        for m in range(MODES):
            value += scratch[at + m] * floats[i, LIFT + LIFT_FLOATS * m]
        lift = value / total
        for k in range(1, LIFT_FLOATS):
            value = 0.0
            for m in range(MODES):
                q = LIFT + LIFT_FLOATS * m
                apart = floats[i, q] - lift
                value += scratch[at + m] / total * (
                    floats[i, q + k] + apart * (apart if k == 1 else floats[i, X + 4 * m + k - 2] - scratch[out + k - 2]))
            scratch[out + 21 + k] = value
        scratch[out + 21] = lift
        for k in range(4):
            for n in range(k, 4):
                value = 0.0
                for m in range(MODES):
                    x = X + 4 * m
                    value += scratch[at + m] / total * (
                        floats[i, COV + 16 * m + 4 * k + n]
                        + (floats[i, x + k] - scratch[out + k]) * (floats[i, x + n] - scratch[out + n]))
                scratch[out + 4 + 4 * k + n] = value
        scratch[out + 20] = total
    for j in range(MODES):
        out = at + MODES + MIXED * j
        floats[i, MODE + j] = scratch[out + 20]
        for k in range(LIFT_FLOATS):
            floats[i, LIFT + LIFT_FLOATS * j + k] = scratch[out + 21 + k]
        for k in range(4):
            floats[i, X + 4 * j + k] = scratch[out + k]
            for n in range(k, 4):
                floats[i, COV + 16 * j + 4 * k + n] = scratch[out + 4 + 4 * k + n]
                floats[i, COV + 16 * j + 4 * n + k] = scratch[out + 4 + 4 * k + n]


@inner_kernel
def predict_mode(floats: Floats, i: int, m: int, turn_radps: float, noise_m2ps3: float, dt_s: float) -> None:
    """Move one mode forward by dt >= 0, in place."""
    a, b, c, s = turn_factors(turn_radps, dt_s)
    x, p = X + 4 * m, COV + 16 * m
    ve, vn = floats[i, x + 2], floats[i, x + 3]
    floats[i, x] += a * ve - b * vn
    floats[i, x + 1] += b * ve + a * vn
    floats[i, x + 2] = c * ve - s * vn
    floats[i, x + 3] = s * ve + c * vn
    # F P, then (F P) F': down the columns, then along the rows.
    for turn in range(2):
        across, along = (1, 4) if turn == 0 else (4, 1)
        for j in range(4):
            at = p + across * j
            p2, p3 = floats[i, at + 2 * along], floats[i, at + 3 * along]
            floats[i, at] += a * p2 - b * p3
            floats[i, at + along] += b * p2 + a * p3
            floats[i, at + 2 * along] = c * p2 - s * p3
            floats[i, at + 3 * along] = s * p2 + c * p3
    q = LIFT + LIFT_FLOATS * m
    c2, c3 = floats[i, q + 4], floats[i, q + 5]
    slow = ve * ve + vn * vn < SLOW_MPS * SLOW_MPS
    floats[i, q + 1] += (DRIFT_SLOW_KM4PS if slow else DRIFT_KM4PS) * dt_s
    floats[i, q + 2] += a * c2 - b * c3
    floats[i, q + 3] += b * c2 + a * c3
    floats[i, q + 4] = c * c2 - s * c3
    floats[i, q + 5] = s * c2 + c * c3
    square = noise_m2ps3 * dt_s * dt_s
    for k in range(2):
        floats[i, p + 5 * k] += square * dt_s / 3.0
        floats[i, p + 5 * k + 2] += square / 2.0
        floats[i, p + 5 * k + 8] += square / 2.0
        floats[i, p + 5 * k + 10] += noise_m2ps3 * dt_s


@inner_kernel
def update_mode(floats: Floats, i: int, m: int, a: float, b: float, noise_m2: float, z_east: float, z_north: float,
                r_ee: float, r_en: float, r_nn: float, lift_e: float, lift_n: float, weight: float, scratch: Floats) -> float:
    """Correct one mode and its lift by a plot held true with probability `weight`; in place. Return the likelihood.

    (a, b) move the state to the plot's time where the plot is late (0, 0 otherwise); `noise_m2` is what may have
    happened since. With weight w: x + w K nu and P - w K S K' + w (1 - w) K nu nu' K'. A plot's own noise is never
    small beside the state's doubt here (10 m at least), so the short form is as exact as Joseph's.
    """
    x, p, q = X + 4 * m, COV + 16 * m, LIFT + LIFT_FLOATS * m
    nu_e, nu_n, s_ee, s_en, s_nn = innovation(floats, i, m, a, b, noise_m2, z_east, z_north, r_ee, r_en, r_nn, lift_e, lift_n)
    det = s_ee * s_nn - s_en * s_en
    i_ee, i_en, i_nn = s_nn / det, -s_en / det, s_ee / det
    distance2 = nu_e * nu_e * i_ee + 2.0 * nu_e * nu_n * i_en + nu_n * nu_n * i_nn
    gain, cross, shift = 0, 10, 20      # in scratch, of the four and the lift: gain (5, 2), P H' (5, 2), K nu (5)
    for k in range(5):
        row = p + 4 * k
        if k < 4:
            c = floats[i, q + 2 + k]
            pe = floats[i, row] + a * floats[i, row + 2] - b * floats[i, row + 3] + c * lift_e
            pn = floats[i, row + 1] + b * floats[i, row + 2] + a * floats[i, row + 3] + c * lift_n
        else:
            pe = floats[i, q + 2] + a * floats[i, q + 4] - b * floats[i, q + 5] + floats[i, q + 1] * lift_e
            pn = floats[i, q + 3] + b * floats[i, q + 4] + a * floats[i, q + 5] + floats[i, q + 1] * lift_n
        scratch[cross + 2 * k], scratch[cross + 2 * k + 1] = pe, pn
        scratch[gain + 2 * k] = pe * i_ee + pn * i_en
        scratch[gain + 2 * k + 1] = pe * i_en + pn * i_nn
        scratch[shift + k] = scratch[gain + 2 * k] * nu_e + scratch[gain + 2 * k + 1] * nu_n
    spread = weight * (1.0 - weight)
    for k in range(5):
        for n in range(k, 5):
            taken = scratch[gain + 2 * k] * scratch[cross + 2 * n] + scratch[gain + 2 * k + 1] * scratch[cross + 2 * n + 1]
            change = spread * scratch[shift + k] * scratch[shift + n] - weight * taken
            if n < 4:
                floats[i, p + 4 * k + n] += change
                floats[i, p + 4 * n + k] = floats[i, p + 4 * k + n]
            elif k < 4:
                floats[i, q + 2 + k] += change
            else:
                floats[i, q + 1] += change
    for k in range(4):
        floats[i, x + k] += weight * scratch[shift + k]
    floats[i, q] += weight * scratch[shift + 4]
    return math.exp(-0.5 * distance2) / (2.0 * math.pi * math.sqrt(det))


@inner_kernel
def moments(floats: Floats, i: int) -> None:
    """Write mean and covariance of the whole mixture, and the widest doubts of its modes, into the row."""
    for k in range(4):
        value = 0.0
        for m in range(MODES):
            value += floats[i, MODE + m] * floats[i, X + 4 * m + k]
        floats[i, MEAN + k] = value
    for k in range(4):
        for n in range(k, 4):
            value = 0.0
            for m in range(MODES):
                x = X + 4 * m
                value += floats[i, MODE + m] * (
                    floats[i, COV + 16 * m + 4 * k + n]
                    + (floats[i, x + k] - floats[i, MEAN + k]) * (floats[i, x + n] - floats[i, MEAN + n]))
            floats[i, MEAN_COV + 4 * k + n] = value
            floats[i, MEAN_COV + 4 * n + k] = value


@kernel
def gates(floats: Floats, i: int) -> None:
    """Write the widest doubts of the modes (roots of traces), and how far one lies from the mean, into the row."""
    for half in range(2):
        widest, off = 0.0, 0.0
        for m in range(MODES):
            x, p = X + 4 * m + 2 * half, COV + 16 * m + 10 * half
            de = floats[i, x] - floats[i, MEAN + 2 * half]
            dn = floats[i, x + 1] - floats[i, MEAN + 2 * half + 1]
            widest = max(widest, floats[i, p] + floats[i, p + 5])
            off = max(off, de * de + dn * dn)
        floats[i, GATE_M + half] = math.sqrt(widest)
        floats[i, OFF_M + half] = math.sqrt(off)

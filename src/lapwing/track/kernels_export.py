"""The kernel that turns track rows into what others see: predicted to one moment, in degrees' radians, true east and north."""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    HEIGHT_TIME,
    HEIGHT_VAR,
    LOG_ODDS,
    MASK,
    MEAN,
    MEAN_COV,
    MODE,
    MODEL_NOISE,
    MODEL_TURN,
    MODES,
    TIME,
)

A_M, F = 6_378_137.0, 1 / 298.257223563      # WGS-84
E2 = F * (2 - F)
E = math.sqrt(E2)
TURN_HELD_S = 12.0     # a turn is not carried on for longer than it usually lasts
TURN_LEAST = 0.01      # rad/s: below, it is straight
HEIGHT_DRIFT_M2PS = 16.0
# Columns of the result: 16 of the covariance of (east, north, v_east, v_north), row by row, and 3 of registration
(OUT_LATITUDE, OUT_LONGITUDE, OUT_VE, OUT_VN, OUT_TURN, OUT_EXISTENCE, OUT_HEIGHT_VAR, OUT_BIAS) = range(8)
OUT_COV = OUT_BIAS + 3
OUT_FLOATS = OUT_COV + 16
# Entries of the plane: plane.Plane as one array
PLANE_SPHERE, PLANE_EXPONENT, PLANE_FACTOR, PLANE_SINE, PLANE_COSINE, PLANE_LONGITUDE = 0, 1, 2, 3, 4, 5


@inner_kernel
def place(east_m: float, north_m: float, plane: Floats) -> tuple[float, float, float, float, float]:
    """Return (latitude_rad, longitude_rad, east and north part of true north on the plane, scale): geo.plane in scalars."""
    sphere, exponent, sine_0, cosine_0 = plane[PLANE_SPHERE], plane[PLANE_EXPONENT], plane[PLANE_SINE], plane[PLANE_COSINE]
    x, y = east_m / (2.0 * sphere), north_m / (2.0 * sphere)
    square = x * x + y * y
    cosine_c, ratio = (1.0 - square) / (1.0 + square), 2.0 / (1.0 + square)
    sine_s = min(max(cosine_c * sine_0 + y * ratio * cosine_0, -1.0), 1.0)
    turn = math.atan2(x * ratio, cosine_0 * cosine_c - y * ratio * sine_0)
    isometric = math.log((1.0 + sine_s) / (plane[PLANE_FACTOR] * (1.0 - sine_s))) / (2.0 * exponent)
    grown = math.exp(isometric)
    latitude = 2.0 * math.atan(grown) - math.pi / 2.0
    for _ in range(6):  # each pass gains a factor of about 1/150; six reach the rounding error
        sine = E * math.sin(latitude)
        latitude = 2.0 * math.atan(grown * ((1.0 + sine) / (1.0 - sine)) ** (E / 2.0)) - math.pi / 2.0
    cosine_s, cosine_t, sine_t = math.sqrt(1.0 - sine_s * sine_s), math.cos(turn), math.sin(turn)
    b = 1.0 + sine_s * sine_0 + cosine_s * cosine_0 * cosine_t
    db = cosine_s * sine_0 - sine_s * cosine_0 * cosine_t
    step_e = -sine_t * (sine_s * b + cosine_s * db)
    step_n = (cosine_s * cosine_0 + sine_s * sine_0 * cosine_t) * b - (sine_s * cosine_0 - cosine_s * sine_0 * cosine_t) * db
    length = math.sqrt(step_e * step_e + step_n * step_n)
    sine = math.sin(latitude)
    normal = A_M / math.sqrt(1.0 - E2 * sine * sine)
    scale = 2.0 / b * exponent * sphere * cosine_s / (normal * math.cos(latitude))
    return latitude, plane[PLANE_LONGITUDE] + turn / exponent, step_e / length, step_n / length, scale


@inner_kernel
def doubts(mask: int, east: float, north: float, parts: Floats, sites: Floats) -> tuple[float, float, float]:
    """Return (ee, en, nn) m2 of registration: the mean over the sensors that contributed.

    `parts` (S, 4): radar or not (-1: sends tracks, and is left out), variance of range, covariance, variance of azimuth.
    """
    ee, en, nn, count = 0.0, 0.0, 0.0, 0
    for sensor in range(len(parts)):
        if (mask >> min(sensor, 63)) & 1 == 0:
            continue
        if parts[sensor, 0] < 0.0:
            continue
        count += 1
        if parts[sensor, 0] == 0.0:
            continue
        de, dn = east - sites[sensor, 0], north - sites[sensor, 1]
        distance = math.sqrt(de * de + dn * dn) + 1e-9
        ue, un = de / distance, dn / distance
        rr, ra, aa = parts[sensor, 1], parts[sensor, 2], parts[sensor, 3]
        ee += ue * ue * rr + 2.0 * ue * dn * ra + dn * dn * aa
        en += ue * un * rr + (un * dn - ue * de) * ra - de * dn * aa
        nn += un * un * rr - 2.0 * un * de * ra + de * de * aa
    share = 1.0 / max(count, 1)
    return ee * share, en * share, nn * share


@kernel
def export(rows: Ints, now_ns: int, floats: Floats, ints: Ints, model: Floats, plane: Floats, parts: Floats, sites: Floats,
           scratch: Floats, out: Floats) -> None:
    """Write the chosen track rows as they are at `now_ns` into `out` (n, OUT_FLOATS)."""
    for k in range(len(rows)):
        i = rows[k]
        dt = max((now_ns - ints[i, TIME]) * 1e-9, 0.0)
        ve, vn = floats[i, MEAN + 2], floats[i, MEAN + 3]
        turn, noise = 0.0, 0.0
        for m in range(MODES):
            turn += floats[i, MODE + m] * model[MODEL_TURN, m]
            noise += floats[i, MODE + m] * model[MODEL_NOISE, m]
        noise *= min(max((ve * ve + vn * vn) / 2500.0, 0.04), 16.0)
        if abs(turn) <= TURN_LEAST or dt >= TURN_HELD_S:
            turn = 0.0
        a, b, c, s = dt, 0.0, 1.0, 0.0
        if abs(turn * dt) >= 1e-6:
            c, s = math.cos(turn * dt), math.sin(turn * dt)
            a, b = s / turn, (1.0 - c) / turn
        latitude, longitude, north_e, north_n, scale = place(
            floats[i, MEAN] + a * ve - b * vn, floats[i, MEAN + 1] + b * ve + a * vn, plane)
        # One matrix does both: moves the state, and turns it into true east and north. (ae, an; -an, ae) is a turn.
        ae, an = north_n / scale, -north_e / scale
        ce, cn = ae * c + an * s, an * c - ae * s
        pe, pn = ae * a + an * b, an * a - ae * b
        for j in range(4):
            p0, p1 = floats[i, MEAN_COV + j], floats[i, MEAN_COV + 4 + j]
            p2, p3 = floats[i, MEAN_COV + 8 + j], floats[i, MEAN_COV + 12 + j]
            scratch[j] = ae * p0 + an * p1 + pe * p2 + pn * p3
            scratch[4 + j] = ae * p1 - an * p0 + pe * p3 - pn * p2
            scratch[8 + j] = ce * p2 + cn * p3
            scratch[12 + j] = ce * p3 - cn * p2
        for j in range(4):
            p0, p1, p2, p3 = scratch[4 * j], scratch[4 * j + 1], scratch[4 * j + 2], scratch[4 * j + 3]
            at = OUT_COV + 4 * j
            out[k, at] = ae * p0 + an * p1 + pe * p2 + pn * p3
            out[k, at + 1] = ae * p1 - an * p0 + pe * p3 - pn * p2
            out[k, at + 2] = ce * p2 + cn * p3
            out[k, at + 3] = ce * p3 - cn * p2
        wide = noise / (scale * scale)
        for j in range(2):
            out[k, OUT_COV + 5 * j] += wide * dt * dt * dt / 3.0
            out[k, OUT_COV + 5 * j + 2] += wide * dt * dt / 2.0
            out[k, OUT_COV + 5 * j + 8] += wide * dt * dt / 2.0
            out[k, OUT_COV + 5 * j + 10] += wide * dt
        out[k, OUT_LATITUDE] = latitude
        out[k, OUT_LONGITUDE] = longitude
        out[k, OUT_VE] = ce * ve + cn * vn
        out[k, OUT_VN] = ce * vn - cn * ve
        out[k, OUT_TURN] = -turn
        out[k, OUT_EXISTENCE] = 1.0 / (1.0 + math.exp(-floats[i, LOG_ODDS]))
        out[k, OUT_HEIGHT_VAR] = floats[i, HEIGHT_VAR] + HEIGHT_DRIFT_M2PS * max((now_ns - ints[i, HEIGHT_TIME]) * 1e-9, 0.0)
        ee, en, nn = doubts(ints[i, MASK], floats[i, MEAN] + a * ve - b * vn, floats[i, MEAN + 1] + b * ve + a * vn, parts,
                            sites)
        out[k, OUT_BIAS] = ae * ae * ee + 2.0 * ae * an * en + an * an * nn
        out[k, OUT_BIAS + 1] = ae * (ae * en - an * ee) + an * (ae * nn - an * en)
        out[k, OUT_BIAS + 2] = ae * ae * nn - 2.0 * ae * an * en + an * an * ee

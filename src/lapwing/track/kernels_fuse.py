"""Kernels that fuse a neighbour's track with one of ours by covariance intersection.

How much two systems' errors have in common is not known: they may rest on the same radar, and each report of a smoothed track
repeats most of the one before. Covariance intersection (Julier, Uhlmann 1997) holds whatever is common: the information of both
is added with weights w and 1 - w. Here w makes the determinant of the result least; its logarithm is convex in w, so a search by
golden sections finds it. The mixture is then moved as a whole, by the map that turns its mean and covariance into the fused ones:
the modes keep their probabilities, for a smoothed track says little of them.
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel, kernel
from lapwing.model.plots import Floats, Ints
from lapwing.track.columns import (
    COV,
    HITS,
    LIFT,
    LIFT_FLOATS,
    MEAN,
    MEAN_COV,
    MODE,
    MODEL_NOISE,
    MODEL_REST,
    MODEL_TURN,
    MODES,
    TIME,
    X,
)
from lapwing.track.kernels_motion import gates, mix, moments, noise_scale, predict_mode
from lapwing.track.kernels_seed import write_moments
from lapwing.track.kernels_update import describe

GOLDEN = 0.6180339887498949
SECTIONS = 40              # of the search: w to 1e-8
NO_GAIN = 1e-6             # a result that is not smaller by more than this share is none
# In scratch: P and its factor, inverse; information of the other; their sum, its factor, inverse; fused mean; the map
PRIOR, FACTOR, OURS, THEIRS, SUM, ROOT, FUSED, SHIFT, MAP, SPARE = 0, 16, 32, 48, 64, 80, 96, 112, 116, 132
FUSE_SCRATCH = 256


@inner_kernel
def cholesky(at: int, to: int, s: Floats) -> float:
    """Write the lower factor of the symmetric 4 x 4 at `at` to `to`; return the log of the determinant, -inf where it has none."""
    log = 0.0
    for i in range(4):
        for j in range(i + 1):
            value = s[at + 4 * i + j]
            for k in range(j):
                value -= s[to + 4 * i + k] * s[to + 4 * j + k]
            if i == j:
                if value <= 0.0:
                    return -math.inf
                s[to + 5 * i] = math.sqrt(value)
                log += math.log(value)
            else:
                s[to + 4 * i + j] = value / s[to + 5 * j]
        for j in range(i + 1, 4):
            s[to + 4 * i + j] = 0.0
    return log


@inner_kernel
def invert(root: int, to: int, s: Floats) -> None:
    """Write the inverse of L L' to `to`; the lower factor L is at `root`."""
    for column in range(4):
        for i in range(4):
            value = 1.0 if i == column else 0.0
            for k in range(i):
                value -= s[root + 4 * i + k] * s[to + 4 * k + column]
            s[to + 4 * i + column] = value / s[root + 5 * i]
        for i in range(3, -1, -1):
            value = s[to + 4 * i + column]
            for k in range(i + 1, 4):
                value -= s[root + 4 * k + i] * s[to + 4 * k + column]
            s[to + 4 * i + column] = value / s[root + 5 * i]


@inner_kernel
def information(w: float, s: Floats) -> float:
    """Write w OURS + (1 - w) THEIRS to SUM and its factor to ROOT; return the log of its determinant."""
    for k in range(16):
        s[SUM + k] = w * s[OURS + k] + (1.0 - w) * s[THEIRS + k]
    return cholesky(SUM, ROOT, s)


@inner_kernel
def weight(s: Floats) -> float:
    """Return the w in [0, 1] that makes the determinant of the information greatest."""
    low, high = 0.0, 1.0
    one, two = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_one, at_two = information(one, s), information(two, s)
    for _ in range(SECTIONS):
        if at_one > at_two:
            high, two, at_two = two, one, at_one
            one = high - GOLDEN * (high - low)
            at_one = information(one, s)
        else:
            low, one, at_one = one, two, at_two
            two = low + GOLDEN * (high - low)
            at_two = information(two, s)
    middle = 0.5 * (low + high)
    best, most = 1.0, information(1.0, s)
    for w in (middle, 0.0):
        found = information(w, s)
        if found > most + NO_GAIN:
            best, most = w, found
    return best


@inner_kernel
def intersect(mean: int, cov: int, floats: Floats, i: int, z: Floats, r: Floats, s: Floats) -> float:
    """Fuse the estimate in row `i` of `floats` with (z, r); write the fused mean's shift to SHIFT, covariance to FUSED.

    Parameters
    ----------
    mean, cov : columns of ours: 4, and 4 x 4
    z : east, north, v_east, v_north of theirs; `r`: ee, en, nn, variance of the velocity (0: they told none)

    Returns
    -------
    w, the weight of ours; 1: theirs adds nothing, and nothing is written but PRIOR and FACTOR
    """
    for k in range(16):
        s[PRIOR + k] = floats[i, cov + k]
        s[THEIRS + k] = 0.0
    if cholesky(PRIOR, FACTOR, s) == -math.inf:
        return 1.0
    invert(FACTOR, OURS, s)
    det = r[0] * r[2] - r[1] * r[1]
    s[THEIRS], s[THEIRS + 5] = r[2] / det, r[0] / det
    s[THEIRS + 1] = s[THEIRS + 4] = -r[1] / det
    if r[3] > 0.0:
        s[THEIRS + 10] = s[THEIRS + 15] = 1.0 / r[3]
    w = weight(s)
    if w == 1.0:
        return 1.0
    information(w, s)
    invert(ROOT, FUSED, s)
    for k in range(4):
        s[SPARE + k] = 0.0
        for n in range(4):
            if s[THEIRS + 4 * k + n] != 0.0:
                s[SPARE + k] += (1.0 - w) * s[THEIRS + 4 * k + n] * (z[n] - floats[i, mean + n])
    for k in range(4):
        s[SHIFT + k] = 0.0
        for n in range(4):
            s[SHIFT + k] += s[FUSED + 4 * k + n] * s[SPARE + n]
    return w


@inner_kernel
def move_whole(floats: Floats, i: int, s: Floats) -> None:
    """Move the mixture so that its mean shifts by SHIFT and its covariance PRIOR becomes FUSED: by T = L_fused L_prior^-1."""
    cholesky(FUSED, ROOT, s)
    for row in range(4):
        for column in range(3, -1, -1):        # T L = ROOT, from the right
            value = s[ROOT + 4 * row + column]
            for k in range(column + 1, 4):
                value -= s[MAP + 4 * row + k] * s[FACTOR + 4 * k + column]
            s[MAP + 4 * row + column] = value / s[FACTOR + 5 * column]
    for m in range(MODES):
        x, p, q = X + 4 * m, COV + 16 * m, LIFT + LIFT_FLOATS * m
        for k in range(4):
            there, bent = floats[i, MEAN + k] + s[SHIFT + k], 0.0
            for n in range(4):
                there += s[MAP + 4 * k + n] * (floats[i, x + n] - floats[i, MEAN + n])
                bent += s[MAP + 4 * k + n] * floats[i, q + 2 + n]
            s[SPARE + k], s[SPARE + 4 + k] = there, bent
            for n in range(4):
                value = 0.0
                for j in range(4):
                    value += s[MAP + 4 * k + j] * floats[i, p + 4 * j + n]
                s[SPARE + 8 + 4 * k + n] = value
        for k in range(4):
            floats[i, x + k], floats[i, q + 2 + k] = s[SPARE + k], s[SPARE + 4 + k]
            for n in range(k, 4):
                value = 0.0
                for j in range(4):
                    value += s[SPARE + 8 + 4 * k + j] * s[MAP + 4 * n + j]
                floats[i, p + 4 * k + n] = floats[i, p + 4 * n + k] = value


@kernel
def fuse(floats: Floats, ints: Ints, i: int, report_ns: int, z: Floats, r: Floats, model: Floats, s: Floats, log_floats: Floats,
         row: int) -> float:
    """Predict track `i` to a neighbour's report (no farther back than it is), fuse them, write both moments to a log row.

    A late report has been moved on to the track's time by the caller. Returns the weight of ours; 1: the report added nothing.
    """
    dt = max((report_ns - ints[i, TIME]) * 1e-9, 0.0)
    scale = noise_scale(floats, i, ints[i, HITS])
    if dt > 0.0:
        for m in range(MODES):
            predict_mode(floats, i, m, model[MODEL_TURN, m], model[MODEL_NOISE, m] * scale, dt)
        ints[i, TIME] = report_ns
        moments(floats, i)
    write_moments(log_floats, row, False, floats, i)
    w = intersect(MEAN, MEAN_COV, floats, i, z, r, s)
    if w < 1.0:
        move_whole(floats, i, s)
        moments(floats, i)
    write_moments(log_floats, row, True, floats, i)
    mix(floats, i, model, dt, s)
    gates(floats, i)
    return w


@kernel
def tell(i: int, j: int, floats: Floats, ints: Ints, plot_floats: Floats, plot_ints: Ints) -> None:
    """Take identity and height of report `j` into track `i`."""
    describe(i, j, floats, ints, plot_floats, plot_ints)


@kernel
def begin(floats: Floats, i: int, z: Floats, r: Floats, model: Floats, log_floats: Floats, row: int) -> None:
    """Write the state of a new track in row `i`: a neighbour's estimate, each mode with its rest share. No lift."""
    for k in range(X, MODE):
        floats[i, k] = 0.0
    for m in range(MODES):
        p = COV + 16 * m
        for k in range(4):
            floats[i, X + 4 * m + k] = z[k]
        floats[i, p], floats[i, p + 1], floats[i, p + 4], floats[i, p + 5] = r[0], r[1], r[1], r[2]
        floats[i, p + 10] = floats[i, p + 15] = r[3]
        floats[i, MODE + m] = model[MODEL_REST, m]
    moments(floats, i)
    gates(floats, i)
    write_moments(log_floats, row, False, floats, i)
    write_moments(log_floats, row, True, floats, i)

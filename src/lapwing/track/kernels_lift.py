"""Kernels of an unknown height: what several radars' slant ranges say of it, as a fifth number of the filter's state.

A plot of unknown height is laid down low. One that flies at height h is so laid (h^2 - low^2) / 2d too far from the radar, d its
distance: along another line for each radar. `lift` is h^2 - low^2 in square kilometres; a plot is linear in it, so a Kalman
filter learns it from radars that disagree, and a single radar, which cannot tell, keeps its doubt. It belongs to each
mode, with its covariance with the four numbers of the mode's state.

First guess: low, as what flies without a transponder does (heights of the sheet of flying objects: 0.1-3 km); its gates stay
narrow. Once it has shown itself as slow as balloons drift the guess widens to their heights.
"""

from __future__ import annotations

import math

from lapwing.geo.jit import inner_kernel
from lapwing.model.plots import Floats
from lapwing.track.columns import COV, LIFT, LIFT_FLOATS, MODE, MODES, X

FIRST_SIGMA = 2.0          # km2: 1.4 km high is one sigma, 2 km two
SLOW_SIGMA = 20.0          # of what drifts: 4.5 km high is one sigma, 9 km four
SLOW_MPS = 25.0            # above it no balloon in most winds
DRIFT_SLOW_KM4PS, DRIFT_KM4PS = 0.02, 0.002    # random walk: a balloon's climb of 5 m/s at 3 km; what flies keeps its height
HIGH_KM2, HIGH_SIGMAS = 1.0, 1.5     # a lift over both is one
DISTANCE_M_MIN = 3_000.0   # nearer, the square of the height is no small correction


@inner_kernel
def lift_per_plot(away_m: float) -> float:
    """Return how many metres too far a plot at that distance is laid down for each square kilometre of lift."""
    return 0.5e6 / max(away_m, DISTANCE_M_MIN)


@inner_kernel
def lift_at(away_m: float, lift_km2: float) -> tuple[float, float]:
    """Return (metres too far for each square kilometre of lift, metres beside that line) about a lift that is thought likely.

    A plot d away lies d - sqrt(d^2 - lift) too far: the tangent at that lift, and what it is off at no lift. Nothing is higher
    than 0.87 of its distance here: above that a tangent says nothing.
    """
    d = max(away_m, DISTANCE_M_MIN)
    lift_m2 = 1e6 * min(max(lift_km2, 0.0), 0.75e-6 * d * d)
    ground = math.sqrt(d * d - lift_m2)
    each = 0.5e6 / ground
    return each, (d - ground) - each * 1e-6 * lift_m2


@inner_kernel
def mean_lift(floats: Floats, i: int) -> float:
    """Return the mean over the modes, km2."""
    mean = 0.0
    for m in range(MODES):
        mean += floats[i, MODE + m] * floats[i, LIFT + LIFT_FLOATS * m]
    return mean


@inner_kernel
def high(floats: Floats, i: int) -> bool:
    """Return whether a track has shown itself high."""
    return bool(mean_lift(floats, i) > max(HIGH_KM2, HIGH_SIGMAS * widest_lift(floats, i)))


@inner_kernel
def widest_lift(floats: Floats, i: int) -> float:
    """Return the greatest sigma of the modes, km2."""
    widest = 0.0
    for m in range(MODES):
        widest = max(widest, floats[i, LIFT + LIFT_FLOATS * m + 1])
    return math.sqrt(widest)


@inner_kernel
def most_lift(floats: Floats, i: int) -> float:
    """Return the greatest mean of the modes, km2."""
    most = 0.0
    for m in range(MODES):
        most = max(most, abs(floats[i, LIFT + LIFT_FLOATS * m]))
    return most


@inner_kernel
def start_lift(floats: Floats, i: int, east_m: float, north_m: float, lifts: bool) -> None:
    """Give a new track its first guess; (east, north) is its place seen from the sensor. Its modes hold a plot's doubt."""
    d = math.sqrt(east_m * east_m + north_m * north_m) + 1e-9
    # Nothing is higher than it is far.
    sigma = min(FIRST_SIGMA, 0.5e-6 * max(d, DISTANCE_M_MIN) ** 2)
    variance = sigma * sigma if lifts else 0.0
    each = lift_per_plot(d)
    e, n = each * east_m / d, each * north_m / d
    for m in range(MODES):
        q, p = LIFT + LIFT_FLOATS * m, COV + 16 * m
        floats[i, q + 1] = variance
        floats[i, q + 2], floats[i, q + 3] = -e * variance, -n * variance
        floats[i, p] += e * e * variance
        floats[i, p + 1] += e * n * variance
        floats[i, p + 4] += e * n * variance
        floats[i, p + 5] += n * n * variance


@inner_kernel
def widen_lift(floats: Floats, i: int, more_km4: float, lift_e: float, lift_n: float) -> None:
    """Add doubt about the lift, and what it does to a place that was told by the sensor of these coefficients."""
    for m in range(MODES):
        q, p = LIFT + LIFT_FLOATS * m, COV + 16 * m
        floats[i, q + 1] += more_km4
        floats[i, q + 2] -= lift_e * more_km4
        floats[i, q + 3] -= lift_n * more_km4
        floats[i, p] += lift_e * lift_e * more_km4
        floats[i, p + 1] += lift_e * lift_n * more_km4
        floats[i, p + 4] += lift_e * lift_n * more_km4
        floats[i, p + 5] += lift_n * lift_n * more_km4


@inner_kernel
def learn_lift(floats: Floats, i: int, lift_km2: float, noise_km4: float) -> None:
    """Correct every mode by a lift told from outside: a height, or what its speed says."""
    for m in range(MODES):
        q, x, p = LIFT + LIFT_FLOATS * m, X + 4 * m, COV + 16 * m
        total = floats[i, q + 1] + noise_km4
        shift = (lift_km2 - floats[i, q]) / total
        share = floats[i, q + 1] / total
        for k in range(4):
            ck = floats[i, q + 2 + k]
            floats[i, x + k] += ck * shift
            for n in range(4):
                floats[i, p + 4 * k + n] -= ck * floats[i, q + 2 + n] / total
        floats[i, q] += floats[i, q + 1] * shift
        floats[i, q + 1] *= 1.0 - share
        for k in range(4):
            floats[i, q + 2 + k] *= 1.0 - share

"""What an object may be, as probabilities, from speed, its range over the life, turns, height and identity.

Naive Bayes on slow statistics, one look at the whole life rather than a product over looks (looks are correlated, a
product would be sure of anything within a minute). A class steers messages and never deletes a track.

Numbers: data/domain/objects.yaml (ground speeds; birds and balloons plus wind), priors are our assumption.
"""

from __future__ import annotations

import numpy as np

from lapwing.model.plots import Bools, Floats
from lapwing.model.tracks import CLASSES

# Columns of Slots.statistics; kernels_life.observe writes them.
(SECONDS, SPEED, SPEED_SQUARE, TURN_SQUARE, SPEED_MAX, SPEED_MIN, LAST_S, HEADING, PATH_M, REACH_M, EAST, NORTH,
 SLOW_EAST, SLOW_NORTH) = range(14)

# Per class: pieces (share, lowest, usual lowest, usual highest, highest) of ground speed in m/s.
SPEEDS: dict[str, tuple[tuple[float, float, float, float, float], ...]] = {
    "drone": ((0.60, 38, 43, 55, 62), (0.15, 80, 90, 170, 185), (0.15, 12, 16, 32, 38), (0.10, 0, 4, 18, 25)),
    "decoy": ((0.70, 30, 38, 48, 53), (0.30, 12, 15, 30, 38)),
    "balloon": ((1.0, 0, 3, 22, 38),),
    "bird": ((0.85, 5, 9, 18, 24), (0.15, 2, 18, 24, 38)),
    "helicopter": ((0.85, 25, 45, 65, 90), (0.15, 0, 0, 25, 45)),
    "light_aircraft": ((1.0, 18, 42, 75, 150),),
    "airliner": ((1.0, 62, 110, 260, 300),),
    "fast_jet": ((1.0, 95, 140, 240, 360),),
    "weather": ((1.0, 2, 4, 20, 28),),
    "surface": ((1.0, 0, 1, 30, 42),),
}
PRIOR_SILENT = {"drone": 0.30, "decoy": 0.15, "balloon": 0.10, "bird": 0.25, "helicopter": 0.06, "light_aircraft": 0.06,
                "airliner": 0.005, "fast_jet": 0.03, "weather": 0.03, "surface": 0.02}
PRIOR_COOPERATIVE = {"drone": 0.003, "decoy": 0.001, "balloon": 0.002, "bird": 0.0005, "helicopter": 0.15,
                     "light_aircraft": 0.25, "airliner": 0.50, "fast_jet": 0.08, "weather": 0.0001, "surface": 0.005}
# How restless a class flies, deg/s of turning in the mean over a minute: (usual, factor at twice the usual).
TURN_USUAL_DEGPS = {"drone": 2.0, "decoy": 2.5, "balloon": 1.5, "bird": 5.0, "helicopter": 3.0, "light_aircraft": 3.0,
                    "airliner": 1.5, "fast_jet": 4.0, "weather": 3.0, "surface": 6.0}
HIGHEST_M = {"drone": 4_000.0, "decoy": 3_500.0, "balloon": 13_000.0, "bird": 3_500.0, "helicopter": 4_500.0,
             "light_aircraft": 5_500.0, "airliner": 13_500.0, "fast_jet": 16_000.0, "weather": 12_000.0,
             "surface": 800.0}


def class_probabilities(statistics: Floats, height_m: Floats, cooperative: Bools) -> Floats:
    """Return (n, len(CLASSES)); rows sum to 1. Without a settled speed the priors stand."""
    seconds = statistics[:, SECONDS]
    turn_degps = np.degrees(statistics[:, TURN_SQUARE])[:, None]
    trust = np.clip(seconds / 60.0, 0.0, 1.0)[:, None]
    # Speed now, and the fastest and slowest it has flown: a decoy that runs down has been faster than a flock.
    now, fast, slow = speed_likelihoods(statistics[:, [SPEED, SPEED_MAX, SPEED_MIN]].T)
    by_speed = np.sqrt(now * np.minimum(now, np.minimum(fast, slow)))
    by_turn = np.exp(-turn_degps / _TURN) / _TURN
    by_height = np.where(np.isfinite(height_m)[:, None] & (np.nan_to_num(height_m)[:, None] > _HIGHEST), 0.02, 1.0)
    prior = np.where(cooperative[:, None], _COOPERATIVE, _SILENT)
    result: Floats = prior * by_speed**trust * by_turn ** (0.5 * trust) * by_height
    # A long steady slow flight is a flock's; anything that has flown faster than birds in still air keeps its doubt:
    # bird stays below 0.9 there, because a decoy out of fuel flies 14-17 m/s.
    flock = (statistics[:, SPEED_MAX] < 16.0) & (statistics[:, SPEED_MIN] > 7.0) & (seconds > 300.0) & ~cooperative
    bird = CLASSES.index("bird")
    result[:, bird] *= np.where(flock, 6.0, 1.0)
    result /= result.sum(axis=1, keepdims=True)
    cap = np.where(flock, 0.97, 0.80)
    over = result[:, bird] > cap
    if over.any():
        result[over] *= ((1.0 - cap[over]) / (1.0 - result[over, bird]))[:, None]
        result[over, bird] = cap[over]
    return result


def speed_likelihoods(speed_mps: Floats) -> Floats:
    """Return densities (per m/s) of shape (*speed.shape, classes), sums of trapezoids; never 0: winds and errors reach
    beyond any table."""
    speed = speed_mps[..., None]
    rise = np.clip((speed - _PIECES[:, 1] + 0.5) / np.maximum(_PIECES[:, 2] - _PIECES[:, 1], 0.5), 0.0, 1.0)
    fall = np.clip((_PIECES[:, 4] - speed) / np.maximum(_PIECES[:, 4] - _PIECES[:, 3], 0.5), 0.0, 1.0)
    area = 0.5 * ((_PIECES[:, 4] - _PIECES[:, 1]) + (_PIECES[:, 3] - _PIECES[:, 2]))
    densities: Floats = (_PIECES[:, 0] * np.minimum(rise, fall) / area) @ _MEMBER + 2e-5
    return densities


_PIECES = np.array([piece for name in CLASSES for piece in SPEEDS[name]], np.float64)
_MEMBER = np.array([[float(name == owner) for name in CLASSES] for owner in CLASSES for _ in SPEEDS[owner]])
_SILENT = np.array([PRIOR_SILENT[name] for name in CLASSES])
_COOPERATIVE = np.array([PRIOR_COOPERATIVE[name] for name in CLASSES])
_TURN = np.array([TURN_USUAL_DEGPS[name] for name in CLASSES])
_HIGHEST = np.array([HIGHEST_M[name] for name in CLASSES])

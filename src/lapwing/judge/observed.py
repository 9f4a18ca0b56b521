"""What came true of what the forecast's flights say: who flies straight at the line mostly holds on, and slow ones more so.

Made of the tracks of made-up nights near the line, through radars and tracker, see design/forecast.md. Of drones, decoys and
balloons alone; other classes are told as flown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.model.tracks import CLASSES

Floats = npt.NDArray[np.float64]

# What shows what it is by more than its speed is flown as that.
_OTHERS = [CLASSES.index(name) for name in ("helicopter", "light_aircraft", "airliner", "fast_jet")]
_DRONE, _DECOY, _BALLOON = (CLASSES.index(name) for name in ("drone", "decoy", "balloon"))
# Mean speed over the last minutes: what is slower drifts; of the airframes a decoy's cruises at 14-50 m/s, typically 44, a one-way
# drone's at 40-58, typically 50 (objects.yaml). Of 43, 44 and 45 the middle one tells them apart best.
_DRIFTS_MPS, _DECOY_MPS = 25.0, 44.0
_LEAST = 1.0 / 512.0                # half a flight of 256
_NONE = np.array([0.001, 0.002, 0.009])   # came true where none of the flights enters
_ALL = 0.99                         # ... and where all do
_FEW, _EVEN = -3.0, 0.0             # where the slope in log-odds changes
_SPEED_MPS = {"drone": 48.0, "decoy": 38.0, "balloon": 18.0}    # usual mean speed of what is flown as that
_SPEED_STEP_MPS, _SPEED_STEPS = 10.0, (-1.5, 1.5)
# Class -> for each horizon the log-odds: constant, slope, change of the slope above _EVEN, below _FEW, per 10 m/s over the usual speed,
# change of that above it.
_CAME_TRUE: dict[str, tuple[tuple[float, ...], ...]] = {
    "drone": ((0.255, 0.961, -0.187, -0.328, -0.897, 0.222),
              (0.457, 1.068, -0.323, 0.375, -0.987, 0.369),
              (0.602, 1.001, -0.316, 0.557, -1.172, 0.651)),
    "decoy": ((1.220, 0.965, 0.112, -0.135, -0.275, 1.163),
              (1.129, 1.077, 0.441, -0.423, -0.398, 1.401),
              (1.450, 1.387, 0.132, 0.225, -0.260, 1.449)),
    "balloon": ((0.703, 1.983, -0.656, 0.655, -1.263, 0.695),
                (0.770, 1.826, -0.620, -0.079, -1.946, 1.252),
                (0.359, 1.419, 0.365, 0.806, -2.702, 1.615)),
}


def flown_as(class_prob: Floats, mean_speed_mps: Floats) -> npt.NDArray[np.intp]:
    """Return the class whose motion is flown: by the mean speed, unless it is most probably an aircraft with a crew.

    Bird, drone, decoy and balloon are told apart by how they fly, and that is mostly the speed that they keep; what is under
    judgement may be a bird, and whether it enters matters where it is none.
    """
    slow = mean_speed_mps < _DRIFTS_MPS
    flown = np.where(slow, _BALLOON, np.where(mean_speed_mps < _DECOY_MPS, _DECOY, _DRONE))
    best = np.argmax(class_prob, axis=1)
    return np.asarray(np.where(np.isin(best, _OTHERS), best, flown), np.intp)


def came_true(said: Floats, class_index: npt.NDArray[np.intp], mean_speed_mps: Floats) -> Floats:
    """Return (n, 3) the probabilities as they came true of those that the flights say, each horizon at least the one before."""
    prob = said.copy()
    for name, horizons in _CAME_TRUE.items():
        rows = np.flatnonzero(class_index == CLASSES.index(name))
        speed = np.clip((mean_speed_mps[rows] - _SPEED_MPS[name]) / _SPEED_STEP_MPS, *_SPEED_STEPS)
        for column, weights in enumerate(horizons):
            prob[rows, column] = 1.0 / (1.0 + np.exp(-(terms(said[rows, column], speed) @ np.array(weights))))
    prob = np.where(said <= 0.0, np.minimum(prob, _NONE), prob)
    prob = np.where(said >= 1.0, np.maximum(prob, _ALL), prob)
    return np.asarray(np.maximum.accumulate(prob, axis=1), np.float64)


def terms(said: Floats, speed: Floats) -> Floats:
    """Return (n, 6) what the weights are of; `speed` in steps from the usual one."""
    held = np.clip(said, _LEAST, 1.0 - _LEAST)
    odds = np.log(held / (1.0 - held))
    return np.column_stack([np.ones_like(odds), odds, np.maximum(odds - _EVEN, 0.0), np.maximum(_FEW - odds, 0.0), speed,
                            np.maximum(speed, 0.0)])

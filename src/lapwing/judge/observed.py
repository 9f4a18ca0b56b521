"""What came true of what the forecast's flights say: who flies straight at the line mostly holds on, and slow ones more so.

Made of the tracks of made-up nights near the line, through radars and tracker, see design/forecast.md. Of drones, decoys and
balloons alone; other classes are told as flown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.model.tracks import CLASSES

Floats = npt.NDArray[np.float64]

_NO_CONCERN = [CLASSES.index(name) for name in ("bird", "weather", "surface")]
_DRONE = CLASSES.index("drone")
_LEAST = 1.0 / 512.0                # half a flight of 256
_NONE = np.array([0.0005, 0.002, 0.02])   # came true where none of the flights enters
_ALL = 0.99                         # ... and where all do
_FEW, _EVEN = -3.0, 0.0             # where the slope in log-odds changes
_SPEED_MPS, _SPEED_STEP_MPS, _SPEED_STEPS = 45.0, 10.0, (-3.0, 1.5)
# Class -> for each horizon the log-odds: constant, slope, change of the slope above _EVEN, below _FEW, per 10 m/s over 45.
_CAME_TRUE: dict[str, tuple[tuple[float, ...], ...]] = {
    "drone": ((0.635, 1.063, -0.445, -0.081, -0.923),
             (0.900, 1.265, -0.656, 0.257, -0.943),
             (1.106, 1.253, -0.704, 0.338, -0.947)),
    "decoy": ((1.062, 1.178, 0.319, 0.177, -0.719),
             (0.970, 1.403, 1.008, 0.011, -0.663),
             (1.072, 1.618, 1.058, 0.233, -0.607)),
    "balloon": ((-0.567, 1.863, 0.458, 0.193, -0.510),
               (-1.878, 1.456, 0.843, 0.891, -1.000),
               (-2.553, 1.027, 1.142, 0.599, -1.271)),
}


def flown_as(class_prob: Floats) -> npt.NDArray[np.intp]:
    """Return the class whose motion is flown: the most probable of those that a watch is kept for.

    What is under judgement may be a bird; whether it enters matters where it is none.
    """
    prob = class_prob.copy()
    prob[:, _NO_CONCERN] = 0.0
    prob[:, _DRONE] += 1e-6        # where nothing is known: the commonest object that is judged
    return np.asarray(np.argmax(prob, axis=1), np.intp)


def came_true(said: Floats, class_index: npt.NDArray[np.intp], speed_mps: Floats) -> Floats:
    """Return (n, 3) the probabilities as they came true of those that the flights say, each horizon at least the one before."""
    prob = said.copy()
    speed = np.clip((speed_mps - _SPEED_MPS) / _SPEED_STEP_MPS, *_SPEED_STEPS)
    for name, horizons in _CAME_TRUE.items():
        rows = np.flatnonzero(class_index == CLASSES.index(name))
        for column, weights in enumerate(horizons):
            prob[rows, column] = 1.0 / (1.0 + np.exp(-(terms(said[rows, column], speed[rows]) @ np.array(weights))))
    prob = np.where(said <= 0.0, np.minimum(prob, _NONE), prob)
    prob = np.where(said >= 1.0, np.maximum(prob, _ALL), prob)
    return np.asarray(np.maximum.accumulate(prob, axis=1), np.float64)


def terms(said: Floats, speed: Floats) -> Floats:
    """Return (n, 5) what the weights are of; `speed` in steps from the usual one."""
    held = np.clip(said, _LEAST, 1.0 - _LEAST)
    odds = np.log(held / (1.0 - held))
    return np.column_stack([np.ones_like(odds), odds, np.maximum(odds - _EVEN, 0.0), np.maximum(_FEW - odds, 0.0), speed])

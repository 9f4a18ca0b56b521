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
    "drone": ((0.718, 1.148, -0.467, -0.814, -0.855),
             (1.016, 1.409, -0.769, 0.180, -0.954),
             (1.177, 1.383, -0.809, 0.018, -0.950)),
    "decoy": ((0.975, 1.110, 0.319, 0.096, -0.758),
             (1.018, 1.394, 0.806, 0.063, -0.667),
             (1.011, 1.545, 0.985, 0.249, -0.624)),
    "balloon": ((-0.446, 1.810, 0.425, 0.197, -0.424),
               (-1.311, 1.612, 0.637, 0.629, -0.789),
               (-1.821, 1.097, 1.035, 0.641, -1.005)),
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

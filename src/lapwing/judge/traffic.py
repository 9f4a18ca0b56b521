"""Who is not judged: own patrol, friends, neutral traffic of consistent identity, and what is surely no aircraft.

Everything unsure is judged. One rule goes beyond the tracker's classes, `slow_inside`: in working coverage an object
that is first seen well inside, slow, and never gets faster, is far more probably a flock of birds than a drone running
down: the drone would have been seen coming in. One that comes in slow from outside stays judged.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.judge.settings import Settings
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NO_AIRCRAFT = [CLASSES.index(name) for name in ("bird", "weather", "surface")]
_IS_BIRD = np.array([[True, False, False]])
_FAST_JET = CLASSES.index("fast_jet")
_UNKNOWN, _NEUTRAL = AFFILIATIONS.index("unknown"), AFFILIATIONS.index("neutral")
_ASSUMED, _FRIEND = AFFILIATIONS.index("assumed_friend"), AFFILIATIONS.index("friend")


def identity_reason(tracks: Tracks, row: int) -> str:
    """Return why a row's identity makes it traffic, "" where it does not.

    An identity that the sensors give must be consistent. Affiliation without any transponder is a person's word.
    """
    affiliation = int(tracks.affiliation[row])
    if affiliation == _UNKNOWN:
        return ""
    spoken = int(tracks.mode3a[row]) < 0 and int(tracks.icao_address[row]) < 0
    if affiliation == _FRIEND:
        return "own_patrol" if int(np.argmax(tracks.class_prob[row])) == _FAST_JET else "friend"
    if not (bool(tracks.cooperative[row]) or spoken):
        return ""
    return "assumed_friend" if affiliation == _ASSUMED else "neutral"


def slow_inside(first_border_m: Floats, speed_mps_max: Floats, unidentified: Bools, settings: Settings) -> Bools:
    """Return which objects were first seen well inside and never got faster than birds fly; arrays (n,)."""
    return unidentified & (first_border_m < -settings.slow_inside_m) & (speed_mps_max < settings.slow_inside_mps)


def class_reasons(class_prob: Floats, slow: Bools, settings: Settings) -> list[str]:
    """Return "bird", "weather" or "surface" where these together are probable enough, "" otherwise; one a row.

    Parameters
    ----------
    class_prob : (n, len(CLASSES)) of the tracker; NaN: not known
    slow : (n,) the slow-inside rule holds: the odds of bird are multiplied by `slow_inside_odds`
    """
    weight = class_prob[:, _NO_AIRCRAFT] * np.where(
        slow[:, None] & _IS_BIRD, settings.slow_inside_odds, 1.0)
    total = class_prob.sum(axis=1) + weight.sum(axis=1) - class_prob[:, _NO_AIRCRAFT].sum(axis=1)
    enough = weight.sum(axis=1) >= settings.traffic_prob * total
    best = np.argmax(weight, axis=1).tolist()
    return [CLASSES[_NO_AIRCRAFT[best[k]]] if sure and total[k] > 0.0 else "" for k, sure in enumerate(enough.tolist())]


def identity(tracks: Tracks, row: int) -> str:
    """Return people's words for a row's identity: call sign, ICAO address, Mode 3/A; "" where it has none."""
    parts = []
    if tracks.callsign[row]:
        parts.append(bytes(tracks.callsign[row]).decode("ascii", "replace").strip())
    if int(tracks.icao_address[row]) >= 0:
        parts.append(f"{int(tracks.icao_address[row]):06X}")
    if int(tracks.mode3a[row]) >= 0:
        parts.append(f"A{int(tracks.mode3a[row]):04o}")
    return " ".join(parts)

"""Whether a track is an object of its own: that something entered needs that there was something.

A tracker confirms at four plots that fit its models of clutter; what fits neither (a burst of clutter, a flock, a second track
of an object that two radars see a little apart) it ends again within half a minute. The longer a track lived, the more plots
and the more sensors it had, the less is that so. A track that began beside an older one and stayed there is mostly the same
object seen twice. An identity that answers is an object.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.path import Path
from lapwing.model.times import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Of tracks just confirmed by one sensor: P(no object of its own), alone and beside an older track. It falls to 1/e over so long
# a life, over so many plots beyond the confirming ones, and by a factor with each further sensor. Ours, see design/verdicts.md.
_ALONE_PROB, _BESIDE_PROB = 0.5, 0.9
_LIFE_S, _PLOTS, _SENSOR = 30.0, 10.0, 0.3
_CONFIRMING_PLOTS = 4
BESIDE_M = 1_000.0         # what two radars may see one object apart before they are aligned
_NO_DOUBT = 0.001


@dataclass(frozen=True, slots=True)
class Existence:
    """P(the track is an object of its own), and what speaks against it."""

    prob: float = 1.0
    why_not: str = ""
    beside: str = ""           # the older track that it flew beside all its life
    life_s: float = 0.0
    plot_count: int = 0


@dataclass(frozen=True, slots=True)
class Other:
    """Another track's way: one that may be the same object."""

    track_id: str
    time_ns: Ints
    latitude_rad: Floats
    longitude_rad: Floats


SURE = Existence()


def existence(path: Path, sensor_count: int, beside: str = "", *, plot_count: int | None = None) -> Existence:
    """Return how surely a path is an object's own.

    Parameters
    ----------
    beside : the older track that it flew beside all its life, "" none
    plot_count : where the path has rows that are no plots of their own
    """
    life_s, plots = _life(path)
    plots, sensors = min(plots, plot_count or plots), max(sensor_count, 1)
    doubt = (_BESIDE_PROB if beside else _ALONE_PROB) * _fading(life_s, plots) * _SENSOR ** (sensors - 1)
    by = "one sensor" if sensors == 1 else f"{sensors} sensors"
    return Existence(1.0 - doubt, f"seen for {life_s:.0f} s by {by} ({plots} plots)" + (
        f", all that time beside {beside}: may be no object of its own" if beside else ": may be no object"), beside, life_s, plots)


def young(path: Path) -> bool:
    """Return whether another track beside it would make its existence doubtful."""
    return _BESIDE_PROB * _fading(*_life(path)) > _NO_DOUBT


def _life(path: Path) -> tuple[float, int]:
    """Return seconds from the first to the last plot, and how many there are."""
    times = path.time_ns[path.measured]
    return (float(times[-1] - times[0]) / NS_PER_S, len(times)) if len(times) else (0.0, 0)


def _fading(life_s: float, plots: int) -> float:
    return math.exp(-life_s / _LIFE_S - max(plots - _CONFIRMING_PLOTS, 0) / _PLOTS)


def flew_beside(path: Path, others: Iterable[Other]) -> str:
    """Return the older track within BESIDE_M of a path at every plot of it; "" where there is none."""
    rows = np.flatnonzero(path.measured)
    if not len(rows):
        return ""
    times, latitude, longitude = path.time_ns[rows], path.latitude_rad[rows], path.longitude_rad[rows]
    meridian, prime = curvature_radii_m(float(latitude[0]))
    east_m = float(prime) * math.cos(float(latitude[0]))
    nearest, found = BESIDE_M, ""
    for other in others:
        if not len(other.time_ns) or other.time_ns[0] >= times[0]:
            continue
        # Beyond its last row the other is where it was last: it is as old as its newest plot.
        away = np.hypot((np.interp(times, other.time_ns, other.latitude_rad) - latitude) * float(meridian),
                        (np.interp(times, other.time_ns, other.longitude_rad) - longitude) * east_m)
        farthest = float(np.max(away))
        if farthest < nearest:
            nearest, found = farthest, other.track_id
    return found

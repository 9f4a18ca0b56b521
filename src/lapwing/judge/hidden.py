"""Where an object went that was lost heading into what no radar sees: no plots there prove nothing.

It is carried on straight from its last plot, in growing doubt, as long as it stays hidden. It was at least so high as the radars
had to have it to be seen where it was seen last; what lies below that ahead is hidden. A stretch in which a radar would have
seen it for some turns ends the way: there the silence is a finding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.sight import lowest_visible_m, ranging
from lapwing.geo.border import Territory
from lapwing.geo.geoid import undulation_m
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.line import across
from lapwing.judge.path import Path
from lapwing.judge.settings import Settings
from lapwing.model.sensors import SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Trajectory

Floats = npt.NDArray[np.float64]

FLEW_ON_PROB = 0.9         # of what is lost where it would have been lost anyhow
LOW_M = 100.0              # above the sea: as low as drones are flown
_ON_S, _STEP_S = 600.0, 5.0
_SEEN_S = 30.0             # in a radar's sight for so long it would have been seen again
_BEGINS_S = 20.0           # hidden this soon after its last plot: that is why it was lost
_AROUND_S = 30.0           # its velocity is a mean over so long
_MPS_SIGMA = 10.0          # growth of the doubt


@dataclass(frozen=True, slots=True)
class HiddenWay:
    """The way that an object may have flown unseen, and from which height above the sea it is seen there."""

    path: Path
    seconds: float
    below_m: float


def hidden_way(trajectory: Trajectory, path: Path, sensors: SensorTable, territory: Territory, settings: Settings) -> HiddenWay | None:
    """Return the way on from the last plot that no radar sees; None where it was not lost into hiding, or lost inside."""
    last = path.last_plot
    radars = ranging(sensors)
    if path.distance_m[last] <= 0.0 or not radars:
        return None
    end_ns = int(path.time_ns[last])
    around = (trajectory.time_ns <= end_ns) & (trajectory.time_ns >= end_ns - round(_AROUND_S * NS_PER_S))
    velocity = trajectory.velocity_mps[around].mean(axis=0) if around.any() else trajectory.velocity_mps[-1]
    seconds = np.arange(0.0, _ON_S + 0.1, _STEP_S)
    meridian, prime = (float(radius) for radius in curvature_radii_m(float(path.latitude_rad[last])))
    latitude = path.latitude_rad[last] + velocity[1] * seconds / meridian
    longitude = path.longitude_rad[last] + velocity[0] * seconds / (prime * math.cos(float(path.latitude_rad[last])))
    lowest = lowest_visible_m(radars, latitude, longitude)
    height_m = float(np.nan_to_num(trajectory.height_m[np.searchsorted(trajectory.time_ns, end_ns, side="right") - 1], nan=0.0))
    height_m -= float(undulation_m(latitude[:1], longitude[:1])[0])
    # A plot beyond a radar's stated range tells no height.
    seen_from = float(lowest[0]) if math.isfinite(float(lowest[0])) else 0.0
    hidden = lowest > max(LOW_M, height_m, seen_from)
    until = _until(hidden)
    if not until:
        return None
    rows = slice(1, until)
    seen = across(territory, latitude[rows], longitude[rows], settings)
    count = until - 1
    on = Path(
        time_ns=end_ns + np.rint(seconds[rows] * NS_PER_S).astype(np.int64), latitude_rad=latitude[rows], longitude_rad=longitude[rows],
        distance_m=seen.distance_m, random_m_sigma=np.hypot(path.random_m_sigma[last], _MPS_SIGMA * seconds[rows]),
        bias_m=np.repeat(path.bias_m[last : last + 1], count, axis=0), line_m_sigma=seen.line_m_sigma, bound_95_m=seen.bound_95_m,
        undecided=seen.undecided, measured=np.zeros(count, np.bool_), shared=np.zeros(count, np.bool_))
    finite = lowest[:until][hidden[:until] & np.isfinite(lowest[:until])]
    return HiddenWay(path.take(slice(0, last + 1)).then(on), float(seconds[until - 1]), float(finite.min()) if len(finite) else math.inf)


def _until(hidden: npt.NDArray[np.bool_]) -> int:
    """Return how many steps it stays out of sight, seen for moments at most; 0 where it is not hidden soon."""
    rows = np.flatnonzero(hidden)
    if not len(rows) or rows[0] * _STEP_S > _BEGINS_S:
        return 0
    apart = np.flatnonzero(np.diff(rows) * _STEP_S > _SEEN_S)
    last = int(rows[apart[0]]) if len(apart) else int(rows[-1])
    return min(last + 1, len(hidden))

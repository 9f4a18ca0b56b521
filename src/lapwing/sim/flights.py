"""Flight paths of made-up nights, on a map plane: steered to waypoints, weaving, drifting with the wind.

The plane has its origin on the border, `along` the line and `outward` away from home, in metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import geodetic_from_enu
from lapwing.geo.geoid import undulation_m
from lapwing.sim.classes import ObjectClass
from lapwing.sim.motion import Identity, Motion

Floats = npt.NDArray[np.float64]
Point = tuple[float, float]  # along_m, outward_m

STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Plane:
    """Where the plane lies: origin, and the azimuths of its two axes."""

    latitude_rad: float
    longitude_rad: float
    along_azimuth_rad: float
    outward_azimuth_rad: float

    def geodetic(self, along_m: npt.ArrayLike, outward_m: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return latitude and longitude (rad) of points of the plane."""
        along, outward = np.asarray(along_m, np.float64), np.asarray(outward_m, np.float64)
        east = along * math.sin(self.along_azimuth_rad) + outward * math.sin(self.outward_azimuth_rad)
        north = along * math.cos(self.along_azimuth_rad) + outward * math.cos(self.outward_azimuth_rad)
        return geodetic_from_enu(self.latitude_rad, self.longitude_rad, east, north)

    def place(self, azimuth_rad: float, distance_m: float) -> Point:
        """Return the point of the plane at an azimuth and distance from its origin."""
        along = distance_m * math.cos(azimuth_rad - self.along_azimuth_rad)
        outward = distance_m * math.cos(azimuth_rad - self.outward_azimuth_rad)
        return along, outward


def steer(
    points: Sequence[Point],
    speed_mps: float,
    *,
    turn_rad_per_s: float,
    weave_rad: float = 0.0,
    weave_s: float = 120.0,
    weave_phase: float = 0.0,
    seconds_max: float = 7_200.0,
) -> Floats:
    """Return positions (n, 2), one a second: flown at constant speed from the first point by way of the others.

    The course turns towards the next point no faster than `turn_rad_per_s`, with a weave laid over it; a point counts
    as reached within three seconds of flight or one turning radius, whichever is more.
    """
    near_m = max(3.0 * speed_mps, speed_mps / max(turn_rad_per_s, 1e-3))
    x, y = points[0]
    course = math.atan2(points[1][0] - x, points[1][1] - y)
    path, target, t = [(x, y)], 1, 0.0
    while target < len(points) and t < seconds_max:
        if math.hypot(points[target][0] - x, points[target][1] - y) < near_m:
            target += 1
            continue
        wanted = math.atan2(points[target][0] - x, points[target][1] - y)
        wanted += weave_rad * math.sin(2.0 * math.pi * t / weave_s + weave_phase)
        turn = (wanted - course + math.pi) % (2.0 * math.pi) - math.pi
        course += min(max(turn, -turn_rad_per_s * STEP_S), turn_rad_per_s * STEP_S)
        x, y, t = x + speed_mps * STEP_S * math.sin(course), y + speed_mps * STEP_S * math.cos(course), t + STEP_S
        path.append((x, y))
    return np.array(path)


def drift(
    start: Point,
    ceiling_m: float,
    seconds: float,
    wind: Sequence[tuple[float, float, float]],
    ascent_mps: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return positions (n, 2) and altitudes (n,) of a balloon, one a second.

    `wind`: (altitude_m, along_mps, outward_mps) rows, rising; linear between them. Gusts of a minute or so come on top.
    """
    t = np.arange(0.0, seconds, STEP_S)
    altitude = np.minimum(
        30.0 + ascent_mps * t, ceiling_m + 60.0 * np.sin(2.0 * math.pi * t / 900.0 + rng.uniform(0.0, 6.28))
    )
    table = np.array(wind)
    velocity = np.stack([np.interp(altitude, table[:, 0], table[:, k]) for k in (1, 2)], axis=1)
    for _ in range(3):
        period_s, phase = rng.uniform(80.0, 400.0), rng.uniform(0.0, 2.0 * math.pi, 2)
        velocity += rng.uniform(0.1, 0.5) * np.sin(2.0 * math.pi * t[:, None] / period_s + phase)
    return np.array(start) + np.vstack([np.zeros(2), np.cumsum(velocity[:-1] * STEP_S, axis=0)]), altitude


def motion_on(
    plane: Plane,
    path_m: Floats,
    altitude_m: npt.ArrayLike,
    start_s: float,
    truth_id: int,
    name: str,
    kind: ObjectClass,
    identity: Identity | None = None,
) -> Motion:
    """Return the motion of an object along a path of the plane; altitude above mean sea level."""
    lat, lon = plane.geodetic(path_m[:, 0], path_m[:, 1])
    geoid = float(undulation_m(plane.latitude_rad, plane.longitude_rad))
    height = np.broadcast_to(np.asarray(altitude_m, np.float64), lat.shape) + geoid
    return Motion(
        truth_id, name, kind, False, identity, start_s + STEP_S * np.arange(len(lat), dtype=np.float64), lat, lon, height, geoid
    )

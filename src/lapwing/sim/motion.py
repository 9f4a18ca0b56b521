"""How objects move: dense tracks in time, made from a story's waypoints or from a flight of a made-up night.

A motion is one aircraft. Between samples latitude, longitude and height are linear: with a sample a second and at every
waypoint the chord error is under 1 m in the sharpest turn and under 1 mm on a straight leg.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.geoid import undulation_m
from lapwing.geo.wgs84 import curvature_radii_m, geodesic_direct, geodesic_inverse
from lapwing.sim.classes import ObjectClass, object_class
from lapwing.sim.story import Gap, Story, StoryObject

Floats = npt.NDArray[np.float64]

FORMATION_M = 1_000.0  # how far the next of a formation trails behind


@dataclass(frozen=True, slots=True)
class Identity:
    """What a transponder says. Made up: addresses of ICAO's range for temporary use, never that of a real airframe."""

    icao_address: int
    mode3a: int
    callsign: str


@dataclass(frozen=True, slots=True)
class Motion:
    """One aircraft over its life. Arrays have length m >= 2; times in seconds after the start of the run, rising."""

    truth_id: int
    name: str
    kind: ObjectClass
    patrol: bool
    identity: Identity | None  # None: no transponder
    time_s: Floats
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats  # above the ellipsoid
    undulation_m: float  # of the geoid, mean over the flight: height above sea level = height_m - this
    gaps: tuple[Gap, ...] = ()

    def at(self, time_s: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return latitude, longitude (rad) and height (m, ellipsoid) at times within its life."""
        t = np.asarray(time_s, np.float64)
        return (
            np.interp(t, self.time_s, self.latitude_rad),
            np.interp(t, self.time_s, self.longitude_rad),
            np.interp(t, self.time_s, self.height_m),
        )

    def velocity_mps(self, time_s: npt.ArrayLike) -> Floats:
        """Return east, north, up in m/s, shape (n, 3), over half a second to either side."""
        t = np.asarray(time_s, np.float64)
        before, after = np.maximum(t - 0.5, self.time_s[0]), np.minimum(t + 0.5, self.time_s[-1])
        lat0, lon0, height0 = self.at(before)
        lat1, lon1, height1 = self.at(after)
        meridian_m, normal_m = curvature_radii_m(lat0)
        return (
            np.stack(
                [
                    (lon1 - lon0) * (normal_m + height0) * np.cos(0.5 * (lat0 + lat1)),
                    (lat1 - lat0) * (meridian_m + height0),
                    height1 - height0,
                ],
                axis=-1,
            )
            / (after - before)[:, None]
        )


def made_up_identity(*names: str, prefix: str = "") -> Identity:
    """Return the identity that always belongs to these names."""
    number = zlib.crc32("\x1f".join(names).encode())
    mode3a = 0o1000 + number % 0o5777
    # 7500, 7600 and 7700 mean distress and are out of this range; 2000 and 7000 say "no code".
    mode3a = mode3a + 1 if mode3a in (0o2000, 0o7000) else mode3a
    return Identity(0xF00000 | number & 0x07FFFF, mode3a, f"{prefix}{number % 900 + 100}"[:8])


CALL_PREFIX = {"fast_jet": "PATRL", "helicopter": "RESCU", "airliner": "LWG", "light_aircraft": "TRAIN"}


def motions_of_story(story: Story) -> tuple[Motion, ...]:
    """Return the aircraft of a story, formations spread out; truth ids from 1 in the order of the file."""
    motions: list[Motion] = []
    for each in story.objects:
        leader = _motion(story, each, len(motions) + 1)
        motions.append(leader)
        for number in range(1, each.count):
            motions.append(_follower(story, leader, each, number, len(motions) + 1))
    return tuple(motions)


def _motion(story: Story, each: StoryObject, truth_id: int) -> Motion:
    """Return the dense track of an object: geodesic legs, constant ground speed, altitude linear in time."""
    parts: list[tuple[Floats, Floats, Floats, Floats]] = []
    for start, end in zip(each.waypoints, each.waypoints[1:], strict=False):
        t = np.append(np.arange(start.time_s, end.time_s, 1.0), end.time_s)
        share = (t - start.time_s) / (end.time_s - start.time_s)
        lat0, lon0, lat1, lon1 = np.radians(
            [start.latitude_deg, start.longitude_deg, end.latitude_deg, end.longitude_deg]
        )
        length_m, azimuth_rad = geodesic_inverse(lat0, lon0, lat1, lon1)
        lat, lon = geodesic_direct(lat0, lon0, azimuth_rad, share * length_m)
        parts.append((t, lat, lon, start.altitude_m + share * (end.altitude_m - start.altitude_m)))
    time_s, lat, lon, altitude = (np.concatenate([p[k][int(i > 0) :] for i, p in enumerate(parts)]) for k in range(4))
    geoid = undulation_m(lat, lon)
    identity = made_up_identity(story.id, each.id, prefix=CALL_PREFIX.get(each.class_name, "LWG"))
    return Motion(
        truth_id,
        each.id,
        object_class(each.class_name),
        each.patrol,
        identity if each.cooperative else None,
        time_s,
        lat,
        lon,
        altitude + geoid,
        float(np.mean(geoid)),
        tuple(g for g in story.gaps if g.object_id == each.id),
    )


def _follower(story: Story, leader: Motion, each: StoryObject, number: int, truth_id: int) -> Motion:
    """Return the next of a formation: the same path, `FORMATION_M` later, so it turns where the first does."""
    path_m = np.sum(
        geodesic_inverse(
            leader.latitude_rad[:-1], leader.longitude_rad[:-1], leader.latitude_rad[1:], leader.longitude_rad[1:]
        )[0]
    )
    delay_s = number * FORMATION_M / max(float(path_m) / (leader.time_s[-1] - leader.time_s[0]), 1.0)
    name = f"{each.id}.{number + 1}"
    identity = made_up_identity(story.id, name, prefix=CALL_PREFIX.get(each.class_name, "LWG"))
    return replace(
        leader,
        truth_id=truth_id,
        name=name,
        identity=identity if each.cooperative else None,
        time_s=leader.time_s + delay_s,
    )


def in_gap_prob(motion: Motion, time_s: Floats) -> Floats:
    """Return the highest detection probability that the story allows at each time: 1 outside its gaps."""
    cap = np.ones(np.shape(time_s))
    for gap in motion.gaps:
        cap = np.where((time_s >= gap.start_s) & (time_s <= gap.end_s), np.minimum(cap, gap.detection_prob), cap)
    return cap


def sun_elevation_rad(latitude_rad: float, longitude_rad: float, time_ns: int) -> float:
    """Return how high the sun stands, to about half a degree: enough to tell day from night.

    Source: mean longitude, anomaly and obliquity as in the Astronomical Almanac's low-precision formulas.
    """
    days = time_ns / 86_400e9 - 10_957.5  # since 2000-01-01 12:00
    mean_longitude, anomaly = math.radians(280.460 + 0.9856474 * days), math.radians(357.528 + 0.9856003 * days)
    ecliptic = mean_longitude + math.radians(1.915) * math.sin(anomaly) + math.radians(0.020) * math.sin(2 * anomaly)
    tilt = math.radians(23.439)
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    right_ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days)
    hour_angle = sidereal + longitude_rad - right_ascension
    return math.asin(
        math.sin(latitude_rad) * math.sin(declination)
        + math.cos(latitude_rad) * math.cos(declination) * math.cos(hour_angle)
    )

"""Made-up flights and countries for the judge's tests: a straight line along a parallel, home south of it."""

from __future__ import annotations

import numpy as np

from lapwing.country.pack import Pack, Places, Policy
from lapwing.geo.areas import build_areas
from lapwing.geo.border import Stretch, Territory, build_territory, outline_deg
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.model.tracks import CLASSES, Tracks, Trajectory

T0 = from_iso("2025-08-05T20:00:00Z")
LATITUDE, LONGITUDE = np.radians(45.0), np.radians(28.5)


def south(bound_95_m: float = 100.0, stretches: tuple[Stretch, ...] = ()) -> Territory:
    """Return a country south of 45 N, 27 to 30 E; its line is good to `bound_95_m`."""
    ring = [(45.0, 27.0), (45.0, 30.0), (43.0, 30.0), (43.0, 27.0), (45.0, 27.0)]
    return build_territory([ring], name="Southland", code="SO", version="1", sha256="5" * 64, bound_95_m=bound_95_m,
                           stretches=stretches)


def pack(territory: Territory | None = None, texts: dict[str, dict[str, str]] | None = None) -> Pack:
    """Return a pack round a territory, with two places."""
    territory = territory or south()
    places = Places(("Northtown", "Linetown"), np.radians([45.2, 44.99]), np.radians([28.5, 28.5]),
                    np.array([5000, 2000]), np.zeros(2, np.bool_), np.full(2, -1, np.int32))
    return Pack(
        code="SO", names={"en": "Southland"}, version="1", sha256="6" * 64, time_zone="UTC", languages=("en",),
        neighbours=(), territory=territory, zones=(), areas=build_areas([outline_deg(territory)]), places=places,
        policy=Policy(), partners=(), texts=texts or {}, scale={}, attribution="")


def place(east_m, north_m):
    """Return latitude, longitude of points metres east and north of a point of the line."""
    meridian, _ = curvature_radii_m(LATITUDE)
    latitude = LATITUDE + np.asarray(north_m) / meridian
    _, prime = curvature_radii_m(latitude)
    return latitude, LONGITUDE + np.asarray(east_m) / (prime * np.cos(latitude))


def trajectory(seconds, east_m, north_m, *, sigma_m=30.0, bias_m=0.0, measured=None, track_id="T-1") -> Trajectory:
    """Return a smoothed trajectory through points; velocity by differences."""
    seconds = np.asarray(seconds, float)
    count = len(seconds)
    latitude, longitude = place(east_m, north_m)
    velocity = np.column_stack([np.gradient(np.asarray(east_m, float), seconds),
                                np.gradient(np.asarray(north_m, float), seconds)]) if count > 1 else np.zeros((1, 2))
    measured = np.ones(count, np.bool_) if measured is None else np.asarray(measured)
    sigma = np.broadcast_to(np.asarray(sigma_m, float), (count,))
    return Trajectory(
        track_id=track_id, time_ns=T0 + np.rint(seconds * NS_PER_S).astype(np.int64),
        latitude_rad=np.asarray(latitude, float), longitude_rad=np.asarray(longitude, float),
        height_m=np.full(count, 200.0), velocity_mps=velocity,
        position_cov_m2=np.eye(2) * sigma[:, None, None] ** 2,
        bias_cov_m2=np.tile(np.eye(2) * bias_m**2, (count, 1, 1)),
        measured=measured, sensor_index=np.where(measured, 0, 65_535).astype(np.uint16),
        entry_sequence=np.where(measured, np.arange(count), -1).astype(np.int64),
        residual_m=np.where(measured, sigma * 1.4, np.nan), association_prob=np.where(measured, 0.9, np.nan))


def tracks(seconds, east_m, north_m, velocity_mps, *, sigma_m=30.0, names=("T-1",), updated=True, confirmed=True,
           drone_prob=0.9, affiliation=0, coasting=False, bird_prob=0.05) -> Tracks:
    """Return live rows at one moment."""
    count = len(names)
    latitude, longitude = place(np.broadcast_to(np.asarray(east_m, float), (count,)),
                                np.broadcast_to(np.asarray(north_m, float), (count,)))
    time_ns = np.full(count, T0 + round(seconds * NS_PER_S), np.int64)
    prob = np.full((count, len(CLASSES)), (1.0 - drone_prob - bird_prob) / (len(CLASSES) - 2))
    prob[:, CLASSES.index("drone")], prob[:, CLASSES.index("bird")] = drone_prob, bird_prob
    cov = np.zeros((count, 4, 4))
    cov[:, [0, 1], [0, 1]], cov[:, [2, 3], [2, 3]] = sigma_m**2, 9.0
    return Tracks(
        track_id=tuple(names), time_ns=time_ns, born_ns=np.full(count, T0), last_plot_ns=time_ns,
        latitude_rad=latitude, longitude_rad=longitude, height_m=np.full(count, 200.0),
        height_m_sigma=np.full(count, 50.0),
        velocity_mps=np.array(np.broadcast_to(np.asarray(velocity_mps, float), (count, 2))), state_cov=cov,
        bias_cov_m2=np.zeros((count, 2, 2)), turn_rate_radps=np.zeros(count), existence_prob=np.ones(count),
        confirmed=np.full(count, confirmed), coasting=np.full(count, coasting), updated=np.full(count, updated),
        class_prob=prob, affiliation=np.full(count, affiliation, np.uint8), cooperative=np.zeros(count, np.bool_),
        mode3a=np.full(count, -1, np.int32), icao_address=np.full(count, -1, np.int32),
        callsign=np.full(count, b"", "S8"), plot_count=np.full(count, 10), sensor_count=np.ones(count, np.int64),
        sensors_mask=np.ones(count, np.uint64))

"""Which stretches of a border radars can see, and from which height up, over a smooth Earth."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory
from lapwing.geo.geoid import undulation_m
from lapwing.geo.horizon import EFFECTIVE_RADIUS_M, terrain_elevation, terrain_height_m
from lapwing.geo.wgs84 import curvature_radii_m, geodesic_inverse
from lapwing.model.sensors import RADAR, Sensor, SensorTable

Floats = npt.NDArray[np.float64]

PIECE_M = 1_000.0          # the border is looked at in pieces of at most this length


def ranging(sensors: SensorTable) -> tuple[Sensor, ...]:
    """Return the radars with a known position."""
    return tuple(sensor for sensor in sensors.rows if sensor.kind == RADAR and sensor.has_position)


def lowest_visible_m(sensors: tuple[Sensor, ...], latitude_rad: Floats, longitude_rad: Floats) -> Floats:
    """Return the height above mean sea level from which any of the radars sees an object at each point.

    Smooth 4/3 Earth, and the terrain of a radar whose horizon is given: elsewhere hills and woods hide more. Infinite where a point
    is out of range of all of them. The range is that for small objects where the sensor states one.
    """
    lowest = np.full(len(latitude_rad), np.inf)
    for sensor in sensors:
        at_lat, at_lon = np.full(1, sensor.latitude_rad), np.full(1, sensor.longitude_rad)
        height = sensor.height_m if math.isfinite(sensor.height_m) else 0.0
        antenna = max(height - float(undulation_m(at_lat, at_lon)[0]), 0.0)
        range_m, azimuth = geodesic_inverse(at_lat, at_lon, latitude_rad, longitude_rad)
        reach = sensor.small_range_m if math.isfinite(sensor.small_range_m) else sensor.range_m_max
        beyond = np.maximum(range_m / math.sqrt(2.0 * EFFECTIVE_RADIUS_M) - math.sqrt(antenna), 0.0)
        over = beyond**2
        if sensor.horizon:
            over = np.maximum(over, terrain_height_m(range_m, antenna, terrain_elevation(sensor.horizon, azimuth)))
        seen_from = np.where(range_m <= reach if math.isfinite(reach) else True, over, np.inf)
        lowest = np.minimum(lowest, seen_from)
    return lowest


def border_pieces(territory: Territory, box_deg: Floats) -> tuple[Floats, Floats, Floats]:
    """Return latitude, longitude (rad) and length (m) of pieces of the real border within a box."""
    edges = territory.edge_rad
    south, west, north, east = np.radians(box_deg)
    middle = 0.5 * (edges[:, :2] + edges[:, 2:])
    chosen = edges[~territory.edge_cut & (middle[:, 0] >= south) & (middle[:, 0] <= north) & (middle[:, 1] >= west)
                   & (middle[:, 1] <= east)]
    meridian, prime = curvature_radii_m(0.5 * (chosen[:, 0] + chosen[:, 2]))
    length = np.hypot((chosen[:, 2] - chosen[:, 0]) * meridian,
                      (chosen[:, 3] - chosen[:, 1]) * prime * np.cos(chosen[:, 0]))
    count = np.maximum(np.ceil(length / PIECE_M), 1.0).astype(np.int64)
    row = np.repeat(np.arange(len(chosen)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    share = (within + 0.5) / count[row]
    point = chosen[row, :2] + share[:, None] * (chosen[row, 2:] - chosen[row, :2])
    return point[:, 0], point[:, 1], length[row] / count[row]


def blind_share(sensors: SensorTable, territory: Territory, latitude_rad: float, longitude_rad: float, *, around_m: float,
                height_m: float) -> float:
    """Return the share of the border within `around_m` of a point that no radar sees below `height_m` above the sea.

    1 where no radar has a position; NaN where no border lies so near.
    """
    meridian, prime = (float(radius) for radius in curvature_radii_m(latitude_rad))
    # Edges are chosen by their middles: a wide box, so that long ones are among them.
    north, east = 4.0 * around_m / meridian, 4.0 * around_m / (prime * math.cos(latitude_rad))
    box_deg = np.degrees([latitude_rad - north, longitude_rad - east, latitude_rad + north, longitude_rad + east])
    latitude, longitude, length = border_pieces(territory, box_deg)
    near = np.hypot((latitude - latitude_rad) * meridian, (longitude - longitude_rad) * prime * math.cos(latitude_rad)) <= around_m
    if not near.any():
        return math.nan
    lowest = lowest_visible_m(ranging(sensors), latitude[near], longitude[near])
    return float(length[near][lowest > height_m].sum() / length[near].sum())

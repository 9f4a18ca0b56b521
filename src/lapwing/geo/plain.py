"""Slow plain twins of the border and area kernels: every edge of every polygon, geodesics by Karney. For tests only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory
from lapwing.geo.wgs84 import geodesic_inverse, to_ecef

Floats = npt.NDArray[np.float64]


def inside_plain(rings_rad: Sequence[Floats], lat_rad: float, lon_rad: float) -> bool:
    """Return whether a point lies within an odd number of closed rings (k, 2) of latitude and longitude."""
    odd = False
    for ring in rings_rad:
        for (lat1, lon1), (lat2, lon2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
            if (lat1 > lat_rad) != (lat2 > lat_rad):
                odd ^= lon_rad < lon1 + (lat_rad - lat1) / (lat2 - lat1) * (lon2 - lon1)
    return odd


def nearest_plain(territory: Territory, lat_rad: float, lon_rad: float) -> tuple[float, float, float]:
    """Return geodesic distance, latitude and longitude of the nearest point of the edges that are not cut.

    Every edge that could hold it is searched with golden sections of the geodesic, 90 of them.
    """
    edges = territory.edge_rad[~territory.edge_cut]
    point = to_ecef(lat_rad, lon_rad, 0.0)
    start, end = to_ecef(edges[:, 0], edges[:, 1], 0.0), to_ecef(edges[:, 2], edges[:, 3], 0.0)
    length = np.linalg.norm(end - start, axis=1)
    to_start = np.linalg.norm(start - point, axis=1)
    # A point of an edge is at most its length from its start; an edge along a parallel is little longer than its chord.
    near = edges[to_start - 1.01 * length <= np.min(to_start)]
    low, high = np.zeros(len(near)), np.ones(len(near))
    ratio = (np.sqrt(5.0) - 1.0) / 2.0

    def at(fraction: Floats) -> tuple[Floats, Floats, Floats]:
        lat = near[:, 0] + fraction * (near[:, 2] - near[:, 0])
        lon = near[:, 1] + fraction * (near[:, 3] - near[:, 1])
        return geodesic_inverse(lat_rad, lon_rad, lat, lon)[0], lat, lon

    for _ in range(90):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        shorter = at(left)[0] < at(right)[0]
        low, high = np.where(shorter, low, left), np.where(shorter, right, high)
    distance, lat, lon = at(0.5 * (low + high))
    best = int(np.argmin(distance))
    return float(distance[best]), float(lat[best]), float(lon[best])

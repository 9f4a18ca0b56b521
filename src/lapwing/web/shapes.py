"""Shapely shapes of our own polygon types, in (longitude, latitude) degrees. For drawing only."""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

from lapwing.geo import areas, border


def territory_shape(territory: border.Territory) -> BaseGeometry:
    """Return a territory as one valid geometry."""
    return _from_rings(border.outline_deg(territory))


def area_shape(polygons: areas.Areas, area_index: int) -> BaseGeometry:
    """Return one area as a valid geometry."""
    return _from_rings(areas.outline_deg(polygons, area_index))


def _from_rings(rings_deg: Iterable[Iterable[tuple[float, float]]]) -> BaseGeometry:
    """Return what an odd number of rings (latitude, longitude) encloses; their direction does not matter."""
    polygons = [shapely.make_valid(shapely.Polygon([(lon, lat) for lat, lon in ring])) for ring in rings_deg]
    polygons.sort(key=lambda polygon: -polygon.area)
    shape: BaseGeometry = shapely.Polygon()
    for polygon in polygons:
        # Islands and exclaves are the common case and only add; a difference is made where rings overlap alone.
        shape = shape.symmetric_difference(polygon) if shape.intersects(polygon) else shape.union(polygon)
    return shape

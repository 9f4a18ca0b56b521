"""The outline of a warning: the union of its zones, simplified outwards, as closed rings of few points.

Outwards, because a point that a channel cuts off is a person who is not warned. Holes are filled for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from shapely import MultiPolygon, Polygon, set_precision, unary_union
from shapely.geometry.base import BaseGeometry

from lapwing.country.pack import Pack
from lapwing.geo.areas import Areas, outline_deg

Ring = tuple[tuple[float, float], ...]
POINTS_MAX = 90                    # of one polygon: what phones' location checks and feeds take without trouble
POLYGONS_MAX = 12
TOLERANCE_DEG = 0.0015             # some 150 m to begin with
THIN_FROM, THIN_DEG = 60, 0.0005   # zones of more points are thinned before they are joined
GRID_DEG = 1e-4                    # written with four decimals
JOIN_DEG = 0.004                   # zones nearer than this are joined: gaps between neighbours are slivers of the data


def outline(pack: Pack, zones: Sequence[int]) -> tuple[Ring, ...]:
    """Return closed rings of (latitude_deg, longitude_deg) that together hold every zone; the largest first."""
    return _outline(pack.areas, tuple(pack.zones[index].area_index for index in zones))


@lru_cache(maxsize=256)
def _outline(areas: Areas, area_index: tuple[int, ...]) -> tuple[Ring, ...]:
    """A warning that is renewed or ended has the outline that it had: most messages of an incident repeat one."""
    whole = unary_union([part for index in area_index for part in _parts(areas, index)])
    if whole.is_empty:
        return ()
    tolerance = TOLERANCE_DEG
    while True:
        rings = _rings(_widened(whole, tolerance))
        if (len(rings) <= POLYGONS_MAX and all(len(ring) <= POINTS_MAX for ring in rings)) or tolerance > 0.5:
            return tuple(rings)
        tolerance *= 1.6


def _parts(areas: Areas, index: int) -> list[BaseGeometry]:
    """Return the filled rings of an area with the points thinned, outwards: an official outline has thousands.

    A hole's ring adds nothing to the union of filled outlines, so all rings are taken alike.
    """
    parts = []
    for ring in outline_deg(areas, index):
        if len(ring) >= 4:
            whole = _sound(Polygon([(longitude, latitude) for latitude, longitude in ring]))
            if len(ring) > THIN_FROM:
                thin = whole.simplify(THIN_DEG, preserve_topology=True).buffer(1.5 * THIN_DEG, quad_segs=1)
                whole = thin if thin.covers(whole) else whole
            parts.append(whole)
    return parts


def _sound(polygon: Polygon) -> BaseGeometry:
    return polygon if polygon.is_valid else polygon.buffer(0.0)


def _widened(shape: BaseGeometry, tolerance_deg: float) -> BaseGeometry:
    """Return a simpler shape that holds the given one: grown by more than the simplification can take away."""
    grown = shape.buffer(2.0 * tolerance_deg + 2.0 * GRID_DEG, quad_segs=2, join_style="mitre", mitre_limit=2.0)
    joined = grown.buffer(JOIN_DEG, quad_segs=1).buffer(-JOIN_DEG, quad_segs=1).union(grown)
    simple = joined.simplify(tolerance_deg, preserve_topology=True)
    return simple if simple.covers(shape) else joined.convex_hull


def _rings(shape: BaseGeometry) -> list[Ring]:
    rings = []
    for polygon in sorted(_polygons(shape), key=lambda p: -p.area):
        for part in _polygons(set_precision(Polygon(polygon.exterior), GRID_DEG).normalize()):
            rings.append(tuple((_four(y), _four(x)) for x, y in part.exterior.coords))
    return rings


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    if isinstance(shape, MultiPolygon):
        return [part for part in shape.geoms if not part.is_empty]
    return [shape] if isinstance(shape, Polygon) and not shape.is_empty else []


def _four(value_deg: float) -> float:
    rounded = round(value_deg, 4)
    return 0.0 if rounded == 0.0 or math.isnan(rounded) else rounded

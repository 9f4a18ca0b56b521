"""The strips along the border that the console draws: 5, 10 and 20 km on both sides of the line.

For the eye only. Distances that are judged come from `geo.border`, exact on the ellipsoid; these polygons are made once
at the start, in a plane about the middle of the view, from a line simplified to `LINE_TOLERANCE_M`.

Error: the plane (azimuthal equidistant) is true to 0.03 % within 300 km of its centre; corners of the strips are
rounded with 8 segments a quarter circle (0.5 % of the width).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

WIDTHS_KM = (5, 10, 20)
# The line is shown this true: under the published line's own bound (30-200 m) and under a pixel until zoom 13.
LINE_TOLERANCE_M = 15.0
STRIP_TOLERANCE_M = 60.0


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane in metres about a point: east to x, north to y."""

    to_plane: Callable[[BaseGeometry], BaseGeometry]
    to_degrees: Callable[[BaseGeometry], BaseGeometry]


def plane_about(latitude_deg: float, longitude_deg: float) -> Plane:
    """Return the azimuthal equidistant plane about a point (WGS-84); degrees are (longitude, latitude)."""
    there = pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={latitude_deg} +lon_0={longitude_deg} +datum=WGS84 +units=m", always_xy=True)

    def project(geometry: BaseGeometry) -> BaseGeometry:
        moved: BaseGeometry = shapely.transform(
            geometry, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1])))
        return moved

    def unproject(geometry: BaseGeometry) -> BaseGeometry:
        moved: BaseGeometry = shapely.transform(
            geometry, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1], direction="INVERSE")))
        return moved

    return Plane(project, unproject)


def view_of(territory: BaseGeometry, box_deg: tuple[float, float, float, float]) -> BaseGeometry:
    """Return the part of a territory inside a box (west, south, east, north), valid."""
    whole = territory if territory.is_valid else shapely.make_valid(territory)
    part: BaseGeometry = shapely.clip_by_rect(whole, *box_deg)
    return part if part.is_valid else shapely.make_valid(part)


def border_line(territory: BaseGeometry, box_deg: tuple[float, float, float, float], plane: Plane) -> BaseGeometry:
    """Return the outline of a territory inside a box, without the box's own edges, in the plane, simplified."""
    line = shapely.clip_by_rect(territory.boundary, *box_deg)
    simple: BaseGeometry = shapely.line_merge(plane.to_plane(line)).simplify(LINE_TOLERANCE_M)
    return simple


def strips(territory: BaseGeometry, line: BaseGeometry, plane: Plane) -> list[dict[str, Any]]:
    """Return [{km, side, geometry}] of the rings between one width and the next, both sides of the line.

    Parameters
    ----------
    territory : in the plane; its edges at the box of the view do not matter, the line says where the border is
    line : `border_line`, in the plane
    """
    found = []
    inner_band: BaseGeometry = shapely.Polygon()
    simple = territory.buffer(0)
    for km in WIDTHS_KM:
        band = line.simplify(STRIP_TOLERANCE_M).buffer(km * 1_000.0, quad_segs=8)
        ring = band.difference(inner_band)
        for side, part in (("outside", ring.difference(simple)), ("inside", ring.intersection(simple))):
            if not part.is_empty:
                found.append({"km": km, "side": side, "geometry": geo_json(plane.to_degrees(
                    part.simplify(STRIP_TOLERANCE_M)), digits=4)})
        inner_band = band
    return found


def geo_json(geometry: BaseGeometry, *, digits: int = 5) -> dict[str, Any]:
    """Return a geometry as a GeoJSON object, coordinates rounded (5 digits: about 1 m)."""
    rounded = shapely.transform(geometry, lambda xy: np.round(xy, digits))
    mapping: dict[str, Any] = shapely.geometry.mapping(rounded)
    return mapping

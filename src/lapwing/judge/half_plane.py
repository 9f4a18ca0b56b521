"""A country made of one line: home is the side of it that a file names; or of polygons. For scenarios, and for an authority's what-if.

The line's ends are extended straight (along the geodesic of its first and last leg) by 500 km; beyond, an arc far
behind closes home. Nothing nearer than those 500 km is ever measured to the arc.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from lapwing.country.pack import Pack, Places, Policy
from lapwing.geo.areas import build_areas
from lapwing.geo.border import UNSTATED_BOUND_M, Territory, build_territory, outline_deg
from lapwing.geo.wgs84 import geodesic_direct, geodesic_inverse
from lapwing.model.errors import ConfigError

EXTENSION_M = 500_000.0
_STEP_M = 5_000.0          # of the extension: its edges, straight in longitude and latitude, stay within 3 m of it
_ARC_STEP_RAD = math.radians(5.0)


def half_plane(points_deg: Sequence[tuple[float, float]], home_side: str, *, name: str, sha256: str,
               code: str = "XX", bound_95_m: float = 0.0, version: str = "as given") -> Territory:
    """Return home as a territory.

    Parameters
    ----------
    points_deg : (latitude_deg, longitude_deg) along the line, at least two
    home_side : "left" or "right", seen along the line
    bound_95_m : how far the line may lie from the true one; a made-up line is exact
    """
    before, _ = _extension(points_deg[1], points_deg[0])
    after, _ = _extension(points_deg[-2], points_deg[-1])
    line = [*reversed(before), *points_deg, *after]
    middle = points_deg[len(points_deg) // 2]
    azimuth_end, reach_end = _towards(middle, line[-1])
    azimuth_start, reach_start = _towards(middle, line[0])
    turn = (azimuth_start - azimuth_end) % (2.0 * math.pi)
    if home_side == "left":
        turn -= 2.0 * math.pi
    steps = max(int(abs(turn) / _ARC_STEP_RAD), 2)
    radius = 1.3 * max(reach_end, reach_start)
    arc = [_direct(middle, azimuth_end + turn * step / steps, radius) for step in range(steps + 1)]
    return build_territory([[*line, *arc, line[0]]], name=name, code=code, version=version, sha256=sha256,
                           bound_95_m=bound_95_m)


def parse_border(data: bytes, where: str, sha256: str) -> Territory:
    """Return the territory of a border file. Raises ConfigError.

    GeoJSON: a LineString with the property `home_side` (home is that side of it), or Polygons and MultiPolygons, which are
    home together. Properties `name`, `version` and `bound_95_m` (how far the true line may lie away) are kept.
    """
    try:
        document = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise ConfigError(f"no JSON: {error}", where=where, remedy="give a GeoJSON file with one LineString") from None
    features = document.get("features", [document]) if isinstance(document, dict) else []
    rings: list[list[tuple[float, float]]] = []
    told: dict[str, object] = {}
    for feature in features if isinstance(features, list) else []:
        geometry = feature.get("geometry") if isinstance(feature, dict) and "geometry" in feature else feature
        if not isinstance(geometry, dict):
            continue
        properties = feature.get("properties") or {}
        if geometry.get("type") == "LineString":
            side = properties.get("home_side")
            if side not in ("left", "right"):
                raise ConfigError(f"home_side = {side!r}", where=f"{where} properties",
                                  remedy='say "left" or "right", seen along the line')
            return half_plane(_points(geometry.get("coordinates"), where), side, name=str(properties.get("name", "border")),
                              sha256=sha256, bound_95_m=_bound(properties, 0.0, where),
                              version=str(properties.get("version", "as given")))
        if geometry.get("type") in ("Polygon", "MultiPolygon"):
            parts = geometry.get("coordinates")
            parts = [parts] if geometry["type"] == "Polygon" else parts
            rings += [_ring(ring, where) for part in parts or [] for ring in part or []]
            told = told or properties
    if not rings:
        raise ConfigError("no LineString and no Polygon in it", where=where,
                          remedy="give a GeoJSON file with one LineString and home_side, or with Polygons")
    return build_territory(rings, name=str(told.get("name", "territory")), code=str(told.get("iso_a2", "XX")),
                           version=str(told.get("version", "as given")), sha256=sha256,
                           bound_95_m=_bound(told, UNSTATED_BOUND_M, where))


def plain_pack(territory: Territory) -> Pack:
    """Return a pack that is nothing but a territory: no zones, places, partners or texts of its own."""
    none = np.zeros(0)
    places = Places((), none, none, np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.int32))
    return Pack(
        code=territory.code, names={"en": "the home side"}, version=territory.version, sha256=territory.sha256,
        time_zone="UTC", languages=("en",), neighbours=(), territory=territory, zones=(),
        areas=build_areas([outline_deg(territory)]), places=places, policy=Policy(), partners=(), texts={}, scale={},
        attribution="")


def _bound(properties: Mapping[str, object], usual: float, where: str) -> float:
    value = properties.get("bound_95_m", usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < 1e6:
        raise ConfigError(f"bound_95_m = {value!r}: no number of metres", where=f"{where} properties",
                          remedy="say how far the true line may lie away, 95 %")
    return float(value)


def _ring(coordinates: object, where: str) -> list[tuple[float, float]]:
    points = _points(coordinates, where)
    if len(points) < 4 or points[0] != points[-1]:
        raise ConfigError(f"ring of {len(points)} points that does not end where it begins", where=where,
                          remedy="close the polygon: repeat its first point at the end")
    return points


def _points(coordinates: object, where: str) -> list[tuple[float, float]]:
    try:
        points = [(float(pair[1]), float(pair[0])) for pair in coordinates]  # type: ignore[attr-defined]
    except (TypeError, ValueError, IndexError):
        points = []
    if len(points) < 2 or not all(abs(lat) <= 90.0 and abs(lon) <= 180.0 for lat, lon in points):
        raise ConfigError("coordinates are not at least two [longitude, latitude] pairs in degrees", where=where,
                          remedy="check the order: longitude first")
    return points


def _extension(inner: tuple[float, float], end: tuple[float, float]) -> tuple[list[tuple[float, float]], float]:
    """Return points beyond `end`, straight on from `inner`, and the azimuth there."""
    azimuth, _ = _towards(end, inner)
    out = [_direct(end, azimuth + math.pi, step * _STEP_M) for step in range(1, int(EXTENSION_M / _STEP_M) + 1)]
    return out, azimuth + math.pi


def _towards(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    distance, azimuth = geodesic_inverse(*map(math.radians, start), *map(math.radians, end))
    return float(azimuth), float(distance)


def _direct(start: tuple[float, float], azimuth_rad: float, distance_m: float) -> tuple[float, float]:
    latitude, longitude = geodesic_direct(math.radians(start[0]), math.radians(start[1]), azimuth_rad, distance_m)
    return math.degrees(float(latitude)), math.degrees(float(longitude))

"""Volumes of UAS geographical zones: EUROCAE ED-269 (JSON) and ED-318 (GeoJSON) files, as authorities publish them.

What is taken: outlines (polygons with holes, circles), vertical limits, the span of time that a zone applies in. Where a file
leaves doubt a zone is larger or longer, never smaller: a limit above ground is reckoned from sea level below and from
`GROUND_M_MAX` above, since the ground's height is not known here; weekly hours are not read, the zone counts as active in its
whole span. Zones without a restriction are left out.

=====================  ==============================================  ==============================================
what                   ED-269                                          ED-318
=====================  ==============================================  ==============================================
zone                   features[]                                      features[].properties
outline                geometry[].horizontalProjection: Polygon, or    geometry: Polygon, MultiPolygon, or Point with
                       Circle with center and radius (m)               extent.radius (m); collections of these
limits                 geometry[].lowerLimit, upperLimit, their        geometry.layer.lower, upper, their references
                       ...VerticalReference, uomDimensions             ...Reference, uom
span                   applicability[]                                 properties.limitedApplicability[]
=====================  ==============================================  ==============================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lapwing.country.volumes import Volume
from lapwing.geo.border import Ring, build_territory
from lapwing.geo.geoid import undulation_m
from lapwing.geo.wgs84 import geodesic_direct
from lapwing.model.errors import ConfigError
from lapwing.model.times import from_iso

GROUND_M_MAX = 2_500.0        # above the sea; higher ground is not reckoned with
ZONES_MAX = 10_000
_FOOT_M = 0.3048
_CIRCLE_POINTS = 72
_UNRESTRICTED = "NO_RESTRICTION"


def parse_geozones(data: bytes, where: str, sha256: str) -> tuple[Volume, ...]:
    """Return the volumes of a file, one a zone and layer. Raises ConfigError with the zone at fault."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"no JSON: {error}", where=where, remedy="give an ED-269 or ED-318 file") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise ConfigError("no list of features", where=where, remedy="give an ED-269 or ED-318 file")
    if len(features) > ZONES_MAX:
        raise ConfigError(f"{len(features)} zones", where=where, remedy=f"at most {ZONES_MAX}: cut the file to your area")
    found: list[Volume] = []
    for number, feature in enumerate(features):
        try:
            found += _zone(feature, sha256)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError, AttributeError) as error:
            name = feature.get("identifier", "") if isinstance(feature, dict) else ""
            raise ConfigError(f"{type(error).__name__}: {error}", where=f"{where} features[{number}] {name}".rstrip(),
                              remedy="see docs/formats.md for what is read of a zone") from None
    codes = [volume.code for volume in found]
    twice = next((code for code in codes if codes.count(code) > 1), None) if len(set(codes)) < len(codes) else None
    if twice:
        raise ConfigError(f"identifier {twice!r} stands twice", where=where, remedy="give each zone an identifier of its own")
    return tuple(found)


def _zone(feature: Mapping[str, Any], sha256: str) -> list[Volume]:
    if "properties" in feature:
        told, layers = feature["properties"], _layers_318(feature["geometry"])
        spans = told.get("limitedApplicability") or ()
        unrestricted = told.get("type") == _UNRESTRICTED
    else:
        told, layers = feature, [_layer_269(each) for each in feature["geometry"]]
        spans = [each for each in feature.get("applicability") or () if str(each.get("permanent", "NO")).upper() != "YES"]
        if len(spans) < len(feature.get("applicability") or ()):
            spans = []
        unrestricted = told.get("restriction") == _UNRESTRICTED
    if unrestricted:
        return []
    code = str(told["identifier"]).strip()
    if not code:
        raise ValueError("identifier is empty")
    active = tuple(sorted(_span(each) for each in spans))
    result = []
    for number, (rings, floor, ceiling) in enumerate(layers, start=1):
        if not floor <= ceiling:
            raise ValueError(f"lower limit {floor:.0f} m is above the upper one, {ceiling:.0f} m, over the ellipsoid")
        mine = code if len(layers) == 1 else f"{code}/{number}"
        result.append(Volume(mine, _name(told.get("name"), code), build_territory(
            rings, name=mine, code=mine, version="as given", sha256=sha256, bound_95_m=0.0), floor, ceiling, active))
    return result


def _name(value: Any, code: str) -> str:
    """Return a zone's name: a text, or in ED-318 texts by language, the first of them."""
    if isinstance(value, list) and value:
        value = value[0].get("text")
    return str(value or code)


def _span(span: Mapping[str, Any]) -> tuple[int, int]:
    start, end = (from_iso(str(value)) if value else None for value in (span.get("startDateTime"), span.get("endDateTime")))
    if start is not None and end is not None and end <= start:
        raise ValueError(f"it ends at {span['endDateTime']}, before it starts")
    return start if start is not None else -(1 << 62), end if end is not None else 1 << 62


def _layer_269(part: Mapping[str, Any]) -> tuple[list[Ring], float, float]:
    shape, unit = part["horizontalProjection"], part.get("uomDimensions", "M")
    rings = [_circle(shape["center"], shape["radius"])] if shape["type"] == "Circle" else _polygon(shape)
    return rings, *_limits(rings, part.get("lowerLimit"), part.get("lowerVerticalReference"), part.get("upperLimit"),
                           part.get("upperVerticalReference"), unit)


def _layers_318(geometry: Mapping[str, Any]) -> list[tuple[list[Ring], float, float]]:
    if geometry["type"] == "GeometryCollection":
        return [layer for part in geometry["geometries"] for layer in _layers_318(part)]
    if geometry["type"] == "Point":
        rings = [_circle(geometry["coordinates"], geometry["extent"]["radius"])]
    elif geometry["type"] == "MultiPolygon":
        rings = [_ring(ring) for part in geometry["coordinates"] for ring in part]
    else:
        rings = _polygon(geometry)
    layer = geometry.get("layer") or {}
    return [(rings, *_limits(rings, layer.get("lower"), layer.get("lowerReference"), layer.get("upper"), layer.get("upperReference"),
                             layer.get("uom", "m")))]


def _limits(rings: list[Ring], lower: Any, lower_reference: Any, upper: Any, upper_reference: Any, unit: Any) -> tuple[float, float]:
    """Return floor and ceiling above the ellipsoid, as wide as what is not known makes them."""
    if str(unit).upper() not in ("M", "FT"):
        raise ValueError(f"unit {unit!r} is neither m nor ft")
    scale = _FOOT_M if str(unit).upper() == "FT" else 1.0
    latitude, longitude = np.radians(np.array(rings[0]).mean(axis=0))
    geoid = float(undulation_m(np.array([latitude]), np.array([longitude]))[0])

    def height(value: Any, reference: Any, ground_m: float) -> float:
        number = float(value) * scale
        if not math.isfinite(number):
            raise ValueError(f"limit {value!r} is no height")
        above = {"AMSL": geoid, "WGS84": 0.0, "AGL": geoid + ground_m}
        if str(reference).upper() not in above:
            raise ValueError(f"reference {reference!r} is none of {', '.join(above)}")
        return number + above[str(reference).upper()]

    floor = -math.inf if lower is None else height(lower, lower_reference, 0.0)
    # The surface itself is the floor: what flies low over a hollow is not below the zone.
    if lower is not None and float(lower) <= 0.0:
        floor = -math.inf
    return floor, math.inf if upper is None else height(upper, upper_reference, GROUND_M_MAX)


def _polygon(shape: Mapping[str, Any]) -> list[Ring]:
    if shape["type"] != "Polygon":
        raise ValueError(f"outline {shape['type']!r} is no polygon and no circle")
    return [_ring(ring) for ring in shape["coordinates"]]


def _ring(points: Any) -> Ring:
    ring = [(float(point[1]), float(point[0])) for point in points]
    if not all(abs(lat) <= 90.0 and abs(lon) <= 180.0 for lat, lon in ring):
        raise ValueError("a corner is not [longitude, latitude] in degrees")
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(set(ring)) < 3:
        raise ValueError("an outline has fewer than three corners")
    return ring


def _circle(centre: Any, radius: Any) -> Ring:
    """Return a circle as a ring that nowhere lies inside it."""
    (longitude, latitude), metres = (float(centre[0]), float(centre[1])), float(radius)
    if not (0.0 < metres <= 500_000.0 and abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
        raise ValueError(f"circle of {radius!r} m about {centre!r}")
    around = np.linspace(0.0, 2.0 * math.pi, _CIRCLE_POINTS, endpoint=False)
    lat, lon = geodesic_direct(math.radians(latitude), math.radians(longitude), around, metres / math.cos(math.pi / _CIRCLE_POINTS))
    ring = list(zip(np.degrees(lat).tolist(), np.degrees(lon).tolist(), strict=True))
    return [*ring, ring[0]]

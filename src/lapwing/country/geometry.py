"""The GeoJSON files of a pack: the territory and the zones. Longitude and latitude are turned here, and only here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lapwing.country.pack import Zone
from lapwing.country.reading import Table
from lapwing.geo.areas import Areas, build_areas
from lapwing.geo.border import Stretch, Territory, build_territory
from lapwing.model.errors import ConfigError

Rings = list[list[tuple[float, float]]]      # closed rings of (latitude_deg, longitude_deg)

TERRITORY, ZONES = "territory.geojson", "zones.geojson"
LEVELS = ("country", "county", "municipality", "cell")
GEOMETRIES = {"Polygon", "MultiPolygon"}


@dataclass(frozen=True, slots=True)
class BoundaryNote:
    """What pack.toml says of the line."""

    version: str
    bound_95_m: float
    stretches: tuple[Stretch, ...]


def read_json(file: str, data: bytes) -> Any:
    """Return the parsed file, or say where it breaks."""
    try:
        return json.loads(data.decode("utf-8-sig"))     # json would guess UTF-16 and 32, which RFC 7946 forbids
    except UnicodeDecodeError as error:
        raise ConfigError(f"octet {error.start} is not UTF-8", where=file, remedy="save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg}", where=f"{file} line {error.lineno} column {error.colno}",
                          remedy="restore the file, or export it again") from error


def features(file: str, data: bytes) -> list[tuple[str, Table, Mapping[str, Any]]]:
    """Return (place, properties, geometry) of each feature of a FeatureCollection or single Feature."""
    value = read_json(file, data)
    if isinstance(value, Mapping) and value.get("type") == "Feature":
        value = {"type": "FeatureCollection", "features": [value]}
    if not isinstance(value, Mapping) or value.get("type") != "FeatureCollection" or not isinstance(
            value.get("features"), list):
        raise ConfigError("is not a GeoJSON FeatureCollection", where=file,
                          remedy='write {"type": "FeatureCollection", "features": [...]} (RFC 7946)')
    found = []
    for row, feature in enumerate(value["features"]):
        place = f"features[{row}]"
        if not isinstance(feature, Mapping) or not isinstance(feature.get("properties"), Mapping) or not isinstance(
                feature.get("geometry"), Mapping):
            raise ConfigError("needs properties and a geometry", where=f"{file} {place}",
                              remedy="complete it, or remove it")
        found.append((place, Table(file, feature["properties"], f"{place}.properties"), feature["geometry"]))
    return found


def read_rings(file: str, place: str, geometry: Mapping[str, Any]) -> Rings:
    """Return the rings of a Polygon or MultiPolygon, all parts in one list.

    Raises
    ------
    ConfigError for another geometry, an open ring, fewer than four positions, a position that is not one
    """
    where = f"{file} {place}.geometry"
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in GEOMETRIES or not isinstance(coordinates, Sequence):
        raise ConfigError(f"type = {kind!r}", where=where, remedy="an area is a Polygon or a MultiPolygon")
    parts = [coordinates] if kind == "Polygon" else coordinates
    rings: Rings = []
    for part_index, part in enumerate(parts):
        for ring_index, ring in enumerate(part):
            at = f"{where}.coordinates[{part_index}][{ring_index}]"
            try:
                points = np.asarray(ring, np.float64)
            except (TypeError, ValueError) as error:
                raise ConfigError("holds something that is not a number", where=at,
                                  remedy="each position is [longitude, latitude]") from error
            if points.ndim != 2 or points.shape[1] not in (2, 3) or len(points) < 4:
                raise ConfigError(f"has shape {points.shape}", where=at,
                                  remedy="a ring is at least four positions [longitude, latitude], "
                                         "the last as the first")
            bad = np.flatnonzero(~((np.abs(points[:, 0]) <= 180.0) & (np.abs(points[:, 1]) <= 90.0)))
            if len(bad):
                raise ConfigError(f"position {bad[0]} = {list(ring[int(bad[0])])!r} is not on Earth", where=at,
                                  remedy="each position is [longitude, latitude] in degrees")
            if ring[0][:2] != ring[-1][:2]:
                raise ConfigError(f"is open: starts at {list(ring[0])}, ends at {list(ring[-1])}", where=at,
                                  remedy="repeat the first position at the end")
            rings.append(list(zip(points[:, 1].tolist(), points[:, 0].tolist(), strict=True)))
    if not rings:
        raise ConfigError("is empty", where=where, remedy="give at least one ring")
    return rings


def read_territory(file: str, data: bytes, sha256: str, note: BoundaryNote | None = None) -> Territory:
    """Build the territory from its one feature.

    Properties: code, name, snapshot, source, complete; clipped_to [west, south, east, north] where not complete;
    neighbours {code: [[ring, first edge, end edge], ...]}: whose border which edges are.
    """
    found = features(file, data)
    if len(found) != 1:
        raise ConfigError(f"holds {len(found)} features", where=file,
                          remedy="a territory is one feature, with all its parts")
    place, properties, geometry = found[0]
    rings = read_rings(file, place, geometry)
    code, name, snapshot = properties.code("code"), properties.text("name"), properties.text("snapshot")
    complete = properties.flag("complete", True)
    box = properties.raw("clipped_to")
    if complete != (box is None) or (box is not None and (not isinstance(box, list) or len(box) != 4 or not all(
            isinstance(v, int | float) for v in box))):
        raise properties.wrong("clipped_to", f"does not fit complete = {str(complete).lower()}",
                               "an outline cut to a box has complete = false and its clipped_to = "
                               "[west, south, east, north]")
    neighbours = [[""] * (len(ring) - 1) for ring in rings]
    for neighbour, runs in (properties.raw("neighbours") or {}).items():
        for run in runs:
            if (not isinstance(run, list) or len(run) != 3 or not 0 <= run[0] < len(rings)
                    or not 0 <= run[1] < run[2] <= len(neighbours[run[0]])):
                raise properties.wrong("neighbours", f"{neighbour}: {run!r} is no run of edges",
                                       "a run is [ring, first edge, end edge] within the geometry")
            neighbours[run[0]][run[1]:run[2]] = [neighbour] * (run[2] - run[1])
    properties.raw("source")
    properties.end()
    note = note or BoundaryNote(snapshot, 500.0, ())
    for stretch in note.stretches:
        if stretch.neighbour and not any(stretch.neighbour in codes for codes in neighbours):
            raise ConfigError(f"= {stretch.neighbour!r}: the territory has no edge with it",
                              where=f'pack.toml stretch "{stretch.name}" neighbour',
                              remedy="correct the code, leave it out, or rebuild territory.geojson")
    return build_territory(rings, name=name, code=code, version=note.version, date=snapshot, sha256=sha256,
                           complete=complete, clip_box_deg=box, stretches=note.stretches, bound_95_m=note.bound_95_m,
                           ring_neighbours=neighbours)


def read_zones(file: str, data: bytes, country: str, first_language: str) -> tuple[tuple[Zone, ...], Areas]:
    """Return the zones, counties first, sorted by code within a level, and the areas in the same order."""
    rows: list[tuple[int, str, Zone, Rings, Table]] = []
    seen: dict[str, str] = {}
    for place, properties, geometry in features(file, data):
        rings = read_rings(file, place, geometry)
        level = properties.text("level")
        if level not in LEVELS:
            raise properties.wrong("level", "is not a level", f"use one of {', '.join(LEVELS)}")
        code = properties.text("code")
        if code in seen:
            raise properties.wrong("code", f"is also the code of {seen[code]}", "every zone has its own code")
        seen[code] = place
        names = properties.words("names")
        name = names.get(first_language) or properties.text("name")
        properties.raw("name")
        zone = Zone(
            code=code, name=name, names={first_language: name, **names}, level=level,
            parent=properties.text("parent", "", empty=True), county=properties.text("county"),
            population=properties.whole("population"),
            population_estimated=properties.flag("population_estimated", False),
            latitude_rad=float(np.radians(properties.number("lat_deg", low=-90.0, high=90.0))),
            longitude_rad=float(np.radians(properties.number("lon_deg", low=-180.0, high=180.0))),
            geocodes=properties.words("geocodes"), derived=properties.flag("derived", False), area_index=0,
            addressable=properties.flag("addressable", True))
        properties.raw("source")
        properties.raw("vintage")
        properties.end()
        rows.append((LEVELS.index(level), code, zone, rings, properties))
    if not rows:
        raise ConfigError("holds no zone", where=file,
                          remedy="a pack needs at least one zone: the whole country will do")
    for _, _, zone, _, properties in rows:
        for key, value in (("parent", zone.parent), ("county", zone.county)):
            if value and value not in seen and value != country:
                raise properties.wrong(key, "no zone has this code", "name a zone of this file, or the country's code")
    rows.sort(key=lambda row: row[:2])
    zones = tuple(replace(zone, area_index=index) for index, (_, _, zone, _, _) in enumerate(rows))
    return zones, build_areas([rings for _, _, _, rings, _ in rows])




"""The place that the picture is drawn on, as JSON: border and strips, zones, places, sensors, land and water. Pure.

Made once at the start (about a second for a country at full resolution) and again when a sensor is added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from lapwing.country.pack import Pack
from lapwing.geo.border import Territory
from lapwing.geo.geoid import undulation_m
from lapwing.geo.horizon import radio_horizon_m
from lapwing.model.sensors import ACOUSTIC_ARRAY, OBSERVER, RADAR, Sensor, SensorTable
from lapwing.web import display, strips
from lapwing.web.shapes import area_shape, territory_shape

Box = tuple[float, float, float, float]   # west, south, east, north, degrees

VIEW_MARGIN_DEG = 1.6           # round the sensors: what a console may be moved over without seeing the picture end
VIEW_ROUND_SENSORS_DEG = 0.5
CELLS_WITHIN_M = 60_000.0       # cells are drawn this near the line: as far as an alert looks ahead; further in the counties are
PLACES_MAX = 1_500
COVERAGE_HEIGHT_M = 150.0       # the rings show how far an object at this height above the sea clears the horizon
COLOURS = {"watch": "#8fb4ff", "pre_alert": "#ffc53d", "alert": "#ff4d4f", "all_clear": "#46c28e"}
LEVEL_WORDS = {"watch": "WATCH", "pre_alert": "PRE-ALERT", "alert": "ALERT", "all_clear": "ALL CLEAR"}


def site_picture(
    pack: Pack | None,
    neighbours: Mapping[str, Territory],
    sensors: SensorTable,
    mode: str,
    *,
    title: str = "",
    view_deg: Box | None = None,
    display_files: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Return the description of the place.

    Parameters
    ----------
    pack : the home country; None where there is none (tracks alone)
    neighbours : code -> territory of the countries around, for their lines
    sensors : as known now
    title : what is being played, for the top of the page
    view_deg : what to show at first (west, south, east, north); None: the sensors with a margin, else the country
    display_files : see `display.display_layers`
    """
    view = view_deg or first_view(pack, sensors)
    box = (view[0] - VIEW_MARGIN_DEG, view[1] - VIEW_MARGIN_DEG, view[2] + VIEW_MARGIN_DEG, view[3] + VIEW_MARGIN_DEG)
    site: dict[str, Any] = {
        "type": "site", "mode": mode, "title": title, "view": [round(v, 4) for v in view], "country": None,
        "time_zone": "UTC", "languages": [], "attribution": "", "border": None, "strips": [], "neighbours": [],
        "zones": {"type": "FeatureCollection", "features": []}, "places": [],
        "levels": {level: {"word": word, "colour": COLOURS[level], "names": {}} for level, word in LEVEL_WORDS.items()},
        "sensors": [_sensor(sensor) for sensor in sensors.rows],
        "display": display.display_layers(display_files or {}, box),
    }
    credits = [display.ATTRIBUTION] if site["display"] else []
    plane = strips.plane_about((view[1] + view[3]) / 2, (view[0] + view[2]) / 2)
    for code in sorted(neighbours):
        outline = strips.border_line(territory_shape(neighbours[code]), box, plane)
        if not outline.is_empty:
            site["neighbours"].append({"code": code, "name": neighbours[code].name,
                                       "geometry": strips.geo_json(plane.to_degrees(outline), digits=4)})
    if pack is not None:
        site.update(_country(pack, box, plane))
        for level in site["levels"]:
            site["levels"][level]["names"] = dict(pack.scale.get(level, {}))
        credits.insert(0, pack.attribution)
    site["attribution"] = " | ".join(text for text in credits if text)
    return site


def with_sensors(site: Mapping[str, Any], sensors: SensorTable) -> dict[str, Any]:
    """Return a site whose sensors alone have changed: their table grows often, and the shapes cost seconds to make."""
    return {**site, "sensors": [_sensor(sensor) for sensor in sensors.rows]}


def first_view(pack: Pack | None, sensors: SensorTable) -> Box:
    """Return the box round all sensors with a position, or round the country, or of Europe where nothing is known."""
    placed = [s for s in sensors.rows if s.has_position]
    # What looks at the border says where the border is watched; receivers of ADS-B stand anywhere.
    placed = [s for s in placed if s.kind in (RADAR, ACOUSTIC_ARRAY)] or placed
    if placed:
        lat = [math.degrees(s.latitude_rad) for s in placed]
        lon = [math.degrees(s.longitude_rad) for s in placed]
        margin = VIEW_ROUND_SENSORS_DEG
        return min(lon) - margin, min(lat) - margin * 0.7, max(lon) + margin, max(lat) + margin * 0.7
    if pack is not None:
        west, south, east, north = territory_shape(pack.territory).bounds
        return west, south, east, north
    return 14.0, 40.0, 45.0, 62.0


def _country(pack: Pack, box: Box, plane: strips.Plane) -> dict[str, Any]:
    shape = territory_shape(pack.territory)
    line = strips.border_line(shape, box, plane)
    home = plane.to_plane(strips.view_of(shape, box))
    return {
        "country": {"code": pack.code, "names": dict(pack.names), "name": pack.names.get("en", pack.code)},
        "time_zone": pack.time_zone,
        "languages": list(pack.languages),
        "border": {"name": pack.territory.name, "version": pack.territory.version,
                   "geometry": strips.geo_json(plane.to_degrees(line))},
        "strips": strips.strips(home, line, plane),
        "zones": {"type": "FeatureCollection", "features": _zones(pack, box, line, plane)},
        "places": _places(pack, box),
    }


def _zones(pack: Pack, box: Box, line: BaseGeometry, plane: strips.Plane) -> list[dict[str, Any]]:
    """Return the counties and municipalities of the view, and of the cells, which are many, those near the line."""
    near = _near_line(pack, line, plane)
    features = []
    for i, zone in enumerate(pack.zones):
        # The country itself is the territory; it is drawn as a zone only where it is the one zone there is.
        large = zone.level == "county" or (zone.level == "country" and zone.addressable)
        if not (large or (zone.addressable and (near[i] or not zone.derived))):
            continue
        part = strips.view_of(area_shape(pack.areas, zone.area_index), box)
        if part.is_empty or not part.area:
            continue
        tolerance_deg = (strips.STRIP_TOLERANCE_M if large else strips.LINE_TOLERANCE_M * 2) / 111_000.0
        features.append({
            "type": "Feature", "geometry": strips.geo_json(part.simplify(tolerance_deg)),
            "properties": {"code": zone.code, "name": zone.name, "level": zone.level, "county": zone.county,
                           "population": zone.population, "estimated": zone.population_estimated,
                           "derived": zone.derived, "addressable": zone.addressable, "large": large},
        })
    return features


def _near_line(pack: Pack, line: BaseGeometry, plane: strips.Plane) -> np.ndarray:
    """Return which zones have their main place within `CELLS_WITHIN_M` of the line."""
    if line.is_empty or not pack.zones:
        return np.zeros(len(pack.zones), bool)
    points = shapely.points([[math.degrees(z.longitude_rad), math.degrees(z.latitude_rad)] for z in pack.zones])
    simple = line.simplify(300.0)
    shapely.prepare(simple)
    found: np.ndarray = shapely.dwithin(simple, [plane.to_plane(point) for point in points], CELLS_WITHIN_M)
    return found


def _places(pack: Pack, box: Box) -> list[list[Any]]:
    """Return [name, lat, lon, population] of the largest places of the view."""
    places = pack.places
    lat, lon = np.degrees(places.latitude_rad), np.degrees(places.longitude_rad)
    rows = np.flatnonzero((lon >= box[0]) & (lat >= box[1]) & (lon <= box[2]) & (lat <= box[3]))[:PLACES_MAX]
    return [[places.name[i], round(float(lat[i]), 5), round(float(lon[i]), 5), int(places.population[i])] for i in rows]


def _sensor(sensor: Sensor) -> dict[str, Any]:
    """Return a sensor's site and how far it sees low objects at best, over smooth ground."""
    placed = sensor.has_position
    reach_m: float | None = None
    if placed and sensor.kind != OBSERVER:
        sea_m = float(undulation_m(sensor.latitude_rad, sensor.longitude_rad))
        antenna_m = sensor.height_m - (sea_m if math.isfinite(sea_m) else 0.0)
        horizon_m = float(radio_horizon_m(max(antenna_m, 0.0) if math.isfinite(antenna_m) else 0.0, COVERAGE_HEIGHT_M))
        limits = [v for v in (horizon_m, sensor.range_m_max) if math.isfinite(v)]
        reach_m = min(limits) if sensor.kind != ACOUSTIC_ARRAY else sensor.range_m_max
    return {
        "id": sensor.id, "kind": sensor.kind,
        "lat": round(math.degrees(sensor.latitude_rad), 5) if placed else None,
        "lon": round(math.degrees(sensor.longitude_rad), 5) if placed else None,
        "low_reach_m": round(reach_m) if reach_m is not None and math.isfinite(reach_m) else None,
        "low_height_m": COVERAGE_HEIGHT_M,
        "small_range_m": round(sensor.small_range_m) if math.isfinite(sensor.small_range_m) else None,
    }

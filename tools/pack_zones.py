"""Zones of the packs: which units of which country become zones, and cells grown round places. Used by build_packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

GRID_DEG = 1e-6        # coordinates are written to six decimals, 0.1 m
SLIVER_DEG2 = 1e-9     # parts smaller than about 10 m2 are left out
# Cells of units: a place nearer than this to a larger one of its unit is no cell of its own, by the distance to the border.
SPACING_KM = ((15.0, 2.0), (40.0, 4.0), (np.inf, 8.0))     # (within km of the border, km apart)
KM_PER_DEG = 111.2
BORDER_SIMPLER_DEG = 0.002


@dataclass(frozen=True)
class Recipe:
    """How a country's zones are made. Names of languages follow pack.toml; `local` is the source's own language."""

    local: str
    counties: bool = False          # level-1 units of admin1.geojson
    municipalities: bool = False    # level-2 units of admin2.geojson, only those with a code or `any_code`
    any_code: bool = False
    cells: bool = False             # round the places that have a SIRUTA code
    cells_in: str = ""              # level of the units that are cut into cells round their larger places
    national: bool = False          # one zone: the whole territory
    national_addressable: bool = True


RECIPES = {
    "RO": Recipe("ro", counties=True, cells=True),
    "LT": Recipe("lt", counties=True, municipalities=True, cells_in="municipality"),
    "MD": Recipe("ro", counties=True, cells_in="county"),
    "PL": Recipe("pl", counties=True, municipalities=True, any_code=True, cells_in="municipality"),
    "LV": Recipe("lv", municipalities=True, national=True, national_addressable=False, cells_in="municipality"),
    "EE": Recipe("et", national=True),
    "FI": Recipe("fi", national=True),
    "BG": Recipe("bg", counties=True),
    "UA": Recipe("uk", counties=True, municipalities=True, any_code=True),
    "BY": Recipe("be", counties=True),
}
# People at the last census, by the national statistics offices, where one zone is the whole country.
NATIONAL_POPULATION = {"LV": 1_893_223, "EE": 1_331_824, "FI": 5_533_793}
NATIONAL_NAMES = {"LV": {"en": "Latvia", "lv": "Latvija"}, "EE": {"en": "Estonia", "et": "Eesti"},
                  "FI": {"en": "Finland", "fi": "Suomi"}}
# Slips of the source that a reader of a warning would see: wof_id -> what to put instead.
CORRECTIONS: dict[int, dict[str, str]] = {
    85686269: {"name_local": "Apes novads", "name_uk": ""},
    85685881: {"iso_3166_2": "LV-JEL"},
    85685971: {"name_local": "Jelgavas novads"},
    85686295: {"name_local": "Valkas novads"},
    # Lithuanian municipalities are known by the genitive; the source gives the town's name to town and district alike.
    102073629: {"name_local": "Vilniaus miestas ir rajonas", "name_en": "Vilnius city and district"},
    102073625: {"name_local": "Kauno rajonas", "name_en": "Kaunas district"},
    102073667: {"name_local": "Klaipėdos rajonas", "name_en": "Klaipėda district"},
    102073701: {"name_local": "Panevėžio rajonas", "name_en": "Panevėžys district"},
    102073703: {"name_local": "Šiaulių rajonas", "name_en": "Šiauliai district"},
    1175612921: {"name_local": "Alytaus miestas ir rajonas", "name_en": "Alytus city and district"},
}


def zones_of(code: str, outline: BaseGeometry, units: list[dict[str, Any]],
             places: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the zones of a country as GeoJSON features: nation, counties, then what is smaller, sorted by code."""
    recipe = RECIPES[code]
    towns = Towns(places)
    zones: list[tuple[dict[str, Any], BaseGeometry]] = []
    if recipe.national:
        zones.append(_zone(code, NATIONAL_NAMES[code], "country", "", code, NATIONAL_POPULATION[code], outline,
                           {"ISO3166-1": code}, towns, addressable=recipe.national_addressable, source="territory"))
    counties = [u for u in units if u["properties"]["level"] == 1] if recipe.counties else []
    for unit in counties:
        zones.append(_unit(unit, recipe, "county", code, unit["properties"]["iso_3166_2"], towns))
    county_shapes = {p["code"]: g for p, g in zones if p["level"] == "county"}
    smaller = _merged(units, recipe) if recipe.municipalities else []
    for unit in smaller:
        parent = _parent(shape(unit["geometry"]), county_shapes) or code
        zones.append(_unit(unit, recipe, "municipality", parent, parent, towns))
    if recipe.cells:
        zones += _cells(county_shapes, {p["code"]: p for p, _ in zones}, places, recipe)
    if recipe.cells_in:
        zones += _cells_of_units(zones, outline, places, recipe)
    with_parts = {p["parent"] for p, _ in zones}
    for properties, _ in zones:
        # Warnings are made of the smallest zones: a larger one counts only where nothing smaller is known.
        if properties["level"] in ("county", "municipality") and properties["code"] in with_parts:
            properties["addressable"] = False
    order = {"country": 0, "county": 1, "municipality": 2, "cell": 3}
    zones.sort(key=lambda zone: (order[zone[0]["level"]], zone[0]["code"]))
    return [{"type": "Feature", "properties": p, "geometry": _geometry(g)} for p, g in zones]


class Towns:
    """The places of a country, asked which of them is the largest in an area and how many people are counted there."""

    def __init__(self, places: list[dict[str, str]]) -> None:
        self._rows = sorted(places, key=lambda r: (-float(r["population"] or 0), int(r["wof_id"])))
        self._tree = shapely.STRtree([Point(float(r["lon"]), float(r["lat"])) for r in self._rows])

    def largest(self, area: BaseGeometry) -> tuple[float, float]:
        """Return latitude and longitude of the largest place inside, or of a point inside."""
        inside = np.sort(self._tree.query(area, predicate="contains"))
        if len(inside) and self._rows[int(inside[0])]["population"]:
            row = self._rows[int(inside[0])]
            return float(row["lat"]), float(row["lon"])
        point = area.representative_point()
        return round(point.y, 6), round(point.x, 6)

    def counted(self, area: BaseGeometry) -> int:
        """Return the people of the places inside, where they are known."""
        inside = self._tree.query(area, predicate="contains")
        return sum(int(float(self._rows[int(i)]["population"] or 0)) for i in inside)


def _zone(code: str, names: dict[str, str], level: str, parent: str, county: str, population: int | None,
          area: BaseGeometry, geocodes: dict[str, str], towns: Towns, *, addressable: bool = True, source: str = "",
          derived: bool = False, vintage: str = "") -> tuple[dict[str, Any], BaseGeometry]:
    area = tidy(area)
    lat, lon = towns.largest(area)
    counted = towns.counted(area)
    # A unit cannot have fewer people than its towns: the source's figure is then older, or leaves a city out.
    people = max(population or 0, counted)
    properties = {
        "code": code, "name": next(iter(names.values())), "names": names, "level": level, "parent": parent,
        "county": county, "population": people, "population_estimated": population is None or people != population,
        "lat_deg": lat, "lon_deg": lon, "geocodes": {k: v for k, v in geocodes.items() if v}, "derived": derived,
        "addressable": addressable, "source": source}
    if vintage:
        properties["vintage"] = vintage
    return properties, area


def _unit(unit: dict[str, Any], recipe: Recipe, level: str, parent: str, county: str,
          towns: Towns) -> tuple[dict[str, Any], BaseGeometry]:
    p = unit["properties"]
    code = p.get("iso_3166_2") or (p["code"].replace("/", "-") if p.get("code") else f"{county}-{p['wof_id']}")
    if p.get("code", "").startswith("UA-51/("):
        code = "UA-51-north"
    local = p.get("name_local") or p["name"]
    names = {recipe.local: local, "en": p.get("name_en") or p["name"], "uk": p.get("name_uk") or ""}
    geocodes = {"ISO3166-2": p.get("iso_3166_2"), "NUTS3": p.get("nuts3_2021"), "LAU": p.get("lau_code"),
                "WOF": str(p["wof_id"]) if p.get("wof_id") and not p.get("iso_3166_2") else None}
    old = "merged from the raions before 2020" if p.get("derived_from_pre2020_raions") else ""
    return _zone(code, {k: v for k, v in names.items() if v}, level, parent, code if level == "county" else county,
                 p.get("population"), shape(unit["geometry"]), {k: v or "" for k, v in geocodes.items()}, towns,
                 source=p["geom_source"], vintage=p.get("vintage", old))


def _merged(units: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    """Return the level-2 units, corrected; parts under one code joined; those without a code left out (water)."""
    joined: dict[str, dict[str, Any]] = {}
    for unit in sorted(units, key=lambda u: (u["properties"].get("wof_id") or 0)):
        p = unit["properties"]
        if p["level"] != 2:
            continue
        p = p | CORRECTIONS.get(p.get("wof_id") or 0, {})
        key = p.get("iso_3166_2") or (str(p.get("wof_id") or p.get("code")) if recipe.any_code else "")
        if not key:
            continue
        if key in joined:
            first = joined[key]
            area = shape(first["geometry"]).union(shape(unit["geometry"]))
            best = max((first["properties"], p), key=lambda q: q.get("population") or 0)
            joined[key] = {"properties": best, "geometry": mapping(area)}
        else:
            joined[key] = {"properties": p, "geometry": unit["geometry"]}
    return list(joined.values())


def _parent(area: BaseGeometry, counties: dict[str, BaseGeometry]) -> str:
    """Return the county that holds most of an area."""
    shares = [(county.intersection(area).area, code) for code, county in sorted(counties.items())
              if county.intersects(area)]
    return max(shares)[1] if shares and max(shares)[0] > 0 else ""


def _cells(counties: dict[str, BaseGeometry], county_properties: dict[str, dict[str, Any]],
           places: list[dict[str, str]], recipe: Recipe) -> list[tuple[dict[str, Any], BaseGeometry]]:
    """Grow a cell round each place with a SIRUTA code: the ground of its county that is nearer to it than to others."""
    by_county: dict[str, list[dict[str, str]]] = {code: [] for code in counties}
    for row in places:
        if row["siruta"]:
            point = Point(float(row["lon"]), float(row["lat"]))
            # Riverside villages may stand just outside a coarse county line: the nearest county is theirs.
            by_county[min(counties, key=lambda c: (counties[c].distance(point), c))].append(row)
    cells = []
    for code, rows in by_county.items():
        grown = list(zip(rows, grow(counties[code], [(float(r["lon"]), float(r["lat"])) for r in rows]), strict=True))
        people = [int(float(r["population"])) if r["population"] else None for r in rows]
        rest = _shared(county_properties[code]["population"], people, [g.area for _, g in grown])
        for (row, area), known, total in zip(grown, people, rest, strict=True):
            if area.is_empty:
                continue
            local = row["name_local"] or row["name"]
            names = {recipe.local: local, "en": row["name_en"] or local, "uk": row["name_uk"]}
            cells.append(({
                "code": f"{code}-{row['siruta']}", "name": local, "names": {k: v for k, v in names.items() if v},
                "level": "cell", "parent": code, "county": code, "population": total,
                "population_estimated": known is None or total > known * 1.1, "lat_deg": float(row["lat"]),
                "lon_deg": float(row["lon"]),
                "geocodes": {"SIRUTA": row["siruta"]} | {k: v for k, v in county_properties[code]["geocodes"].items()
                                                         if k == "NUTS3"},
                "derived": True, "addressable": True, "source": "grown round the place, clipped to county and border",
            }, area))
    return cells


def _cells_of_units(zones: list[tuple[dict[str, Any], BaseGeometry]], outline: BaseGeometry, places: list[dict[str, str]],
                    recipe: Recipe) -> list[tuple[dict[str, Any], BaseGeometry]]:
    """Cut each unit into cells round its larger places: about 2 km apart near the border, farther apart inland.

    A municipality is far wider than what an object comes near to, and may hold a city at its other end.
    """
    points = shapely.points([(float(row["lon"]), float(row["lat"])) for row in places])
    tree = shapely.STRtree(points)
    spacing = _spacing_km(points, outline)
    people = np.array([float(row["population"] or np.nan) for row in places])
    by_code = {zone["code"]: (zone, area) for zone, area in zones}
    cells: list[tuple[dict[str, Any], BaseGeometry]] = []
    for unit, area in [zone for zone in zones if zone[0]["level"] == recipe.cells_in]:
        inside = [int(i) for i in np.sort(tree.query(area, predicate="contains"))]
        ordered = sorted(inside, key=lambda i: (-float(places[i]["population"] or 0), int(places[i]["wof_id"])))
        chosen = _apart(ordered, points, spacing)
        if len(chosen) < 2:
            continue
        grown = grow(area, [(points[i].x, points[i].y) for i in chosen])
        # Every place is counted where it lies, those too that got no cell of their own; one without a figure has its share.
        share = _share([by_code[code] for code in (unit["code"], unit["county"], unit["parent"]) if code in by_code], tree, people)
        for i, cell in zip(chosen, grown, strict=True):
            there = people[[j for j in inside if cell.covers(points[j])]]
            unknown = int(np.isnan(there).sum())
            total = int(np.nansum(there) + unknown * share)
            if cell.is_empty:
                continue
            row = places[i]
            local = row["name_local"] or row["name"]
            names = {recipe.local: local, "en": row["name_en"] or local, "uk": row["name_uk"]}
            cells.append(({
                "code": f"{unit['code']}-{row['wof_id']}", "name": local, "names": {k: v for k, v in names.items() if v},
                "level": "cell", "parent": unit["code"], "county": unit["county"], "population": total,
                "population_estimated": unknown > 0, "lat_deg": points[i].y, "lon_deg": points[i].x,
                "geocodes": {"WOF": row["wof_id"]} | {k: v for k, v in unit["geocodes"].items() if k in ("NUTS3", "LAU")},
                "derived": True, "addressable": True, "source": "grown round the place, clipped to its unit",
            }, cell))
    return cells


def _share(units: list[tuple[dict[str, Any], BaseGeometry]], tree: shapely.STRtree, people: Any) -> float:
    """Return the people of a place without a figure: its share of what the smallest unit with a true figure has beyond its towns."""
    for unit, area in units:
        if unit["population"] > 0 and not unit["population_estimated"]:
            inside = people[tree.query(area, predicate="contains")]
            rest = unit["population"] - np.nansum(inside)
            return float(np.clip(rest / max(int(np.isnan(inside).sum()), 1), 0.0, 5_000.0))
    return 0.0


def _spacing_km(points: Any, outline: BaseGeometry) -> list[float]:
    """Return how far apart places must be for cells of their own, by their distance to the border."""
    scale = float(np.cos(np.radians(outline.centroid.y)))
    line = shapely.transform(outline.simplify(BORDER_SIMPLER_DEG).boundary, lambda c: c * (scale, 1.0))
    shapely.prepare(line)
    away_km = shapely.distance(shapely.transform(points, lambda c: c * (scale, 1.0)), line) * KM_PER_DEG
    return [next(apart for within, apart in SPACING_KM if away <= within) for away in away_km.tolist()]


def _apart(ordered: list[int], points: Any, spacing_km: list[float]) -> list[int]:
    """Return those places that have no place before them nearer than their spacing."""
    kept: list[int] = []
    for i in ordered:
        scale = float(np.cos(np.radians(points[i].y)))
        if all(np.hypot((points[i].x - points[j].x) * scale, points[i].y - points[j].y) * KM_PER_DEG >= spacing_km[i] for j in kept):
            kept.append(i)
    return kept


def _shared(county: int, people: list[int | None], areas: list[float]) -> list[int]:
    """Return the people of each cell: those counted, and of the county's remainder what falls to its ground.

    The remainder lives in villages that the source does not list: thin, spread over the cells by area. Places that are
    listed without a figure get an even share first, at most 5,000 as larger ones are always counted.
    """
    rest = max(county - sum(p or 0 for p in people), 0)
    unknown = sum(p is None for p in people)
    even = min(rest // unknown, 5_000) if unknown else 0
    rest -= even * unknown
    whole = sum(areas) or 1.0
    return [(even if p is None else p) + int(rest * area / whole) for p, area in zip(people, areas, strict=True)]


def grow(county: BaseGeometry, points: list[tuple[float, float]]) -> list[BaseGeometry]:
    """Return the Voronoi cell of each point within an area, valid and disjoint; empty for a point doubled."""
    if not points:
        return []
    # Degrees of longitude are shortened so that "nearer" means nearer on the ground.
    scale = float(np.cos(np.radians(county.centroid.y)))
    first: dict[tuple[float, float], int] = {}
    for index, point in enumerate(points):
        first.setdefault(point, index)
    plane = shapely.transform(county, lambda c: c * (scale, 1.0))
    flat = {(lon * scale, lat): index for (lon, lat), index in first.items()}
    if len(flat) == 1:
        cells = {next(iter(flat.values())): plane}
    else:
        parts = shapely.voronoi_polygons(shapely.MultiPoint(list(flat)), extend_to=plane.envelope.buffer(0.5))
        tree = shapely.STRtree(list(parts.geoms))
        cells = {}
        for (x, y), index in flat.items():
            hit = tree.query_nearest(Point(x, y))
            cells[index] = parts.geoms[int(hit[0])].intersection(plane)
    back = {index: tidy(shapely.transform(cell, lambda c: c / (scale, 1.0))) for index, cell in cells.items()}
    return [back.get(index, Polygon()) for index in range(len(points))]


def tidy(area: BaseGeometry) -> BaseGeometry:
    """Return a valid area on the grid of six decimals, without slivers."""
    snapped = shapely.set_precision(shapely.make_valid(area), GRID_DEG)
    parts = [g for g in getattr(snapped, "geoms", [snapped]) if isinstance(g, Polygon) and g.area > SLIVER_DEG2]
    return shapely.normalize(parts[0] if len(parts) == 1 else MultiPolygon(parts))


def _geometry(area: BaseGeometry) -> dict[str, Any]:
    """Return the GeoJSON geometry, six decimals, outer rings counter-clockwise (RFC 7946)."""
    parts = [shapely.orient_polygons(p) for p in getattr(area, "geoms", [area])]
    rings = [[[[round(x, 6), round(y, 6)] for x, y in ring.coords] for ring in (p.exterior, *p.interiors)]
             for p in parts]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}

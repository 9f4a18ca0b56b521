"""Makes packs/display: sea, the lower Danube and inland water behind the console's map. Display only.

Usage: ``python tools/build_display.py GEO_FOLDER packs/display``. The sea is what is left of two windows when the
countries' land is taken out. Where no coast is at hand (Finland, Kaliningrad), the land is the outline less 12 nautical
miles inside its own outer limit: good to a few kilometres, and nobody is judged by it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import shapely

# West, south, east, north. Every coast inside is known: no Turkey south of 43 N, no Sweden west of 19.4 E.
WINDOWS = ((26.0, 43.0, 33.5, 47.5), (19.4, 53.4, 30.5, 60.5))
LAND_WINDOWS = ((26.0, 43.0, 33.5, 47.5), (18.0, 53.4, 28.25, 60.5))  # of land_display.geojson
TERRITORIAL_SEA_DEG = 12 * 1_852 / 111_195
TOLERANCE_DEG = 0.0006  # about 60 m
DIGITS = 4


def features(path: Path) -> list[tuple[dict[str, object], shapely.Geometry]]:
    """Return (properties, geometry) of each feature of a GeoJSON file."""
    document = json.loads(path.read_text("utf-8"))
    return [(f["properties"], shapely.from_geojson(json.dumps(f["geometry"]))) for f in document["features"]]


def land_of(geo: Path, window: shapely.Geometry) -> shapely.Geometry:
    """Return all land inside a window."""
    shown: dict[object, list[shapely.Geometry]] = {}
    for properties, shape in features(geo / "land_display.geojson"):
        shown.setdefault(properties["country"], []).append(shape)
    outlines = [
        (properties, shapely.make_valid(outline)) for properties, outline in features(geo / "countries.geojson")
    ]
    parts = []
    for properties, outline in outlines:
        part = outline.intersection(window)
        code = properties["iso_a2"]
        if part.is_empty:
            continue
        if not properties["includes_territorial_sea"]:
            parts.append(part)
        elif code in shown:
            # Land of the file ends at the window it was cut to; beyond it the outline stands for it.
            land = shapely.union_all(shown[code])
            beyond = part.difference(shapely.union_all([shapely.box(*box) for box in LAND_WINDOWS]))
            parts += [land.intersection(window), beyond]
        else:
            near = window.buffer(0.5)
            others = shapely.union_all([o.intersection(near) for p, o in outlines if p["iso_a2"] != code])
            limit = (
                outline.boundary.intersection(near)
                .difference(others.buffer(0.01))
                .difference(near.boundary.buffer(0.01))
            )
            limit = limit.difference(_box_edges(properties.get("clipped_to")))
            parts.append(part.difference(_about_12_miles(limit)))
    return shapely.union_all(parts)


def _box_edges(box: object) -> shapely.Geometry:
    """Return a narrow band along the edges of the box that an outline was cut to: they are no coast."""
    return shapely.box(*box).boundary.buffer(0.01) if isinstance(box, list) else shapely.Polygon()


def _about_12_miles(line: shapely.Geometry) -> shapely.Geometry:
    """Return what lies within 12 nautical miles of a line, in degrees stretched by the latitude."""
    if line.is_empty:
        return shapely.Polygon()
    stretch = np.array([np.cos(np.radians(line.centroid.y)), 1.0])
    plane = shapely.transform(line, lambda xy: xy * stretch)
    return shapely.transform(plane.simplify(0.002).buffer(TERRITORIAL_SEA_DEG * 1.02), lambda xy: xy / stretch)


def write(path: Path, found: list[tuple[dict[str, object], shapely.Geometry]]) -> None:
    """Write features as compact GeoJSON, coordinates rounded."""
    rows = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": json.loads(shapely.to_geojson(shapely.transform(shape, lambda xy: np.round(xy, DIGITS)))),
        }
        for properties, shape in found
        if not shape.is_empty
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": rows}, separators=(",", ":"), ensure_ascii=False), "utf-8"
    )


def main() -> None:
    """Write the three files."""
    geo, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    sea: list[tuple[dict[str, object], shapely.Geometry]] = []
    for box in WINDOWS:
        window = shapely.box(*box)
        open_sea = window.difference(land_of(geo, window))
        pieces = [piece for piece in shapely.get_parts(open_sea) if piece.area > 2e-4]
        sea.append(
            (
                {"kind": "sea"},
                shapely.MultiPolygon([p for p in pieces if p.geom_type == "Polygon"]).simplify(TOLERANCE_DEG),
            )
        )
    write(out / "sea.geojson", sea)
    write(
        out / "danube.geojson",
        [({"kind": "water"}, shape) for _, shape in features(geo / "danube_water_coarse.geojson")],
    )
    write(
        out / "water.geojson",
        [({"kind": p["kind"], "name": p["name"]}, shape) for p, shape in features(geo / "ne_water_display.geojson")],
    )


if __name__ == "__main__":
    main()

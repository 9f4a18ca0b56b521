"""Make the data files of the country packs from the shared geographic data; running it again gives the same octets.

    python tools/build_packs.py [--geo ../shared/data/geo] [--packs packs] [CODE ...]

It writes territory.geojson, zones.geojson and places.csv of each pack and the outlines of the countries that have none.
pack.toml and the texts are written by people and not touched. Origin and licence of the data: packs/README.md.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pack_zones import RECIPES, zones_of
from shapely import STRtree, contains_xy, prepare
from shapely.geometry import LineString, shape

OUTLINES = ("BY", "HU", "RS", "RU", "SK")      # countries without a pack: outline alone
PLACE_COLUMNS = ("id", "name", "name_en", "name_uk", "lat_deg", "lon_deg", "population", "siruta")
# A place listed under a country but farther outside its outline than this is left out (wrong country or position).
OUTSIDE_DEG = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--geo", type=Path, default=root.parent / "shared" / "data" / "geo")
    parser.add_argument("--packs", type=Path, default=root / "packs")
    parser.add_argument("codes", nargs="*", help="packs to make; all of them by default")
    arguments = parser.parse_args()
    source = Source(arguments.geo)
    for code in arguments.codes or [*(c for c in RECIPES if c not in OUTLINES), *OUTLINES]:
        if code in OUTLINES:
            write(arguments.packs / "outlines" / f"{code.lower()}.geojson", collection([territory(source, code)]))
            if code in RECIPES:
                zones = zones_of(code, source.outlines[code], source.units(code), list(source.places(code)))
                write(arguments.packs / "outlines" / f"{code.lower()}.zones.geojson", collection(zones))
            continue
        folder = arguments.packs / code.lower()
        places = list(source.places(code))
        write(folder / "territory.geojson", collection([territory(source, code)]))
        zones = zones_of(code, source.outlines[code], source.units(code), places)
        write(folder / "zones.geojson", collection(zones))
        write(folder / "places.csv", places_csv(places))
        print(f"{code}: {len(zones)} zones, {len(places)} places")


class Source:
    """The shared geographic data, read once."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> list[dict[str, Any]]:
            return json.loads((folder / name).read_bytes())["features"]

        self.countries = {f["properties"]["iso_a2"]: f for f in read("countries.geojson")}
        self.outlines = {code: shape(f["geometry"]) for code, f in self.countries.items()}
        self._borders = read("borders.geojson")
        self._units = read("admin1.geojson") + read("admin2.geojson")
        with open(folder / "places.csv", encoding="utf-8", newline="") as file:
            self._places = list(csv.DictReader(file))

    def units(self, code: str) -> list[dict[str, Any]]:
        """Return the level-1 and level-2 units of a country, in the order of the file."""
        return [f for f in self._units if f["properties"]["country"] == code]

    def places(self, code: str) -> Iterator[dict[str, str]]:
        """Yield the places of a country, sorted by identifier; doubles and those outside its outline are left out."""
        near = self.outlines[code].buffer(OUTSIDE_DEG)
        prepare(near)
        seen: set[tuple[str, str, str]] = set()
        for row in sorted(self._places, key=lambda r: int(r["wof_id"])):
            if row["country"] != code or not contains_xy(near, float(row["lon"]), float(row["lat"])):
                continue
            key = (row["name"], row["lat"], row["lon"])
            if key not in seen:
                seen.add(key)
                yield row

    def neighbours(self, code: str) -> dict[frozenset[tuple[float, ...]], str]:
        """Return edge -> code of the neighbour that shares it, for the edges with a known neighbour."""
        found = {}
        for line in self._borders:
            pair = line["properties"]["pair"]
            if code not in pair or None in pair:
                continue
            other = pair[0] if pair[1] == code else pair[1]
            geometry = line["geometry"]
            for part in [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]:
                for start, end in pairwise(part):
                    found[frozenset((tuple(start), tuple(end)))] = other
        return found


def territory(source: Source, code: str) -> dict[str, Any]:
    """Return the outline of a country at full resolution, with whose border each run of its edges is."""
    feature = source.countries[code]
    properties, geometry = feature["properties"], feature["geometry"]
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rings = [ring for part in parts for ring in part]
    known = source.neighbours(code)
    apart = unshared(source, code)
    runs: dict[str, list[list[int]]] = defaultdict(list)
    for index, ring in enumerate(rings):
        for edge, (start, end) in enumerate(pairwise(ring)):
            other = known.get(frozenset((tuple(start), tuple(end)))) or apart(start, end)
            if not other:
                continue
            if runs[other] and runs[other][-1][0] == index and runs[other][-1][2] == edge:
                runs[other][-1][2] = edge + 1
            else:
                runs[other].append([index, edge, edge + 1])
    kept = {"code": code, "name": properties["name_en"], "snapshot": properties["snapshot"],
            "source": f"OpenStreetMap ({properties['source']}), ODbL 1.0", "complete": properties["complete"]}
    if "clipped_to" in properties:
        kept["clipped_to"] = properties["clipped_to"]
    kept["neighbours"] = {other: runs[other] for other in sorted(runs)}
    return {"type": "Feature", "properties": kept, "geometry": geometry}


def unshared(source: Source, code: str) -> Any:
    """Return a function edge -> neighbour for lines that two outlines trace apart (Serbia, and the cut countries)."""
    # Metres of gap or overlap, SOURCES.md item 1; 0.003 degree is about 300 m.
    outline = source.outlines[code]
    others = [other for other in OUTLINES if other != code and source.outlines[other].distance(outline) < 0.003]
    trees = []
    for other in others:
        boundary = source.outlines[other].boundary
        lines = [LineString(pair) for line in getattr(boundary, "geoms", [boundary])
                 for pair in pairwise(line.coords)]
        trees.append((other, STRtree(lines)))

    def whose(start: list[float], end: list[float]) -> str:
        middle = LineString([start, end]).interpolate(0.5, normalized=True)
        for other, tree in trees:
            if len(tree.query_nearest(middle, max_distance=0.003)):
                return other
        return ""

    return whose


def collection(features: list[dict[str, Any]]) -> bytes:
    """Return a FeatureCollection with one feature a line, so that a change shows as a changed line."""
    lines = [json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features]
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n").encode()


def places_csv(places: list[dict[str, str]]) -> bytes:
    """Return places.csv; an unknown population stays empty, the loader estimates it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(PLACE_COLUMNS)
    for row in places:
        population = str(int(float(row["population"]))) if row["population"] else ""
        writer.writerow((row["wof_id"], row["name_local"] or row["name"], row["name_en"], row["name_uk"], row["lat"],
                         row["lon"], population, row["siruta"]))
    return buffer.getvalue().encode()


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


if __name__ == "__main__":
    main()

"""Sea and inland water behind the picture: display data, never used for a judgement.

The files are handed in as bytes (``packs/display``): ``sea.geojson`` and ``danube.geojson`` (from OpenStreetMap, ODbL)
and ``water.geojson`` (Natural Earth, public domain). Without them the map has the border and no coast, and works.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import shapely

from lapwing.model.errors import ConfigError
from lapwing.web.strips import geo_json

LAYERS = ("sea", "danube", "water")
ATTRIBUTION = "water: © OpenStreetMap contributors (ODbL); Made with Natural Earth"


def display_layers(files: Mapping[str, bytes], box_deg: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return {layer: FeatureCollection} clipped to a box (west, south, east, north); layers without a file are absent.

    Raises ConfigError for a file that is not GeoJSON.
    """
    return {layer: _layer(files[f"{layer}.geojson"], f"{layer}.geojson", box_deg) for layer in LAYERS
            if f"{layer}.geojson" in files}


def _layer(document: bytes, name: str, box_deg: tuple[float, float, float, float]) -> dict[str, Any]:
    try:
        features = json.loads(document)["features"]
        found = []
        for feature in features:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            part = shapely.clip_by_rect(shape, *box_deg)
            if part is None or part.is_empty:
                continue
            properties = feature.get("properties") or {}
            found.append({"type": "Feature", "properties": {"kind": properties.get("kind", layer_kind(name))},
                          "geometry": geo_json(part, digits=4)})
    except (ValueError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        raise ConfigError(f"is not GeoJSON that can be drawn: {error}", where=f"packs/display/{name}",
                          remedy="install the packs again") from error
    return {"type": "FeatureCollection", "features": found}


def layer_kind(name: str) -> str:
    """Return what the features of a file without kinds are."""
    return "sea" if name.startswith("sea") else "water"

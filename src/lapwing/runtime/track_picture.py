"""`lapwing plot`: truth, plots and tracks of a scene in one picture, to be looked at by whoever works on the tracker."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from lapwing.adapters.parquet_tracks import read_plots
from lapwing.model.errors import InputError
from lapwing.model.plots import Floats
from lapwing.runtime.track_scores import load_tracks, load_truth
from lapwing.sense.sensors_file import parse_sensors
from lapwing.sim.track_scoring import Path, distances_m

COLOURS = {"drone": "#c0392b", "decoy": "#e67e22", "balloon": "#16a085", "bird": "#b0b0b0", "helicopter": "#8e44ad",
           "airliner": "#2471a3", "fighter": "#1a5276"}
OTHER = "#7f6000"
PLOTS_MAX = 200_000          # beyond, every second, third ... is drawn: more ink than that is black
INCHES, DOTS_PER_INCH = 11.0, 110


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture holds."""

    plots: int
    objects: int
    tracks: int
    false_tracks: int


def draw(scene: FilePath, tracks: FilePath | None, out: FilePath, *, start_s: float | None, end_s: float | None,
         cutoff_m: float) -> Drawn:
    """Draw a scene folder and write the PNG. InputError where nothing in it can be drawn."""
    pyplot = _pyplot()
    sheet = scene / "scenario.json"
    if not sheet.is_file():
        raise InputError("no scenario.json in it", where=str(scene), remedy="give the folder of a scene")
    sensors = parse_sensors(sheet.read_bytes(), str(sheet))
    begin, end = start_s if start_s is not None else -math.inf, end_s if end_s is not None else math.inf
    objects = [_cut(p, begin, end) for p in load_truth(scene / "truth.parquet")] if (scene / "truth.parquet").is_file() else []
    objects = [p for p in objects if len(p.time_s)]
    flown = [_cut(p, begin, end) for p in load_tracks(tracks)] if tracks is not None else []
    flown = [p for p in flown if len(p.time_s)]
    figure, axes = pyplot.subplots(figsize=(INCHES, INCHES))
    count = 0
    if (scene / "plots.parquet").is_file():
        plots = read_plots(scene / "plots.parquet", sensors, from_ns=None if start_s is None else int(start_s * 1e9),
                           until_ns=None if end_s is None else int(end_s * 1e9))
        count = len(plots)
        step = 1 + count // PLOTS_MAX
        axes.plot(np.degrees(plots.longitude_rad[::step]), np.degrees(plots.latitude_rad[::step]), ",", color="#9aa5b1",
                  alpha=0.35, zorder=1)
    if (scene / "border.geojson").is_file():
        for line in _lines(json.loads((scene / "border.geojson").read_text())):
            axes.plot(line[:, 0], line[:, 1], "-", color="#2c3e50", linewidth=2.0, zorder=2)
    for one in objects:
        axes.plot(one.lon_deg, one.lat_deg, "-", color=COLOURS.get(one.class_name, OTHER), linewidth=4.0, alpha=0.35, zorder=3)
    false = 0
    for one in flown:
        astray = bool(objects) and _astray(one, objects, cutoff_m)
        false += astray
        axes.plot(one.lon_deg, one.lat_deg, "-", color="#ff00c8" if astray else "black", linewidth=1.6 if astray else 0.9,
                  zorder=5 if astray else 4)
        axes.annotate(one.name[-4:], (one.lon_deg[-1], one.lat_deg[-1]), fontsize=6, zorder=6)
    for sensor in sensors.rows:
        if sensor.has_position:
            place = math.degrees(sensor.longitude_rad), math.degrees(sensor.latitude_rad)
            axes.plot(*place, "^", color="#145a32", markersize=8, zorder=6)
            axes.annotate(sensor.id, place, xytext=(6, -10), textcoords="offset points", fontsize=8, color="#145a32")
    _finish(axes, objects, flown, scene.name, pyplot)
    figure.savefig(out, dpi=DOTS_PER_INCH, bbox_inches="tight")
    pyplot.close(figure)
    return Drawn(count, len(objects), len(flown), false)


def _finish(axes: Any, objects: list[Path], flown: list[Path], name: str, pyplot: Any) -> None:
    lines = [pyplot.Line2D([], [], color=COLOURS.get(c, OTHER), linewidth=4, alpha=0.35, label=c)
             for c in sorted({p.class_name for p in objects})]
    if flown:
        lines.append(pyplot.Line2D([], [], color="black", linewidth=0.9, label="confirmed track"))
        lines.append(pyplot.Line2D([], [], color="#ff00c8", linewidth=1.6, label="track near no object"))
    axes.legend(handles=lines, loc="upper left", fontsize=8)
    middle = np.radians(np.mean(axes.get_ylim()))
    axes.set_aspect(1.0 / max(math.cos(float(middle)), 0.1))
    axes.set_xlabel("longitude, degrees")
    axes.set_ylabel("latitude, degrees")
    axes.set_title(name)


def _cut(path: Path, begin: float, end: float) -> Path:
    rows = (path.time_s >= begin) & (path.time_s < end)
    return Path(path.name, path.class_name, path.time_s[rows], path.usable_s[rows], path.lat_deg[rows], path.lon_deg[rows],
                path.east_mps[rows], path.north_mps[rows], path.in_play[rows])


def _astray(track: Path, objects: list[Path], cutoff_m: float) -> bool:
    """Return whether a track is near no object for half of its rows."""
    near = np.zeros(len(track.time_s), np.bool_)
    for one in objects:
        inside = np.flatnonzero((track.time_s >= one.time_s[0]) & (track.time_s <= one.time_s[-1]))
        for row in inside.tolist():
            lat = np.interp(track.time_s[row : row + 1], one.time_s, one.lat_deg)
            lon = np.interp(track.time_s[row : row + 1], one.time_s, one.lon_deg)
            if abs(lat[0] - track.lat_deg[row]) < 0.1 and not near[row]:
                near[row] = distances_m(track.lat_deg[row : row + 1], track.lon_deg[row : row + 1], lat, lon)[0, 0] < cutoff_m
    return bool(near.mean() < 0.5)


def _lines(data: dict[str, Any]) -> list[Floats]:
    """Return the line strings of a GeoJSON, (n, 2) longitude, latitude."""
    result: list[Floats] = []
    for feature in data.get("features", [data]):
        shape = feature.get("geometry", feature)
        depth = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}.get(shape.get("type"), -1)
        parts = [shape.get("coordinates", [])]
        for _ in range(depth):
            parts = [inner for part in parts for inner in part]
        if depth >= 0:
            result.extend(np.array(part, np.float64)[:, :2] for part in parts if len(part))
    return result


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise InputError("matplotlib is not installed", where="lapwing plot",
                         remedy="install the extra: pip install 'lapwing[dev]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot

"""The report's map: border, zones that were warned, tracks, closest approach, sensors and sightings, as one SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.geo.areas import outline_deg
from lapwing.geo.border import Territory
from lapwing.geo.wgs84 import MEAN_RADIUS_M
from lapwing.model.sensors import SensorTable
from lapwing.record.canonical import Row
from lapwing.record.drawing import LEVEL_COLOURS, OTHER_COLOUR, Labels, Point, path, round_step, tag, text, thinned
from lapwing.record.track_rows import TrackRows

WIDTH, HEIGHT_MAX, HEIGHT_MIN = 1_040.0, 820.0, 420.0
PLACES_MAX = 18
GAP_NS = 60_000_000_000      # a longer hole in a track is drawn dashed
_NEAR = ((7.0, 4.0), (-7.0, 4.0), (5.0, -6.0), (5.0, 14.0))
_LEVEL_ORDER = ("watch", "pre_alert", "alert")


class Frame:
    """Degrees to pixels: longitude shrunk by the cosine of the middle latitude, north up."""

    def __init__(self, box_deg: npt.NDArray[np.float64]) -> None:
        south, west, north, east = (float(value) for value in box_deg)
        self.shrink = math.cos(math.radians(0.5 * (south + north)))
        wide, high = max((east - west) * self.shrink, 1e-6), max(north - south, 1e-6)
        self.height = min(max(WIDTH * high / wide, HEIGHT_MIN), HEIGHT_MAX)
        self.scale = min(WIDTH / wide, self.height / high)          # pixels per degree of latitude
        self.middle = (0.5 * (south + north), 0.5 * (west + east))
        half_high, half_wide = 0.5 * self.height / self.scale, 0.5 * WIDTH / self.scale / self.shrink
        self.box_deg = np.array([self.middle[0] - half_high, self.middle[1] - half_wide, self.middle[0] + half_high,
                                 self.middle[1] + half_wide])

    def at(self, latitude_deg: float, longitude_deg: float) -> Point:
        """Return the pixel of a place."""
        return (0.5 * WIDTH + (longitude_deg - self.middle[1]) * self.shrink * self.scale,
                0.5 * self.height - (latitude_deg - self.middle[0]) * self.scale)

    def holds(self, latitude_deg: float, longitude_deg: float, margin: float = 0.0) -> bool:
        """Return whether a place is on the map."""
        x, y = self.at(latitude_deg, longitude_deg)
        return -margin <= x <= WIDTH + margin and -margin <= y <= self.height + margin

    def metres_per_pixel(self) -> float:
        """Return the scale."""
        return math.radians(1.0) * MEAN_RADIUS_M / self.scale


def map_svg(report: Row, pack: Pack, sensors: SensorTable, tracks: Mapping[str, TrackRows],
            colours: Mapping[str, str], box_deg: npt.NDArray[np.float64]) -> str:
    """Return the map as SVG.

    Parameters
    ----------
    report : of `build_report`
    tracks : rows by track id, in order of time
    colours : of the judged objects by track id; the others are grey
    box_deg : south, west, north, east: what must be on the map
    """
    frame, labels = Frame(box_deg), Labels()
    for x in range(0, 420, 20):
        labels.keep_free(float(x), frame.height - 16.0, 12.0)   # the scale bar's corner
    parts = [tag("rect", x=0, y=0, width=WIDTH, height=frame.height, fill="#f4f6f3")]
    parts += _zones(report, pack, frame)
    parts += [_line(pack.territory, frame)]
    parts += _tracks(tracks, colours, frame)
    parts += _closest(report, colours, frame, labels)
    parts += _sensors(sensors, frame, labels)
    parts += _sightings(report, frame, labels)
    parts += _places(pack, frame, labels)
    parts += _scale_bar(frame)
    clip = tag("clipPath", tag("rect", x=0, y=0, width=WIDTH, height=frame.height, rx=6), id="map-clip")
    border = tag("rect", x=0.5, y=0.5, width=WIDTH - 1, height=frame.height - 1, rx=6, fill="none", stroke="#b9c2c8")
    return tag("svg", tag("title", "Map of the incident") + tag("defs", clip)
               + tag("g", "".join(parts), clip_path="url(#map-clip)") + border,
               viewBox=f"0 0 {WIDTH:.0f} {frame.height:.0f}", xmlns="http://www.w3.org/2000/svg", role="img",
               class_="map")


def _zones(report: Row, pack: Pack, frame: Frame) -> list[str]:
    """Counties as thin outlines; zones that were under an alert tinted by the gravest level they had."""
    levels: dict[str, str] = {}
    for alert in report["alerts"]:
        for zone in alert["zones"]:
            if alert["level"] in _LEVEL_ORDER and _LEVEL_ORDER.index(alert["level"]) >= _LEVEL_ORDER.index(
                    levels.get(zone["code"], "watch")):
                levels[zone["code"]] = alert["level"]
    box = np.radians(frame.box_deg)
    parts = []
    for zone in pack.zones:
        south, west, north, east = pack.areas.box_rad[zone.area_index]
        if north < box[0] or south > box[2] or east < box[1] or west > box[3]:
            continue
        level = levels.get(zone.code)
        if level is None and zone.level != "county":
            continue
        data = "".join(path(thinned([frame.at(*point) for point in ring], 1.2), closed=True)
                       for ring in outline_deg(pack.areas, zone.area_index))
        fill = {"fill": LEVEL_COLOURS[level], "fill_opacity": 0.22} if level else {"fill": "#ffffff"}
        parts.append((level is not None, tag("path", d=data, fill_rule="evenodd", stroke="#c3ccd1", stroke_width=0.8,
                                             **fill)))
    return [part for _, part in sorted(parts, key=lambda item: item[0])]


def _line(territory: Territory, frame: Frame) -> str:
    """The border as published, cut edges left out; stretches whose side cannot be said are dashed."""
    edges, box = np.degrees(territory.edge_rad), frame.box_deg
    near = ((np.maximum(edges[:, 0], edges[:, 2]) >= box[0]) & (np.minimum(edges[:, 0], edges[:, 2]) <= box[2])
            & (np.maximum(edges[:, 1], edges[:, 3]) >= box[1]) & (np.minimum(edges[:, 1], edges[:, 3]) <= box[3])
            & ~territory.edge_cut)
    drawn = ""
    for undecided in (False, True):
        data, last = "", -2
        chain: list[Point] = []
        for i in np.nonzero(near & (territory.edge_undecided == undecided))[0]:
            if i != last + 1 or (edges[i, :2] != edges[last, 2:]).any():
                data += path(thinned(chain))
                chain = [frame.at(*edges[i, :2])]
            chain.append(frame.at(*edges[i, 2:]))
            last = int(i)
        data += path(thinned(chain))
        if data:
            drawn += tag("path", d=data, fill="none", stroke="#1d2b36", stroke_width=2.2, stroke_linejoin="round",
                         stroke_dasharray="7 5" if undecided else None)
    return drawn


def _tracks(tracks: Mapping[str, TrackRows], colours: Mapping[str, str], frame: Frame) -> list[str]:
    others, judged = [], []
    for track_id, rows in tracks.items():
        colour = colours.get(track_id)
        points = [frame.at(float(row["lat_deg"]), float(row["lon_deg"])) for row in rows]
        if not any(-50 <= x <= WIDTH + 50 and -50 <= y <= frame.height + 50 for x, y in points):
            continue
        cuts = np.nonzero(np.diff(rows["time_ns"]) > GAP_NS)[0] + 1
        runs = np.split(np.arange(len(rows)), cuts)
        solid = "".join(path(thinned([points[i] for i in run])) for run in runs)
        bridges = "".join(path([points[int(cut) - 1], points[int(cut)]]) for cut in cuts)
        if colour is None:
            others.append(tag("path", d=solid, fill="none", stroke=OTHER_COLOUR, stroke_width=0.9,
                              stroke_opacity=0.55))
            continue
        judged.append(tag("path", d=solid, fill="none", stroke=colour, stroke_width=2.2, stroke_linejoin="round"))
        if bridges:
            judged.append(tag("path", d=bridges, fill="none", stroke=colour, stroke_width=1.4,
                              stroke_dasharray="2 4"))
        judged.append(tag("circle", cx=points[0][0], cy=points[0][1], r=3.2, fill="#fff", stroke=colour,
                          stroke_width=1.8))
        judged.append(tag("circle", cx=points[-1][0], cy=points[-1][1], r=3.6, fill=colour))
    return others + judged


def _closest(report: Row, colours: Mapping[str, str], frame: Frame, labels: Labels) -> list[str]:
    parts = []
    for verdict in report["verdicts"]:
        colour = colours.get(verdict["track_id"])
        if colour is None or verdict["closest_m"] is None or not frame.holds(verdict["closest_lat_deg"],
                                                                             verdict["closest_lon_deg"]):
            continue
        x, y = frame.at(verdict["closest_lat_deg"], verdict["closest_lon_deg"])
        labels.keep_free(x, y, 6.0)
        parts.append(tag("circle", cx=x, cy=y, r=7, fill="none", stroke=colour, stroke_width=2.2))
        parts.append(tag("path", d=f"M{x - 11:.1f} {y:.1f}h22M{x:.1f} {y - 11:.1f}v22", stroke=colour))
        words = f"{verdict['track_id'].rpartition('-')[2]}: {verdict['closest_m']:,.0f} m"
        place = labels.place(x, y, words, 13.0, ((11.0, -8.0), (-11.0, -8.0), (11.0, 18.0), (-11.0, 18.0)))
        if place is not None:
            parts.append(text(*place, words, font_size=13, font_weight=700, fill=colour, class_="halo"))
    return parts


def _sensors(sensors: SensorTable, frame: Frame, labels: Labels) -> list[str]:
    parts = []
    for sensor in sensors.rows:
        if not sensor.has_position:
            continue
        latitude, longitude = math.degrees(sensor.latitude_rad), math.degrees(sensor.longitude_rad)
        if not frame.holds(latitude, longitude):
            continue
        x, y = frame.at(latitude, longitude)
        labels.keep_free(x, y, 5.0)
        parts.append(tag("path", d=f"M{x:.1f} {y - 6:.1f}l5.5 9.5h-11Z", fill="#ffffff", stroke="#37474f",
                         stroke_width=1.4))
        place = labels.place(x, y, sensor.id, 10.5, _NEAR)
        if place is not None:
            parts.append(text(*place, sensor.id, font_size=10.5, fill="#37474f", class_="halo"))
    return parts


def _sightings(report: Row, frame: Frame, labels: Labels) -> list[str]:
    parts = []
    for sighting in report["sightings"]:
        if sighting["lat_deg"] is None or not frame.holds(sighting["lat_deg"], sighting["lon_deg"]):
            continue
        x, y = frame.at(sighting["lat_deg"], sighting["lon_deg"])
        labels.keep_free(x, y, 4.0)
        parts.append(tag("path", tag("title", f"{sighting['kind']} {sighting['place']}"),
                         d=f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z", fill="#ffd54f", stroke="#6d4c00"))
        if sighting["bearing_deg"] is not None:
            angle = math.radians(sighting["bearing_deg"])
            parts.append(tag("path", d=f"M{x:.1f} {y:.1f}l{34 * math.sin(angle):.1f} {-34 * math.cos(angle):.1f}",
                             stroke="#6d4c00", stroke_dasharray="3 2"))
    return parts


def _places(pack: Pack, frame: Frame, labels: Labels) -> list[str]:
    parts: list[str] = []
    shown = 0
    for i in range(len(pack.places)):
        latitude = math.degrees(float(pack.places.latitude_rad[i]))
        longitude = math.degrees(float(pack.places.longitude_rad[i]))
        if shown >= PLACES_MAX:
            break
        if not frame.holds(latitude, longitude, -8.0):
            continue
        x, y = frame.at(latitude, longitude)
        place = labels.place(x, y, pack.places.name[i], 11.0, _NEAR)
        if place is None or place[0] < 2 or place[0] > WIDTH - 60:
            continue
        labels.keep_free(x, y, 3.0)
        parts += [tag("circle", cx=x, cy=y, r=2, fill="#455a64"),
                  text(*place, pack.places.name[i], font_size=11, fill="#455a64", class_="halo")]
        shown += 1
    return parts


def _scale_bar(frame: Frame) -> list[str]:
    step_km = round_step(WIDTH * frame.metres_per_pixel() / 1_000.0, 6)
    long = step_km * 1_000.0 / frame.metres_per_pixel()
    x, y = 16.0, frame.height - 16.0
    return [tag("path", d=f"M{x:.1f} {y - 5:.1f}v5h{long:.1f}v-5", fill="none", stroke="#1d2b36", stroke_width=1.6),
            text(x + long + 6, y, f"{step_km:g} km", font_size=11, fill="#1d2b36", class_="halo"),
            tag("path", d=f"M{WIDTH - 22:.1f} 40v-22m0 0l-5 9m5 -9l5 9", fill="none", stroke="#1d2b36",
                stroke_width=1.6), text(WIDTH - 26, 54, "N", font_size=12, font_weight=700, fill="#1d2b36")]

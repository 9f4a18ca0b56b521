"""The border graph: signed distance of each judged object against time, with its 95 % band and the zero line."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lapwing.model.times import NS_PER_S, from_iso, to_iso
from lapwing.record.canonical import Row
from lapwing.record.drawing import LEVEL_COLOURS, Point, path, tag, text, thinned
from lapwing.record.track_rows import TrackRows

WIDTH, HEIGHT = 1_040.0, 430.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 16.0, 16.0, 40.0
# Linear within this distance of the line, logarithmic beyond: 800 m must be readable beside 20 km.
KNEE_M = 1_000.0
FARTHEST_M = 60_000.0
_TICKS_M = (0, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_TIME_STEPS_S = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)
GAP_NS = 60 * NS_PER_S

Floats = npt.NDArray[np.float64]


def squeezed(distance_m: Floats) -> Floats:
    """Return distances on the graph's scale: about their own size to `KNEE_M`, then like a logarithm."""
    return np.arcsinh(np.asarray(distance_m, np.float64) / KNEE_M)


class Axes:
    """Time and distance to pixels."""

    def __init__(self, start_ns: int, end_ns: int, low_m: float, high_m: float) -> None:
        self.start_ns, self.end_ns = start_ns, max(end_ns, start_ns + 60 * NS_PER_S)
        self.low, self.high = float(squeezed(np.array(low_m))), float(squeezed(np.array(high_m)))

    def x(self, time_ns: int) -> float:
        """Return the place of a time."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (time_ns - self.start_ns) / (self.end_ns - self.start_ns)

    def y(self, distance_m: float) -> float:
        """Return the place of a distance."""
        share = (float(squeezed(np.array(distance_m))) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(share, 0.0), 1.0)


def border_svg(report: Row, tracks: Mapping[str, TrackRows], colours: Mapping[str, str]) -> str:
    """Return the graph as SVG; an empty text where no judged object has rows."""
    chosen = {track_id: rows[np.isfinite(rows["border_m"]) & (np.abs(rows["border_m"]) < FARTHEST_M)]
              for track_id, rows in tracks.items() if track_id in colours}
    chosen = {track_id: rows for track_id, rows in chosen.items() if len(rows) > 1}
    if not chosen:
        return ""
    axes = _axes(chosen)
    parts = [_ground(axes), *_grid(axes), *_messages(report, axes)]
    for track_id, rows in chosen.items():
        parts += _curve(rows, colours[track_id], axes)
    parts += _closest(report, colours, axes)
    parts.append(tag("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=HEIGHT - TOP - BOTTOM, fill="none",
                     stroke="#b9c2c8"))
    return tag("svg", tag("title", "Signed distance to the border against time") + "".join(parts),
               viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", xmlns="http://www.w3.org/2000/svg", role="img", class_="graph")


def _axes(chosen: Mapping[str, TrackRows]) -> Axes:
    low = min(float((rows["border_m"] - 1.96 * np.nan_to_num(rows["border_m_sigma"])).min())
              for rows in chosen.values())
    high = max(float(rows["border_m"].max()) for rows in chosen.values())
    return Axes(min(int(rows["time_ns"].min()) for rows in chosen.values()),
                max(int(rows["time_ns"].max()) for rows in chosen.values()),
                max(min(low * 1.2, -500.0), -FARTHEST_M), min(max(high * 1.1, 2_000.0), FARTHEST_M))


def _ground(axes: Axes) -> str:
    """The inside shaded: below the zero line is sovereign air."""
    zero = axes.y(0.0)
    return (tag("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=HEIGHT - TOP - BOTTOM, fill="#fbfcfb")
            + tag("rect", x=LEFT, y=zero, width=WIDTH - LEFT - RIGHT, height=HEIGHT - BOTTOM - zero, fill="#fdeceb"))


def _grid(axes: Axes) -> list[str]:
    parts = []
    for size in _TICKS_M:
        for distance in (size, -size) if size else (0,):
            if not axes.low <= float(squeezed(np.array(float(distance)))) <= axes.high:
                continue
            y = axes.y(float(distance))
            parts.append(tag("path", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT:.1f}", stroke="#e1e6e8"))
            words = "border" if not size else f"{distance / 1_000:g} km" if size >= 1_000 else f"{distance} m"
            parts.append(text(LEFT - 8, y + 4, words, font_size=11.5, text_anchor="end", fill="#37474f",
                              font_weight=None if size else 700))
    span_s = (axes.end_ns - axes.start_ns) / NS_PER_S
    step_ns = next((step for step in _TIME_STEPS_S if span_s / step <= 10), _TIME_STEPS_S[-1]) * NS_PER_S
    for time_ns in range(-(-axes.start_ns // step_ns) * step_ns, axes.end_ns + 1, step_ns):
        x = axes.x(time_ns)
        parts.append(tag("path", d=f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM:.1f}", stroke="#e1e6e8"))
        clock = to_iso(time_ns, digits=0)[11:19 if step_ns < 60 * NS_PER_S else 16]
        parts.append(text(x, HEIGHT - BOTTOM + 17, clock, font_size=11.5, text_anchor="middle", fill="#37474f"))
    parts.append(text(WIDTH - RIGHT, HEIGHT - 6, "UTC; distance scale squeezed beyond 1 km", font_size=10.5,
                      text_anchor="end", fill="#78848b"))
    zero = axes.y(0.0)
    parts.append(tag("path", d=f"M{LEFT} {zero:.1f}H{WIDTH - RIGHT:.1f}", stroke="#1d2b36", stroke_width=2))
    parts.append(text(LEFT + 8, zero + 16, "inside", font_size=12, fill="#b0413e", font_style="italic"))
    parts.append(text(LEFT + 8, zero - 8, "outside", font_size=12, fill="#607d8b", font_style="italic"))
    return parts


def _messages(report: Row, axes: Axes) -> list[str]:
    """A wedge at the top for each public message, with a line where the public heard of something new."""
    parts = []
    for alert in report["alerts"]:
        time_ns = from_iso(alert["sent"])
        if axes.start_ns <= time_ns <= axes.end_ns:
            x, colour = axes.x(time_ns), LEVEL_COLOURS.get(alert["level"], "#607d8b")
            if alert["msg_type"] != "Update" or alert["level"] == "all_clear":
                parts.append(tag("path", d=f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM:.1f}", stroke=colour, stroke_width=1.2,
                                 stroke_dasharray="2 3"))
            parts.append(tag("path", tag("title", f"{alert['level']} {alert['msg_type']} {alert['sent']}"),
                             d=f"M{x - 5:.1f} {TOP:.1f}h10l-5 8Z", fill=colour))
    return parts


def _curve(rows: TrackRows, colour: str, axes: Axes) -> list[str]:
    band_m = 1.96 * np.nan_to_num(rows["border_m_sigma"].astype(np.float64))
    parts = []
    cuts = np.nonzero(np.diff(rows["time_ns"]) > GAP_NS)[0] + 1
    for run in np.split(np.arange(len(rows)), cuts):
        times = [axes.x(int(time_ns)) for time_ns in rows["time_ns"][run]]
        middle = rows["border_m"][run]
        upper = thinned(_line(times, middle + band_m[run], axes))
        lower = thinned(_line(times, middle - band_m[run], axes))
        parts.append(tag("path", d=path([*upper, *reversed(lower)], closed=True), fill=colour, fill_opacity=0.14))
        parts.append(tag("path", d=path(thinned(_line(times, middle, axes))), fill="none", stroke=colour,
                         stroke_width=2.0, stroke_linejoin="round"))
    return parts


def _line(times: list[float], distances_m: Floats, axes: Axes) -> list[Point]:
    return [(x, axes.y(float(distance))) for x, distance in zip(times, distances_m, strict=True)]


def _closest(report: Row, colours: Mapping[str, str], axes: Axes) -> list[str]:
    """The verdict's closest point with its interval: from the smoothed trajectory, so beside the live curve."""
    parts = []
    for verdict in report["verdicts"]:
        colour = colours.get(verdict["track_id"])
        values = (verdict["closest_m"], verdict["closest_m_low"], verdict["closest_m_high"])
        if colour is None or verdict["closest_time"] is None or any(value is None for value in values):
            continue
        time_ns = from_iso(verdict["closest_time"])
        if not axes.start_ns <= time_ns <= axes.end_ns or math.fabs(values[0]) > FARTHEST_M:
            continue
        x, y = axes.x(time_ns), axes.y(values[0])
        low, high = axes.y(values[1]), axes.y(values[2])
        parts.append(tag("path", d=f"M{x - 5:.1f} {high:.1f}h10M{x:.1f} {high:.1f}V{low:.1f}M{x - 5:.1f} {low:.1f}h10",
                         stroke=colour, stroke_width=1.8, fill="none"))
        parts.append(tag("circle", tag("title", f"{verdict['track_id']}: {values[0]:,.0f} m"), cx=x, cy=y, r=4.5,
                         fill="#fff", stroke=colour, stroke_width=2.2))
    return parts

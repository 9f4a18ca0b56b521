"""Where each track was, and how far from the border, over the last half hour: for history dots and the border graph.

Kept beside the hub so that a console opened in the middle of a night shows the night, not only what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lapwing.model.times import NS_PER_S, from_iso

SPAN_NS = 1_800 * NS_PER_S     # what the border graph shows
STEP_NS = 5 * NS_PER_S         # a point each 5 s: about one per turn of the aerial
TRACKS_MAX = 400               # the track unseen for longest goes first

Point = tuple[int, float, float, float | None, float | None]


class History:
    """Points of each track, oldest first: (time_ns, latitude_deg, longitude_deg, border_m, border_m_sigma)."""

    def __init__(self) -> None:
        self._points: dict[str, list[Point]] = {}   # in order of last sight, so the first is the stalest

    def add(self, picture: Mapping[str, Any]) -> None:
        """Take the confirmed tracks of a picture. Pictures without a time or tracks add nothing."""
        if "time" not in picture:
            return
        now_ns = from_iso(picture["time"])
        for track in picture.get("tracks", ()):
            if not track["confirmed"]:
                continue
            points = self._points.pop(track["id"], [])
            if points and now_ns < points[-1][0]:
                points = []  # time ran back: another run on the same hub
            if not points or now_ns - points[-1][0] >= STEP_NS:
                points.append((now_ns, track["lat"], track["lon"], track["border_m"], track["border_m_sigma"]))
            self._points[track["id"]] = [p for p in points if p[0] >= now_ns - SPAN_NS] \
                if points[0][0] < now_ns - SPAN_NS else points
        while len(self._points) > TRACKS_MAX:
            del self._points[next(iter(self._points))]
        for track_id in [i for i, p in self._points.items() if p[-1][0] < now_ns - SPAN_NS]:
            del self._points[track_id]

    def document(self) -> dict[str, Any]:
        """Return {"tracks": {id: [[time_ms, lat, lon, border_m, border_m_sigma], ...]}}."""
        return {"tracks": {track_id: [[p[0] // 1_000_000, *p[1:]] for p in points]
                           for track_id, points in self._points.items()}}

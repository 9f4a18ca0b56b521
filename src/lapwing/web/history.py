"""Where each track was, and how far from the border, over the last half hour: for history dots and the border graph.

Kept beside the hub so that a console opened in the middle of a night shows the night, not only what follows.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from lapwing.model.times import NS_PER_S, from_iso

SPAN_NS = 1_800 * NS_PER_S     # what the border graph shows
STEP_NS = 5 * NS_PER_S         # a point each 5 s: about one per turn of the aerial
TRACKS_MAX = 400               # the track unseen for longest goes first

WIDTH = 5                      # numbers of a point
_SPAN_MS, _STEP_MS = SPAN_NS // 1_000_000, STEP_NS // 1_000_000


class History:
    """Points of each track, oldest first: time_ms, latitude_deg, longitude_deg, border_m, border_m_sigma, one after the other.

    Flat arrays, NaN for what is not known: as tuples of numbers half an hour of a picture took six times the memory, which over
    the first half hour of a run read like a leak.
    """

    def __init__(self) -> None:
        self._points: dict[str, array[float]] = {}   # in order of last sight, so the first is the stalest

    def add(self, picture: Mapping[str, Any]) -> None:
        """Take the confirmed tracks of a picture. Pictures without a time or tracks add nothing."""
        if "time" not in picture:
            return
        now_ms = from_iso(picture["time"]) // 1_000_000
        for track in picture.get("tracks", ()):
            if not track["confirmed"]:
                continue
            points = self._points.pop(track["id"], None) or array("d")
            if points and now_ms < points[-WIDTH]:
                points = array("d")  # time ran back: another run on the same hub
            if not points or now_ms - points[-WIDTH] >= _STEP_MS:
                points.extend((now_ms, track["lat"], track["lon"], *(
                    math.nan if track[key] is None else track[key] for key in ("border_m", "border_m_sigma"))))
            while points[0] < now_ms - _SPAN_MS:
                del points[:WIDTH]
            self._points[track["id"]] = points
        while len(self._points) > TRACKS_MAX:
            del self._points[next(iter(self._points))]
        for track_id in [i for i, p in self._points.items() if p[-WIDTH] < now_ms - _SPAN_MS]:
            del self._points[track_id]

    def tracks(self) -> Iterator[tuple[str, list[list[float | None]]]]:
        """Yield (id, [[time_ms, lat, lon, border_m, border_m_sigma], ...]); all tracks at once would be megabytes of numbers."""
        for track_id, p in self._points.items():
            yield track_id, [[int(p[k]), p[k + 1], p[k + 2], _told(p[k + 3]), _told(p[k + 4])] for k in range(0, len(p), WIDTH)]

    def document(self) -> dict[str, Any]:
        """Return {"tracks": {id: points}}."""
        return {"tracks": dict(self.tracks())}


def _told(value: float) -> float | None:
    """Return a number as the picture had it: None for what is not known, whole where it was."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() else value

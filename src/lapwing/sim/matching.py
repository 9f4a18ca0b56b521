"""Which track was which object: by where it was, most of the time. For scoring only, never an input of a tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.sim.motion import Motion

NEAR_M = 1_500.0
ROWS_MAX = 400  # of a track that are looked at
SHARE_MIN = 0.5  # of them that must lie near the object
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Matched:
    """One track: the object it followed (-1 none: a row of the motions), and when it lived."""

    track_id: str
    motion: int
    first_ns: int
    last_ns: int


def times_ns(values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return a column of times as int64 ns: of datetime64, datetimes with a zone, pandas' timestamps or integers."""
    column = np.asarray(values)
    if column.dtype.kind == "M":
        return column.astype("datetime64[ns]").astype(np.int64)
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    return np.array([_time_ns(value) for value in values], np.int64)


def _time_ns(value: Any) -> int:
    whole = getattr(value, "value", None)  # pandas' timestamp: nanoseconds since 1970
    if isinstance(whole, int):
        return whole
    span = value - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000_000 + span.microseconds * 1_000


def match_tracks(motions: Sequence[Motion], start_ns: int, tracks: Mapping[str, Any]) -> dict[str, Matched]:
    """Return each confirmed track with the object that it followed.

    Parameters
    ----------
    tracks : columns of tracks.parquet: ``track_id``, ``time``, ``lat``, ``lon``, ``confirmed`` and, where there is one,
        ``coasting`` (coasted rows only count where a track has no others)
    """
    ids = np.asarray(tracks["track_id"], dtype=str)
    if not len(ids):
        return {}
    when = times_ns(tracks["time"])
    lat, lon = (np.radians(np.asarray(tracks[key], np.float64)) for key in ("lat", "lon"))
    confirmed = np.asarray(tracks["confirmed"], np.bool_)
    coasting = np.asarray(tracks.get("coasting", np.zeros(len(ids), np.bool_)), np.bool_)
    found = {}
    names, group = np.unique(ids, return_inverse=True)
    order = np.lexsort((when, group))
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if not confirmed[rows].any():
            continue
        live = rows[~coasting[rows]]
        used = live if len(live) else rows
        used = used[:: max(1, len(used) // ROWS_MAX)]
        row = _nearest(motions, (when[used] - start_ns) / 1e9, lat[used], lon[used])
        name = str(names[group[rows[0]]])
        found[name] = Matched(name, row, int(when[rows].min()), int(when[rows].max()))
    return found


def _nearest(
    motions: Sequence[Motion],
    time_s: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
    lon: npt.NDArray[np.float64],
) -> int:
    """Return the motion that is nearest, and near, for most of the times; -1 where none is."""
    away = np.full((len(motions), len(time_s)), np.inf)
    for row, motion in enumerate(motions):
        alive = (time_s >= motion.time_s[0]) & (time_s <= motion.time_s[-1])
        there_lat, there_lon, _ = motion.at(time_s[alive])
        away[row, alive] = geodesic_inverse(lat[alive], lon[alive], there_lat, there_lon)[0]
    if not len(motions):
        return -1
    best = np.where(away.min(axis=0) <= NEAR_M, np.argmin(away, axis=0), len(motions))
    votes = np.bincount(best, minlength=len(motions) + 1)[: len(motions)]
    winner = int(np.argmax(votes))
    return winner if votes[winner] >= SHARE_MIN * len(time_s) else -1

"""Which objects are a reason to tell a partner now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lapwing.country.pack import Partner, Policy
from lapwing.model.alerts import Warned
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Tracks
from lapwing.model.verdicts import Judgement
from lapwing.share.state import Range

_BASE_S = 5.0          # closing speeds are taken over at least so long
_PLOTS_MIN = 4         # a track with fewer plots is no reason to ring a neighbour up


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a partner is told: the rows of the tracks, nearest first, the nearest distance and the words."""

    rows: tuple[int, ...]
    nearest_m: float
    words: str


def ranges_now(ranges: Mapping[str, Range], tracks: Tracks, judgement: Judgement) -> dict[str, Range]:
    """Return the distances of live, judged, confirmed tracks to each neighbour, with closing speeds."""
    now: dict[str, Range] = {}
    for code in sorted(judgement.others):
        distance = judgement.others[code]
        for row in np.flatnonzero(_worth(tracks, judgement)):
            key = f"{code} {tracks.track_id[row]}"
            time_ns, distance_m, last = int(tracks.time_ns[row]), float(distance[row]), ranges.get(key)
            if not math.isfinite(distance_m):
                continue
            if last is None:
                now[key] = Range(time_ns, distance_m, 0.0)
            elif time_ns - last.time_ns >= _BASE_S * NS_PER_S:
                closing = (last.distance_m - distance_m) / ((time_ns - last.time_ns) / NS_PER_S)
                now[key] = Range(time_ns, distance_m, closing)
            else:
                now[key] = last
    return now


def threat(partner: Partner, tracks: Tracks, judgement: Judgement, warned: Warned) -> Cause | None:
    """Return the live threats as a cause, None where there is none."""
    threats = set(warned.threats)
    rows = [row for row, track_id in enumerate(tracks.track_id) if track_id in threats]
    if not rows:
        return None
    rows.sort(key=lambda row: (float(judgement.states.border_m[row]), tracks.track_id[row]))
    nearest = float(judgement.states.border_m[rows[0]])
    return Cause(tuple(rows), nearest, f"{len(rows)} object(s) can reach the border, nearest {nearest / 1000.0:.1f} km")


def near_border(partner: Partner, tracks: Tracks, judgement: Judgement, ranges: Mapping[str, Range],
                policy: Policy) -> Cause | None:
    """Return the objects near the partner's border, or that would be within the policy's time as they fly."""
    distance = judgement.others.get(partner.country)
    if distance is None:
        return None
    rows, words = [], ""
    for row in np.flatnonzero(_worth(tracks, judgement)):
        known = ranges.get(f"{partner.country} {tracks.track_id[row]}")
        closing = known.closing_mps if known else 0.0
        distance_m = float(distance[row])
        if distance_m <= policy.notice_distance_m or \
                (closing > 0.0 and distance_m - closing * policy.notice_time_s <= policy.notice_distance_m):
            rows.append(int(row))
    if not rows:
        return None
    rows.sort(key=lambda row: (float(distance[row]), tracks.track_id[row]))
    nearest = float(distance[rows[0]])
    words = "is near" if nearest <= policy.notice_distance_m else "points at"
    return Cause(tuple(rows), nearest, f"track {tracks.track_id[rows[0]]} {words} {partner.country}, "
                                       f"{nearest / 1000.0:.1f} km from its border")


def _worth(tracks: Tracks, judgement: Judgement) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    worth: np.ndarray[tuple[int], np.dtype[np.bool_]] = \
        judgement.states.judged & tracks.confirmed & (tracks.plot_count >= _PLOTS_MIN)
    return worth

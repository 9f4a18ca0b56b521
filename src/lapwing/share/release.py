"""What a partner may see of an object: released fields as they are, the others blank (NaN, 0, empty)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from lapwing.model.notices import NoticeObject
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import Verdict

# What a pack's field name releases; a pack may name the columns themselves or these groups.
GROUPS: dict[str, tuple[str, ...]] = {
    "time": ("time_ns",),
    "position": ("latitude_rad", "longitude_rad", "position_m_sigma"),
    "height": ("height_m",),
    "velocity": ("velocity_mps",),
    "class": ("class_name", "class_prob"),
    "judged": ("border_m", "verdict", "entered_prob"),
}


def from_track(tracks: Tracks, row: int) -> NoticeObject:
    """Return everything that is known of a live track; the class is the most probable one."""
    best = int(np.argmax(tracks.class_prob[row]))
    cov = tracks.state_cov[row, :2, :2] + tracks.bias_cov_m2[row]
    sigma_m = math.sqrt(max(0.5 * float(np.trace(cov)), 0.0))
    east, north = tracks.velocity_mps[row].tolist()
    return NoticeObject(
        track_id=tracks.track_id[row], time_ns=int(tracks.time_ns[row]), latitude_rad=float(tracks.latitude_rad[row]),
        longitude_rad=float(tracks.longitude_rad[row]), position_m_sigma=sigma_m,
        height_m=float(tracks.height_m[row]), velocity_mps=(float(east), float(north)), class_name=CLASSES[best],
        class_prob=float(tracks.class_prob[row, best]))


def from_verdict(verdict: Verdict) -> NoticeObject:
    """Return what the verdict on an ended track says: its closest (deepest) point."""
    return NoticeObject(
        track_id=verdict.track_id, time_ns=verdict.closest_ns, latitude_rad=verdict.closest_latitude_rad,
        longitude_rad=verdict.closest_longitude_rad,
        position_m_sigma=(verdict.closest_m_high - verdict.closest_m_low) / 3.92, height_m=math.nan,
        velocity_mps=(math.nan, math.nan), class_name="", class_prob=0.0)


def released(item: NoticeObject, fields: Iterable[str]) -> NoticeObject:
    """Return the object with the fields that are not released left blank."""
    open_fields = {column for name in fields for column in GROUPS.get(name, (name,))}

    def number(name: str, value: float) -> float:
        return value if name in open_fields else math.nan

    return NoticeObject(
        track_id=item.track_id if "track_id" in open_fields else "",
        time_ns=item.time_ns if "time_ns" in open_fields else 0,
        latitude_rad=number("latitude_rad", item.latitude_rad),
        longitude_rad=number("longitude_rad", item.longitude_rad),
        position_m_sigma=number("position_m_sigma", item.position_m_sigma), height_m=number("height_m", item.height_m),
        velocity_mps=item.velocity_mps if "velocity_mps" in open_fields else (math.nan, math.nan),
        class_name=item.class_name if "class_name" in open_fields else "",
        class_prob=item.class_prob if "class_prob" in open_fields else 0.0, border_m=number("border_m", item.border_m),
        verdict=item.verdict if "verdict" in open_fields else "", entered_prob=number("entered_prob", item.entered_prob))

"""What a reader of a format hands back, and bearings in the making."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from lapwing.model.entries import Entry
from lapwing.model.plots import Bearings, Looks, Plots, empty_bearings, empty_looks
from lapwing.model.reports import Report
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader found in the entries of its format."""

    plots: tuple[Plots, ...] = ()
    bearings: Bearings = field(default_factory=empty_bearings)
    looks: Looks = field(default_factory=empty_looks)
    reports: tuple[tuple[int, Report], ...] = ()   # (entry sequence, report)


Reader = Callable[[Work, SenseSetup, Sequence[Entry]], Found]


@dataclass(slots=True)
class Bearing:
    """One direction without a range. Angles in radians; a NaN azimuth says presence only."""

    entry: Entry
    sensor_index: int
    measured_ns: int
    latitude_rad: float
    longitude_rad: float
    azimuth_rad: float
    azimuth_rad_sigma: float
    range_m_max: float
    sound: bool


def bearings_of(rows: Sequence[Bearing]) -> Bearings:
    """Return bearings as columns, in the order of the rows."""
    if not rows:
        return empty_bearings()
    return Bearings(
        measured_ns=np.array([r.measured_ns for r in rows], np.int64),
        received_ns=np.array([r.entry.received_ns for r in rows], np.int64),
        sensor_index=np.array([r.sensor_index for r in rows], np.uint16),
        latitude_rad=np.array([r.latitude_rad for r in rows]), longitude_rad=np.array([r.longitude_rad for r in rows]),
        azimuth_rad=np.array([r.azimuth_rad for r in rows]) % (2.0 * np.pi),
        azimuth_rad_sigma=np.array([r.azimuth_rad_sigma for r in rows]),
        range_m_max=np.array([r.range_m_max for r in rows]), sound=np.array([r.sound for r in rows], np.bool_),
        entry_sequence=np.array([r.entry.sequence for r in rows], np.int64))


def join_bearings(parts: Sequence[Bearings]) -> Bearings:
    """Return several batches of bearings as one."""
    kept = [part for part in parts if len(part)]
    if len(kept) < 2:
        return kept[0] if kept else empty_bearings()
    return Bearings(**{f.name: np.concatenate([getattr(part, f.name) for part in kept]) for f in fields(Bearings)})

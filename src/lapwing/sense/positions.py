"""Position reports one by one (ADS-B, Remote ID, CoT, SAPIENT, plot tables) -> plots, with the same checks for all.

Formats that are no ASTERIX come in tens a second, not in tens of thousands: a reader fills one `Position` a report, and
`plots_of` screens them and makes the columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lapwing.geo.geoid import undulation_m
from lapwing.model.entries import Entry
from lapwing.model.plots import NO_CODE, Plots, empty_plots
from lapwing.model.sensors import TRACKER, Sensor
from lapwing.model.times import to_iso
from lapwing.sense import heights, place, screen
from lapwing.sense.asterix_entries import AHEAD_NS, BEHIND_NS, SENSORS_MAX
from lapwing.sense.work import Work

FOOT_M = 0.3048
KNOT_MPS = 1852.0 / 3600.0


@dataclass(slots=True)
class Position:
    """One report of a place by one sensor; NaN, NO_CODE or b"" where it says nothing."""

    entry: Entry
    sensor_index: int
    kind: int                       # KIND_* of model.plots
    measured_ns: int
    latitude_rad: float
    longitude_rad: float
    m_sigma: float                  # of the place, circular
    height_m: float = math.nan      # above the ellipsoid
    height_m_sigma: float = math.nan
    east_mps: float = math.nan
    north_mps: float = math.nan
    mode3a: int = NO_CODE
    icao_address: int = NO_CODE
    callsign: bytes = b""
    octet_offset: int = 0


def from_pressure_ft(altitude_ft: float, latitude_rad: float, longitude_rad: float) -> tuple[float, float]:
    """Return ellipsoid height and sigma of a pressure altitude; NaN where there is none."""
    if not math.isfinite(altitude_ft):
        return math.nan, math.nan
    one = np.array([latitude_rad]), np.array([longitude_rad])
    height, sigma = heights.from_flight_level(np.array([altitude_ft / 100.0]), *heights.mean_sea_level(*one))
    return float(height[0]), float(sigma[0])


def from_sea_level(altitude_m: float, latitude_rad: float, longitude_rad: float) -> float:
    """Return the ellipsoid height of a height above mean sea level; NaN outside the geoid's grid."""
    return altitude_m + float(undulation_m(latitude_rad, longitude_rad))


def sensor_of(work: Work, sensor_id: str, kind: str = TRACKER, **known: float) -> int:
    """Return the row of a sensor, appended where it is new; -1 where the table is full (the caller refuses)."""
    index = work.sensors.index_of(sensor_id)
    if index >= 0:
        return index
    if len(work.sensors.rows) >= SENSORS_MAX:
        return -1
    more = {"position_from": "data" if "latitude_rad" in known else "none"}
    work.sensors = work.sensors.with_sensor(replace(Sensor(sensor_id, kind=kind, **more), **known))  # type: ignore[arg-type]
    return len(work.sensors.rows) - 1


def timely(work: Work, entry: Entry, measured_ns: int, source: str, *, behind_ns: int = BEHIND_NS) -> bool:
    """Whether a time is neither of the future nor of long ago; counted where it is."""
    behind = entry.received_ns - measured_ns
    if behind < -AHEAD_NS:
        work.refusals.add("from_the_future", source, f"{to_iso(measured_ns)}, received {to_iso(entry.received_ns)}: the "
                          "sender's clock or its time zone is wrong", source, entry.sequence, 0)
        return False
    if behind > behind_ns:
        work.refusals.add("too_old", source, f"{to_iso(measured_ns)}, received {to_iso(entry.received_ns)}", source,
                          entry.sequence, 0)
        return False
    return True


def plots_of(work: Work, reports: Sequence[Position]) -> Plots:
    """Return the plots of reports; what is off the globe or in no sensor's reach is refused with its reason."""
    if not reports:
        return empty_plots()
    count = len(reports)
    none = np.full(count, np.nan)
    column = {name: np.array([getattr(r, name) for r in reports]) for name in (
        "measured_ns", "sensor_index", "kind", "latitude_rad", "longitude_rad", "m_sigma", "height_m", "height_m_sigma",
        "east_mps", "north_mps", "mode3a", "icao_address", "octet_offset")}
    plots = Plots(
        measured_ns=column["measured_ns"].astype(np.int64),
        received_ns=np.array([r.entry.received_ns for r in reports], np.int64),
        sensor_index=column["sensor_index"].astype(np.uint16), kind=column["kind"].astype(np.uint8), range_m=none,
        azimuth_rad=none, latitude_rad=column["latitude_rad"].astype(np.float64),
        longitude_rad=column["longitude_rad"].astype(np.float64), height_m=column["height_m"].astype(np.float64),
        height_m_sigma=column["height_m_sigma"].astype(np.float64),
        position_cov_m2=place.isotropic(np.maximum(column["m_sigma"].astype(np.float64), 3.0)),
        velocity_mps=np.stack([column["east_mps"], column["north_mps"]], axis=-1).astype(np.float64), amplitude_db=none,
        mode3a=column["mode3a"].astype(np.int32), icao_address=column["icao_address"].astype(np.int32),
        callsign=np.array([r.callsign for r in reports], "S8"),
        entry_sequence=np.array([r.entry.sequence for r in reports], np.int64),
        octet_offset=column["octet_offset"].astype(np.int32), track_number=np.full(count, NO_CODE, np.int32), velocity_mps_sigma=none)
    for index in np.unique(plots.sensor_index).tolist():
        newest = int(plots.measured_ns[plots.sensor_index == index].max())
        work.last_ns[index] = max(newest, work.last_ns.get(index, newest))
    return screen.believable(work, plots)

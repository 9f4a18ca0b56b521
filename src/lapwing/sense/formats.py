"""The table of formats: what an entry's payload is, and who reads it.

Adding a format is one reader here (or in a file of its own) and one line of `READERS`. A reader takes the working copy
and the entries of its format and returns a `Found`; what it cannot use it counts in ``work.refusals``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from lapwing.model import entries as formats
from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_COMBINED, Bearings, Plots
from lapwing.model.reports import SensorOrder
from lapwing.model.sensors import ACOUSTIC_ARRAY, Sensor
from lapwing.model.times import to_iso
from lapwing.sense import heights, person_json, plot_rows, watch
from lapwing.sense.adsb_text import read_aircraft_json, read_sbs
from lapwing.sense.asterix_entries import AHEAD_NS, BEHIND_NS, sense_asterix
from lapwing.sense.beast import read_beast
from lapwing.sense.claims import read_claims
from lapwing.sense.cot import read_cot
from lapwing.sense.drafts import Reports
from lapwing.sense.found import Found, Reader
from lapwing.sense.position_json import read_positions
from lapwing.sense.remote_id import read_remote_id
from lapwing.sense.reports import polar_plots, sited
from lapwing.sense.sapient import read_sapient
from lapwing.sense.sensor_columns import columns_of
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

PERSON_INDEX = 65_535   # sensor_index of what no sensor of the table reported
ACOUSTIC_M_MAX = 5_000.0
ACOUSTIC_DEG_SIGMA = 5.0


def read_asterix(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots and looks of ASTERIX datagrams."""
    return sense_asterix(work, setup, entries)


def read_plots(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of packed rows (`plot_rows`)."""
    parts = []
    for entry in entries:
        try:
            rows = plot_rows.unpack(entry.payload)
        except plot_rows.BadRows as error:
            work.refusals.add("bad_rows", entry.link, str(error), entry.link, entry.sequence, 0)
            continue
        work.record_count += len(rows)
        reports = Reports(
            category=0, sensor_index=rows["sensor_index"].astype(np.int64),
            columns={"range_m": rows["range_m"].astype(np.float64),
                     "azimuth_rad": rows["azimuth_rad"].astype(np.float64), "kind": rows["kind"].astype(np.float64),
                     "flight_level": rows["flight_level"].astype(np.float64),
                     "amplitude_db": rows["amplitude_db"].astype(np.float64),
                     "mode3a": np.where(rows["mode3a"] < 0, np.nan, rows["mode3a"]),
                     "icao_address": np.where(rows["icao_address"] < 0, np.nan, rows["icao_address"])},
            source=np.full(len(rows), -1), source_name=entry.link[:40], measured_ns=rows["measured_ns"].astype(np.int64),
            received_ns=np.full(len(rows), entry.received_ns, np.int64),
            entry_sequence=np.full(len(rows), entry.sequence, np.int64),
            octet_offset=4 + plot_rows.ROW.itemsize * np.arange(len(rows)))
        parts.append(_place_rows(work, reports))
    return Found(plots=tuple(parts))


def _place_rows(work: Work, reports: Reports) -> Plots:
    count = len(work.sensors.rows)
    refusals = work.refusals
    reports = refusals.keep(reports, reports.sensor_index >= count, "unknown_sensor", f"the table has {count} rows")
    behind = reports.received_ns - reports.measured_ns
    reports = refusals.keep(reports, behind < -AHEAD_NS, "from_the_future", "over 5 s later than it was received")
    range_m, kind = reports.get("range_m"), reports.get("kind")
    bad = ~((range_m > 0) & np.isfinite(reports.get("azimuth_rad")) & (kind <= KIND_COMBINED))
    reports = refusals.keep(reports, bad, "no_place", "no slant range and azimuth, or no kind of a radar plot")
    reports = sited(reports, work.sensors, refusals)
    for index in np.unique(reports.sensor_index).tolist():
        newest = int(reports.measured_ns[reports.sensor_index == index].max())
        work.last_ns[index] = max(newest, work.last_ns.get(index, newest))
    of, index = columns_of(work.sensors.rows), reports.sensor_index
    height, sigma = heights.from_flight_level(reports.get("flight_level"), of.sea_m[index], of.sea_m_sigma[index],
                                             of.level_m_shift[index], of.level_m_sigma[index])
    return polar_plots(reports, reports.get("kind").astype(np.int64), height, sigma, work.sensors, refusals,
                       amplitude_db=reports.get("amplitude_db"))


def read_person(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return what people said (`person_json`)."""
    found = []
    for entry in entries:
        try:
            report = person_json.decode_report(entry.format, entry.payload, entry.sequence)
        except person_json.BadReport as error:
            work.refusals.add("bad_report", f"{entry.link} {entry.format}", str(error), entry.link, entry.sequence, 0)
            continue
        work.record_count += 1
        found.append((entry.sequence, report))
        if isinstance(report, SensorOrder) and not watch.order(work, report.sensor, report.action == "lift", report.by,
                                                               entry.received_ns):
            work.refusals.add("unknown_sensor", f"{entry.link} sensor", f"no sensor {report.sensor[:60]!r}", entry.link,
                              entry.sequence, 0)
    return Found(reports=tuple(found))


def read_acoustic(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the bearings of acoustic nodes: JSON ``{"sensor", "time", "azimuth_deg" or null, "azimuth_deg_sigma",
    "lat_deg", "lon_deg", "range_m_max", "class"?}``; place and range may be left out where the table has them."""
    rows = []
    for entry in entries:
        try:
            rows.append(_bearing(work, entry))
        except person_json.BadReport as error:
            work.refusals.add("bad_report", f"{entry.link} acoustic", str(error), entry.link, entry.sequence, 0)
    work.record_count += len(rows)
    if not rows:
        return Found()
    measured, received, index, latitude, longitude, azimuth, sigma, range_max, sequence = zip(*rows, strict=True)
    return Found(bearings=Bearings(
        measured_ns=np.array(measured, np.int64), received_ns=np.array(received, np.int64),
        sensor_index=np.array(index, np.uint16), latitude_rad=np.radians(latitude), longitude_rad=np.radians(longitude),
        azimuth_rad=np.mod(np.radians(azimuth), 2.0 * np.pi), azimuth_rad_sigma=np.radians(sigma),
        range_m_max=np.array(range_max), sound=np.ones(len(rows), np.bool_),
        entry_sequence=np.array(sequence, np.int64)))


def _bearing(work: Work, entry: Entry) -> tuple[int, int, int, float, float, float, float, float, int]:
    fields = person_json.Fields(entry.payload)
    sensor_id, time_ns = fields.text("sensor", ...), fields.time("time")
    index = work.sensors.index_of(sensor_id)
    known = work.sensors.rows[index] if index >= 0 else Sensor(sensor_id)
    own = (math.degrees(known.latitude_rad), math.degrees(known.longitude_rad)) if known.has_position else (..., ...)
    latitude = fields.number("lat_deg", -90.0, 90.0, own[0])
    longitude = fields.number("lon_deg", -180.0, 180.0, own[1])
    azimuth = fields.number("azimuth_deg", -360.0, 360.0, math.nan)
    sigma = fields.number("azimuth_deg_sigma", 0.0, 180.0, ACOUSTIC_DEG_SIGMA if math.isfinite(azimuth) else math.nan)
    usual = known.range_m_max if math.isfinite(known.range_m_max) else ACOUSTIC_M_MAX
    range_max = fields.number("range_m_max", 1.0, 100_000.0, usual)
    fields.text("class")
    fields.done()
    if not -AHEAD_NS <= entry.received_ns - time_ns <= BEHIND_NS:
        raise person_json.BadReport(f"time = {to_iso(time_ns)}: received at {to_iso(entry.received_ns)}; the node's "
                                    "clock is wrong")
    if index < 0:
        work.sensors = work.sensors.with_sensor(Sensor(
            sensor_id, kind=ACOUSTIC_ARRAY, latitude_rad=math.radians(latitude), longitude_rad=math.radians(longitude),
            range_m_max=range_max, position_from="data"))
        index = len(work.sensors.rows) - 1
    return (time_ns, entry.received_ns, index, latitude, longitude, azimuth, sigma, range_max, entry.sequence)


def encode_acoustic(sensor: str, time_ns: int, latitude_rad: float, longitude_rad: float, range_m_max: float,
                    azimuth_rad: float = math.nan, azimuth_rad_sigma: float = math.nan) -> bytes:
    """Return the payload of an ``acoustic`` entry; a NaN azimuth says presence only."""
    heard = math.isfinite(azimuth_rad)
    return json.dumps({
        "sensor": sensor, "time": to_iso(time_ns, digits=6), "lat_deg": round(math.degrees(latitude_rad), 7),
        "lon_deg": round(math.degrees(longitude_rad), 7), "range_m_max": range_m_max,
        "azimuth_deg": round(math.degrees(azimuth_rad) % 360.0, 4) if heard else None,
        "azimuth_deg_sigma": round(math.degrees(azimuth_rad_sigma), 4) if heard else None,
    }, sort_keys=True, separators=(",", ":")).encode()


def read_bad_rows(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Count rows of tables that could not be read: the first of a table with line, value and remedy."""
    for entry in entries:
        try:
            fields = json.loads(entry.payload)
            detail = f"{fields['where']}: {fields['what']}; {fields['remedy']}"
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            detail = f"no bad row: {error!r}"
        work.refusals.add("bad_row", entry.link, detail[:300], entry.link, entry.sequence, 0)
    return Found()


READERS: Mapping[str, Reader] = {
    formats.ASTERIX: read_asterix,
    formats.PLOTS: read_plots,
    formats.ACOUSTIC: read_acoustic,
    formats.POSITION: read_positions,
    formats.SAPIENT: read_sapient,
    formats.COT: read_cot,
    formats.AIRCRAFT_JSON: read_aircraft_json,
    formats.SBS: read_sbs,
    formats.BEAST: read_beast,
    formats.REMOTE_ID: read_remote_id,
    formats.BAD_ROW: read_bad_rows,
    formats.CLAIM: read_claims,
    **dict.fromkeys(person_json.READERS, read_person),
}

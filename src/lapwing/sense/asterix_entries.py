"""ASTERIX entries of one step -> timed reports by category, looks, and what the data says of its sensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.model.entries import Entry
from lapwing.model.plots import Bearings, Looks, Plots, empty_looks
from lapwing.model.sensors import ADSB, MLAT, OBSERVER, RADAR, SURFACE, TRACKER, Sensor, SensorTable
from lapwing.model.times import DAY_NS, NS_PER_S
from lapwing.sense import asterix_bearings, clock, screen, watch
from lapwing.sense.asterix.decode import BlockRefusal, Decoded, Editions, Records, decode_datagrams
from lapwing.sense.asterix.framing import is_oradis
from lapwing.sense.drafts import Refusals, Reports
from lapwing.sense.found import Found, join_bearings
from lapwing.sense.kernels_batch import groups, newest, times_of_day
from lapwing.sense.reports import PLACERS
from lapwing.sense.sensor_columns import columns_of
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

AHEAD_NS = 5 * NS_PER_S          # a report from farther in the future is refused
BEHIND_NS = 600 * NS_PER_S       # an older one is no live data: a clock that is wrong, or the day is not sure
SENSORS_MAX = 4_096              # sources met in the data beyond that are refused
NORTH_MARK, SECTOR_CROSSING = 1, 2
ROTATION_S = (0.5, 60.0)

OWN_TRACKS_NS = 60 * NS_PER_S    # so long after its last plot a source's tracks are taken for tracks of them
_SERVICE = (2, 19, 23, 34, 63, 65)
_BEATS = (19, 23, 63, 65)
_NOT_FOR_USE = "not released for operational use"
_STATES = {34: ("", _NOT_FOR_USE), 23: ("", _NOT_FOR_USE), 19: ("", "degraded", _NOT_FOR_USE, "undefined"),
           63: ("", "degraded", "initializing", "not connected"), 65: ("", "degraded", "not connected", "unknown")}

_KINDS = {1: RADAR, 2: RADAR, 34: RADAR, 48: RADAR, 10: SURFACE, 19: MLAT, 20: MLAT, 21: ADSB, 23: ADSB, 62: TRACKER,
          63: TRACKER, 65: TRACKER, 129: ADSB, 15: MLAT, 205: OBSERVER}
# What is taken for a source that nobody configured.
_NOISE = {SURFACE: (10.0, 0.25), MLAT: (30.0, 0.15), OBSERVER: (100.0, 2.0)}


def sense_asterix(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots (a part for each category), bearings and looks of ASTERIX entries; the rest goes into `work`."""
    decoded = decode_datagrams([entry.payload for entry in entries], _editions(work.sensors, setup))
    for refusal in decoded.refusals:
        _count(work.refusals, refusal, entries)
    plots: list[Plots] = []
    looks: list[Looks] = []
    bearings: list[Bearings] = []
    sources = _sources(work, entries, decoded)
    received = np.array([entry.received_ns for entry in entries], np.int64)
    sequence = np.array([entry.sequence for entry in entries], np.int64)
    # Service messages first: a position or rotation in them counts for the reports of the same step.
    for records in sorted(decoded.records, key=lambda r: (r.category not in _SERVICE, r.category == 62)):
        work.record_count += len(records)
        reports = _reports(work, setup, received, sequence, records, *sources[id(records)])
        if not len(reports):
            continue
        if records.category in _SERVICE:
            _status(work, reports)
            if records.category in (2, 19, 34):
                _learn(work, reports)
            if records.category in (2, 34):
                looks.append(_looks(work, reports))
        elif records.category in PLACERS:
            reports = _timely(work, reports)
            if records.category in (15, 62):
                reports = _not_twice(work, reports)
                if records.category == 15:
                    bearings.append(asterix_bearings.cat015(work, reports))
            found = screen.believable(work, PLACERS[records.category](reports, work.sensors, work.refusals))
            if records.category in (1, 48):
                _note_plots(work, found)
            plots.append(found)
        elif records.category == 205:
            bearings.append(asterix_bearings.cat205(work, _timely(work, reports)))
    return Found(tuple(plots), join_bearings(bearings), _join_looks(looks))


def _note_plots(work: Work, plots: Plots) -> None:
    """Remember which sources send plots: the tracks that the same source makes of them are no news."""
    if len(plots):
        sent = work.own("plots_ns")
        for row in groups(plots.sensor_index)[0]:
            sent[row] = int(plots.received_ns[-1])


def _not_twice(work: Work, reports: Reports) -> Reports:
    """Leave out a source's own tracks (CAT062) where its plots (CAT048, CAT001) are had as well."""
    sent = work.memory.get("plots_ns")
    if not sent or reports.category != 62 or not len(reports):
        return reports
    twice = np.zeros(len(reports), np.bool_)
    for row in groups(reports.sensor_index)[0]:
        if row in sent:
            twice |= (reports.sensor_index == row) & (reports.received_ns - sent[row] < OWN_TRACKS_NS)
    return work.refusals.keep(reports, twice, "own_track",
                              "a track that this source made of plots which are here too: the plots are used")


def _status(work: Work, reports: Reports) -> None:
    """Take what service messages say of a sensor's health; say what changed."""
    if reports.category in _BEATS:
        for row in range(len(reports)):
            watch.note_beat(work, int(reports.sensor_index[row]), int(reports.received_ns[row]))
    nogo = reports.columns.get("nogo")
    if nogo is None:
        return
    for row in np.flatnonzero(np.isfinite(nogo)).tolist():
        index = int(reports.sensor_index[row])
        if reports.category == 63:
            sac, sic = reports.get("sensor_sac")[row], reports.get("sensor_sic")[row]
            index = work.sensors.index_of_source(int(sac), int(sic)) if np.isfinite(sac) and np.isfinite(sic) else -1
            if index < 0:
                continue
        words = _STATES.get(reports.category, ())[int(nogo[row]):][:1]
        said = words[0] if words else ""
        before = work.memory.get("status", {}).get(index, "")
        if said != before:
            work.own("status")[index] = said
            sensor = work.sensors.rows[index]
            work.refusals.add("sensor_status", sensor.id, f"CAT{reports.category:03d}: {said or 'operational again'}", sensor.id,
                              int(reports.entry_sequence[row]), int(reports.octet_offset[row]))


def _editions(sensors: SensorTable, setup: SenseSetup) -> Editions:
    """Return the editions of a table and a setup: a function of both alone, remembered by their identity."""
    for rows, known, editions in _made:
        if rows is sensors.rows and known is setup:
            return editions
    by_source = {(category, sensor.sac, sensor.sic): name
                 for sensor in sensors.rows if sensor.sac >= 0 for category, name in sensor.editions.items()}
    made = Editions(setup.editions, {**setup.source_editions, **by_source})
    _made.append((sensors.rows, setup, made))
    del _made[:-_KEPT]
    return made


_made: list[tuple[tuple[Sensor, ...], SenseSetup, Editions]] = []
_KEPT = 4


def _count(refusals: Refusals, refusal: BlockRefusal, entries: Sequence[Entry]) -> None:
    entry = entries[refusal.datagram_index]
    if refusal.block_index < 0 and is_oradis(entry.payload):
        refusals.add("oradis_wrapper", entry.link, "a length and four octets before every data block: not read",
                     entry.link, entry.sequence, 0)
        return
    source = f"{refusal.sac}/{refusal.sic}" if refusal.sac >= 0 else entry.link
    where = entry.link
    if refusal.category >= 0:
        where = f"{source} CAT{refusal.category:03d}"
    if refusal.record_index >= 0:
        where += f" record {refusal.record_index} {refusal.item}"
    refusals.add(refusal.reason, f"{where} at octet {refusal.octet_offset}", refusal.detail, source, entry.sequence,
                 refusal.octet_offset)


Codes = npt.NDArray[np.int64]


def _sources(work: Work, entries: Sequence[Entry], decoded: Decoded) -> dict[int, tuple[Codes, Codes]]:
    """Return SAC and SIC of each value of records; where a record names none, the last one heard on its link."""
    result = {id(records): (records.sac, records.sic) for records in decoded.records}
    if not decoded.records:
        return result
    if all(int(sac.min()) >= 0 for sac, _ in result.values()):
        _note_links(work, entries, decoded)
        return result
    datagram = np.concatenate([records.datagram_index for records in decoded.records])
    octet = np.concatenate([records.octet_offset for records in decoded.records])
    sac = np.concatenate([records.sac for records in decoded.records])
    sic = np.concatenate([records.sic for records in decoded.records])
    for row in np.lexsort((octet, datagram)).tolist():
        link = entries[datagram[row]].link
        if sac[row] >= 0:
            work.link_source[link] = (int(sac[row]), int(sic[row]))
        elif link in work.link_source:
            sac[row], sic[row] = work.link_source[link]
    start = 0
    for records in decoded.records:
        result[id(records)] = (sac[start : start + len(records)], sic[start : start + len(records)])
        start += len(records)
    return result


def _note_links(work: Work, entries: Sequence[Entry], decoded: Decoded) -> None:
    """Remember the last source of each link, of records that all name theirs. Rows of records are in order."""
    numbers: dict[str, int] = {}
    of_entry = np.array([numbers.setdefault(entry.link, len(numbers)) for entry in entries], np.int64)
    newest = [(-1, -1, -1, -1)] * len(numbers)
    for records in decoded.records:
        last = np.full(len(numbers), -1, np.int64)
        last[of_entry.take(records.datagram_index)] = np.arange(len(records))
        for number, row in enumerate(last.tolist()):
            if row >= 0:
                place = int(records.datagram_index[row]), int(records.octet_offset[row])
                if place > newest[number][:2]:
                    newest[number] = *place, int(records.sac[row]), int(records.sic[row])
    for link, number in numbers.items():
        if newest[number][0] >= 0:
            work.link_source[link] = newest[number][2:]


def _reports(work: Work, setup: SenseSetup, received_ns: Codes, sequence: Codes, records: Records, sac: Codes,
             sic: Codes) -> Reports:
    """Return records with their sensor (appended to the table where new) and times."""
    received = received_ns.take(records.datagram_index)
    values, group = groups(sac * 256 + sic)
    heard, _ = newest(group, received, len(values))
    rows = np.empty(len(values), np.int64)
    refused: list[tuple[int, str, str]] = []
    for number, value in enumerate(values):
        found, why = _sensor(work, setup, value, records.category)
        rows[number] = found
        if found >= 0:
            watch.note_heard(work, found, int(received[-1]) if len(values) == 1 else heard[number])
        if why is not None:
            refused.append((number, *why))
    index = rows[group]
    reports = Reports(records.category, dict(records.columns), index, np.maximum(np.array(values), -1)[group], received, received,
                      sequence.take(records.datagram_index), records.octet_offset)
    if refused:
        for number, reason, detail in refused:
            work.refusals.add_rows(reports, group == number, reason, detail)
        reports = reports.take(index >= 0)
    return _timed(work, reports)


def _sensor(work: Work, setup: SenseSetup, value: int, category: int) -> tuple[int, tuple[str, str] | None]:
    """Return the row of a source (SAC * 256 + SIC), appended where it is new, or -1 and why it is refused."""
    if value < 0:
        return -1, ("no_source", "no data source identifier, and none heard on this link before")
    codes = divmod(value, 256)
    if codes in setup.own:
        return -1, ("own_source", "our own tracks or messages, come back: told to ourselves they prove nothing")
    if setup.allow and codes not in setup.allow:
        return -1, ("not_allowed", "a source that is not on the list of those listened to")
    found = work.sensors.index_of_source(*codes)
    if found < 0 and len(work.sensors.rows) >= SENSORS_MAX:
        return -1, ("too_many_sources", f"more than {SENSORS_MAX} sources")
    return (found if found >= 0 else _append(work, codes, category)), None


def _append(work: Work, codes: tuple[int, int], category: int) -> int:
    kind = _KINDS.get(category, RADAR)
    sensor = Sensor(f"{codes[0]}/{codes[1]}", kind=kind, sac=codes[0], sic=codes[1], position_from="none")
    if kind in _NOISE:
        sensor = replace(sensor, range_m_sigma=_NOISE[kind][0], azimuth_rad_sigma=math.radians(_NOISE[kind][1]))
    work.sensors = work.sensors.with_sensor(sensor)
    return len(work.sensors.rows) - 1


def _timed(work: Work, reports: Reports) -> Reports:
    """Return the reports with their times of applicability; without a time of day: reception less nominal latency."""
    if not len(reports):
        return reports
    inside = reports.get("time_of_day_s")
    if reports.category != 1:
        measured = np.empty(len(inside), np.int64)
        if times_of_day(inside, reports.received_ns, measured) == 0:
            return reports.timed(measured)
    known = np.isfinite(inside)
    for other in ("time_received_s", "time_sent_s"):
        if other in reports.columns and not known.all():
            inside = np.where(known, inside, reports.get(other))
            known = np.isfinite(inside)
    to_utc = clock.truncated_to_utc if reports.category == 1 else clock.to_utc
    if reports.category != 1:
        beyond = known & (inside >= DAY_NS / NS_PER_S)
        if beyond.any():
            reports = work.refusals.keep(reports, beyond, "implausible_time",
                                         "a time of day beyond 24 h: another edition, or broken data")
            inside, known = inside[~beyond], known[~beyond]
    if known.all():
        return reports.timed(to_utc(inside, reports.received_ns))
    latency = columns_of(work.sensors.rows).latency_ns[reports.sensor_index]
    measured = np.where(known, to_utc(np.where(known, inside, 0.0), reports.received_ns), reports.received_ns - latency)
    return reports.timed(measured)


def _timely(work: Work, reports: Reports) -> Reports:
    """Refuse reports from the future and from long ago; keep the delays, theirs too."""
    if not len(reports):
        return reports
    behind = reports.received_ns - reports.measured_ns
    work.delay_ns.append((reports.sensor_index, behind))
    if int(behind.min()) < -AHEAD_NS or int(behind.max()) > BEHIND_NS:
        wrong = (behind < -AHEAD_NS) | (behind > BEHIND_NS)
        for index in groups(reports.sensor_index[wrong])[0]:
            count = int(np.count_nonzero(wrong & (reports.sensor_index == index)))
            work.lies[index] = work.lies.get(index, 0) + count
        reports = work.refusals.keep(
            reports, behind < -AHEAD_NS, "from_the_future",
            "over 5 s later than it was received: the sensor's clock, its time zone or the recording's date is wrong")
        reports = work.refusals.keep(
            reports, reports.received_ns - reports.measured_ns > BEHIND_NS, "too_old",
            "over 10 min before it was received: the sensor's clock, its time zone or the recording's date is wrong")
    if len(reports):
        met, group = groups(reports.sensor_index)
        for index, last in zip(met, newest(group, reports.measured_ns, len(met))[0], strict=True):
            work.last_ns[index] = max(last, work.last_ns.get(index, last))
    return reports


def _learn(work: Work, reports: Reports) -> None:
    """Take position and rotation from service messages, where the table has none."""
    latitude, longitude = reports.get("site_latitude_rad"), reports.get("site_longitude_rad")
    given = reports.get("rotation_s")
    for row in np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude)).tolist():
        index = int(reports.sensor_index[row])
        sensor = work.sensors.rows[index]
        if sensor.has_position or abs(latitude[row]) > math.pi / 2:
            continue
        height = float(reports.get("site_height_m")[row])
        work.sensors = work.sensors.with_sensor(replace(
            sensor, latitude_rad=float(latitude[row]), longitude_rad=float(longitude[row]), height_m=height,
            position_from="data"))
        if f"position|{sensor.id}" not in work.told:
            work.told.add(f"position|{sensor.id}")
            work.refusals.add("position_from_data", sensor.id,
                              f"no position configured: {math.degrees(latitude[row]):.5f} N "
                              f"{math.degrees(longitude[row]):.5f} E {height:.0f} m is taken from the data; check it",
                              sensor.id, int(reports.entry_sequence[row]), int(reports.octet_offset[row]))
    for index, seconds in zip(reports.sensor_index.tolist(), given.tolist(), strict=True):
        if ROTATION_S[0] <= seconds <= ROTATION_S[1]:
            _rotation(work, index, seconds)


def _rotation(work: Work, index: int, seconds: float) -> None:
    """Take an estimate of the rotation; the table follows where nothing was configured and it moved by 2 %."""
    before = work.rotation_s.get(index)
    smooth = seconds if before is None or abs(seconds / before - 1.0) > 0.2 else before + 0.2 * (seconds - before)
    work.rotation_s[index] = smooth
    sensor = work.sensors.rows[index]
    unknown = not math.isfinite(sensor.rotation_s)
    if unknown or (before is not None and abs(smooth / sensor.rotation_s - 1.0) > 0.02
                   and f"rotation|{sensor.id}" in work.told):
        work.told.add(f"rotation|{sensor.id}")
        work.sensors = work.sensors.with_sensor(replace(sensor, rotation_s=round(smooth, 3)))


def _looks(work: Work, reports: Reports) -> Looks:
    """Return north marks and sector crossings, and learn the rotation from the marks."""
    message, measured = reports.get("message"), reports.measured_ns
    behind = reports.received_ns - measured
    wanted = np.flatnonzero(((message == NORTH_MARK) | (message == SECTOR_CROSSING)) & (behind >= -AHEAD_NS) & (behind <= BEHIND_NS))
    message, measured, index = message[wanted], measured[wanted], reports.sensor_index[wanted]
    north = message == NORTH_MARK
    for row in np.flatnonzero(north).tolist():
        sensor, at = int(index[row]), int(measured[row])
        before = work.north_ns.get(sensor)
        if before is not None and at > before:
            seconds = (at - before) / NS_PER_S
            usual = work.rotation_s.get(sensor)
            # A second north mark within half a scan is a repeat by the link, not a fast aerial, so the first counts;
            # a gap of several turns says nothing new.
            if ROTATION_S[0] <= seconds <= ROTATION_S[1] and (usual is None or 0.5 < seconds / usual < 1.5):
                _rotation(work, sensor, seconds)
            if usual is not None and seconds <= 0.5 * usual:
                continue
        work.north_ns[sensor] = max(at, before or at)
    sector = np.where(north, 0.0, reports.get("sector_rad")[wanted])
    known = np.isfinite(sector)
    return Looks(measured[known], index[known].astype(np.uint16), sector[known], north[known])


def _join_looks(parts: Sequence[Looks]) -> Looks:
    kept = [part for part in parts if len(part)]
    if not kept:
        return empty_looks()
    joined = [np.concatenate([getattr(part, name) for part in kept])
              for name in ("measured_ns", "sensor_index", "azimuth_rad", "north_mark")]
    order = np.lexsort((joined[1], joined[0]))
    return Looks(*(column[order] for column in joined))

"""What is on a link: who sends what, in which edition, how often, how late, how the aerials turn, and what is wrong.

A survey is fed entries as they came and takes them through the sense stage like a live run would. It is the engineer's first
look at a radar, so it ends in a ``[sensor.*]`` block for the sensors file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing import sense
from lapwing.geo.geoid import undulation_m
from lapwing.model.entries import ASTERIX, Entry
from lapwing.model.sensed import Sensed, SensorHealth
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.sense.asterix.decode import Editions, decode_datagrams
from lapwing.sense.asterix.ranking import Detected, detect_edition, sample_sources

Floats = npt.NDArray[np.float64]

SAMPLE_OCTETS = 4_000_000     # of datagrams kept to tell editions by
NOTES = ("position_from_data", "sensor_status", "sensor_outage", "sensor_back", "clock_off", "clock_wrong", "clock_right",
         "clock_jumped", "quarantine_begun",
         "quarantine_lifted")
RANGE_STEP_M = 5_000.0
MARKS_MAX = 1_000
TURN_S = (0.5, 60.0)


@dataclass(slots=True)
class Source:
    """What one SAC/SIC sent."""

    records: Counter[int] = field(default_factory=Counter)        # category -> records
    plots: int = 0
    range_m_max: float = math.nan
    north_s: list[float] = field(default_factory=list)            # times of day of north marks
    stated_turn_s: float = math.nan                               # as service messages give it

    @property
    def turn_s(self) -> float:
        """The usual time between two north marks; as stated where there are too few."""
        gaps = np.diff(np.array(self.north_s)) % 86_400.0
        gaps = gaps[(gaps >= TURN_S[0]) & (gaps <= TURN_S[1])]
        return float(np.median(gaps)) if len(gaps) >= 2 else self.stated_turn_s


class Survey:
    """Tallies of a link.

    Parameters
    ----------
    sensors : as configured; sources that are not in it are appended
    """

    def __init__(self, sensors: SensorTable | None = None) -> None:
        self._setup = sense.SenseSetup(sensors=sensors or SensorTable())
        self._state = sense.State()
        self._sample: list[bytes] = []
        self._sample_octets = 0
        self.sources: dict[tuple[int, int], Source] = {}
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.details: dict[tuple[str, str], str] = {}
        self.notes: list[str] = []
        self.formats: Counter[str] = Counter()
        self.datagrams = self.octets = self.records = self.plots = self.bearings = 0
        self.first_ns = self.last_ns = -1
        self.health: tuple[SensorHealth, ...] = ()
        self._sequence = 0

    def feed(self, items: Sequence[tuple[int, str, str, bytes]], now_ns: int) -> None:
        """Take what came since the last call."""
        entries = tuple(Entry(self._sequence + k, *item) for k, item in enumerate(items))
        self._sequence += len(entries)
        for entry in entries:
            self.datagrams += 1
            self.octets += len(entry.payload)
            self.formats[entry.format] += 1
            if entry.format == ASTERIX and self._sample_octets < SAMPLE_OCTETS:
                self._sample.append(entry.payload)
                self._sample_octets += len(entry.payload)
        if entries:
            self.first_ns = entries[0].received_ns if self.first_ns < 0 else self.first_ns
            self.last_ns = entries[-1].received_ns
            self._count([entry.payload for entry in entries if entry.format == ASTERIX])
        self._state, sensed = sense.step(self._state, entries, self._setup, now_ns)
        self._take(sensed)

    def _count(self, payloads: list[bytes]) -> None:
        if not payloads:
            return
        for records in decode_datagrams(payloads, Editions()).records:
            pair = records.sac * 256 + records.sic
            values, counts = np.unique(pair, return_counts=True)
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                codes = divmod(value, 256) if value >= 0 else (-1, -1)
                source = self.sources.setdefault(codes, Source())
                source.records[records.category] += count
                _look(source, records.category, {name: column[pair == value] for name, column in records.columns.items()})

    def _take(self, sensed: Sensed) -> None:
        self.records += sensed.record_count
        self.plots += len(sensed.plots)
        self.bearings += len(sensed.bearings)
        self.health = sensed.health
        for refusal in sensed.refusals:
            key = (refusal.reason, refusal.source)
            if refusal.reason in NOTES:
                self.notes.append(f"{refusal.source}: {refusal.detail}")
                continue
            self.refusals[key] += refusal.count
            self.details.setdefault(key, refusal.detail)
        plots = sensed.plots
        for row in np.unique(plots.sensor_index).tolist():
            sensor = sensed.sensors.rows[row]
            source = self.sources.setdefault((sensor.sac, sensor.sic), Source())
            source.plots += int(np.count_nonzero(plots.sensor_index == row))

    @property
    def sensors(self) -> SensorTable:
        """The table as it has grown."""
        return self._state.sensors or self._setup.sensors

    @property
    def seconds(self) -> float:
        """From the first to the last datagram."""
        return (self.last_ns - self.first_ns) / NS_PER_S if self.first_ns >= 0 else 0.0

    def editions(self) -> Mapping[tuple[int, int, int], Detected]:
        """Return (category, SAC, SIC) -> the edition that its blocks speak for."""
        found = {}
        for (category, sac, sic), blocks in sorted(sample_sources(self._sample).items()):
            detected = detect_edition(category, blocks)
            if detected is not None:
                found[category, sac, sic] = detected
        return found

    def sensor_of(self, codes: tuple[int, int]) -> tuple[int, Sensor] | None:
        """Return row and sensor of a source."""
        row = self.sensors.index_of_source(*codes)
        return (row, self.sensors.rows[row]) if row >= 0 else None


def _look(source: Source, category: int, columns: Mapping[str, Floats]) -> None:
    """Take what a source's records say of the sensor, whatever its clock says."""
    if category in (1, 10, 48) and np.isfinite(columns["range_m"]).any():
        source.range_m_max = float(np.fmax(source.range_m_max, np.nanmax(columns["range_m"])))
    if category in (2, 34):
        north = columns["time_of_day_s"][columns["message"] == 1]
        source.north_s += north[np.isfinite(north)].tolist()
        del source.north_s[:-MARKS_MAX]
        stated = columns["rotation_s"][np.isfinite(columns["rotation_s"])]
        if len(stated):
            source.stated_turn_s = float(stated[-1])


def summary(survey: Survey, link: str, dropped: int | None, buffer_octets: int | None) -> dict[str, Any]:
    """Return a survey as plain values: for ``--json``, and for `lines`."""
    editions = survey.editions()
    seconds = max(survey.seconds, 1e-9)
    sources = []
    for codes, source in sorted(survey.sources.items()):
        found = survey.sensor_of(codes)
        row: dict[str, Any] = {"sac": codes[0], "sic": codes[1], "categories": []}
        for category, count in sorted(source.records.items()):
            detected = editions.get((category, *codes))
            row["categories"].append({
                "category": category, "records": count, "records_per_s": round(count / seconds, 2),
                "edition": detected.edition if detected else None,
                "confidence": round(detected.confidence, 3) if detected else None,
                "fits": detected.fits if detected else None})
        row |= {"plots": source.plots, "range_m_max": _number(source.range_m_max, 0)}
        if found is not None:
            at, sensor = found
            health = survey.health[at] if at < len(survey.health) else None
            row |= {
                "sensor": sensor.id, "kind": sensor.kind,
                "lat_deg": _number(math.degrees(sensor.latitude_rad), 6), "lon_deg": _number(math.degrees(sensor.longitude_rad), 6),
                "antenna_m_ellipsoid": _number(sensor.height_m, 1), "position_from": sensor.position_from,
                "rotation_s": _number(source.turn_s if math.isfinite(source.turn_s) else sensor.rotation_s, 3),
                "north_marks": len(source.north_s), "delay_s": _number(health.delay_s if health else math.nan, 3),
                "delay_s_least": _number(health.delay_s_least if health else math.nan, 3),
                "state": health.state if health else "never_heard"}
        sources.append(row)
    return {
        "link": link, "seconds": round(survey.seconds, 3), "datagrams": survey.datagrams, "octets": survey.octets,
        "records": survey.records, "plots": survey.plots, "bearings": survey.bearings, "formats": dict(survey.formats),
        "dropped_by_kernel": dropped, "receive_buffer_octets": buffer_octets,
        "duplicates": sum(count for (reason, _), count in survey.refusals.items() if reason == "duplicate"),
        "sources": sources, "notes": survey.notes,
        "refusals": [{"reason": reason, "source": source, "count": count, "detail": survey.details[reason, source]}
                     for (reason, source), count in sorted(survey.refusals.items())]}


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield a summary in words."""
    seconds = max(told["seconds"], 1e-9)
    yield (f"{told['link']}: {told['datagrams']:,} datagrams ({told['octets']:,} octets) in {told['seconds']:.1f} s, "
           f"{told['datagrams'] / seconds:,.0f}/s; {told['records']:,} records, {told['plots']:,} plots"
           + (f", {told['bearings']:,} bearings" if told["bearings"] else ""))
    if told["dropped_by_kernel"] is not None:
        buffer = f", receive buffer {told['receive_buffer_octets']:,} octets" if told["receive_buffer_octets"] else ""
        advice = "; raise net.core.rmem_max" if told["dropped_by_kernel"] else ""
        yield f"dropped by the kernel: {told['dropped_by_kernel']:,}{buffer}{advice}; duplicates: {told['duplicates']:,}"
    if not told["datagrams"]:
        yield "nothing came: check group, port, interface (?iface=NAME) and the firewall; `ip maddr` shows what is joined"
    for row in told["sources"]:
        name = f"{row['sac']}/{row['sic']}" if row["sac"] >= 0 else "no source given"
        yield f"source {name}" + (f" ({row['sensor']})" if row.get("sensor", name) != name else "")
        for each in row["categories"]:
            sure = ("no table for it" if each["edition"] is None else f"edition {each['edition']}, {each['confidence']:.0%} sure"
                    if each["fits"] else f"no known edition fits (nearest {each['edition']})")
            yield f"  CAT{each['category']:03d} {each['records_per_s']:>9,.1f} records/s  {sure}"
        if "kind" not in row:
            continue
        if row["rotation_s"] is not None:
            yield f"  a turn takes {row['rotation_s']:.3f} s ({row['north_marks']} north marks)"
        if row["lat_deg"] is not None:
            height = f" {row['antenna_m_ellipsoid']:.0f} m above the ellipsoid" if row["antenna_m_ellipsoid"] is not None else ""
            yield f"  stands at {row['lat_deg']:.5f} N {row['lon_deg']:.5f} E{height} (from the {row['position_from']})"
        if row["delay_s"] is not None:
            skew = (f": its clock is {-row['delay_s']:.2f} s ahead of ours" if row["delay_s"] < -0.05 else "")
            yield f"  reports come {row['delay_s']:.3f} s after their time of applicability, at least {row['delay_s_least']:.3f} s{skew}"
        if row["range_m_max"]:
            yield f"  {row['plots']:,} plots, the farthest at {row['range_m_max'] / 1000:.1f} km"
    for note in told["notes"][:20]:
        yield f"note {note}"
    if told["refusals"]:
        yield "not used:"
    for row in told["refusals"]:
        yield f"  {row['count']:>9,}  {row['reason']:<22} {row['source']}: {row['detail']}"


def sensor_blocks(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of ``[sensor.*]`` tables of what was heard, with remarks where something has to be filled in."""
    for row in told["sources"]:
        if row["sac"] < 0 or "kind" not in row:
            continue
        known = row["sensor"] != f"{row['sac']}/{row['sic']}"
        yield ""
        yield f"[sensor.{_key(row['sensor']) if known else 's' + str(row['sac']) + '-' + str(row['sic'])}]" + (
            "" if known else "   # name it")
        yield f"sac = {row['sac']}"
        yield f"sic = {row['sic']}"
        yield f"categories = {[each['category'] for each in row['categories']]}"
        named = [f"{each['category']} = \"{each['edition']}\"" for each in row["categories"] if each["fits"]]
        if named:
            yield f"editions = {{ {', '.join(named)} }}"
        if row["lat_deg"] is None:
            yield "# lat_deg, lon_deg: not in the data; without them it is counted and not tracked"
            yield "# antenna_m_amsl: height of the aerial above mean sea level"
        else:
            yield f"lat_deg = {row['lat_deg']}"
            yield f"lon_deg = {row['lon_deg']}"
            height = row["antenna_m_ellipsoid"]
            if height is not None:
                sea = float(undulation_m(math.radians(row["lat_deg"]), math.radians(row["lon_deg"])))
                above = f"   # {height - sea:.0f} m above mean sea level" if math.isfinite(sea) else ""
                yield f"antenna_m_ellipsoid = {height}{above}"
        if row["rotation_s"] is not None:
            yield f"rotation_s = {row['rotation_s']}"
        if row["range_m_max"]:
            reach = math.ceil(row["range_m_max"] / RANGE_STEP_M) * RANGE_STEP_M
            yield f"range_m_max = {reach}   # the farthest plot so far; the instrumented range is better"
        if row["delay_s"] is not None and row["delay_s"] >= 0.0:
            yield f"latency_s = {row['delay_s']:.2f}"
        yield f'kind = "{row["kind"]}"'


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'

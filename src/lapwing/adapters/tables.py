"""Tables of reports as sources: CSV with a header, and JSON lines. Rows become entries in order of reception.

The columns of a CSV are the keys of the JSON records (`sense.person_json`, acoustic nodes, positions), with ``received`` (else
``time``) for when it came in. What a row is, is told by its columns:

===========================================  =============================================================
columns                                      rows are
===========================================  =============================================================
``format``                                   what the column says
``sensor``, ``range_m``, ``azimuth_deg``     plots of a radar of the sensors file
``sensor``, ``lat_deg``, ``lon_deg``         positions (`sense.position_json`)
``sensor``, ``azimuth_deg``                  acoustic bearings
``patrol``, ``event``                        patrol log
``affiliation``                              identifications
``radius_m``                                 impact points
``kind``, ``lat_deg``, ``lon_deg``           sightings
===========================================  =============================================================

JSON lines hold ``{"format", "link", "received", "record"}``, as ``lapwing simulate`` writes persons.jsonl.

A row that is none becomes an entry ``bad_row`` at the time of the row before it: journaled as it came, counted by the sense
stage with line and reason, and no other row is lost for it. A file of which no row is good is an error.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapwing.model import entries as formats
from lapwing.model.errors import InputError
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR
from lapwing.model.sensors import SensorTable
from lapwing.model.times import from_iso
from lapwing.sense import plot_rows

Item = tuple[int, str, str, bytes]
SUFFIXES = (".csv", ".jsonl")
ROWS_MAX = 10_000_000
LINE_OCTETS_MAX = 1_000_000
ROW_CHARACTERS_MAX = 1_000           # of a bad row that are kept
_KINDS = {"psr": KIND_PSR, "ssr": KIND_SSR, "cmb": KIND_COMBINED, "": KIND_PSR}
_TEXTS = {"sensor", "time", "kind", "patrol", "event", "place", "text", "by", "id", "affiliation", "track_id", "icao_address",
          "mode3a", "callsign", "class", "action", "received", "format", "plot_type"}
_FORMATS = (formats.ACOUSTIC, formats.POSITION, formats.SIGHTING, formats.PATROL, formats.IDENTIFY, formats.IMPACT, formats.SENSOR,
            formats.SAPIENT, formats.COT, formats.AIRCRAFT_JSON)

_ROW = {"sensor", "time", "received", "format"}
_COLUMNS = {
    formats.ACOUSTIC: _ROW | {"azimuth_deg", "azimuth_deg_sigma", "lat_deg", "lon_deg", "range_m_max", "class"},
    formats.PLOTS: _ROW | {"range_m", "azimuth_deg", "plot_type", "flight_level", "mode3a", "icao_address", "amplitude_db"},
    formats.POSITION: _ROW | {"lat_deg", "lon_deg", "position_m_sigma", "height_m", "height_m_sigma", "altitude_m_amsl", "ground_mps",
                              "track_deg", "icao_address", "mode3a", "callsign", "self_reported"},
}
# What people call a column, and what it is called here.
_CALLED = {"lat": "lat_deg", "latitude": "lat_deg", "lon": "lon_deg", "lng": "lon_deg", "long": "lon_deg", "longitude": "lon_deg",
           "range": "range_m", "rho": "range_m", "azimuth": "azimuth_deg", "theta": "azimuth_deg", "timestamp": "time", "utc": "time",
           "radar": "sensor", "squawk": "mode3a", "icao": "icao_address", "hex": "icao_address", "altitude": "altitude_m_amsl",
           "speed": "ground_mps", "heading": "track_deg", "track": "track_deg", "height": "height_m", "type": "plot_type"}
_UNITS = {"km": "m", "nm": "m", "ft": "m", "feet": "m", "rad": "deg", "kt": "mps", "kmh": "mps", "kts": "mps"}


@dataclass(frozen=True, slots=True)
class _Bad:
    """A row that is none: why, and as it came."""

    error: InputError
    text: str


def _hint(names: list[str]) -> str:
    """Return how columns are called here that somebody called otherwise, or gave in another unit; empty where nothing is like them."""
    said = []
    for name in names:
        words = name.lower().replace("-", "_").split("_")
        called = _CALLED.get(words[0], "") if name not in _CALLED.values() else ""
        if any(word in _UNITS for word in words):
            said.append(f"{name}: write {called or '_'.join(_UNITS.get(word, word) for word in words)}, converted")
        elif called:
            said.append(f"{name} is called {called} here")
    return "; ".join(said)


class TableSource:
    """A CSV or JSON-lines file as a source, sorted by time of reception.

    Parameters
    ----------
    path : the file
    sensors : for plots: the radars by id
    """

    def __init__(self, path: Path, sensors: SensorTable) -> None:
        self._path, self._sensors = path, sensors

    def __iter__(self) -> Iterator[Item]:
        """Yield items. Raises InputError where the columns say nothing, or no row is good: the line, the value, what is expected."""
        read = list(self._jsonl() if self._path.suffix == ".jsonl" else self._csv())
        good = [row for row in read if not isinstance(row, _Bad)]
        if read and not good:
            assert isinstance(read[0], _Bad)
            raise read[0].error
        yield from sorted(self._timed(read, good[0][0] if good else 0), key=lambda item: item[0])

    def _timed(self, read: list[Item | _Bad], received_ns: int) -> Iterator[Item]:
        """Yield items; a bad row was received with the one before it."""
        for row in read:
            if isinstance(row, _Bad):
                why = {"where": row.error.where, "what": row.error.what, "remedy": row.error.remedy, "row": row.text[:ROW_CHARACTERS_MAX]}
                yield received_ns, f"file:{self._path.name}", formats.BAD_ROW, json.dumps(why).encode()
            else:
                received_ns = row[0]
                yield row

    def _wrong(self, line: int, what: str, remedy: str = "see the manual's page on connecting") -> InputError:
        return InputError(what, where=f"{self._path.name} line {line}", remedy=remedy)

    def _jsonl(self) -> Iterator[Item | _Bad]:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                if number > ROWS_MAX:
                    raise self._wrong(number, f"over {ROWS_MAX:,} rows", "cut it into several files")
                try:
                    yield self._record(number, line)
                except InputError as error:
                    yield _Bad(error, line.decode(errors="replace"))

    def _record(self, number: int, line: bytes) -> Item:
        if len(line) > LINE_OCTETS_MAX:
            raise self._wrong(number, f"{len(line):,} octets", f"a record has at most {LINE_OCTETS_MAX:,}")
        try:
            row = json.loads(line)
            received_ns = from_iso(row["received"])
            format_, record = row["format"], row["record"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._wrong(number, f'no {{"format", "received", "record"}}: {error!r}'[:200]) from None
        if format_ not in _FORMATS:
            raise self._wrong(number, f"format {format_!r}", f"one of {', '.join(_FORMATS)}")
        payload = record.encode(errors="replace") if isinstance(record, str) else json.dumps(record).encode()
        return received_ns, str(row.get("link") or f"file:{self._path.name}"), format_, payload

    def _csv(self) -> Iterator[Item | _Bad]:
        # An octet that is no UTF-8 spoils its own row, not the table.
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file)
            names, kind = self._columns(reader)
            while True:
                before = reader.line_num + 1
                fields: list[str] = []
                try:
                    fields = next(reader)
                    if reader.line_num > ROWS_MAX:
                        raise self._wrong(reader.line_num, f"over {ROWS_MAX:,} rows", "cut it into several files")
                    if fields:
                        yield self._row(reader.line_num, names, fields, kind)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield _Bad(self._wrong(before, f"no CSV: {error}"), "")
                except InputError as error:
                    yield _Bad(error, ",".join(fields))

    def _columns(self, reader: Any) -> tuple[list[str], str | None]:
        """Return the header's names and what the rows are. Raises InputError."""
        try:
            names = [str(name).strip() for name in next(reader, [])]
            "".join(names).encode()
        except (csv.Error, UnicodeEncodeError) as error:
            raise self._wrong(1, f"no CSV: {error}"[:200], "save the table as CSV in UTF-8, with commas") from None
        kind = format_of(set(names))
        if kind is None and "format" not in names:
            raise InputError(f"columns {', '.join(names)[:200] or 'none'}", where=str(self._path),
                             remedy=_hint(names) or "positions have sensor, time, lat_deg, lon_deg; plots sensor, time, range_m, "
                             "azimuth_deg; more in the manual's page on connecting")
        unknown = sorted(set(names) - _COLUMNS.get(kind or "", set(names)))
        if unknown:
            raise InputError(f"column {', '.join(unknown)[:200]}: none of {kind}", where=str(self._path), remedy=_hint(unknown) or
                             f"known are {', '.join(sorted(_COLUMNS[kind or '']))}")
        return names, kind

    def _row(self, line: int, names: Sequence[str], fields: Sequence[str], kind: str | None) -> Item:
        if len(fields) != len(names):
            raise self._wrong(line, f"{len(fields)} fields, the header has {len(names)}")
        record: dict[str, Any] = {}
        for name, text in zip(names, map(str.strip, fields), strict=True):
            if not text.isascii() and not text.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in text):
                raise self._wrong(line, f"{name} holds octets that are no UTF-8", "save the table as CSV in UTF-8")
            if not text:
                continue
            record[name] = text if name in _TEXTS else self._number(line, name, text)
        kind = record.pop("format", kind)
        if kind not in (*_FORMATS, formats.PLOTS):
            raise self._wrong(line, f"format {kind!r}", f"one of {', '.join(_FORMATS)}")
        received = record.pop("received", record.get("time"))
        try:
            received_ns = from_iso(str(received))
        except ValueError:
            raise self._wrong(line, f"time {received!r}", "write it as 2025-08-05T19:52:02.250Z") from None
        if kind == formats.PLOTS:
            return received_ns, f"plots:{record.get('sensor', '')}", formats.PLOTS, self._plot(line, record, received_ns)
        return received_ns, f"file:{self._path.name}", kind, json.dumps(record, ensure_ascii=False).encode()

    def _number(self, line: int, name: str, text: str) -> float | bool:
        if text in ("true", "false"):
            return text == "true"
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(line, f"{name} = {text[:40]!r}: a number expected")
        return value

    def _plot(self, line: int, record: Mapping[str, Any], received_ns: int) -> bytes:
        """Return one packed plot."""
        row = self._sensors.index_of(str(record.get("sensor", "")))
        if row < 0:
            raise self._wrong(line, f"sensor {record.get('sensor', '')!r}", "name the radar in --sensors")
        kind = _KINDS.get(str(record.get("plot_type", "")))
        if kind is None:
            raise self._wrong(line, f"plot_type {record['plot_type']!r}", "psr, ssr or cmb")
        rows = plot_rows.empty(1)
        try:
            rows["measured_ns"], rows["received_ns"] = from_iso(str(record["time"])), received_ns
            rows["mode3a"] = int(str(record["mode3a"]), 8) if "mode3a" in record else -1
            rows["icao_address"] = int(str(record["icao_address"]), 16) if "icao_address" in record else -1
        except (ValueError, KeyError) as error:
            raise self._wrong(line, f"time or code of a plot: {error}") from None
        rows["sensor_index"], rows["kind"] = row, kind
        rows["range_m"], rows["azimuth_rad"] = record["range_m"], math.radians(float(record["azimuth_deg"])) % (2.0 * math.pi)
        for name in ("amplitude_db", "flight_level"):
            if name in record:
                rows[name] = record[name]
        return plot_rows.pack(rows)


def format_of(columns: set[str]) -> str | None:
    """Return what rows with these columns are; None where they say nothing."""
    if {"sensor", "range_m", "azimuth_deg"} <= columns:
        return formats.PLOTS
    if {"sensor", "azimuth_deg"} <= columns:
        return formats.ACOUSTIC
    if {"patrol", "event"} <= columns:
        return formats.PATROL
    if "affiliation" in columns:
        return formats.IDENTIFY
    if {"lat_deg", "lon_deg"} <= columns:
        if "sensor" in columns:
            return formats.POSITION
        return formats.IMPACT if "radius_m" in columns else formats.SIGHTING if "kind" in columns else None
    return None

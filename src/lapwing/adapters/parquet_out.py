"""Writes the outputs of a run into a folder, from its journal alone: tracks, the .jsonl files, CAP documents, report.

Every file appears whole or not at all (written beside its place and renamed), so a reader never meets half of one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lapwing.country.pack import Pack
from lapwing.model.errors import StorageError
from lapwing.model.ports import Batch, Output
from lapwing.model.sensors import SensorTable
from lapwing.model.tracks import AFFILIATIONS, CLASSES
from lapwing.record import codec
from lapwing.record.canonical import Row, to_json
from lapwing.record.gather import RowFiles, gather
from lapwing.record.journal import Head
from lapwing.record.report import build_report
from lapwing.record.report_html import render_report
from lapwing.record.rows import alert_file_row
from lapwing.record.track_rows import TrackRows, empty_rows, unpack

ROW_GROUP = 100_000  # rows held in memory at a time


class ReadableLog(Protocol):
    """What is needed of a journal to write its outputs."""

    def read(self, first_batch: int = 0) -> Iterator[Batch]: ...
    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]: ...
    def meta(self) -> dict[str, str]: ...
    def head(self) -> Head: ...


def write_folder(folder: Path, log: ReadableLog, pack: Pack | None) -> list[Path]:
    """Write every output file of a journal; return their paths. Without a country: tracks alone.

    Raises StorageError where the folder cannot be written.
    """
    written = [write_tracks(folder / "tracks.parquet", (output for _, output in log.outputs()))]
    if pack is None:
        return written
    files = RowFiles()
    for number, output in log.outputs():
        if output.kind not in ("tracks", "refusals"):
            files.add(number, output)
    for kind, name in (("verdict", "verdicts"), ("neighbour", "neighbours"), ("traffic", "traffic"), ("notice", "notices"),
                       ("patrol", "patrol")):
        written.append(write_lines(folder / f"{name}.jsonl", (filed.row for filed in files.of(kind))))
    written += write_alarms(folder, [filed.row for filed in files.of("alarm")])
    written += write_alerts(folder, [filed.row for filed in files.of("alert")])
    return [*written, *write_report(folder / "report.html", log, pack)]


def write_report(page: Path, log: ReadableLog, pack: Pack, *, incident: str = "") -> list[Path]:
    """Write a report as a page, and as JSON beside it. Raises StorageError, and InputError for an unknown incident."""
    record, sensors = gather(log.outputs(), log.read()), journal_sensors(log)
    report = build_report(record, pack, sensors, incident=incident, journal=journal_words(log))
    html = render_report(report, record, pack, sensors)
    data = page.with_suffix(".json")
    write_octets(data, to_json(report) + b"\n")
    write_octets(page, html.encode("utf-8"))
    return [page, data]


def journal_sensors(log: ReadableLog) -> SensorTable:
    """Return the sensors of a journal: as configured, none where it does not say."""
    text = log.meta().get("sensors")
    value: Any = SensorTable() if text is None else codec.decode(bytes.fromhex(text))
    if not isinstance(value, SensorTable):
        raise StorageError("its sensors are no table", where="journal, meta sensors",
                           remedy="run `lapwing verify` on the journal")
    return value


def journal_words(log: ReadableLog) -> dict[str, str]:
    """Return what a report says of the journal it rests on."""
    head, meta = log.head(), log.meta()
    told = {"digest": head.digest.hex(), "batches": str(head.number + 1), "entries": str(head.entry_count)}
    return told | {key: meta[key] for key in ("lapwing", "source", "source_sha256", "status") if key in meta}


def write_lines(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as canonical JSON, one a line."""
    with _whole(path) as file:
        for row in rows:
            file.write(to_json(row) + b"\n")
    return path


def write_alerts(folder: Path, alerts: list[Row]) -> list[Path]:
    """Write alerts.jsonl and each alert's CAP document into alerts/; return their paths."""
    lines, written = [], []
    for number, row in enumerate(alerts, 1):
        line, name, octets = alert_file_row(row, number)
        lines.append(line)
        path = folder / name
        _make_folder(path.parent)
        write_octets(path, octets)
        written.append(path)
    return [write_lines(folder / "alerts.jsonl", lines), *written]


def write_alarms(folder: Path, alarms: list[Row]) -> list[Path]:
    """Write alarms.jsonl, and the same as ASTERIX CAT004 in alarms.ast; return their paths."""
    octets = folder / "alarms.ast"
    write_octets(octets, b"".join(bytes.fromhex(row["cat004"]) for row in alarms))
    return [write_lines(folder / "alarms.jsonl", ({k: v for k, v in row.items() if k != "cat004"} for row in alarms)), octets]


def write_octets(path: Path, octets: bytes) -> None:
    """Write a file, whole or not at all."""
    with _whole(path) as file:
        file.write(octets)


def write_tracks(path: Path, outputs: Iterable[Output]) -> Path:
    """Write tracks.parquet from the packed rows of a journal; a file without rows where there are none."""
    with _whole(path) as file, pq.ParquetWriter(file, schema(), compression="zstd") as writer:
        waiting: list[TrackRows] = []
        count = 0
        for output in outputs:
            if output.kind != "tracks":
                continue
            rows = unpack(output.payload)
            waiting.append(rows)
            count += len(rows)
            if count >= ROW_GROUP:
                writer.write_table(track_table(np.concatenate(waiting)))
                waiting, count = [], 0
        writer.write_table(track_table(np.concatenate([empty_rows(), *waiting])))
    return path


def schema() -> pa.Schema:
    """Return the columns of tracks.parquet."""
    return pa.schema([(name, kind) for name, kind, _ in _COLUMNS])


def track_table(rows: TrackRows) -> pa.Table:
    """Return packed rows as a table of `schema`."""
    return pa.Table.from_arrays([make(rows) for _, _, make in _COLUMNS], schema=schema())


def _time(name: str) -> Callable[[TrackRows], Any]:
    return lambda rows: pa.array(rows[name].astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC"))


def _plain(name: str) -> Callable[[TrackRows], Any]:
    return lambda rows: pa.array(np.ascontiguousarray(rows[name]))


def _known(name: str) -> Callable[[TrackRows], Any]:
    """A number, null where it is not known."""
    return lambda rows: pa.array(np.ascontiguousarray(rows[name]), mask=np.isnan(rows[name]))


def _text(name: str) -> Callable[[TrackRows], Any]:
    return lambda rows: pa.array([text.decode("utf-8", "replace") for text in rows[name].tolist()], pa.string())


def _code(name: str, form: str) -> Callable[[TrackRows], Any]:
    """A code as its users write it, null where it is not given."""
    return lambda rows: pa.array([None if code < 0 else format(code, form) for code in rows[name].tolist()],
                                 pa.string())


def _affiliation(rows: TrackRows) -> Any:
    return pa.array([AFFILIATIONS[index] for index in rows["affiliation"].tolist()], pa.string())


_STAMP = pa.timestamp("ns", tz="UTC")
_COLUMNS: tuple[tuple[str, Any, Callable[[TrackRows], Any]], ...] = (
    ("track_id", pa.string(), _text("track_id")), ("time", _STAMP, _time("time_ns")),
    ("emit_time", _STAMP, _time("emit_ns")),
    ("lat", pa.float64(), _plain("lat_deg")), ("lon", pa.float64(), _plain("lon_deg")),
    ("alt", pa.float64(), _known("alt_m")), ("vx_east", pa.float64(), _plain("vx_east")),
    ("vy_north", pa.float64(), _plain("vy_north")), ("confirmed", pa.bool_(), _plain("confirmed")),
    *((f"position_cov_{axes}_m2", pa.float32(), _plain(f"position_cov_{axes}_m2")) for axes in ("ee", "en", "nn")),
    *((f"class_{name}_prob", pa.float32(), _plain(f"class_{name}_prob")) for name in CLASSES),
    ("affiliation", pa.string(), _affiliation), ("border_m", pa.float64(), _known("border_m")),
    ("border_m_sigma", pa.float32(), _known("border_m_sigma")), ("judged", pa.bool_(), _plain("judged")),
    ("coasting", pa.bool_(), _plain("coasting")), ("sensor_count", pa.uint16(), _plain("sensor_count")),
    ("plot_count", pa.int32(), _plain("plot_count")), ("existence_prob", pa.float32(), _plain("existence_prob")),
    ("last_plot_time", _STAMP, _time("last_plot_ns")), ("mode3a", pa.string(), _code("mode3a", "04o")),
    ("icao_address", pa.string(), _code("icao_address", "06X")), ("callsign", pa.string(), _text("callsign")),
)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot be made: {error.strerror}", where=str(folder),
                           remedy="name another folder, or change its owner or mode") from error


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing beside its place; it takes its place when all went well."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"cannot be written: {error.strerror or error}", where=str(path),
                           remedy="free space or change the folder's mode; the journal is whole: run the same command "
                                  "again") from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

"""The archive: a folder of Parquet files with every published track row, an hour each, later a day each, and its manifest.

A file is written beside its place, flushed to the disk, renamed, and only then named in the manifest: what the manifest
does not name does not count and is made again. Rows of a file lie in five bands by their signed distance to the border, each
in order of time, and no row group mixes bands: a question about the border reads the first of them alone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lapwing.adapters.archive_manifest import Line, Manifest, sha256_of
from lapwing.adapters.parquet_out import schema, track_table
from lapwing.model.errors import StorageError
from lapwing.model.times import DAY_NS, NS_PER_S, from_iso, to_iso
from lapwing.record.track_rows import TrackRows

HOUR_NS = 3_600 * NS_PER_S
NEAR_M, MIDDLE_M = 25_000.0, 100_000.0
ROW_GROUP = 122_880            # DuckDB reads a row group by one thread, and works in vectors of 2,048
HOUR_LEVEL, DAY_LEVEL = 3, 9   # of zstd: an hour is written beside the live service, a day once
BANDS = 5
# What never repeats is split into its octets, which zstd likes better than a dictionary given up halfway: 9 % smaller, twice as fast.
_SPLIT = ["lat", "lon", "border_m", "vx_east", "vy_north"]
_PLAIN = {*_SPLIT, "time", "emit_time", "last_plot_time", "border_m_sigma", "existence_prob",
          *(f"position_cov_{axes}_m2" for axes in ("ee", "en", "nn"))}
ENCODING: dict[str, Any] = {"compression": "zstd", "use_byte_stream_split": _SPLIT,
                            "use_dictionary": [field.name for field in schema() if field.name not in _PLAIN]}


def band_of(border_m: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Return 0 within 25 km on either side, 1 outside within 100 km, 2 outside beyond, 3 inside deeper, 4 where it is not known.

    Sides are apart because a reader skips a row group by its least and greatest value: one that held both sides beyond
    25 km would seem to hold what lies between.
    """
    beyond = np.where(border_m < 0.0, 3, np.where(border_m <= MIDDLE_M, 1, 2))
    return np.where(np.isnan(border_m), 4, np.where(np.abs(border_m) <= NEAR_M, 0, beyond)).astype(np.int8)


class Archive:
    """The folder, open for writing by one process. Raises StorageError, also where another one keeps it now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror}", where=str(folder), remedy="check owner, mode and space") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.manifest = Manifest(folder)
        except BlockingIOError as error:
            os.close(self._lock)
            raise StorageError("another process keeps it now", where=str(folder), remedy="try again in a minute") from error
        except BaseException:
            os.close(self._lock)
            raise
        self._sweep()

    def _sweep(self) -> None:
        """Remove what a crash left: halves, and files that the manifest has replaced or removed."""
        live = {line["file"] for line in self.manifest.live()}
        for path in [*self.folder.glob("*.parquet.part"), *(self.folder / name for name in self.manifest.names() - live)]:
            path.unlink(missing_ok=True)

    def seal_hour(self, hour_ns: int, read: Callable[[], Iterable[TrackRows]], journal: Callable[[], dict[str, Any]], now_ns: int) -> Line:
        """Write the rows of an hour and seal them; return the manifest's line.

        Parameters
        ----------
        hour_ns : when the hour begins
        read : gives its rows in order of time; called once a band, so that an hour need not fit into memory
        journal : what of the journal was read, asked for after reading
        now_ns : for the manifest
        """
        def tables(band: int) -> Iterator[pa.Table]:
            for rows in read():
                chosen = rows[band_of(rows["border_m"]) == band]
                if len(chosen):
                    yield track_table(chosen)

        values = self._write(f"tracks-{to_iso(hour_ns, digits=0)[:13]}", tables, HOUR_LEVEL)
        self.manifest.add("hour", now_ns, **values, journal=journal())
        return self.manifest.lines[-1]

    def compact(self, now_ns: int) -> list[Line]:
        """Make one file of the hours of each day that is over; return the new lines."""
        days: dict[str, list[Line]] = {}
        for line in self.manifest.live():
            days.setdefault(line["from"][:10], []).append(line)
        made = []
        for day, lines in sorted(days.items()):
            if from_iso(f"{day}T00:00:00Z") + DAY_NS > now_ns or (len(lines) == 1 and lines[0]["kind"] == "day"):
                continue
            made.append(self._compact(day, lines, now_ns))
        return made

    def _compact(self, day: str, lines: list[Line], now_ns: int) -> Line:
        def tables(band: int) -> Iterator[pa.Table]:
            for line in lines:
                yield from _read_band(self.folder / line["file"], line["rows"], band)

        values = self._write(f"tracks-{day}", tables, DAY_LEVEL)
        due = [sum(line["rows"][band] for line in lines) for band in range(BANDS)]
        if values["rows"] != due:
            raise StorageError(f"{values['rows']} rows came of {due}", where=f"{self.folder}, {day}",
                               remedy="`lapwing archive verify` says which file is not as it was sealed")
        self.manifest.add("day", now_ns, **values, replaces=[line["file"] for line in lines])
        for line in lines:
            (self.folder / line["file"]).unlink(missing_ok=True)
        return self.manifest.lines[-1]

    def retain(self, keep_days: int, now_ns: int) -> list[str]:
        """Remove files whose newest row is older than so many days (0: none) and that no hold covers; return their names."""
        if keep_days <= 0:
            return []
        holds, removed = self.manifest.holds(), []
        for line in self.manifest.live():
            first_ns, last_ns = from_iso(line["from"]), from_iso(line["until"])
            if last_ns >= now_ns - keep_days * DAY_NS or any(h.from_ns <= last_ns and first_ns <= h.until_ns for h in holds):
                continue
            # The line first: what the manifest says is gone is swept away, what is gone without a line would be a loss.
            self.manifest.add("remove", now_ns, file=line["file"], sha256=line["sha256"], why=f"older than {keep_days} days")
            (self.folder / line["file"]).unlink(missing_ok=True)
            removed.append(line["file"])
        return removed

    def _write(self, stem: str, tables: Callable[[int], Iterator[pa.Table]], level: int) -> Line:
        used, name, again = self.manifest.names(), f"{stem}.parquet", 1
        while name in used:          # rows that came late, after their hour was sealed or their day was made
            again += 1
            name = f"{stem}-{again}.parquet"
        path, part = self.folder / name, self.folder / f"{name}.part"
        counts, spans = [0] * BANDS, _Spans()
        try:
            with part.open("wb") as file:
                with pq.ParquetWriter(file, schema(), compression_level=level, **ENCODING) as writer:
                    for band in range(BANDS):
                        for table in _groups(tables(band)):
                            writer.write_table(table, row_group_size=ROW_GROUP)
                            counts[band] += table.num_rows
                            spans.add(table)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
            with _folder(self.folder) as handle:
                os.fsync(handle)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StorageError(f"cannot be written: {error.strerror or error}", where=str(path),
                               remedy="free space; the journal is whole, and the hour is made again from it") from error
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return {"file": name, "sha256": sha256_of(path), "octets": path.stat().st_size, "rows": counts, **spans.values()}

    def close(self) -> None:
        """Let the next one in."""
        os.close(self._lock)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of a row group each, the last one smaller."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        while count >= ROW_GROUP:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, ROW_GROUP)
            waiting, count = [whole.slice(ROW_GROUP)], count - ROW_GROUP
    if count:
        yield pa.concat_tables(waiting)


class _Spans:
    """First and last time of rows: when they left the tracker, and when they applied."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int]] = {}

    def add(self, table: pa.Table) -> None:
        for name in ("emit_time", "time"):
            times = np.asarray(table[name].combine_chunks().cast(pa.int64()))
            low, high = self._found.get(name, (int(times[0]), int(times[0])))
            self._found[name] = min(low, int(times.min())), max(high, int(times.max()))

    def values(self) -> dict[str, str]:
        assert self._found, "nobody seals an hour without rows"
        (first, last), (low, high) = self._found["emit_time"], self._found["time"]
        return {"from": to_iso(first, digits=9), "until": to_iso(last, digits=9), "applied_from": to_iso(low, digits=9),
                "applied_until": to_iso(high, digits=9)}


def _read_band(path: Path, rows: list[int], band: int) -> Iterator[pa.Table]:
    """Yield the row groups of one band of a file; bands follow each other and share no group."""
    try:
        with pq.ParquetFile(path) as file:
            passed, begin = 0, sum(rows[:band])
            for index in range(file.num_row_groups):
                if begin <= passed < begin + rows[band]:
                    yield file.read_row_group(index)
                passed += file.metadata.row_group(index).num_rows
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"cannot be read: {error}", where=str(path),
                           remedy="`lapwing archive verify` says whether it changed") from error

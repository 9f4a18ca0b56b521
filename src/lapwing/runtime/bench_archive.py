"""`lapwing bench archive`: "everything within 20 km of the border between t0 and t1", asked of many rows.

The rows are made up, in day files as the archive compacts them: same columns, bands, row groups and compression. A tenth
lies within 25 km of the border, where traffic is that is looked at; positions and distances are random, so they compress
worse than real ones.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lapwing.adapters.archive import ENCODING, MIDDLE_M, NEAR_M, ROW_GROUP
from lapwing.adapters.archive_manifest import Manifest
from lapwing.adapters.parquet_out import schema
from lapwing.model.times import DAY_NS, NS_PER_S, to_iso
from lapwing.runtime.querying import Asked, ask, files_of

ROWS = 10_000_000
ROWS_VARIABLE = "LAPWING_BENCH_ROWS"
ROWS_A_DAY = 5_000_000         # 58 a second: a busy border's confirmed tracks at a row each turn of the aerial
BEGIN_NS = 1_790_000_000 * NS_PER_S // DAY_NS * DAY_NS
SHARES = ((0.1, -NEAR_M, NEAR_M), (0.3, NEAR_M, MIDDLE_M), (0.4, MIDDLE_M, 400_000.0), (0.2, -400_000.0, -NEAR_M))
TRACKS = 4_000                 # of a day


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Yield the size of the archive and the time of each question, DuckDB opened anew each time."""
    rows = int(os.environ.get(ROWS_VARIABLE, ROWS))
    with tempfile.TemporaryDirectory(prefix="lapwing-archive-") as name:
        begun_s = time.perf_counter()
        octets = make(Path(name), rows)
        made_s = time.perf_counter() - begun_s
        yield figure("archive", "rows", float(rows), "rows", note=f"{octets / 1e9:.2f} GB in day files, made in {made_s:.0f} s")
        yield from questions(Path(name), repeat, figure)


def make(folder: Path, rows: int) -> int:
    """Write day files of so many rows, with a manifest; return their octets."""
    manifest, octets = Manifest(folder), 0
    for day in range(-(-rows // ROWS_A_DAY)):
        path = _day(folder, day, min(ROWS_A_DAY, rows - day * ROWS_A_DAY))
        first, last = to_iso(BEGIN_NS + day * DAY_NS), to_iso(BEGIN_NS + (day + 1) * DAY_NS - 1, digits=9)
        manifest.add("day", BEGIN_NS, **{"from": first, "until": last}, file=path.name, sha256="", octets=path.stat().st_size, rows=[],
                     applied_from=first, applied_until=last)
        octets += path.stat().st_size
    return octets


def questions(folder: Path, repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Ask; yield the time of each question."""
    days = len(Manifest(folder).live())
    end_ns = BEGIN_NS + (days - 1) * DAY_NS
    hour = Asked(to_iso(end_ns + 6 * 3_600 * NS_PER_S), to_iso(end_ns + 7 * 3_600 * NS_PER_S), 20_000.0)
    day = Asked(to_iso(end_ns), to_iso(end_ns + DAY_NS), 20_000.0)
    every = Asked(to_iso(BEGIN_NS), to_iso(end_ns + DAY_NS), 20_000.0)
    track = Asked(hour.from_text, hour.until_text, None, f"D{days - 1}T17")
    for words, asked, options in (
            ("within 20 km in one hour, every column", hour, {"every_column": True}),
            ("within 20 km in one day, one line a track", day, {"by_track": True}),
            ("within 20 km in all of it, one line a track", every, {"by_track": True}),
            ("one track in one hour", track, {"every_column": True})):
        seconds, count = [], 0
        for _ in range(repeat + 1):         # the first reads from the disk, and is shown beside the median
            begun_s = time.perf_counter()
            count = ask(files_of(folder, asked), asked, **options).table.num_rows
            seconds.append(time.perf_counter() - begun_s)
        yield figure("archive", words, statistics.median(seconds[1:]), "s", note=f"{count:,} rows; the first time {seconds[0]:.2f} s")


def _day(folder: Path, day: int, count: int) -> Path:
    generator = np.random.default_rng(day)
    path = folder / f"tracks-{day:03d}.parquet"
    filler = {each.name: pa.array(generator.integers(0, 1_000, ROW_GROUP) % (2 if each.type == pa.bool_() else 1_000)).cast(each.type)
              for each in schema() if not pa.types.is_timestamp(each.type) and not pa.types.is_string(each.type)}
    with pq.ParquetWriter(path, schema(), compression_level=3, **ENCODING) as writer:
        for share, low_m, high_m in SHARES:
            due = round(count * share)
            for first in range(0, due, ROW_GROUP):
                size = min(ROW_GROUP, due - first)
                time_ns = BEGIN_NS + day * DAY_NS + ((first + np.arange(size)) * (DAY_NS // max(1, due)))
                border_m = generator.uniform(low_m, high_m, size)
                writer.write_table(_table(generator, day, time_ns, border_m, filler), row_group_size=ROW_GROUP)
    return path


def _table(generator: np.random.Generator, day: int, time_ns: Any, border_m: Any, filler: dict[str, Any]) -> pa.Table:
    """Return rows; columns that no question looks at come from `filler`, made once a day."""
    size = len(time_ns)
    names = pa.array([f"D{day}T{number}" for number in range(TRACKS)])
    track = pa.DictionaryArray.from_arrays(pa.array(generator.integers(0, TRACKS, size, dtype=np.int32)), names).cast(pa.string())
    made: dict[str, Any] = {"track_id": track, "border_m": pa.array(border_m), "lat": pa.array(generator.uniform(43.0, 49.0, size)),
                            "lon": pa.array(generator.uniform(20.0, 30.0, size)), "vx_east": pa.array(generator.normal(0, 80, size)),
                            "vy_north": pa.array(generator.normal(0, 80, size))}
    columns = []
    for each in schema():
        if each.name in made:
            columns.append(made[each.name])
        elif pa.types.is_timestamp(each.type):
            columns.append(pa.array(time_ns).cast(each.type))
        elif pa.types.is_string(each.type):
            columns.append(pa.repeat(pa.scalar("unknown"), size))
        else:
            columns.append(filler[each.name].slice(0, size))
    return pa.Table.from_arrays(columns, schema=schema())

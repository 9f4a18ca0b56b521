"""``lapwing query``: questions to the archive."""

from __future__ import annotations

import argparse
from typing import Any

NAME = "query"
HELP = ("Ask the archive of a site (or a tracks.parquet): which track rows lie within a distance of the border, in a time. Needs DuckDB, "
        "in the extra archive. Rows whose distance is not known are never among those within one; their number is said.")
SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("place", metavar="PLACE", help="site.toml, an archive's folder, or a Parquet file of tracks")
    parser.add_argument("--within-km", type=float, metavar="KM", help="of the border, on either side")
    parser.add_argument("--from", dest="from_text", default="", metavar="ISO", help="time of applicability, this one included")
    parser.add_argument("--until", dest="until_text", default="", metavar="ISO", help="time of applicability, this one not included")
    parser.add_argument("--track", default="", metavar="ID", help="of one track")
    parser.add_argument("--by-track", action="store_true", help="one line a track: when, how near on either side, where it was deepest")
    parser.add_argument("--sql", default="", metavar="SELECT", help="a question of your own to the view `tracks`, instead of the above")
    parser.add_argument("--out", default="", metavar="FILE", help="write all rows and columns: .parquet or .csv")
    parser.add_argument("--json", action="store_true", help="one JSON line a row")


def run(arguments: argparse.Namespace) -> int:
    """Ask and print; 0 answered, 2 where it could not be."""
    from pathlib import Path

    from lapwing.model.errors import ConfigError
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.querying import Asked, ask, files_of, select
    from lapwing.runtime.site_config import archive_folder

    given = [arguments.within_km is not None, arguments.from_text, arguments.until_text, arguments.track, arguments.by_track]
    if arguments.sql and any(given):
        raise ConfigError("stands alone", where="--sql", remedy="write the conditions into the SELECT")
    out = Path(arguments.out) if arguments.out else None
    if out is not None and out.suffix not in (".parquet", ".csv"):
        raise ConfigError("is no name of a table", where=f"--out {out}", remedy="end it with .parquet or .csv")
    place = Path(arguments.place)
    within_m = None if arguments.within_km is None else arguments.within_km * 1_000.0
    asked = Asked(arguments.from_text, arguments.until_text, within_m, arguments.track)
    files = files_of(archive_folder(place) if place.suffix == ".toml" else place, asked)
    unknown_count = 0
    if arguments.sql:
        table = select(files, arguments.sql)
    else:
        answer = ask(files, asked, by_track=arguments.by_track, every_column=out is not None)
        table, unknown_count = answer.table, answer.unknown_count
    if out is not None:
        _write(table, out)
        print(f"{out}: {table.num_rows:,} rows")
    elif arguments.json:
        _lines(table)
    else:
        _print(table)
    if unknown_count:
        import sys

        print(f"{unknown_count:,} rows of that time are at a distance that is not known (no country, or not judged): they are not "
              "among these", file=sys.stderr)
    return 0


def _write(table: Any, out: Any) -> None:
    import os

    import pyarrow.csv
    import pyarrow.parquet

    part = out.with_name(out.name + ".part")
    write = pyarrow.parquet.write_table if out.suffix == ".parquet" else pyarrow.csv.write_csv
    write(table, part)
    os.replace(part, out)


def _texts(table: Any) -> Any:
    """Return the table with times as ISO 8601 with Z."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(table[field.name].cast(pa.timestamp("ms", tz="UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(index, field.name, text)
    return table


def _lines(table: Any) -> None:
    import json

    for batch in _texts(table).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            print(json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str))


def _print(table: Any) -> None:
    shown = _texts(table.slice(0, SHOWN))
    cells = [list(shown.column_names), *([_cell(value) for value in row.values()] for row in shown.to_pylist())]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    more = f", {SHOWN} shown (--json and --out give all)" if table.num_rows > SHOWN else ""
    print(f"{table.num_rows:,} rows{more}")


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)

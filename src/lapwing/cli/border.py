"""``lapwing border``: points -> whose air, signed distance to a border, nearest point, unit and zone."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from lapwing.geo.border import Territory
    from lapwing.runtime.atlas import Atlas

NAME = "border"
HELP = ("Say of points (CSV: id, lat_deg, lon_deg) whose air they are in, how far from a country's border (metres, "
        "geodesic on WGS-84, negative inside), the nearest point of the line and the zone below.")
COLUMNS_IN = ("id", "lat_deg", "lon_deg")
COLUMNS_OUT = ("id", "country", "signed_distance_m", "nearest_lat_deg", "nearest_lon_deg", "admin1", "zone",
               "border_bound_95_m", "note")
BATCH = 65_536                     # rows held at a time: a file of any length fits


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the input; `fault` is empty where it can be used."""

    name: str
    lat_deg: float
    lon_deg: float
    fault: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", help="CSV with the columns id, lat_deg, lon_deg; - for standard input")
    parser.add_argument("--home", metavar="CC", required=True,
                        help="country whose border is measured to: RO, LT, ..., any outline that is known")
    parser.add_argument("--out", metavar="FILE", help="write there instead of to standard output")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of CSV")


def run(arguments: argparse.Namespace) -> int:
    """Answer every row; 0 done, 1 where rows could not be used (they are named), 2 where the file could not."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.runtime.atlas import find_home, load_atlas

    atlas = load_atlas(state_dir)
    home = find_home(atlas, arguments.home)
    faults = 0
    with ExitStack() as stack:
        source: TextIO = sys.stdin if arguments.file == "-" else stack.enter_context(
            open(arguments.file, encoding="utf-8-sig", newline=""))
        batches = read_rows(source, arguments.file)
        first = next(batches)                      # a file that cannot be used leaves no output behind
        target: TextIO = stack.enter_context(open(arguments.out, "w", encoding="utf-8", newline="")) if (
            arguments.out) else sys.stdout
        table = csv.DictWriter(target, COLUMNS_OUT, lineterminator="\n")
        if not arguments.json:
            table.writeheader()
        batch: list[Row] | None = first
        while batch is not None:
            for row, answer in zip(batch, answers(atlas, home, batch), strict=True):
                if row.fault:
                    faults += 1
                    print(f"lapwing border: {arguments.file} {row.fault}; row skipped", file=sys.stderr)
                if arguments.json:
                    target.write(json.dumps(answer, ensure_ascii=False) + "\n")
                else:
                    table.writerow({key: as_text(key, value) for key, value in answer.items()})
            batch = next(batches, None)
    if faults:
        print(f"lapwing border: {faults} rows could not be used, named above; the others are done", file=sys.stderr)
    return 1 if faults else 0


def read_rows(source: TextIO, name: str) -> Iterator[list[Row]]:
    """Yield batches of rows, the first perhaps empty. Raises InputError where the file is no such table."""
    from lapwing.model.errors import InputError

    reader = csv.reader(source)
    batch: list[Row] = []
    try:
        header = [column.strip() for column in next(reader, [])]
        missing = [column for column in COLUMNS_IN if column not in header]
        if missing:
            raise InputError(f"no column {', '.join(missing)}; found: {', '.join(header) or 'nothing'}",
                             where=f"{name} line 1", remedy=f"the first line names the columns {', '.join(COLUMNS_IN)}")
        place = [header.index(column) for column in COLUMNS_IN]
        for cells in reader:
            if not cells:
                continue
            batch.append(_row(cells, place, reader.line_num))
            if len(batch) == BATCH:
                yield batch
                batch = []
    except UnicodeDecodeError as error:
        raise InputError(f"octet {error.start} of a block is not UTF-8", where=name,
                         remedy="give a CSV file saved as UTF-8") from error
    except csv.Error as error:
        raise InputError(str(error), where=f"{name} line {reader.line_num}", remedy="give a CSV file") from error
    yield batch


def _row(cells: list[str], place: list[int], line: int) -> Row:
    texts = [cells[index].strip() if index < len(cells) else "" for index in place]
    numbers, fault = [math.nan, math.nan], ""
    for index, (column, text, limit) in enumerate(zip(COLUMNS_IN[1:], texts[1:], (90.0, 180.0), strict=True)):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if abs(value) <= limit:
            numbers[index] = value
        elif not fault:
            fault = f"line {line} {column} = {text!r}: no number in [-{limit:g}, {limit:g}]"
    return Row(texts[0], numbers[0], numbers[1], fault)


def answers(atlas: Atlas, home: Territory, batch: list[Row]) -> Iterator[dict[str, Any]]:
    """Yield one answer a row, keys as COLUMNS_OUT; None for what is not known, which is all of a faulty row."""
    import numpy as np

    from lapwing.runtime.atlas import ask

    usable = [row for row in batch if not row.fault]
    lat_rad = np.radians(np.array([row.lat_deg for row in usable], np.float64))
    lon_rad = np.radians(np.array([row.lon_deg for row in usable], np.float64))
    found = ask(atlas, home, lat_rad, lon_rad)
    index = 0
    for row in batch:
        if row.fault:
            yield {**dict.fromkeys(COLUMNS_OUT), "id": row.name, "note": row.fault}
            continue
        border = found.border
        yield {
            "id": row.name, "country": found.country[index] or None,
            "signed_distance_m": _number(border.signed_distance_m[index], 3),
            "nearest_lat_deg": _number(math.degrees(border.nearest_latitude_rad[index]), 7),
            "nearest_lon_deg": _number(math.degrees(border.nearest_longitude_rad[index]), 7),
            "admin1": found.admin1[index] or None, "zone": found.zone[index] or None,
            "border_bound_95_m": _number(border.bound_95_m[index], 1), "note": found.note[index] or None}
        index += 1


def _number(value: float, decimals: int) -> float | None:
    return round(float(value), decimals) if math.isfinite(value) else None


def as_text(column: str, value: object) -> str:
    """Return a value as it stands in the CSV: metres with three decimals, degrees with seven, nothing for unknown."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{7 if column.endswith('_deg') else 1 if column == 'border_bound_95_m' else 3}f}"
    return str(value)

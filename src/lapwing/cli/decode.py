"""``lapwing decode``: ASTERIX in any framing -> records with units, as JSON lines or Parquet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

NAME = "decode"
HELP = ("Decode a recording of ASTERIX (raw, FINAL, IOSS, RFF, GPS recorder, pcap, pcapng) into JSON lines or Parquet, in "
        "file order; the edition of each source is found, unless named; a summary goes to standard error.")
FRAMINGS = ("raw", "final", "ioss", "ioss_seq", "rff", "gps", "pcap", "pcapng")
SAMPLE_FRAMES = 4_000          # looked at to find the edition of each source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", help="the recording; its framing is detected")
    parser.add_argument("--to", choices=("jsonl", "parquet"), default="jsonl", help="form of the output, default jsonl")
    parser.add_argument("--only", metavar="CAT,...", default="", help="these categories alone, e.g. 48,34")
    parser.add_argument("--edition", action="append", default=[], metavar="CAT=ED",
                        help="edition of a category (48=1.27), or of one source's (48@25/201=1.27); may be repeated")
    parser.add_argument("--framing", choices=FRAMINGS, help="framing, where it must not be detected")
    parser.add_argument("--raw", action="store_true", help="add each record's octets (hex) and where they lie")
    parser.add_argument("--out", metavar="FILE", help="write there instead of standard output")
    parser.add_argument("--quiet", action="store_true", help="no summary, no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Decode; 0 done, 2 where nothing could be read."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.model.errors import InputError
    from lapwing.runtime.record_files import write_lines, write_parquet
    from lapwing.runtime.record_summary import Summary
    from lapwing.sense.asterix import framing, ranking
    from lapwing.sense.asterix.edition_names import parse_editions
    from lapwing.sense.asterix.listing import list_records

    path = Path(arguments.file)
    if arguments.to == "parquet" and not arguments.out:
        raise InputError("Parquet is not text", where="--to parquet", remedy="name a file with --out")
    only = _categories(arguments.only)
    named = parse_editions(arguments.edition)
    data = _mapped(path)
    name = framing.ALIASES.get(arguments.framing, arguments.framing) or framing.detect(data, path.name)
    detected = ranking.detect_editions(_sample(framing.read_frames(data, name)), named)
    editions = ranking.with_detected(named, detected)
    summary = Summary(name, named, detected)
    rows = summary.watch(list_records(_progress(framing.read_frames(data, name), len(data), arguments.quiet), editions))
    chosen = (row for row in rows if not only or row.category in only)
    if arguments.to == "parquet":
        write_parquet(chosen, Path(arguments.out), arguments.raw)
    elif arguments.out:
        with Path(arguments.out).open("w", encoding="utf-8") as out:
            write_lines(chosen, out, arguments.raw)
    else:
        write_lines(chosen, sys.stdout, arguments.raw)
    if not arguments.quiet:
        print(summary.text(), file=sys.stderr)
    if not summary.records and not arguments.quiet:
        print(f"lapwing decode: {path.name}: no record could be read; the refusals above say why", file=sys.stderr)
    elif only and not only & summary.categories and not arguments.quiet:
        print(f"lapwing decode: {path.name}: nothing of --only {arguments.only} in it; what it holds stands above", file=sys.stderr)
    return 0 if summary.records else 2


def _sample(rows: Iterator[Any]) -> Iterator[bytes]:
    """Yield the first datagrams of a recording."""
    return (row.payload for row in islice(rows, SAMPLE_FRAMES) if row.payload)


def _categories(text: str) -> frozenset[int]:
    from lapwing.model.errors import InputError

    words = [word.strip().upper().removeprefix("CAT") for word in text.split(",") if word.strip()]
    for word in words:
        if not word.isdigit():
            raise InputError(f"{word!r} is no category", where="--only", remedy="write numbers, e.g. 48,34")
    return frozenset(map(int, words))


def _mapped(path: Path) -> memoryview:
    """Return a file's octets, mapped: an enormous one is read as it is decoded."""
    import mmap

    with path.open("rb") as file:
        if not path.stat().st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _progress(rows: Iterator[Any], total: int, quiet: bool) -> Iterator[Any]:
    """Pass rows on; show how far the file is read, on a terminal, where that takes long."""
    if quiet or total < 1_000_000 or not sys.stderr.isatty():
        yield from rows
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="B", unit_scale=True, desc="decode", leave=False) as bar:
        for row in rows:
            bar.update(max(0, row.octet - bar.n))
            yield row

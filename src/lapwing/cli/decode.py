"""``lapwing decode``: ASTERIX in any framing -> records with units, as JSON lines or Parquet."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from lapwing.sense.asterix.decode import Editions
    from lapwing.sense.asterix.listing import Listed, Refusal

NAME = "decode"
HELP = ("Decode a recording of ASTERIX (raw, FINAL, GPS recorder, pcap, pcapng) into JSON lines or Parquet, in file "
        "order; a summary goes to standard error.")
FRAMINGS = ("raw", "final", "gps", "pcap", "pcapng")
PARQUET_ROWS = 20_000
SHOWN = 12                     # refusals shown one by one before they are only counted
JUMP_S = 1_800.0               # a time of day that jumps farther may be another edition's item
PLACES = {10: ("041",), 20: ("041",), 21: ("130", "131"), 62: ("105",)}   # items with LAT and LON


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
    from lapwing.sense.asterix import framing
    from lapwing.sense.asterix.listing import list_records

    path = Path(arguments.file)
    if arguments.to == "parquet" and not arguments.out:
        raise InputError("Parquet is not text", where="--to parquet", remedy="name a file with --out")
    only = _categories(arguments.only)
    editions = parse_editions(arguments.edition)
    data = _mapped(path)
    name = arguments.framing or framing.detect(data, path.name)
    summary = Summary(name)
    rows = summary.watch(list_records(_progress(framing.read_frames(data, name), len(data), arguments.quiet), editions))
    chosen = (row for row in rows if not only or row.category in only)
    if arguments.to == "parquet":
        _write_parquet(chosen, Path(arguments.out), arguments.raw)
    elif arguments.out:
        with Path(arguments.out).open("w", encoding="utf-8") as out:
            _write_lines(chosen, out, arguments.raw)
    else:
        _write_lines(chosen, sys.stdout, arguments.raw)
    summary.hint(data, name, editions)
    if not arguments.quiet:
        print(summary.text(), file=sys.stderr)
    if not summary.records and not arguments.quiet:
        print(f"lapwing decode: {path.name}: no record could be read; the refusals above say why", file=sys.stderr)
    return 0 if summary.records else 2


def parse_editions(texts: list[str]) -> Editions:
    """Return the editions of ``CAT=ED`` and ``CAT@SAC/SIC=ED``. InputError says what is wrong and what is known."""
    from lapwing.model.errors import InputError
    from lapwing.sense.asterix.decode import Editions
    from lapwing.sense.asterix.tables import CATEGORIES, editions

    by_category: dict[int, str] = {}
    by_source: dict[tuple[int, int, int], str] = {}
    for text in texts:
        place, _, name = text.partition("=")
        category, _, source = place.partition("@")
        sac, _, sic = source.partition("/")
        if not category.isdigit() or not name or (source and not (sac.isdigit() and sic.isdigit())):
            raise InputError(f"{text!r} is no edition", where="--edition", remedy="write 48=1.27 or 48@25/201=1.27")
        known = editions(int(category))
        if name not in known:
            raise InputError(f"CAT{int(category):03d} has no edition {name!r}", where="--edition",
                             remedy=f"known are {', '.join(known)}" if known
                             else f"categories known are {', '.join(map(str, CATEGORIES))}")
        if source:
            by_source[int(category), int(sac), int(sic)] = name
        else:
            by_category[int(category)] = name
    return Editions(by_category, by_source)


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


def _line(row: Listed, raw: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"category": row.category, "block": row.block, "record_in_block": row.record_in_block,
                            "record": row.record, "sac": row.sac, "sic": row.sic, "edition": row.edition,
                            "items": row.items}
    if raw:
        line |= {"datagram_octet": row.datagram_octet, "octet": row.octet, "octets": row.octets.hex()}
        if row.link:
            line["link"] = row.link
    return line


def _write_lines(rows: Iterator[Listed], out: TextIO, raw: bool) -> None:
    import json

    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in rows:
        out.write(dump(_line(row, raw)) + "\n")


def _write_parquet(rows: Iterator[Listed], path: Path, raw: bool) -> None:
    """Write one row a record: its place, columns in named units (null where absent), and all items as JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lapwing.sense.asterix.column_names import COLUMNS

    names = sorted({name for columns in COLUMNS.values() for name in columns})
    texts = {"callsign", "derived_callsign"}
    head: list[tuple[str, pa.DataType]] = [
        ("category", pa.int16()), ("block", pa.int64()), ("record_in_block", pa.int32()), ("record", pa.int64()),
        ("sac", pa.int16()), ("sic", pa.int16()), ("edition", pa.string()), ("datagram_octet", pa.int64()),
        ("octet", pa.int32()), ("octet_count", pa.int32()),
        *((name, pa.string() if name in texts else pa.float64()) for name in names), ("items", pa.string())]
    schema = pa.schema([*head, ("octets", pa.binary())] if raw else head)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(_flat(row, raw))
            if len(batch) >= PARQUET_ROWS:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch.clear()
        writer.write_table(pa.Table.from_pylist(batch, schema))


def _flat(row: Listed, raw: bool) -> dict[str, Any]:
    import json

    from lapwing.sense.asterix.column_names import COLUMNS

    values: dict[str, Any] = {
        "category": row.category, "block": row.block, "record_in_block": row.record_in_block, "record": row.record,
        "sac": row.sac, "sic": row.sic, "edition": row.edition, "datagram_octet": row.datagram_octet,
        "octet": row.octet, "octet_count": len(row.octets),
        "items": json.dumps(row.items, ensure_ascii=False, separators=(",", ":"))}
    if raw:
        values["octets"] = row.octets
    for name, (paths, factor) in COLUMNS.get(row.category, {}).items():
        for path in paths:
            found: Any = row.items
            for step in path:
                found = found.get(step) if isinstance(found, dict) else None
            if isinstance(found, str):
                values[name] = found.strip() if name.endswith("callsign") else float(int(found, 8))
                break
            if isinstance(found, int | float):
                values[name] = found * factor
                break
    return values


class Summary:
    """What a recording held: counted while it passes by."""

    def __init__(self, framing: str) -> None:
        self.framing = framing
        self.records = 0
        self._kinds: Counter[tuple[int, int, int, str]] = Counter()
        self._reasons: Counter[str] = Counter()
        self._shown: list[str] = []
        self._times: dict[int, tuple[float, float]] = {}
        self._hints: list[str] = []
        self._suspect = False
        self._last: dict[int, float] = {}

    def watch(self, rows: Iterator[Listed | Refusal]) -> Iterator[Listed]:
        """Pass the records on, count all."""
        from lapwing.sense.asterix.listing import Listed

        for row in rows:
            if isinstance(row, Listed):
                self.records += 1
                self._kinds[row.category, row.sac, row.sic, row.edition] += 1
                self._look(row)
                yield row
            else:
                self._reasons[row.reason] += 1
                self._suspect = True
                if len(self._shown) < SHOWN:
                    self._shown.append(f"  {row.where}: {row.reason}: {row.detail}")

    def _look(self, row: Listed) -> None:
        """Note a record's time, and whether anything in it looks like another edition's."""
        time = _time_of_day(row)
        if time is not None:
            first, _ = self._times.get(0, (time, time))
            self._times[0] = (first, time)
            beside = (time - self._last.get(row.category, time) + 43_200.0) % 86_400.0 - 43_200.0
            self._suspect |= time >= 86_400.0 or abs(beside) > JUMP_S
            self._last[row.category] = time
        for name in PLACES.get(row.category, ()):
            place = row.items.get(name)
            if isinstance(place, dict):
                self._suspect |= abs(place.get("LAT", 0.0)) > 90.0 or abs(place.get("LON", 0.0)) > 180.0

    def hint(self, data: memoryview, framing: str, editions: Editions) -> None:
        """Look whether another edition fits better, where something was refused or cannot be."""
        if not self._suspect:
            return
        from lapwing.sense.asterix.framing import Frame, read_frames
        from lapwing.sense.asterix.ranking import rank_editions

        blocks: dict[int, list[bytes]] = {}
        for number, frame in enumerate(read_frames(data, framing)):
            if number > 2_000:
                break
            if isinstance(frame, Frame) and len(frame.payload) > 3:
                length = frame.payload[1] << 8 | frame.payload[2]
                blocks.setdefault(frame.payload[0], []).append(frame.payload[:length])
        for category, sample in sorted(blocks.items()):
            ranked = rank_editions(category, sample)
            taken = next((r for r in ranked if r.edition == editions.choose(category, -1, -1)), None)
            if taken is not None and ranked[0].score > taken.score + 0.05:
                best = ranked[0]
                self._hints.append(
                    f"  CAT{category:03d}: edition {best.edition} fits better ({best.score:.0%} of it can be) than "
                    f"{taken.edition} ({taken.score:.0%}); try --edition {category}={best.edition}")

    def text(self) -> str:
        """Return the summary."""
        lines = [f"framing {self.framing}, {self.records} records"]
        for (category, sac, sic, edition), count in sorted(self._kinds.items()):
            source = f"{sac}/{sic}" if sac >= 0 else "no source"
            lines.append(f"  CAT{category:03d} {source:>9}  edition {edition:<5} {count:>9}")
        if self._times:
            first, last = self._times[0]
            lines.append(f"time of day {_clock(first)} to {_clock(last)}")
        if self._reasons:
            lines.append("refused: " + ", ".join(f"{reason} {n}" for reason, n in sorted(self._reasons.items())))
            lines += self._shown
            more = sum(self._reasons.values()) - len(self._shown)
            if more > 0:
                lines.append(f"  ... and {more} more")
        else:
            lines.append("refused: nothing")
        return "\n".join(lines + self._hints)


def _time_of_day(row: Listed) -> float | None:
    from lapwing.sense.asterix.column_names import COLUMNS

    if row.category == 1:
        return None  # counts within 512 s
    for path in COLUMNS.get(row.category, {}).get("time_of_day_s", ((), 1.0))[0]:
        value = row.items.get(path[0])
        if isinstance(value, float):
            return value
    return None


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:06.3f}"

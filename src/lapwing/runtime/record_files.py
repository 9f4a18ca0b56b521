"""Records of ``lapwing decode`` as JSON lines and as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.expansions import FIELD as EXPANSION
from lapwing.sense.asterix.expansions import expansion_of
from lapwing.sense.asterix.registers import registers_of

if TYPE_CHECKING:
    from lapwing.sense.asterix.listing import Listed

PARQUET_ROWS = 20_000
WITH_REGISTERS = frozenset({7, 10, 11, 20, 21, 48, 62})   # categories whose records may hold Mode S registers


def _code(value: int) -> int | None:
    """Return SAC or SIC; None where no record has named one yet."""
    return value if value >= 0 else None


def _line(row: Listed, raw: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"category": row.category, "block": row.block, "record_in_block": row.record_in_block,
                            "record": row.record, "sac": _code(row.sac), "sic": _code(row.sic),
                            "edition": row.edition, "items": row.items}
    registers = registers_of(row.items, row.category) if row.category in WITH_REGISTERS else []
    if registers:
        line["registers"] = registers
    expansion = expansion_of(row.category, row.items) if EXPANSION in row.items else None
    if expansion is not None:
        line["expansion"] = expansion
    if raw:
        line |= {"datagram_octet": row.datagram_octet, "octet": row.octet, "octets": row.octets.hex()}
        if row.link:
            line["link"] = row.link
    return line


def write_lines(rows: Iterator[Listed], out: TextIO, raw: bool) -> None:
    """Write one JSON line a record."""
    dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
    for row in rows:
        out.write(dump(_line(row, raw)) + "\n")


def write_parquet(rows: Iterator[Listed], path: Path, raw: bool) -> None:
    """Write one row a record: its place, columns in named units (null where absent), and all items as JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted({name for columns in COLUMNS.values() for name in columns})
    texts = {"callsign", "derived_callsign"}
    head: list[tuple[str, pa.DataType]] = [
        ("category", pa.int16()), ("block", pa.int64()), ("record_in_block", pa.int32()), ("record", pa.int64()),
        ("sac", pa.int16()), ("sic", pa.int16()), ("edition", pa.string()), ("datagram_octet", pa.int64()),
        ("octet", pa.int32()), ("octet_count", pa.int32()),
        *((name, pa.string() if name in texts else pa.float64()) for name in names), ("registers", pa.string()),
        ("expansion", pa.string()),
        ("items", pa.string())]
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
    values: dict[str, Any] = {
        "category": row.category, "block": row.block, "record_in_block": row.record_in_block, "record": row.record,
        "sac": _code(row.sac), "sic": _code(row.sic), "edition": row.edition, "datagram_octet": row.datagram_octet,
        "octet": row.octet, "octet_count": len(row.octets),
        "items": json.dumps(row.items, ensure_ascii=False, separators=(",", ":"))}
    registers = registers_of(row.items, row.category) if row.category in WITH_REGISTERS else []
    if registers:
        values["registers"] = json.dumps(registers, separators=(",", ":"))
    expansion = expansion_of(row.category, row.items) if EXPANSION in row.items else None
    if expansion is not None:
        values["expansion"] = json.dumps(expansion, ensure_ascii=False, separators=(",", ":"))
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

"""Octets of datagrams -> columns in named units, and a table of what was refused. Never raises on input.

`decode_datagrams` takes many datagrams at once and yields one `Records` for each category and edition met: position of
every record (datagram, octets), its source, which items it has, and the columns of `column_names`. What cannot be read
is refused with its place and reason; the rest of that block goes with it, the blocks around it do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from lapwing.sense.asterix import kernels, tables
from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.layout import Layout, layout, place_of
from lapwing.sense.asterix.tables import Compound, Definition, Item

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REASONS = {
    kernels.TOO_SHORT: ("item_too_short", "runs past the end of its block"),
    kernels.NOT_DEFINED: ("undefined_item", "not defined in this edition"),
    kernels.BAD_LENGTH: ("bad_length", "length octet 0; it counts itself, so at least 1"),
    kernels.FSPEC_LONG: ("fspec_too_long", "chain of more than 16 octets"),
    kernels.LEFT_TO_READER: ("random_fields", "random field sequencing is shown by `lapwing decode`, not tracked"),
    kernels.TRAILING: ("trailing_octets", "too few for a block"),
    kernels.BLOCK_LENGTH: ("block_length", "the length field does not fit the datagram"),
    kernels.EMPTY: ("empty_record", "a record without items: padding, or no ASTERIX"),
}
# Records walked at once: what memory is set aside for (touched only as far as it is needed). The least is half the
# octets of the largest block; a record of radar or ADS-B data has 15 to 80 octets.
PART_RECORDS_MIN, PART_RECORDS_MAX, RECORD_OCTETS = 32_768, 2_000_000, 10


@dataclass(frozen=True, slots=True)
class Editions:
    """Which edition to take: by (category, SAC, SIC), else by category, else the newest."""

    by_category: Mapping[int, str] = field(default_factory=dict)
    by_source: Mapping[tuple[int, int, int], str] = field(default_factory=dict)

    def choose(self, category: int, sac: int, sic: int) -> str | None:
        """Return the edition's name; None for a category without a table."""
        named = self.by_source.get((category, sac, sic)) or self.by_category.get(category)
        return named or (tables.default_edition(category) if category in tables.CATEGORIES else None)


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one category and edition, in order of the data. Every array has length n."""

    category: int
    edition: str
    datagram_index: Ints
    block_index: Ints               # running number of the block over all datagrams
    record_index: Ints              # in its block
    octet_offset: Ints              # of the record in its datagram
    octet_count: Ints
    profile_index: Ints
    sac: Ints                       # -1: neither the record nor one before it in its block says
    sic: Ints
    present: npt.NDArray[np.bool_]  # (n, fields) fields of the FSPEC that the record has
    columns: Mapping[str, Floats]   # NaN where the record has none

    def __len__(self) -> int:
        return len(self.datagram_index)


@dataclass(frozen=True, slots=True)
class BlockRefusal:
    """One thing that was not read: where and why. The rest of its block went with it."""

    datagram_index: int
    block_index: int                # -1: no block
    category: int                   # -1 likewise
    record_index: int               # in its block; -1
    item: str                       # "I048/040", "FSPEC", ""
    octet_offset: int               # in its datagram
    reason: str
    detail: str
    sac: int = -1
    sic: int = -1


@dataclass(frozen=True, slots=True)
class Decoded:
    """What datagrams held."""

    records: tuple[Records, ...]    # one of each category and edition met, by category
    refusals: tuple[BlockRefusal, ...]
    block_count: int


@cache
def _places(category: int, edition: str) -> tuple[tuple[str, ...], Ints, Floats]:
    """Return the names, the places (as `kernels.take_columns` wants them) and the LSBs of an edition's columns."""
    table = layout(category, edition)
    wanted = COLUMNS.get(category, {})
    places = np.full((len(table.edition.profiles), len(wanted), 10), -1, np.int64)
    lsb = np.ones(len(wanted))
    for profile in range(len(places)):
        for index, (paths, factor) in enumerate(wanted.values()):
            for path in paths:
                row = _place(table, profile, path)
                if row is not None:
                    places[profile, index], lsb[index] = row[0], row[1] * factor
                    break
    return tuple(wanted), places, lsb


def _place(table: Layout, profile: int, path: tuple[str, ...]) -> tuple[list[int], float] | None:
    number = table.field(profile, path[0])
    if number < 0:
        return None
    item = table.edition.profiles[profile][1][number]
    assert isinstance(item, Item)
    definition: Definition = item.definition
    node = table.nodes[profile * table.fields + number]
    child, first, count, rest = -1, 0, 0, path[1:]
    if isinstance(definition, Compound):
        names = [sub.name if sub is not None else "" for sub in definition.items]
        if not rest or rest[0] not in names:
            return None
        child, first, count = names.index(rest[0]), int(node[1]), int(node[2])
        sub = definition.items[child]
        assert sub is not None
        definition, node, rest = sub.definition, table.nodes[first + child], rest[1:]
    try:
        place = place_of(definition, rest)
    except KeyError:
        return None
    content = place.element.content
    is_signed = content.signed and content.kind in ("quantity", "integer")
    chunk = int(node[1]) if isinstance(definition, tables.Extended) else -1
    row = [number, child, first, count, chunk, place.chunk, place.octet, place.octets, place.shift,
           -place.bits if is_signed else place.bits]
    return row, content.lsb if content.kind == "quantity" else 1.0


def decode_datagrams(payloads: Sequence[bytes], editions: Editions | None = None) -> Decoded:
    """Decode datagrams, each holding data blocks back to back.

    Parameters
    ----------
    payloads : octets of each datagram
    editions : where a source does not speak the newest edition
    """
    editions = editions or Editions()
    lengths = np.array([len(p) for p in payloads], np.int64)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    data = np.frombuffer(b"".join(payloads), np.uint8)
    blocks = np.empty((len(data) // 3 + 1, 6), np.int64)
    broken = np.empty((len(payloads) + 1, 3), np.int64)
    block_count, broken_count = kernels.cut_blocks(data, starts, ends, blocks, broken)
    blocks = blocks[:block_count].copy()
    refusals = [_broken(row, starts, ends, data) for row in broken[:broken_count]]

    groups: dict[tuple[int, str], list[Ints]] = {}
    source = (blocks[:, 1] << 20) | ((blocks[:, 4] + 1) << 10) | (blocks[:, 5] + 1)
    for key, rows in _equal_runs(source):
        category, sac, sic = key >> 20, (key >> 10 & 1023) - 1, (key & 1023) - 1
        name = editions.choose(category, sac, sic)
        if name is not None:
            groups.setdefault((category, name), []).append(rows)
            continue
        for index in rows.tolist():
            at, datagram = int(blocks[index, 2]) - 3, int(blocks[index, 0])
            refusals.append(BlockRefusal(datagram, index, category, -1, "", at - int(starts[datagram]),
                                         "unknown_category", f"no table for CAT{category:03d}", sac, sic))
    found = []
    for (category, name), parts in sorted(groups.items(), key=lambda group: group[0]):
        rows = parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
        found += _decode_group(category, name, data, blocks, rows, starts, refusals)
    refusals.sort(key=lambda r: (r.datagram_index, r.octet_offset))
    return Decoded(tuple(found), tuple(refusals), block_count)


def _equal_runs(keys: Ints) -> list[tuple[int, Ints]]:
    """Return each key with the rows that have it, in rising order."""
    if not len(keys):
        return []
    if (keys == keys[0]).all():
        return [(int(keys[0]), np.arange(len(keys)))]
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    return [(int(keys[rows[0]]), rows) for rows in np.split(order, cuts)]


def _broken(row: Ints, starts: Ints, ends: Ints, data: npt.NDArray[np.uint8]) -> BlockRefusal:
    datagram, at, reason = (int(v) for v in row)
    code, words = REASONS[reason]
    left = int(ends[datagram]) - at
    if reason == kernels.BLOCK_LENGTH:
        words = f"{words}: says {int(data[at + 1]) * 256 + int(data[at + 2])}, {left} octets left"
    category = int(data[at]) if reason == kernels.BLOCK_LENGTH else -1
    return BlockRefusal(datagram, -1, category, -1, "", at - int(starts[datagram]), code,
                        f"{words}; {left} octets not read")


def _decode_group(category: int, name: str, data: npt.NDArray[np.uint8], blocks: Ints, rows: Ints, starts: Ints,
                  refusals: list[BlockRefusal]) -> list[Records]:
    """Walk the blocks of one edition, in parts where they are very many; return their records as one value (or none)."""
    table = layout(category, name)
    names, places, lsb = _places(category, name)
    chosen = blocks[rows]
    octets = int((chosen[:, 3] - chosen[:, 2]).sum())
    cap = min(octets // 2 + 1, PART_RECORDS_MAX, max(PART_RECORDS_MIN, octets // RECORD_OCTETS))
    records, items = np.empty((cap, 7), np.int64), np.empty((cap, table.fields), np.uint16)
    refused = np.empty((len(chosen), 5), np.int64)
    parts: list[tuple[Ints, npt.NDArray[np.bool_], Floats]] = []
    done = 0
    while done < len(chosen):
        done, count, bad = kernels.walk(data, chosen, done, table.nodes, table.chunks, table.fields,
                                        table.source_field, table.selector, table.profile_of, records, items, refused)
        columns = np.empty((len(names), count))
        kernels.take_columns(data, records[:count], items[:count], table.nodes, table.chunks, places, lsb, columns)
        parts.append((records[:count].copy(), items[:count] > 0, columns))
        refusals += [_refused(row, table, chosen, rows, starts) for row in refused[:bad].tolist()]
    if len(parts) == 1:
        rows7, present, all_columns = parts[0]
    else:
        rows7, present = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        all_columns = np.concatenate([p[2] for p in parts], axis=1)
    if not len(rows7):
        return []
    datagram = chosen[rows7[:, 0], 0]
    return [Records(
        category=category, edition=name, datagram_index=datagram, block_index=rows[rows7[:, 0]],
        record_index=rows7[:, 1], octet_offset=rows7[:, 2] - starts[datagram], octet_count=rows7[:, 3] - rows7[:, 2],
        profile_index=rows7[:, 4], sac=rows7[:, 5], sic=rows7[:, 6], present=present,
        columns=dict(zip(names, all_columns, strict=True)))]


def _refused(row: list[int], table: Layout, blocks: Ints, rows: Ints, starts: Ints) -> BlockRefusal:
    index, number, slot, at, reason = row
    datagram, end = int(blocks[index, 0]), int(blocks[index, 3])
    category = table.edition.category
    code, words = REASONS[reason]
    places = table.edition.profiles[0][1]
    item = "FSPEC"
    if slot >= 0:
        place = places[slot] if slot < len(places) else None
        item = f"I{category:03d}/{place.name}" if isinstance(place, Item) and len(table.edition.profiles) == 1 \
            else f"FRN {slot + 1}"
    return BlockRefusal(datagram, int(rows[index]), category, number, item, at - int(starts[datagram]), code,
                        f"{words} (edition {table.edition.edition}); {end - at} octets of the block not read",
                        int(blocks[index, 4]), int(blocks[index, 5]))


def decode_blocks(payload: bytes, editions: Editions | None = None) -> Decoded:
    """Decode one datagram: data blocks back to back. As `decode_datagrams` of one."""
    return decode_datagrams((payload,), editions)

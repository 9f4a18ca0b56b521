"""Octets of datagrams -> columns in named units, and a table of what was refused. Never raises on input.

`decode_datagrams` takes many datagrams at once and yields one `Records` for each category and edition met: position of
every record (datagram, octets), its source, which items it has, and the columns of `column_names`; strings and rare
items are read when asked for (`Records.items`). What cannot be read is refused with its place and reason; the rest of
that block goes with it, the blocks around it do not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from lapwing.geo import jit
from lapwing.sense.asterix import column_kernels, kernels, plain, shapes, tables
from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.items import Refused, read_record
from lapwing.sense.asterix.layout import Layout, layout, place_of
from lapwing.sense.asterix.records import BlockRefusal, Decoded, Editions, Floats, Found, Ints, Records
from lapwing.sense.asterix.tables import Compound, Definition, Item

__all__ = ["REASONS", "BlockRefusal", "Decoded", "Editions", "Records", "decode_blocks", "decode_datagrams",
           "is_plain", "use_plain", "warm"]

REASONS = {
    kernels.TOO_SHORT: ("item_too_short", "runs past the end of its block"),
    kernels.NOT_DEFINED: ("undefined_item", "not defined in this edition"),
    kernels.BAD_LENGTH: ("bad_length", "length octet 0; it counts itself, so at least 1"),
    kernels.FSPEC_LONG: ("fspec_too_long", "chain of more than 16 octets"),
    kernels.LEFT_TO_READER: ("random_fields", "a compound item among fields in any order is shown by `lapwing decode`, not tracked"),
    kernels.TRAILING: ("trailing_octets", "too few for a block"),
    kernels.BLOCK_LENGTH: ("block_length", "the length field does not fit the datagram"),
    kernels.EMPTY: ("empty_record", "a record without items: padding, or no ASTERIX"),
}
# Records walked at once: what memory is set aside for (touched only as far as it is needed). The least is half the
# octets of the largest block; a record of radar or ADS-B data has 15 to 80 octets.
PART_RECORDS_MIN, PART_RECORDS_MAX, RECORD_OCTETS = 32_768, 2_000_000, 10
SHARED_FROM = 4_096      # records from which on columns that none of them has are one
PADDING = bytes(column_kernels.WORD_OCTETS)

_plain = [jit.PLAIN or sys.byteorder != "little"]


def use_plain(yes: bool) -> None:
    """Decode with the plain twin from now on, or with the kernels: the same numbers, later. Plain where it must be."""
    _plain[0] = yes or jit.PLAIN or sys.byteorder != "little"


def is_plain() -> bool:
    """Whether the plain twin decodes."""
    return _plain[0]


def warm() -> None:
    """Compile the kernels, or load them from the cache: with one small block, whose columns have every kind of place."""
    if jit.PLAIN or sys.byteorder != "little":
        return
    # CAT048: source, time, descriptor, place, level (signed), compound 130, CAT001: two profiles.
    decode_datagrams((bytes.fromhex("30001af61901020000002001002000000000000700a00102"), bytes.fromhex("010006804102")),
                     plainly=False)


@cache
def _places(category: int, edition: str) -> tuple[tuple[str, ...], Ints, Floats]:
    """Return the names, the places (as `column_kernels.take_columns` wants them) and the factors of an edition's columns."""
    table = layout(category, edition)
    wanted = COLUMNS.get(category, {})
    profiles = len(table.edition.profiles)
    at = np.full((profiles, len(wanted), 5), -1, np.int64)
    lsb = np.ones((profiles, len(wanted)))
    for profile in range(profiles):
        for index, (paths, factor) in enumerate(wanted.values()):
            for path in paths:
                row = _place(table, profile, path)
                if row is not None:
                    at[profile, index], lsb[profile, index] = row[0], row[1] * factor
                    break
    return tuple(wanted), at, lsb


def _place(table: Layout, profile: int, path: tuple[str, ...]) -> tuple[list[int], float] | None:
    number = table.field(profile, path[0])
    if number < 0:
        return None
    item = table.edition.profiles[profile][1][number]
    assert isinstance(item, Item)
    definition: Definition = item.definition
    node, rest = profile * table.fields + number, path[1:]
    if isinstance(definition, Compound):
        names = [sub.name if sub is not None else "" for sub in definition.items]
        if not rest or rest[0] not in names:
            return None
        child = names.index(rest[0])
        sub = definition.items[child]
        assert sub is not None
        definition, node, rest = sub.definition, int(table.nodes[node, 1]) + child, rest[1:]
    try:
        place = place_of(definition, rest)
    except KeyError:
        return None
    content = place.element.content
    is_signed = content.signed and content.kind in ("quantity", "integer")
    before = need = 0
    if isinstance(definition, tables.Extended):
        before = sum(chunk.octets for chunk in definition.chunks[: place.chunk])
        need = before + definition.chunks[place.chunk].octets
    lead = place.octets * 8 - place.shift - place.bits
    assert lead + place.bits <= 64, "an element of a column fits the word that is loaded"
    row = [node, need, before + place.octet, lead, -place.bits if is_signed else place.bits]
    return row, content.lsb if content.kind == "quantity" else 1.0


def decode_datagrams(payloads: Sequence[bytes], editions: Editions | None = None,
                     plainly: bool | None = None) -> Decoded:
    """Decode datagrams, each holding data blocks back to back.

    Parameters
    ----------
    payloads : octets of each datagram
    editions : where a source does not speak the newest edition
    plainly : with the plain twin or with the kernels; as `use_plain` said where it is not given
    """
    editions = editions or Editions()
    if plainly is None:
        plainly = _plain[0]
    ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
    starts = np.zeros(len(payloads), np.int64)
    starts[1:] = ends[:-1]
    data = b"".join((*payloads, PADDING))
    size = len(data) - len(PADDING)
    blocks, broken = np.empty((size // 3 + 1, 6), np.int64), np.empty((len(payloads) + 1, 3), np.int64)
    if plainly:
        block_count, broken_count = plain.cut_blocks(data, starts, ends, blocks, broken)
    else:
        block_count, broken_count = kernels.cut_blocks(np.frombuffer(data, np.uint8), starts, ends, blocks, broken)
    blocks = blocks[:block_count]
    if 2 * block_count < size // 3:
        blocks = blocks.copy()  # what was set aside for more is not held on to
    refusals = [_broken(row, starts, ends, data) for row in broken[:broken_count].tolist()]

    groups: dict[tuple[int, str], list[Ints]] = {}
    for category, sac, sic, rows in _sources(blocks, editions):
        name = editions.choose(category, sac, sic)
        if name is not None:
            groups.setdefault((category, name), []).append(rows)
            continue
        for index in rows.tolist():
            at, datagram = int(blocks[index, 2]) - 3, int(blocks[index, 0])
            refusals.append(BlockRefusal(datagram, index, category, -1, "", at - int(starts[datagram]),
                                         "unknown_category", f"no table for CAT{category:03d}",
                                         int(blocks[index, 4]), int(blocks[index, 5])))
    found = []
    for (category, name), parts in sorted(groups.items(), key=lambda group: group[0]):
        chosen = parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
        everything = len(chosen) == block_count
        records = _decode_group(category, name, data, blocks if everything else blocks[chosen],
                                None if everything else chosen, starts, refusals, plainly)
        if len(records):
            found.append(records)
    refusals.sort(key=lambda r: (r.datagram_index, r.octet_offset))
    return Decoded(tuple(found), tuple(refusals), block_count)


def _sources(blocks: Ints, editions: Editions) -> Iterator[tuple[int, int, int, Ints]]:
    """Yield category, SAC and SIC (-1 where they choose nothing) and rows of the blocks that have them."""
    named = {category for category, _, _ in editions.by_source}
    categories = blocks[:, 1]
    if len(blocks) and bool((categories == categories[0]).all()):
        met = [int(categories[0])]
    else:
        met = np.flatnonzero(np.bincount(categories)).tolist()
    for category in met:
        rows = np.flatnonzero(categories == category) if len(met) > 1 else np.arange(len(blocks))
        if category not in named:
            yield category, -1, -1, rows
            continue
        source = (blocks[rows, 4] + 1) << 10 | (blocks[rows, 5] + 1)
        for key in np.unique(source).tolist():
            yield category, (key >> 10) - 1, (key & 1023) - 1, rows[source == key]


def _broken(row: list[int], starts: Ints, ends: Ints, data: bytes) -> BlockRefusal:
    datagram, at, reason = row
    code, words = REASONS[reason]
    left = int(ends[datagram]) - at
    if reason == kernels.BLOCK_LENGTH:
        words = f"{words}: says {data[at + 1] * 256 + data[at + 2]}, {left} octets left"
    category = data[at] if reason == kernels.BLOCK_LENGTH else -1
    return BlockRefusal(datagram, -1, category, -1, "", at - int(starts[datagram]), code,
                        f"{words}; {left} octets not read")


def _decode_group(category: int, name: str, data: bytes, blocks: Ints, rows: Ints | None, starts: Ints,
                  refusals: list[BlockRefusal], plainly: bool) -> Records:
    """Walk the blocks of one edition and take their columns."""
    table = layout(category, name)
    names, at, lsb = _places(category, name)
    if plainly:
        parts, refused = _walk_plain(data, blocks, table, at, lsb)
    else:
        parts, refused = _walk(data, blocks, table, at, lsb)
    found = parts[0] if len(parts) == 1 else _join(parts)
    for row in refused:
        refusals.append(_refused(row, table, data, blocks, rows, starts))
    columns = {column: found.columns[row] for column, row in zip(names, found.row_of, strict=True)}
    return Records(category, name, columns, table, found, data, blocks, rows, starts)


def _walk(data: bytes, blocks: Ints, table: Layout, at: Ints, lsb: Floats) -> tuple[list[Found], list[list[int]]]:
    """Find the records with the kernels, in parts where they, or their shapes, are very many."""
    octets = np.frombuffer(data, np.uint8)
    words = np.ndarray((len(data) - column_kernels.WORD_OCTETS + 1,), np.uint64, data, 0, (1,))
    total = int((blocks[:, 3] - blocks[:, 2]).sum())
    cap = min(total // 2 + 1, PART_RECORDS_MAX, max(PART_RECORDS_MIN, total // RECORD_OCTETS))
    parts: list[Found] = []
    refused: list[list[int]] = []
    known = shapes.borrow(table)
    done = 0
    while done < len(blocks):
        records = np.empty((kernels.RECORD_ROWS, cap), np.int64)
        bad = np.empty((len(blocks) - done, 5), np.int64)
        done, count, bad_count = kernels.walk(
            octets, blocks, done, table.nodes, table.chunks, table.fields, table.source_field, table.selector,
            table.profile_of, known.states, known.todo, known.starts, known.ends, known.transitions, known.local,
            known.used, known.counts, records, bad)
        records = records[:, :count]
        shape_count, nodes = int(known.counts[1]), known.starts.shape[1]
        profiles, lengths = np.empty(shape_count, np.int64), np.empty(shape_count, np.int64)
        starts, ends = np.empty((shape_count, nodes), np.uint16), np.empty((shape_count, nodes), np.uint16)
        column_kernels.take_shapes(known.used, known.states, known.starts, known.ends, profiles, lengths, starts, ends)
        row_of, used = _rows_of(at, profiles, starts, count)
        columns = np.empty((max(row_of, default=-1) + 1, count))
        if used is None:
            column_kernels.take_columns(words, records[kernels.START].view(np.uint64), records[kernels.SHAPE], profiles, starts,
                                        ends, at, lsb, columns)
        else:
            columns[len(used):] = np.nan
            column_kernels.take_columns(words, records[kernels.START].view(np.uint64), records[kernels.SHAPE], profiles, starts,
                                        ends, np.ascontiguousarray(at[:, used]), np.ascontiguousarray(lsb[:, used]), columns[:len(used)])
        parts.append(Found(records, profiles, lengths, starts, ends, columns, row_of))
        refused += bad[:bad_count].tolist()
        known.begin()
        if done < len(blocks) and known.is_full():
            known.make_room()
    shapes.give_back(known)
    return parts, refused


def _rows_of(at: Ints, profiles: Ints, starts: npt.NDArray[np.uint16], count: int) -> tuple[Sequence[int], Ints | None]:
    """Return the row of each column in what is filled, and which columns are (None: all).

    Of many records most lack most items: all columns that none of them has are one row of NaN, not a row of memory each.
    """
    wanted = at.shape[1]
    if count < SHARED_FROM:
        return range(wanted), None
    nodes = at[profiles, :, column_kernels.NODE]
    has = ((nodes >= 0) & (np.take_along_axis(starts, np.maximum(nodes, 0), 1) > 0)).any(axis=0)
    used = np.flatnonzero(has)
    row_of = np.full(wanted, len(used))
    row_of[used] = np.arange(len(used))
    return row_of.tolist(), used


def _walk_plain(data: bytes, blocks: Ints, table: Layout, at: Ints,
                lsb: Floats) -> tuple[list[Found], list[list[int]]]:
    """Find the records with the plain twin: every record is its own shape."""
    records, lengths, spans, profiles, refused = plain.walk(data, blocks, table)
    starts, ends = np.zeros((2, len(spans), len(table.nodes)), np.uint16)
    for record, items in enumerate(spans):
        for node, (start, end) in items.items():
            starts[record, node], ends[record, node] = start, end
    columns = plain.take_columns(data, records[kernels.START].tolist(), spans, profiles, at, lsb)
    return [Found(records, np.array(profiles, np.int64), lengths, starts, ends, columns, range(at.shape[1]))], refused


def _join(parts: list[Found]) -> Found:
    """Return parts as one; each counts its shapes from 0."""
    before = 0
    for part in parts:
        part.records[kernels.SHAPE] += before
        before += len(part.lengths)
    columns = np.concatenate([part.columns[np.array(part.row_of, np.intp)] for part in parts], axis=1)
    records, profiles, lengths, starts, ends = (
        np.concatenate([getattr(part, name) for part in parts], axis=axis)
        for name, axis in (("records", 1), ("profiles", 0), ("lengths", 0), ("starts", 0), ("ends", 0)))
    return Found(records, profiles, lengths, starts, ends, columns, range(len(columns)))


def _refused(row: list[int], table: Layout, data: bytes, blocks: Ints, rows: Ints | None, starts: Ints) -> BlockRefusal:
    """Return why a record was refused, as the item reader says it."""
    index, number, start, profile, reason = row
    datagram, end, sac, sic = (int(blocks[index, column]) for column in (0, 3, 4, 5))
    code, words = REASONS[reason]
    item, at = "", start
    try:
        read_record(data, start, end, table.edition, table.edition.profiles[profile][0])
    except Refused as error:
        code, item, at, words = error.reason, error.item, error.octet, error.detail
    return BlockRefusal(datagram, index if rows is None else int(rows[index]), table.edition.category, number, item,
                        at - int(starts[datagram]), code,
                        f"{words} (edition {table.edition.edition}); {end - start} octets of the block not read",
                        sac, sic)


def decode_blocks(payload: bytes, editions: Editions | None = None) -> Decoded:
    """Decode one datagram: data blocks back to back. As `decode_datagrams` of one."""
    return decode_datagrams((payload,), editions)

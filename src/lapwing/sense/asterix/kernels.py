"""Kernels of the columnar decoder: cut datagrams into blocks, walk records, take columns out of them.

Each reads only `data[start:end]` of its block; whatever would pass the end is refused with a code. The slow twin is
`items.read_record`, with which the tests compare every column of every recording.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Octets = npt.NDArray[np.uint8]
Table = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Reasons, as `decode.REASONS` names them
OK, TOO_SHORT, NOT_DEFINED, BAD_LENGTH, FSPEC_LONG, LEFT_TO_READER, TRAILING, BLOCK_LENGTH, EMPTY = range(9)
FSPEC_OCTETS_MAX = 16
STRIP = 1_024  # records whose columns are taken together


@kernel
def cut_blocks(data: Octets, starts: Table, ends: Table, blocks: Table, refused: Table) -> tuple[int, int]:
    """Cut datagrams into blocks.

    blocks : (n, 6) rows of datagram, category, first octet of its records, octet after, SAC, SIC of the first record
        (-1 where it has none); refused : (m, 3) rows of datagram, octet, reason. Returns how many rows of each are
        filled; the caller makes them large enough (octets // 3 and one a datagram).
    """
    count, bad = 0, 0
    for datagram in range(len(starts)):
        at, end = starts[datagram], ends[datagram]
        while at < end:
            if at + 3 > end:
                refused[bad, 0], refused[bad, 1], refused[bad, 2] = datagram, at, TRAILING
                bad += 1
                break
            length = np.int64(data[at + 1]) * 256 + np.int64(data[at + 2])
            if length < 3 or at + length > end:
                refused[bad, 0], refused[bad, 1], refused[bad, 2] = datagram, at, BLOCK_LENGTH
                bad += 1
                break
            sac: Any = -1
            sic: Any = -1
            first, stop = at + 3, at + length
            if first < stop and data[first] & 0x80:
                body = first
                while body < stop and data[body] & 1 and body - first < FSPEC_OCTETS_MAX:
                    body += 1
                if body + 3 <= stop:
                    sac, sic = np.int64(data[body + 1]), np.int64(data[body + 2])
            blocks[count, 0], blocks[count, 1], blocks[count, 2] = datagram, data[at], first
            blocks[count, 3], blocks[count, 4], blocks[count, 5] = stop, sac, sic
            count += 1
            at = stop
    return count, bad


@kernel
def simple_end(data: Octets, at: Any, end: int, kind: int, a: int, b: int, chunks: Table) -> Any:
    """Return the octet after an item that is not compound, or minus a reason."""
    if kind == 1:
        return at + a if at + a <= end else -1
    if kind == 2:
        for row in range(a, a + b):
            at += chunks[row, 0]
            if at > end:
                return -1
            if chunks[row, 1] == 0 or data[at - 1] & 1 == 0:
                return at
        while at < end:  # octets of a newer edition, chained by their last bit
            at += 1
            if data[at - 1] & 1 == 0:
                return at
        return -1
    if kind == 3:
        if at + a > end:
            return -1
        count: Any = 0
        for place in range(at, at + a):
            count = count * 256 + np.int64(data[place])
        at += a + count * b
        return at if at <= end else -1
    if kind == 4:
        while True:
            at += b
            if at > end:
                return -1
            if data[at - 1] & 1 == 0:
                return at
    if kind == 5:
        if at >= end:
            return -1
        if data[at] == 0:
            return -3
        return at + np.int64(data[at]) if at + np.int64(data[at]) <= end else -1
    return -5 if kind == 7 else -2


@kernel
def compound_end(data: Octets, at: int, end: int, first: int, count: int, nodes: Table, chunks: Table,
                 wanted: int) -> Any:
    """Return the octet after a compound item, or, with `wanted` >= 0, where that sub-item begins (0: absent); minus a
    reason where it cannot be read."""
    body = at
    while True:
        if body >= end:
            return -1
        if body - at >= FSPEC_OCTETS_MAX:
            return -4
        body += 1
        if data[body - 1] & 1 == 0:
            break
    place, number = body, 0
    for octet in range(at, body):
        for bit in range(7):
            if data[octet] & (0x80 >> bit):
                if number == wanted:
                    return place
                if number >= count:
                    return -2
                row = first + number
                place = simple_end(data, place, end, nodes[row, 0], nodes[row, 1], nodes[row, 2], chunks)
                if place < 0:
                    return place
            number += 1
    return 0 if wanted >= 0 else place


@kernel
def list_fields(data: Octets, start: int, body: int, fields: int, listed: Table) -> None:
    """Fill `listed` with how many fields an FSPEC names, then which (from 0; `fields` for one beyond the profile)."""
    found, field = 0, 0
    for octet in range(start, body):
        for bit in range(7):
            if data[octet] & (0x80 >> bit):
                found += 1
                listed[found] = min(field, fields)
            field += 1
    listed[0] = found


@kernel
def walk(data: Octets, blocks: Table, first_block: int, nodes: Table, chunks: Table, fields: int, source_field: int,
         selector: Table, profile_of: Table, records: Table, items: npt.NDArray[np.uint16],
         refused: Table) -> tuple[int, int, int]:
    """Find the records and items of blocks of one edition.

    Parameters
    ----------
    blocks : as of `cut_blocks`; walked from row `first_block`
    records : (cap, 7) filled with block row, number in the block, first octet, octet after, profile, SAC, SIC; a cap of
        half the octets of the largest block at least
    items : (cap, fields) filled with the octet where each item begins, from the record's first; 0 absent
    refused : (blocks, 5) filled with block row, number of the record, field (-1 the FSPEC), octet, reason

    Returns
    -------
    blocks walked (first_block + those that fit `records`), records, refusals

    Notes
    -----
    A radar sends few different FSPECs: which fields one names is kept under it in a small table (direct mapped, 64
    rows), so that its bits are looked at once and not in every record.
    """
    cap, count, bad = len(records), 0, 0
    known = np.full(65, -1, np.int64)
    listed = np.empty((65, 7 * FSPEC_OCTETS_MAX + 1), np.int64)
    chooser = selector[0] if len(selector) > 0 else -1
    for row in range(first_block, len(blocks)):
        at, end = blocks[row, 2], blocks[row, 3]
        if count + (end - at) // 2 > cap:  # no record is shorter than two octets
            return row, count, bad
        number = 0
        profile: Any = 0
        source_sac: Any = -1
        source_sic: Any = -1
        while at < end:
            start = at
            reason, field = OK, -1
            key: Any = np.int64(0)
            while True:  # the FSPEC
                if at >= end:
                    reason = TOO_SHORT
                    break
                if at - start >= FSPEC_OCTETS_MAX:
                    reason = FSPEC_LONG
                    break
                key = (key << 8) | np.int64(data[at])
                at += 1
                if data[at - 1] & 1 == 0:
                    break
            if reason == OK and at == start + 1 and data[start] == 0:
                reason = EMPTY
            if reason == OK:
                for slot in range(fields):
                    items[count, slot] = 0
                # Up to eight octets are the key itself; a longer FSPEC is listed anew each time.
                place = (key ^ (key >> 15) ^ (key >> 33)) & 63 if at - start <= 8 else 64
                if place == 64 or known[place] != key:
                    list_fields(data, start, at, fields, listed[place])
                    known[place] = key
                for index in range(1, listed[place, 0] + 1):
                    field = listed[place, index]
                    if field >= fields:
                        reason = NOT_DEFINED
                        break
                    items[count, field] = at - start
                    node = profile * fields + field
                    kind = nodes[node, 0]
                    if kind == 1:
                        after = at + nodes[node, 1]
                        if after > end:
                            after = -1
                    elif kind == 6:
                        after = compound_end(data, at, end, nodes[node, 1], nodes[node, 2], nodes, chunks, -1)
                    else:
                        after = simple_end(data, at, end, kind, nodes[node, 1], nodes[node, 2], chunks)
                    if after < 0:
                        reason = -after
                        break
                    if field == source_field:
                        source_sac, source_sic = np.int64(data[at]), np.int64(data[at + 1])
                    if field == chooser:
                        value = (np.int64(data[at + selector[1]]) >> selector[2]) & selector[3]
                        if value < len(profile_of) and profile_of[value] >= 0:
                            profile = profile_of[value]
                    at = after
            if reason != OK:
                refused[bad, 0], refused[bad, 1], refused[bad, 2] = row, number, field
                refused[bad, 3], refused[bad, 4] = at, reason
                bad += 1
                break
            records[count, 0], records[count, 1], records[count, 2], records[count, 3] = row, number, start, at
            records[count, 4], records[count, 5], records[count, 6] = profile, source_sac, source_sic
            count += 1
            number += 1
    return len(blocks), count, bad


@kernel
def take_columns(data: Octets, records: Table, items: npt.NDArray[np.uint16], nodes: Table, chunks: Table,
                 places: Table, lsb: Floats, columns: Floats) -> None:
    """Fill `columns` (c, n) with elements of the records (n, 7); NaN where a record has none.

    places : (profiles, c, 10): field (-1: not in this profile), sub-item of a compound (-1: none), node of its first
        sub-item, how many it has, first chunk of an extended item (-1: none), chunks before, octet, octets, shift,
        bits (negative: two's complement)

    Notes
    -----
    Taken in strips of records that fit the cache nearest to the core: all columns of a strip before the next strip.
    """
    for first in range(0, columns.shape[1], STRIP):
        last = min(first + STRIP, columns.shape[1])
        for profile in range(places.shape[0]):
            for column in range(columns.shape[0]):
                field, child, sub_first, sub_count = (places[profile, column, 0], places[profile, column, 1],
                                                      places[profile, column, 2], places[profile, column, 3])
                chunk_first, chunk_count = places[profile, column, 4], places[profile, column, 5]
                skip, octets, shift = (places[profile, column, 6], places[profile, column, 7],
                                       places[profile, column, 8])
                signed, bits = places[profile, column, 9] < 0, abs(places[profile, column, 9])
                mask, factor = (np.int64(1) << bits) - 1, lsb[column]
                half = np.int64(1) << (bits - 1)
                for row in range(first, last):
                    if records[row, 4] != profile:
                        continue
                    columns[column, row] = np.nan
                    if field < 0 or items[row, field] == 0:
                        continue
                    at = records[row, 2] + items[row, field]
                    if child >= 0:
                        at = compound_end(data, at, records[row, 3], sub_first, sub_count, nodes, chunks, child)
                        if at <= 0:
                            continue
                    if chunk_count > 0:
                        present = True
                        for chunk in range(chunk_first, chunk_first + chunk_count):
                            at += chunks[chunk, 0]
                            if data[at - 1] & 1 == 0:
                                present = False
                                break
                        if not present:
                            continue
                    at += skip
                    value: Any = np.int64(data[at])
                    for octet in range(at + 1, at + octets):
                        value = (value << 8) | np.int64(data[octet])
                    value = (value >> shift) & mask
                    if signed:
                        value = (value ^ half) - half
                    columns[column, row] = value * factor

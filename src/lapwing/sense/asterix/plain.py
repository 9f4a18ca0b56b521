"""The slow twin of `kernels`: the same records and columns, item by item in plain Python.

It decodes while the kernels are being compiled or loaded, where Numba does not work, and as what the tests compare
with. Its numbers are equal to the kernels' to the last bit: the same count, multiplied once by the same factor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.sense.asterix import kernels
from lapwing.sense.asterix.layout import CHAINED, COMPOUND, COUNTED, EXPLICIT, EXTENDED, FIXED, RFS, UNDEFINED, Layout

Table = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Spans = dict[int, tuple[int, int]]   # node -> where its item begins and ends, from the record's first octet


class _Broken(Exception):
    """A record that cannot be read further; its reason."""

    def __init__(self, reason: int) -> None:
        super().__init__(reason)
        self.reason = reason


def cut_blocks(data: bytes, starts: Table, ends: Table, blocks: Table, refused: Table) -> tuple[int, int]:
    """As `kernels.cut_blocks`."""
    count, bad = 0, 0
    for datagram, (at, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        while at < end:
            length = data[at + 1] << 8 | data[at + 2] if at + 3 <= end else 0
            if length < 3 or at + length > end:
                refused[bad] = datagram, at, kernels.TRAILING if at + 3 > end else kernels.BLOCK_LENGTH
                bad += 1
                break
            first, stop = at + 3, at + length
            source = -1, -1
            if first < stop and data[first] & 0x80:
                body = first
                while body < stop and data[body] & 1 and body - first < kernels.FSPEC_OCTETS_MAX:
                    body += 1
                if body + 3 <= stop:
                    source = data[body + 1], data[body + 2]
            blocks[count] = datagram, data[at], first, stop, *source
            count += 1
            at = stop
    return count, bad


def _presence(data: bytes, at: int, end: int) -> tuple[list[int], int]:
    """Return the numbers (from 0) that presence octets name, and the octet after."""
    numbers: list[int] = []
    for count in range(kernels.FSPEC_OCTETS_MAX):
        if at >= end:
            raise _Broken(kernels.TOO_SHORT)
        numbers += [count * 7 + bit for bit in range(7) if data[at] & 0x80 >> bit]
        at += 1
        if not data[at - 1] & 1:
            return numbers, at
    raise _Broken(kernels.FSPEC_LONG if at < end else kernels.TOO_SHORT)


def _end(data: bytes, at: int, end: int, node: list[int], chunks: list[list[int]]) -> int:
    """Return the octet after an item that is not compound."""
    kind, a, b = node
    after = at
    if kind == FIXED:
        after = at + a
    elif kind == EXTENDED:
        for octets, fx in chunks[a : a + b]:
            after += octets
            if after > end or not fx or not data[after - 1] & 1:
                break
        else:
            while after < end:  # octets of a newer edition
                after += 1
                if not data[after - 1] & 1:
                    break
            else:
                raise _Broken(kernels.TOO_SHORT)
    elif kind == COUNTED:
        after = at + a + int.from_bytes(data[at : at + a], "big") * b if at + a <= end else end + 1
    elif kind == CHAINED:
        after += b
        while after <= end and data[after - 1] & 1:
            after += b
    elif kind == EXPLICIT:
        after = at + data[at] if at < end else end + 1
        if after == at:
            raise _Broken(kernels.BAD_LENGTH)
    else:
        raise _Broken(kernels.NOT_DEFINED)
    if after > end:
        raise _Broken(kernels.TOO_SHORT)
    return after


def _random(data: bytes, start: int, at: int, end: int, table: Layout, profile: int, spans: Spans) -> int:
    """Return the octet after fields in any order; those that have no place yet get theirs."""
    nodes, chunks = table.rows
    if at >= end:
        raise _Broken(kernels.TOO_SHORT)
    count, at = data[at], at + 1
    for _ in range(count):
        if at >= end:
            raise _Broken(kernels.TOO_SHORT)
        node = profile * table.fields + data[at] - 1
        if not 0 < data[at] <= table.fields or nodes[node][0] in (UNDEFINED, RFS):
            raise _Broken(kernels.NOT_DEFINED)
        if nodes[node][0] == COMPOUND:
            raise _Broken(kernels.LEFT_TO_READER)
        after = _end(data, at + 1, end, nodes[node], chunks)
        spans.setdefault(node, (at + 1 - start, after - start))
        at = after
    return at


def _record(data: bytes, start: int, end: int, table: Layout, profile: int) -> tuple[Spans, int, int]:
    """Return where the items of the record lie, the octet after it, and its profile."""
    nodes, chunks = table.rows
    spans: Spans = {}
    numbers, at = _presence(data, start, end)
    if at == start + 1 and data[start] == 0:
        raise _Broken(kernels.EMPTY)
    for number in numbers:
        if number >= table.fields:
            raise _Broken(kernels.NOT_DEFINED)
        node, begin = profile * table.fields + number, at
        if nodes[node][0] == COMPOUND:
            _, first, count = nodes[node]
            children, at = _presence(data, at, end)
            for child in children:
                if child >= count:
                    raise _Broken(kernels.NOT_DEFINED)
                after = _end(data, at, end, nodes[first + child], chunks)
                spans[first + child] = at - start, after - start
                at = after
        elif nodes[node][0] == RFS:
            at = _random(data, start, at, end, table, profile, spans)
        else:
            at = _end(data, at, end, nodes[node], chunks)
        spans[node] = begin - start, at - start
        if len(table.selector) and number == table.selector[0]:
            _, octet, shift, mask = table.selector.tolist()
            chosen = int(table.profile_of[data[begin + octet] >> shift & mask])
            if chosen not in (-1, profile):
                spans = {k % table.fields + chosen * table.fields: v for k, v in spans.items()}
                profile = chosen
    return spans, at, profile


def walk(data: bytes, blocks: Table, table: Layout) -> tuple[Table, Table, list[Spans], list[int], list[list[int]]]:
    """Return the records as `kernels.walk` fills them (every one its own shape), starts and profile of each, spans,
    and rows of what was refused."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    lengths: list[int] = []
    spans: list[Spans] = []
    profiles: list[int] = []
    refused: list[list[int]] = []
    for block, (at, end) in enumerate(blocks[:, 2:4].tolist()):
        number, profile, source = 0, 0, (-1, -1)
        while at < end:
            try:
                found, after, profile = _record(data, at, end, table, profile)
            except _Broken as error:
                refused.append([block, number, at, profile, error.reason])
                break
            place = found.get(profile * table.fields + table.source_field) if table.source_field >= 0 else None
            if place is not None:
                source = data[at + place[0]], data[at + place[0] + 1]
            rows.append((block, number, at, len(rows), *source))
            lengths.append(after - at)
            spans.append(found)
            profiles.append(profile)
            at, number = after, number + 1
    records = np.array(rows, np.int64).reshape(-1, kernels.RECORD_ROWS).T
    return records, np.array(lengths, np.int64), spans, profiles, refused


def take_columns(data: bytes, first_octet: list[int], spans: list[Spans], profiles: list[int], columns_at: Table,
                 lsb: Floats) -> Floats:
    """Return the columns as `column_kernels.take_columns` fills them."""
    columns = np.full((columns_at.shape[1], len(spans)), np.nan)
    at, factors = columns_at.tolist(), lsb.tolist()
    for record, (first, items, profile) in enumerate(zip(first_octet, spans, profiles, strict=True)):
        for column, (node, need, skip, lead, bits) in enumerate(at[profile]):
            span = items.get(node)
            if span is None or span[1] - span[0] < need:
                continue
            size = abs(bits)
            begin = first + span[0] + skip
            octets = (lead + size + 7) // 8
            raw = int.from_bytes(data[begin : begin + octets], "big") >> octets * 8 - lead - size & (1 << size) - 1
            if bits < 0 and raw >> size - 1:
                raw -= 1 << size
            columns[column, record] = raw * factors[profile][column]
    return columns

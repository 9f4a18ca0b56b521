"""Kernels of the columnar decoder: elements of records -> columns of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel
from lapwing.sense.asterix.kernels import PROFILE, WHERE

Table = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.uint16]
Words = npt.NDArray[np.uint64]

STRIP = 1_024        # records whose columns are taken together
WORD_OCTETS = 8      # octets read at once: so many more must follow the data
# Columns of `columns_at`
NODE, NEED, SKIP, LEAD, BITS = range(5)


@kernel
def big_endian(word: Any) -> Any:
    """Return the eight octets of a little-endian word, the first as the highest (compiles to one instruction)."""
    low = np.uint64(0x00FF00FF00FF00FF)
    word = ((word & low) << np.uint64(8)) | ((word >> np.uint64(8)) & low)
    pairs = np.uint64(0x0000FFFF0000FFFF)
    word = ((word & pairs) << np.uint64(16)) | ((word >> np.uint64(16)) & pairs)
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@kernel
def take_run(words: Words, first_octet: Words, offset: Any, lead: int, bits: int, factor: float, out: Floats) -> None:
    """Fill `out` (n,) with one element of records that follow each other and have it at the same octet."""
    before = np.uint64(lead)
    if bits < 0:
        down = np.int64(64 + bits)
        for index in range(len(out)):
            out[index] = (np.int64(big_endian(words[first_octet[index] + offset]) << before) >> down) * factor
    else:
        up = np.uint64(64 - bits)
        for index in range(len(out)):
            out[index] = np.int64((big_endian(words[first_octet[index] + offset]) << before) >> up) * factor


@kernel
def take_columns(words: Words, first_octet: Words, shape: Table, profile: Table, starts: Places, ends: Places,
                 columns_at: Table, lsb: Floats, columns: Floats) -> None:
    """Fill `columns` (c, n) with elements of the records; NaN where a record has none.

    Parameters
    ----------
    words : (m,) the eight octets from every octet of the data on, as little-endian numbers; eight octets follow the
        data, so that no load passes the buffer. What lies behind an element is shifted out: no value depends on it.
    first_octet, shape : (n,) of each record
    profile, starts, ends : (s,), (s, nodes), (s, nodes) of each shape
    columns_at : (profiles, c, 5) node (-1: not in this profile), octets that the node must have, octets before the
        element, bits before it in its first octet, bits (negative: two's complement)
    lsb : (profiles, c) value of one count

    Notes
    -----
    Taken in strips of records that fit the cache nearest to the core; in a strip the records of one shape together.
    """
    shapes, wanted, count = len(profile), columns_at.shape[1], len(shape)
    offsets = np.empty((shapes, wanted), np.int64)
    for each in range(shapes):
        for column in range(wanted):
            row = columns_at[profile[each], column]
            node = row[NODE]
            offsets[each, column] = -1
            if node >= 0 and starts[each, node] > 0:
                begin = np.int64(starts[each, node])
                if np.int64(ends[each, node]) - begin >= row[NEED]:
                    offsets[each, column] = begin + row[SKIP]
    head = np.full(shapes, -1, np.int64)
    following = np.empty(STRIP, np.int64)
    rows = np.empty(STRIP, np.uint32)
    seen = np.empty(STRIP, np.int64)
    cuts = np.empty(STRIP + 1, np.int64)
    for first in range(0, count, STRIP):
        last = min(first + STRIP, count)
        groups = 0
        for index in range(last - 1, first - 1, -1):
            each = shape[index]
            if head[each] < 0:
                seen[groups] = each
                groups += 1
            following[index - first] = head[each]
            head[each] = index
        filled = 0
        for group in range(groups):
            cuts[group] = filled
            index = head[seen[group]]
            while index >= 0:
                rows[filled] = index
                filled += 1
                index = following[index - first]
            head[seen[group]] = -1
        cuts[groups] = filled
        for column in range(wanted):
            out = columns[column]
            missing = 0
            for group in range(groups):
                missing += offsets[seen[group], column] < 0
            if missing == groups:
                out[first:last] = np.nan
                continue
            if groups == 1:        # records of one shape need no list of who is meant
                each, offset = profile[seen[0]], offsets[seen[0], column]
                take_run(words, first_octet[first:last], np.uint64(offset), columns_at[each, column, LEAD],
                         columns_at[each, column, BITS], lsb[each, column], out[first:last])
                continue
            for group in range(groups):
                offset = offsets[seen[group], column]
                low, high = cuts[group], cuts[group + 1]
                if offset < 0:
                    for index in range(np.uint64(low), np.uint64(high)):
                        out[rows[index]] = np.nan
                    continue
                each = profile[seen[group]]
                factor, bits = lsb[each, column], columns_at[each, column, BITS]
                lead, from_start = np.uint64(columns_at[each, column, LEAD]), np.uint64(offset)
                if bits < 0:
                    down = np.int64(64 + bits)
                    for index in range(np.uint64(low), np.uint64(high)):
                        record = rows[index]
                        word = big_endian(words[first_octet[record] + from_start])
                        out[record] = (np.int64(word << lead) >> down) * factor
                else:
                    up = np.uint64(64 - bits)
                    for index in range(np.uint64(low), np.uint64(high)):
                        record = rows[index]
                        word = big_endian(words[first_octet[record] + from_start])
                        out[record] = np.int64((word << lead) >> up) * factor


@kernel
def take_shapes(used: Table, states: Table, all_starts: Places, all_ends: Places, profiles: Table, lengths: Table, starts: Places,
                ends: Places) -> None:
    """Copy what is kept of the shapes that were used: profile, length, and where each item lies."""
    for shape in range(len(profiles)):
        state = used[shape]
        profiles[shape], lengths[shape] = states[state, PROFILE], states[state, WHERE]
        for node in range(starts.shape[1]):
            starts[shape, node], ends[shape, node] = all_starts[state, node], all_ends[state, node]

"""Kernels of the columnar decoder: cut datagrams into blocks, walk their records (`column_kernels` takes the columns).

A radar sends few kinds of record. Two records have the same *shape* if their presence bits and the lengths of their
variable items are equal: then every item lies at the same octet in both. So the walk follows a small automaton: a state
is a place in a record where the next item's length must be looked at, and what was seen there (presence octets, a
length) leads to the next state. All items of fixed size between two such places are passed in one addition, and a
record's last state is its shape, under which all offsets are kept once. States are made when first needed.

Each kernel reads only ``data[start:end]`` of its block; whatever would pass the end is refused with a code. The slow
twin is `plain`, with which the tests compare every column of every recording.

Longer than 400 lines: the kernels call each other, and a walk is read from top to bottom.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Octets = npt.NDArray[np.uint8]
Table = npt.NDArray[np.int64]
Places = npt.NDArray[np.uint16]

# Reasons, as `decode.REASONS` names them
OK, TOO_SHORT, NOT_DEFINED, BAD_LENGTH, FSPEC_LONG, LEFT_TO_READER, TRAILING, BLOCK_LENGTH, EMPTY = range(9)
FSPEC_OCTETS_MAX = 16
KEY_OCTETS = 7           # presence octets that fit the key of a transition; longer ones make a state of their own

# Columns of `states`: the node to look at and its row, where it begins, the profile, how many items are left after it,
# what was seen there last and the state it led to, where the source identifier lies (0: absent)
OP, KIND, A, B, WHERE, TOKEN, NEXT, SOURCE, PROFILE, LEFT = range(10)
STATE_COLUMNS = 10
COMPLETE, REFUSES = -1, -2   # values of OP beside the node of a variable item
# Rows of `records`
BLOCK, NUMBER, START, SHAPE, SAC, SIC = range(6)
RECORD_ROWS = 6
FREE = np.int64(-9_000_000_000)  # of a row of `table` that is not taken: no state has this number


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
def variable_end(data: Octets, at: Any, end: int, kind: int, a: int, b: int, chunks: Table) -> Any:
    """Return the octet after an item of variable length that is not compound, or minus a reason."""
    if kind == 2:
        for row in range(a, a + b):
            at += chunks[row, 0]
            if at > end:
                return -TOO_SHORT
            if chunks[row, 1] == 0 or data[at - 1] & 1 == 0:
                return at
        while at < end:  # octets of a newer edition, chained by their last bit
            at += 1
            if data[at - 1] & 1 == 0:
                return at
        return -TOO_SHORT
    if kind == 3:
        if at + a > end:
            return -TOO_SHORT
        count: Any = 0
        for place in range(at, at + a):
            count = count * 256 + np.int64(data[place])
        at += a + count * b
        return at if at <= end else -TOO_SHORT
    if kind == 4:
        while True:
            at += b
            if at > end:
                return -TOO_SHORT
            if data[at - 1] & 1 == 0:
                return at
    if kind == 5:
        if at >= end:
            return -TOO_SHORT
        if data[at] == 0:
            return -BAD_LENGTH
        return at + np.int64(data[at]) if at + np.int64(data[at]) <= end else -TOO_SHORT
    if kind == 1:
        return at + a if at + a <= end else -TOO_SHORT
    return -NOT_DEFINED


@kernel
def find_place(table: Table, state: int, token: int) -> Any:
    """Return the row of `table` (state, token, next) with this key, or the free row where it belongs."""
    mask = len(table) - 1
    mixed = (np.int64(state) * np.int64(0x9E3779B1)) ^ (np.int64(token) * np.int64(0x85EBCA77))
    place = (mixed ^ (mixed >> 29)) & mask
    while table[place, 0] != FREE and not (table[place, 0] == state and table[place, 1] == token):
        place = (place + 1) & mask
    return place


@kernel
def pass_fixed(state: int, position: int, nodes: Table, states: Table, todo: npt.NDArray[np.int32], starts: Places,
               ends: Places, chooser: int, fields: int, source_field: int) -> None:
    """Pass the items of fixed size that a state has to do first; it stops at a variable one, or is complete.

    The chooser of the profile stops it too, whatever its size: its value must be looked at.
    """
    left, taken = states[state, LEFT], 0
    operation = COMPLETE
    while taken < left:
        node = todo[state, taken]
        taken += 1
        if node < 0 or nodes[node, 0] == 0:
            operation = REFUSES
            break
        starts[state, node] = position
        if nodes[node, 0] != 1 or (chooser >= 0 and node == states[state, PROFILE] * fields + chooser):
            operation = node
            break
        position += nodes[node, 1]
        ends[state, node] = position
    for index in range(taken, left):
        todo[state, index - taken] = todo[state, index]
    states[state, LEFT], states[state, OP], states[state, WHERE] = left - taken, operation, position
    states[state, TOKEN], states[state, NEXT], states[state, SOURCE] = -1, -1, 0
    if operation >= 0:
        for column in range(3):
            states[state, KIND + column] = nodes[operation, column]
    elif source_field >= 0:
        states[state, SOURCE] = starts[state, states[state, PROFILE] * fields + source_field]


@kernel
def add_root(data: Octets, start: int, body: int, profile: int, state: int, nodes: Table, fields: int, chooser: int,
             source_field: int, states: Table, todo: npt.NDArray[np.int32], starts: Places, ends: Places) -> None:
    """Make the state that follows the presence octets of a record."""
    left, field = 0, 0
    for octet in range(start, body):
        for bit in range(7):
            if data[octet] & (0x80 >> bit):
                todo[state, left] = profile * fields + field if field < fields else -1
                left += 1
                if field >= fields:
                    break
            field += 1
    starts[state, :] = 0
    ends[state, :] = 0
    states[state, LEFT], states[state, PROFILE] = left, profile
    pass_fixed(state, body - start, nodes, states, todo, starts, ends, chooser, fields, source_field)


@kernel
def add_next(data: Octets, at: int, after: int, profile: int, before: int, state: int, nodes: Table, fields: int,
             chooser: int, source_field: int, states: Table, todo: npt.NDArray[np.int32], starts: Places, ends: Places) -> None:
    """Make the state that follows `before`, where its item (of a compound one: its presence octets) is data[at:after]."""
    operation = states[before, OP]
    starts[state, :] = starts[before, :]
    ends[state, :] = ends[before, :]
    ends[state, operation] = states[before, WHERE] + after - at
    left = 0
    if nodes[operation, 0] == 6:
        number = 0
        for octet in range(at, after):
            for bit in range(7):
                if data[octet] & (0x80 >> bit):
                    known = number < nodes[operation, 2]
                    todo[state, left] = nodes[operation, 1] + number if known else -1
                    left += 1
                    if not known:
                        break
                number += 1
    old = states[before, PROFILE]
    for index in range(states[before, LEFT]):
        node = todo[before, index]
        if profile != old and node >= 0 and node // fields == old:
            node += (profile - old) * fields
        todo[state, left] = node
        left += 1
    if profile != old:  # what was passed lies alike in both profiles, up to the chooser
        for field in range(fields):
            starts[state, profile * fields + field] = starts[state, old * fields + field]
            ends[state, profile * fields + field] = ends[state, old * fields + field]
            starts[state, old * fields + field] = 0
            ends[state, old * fields + field] = 0
    states[state, LEFT], states[state, PROFILE] = left, profile
    pass_fixed(state, states[before, WHERE] + after - at, nodes, states, todo, starts, ends, chooser, fields, source_field)


@kernel
def random_end(data: Octets, at: Any, end: int, profile: int, fields: int, nodes: Table, chunks: Table, origin: Any, starts: Places,
               ends: Places) -> Any:
    """Return the octet after fields in any order (a count, then field number and item each), or minus a reason.

    starts, ends : (nodes,) of a state; filled from the octet `origin` of the record on for items that have no place yet. Empty: not
    """
    if at >= end:
        return -TOO_SHORT
    count: Any = np.int64(data[at])
    at += 1
    for _ in range(count):
        if at >= end:
            return -TOO_SHORT
        field: Any = np.int64(data[at]) - 1
        if field < 0 or field >= fields:
            return -NOT_DEFINED
        node = profile * fields + field
        kind = nodes[node, 0]
        if kind == 0 or kind == 7:
            return -NOT_DEFINED
        if kind == 6:
            return -LEFT_TO_READER
        begin = at + 1
        at = variable_end(data, begin, end, kind, nodes[node, 1], nodes[node, 2], chunks)
        if at < 0:
            return at
        if len(starts) > 0 and starts[node] == 0:
            starts[node], ends[node] = begin - origin, at - origin
    return at


@kernel
def walk(data: Octets, blocks: Table, first_block: int, nodes: Table, chunks: Table, fields: int, source_field: int,
         selector: Table, profile_of: Table, states: Table, todo: npt.NDArray[np.int32], starts: Places, ends: Places,
         table: Table, local: Table, used: Table, counts: Table, records: Table, refused: Table) -> tuple[int, int, int]:
    """Find the records of blocks of one edition.

    Parameters
    ----------
    blocks : as of `cut_blocks`; walked from row `first_block`
    states, todo, starts, ends, table : the automaton so far (`shapes.Shapes`); `table` has a power of two of rows
    local, used : state -> number of the shape in this call (-1: none yet), and back
    counts : how many states, and shapes used, there are
    records : (6, cap) filled with block row, number in the block, first octet, shape, SAC, SIC
    refused : (blocks, 5) filled with block row, number of the record, its first octet, profile, reason

    Returns
    -------
    blocks walked (those that fit `records` and `states`), records, refusals
    """
    cap, count, bad = records.shape[1], 0, 0
    states_max = len(states)
    chooser = selector[0] if len(selector) > 0 else -1
    last_key: Any = np.int64(0)  # the presence octets before, and the state that they lead to
    last_profile: Any = -1
    last_root: Any = 0
    for row in range(first_block, len(blocks)):
        at, end = blocks[row, 2], blocks[row, 3]
        if count + (end - at) // 2 > cap:  # no record is shorter than two octets
            return row, count, bad
        before = count
        number = 0
        profile: Any = 0
        sac: Any = -1
        sic: Any = -1
        while at < end:
            start, reason = at, OK
            key: Any = np.int64(data[at])
            at += 1
            while data[at - 1] & 1:
                if at >= end:
                    reason = TOO_SHORT
                    break
                if at - start >= FSPEC_OCTETS_MAX:
                    reason = FSPEC_LONG
                    break
                key = (key << 8) | np.int64(data[at])
                at += 1
            if key == 0 and at == start + 1:
                reason = EMPTY
            if reason == OK:
                if counts[0] + 2 > states_max:
                    return row, before, bad
                state: Any = last_root
                if at - start > KEY_OCTETS:
                    state = counts[0]
                    counts[0] += 1
                    add_root(data, start, at, profile, state, nodes, fields, chooser, source_field, states, todo,
                             starts, ends)
                elif key != last_key or profile != last_profile:
                    place = find_place(table, -1 - profile, key)
                    if table[place, 0] == FREE:
                        state = counts[0]
                        counts[0] += 1
                        add_root(data, start, at, profile, state, nodes, fields, chooser, source_field, states, todo,
                             starts, ends)
                        table[place, 0], table[place, 1], table[place, 2] = -1 - profile, key, state
                    state = table[place, 2]
                    last_key, last_profile, last_root = key, profile, state
                while True:
                    node = states[state, OP]
                    at = start + states[state, WHERE]
                    if at > end:
                        reason = TOO_SHORT
                        break
                    if node < 0:
                        if node == REFUSES:
                            reason = NOT_DEFINED
                        break
                    kind = states[state, KIND]
                    token: Any = np.int64(0)
                    after: Any = at
                    if kind == 7:     # every such record is its own state: what it holds fits no key
                        after = random_end(data, at, end, profile, fields, nodes, chunks, start, starts[0, :0], ends[0, :0])
                        if after < 0:
                            reason = -after
                            break
                        if counts[0] + 2 > states_max:
                            return row, before, bad
                        own = counts[0]
                        counts[0] += 1
                        add_next(data, at, after, profile, state, own, nodes, fields, chooser, source_field, states, todo, starts, ends)
                        random_end(data, at, end, profile, fields, nodes, chunks, start, starts[own], ends[own])
                        if states[own, OP] == COMPLETE and source_field >= 0:
                            states[own, SOURCE] = starts[own, profile * fields + source_field]
                        state = own
                        continue
                    if kind == 4 and states[state, B] == 1:  # octets chained by their last bit: the most usual
                        while True:
                            if after >= end:
                                reason = TOO_SHORT
                                break
                            after += 1
                            if data[after - 1] & 1 == 0:
                                break
                        if reason != OK:
                            break
                        token = after - at
                    elif kind == 6:  # the presence octets of a compound item
                        while True:
                            if after >= end:
                                reason = TOO_SHORT
                                break
                            if after - at >= FSPEC_OCTETS_MAX:
                                reason = FSPEC_LONG
                                break
                            token = (token << 8) | np.int64(data[after])
                            after += 1
                            if data[after - 1] & 1 == 0:
                                break
                        if reason != OK:
                            break
                    else:
                        after = variable_end(data, at, end, kind, states[state, A], states[state, B], chunks)
                        if after < 0:
                            reason = -after
                            break
                        token = after - at
                    if chooser >= 0 and node == profile * fields + chooser:
                        value = (np.int64(data[at + selector[1]]) >> selector[2]) & selector[3]
                        if value < len(profile_of) and profile_of[value] >= 0:
                            profile = profile_of[value]
                        token |= profile << 40
                    if token == states[state, TOKEN]:
                        state = states[state, NEXT]
                        continue
                    if counts[0] + 2 > states_max:
                        return row, before, bad
                    if after - at > KEY_OCTETS and kind == 6:
                        add_next(data, at, after, profile, state, counts[0], nodes, fields, chooser, source_field, states, todo,
                                 starts, ends)
                        state = counts[0]
                        counts[0] += 1
                        continue
                    place = find_place(table, state, token)
                    if table[place, 0] == FREE:
                        add_next(data, at, after, profile, state, counts[0], nodes, fields, chooser, source_field, states, todo,
                                 starts, ends)
                        table[place, 0], table[place, 1], table[place, 2] = state, token, counts[0]
                        counts[0] += 1
                    states[state, TOKEN], states[state, NEXT] = token, table[place, 2]
                    state = table[place, 2]
            if reason != OK:
                refused[bad, 0], refused[bad, 1], refused[bad, 2] = row, number, start
                refused[bad, 3], refused[bad, 4] = profile, reason
                bad += 1
                break
            source = states[state, SOURCE]
            if source > 0:
                sac, sic = np.int64(data[start + source]), np.int64(data[start + source + 1])
            if local[state] < 0:
                local[state], used[counts[1]] = counts[1], state
                counts[1] += 1
            records[BLOCK, count], records[NUMBER, count], records[START, count] = row, number, start
            records[SHAPE, count], records[SAC, count], records[SIC, count] = local[state], sac, sic
            count += 1
            number += 1
    return len(blocks), count, bad

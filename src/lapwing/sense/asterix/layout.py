"""An edition as flat number arrays, which the kernels walk: where items begin and how long they are.

One row of `nodes` is one item or sub-item: (kind, a, b)::

    UNDEFINED                     a record that has it is refused
    FIXED       a octets
    EXTENDED    a first row of `chunks`, b rows; a row is (octets, has FX). Of octets alone: CHAINED
    COUNTED     a octets of the count, b octets each
    CHAINED     b octets each, the last bit of which says whether another follows
    EXPLICIT    a length octet that counts itself
    COMPOUND    a first row of `nodes`, b rows: its sub-items (never compound themselves)
    RFS         fields in any order: a count, then field number and item each

The first rows of `nodes` are the fields of the first profile, then those of the second, `fields` each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from lapwing.sense.asterix.tables import (
    Compound,
    Definition,
    Edition,
    Element,
    Explicit,
    Extended,
    Group,
    Item,
    Repetitive,
    edition,
)

UNDEFINED, FIXED, EXTENDED, COUNTED, CHAINED, EXPLICIT, COMPOUND, RFS = range(8)

Table = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrays of one edition."""

    edition: Edition
    nodes: Table               # (m, 3)
    chunks: Table              # (k, 2)
    fields: int                # fields of a profile, a multiple of 7
    source_field: int          # of item 010 with SAC and SIC; -1 none
    selector: Table            # (field, octet, shift, mask) of the value that chooses the profile; empty: one profile
    profile_of: Table          # that value -> profile; -1 unknown

    rows: tuple[list[list[int]], list[list[int]]]   # nodes and chunks once more, for the plain twin

    def field(self, profile: int, item: str) -> int:
        """Return the place of an item in a profile, or -1."""
        places = self.edition.profiles[profile][1]
        return next((i for i, p in enumerate(places) if isinstance(p, Item) and p.name == item), -1)


def _node(definition: Definition, nodes: list[list[int]], chunks: list[list[int]]) -> list[int]:
    if isinstance(definition, Extended):
        if all(chunk.octets == 1 and chunk.fx for chunk in definition.chunks):
            return [CHAINED, 0, 1]  # as long, and quicker to pass
        start = len(chunks)
        chunks += [[chunk.octets, int(chunk.fx)] for chunk in definition.chunks]
        return [EXTENDED, start, len(definition.chunks)]
    if isinstance(definition, Repetitive):
        if definition.count_octets:
            return [COUNTED, definition.count_octets, definition.of.bits // 8]
        return [CHAINED, 0, (definition.of.bits + 1) // 8]
    if isinstance(definition, Explicit):
        return [EXPLICIT, 0, 0]
    if isinstance(definition, Compound):
        rows = []
        for item in definition.items:
            assert item is None or not isinstance(item.definition, Compound), "no compound within a compound"
            rows.append([UNDEFINED, 0, 0] if item is None else _node(item.definition, nodes, chunks))
        start = len(nodes)
        nodes += rows
        return [COMPOUND, start, len(rows)]
    return [FIXED, definition.bits // 8, 0]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bits of an element lie in an item that is not compound."""

    chunk: int        # of an extended item; 0 elsewhere
    octet: int        # first octet, from the beginning of the item or chunk
    octets: int       # so many to read
    shift: int        # then shift right by
    bits: int
    element: Element


def place_of(definition: Definition, path: tuple[str, ...]) -> Place:
    """Return where a sub-item lies. KeyError where the item has none of that path, or it has no fixed place."""
    if isinstance(definition, Extended):
        for number, chunk in enumerate(definition.chunks):
            if path and path[0] in [part.name for part in chunk.parts]:
                return _within(Group(0, chunk.parts), path, number)
        raise KeyError(path)
    return _within(definition, path, 0)


def _within(definition: Definition, path: tuple[str, ...], chunk: int) -> Place:
    start = 0
    while not isinstance(definition, Element):
        if not isinstance(definition, Group) or not path:
            raise KeyError(path)
        for part in definition.parts:
            if part.name == path[0] and part.definition is not None:
                definition, path = part.definition, path[1:]
                break
            start += part.bits
        else:
            raise KeyError(path)
    if path:
        raise KeyError(path)
    last = start + definition.bits
    return Place(chunk, start // 8, -(-last // 8) - start // 8, -last % 8, definition.bits, definition)


def _selector(table: Edition) -> tuple[list[int], list[int]]:
    """Return (field, octet, shift, mask) of the value that chooses the profile, and value -> profile (-1 unknown)."""
    if table.selector is None:
        return [], []
    name, *rest = table.selector.path
    first = table.profiles[0][1]
    field, item = next((i, p) for i, p in enumerate(first) if isinstance(p, Item) and p.name == name)
    for _, places in table.profiles:  # the kernel reads it before it knows the profile
        assert places[: field + 1] == first[: field + 1]
    place = place_of(item.definition, tuple(rest))
    assert place.octets == 1 and place.chunk == 0
    choices = dict(table.selector.choices)
    names = [profile for profile, _ in table.profiles]
    return ([field, place.octet, place.shift, (1 << place.bits) - 1],
            [names.index(choices[v]) if v in choices else -1 for v in range(1 << place.bits)])


@cache
def layout(category: int, name: str) -> Layout:
    """Return the arrays of an edition. UnknownEdition where there is none."""
    table = edition(category, name)
    fields = -(-max(len(places) for _, places in table.profiles) // 7) * 7
    nodes: list[list[int]] = [[UNDEFINED, 0, 0] for _ in range(fields * len(table.profiles))]
    chunks: list[list[int]] = []
    for profile, (_, places) in enumerate(table.profiles):
        for index, place in enumerate(places):
            if isinstance(place, Item):
                nodes[profile * fields + index] = _node(place.definition, nodes, chunks)
            elif place is not None:
                nodes[profile * fields + index] = [RFS, 0, 0]
    selector, profile_of = _selector(table)
    first = table.profiles[0][1]
    source = next((i for i, p in enumerate(first) if isinstance(p, Item) and p.name == "010"
                   and isinstance(p.definition, Group) and p.definition.bits == 16), -1)
    return Layout(table, np.array(nodes, np.int64).reshape(-1, 3), np.array(chunks, np.int64).reshape(-1, 2), fields,
                  source, np.array(selector, np.int64), np.array(profile_of, np.int64), (nodes, chunks))

"""One record's octets -> its items as plain values, straight from the tables.

This is the readable decoder: the form of ``lapwing decode``, of rare categories, and the slow twin that the columns
are tested against. `read_record` never reads past `end`, never recurses deeper than the tables (four levels) and raises
only `Refused`, which its caller counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lapwing.sense.asterix.tables import (
    RFS,
    Chunk,
    Compound,
    Definition,
    Dependent,
    Edition,
    Element,
    Explicit,
    Extended,
    Group,
    Item,
    Part,
    Repetitive,
    Selector,
)
from lapwing.sense.asterix.values import content_of, read_content, structure_of

FSPEC_OCTETS_MAX = 16  # no profile has more than eight; a longer chain is no FSPEC

_BITS = [[bit for bit in range(7) if octet & 0x40 >> bit] for octet in range(128)]   # bits set, by presence octet >> 1

Items = dict[str, Any]


class Refused(Exception):
    """A record that cannot be read further: reason code, item, octet in the buffer, words."""

    def __init__(self, reason: str, item: str, octet: int, detail: str) -> None:
        super().__init__(f"{reason} {item} at octet {octet}: {detail}")
        self.reason, self.item, self.octet, self.detail = reason, item, octet, detail


def _need(octets: int, at: int, end: int, item: str) -> None:
    if at + octets > end:
        raise Refused("item_too_short", item, at, f"needs {octets} octets, {end - at} left")


@lru_cache(maxsize=4_096)
def _present(octets: bytes) -> tuple[int, ...]:
    """Return the numbers (from 1) that presence octets name."""
    return tuple(7 * place + bit + 1 for place, octet in enumerate(octets) for bit in _BITS[octet >> 1])


def read_fspec(data: bytes, at: int, end: int, name: str = "FSPEC") -> tuple[tuple[int, ...], int]:
    """Return the numbers (from 1) of the fields present and the octet after the presence octets of `name`."""
    after = at
    while after < end and data[after] & 1:
        after += 1
        if after - at >= FSPEC_OCTETS_MAX:
            raise Refused("fspec_too_long", name, after, f"chain of more than {FSPEC_OCTETS_MAX} octets")
    _need(1, after, end, name)
    after += 1
    return _present(bytes(data[at:after])), after


def _record_fspec(data: bytes, at: int, end: int) -> tuple[tuple[int, ...], int]:
    present, after = read_fspec(data, at, end)
    if after == at + 1 and data[at] == 0:
        raise Refused("empty_record", "FSPEC", at, "a record without items: padding, or no ASTERIX")
    return present, after


Reader = Callable[[bytes, int, int, Items], tuple[Any, int]]   # (data, at, end, record) -> (value, octet after)
Maker = Callable[[int], Any]                                   # bits of a field -> its value


def _bits(raw: int, bits: int, definition: Element | Group | Dependent, record: Items, siblings: Items) -> Any:
    """Return the value of a field of fixed size, given its bits."""
    if isinstance(definition, Dependent):
        definition = structure_of(definition, record, siblings)
    if isinstance(definition, Element):
        return read_content(raw, bits, content_of(definition, record, siblings))
    values: Items = {}
    _parts(raw, bits, definition.parts, record, values)
    return values


def _parts(raw: int, left: int, parts: tuple[Part, ...], record: Items, values: Items) -> None:
    """Put the named parts of `left` bits into `values`."""
    for part in parts:
        left -= part.bits
        if part.definition is not None:
            piece = raw >> left & ((1 << part.bits) - 1)
            values[part.name] = _bits(piece, part.bits, part.definition, record, values)


def _is_fixed_in_meaning(definition: Element | Group | Dependent) -> bool:
    """Whether the bits alone say the value: nothing in it depends on another item."""
    if isinstance(definition, Group):
        return all(part.definition is None or _is_fixed_in_meaning(part.definition) for part in definition.parts)
    return isinstance(definition, Element) and not definition.depends_on


def _maker(definition: Element | Group) -> Maker | None:
    """Return what makes a value of the bits, made ready once; None where the bits are the value."""
    if isinstance(definition, Group):
        plan = _plan(definition.parts, definition.bits)
        return lambda raw: {name: make(raw >> shift & mask) if make is not None else raw >> shift & mask
                            for name, shift, mask, make in plan}
    bits, content = definition.bits, definition.content
    lsb, sign = content.lsb, 1 << bits - 1
    if content.kind == "quantity":
        return (lambda raw: ((raw ^ sign) - sign) * lsb) if content.signed else lambda raw: raw * lsb
    if content.kind == "integer" and content.signed:
        return lambda raw: (raw ^ sign) - sign
    return (lambda raw: read_content(raw, bits, content)) if content.kind == "string" else None


Plan = tuple[tuple[str, int, int, Maker | None], ...]   # name, shift, mask, maker


def _plan(parts: tuple[Part, ...], left: int) -> Plan:
    rows = []
    for part in parts:
        left -= part.bits
        if part.definition is not None:
            assert isinstance(part.definition, Element | Group)
            rows.append((part.name, left, (1 << part.bits) - 1, _maker(part.definition)))
    return tuple(rows)


def _fixed(definition: Element | Group | Dependent, name: str) -> Reader:
    octets, bits = definition.bits // 8, definition.bits
    if _is_fixed_in_meaning(definition):
        assert isinstance(definition, Element | Group)
        if isinstance(definition, Group):
            plan = _plan(definition.parts, bits)

            def read_group(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
                after = at + octets
                if after > end:
                    _need(octets, at, end, name)
                raw = int.from_bytes(data[at:after], "big")
                return {part: make(raw >> shift & mask) if make is not None else raw >> shift & mask
                        for part, shift, mask, make in plan}, after

            return read_group
        make = _maker(definition)

        def read_element(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
            after = at + octets
            if after > end:
                _need(octets, at, end, name)
            raw = int.from_bytes(data[at:after], "big")
            return raw if make is None else make(raw), after

        return read_element

    def read_dependent(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
        _need(octets, at, end, name)
        return _bits(int.from_bytes(data[at : at + octets], "big"), bits, definition, record, {}), at + octets

    return read_dependent


def _extended(chunks: tuple[Chunk, ...], name: str) -> Reader:
    plain = all(part.definition is None or _is_fixed_in_meaning(part.definition) for chunk in chunks for part in chunk.parts)
    steps = [(chunk.octets, chunk.fx, chunk.octets * 8 - chunk.fx, chunk.parts,
              _plan(chunk.parts, chunk.octets * 8 - chunk.fx) if plain else ()) for chunk in chunks]

    def read(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
        values: Items = {}
        for octets, fx, bits, parts, plan in steps:
            after = at + octets
            if after > end:
                _need(octets, at, end, name)
            raw = int.from_bytes(data[at:after], "big")
            at = after
            more = fx and raw & 1
            if fx:
                raw >>= 1
            if plain:
                for part, shift, mask, make in plan:
                    piece = raw >> shift & mask
                    values[part] = piece if make is None else make(piece)
            else:
                _parts(raw, bits, parts, record, values)
            if not more:
                return values, at
        # A newer edition may have added octets: each is still chained by its last bit, so they can be stepped over.
        while True:
            _need(1, at, end, name)
            at += 1
            if not data[at - 1] & 1:
                return values, at

    return read


def _repetitive(definition: Repetitive, name: str) -> Reader:
    of, count_octets = definition.of, definition.count_octets
    if count_octets:
        each, octets = _fixed(of, name), of.bits // 8

        def read_counted(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
            _need(count_octets, at, end, name)
            count = int.from_bytes(data[at : at + count_octets], "big")
            at += count_octets
            _need(count * octets, at, end, name)
            values = []
            for _ in range(count):
                value, at = each(data, at, end, record)
                values.append(value)
            return values, at

        return read_counted
    octets = (of.bits + 1) // 8

    def read_chained(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
        values = []
        while True:
            _need(octets, at, end, name)
            raw = int.from_bytes(data[at : at + octets], "big")
            at += octets
            values.append(_bits(raw >> 1, of.bits, of, record, {}))
            if not raw & 1:
                return values, at

    return read_chained


def _compound(definition: Compound, name: str) -> Reader:
    readers = [None if item is None else (item.name, reader_of(item.definition, f"{name}/{item.name}"))
               for item in definition.items]

    def read(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
        present, at = read_fspec(data, at, end, name)
        values: Items = {}
        for number in present:
            found = readers[number - 1] if number <= len(readers) else None
            if found is None:
                raise Refused("undefined_subfield", name, at, f"subfield {number} is not defined in this edition")
            values[found[0]], at = found[1](data, at, end, record)
        return values, at

    return read


def _explicit(name: str) -> Reader:
    def read(data: bytes, at: int, end: int, record: Items) -> tuple[Any, int]:
        _need(1, at, end, name)
        octets = data[at]
        if octets == 0:
            raise Refused("bad_length", name, at, "length octet 0; it counts itself, so at least 1")
        _need(octets, at, end, name)
        return data[at + 1 : at + octets].hex(), at + octets

    return read


def reader_of(definition: Definition, name: str) -> Reader:
    """Return what reads items of a definition, made ready once. `name`: as refusals call it."""
    if isinstance(definition, Extended):
        return _extended(definition.chunks, name)
    if isinstance(definition, Repetitive):
        return _repetitive(definition, name)
    if isinstance(definition, Compound):
        return _compound(definition, name)
    return _explicit(name) if isinstance(definition, Explicit) else _fixed(definition, name)


class _Readers:
    """What reads the records of an edition: by profile, the reader of each FRN."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        made: dict[int, Reader] = {}
        self.profiles: dict[str, list[tuple[str, Reader] | str | None]] = {}
        for profile, places in edition.profiles:
            row: list[tuple[str, Reader] | str | None] = []
            for place in places:
                if isinstance(place, Item):
                    if id(place) not in made:
                        made[id(place)] = reader_of(place.definition, f"I{edition.category:03d}/{place.name}")
                    row.append((place.name, made[id(place)]))
                else:
                    row.append(place)
            self.profiles[profile] = row


_readers: dict[int, _Readers] = {}


def _readers_of(edition: Edition) -> _Readers:
    """Return the readers of an edition, made when it is first met. Editions live as long as the program."""
    found = _readers.get(id(edition))
    if found is None or found.edition is not edition:
        found = _readers[id(edition)] = _Readers(edition)
    return found


def choose_profile(selector: Selector, items: Items) -> str | None:
    """Return the profile that a record follows, or None where the selecting item is absent or of unknown value."""
    value: Any = items
    for step in selector.path:
        value = value.get(step) if isinstance(value, dict) else None
    return dict(selector.choices).get(value) if isinstance(value, int) else None


def read_record(data: bytes, at: int, end: int, edition: Edition, profile: str = "",
                spans: dict[str, tuple[int, int]] | None = None) -> tuple[Items, int, str]:
    """Return a record's items, the octet after it, and the profile it follows.

    Parameters
    ----------
    data, at, end : the buffer, where the record starts, where its block ends
    edition : the table
    profile : the profile to take where the record does not say (the one of the record before it)
    spans : filled with item -> (first octet, octet after), where given

    Raises
    ------
    Refused : the record cannot be read; what follows it in the block is lost with it, as its end is not known
    """
    readers = _readers_of(edition)
    profile = profile if profile in readers.profiles else edition.profiles[0][0]
    places = readers.profiles[profile]
    selector = edition.selector
    present, at = _record_fspec(data, at, end)
    items: Items = {}
    for frn in present:
        place = places[frn - 1] if frn <= len(places) else None
        if place is None:
            raise Refused("undefined_item", f"FRN {frn}", at, f"not defined in edition {edition.edition}")
        if isinstance(place, str):
            assert place == RFS
            at = _random_fields(data, at, end, places, items, spans)
            continue
        start, (name, read) = at, place
        items[name], at = read(data, at, end, items)
        if spans is not None:
            spans[name] = (start, at)
        if selector is not None and name == selector.path[0]:
            profile = choose_profile(selector, items) or profile
            places = readers.profiles[profile]
    return items, at, profile


def _random_fields(data: bytes, at: int, end: int, places: list[tuple[str, Reader] | str | None], items: Items,
                   spans: dict[str, tuple[int, int]] | None) -> int:
    """Read fields in any order: a count, then so many (FRN octet, item). The first of a name wins."""
    _need(1, at, end, RFS)
    count = data[at]
    at += 1
    for _ in range(count):
        _need(1, at, end, RFS)
        frn = data[at]
        place = places[frn - 1] if 0 < frn <= len(places) else None
        if not isinstance(place, tuple):
            raise Refused("undefined_item", f"{RFS} FRN {frn}", at, "not defined in this profile")
        start = at + 1
        value, at = place[1](data, start, end, items)
        items.setdefault(place[0], value)
        if spans is not None:
            spans.setdefault(place[0], (start, at))
    return at

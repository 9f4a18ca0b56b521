"""One record's octets -> its items as plain values, straight from the tables.

This is the readable decoder: the form of ``lapwing decode``, of rare categories, and the slow twin that the columns
are tested against. `read_record` never reads past `end`, never recurses deeper than the tables (four levels) and raises
only `Refused`, which its caller counts.
"""

from __future__ import annotations

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

Items = dict[str, Any]


class Refused(Exception):
    """A record that cannot be read further: reason code, item, octet in the buffer, words."""

    def __init__(self, reason: str, item: str, octet: int, detail: str) -> None:
        super().__init__(f"{reason} {item} at octet {octet}: {detail}")
        self.reason, self.item, self.octet, self.detail = reason, item, octet, detail


def _need(octets: int, at: int, end: int, item: str) -> None:
    if at + octets > end:
        raise Refused("item_too_short", item, at, f"needs {octets} octets, {end - at} left")


def read_fspec(data: bytes, at: int, end: int) -> tuple[list[int], int]:
    """Return the numbers (from 1) of the fields present and the octet after the FSPEC."""
    present: list[int] = []
    frn = 1
    for count in range(FSPEC_OCTETS_MAX + 1):
        if count == FSPEC_OCTETS_MAX:
            raise Refused("fspec_too_long", "FSPEC", at, f"chain of more than {FSPEC_OCTETS_MAX} octets")
        _need(1, at, end, "FSPEC")
        octet = data[at]
        at += 1
        for bit in range(7):
            if octet & 0x80 >> bit:
                present.append(frn + bit)
        frn += 7
        if not octet & 1:
            break
    return present, at


def _record_fspec(data: bytes, at: int, end: int) -> tuple[list[int], int]:
    present, after = read_fspec(data, at, end)
    if after == at + 1 and data[at] == 0:
        raise Refused("empty_record", "FSPEC", at, "a record without items: padding, or no ASTERIX")
    return present, after


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


def _fixed(data: bytes, at: int, end: int, definition: Element | Group | Dependent, record: Items,
           name: str) -> tuple[Any, int]:
    octets = definition.bits // 8
    _need(octets, at, end, name)
    return _bits(int.from_bytes(data[at : at + octets], "big"), definition.bits, definition, record, {}), at + octets


def _extended(data: bytes, at: int, end: int, chunks: tuple[Chunk, ...], record: Items, name: str) -> tuple[Any, int]:
    values: Items = {}
    for chunk in chunks:
        _need(chunk.octets, at, end, name)
        raw = int.from_bytes(data[at : at + chunk.octets], "big")
        at += chunk.octets
        bits = chunk.octets * 8
        if chunk.fx:
            raw, bits, more = raw >> 1, bits - 1, bool(raw & 1)
        else:
            more = False
        _parts(raw, bits, chunk.parts, record, values)
        if not more:
            return values, at
    # A newer edition may have added octets: each is still chained by its last bit, so they can be stepped over.
    while True:
        _need(1, at, end, name)
        at += 1
        if not data[at - 1] & 1:
            return values, at


def _repetitive(data: bytes, at: int, end: int, definition: Repetitive, record: Items, name: str) -> tuple[Any, int]:
    values = []
    of = definition.of
    if definition.count_octets:
        _need(definition.count_octets, at, end, name)
        count = int.from_bytes(data[at : at + definition.count_octets], "big")
        at += definition.count_octets
        _need(count * (of.bits // 8), at, end, name)
        for _ in range(count):
            value, at = _fixed(data, at, end, of, record, name)
            values.append(value)
        return values, at
    octets = (of.bits + 1) // 8
    while True:
        _need(octets, at, end, name)
        raw = int.from_bytes(data[at : at + octets], "big")
        at += octets
        values.append(_bits(raw >> 1, of.bits, of, record, {}))
        if not raw & 1:
            return values, at


def _compound(data: bytes, at: int, end: int, items: tuple[Item | None, ...], record: Items,
              name: str) -> tuple[Any, int]:
    present, at = read_fspec(data, at, end)
    values: Items = {}
    for number in present:
        item = items[number - 1] if number <= len(items) else None
        if item is None:
            raise Refused("undefined_subfield", name, at, f"subfield {number} is not defined in this edition")
        values[item.name], at = read_item(data, at, end, item.definition, record, f"{name}/{item.name}")
    return values, at


def read_item(data: bytes, at: int, end: int, definition: Definition, record: Items, name: str) -> tuple[Any, int]:
    """Return an item's value and the octet after it. `record`: what the record held before, for dependent items."""
    if isinstance(definition, Extended):
        return _extended(data, at, end, definition.chunks, record, name)
    if isinstance(definition, Repetitive):
        return _repetitive(data, at, end, definition, record, name)
    if isinstance(definition, Compound):
        return _compound(data, at, end, definition.items, record, name)
    if isinstance(definition, Explicit):
        _need(1, at, end, name)
        octets = data[at]
        if octets == 0:
            raise Refused("bad_length", name, at, "length octet 0; it counts itself, so at least 1")
        _need(octets, at, end, name)
        return data[at + 1 : at + octets].hex(), at + octets
    return _fixed(data, at, end, definition, record, name)


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
    profiles = dict(edition.profiles)
    profile = profile if profile in profiles else edition.profiles[0][0]
    places = profiles[profile]
    category = edition.category
    present, at = _record_fspec(data, at, end)
    items: Items = {}
    for frn in present:
        place = places[frn - 1] if frn <= len(places) else None
        if place is None:
            raise Refused("undefined_item", f"FRN {frn}", at, f"not defined in edition {edition.edition}")
        if isinstance(place, str):
            assert place == RFS
            at = _random_fields(data, at, end, places, items, category, spans)
            continue
        start = at
        items[place.name], at = read_item(data, at, end, place.definition, items, f"I{category:03d}/{place.name}")
        if spans is not None:
            spans[place.name] = (start, at)
        if edition.selector is not None and place.name == edition.selector.path[0]:
            profile = choose_profile(edition.selector, items) or profile
            places = profiles[profile]
    return items, at, profile


def _random_fields(data: bytes, at: int, end: int, places: tuple[Item | str | None, ...], items: Items, category: int,
                   spans: dict[str, tuple[int, int]] | None) -> int:
    """Read fields in any order: a count, then so many (FRN octet, item). The first of a name wins."""
    _need(1, at, end, RFS)
    count = data[at]
    at += 1
    for _ in range(count):
        _need(1, at, end, RFS)
        frn = data[at]
        place = places[frn - 1] if 0 < frn <= len(places) else None
        if not isinstance(place, Item):
            raise Refused("undefined_item", f"{RFS} FRN {frn}", at, "not defined in this profile")
        start = at + 1
        value, at = read_item(data, start, end, place.definition, items, f"I{category:03d}/{place.name}")
        items.setdefault(place.name, value)
        if spans is not None:
            spans.setdefault(place.name, (start, at))
    return at

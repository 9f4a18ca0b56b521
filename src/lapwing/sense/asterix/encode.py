"""Items -> octets, from the same tables as the decoder: for the simulator, for tests, for outputs to neighbours.

`items` has the form that the decoder gives (and the golden files show): item -> value, groups as dicts, repetitions as
lists, quantities in the unit of the specification, RE and SP as hex text. Parts left out of a group are 0. A group's
spare bits are written as 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lapwing.sense.asterix.items import choose_profile
from lapwing.sense.asterix.tables import (
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
)
from lapwing.sense.asterix.tables import edition as edition_of
from lapwing.sense.asterix.values import BadValue, content_of, structure_of, write_content

BLOCK_OCTETS_MAX = 65_535


def _fspec(numbers: Sequence[int]) -> bytes:
    """Return the presence octets of field numbers (from 1)."""
    octets = bytearray(max(1, (max(numbers, default=0) + 6) // 7))
    for number in numbers:
        octets[(number - 1) // 7] |= 0x80 >> (number - 1) % 7
    for index in range(len(octets) - 1):
        octets[index] |= 1
    return bytes(octets)


def _mapping(value: Any, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadValue(f"{value!r}: a group of {', '.join(known)} expected")
    for name in value:
        if name not in known:
            raise BadValue(f"no sub-item {name!r}; known are {', '.join(known)}")
    return value


def _bits(value: Any, definition: Element | Group | Dependent, record: Mapping[str, Any],
          siblings: Mapping[str, Any]) -> int:
    if isinstance(definition, Dependent):
        definition = structure_of(definition, record, siblings)
    if isinstance(definition, Element):
        return write_content(value, definition.bits, content_of(definition, record, siblings))
    values = _mapping(value, [part.name for part in definition.parts if part.name])
    return _parts(values, definition.parts, record)


def _parts(values: Mapping[str, Any], parts: tuple[Part, ...], record: Mapping[str, Any]) -> int:
    raw = 0
    for part in parts:
        raw <<= part.bits
        if part.definition is not None and part.name in values:
            try:
                raw |= _bits(values[part.name], part.definition, record, values)
            except BadValue as error:
                raise BadValue(f"{part.name}: {error}") from None
    return raw


def _extended(value: Any, definition: Extended, record: Mapping[str, Any]) -> bytes:
    names = [[part.name for part in chunk.parts if part.name] for chunk in definition.chunks]
    values = _mapping(value, [name for row in names for name in row])
    last = max((i for i, row in enumerate(names) if any(name in values for name in row)), default=0)
    octets = b""
    for index, chunk in enumerate(definition.chunks[: last + 1]):
        raw = _parts(values, chunk.parts, record)
        if chunk.fx:
            raw = raw << 1 | (index < last)
        octets += raw.to_bytes(chunk.octets, "big")
    return octets


def _repetitive(value: Any, definition: Repetitive, record: Mapping[str, Any]) -> bytes:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise BadValue(f"{value!r}: a list expected")
    of = definition.of
    if definition.count_octets:
        if len(value) >> 8 * definition.count_octets:
            raise BadValue(f"{len(value)} repetitions do not fit {definition.count_octets} octets")
        rows = [_bits(v, of, record, {}).to_bytes(of.bits // 8, "big") for v in value]
        return len(value).to_bytes(definition.count_octets, "big") + b"".join(rows)
    if not value:
        raise BadValue("an FX-chained item holds at least one")
    rows = [(_bits(v, of, record, {}) << 1 | (i < len(value) - 1)).to_bytes((of.bits + 1) // 8, "big")
            for i, v in enumerate(value)]
    return b"".join(rows)


def encode_item(value: Any, definition: Definition, record: Mapping[str, Any]) -> bytes:
    """Return the octets of one item. BadValue says what does not fit."""
    if isinstance(definition, Extended):
        return _extended(value, definition, record)
    if isinstance(definition, Repetitive):
        return _repetitive(value, definition, record)
    if isinstance(definition, Compound):
        items = {item.name: (number, item) for number, item in enumerate(definition.items, 1) if item is not None}
        values = _mapping(value, list(items))
        rows = sorted((items[name][0], items[name][1], v) for name, v in values.items())
        return _fspec([number for number, _, _ in rows]) + b"".join(
            _named(item, v, record) for _, item, v in rows)
    if isinstance(definition, Explicit):
        try:
            octets = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
        except (TypeError, ValueError):
            raise BadValue(f"{value!r}: octets as hex text expected") from None
        if len(octets) > 254:
            raise BadValue(f"{len(octets)} octets; an explicit item holds at most 254")
        return bytes([len(octets) + 1]) + octets
    return _bits(value, definition, record, {}).to_bytes(definition.bits // 8, "big")


def _named(item: Item, value: Any, record: Mapping[str, Any]) -> bytes:
    try:
        return encode_item(value, item.definition, record)
    except BadValue as error:
        raise BadValue(f"{item.name}: {error}") from None


def _profile(edition: Edition, items: Mapping[str, Any]) -> str:
    if edition.selector is None:
        return edition.profiles[0][0]
    return choose_profile(edition.selector, dict(items)) or edition.profiles[0][0]


def encode_record(category: int, items: Mapping[str, Any], edition: str | None = None) -> bytes:
    """Return one record: FSPEC and items in the order of the profile.

    Raises
    ------
    BadValue : an unknown item, or a value that does not fit; says which
    UnknownEdition : no table for the category or edition
    """
    table = edition_of(category, edition)
    places = dict(table.profiles)[_profile(table, items)]
    rows = {place.name: (frn, place) for frn, place in enumerate(places, 1) if isinstance(place, Item)}
    for name in items:
        if name not in rows:
            raise BadValue(f"CAT{category:03d} {table.edition} has no item {name!r}; known are {', '.join(rows)}")
    chosen = sorted((rows[name][0], name) for name in items)
    octets = _fspec([frn for frn, _ in chosen])
    for _, name in chosen:
        try:
            octets += encode_item(items[name], rows[name][1].definition, items)
        except BadValue as error:
            raise BadValue(f"I{category:03d}/{name}: {error}") from None
    return octets


def encode_block(category: int, records: Sequence[Mapping[str, Any]], edition: str | None = None) -> bytes:
    """Return one data block of the records (category, length in two octets, records), in the default edition unless
    one is named. BadValue as `encode_record`, or where the block would pass 65,535 octets."""
    body = b"".join(encode_record(category, items, edition) for items in records)
    if len(body) + 3 > BLOCK_OCTETS_MAX:
        raise BadValue(f"block of {len(body) + 3} octets; at most {BLOCK_OCTETS_MAX}: split the records")
    return bytes([category]) + (len(body) + 3).to_bytes(2, "big") + body

"""Random records of any edition, drawn from the tables themselves: for round trips and for corruption."""

from typing import Any

import numpy as np

from lapwing.sense.asterix.tables import (
    Compound,
    Content,
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
from lapwing.sense.asterix.values import content_of, read_content, structure_of

_ICAO = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"
Rng = np.random.Generator


def _text(rng: Rng, letters: str, count: int) -> str:
    return "".join(letters[i] for i in rng.integers(0, len(letters), count))


def _value(rng: Rng, bits: int, content: Content) -> Any:
    if content.kind == "string" and content.string == "icao":
        return _text(rng, _ICAO, bits // 6)
    return read_content(int.from_bytes(rng.bytes(16), "big") & ((1 << bits) - 1), bits, content)


def _fixed(rng: Rng, definition: Element | Group | Dependent, record: dict[str, Any], siblings: dict[str, Any]) -> Any:
    if isinstance(definition, Dependent):
        definition = structure_of(definition, record, siblings)
    if isinstance(definition, Element):
        return _value(rng, definition.bits, content_of(definition, record, siblings))
    values: dict[str, Any] = {}
    _parts(rng, definition.parts, record, values)
    return values


def _parts(rng: Rng, parts: tuple[Part, ...], record: dict[str, Any], values: dict[str, Any]) -> None:
    for part in parts:
        if part.definition is not None:
            values[part.name] = _fixed(rng, part.definition, record, values)


def random_item(rng: Rng, definition: Definition, record: dict[str, Any]) -> Any:
    """Return a value that the definition can hold."""
    if isinstance(definition, Extended):
        values: dict[str, Any] = {}
        for chunk in definition.chunks[: int(rng.integers(1, len(definition.chunks) + 1))]:
            _parts(rng, chunk.parts, record, values)
        return values
    if isinstance(definition, Repetitive):
        count = int(rng.integers(0 if definition.count_octets else 1, 4))
        return [_fixed(rng, definition.of, record, {}) for _ in range(count)]
    if isinstance(definition, Compound):
        return {item.name: random_item(rng, item.definition, record)
                for item in definition.items if item is not None and rng.random() < 0.5}
    if isinstance(definition, Explicit):
        return rng.bytes(int(rng.integers(0, 6))).hex()
    return _fixed(rng, definition, record, {})


def random_record(rng: Rng, edition: Edition, profile: int, share: float = 0.5) -> dict[str, Any]:
    """Return a record of a profile; every item is there with probability `share`, the first always."""
    name, places = edition.profiles[profile]
    record: dict[str, Any] = {}
    for index, place in enumerate(places):
        if not isinstance(place, Item):
            continue
        chosen = edition.selector is not None and place.name == edition.selector.path[0]
        if index == 0 or chosen or rng.random() < share:
            record[place.name] = random_item(rng, place.definition, record)
        if chosen:
            assert edition.selector is not None
            value = next(v for v, p in edition.selector.choices if p == name)
            if len(edition.selector.path) == 2:
                record[place.name][edition.selector.path[1]] = value
            else:
                record[place.name] = value
    return record


def corrupted(rng: Rng, block: bytes) -> bytes:
    """Return a block with bits flipped, octets cut out or put in; its length field often left as it was."""
    octets = bytearray(block)
    for _ in range(int(rng.integers(1, 4))):
        kind, place = int(rng.integers(4)), int(rng.integers(len(octets))) if octets else 0
        if kind == 0 and octets:
            octets[place] ^= 1 << int(rng.integers(8))
        elif kind == 1 and octets:
            octets[place] = int(rng.integers(256))
        elif kind == 2:
            del octets[place : place + int(rng.integers(1, 9))]
        else:
            octets[place:place] = rng.bytes(int(rng.integers(1, 9)))
    if rng.random() < 0.6 and len(octets) >= 3:
        octets[1:3] = len(octets).to_bytes(2, "big")
    return bytes(octets)

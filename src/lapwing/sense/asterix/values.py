"""Bits <-> values: what the content of an element turns into, and back.

Quantities are floats in the unit of the specification (count times LSB, one multiplication, so equal bits give equal
floats); codes, flags and raw bits are integers; octal and character fields are strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lapwing.sense.asterix.tables import Content, Dependent, Element, Group

# Six-bit characters (ICAO Annex 10 Vol. IV, 3.1.2.9): A-Z, space, 0-9. Any other code keeps its place as a space, but
# code 0 at either end is no character at all (all three decoders behind the golden files read it so).
_ICAO = "".join(
    chr(64 + code) if 1 <= code <= 26 else chr(code) if 48 <= code <= 57 else " " for code in range(64))
_ICAO_CODE = {character: code for code, character in enumerate(_ICAO) if character != " "} | {" ": 32}

Values = Mapping[str, Any]


class BadValue(ValueError):
    """A value that cannot be encoded: our caller's mistake, never raised while decoding."""


def signed(raw: int, bits: int) -> int:
    """Return an unsigned count read as two's complement."""
    return raw - (1 << bits) if raw >> (bits - 1) else raw


@lru_cache(maxsize=16_384)
def read_string(raw: int, bits: int, coding: str) -> str:
    """Return the characters of a field, each in its place."""
    if coding == "octal":
        return f"{raw:0{bits // 3}o}"
    if coding == "icao":
        codes = [raw >> shift & 63 for shift in range(bits - 6, -1, -6)]
        while codes and codes[-1] == 0:
            codes.pop()
        first = next((i for i, code in enumerate(codes) if code), 0)
        return "".join(_ICAO[code] for code in codes[first:])
    return raw.to_bytes(bits // 8, "big").decode("latin-1")


def write_string(text: str, bits: int, coding: str) -> int:
    """Return the bits of a text, padded with spaces (octal: zeros in front). BadValue where it does not fit."""
    try:
        if coding == "octal":
            raw = int(text or "0", 8)
            if raw >> bits:
                raise ValueError
            return raw
        if coding == "icao":
            codes = [_ICAO_CODE[character] for character in text.ljust(bits // 6)]
            if len(codes) != bits // 6:
                raise ValueError
            raw = 0
            for code in codes:
                raw = raw << 6 | code
            return raw
        octets = text.encode("latin-1").ljust(bits // 8)
        if len(octets) != bits // 8:
            raise ValueError
        return int.from_bytes(octets, "big")
    except (ValueError, KeyError, UnicodeEncodeError) as error:
        raise BadValue(f"{text!r} does not fit {bits} bits of {coding}") from error


def read_content(raw: int, bits: int, content: Content) -> Any:
    """Return the value of an element's bits."""
    if content.kind == "quantity":
        return (signed(raw, bits) if content.signed else raw) * content.lsb
    if content.kind == "string":
        return read_string(raw, bits, content.string)
    if content.kind == "integer" and content.signed:
        return signed(raw, bits)
    return raw


def write_content(value: Any, bits: int, content: Content) -> int:
    """Return the bits of a value, rounded to the nearest count. BadValue out of range."""
    if content.kind == "string":
        if not isinstance(value, str):
            raise BadValue(f"{value!r}: text expected")
        return write_string(value, bits, content.string)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadValue(f"{value!r}: a finite number expected")
    is_signed = content.signed and content.kind in ("quantity", "integer")
    count = round(value / content.lsb) if content.kind == "quantity" else int(value)
    if content.unit == "°" and content.lsb * (1 << bits) == 360.0:
        # A field that spans the circle: 360 degrees is 0, and rounding up to it is no error.
        count = (count + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1) if is_signed else count % (1 << bits)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    if not low <= count <= high:
        raise BadValue(f"{value!r} is outside [{low * content.lsb:g}, {high * content.lsb:g}] {content.unit}".rstrip())
    return count & ((1 << bits) - 1)


def choice(paths: tuple[tuple[str, ...], ...], record: Values, siblings: Values) -> tuple[int, ...] | None:
    """Return the values that a dependent element looks at: of the record (one name) or beside it; None if absent."""
    found = []
    for path in paths:
        value = record.get(path[0]) if len(path) == 1 else siblings.get(path[-1])
        if not isinstance(value, int):
            return None
        found.append(value)
    return tuple(found)


def content_of(element: Element, record: Values, siblings: Values) -> Content:
    """Return what an element means in its place."""
    if element.depends_on:
        chosen = choice(element.depends_on, record, siblings)
        return next((content for values, content in element.cases if values == chosen), element.content)
    return element.content


def structure_of(definition: Dependent, record: Values, siblings: Values) -> Element | Group:
    """Return the structure that a dependent part has in its place."""
    chosen = choice(definition.depends_on, record, siblings)
    return next((case for values, case in definition.cases if values == chosen), definition.default)

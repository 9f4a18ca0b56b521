"""The reserved expansion field (RE) of CAT021, CAT048 and CAT062, read where an open definition fits it to the last octet.

Which edition a sender's RE follows is nowhere in the data. The newest definition that reads all of its octets and no more is taken;
where none does, the item stays the raw octets that it is anyway. The special purpose field (SP) is each maker's own: never read.
"""

from __future__ import annotations

from functools import cache

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.items import Items, Reader, Refused, read_fspec, reader_of

FIELD = "RE"


@cache
def editions(category: int) -> tuple[str, ...]:
    """Return the editions of a category's expansion field, newest first; empty where there is no open definition."""
    return tuple(sorted(tables.expansions(category), key=lambda text: tuple(map(int, text.split("."))), reverse=True))


@cache
def _readers(category: int, edition: str) -> tuple[int, tuple[tuple[str, Reader] | None, ...]]:
    octets, items = tables.expansions(category)[edition]
    return octets, tuple(None if item is None else (item.name, reader_of(item.definition, f"I{category:03d}/{FIELD}/{item.name}"))
                         for item in items)


def read(category: int, edition: str, octets: bytes) -> Items | None:
    """Return the sub-items of an expansion field (without its length octet); None where the definition does not fit."""
    fixed, readers = _readers(category, edition)
    try:
        if fixed:
            if len(octets) < fixed:
                return None
            flags = int.from_bytes(octets[:fixed], "big")
            present = tuple(n + 1 for n in range(fixed * 8) if flags >> (fixed * 8 - 1 - n) & 1)
            at = fixed
        else:
            present, at = read_fspec(octets, 0, len(octets), FIELD)
        values: Items = {}
        for number in present:
            found = readers[number - 1] if number <= len(readers) else None
            if found is None:
                return None
            values[found[0]], at = found[1](octets, at, len(octets), values)
    except Refused:
        return None
    return values if at == len(octets) else None


def expansion_of(category: int, items: Items) -> dict[str, str | Items] | None:
    """Return ``{"edition", "items"}`` of a record's expansion field; None where it has none, or none that is understood."""
    raw = items.get(FIELD)
    if not isinstance(raw, str) or not raw:
        return None
    octets = bytes.fromhex(raw)
    for edition in editions(category):
        values = read(category, edition, octets)
        if values is not None:
            return {"edition": edition, "items": values}
    return None

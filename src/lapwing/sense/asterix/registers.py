"""Mode S registers of selected intention (4,0), track and turn (5,0), heading and speed (6,0), as named values.

Layout: ICAO Doc 9871, tables A-2-64, A-2-80 and A-2-96. Bits count from 1, the first sent; a value stands behind its
status bit and is left out where that is 0. Numbers of the register itself are trusted (the radar says which it asked
for); what a transponder answers under it is not checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from lapwing.sense.asterix import tables

BITS = 56


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a register: present where bit `status` is 1 (0: always), in bits `first` to `last`."""

    name: str
    status: int
    first: int
    last: int
    lsb: float = 0.0            # 0: a code or flag
    signed: bool = False
    offset: float = 0.0


REGISTERS: dict[tuple[int, int], tuple[Field, ...]] = {
    (4, 0): (
        Field("selected_altitude_ft", 1, 2, 13, 16.0),
        Field("selected_altitude_fms_ft", 14, 15, 26, 16.0),
        Field("pressure_setting_hpa", 27, 28, 39, 0.1, offset=800.0),
        Field("vnav", 48, 49, 49), Field("altitude_hold", 48, 50, 50), Field("approach", 48, 51, 51),
        Field("target_altitude_source", 54, 55, 56)),
    (5, 0): (
        Field("roll_deg", 1, 2, 11, 45 / 256, signed=True),
        Field("true_track_deg", 12, 13, 23, 90 / 512, signed=True),
        Field("ground_speed_kt", 24, 25, 34, 2.0),
        Field("track_rate_deg_per_s", 35, 36, 45, 8 / 256, signed=True),
        Field("true_airspeed_kt", 46, 47, 56, 2.0)),
    (6, 0): (
        Field("magnetic_heading_deg", 1, 2, 12, 90 / 512, signed=True),
        Field("indicated_airspeed_kt", 13, 14, 23, 1.0),
        Field("mach", 24, 25, 34, 2.048 / 512),
        Field("barometric_rate_ft_per_min", 35, 36, 45, 32.0, signed=True),
        Field("inertial_rate_ft_per_min", 46, 47, 56, 32.0, signed=True)),
}
_ANGLES = ("true_track_deg", "magnetic_heading_deg")   # counted from -180; shown from 0


def expand(data: int, bds1: int, bds2: int) -> dict[str, float | int] | None:
    """Return the values of a register's 56 bits; None for a register that is not expanded."""
    fields = REGISTERS.get((bds1, bds2))
    if fields is None:
        return None
    values: dict[str, float | int] = {}
    for field in fields:
        if field.status and not data >> BITS - field.status & 1:
            continue
        bits = field.last - field.first + 1
        count = data >> BITS - field.last & (1 << bits) - 1
        if field.signed and count >> bits - 1:
            count -= 1 << bits
        value = count * field.lsb + field.offset if field.lsb else count
        values[field.name] = value % 360.0 if field.name in _ANGLES else value
    return values


@cache
def holding_items(category: int) -> frozenset[str]:
    """Return the items of a category, of all its editions, in which a register may stand."""
    return frozenset(item.name for edition in tables.editions(category) for _, places in tables.edition(category, edition).profiles
                     for item in places if isinstance(item, tables.Item) and _holds(item.name, item.definition))


def _holds(name: str, definition: Any) -> bool:
    if name in _WITH_NUMBER or name == "MBDATA":
        return True
    if isinstance(definition, tables.Compound):
        return any(_holds(item.name, item.definition) for item in definition.items if item is not None)
    if isinstance(definition, tables.Group):
        return any(_holds(part.name, part.definition) for part in definition.parts)
    if isinstance(definition, tables.Extended):
        return any(_holds(part.name, part.definition) for chunk in definition.chunks for part in chunk.parts)
    return isinstance(definition, tables.Repetitive) and _holds("", definition.of)


def registers_of(items: Any, category: int | None = None) -> list[dict[str, float | int | str]]:
    """Return the registers of a record's items (I048/250 and kin) that are expanded, in order.

    Where the category is given only those of its items are looked through that may hold one.
    """
    if category is not None:
        items = {name: items[name] for name in items if name in holding_items(category)}
    return [{"bds": f"{bds1},{bds2}", **values} for data, bds1, bds2 in _reported(items)
            if (values := expand(data, bds1, bds2)) is not None]


# Items whose elements are a register and its number in one: 56 bits, then BDS1 and BDS2.
_WITH_NUMBER = ("250", "MB", "BDSDATA")


def _reported(at: Any, name: str = "") -> Iterator[tuple[int, int, int]]:
    if isinstance(at, list):
        for each in at:
            if isinstance(each, dict) and isinstance(each.get("MBDATA"), int) and "BDS1" in each and "BDS2" in each:
                yield each["MBDATA"], each["BDS1"], each["BDS2"]
            elif isinstance(each, int) and name in _WITH_NUMBER:
                yield each >> 8, each >> 4 & 15, each & 15
    elif isinstance(at, dict):
        for key, value in at.items():
            if isinstance(value, list | dict):
                yield from _reported(value, key)

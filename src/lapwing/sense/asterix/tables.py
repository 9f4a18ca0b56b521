"""The definitions of all ASTERIX categories and editions, as frozen values.

They are data: one JSON file a category in ``tables/`` (made by ``tools/build_asterix_tables.py`` from asterix-specs,
BSD-3-Clause; CAT129 by hand), corrected by ``overlay.json``, where each correction stands with its proof. A file is
read when its category is first met.

A definition in a file is one of::

    {"bits": n, "is": content}                        element of n bits
    {"group": [part, ...]}                            parts side by side
    {"extended": [[part, ..., null], ...]}            chunks, each ended by an FX bit (null); the last may have none
    {"repeat": octets, "of": definition}              a count of that many octets, then so many; 0: chained by FX bits
    {"compound": [[name, definition] or null, ...]}   presence bits as in an FSPEC, then the sub-items present
    {"explicit": "RE" | "SP" | ""}                    length octet that counts itself, then octets kept raw
    {"depends_on": paths, "default": .., "cases": ..} structure chosen by values of other sub-items

where a part is ``[name, definition]`` or a number of spare bits, and content is ``{}`` (raw), ``{"values": {..}}``,
``{"string": "ascii"|"icao"|"octal"}``, ``{"lsb": .., "unit": .., "signed": ..}`` or
``{"integer": true, "signed": ..}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lapwing.model.resources import read_resource

PACKAGE = "lapwing.sense.asterix"
RFS = "RFS"  # a place of the profile that announces fields in any order (CAT001)

# Editions taken where nobody says otherwise: the newest, as used for the golden files. CAT021 before 2.1 is another
# language under the same number, so it must be named per source.
CATEGORIES = (1, 2, 4, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 23, 25, 32, 34, 48, 62, 63, 65, 129, 150, 205, 240,
              247)


@dataclass(frozen=True, slots=True)
class Content:
    """What the bits of an element mean. `kind`: raw, values, string, quantity or integer."""

    kind: str
    string: str = ""
    lsb: float = 1.0
    unit: str = ""
    signed: bool = False
    values: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """Bits. `cases`: (values of the sub-items named by `depends_on`) -> content; `content` holds where none fits."""

    bits: int
    content: Content
    depends_on: tuple[tuple[str, ...], ...] = ()
    cases: tuple[tuple[tuple[int, ...], Content], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of a group or extended item; spare bits have no name."""

    name: str
    bits: int
    definition: Element | Group | Dependent | None


@dataclass(frozen=True, slots=True)
class Group:
    """Parts side by side, all of fixed size."""

    bits: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Parts of one step of an extended item; `octets` counts the FX bit too."""

    octets: int
    parts: tuple[Part, ...]
    fx: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """Chunks chained by FX bits."""

    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Repetitive:
    """A count of `count_octets`, then so many `of`; with 0 each is followed by an FX bit."""

    count_octets: int
    of: Element | Group


@dataclass(frozen=True, slots=True)
class Compound:
    """Presence bits as in an FSPEC, then the sub-items present; None: a bit without meaning."""

    items: tuple[Item | None, ...]


@dataclass(frozen=True, slots=True)
class Explicit:
    """A length octet that counts itself, then octets kept raw."""

    kind: str


@dataclass(frozen=True, slots=True)
class Dependent:
    """Structure of fixed size chosen by values of other sub-items."""

    bits: int
    depends_on: tuple[tuple[str, ...], ...]
    default: Element | Group
    cases: tuple[tuple[tuple[int, ...], Element | Group], ...]


Definition = Element | Group | Extended | Repetitive | Compound | Explicit | Dependent


@dataclass(frozen=True, slots=True)
class Item:
    """A named item or sub-item."""

    name: str
    title: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Selector:
    """Which profile a record follows: by the value at `path` (first the item, then its sub-item)."""

    path: tuple[str, ...]
    choices: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of one category. `profiles`: name -> item of each FRN (None spare, RFS)."""

    category: int
    edition: str
    profiles: tuple[tuple[str, tuple[Item | str | None, ...]], ...]
    selector: Selector | None = None


class UnknownEdition(ValueError):
    """No table for this category or edition."""


def _content(spec: Mapping[str, Any]) -> Content:
    if "values" in spec:
        return Content("values", values=tuple((int(k), v) for k, v in spec["values"].items()))
    if "string" in spec:
        return Content("string", string=spec["string"])
    if "lsb" in spec:
        return Content("quantity", lsb=spec["lsb"], unit=spec["unit"], signed=spec["signed"])
    if "integer" in spec:
        return Content("integer", signed=spec["signed"])
    return Content("raw")


def _paths(spec: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path) for path in spec)


def _part(spec: Any) -> Part:
    if isinstance(spec, int):
        return Part("", spec, None)
    definition = _definition(spec[1])
    assert isinstance(definition, Element | Group | Dependent), spec
    return Part(spec[0], definition.bits, definition)


def _fixed(spec: Mapping[str, Any]) -> Element | Group:
    definition = _definition(spec)
    assert isinstance(definition, Element | Group), spec
    return definition


def _definition(spec: Mapping[str, Any]) -> Definition:
    if "bits" in spec:
        of = spec["is"]
        if "depends_on" in of:
            cases = tuple((tuple(values), _content(case)) for values, case in of["cases"])
            return Element(spec["bits"], _content(of["default"]), _paths(of["depends_on"]), cases)
        return Element(spec["bits"], _content(of))
    if "group" in spec:
        parts = tuple(_part(p) for p in spec["group"])
        return Group(sum(p.bits for p in parts), parts)
    if "extended" in spec:
        chunks = []
        for row in spec["extended"]:
            fx = row[-1] is None
            parts = tuple(_part(p) for p in row if p is not None)
            chunks.append(Chunk((sum(p.bits for p in parts) + fx) // 8, parts, fx))
        return Extended(tuple(chunks))
    if "repeat" in spec:
        return Repetitive(spec["repeat"], _fixed(spec["of"]))
    if "compound" in spec:
        return Compound(tuple(None if p is None else Item(p[0], "", _definition(p[1])) for p in spec["compound"]))
    if "explicit" in spec:
        return Explicit(spec["explicit"])
    default = _fixed(spec["default"])
    choices = tuple((tuple(values), _fixed(case)) for values, case in spec["cases"])
    assert all(choice.bits == default.bits for _, choice in choices), "a choice of structures of one size"
    return Dependent(default.bits, _paths(spec["depends_on"]), default, choices)


@cache
def overlay() -> tuple[Mapping[str, Any], ...]:
    """Return our corrections: category, item, path of the sub-item, content set, proof."""
    rows: list[Mapping[str, Any]] = json.loads(read_resource(PACKAGE, "overlay.json"))["corrections"]
    return tuple(rows)


def _correct(category: int, items: list[Any]) -> None:
    """Apply the overlay in place to the rows of a table file."""
    for row in overlay():
        if row["category"] != category:
            continue
        touched = 0
        for name, _, definition in items:
            if name != row["item"]:
                continue
            at = definition
            for step in row["path"]:
                parts = at.get("group") or at["compound"]
                at = next(p[1] for p in parts if isinstance(p, list) and p[0] == step)
            at["is"] |= row["set"]
            touched += 1
        assert touched, f"overlay row without its item: {row}"


@cache
def _file(category: int) -> tuple[dict[str, Any], tuple[Item, ...]]:
    if category not in CATEGORIES:
        raise UnknownEdition(f"CAT{category:03d}: no table; known are {', '.join(map(str, CATEGORIES))}")
    table = json.loads(read_resource(PACKAGE, f"tables/cat{category:03d}.json"))
    _correct(category, table["items"])
    return table, tuple(Item(name, title, _definition(spec)) for name, title, spec in table["items"])


@cache
def editions(category: int) -> tuple[str, ...]:
    """Return the editions known of a category, oldest first; empty where the category is unknown."""
    if category not in CATEGORIES:
        return ()
    return tuple(sorted(_file(category)[0]["editions"], key=lambda text: tuple(map(int, text.split(".")))))


@cache
def expansions(category: int) -> Mapping[str, tuple[int, tuple[Item | None, ...]]]:
    """Return the definitions of a category's expansion field: edition -> octets of presence bits (0: chained by FX), items."""
    if category not in CATEGORIES:
        return {}
    table, items = _file(category)
    return {name: (spec["fspec_octets"], tuple(None if i is None else items[i] for i in spec["items"]))
            for name, spec in table["expansions"].items()}


@cache
def default_edition(category: int) -> str:
    """Return the edition taken where nobody says otherwise: the newest. UnknownEdition for an unknown category."""
    _file(category)
    return editions(category)[-1]


@cache
def edition(category: int, name: str | None = None) -> Edition:
    """Return the table of an edition (the newest by default). UnknownEdition where there is none."""
    table, items = _file(category)
    name = name or default_edition(category)
    if name not in table["editions"]:
        raise UnknownEdition(f"CAT{category:03d}: no edition {name}; known are {', '.join(editions(category))}")
    spec = table["editions"][name]
    profiles = tuple(
        (profile, tuple(items[i] if isinstance(i, int) else i for i in row)) for profile, row in spec["uaps"].items())
    selector = None
    if "selector" in spec:
        choices = tuple((int(k), v) for k, v in spec["selector"]["choices"].items())
        selector = Selector(tuple(spec["selector"]["item"]), choices)
    return Edition(category, name, profiles, selector)

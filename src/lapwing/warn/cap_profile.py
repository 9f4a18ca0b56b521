"""Puts a document into the profile of a partner: codes, event codes, parameters, names of geocodes. The profiles are data.

The message stays the same: nothing is taken out and no text is changed, so that two partners never read two warnings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from lapwing.model.errors import ConfigError
from lapwing.model.resources import read_resource
from lapwing.warn.cap_elements import CAP, NAMESPACE, children_of
from lapwing.warn.cap_rules import text_of
from lapwing.warn.cap_xml import parse

_KEYS = ("codes", "event_codes", "parameters", "cut", "geocodes")
Pairs = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a partner asks. `event_codes` and `parameters`: level -> name -> value."""

    name: str
    codes: tuple[str, ...]
    event_codes: Pairs
    parameters: Pairs
    cut: Mapping[str, int]
    geocodes: Mapping[str, str]      # our name of a code -> the partner's; what is not named stays as it is


def profiles(octets: bytes | None = None, where: str = "profiles") -> dict[str, Profile]:
    """Return the profiles of a TOML file; those shipped without one. Raises ConfigError."""
    try:
        tables = tomllib.loads((octets if octets is not None else read_resource("lapwing.warn", "data/cap_profiles.toml")).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(error), where=where) from error
    return {name: _profile(name, table, where) for name, table in tables.items()}


def _profile(name: str, table: Any, where: str) -> Profile:
    wrong = sorted(set(table) - set(_KEYS)) if isinstance(table, dict) else [name]
    if wrong:
        raise ConfigError(f"no key {wrong[0]!r}", where=f"{where} [{name}]", remedy=f"it has: {', '.join(_KEYS)}")
    levels = [*table.get("event_codes", {}).values(), *table.get("parameters", {}).values(), table.get("geocodes", {})]
    if not all(isinstance(v, str) for level in levels for v in dict(level).values()):
        raise ConfigError("values must be texts", where=f"{where} [{name}]")
    return Profile(name, tuple(table.get("codes", ())), table.get("event_codes", {}), table.get("parameters", {}), table.get("cut", {}),
                   table.get("geocodes", {}))


def in_profile(document: bytes, profile: Profile) -> bytes:
    """Return a document of ours with what the profile adds; the same octets where it adds nothing."""
    if not (profile.codes or profile.event_codes or profile.parameters or profile.geocodes):
        return document
    root = parse(document, ours=True)
    have = {(c.text or "").strip() for c in root.findall(CAP + "code")}
    for code in profile.codes:
        if code not in have:
            _insert(root, "alert", "code").text = code
    for info in root.findall(CAP + "info"):
        own = {text_of(p, "valueName"): text_of(p, "value") for p in info.findall(CAP + "parameter")}
        level = own.get("level", "alert")
        values = {"short": own.get("short_text", ""), "headline": text_of(info, "headline"), "level": level}
        for element, table in (("eventCode", profile.event_codes), ("parameter", profile.parameters)):
            for name, template in table.get(level, {}).items():
                _pair(info, element, name, _cut(template.format_map(values), profile.cut.get(name, 0)))
        for area in info.findall(CAP + "area"):
            for geocode in area.findall(CAP + "geocode"):
                name = text_of(geocode, "valueName")
                if profile.geocodes.get(name, name) != name:
                    _pair(area, "geocode", profile.geocodes[name], text_of(geocode, "value"))
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _pair(parent: etree._Element, element: str, name: str, value: str) -> None:
    has = any((text_of(p, "valueName"), text_of(p, "value")) == (name, value) for p in parent.findall(CAP + element))
    if value and not has:
        pair = _insert(parent, etree.QName(parent).localname, element)
        etree.SubElement(pair, CAP + "valueName").text = name
        etree.SubElement(pair, CAP + "value").text = value


def _insert(parent: etree._Element, kind: str, name: str) -> etree._Element:
    """Return a new element at its place in the standard's order, after its kin."""
    order = [f"{{{NAMESPACE}}}{e.name}" for e in children_of(kind)]
    place = order.index(CAP + name)
    at = sum(1 for child in parent if str(child.tag) in order and order.index(str(child.tag)) <= place)
    made = etree.Element(CAP + name)
    parent.insert(at, made)
    return made


def _cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters, cut between words; 0: any length."""
    if not length or len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0] + "…"

"""Writes CAP 1.2: strict in element order, times and identifiers; the same message always gives the same octets.

Source: OASIS Common Alerting Protocol 1.2 (1 July 2010), section 3. Times are UTC and written with ``-00:00`` as its
section 3.3.2 asks. No element is written empty. Signing and feeds are not this module's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

from lapwing.model.resources import read_resource
from lapwing.model.times import to_iso
from lapwing.warn.cap_elements import NAMESPACE

FORBIDDEN_IN_IDS = " ,<&"          # section 3.2.1, identifier and sender


@dataclass(frozen=True, slots=True)
class Area:
    """Where: words, closed rings of (latitude_deg, longitude_deg), and codes."""

    description: str
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()     # latitude_deg, longitude_deg, radius_km
    altitude_ft: float | None = None     # above mean sea level, as CAP has it
    ceiling_ft: float | None = None      # written with an altitude only


@dataclass(frozen=True, slots=True)
class Resource:
    """A file beside the message."""

    description: str
    mime_type: str
    uri: str
    size: int = 0
    sha1: str = ""


@dataclass(frozen=True, slots=True)
class Info:
    """One info block: one language, one kind of advice. Times in ns UTC; 0: not written."""

    language: str
    event: str
    response_types: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str
    sender_name: str
    headline: str
    description: str
    instruction: str
    areas: tuple[Area, ...]
    categories: tuple[str, ...] = ("Safety",)
    effective_ns: int = 0
    onset_ns: int = 0
    expires_ns: int = 0
    contact: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    audience: str = ""
    event_codes: tuple[tuple[str, str], ...] = ()
    web: str = ""
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A CAP alert."""

    identifier: str
    sender: str
    sent_ns: int
    status: str
    msg_type: str
    infos: tuple[Info, ...]
    references: tuple[str, ...] = ()
    incidents: str = ""
    note: str = ""
    scope: str = "Public"
    source: str = ""
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


def cap_time(time_ns: int) -> str:
    """Return a time as CAP wants it, whole seconds, rounded down.

    >>> cap_time(1_754_423_522_250_000_000)
    '2025-08-05T19:52:02-00:00'
    """
    return to_iso(time_ns, digits=0)[:-1] + "-00:00"


def reference(sender: str, identifier: str, sent_ns: int) -> str:
    """Return the triple by which later messages name this one."""
    return f"{sender},{identifier},{cap_time(sent_ns)}"


def write(message: Message) -> bytes:
    """Return the document, UTF-8. Identifier and sender without the forbidden characters are the caller's promise."""
    for name, value in (("identifier", message.identifier), ("sender", message.sender)):
        assert value and not any(c in value for c in FORBIDDEN_IN_IDS), f"CAP {name} {value!r}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<alert xmlns="{NAMESPACE}">']
    lines += _elements(1, (
        ("identifier", message.identifier),
        ("sender", message.sender),
        ("sent", cap_time(message.sent_ns)),
        ("status", message.status),
        ("msgType", message.msg_type),
        ("source", message.source),
        ("scope", message.scope),
        ("restriction", message.restriction if message.scope == "Restricted" else ""),
        ("addresses", " ".join(map(_quoted, message.addresses))),
        *(("code", code) for code in message.codes),
        ("note", message.note),
        ("references", " ".join(message.references)),
        ("incidents", _quoted(message.incidents)),
    ))
    for info in message.infos:
        lines += _info(info)
    lines.append("</alert>")
    return ("\n".join(lines) + "\n").encode("utf-8")


def _info(info: Info) -> list[str]:
    lines = ["  <info>"]
    lines += _elements(2, (
        ("language", info.language),
        *(("category", value) for value in info.categories),
        ("event", info.event),
        *(("responseType", value) for value in info.response_types),
        ("urgency", info.urgency),
        ("severity", info.severity),
        ("certainty", info.certainty),
        ("audience", info.audience),
    ))
    for name, value in info.event_codes:
        lines += _pair("eventCode", name, value, 2)
    lines += _elements(2, (
        ("effective", cap_time(info.effective_ns) if info.effective_ns else ""),
        ("onset", cap_time(info.onset_ns) if info.onset_ns else ""),
        ("expires", cap_time(info.expires_ns) if info.expires_ns else ""),
        ("senderName", info.sender_name),
        ("headline", info.headline),
        ("description", info.description),
        ("instruction", info.instruction),
        ("web", info.web),
        ("contact", info.contact),
    ))
    for name, value in info.parameters:
        lines += _pair("parameter", name, value, 2)
    for resource in info.resources:
        lines.append("    <resource>")
        lines += _elements(3, (("resourceDesc", resource.description), ("mimeType", resource.mime_type),
                               ("size", str(resource.size or "")), ("uri", resource.uri), ("digest", resource.sha1)))
        lines.append("    </resource>")
    for area in info.areas:
        lines.append("    <area>")
        lines += _elements(3, (("areaDesc", area.description), *(("polygon", ring_text(r)) for r in area.polygons),
                               *(("circle", f"{lat:.4f},{lon:.4f} {km:.3f}") for lat, lon, km in area.circles)))
        for name, value in area.geocodes:
            lines += _pair("geocode", name, value, 3)
        if area.altitude_ft is not None:
            lines += _elements(3, (("altitude", f"{area.altitude_ft:.0f}"),
                                   ("ceiling", "" if area.ceiling_ft is None else f"{area.ceiling_ft:.0f}")))
        lines.append("    </area>")
    lines.append("  </info>")
    return lines


def ring_text(ring: Iterable[tuple[float, float]]) -> str:
    """Return a ring as CAP writes it: ``latitude,longitude`` pairs with spaces between.

    >>> ring_text([(45.1, 28.5), (45.25, 28.5)])
    '45.1000,28.5000 45.2500,28.5000'
    """
    return " ".join(f"{latitude:.4f},{longitude:.4f}" for latitude, longitude in ring)


def _quoted(name: str) -> str:
    """Return a name as lists of them want it: in double quotes where it has spaces (3.2.1)."""
    return f'"{name}"' if " " in name else name


def _elements(depth: int, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{'  ' * depth}<{name}>{_clean(value)}</{name}>" for name, value in pairs if value]


def _pair(name: str, value_name: str, value: str, depth: int) -> list[str]:
    inner = "  " * (depth + 1)
    return [f"{'  ' * depth}<{name}>", f"{inner}<valueName>{_clean(value_name)}</valueName>",
            f"{inner}<value>{_clean(value)}</value>", f"{'  ' * depth}</{name}>"]


def _clean(text: str) -> str:
    """Return text fit for XML: markup escaped, and characters that XML 1.0 cannot hold left out."""
    return escape("".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd"
                          or c >= "\U00010000"))


@cache
def schema_bytes() -> bytes:
    """Return the OASIS schema as published."""
    return read_resource("lapwing.warn", "data/CAP-v1.2.xsd")

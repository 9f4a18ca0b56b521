"""Cursor on Target events, read from XML (CoT 2.0) or TAK protocol version 1 into one form, with what is wrong in each.

Hostile XML is refused before anything is made of it: document types and entities, excess size, depth and number of
elements. Height, circular and linear error have two sentinels in use for "unknown": 9999999 and 999999; both are NaN here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from lxml import etree

from lapwing.model.times import NS_PER_S
from lapwing.sense import tak_protobuf
from lapwing.sense.findings import ERROR, NOTE, WARNING, Finding

OCTETS_MAX = 4_000_000
EVENTS_MAX = 10_000
DEPTH_MAX = 64
ELEMENTS_MAX = 20_000
UNKNOWN_M = (999_999.0, 9_999_999.0)

# MITRE CoT base event schema 2.0 (public release): attributes of event and point.
_ATTRIBUTES = {"version", "type", "access", "qos", "opex", "uid", "time", "start", "stale", "how"}
_OPTIONAL = {"access", "qos", "opex"}
_LATER = {"caveat", "releaseableTo", "releasableTo"}       # sent by TAK, not in the schema
_POINT = ("lat", "lon", "hae", "ce", "le")
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"       # of these every document may have some
# Of texts in which every word character stands as "w" (`_spelt`).
_TYPE = re.compile(r"w+(-w+)*(;[^;]*)?", re.DOTALL)
_HOW = re.compile(r"w(-w+)*")
_QOS = re.compile(r"w-w-w")
_KINDS, _AFFILIATIONS, _MADE_BY = "abcrtuy", "puafnshjkox", "hm"   # first letters of type (u and y by TAK), of an atom, of how
HAE_M = (-12_000.0, 100_000.0)
_BLANKS = " \t\r\n"
_OPEX = re.compile(r"[oes](-.*)?", re.DOTALL)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVENT = re.compile(rb"<event\b.*?</event\s*>", re.DOTALL)


@dataclass(slots=True)
class Event:
    """One event. NaN, -1 or "" where it says nothing; `findings` says what is wrong with it."""

    uid: str = ""
    type: str = ""
    how: str = ""
    opex: str = ""
    time_ns: int = -1
    start_ns: int = -1
    stale_ns: int = -1
    lat_deg: float = math.nan
    lon_deg: float = math.nan
    hae_m: float = math.nan
    ce_m: float = math.nan
    le_m: float = math.nan
    course_deg: float = math.nan
    speed_mps: float = math.nan
    callsign: str = ""
    remarks: str = ""
    links: list[Mapping[str, str]] = field(default_factory=list)
    detail_names: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    @property
    def real(self) -> bool:
        """Whether it is of the real world: not an exercise, not a simulation."""
        return not self.opex or self.opex[0] not in "es"

    def say(self, rule: str, severity: str, path: str, message: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(rule, severity, path, message))


def parse_time(text: str) -> int:
    """Return nanoseconds since 1970 of an ``xs:dateTime`` with a zone, any number of decimals. Raises ValueError."""
    found = _TIME.fullmatch(text.strip(_BLANKS))
    if not found:
        raise ValueError("no time like 2026-11-23T01:02:03.250Z")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if zone is None:
        raise ValueError("no zone: it ends with Z or an offset")
    # 24:00:00 is the midnight that ends the day (XML Schema part 2, 3.2.7).
    ends_day = hour == "24" and int(minute) == int(second) == int(fraction or 0) == 0
    span = datetime(int(year), int(month), int(day), 0 if ends_day else int(hour), int(minute), int(second),
                    tzinfo=UTC) - _EPOCH
    seconds = (span.days + ends_day) * 86_400 + span.seconds
    if zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if minutes > 59 or hours * 60 + minutes > 14 * 60:
            raise ValueError(f"zone {zone}: at most 14:00 from UTC")
        offset_s = (hours * 60 + minutes) * 60
        seconds -= offset_s if zone[0] == "+" else -offset_s
    return seconds * NS_PER_S + int((fraction or "0").ljust(9, "0")[:9])


def parse_events(document: bytes) -> tuple[list[Event], list[Finding]]:
    """Return the events of a document, XML or TAK protocol, one or several back to back, and what is no event in it."""
    if len(document) > OCTETS_MAX:
        return [], [Finding("too-large", ERROR, "", f"more than {OCTETS_MAX} octets: not read")]
    if not document.strip():
        return [], [Finding("empty", ERROR, "", "nothing in it")]
    if document[:1] == bytes([tak_protobuf.MAGIC]):
        if document[1:3] != bytes([0, tak_protobuf.MAGIC]):
            return _from_tak(document)
        document = document[3:]        # version 0 of the TAK protocol: XML behind a header
    try:
        return [_from_root(_parse_xml(document))], []
    except _BadXml as error:
        several = _EVENT.findall(document) if error.rule == "xml-not-well-formed" else []
        if len(several) < 2:
            return [], [Finding(error.rule, ERROR, "", str(error))]
    return _from_several(several, document)


def _from_several(parts: list[bytes], document: bytes) -> tuple[list[Event], list[Finding]]:
    events, wrong = [], []
    for place, part in enumerate(parts[:EVENTS_MAX]):
        try:
            events.append(_from_root(_parse_xml(part)))
        except _BadXml as error:
            wrong.append(Finding(error.rule, ERROR, f"event {place}", str(error)))
    left = re.sub(rb"<\?xml[^>]*\?>", b"", _EVENT.sub(b"", document)).strip()
    if left:
        wrong.append(Finding("xml-not-well-formed", ERROR, f"event {len(parts)}", f"{len(left)} octets that are no event"))
    if len(parts) > EVENTS_MAX:
        wrong.append(Finding("too-many", ERROR, "", f"more than {EVENTS_MAX} events"))
    return events, wrong


class _BadXml(ValueError):
    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def _parse_xml(document: bytes) -> etree._Element:
    """Return the root. Refuses document types, depth and number of elements while streaming, before a tree is built."""
    depth = count = 0
    parser = etree.XMLPullParser(events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
                                 huge_tree=False, remove_comments=True, remove_pis=True)
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise _BadXml("xml-doctype", "a document type is declared: entities and external parts are not read")
    try:
        for begin in range(0, len(document), 16_384):
            parser.feed(document[begin : begin + 16_384])
            for kind, _ in parser.read_events():
                depth += 1 if kind == "start" else -1
                count += kind == "start"
                if depth > DEPTH_MAX:
                    raise _BadXml("xml-too-deep", f"elements nested deeper than {DEPTH_MAX}")
                if count > ELEMENTS_MAX:
                    raise _BadXml("xml-too-many-elements", f"more than {ELEMENTS_MAX} elements")
        root: etree._Element = parser.close()
    except etree.XMLSyntaxError as error:
        raise _BadXml("xml-not-well-formed", str(error)) from None
    except (ValueError, LookupError, AssertionError) as error:
        if isinstance(error, _BadXml):
            raise
        raise _BadXml("xml-encoding", str(error)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        # In an encoding in which the search above did not see it.
        raise _BadXml("xml-doctype", "a document type is declared: entities and external parts are not read")
    return root


def _from_root(root: etree._Element) -> Event:
    event = Event()
    if root.tag != "event":
        event.say("not-an-event", ERROR, str(root.tag)[:80], "the root is not <event>")
        return event
    attributes = {str(key): str(value) for key, value in root.attrib.items()}
    for name in sorted(_ATTRIBUTES - _OPTIONAL - set(attributes)):
        event.say("missing", ERROR, f"event@{name}", "the schema asks for it")
    for name in sorted(set(attributes) - _ATTRIBUTES):
        if not name.startswith(_XSI):
            event.say("unknown-attribute", WARNING if name in _LATER else ERROR, f"event@{name[:40]}", "not in the schema")
    if "version" in attributes:
        version = attributes["version"].strip(_BLANKS)
        if not _DECIMAL.fullmatch(version) or Decimal(version) < 2:
            event.say("version", ERROR, "event@version", f"{version[:20]!r}: 2.0 or more is read")
        elif Decimal(version) >= 3:
            event.say("version", WARNING, "event@version", f"{version[:20]!r}: read as 2.0")
    event.uid, event.type, event.how = (attributes.get(name, "") for name in ("uid", "type", "how"))
    event.opex = attributes.get("opex", "")
    for name in ("time", "start", "stale"):
        if name in attributes:
            try:
                setattr(event, f"{name}_ns", parse_time(attributes[name]))
            except ValueError as error:
                event.say("time", ERROR, f"event@{name}", f"{attributes[name][:40]!r}: {error}")
    if "qos" in attributes and not _is_qos(attributes["qos"]):
        event.say("qos", ERROR, "event@qos", f"{attributes['qos'][:20]!r}: written as digit-letter-letter")
    _names(event, set(attributes))
    points, details = root.findall("point"), root.findall("detail")
    if (root.text or "").strip(_BLANKS) or any((child.tail or "").strip(_BLANKS) for child in root):
        event.say("text", ERROR, "event", "text between its elements: not in the schema")
    for child in root:
        if child.tag not in ("point", "detail"):
            event.say("unknown-element", ERROR, f"event/{str(child.tag)[:40]}", "not in the schema")
    if len(points) != 1:
        event.say("point", ERROR, "event/point", f"{len(points)} of them; one is expected")
    if len(details) > 1:
        event.say("detail", ERROR, "event/detail", f"{len(details)} of them; one at most is expected")
    if points:
        _point(event, points[0])
    if details:
        _detail(event, details[0])
    _sense(event)
    return event


def _spelt(text: str) -> str:
    """Return a text with each word character of XML Schema (no punctuation, separator or control) as "w"."""
    return "".join("w" if unicodedata.category(letter)[0] not in "PZC" else letter for letter in text)


def _is_qos(text: str) -> bool:
    return text[:1].isdecimal() and _QOS.fullmatch(_spelt(text)) is not None


def _names(event: Event, given: set[str]) -> None:
    if "uid" in given and not event.uid.strip():
        event.say("uid", ERROR, "event@uid", "empty: nothing says which object this is of")
    if "type" in given and not _TYPE.fullmatch(_spelt(event.type)):
        event.say("type", ERROR, "event@type", f"{event.type[:40]!r}: words joined by single hyphens, such as a-u-A")
    elif "type" in given:
        words = event.type.partition(";")[0].split("-")
        if words[0] not in _KINDS or (words[0] == "a" and (len(words) < 3 or words[1] not in _AFFILIATIONS)):
            event.say("type", WARNING, "event@type", f"{event.type[:40]!r}: no kind of event is known by it; a thing is written "
                      "a-u-A: atom, affiliation, dimension")
    if "how" in given and not _HOW.fullmatch(_spelt(event.how)):
        event.say("how", ERROR, "event@how", f"{event.how[:40]!r}: a letter, then words joined by hyphens, such as m-r")
    elif "how" in given and event.how[0] not in _MADE_BY:
        event.say("how", WARNING, "event@how", f"{event.how[:40]!r}: h by a person or m by a machine is known")
    if event.opex and not _OPEX.fullmatch(event.opex):
        event.say("opex", WARNING, "event@opex", f"{event.opex[:40]!r}: o, e or s and perhaps a name; taken as real")


def _point(event: Event, point: etree._Element) -> None:
    found: dict[str, float] = {}
    for name in _POINT:
        text = point.get(name)
        if text is None:
            event.say("missing", ERROR, f"point@{name}", "the schema asks for it")
        elif not _DECIMAL.fullmatch(text.strip(_BLANKS)) or len(text) > 400:
            event.say("number", ERROR, f"point@{name}", f"{text[:20]!r} is no decimal number")
        else:
            found[name] = float(text)
    for name in sorted(set(map(str, point.attrib)) - set(_POINT)):
        if not name.startswith(_XSI):
            event.say("unknown-attribute", ERROR, f"point@{name[:40]}", "not in the schema")
    if (point.text or "").strip(_BLANKS):
        event.say("text", ERROR, "point", "text in it: not in the schema")
    if len(point):
        event.say("unknown-element", ERROR, f"point/{str(point[0].tag)[:40]}", "not in the schema")
    _place(event, found)


def _place(event: Event, found: Mapping[str, float]) -> None:
    for name, high in (("lat", 90.0), ("lon", 180.0)):
        value = found.get(name, math.nan)
        if name in found and not abs(value) <= high:
            event.say("range", ERROR, f"point@{name}", f"{value:g}: must lie in [-{high:g}, {high:g}]")
            value = math.nan
        setattr(event, f"{name}_deg", value)
    for name in ("hae", "ce", "le"):
        value = found.get(name, math.nan)
        if name in found and not math.isfinite(value):
            event.say("number", ERROR, f"point@{name}", f"{value} is no number")
        known = math.isfinite(value) and not any(abs(value) >= unknown and value > 0 for unknown in UNKNOWN_M)
        setattr(event, f"{name}_m", value if known else math.nan)
        if known and name != "hae" and value < 0.0:
            event.say("range", WARNING, f"point@{name}", f"{value:g}: an error is not negative")
            setattr(event, f"{name}_m", math.nan)
        elif known and name == "hae" and not HAE_M[0] <= value <= HAE_M[1]:
            event.say("range", WARNING, "point@hae", f"{value:g} m: nothing flies there; a wrong unit, or an unknown height")
    if event.lat_deg == event.lon_deg == 0.0:
        event.say("place", NOTE, "point", "0 N 0 E: most likely a sender without a place")


def _detail(event: Event, detail: etree._Element) -> None:
    for child in detail:
        event.detail_names.add(child.tag)
        if child.tag == "track":
            for name, attribute in (("course", "course_deg"), ("speed", "speed_mps")):
                text = child.get(name)
                if text is None:
                    event.say("missing", WARNING, f"detail/track@{name}", "the schema of track asks for it")
                elif not _DECIMAL.fullmatch(text.strip(_BLANKS)) or len(text) > 400:
                    event.say("number", WARNING, f"detail/track@{name}", f"{text[:20]!r} is no decimal number")
                else:
                    setattr(event, attribute, float(text))
        elif child.tag == "contact":
            event.callsign = child.get("callsign") or ""
        elif child.tag == "remarks":
            event.remarks = "".join(str(part) for part in child.itertext()).strip()[:4_000]
        elif child.tag == "link":
            event.links.append({str(key): str(value) for key, value in child.attrib.items()})
    _motion(event)


def _motion(event: Event) -> None:
    if not 0.0 <= event.course_deg < 360.0 and math.isfinite(event.course_deg):
        event.say("range", WARNING, "detail/track@course", f"{event.course_deg:g}: must lie in [0, 360)")
    if event.speed_mps < 0.0:
        # ATAK sends -1 where it does not know.
        event.say("range", NOTE, "detail/track@speed", f"{event.speed_mps:g} m/s: taken as unknown")
        event.speed_mps = math.nan


def _sense(event: Event) -> None:
    """What the schema cannot say."""
    if event.stale_ns >= 0 and event.start_ns >= 0 and event.stale_ns < event.start_ns:
        event.say("order", ERROR, "event@stale", "before the start: it was never valid")
    elif 0 <= event.stale_ns < event.time_ns:
        event.say("order", WARNING, "event@stale", "before the time at which it was made: it was old when it was sent")
    if not event.real:
        event.say("not-real", NOTE, "event@opex", "an exercise or a simulation: never used as a real report")


def _from_tak(document: bytes) -> tuple[list[Event], list[Finding]]:
    messages, rest = tak_protobuf.split(document)
    wrong = [Finding("frame", ERROR, f"message {len(messages)}", rest)] if rest else []
    if len(messages) > EVENTS_MAX:
        wrong.append(Finding("too-many", ERROR, "", f"more than {EVENTS_MAX} events"))
    return [_of_tak(message) for message in messages[:EVENTS_MAX]], wrong


def _of_tak(message: bytes) -> Event:
    event = Event()
    try:
        sent = tak_protobuf.parse_message(message)
    except tak_protobuf.BadTak as error:
        event.say("not-a-message", ERROR, "", str(error))
        return event
    if not sent.has_event:
        event.say("no-event", ERROR, "cotEvent", "missing: a message without an event")
        return event
    event.uid, event.type, event.how = (sent.texts.get(name, "") for name in ("uid", "type", "how"))
    event.opex, event.callsign = sent.texts.get("opex", ""), sent.texts.get("callsign", "")
    if "qos" in sent.texts and not _is_qos(sent.texts["qos"]):
        event.say("qos", ERROR, "event@qos", f"{sent.texts['qos'][:20]!r}: written as digit-letter-letter")
    for name in ("time", "start", "stale"):
        if name not in sent.times_ms:
            event.say("missing", ERROR, f"event@{name}", "not sent")
        elif sent.times_ms[name] >= 253_402_300_800_000:
            event.say("time", ERROR, f"event@{name}", f"{sent.times_ms[name]} ms is beyond the year 9999")
        else:
            setattr(event, f"{name}_ns", sent.times_ms[name] * 1_000_000)
    _names(event, {"uid", "type", "how"})
    _place(event, {name: sent.numbers.get(name, 0.0) for name in _POINT})
    text = sent.texts.get("detail", "")
    if text:
        try:
            _detail(event, _parse_xml(f"<detail>{text}</detail>".encode()))
        except _BadXml as error:
            event.say(error.rule, ERROR, "detail", str(error))
    event.callsign = sent.texts.get("callsign", event.callsign)
    event.course_deg = sent.numbers.get("course", event.course_deg)
    event.speed_mps = sent.numbers.get("speed", event.speed_mps)
    _motion(event)
    _sense(event)
    return event


def all_findings(events: list[Event], wrong: list[Finding]) -> Iterator[Finding]:
    """Yield what is wrong with a document, each finding with its event's place where there are several."""
    for place, event in enumerate(events):
        for finding in event.findings:
            path = f"event {place}: {finding.path}" if len(events) > 1 else finding.path
            yield Finding(finding.rule, finding.severity, path, finding.message)
    yield from wrong

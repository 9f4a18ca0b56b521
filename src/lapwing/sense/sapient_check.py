"""Judges SAPIENT messages by BSI Flex 335 v2.0: what must be there, identifiers, enumerations, choices, ranges.

Most rules are in the schema itself, as options on its fields (``is_mandatory``, ``is_ulid``, ``is_uuid``): the message
is walked with them in hand, so a rule holds wherever the type is used. What the standard's text asks beyond the options
stands in the two tables below. Ranges (a latitude of 123, a confidence of 2) are warnings: the message is well-formed, and
its content is not to be believed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from lapwing.sense import sapient_wire
from lapwing.sense.findings import ERROR, NOTE, WARNING, Finding

OCTETS_MAX = 16 * 1_048_576
FINDINGS_MAX = 200
DEPTH_MAX = 80
# ULID: 26 characters of Crockford's base 32, 128 bits, so the first is at most 7 (github.com/ulid/spec).
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

# Asked by the standard's text, but not marked in the schema. Message.field -> what.
_MORE_MANDATORY = {"Error.error_message"}
_MORE_ULID = {"FollowObject.follow_object_id"}
_MORE_UUID = {"Registration.dependent_nodes"}

_SHARES = {"detection_confidence", "confidence", "ranking"}
_NOT_NEGATIVE = {"x_error", "y_error", "z_error", "elevation_error", "azimuth_error", "range_error", "range",
                 "horizontal_extent", "vertical_extent", "horizontal_extent_error", "vertical_extent_error",
                 "east_rate_error", "north_rate_error", "up_rate_error", "start_frequency", "centre_frequency",
                 "stop_frequency", "pulse_duration"}
_TYPE_ENUM, _TYPE_MESSAGE, _TYPE_STRING, _TYPE_BYTES = 14, 11, 9, 12


def check(document: bytes) -> list[Finding]:
    """Return what is wrong with a document: protobuf JSON, or binary with or without frames (several: all of them)."""
    if len(document) > OCTETS_MAX:
        return [Finding("too-large", ERROR, "", f"more than {OCTETS_MAX} octets: not read")]
    if not document.strip():
        return [Finding("empty", ERROR, "", "nothing in it")]
    if sapient_wire.is_json(document):
        return _check_json(document)
    payloads, rest = sapient_wire.split(document)
    found: list[Finding] = []
    for place, payload in enumerate(payloads):
        prefix = f"[{place}]." if len(payloads) > 1 else ""
        try:
            message = sapient_wire.parse_binary(payload)
        except sapient_wire.BadMessage as error:
            found.append(Finding("not-a-message", ERROR, prefix.rstrip("."), str(error)))
            continue
        found += check_message(message, prefix)
    if rest:
        found.append(Finding("frame", ERROR, f"[{len(payloads)}]", rest))
    return found[:FINDINGS_MAX]


def _check_json(document: bytes) -> list[Finding]:
    try:
        return check_message(sapient_wire.parse_json(document))
    except sapient_wire.BadMessage as error:
        first = Finding("not-a-message", ERROR, "", str(error))
    # An unknown field hides the rest: what else is wrong with the message is said all the same.
    try:
        return [first, *check_message(sapient_wire.parse_json(document, unknown_fields=True))]
    except sapient_wire.BadMessage:
        return [first]


def check_message(message: Any, prefix: str = "") -> list[Finding]:
    """Return what is wrong with one message."""
    found: list[Finding] = []
    for finding in _walk(message, prefix, 0):
        found.append(finding)
        if len(found) >= FINDINGS_MAX:
            break
    return found


@cache
def _options() -> Any:
    from importlib import import_module

    return import_module("sapient_msg.proto_options_pb2")


def _walk(message: Any, path: str, depth: int) -> Iterator[Finding]:
    descriptor = message.DESCRIPTOR
    if depth > DEPTH_MAX:
        yield Finding("too-deep", ERROR, path.rstrip("."), f"nested deeper than {DEPTH_MAX}")
        return
    options = _options()
    for choice in descriptor.oneofs:
        marked = choice.GetOptions().Extensions[options.oneof_options]
        if marked.is_mandatory and message.WhichOneof(choice.name) is None:
            names = ", ".join(field.name for field in choice.fields)
            yield Finding("mandatory-choice", ERROR, path + choice.name, f"missing: one of {names} must be given")
    for field in descriptor.fields:
        yield from _field(message, field, path, depth)
    special = _SPECIAL.get(_short(descriptor))
    if special is not None:
        yield from special(message, path)


def _short(descriptor: Any) -> str:
    return str(descriptor.full_name).rsplit(".", 1)[-1]


def _there(message: Any, field: Any, value: Any) -> bool:
    if field.is_repeated:
        return len(value) > 0
    return bool(message.HasField(field.name)) if field.has_presence else bool(value)


def _field(message: Any, field: Any, path: str, depth: int) -> Iterator[Finding]:
    marked = field.GetOptions().Extensions[_options().field_options]
    key = f"{_short(field.containing_type)}.{field.name}"
    mandatory = marked.is_mandatory or key in _MORE_MANDATORY
    value = getattr(message, field.name)
    here = path + field.name
    if not _there(message, field, value):
        if mandatory:
            yield Finding("mandatory", ERROR, here, "missing: the standard asks for it")
        return
    for place, item in enumerate(value if field.is_repeated else [value]):
        at = f"{here}[{place}]" if field.is_repeated else here
        if field.type == _TYPE_MESSAGE:
            if field.message_type.full_name == "google.protobuf.Timestamp":
                yield from _time(item, at)
            else:
                yield from _walk(item, at + ".", depth + 1)
        elif field.type == _TYPE_ENUM:
            yield from _enumeration(field, item, at, mandatory or field.containing_oneof is not None)
        elif field.type == _TYPE_STRING:
            if (mandatory or _is_choice(field)) and not item.strip():
                yield Finding("mandatory", ERROR, at, "empty: the standard asks for a value")
            elif (marked.is_ulid or key in _MORE_ULID) and not _ULID.fullmatch(item):
                yield Finding("ulid", ERROR, at, f"{item[:60]!r} is no ULID (26 characters of base 32)")
            elif (marked.is_uuid or key in _MORE_UUID) and not _UUID.fullmatch(item):
                yield Finding("uuid", ERROR, at, f"{item[:60]!r} is no UUID (8-4-4-4-12 hexadecimal digits)")
        elif field.type == _TYPE_BYTES and mandatory and not item:
            yield Finding("mandatory", ERROR, at, "empty: the standard asks for a value")
        elif isinstance(item, float):
            yield from _number(field.name, item, at)


def _is_choice(field: Any) -> bool:
    """Whether a field is one of those of which one must be given: then it must say something."""
    choice = field.containing_oneof
    return choice is not None and bool(choice.GetOptions().Extensions[_options().oneof_options].is_mandatory)


def _enumeration(field: Any, value: int, at: str, counts: bool) -> Iterator[Finding]:
    known = field.enum_type.values_by_number.get(value)
    if known is None:
        yield Finding("enumeration", ERROR, at, f"{value} is none of {field.enum_type.name}")
    elif value == 0:
        yield Finding("unspecified", ERROR if counts else WARNING, at, f"{known.name} says nothing")


def _number(name: str, value: float, at: str) -> Iterator[Finding]:
    if not math.isfinite(value):
        yield Finding("range", ERROR, at, f"{value} is no number")
    elif name in _SHARES and not 0.0 <= value <= 1.0:
        yield Finding("range", WARNING, at, f"{value:g}: must lie in [0, 1]")
    elif name in _NOT_NEGATIVE and value < 0.0:
        yield Finding("range", WARNING, at, f"{value:g}: must not be negative")


def _time(item: Any, at: str) -> Iterator[Finding]:
    # google.protobuf.Timestamp: years 1 to 9999, nanoseconds of a second never negative.
    if not (-62_135_596_800 <= item.seconds <= 253_402_300_799 and 0 <= item.nanos < 1_000_000_000):
        yield Finding("time", ERROR, at, f"{item.seconds} s and {item.nanos} ns are no time")


def _location(message: Any, path: str) -> Iterator[Finding]:
    system = message.coordinate_system
    if system in (1, 2):      # latitude and longitude, in degrees or radians
        unit, half = ("degrees", 180.0) if system == 1 else ("radians", math.pi)
        if message.HasField("y") and abs(message.y) > half / 2.0:
            yield Finding("range", WARNING, path + "y", f"a latitude of {message.y:g} {unit}: x is longitude, y latitude")
        if message.HasField("x") and abs(message.x) > half:
            yield Finding("range", WARNING, path + "x", f"a longitude of {message.x:g} {unit}")
    elif system == 5:
        if message.HasField("y") and not 0.0 <= message.y <= 10_000_000.0:
            yield Finding("range", WARNING, path + "y", f"a UTM northing of {message.y:g} m")
        if message.HasField("x") and not 100_000.0 <= message.x <= 900_000.0:
            yield Finding("range", WARNING, path + "x", f"a UTM easting of {message.x:g} m")
        if not message.utm_zone:
            yield Finding("utm-zone", NOTE, path + "utm_zone", "not given: that of the node's registration is meant")


def _range_bearing(message: Any, path: str) -> Iterator[Finding]:
    radians = message.coordinate_system in (2, 4)
    turn = 2.0 * math.pi if radians else 360.0
    if message.HasField("azimuth") and abs(message.azimuth) > turn:
        yield Finding("range", WARNING, path + "azimuth", f"{message.azimuth:g}: more than a turn")
    if message.HasField("elevation") and abs(message.elevation) > turn / 4.0:
        yield Finding("range", WARNING, path + "elevation", f"{message.elevation:g}: beyond the zenith")


def _level(message: Any, path: str) -> Iterator[Finding]:
    if message.HasField("level") and not 0 <= message.level <= 100:
        yield Finding("range", WARNING, path + "level", f"{message.level} percent")


def _task(message: Any, path: str) -> Iterator[Finding]:
    if message.HasField("task_start_time") and message.HasField("task_end_time"):
        start, end = message.task_start_time, message.task_end_time
        if (end.seconds, end.nanos) < (start.seconds, start.nanos):
            yield Finding("order", WARNING, path + "task_end_time", "before the beginning")


def _duration(message: Any, path: str) -> Iterator[Finding]:
    if message.HasField("value") and message.value < 0.0:
        yield Finding("range", WARNING, path + "value", f"{message.value:g}: a duration is not negative")


_SPECIAL: Mapping[str, Callable[[Any, str], Iterator[Finding]]] = {
    "Location": _location, "RangeBearing": _range_bearing, "RangeBearingCone": _range_bearing, "Power": _level,
    "Task": _task, "Duration": _duration,
}

"""TAK protocol version 1: a CoT event as protobuf, in a datagram (mesh) or in a stream.

::

    mesh    0xBF 0x01 0xBF  TakMessage
    stream  0xBF  length (varint)  TakMessage

    TakMessage 2 CotEvent
    CotEvent   1 type  2 access  3 qos  4 opex  5 uid  6 time  7 start  8 stale (ms since 1970)  9 how
               10 lat  11 lon  12 hae  13 ce  14 le (doubles)  15 detail
    Detail     1 xml text of what has no field of its own  2 contact (2 callsign)  7 track (1 speed, 2 course)

Read by hand with bounds: one message of a dozen fields needs no library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MAGIC = 0xBF
MESSAGE_OCTETS_MAX = 1_048_576
FIELDS_MAX = 10_000


class BadTak(ValueError):
    """Octets that are no TAK message; says why and where."""


@dataclass(slots=True)
class TakEvent:
    """The fields of one event as sent; absent numbers are 0 and absent texts "", as protobuf 3 has it."""

    texts: dict[str, str] = field(default_factory=dict)       # type access qos opex uid how detail callsign
    times_ms: dict[str, int] = field(default_factory=dict)    # time start stale
    numbers: dict[str, float] = field(default_factory=dict)   # lat lon hae ce le speed course
    has_event: bool = False


_TEXTS = {1: "type", 2: "access", 3: "qos", 4: "opex", 5: "uid", 9: "how"}
_TIMES = {6: "time", 7: "start", 8: "stale"}
_NUMBERS = {10: "lat", 11: "lon", 12: "hae", 13: "ce", 14: "le"}
Value = int | float | bytes | None


def varint(octets: bytes, at: int) -> tuple[int, int]:
    """Return a varint and the place behind it. Raises BadTak."""
    value = 0
    for count in range(10):
        if at + count >= len(octets):
            raise BadTak(f"octet {at}: a number is cut off")
        octet = octets[at + count]
        value |= (octet & 0x7F) << (7 * count)
        if octet < 0x80:
            return value, at + count + 1
    raise BadTak(f"octet {at}: a number of more than 10 octets")


def _fields(octets: bytes) -> list[tuple[int, Value]]:
    found: list[tuple[int, Value]] = []
    at = 0
    while at < len(octets):
        if len(found) >= FIELDS_MAX:
            raise BadTak(f"more than {FIELDS_MAX} fields")
        begin = at
        key, at = varint(octets, at)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise BadTak(f"octet {begin}: field number {number} is none")
        if kind == 0:
            value: Value
            value, at = varint(octets, at)
        elif kind == 2:
            length, at = varint(octets, at)
            if length > len(octets) - at:
                raise BadTak(f"octet {at}: field {number} needs {length} octets, {len(octets) - at} left")
            value, at = octets[at : at + length], at + length
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            if size > len(octets) - at:
                raise BadTak(f"octet {at}: field {number} needs {size} octets, {len(octets) - at} left")
            value, at = struct.unpack_from("<d", octets, at)[0] if kind == 1 else None, at + size    # no field has four octets
        else:
            raise BadTak(f"octet {at}: field {number} has wire type {kind}, which is none")
        found.append((number, value))
    return found


def _text(value: Value, name: str) -> str:
    if not isinstance(value, bytes):
        raise BadTak(f"{name} is no text")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadTak(f"{name} is no UTF-8") from None


def _number(value: Value, name: str) -> float:
    if not isinstance(value, float):
        raise BadTak(f"{name} is no double")
    return value


def _sub(value: Value, name: str) -> list[tuple[int, Value]]:
    if not isinstance(value, bytes):
        raise BadTak(f"{name} is no message")
    return _fields(value)


def parse_message(octets: bytes) -> TakEvent:
    """Return the event of a TakMessage. Raises BadTak."""
    event = TakEvent()
    for number, value in _fields(octets):
        if number != 2:
            continue          # takControl and what later versions add
        event.has_event = True
        for inner, part in _sub(value, "cotEvent"):
            if inner in _TEXTS:
                event.texts[_TEXTS[inner]] = _text(part, _TEXTS[inner])
            elif inner in _TIMES:
                if not isinstance(part, int):
                    raise BadTak(f"{_TIMES[inner]} is no time")
                event.times_ms[_TIMES[inner]] = part
            elif inner in _NUMBERS:
                event.numbers[_NUMBERS[inner]] = _number(part, _NUMBERS[inner])
            elif inner == 15:
                _detail(event, _sub(part, "detail"))
    return event


def _detail(event: TakEvent, found: list[tuple[int, Value]]) -> None:
    for number, value in found:
        if number == 1:
            event.texts["detail"] = _text(value, "xmlDetail")
        elif number == 2:
            for inner, part in _sub(value, "contact"):
                if inner == 2:
                    event.texts["callsign"] = _text(part, "callsign")
        elif number == 7:
            for inner, part in _sub(value, "track"):
                if inner in (1, 2):
                    name = "speed" if inner == 1 else "course"
                    event.numbers[name] = _number(part, name)
            # Sent, so known, even where a value is 0 and was left out.
            event.numbers.setdefault("speed", 0.0)
            event.numbers.setdefault("course", 0.0)


def split(octets: bytes) -> tuple[list[bytes], str]:
    """Return the TakMessages of a datagram or of a stretch of a stream, and what is wrong with the rest."""
    if octets[:1] != bytes([MAGIC]):
        return [], "does not begin with the octet 0xBF"
    try:
        version, at = varint(octets, 1)
    except BadTak as error:
        return [], str(error)
    if at < len(octets) and octets[at] == MAGIC and version == 1 and not _is_stream(octets):
        return [octets[at + 1 :]], ""
    if at < len(octets) and octets[at] == MAGIC and version > 1 and not _is_stream(octets):
        return [], f"version {version} of the TAK protocol; 1 is read"
    return _split_stream(octets)


def _is_stream(octets: bytes) -> bool:
    messages, rest = _split_stream(octets)
    return bool(messages) and not rest


def _split_stream(octets: bytes) -> tuple[list[bytes], str]:
    found: list[bytes] = []
    at = 0
    while at < len(octets):
        if octets[at] != MAGIC:
            return found, f"octet {at}: 0xBF expected, 0x{octets[at]:02X} found: the stream is out of step"
        try:
            length, begin = varint(octets, at + 1)
        except BadTak:
            return found, f"octet {at}: the last message is cut off"
        if length > MESSAGE_OCTETS_MAX:
            return found, f"octet {at}: a message of {length} octets is announced; at most {MESSAGE_OCTETS_MAX} are taken"
        if length > len(octets) - begin:
            return found, f"octet {at}: the last message needs {length} octets, {len(octets) - begin} left"
        found.append(octets[begin : begin + length])
        at = begin + length
    return found, ""

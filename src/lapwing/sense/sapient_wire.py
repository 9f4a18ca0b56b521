"""SAPIENT on the wire: frames of a TCP link, and messages as protobuf or as protobuf's JSON.

A frame is four octets of length, little-endian, then one protobuf ``SapientMessage`` (BSI Flex 335 v2.0). The classes
come from ``sapient-msg`` (extra ``sapient``); without it `schema` raises ConfigError and nothing else here is hurt.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from lapwing.model.errors import ConfigError

FRAME_OCTETS_MAX = 1_048_576      # a registration is some 10 kB; more is a length that is none
LENGTH_OCTETS = 4
JSON_DEPTH_MAX = 64
_JSON_SPACE = b" \t\r\n"


class BadMessage(ValueError):
    """Octets that are no SAPIENT message; says why."""


@cache
def schema() -> ModuleType:
    """Return the module of the messages. Raises ConfigError where ``sapient-msg`` is not installed."""
    try:
        return import_module("sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2")
    except ImportError as error:
        raise ConfigError("the SAPIENT schema is not installed", where="sapient",
                          remedy="install it with `pip install 'lapwing[sapient]'`") from error


class FrameReader:
    """Cuts a stream into frames. After a length that cannot be, `broken` is set and nothing more comes."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.broken = ""

    @property
    def pending_octets(self) -> int:
        """Octets of a frame that has begun."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now."""
        self._pending += data
        found: list[bytes] = []
        at = 0
        while not self.broken and len(self._pending) - at >= LENGTH_OCTETS:
            length = int.from_bytes(self._pending[at : at + LENGTH_OCTETS], "little")
            if not 0 < length <= FRAME_OCTETS_MAX:
                self.broken = f"a frame of {length} octets is announced; 1 to {FRAME_OCTETS_MAX} are taken"
                break
            if len(self._pending) - at - LENGTH_OCTETS < length:
                break
            found.append(bytes(self._pending[at + LENGTH_OCTETS : at + LENGTH_OCTETS + length]))
            at += LENGTH_OCTETS + length
        del self._pending[:at]
        return found


def frame(payload: bytes) -> bytes:
    """Return a message with its length in front."""
    return len(payload).to_bytes(LENGTH_OCTETS, "little") + payload


def is_json(document: bytes) -> bool:
    """Whether a document is JSON text: its first octet that is no space opens an object, and it is no frame."""
    begin = document.removeprefix(b"\xef\xbb\xbf").lstrip(_JSON_SPACE)[:1]
    return begin == b"{" and not _is_framed(document)


def _is_framed(document: bytes) -> bool:
    return len(document) > LENGTH_OCTETS and int.from_bytes(document[:LENGTH_OCTETS], "little") == (
        len(document) - LENGTH_OCTETS)


def split(document: bytes) -> tuple[list[bytes], str]:
    """Return the protobuf messages of a document (framed, one or many, or one alone) and what is wrong with the rest."""
    reader = FrameReader()
    found = reader.feed(document)
    if found and not reader.broken:
        rest = f"the last frame ends {reader.pending_octets} octets after its beginning: it is cut off"
        return found, rest if reader.pending_octets else ""
    if found:
        return found, reader.broken
    if document[:1] == b"\n" and document[LENGTH_OCTETS - 1 : LENGTH_OCTETS] != b"\0":
        return [document], ""     # field 1, a timestamp: a message without a frame
    if reader.broken:
        return ([document], "") if _parses(document) else ([], reader.broken)
    if _parses(document):
        return [document], ""
    return [], "it ends inside its first frame"


def _parses(document: bytes) -> bool:
    try:
        parse_binary(document)
    except BadMessage:
        return False
    return bool(document)


def parse_binary(payload: bytes) -> Any:
    """Return the message of protobuf octets. Raises BadMessage."""
    from google.protobuf.message import DecodeError

    message = schema().SapientMessage()
    try:
        message.ParseFromString(payload)
    except (DecodeError, ValueError, RecursionError) as error:
        raise BadMessage(f"no protobuf SapientMessage: {error}") from None
    return message


def parse_json(document: bytes, *, unknown_fields: bool = False) -> Any:
    """Return the message of protobuf JSON. Raises BadMessage, where not told otherwise for an unknown field too."""
    from google.protobuf import json_format

    try:
        text = document.decode("utf-8-sig")
        message = json_format.Parse(text, schema().SapientMessage(), ignore_unknown_fields=unknown_fields,
                                    max_recursion_depth=JSON_DEPTH_MAX)
        _refuse_truths(json.loads(text), message.DESCRIPTOR, "")
        return message
    except UnicodeDecodeError as error:
        raise BadMessage(f"octet {error.start} is no UTF-8") from None
    except (json_format.ParseError, ValueError, RecursionError, TypeError, AttributeError) as error:
        # Some values of a wrong type end in a TypeError or AttributeError inside the library.
        raise BadMessage(" ".join(str(error).split(" Available Fields")[0].split())) from None


def _refuse_truths(value: Any, descriptor: Any, path: str) -> None:
    """Raise BadMessage where true or false stands for a number: Python takes it for 1 or 0, protobuf's JSON does not."""
    for name, inside in value.items() if isinstance(value, dict) else ():
        field = descriptor.fields_by_camelcase_name.get(name) or descriptor.fields_by_name.get(name)
        if field is None:
            continue
        for item in inside if isinstance(inside, list) else [inside]:
            if isinstance(item, bool) and field.cpp_type != field.CPPTYPE_BOOL:
                raise BadMessage(f"{path}{name}: {str(item).lower()} is no number")
            if field.message_type is not None:
                _refuse_truths(item, field.message_type, f"{path}{name}.")

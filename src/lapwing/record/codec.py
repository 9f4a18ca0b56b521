"""The generic checkpoint codec: values to octets and back, bit for bit, without pickle.

It knows None, bool, int, float, str, bytes, tuple, list, dict, NumPy arrays and scalars, and frozen dataclasses that
Lapwing's own modules define. Everything else is refused with the path to it. Decoding imports nothing outside
``lapwing`` and calls no constructor; whatever the octets hold, it returns a value or raises StorageError.

======== ====================================================================================================
octets   meaning
======== ====================================================================================================
4        ``LWC1``: magic and version
n        the value: a tag octet and what the tag says (lengths and counts are unsigned LEB128)
4        CRC-32 of all before, little-endian
======== ====================================================================================================

An array keeps dtype, shape and the order of its axes in memory, because NumPy sums in memory order: a resumed run must
add up in the same order as one that was never stopped. A view with gaps comes back contiguous.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import struct
import sys
import zlib
from types import MappingProxyType
from typing import Any

import numpy as np

from lapwing.model.errors import StorageError
from lapwing.record.codec_dtypes import read_dtype, write_dtype

MAGIC = b"LWC1"
DEPTH_MAX = 64  # deeper than any state; keeps crafted input from exhausting the stack

# Where classes may live. Not cli, web or __main__: importing those does things.
_MODULE = re.compile(r"lapwing\.(model|geo|country|sense|track|region|judge|warn|respond|share|record|sim|pipeline|runtime)"
                     r"(\.[a-z][a-z0-9_]*)*")
_FLOAT = struct.Struct("<d")


def encode(value: Any) -> bytes:
    """Return the octets of a value. Raises TypeError, with the path, for what the codec does not know."""
    writer = _Writer()
    writer.parts.append(MAGIC)
    writer.value(value, 0)
    body = b"".join(writer.parts)
    return body + zlib.crc32(body).to_bytes(4, "little")


def decode(octets: bytes) -> Any:
    """Return the value that `encode` was given. Raises StorageError for anything else than such octets."""
    if len(octets) < 9 or octets[:4] != MAGIC:
        raise StorageError("not a checkpoint of this version", where="checkpoint",
                           remedy="replay the journal from its start")
    if zlib.crc32(octets[:-4]) != int.from_bytes(octets[-4:], "little"):
        raise StorageError("damaged: its check sum does not fit", where="checkpoint",
                           remedy="use an older checkpoint, or replay the journal from its start")
    return decode_body(octets[4:-4])


def decode_body(body: bytes) -> Any:
    """Return the value of octets without magic and check sum; StorageError where they are not one value exactly."""
    reader = _Reader(body)
    try:
        value = reader.value(0)
    except StorageError:
        raise
    except (ValueError, TypeError, OverflowError, KeyError, AttributeError, ImportError, SyntaxError, MemoryError,
            RecursionError) as error:
        raise _broken(reader.at, f"{type(error).__name__}: {error}") from error
    if reader.at != len(body):
        raise _broken(reader.at, f"{len(body) - reader.at} octets too many")
    return value


def _broken(at: int, what: str) -> StorageError:
    return StorageError(what, where=f"checkpoint, octet {at}", remedy="replay the journal from its start")


class _Writer:
    """Collects the parts of one value; classes are named once and then by number."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.classes: dict[type, tuple[bytes, tuple[str, ...]]] = {}
        self.path: list[str] = []

    def count(self, tag: bytes, number: int) -> None:
        self.parts.append(tag + _leb(number))

    def sized(self, tag: bytes, octets: bytes) -> None:
        self.count(tag, len(octets))
        self.parts.append(octets)

    def refuse(self, what: str) -> TypeError:
        return TypeError(f"cannot checkpoint {what} at {'.'.join(self.path) or 'the top'}")

    def value(self, value: Any, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise self.refuse(f"a value nested over {DEPTH_MAX} deep")
        kind = type(value)
        if value is None:
            self.parts.append(b"N")
        elif kind is bool:
            self.parts.append(b"T" if value else b"F")
        elif kind is int:
            self.sized(b"I", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        elif kind is float:
            self.parts.append(b"D" + _FLOAT.pack(value))
        elif kind is str:
            # A person's text may hold half a surrogate pair; it must come back as it was.
            self.sized(b"S", value.encode("utf-8", "surrogatepass"))
        elif kind is bytes:
            self.sized(b"B", value)
        elif kind is tuple or kind is list:
            self.count(b"t" if kind is tuple else b"l", len(value))
            for i, item in enumerate(value):
                self.path.append(str(i))
                self.value(item, depth + 1)
                self.path.pop()
        elif kind is dict or kind is MappingProxyType:
            self.mapping(b"d" if kind is dict else b"m", value, depth)
        elif isinstance(value, np.generic):
            self.array(b"G", np.asarray(value))
        elif kind is np.ndarray:
            self.array(b"A", value)
        elif dataclasses.is_dataclass(kind):
            self.record(value, kind, depth)
        else:
            raise self.refuse(f"a {kind.__module__}.{kind.__qualname__}")

    def mapping(self, tag: bytes, value: Any, depth: int) -> None:
        self.count(tag, len(value))
        for key, item in value.items():
            if not _is_key(key):
                raise self.refuse(f"a key of type {type(key).__name__}")
            self.path.append(repr(key))
            self.value(key, depth + 1)
            self.value(item, depth + 1)
            self.path.pop()

    def array(self, tag: bytes, array: np.ndarray) -> None:
        if array.dtype.hasobject:
            raise self.refuse("an array of Python objects")
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        self.sized(tag, write_dtype(array.dtype))
        self.parts.append(bytes([array.ndim]) + bytes(axes) + b"".join(_leb(n) for n in array.shape))
        ordered = array.transpose(axes)
        if array.dtype.names is not None:
            # Padding between fields holds whatever was in memory: zeros, so that one state has one encoding.
            ordered = np.zeros(ordered.shape, array.dtype)
            ordered[...] = array.transpose(axes)
        self.parts.append(np.ascontiguousarray(ordered).tobytes())

    def record(self, value: Any, kind: type, depth: int) -> None:
        known = self.classes.get(kind)
        if known is None:
            known = self.introduce(kind)
        else:
            self.parts.append(known[0])
        for name in known[1]:
            self.path.append(name)
            self.value(getattr(value, name), depth + 1)
            self.path.pop()

    def introduce(self, kind: type) -> tuple[bytes, tuple[str, ...]]:
        if problem := _class_problem(kind):
            raise self.refuse(f"a {kind.__module__}.{kind.__qualname__}: {problem}")
        names = tuple(field.name for field in dataclasses.fields(kind))
        known = (b"O" + _leb(len(self.classes) + 1), names)
        self.classes[kind] = known
        self.parts.append(b"O\x00")
        self.sized(b"", f"{kind.__module__}:{kind.__qualname__}:{','.join(names)}".encode())
        return known


class _Reader:
    """Reads one value; every length is checked against what is left before anything is made of it."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.classes: list[tuple[type, tuple[str, ...]]] = []

    def take(self, count: int) -> bytes:
        if count < 0 or count > len(self.body) - self.at:
            raise _broken(self.at, f"{count} octets needed, {len(self.body) - self.at} left")
        self.at += count
        return self.body[self.at - count : self.at]

    def leb(self) -> int:
        number, shift = 0, 0
        while True:
            octet = self.take(1)[0]
            number |= (octet & 0x7F) << shift
            if octet < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise _broken(self.at, "a number of more than 64 bits")

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise _broken(self.at, f"nested over {DEPTH_MAX} deep")
        tag = self.take(1)
        simple = _SIMPLE.get(tag, self)
        if simple is not self:
            return simple
        if tag == b"D":
            return _FLOAT.unpack(self.take(8))[0]
        if tag == b"A":
            return self.array()
        if tag == b"G":
            array = self.array()
            if array.ndim:
                raise _broken(self.at, "a scalar with dimensions")
            return array[()]
        number = self.leb()
        if tag == b"O":
            return self.record(number, depth)
        if number > len(self.body) - self.at:
            raise _broken(self.at, f"a length of {number}, {len(self.body) - self.at} octets left")
        if tag == b"I":
            return int.from_bytes(self.take(number), "little", signed=True)
        if tag == b"S":
            return self.take(number).decode("utf-8", "surrogatepass")
        if tag == b"B":
            return self.take(number)
        if tag in b"tl":
            items = [self.value(depth + 1) for _ in range(number)]
            return tuple(items) if tag == b"t" else items
        if tag in b"dm":
            found = {}
            for _ in range(number):
                key = self.value(depth + 1)
                if not _is_key(key):
                    raise _broken(self.at, "a key that cannot be one")
                found[key] = self.value(depth + 1)
            return found if tag == b"d" else MappingProxyType(found)
        raise _broken(self.at - 1, f"unknown tag {tag!r}")

    def array(self) -> np.ndarray:
        dtype = read_dtype(self.take(self.leb()))
        ndim = self.take(1)[0]
        axes = list(self.take(ndim))
        shape = [self.leb() for _ in range(ndim)]
        if sorted(axes) != list(range(ndim)):
            raise _broken(self.at, "axes out of order")
        count = 1
        for length in shape:
            count *= length
        data = self.take(count * dtype.itemsize)
        if not dtype.itemsize and count > len(self.body):
            raise _broken(self.at, f"an array of {count} items of nothing")
        # Copied: the octets stand at an odd address, and a state's arrays may be written to by their stage.
        stored = np.ndarray([shape[axis] for axis in axes], dtype, data).copy()
        return stored.transpose([axes.index(axis) for axis in range(ndim)])

    def record(self, number: int, depth: int) -> Any:
        if number == 0:
            self.classes.append(self.find_class(self.take(self.leb()).decode("utf-8")))
            number = len(self.classes)
        if number > len(self.classes):
            raise _broken(self.at, f"class number {number} of {len(self.classes)}")
        kind, names = self.classes[number - 1]
        value: Any = object.__new__(kind)
        for name in names:
            object.__setattr__(value, name, self.value(depth + 1))
        return value

    def find_class(self, text: str) -> tuple[type, tuple[str, ...]]:
        module_name, qualified, joined = text.split(":")
        if not _MODULE.fullmatch(module_name):
            raise _broken(self.at, f"class of the module {module_name!r}, which may not hold state")
        found: Any = sys.modules.get(module_name) or importlib.import_module(module_name)
        for part in qualified.split("."):
            found = getattr(found, part)
        problem = _class_problem(found)
        if problem or (found.__module__, found.__qualname__) != (module_name, qualified):
            raise _broken(self.at, f"{module_name}.{qualified}: {problem or 'another class'}")
        names = tuple(joined.split(",")) if joined else ()
        now = tuple(field.name for field in dataclasses.fields(found))
        if names != now:
            raise _broken(self.at, f"{qualified} had the fields {', '.join(names)} and has {', '.join(now)}: "
                                   "written by another version")
        return found, names


_SIMPLE: dict[bytes, Any] = {b"N": None, b"T": True, b"F": False}


def _is_key(key: Any) -> bool:
    return type(key) in (str, int, bytes) or (type(key) is tuple and all(_is_key(part) for part in key))


def _class_problem(kind: Any) -> str:
    """Return why a class may not be part of a state, or an empty text."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return "not a dataclass"
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return "not frozen"
    if not _MODULE.fullmatch(kind.__module__):
        return "not of a module of Lapwing that may hold state"
    return "" if "<locals>" not in kind.__qualname__ else "defined inside a function"


def _leb(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)

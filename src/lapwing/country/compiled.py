"""The compiled form of a pack: arrays as npz, the rest as JSON inside it. No pickle, so a foreign file cannot run code.

Keyed by the sha256 of the pack's files and a format number; anything that does not fit is passed over, never trusted.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import fields, is_dataclass
from typing import Any, cast

import numpy as np

from lapwing.country.pack import Pack, Partner, Places, Policy, Zone
from lapwing.geo.areas import Areas
from lapwing.geo.border import Territory
from lapwing.geo.edge_index import SideIndex, StripTree

FORMAT = 9
# What a pack leaves to the defaults of the code is compiled in: with other defaults it is compiled anew.
_DEFAULTS = repr(Policy())
_TYPES: dict[str, type] = {t.__name__: t for t in (Pack, Zone, Places, Policy, Partner, Territory, Areas, SideIndex,
                                                   StripTree)}


def write_compiled(value: Pack | Territory) -> bytes:
    """Return the compiled form; the same value gives the same octets."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    document = {"format": FORMAT, "defaults": _DEFAULTS, "value": _encode(value, arrays)}
    arrays["document"] = np.frombuffer(json.dumps(document, ensure_ascii=False).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_compiled(data: bytes, sha256: str) -> Pack | None:
    """Return the pack, or None where the octets are not a compiled form of the files with that sha256."""
    value = read_value(data)
    return value if isinstance(value, Pack) and value.sha256 == sha256 else None


def read_value(data: bytes) -> Any:
    """Return what `write_compiled` wrote; None where the octets are something else, older, or damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            document = json.loads(arrays["document"].tobytes())
            if document.get("format") != FORMAT or document.get("defaults") != _DEFAULTS:
                return None
            return _decode(document["value"], {name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, NotImplementedError, struct.error,
            zipfile.BadZipFile):
        return None


def _encode(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays):04d}"
        arrays[name] = value
        return {"#": name}
    if is_dataclass(value) and not isinstance(value, type):
        return {"!": type(value).__name__, **{f.name: _encode(getattr(value, f.name), arrays) for f in fields(value)}}
    if isinstance(value, dict):
        return {"%": [[key, _encode(item, arrays)] for key, item in value.items()]}
    if isinstance(value, tuple):
        if value and all(type(item) is Zone for item in value):
            # Thousands of rows: as columns of plain values they are read in a quarter of the time. The order of a
            # mapping's keys is kept by JSON.
            return {"=": {f.name: [_plain(getattr(item, f.name)) for item in value] for f in fields(Zone)}}
        return [_encode(item, arrays) for item in value]
    assert value is None or isinstance(value, str | int | float | bool), type(value)
    return value


def _plain(value: Any) -> Any:
    """Return a value of a zone as JSON holds it: text, number, flag, or texts by key."""
    if isinstance(value, dict):
        assert all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()), value
    return value


def _decode(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return tuple([_decode(item, arrays) if isinstance(item, list | dict) else item for item in value])
    if not isinstance(value, dict):
        return value
    if "=" in value:
        columns = value["="]
        return tuple([Zone(*row) for row in zip(*(columns[f.name] for f in fields(Zone)), strict=True)])
    if "#" in value:
        return arrays[value["#"]]
    if "%" in value:
        return {key: _decode(item, arrays) for key, item in value["%"]}
    made = _TYPES[value["!"]]
    return cast(Any, made)(**{name: _decode(item, arrays) if isinstance(item, list | dict) else item
                              for name, item in value.items() if name != "!"})

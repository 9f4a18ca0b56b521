"""NumPy dtypes as octets for the checkpoint codec: plain ones by their type string, structured ones field by field."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

# bool, integers, floats, complex, octets, text, times; nothing that could name an object type.
_PLAIN = re.compile(r"[<>|=](?:[biufcSUV]\d{1,9}|[Mm]8(?:\[[0-9]*[A-Za-z]+\])?)")
_DEPTH_MAX = 8


def write_dtype(dtype: np.dtype[Any]) -> bytes:
    """Return a dtype as octets. Raises TypeError for object dtypes."""
    return json.dumps(_describe(dtype), separators=(",", ":")).encode()


def read_dtype(octets: bytes) -> np.dtype[Any]:
    """Return the dtype that `write_dtype` was given; ValueError, TypeError or KeyError for anything else."""
    return _build(json.loads(octets.decode("utf-8")), 0)


def _describe(dtype: np.dtype[Any]) -> Any:
    if dtype.hasobject:
        raise TypeError("a dtype of Python objects cannot be stored")
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return {"base": _describe(base), "shape": list(shape)}
    if dtype.names is None:
        return dtype.str
    assert dtype.fields is not None
    members = [dtype.fields[name] for name in dtype.names]
    titles = [member[2] if len(member) > 2 else None for member in members]
    if not all(title is None or isinstance(title, str) for title in titles):
        raise TypeError("a dtype whose titles are not texts cannot be stored")
    return {"names": list(dtype.names), "formats": [_describe(member[0]) for member in members],
            "offsets": [member[1] for member in members], "titles": titles if any(titles) else None,
            "itemsize": dtype.itemsize, "align": dtype.isalignedstruct}


def _build(text: Any, depth: int) -> np.dtype[Any]:
    if depth > _DEPTH_MAX:
        raise ValueError("a dtype nested too deep")
    if isinstance(text, str):
        if not _PLAIN.fullmatch(text):
            raise ValueError(f"{text!r} is not a dtype that is stored")
        return np.dtype(text)
    if not isinstance(text, dict):
        raise ValueError("neither a type string nor a structure")
    if "base" in text:
        shape = tuple(int(n) for n in text["shape"])
        built: np.dtype[Any] = np.dtype((_build(text["base"], depth + 1), shape))
    else:
        layout: Any = {"names": [str(name) for name in text["names"]],
                  "formats": [_build(part, depth + 1) for part in text["formats"]],
                  "offsets": [int(n) for n in text["offsets"]], "itemsize": int(text["itemsize"])}
        if text["titles"] is not None:
            layout["titles"] = [None if title is None else str(title) for title in text["titles"]]
        built = np.dtype(layout, align=bool(text["align"]))
    if built.hasobject:
        raise ValueError("a dtype of Python objects")
    return built

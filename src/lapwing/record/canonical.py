"""Canonical JSON: one text for one value, so that a replay can be compared octet by octet.

Keys in the order of the manual, no spaces, UTF-8, floats rounded to what the field means and written by `repr`
(shortest text that reads back the same). Not a number and infinity are null.
"""

from __future__ import annotations

import json
import math
from typing import Any

from lapwing.model.times import to_iso

Row = dict[str, Any]


def to_json(row: Any) -> bytes:
    """Return a row as canonical JSON. Raises ValueError for a NaN that no helper of this module has seen."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")  # half a surrogate pair in a person's text becomes "?"


def rounded(value: float, digits: int) -> float | None:
    """Return a number rounded to so many decimals, without a negative zero; None for NaN and infinity."""
    number = float(value)
    return round(number, digits) + 0.0 if math.isfinite(number) else None


def metres(value: float, digits: int = 1) -> float | None:
    """Return metres to the decimetre: finer than any line or sensor here."""
    return rounded(value, digits)


def degrees(angle_rad: float) -> float | None:
    """Return degrees to 1e-7 (about a centimetre)."""
    return rounded(math.degrees(angle_rad), 7)


def prob(value: float) -> float | None:
    """Return a probability to 1e-4."""
    return rounded(value, 4)


def iso(time_ns: int) -> str:
    """Return a time as ISO 8601 with Z, to the millisecond."""
    return to_iso(int(time_ns))


def iso_or_none(time_ns: int) -> str | None:
    """Return a time, or None where 0 stands for "not yet"."""
    return iso(time_ns) if time_ns else None

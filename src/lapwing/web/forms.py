"""What a person may enter at the console: checked here by the reader that the loop will use, journaled by the loop.

An entry of the console carries no time of its own unless the person gave one (a sighting of ten minutes ago): the loop
stamps the rest when it takes them. A decision is always of now.
"""

from __future__ import annotations

import json
import math
from typing import Any

from lapwing.model.entries import ACKNOWLEDGE, COMMAND, IDENTIFY, IMPACT, PATROL, SENSOR, SIGHTING
from lapwing.model.errors import InputError
from lapwing.sense.person_json import BadReport, decode_report

BODY_MAX = 65_536
NAME_MAX = 100
LOG_KINDS = (PATROL, SIGHTING, IDENTIFY, IMPACT, ACKNOWLEDGE, SENSOR)
ANY_TIME = "2000-01-01T00:00:00Z"   # stands in for the time that the loop will stamp, for the check only


def check_entry(kind: str, body: bytes) -> dict[str, Any]:
    """Return a person's entry as read.

    Parameters
    ----------
    kind : COMMAND or one of `LOG_KINDS`
    body : one JSON object with the keys of `sense.person_json`; ``time`` may be left out

    Raises
    ------
    InputError : with what is wrong and what to do
    """
    record = _object(kind, body)
    by = record.get("by")
    if not isinstance(by, str) or not by.strip() or len(by) > NAME_MAX:
        raise InputError("carries no name", where=f"{kind} by", remedy=f"enter your name, at most {NAME_MAX} letters")
    record["by"] = by.strip()
    if kind == COMMAND:
        record.pop("time", None)
        needs, remedy = ("zones", "choose the zones to warn") if record.get("action") == "raise" else \
            ("alert_id", "choose a proposal or an alert from the list")
        if not record.get(needs):
            raise InputError("is missing", where=f"command {needs}", remedy=remedy)
    try:
        decode_report(kind, json.dumps({"time": ANY_TIME, **record}).encode())
    except BadReport as error:
        raise InputError(str(error), where=kind, remedy="correct it and send it again") from error
    return record


def _object(kind: str, body: bytes) -> dict[str, Any]:
    try:
        record = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=kind, remedy="send one JSON object") from error
    if not isinstance(record, dict):
        raise InputError("is not one JSON object", where=kind, remedy='send {"by": "your name", ...}')
    return record


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is too large for a number")
    return value

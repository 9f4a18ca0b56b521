"""What a person may enter at the console: checked here by the reader that the loop will use, journaled by the loop.

An entry of the console carries no time of its own unless the person gave one (a sighting of ten minutes ago): the loop
stamps the rest when it takes them. A decision is always of now.
"""

from __future__ import annotations

import json
import math
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from lapwing.model.entries import ACKNOWLEDGE, COMMAND, IDENTIFY, IMPACT, PATROL, SENSOR, SIGHTING
from lapwing.model.errors import InputError
from lapwing.model.reports import IMPACT_KINDS, PATROL_EVENTS, SENSOR_ACTIONS, SIGHTING_KINDS
from lapwing.model.tracks import AFFILIATIONS
from lapwing.sense.person_json import BadReport, decode_report

BODY_MAX = 65_536
NAME_MAX = 100
LOG_KINDS = (PATROL, SIGHTING, IDENTIFY, IMPACT, ACKNOWLEDGE, SENSOR)
FIELDS_MAX = 40
_NUMBERS = ("_deg", "_sigma", "_m", "_s")
ANY_TIME = "2000-01-01T00:00:00Z"   # stands in for the time that the loop will stamp, for the check only


def check_entry(kind: str, body: bytes, name: str = "", role: str = "") -> dict[str, Any]:
    """Return a person's entry as read.

    Parameters
    ----------
    kind : COMMAND or one of `LOG_KINDS`
    body : one JSON object with the keys of `sense.person_json`, or the same as a form; ``time`` may be left out
    name : of the account that is signed in; then ``by`` is this and nothing else
    role : officer or supervisor, by that account; a page cannot claim one

    Raises
    ------
    InputError : with what is wrong and what to do
    """
    record = _object(kind, body)
    by = name or record.get("by")
    if not isinstance(by, str) or not by.strip() or len(by) > NAME_MAX:
        raise InputError("carries no name", where=f"{kind} by", remedy=f"enter your name, at most {NAME_MAX} letters")
    record["by"] = by.strip()
    if kind == COMMAND:
        record.pop("time", None)
        record.pop("role", None)
        if role:
            record["role"] = role
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
    if body.lstrip()[:1] not in (b"{", b"[") and b"=" in body:
        return _fields(kind, body)
    try:
        record = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=kind, remedy="send one JSON object") from error
    if not isinstance(record, dict):
        raise InputError("is not one JSON object", where=kind, remedy='send {"by": "your name", ...}')
    return record


def _fields(kind: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a form (``by=Ana&lat_deg=45.2``); empty ones are left out, numbers are numbers by their key."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=False, max_num_fields=FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"is no form: {error}", where=kind, remedy="send key=value&key=value in UTF-8") from error
    record: dict[str, Any] = {}
    for key, text in pairs:
        if key in record:
            raise InputError("is there twice", where=f"{kind} {key}", remedy="send each field once")
        if key.endswith(_NUMBERS):
            try:
                record[key] = _finite(text.strip().replace(",", "."))
            except ValueError as error:
                raise InputError(f"{text[:40]!r} is no number", where=f"{kind} {key}", remedy="write it like 45.2") from error
        elif text.strip():
            record[key] = text.strip()
    return record


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is too large for a number")
    return value


# What the page of forms asks for: kind -> (title, [(key, label, choices or "")]).
PAGE: dict[str, tuple[str, list[tuple[str, str, tuple[str, ...]]]]] = {
    SIGHTING: ("Sighting", [("kind", "what", SIGHTING_KINDS), ("lat_deg", "latitude", ()), ("lon_deg", "longitude", ()),
                            ("position_m_sigma", "error of the place, m", ()), ("bearing_deg", "direction, degrees from north", ()),
                            ("bearing_deg_sigma", "error of the direction, degrees", ()), ("time_s_sigma", "error of the time, s", ()),
                            ("place", "place in words", ())]),
    PATROL: ("Patrol", [("patrol", "patrol", ()), ("event", "event", PATROL_EVENTS), ("place", "place in words", ())]),
    IDENTIFY: ("Identification", [("affiliation", "it is", AFFILIATIONS), ("track_id", "track", ()),
                                  ("icao_address", "address, six hexadecimal digits", ()), ("mode3a", "code, four octal digits", ())]),
    IMPACT: ("Impact or last-seen point", [("kind", "what", IMPACT_KINDS), ("lat_deg", "latitude", ()), ("lon_deg", "longitude", ()),
                                           ("radius_m", "search radius, m", ()), ("bearing_deg", "middle of the sector, degrees", ()),
                                           ("sector_deg", "width of the sector, degrees", ())]),
    SENSOR: ("Sensor", [("sensor", "sensor", ()), ("action", "do", SENSOR_ACTIONS)]),
}


def page() -> str:
    """Return the page of forms: plain HTML, no script; each form posts to ``/api/log/KIND`` and shows the answer."""
    forms = []
    for kind, (title, fields) in PAGE.items():
        rows = []
        for key, label, choices in [*fields, ("text", "in your own words", ()), ("time", "time, if not now (2025-08-05T19:52:02Z)", ()),
                                    ("by", "your name", ())]:
            control = f'<input name="{key}"{" required" if key == "by" else ""}>'
            if choices:
                control = f'<select name="{key}">' + "".join(f"<option>{escape(c)}</option>" for c in choices) + "</select>"
            rows.append(f"<p><label>{escape(label)}<br>{control}</label></p>")
        forms.append(f'<form method="post" action="/api/log/{kind}"><h2>{escape(title)}</h2>{"".join(rows)}'
                     f'<p><button>journal it</button></p></form>')
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lapwing: log</title>'
            '<link rel="stylesheet" href="/static/console.css"></head><body><main><h1>What people know</h1>'
            f'{"".join(forms)}</main></body></html>')

"""What of a journal goes into the register of incidents: rows of events, proposals, decisions and alerts, each with its place.

Pure: it is handed the outputs of whole batches. All that a batch led to belongs to the incident that its events name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lapwing.model.ports import Output
from lapwing.model.times import from_iso

KINDS = ("event", "proposal", "decision", "alert")
_TABLES = {"event": "events", "proposal": "proposals", "decision": "decisions", "alert": "alerts"}
WHOLE_MAX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Registered:
    """A row of the register and the table that it belongs to."""

    table: str                 # events | proposals | decisions | alerts
    row: dict[str, Any]


def register_rows(segment: str, batch: int, outputs: Sequence[tuple[int, Output]]) -> tuple[list[Registered], list[str]]:
    """Return the rows of one batch, and what could not be made one, in words.

    Parameters
    ----------
    segment, batch : place in the journal
    outputs : (number within the batch, output) of the `KINDS`
    """
    found: list[tuple[int, str, dict[str, Any]]] = []
    faults: list[str] = []
    for number, output in outputs:
        try:
            row = json.loads(output.payload)
            found.append((number, output.kind, plain(row) if isinstance(row, dict) else {}))
        except ValueError as error:
            faults.append(f"{segment}, batch {batch}, output {number} ({output.kind}): {error}")
    incident = next((str(row["incident"]) for _, kind, row in found if kind == "event" and row.get("incident")), "")
    rows = []
    for number, kind, row in found:
        place = {"segment": segment, "batch": batch, "number": number, "incident": incident}
        try:
            rows.append(Registered(_TABLES[kind], place | _ROWS[kind](row)))
        except (KeyError, TypeError, ValueError) as error:
            faults.append(f"{segment}, batch {batch}, output {number} ({kind}): {type(error).__name__}: {error}")
    return rows, faults


def plain(value: Any) -> Any:
    """Return a value whose texts every database takes: no zero octet, no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def _people(zones: Iterable[dict[str, Any]]) -> int:
    return sum(int(zone["population"]) for zone in zones)


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return {"time_ns": from_iso(row["time"]), "incident": str(row["incident"]), "kind": str(row["kind"]), "severity": str(row["severity"]),
            "text": str(row["text"]), "ids": list(row["ids"])}


def _proposal(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(row["id"]), "time_ns": from_iso(row["time"]), "expires_ns": from_iso(row["expires"]), "level": str(row["level"]),
            "msg_type": str(row["msg_type"]), "reason": str(row["reason"]), "role": str(row.get("role", "")),
            "automatic": bool(row["automatic"]), "approvals_needed": min(int(row["approvals_needed"]), WHOLE_MAX),
            "people": _people(row["zones"]), "zones": list(row["zones"]), "caused_by": list(row["caused_by"])}


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    return {"time_ns": from_iso(row["time"]), "proposal": str(row["proposal_id"]), "action": str(row["action"]), "who": str(row["by"]),
            "text": str(row["text"])}


def _alert(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(row["identifier"]), "sent_ns": from_iso(row["sent"]), "expires_ns": from_iso(row["expires"]),
            "status": str(row["status"]), "msg_type": str(row["msg_type"]), "level": str(row["level"]),
            "proposal": str(row.get("proposal_id", "")), "people": _people(row["zones"]), "zones": list(row["zones"]),
            "caused_by": list(row["caused_by"]), "approved_by": list(row["approved_by"]), "refers_to": list(row["references"]),
            "cap_xml": str(row["cap_xml"])}


_ROWS = {"event": _event, "proposal": _proposal, "decision": _decision, "alert": _alert}

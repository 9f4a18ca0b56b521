"""The final verdicts of a journal with the plots that they rest on, and the octets of those plots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError


def explained(journal: Path, track_ids: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield the final verdicts of a journal, in order, each plot of `evidence.decisive` with format and octets of its entry.

    Raises StorageError where there is no journal, InputError where it has no final verdict on an object named.
    """
    with SqliteLog(journal, read_only=True) as log:
        final = [row for row in (json.loads(output.payload) for _, output in log.outputs_of("verdict")) if row["final"]]
        for track_id in track_ids:
            if not any(_named(row, track_id) for row in final):
                known = ", ".join(sorted({row["track_id"] for row in final})[:12]) or "none"
                raise InputError("no final verdict on this object", where=f"{journal}: {track_id}",
                                 remedy=f"objects with one: {known}")
        for row in final:
            if track_ids and not any(_named(row, track_id) for track_id in track_ids):
                continue
            for plot in row["evidence"].setdefault("decisive", []):
                entry = log.entry(plot["entry"])
                plot["format"], plot["octets"] = (entry.format, entry.payload.hex()) if entry is not None else ("?", "")
            yield row


def _named(row: dict[str, Any], track_id: str) -> bool:
    """Whether a verdict is on an object, or on a part of it (0012+2: a torn track)."""
    return bool(row["track_id"] == track_id or row["track_id"].startswith(track_id + "+"))

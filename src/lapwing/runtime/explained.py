"""The final verdicts of a journal with the plots that they rest on, and the octets of those plots."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.entries import Entry
from lapwing.model.errors import InputError, StorageError
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.runtime.segments import segments

# Entries are numbered anew in each segment of a live journal. A plot is received so long before or after its own time at the most
# (the sense stage refuses the others), so its entry is the one of its number that came in then.
EARLY_NS, LATE_NS = 5 * NS_PER_S, 600 * NS_PER_S


def explained(journal: Path, track_ids: tuple[str, ...] = (), neighbour: str = "") -> Iterator[dict[str, Any]]:
    """Yield the final verdicts of a journal, in order, each plot of `evidence.decisive` with format and octets of its entry.

    `neighbour`: the verdicts on the airspace of that neighbour, by its code; "" on the own.
    `journal` is a file, the folder of a run, or the journal folder of a live site. Format and octets are empty where the entry is
    not at hand (its segment has left). Raises StorageError where there is no journal, InputError where it has no final verdict on
    an object named.
    """
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(SqliteLog(path, read_only=True)) for path in _files(journal)]
        final = [(number, row) for number, log in enumerate(logs)
                 for row in (json.loads(output.payload) for _, output in log.outputs_of("neighbour" if neighbour else "verdict"))
                 if row["final"] and row["country"] == (neighbour or row["country"])]
        for track_id in track_ids:
            if not any(_named(row, track_id) for _, row in final):
                known = ", ".join(sorted({row["track_id"] for _, row in final})[:12]) or "none"
                on = f" and {neighbour}" if neighbour else ""
                raise InputError(f"no final verdict on this object{on}", where=f"{journal}: {track_id}",
                                 remedy=f"objects with one: {known}")
        for number, row in final:
            if track_ids and not any(_named(row, track_id) for track_id in track_ids):
                continue
            for plot in row["evidence"].setdefault("decisive", []):
                entry = _entry(logs[: number + 1], plot)
                plot["format"], plot["octets"] = (entry.format, entry.payload.hex()) if entry is not None else ("", "")
            yield row


def _files(journal: Path) -> list[Path]:
    if not journal.is_dir():
        return [journal]
    run = journal / "journal.sqlite"
    found = [run] if run.exists() else [segment.path for segment in segments(journal)]
    if not found:
        raise StorageError("no journal in this folder", where=str(journal),
                           remedy="name the folder of a run, the journal folder of a live site, or a journal file")
    return found


def _entry(logs: Sequence[SqliteLog], plot: dict[str, Any]) -> Entry | None:
    """Return the entry that a plot came in, None where it is not at hand."""
    found = [entry for entry in (log.entry(plot["entry"]) for log in logs) if entry is not None]
    if len(logs) == 1 and "initial_state" not in logs[0].meta():
        return found[0] if found else None
    time_ns = from_iso(plot["time"])
    return min((entry for entry in found if -EARLY_NS <= entry.received_ns - time_ns <= LATE_NS),
               key=lambda entry: abs(entry.received_ns - time_ns), default=None)


def _named(row: dict[str, Any], track_id: str) -> bool:
    """Whether a verdict is on an object, or on a part of it (0012+2: a torn track)."""
    return bool(row["track_id"] == track_id or row["track_id"].startswith(track_id + "+"))

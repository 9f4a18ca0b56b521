"""Reads a journal back: the last word on every object, notice and alert, the tracks, and when each link was heard.

Pure: it is handed the journal's outputs and batches in order. The journal holds every version of a row; here the last
one stands, at the place of the first.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.model.entries import TICK
from lapwing.model.errors import StorageError
from lapwing.model.ports import Batch, Output
from lapwing.record.canonical import Row
from lapwing.record.track_rows import TrackRows, empty_rows, unpack

# What makes two rows of a kind the same thing; a kind that is not here keeps every row.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "verdict": ("track_id", "country"), "neighbour": ("track_id", "country"), "traffic": ("track_id", "country"), "notice": ("id",),
    "alert": ("identifier",), "proposal": ("id",), "sighting": ("id",), "claim": ("number",)
}
# An object is either judged or traffic: the later of the two words on it takes the place of the earlier.
_INSTEAD = {"verdict": "traffic", "traffic": "verdict"}

THIN_NS = 10_000_000_000        # tracks that are not judged are kept this far apart: enough for a map
LINK_TIMES_MAX = 2_000_000      # receptions remembered of one link; beyond, every second is dropped


@dataclass(frozen=True, slots=True)
class Filed:
    """One row and the batch that it went out with."""

    batch: int
    row: Row


@dataclass(frozen=True, slots=True)
class Link:
    """When a link was heard."""

    name: str
    entry_count: int
    heard_ns: npt.NDArray[np.int64]      # ascending


@dataclass(frozen=True, slots=True)
class Record:
    """A journal, read back."""

    rows: Mapping[str, tuple[Filed, ...]]              # kind -> rows, in order of their first word
    tracks: TrackRows                                  # in order of emission
    refusals: tuple[tuple[str, str, int], ...]         # reason, source, count; sorted
    links: tuple[Link, ...]                            # by name
    entries_of_batch: Mapping[int, tuple[int, int]]    # first and last sequence
    first_ns: int
    last_ns: int

    def of(self, kind: str) -> tuple[Filed, ...]:
        """Return the rows of a kind."""
        return self.rows.get(kind, ())


class RowFiles:
    """The last word of every kind of row. Feed it the outputs in order."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[tuple[object, ...], Filed]] = {}

    def add(self, batch: int, output: Output) -> None:
        """Take an output; track rows are not its business."""
        if output.kind == "tracks":
            return
        row = read_row(batch, output)
        kept = self._kept.setdefault(output.kind, {})
        names = _KEYS.get(output.kind)
        key = (len(kept),) if names is None else tuple(row.get(name) for name in names)
        kept[key] = Filed(batch, row)
        if output.kind in _INSTEAD:
            self._kept.get(_INSTEAD[output.kind], {}).pop(key, None)

    def of(self, kind: str) -> tuple[Filed, ...]:
        """Return the rows of a kind."""
        return tuple(self._kept.get(kind, {}).values())

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds seen."""
        return tuple(self._kept)


def read_row(batch: int, output: Output) -> Row:
    """Return the row of an output; StorageError where it is not one."""
    try:
        row = json.loads(output.payload)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"not JSON: {error}", where=f"journal, batch {batch}, output {output.kind}",
                           remedy="run `lapwing verify` on the journal") from error
    if not isinstance(row, dict):
        raise StorageError("not a row", where=f"journal, batch {batch}, output {output.kind}",
                           remedy="run `lapwing verify` on the journal")
    return row


def gather(outputs: Iterable[tuple[int, Output]], batches: Iterable[Batch]) -> Record:
    """Read a journal back. Raises StorageError where a row cannot be read."""
    files, thinner = RowFiles(), _Thinner()
    refusals: dict[tuple[str, str], int] = {}
    for number, output in outputs:
        if output.kind == "tracks":
            thinner.add(unpack(output.payload))
        elif output.kind == "refusals":
            for item in read_row(number, output)["refusals"]:
                key = (str(item["reason"]), str(item["source"]))
                refusals[key] = refusals.get(key, 0) + int(item["count"])
        else:
            files.add(number, output)
    links, entries_of_batch, first_ns, last_ns = _hear(batches)
    return Record(rows={kind: files.of(kind) for kind in files.kinds()}, tracks=thinner.rows(),
                  refusals=tuple((*key, refusals[key]) for key in sorted(refusals)), links=links,
                  entries_of_batch=entries_of_batch, first_ns=first_ns, last_ns=last_ns)


class _Thinner:
    """Keeps every row of judged tracks and a row every `THIN_NS` of the others."""

    def __init__(self) -> None:
        self._parts: list[TrackRows] = []
        self._last: dict[bytes, int] = {}

    def add(self, rows: TrackRows) -> None:
        keep = rows["judged"].copy()
        for i in np.nonzero(~keep)[0]:
            track_id, time_ns = bytes(rows["track_id"][i]), int(rows["time_ns"][i])
            if time_ns - self._last.get(track_id, -THIN_NS) >= THIN_NS:
                self._last[track_id] = time_ns
                keep[i] = True
        if keep.any():
            self._parts.append(rows[keep])

    def rows(self) -> TrackRows:
        return np.concatenate(self._parts) if self._parts else empty_rows()


def _hear(batches: Iterable[Batch]) -> tuple[tuple[Link, ...], dict[int, tuple[int, int]], int, int]:
    times: dict[str, array[int]] = {}
    counts: dict[str, int] = {}
    entries_of_batch: dict[int, tuple[int, int]] = {}
    first_ns = last_ns = 0
    for batch in batches:
        if batch.entries:
            entries_of_batch[batch.number] = (batch.entries[0].sequence, batch.entries[-1].sequence)
        for entry in batch.entries:
            if entry.format == TICK:
                continue
            first_ns = first_ns or entry.received_ns
            last_ns = max(last_ns, entry.received_ns)
            heard = times.setdefault(entry.link, array("q"))
            counts[entry.link] = counts.get(entry.link, 0) + 1
            heard.append(entry.received_ns)
            if len(heard) > LINK_TIMES_MAX:
                times[entry.link] = heard[::2]
    links = tuple(Link(name, counts[name], np.sort(np.array(times[name], np.int64))) for name in sorted(times))
    return links, entries_of_batch, first_ns, last_ns

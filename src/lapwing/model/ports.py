"""Ports: what the runtime needs from the world. Adapters implement them; the tests run one suite over all of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from lapwing.model.entries import Entry


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that went out, as journaled with the batch that caused it.

    `kind`: tracks, verdict, neighbour, traffic, alarm, claim, proposal, decision, alert, notice, patrol, sighting, impact, refusals, event.
    `payload`: canonical JSON (sorted keys, no spaces) in UTF-8; for ``tracks`` the packed rows of `record.track_rows`.
    """

    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries processed together. The division into batches is part of the record: a replay uses the same one."""

    number: int                       # from 0, no holes
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may write a journal. Each writer has a greater term than the one before; that number is the fence."""

    term: int                         # from 1
    holder: str                       # machine and process, for people to read


class Log(Protocol):
    """The journal: append a batch before it is processed, commit its outputs and a checkpoint in one atomic step.

    Opening for writing takes the lease; StorageError where another writer holds it. An adapter's `take_over` takes it all
    the same: from then on every write of the writer before raises Fenced and stores nothing, whatever it believes.
    """

    def append(self, batch: Batch) -> None:
        """Store a batch durably (with the next commit at the latest). Raises StorageError on a gap or a full disk."""

    def commit(self, batch_number: int, outputs: Sequence[Output], checkpoint: bytes | None = None) -> None:
        """Store the outputs of a batch, and the state after it where given, in one transaction with its input."""

    def read(self, first_batch: int = 0) -> Iterator[Batch]:
        """Yield the batches from a number on, in order."""

    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]:
        """Yield (batch number, output) in order."""

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return (batch number, state) of the newest checkpoint, or None."""

    def last_batch(self) -> int:
        """Return the number of the last batch appended, -1 for an empty journal."""

    def meta(self) -> dict[str, str]:
        """Return what the journal says of itself: configuration, versions, hashes."""

    def set_meta(self, values: dict[str, str]) -> None:
        """Store such facts; a key that exists with another value is a StorageError."""

    def lease(self) -> Lease:
        """Return the lease under which this log was opened."""

    def renew(self) -> None:
        """Show that the writer lives, where nothing was committed for a while. Raises Fenced where it is no longer the writer."""

    def close(self) -> None:
        """Flush, let go of the lease, and close."""


class Source(Protocol):
    """A link that yields (received_ns, link, format, payload) in order of reception."""

    def __iter__(self) -> Iterator[tuple[int, str, str, bytes]]: ...


class Channel(Protocol):
    """A way to reach people. A channel owns its own settings."""

    name: str

    def send(self, identifier: str, document: bytes) -> str:
        """Hand over one CAP document; return a receipt. Raises NotTaken (or OSError) where it was not taken.

        Sending a document twice does no harm: it has the same key each time. A status that the channel was not told to
        carry is refused for good.
        """

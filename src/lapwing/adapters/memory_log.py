"""A journal in memory, with the same rules and seals as the one on disk: for tests, benches and throw-away runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lapwing.model.errors import Fenced, StorageError
from lapwing.model.ports import Batch, Lease, Output
from lapwing.record.journal import (
    GENESIS,
    Head,
    Sealed,
    batch_digest,
    check_next,
    entry_mark,
    new_facts,
    output_mark,
    waiting_batch,
)


@dataclass(slots=True)
class MemoryStore:
    """What outlives a `MemoryLog`: hand the same one to a new log to reopen the journal."""

    batches: list[Sealed] = field(default_factory=list)
    meta: dict[str, tuple[str, int]] = field(default_factory=dict)     # key -> value, batch it is sealed with
    checkpoint: tuple[int, bytes] | None = None
    head: Head = field(default_factory=lambda: Head(-1, GENESIS, 0, 0))
    open: bool = False
    term: int = 0


class MemoryLog:
    """A journal over a `MemoryStore`. Implements `model.ports.Log`."""

    def __init__(self, store: MemoryStore | None = None, *, take_over: bool = False) -> None:
        self._store = store if store is not None else MemoryStore()
        if self._store.open and not take_over:
            raise StorageError("another log writes this journal", where="memory", remedy="close it first")
        self._store.open = True
        self._store.term += 1
        self._term = self._store.term
        self._closed = False
        self._waiting: Batch | None = None

    def append(self, batch: Batch) -> None:
        """Take a batch; it counts with its outputs."""
        self._check_usable()
        head = self.head()
        check_next(self._waiting, batch, head.number, head.entry_count, "memory")
        self._waiting = batch

    def commit(self, batch_number: int, outputs: Sequence[Output], checkpoint: bytes | None = None) -> None:
        """Store the waiting batch with its outputs."""
        self._check_usable()
        batch = waiting_batch(self._waiting, batch_number, "memory")
        facts = tuple(sorted((key, value) for key, (value, at) in self._store.meta.items() if at == batch_number))
        digest = batch_digest(self.head().digest, batch_number, facts, batch.entries, outputs)
        self._store.batches.append(Sealed(
            batch_number, batch.entries, tuple(outputs), facts, digest, len(batch.entries), len(outputs),
            tuple(map(entry_mark, batch.entries)), tuple(map(output_mark, outputs))))
        self._store.head = Head(batch_number, digest, self.head().entry_count + len(batch.entries),
                                self.head().output_count + len(outputs))
        if checkpoint is not None:
            self._store.checkpoint = (batch_number, checkpoint)
        self._waiting = None

    def read(self, first_batch: int = 0) -> Iterator[Batch]:
        """Yield the batches from a number on."""
        return (Batch(sealed.number, sealed.entries) for sealed in self._store.batches[first_batch:])

    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]:
        """Yield (batch number, output) in order."""
        return ((sealed.number, output) for sealed in self._store.batches[first_batch:] for output in sealed.outputs)

    def sealed(self, first_batch: int = 0) -> Iterator[Sealed]:
        """Yield every batch with its seal."""
        return iter(self._store.batches[first_batch:])

    def head(self) -> Head:
        """Return what the journal says of its end."""
        return self._store.head

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return (batch number, state) of the newest checkpoint, or None."""
        return self._store.checkpoint

    def last_batch(self) -> int:
        """Return the number of the last batch, -1 for none."""
        return self.head().number

    def meta(self) -> dict[str, str]:
        """Return the facts stored, by key."""
        return {key: self._store.meta[key][0] for key in sorted(self._store.meta)}

    def set_meta(self, values: dict[str, str]) -> None:
        """Store facts; StorageError where a key has another value already."""
        self._check_usable()
        for key, value in new_facts(self.meta(), values, "memory").items():
            self._store.meta[key] = (value, self.last_batch() + 1)

    def lease(self) -> Lease:
        """Return the lease of this log."""
        return Lease(self._term, "this process")

    def renew(self) -> None:
        """Check that this log still is the writer."""
        self._check_usable()

    def close(self) -> None:
        """Close; a batch without outputs is dropped."""
        if not self._closed:
            self._closed, self._waiting = True, None
            self._store.open = self._store.open and self._store.term != self._term

    def _check_usable(self) -> None:
        if self._closed:
            raise StorageError("closed", where="memory", remedy="open it again")
        if self._store.term != self._term:
            raise Fenced(f"taken over: the lease is term {self._store.term}, ours was {self._term}", where="memory")

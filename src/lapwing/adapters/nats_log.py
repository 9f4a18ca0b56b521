"""One segment of a journal on NATS JetStream. Implements `model.ports.Log` with the rules of the SQLite journal.

After a write that failed the log refuses all further work, as the SQLite one does: whether it was stored is known only once
the server answers again (`NatsJournal.resume`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lapwing.adapters.nats_journal import Draft, NatsJournal, Record
from lapwing.adapters.nats_records import RecordHead, pack_batch, pack_facts, unpack_batch, unpack_facts
from lapwing.model.errors import Fenced, StorageError, Unreachable
from lapwing.model.ports import Batch, Lease, Output
from lapwing.record.journal import Head, Sealed, batch_digest, check_next, entry_mark, new_facts, output_mark, waiting_batch


class NatsLog:
    """The newest segment of a journal, for writing, or any of them for reading.

    Parameters
    ----------
    journal : opened; for writing it holds the lease
    segment : its name; begun where the journal has no segment yet
    read_only : for readers, with the stream sequence where the segment `began`, or its newest head as `end`
    let_go : called by `close`, to release what was opened for this log alone
    """

    def __init__(self, journal: NatsJournal, segment: str, *, read_only: bool = False, began: int = 0, end: RecordHead | None = None,
                 let_go: Callable[[], None] = lambda: None) -> None:
        self.journal, self.name, self.read_only = journal, segment, read_only
        self._let_go = let_go
        self._waiting: Batch | None = None
        self._failed = ""
        self._facts: dict[str, str] = {}          # stored, not sealed yet
        self._meta: dict[str, str] = {}
        if not read_only and journal.head.segment != segment:
            journal.begin(segment)
        if read_only:
            self._end = end if end is not None else self._end_of(began)
        else:
            self._end = journal.head
        self._began = self._end.began
        if not read_only:
            for record in self._records(("begin", "facts")):
                facts = unpack_facts(record.body)
                self._meta |= facts
                if record.head.batch == self._end.batch:
                    self._facts |= facts

    @property
    def where(self) -> str:
        """The segment, for messages."""
        return f"{self.journal.where}, {self.name}"

    @property
    def wants_point(self) -> bool:
        """Whether the next commit should carry a checkpoint, whenever the last one was."""
        return False

    def _end_of(self, began: int) -> RecordHead:
        """Return the newest head of an older segment, which began at a place."""
        end: RecordHead | None = None
        for record in self.journal.records(began, 1 << 62):
            if record.head.segment != self.name:
                break
            end = replace(record.head, began=began)
        if end is None:
            raise StorageError(f"no segment {self.name}", where=self.journal.where, remedy="`lapwing cluster segments` lists them")
        return end

    # Writing

    def append(self, batch: Batch) -> None:
        """Take a batch; it becomes durable with its outputs."""
        self._check_usable()
        check_next(self._waiting, batch, self._end.batch, self._end.entries, self.where)
        self._waiting = batch

    def commit(self, batch_number: int, outputs: Sequence[Output], checkpoint: bytes | None = None) -> None:
        """Store the waiting batch, its outputs, its seal and the checkpoint in one record."""
        self._check_usable()
        batch = waiting_batch(self._waiting, batch_number, self.where)
        head = self._head_of(self._end, batch, outputs, self._facts)
        self._store([(head, pack_batch(batch.entries, outputs), checkpoint)])
        self._waiting, self._facts = None, {}

    def _head_of(self, end: RecordHead, batch: Batch, outputs: Sequence[Output], facts: dict[str, str]) -> RecordHead:
        digest = batch_digest(bytes.fromhex(end.digest), batch.number, sorted(facts.items()), batch.entries, outputs)
        has_alert = any(output.kind == "alert" for output in outputs)
        return RecordHead("alert" if has_alert else "batch", self.name, self._began, batch.number, digest.hex(),
                          end.entries + len(batch.entries), end.outputs + len(outputs), len(batch.entries), len(outputs))

    def may_follow(self, sealed: Sealed) -> bool:
        """Return whether a batch that was sealed elsewhere fits onto the end."""
        return self._head_of(self._end, Batch(sealed.number, sealed.entries), sealed.outputs, self._facts).digest == sealed.digest.hex()

    def carry(self, batches: Sequence[Sealed], point: tuple[int, bytes] | None = None) -> None:
        """Store batches that were sealed elsewhere, all of them or none. Raises StorageError where they do not follow."""
        self._check_usable()
        drafts: list[Draft] = []
        end, facts = self._end, self._facts
        for sealed in batches:
            head = self._head_of(end, Batch(sealed.number, sealed.entries), sealed.outputs, facts)
            if sealed.number != end.batch + 1 or head.digest != sealed.digest.hex():
                raise StorageError(f"batch {sealed.number} does not follow batch {end.batch}", where=self.where,
                                   remedy="it was made on another journal, or was changed")
            drafts.append((head, pack_batch(sealed.entries, sealed.outputs), point[1] if point and point[0] == sealed.number else None))
            end, facts = head, {}
        if drafts:
            self._store(drafts)
            self._facts = {}

    def set_meta(self, values: dict[str, str]) -> None:
        """Store facts, durable at once; StorageError where a key has another value already."""
        self._check_usable()
        present = self.meta()
        new = new_facts(present, values, self.where)
        # Written even where it says nothing new: a writer that was taken over must hear of it.
        self._store([(self._end.bare("facts"), pack_facts(new), None)])
        self._facts |= new
        self._meta = present | new

    def _store(self, drafts: Sequence[Draft]) -> None:
        try:
            self.journal.write_all(drafts)
        except StorageError as error:
            self._failed = error.what
            raise
        self._end = self.journal.head

    def lease(self) -> Lease:
        """Return the lease under which the journal is written."""
        return self.journal.lease

    def renew(self) -> None:
        """Show that the writer lives. Raises Fenced where it is no longer the writer."""
        self._check_usable()
        self._store([(self._end.bare("renew"), b"", None)])

    def _check_usable(self) -> None:
        if self.read_only:
            raise StorageError("opened for reading only", where=self.where, remedy="open it for writing")
        if self._failed:
            raise StorageError(f"not usable after a failed write ({self._failed})", where=self.where,
                               remedy="open it again: the run resumes where it was")

    # Reading

    def _records(self, kinds: tuple[str, ...] = ("begin", "facts", "batch", "alert"), first: int = 0) -> Iterator[Record]:
        for record in self.journal.records(max(first, self._began), 1 << 62, kinds):
            if record.head.segment != self.name:
                return
            if record.head.batch <= self._end.batch or self.read_only:
                yield record

    def _place_of(self, batch: int) -> int:
        """Return a place in the stream at or before the record of a batch, found by halving."""
        low, high = self._began, self.journal.look()[0]
        while batch > 0 and high - low > 256:
            middle = (low + high) // 2
            found = self.journal.next_head(middle)
            if found is None or found[1].segment != self.name or found[1].batch >= batch:
                high = middle
            else:
                low = middle
        return low

    def _batches(self, first_batch: int, kinds: tuple[str, ...] = ("batch", "alert")) -> Iterator[tuple[Record, Sealed]]:
        facts: dict[str, str] = {}
        for record in self._records(kinds, self._place_of(first_batch)):
            head = record.head
            if head.what in ("begin", "facts"):
                facts |= unpack_facts(record.body)
                continue
            if head.batch < first_batch:
                facts = {}
                continue
            entries, outputs = unpack_batch(record.body, head.entry_count, head.output_count,
                                            where=f"{self.where}, batch {head.batch}")
            yield record, Sealed(head.batch, entries, outputs, tuple(sorted(facts.items())), bytes.fromhex(head.digest),
                                 head.entry_count, head.output_count, tuple(map(entry_mark, entries)), tuple(map(output_mark, outputs)))
            facts = {}

    def read(self, first_batch: int = 0) -> Iterator[Batch]:
        """Yield the batches from a number on."""
        due = first_batch
        for _, sealed in self._batches(first_batch):
            if sealed.number != due:
                raise StorageError(f"batch {sealed.number} where {due} is due", where=self.where, remedy="restore the stream from a copy")
            due += 1
            yield Batch(sealed.number, sealed.entries)

    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]:
        """Yield (batch number, output) in order."""
        for _, sealed in self._batches(first_batch):
            yield from ((sealed.number, output) for output in sealed.outputs)

    def outputs_of(self, kind: str, first_batch: int = 0) -> list[tuple[int, Output]]:
        """Return (batch number, output) of one kind, in order; alerts without reading the other batches."""
        kinds = ("alert",) if kind == "alert" else ("batch", "alert")
        return [(sealed.number, output) for _, sealed in self._batches(first_batch, kinds) for output in sealed.outputs
                if output.kind == kind]

    def sealed(self, first_batch: int = 0) -> Iterator[Sealed]:
        """Yield every batch with its seal, as stored, for the audit."""
        return (sealed for _, sealed in self._batches(first_batch, ("begin", "facts", "batch", "alert")))

    def head(self) -> Head:
        """Return the segment's end."""
        return self._end.journal_head()

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return (batch number, state) of the newest checkpoint, or None."""
        found = self.journal.newest_point()
        if found is None or found[0].segment != self.name or found[0].batch > self._end.batch:
            return None
        return found[0].batch, found[1]

    def last_batch(self) -> int:
        """Return the number of the last batch, -1 for none."""
        return self._end.batch

    def meta(self) -> dict[str, str]:
        """Return the facts stored, by key."""
        if self.read_only:
            self._meta = {}
            for record in self._records(("begin", "facts")):
                self._meta |= unpack_facts(record.body)
        return dict(sorted(self._meta.items()))

    def known_meta(self) -> dict[str, str]:
        """Return the facts as last known, without asking the server."""
        return dict(self._meta)

    def close(self) -> None:
        """Close. A batch without outputs is dropped: it was never processed."""
        if self._failed != "closed":
            self._waiting, self._failed = None, "closed"
            self._let_go()

    def __enter__(self) -> NatsLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_log(journal: NatsJournal, segment: str = "journal", *, take_over: bool = False, patience_s: float = 0.0) -> NatsLog:
    """Return a segment opened for writing, with a lease of its own that ends with it.

    Raises StorageError where another writer holds the lease, unless `take_over` or unless it shows no life for `patience_s`.
    """
    journal.take(take_over=take_over, patience_s=patience_s)

    def let_go() -> None:
        # A stale writer has nothing to let go of, a server that is gone cannot be told.
        with contextlib.suppress(Fenced, Unreachable):
            journal.release()

    return NatsLog(journal, segment, let_go=let_go)

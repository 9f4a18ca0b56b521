"""The journal in one SQLite file: raw input, outputs, seals and checkpoints. Implements `model.ports.Log`.

A batch becomes visible with its outputs, its seal and its checkpoint in one transaction, or not at all; kill -9 at any
moment leaves the journal at a batch boundary. ``commit_every`` batches share one transaction (group commit): the last
ones of a group may be lost in a crash, then the run resumes before them. One process writes; others may read meanwhile.

After any failure to write, the log refuses all further work: what a failed fsync left on disk is not known, and only
reopening (which reads what is really there) is safe.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lapwing.adapters import sqlite_files
from lapwing.adapters.sqlite_files import storage_error
from lapwing.model.entries import Entry
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

_CARRIED = -2          # batch of facts that were sealed elsewhere
_KEPT_CHECKPOINTS = 2  # the newest, and one to fall back to


class SqliteLog:
    """A journal file.

    Parameters
    ----------
    path : the file; made where it does not exist, unless `read_only`
    read_only : for `verify`, `report` and the like; takes no lock
    synchronous : FULL survives a power cut; NORMAL and OFF may lose the last batches then, for tests and benches
    commit_every : batches of one transaction
    take_over : write although another process holds the lock (a hung one, or one on another machine of a shared folder)

    Raises StorageError, with the remedy, for a foreign or damaged file, a newer schema, a folder that cannot be
    written, and a journal that another process writes.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False, synchronous: str = "FULL",
                 commit_every: int = 1, take_over: bool = False) -> None:
        assert synchronous in ("FULL", "NORMAL", "OFF") and commit_every >= 1
        self.path = Path(path)
        self.read_only = read_only
        self._commit_every = commit_every
        self._waiting: Batch | None = None      # appended, its outputs not yet known
        self._open_batches = 0                  # in the open transaction
        self._failed = ""
        self._lease = Lease(0, "")
        self._lock = None if read_only else sqlite_files.FileLock(self.path, steal=take_over)
        try:
            self._connection = sqlite_files.connect(self.path, read_only=read_only, synchronous=synchronous)
            if not read_only:
                self._take_lease()
            self._load()
        except sqlite3.Error as error:
            self._release()
            raise storage_error(error, self.path) from error
        except BaseException:
            self._release()
            raise

    def _load(self) -> None:
        row = self._connection.execute("SELECT batch, digest, entries, outputs FROM head").fetchone()
        self._head = (Head(-1, GENESIS, 0, 0) if row is None
                      else Head(_integer(row[0]), _octets(row[1]), _integer(row[2]), _integer(row[3])))

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def where(self) -> str:
        """The file, for messages."""
        return str(self.path)

    @property
    def wants_point(self) -> bool:
        """Whether the next commit should carry a checkpoint, whenever the last one was."""
        return False

    def begin_at(self, head: Head, facts: dict[str, str]) -> None:
        """Have an empty file carry a journal on that ends elsewhere; `facts` are those that were sealed there."""
        self._check_usable()
        assert self._head.number == -1 and not self.meta(), "an empty file"
        try:
            self._begin()
            self._connection.execute("INSERT INTO head (one, batch, digest, entries, outputs) VALUES (1,?,?,?,?)",
                                     (head.number, head.digest, head.entry_count, head.output_count))
            self._connection.executemany("INSERT INTO meta (key, value, batch) VALUES (?, ?, ?)",
                                         [(key, value, _CARRIED) for key, value in facts.items()])
            self._end()
        except sqlite3.Error as error:
            raise self._fail(error) from error
        self._head = head

    def first_batch(self) -> int:
        """Return the number of the first batch in the file, -1 for none."""
        row = next(iter(self._all("SELECT min(number) FROM batches")), None)
        return -1 if row is None or row[0] is None else _integer(row[0])

    def _take_lease(self) -> None:
        holder = f"{socket.gethostname()}, process {os.getpid()}"
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO lease (one, term, holder) VALUES (1, 1, ?) "
                                 "ON CONFLICT (one) DO UPDATE SET term = term + 1, holder = excluded.holder", (holder,))
        term = self._connection.execute("SELECT term FROM lease").fetchone()[0]
        self._connection.execute("COMMIT")
        self._lease = Lease(int(term), holder)

    # Writing

    def append(self, batch: Batch) -> None:
        """Take a batch; it becomes durable with its outputs."""
        self._check_usable()
        check_next(self._waiting, batch, self._head.number, self._head.entry_count, self.where)
        self._waiting = batch

    def commit(self, batch_number: int, outputs: Sequence[Output], checkpoint: bytes | None = None) -> None:
        """Store the waiting batch, its outputs, its seal and the checkpoint; durable when the group is full."""
        self._check_usable()
        batch = waiting_batch(self._waiting, batch_number, self.where)
        try:
            self._begin()
            self._store(batch, outputs, checkpoint)
            self._open_batches += 1
            if self._open_batches >= self._commit_every:
                self._end()
        except sqlite3.Error as error:
            raise self._fail(error) from error
        self._waiting = None

    def flush(self) -> None:
        """Make all committed batches durable now."""
        self._check_usable()
        try:
            self._end()
        except sqlite3.Error as error:
            raise self._fail(error) from error

    def set_meta(self, values: dict[str, str]) -> None:
        """Store facts about the journal, durable at once; StorageError where a key has another value already."""
        self._check_usable()
        new = new_facts(self.meta(), values, self.where)
        try:
            self._begin()
            self._connection.executemany(
                "INSERT INTO meta (key, value, batch) VALUES (?, ?, ?)",
                [(key, value, self._head.number + 1) for key, value in new.items()])
            self._end()
        except sqlite3.Error as error:
            raise self._fail(error) from error

    def _store(self, batch: Batch, outputs: Sequence[Output], checkpoint: bytes | None) -> None:
        execute, many = self._connection.execute, self._connection.executemany
        facts = self._facts(batch.number)
        digest = batch_digest(self._head.digest, batch.number, facts, batch.entries, outputs)
        many("INSERT INTO entries (sequence, batch, received_ns, link, format, payload, mark) VALUES (?,?,?,?,?,?,?)",
             [(e.sequence, batch.number, e.received_ns, e.link, e.format, e.payload, entry_mark(e))
              for e in batch.entries])
        many("INSERT INTO outputs (number, batch, kind, payload, mark) VALUES (?,?,?,?,?)",
             [(self._head.output_count + i, batch.number, o.kind, o.payload, output_mark(o))
              for i, o in enumerate(outputs)])
        head = self._head
        execute("INSERT INTO batches (number, first_entry, entries, first_output, outputs, digest) "
                "VALUES (?,?,?,?,?,?)",
                (batch.number, head.entry_count, len(batch.entries), head.output_count, len(outputs), digest))
        if checkpoint is not None:
            execute("INSERT INTO checkpoints (batch, state) VALUES (?,?)", (batch.number, checkpoint))
            execute("DELETE FROM checkpoints WHERE batch NOT IN (SELECT batch FROM checkpoints ORDER BY batch DESC "
                    "LIMIT ?)", (_KEPT_CHECKPOINTS,))
        head = Head(batch.number, digest, head.entry_count + len(batch.entries), head.output_count + len(outputs))
        execute("INSERT OR REPLACE INTO head (one, batch, digest, entries, outputs) VALUES (1,?,?,?,?)",
                (head.number, head.digest, head.entry_count, head.output_count))
        self._head = head

    def _facts(self, number: int) -> list[tuple[str, str]]:
        rows = self._connection.execute("SELECT key, value FROM meta WHERE batch = ? ORDER BY key", (number,))
        return [(str(key), str(value)) for key, value in rows]

    def lease(self) -> Lease:
        """Return the lease under which the journal was opened."""
        return self._lease

    def renew(self) -> None:
        """Check that this process still is the writer; the lock file is the sign of life."""
        self._check_usable()
        self._check_lease()

    def _check_lease(self) -> None:
        term, holder = self._connection.execute("SELECT term, holder FROM lease").fetchone()
        if term != self._lease.term:
            self._failed = f"taken over by {holder}"
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise Fenced(f"taken over by {holder}: its term is {term}, ours was {self._lease.term}", where=str(self.path),
                         remedy="this process must end; the other one goes on")

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
            self._check_lease()       # inside the transaction: nobody takes over between this and the commit

    def _end(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        self._open_batches = 0

    def _fail(self, error: sqlite3.Error) -> StorageError:
        found = storage_error(error, self.path)
        self._failed = found.what
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._load()
        except sqlite3.Error as second:
            self._failed += f"; rolling back: {second}"
        return found

    def _check_usable(self) -> None:
        if self.read_only:
            raise StorageError("opened for reading only", where=str(self.path), remedy="open it for writing")
        if self._failed:
            raise StorageError(f"not usable after a failed write ({self._failed})", where=str(self.path),
                               remedy="close it, remove the cause, and open it again: the run resumes where it was")

    # Reading

    def read(self, first_batch: int = 0) -> Iterator[Batch]:
        """Yield the batches from a number on."""
        for number, first, count, _, _, _ in self._batch_rows(first_batch):
            yield Batch(number, tuple(entry for entry, _ in self._entries(first, count)))

    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]:
        """Yield (batch number, output) in order."""
        for number, _, _, first, count, _ in self._batch_rows(first_batch):
            yield from ((number, output) for output, _ in self._outputs(first, count))

    def outputs_of(self, kind: str, first_batch: int = 0) -> list[tuple[int, Output]]:
        """Return (batch number, output) of one kind, in order: quick where there are few among many."""
        rows = self._all("SELECT batch, kind, payload FROM outputs WHERE kind = ? AND batch >= ? ORDER BY number", kind, first_batch)
        return [(_integer(row[0]), Output(str(row[1]), _octets(row[2]))) for row in rows]

    def whole_batches(self, kinds: Sequence[str], first_batch: int, rows_max: int) -> tuple[list[tuple[int, int, Output]], int]:
        """Return (batch, number within it, output) of some kinds from a batch on, of whole batches, and the last batch looked at.

        Some `rows_max` at once; more only where one batch has them.
        """
        start = next(iter(self._all("SELECT min(first_output) FROM batches WHERE number >= ?", first_batch)))[0]
        sql = (f"SELECT o.batch, o.number - b.first_output, o.kind, o.payload FROM outputs o JOIN batches b ON b.number = o.batch "  # noqa: S608
               f"WHERE o.number >= ? AND o.kind IN ({','.join('?' * len(kinds))}) ORDER BY o.number")      # question marks alone
        if start is None:
            return [], self._head.number
        rows = self._all(f"{sql} LIMIT ?", start, *kinds, rows_max)
        last = self._head.number
        if len(rows) == rows_max:
            last = _integer(rows[-1][0])
            if rows[0][0] != last:
                last -= 1
                rows = [row for row in rows if row[0] <= last]
            else:
                rows = self._all(sql.replace("WHERE", "WHERE o.batch = ? AND"), last, start, *kinds)
        return [(_integer(r[0]), _integer(r[1]), Output(str(r[2]), _octets(r[3]))) for r in rows], last

    def period(self) -> tuple[int, int]:
        """Return when the first and the last entry was received; (0, 0) without any."""
        ends = [next(iter(self._all(f"SELECT received_ns FROM entries ORDER BY sequence {way} LIMIT 1")), (0,))   # noqa: S608  constants
                for way in ("ASC", "DESC")]
        return _integer(ends[0][0]), _integer(ends[1][0])

    def digest_of(self, batch: int) -> bytes:
        """Return the seal of a batch; empty where there is no such batch."""
        row = next(iter(self._all("SELECT digest FROM batches WHERE number = ?", batch)), None)
        return b"" if row is None else _octets(row[0])

    def entry(self, sequence: int) -> Entry | None:
        """Return one entry by its running number, or None."""
        return next((entry for entry, _ in self._entries(sequence, 1)), None)

    def sealed(self, first_batch: int = 0) -> Iterator[Sealed]:
        """Yield every batch with its seal, as stored, for the audit."""
        for number, first, count, first_output, output_count, digest in self._batch_rows(first_batch):
            entries, outputs = self._entries(first, count), self._outputs(first_output, output_count)
            yield Sealed(number, tuple(e for e, _ in entries), tuple(o for o, _ in outputs), tuple(self._facts(number)),
                         digest, count, output_count, tuple(m for _, m in entries), tuple(m for _, m in outputs))

    def head(self) -> Head:
        """Return what the journal says of its end."""
        return self._head

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return (batch number, state) of the newest checkpoint, or None."""
        row = next(iter(self._all("SELECT batch, state FROM checkpoints ORDER BY batch DESC LIMIT 1")), None)
        return None if row is None else (_integer(row[0]), _octets(row[1]))

    def last_batch(self) -> int:
        """Return the number of the last batch with its outputs, -1 for none."""
        return self._head.number

    def meta(self) -> dict[str, str]:
        """Return the facts stored, by key."""
        return {str(key): str(value) for key, value in self._all("SELECT key, value FROM meta ORDER BY key")}

    def damage(self) -> list[str]:
        """Return what is wrong with the file as a file, and rows that belong to no batch; empty where nothing is."""
        try:
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(20)")]
            found = [] if found == ["ok"] else found
            for table, due in (("entries", self._head.entry_count), ("outputs", self._head.output_count)):
                count = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  two constants
                if count > due:
                    found.append(f"{count - due} {table} belong to no batch: added from outside")
        except sqlite3.Error as error:
            return [str(error)]
        return found

    def _batch_rows(self, first_batch: int) -> Iterator[tuple[int, int, int, int, int, bytes]]:
        # Read in slices, not by one long cursor: the writer may commit between two of them.
        number = first_batch - 1
        while rows := self._all("SELECT number, first_entry, entries, first_output, outputs, digest FROM batches "
                                "WHERE number > ? ORDER BY number LIMIT 256", number):
            for row in rows:
                yield (*map(_integer, row[:5]), _octets(row[5]))  # type: ignore[misc]
            number = rows[-1][0]

    def _entries(self, first: int, count: int) -> list[tuple[Entry, int]]:
        rows = self._all("SELECT sequence, received_ns, link, format, payload, mark FROM entries "
                         "WHERE sequence >= ? AND sequence < ? ORDER BY sequence", first, first + count)
        return [(Entry(_integer(row[0]), _integer(row[1]), str(row[2]), str(row[3]), _octets(row[4])), _integer(row[5]))
                for row in rows]

    def _outputs(self, first: int, count: int) -> list[tuple[Output, int]]:
        rows = self._all("SELECT kind, payload, mark FROM outputs WHERE number >= ? AND number < ? ORDER BY number",
                         first, first + count) if count else []
        return [(Output(str(row[0]), _octets(row[1])), _integer(row[2])) for row in rows]

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error

    def close(self) -> None:
        """Make committed batches durable and close. A batch without outputs is dropped: it was never processed."""
        try:
            if not (self.read_only or self._failed):
                self._end()
                self._leave_one_file()
        except sqlite3.Error as error:
            raise self._fail(error) from error
        finally:
            self._waiting = None
            self._failed = self._failed or "closed"
            self._release()

    def _leave_one_file(self) -> None:
        """Leave write-ahead mode, so that a finished journal is one file and readers make none beside it."""
        try:
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            # Somebody is reading: the mode stays, which costs two small files beside the journal and nothing else.
            if "locked" not in str(error):
                raise

    def _release(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> SqliteLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# A damaged page may hold a value of another type than was stored: the audit must still be able to read it.

def _integer(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")

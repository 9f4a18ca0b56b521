"""The outbox on disk: what waits for which channel, what each has taken, and how far the journal has been read.

The decision itself stands in the journal, committed with the message in one transaction. This file is filled from there
and can be filled again from there: a crash between the two loses nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapwing.adapters.sqlite_files import storage_error

WAITING, TAKEN, REFUSED, LAPSED = "waiting", "taken", "refused", "lapsed"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL, chain TEXT NOT NULL, urgent INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, next_ns INTEGER NOT NULL,
    receipt TEXT NOT NULL, taken_ns INTEGER NOT NULL, error TEXT NOT NULL, UNIQUE (channel, key));
CREATE INDEX IF NOT EXISTS waiting ON deliveries (channel, state, number);
CREATE TABLE IF NOT EXISTS read_to (one INTEGER PRIMARY KEY CHECK (one = 1), journal TEXT NOT NULL, batch INTEGER NOT NULL);
"""
_COLUMNS = "number, channel, key, chain, urgent, decided_ns, state, attempts, next_ns, receipt, taken_ns, error"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message for one channel, and what has come of it. `decided_ns`: when it was decided to send it."""

    number: int
    channel: str
    key: str
    chain: str
    urgent: bool
    decided_ns: int
    state: str
    attempts: int
    next_ns: int
    receipt: str
    taken_ns: int
    error: str


class OutboxStore:
    """One SQLite file, durable at each step. Used from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise _error(error, path) from error

    def _run(self, *steps: tuple[str, Sequence[object]]) -> None:
        """Carry out steps in one transaction."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for sql, values in steps:
                    self._connection.execute(sql, values)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise storage_error(error, self.path) from error

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise storage_error(error, self.path) from error

    def put(self, key: str, document: bytes, chain: str, urgent: bool, decided_ns: int, channels: Sequence[str]) -> None:
        """Let a message wait for channels. One that is there already stays as it is."""
        self._run(
            ("INSERT OR IGNORE INTO messages (key, document) VALUES (?, ?)", (key, document)),
            *(("INSERT OR IGNORE INTO deliveries (channel, key, chain, urgent, decided_ns, state, attempts, next_ns, receipt, "
               "taken_ns, error) VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', 0, '')",
               (channel, key, chain, int(urgent), decided_ns, WAITING)) for channel in channels))

    def document(self, key: str) -> bytes:
        """Return a document by its key."""
        return bytes(self._rows("SELECT document FROM messages WHERE key = ?", key)[0][0])

    def waiting(self, channel: str) -> list[Waiting]:
        """Return what waits for a channel, in order of decision."""
        return self._listed("WHERE channel = ? AND state = ? ORDER BY number", channel, WAITING)

    def all(self) -> list[Waiting]:
        """Return every delivery, in order."""
        return self._listed("ORDER BY number")

    def _listed(self, where: str, *values: object) -> list[Waiting]:
        return [Waiting(int(r[0]), str(r[1]), str(r[2]), str(r[3]), bool(r[4]), int(r[5]), str(r[6]), int(r[7]), int(r[8]), str(r[9]),
                        int(r[10]), str(r[11])) for r in self._rows(f"SELECT {_COLUMNS} FROM deliveries {where}", *values)]  # noqa: S608  constants

    def took(self, number: int, receipt: str, now_ns: int) -> None:
        """Note a receipt."""
        self._run(("UPDATE deliveries SET state = ?, receipt = ?, taken_ns = ?, attempts = attempts + 1, error = '' WHERE number = ?",
                   (TAKEN, receipt, now_ns, number)))

    def failed(self, number: int, error: str, next_ns: int) -> None:
        """Note a failure, and when to try again."""
        self._run(("UPDATE deliveries SET attempts = attempts + 1, error = ?, next_ns = ? WHERE number = ?", (error, next_ns, number)))

    def gave_up(self, number: int, state: str, error: str) -> None:
        """Note that it will not be sent: REFUSED for good by the channel, or LAPSED before it could be."""
        self._run(("UPDATE deliveries SET state = ?, error = ?, attempts = attempts + 1 WHERE number = ?", (state, error, number)))

    def again(self, channel: str, keys: Sequence[str]) -> None:
        """Let messages that a channel had taken wait for it once more: the other end has lost them."""
        sql = "UPDATE deliveries SET state = ?, next_ns = 0 WHERE channel = ? AND key = ?"
        self._run(*((sql, (WAITING, channel, key)) for key in keys))

    def waiting_count(self) -> dict[str, int]:
        """Return how many messages wait, by channel."""
        found = self._rows("SELECT channel, count(*) FROM deliveries WHERE state = ? GROUP BY channel ORDER BY channel", WAITING)
        return {str(channel): int(count) for channel, count in found}

    def mark(self) -> tuple[str, int]:
        """Return (journal, batch) up to which messages are here; ("", -1) for none."""
        found = self._rows("SELECT journal, batch FROM read_to")
        return (str(found[0][0]), int(found[0][1])) if found else ("", -1)

    def read_to(self, journal: str) -> int:
        """Return the last batch of a journal whose messages are here; -1 for none. A new journal begins anew."""
        found = self._rows("SELECT batch FROM read_to WHERE journal = ?", journal)
        return int(found[0][0]) if found else -1

    def set_read_to(self, journal: str, batch: int) -> None:
        """Note how far the journal has been read."""
        self._run(("INSERT OR REPLACE INTO read_to (one, journal, batch) VALUES (1, ?, ?)", (journal, batch)))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _error(error: sqlite3.Error | OSError, path: Path) -> Exception:
    return storage_error(error, path) if isinstance(error, sqlite3.Error) else error

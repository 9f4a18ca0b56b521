"""The outbox: which alert each channel still has to take, in one SQLite file. An alert is queued once and taken once.

A channel and an identifier are one row, whatever is queued again after a crash; a row without a receipt is waiting.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from lapwing.adapters.sqlite_files import storage_error

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (channel TEXT NOT NULL, identifier TEXT NOT NULL, document BLOB NOT NULL,
  queued INTEGER NOT NULL, receipt TEXT, taken INTEGER, tries INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
  number INTEGER PRIMARY KEY, UNIQUE (channel, identifier));
CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), segment TEXT NOT NULL, batch INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert that a channel has not taken yet."""

    number: int
    identifier: str
    document: bytes
    tries: int


class Outbox:
    """The file. Safe to use from several threads; raises StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise storage_error(error, path) from error

    def _run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise storage_error(error, self.path) from error

    def queue(self, channels: tuple[str, ...], identifier: str, document: bytes, now_ns: int) -> None:
        """Have channels take an alert; what is there already stays as it is."""
        for channel in channels:
            self._run("INSERT INTO deliveries (channel, identifier, document, queued) VALUES (?,?,?,?) "
                      "ON CONFLICT (channel, identifier) DO NOTHING", channel, identifier, document, now_ns)

    def mark(self) -> tuple[str, int]:
        """Return (segment, batch) up to which the journal's alerts are queued; ("", -1) for none."""
        rows = self._run("SELECT segment, batch FROM mark")
        return (str(rows[0][0]), int(str(rows[0][1]))) if rows else ("", -1)

    def set_mark(self, segment: str, batch: int) -> None:
        """Note that the alerts up to a batch are queued."""
        self._run("INSERT OR REPLACE INTO mark (one, segment, batch) VALUES (1,?,?)", segment, batch)

    def waiting(self, channel: str, count: int = 16) -> list[Delivery]:
        """Return the oldest alerts that a channel has not taken."""
        rows = self._run("SELECT number, identifier, document, tries FROM deliveries WHERE channel = ? AND receipt IS NULL "
                         "ORDER BY number LIMIT ?", channel, count)
        return [Delivery(int(str(row[0])), str(row[1]), row[2] if isinstance(row[2], bytes) else b"", int(str(row[3])))
                for row in rows]

    def waiting_count(self) -> dict[str, int]:
        """Return how many alerts wait, by channel."""
        rows = self._run("SELECT channel, count(*) FROM deliveries WHERE receipt IS NULL GROUP BY channel")
        return {str(channel): int(str(count)) for channel, count in rows}

    def taken(self, number: int, receipt: str, now_ns: int) -> None:
        """Note a receipt."""
        self._run("UPDATE deliveries SET receipt = ?, taken = ?, tries = tries + 1, problem = '' WHERE number = ?", receipt, now_ns, number)

    def failed(self, number: int, problem: str) -> None:
        """Note that a channel did not take it."""
        self._run("UPDATE deliveries SET tries = tries + 1, problem = ? WHERE number = ?", problem[:500], number)

    def receipts(self) -> list[tuple[str, str, str]]:
        """Return (channel, identifier, receipt) of all that was taken, in order of queueing."""
        rows = self._run("SELECT channel, identifier, receipt FROM deliveries WHERE receipt IS NOT NULL ORDER BY number")
        return [(str(a), str(b), str(c)) for a, b, c in rows]

    def close(self) -> None:
        """Close."""
        with self._lock:
            self._connection.close()

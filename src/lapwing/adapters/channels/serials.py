"""Keeps the serial numbers of cell broadcast on disk: one message code a chain, one update number a message.

A message sent again keeps its number, so that phones show it once. A code is used again only when all others have been
used since: a phone remembers them for a day at most.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lapwing.model.errors import NotTaken
from lapwing.warn.cell_broadcast_message import CODES, UPDATES, Serial

# Further languages take codes from the upper half (see `cell_broadcast_message.broadcasts`).
CHAIN_CODES = CODES // 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chains (chain TEXT PRIMARY KEY, code INTEGER NOT NULL, updates INTEGER NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, code INTEGER NOT NULL, update_number INTEGER NOT NULL);
"""


class Serials:
    """Gives serial numbers. Safe against a crash at any point."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, chain: str, key: str) -> Serial:
        """Return the serial number of a message: the one it had, or the next of its chain. Raises NotTaken."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
                connection.execute("BEGIN IMMEDIATE")
                serial = self._allocate(connection, chain, key)
                connection.execute("COMMIT")
                return serial
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise NotTaken(f"no serial number: {error}", where=str(self.path), remedy="free space; it will be sent again") from error

    def _allocate(self, connection: sqlite3.Connection, chain: str, key: str) -> Serial:
        had = connection.execute("SELECT code, update_number FROM messages WHERE key = ?", (key,)).fetchone()
        if had is not None:
            return Serial(int(had[0]), int(had[1]))
        clock = connection.execute("SELECT coalesce(max(used), 0) + 1 FROM chains").fetchone()[0]
        row = connection.execute("SELECT code, updates FROM chains WHERE chain = ?", (chain,)).fetchone()
        if row is not None:
            code, update = int(row[0]), (int(row[1]) + 1) % UPDATES
            connection.execute("UPDATE chains SET updates = ?, used = ? WHERE chain = ?", (update, clock, chain))
        else:
            count = connection.execute("SELECT count(*) FROM chains").fetchone()[0]
            code, update = int(count), 0
            if count >= CHAIN_CODES:
                oldest, code = connection.execute("SELECT chain, code FROM chains ORDER BY used, code LIMIT 1").fetchone()
                connection.execute("DELETE FROM chains WHERE chain = ?", (oldest,))
                connection.execute("DELETE FROM messages WHERE code = ?", (code,))
            connection.execute("INSERT INTO chains (chain, code, updates, used) VALUES (?, ?, ?, ?)", (chain, code, update, clock))
        connection.execute("INSERT INTO messages (key, code, update_number) VALUES (?, ?, ?)", (key, code, update))
        return Serial(int(code), int(update))

"""The audit: who did what to the service, append-only, each row sealed over the one before, its head signed (Ed25519).

Sign-ins, refusals, decisions, configuration. The file refuses UPDATE and DELETE by trigger; what somebody does around
that, the chain shows; a chain made anew from its beginning does not carry the signature. The key lies beside the file,
readable by its owner alone: copy the public part elsewhere (`lapwing users audit` prints it).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lapwing.adapters.sqlite_files import storage_error
from lapwing.model.errors import StorageError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
  detail TEXT NOT NULL, digest BLOB NOT NULL, signature BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""
_GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing that somebody did."""

    number: int
    time_ns: int
    who: str
    what: str
    detail: str          # JSON


def _seal(previous: bytes, row: AuditRow) -> bytes:
    text = json.dumps([row.number, row.time_ns, row.who, row.what, row.detail], ensure_ascii=False)
    return hashlib.sha256(previous + text.encode("utf-8", "surrogatepass")).digest()


class AuditFile:
    """The file, open for appending. Safe to use from several threads; raises StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._key = load_key(path.with_name("audit-key"))
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise storage_error(error, path) from error
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror}", where=str(path), remedy="check owner, mode and space") from error

    @property
    def public_key(self) -> str:
        """The key that its signatures are checked with, in hexadecimal."""
        return _public(self._key)

    def add(self, time_ns: int, who: str, what: str, **detail: str | int | float) -> None:
        """Append one row, durable at once."""
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        with self._lock:
            try:
                # The end is read anew each time: `lapwing users` appends too while the service runs.
                self._connection.execute("BEGIN IMMEDIATE")
                last = self._connection.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
                number, previous = (int(last[0]) + 1, bytes(last[1])) if last else (0, _GENESIS)
                row = AuditRow(number, time_ns, who, what, text)
                digest = _seal(previous, row)
                self._connection.execute("INSERT INTO audit VALUES (?,?,?,?,?,?,?)", (
                    row.number, row.time_ns, row.who, row.what, row.detail, digest, self._key.sign(digest)))
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise storage_error(error, self.path) from error

    def close(self) -> None:
        """Close."""
        with self._lock:
            self._connection.close()


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def public_key_of(path: Path) -> str:
    """Return the public part of a key, in hexadecimal."""
    return _public(load_key(path))


def load_key(path: Path) -> Ed25519PrivateKey:
    """Return the key of a site's signatures, made where there is none."""
    if path.exists():
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    key = Ed25519PrivateKey.generate()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes_raw())
    return key


def rows_after(path: Path, number: int, rows_max: int) -> list[tuple[int, int, str, str, str, bytes, bytes]]:
    """Return the rows (number, time_ns, who, what, detail, digest, signature) from a number on."""
    try:
        connection = sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT number, time, who, what, detail, digest, signature FROM audit WHERE number >= ? "
                                      "ORDER BY number LIMIT ?", (number, rows_max)).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    return [(int(r[0]), int(r[1]), str(r[2]), str(r[3]), str(r[4]), bytes(r[5]), bytes(r[6])) for r in rows]


def read_audit(path: Path) -> list[AuditRow]:
    """Return the rows as stored, unchecked."""
    return [row for row, _, _ in _rows(path)]


def check_audit(path: Path, public_key: str) -> list[str]:
    """Return what is wrong with an audit, by row; empty where nothing is."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    faults, previous, due = [], _GENESIS, 0
    for row, digest, signature in _rows(path):
        if row.number != due:
            faults.append(f"row {due}: removed" if row.number == due + 1 else f"rows {due} to {row.number - 1}: removed")
        if _seal(previous, row) != digest:
            faults.append(f"row {row.number}: changed, moved, or the one before it was removed")
        try:
            key.verify(signature, digest)
        except InvalidSignature:
            faults.append(f"row {row.number}: not signed with this key")
        previous, due = digest, row.number + 1
    return faults


def _rows(path: Path) -> list[tuple[AuditRow, bytes, bytes]]:
    if not path.is_file():
        raise StorageError("no such audit", where=str(path), remedy="name audit.sqlite of a site's data folder")
    try:
        connection = sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT number, time, who, what, detail, digest, signature FROM audit ORDER BY number").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    return [(AuditRow(int(r[0]), int(r[1]), str(r[2]), str(r[3]), str(r[4])), bytes(r[5]), bytes(r[6])) for r in rows]

"""Accounts, sessions and API keys of a site, in one SQLite file. Secrets are stored as hashes; what is handed out is shown once.

Passwords: argon2id with the library's defaults (RFC 9106, second recommended option). Sessions and keys are 256 random
bits, stored as SHA-256: nothing to guess, and nothing to gain from the file.

Accounts that several machines share are kept in a database; here lies a copy of them, marked as shared, so that people can sign in
while the database is out of reach. Accounts without the mark are this machine's own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lapwing.adapters.sqlite_files import storage_error
from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S

KEY_PREFIX = "lwk_"
PASSWORD_LETTERS_MIN, PASSWORD_LETTERS_MAX = 12, 200
_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, made INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
  expires INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (digest BLOB PRIMARY KEY, name TEXT NOT NULL, begun INTEGER NOT NULL, used INTEGER NOT NULL);
"""
# Not in older files. `subject`: who it is at the identity provider, of an account that signs in there.
_ADDED = (("users", "shared", "INTEGER NOT NULL DEFAULT 0"), ("keys", "shared", "INTEGER NOT NULL DEFAULT 0"),
          ("users", "subject", "TEXT NOT NULL DEFAULT ''"))
_NO_PASSWORD = "!"      # noqa: S105  no hash: no password is right
SESSION_NS = 12 * 3_600 * NS_PER_S          # a shift
IDLE_NS = 2 * 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: a person or a program, and what it may do."""

    name: str
    role: str


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def new_key() -> tuple[str, bytes, str]:
    """Return id, digest and secret of a new API key; the first two are stored."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    return secrets.token_hex(4), _digest(secret), secret


class Accounts:
    """The file. Safe to use from several threads; raises StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._hasher = PasswordHasher()
        # Verified against where there is no such name, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
            self._connection.executescript(_SCHEMA)
            for table, column, kind in _ADDED:
                if not any(row[1] == column for row in self._connection.execute(f"PRAGMA table_info({table})")):
                    self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        except sqlite3.Error as error:
            raise storage_error(error, path) from error

    def _run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise storage_error(error, self.path) from error

    def any(self) -> bool:
        """Whether there is an account: without one, this machine alone is served."""
        return bool(self._run("SELECT 1 FROM users LIMIT 1"))

    def people(self) -> list[tuple[str, str]]:
        """Return (name, role) of all people, sorted."""
        return [(str(name), str(role)) for name, role in self._run("SELECT name, role FROM users ORDER BY name")]

    def set_user(self, name: str, role: str, password: str, now_ns: int) -> None:
        """Make an account or change it; its sessions end. Raises InputError for a name or password that will not do."""
        self._set(name, role, self.hashed(name, password), now_ns)

    def hashed(self, name: str, password: str) -> str:
        """Return what is stored of a password. Raises InputError for a name or password that will not do."""
        if not name.strip() or len(name) > 100 or name != name.strip():
            raise InputError(f"{name!r} is no name", where="account", remedy="give 1 to 100 letters, without space around them")
        if not PASSWORD_LETTERS_MIN <= len(password) <= PASSWORD_LETTERS_MAX:
            raise InputError(f"the password has {len(password)} letters", where=f"account {name}",
                             remedy=f"give {PASSWORD_LETTERS_MIN} to {PASSWORD_LETTERS_MAX}: four or five words do well")
        return self._hasher.hash(password)

    def _set(self, name: str, role: str, hashed: str, made_ns: int, *, shared: bool = False) -> None:
        self._run("INSERT INTO users (name, role, hash, made, shared) VALUES (?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "
                  "role = excluded.role, hash = excluded.hash, shared = excluded.shared, "
                  "made = CASE WHEN excluded.shared THEN excluded.made ELSE made END", name, role, hashed, made_ns, int(shared))
        self._run("DELETE FROM sessions WHERE name = ?", name)

    def shared_users(self) -> list[tuple[str, str, str, int]]:
        """Return (name, role, hash, made_ns) of the shared accounts, sorted."""
        return [(str(a), str(b), str(c), int(str(d))) for a, b, c, d in
                self._run("SELECT name, role, hash, made FROM users WHERE shared = 1 ORDER BY name")]

    def shared_keys(self) -> list[tuple[str, bytes, str, str, int]]:
        """Return (id, digest, name, role, expires_ns) of the shared keys, sorted."""
        return [(str(a), b, str(c), str(d), int(str(e))) for a, b, c, d, e in
                self._run("SELECT id, digest, name, role, expires FROM keys WHERE shared = 1 ORDER BY id") if isinstance(b, bytes)]

    def take_shared(self, users: list[tuple[str, str, str, int]], keys: list[tuple[str, bytes, str, str, int]]) -> list[str]:
        """Make the copy what the shared accounts and keys are now; return what changed, in words.

        An account that was changed or removed is signed out. One of this machine's own with the name of a shared one gives way.
        """
        changed: list[str] = []
        before, now = {row[0]: row for row in self.shared_users()}, {row[0]: row for row in users}
        for name in sorted(before.keys() - now.keys()):
            self.remove_user(name)
            changed.append(f"account {name} removed")
        for name, row in sorted(now.items()):
            if before.get(name) != row:
                self._set(*row, shared=True)
                changed.append(f"account {name} set: {row[1]}")
        key_before, key_now = {row[0]: row for row in self.shared_keys()}, {row[0]: row for row in keys}
        for key in sorted(key_before.keys() - key_now.keys()):
            self.remove_key(key)
            changed.append(f"key {key} removed")
        for key, values in sorted(key_now.items()):
            if key_before.get(key) != values:
                self._run("INSERT OR REPLACE INTO keys (id, digest, name, role, expires, shared) VALUES (?,?,?,?,?,1)", *values)
                changed.append(f"key {key} set: {values[3]}")
        return changed

    def remove_user(self, name: str) -> bool:
        """Remove an account with its sessions; whether there was one."""
        there = bool(self._run("DELETE FROM users WHERE name = ? RETURNING 1", name))
        self._run("DELETE FROM sessions WHERE name = ?", name)
        return there

    def check(self, name: str, password: str) -> Account | None:
        """Return whose password this is, None where it is not. Takes as long for a name that does not exist."""
        rows = self._run("SELECT role, hash FROM users WHERE name = ?", name)
        role, stored = (str(rows[0][0]), str(rows[0][1])) if rows else ("", self._nobody)
        if stored == _NO_PASSWORD:
            rows, stored = [], self._nobody
        try:
            self._hasher.verify(stored, password[:PASSWORD_LETTERS_MAX])
        except (VerificationError, InvalidHashError):
            return None
        return Account(name, role) if rows else None

    def take_person(self, subject: str, name: str, role: str, now_ns: int) -> Account:
        """Make or change the account of somebody whom an identity provider vouches for; without a role it is removed.

        Raises InputError where there is no role, or the name is somebody else's.
        """
        for (old,) in self._run("SELECT name FROM users WHERE subject = ? AND name != ?", subject, name):
            self.remove_user(str(old))          # the name was changed there
        rows = self._run("SELECT subject, role FROM users WHERE name = ?", name)
        if rows and rows[0][0] != subject:
            raise InputError("this name is another person's here", where=name,
                             remedy="an admin removes the old account: `lapwing users remove`")
        if not role:
            self.remove_user(name)
            raise InputError("no role here is given to you", where=name, remedy="ask for one of the groups in [oidc.roles]")
        self._run("INSERT INTO users (name, role, hash, made, subject) VALUES (?,?,?,?,?) "
                  "ON CONFLICT (name) DO UPDATE SET role = excluded.role", name, role, _NO_PASSWORD, now_ns, subject)
        return Account(name, role)

    def begin_session(self, account: Account, now_ns: int) -> str:
        """Return the secret of a new session."""
        secret = secrets.token_urlsafe(32)
        self._run("DELETE FROM sessions WHERE begun < ? OR used < ?", now_ns - SESSION_NS, now_ns - IDLE_NS)
        self._run("INSERT INTO sessions VALUES (?,?,?,?)", _digest(secret), account.name, now_ns, now_ns)
        return secret

    def session(self, secret: str, now_ns: int) -> Account | None:
        """Return whose session this is; None where it is over or never was. A changed role counts at once."""
        rows = self._run("SELECT users.name, users.role FROM sessions JOIN users ON users.name = sessions.name "
                         "WHERE digest = ? AND begun >= ? AND used >= ?", _digest(secret), now_ns - SESSION_NS, now_ns - IDLE_NS)
        if not rows:
            return None
        self._run("UPDATE sessions SET used = ? WHERE digest = ?", now_ns, _digest(secret))
        return Account(str(rows[0][0]), str(rows[0][1]))

    def end_session(self, secret: str) -> None:
        """End a session."""
        self._run("DELETE FROM sessions WHERE digest = ?", _digest(secret))

    def make_key(self, name: str, role: str, expires_ns: int) -> str:
        """Return a new API key for a program, shown this once."""
        key_id, digest, secret = new_key()
        self._run("INSERT INTO keys (id, digest, name, role, expires) VALUES (?,?,?,?,?)", key_id, digest, name, role, expires_ns)
        return secret

    def key_list(self) -> list[tuple[str, str, str, int]]:
        """Return (id, name, role, expires_ns) of all keys."""
        return [(str(a), str(b), str(c), int(str(d))) for a, b, c, d in
                self._run("SELECT id, name, role, expires FROM keys ORDER BY name, id")]

    def remove_key(self, key_id: str) -> bool:
        """Remove a key by its id; whether there was one."""
        return bool(self._run("DELETE FROM keys WHERE id = ? RETURNING 1", key_id))

    def key(self, secret: str, now_ns: int) -> Account | None:
        """Return whose key this is; None where it has expired or never was."""
        rows = self._run("SELECT name, role FROM keys WHERE digest = ? AND expires > ?", _digest(secret), now_ns)
        return Account(str(rows[0][0]), str(rows[0][1])) if rows else None

    def close(self) -> None:
        """Close."""
        with self._lock:
            self._connection.close()

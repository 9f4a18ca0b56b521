"""Opening the journal's SQLite file: is it ours, may we write it, does anybody else; and errors in words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from lapwing.model.errors import StorageError
from lapwing.record.journal import SCHEMA_VERSION

APPLICATION_ID = 0x4C415057  # "LAPW", in the file's header: tells our files from anybody's
_MAGIC = b"SQLite format 3\x00"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, batch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE batches (number INTEGER PRIMARY KEY, first_entry INTEGER NOT NULL, entries INTEGER NOT NULL,
                      first_output INTEGER NOT NULL, outputs INTEGER NOT NULL, digest BLOB NOT NULL);
CREATE TABLE entries (sequence INTEGER PRIMARY KEY, batch INTEGER NOT NULL, received_ns INTEGER NOT NULL,
                      link TEXT NOT NULL, format TEXT NOT NULL, payload BLOB NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE outputs (number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
                      mark INTEGER NOT NULL);
CREATE TABLE checkpoints (batch INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), batch INTEGER NOT NULL, digest BLOB NOT NULL,
                   entries INTEGER NOT NULL, outputs INTEGER NOT NULL);
"""
LEASE = """CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL,
                                             holder TEXT NOT NULL)"""


def connect(path: Path, *, read_only: bool, synchronous: str) -> sqlite3.Connection:
    """Return a connection to a journal, made where there is none. Raises StorageError or sqlite3.Error."""
    fresh = _check_file(path, read_only=read_only)
    connection = _open(path, read_only=read_only)
    try:
        # A damaged octet in a text column is for the audit to find, not for the driver to stumble over.
        connection.text_factory = _text
        connection.execute("PRAGMA trusted_schema = OFF")
        if read_only:
            _check_ours(connection, path)
            connection.execute("BEGIN")  # one snapshot, whatever a writer does meanwhile
            return connection
        fresh = fresh or _is_blank(connection)
        if not fresh:
            _check_ours(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if fresh:
            connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; "
                                     f"PRAGMA user_version = {SCHEMA_VERSION}; {SCHEMA} COMMIT;")
        connection.execute(LEASE)      # not in older journals
        return connection
    except BaseException:
        connection.close()
        raise


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _check_file(path: Path, *, read_only: bool) -> bool:
    """Return whether the journal is yet to be made; raise StorageError for what is no SQLite file at all."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError as error:
        if read_only:
            raise StorageError("no such journal", where=str(path), remedy="check the path") from error
        if not path.parent.is_dir():
            raise StorageError("its folder does not exist", where=str(path), remedy=f"make {path.parent}") from error
        return True
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", where=str(path),
                           remedy="check the path, its owner and mode") from error
    if not start and not read_only:
        return True
    if start != _MAGIC:
        raise StorageError("not a journal: no SQLite file" if start else "empty: no journal", where=str(path),
                           remedy="name a journal.sqlite that Lapwing wrote")
    return False


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    def connection(mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(path.absolute()))}?{mode}"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False)

    if not read_only:
        return connection("mode=rwc")
    opened = connection("mode=ro")
    try:
        opened.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        # A journal on a read-only medium: SQLite cannot make its shared-memory file there. With nothing in the
        # write-ahead file nobody is writing, and the main file is the whole journal.
        opened.close()
        wal = path.with_name(path.name + "-wal")
        if os.access(path.parent, os.W_OK) or (wal.exists() and wal.stat().st_size):
            raise storage_error(error, path) from error
        return connection("mode=ro&immutable=1")
    return opened


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Return whether a file holds nothing yet: its maker was killed before the tables were there."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return bool(application == 0 and tables == 0)


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != APPLICATION_ID:
        raise StorageError("a SQLite file of another program, not a journal", where=str(path),
                           remedy="name a journal.sqlite that Lapwing wrote; this file was not touched")
    if version != SCHEMA_VERSION:
        raise StorageError(f"written with journal schema {version}, this version knows {SCHEMA_VERSION}",
                           where=str(path), remedy="use the version of Lapwing that wrote it")


def storage_error(error: sqlite3.Error, path: Path) -> StorageError:
    """Return what a SQLite error means for the person who must act on it."""
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    # A full disk shows as SHMSIZE where not even the shared-memory file of the write-ahead log has room.
    if "FULL" in name or "SHMSIZE" in name or "disk is full" in text:
        return StorageError("disk full: the last batch was not stored", where=str(path),
                            remedy="free space; the journal is whole up to the batch before, and the run resumes there")
    if "READONLY" in name or "readonly" in text:
        return StorageError("cannot be written: file or folder is read-only", where=str(path),
                            remedy="change owner or mode, or name another place")
    if "BUSY" in name or "LOCKED" in name:
        return StorageError("locked by another process", where=str(path), remedy="stop the other one, or wait for it")
    if "CORRUPT" in name or "NOTADB" in name:
        return StorageError(f"damaged: {text}", where=str(path),
                            remedy="run `lapwing verify` on it, and restore it from a copy")
    if "CANTOPEN" in name:
        return StorageError("cannot be opened", where=str(path), remedy="check that its folder exists and is writable")
    if "IOERR" in name:
        return StorageError(f"the disk failed to read or write ({name})", where=str(path),
                            remedy="check the disk; the journal is whole up to the last batch that was stored")
    return StorageError(f"SQLite: {text}", where=str(path), remedy="run `lapwing verify` on it")


class FileLock:
    """A lock file beside the journal, held as long as it is open for writing; the system drops it with the process.

    Not a lock on the journal itself: closing any handle of that file would drop SQLite's own locks on it.
    """

    def __init__(self, path: Path, *, steal: bool = False) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._handle: int | None = None
        if steal:
            self._path.unlink(missing_ok=True)    # its holder keeps a lock on a file that nobody finds any more
        try:
            self._handle = self._acquire()
        except BlockingIOError as error:
            raise StorageError(f"another process{self._holder()} writes this journal", where=str(path),
                               remedy="stop it first, or name another journal") from error
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror}", where=str(self._path),
                               remedy="check that the folder exists and may be written, and that the disk has space"
                               ) from error

    def _acquire(self) -> int:
        while True:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The holder before may have removed the file between our open and our lock: then lock the new one.
                if self._path.exists() and os.fstat(handle).st_ino == self._path.stat().st_ino:
                    os.ftruncate(handle, 0)
                    os.write(handle, f"{os.getpid()}\n".encode())
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def _holder(self) -> str:
        try:
            words = self._path.read_text(encoding="ascii", errors="replace").split()
        except OSError:
            return ""
        return f" (process {words[0]})" if words and words[0].isdigit() else ""

    def release(self) -> None:
        """Let go; the lock file is removed."""
        if self._handle is not None:
            if self._path.exists() and os.fstat(self._handle).st_ino == self._path.stat().st_ino:
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

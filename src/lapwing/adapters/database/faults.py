"""What a database's error means for the person who must act on it. No text of it holds a password or what was sent."""

from __future__ import annotations

import re
import sqlite3
import ssl

from lapwing.adapters.database.address import Address
from lapwing.model.errors import StorageError

# SQLSTATE of PostgreSQL (appendix A of its manual), by code or class -> what, remedy
_STATES: dict[str, tuple[str, str]] = {
    "28": ("refuses the user or its password", "check the user of [database] url, the password file, and pg_hba.conf"),
    "3D000": ("has no database of that name", "make it: `createdb NAME`"),
    "42P01": ("a table is missing", "`lapwing database upgrade site.toml`"),
    "42703": ("a column is missing", "`lapwing database upgrade site.toml`"),
    "42501": ("the user may not do that", "grant it, or use the owner: docs/database.md has the two roles"),
    "53100": ("its disk is full", "free space there"),
    "53300": ("takes no more connections", "raise max_connections, or close some"),
    "57": ("is shutting down, or was told to end the connection", "wait: it is tried again"),
    "25006": ("is read-only: a standby of PostgreSQL", "name the primary"),
}
_WORDS_MAX = 200


def storage_error(error: Exception, address: Address) -> StorageError:
    """Return an error of the driver in words."""
    cause = getattr(error, "orig", None) or error
    state, said = _said(cause)
    said = address.without_password(said)[:_WORDS_MAX]
    for length in (5, 2):
        if state[:length] in _STATES:
            what, remedy = _STATES[state[:length]]
            return StorageError(f"{what} ({said})", where=address.shown, remedy=remedy)
    if isinstance(cause, ssl.SSLError) or "SSL" in said:
        return StorageError(f"no TLS that can be trusted: {said}", where=address.shown,
                            remedy="switch ssl on there, name its certificate in [database] tls_ca, and the host as the certificate does")
    if isinstance(cause, OSError) or "create a connection" in said or "network error" in said or "socket" in said.lower():
        return StorageError(f"does not answer: {said}", where=address.shown, remedy="is it running, and does the network let us there?")
    if address.dialect == "sqlite" and "no such table" in said:
        return StorageError("a table is missing", where=address.shown, remedy="`lapwing database upgrade site.toml`")
    if address.dialect == "sqlite" and "unable to open" in said:
        return StorageError("cannot be opened", where=address.shown, remedy="check its folder, owner and mode")
    return StorageError(said or type(cause).__name__, where=address.shown, remedy="see the log of the database")


def is_of_a_row(error: Exception) -> bool:
    """Whether an error comes of what a row holds: others may be stored all the same. Classes 22, 23 and 54 of SQLSTATE."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, OverflowError | sqlite3.IntegrityError | sqlite3.DataError) or _said(cause)[0][:2] in ("22", "23", "54")


def _said(cause: BaseException) -> tuple[str, str]:
    """Return SQLSTATE and message. pg8000 hands over the fields of PostgreSQL's ErrorResponse: C the state, M the message."""
    fields = cause.args[0] if cause.args else ""
    if isinstance(fields, dict):
        return str(fields.get("C", "")), str(fields.get("M", ""))
    # Of anything else the first line: what follows may be the statement.
    return "", re.split(r"\n|\[SQL", str(cause), maxsplit=1)[0].strip()

"""What `lapwing users` does: accounts, keys and the audit of a site's data folder. Each change is itself in the audit."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

from lapwing.adapters.accounts import Accounts
from lapwing.adapters.audit_file import AuditFile, check_audit, read_audit
from lapwing.model.errors import ConfigError, InputError
from lapwing.model.times import DAY_NS, to_iso


def _by() -> str:
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):     # a service account without a name
        return "shell"


def _note(folder: Path, what: str, **detail: str) -> None:
    audit = AuditFile(folder / "audit.sqlite")
    try:
        audit.add(time.time_ns(), _by(), what, **detail)
    finally:
        audit.close()


def add(folder: Path, name: str, role: str, password: str) -> None:
    """Make or change an account. Raises InputError, StorageError."""
    Accounts(folder / "accounts.sqlite").set_user(name, role, password, time.time_ns())
    _note(folder, "account set", name=name, role=role)


def make_key(folder: Path, name: str, role: str, days: int) -> str:
    """Return a new API key. Raises InputError, StorageError."""
    if not 1 <= days <= 366:
        raise InputError(f"{days} days", where="--days", remedy="give 1 to 366: a key that never ends is a key that is lost")
    secret = Accounts(folder / "accounts.sqlite").make_key(name, role, time.time_ns() + days * DAY_NS)
    _note(folder, "key made", name=name, role=role)
    return secret


def remove(folder: Path, name: str, *, key: bool) -> bool:
    """Remove an account by name or a key by id; whether there was one."""
    accounts = Accounts(folder / "accounts.sqlite")
    done = accounts.remove_key(name) if key else accounts.remove_user(name)
    if done:
        _note(folder, "key removed" if key else "account removed", name=name)
    return done


def listed(folder: Path) -> list[dict[str, str]]:
    """Return a row for each account and key."""
    accounts = Accounts(folder / "accounts.sqlite")
    return [*({"kind": "person", "name": name, "role": role, "id": "", "expires": ""} for name, role in accounts.people()),
            *({"kind": "key", "name": name, "role": role, "id": key, "expires": to_iso(expires, digits=0)}
              for key, name, role, expires in accounts.key_list())]


def audit(folder: Path, public_key: str | None) -> tuple[list[dict[str, str]], list[str], str]:
    """Return (rows, faults, public key); checked with the key handed in, else with the one beside the file."""
    path = folder / "audit.sqlite"
    rows = [{"time": to_iso(row.time_ns), "who": row.who, "what": row.what, "detail": row.detail} for row in read_audit(path)]
    if public_key is None:
        public_key = AuditFile(path).public_key
    try:
        if len(bytes.fromhex(public_key)) != 32:
            raise ValueError
    except ValueError as error:
        raise ConfigError("not an Ed25519 key in hexadecimal", where="--public-key", remedy="give its 64 digits") from error
    return rows, check_audit(path, public_key), public_key

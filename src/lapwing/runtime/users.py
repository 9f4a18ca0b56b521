"""What `lapwing users` does: accounts, keys and the audit of a site's data folder. Each change is itself in the audit.

Where a site shares its accounts through a database, a change is made there first and then in this machine's copy; the other
machines of the database have it within seconds.
"""

from __future__ import annotations

import getpass
import time
from pathlib import Path

from lapwing.adapters.accounts import Accounts, new_key
from lapwing.adapters.audit_file import AuditFile, check_audit, read_audit
from lapwing.model.errors import ConfigError, InputError
from lapwing.model.times import DAY_NS, to_iso
from lapwing.runtime.register import open_database, share_accounts
from lapwing.runtime.site_database import DatabaseSettings


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


def shares(settings: DatabaseSettings) -> bool:
    """Whether a site shares its accounts through a database."""
    return settings.address is not None and settings.accounts


def add(folder: Path, name: str, role: str, password: str, shared: DatabaseSettings | None = None) -> None:
    """Make or change an account, of this machine or a shared one. Raises InputError, StorageError."""
    accounts = Accounts(folder / "accounts.sqlite")
    if shared is None:
        accounts.set_user(name, role, password, time.time_ns())
    else:
        with open_database(shared) as database:
            share_accounts(database, accounts)      # a database that was made anew gets those of before first
            database.set_user(name, role, accounts.hashed(name, password), time.time_ns())
            share_accounts(database, accounts)
    _note(folder, "account set", name=name, role=role, kept=_kept(shared))


def make_key(folder: Path, name: str, role: str, days: int, shared: DatabaseSettings | None = None) -> str:
    """Return a new API key. Raises InputError, StorageError."""
    if not 1 <= days <= 366:
        raise InputError(f"{days} days", where="--days", remedy="give 1 to 366: a key that never ends is a key that is lost")
    accounts = Accounts(folder / "accounts.sqlite")
    expires_ns = time.time_ns() + days * DAY_NS
    if shared is None:
        secret = accounts.make_key(name, role, expires_ns)
    else:
        key_id, digest, secret = new_key()
        with open_database(shared) as database:
            database.add_key(key_id, digest, name, role, expires_ns)
            share_accounts(database, accounts)
    _note(folder, "key made", name=name, role=role, kept=_kept(shared))
    return secret


def remove(folder: Path, name: str, *, key: bool, shared: DatabaseSettings | None = None) -> bool:
    """Remove an account by name or a key by id; whether there was one. Raises InputError for the last shared account."""
    accounts = Accounts(folder / "accounts.sqlite")
    if shared is None:
        done = accounts.remove_key(name) if key else accounts.remove_user(name)
    else:
        with open_database(shared) as database:
            if not key and [row[0] for row in database.users()] == [name]:
                raise InputError(f"{name} is the last shared account", where="users remove",
                                 remedy="make another one first: machines with a copy would take a database without any for a new one")
            done = database.remove_key(name) if key else database.remove_user(name)
            share_accounts(database, accounts)
        done = done or (accounts.remove_key(name) if key else accounts.remove_user(name))     # one of this machine's own
    if done:
        _note(folder, "key removed" if key else "account removed", name=name, kept=_kept(shared))
    return done


def _kept(shared: DatabaseSettings | None) -> str:
    return "here" if shared is None else "database"


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

"""Feeds the register of a site from its journal: committed outputs by their place, and the audit; shares accounts between machines.

Fed again from the beginning it comes out the same, so losing the database loses nothing. Beside a live service this runs as a
process of its own (`register_process`): a database that hangs, and its libraries, cost the loop nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lapwing.adapters.accounts import Accounts
from lapwing.adapters.audit_file import AuditFile, rows_after
from lapwing.adapters.database.address import require_libraries
from lapwing.adapters.retired_file import read_retired
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import ConfigError, StorageError
from lapwing.model.ports import Output
from lapwing.model.times import NS_PER_S
from lapwing.record.register import KINDS, Registered, register_rows
from lapwing.runtime.segments import segments
from lapwing.runtime.site_database import DatabaseSettings

if TYPE_CHECKING:
    from lapwing.adapters.database.store import Database, Place

ROWS_AT_ONCE = 500
TELL_EVERY_NS = 10 * NS_PER_S      # how often the place is written where there is nothing else to write


@dataclass(frozen=True, slots=True)
class Fed:
    """What one round did."""

    rows: int = 0
    refused: tuple[str, ...] = ()
    segment: str = ""
    batch: int = -1


def open_database(settings: DatabaseSettings, *, timeout_s: float = 10.0, any_schema: bool = False) -> Database:
    """Return the database of a site. Raises ConfigError where there is none, StorageError where it cannot be used."""
    if settings.address is None:
        raise ConfigError("this site has no database", where="[database] url",
                          remedy='write url = "sqlite:///register.sqlite" below [database]')
    require_libraries()
    from lapwing.adapters.database.store import Database

    database = Database(settings.address, timeout_s=timeout_s)
    try:
        if not any_schema:
            database.require_schema()
    except BaseException:
        database.close()
        raise
    return database


def feed(database: Database, journal: Path, site: str, now_ns: int, *, rows_max: int = ROWS_AT_ONCE) -> Fed:
    """Store what was committed after the database's place. Raises StorageError; what was stored before stays, and its place with it."""
    place = database.place(site)
    total, refused = 0, []
    known = segments(journal)
    if place.segment and known and known[-1].path.name < place.segment:
        raise _foreign(database, place, journal)
    for segment in known:
        name = segment.path.name
        if name < place.segment:
            continue
        with SqliteLog(segment.path, read_only=True) as log:
            if name == place.segment and place.batch >= 0 and log.digest_of(place.batch) != place.digest:
                raise _foreign(database, place, journal)
            first = place.batch + 1 if name == place.segment else 0
            while first <= log.last_batch():
                outputs, last = log.whole_batches(KINDS, first, rows_max)
                rows, faults = _rows(name, outputs)
                after = replace(place, segment=name, batch=last, digest=log.digest_of(last), written_ns=now_ns)
                if rows or faults or now_ns - place.written_ns >= TELL_EVERY_NS or last < log.last_batch():
                    refused += [*faults, *database.feed(site, place, after, rows)]
                    total += len(rows)
                    place = after
                first = last + 1
    return Fed(total, tuple(refused), place.segment, place.batch)


def _rows(segment: str, outputs: Sequence[tuple[int, int, Output]]) -> tuple[list[Registered], list[str]]:
    batches: dict[int, list[tuple[int, Output]]] = {}
    for batch, number, output in outputs:
        batches.setdefault(batch, []).append((number, output))
    rows, faults = [], []
    for batch, found in batches.items():
        made, wrong = register_rows(segment, batch, found)
        rows += made
        faults += wrong
    return rows, faults


def _foreign(database: Database, place: Place, journal: Path) -> StorageError:
    return StorageError(f"was fed from another journal than {journal}: {place.segment}, batch {place.batch}, by {place.machine}",
                        where=database.address.shown, remedy="give each site its own name, [database] site; after a journal was replaced: "
                        "`lapwing database rebuild site.toml`")


def rebuild(database: Database, journal: Path, site: str, now_ns: int) -> tuple[int, Fed]:
    """Remove what was fed and feed it again; what segments led to that were retired (and are not at hand) stays."""
    at_hand = {segment.path.name for segment in segments(journal)}
    gone = [line["segment"] for line in read_retired(journal) if line["segment"] not in at_hand]
    return database.forget(site, gone), feed(database, journal, site, now_ns)


def feed_audit(database: Database, data: Path, site: str) -> int:
    """Store the audit rows that the database does not have; return how many."""
    path = data / "audit.sqlite"
    if not path.is_file():
        return 0
    audit = AuditFile(path)
    audit.close()
    total = 0
    first = database.audit_count(audit.public_key)
    while rows := rows_after(path, first, ROWS_AT_ONCE):
        total += database.add_audit(site, audit.public_key, rows)
        first = rows[-1][0] + 1
    return total


def share_accounts(database: Database, accounts: Accounts) -> list[str]:
    """Bring this machine's copy of the shared accounts up to date; return what changed.

    A database without any accounts does not empty the copy: where it was lost and made anew, it gets them from here.
    """
    users, keys = database.users(), database.keys()
    if not users:
        for user in accounts.shared_users():
            database.set_user(*user)
        for key in accounts.shared_keys():
            database.add_key(*key)
        users, keys = database.users(), database.keys()
    return accounts.take_shared(users, keys)

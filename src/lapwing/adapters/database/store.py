"""The register in a database: migrated, fed, asked. One class for both dialects; every error is a StorageError without secrets."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from lapwing.adapters.database import tables
from lapwing.adapters.database.address import Address
from lapwing.adapters.database.faults import is_of_a_row, storage_error
from lapwing.model.errors import StorageError
from lapwing.record.register import Registered, plain

TIMEOUT_S = 10.0
_MIGRATION_LOCK = 0x4C415057          # of PostgreSQL's advisory locks: two machines do not migrate at once
_REPLACED = {"proposals", "alerts"}   # the last word on them stands
_FED = ("incidents", "events", "proposals", "decisions", "alerts")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a journal was fed: (segment, batch), and the seal of that batch."""

    segment: str = ""
    batch: int = -1
    digest: bytes = b""
    written_ns: int = 0
    machine: str = ""


class Database:
    """A database by its address. Opened at the first question; safe to use from one thread at a time.

    `timeout_s`: of each answer; where it does not come, the connection is given up.
    """

    def __init__(self, address: Address, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._engine = sa.create_engine(_url(address), connect_args=_arguments(address, timeout_s), hide_parameters=True,
                                        pool_pre_ping=address.dialect == "postgresql", pool_size=1, max_overflow=0)
        self._insert: Any = postgresql.insert if address.dialect == "postgresql" else sqlite.insert
        if address.dialect == "sqlite":
            # The driver of its own accord begins a transaction at the first change only, and none round DDL and savepoints.
            sa.event.listen(self._engine, "connect", _no_begin)
            sa.event.listen(self._engine, "begin", _begin_immediate)

    @contextlib.contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        """A transaction. Raises StorageError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, OverflowError) as error:
            raise storage_error(error, self.address) from None      # the cause may hold what was sent

    # Schema

    def schema(self) -> tuple[str, str]:
        """Return the version that the database has ("" for none) and the one that this Lapwing needs."""
        with self._begin() as connection:
            return MigrationContext.configure(connection).get_current_revision() or "", _script_head()

    def require_schema(self) -> None:
        """Raise StorageError where the database has another version."""
        found, needed = self.schema()
        if found != needed:
            known = {revision.revision for revision in ScriptDirectory(_scripts()).walk_revisions()}
            raise StorageError(f"has {'no tables yet' if not found else f'schema {found}'}, this version of Lapwing needs {needed}",
                               where=self.address.shown, remedy="`lapwing database upgrade site.toml`" if not found or found in known
                               else "use the version of Lapwing that made it")

    def upgrade(self) -> tuple[str, str]:
        """Bring the tables to what this version needs; return the version before and now."""
        config = Config()
        config.set_main_option("script_location", _scripts().replace("%", "%%"))
        with self._begin() as connection:
            if self.address.dialect == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
            before = MigrationContext.configure(connection).get_current_revision() or ""
            config.attributes |= {"connection": connection, "metadata": tables.METADATA}
            command.upgrade(config, "head")
            return before, _script_head()

    # Fed from the journal

    def place(self, site: str) -> Place:
        """Return how far the journal of a site was fed."""
        with self._begin() as connection:
            return _place_of(connection, site)

    def feed(self, site: str, before: Place, after: Place, rows: Sequence[Registered]) -> list[str]:
        """Store the rows between two places, and the second of them, in one transaction; return what was refused, in words.

        Where the database has got another place meanwhile (another machine feeds it), nothing is stored and StorageError raised.
        """
        with self._begin() as connection:
            found = _place_of(connection, site, lock=True)
            if (found.segment, found.batch) != (before.segment, before.batch):
                raise StorageError(f"was fed by {found.machine or 'another machine'} meanwhile", where=self.address.shown,
                                   remedy="it goes on from there")
            refused = self._store(connection, site, rows)
            _count_incidents(connection, self._insert, site, {row.row["incident"] for row in rows if row.table == "events"})
            values = {"site": site, "segment": after.segment, "batch": after.batch, "digest": after.digest,
                      "written_ns": after.written_ns, "machine": socket.gethostname()}
            statement = self._insert(tables.PLACES).values(values)
            connection.execute(statement.on_conflict_do_update(
                index_elements=["site"], set_={key: value for key, value in values.items() if key != "site"}))
            return refused

    def _store(self, connection: sa.Connection, site: str, rows: Sequence[Registered]) -> list[str]:
        statements = [(registered, self._put(registered.table, registered.row | {"site": site})) for registered in rows]
        try:
            with connection.begin_nested():
                for _, statement in statements:
                    connection.execute(statement)
            return []
        except (SQLAlchemyError, OverflowError) as error:
            if not is_of_a_row(error):
                raise
        refused = []
        for registered, statement in statements:     # one row that the database does not take must not hold up all others
            try:
                with connection.begin_nested():
                    connection.execute(statement)
            except (SQLAlchemyError, OverflowError) as error:
                if not is_of_a_row(error):
                    raise
                row = registered.row
                refused.append(f"{row['segment']}, batch {row['batch']}, {registered.table}: {storage_error(error, self.address).what}")
        return refused

    def _put(self, name: str, row: Mapping[str, Any]) -> Any:
        table = tables.METADATA.tables[name]
        statement = self._insert(table).values(row)
        if name not in _REPLACED:
            return statement.on_conflict_do_nothing()
        new = statement.excluded
        place = sa.tuple_(table.c.segment, table.c.batch, table.c.number)
        return statement.on_conflict_do_update(
            index_elements=["site", "id"], set_={c.name: new[c.name] for c in table.c if c.name not in ("site", "id")},
            where=place <= sa.tuple_(new.segment, new.batch, new.number))

    def forget(self, site: str, but: Sequence[str]) -> int:
        """Remove what was fed of a site, but of the segments that are gone, for it to be fed again; return how many rows that were."""
        with self._begin() as connection:
            _place_of(connection, site, lock=True)
            count = 0
            for name in _FED[1:]:
                table = tables.METADATA.tables[name]
                count += connection.execute(sa.delete(table).where(table.c.site == site, table.c.segment.not_in(but))).rowcount
            connection.execute(sa.delete(tables.INCIDENTS).where(tables.INCIDENTS.c.site == site))
            connection.execute(sa.delete(tables.PLACES).where(tables.PLACES.c.site == site))
            left = connection.execute(sa.select(tables.EVENTS.c.incident).where(tables.EVENTS.c.site == site).distinct())
            _count_incidents(connection, self._insert, site, {str(row[0]) for row in left})
            return count

    # The audit of each machine

    def audit_count(self, public_key: str) -> int:
        """Return how many rows of a machine's audit are here."""
        with self._begin() as connection:
            last = connection.execute(sa.select(sa.func.max(tables.AUDIT.c.number)).where(tables.AUDIT.c.public_key == public_key)).scalar()
            return 0 if last is None else int(last) + 1

    def add_audit(self, site: str, public_key: str, rows: Iterable[tuple[int, int, str, str, str, bytes, bytes]]) -> int:
        """Store audit rows (number, time_ns, who, what, detail, digest, signature); return how many."""
        names = ("number", "time_ns", "who", "what", "detail", "digest", "signature")
        made = [dict(zip(names, row, strict=True)) | {"site": site, "public_key": public_key, "machine": socket.gethostname()}
                for row in rows]
        if made:
            with self._begin() as connection:
                connection.execute(self._insert(tables.AUDIT).on_conflict_do_nothing(), [plain(row) for row in made])
        return len(made)

    # Accounts that several machines share

    def users(self) -> list[tuple[str, str, str, int]]:
        """Return (name, role, hash, made_ns) of all people."""
        return [(str(r[0]), str(r[1]), str(r[2]), int(r[3])) for r in self._rows(sa.select(tables.USERS).order_by("name"))]

    def keys(self) -> list[tuple[str, bytes, str, str, int]]:
        """Return (id, digest, name, role, expires_ns) of all API keys."""
        return [(str(r[0]), bytes(r[1]), str(r[2]), str(r[3]), int(r[4])) for r in self._rows(sa.select(tables.KEYS).order_by("id"))]

    def set_user(self, name: str, role: str, hashed: str, now_ns: int) -> None:
        """Make or change a shared account."""
        statement = self._insert(tables.USERS).values(name=name, role=role, hash=hashed, made_ns=now_ns)
        with self._begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"role": role, "hash": hashed}))

    def remove_user(self, name: str) -> bool:
        """Remove a shared account; whether there was one."""
        with self._begin() as connection:
            return connection.execute(sa.delete(tables.USERS).where(tables.USERS.c.name == name)).rowcount > 0

    def add_key(self, key_id: str, digest: bytes, name: str, role: str, expires_ns: int) -> None:
        """Make a shared API key."""
        with self._begin() as connection:
            connection.execute(self._insert(tables.KEYS).values(
                id=key_id, digest=digest, name=name, role=role, expires_ns=expires_ns).on_conflict_do_nothing())

    def remove_key(self, key_id: str) -> bool:
        """Remove a shared key; whether there was one."""
        with self._begin() as connection:
            return connection.execute(sa.delete(tables.KEYS).where(tables.KEYS.c.id == key_id)).rowcount > 0

    # Questions

    def ask(self, table: str, *, where: Mapping[str, Any] | None = None, from_ns: int | None = None, until_ns: int | None = None,
            limit: int | None = None) -> list[dict[str, Any]]:
        """Return rows of a table as dicts, oldest first; of too many the newest `limit`.

        Parameters
        ----------
        table : incidents, events, proposals, decisions, alerts, audit
        where : column -> value that it must have
        from_ns, until_ns : of its time, the first included; an incident counts where it lasted into them
        """
        found = tables.METADATA.tables[table]
        first, last = {"incidents": ("first_ns", "last_ns"), "alerts": ("sent_ns", "sent_ns")}.get(table, ("time_ns", "time_ns"))
        statement = sa.select(found).where(*(found.c[name] == value for name, value in (where or {}).items()))
        if from_ns is not None:
            statement = statement.where(found.c[last] >= from_ns)
        if until_ns is not None:
            statement = statement.where(found.c[first] < until_ns)
        ties = [c for c in found.primary_key if c.name != "site"]
        statement = statement.order_by(found.c[first].desc(), *(c.desc() for c in ties)).limit(limit)
        return [dict(row._mapping) for row in reversed(self._rows(statement))]

    def counts(self, site: str) -> dict[str, int]:
        """Return how many rows each table has of a site."""
        with self._begin() as connection:
            return {name: int(connection.execute(sa.select(sa.func.count()).select_from(table).where(
                table.c.site == site)).scalar_one()) for name in (*_FED, "audit") for table in (tables.METADATA.tables[name],)}

    def _rows(self, statement: Any) -> list[Any]:
        with self._begin() as connection:
            return list(connection.execute(statement))

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place_of(connection: sa.Connection, site: str, *, lock: bool = False) -> Place:
    columns = tables.PLACES.c
    statement = sa.select(columns.segment, columns.batch, columns.digest, columns.written_ns, columns.machine).where(columns.site == site)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    return Place() if row is None else Place(str(row[0]), int(row[1]), bytes(row[2]), int(row[3]), str(row[4]))


def _count_incidents(connection: sa.Connection, insert: Any, site: str, incidents: set[str]) -> None:
    """Make the rows of incidents anew from their events: the same however often it is done."""
    events = tables.EVENTS.c
    for incident in sorted(incidents - {""}):
        first_ns, last_ns, count = connection.execute(sa.select(
            sa.func.min(events.time_ns), sa.func.max(events.time_ns), sa.func.count()).where(
                events.site == site, events.incident == incident)).one()
        if not count:
            continue
        values = {"first_ns": int(first_ns), "last_ns": int(last_ns), "events": int(count)}
        connection.execute(insert(tables.INCIDENTS).values(site=site, id=incident, **values).on_conflict_do_update(
            index_elements=["site", "id"], set_=values))


def _no_begin(connection: Any, _: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _url(address: Address) -> sa.URL:
    if address.dialect == "sqlite":
        return sa.URL.create("sqlite", database=str(address.path))
    return sa.URL.create("postgresql+pg8000", username=address.user or None, password=address.password or None, host=address.host or None,
                         port=None if address.socket else address.port, database=address.name)


def _arguments(address: Address, timeout_s: float) -> dict[str, Any]:
    if address.dialect == "sqlite":
        return {"timeout": timeout_s}
    found: dict[str, Any] = {"timeout": timeout_s, "application_name": "lapwing"}
    if address.socket:
        found["unix_sock"] = f"{address.socket}/.s.PGSQL.{address.port}"
    if address.tls == "verify":
        found["ssl_context"] = _trust(address)
    return found


def _trust(address: Address) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=address.tls_ca or None)
    except OSError as error:
        raise StorageError(f"certificates cannot be read: {error.strerror or error}", where=address.tls_ca,
                           remedy="name a PEM file") from error


def _scripts() -> str:
    return str(resources.files("lapwing.adapters.database").joinpath("migrations"))


def _script_head() -> str:
    return str(ScriptDirectory(_scripts()).get_current_head())

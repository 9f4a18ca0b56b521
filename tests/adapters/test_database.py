"""The register in a database: one suite over SQLite and a real PostgreSQL, which the tests start themselves."""

import itertools
import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgres_server import PASSWORD, Server

from lapwing.adapters.accounts import Accounts
from lapwing.adapters.audit_file import AuditFile, load_key
from lapwing.adapters.database import tables
from lapwing.adapters.database.address import parse_address
from lapwing.adapters.database.store import Database, Place
from lapwing.adapters.retired_file import add_retired
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.entries import TICK, Entry
from lapwing.model.errors import ConfigError, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.runtime.register import feed, feed_audit, rebuild, share_accounts

START_NS = from_iso("2026-03-14T22:00:00Z")
ZONES = [{"code": "RO-TL", "name": "Tulcea", "population": 190_000, "county": "TL"}]
_names = (f"lapwing_{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request, tmp_path):
    if request.param == "sqlite":
        return parse_address("sqlite:///register.sqlite", tmp_path)
    server = request.getfixturevalue("server")
    name = next(_names)
    admin = sa.create_engine(sa.URL.create("postgresql+pg8000", "lapwing", PASSWORD, "127.0.0.1", server.port, "postgres"),
                             isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return parse_address(server.url(name), tmp_path, password=PASSWORD)


@pytest.fixture
def database(address):
    with Database(address) as found:
        found.upgrade()
        yield found


def event(second, text="seen", incident="20260314-1", ids=("T1",)):
    return Output("event", json.dumps({"time": _iso(second), "kind": "seen", "severity": "info", "text": text, "ids": list(ids),
                                       "incident": incident, "lat_deg": None, "lon_deg": None}).encode())


def proposal(second, reason="near", key="p1"):
    return Output("proposal", json.dumps({
        "id": key, "time": _iso(second), "expires": _iso(second + 300), "msg_type": "Alert", "level": "alert", "zones": ZONES,
        "caused_by": ["T1"], "reason": reason, "approvals_needed": 1, "references": [], "automatic": False, "envelope": [],
        "role": ""}).encode())


def decision(second, who="Ana", key="p1"):
    return Output("decision", json.dumps({"time": _iso(second), "proposal_id": key, "action": "approve", "by": who, "text": "",
                                          "saw": None}).encode())


def alert(second, key="a1"):
    return Output("alert", json.dumps({
        "identifier": key, "sent": _iso(second), "status": "Exercise", "msg_type": "Alert", "references": [], "level": "alert",
        "zones": ZONES,
        "polygon": [], "onset": _iso(second), "expires": _iso(second + 1_200), "languages": ["ro"], "caused_by": ["T1"],
        "proposed_time": _iso(second - 5), "approved_time": _iso(second), "approved_by": ["Ana"], "proposal_id": "p1", "rings": True,
        "cleared": [], "cap_xml": "<alert/>"}).encode())


def _iso(second):
    return f"2026-03-14T22:{second // 60:02d}:{second % 60:02d}.000Z"


def write(path, batches, begin=0):
    """Write a journal, or go on with one: a list of outputs for each batch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with SqliteLog(path, synchronous="OFF") as log:
        if not log.meta():
            log.set_meta({"lapwing": "test", "file": str(path)})
        for number, outputs in enumerate(batches, begin):
            log.append(Batch(number, (Entry(number, START_NS + number * NS_PER_S, "clock", TICK, b""),)))
            log.commit(number, [Output("tracks", b"x"), *outputs])
    return path


STORY = [[event(1)], [], [event(2), proposal(2)], [proposal(2, "nearer"), event(3)], [decision(4), alert(4), event(4, ids=("a1",))], [],
         [event(60, incident="20260314-2"), event(61, incident="20260314-2")]]


def everything(database, site="s"):
    return {name: database.ask(name, where={"site": site}) for name in ("incidents", "events", "proposals", "decisions", "alerts")}


def test_the_migrations_make_the_tables_that_the_code_uses_and_a_second_upgrade_changes_nothing(database):
    assert database.upgrade() == ("0001", "0001") and database.schema() == ("0001", "0001")
    with database._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.METADATA) == []


def test_the_schema_goes_down_and_up_again(address, database):
    from alembic import command
    from alembic.config import Config

    from lapwing.adapters.database.store import _scripts

    config = Config()
    config.set_main_option("script_location", _scripts())
    with database._engine.begin() as connection:
        config.attributes |= {"connection": connection, "metadata": tables.METADATA}
        command.downgrade(config, "base")
    with pytest.raises(StorageError, match=r"no tables yet.*lapwing database upgrade"):
        database.require_schema()
    assert database.upgrade() == ("", "0001")
    database.require_schema()


def test_a_schema_of_a_later_version_is_not_touched(database):
    with database._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"schema 9999.*use the version of Lapwing that made it"):
        database.require_schema()


def test_what_a_journal_holds_comes_out_by_incident_alert_and_person(database, tmp_path):
    write(tmp_path / "journal" / "journal-000001.sqlite", STORY)
    fed = feed(database, tmp_path / "journal", "s", START_NS)
    assert (fed.rows, fed.refused, fed.segment, fed.batch) == (10, (), "journal-000001.sqlite", 6)
    first, second = database.ask("incidents")
    assert (first["id"], first["events"]) == ("20260314-1", 4)
    assert (first["first_ns"], first["last_ns"]) == (START_NS + NS_PER_S, START_NS + 4 * NS_PER_S)
    assert (second["id"], second["events"]) == ("20260314-2", 2)
    [found] = database.ask("alerts", where={"incident": "20260314-1"})
    assert (found["id"], found["people"], found["zones"], found["approved_by"], found["proposal"]) == ("a1", 190_000, ZONES, ["Ana"], "p1")
    [asked] = database.ask("proposals", where={"id": "p1"})
    assert asked["reason"] == "nearer" and asked["automatic"] is False
    assert [row["proposal"] for row in database.ask("decisions", where={"who": "Ana"})] == ["p1"]
    assert database.ask("decisions", where={"who": "X"}) == []
    assert [row["id"] for row in database.ask("incidents", from_ns=START_NS + 30 * NS_PER_S)] == ["20260314-2"]
    assert [row["id"] for row in database.ask("incidents", until_ns=START_NS + 30 * NS_PER_S)] == ["20260314-1"]
    assert [row["text"] for row in database.ask("events", limit=1)] == ["seen"] and database.counts("s")["events"] == 6


@pytest.mark.parametrize("rows_max", [1, 2, 3, 500])
def test_fed_bit_by_bit_at_once_or_again_from_the_beginning_the_rows_are_the_same(database, tmp_path, rows_max):
    journal = tmp_path / "journal"
    path = journal / "journal-000001.sqlite"
    for batch, outputs in enumerate(STORY):
        write(path, [outputs], begin=batch)
        feed(database, journal, "s", START_NS, rows_max=rows_max)
        feed(database, journal, "s", START_NS, rows_max=rows_max)
    write(journal / "journal-000002.sqlite", [[event(90, incident="20260314-2")]])
    feed(database, journal, "s", START_NS, rows_max=rows_max)
    bits = everything(database)
    with database._engine.begin() as connection:       # the place alone is lost: every row is fed a second time over the first
        connection.execute(sa.delete(tables.PLACES))
    assert feed(database, journal, "s", START_NS, rows_max=rows_max).rows == 11 and everything(database) == bits
    removed, fed = rebuild(database, journal, "s", START_NS)
    assert (removed, fed.rows) == (10, 11) and everything(database) == bits


def test_an_earlier_word_never_replaces_a_later_one(database, tmp_path):
    path = write(tmp_path / "journal" / "journal-000001.sqlite", STORY)
    feed(database, path.parent, "s", START_NS)
    with database._engine.begin() as connection:
        connection.execute(sa.delete(tables.PLACES))
    database_place = Place()
    with SqliteLog(path, read_only=True) as log:
        outputs, _ = log.whole_batches(("proposal",), 0, 1)
    from lapwing.runtime.register import _rows

    database.feed("s", database_place, Place("journal-000001.sqlite", 2, b"d", 1), _rows("journal-000001.sqlite", outputs)[0])
    assert database.ask("proposals")[0]["reason"] == "nearer"


def test_a_journal_that_the_database_was_not_fed_from_is_refused(database, tmp_path):
    write(tmp_path / "one" / "journal-000001.sqlite", STORY)
    feed(database, tmp_path / "one", "s", START_NS)
    write(tmp_path / "two" / "journal-000001.sqlite", STORY)
    with pytest.raises(StorageError, match=r"another journal.*own name.*rebuild"):
        feed(database, tmp_path / "two", "s", START_NS)
    write(tmp_path / "short" / "journal-000001.sqlite", [[event(1)]])
    with pytest.raises(StorageError, match="another journal"):
        feed(database, tmp_path / "short", "s", START_NS)
    assert feed(database, tmp_path / "two", "another site", START_NS).rows == 10
    assert rebuild(database, tmp_path / "two", "s", START_NS)[1].rows == 10 and len(database.ask("events")) == 12


def test_a_rebuild_keeps_what_retired_segments_led_to(database, tmp_path):
    journal = tmp_path / "journal"
    first = write(journal / "journal-000001.sqlite", STORY)
    write(journal / "journal-000002.sqlite", [[event(90, incident="20260314-2"), event(91, incident="20260314-3")]])
    feed(database, journal, "s", START_NS)
    before = everything(database)
    add_retired(journal, load_key(tmp_path / "audit-key"), {"segment": first.name, "head": "", "previous": ["", ""]})
    first.unlink()
    assert rebuild(database, journal, "s", START_NS)[0] == 2 and everything(database) == before


def test_two_that_feed_at_once_store_nothing_twice(database, address, tmp_path):
    write(tmp_path / "journal" / "journal-000001.sqlite", STORY)
    stale = database.place("s")
    with Database(address) as other:
        feed(other, tmp_path / "journal", "s", START_NS)
    with pytest.raises(StorageError, match="meanwhile"):
        database.feed("s", stale, Place("journal-000001.sqlite", 0, b"d", 1), [])
    assert database.place("s").batch == 6


def test_outputs_that_no_database_takes_are_counted_and_hold_up_nothing(database, tmp_path):
    huge = json.loads(proposal(5, key="p2").payload)
    huge["zones"] = [{**ZONES[0], "population": 1 << 70}]
    odd = [event(1, text="zero \x00 and half \ud800 a letter"), Output("event", b"{"), Output("decision", b"[]"),
           Output("alert", b'{"identifier": 1}'),
           Output("proposal", json.dumps(huge).encode()), event(2)]
    write(tmp_path / "journal" / "journal-000001.sqlite", [odd, [event(3)]])
    fed = feed(database, tmp_path / "journal", "s", START_NS)
    assert len(fed.refused) == 4 and all("journal-000001.sqlite, batch 0" in text for text in fed.refused), fed.refused
    assert [row["text"] for row in database.ask("events")] == ["zero \ufffd and half ? a letter", "seen", "seen"]


def test_the_audit_is_copied_row_by_row_with_its_seals(database, tmp_path):
    audit = AuditFile(tmp_path / "audit.sqlite")
    for number in range(3):
        audit.add(number, "Ana", "sign-in", address="10.0.0.1")
    assert feed_audit(database, tmp_path, "s") == 3 and feed_audit(database, tmp_path, "s") == 0
    audit.add(9, "Ion", "command")
    assert feed_audit(database, tmp_path, "s") == 1
    rows = database.ask("audit", where={"who": "Ana"})
    assert [row["number"] for row in rows] == [0, 1, 2] and rows[0]["detail"] == '{"address": "10.0.0.1"}'
    with sqlite3.connect(tmp_path / "audit.sqlite") as connection:
        rows = connection.execute("SELECT digest FROM audit ORDER BY number").fetchall()
    assert [bytes(row["digest"]) for row in database.ask("audit")] == [row[0] for row in rows]


def test_accounts_made_on_one_machine_sign_in_on_the_other_and_a_lost_database_gets_them_back(database, tmp_path):
    here, there = Accounts(tmp_path / "here.sqlite"), Accounts(tmp_path / "there.sqlite")
    there.set_user("break-glass", "admin", "a password of there", 1)
    for name, role in (("Ana", "admin"), ("Ion", "operator")):
        database.set_user(name, role, here.hashed(name, f"long password of {name}"), 5)
    database.add_key("k1", b"digest", "bridge", "viewer", 99)
    for accounts in (here, there):
        assert len(share_accounts(database, accounts)) == 3 and share_accounts(database, accounts) == []
    account = there.check("Ion", "long password of Ion")
    assert account is not None and account.role == "operator" and there.check("break-glass", "a password of there") is not None
    session = there.begin_session(account, 10)
    database.remove_user("Ion")
    database.remove_key("k1")
    assert share_accounts(database, there) == ["account Ion removed", "key k1 removed"]
    assert there.session(session, 11) is None and there.people() == [("Ana", "admin"), ("break-glass", "admin")]
    with database._engine.begin() as connection:
        connection.execute(sa.delete(tables.USERS))
    assert share_accounts(database, there) == [] and [user[0] for user in database.users()] == ["Ana"]


@pytest.mark.slow
@pytest.mark.parametrize("changed, says", [({"password": "hunter2-not-this"}, "refuses the user"), ({"name": "no_such"}, "createdb"),
                                           ({"port": 1}, "does not answer"), ({"user": "nobody"}, "refuses the user"),
                                           ({"tls": "verify"}, "TLS")])
def test_no_error_holds_the_password(server, tmp_path, changed, says):
    used = replace(parse_address(server.url("postgres"), tmp_path, password=PASSWORD), **changed)
    with pytest.raises(StorageError, match=says) as caught, Database(used) as database:
        database.schema()
    said = f"{caught.value} {caught.value.__cause__} {used!r}"
    assert used.password not in said and "127.0.0.1" in said and caught.value.remedy, said


def test_no_error_holds_what_was_sent(database):
    with pytest.raises(StorageError) as caught:
        database.add_key("k", b"the-digest", "the-name", "viewer", 1 << 80)
    assert "the-digest" not in str(caught.value) and "the-name" not in str(caught.value) and "INSERT" not in str(caught.value)


@pytest.mark.slow
def test_a_connection_is_encrypted_and_its_server_proven(server, tmp_path):
    url = server.url("postgres").replace("127.0.0.1", "localhost")
    trusted = parse_address(url, tmp_path, password=PASSWORD, tls="verify", tls_ca=str(server.certificate))
    with Database(trusted) as database, database._engine.connect() as connection:
        assert connection.execute(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar() is True
    by_others = parse_address(url, tmp_path, password=PASSWORD, tls="verify")
    with pytest.raises(StorageError, match="no TLS that can be trusted"), Database(by_others) as other:
        other.schema()
    by_number = parse_address(server.url("postgres"), tmp_path, password=PASSWORD, tls="verify", tls_ca=str(server.certificate))
    with pytest.raises(StorageError, match="no TLS that can be trusted"), Database(by_number) as other:
        other.schema()


@pytest.mark.slow
def test_the_service_needs_no_more_than_the_manual_grants_and_cannot_change_what_was_said(server, tmp_path):
    owner = parse_address(server.url("roles"), tmp_path, password=PASSWORD)
    manual = (Path(__file__).parents[2] / "docs" / "database.md").read_text()
    with Database(replace(owner, name="postgres")) as admin, admin._engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("CREATE DATABASE roles")
        connection.exec_driver_sql("CREATE ROLE service LOGIN PASSWORD 'service password'")
    with Database(owner) as database:
        database.upgrade()
        with database._engine.begin() as connection:
            for grant in re.findall(r"GRANT [^;]+;", manual):
                connection.exec_driver_sql(grant.replace("TO lapwing", "TO service"))
    write(tmp_path / "journal" / "journal-000001.sqlite", STORY)
    AuditFile(tmp_path / "audit.sqlite").add(1, "Ana", "sign-in")
    with Database(replace(owner, user="service", password="service password")) as database:
        database.require_schema()
        assert feed(database, tmp_path / "journal", "s", START_NS).rows == 10 and feed_audit(database, tmp_path, "s") == 1
        write(tmp_path / "journal" / "journal-000001.sqlite", [[proposal(70, "again"), alert(71)]], begin=7)
        assert feed(database, tmp_path / "journal", "s", START_NS).rows == 2
        database.set_user("Ana", "admin", "hash", 1)
        assert share_accounts(database, Accounts(tmp_path / "accounts.sqlite")) and database.remove_user("Ana")
        for sql in ("UPDATE events SET text = ''", "DELETE FROM decisions", "DELETE FROM audit", "UPDATE audit SET who = ''",
                    "DROP TABLE alerts"):
            with pytest.raises(StorageError, match="may not do that"), database._begin() as connection:
                connection.exec_driver_sql(sql)


@pytest.mark.slow
def test_a_unix_socket_does_as_well(server, tmp_path):
    address = parse_address(f"postgresql://lapwing@:{server.port}/postgres?host={server.folder}", tmp_path, password=PASSWORD)
    with Database(address) as database:
        assert database.schema() == ("", "0001")


@pytest.mark.slow
def test_a_database_that_was_restarted_is_used_again(server, tmp_path):
    with Database(parse_address(server.url("postgres"), tmp_path, password=PASSWORD)) as database:
        database.schema()
        server.stop()
        with pytest.raises(StorageError):
            database.schema()
        server.start()
        assert database.schema()[1] == "0001"


@pytest.mark.parametrize("url, what", [
    ("postgresql://u:sec/ret@db/x", "no URL"), ("mysql://u:secret@db/x", "no such kind"), ("postgresql://u:secret@db", "names no database"),
    ("postgresql://u:secret@db:port/x", "no URL"), ("postgresql:///x", "names no host"), ("sqlite://", "names no file"),
    ("postgresql://u:secret@db/x?sslmode=disable", "knows no"),
    ("postgresql://db/x?password=secret", "knows no"), ("u:secret@db/x", "no such kind")])
def test_a_wrong_url_is_told_without_its_password(url, what, tmp_path):
    with pytest.raises(ConfigError, match=what) as caught:
        parse_address(url, tmp_path)
    assert "secret" not in str(caught.value) and "sec/ret" not in str(caught.value) and caught.value.remedy

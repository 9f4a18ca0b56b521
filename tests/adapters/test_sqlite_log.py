"""The SQLite journal keeps the rules of every journal, survives kill -9, and says what is wrong with a file."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from log_suite import LogSuite, batch, fill, outputs

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError
from lapwing.record import audit


class TestSqliteLog(LogSuite):
    @pytest.fixture
    def new_opener(self, tmp_path):
        def new():
            path = Path(tempfile.mkdtemp(dir=tmp_path)) / "journal.sqlite"
            return lambda **options: SqliteLog(path, synchronous="OFF", **options)
        return new

    @pytest.fixture
    def opener(self, new_opener):
        return new_opener()


class TestSqliteLogInGroups(LogSuite):
    @pytest.fixture
    def new_opener(self, tmp_path):
        def new():
            path = Path(tempfile.mkdtemp(dir=tmp_path)) / "journal.sqlite"
            return lambda **options: SqliteLog(path, synchronous="OFF", commit_every=3, **options)
        return new

    @pytest.fixture
    def opener(self, new_opener):
        return new_opener()


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.sqlite"
    with SqliteLog(path) as log:
        fill(log, 5)
    return path


WRITER = textwrap.dedent("""
    import sys
    sys.path[:0] = [sys.argv[2], sys.argv[3]]
    from log_suite import batch, outputs
    from lapwing.adapters.sqlite_log import SqliteLog
    log = SqliteLog(sys.argv[1], commit_every=int(sys.argv[4]))
    number = log.last_batch() + 1
    while True:
        log.append(batch(number, 2 * number, payload=bytes([number % 256]) * 3000))
        log.commit(number, outputs(number), b"state" * 100 if number % 2 else None)
        if (number + 1) % int(sys.argv[4]) == 0:
            print(number, flush=True)
        number += 1
""")


@pytest.mark.parametrize("commit_every", [1, 4])
def test_kill_at_any_moment_loses_no_acknowledged_batch_and_leaves_no_torn_one(tmp_path, commit_every):
    path = tmp_path / "journal.sqlite"
    here = Path(__file__).parent
    for kill in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(here.parents[1] / "src"), str(here), str(commit_every)],
            stdout=subprocess.PIPE, text=True)
        acknowledged = [int(writer.stdout.readline()) for _ in range(5 + 7 * kill)][-1]
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().splitlines())])
        writer.wait()
        with SqliteLog(path) as log:
            found = audit.check(log.sealed(), log.head())
            assert log.last_batch() >= acknowledged
            assert found.faults == () and log.damage() == []
            assert found.batch_count == log.last_batch() + 1
            numbers = [number for number, _ in log.outputs()]
            assert numbers == [n for n in range(found.batch_count) for _ in range(n % 3)]


def test_a_journal_is_readable_while_it_is_written(journal):
    with SqliteLog(journal) as log, SqliteLog(journal, read_only=True) as reader:
        log.append(batch(5, 10))
        log.commit(5, ())
        assert reader.last_batch() == 4 and len(list(reader.read())) == 5
        with pytest.raises(StorageError, match="reading only"):
            reader.append(batch(5, 10))


def test_a_finished_journal_is_one_file_whoever_read_it(journal):
    with SqliteLog(journal, read_only=True) as log:
        list(log.read())
    assert [path.name for path in journal.parent.iterdir()] == ["journal.sqlite"]


def test_a_stale_lock_file_of_a_dead_process_does_not_stop_anybody(journal):
    journal.with_name("journal.sqlite.lock").write_text("1\n")
    SqliteLog(journal).close()


def test_a_full_disk_is_said_and_the_journal_stays_whole(tmp_path):
    path = tmp_path / "journal.sqlite"
    log = SqliteLog(path)
    fill(log, 3)
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    log.append(batch(3, 6, payload=bytes(50_000)))
    with pytest.raises(StorageError, match=r"disk full.*free space"):
        log.commit(3, ())
    with pytest.raises(StorageError, match="failed write"):
        log.append(batch(3, 6))
    assert log.last_batch() == 2
    log.close()
    with SqliteLog(path) as log:
        assert log.last_batch() == 2 and audit.check(log.sealed(), log.head()).faults == ()
        log.append(batch(3, 6))
        log.commit(3, ())


def test_a_group_that_fails_is_lost_as_a_whole_and_the_one_before_stays(tmp_path):
    path = tmp_path / "journal.sqlite"
    log = SqliteLog(path, commit_every=3)
    fill(log, 3)
    log.append(batch(3, 6))
    log.commit(3, ())
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    log.append(batch(4, 8, payload=bytes(50_000)))
    with pytest.raises(StorageError, match="disk full"):
        log.commit(4, ())
    log.close()
    with SqliteLog(path) as log:
        assert log.last_batch() == 2


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="folder"):
        SqliteLog(tmp_path / "none" / "journal.sqlite")
    with pytest.raises(StorageError, match="no such journal"):
        SqliteLog(tmp_path / "journal.sqlite", read_only=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written"):
        SqliteLog(tmp_path / "journal.sqlite")


@pytest.mark.parametrize("content", [b"\x00" * 100, b"SQLite format 3\x00" + b"\xee" * 5000, b"text"])
def test_a_foreign_file_is_refused_and_not_touched(tmp_path, content):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StorageError):
            SqliteLog(path, read_only=read_only)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE contacts (name)")
    other.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StorageError, match="another program"):
            SqliteLog(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(journal):
    with sqlite3.connect(journal) as changed:
        changed.execute("PRAGMA user_version = 99")
    changed.close()
    with pytest.raises(StorageError, match="schema 99"):
        SqliteLog(journal)


def test_a_journal_whose_maker_was_killed_before_the_tables_is_begun_again(tmp_path):
    path = tmp_path / "journal.sqlite"
    begun = sqlite3.connect(path)
    begun.execute("PRAGMA journal_mode = WAL")
    begun.close()
    with SqliteLog(path) as log:
        fill(log, 1)


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    with SqliteLog(tmp_path / "journal.sqlite", synchronous="OFF") as log:
        for number in range(6):
            log.append(batch(number, 2 * number))
            log.commit(number, (), b"state %d" % number)
        assert log.checkpoint() == (5, b"state 5")
        assert log._connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0] == 2


def test_a_flipped_bit_anywhere_in_the_file_is_found_or_changes_nothing(tmp_path):
    journal = tmp_path / "journal.sqlite"
    with SqliteLog(journal) as log:
        log.set_meta({"country": "RO" * 100})
        for number in range(5):
            log.append(batch(number, 2 * number, payload=bytes(range(256)) * 6))
            log.commit(number, outputs(number), b"state")
    with SqliteLog(journal, read_only=True) as log:
        original = list(log.sealed())
    content = journal.read_bytes()
    found_count = 0
    for at in range(3, len(content), 397):
        journal.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        try:
            with SqliteLog(journal, read_only=True) as log:
                sound = not log.damage() and not audit.check(log.sealed(), log.head()).faults
                assert not sound or list(log.sealed()) == original, f"octet {at}"
                found_count += not sound
        except StorageError:
            found_count += 1
    assert found_count > 30

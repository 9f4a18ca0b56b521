"""Segments past their time leave the journal, and nothing that somebody still needs does; the chain goes on over the hole."""

import json
import time

import pytest
from archived_site import DAY_NS, every_second, write_journal

from lapwing.adapters.audit_file import public_key_of
from lapwing.adapters.retired_file import NAME, read_retired
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.model.errors import InputError, StorageError
from lapwing.runtime import archiving, retiring
from lapwing.runtime.archiving import HOUR_NS
from lapwing.runtime.retiring import Policy, retire, standings
from lapwing.runtime.segments import chain_faults, retired_lines_faults, segments

ONE_DAY = 86_400_000_000_000
DAYS = 4
NOW_NS = DAY_NS + 40 * ONE_DAY


@pytest.fixture
def site(tmp_path):
    """Four segments of a day each, chained as the service chains them, their tracks in the archive."""
    journal, archive = tmp_path / "data" / "journal", tmp_path / "data" / "archive"
    previous, head = "", b""
    for day in range(DAYS):
        path = journal / f"journal-{day + 1:06d}.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        with SqliteLog(path, synchronous="OFF") as log:
            log.set_meta({"lapwing": "test"} | ({"previous": previous, "previous_head": head.hex()} if previous else {}))
        write_journal(path, every_second(DAY_NS + day * ONE_DAY, 7_200, step=600))
        with SqliteLog(path, read_only=True) as log:
            previous, head = path.name, log.head().digest
    archiving.keep(journal, archive, 0, NOW_NS)
    return journal, archive


def policy(archive, **changed):
    values = {"keep_days": 30, "pack": archive.parent / "packed", "archive": archive, "archived_first": True, "registered": None}
    return Policy(**(values | changed))


def go(journal, **changed):
    return retire(journal, policy(**({"archive": journal.parent / "archive"} | changed)), journal.parent / "audit-key", NOW_NS)


def names(journal):
    return [segment.number for segment in segments(journal)]


def checked(journal):
    return [*retired_lines_faults(journal, "")[2], *chain_faults(journal)]


def test_old_segments_are_packed_and_the_chain_goes_on_from_their_signed_heads(site):
    journal, _ = site
    done = go(journal)
    assert done.packed == [f"journal-00000{n}.sqlite" for n in (1, 2, 3)] and done.dropped == [] and names(journal) == [4]
    assert checked(journal) == [] and go(journal).packed == []
    lines = read_retired(journal)
    assert [line["batches"] for line in lines] == [12, 12, 12] and lines[1]["previous"] == [lines[0]["segment"], lines[0]["head"]]


def test_a_packed_segment_comes_back_octet_for_octet_and_a_changed_copy_does_not(site, tmp_path):
    journal, archive = site
    before = {path.name: path.read_bytes() for path in journal.glob("*.sqlite")}
    go(journal)
    path = retiring.restore(journal, archive.parent / "packed", "journal-000002.sqlite", tmp_path / "back")
    assert path.read_bytes() == before["journal-000002.sqlite"] and main(["verify", str(path), "--no-replay"]) == 0
    with pytest.raises(InputError, match="there already"):
        retiring.restore(journal, archive.parent / "packed", "journal-000002.sqlite", tmp_path / "back")
    with pytest.raises(InputError, match="was not retired"):
        retiring.restore(journal, archive.parent / "packed", "journal-000004.sqlite", tmp_path / "back")
    packed = archive.parent / "packed" / "journal-000001.sqlite.zst"
    packed.write_bytes((archive.parent / "packed" / "journal-000003.sqlite.zst").read_bytes())
    with pytest.raises(StorageError, match="not the file that was retired"):
        retiring.restore(journal, archive.parent / "packed", "journal-000001.sqlite", tmp_path / "back")
    assert not (tmp_path / "back" / "journal-000001.sqlite").exists()


def test_dropped_segments_leave_their_line_alone(site, tmp_path):
    journal, _ = site
    assert len(go(journal, pack=None).dropped) == 3 and checked(journal) == []
    with pytest.raises(InputError, match="was dropped"):
        retiring.restore(journal, None, "journal-000001.sqlite", tmp_path)


@pytest.mark.parametrize("changed, stays", [
    ({"keep_days": 0}, "kept for ever"), ({"keep_days": 39}, "younger than 39 days"), ({"registered": ("", -1)}, "not in the register"),
    ({"registered": ("journal-000001.sqlite", 10)}, "not in the register")])
def test_what_is_young_or_not_in_the_register_stays(site, changed, stays):
    journal, archive = site
    found = standings(journal, policy(archive, **changed), NOW_NS)
    assert stays in found[-2].why and found[-1].why == "the newest" and go(journal, **changed).packed == (
        ["journal-000001.sqlite"] if changed == {"keep_days": 39} else [])


def test_the_register_lets_go_what_it_has(site):
    assert go(site[0], registered=("journal-000002.sqlite", 11)).packed == ["journal-000001.sqlite", "journal-000002.sqlite"]


def test_what_is_not_in_the_archive_of_tracks_stays(site, tmp_path):
    journal, _ = site
    nothing, half = tmp_path / "nothing", tmp_path / "half"
    archiving.keep(journal, half, 0, DAY_NS + ONE_DAY + 90 * 60 * 1_000_000_000)     # one hour of the second day
    assert go(journal, archive=nothing).packed == [] and go(journal, archive=half).packed == ["journal-000001.sqlite"]
    assert "archive" in standings(journal, policy(half), NOW_NS)[0].why
    assert go(journal, archive=nothing, archived_first=False).packed == ["journal-000002.sqlite", "journal-000003.sqlite"]


def test_a_hold_keeps_its_segment_and_no_other_and_the_chain_goes_over_both_sides(site):
    journal, archive = site
    begin_ns = DAY_NS + ONE_DAY
    archiving.hold_incident(archive, "20260315-1", (begin_ns + HOUR_NS, begin_ns + HOUR_NS), "court", "order 7", NOW_NS)
    assert standings(journal, policy(archive), NOW_NS)[1].why == "held for 20260315-1"
    assert go(journal).packed == ["journal-000001.sqlite", "journal-000003.sqlite"] and names(journal) == [2, 4] and checked(journal) == []
    archiving.release_hold(archive, "20260315-1", "court", "order 8", NOW_NS)
    assert go(journal).packed == ["journal-000002.sqlite"] and checked(journal) == []


def test_a_segment_that_is_not_as_it_was_sealed_is_evidence_and_stays(site):
    journal, _ = site
    import sqlite3

    with sqlite3.connect(journal / "journal-000002.sqlite") as connection:
        connection.execute("UPDATE outputs SET payload = x'00' WHERE number = 3")
    with pytest.raises(StorageError, match=r"not as it was sealed \(batch 3.*it stays"):
        go(journal)
    assert names(journal) == [2, 3, 4] and checked(journal) == []


def test_killed_between_the_line_and_the_end_of_a_segment_the_next_round_goes_on(site, monkeypatch):
    journal, _ = site

    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(retiring, "remove_segment", killed)
        go(journal)
    assert names(journal) == [1, 2, 3, 4] and checked(journal) == []
    with (journal / NAME).open("ab") as file:
        file.write(b'{"torn')
    assert go(journal).packed == ["journal-000002.sqlite", "journal-000003.sqlite"] and names(journal) == [4]
    assert len(read_retired(journal)) == 3 and checked(journal) == []


def test_what_a_killed_writer_left_beside_its_file_goes_into_it_first(site):
    journal, archive = site
    path = journal / "journal-000001.sqlite"
    import sqlite3

    with sqlite3.connect(path) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY, term INTEGER, holder TEXT)")
        reader.commit()
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM head").fetchall()
        with SqliteLog(path):
            pass                      # a reader keeps it from leaving one file
        assert path.with_name(path.name + "-wal").stat().st_size
    reader.close()
    assert "journal-000001.sqlite" in go(journal).packed and not list(journal.glob("journal-000001*"))
    back = retiring.restore(journal, archive.parent / "packed", path.name, archive.parent / "back")
    assert main(["verify", str(back), "--no-replay"]) == 0


def test_a_full_disk_leaves_the_segment_and_nothing_half_written(site, monkeypatch):
    journal, archive = site

    def full(path, sink=None):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StorageError, match=r"No space left.*the segment stays"):
        patch.setattr(retiring, "_unpacked_sha256", full)
        go(journal)
    assert names(journal) == [1, 2, 3, 4] and list((archive.parent / "packed").iterdir()) == [] and not (journal / NAME).exists()


@pytest.mark.parametrize("change", ["drop", "swap", "head", "key"])
def test_a_changed_line_and_a_segment_that_left_without_one_are_found(site, change):
    journal, _ = site
    go(journal)
    lines = (journal / NAME).read_text().splitlines()
    if change == "drop":
        lines.pop(1)
    elif change == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif change == "head":
        head = json.loads(lines[2])["head"]
        lines[2] = lines[2].replace(head, head[::-1])
    (journal / NAME).write_text("\n".join(lines) + "\n")
    key = "" if change != "key" else public_key_of(journal.parent / "other-key")
    assert retired_lines_faults(journal, key)[2]
    if change in ("drop", "head"):
        assert chain_faults(journal)


def test_by_command_and_verify_says_what_was_retired(site, tmp_path, capsys):
    journal, _ = site
    config = tmp_path / "site.toml"
    text = ('[site]\ncountry = "ro"\n[link.a]\nurl = "udp://:8600"\nallow_from = ["10.0.0.1"]\n[sensor.x]\nsac = 1\nsic = 2\n'
            "[journal]\nkeep_days = {}\n")
    # The commands go by the real clock: the segments are of March 2026.
    days = (time.time_ns() - DAY_NS) // ONE_DAY
    config.write_text(text.format(max(1, days - 2)))
    assert main(["journal", "list", str(config)]) == 0
    assert "goes" in capsys.readouterr().out
    assert retiring.main([str(config)]) == 0 and "packed journal-000001.sqlite" in capsys.readouterr().out
    assert main(["journal", "retire", str(config)]) == 0 and "nothing to do" in capsys.readouterr().out
    assert main(["journal", "list", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "retired"
    assert main(["verify", str(journal), "--no-replay"]) == 0
    assert "were retired, and the signed lines that they left hold" in capsys.readouterr().out
    assert main(["verify", str(journal), "--no-replay", "--public-key", "00" * 32]) == 1
    assert main(["verify", str(journal), "--no-replay", "--public-key", "7"]) == 2
    assert main(["journal", "restore", str(config), "journal-000001.sqlite", "--out", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize("lines, says", [("keep_days = -1", "keep_days = -1"),
                                         ('then = "burn"', "then = 'burn': must be one of pack, drop"),
                                         ('keep_days = 9\nthen = "drop"\nfolder = "x"', "is not used"), ("days = 3", "unknown key")])
def test_check_tells_what_is_wrong_with_the_policy(tmp_path, lines, says, capsys):
    (tmp_path / "site.toml").write_text('[site]\ncountry = "ro"\n[link.a]\nurl = "udp://:8600"\n[journal]\n' + lines)
    assert main(["check", str(tmp_path / "site.toml")]) == 2 and says in capsys.readouterr().out

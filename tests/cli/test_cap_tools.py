"""``lapwing cap read, feed, key, sign, verify, state`` and ``lapwing deliver`` as a program meets them."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))
from deliveries import S, T, alert_row

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.model.entries import Entry
from lapwing.model.ports import Batch, Output
from lapwing.warn.cap_check import check


@pytest.fixture
def run(capsys):
    def call(*words):
        status = main([str(word) for word in words])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return call


def test_read_writes_a_strict_document_and_says_what_it_changed(run, shared, tmp_path):
    text = (shared / "data/cap/samples/kz-polygon.xml").read_text()
    (tmp_path / "slip.xml").write_text(text.replace("13:37:01-00:00", "13:37:01Z").replace("<status>Actual", "<status>actual"))
    status, (row,) = run("cap", "read", tmp_path / "slip.xml", "--write", tmp_path / "out.xml")
    assert (status, row["valid"], len(row["fixed"])) == (0, True, 2)
    assert check((tmp_path / "out.xml").read_bytes()).valid


def test_read_of_what_is_no_alert_writes_nothing(run, shared, tmp_path):
    status, (row,) = run("cap", "read", shared / "data/cap/samples/us-atom-index.atom", "--write", tmp_path / "out.xml")
    assert (status, row["written"], row["valid"]) == (1, None, False) and not (tmp_path / "out.xml").exists()


def test_feed_lists_entries_and_names_what_is_none(run, shared):
    samples = shared / "data/cap/samples"
    status, rows = run("cap", "feed", samples / "us-atom-index.atom", samples / "kz-polygon.xml")
    assert status == 1
    assert (rows[0]["format"], rows[0]["link"]) == ("atom", "http://earthquake.usgs.gov/earthquakes/catalogs/cap/us2010apcd")
    assert rows[1]["findings"][0]["rule"] == "not-a-feed"


def test_key_sign_verify(run, tmp_path):
    assert main(["cap", "key", "--name", "Desk", "--key", str(tmp_path / "k"), "--cert", str(tmp_path / "c")]) == 0
    assert (tmp_path / "k").stat().st_mode & 0o077 == 0
    import time
    row = alert_row(0, sent_ns=time.time_ns())
    (tmp_path / "a.xml").write_text(row["cap_xml"])
    assert main(["cap", "sign", str(tmp_path / "a.xml"), "--key", str(tmp_path / "k"), "--cert", str(tmp_path / "c"),
                 "--write", str(tmp_path / "s.xml")]) == 0
    (tmp_path / "t.xml").write_bytes((tmp_path / "s.xml").read_bytes().replace(b"Drone", b"Bird"))
    status, rows = run("cap", "verify", tmp_path / "s.xml", tmp_path / "t.xml", tmp_path / "a.xml", "--pinned", tmp_path / "c")
    assert status == 1
    assert [(r["signature"], r["trusted"]) for r in rows] == [("good", True), ("bad", False), ("none", False)]
    assert run("cap", "verify", tmp_path / "s.xml", "--pinned", tmp_path / "c")[0] == 0


def test_state_does_not_depend_on_the_order_of_files(run, tmp_path):
    for number in (0, 1, 2):
        row = alert_row(number, msg_type="Cancel" if number == 2 else None)
        (tmp_path / f"{number}.xml").write_text(row["cap_xml"])
    files = [tmp_path / f"{n}.xml" for n in (0, 1, 2)]
    expected = {"in_force": ["urn:uuid:a-1"], "ended": ["urn:uuid:a-0"], "unknown": []}
    for order in (files, files[::-1], [files[1], files[2], files[0]]):
        assert run("cap", "state", *order, "--at", "2025-08-05T19:52:15Z") == (0, [expected])
        assert run("cap", "state", *order, "--at", "2025-08-05T21:52:25+02:00") == (
            0, [{"in_force": [], "ended": ["urn:uuid:a-0", "urn:uuid:a-1"], "unknown": []}])
    (tmp_path / "broken.xml").write_text("<alert")
    status, (row,) = run("cap", "state", *files, tmp_path / "broken.xml", "--at", "2025-08-05T19:52:15Z")
    assert status == 1 and row["unknown"] == [str(tmp_path / "broken.xml")]
    assert main(["cap", "state", str(files[0]), "--at", "2025-08-05T19:52:15"]) == 2


def test_deliver_hands_a_journal_over_once(run, tmp_path):
    log = SqliteLog(tmp_path / "journal.sqlite")
    for number in range(3):
        log.append(Batch(number, (Entry(number, T + number * S, "x", "tick", b""),)))
        log.commit(number, [Output("alert", json.dumps(alert_row(0, chain=f"c{number}", life_s=10**8)).encode())])
    log.close()
    (tmp_path / "channels.toml").write_text('[channel.files]\nkind = "cap-files"\nfolder = "out"\n[channel.drill]\nkind = "cap-files"\n'
                                            'folder = "drill"\nstatuses = ["Exercise"]\n')
    words = ("deliver", tmp_path / "journal.sqlite", "--channels", tmp_path / "channels.toml")
    status, (files, drill) = run(*words)
    assert status == 1 and (files["taken"], drill["refused"]) == (3, 3)
    assert len(list((tmp_path / "out").glob("*.xml"))) == 3 and not (tmp_path / "drill").exists()
    assert run(*words)[1][0]["taken"] == 3


def test_a_file_of_channels_that_is_wrong_is_named(tmp_path, capsys):
    (tmp_path / "journal.sqlite").write_bytes(b"")
    for text, words in (("", "no channel"), ("[channel", "channels.toml"), ('[channel.a]\nkind = "x"', "no channel kind")):
        (tmp_path / "channels.toml").write_text(text)
        assert main(["deliver", str(tmp_path / "journal.sqlite"), "--channels", str(tmp_path / "channels.toml")]) == 2
        assert words in capsys.readouterr().err


def test_what_is_in_force_is_sent_again_to_a_channel_that_lost_it(run, tmp_path):
    log = SqliteLog(tmp_path / "journal.sqlite")
    log.append(Batch(0, (Entry(0, T, "x", "tick", b""),)))
    log.commit(0, [Output("alert", json.dumps(alert_row(n, chain="c", life_s=10**8)).encode()) for n in (0, 1)])
    log.close()
    (tmp_path / "channels.toml").write_text('[channel.files]\nkind = "cap-files"\nfolder = "out"\n')
    words = ("deliver", tmp_path / "journal.sqlite", "--channels", tmp_path / "channels.toml")
    run(*words)
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    assert run(*words, "--republish", "files")[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c-1.xml"]
    assert run(*words, "--republish", "pigeon")[0] == 2

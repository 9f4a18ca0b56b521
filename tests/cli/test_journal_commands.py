"""`lapwing verify`, `report` and `log` say what is so, with an exit status that means it."""

import http.server
import json
import sqlite3
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.model.entries import Entry
from lapwing.model.ports import Batch, Output
from lapwing.model.times import NS_PER_S
from lapwing.model.verdicts import DecisivePlot, Evidence
from lapwing.record import codec
from lapwing.record.canonical import to_json
from lapwing.record.rows import verdict_row

sys.path.insert(0, str(Path(__file__).parents[1] / "record"))
from report_story import IDS, SENSORS, START_NS, ZONES, story, verdict


@pytest.fixture
def journal(tmp_path):
    outputs, batches = story(ZONES)
    path = tmp_path / "journal.sqlite"
    with SqliteLog(path, synchronous="OFF", commit_every=500) as log:
        log.set_meta({"sensors": codec.encode(SENSORS).hex(), "country": "RO", "source": "made up"})
        for batch in batches:
            log.append(batch)
            log.commit(batch.number, [output for number, output in outputs if number == batch.number])
    return path


def change(path, sql):
    with sqlite3.connect(path) as connection:
        connection.execute(sql)
    connection.close()


def test_a_sound_journal_is_said_to_be_sound(journal, capsys):
    assert main(["verify", "--no-replay", str(journal)]) == 0
    said = capsys.readouterr().out
    assert "226 batches" in said and "chain   whole" in said and "replay  not checked" in said


@pytest.mark.parametrize("sql, where", [
    ("UPDATE entries SET payload = x'31' WHERE sequence = 17", "entry 17"),
    ("DELETE FROM entries WHERE sequence = 17", "entry 17"),
    ("UPDATE outputs SET payload = x'00' WHERE number = 40", "output"),
    ("DELETE FROM batches WHERE number = 9", "batch 9"),
    ("UPDATE meta SET value = 'LT' WHERE key = 'country'", "batch 0"),
    ("INSERT INTO entries VALUES (99999, 1, 1, 'x', 'asterix', x'00', 0)", "entries belong to no batch"),
])
def test_a_tampered_journal_is_found_with_the_place(journal, capsys, sql, where):
    change(journal, sql)
    assert main(["verify", str(journal)]) == 1
    said = capsys.readouterr().out
    assert "FAULT" in said and where in said


def test_swapped_entries_are_found(journal, capsys):
    change(journal, "UPDATE entries SET sequence = -1 WHERE sequence = 4")
    change(journal, "UPDATE entries SET sequence = 4 WHERE sequence = 6")
    change(journal, "UPDATE entries SET sequence = 6 WHERE sequence = -1")
    assert main(["verify", str(journal), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["sound"] and {"entry 4", "entry 6"} <= {f["where"].split(", ")[1].split(" (")[0]
                                                             for f in found["faults"]}


def test_a_digest_written_down_elsewhere_is_looked_for(journal, capsys):
    assert main(["verify", "--no-replay", "--json", str(journal)]) == 0
    head = json.loads(capsys.readouterr().out)["head"]
    assert main(["verify", "--no-replay", "--head", head, str(journal)]) == 0
    assert main(["verify", "--no-replay", "--head", "00" * 32, str(journal)]) == 1
    assert main(["verify", "--no-replay", "--head", "xyz", str(journal)]) == 2


def test_what_is_no_journal_is_bad_input_and_a_ruin_is_a_fault(tmp_path, journal, capsys):
    (tmp_path / "text.sqlite").write_text("hello")
    assert main(["verify", str(tmp_path / "text.sqlite")]) == 2
    assert main(["verify", str(tmp_path / "none.sqlite")]) == 2
    content = journal.read_bytes()
    journal.write_bytes(content[: len(content) // 2])
    assert main(["verify", str(journal)]) == 1


def test_the_report_of_a_journal_is_written_with_its_data_beside_it(journal, tmp_path, capsys):
    page = tmp_path / "r.html"
    assert main(["report", str(journal), "--out", str(page)]) == 0
    assert capsys.readouterr().out.split() == [str(page), str(tmp_path / "r.json")]
    assert "794 m" in page.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["incident"] == "20250805-1"
    assert main(["report", str(journal), "--incident", "x", "--out", str(page)]) == 2
    assert "20250805-1" in capsys.readouterr().err
    assert main(["report", str(journal), "--out", str(tmp_path / "r.pdf")]) == 2


POINT = ["--lat", "45.27", "--lon", "28.46"]
WHEN = ["--as", "A. Villager", "--time", "2025-08-05T23:41:00+03:00"]


@pytest.mark.parametrize("words, expected", [
    (["patrol", "airborne", "--patrol", "VIPER 1"], {"event": "airborne", "patrol": "VIPER 1"}),
    (["sighting", "explosion", *POINT, "--bearing", "10", "--place", "Isaccea"],
     {"kind": "explosion", "lat_deg": 45.27, "lon_deg": 28.46, "bearing_deg": 10.0}),
    (["identify", "friend", "--icao", "abc123"], {"affiliation": "friend", "icao_address": "ABC123"}),
    (["impact", *POINT], {"radius_m": 500.0}),
])
def test_a_record_carries_author_and_time(capsys, words, expected):
    assert main(["log", *words, *WHEN, "--print"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["by"] == "A. Villager" and record["time"].startswith("2025-08-05T20:41:00")
    assert {key: record[key] for key in expected} == expected


@pytest.mark.parametrize("words", [
    ["patrol", "attacked", "--patrol", "V"], ["sighting", "seen", "--lat", "95", "--lon", "0"], ["identify", "friend"],
    ["identify", "friend", "--icao", "xyz"], ["identify", "hostile", "--track", "20250805-0001"],
    ["impact", "--lat", "nan", "--lon", "1"]])
def test_a_wrong_record_is_refused_in_words(capsys, words):
    assert main(["log", *words, *WHEN, "--print"]) == 2
    assert capsys.readouterr().err.startswith("lapwing log: ")


def test_a_record_without_a_name_or_with_a_local_time_is_refused(capsys):
    assert main(["log", "patrol", "seen", "--patrol", "V", "--as", " ", "--print"]) == 2
    assert main(["log", "patrol", "seen", "--patrol", "V", "--as", "A", "--time", "2025-08-05T20:00", "--print"]) == 2


def test_records_are_appended_to_a_file(tmp_path, capsys):
    out = tmp_path / "records.jsonl"
    for _ in range(2):
        assert main(["log", "impact", *POINT, *WHEN, "--out", str(out)]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2 and capsys.readouterr().out == ""


class Instance(http.server.BaseHTTPRequestHandler):
    taken: ClassVar[list] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append((self.path, body))
        refused = body.get("text") == "refuse me"
        self.send_response(422 if refused else 202)
        self.end_headers()
        self.wfile.write(b'{"error": "no such track"}' if refused else b'{"taken": true}')

    def log_message(self, *_):
        pass


def test_a_running_instance_takes_a_record_or_says_why_not(capsys):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Instance)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = ["--url", f"http://127.0.0.1:{server.server_port}"]
    try:
        assert main(["log", "impact", *POINT, *WHEN, *url]) == 0
        assert "journaled: impact by A. Villager" in capsys.readouterr().out
        assert Instance.taken[0][0] == "/api/log/impact" and Instance.taken[0][1]["by"] == "A. Villager"
        assert main(["log", "impact", *POINT, *WHEN, *url, "--text", "refuse me"]) == 2
        assert "no such track" in capsys.readouterr().err
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert main(["log", "impact", *POINT, *WHEN, *url]) == 2
    assert "no running instance answers" in capsys.readouterr().err


def test_records_leave_this_machine_never(capsys):
    for url in ("http://example.invalid:8650", "ftp://127.0.0.1", "http://[::1"):
        assert main(["log", "impact", *POINT, *WHEN, "--url", url]) == 2
        assert "loopback" in capsys.readouterr().err


def test_a_verdict_is_explained_down_to_the_octets_of_its_plots(journal, capsys):
    assert main(["explain", str(journal.parent)]) == 0
    said = capsys.readouterr().out
    assert "not entered  P(entered)" in said and "  why        " in said and "  line       Romania" in said
    assert main(["explain", "--json", str(journal), IDS[0]]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    plots = rows[0]["evidence"]["decisive"]
    assert {row["track_id"] for row in rows} == {IDS[0]} and len(plots) == 2
    with SqliteLog(journal, read_only=True) as log:
        assert all(log.entry(plot["entry"]).payload.hex() == plot["octets"] for plot in plots)
        assert log.entry(10**9) is None


def test_an_object_without_a_verdict_is_named_with_those_that_have_one(journal, capsys):
    assert main(["explain", str(journal), "nobody"]) == 2
    said = capsys.readouterr().err
    assert "nobody" in said and IDS[0] in said


def test_a_plot_of_a_segment_before_is_shown_with_its_own_octets(tmp_path, capsys):
    """Entries are numbered anew in each segment of a live journal; an object may be followed from one into the next."""
    times_ns = START_NS, START_NS + 86_400 * NS_PER_S
    for number, received_ns in enumerate(times_ns):
        plots = [DecisivePlot(at_ns, "RO-GF-1", 0, 900.0, 30.0, 40.0, 0.9) for at_ns in (*times_ns, START_NS - 7_200 * NS_PER_S)]
        row = verdict_row(replace(verdict(IDS[0], 900.0, "not_entered", 45.3, 28.5),
                                  evidence=Evidence(3, ("RO-GF-1",), (), 20.0, decisive=tuple(plots))))
        with SqliteLog(tmp_path / f"journal-{number + 1:06d}.sqlite", synchronous="OFF") as log:
            log.set_meta({"initial_state": "00"} if number else {"source": "made up"})
            log.append(Batch(0, (Entry(0, received_ns + NS_PER_S, "radar", "asterix", bytes([0x30, number])),)))
            log.commit(0, [Output("verdict", to_json(row))] if number else [])
    assert main(["explain", "--json", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [plot["octets"] for plot in lines[0]["evidence"]["decisive"]] == ["3000", "3001", ""]
    assert main(["explain", str(tmp_path)]) == 0 and "not at hand" in capsys.readouterr().out
    assert main(["explain", str(tmp_path / "nowhere")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["explain", str(tmp_path / "empty")]) == 2 and "no journal in this folder" in capsys.readouterr().err

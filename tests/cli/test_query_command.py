"""`lapwing archive` and `lapwing query`, as an analyst types them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))

from archived_site import DAY_NS, HOUR_NS, rows_at

from lapwing.adapters.archive import Archive
from lapwing.cli.main import main
from lapwing.model.times import NS_PER_S

SITE = '[site]\nname = "a"\ncountry = "ro"\n[link.radar]\nurl = "udp://127.0.0.1:8600"\nallow_from = ["127.0.0.1"]\n'
# What is where: 10 km outside, 19.9 km inside, 20.1 km outside, 60 km inside, unknown.
BORDER_M = np.array([10e3, -19.9e3, 20.1e3, -60e3, np.nan])


@pytest.fixture
def site(tmp_path):
    """A site whose archive holds five tracks, a row each minute for two hours."""
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    with Archive(tmp_path / "data/archive") as archive:
        for hour in range(2):
            chunks = [rows_at(DAY_NS + hour * HOUR_NS + i * 60 * NS_PER_S, 5, BORDER_M) for i in range(60)]
            archive.seal_hour(DAY_NS + hour * HOUR_NS, lambda chunks=chunks: chunks,
                              lambda hour=hour: {"segment": "journal-000001.sqlite", "first": 60 * hour, "last": 60 * hour + 59}, DAY_NS)
    return path


def ask(capsys, *words):
    status = main(["query", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


def test_what_was_within_20_km_between_two_times(site, capsys):
    status, out, err = ask(capsys, site, "--within-km", 20, "--from", "2026-03-14T00:30:00Z", "--until", "2026-03-14T01:30:00Z", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert {row["track_id"] for row in rows} == {"T0", "T1"}
    # Rows apply a second before they are emitted: 00:30:59 to 01:29:59 are 60 minutes.
    assert len(rows) == 2 * 60
    assert min(row["time"] for row in rows) == "2026-03-14T00:30:59.000Z"
    assert "60 rows of that time are at a distance that is not known" in err


def test_one_line_a_track_says_how_near_it_came_on_either_side(site, capsys):
    _, out, _ = ask(capsys, site, "--within-km", 100, "--by-track", "--json")
    rows = {row["track_id"]: row for row in map(json.loads, out.splitlines())}
    assert sorted(rows) == ["T0", "T1", "T2", "T3"]
    assert rows["T3"]["border_m_low"] == -60_000.0 and rows["T3"]["rows"] == 120


def test_all_rows_go_into_a_file(site, capsys, tmp_path):
    import pyarrow.parquet as pq

    status, out, _ = ask(capsys, site, "--track", "T4", "--out", tmp_path / "t4.parquet")
    assert status == 0 and "120 rows" in out
    table = pq.read_table(tmp_path / "t4.parquet")
    assert table.num_rows == 120 and "position_cov_ee_m2" in table.column_names
    assert ask(capsys, tmp_path / "t4.parquet", "--within-km", "1")[1].splitlines()[-1] == "0 rows"


def test_a_question_of_ones_own(site, capsys):
    _, out, _ = ask(capsys, site, "--sql", "SELECT count(*) AS n FROM tracks WHERE border_m < 0", "--json")
    assert json.loads(out) == {"n": 240}


@pytest.mark.parametrize("sql", [
    "SELECT 1; SELECT 2", "DROP VIEW tracks", "COPY (SELECT 1) TO 'x.csv'", "SELECT * FROM read_csv('/etc/passwd')", "SELECT nothing FROM",
    "INSTALL httpfs", "SET threads = 1", "ATTACH 'x.db'", "SELECT * FROM read_text('/etc/hostname')"])
def test_a_question_reads_the_archive_and_nothing_else(site, capsys, sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    status, out, err = ask(capsys, site, "--sql", sql)
    assert status == 2 and out == "" and err.startswith("lapwing query: --sql:")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("words", "said"), [
    (("--within-km", "nan"), "no distance"), (("--from", "yesterday"), "no time"), (("--from", "2026-03-14T00:00:00"), "no zone"),
    (("--out", "x.txt"), "no name of a table"), (("--sql", "SELECT 1", "--track", "x"), "stands alone")])
def test_a_wrong_word_is_told(site, capsys, words, said):
    status, _, err = ask(capsys, site, *words)
    assert status == 2 and said in err


def test_only_files_that_may_hold_the_time_are_opened(site, capsys):
    from lapwing.runtime.querying import Asked, files_of

    folder = site.parent / "data/archive"
    # Rows apply a second before they are emitted: the second hour's file begins at 00:59:59.
    assert [path.name for path in files_of(folder, Asked("2026-03-14T00:59:59Z", ""))] == ["tracks-2026-03-14T01.parquet"]
    assert [path.name for path in files_of(folder, Asked("", "2026-03-14T00:59:59Z"))] == ["tracks-2026-03-14T00.parquet"]
    assert len(files_of(folder, Asked())) == 2
    assert ask(capsys, site, "--from", "2027-01-01T00:00:00Z", "--within-km", 20)[1].splitlines()[-1] == "0 rows"


def test_no_archive_yet_is_told_with_what_to_do(tmp_path, capsys):
    (tmp_path / "site.toml").write_text(SITE)
    status, _, err = ask(capsys, tmp_path / "site.toml")
    assert status == 2 and "lapwing archive keep" in err


def test_archive_is_listed_verified_held_and_released(site, capsys):
    period = ["--from", "2026-03-14T00:10:00Z", "--until", "2026-03-14T00:20:00Z"]
    assert main(["archive", "hold", str(site), "case-7", "--by", "A. Judge", "--why", "order 7", *period]) == 0
    assert main(["archive", "list", str(site)]) == 0
    out = capsys.readouterr().out
    assert "held  case-7: 2026-03-13T23:10:00Z to 2026-03-14T01:20:00Z, by A. Judge: order 7" in out and "2 files, 600 rows" in out
    assert main(["archive", "release", str(site), "case-7", "--by", "A. Judge", "--why", "order 8"]) == 0
    assert main(["archive", "release", str(site), "case-7", "--by", "A. Judge", "--why", "again"]) == 2
    assert main(["archive", "verify", str(site.parent / "data/archive")]) == 0
    (site.parent / "data/archive/tracks-2026-03-14T01.parquet").unlink()
    assert main(["archive", "verify", str(site)]) == 1
    assert "T01.parquet: missing" in capsys.readouterr().out

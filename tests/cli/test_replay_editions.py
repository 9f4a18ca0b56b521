"""``lapwing replay`` reads each source in the edition that is named, configured or found."""

import json

import pytest

from lapwing.cli.main import main
from lapwing.sense.asterix.encode import encode_block


@pytest.fixture
def old_adsb(tmp_path):
    """Thirty reports of edition 0.26, one a second, of an aircraft off Romania; the newest reads other items there."""
    path = tmp_path / "old.ast"
    path.write_bytes(b"".join(encode_block(21, [{
        "010": {"SAC": 0, "SIC": 5}, "040": {"DCR": 0, "GBS": 0}, "030": 36_000.0 + i, "080": 0x4B0001,
        "130": {"LAT": 44.0 + i / 600.0, "LON": 29.0}, "140": 3_000.0, "145": 100.0}], "0.26") for i in range(30)))
    return path


def replayed(capsys, *arguments):
    assert main(["replay", *map(str, arguments), "--json"]) == 0
    out = capsys.readouterr()
    return json.loads(out.out), out.err


def test_edition_that_fits_is_found_said_and_kept_in_the_journal(old_adsb, tmp_path, capsys):
    counts, said = replayed(capsys, old_adsb, "--out", tmp_path / "out", "--date", "2026-03-01")
    assert counts["plots"] == 30
    assert "CAT021 of 0/5 is read as edition 0.26 (confidence 100%)" in said
    assert main(["verify", str(tmp_path / "out/journal.sqlite")]) == 0


@pytest.mark.parametrize("text", ["21=2.7", "21@0/5=2.7"])
def test_edition_that_is_named_is_taken_whatever_fits(old_adsb, tmp_path, capsys, text):
    counts, said = replayed(capsys, old_adsb, "--out", tmp_path / "out", "--date", "2026-03-01", "--edition", text)
    assert counts["plots"] < 30  # a third of them cannot be told from what it is: the reason to look for the edition
    assert "is read as" not in said


def test_edition_of_the_sensors_file_comes_first(old_adsb, tmp_path, capsys):
    sensors = tmp_path / "sensors.toml"
    sensors.write_text('[sensor.old]\nsac = 0\nsic = 5\ncategories = [21]\neditions = { 21 = "0.26" }\n')
    counts, _ = replayed(capsys, old_adsb, "--out", tmp_path / "out", "--date", "2026-03-01", "--sensors", sensors,
                         "--edition", "21=2.7")
    assert counts["plots"] == 30


def test_unknown_edition_says_what_is_known(old_adsb, tmp_path, capsys):
    assert main(["replay", str(old_adsb), "--out", str(tmp_path / "out"), "--edition", "21=9.9"]) == 2
    assert "known are 0.23, 0.24" in capsys.readouterr().err

"""``lapwing decode``: lines as the golden files, a summary that says what was met, an exit status that means something."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lapwing.cli.main import main
from lapwing.sense.asterix.encode import encode_block

RECORDS = [{"010": {"SAC": 25, "SIC": 201}, "140": 36_000.0 + i, "020": {"TYP": 5}, "070": {"MODE3A": "1234"},
            "040": {"RHO": 10.0, "THETA": 90.0}, "240": "THY12   "} for i in range(3)]


@pytest.fixture
def recording(tmp_path) -> Path:
    path = tmp_path / "x.dat"
    north = encode_block(34, [{"010": {"SAC": 25, "SIC": 201}, "000": 1, "030": 36_000.0}])
    path.write_bytes(encode_block(48, RECORDS[:2]) + north + encode_block(48, RECORDS[2:]))
    return path


def lines(capsys):
    out = capsys.readouterr()
    return [json.loads(line) for line in out.out.splitlines()], out.err


def test_lines_are_in_file_order_with_place_source_and_edition(recording, capsys):
    assert main(["decode", str(recording)]) == 0
    rows, summary = lines(capsys)
    assert [(r["category"], r["block"], r["record_in_block"], r["record"]) for r in rows] \
        == [(48, 0, 0, 0), (48, 0, 1, 1), (34, 1, 0, 2), (48, 2, 0, 3)]
    assert {(r["sac"], r["sic"]) for r in rows} == {(25, 201)}
    assert rows[0]["edition"] == "1.32"
    assert rows[0]["items"]["040"] == {"RHO": 10.0, "THETA": 90.0}
    for words in ("framing raw, 4 records", "CAT048", "25/201", "time of day 10:00:00.000 to 10:00:02.000",
                  "refused: nothing"):
        assert words in summary


def test_only_some_categories_keep_their_numbers(recording, capsys):
    assert main(["decode", str(recording), "--only", "34", "--quiet"]) == 0
    rows, summary = lines(capsys)
    assert [(r["category"], r["record"]) for r in rows] == [(34, 2)]
    assert summary == ""


def test_raw_octets_are_shown_where_they_lie(recording, capsys):
    assert main(["decode", str(recording), "--raw", "--quiet"]) == 0
    rows, _ = lines(capsys)
    data = recording.read_bytes()
    for row in rows:
        at = row["datagram_octet"] + row["octet"]
        assert data[at : at + len(row["octets"]) // 2].hex() == row["octets"]


def test_parquet_has_columns_in_named_units(recording, tmp_path, capsys):
    out = tmp_path / "x.parquet"
    assert main(["decode", str(recording), "--to", "parquet", "--out", str(out)]) == 0
    table = pq.read_table(out).to_pylist()
    assert [row["range_m"] for row in table] == [18_520.0, 18_520.0, None, 18_520.0]
    assert table[0]["mode3a"] == 0o1234
    assert table[0]["callsign"] == "THY12"
    assert json.loads(table[2]["items"])["000"] == 1


def test_edition_by_category_and_by_source(tmp_path, capsys):
    path = tmp_path / "old.dat"
    items = {"010": {"SAC": 0, "SIC": 5}, "030": 31_744.0, "130": {"LAT": 47.0, "LON": 14.0}}
    path.write_bytes(encode_block(21, [items] * 5, "0.26"))
    for edition in ("21=0.26", "21@0/5=0.26"):
        assert main(["decode", str(path), "--edition", edition]) == 0
        rows, _ = lines(capsys)
        assert rows[0]["items"]["130"]["LAT"] == pytest.approx(47.0, abs=1e-4)


def test_edition_of_each_source_is_found_unless_it_is_named(shared, capsys):
    path = str(shared / "data/asterix/jasterix_cat021ed0.26.bin")
    assert main(["decode", path]) == 0
    (row,), summary = lines(capsys)
    assert row["edition"] == "0.26"
    assert abs(row["items"]["130"]["LAT"]) < 90.0
    assert "to settle it: --edition 21@0/5=0.26" in summary
    assert main(["decode", path, "--edition", "21=2.7"]) == 0
    rows, summary = lines(capsys)
    assert {row["edition"] for row in rows} == {"2.7"}
    assert "edition 2.7   (named)" in summary


def test_source_that_no_known_edition_fits_is_not_to_be_believed(shared, capsys):
    assert main(["decode", str(shared / "data/asterix/jasterix_cat010ed0.24_sensis.bin")]) == 2
    assert "no edition that is known fits" in lines(capsys)[1]


def test_registers_are_named_beside_the_items(tmp_path, capsys):
    path = tmp_path / "x.ast"
    path.write_bytes(encode_block(48, [{"250": [{"MBDATA": 54_175_137_758_183_424, "BDS1": 4, "BDS2": 0}]}]))
    assert main(["decode", str(path), "--quiet"]) == 0
    (row,), _ = lines(capsys)
    assert row["registers"] == [{"bds": "4,0", "selected_altitude_ft": 33_008.0, "pressure_setting_hpa": 1_027.0}]
    assert (row["sac"], row["sic"]) == (None, None)


def test_source_is_carried_over_to_records_that_do_not_name_it(tmp_path, capsys):
    path = tmp_path / "x.ast"
    path.write_bytes(encode_block(1, [{"010": {"SAC": 9, "SIC": 7}, "020": {"TYP": 0}}, {"020": {"TYP": 1}, "161": 5},
                                      {"020": {"TYP": 0}, "040": {"RHO": 1.0, "THETA": 2.8125}}], "1.4")
                     + encode_block(2, [{"000": 1}]))
    assert main(["decode", str(path)]) == 0
    rows, summary = lines(capsys)
    assert [(row["sac"], row["sic"]) for row in rows] == [(9, 7)] * 4
    assert rows[1]["items"] == {"020": rows[1]["items"]["020"], "161": 5}
    assert rows[2]["items"]["040"] == {"RHO": 1.0, "THETA": 2.8125}
    assert "CAT001       9/7" in summary


@pytest.mark.parametrize(("more", "words"), [
    (["--edition", "48=9.9"], "CAT048 has no edition '9.9'; known are 1.27"),
    (["--edition", "48"], "write 48=1.27"),
    (["--edition", "99=1.0"], "categories known are 1, 2"),
    (["--only", "radar"], "'RADAR' is no category"),
    (["--to", "parquet"], "name a file with --out"),
])
def test_wrong_options_say_what_to_do(recording, capsys, more, words):
    assert main(["decode", str(recording), *more]) == 2
    assert words in capsys.readouterr().err


def test_nothing_readable_is_exit_status_two_with_the_reasons(shared, tmp_path, capsys):
    assert main(["decode", str(shared / "data/asterix/croatiacontrol_cat_001_002.pcap")]) == 2
    assert "oradis_wrapper" in capsys.readouterr().err
    (tmp_path / "empty").write_bytes(b"")
    assert main(["decode", str(tmp_path / "empty")]) == 2
    assert main(["decode", str(tmp_path / "missing")]) == 2


def test_refusals_are_counted_by_reason_and_the_rest_is_printed(recording, capsys):
    recording.write_bytes(recording.read_bytes() + b"\x30\x00\x06\xff\xff\xff")
    assert main(["decode", str(recording)]) == 0
    rows, summary = lines(capsys)
    assert len(rows) == 4
    assert "refused: item_too_short 1" in summary
    assert "CAT048 block 3 record 0" in summary


def test_categories_that_are_not_in_it_are_said_to_be_missing(recording, capsys):
    assert main(["decode", str(recording), "--only", "129"]) == 0
    told = capsys.readouterr()
    assert told.out == "" and "nothing of --only 129" in told.err

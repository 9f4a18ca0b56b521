"""`lapwing sapient check` and `lapwing cot check`: one line of JSON a file, and an exit status that means something."""

import json

import pytest

from lapwing.cli.main import main


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_cot_check_prints_a_line_a_file_and_says_one_is_wrong(tmp_path, capsys, shared):
    folder = shared / "data/interop/cot/made"
    good, bad = folder / "track_patrol.cot", folder / "bad_type.cot"
    assert main(["cot", "check", str(good)]) == 0
    assert main(["cot", "check", str(good), str(bad)]) == 1
    found = lines(capsys)
    assert [line["valid"] for line in found] == [True, True, False]
    assert found[-1]["file"] == str(bad) and found[-1]["findings"][0]["rule"] == "type"


def test_a_missing_file_does_not_keep_the_others_from_being_judged(tmp_path, capsys, shared):
    good = shared / "data/interop/cot/made/ping.cot"
    assert main(["cot", "check", str(tmp_path / "none"), str(good)]) == 2
    assert [line["valid"] for line in lines(capsys)] == [False, True]


def test_sapient_check_judges_json_and_wire(capsys, shared):
    pytest.importorskip("sapient_msg")
    folder = shared / "data/interop/sapient/made"
    assert main(["sapient", "check", str(folder / "status_ok.json"), str(folder / "status_ok.bin")]) == 0
    assert main(["sapient", "check", str(folder / "bad_no_location.bin")]) == 1
    assert [line["valid"] for line in lines(capsys)] == [True, True, False]

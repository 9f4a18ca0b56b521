"""``lapwing cap check`` and ``lapwing cell-broadcast`` as a program meets them."""

import json

from lapwing.cli.main import main


def test_a_line_of_json_a_file_and_status_one_for_an_error(shared, capsys):
    samples = sorted((shared / "data/cap/samples").iterdir())
    assert main(["cap", "check", *map(str, samples)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == list(map(str, samples))
    assert [line["file"].rsplit("/", 1)[1] for line in lines if not line["valid"]] == [
        "gdacs-earthquake-bad-longitude.xml", "us-atom-index.atom"]
    assert set(lines[1]["findings"][0]) == {"rule", "severity", "path", "message"}


def test_valid_files_give_status_zero(shared, capsys):
    assert main(["cap", "check", str(shared / "data/cap/samples/kz-polygon.xml")]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True


def test_a_file_that_cannot_be_read_does_not_hide_the_others(shared, tmp_path, capsys):
    good = str(shared / "data/cap/samples/kz-polygon.xml")
    assert main(["cap", "check", str(tmp_path / "none.xml"), good]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["valid"] for line in lines] == [False, True]
    assert lines[0]["findings"][0]["rule"] == "file-unreadable"


def test_cell_broadcast_tells_alphabet_pages_and_hex(capsys):
    assert main(["cell-broadcast", "hello", "ă" * 42]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {"alphabet": "GSM7", "units": 5, "pages": 1, "fits": True, "page_hex": ["e8329bfd06"]}
    assert (second["alphabet"], second["pages"]) == ("UCS2", 2)


def test_a_text_too_long_for_a_message_gives_status_one(capsys):
    assert main(["cell-broadcast", "ă" * 616]) == 1
    assert json.loads(capsys.readouterr().out)["fits"] is False

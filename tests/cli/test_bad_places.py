"""A place that cannot be written, a disk that fills up and a port in use: exit status 2, and words that say what to do."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.record import audit

SRC = str(Path(__file__).parents[2] / "src")
BLOCK = bytes.fromhex("300030fdf70219c9356d4da0c5aff1e0020005283c660c10c236d4182001c0780031bc0000400deb07b9582e410020f5")


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "points.csv").write_text("id,lat_deg,lon_deg\na,45.2,28.4\n")
    (tmp_path / "radar.ast").write_bytes(BLOCK * 2000)
    (tmp_path / "file").write_text("a file, no folder")
    return tmp_path


COMMANDS = {
    "border": ["border", "--home", "RO", "{in}/points.csv", "--out", "{place}/o.csv"],
    "decode": ["decode", "{in}/radar.ast", "--out", "{place}/o.jsonl"],
    "log": ["log", "patrol", "seen", "--patrol", "V", "--as", "A", "--out", "{place}/o.jsonl"],
    "simulate": ["simulate", "sumskas-slow-faller", "--out", "{place}/o"],
    "replay": ["replay", "{in}/radar.ast", "--out", "{place}/o"],
    "demo": ["demo", "sumskas-slow-faller", "--headless", "--out", "{place}/o"],
}


def words_of(name: str, inputs: Path, place: Path) -> list[str]:
    return [word.replace("{in}", str(inputs)).replace("{place}", str(place)) for word in COMMANDS[name]]


@pytest.mark.parametrize("name", ["border", "decode", "log", "simulate", "replay"])
def test_an_output_below_a_file_is_refused_with_the_path_and_a_remedy(inputs, capsys, name):
    assert main(words_of(name, inputs, inputs / "file")) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lapwing {name}: {inputs / 'file'}") and ";" in said and "Traceback" not in said


def limited() -> None:
    """Let no file grow beyond 64 KiB: what the program sees of it is what it sees of a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))


@pytest.mark.parametrize("name", ["decode", "replay"])
def test_a_disk_that_fills_up_on_the_way_is_said_and_the_journal_stays_whole(inputs, name):
    done = subprocess.run([sys.executable, "-m", "lapwing", *words_of(name, inputs, inputs)], preexec_fn=limited, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": SRC})
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert str(inputs / "o") in done.stderr and ";" in done.stderr
    if name == "replay":
        with SqliteLog(inputs / "o" / "journal.sqlite") as log:
            assert log.damage() == [] and audit.check(log.sealed(), log.head()).faults == ()


@pytest.mark.parametrize("name", ["demo", "replay"])
def test_a_port_in_use_is_said_before_anything_is_played(inputs, capsys, name):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = ["--port", str(other.getsockname()[1])]
        words = [word for word in words_of(name, inputs, inputs) if word != "--headless"]
        assert main([*words, *port, *(["--serve"] if name == "replay" else [])]) == 2
    assert "in use" in capsys.readouterr().err and not (inputs / "o" / "journal.sqlite").exists()

"""``lapwing replay`` of what it cannot read at all: the outputs are there, and the exit status says that nothing could be done."""

from lapwing.cli.main import main
from lapwing.sense.asterix.encode import encode_block


def test_a_recording_of_an_unknown_category_alone_exits_2_and_says_why(tmp_path, capsys):
    (tmp_path / "x.ast").write_bytes(bytes([204, 0, 5, 1, 2]) * 3)
    assert main(["replay", str(tmp_path / "x.ast"), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    said = capsys.readouterr()
    assert "unknown_category" in said.out and "nothing could be read" in said.err


def test_one_good_record_beside_it_is_enough(tmp_path):
    good = encode_block(34, [{"010": {"SAC": 25, "SIC": 201}, "000": 1, "030": 36_000.0}])
    (tmp_path / "x.ast").write_bytes(good + bytes([204, 0, 5, 1, 2]))
    assert main(["replay", str(tmp_path / "x.ast"), "--out", str(tmp_path / "out"), "--quiet"]) == 0

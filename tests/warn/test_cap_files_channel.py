"""The file channel: whole documents or none, and the same one twice does no harm."""

import pytest

from lapwing.adapters.channels import CHANNELS, CapFiles, file_name, make_channel
from lapwing.model.errors import ConfigError, StorageError


def test_a_document_is_written_whole_and_nothing_else_is_left(tmp_path):
    channel = CapFiles(tmp_path / "alerts")
    name = channel.send("urn:uuid:1234", b"<alert/>")
    assert name == "1234.xml"
    assert [p.name for p in (tmp_path / "alerts").iterdir()] == ["1234.xml"]
    assert (tmp_path / "alerts" / name).read_bytes() == b"<alert/>"


def test_sending_twice_gives_the_same_receipt(tmp_path):
    channel = CapFiles(tmp_path)
    assert channel.send("urn:uuid:1", b"a") == channel.send("urn:uuid:1", b"a")


def test_a_name_from_outside_cannot_leave_the_folder():
    for identifier in ("../../etc/passwd", "a/b", "", ".", "x" * 500, "Ș"):
        name = file_name(identifier)
        assert "/" not in name and not name.startswith(".") and len(name) < 160
    assert file_name("a/b") != file_name("a_b")


def test_a_disk_that_does_not_take_it_is_told(tmp_path):
    (tmp_path / "alerts").write_text("a file stands where the folder should be")
    with pytest.raises(StorageError, match="could not be written"):
        CapFiles(tmp_path / "alerts").send("urn:uuid:1", b"a")


def test_the_table_makes_channels_and_names_what_it_does_not_know(tmp_path):
    assert make_channel("cap-files", {"folder": "out"}, tmp_path).send("urn:uuid:1", b"a") == "1.xml"
    with pytest.raises(ConfigError, match="no channel kind"):
        make_channel("pigeon", {}, tmp_path)
    with pytest.raises(ConfigError, match="no setting"):
        make_channel("cap-files", {"colour": "red"}, tmp_path)
    assert set(CHANNELS) == {"cap-files"}

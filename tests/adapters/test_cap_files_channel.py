"""The file channel: whole documents or none, and the same one twice does no harm. Settings are checked, statuses kept apart."""

import pytest
from deliveries import delivery, send

from lapwing.adapters.channels import CHANNELS, make_channel
from lapwing.adapters.channels.whole_files import file_name, write_whole
from lapwing.model.errors import ConfigError, NotTaken


def test_a_document_is_written_whole_and_nothing_else_is_left(tmp_path):
    channel = make_channel("files", {"kind": "cap-files"}, tmp_path)
    assert send(channel, delivery()) == "a-0.xml"
    assert send(channel, delivery()) == "a-0.xml"
    assert [p.name for p in (tmp_path / "alerts").iterdir()] == ["a-0.xml"]
    assert (tmp_path / "alerts" / "a-0.xml").read_bytes() == delivery().document


def test_a_name_from_outside_cannot_leave_the_folder():
    for identifier in ("../../etc/passwd", "a/b", "", ".", "x" * 500, "Ș"):
        name = file_name(identifier)
        assert "/" not in name and not name.startswith(".") and len(name) < 160
    assert file_name("a/b") != file_name("a_b")


def test_a_disk_that_does_not_take_it_is_told(tmp_path):
    (tmp_path / "alerts").write_text("a file stands where the folder should be")
    with pytest.raises(NotTaken, match="could not be written") as error:
        write_whole(tmp_path / "alerts" / "x.xml", b"a")
    assert error.value.again


@pytest.mark.parametrize(("settings", "words"), [
    ({"kind": "pigeon"}, "no channel kind"),
    ({"kind": "cap-files", "colour": "red"}, "no setting 'colour'"),
    ({"kind": "cap-files", "folder": 3}, "must be text"),
    ({"kind": "cap-files", "statuses": ["Draft"]}, "of Actual, Exercise, Test"),
    ({"kind": "webhook"}, "url is missing"),
    ({"kind": "webhook", "url": "ftp://x"}, "must begin with https"),
    ({"kind": "webhook", "url": "http://x", "timeout_s": 1000}, "must lie from"),
    ({"kind": "webhook", "url": "http://x", "secret_env": "NO_SUCH_VARIABLE_HERE"}, "no such environment variable"),
    ({"kind": "webhook", "url": "http://x", "secret_file": "none"}, "No such file"),
    ({"kind": "smtp", "host": "x", "from": "a@b"}, "mail addresses"),
    ({"kind": "smtp", "host": "x", "from": "a@b", "to": ["c"]}, "mail addresses"),
    ({"kind": "smtp", "host": "x", "from": "a@b", "to": ["c@d"], "encryption": "rot13"}, "none, starttls or tls"),
    ({"kind": "cap-feed", "key_file": "k"}, "go together"),
    ({"kind": "cell-broadcast", "folder": "x", "format": "osmo-cbc"}, "with a url"),
])
def test_a_wrong_setting_is_named_with_its_channel(tmp_path, settings, words):
    with pytest.raises(ConfigError, match=words) as error:
        make_channel("one", settings, tmp_path)
    assert "[channel.one]" in str(error.value)


@pytest.mark.parametrize("kind", sorted(set(CHANNELS) - {"apprise"}))
def test_every_channel_refuses_a_status_that_it_was_not_told_to_carry(tmp_path, kind):
    needed = {"webhook": {"url": "http://127.0.0.1:9"}, "cap-https": {"url": "http://127.0.0.1:9"},
              "mqtt": {"host": "127.0.0.1", "port": 9},
              "smtp": {"host": "127.0.0.1", "port": 9, "from": "a@b", "to": ["c@d"]}, "cell-broadcast": {"folder": "cb"}}
    real = make_channel("one", {"kind": kind, **needed.get(kind, {})}, tmp_path)
    drill = make_channel("one", {"kind": kind, "statuses": ["Exercise"], **needed.get(kind, {})}, tmp_path)
    for channel, status in ((real, "Exercise"), (real, "Test"), (drill, "Actual")):
        with pytest.raises(NotTaken, match="this channel carries") as error:
            send(channel, delivery(status=status))
        assert not error.value.again
    assert not list(tmp_path.rglob("*.xml")) and not list(tmp_path.rglob("*.json"))

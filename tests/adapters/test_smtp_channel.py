"""Mail against a real SMTP server (aiosmtpd)."""

import email
import email.policy
import socket

import pytest
from deliveries import delivery, send

from lapwing.adapters.channels.smtp import Smtp
from lapwing.model.errors import NotTaken

aiosmtpd_controller = pytest.importorskip("aiosmtpd.controller")


class Mailbox:
    def __init__(self):
        self.mails, self.refuse = [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return self.refuse.get("DATA", "250 taken")


@pytest.fixture
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Mailbox()
    controller = aiosmtpd_controller.Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def channel(port, base, **settings):
    return Smtp("mail", {"host": "127.0.0.1", "port": port, "encryption": "none", "from": "warn@x.example",
                         "to": ["a@x.example", "b@x.example"],
                         "timeout_s": 2, **settings}, base)


def test_a_mail_holds_all_languages_and_the_document(server, tmp_path):
    box, port = server
    assert send(channel(port, tmp_path), delivery()) == "2 of 2 recipients"
    sender, recipients, content = box.mails[0]
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert (sender, recipients) == ("warn@x.example", ["a@x.example", "b@x.example"])
    assert mail["Subject"] == "alert 0 ro" and mail["Message-ID"] == f"<{delivery().key}@x.example>"
    assert "a@x.example" not in mail["To"]
    text = mail.get_body().get_content()
    assert "alert 0 ro" in text and "alert 0 en" in text
    attached, = mail.iter_attachments()
    assert attached.get_content_type() == "application/cap+xml" and attached.get_content() == delivery().document


def test_an_exercise_says_so_first(server, tmp_path):
    box, port = server
    send(channel(port, tmp_path, statuses=["Exercise"]), delivery(status="Exercise"))
    assert email.message_from_bytes(box.mails[0][2], policy=email.policy.default)["Subject"].startswith("EXERCISE: ")


def test_one_refused_address_does_not_stop_the_others(server, tmp_path):
    box, port = server
    box.refuse["b@x.example"] = "550 no such box"
    assert send(channel(port, tmp_path), delivery()) == "1 of 2 recipients; refused: b@x.example"


@pytest.mark.parametrize(("where", "answer", "again"), [
    ("DATA", "451 later", True), ("DATA", "554 never", False), ("both", "450 busy", True), ("both", "550 gone", False)])
def test_a_server_that_refuses_is_told_and_whether_to_try_again(server, tmp_path, where, answer, again):
    box, port = server
    box.refuse.update({"DATA": answer} if where == "DATA" else dict.fromkeys(("a@x.example", "b@x.example"), answer))
    with pytest.raises(NotTaken) as error:
        send(channel(port, tmp_path), delivery())
    assert error.value.again is again


def test_a_server_that_is_silent_or_gone_is_told_in_time(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotTaken) as error:
            send(channel(silent.getsockname()[1], tmp_path, timeout_s=0.3), delivery())
        assert error.value.again
        port = silent.getsockname()[1]
    with pytest.raises(NotTaken):
        send(channel(port, tmp_path), delivery())

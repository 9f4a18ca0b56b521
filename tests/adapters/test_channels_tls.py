"""Every channel that speaks TLS, against a real server: the authority that it was given counts, the address too, and no other.

A server by another authority, or with another's address, gets nothing: the message stays and is tried again.
"""

import os
import shutil
import socket
import ssl
import subprocess

import pytest
from authority import Authority
from deliveries import Receiver, T, delivery, send, until

from lapwing.adapters.channels.cap_https import CapHttps
from lapwing.adapters.channels.mqtt import Mqtt
from lapwing.adapters.channels.smtp import Smtp
from lapwing.adapters.channels.webhook import Webhook
from lapwing.model.errors import NotTaken

BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
WRONG = ("another's authority", "another's address")


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    return {"ca": ours.file, "right": ours.issue("right"), "client": ours.issue("client"),
            WRONG[0]: others.issue("foreign"), WRONG[1]: ours.issue("elsewhere", address="127.0.0.9")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def context_of(paper, *, ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paper.certificate, paper.key)
    if ca is not None:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


# Mail


class Box:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None, envelope.content))
        return "250 taken"


def mail_server(paper, encryption):
    controller = pytest.importorskip("aiosmtpd.controller")
    box, context = Box(), context_of(paper)
    more = {"ssl_context": context} if encryption == "tls" else {"tls_context": context, "require_starttls": True}
    server = controller.Controller(box, hostname="127.0.0.1", port=free_port(), **more)
    server.start()
    return box, server


def mail(port, ca, base, encryption):
    return Smtp("mail", {"host": "127.0.0.1", "port": port, "encryption": encryption, "from": "warn@x.example", "to": ["a@x.example"],
                         "ca_file": str(ca), "timeout_s": 5}, base)


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_mail_goes_over_tls(papers, tmp_path, encryption):
    box, server = mail_server(papers["right"], encryption)
    try:
        assert send(mail(server.port, papers["ca"], tmp_path, encryption), delivery()) == "1 of 1 recipients"
        encrypted, content = box.mails[0]
        assert encrypted and delivery().key.encode() in content
    finally:
        server.stop()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mail_server_that_is_not_ours_gets_nothing(papers, tmp_path, wrong):
    box, server = mail_server(papers[wrong], "starttls")
    try:
        with pytest.raises(NotTaken, match=r"(?i)certificate") as error:
            send(mail(server.port, papers["ca"], tmp_path, "starttls"), delivery())
        assert error.value.again and not box.mails
    finally:
        server.stop()


def test_a_mail_server_without_starttls_gets_nothing(papers, tmp_path):
    controller = pytest.importorskip("aiosmtpd.controller")
    box = Box()
    server = controller.Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        with pytest.raises(NotTaken, match="STARTTLS"):
            send(mail(server.port, papers["ca"], tmp_path, "starttls"), delivery())
        assert not box.mails
    finally:
        server.stop()


# MQTT


def broker(folder, paper, papers):
    if BROKER is None:
        assert os.environ.get("CI") != "true", "CI must have mosquitto: apt-get install mosquitto"
        pytest.skip("mosquitto is not installed")
    port = free_port()
    (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
                                   f"cafile {papers['ca']}\ncertfile {paper.certificate}\nkeyfile {paper.key}\n")
    process = subprocess.Popen([BROKER, "-c", str(folder / "m.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    return process, port


def sirens(port, papers, base):
    return Mqtt("sirens", {"host": "127.0.0.1", "port": port, "tls": True, "ca_file": str(papers["ca"])}, base, clock=lambda: T)


def test_sirens_are_told_over_tls(papers, tmp_path):
    process, port = broker(tmp_path, papers["right"], papers)
    try:
        assert send(sirens(port, papers, tmp_path), delivery()) == "2 zones"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_broker_that_is_not_ours_gets_nothing(papers, tmp_path, wrong):
    process, port = broker(tmp_path, papers[wrong], papers)
    try:
        with pytest.raises(NotTaken, match=r"(?i)certificate") as error:
            send(sirens(port, papers, tmp_path), delivery())
        assert error.value.again
    finally:
        process.terminate()
        process.wait(10)


# HTTP


def hook(receiver, papers, base, **more):
    url = receiver.url.replace("http:", "https:")
    return Webhook("hook", {"url": url, "timeout_s": 5, "ca_file": str(papers["ca"]), **more}, base, clock=lambda: T)


def secure(paper, **more):
    receiver = Receiver()
    receiver.server.socket = context_of(paper, **more).wrap_socket(receiver.server.socket, server_side=True)
    return receiver


def test_a_receiver_is_told_over_https_and_may_ask_who_we_are(papers, tmp_path):
    receiver = secure(papers["right"], ca=papers["ca"])
    try:
        with pytest.raises(NotTaken):
            send(hook(receiver, papers, tmp_path), delivery())        # it wants our certificate
        assert not receiver.requests
        client = papers["client"]
        known = hook(receiver, papers, tmp_path, client_cert_file=str(client.certificate), client_key_file=str(client.key))
        assert send(known, delivery()) == "HTTP 200" and len(receiver.requests) == 1
    finally:
        receiver.close()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_receiver_that_is_not_ours_gets_nothing(papers, tmp_path, wrong):
    receiver = secure(papers[wrong])
    try:
        with pytest.raises(NotTaken, match=r"(?i)certificate") as error:
            send(hook(receiver, papers, tmp_path), delivery())
        gate = CapHttps("gate", {"url": receiver.url.replace("http:", "https:"), "ca_file": str(papers["ca"]), "timeout_s": 5}, tmp_path)
        with pytest.raises(NotTaken, match=r"(?i)certificate"):
            send(gate, delivery())
        assert error.value.again and not receiver.requests
    finally:
        receiver.close()

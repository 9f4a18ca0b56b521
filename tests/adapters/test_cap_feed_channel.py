"""The signed feed: in force and ended for a day, renewed each minute, watched by a process that shares no code with it."""

import json
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from deliveries import S, T, delivery, send
from lxml import etree

from lapwing.adapters.channels.cap_feed import CapFeed
from lapwing.model.errors import NotTaken
from lapwing.runtime import dead_man
from lapwing.runtime.keys import make_key
from lapwing.warn.cap_check import check
from lapwing.warn.cap_feed import entries
from lapwing.warn.cap_signature import read_certificates, verify

NOW = datetime.fromtimestamp(T // S, UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("us", "them"):
        make_key(name, 7_000, folder / f"{name}.key", folder / f"{name}.pem", begins=datetime(2025, 1, 1, tzinfo=UTC), bits=2048)
    return folder


class Clock:
    def __init__(self):
        self.now_ns = T

    def __call__(self):
        return self.now_ns


def feed(base, keys, clock, **settings):
    names = {"key_file": str(keys / "us.key"), "cert_file": str(keys / "us.pem")}
    return CapFeed("feed", {"address": "https://w.example/cap", **names, **settings}, base, clock=clock)


def listed(base):
    root = etree.fromstring((base / "feed" / "feed.atom").read_bytes())
    atom = {"a": "http://www.w3.org/2005/Atom"}
    return {e.findtext("a:id", namespaces=atom)[9:]: e.find("a:category", atom).get("term") for e in root.findall("a:entry", atom)}


def test_documents_and_feed_are_signed_and_the_feed_names_them(tmp_path, keys):
    clock = Clock()
    assert send(feed(tmp_path, keys, clock), delivery(0)) == "https://w.example/cap/alerts/a-0.xml"
    pinned = read_certificates((keys / "us.pem").read_bytes())
    document = (tmp_path / "feed/alerts/a-0.xml").read_bytes()
    assert check(document).findings == () and verify(document, pinned).trusted
    assert verify((tmp_path / "feed/feed.atom").read_bytes(), pinned).trusted
    entry, = entries((tmp_path / "feed/feed.atom").read_bytes())
    assert (entry.link, entry.title) == ("https://w.example/cap/alerts/a-0.xml", "alert 0 ro")


def test_what_has_ended_stays_for_a_day_and_then_goes(tmp_path, keys):
    clock = Clock()
    channel = feed(tmp_path, keys, clock)
    send(channel, delivery(0))
    assert listed(tmp_path) == {"a-0": "in-force"}
    clock.now_ns = T + 20 * S
    send(channel, delivery(1))
    send(channel, delivery(2, msg_type="Cancel", level="all_clear"))
    send(channel, delivery(0, chain="b"))
    assert listed(tmp_path) == {"a-0": "ended", "a-1": "ended", "a-2": "ended", "b-0": "in-force"}
    clock.now_ns = T + (24 * 3600 + 15) * S
    channel.beat()
    assert listed(tmp_path) == {"a-1": "ended", "a-2": "ended", "b-0": "ended"}, "a-0 was replaced at 10 s, a-1 at 20 s; b-0 expired"
    clock.now_ns = T + 25 * 3600 * S
    feed(tmp_path, keys, clock).beat()
    assert listed(tmp_path) == {}


def test_the_same_message_twice_changes_nothing(tmp_path, keys):
    channel = feed(tmp_path, keys, Clock())
    send(channel, delivery(0))
    before = (tmp_path / "feed/feed.atom").read_bytes()
    send(channel, delivery(0))
    assert (tmp_path / "feed/feed.atom").read_bytes() == before


def test_a_damaged_index_is_told_and_nothing_is_lost(tmp_path, keys):
    channel = feed(tmp_path, keys, Clock())
    send(channel, delivery(0))
    (tmp_path / "feed/index.json").write_text("{")
    with pytest.raises(NotTaken, match="damaged"):
        channel.beat()


def test_a_feed_renewed_in_time_is_alive_and_else_dead(tmp_path, keys):
    clock = Clock()
    channel = feed(tmp_path, keys, clock)
    send(channel, delivery(0))
    certificate = dead_man.pinned(keys / "us.pem")

    def pulse(now_s, octets=None, pin=certificate):
        octets = octets or (tmp_path / "feed/feed.atom").read_bytes()
        return dead_man.look(octets, pin, datetime.fromtimestamp(now_s, UTC), 150.0)

    assert pulse(T // S + 149).alive and pulse(T // S + 149).entries == 1
    assert not pulse(T // S + 151).alive
    clock.now_ns = T + 140 * S
    channel.beat()
    assert pulse(T // S + 280).alive
    assert "ahead of this clock" in pulse(T // S).reason
    assert "not signed by the pinned" in pulse(T // S + 150, pin=dead_man.pinned(keys / "them.pem")).reason


def test_forged_replayed_and_broken_feeds_are_dead(tmp_path, keys):
    channel = feed(tmp_path, keys, Clock())
    send(channel, delivery(0))
    good = (tmp_path / "feed/feed.atom").read_bytes()
    certificate = dead_man.pinned(keys / "us.pem")
    unsigned = channel.document([], T)
    evil = [b"", b"<feed/>", b"<!DOCTYPE a><a/>", unsigned, good[:-50], good.replace(b"2025-08-05T19", b"2025-08-05T18", 1),
            good.replace(b'URI=""', b'URI="#x"'), good.replace(b"in-force", b"ended"), good.replace(b"rsa-sha256", b"rsa-sha1"),
            good.replace(b"<ds:DigestMethod", b"<ds:Nothing").replace(b"</ds:DigestMethod", b"</ds:Nothing"),
            good.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA")]
    assert dead_man.look(good, certificate, NOW, 150.0).alive
    for octets in evil:
        assert not dead_man.look(octets, certificate, NOW, 150.0).alive, octets[:80]


def test_it_rings_once_a_minute_while_dead_and_says_when_alive_again(tmp_path, keys, capfd):
    clock = Clock()
    channel = feed(tmp_path, keys, clock)
    send(channel, delivery(0))
    bell, said, steps = tmp_path / "bell", [], iter(range(60))
    now = [T / S + 100.0]

    def sleep(seconds):
        now[0] += seconds
        step = next(steps)
        if step == 30:
            clock.now_ns = int(now[0] * S)
            channel.beat()
        if step == 35:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dead_man.watch(str(tmp_path / "feed/feed.atom"), dead_man.pinned(keys / "us.pem"), late_s=150.0, every_s=10.0,
                       ring=[sys.executable, "-c", f"open({str(bell)!r}, 'a').write('x')"], once=False, clock=lambda: now[0], sleep=sleep,
                       say=said.append)
    assert [row["alive"] for row in said] == [True, False, False, False, False, False, True]
    assert bell.read_text() == "xxxxx"


def test_the_process_reads_the_feed_over_http_and_imports_nothing_that_writes_it(tmp_path, keys):
    clock = Clock()
    clock.now_ns = int(datetime.now(UTC).timestamp() * S)
    feed(tmp_path, keys, clock).beat()

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "feed"))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/feed.atom"
    code = ("import sys; from lapwing.cli.main import main; status = main(sys.argv[1:]); "
            "print(sorted(m for m in sys.modules if m.startswith(('lapwing.warn', 'lapwing.adapters', 'signxml')))); sys.exit(status)")
    alive = subprocess.run([sys.executable, "-c", code, "dead-man", url, "--pinned", str(keys / "us.pem"), "--once"],
                           capture_output=True, text=True)
    server.shutdown()
    server.server_close()
    gone = subprocess.run([sys.executable, "-m", "lapwing", "dead-man", url, "--pinned", str(keys / "us.pem"), "--once"],
                          capture_output=True, text=True)
    assert alive.returncode == 0, alive.stderr
    row, modules = alive.stdout.splitlines()
    assert json.loads(row)["alive"] and modules == "[]"
    assert gone.returncode == 1 and "cannot be fetched" in json.loads(gone.stdout)["reason"]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf", b"nothing of the sort\r\n\r\n", b"",
                                    b"HTTP/1.1 " + b"9" * 70_000])
def test_a_feed_that_comes_in_half_is_no_pulse_and_ends_nothing(answer, keys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            client, _ = server.accept()
            with client:
                client.recv(4_096)
                client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        rang = []
        status = dead_man.watch(f"http://127.0.0.1:{server.getsockname()[1]}/feed.atom", dead_man.pinned(keys / "us.pem"), late_s=150.0,
                                every_s=10.0, ring=(), once=True, say=rang.append)
        thread.join(10)
    assert status == 1 and not rang[0]["alive"]

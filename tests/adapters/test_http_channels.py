"""Channels over HTTP against a receiver that takes, fails, hangs, drips, redirects and lies."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest
from deliveries import Receiver, T, delivery, send

from lapwing.adapters.channels.cap_https import CapHttps
from lapwing.adapters.channels.cell_broadcast import CellBroadcast
from lapwing.adapters.channels.webhook import Webhook
from lapwing.model.errors import NotTaken
from lapwing.runtime.keys import make_key
from lapwing.warn.cap_signature import read_certificates, verify


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def hook(receiver, base, **settings):
    return Webhook("hook", {"url": receiver.url, "timeout_s": 0.4, **settings}, base, clock=lambda: T)


def test_a_message_comes_whole_with_its_key_and_a_signature_that_holds(receiver, tmp_path):
    (tmp_path / "secret").write_bytes(b"s3cret\n")
    assert send(hook(receiver, tmp_path, secret_file="secret"), delivery()) == "HTTP 200"
    _, path, headers, body = receiver.requests[0]
    assert path == "/hook" and headers["Idempotency-Key"] == delivery().key
    mac = hmac.new(b"s3cret", headers["X-Lapwing-Time"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Lapwing-Signature"] == f"sha256={mac}"
    row = json.loads(body)
    assert row["cap"].encode() == delivery().document and row["texts"]["ro"]["short"] == "alert ț ro"


@pytest.mark.parametrize(("behaviour", "again"), [
    (500, True), (503, True), (429, True), (404, True), (401, True), (400, False), (413, False), (422, False), (302, True),
    ("hang", True), ("drip", True), ("drop", True)])
def test_what_is_no_receipt_is_told_and_whether_to_try_again(receiver, tmp_path, behaviour, again):
    receiver.behave = lambda n: behaviour
    start = time.monotonic()
    with pytest.raises(NotTaken) as error:
        send(hook(receiver, tmp_path), delivery())
    assert error.value.again is again
    assert time.monotonic() - start < 60.0, "drips for 100 s: a receiver that hangs or drips costs its time-out, not more"


def test_a_receiver_that_is_not_there_is_told(tmp_path):
    gone = Receiver()
    gone.close()
    with pytest.raises(NotTaken, match="no answer"):
        send(hook(gone, tmp_path), delivery())


def test_a_page_that_says_200_is_no_receipt_where_one_is_asked_for(receiver, tmp_path):
    receiver.behave = lambda n: "lie"
    with pytest.raises(NotTaken, match="without the key"):
        send(hook(receiver, tmp_path, confirm=True), delivery())
    receiver.behave = lambda n: "ok"
    assert send(hook(receiver, tmp_path, confirm=True), delivery()) == "HTTP 200"


def test_a_gateway_gets_the_signed_document(receiver, tmp_path, monkeypatch):
    make_key("us", 7_000, tmp_path / "k", tmp_path / "c", begins=datetime(2025, 1, 1, tzinfo=UTC), bits=2048)
    monkeypatch.setenv("GATEWAY_TOKEN", "t0ken")
    channel = CapHttps("gate", {"url": receiver.url, "key_file": "k", "cert_file": "c", "token_env": "GATEWAY_TOKEN"}, tmp_path)
    assert send(channel, delivery()) == "HTTP 200"
    _, _, headers, body = receiver.requests[0]
    assert headers["Authorization"] == "Bearer t0ken" and headers["Content-Type"].startswith("application/cap+xml")
    assert verify(body, read_certificates((tmp_path / "c").read_bytes())).trusted


def cell(base, **settings):
    return CellBroadcast("cb", settings, base, clock=lambda: T)


def test_cell_broadcast_numbers_chains_and_updates_and_a_repetition_keeps_its_number(tmp_path):
    channel = cell(tmp_path, folder="out")
    for message in (delivery(0), delivery(1), delivery(0, chain="b"), delivery(1)):
        send(channel, message)
    rows = [json.loads((tmp_path / "out" / f"{name}.json").read_bytes()) for name in ("a-0", "a-1", "b-0")]
    numbers = [(r["messages"][0]["message_code"], r["messages"][0]["update_number"]) for r in rows]
    assert numbers == [(0, 0), (0, 1), (1, 0)]
    assert [m["message_identifier"] for m in rows[0]["messages"]] == [4370, 4383]
    # A new process goes on where the old one was.
    send(cell(tmp_path, folder="out"), delivery(2))
    assert json.loads((tmp_path / "out" / "a-2.json").read_bytes())["messages"][0]["update_number"] == 2


def test_an_exercise_goes_out_under_its_own_identifier(tmp_path):
    send(cell(tmp_path, folder="out", statuses=["Exercise"]), delivery(status="Exercise"))
    assert [m["message_identifier"] for m in json.loads((tmp_path / "out" / "a-0.json").read_bytes())["messages"]] == [4381, 4394]


def test_codes_are_used_again_only_after_all_others(tmp_path):
    from lapwing.adapters.channels.serials import CHAIN_CODES, Serials

    serials = Serials(tmp_path / "s.sqlite")
    import sqlite3
    first = serials.of("chain 0", "key 0")
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    connection.executemany("INSERT INTO chains VALUES (?, ?, 0, ?)", [(f"chain {n}", n, n + 1) for n in range(1, CHAIN_CODES)])
    connection.commit()
    connection.close()
    assert serials.of("chain 0", "key 0") == first
    assert serials.of("chain new", "key new").message_code == 0
    assert serials.of("chain newer", "key newer").message_code == 1


def test_update_numbers_go_round_after_sixteen(tmp_path):
    from lapwing.adapters.channels.serials import Serials

    serials = Serials(tmp_path / "s.sqlite")
    assert [serials.of("a", str(n)).update_number for n in range(18)] == [*range(16), 0, 1]


def test_the_lab_centre_gets_its_request_after_the_old_message_is_taken_away(receiver, tmp_path):
    receiver.behave = lambda n: 404 if n < 2 else "ok"
    assert "2 languages" in send(cell(tmp_path, format="osmo-cbc", url=receiver.url), delivery())
    assert [(method, path) for method, path, _, _ in receiver.requests] == [
        ("DELETE", "/api/ecbe/v1/message/4370"), ("DELETE", "/api/ecbe/v1/message/4383"),
        ("POST", "/api/ecbe/v1/message"), ("POST", "/api/ecbe/v1/message")]
    sent = json.loads(receiver.requests[2][3])["smscb_message"]
    assert sent["payload"]["payload_encoded"]["dcs"] == 0x48 and sent["serial_nr"]["serial_nr_decoded"]["update_nr"] == 0

"""MQTT against a real broker: mosquitto, as Debian has it. Skipped where it is not installed, but not in CI."""

import json
import os
import shutil
import socket
import subprocess
import threading

import pytest
from deliveries import S, T, delivery, send, until

from lapwing.adapters.channels.mqtt import CLEAR_SHOWN_S, Mqtt
from lapwing.model.errors import NotTaken

BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    if BROKER is None:
        assert os.environ.get("CI") != "true", "CI must have mosquitto: apt-get install mosquitto"
        pytest.skip("mosquitto is not installed")
    folder = tmp_path_factory.mktemp("broker")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([BROKER, "-c", str(folder / "m.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    yield port
    process.terminate()
    process.wait(10)


def retained(port, count, prefix="lapwing/zones"):
    """Return what a siren that has just come back finds: topic -> (row, seconds left)."""
    from paho.mqtt import client as mqtt

    found, done = {}, threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    def on_message(_client, _data, message):
        found[message.topic] = (json.loads(message.payload), getattr(message.properties, "MessageExpiryInterval", None))
        if len(found) >= count:
            done.set()

    client.on_message = on_message
    client.on_connect = lambda c, *rest: c.subscribe(f"{prefix}/#", qos=1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    done.wait(3 if count else 0.3)
    client.disconnect()
    client.loop_stop()
    return found


def test_a_siren_that_comes_back_finds_the_state_of_its_zone_and_its_end(broker, tmp_path):
    pytest.importorskip("paho.mqtt.client")
    channel = Mqtt("sirens", {"host": "127.0.0.1", "port": broker}, tmp_path, clock=lambda: T + 100 * S)
    assert send(channel, delivery(0)) == "2 zones"
    found = retained(broker, 2)
    row, left_s = found["lapwing/zones/RO-1"]
    assert (row["level"], row["status"], row["texts"]["ro"]) == ("alert", "Actual", "alert ț ro")
    assert 1_090 <= left_s <= 1_100, "what is left of the warning's life, not the whole of it"
    # An update takes one zone out; the end clears the other.
    send(channel, delivery(1, zones=("RO-1",), cleared=("RO-2",)))
    assert {t[-4:]: r["level"] for t, (r, _) in retained(broker, 2).items()} == {"RO-1": "alert", "RO-2": "all_clear"}
    send(channel, delivery(2, level="all_clear", zones=("RO-1",)))
    row, left_s = retained(broker, 2)["lapwing/zones/RO-1"]
    assert row["level"] == "all_clear" and CLEAR_SHOWN_S - 10 <= left_s <= CLEAR_SHOWN_S


def test_an_expired_warning_is_gone_from_the_broker(broker, tmp_path):
    channel = Mqtt("sirens", {"host": "127.0.0.1", "port": broker, "prefix": "short"}, tmp_path, clock=lambda: T + 1_199 * S)
    send(channel, delivery(0, zones=("X",)))
    assert retained(broker, 1, "short")
    assert until(lambda: not retained(broker, 0, "short"))


def test_a_zone_code_cannot_reach_other_topics(broker, tmp_path):
    channel = Mqtt("sirens", {"host": "127.0.0.1", "port": broker}, tmp_path, clock=lambda: T)
    assert list(channel.payloads(delivery(zones=("a/b#+",)))) == ["lapwing/zones/a_b__"]


def test_a_broker_that_is_gone_or_silent_is_told(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(NotTaken, match="does not answer"):
            send(Mqtt("sirens", {"host": "127.0.0.1", "port": port, "timeout_s": 0.3}, tmp_path), delivery())
    with pytest.raises(NotTaken):
        send(Mqtt("sirens", {"host": "127.0.0.1", "port": port, "timeout_s": 0.3}, tmp_path), delivery())

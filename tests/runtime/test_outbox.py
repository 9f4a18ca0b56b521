"""The outbox: at least once, in order of the chain, never held up by another channel, and nothing lost by a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))
from deliveries import Receiver, S, T, alert_row, until

from lapwing.adapters.outbox_store import OutboxStore
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.entries import Entry
from lapwing.model.errors import NotTaken, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.runtime.outbox import BREAKER_FAILURES, PER_MINUTE, Outbox, Postmen


class Fake:
    """A channel that does what it is told: an error for each of the next sends, then takes."""

    def __init__(self, *errors):
        self.errors, self.sent = list(errors), []

    def send(self, identifier, document):
        if self.errors:
            error = self.errors.pop(0)
            if error is not None:
                raise error
        self.sent.append(identifier.removeprefix("urn:uuid:"))
        return "taken"


class Clock:
    def __init__(self):
        self.now_ns = T

    def __call__(self):
        return self.now_ns


def output(number=0, **changes):
    return Output("alert", json.dumps(alert_row(number, **changes)).encode())


@pytest.fixture
def desk(tmp_path):
    class Desk:
        def __init__(self):
            self.store, self.clock, self.said = OutboxStore(tmp_path / "outbox.sqlite"), Clock(), []

        def outbox(self, **channels):
            return Outbox(self.store, channels, clock=self.clock, say=self.said.append)

    made = Desk()
    yield made
    made.store.close()


def later(desk, outbox, name, seconds):
    desk.clock.now_ns += round(seconds * S)
    return outbox.deliver_due(name)


def states(desk, name="a"):
    return [w.state for w in desk.store.all() if w.channel == name]


def test_every_channel_gets_every_message_once_in_order(desk):
    first, second = Fake(), Fake()
    outbox = desk.outbox(a=first, b=second)
    assert outbox.take([output(0), Output("event", b"{}"), output(1), output(0, chain="z")]) == 3
    for name in ("a", "b", "a", "b"):
        outbox.deliver_due(name)
    assert first.sent == second.sent == ["a-0", "a-1", "z-0"]
    assert outbox.take([output(0)]) == 1 and outbox.deliver_due("a") == [], "a message that was taken is not sent again"


def test_a_failed_message_waits_longer_each_time_and_its_chain_waits_behind_it(desk):
    channel = Fake(*[NotTaken("busy")] * 3)
    outbox = desk.outbox(a=channel)
    outbox.take([output(0), output(1), output(0, chain="z")])
    outbox.deliver_due("a")          # a-0 fails; z-0 fails too: another chain is not held up
    assert channel.sent == [] and outbox.next_due_ns("a") <= T + S
    assert later(desk, outbox, "a", 0.5) == []
    later(desk, outbox, "a", 0.6)    # a-0 fails again, then z-0 goes
    assert channel.sent == ["z-0"]
    later(desk, outbox, "a", 2.1)
    assert channel.sent == ["z-0", "a-0", "a-1"]
    assert "DOES NOT TAKE" in desk.said[0]


def test_what_is_refused_for_good_is_told_and_lets_its_chain_go_on(desk):
    channel = Fake(NotTaken("status Exercise", again=False))
    outbox = desk.outbox(a=channel)
    outbox.take([output(0), output(1)])
    outbox.deliver_due("a")
    assert channel.sent == ["a-1"] and states(desk) == ["refused", "taken"]
    assert "NOT SENT (refused)" in desk.said[0]


def test_a_warning_that_lapsed_is_not_sent_but_the_end_of_one_always_is(desk):
    channel = Fake(*[NotTaken("down")] * 1)
    outbox = desk.outbox(a=channel)
    outbox.take([output(0), output(1, level="all_clear")])
    outbox.deliver_due("a")
    later(desk, outbox, "a", 3_000)
    assert channel.sent == ["a-1"] and states(desk) == ["lapsed", "taken"]
    assert any("NOT SENT (lapsed)" in text for text in desk.said)


def test_the_breaker_rests_a_dead_channel_but_first_alerts_and_ends_are_always_tried(desk):
    channel = Fake(*[NotTaken("down")] * (BREAKER_FAILURES + 2))
    outbox = desk.outbox(a=channel)
    outbox.take([output(n, chain=f"c{n}") for n in range(1, BREAKER_FAILURES + 1)])     # updates
    outbox.deliver_due("a")
    assert outbox.status()[0]["resting"]
    tries = len(channel.errors)
    later(desk, outbox, "a", 5)
    assert len(channel.errors) == tries, "updates wait while it rests"
    outbox.take([output(0, chain="new"), output(3, chain="old", level="all_clear")])
    outbox.deliver_due("a")
    assert len(channel.errors) == tries - 2, "a first alert and an end were tried"
    later(desk, outbox, "a", 40)
    assert len(channel.sent) == BREAKER_FAILURES + 2 and not outbox.status()[0]["resting"]


def test_the_limit_of_messages_never_holds_up_a_first_alert_or_an_end(desk):
    channel = Fake()
    outbox = desk.outbox(a=channel)
    outbox.take([output(1, chain=f"u{n}") for n in range(PER_MINUTE + 5)])
    outbox.deliver_due("a")
    assert len(channel.sent) == PER_MINUTE
    outbox.take([output(0, chain="new"), output(1, chain="old", msg_type="Cancel", level="all_clear")])
    outbox.deliver_due("a")
    assert channel.sent[PER_MINUTE:] == ["new-0", "old-1"]
    later(desk, outbox, "a", 61)
    assert len(channel.sent) == PER_MINUTE + 7


def test_what_is_in_force_is_sent_again_to_a_channel_that_lost_it(desk):
    channel = Fake()
    outbox = desk.outbox(a=channel)
    outbox.take([output(0), output(1), output(0, chain="short", life_s=60)])
    outbox.deliver_due("a")
    desk.clock.now_ns += 100 * S
    assert outbox.republish("a") == 1
    outbox.deliver_due("a")
    assert channel.sent == ["a-0", "a-1", "short-0", "a-1"]


def test_the_receipt_and_the_time_from_decision_to_it_are_kept(desk):
    outbox = desk.outbox(a=Fake())
    outbox.take([output(0)])
    later(desk, outbox, "a", 0.25)
    row, = outbox.status()
    assert (row["taken"], row["latency_s_median"]) == (1, 0.25) and desk.store.all()[0].receipt == "taken"


def test_a_channel_that_hangs_does_not_delay_another(desk):
    receiver = Receiver(lambda n: "hang")
    from lapwing.adapters.channels.webhook import Webhook

    fast = Fake()
    outbox = Outbox(desk.store, {"slow": Webhook("slow", {"url": receiver.url, "timeout_s": 60}, Path()), "fast": fast}, clock=desk.clock)
    postmen = Postmen(outbox)
    postmen.start()
    start = time.monotonic()
    outbox.take([output(0)])
    assert until(lambda: fast.sent == ["a-0"])
    assert time.monotonic() - start < 60.0      # before the other has given up
    receiver.close()
    postmen.stop()


def test_a_full_disk_does_not_silence_a_warning_and_no_receipt_is_asked_twice(desk, monkeypatch):
    channel = Fake()
    outbox = desk.outbox(a=channel)
    full = StorageError("disk full")

    def refuse(*args):
        raise full

    outbox.take([output(0, chain="before")])
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "_run", refuse)
        with pytest.raises(StorageError):
            outbox.take([output(0)])
        for _ in range(3):
            with pytest.raises(StorageError):
                outbox.deliver_due("a")
        assert channel.sent == ["a-0", "before-0"], "from memory and from disk, each once"
    outbox.deliver_due("a")
    assert channel.sent == ["a-0", "before-0"] and states(desk) == ["taken"], "the receipt is noted when the disk has room again"


def test_a_fault_of_a_channel_s_own_code_is_told_and_ends_nothing(desk):
    channel = Fake(TypeError("a bug"))
    outbox = desk.outbox(a=channel)
    outbox.take([output(0)])
    outbox.deliver_due("a")
    assert outbox.problems == {"a": "TypeError: a bug"}
    later(desk, outbox, "a", 1.1)
    assert channel.sent == ["a-0"] and outbox.problems == {}


def test_a_new_first_alert_goes_before_a_row_of_waiting_updates(desk):
    channel = Fake()
    outbox = desk.outbox(a=channel)
    outbox.take([output(1, chain="u1"), output(1, chain="u2"), output(0, chain="new")])
    outbox.deliver_due("a")
    assert channel.sent == ["new-0", "u1-1", "u2-1"]


def journal_with(path, count):
    log = SqliteLog(path)
    for number in range(count):
        log.append(Batch(number, (Entry(number, T + number * S, "x", "tick", b""),)))
        log.commit(number, [output(0, chain=f"c{number}")])
    log.close()


def test_what_a_journal_holds_is_taken_once_and_from_where_it_was_left(desk, tmp_path):
    journal_with(tmp_path / "j.sqlite", 5)
    log = SqliteLog(tmp_path / "j.sqlite", read_only=True)
    outbox = desk.outbox(a=Fake())
    assert outbox.catch_up("j", log.outputs) == 5 and outbox.catch_up("j", log.outputs) == 0
    log.close()
    assert len(desk.store.waiting("a")) == 5


CHILD = """
import sys, time
began = time.monotonic()
from pathlib import Path
from lapwing.adapters.channels.webhook import Webhook
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.runtime.outbox import Outbox
folder, url = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, sys.argv[3])
from deliveries import S, T, alert_row
import json
from lapwing.model.entries import Entry
from lapwing.model.ports import Batch, Output
log = SqliteLog(folder / "journal.sqlite")
store = OutboxStore(folder / "outbox.sqlite")
hook = Webhook("hook", {"url": url, "timeout_s": 2}, folder)
outbox = Outbox(store, {"hook": hook}, clock=lambda: T + round((time.monotonic() - began) * S))
outbox.catch_up("j", log.outputs)
print("up", flush=True)
outbox.deliver_due("hook")
for number in range(log.last_batch() + 1, int(sys.argv[4])):
    row = Output("alert", json.dumps(alert_row(0, chain=f"c{number}")).encode())
    log.append(Batch(number, (Entry(number, T + number * S, "x", "tick", b""),)))
    log.commit(number, [row])          # the decision, durable with the message
    outbox.take([row])
    outbox.deliver_due("hook")
while store.waiting("hook"):
    outbox.deliver_due("hook")
    time.sleep(0.05)
print("done", flush=True)
"""


def killed_until_done(folder, receiver, messages, pauses_s):
    """Run the child, kill it after each pause, and let the last one finish. Return how many were killed while at work."""
    (folder / "child.py").write_text(CHILD)
    tests = str(Path(__file__).resolve().parents[1] / "adapters")
    killed = 0
    for pause_s in [*pauses_s, None]:
        child = subprocess.Popen([sys.executable, str(folder / "child.py"), str(folder), receiver.url, tests, str(messages)],
                                 stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "up\n"
        if pause_s is None:
            rest, _ = child.communicate(timeout=200)
            assert rest == "done\n" and child.returncode == 0
        else:
            time.sleep(pause_s)
            killed += child.poll() is None
            os.kill(child.pid, signal.SIGKILL)
            child.communicate()
    return killed


def check_nothing_lost_or_doubled(folder, receiver, messages):
    assert len(receiver.taken) == messages, "nothing that was decided is lost"
    bodies = [json.loads(body)["identifier"] for body in receiver.taken.values()]
    assert len(set(bodies)) == messages, "and nothing is done twice at a receiver that honours the key"
    store = OutboxStore(folder / "outbox.sqlite")
    assert {w.state for w in store.all()} == {"taken"}
    store.close()


def test_killed_between_decision_and_delivery_nothing_is_lost_and_nothing_doubled(tmp_path):
    receiver = Receiver(lambda n: "drop after" if n == 1 else "ok")
    assert killed_until_done(tmp_path, receiver, 20, [0.03]) == 1
    check_nothing_lost_or_doubled(tmp_path, receiver, 20)
    receiver.close()


@pytest.mark.slow
def test_killed_a_dozen_times_at_any_moment_nothing_is_lost_and_nothing_doubled(tmp_path):
    receiver = Receiver(lambda n: ("ok", "ok", 500, "ok", "drop", "ok", "drop after")[n % 7])
    killed = killed_until_done(tmp_path, receiver, 150, [0.02 * n for n in range(12)])
    assert killed >= 10
    check_nothing_lost_or_doubled(tmp_path, receiver, 150)
    assert receiver.doubles > 0, "some were taken and not noted: the key is what kept them from being doubled"
    receiver.close()

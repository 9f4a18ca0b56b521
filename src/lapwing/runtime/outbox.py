"""Sends every decided message to every channel, at least once, in the order of its chain, and keeps the receipts.

At least once: a message waits until the channel has given a receipt; killed before it is noted, it goes out again with the
same key. A channel that fails is tried again after 1, 2, 4 ... 60 s; after five failures it rests (the breaker), but a
first alert and the end of a warning are always tried. The same two are never held up by the limit of messages a minute.
One channel never waits for another: each has its own thread. Where the disk takes nothing more, messages go out from memory.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lapwing.adapters.outbox_store import LAPSED, REFUSED, TAKEN, WAITING, OutboxStore, Waiting
from lapwing.model.deliveries import Delivery
from lapwing.model.errors import NotTaken, StorageError
from lapwing.model.ports import Channel, Output
from lapwing.model.times import DAY_NS, NS_PER_S, from_iso
from lapwing.warn.cap_delivery import delivery_of

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
BREAKER_FAILURES = 5
BREAKER_REST_S = 30.0
PER_MINUTE = 30                      # messages of a channel in 60 s that are neither a first alert nor an end
LATENCIES_KEPT = 1_000
Say = Callable[[str], None]


@dataclass(slots=True)
class Line:
    """What is remembered of one channel while the process lives."""

    channel: Channel
    failures: int = 0                # in a row
    resting_until_ns: int = 0
    sent_ns: deque[int] = field(default_factory=deque)
    problem: str = ""                # why the newest attempt failed; empty: it did not
    unwritten: list[Waiting] = field(default_factory=list)     # the disk did not take them: sent from memory
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))   # decision to receipt
    owed: dict[int, tuple[str, int]] = field(default_factory=dict)     # receipts that the disk did not take, by number


class Outbox:
    """Parameters: the store, channels by name, a clock (ns since 1970), whom to tell of trouble, and of receipts."""

    def __init__(self, store: OutboxStore, channels: Mapping[str, Channel], *, clock: Callable[[], int] = time.time_ns,
                 say: Say = lambda text: None, news: Say = lambda text: None, per_minute: int = PER_MINUTE) -> None:
        self.store, self._clock, self._say, self._news, self._per_minute = store, clock, say, news, per_minute
        self.lines = {name: Line(channel, sent_ns=deque(maxlen=per_minute)) for name, channel in channels.items()}
        self._documents: dict[str, bytes] = {}     # of messages that the disk did not take
        self._lock = threading.Lock()
        self._wake = {name: threading.Event() for name in channels}

    def take(self, outputs: Iterable[Output]) -> int:
        """Let the alerts among journaled outputs wait; return how many there were. Call it after the commit."""
        count = 0
        for output in outputs:
            if output.kind == "alert":
                row = json.loads(output.payload)
                if row["cap_xml"]:
                    self.put(str(row["cap_xml"]).encode(), from_iso(str(row.get("approved_time") or row["sent"])))
                    count += 1
        return count

    def put(self, document: bytes, decided_ns: int) -> None:
        """Let one document wait for every channel. Raises ValueError, and StorageError where the disk does not take it.

        Then it goes out all the same, from memory: a full disk does not silence a warning. If the process is killed
        meanwhile, it is found again in the journal.
        """
        delivery = delivery_of(document)
        try:
            self.store.put(delivery.key, document, delivery.chain, delivery.urgent, decided_ns, list(self.lines))
        except StorageError:
            with self._lock:
                self._documents[delivery.key] = document
                for name, line in self.lines.items():
                    line.unwritten.append(Waiting(-1, name, delivery.key, delivery.chain, delivery.urgent, decided_ns, WAITING, 0, 0,
                                                  "", 0, ""))
            raise
        finally:
            for event in self._wake.values():
                event.set()

    @property
    def problems(self) -> dict[str, str]:
        """Return what is wrong with each channel that does not take messages."""
        return {name: line.problem for name, line in self.lines.items() if line.problem}

    def latencies_s(self) -> dict[str, tuple[float, float]]:
        """Return the median and the 99th percentile from decision to receipt, of each channel's newest messages."""
        ordered = {name: sorted(line.latencies_s) for name, line in self.lines.items() if line.latencies_s}
        return {name: (values[len(values) // 2], values[int(0.99 * len(values))]) for name, values in ordered.items()}

    def catch_up(self, journal_id: str, outputs: Callable[[int], Iterable[tuple[int, Output]]]) -> int:
        """Take what a journal holds beyond what has been read of it; return how many messages that were.

        `outputs` yields (batch number, output) from a batch on. Whatever was committed is found here, so a process that
        was killed between decision and delivery has lost nothing.
        """
        first = self.store.read_to(journal_id) + 1
        count, last = 0, first - 1
        for number, output in outputs(first):
            count += self.take([output])
            last = number
        if last >= first:
            self.store.set_read_to(journal_id, last)
        return count

    def deliver_due(self, name: str) -> list[Waiting]:
        """Try everything that is due for a channel once; return what it tried or gave up, as it stood before.

        Chains with a first alert or an end come first. When something new comes in meanwhile, it ends early, so that
        the new one need not wait for a row of failures. Raises StorageError after what could be sent was sent.
        """
        line, tried = self.lines[name], []
        self._wake[name].clear()
        self._from_memory(line)
        self._note_owed(line)
        rows = [w for w in self.store.waiting(name) if w.number not in line.owed]
        urgent = {w.chain for w in rows if w.urgent}
        blocked: set[str] = set()
        for waiting in sorted(rows, key=lambda w: (w.chain not in urgent, w.number)):
            now_ns = self._clock()
            if self._wake[name].is_set():
                break
            if waiting.chain in blocked:
                continue                 # nothing overtakes an earlier message of its chain
            if waiting.next_ns > now_ns or not self._may_go(line, waiting, now_ns):
                blocked.add(waiting.chain)
                continue
            tried.append(waiting)
            delivery = delivery_of(self.store.document(waiting.key))
            # The end of a warning goes out late rather than never; a day after it, it would only raise questions.
            if delivery.expires_ns + (DAY_NS if delivery.ends else 0) <= now_ns:
                self._give_up(waiting, LAPSED, f"lapsed before {name} took it; last error: {waiting.error or 'none'}")
                continue
            if not self._try(line, waiting, delivery):
                blocked.add(waiting.chain)
        return tried

    def _may_go(self, line: Line, waiting: Waiting, now_ns: int) -> bool:
        if waiting.urgent:
            return True
        if now_ns < line.resting_until_ns:
            return False
        recent = [t for t in line.sent_ns if now_ns - t < 60 * NS_PER_S]
        return len(recent) < self._per_minute

    def _try(self, line: Line, waiting: Waiting, delivery: Delivery) -> bool:
        """Send once; return whether the chain may go on."""
        name = waiting.channel
        try:
            receipt = line.channel.send(delivery.identifier, delivery.document)
        except NotTaken as error:
            if not error.again:
                self._give_up(waiting, REFUSED, str(error))
                return True
            self._failed(line, waiting, str(error))
            return False
        except Exception as error:  # a fault of one channel's own code must not end its thread: it is told and tried again
            self._failed(line, waiting, f"{type(error).__name__}: {error}")
            return False
        now_ns = self._clock()
        line.sent_ns.append(now_ns)
        line.latencies_s.append((now_ns - waiting.decided_ns) / NS_PER_S)
        if line.failures >= BREAKER_FAILURES:
            self._say(f"channel {name}: takes messages again")
        line.failures, line.resting_until_ns, line.problem = 0, 0, ""
        self._news(f"channel {name} took alert {delivery.identifier}: {receipt}")
        if waiting.number >= 0:
            # Kept until the disk takes it: a message whose receipt cannot be noted must not go out each second.
            line.owed[waiting.number] = (receipt, now_ns)
            self._note_owed(line)
        return True

    def _note_owed(self, line: Line) -> None:
        for number, (receipt, taken_ns) in list(line.owed.items()):
            self.store.took(number, receipt, taken_ns)
            del line.owed[number]

    def _from_memory(self, line: Line) -> None:
        """Send what the disk did not take, in order."""
        while True:
            with self._lock:
                waiting = next(iter(line.unwritten), None)
            if waiting is None or not self._try(line, waiting, delivery_of(self._documents[waiting.key])):
                return
            with self._lock:
                line.unwritten.remove(waiting)

    def _failed(self, line: Line, waiting: Waiting, error: str) -> None:
        line.failures += 1
        now_ns = self._clock()
        wait_s = BACKOFF_S[min(waiting.attempts, len(BACKOFF_S) - 1)]
        line.problem = error
        if line.failures >= BREAKER_FAILURES:
            line.resting_until_ns = now_ns + round(BREAKER_REST_S * NS_PER_S)
        if line.failures in (1, BREAKER_FAILURES):
            self._say(f"CHANNEL {waiting.channel} DOES NOT TAKE MESSAGES ({line.failures} failures): {error}")
        if waiting.number >= 0:
            self.store.failed(waiting.number, error, now_ns + round(wait_s * NS_PER_S))

    def _give_up(self, waiting: Waiting, state: str, error: str) -> None:
        self._say(f"CHANNEL {waiting.channel}: MESSAGE NOT SENT ({state}): {error}")
        if waiting.number >= 0:
            self.store.gave_up(waiting.number, state, error)

    def republish(self, name: str) -> int:
        """Send again what is in force, to a channel whose other end has lost it; return how many messages that are."""
        newest: dict[str, Waiting] = {}
        for waiting in self.store.all():
            if waiting.channel == name and waiting.state in (TAKEN, WAITING):
                newest[waiting.chain] = waiting
        now_ns = self._clock()
        due = [w.key for w in newest.values() if w.state == TAKEN and delivery_of(self.store.document(w.key)).expires_ns > now_ns]
        self.store.again(name, due)
        self._wake[name].set()
        return len(due)

    def next_due_ns(self, name: str) -> int | None:
        """Return when the channel is to be tried next; None where nothing waits."""
        line = self.lines[name]
        due = [w.next_ns if w.urgent else max(w.next_ns, line.resting_until_ns) for w in self.store.waiting(name)]
        return min(due) if due else None

    def status(self) -> list[dict[str, Any]]:
        """Return a row a channel: what waits, was taken, refused, lapsed; resting; latency from decision to receipt."""
        every = self.store.all()
        rows = []
        for name, line in self.lines.items():
            mine = [w for w in every if w.channel == name]
            latencies = sorted((w.taken_ns - w.decided_ns) / NS_PER_S for w in mine if w.state == TAKEN)
            rows.append({
                "channel": name, **{state: sum(w.state == state for w in mine) for state in (WAITING, TAKEN, REFUSED, LAPSED)},
                "resting": line.resting_until_ns > self._clock(),
                "latency_s_median": _share(latencies, 0.5), "latency_s_p99": _share(latencies, 0.99),
                "error": next((w.error for w in reversed(mine) if w.error), "")})
        return rows


def _share(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None


class Postmen:
    """One thread a channel, which delivers until told to stop."""

    def __init__(self, outbox: Outbox, *, idle_s: float = 1.0) -> None:
        self._outbox, self._idle_s, self._stopping = outbox, idle_s, threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(name,), name=f"channel-{name}", daemon=True) for name in outbox.lines]

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()

    def _work(self, name: str) -> None:
        outbox = self._outbox
        wake = outbox._wake[name]
        told = False
        while not self._stopping.is_set():
            try:
                outbox.deliver_due(name)
                due_ns = outbox.next_due_ns(name)
                told = False
            except StorageError as error:
                due_ns = None
                if not told:
                    outbox._say(f"CHANNEL {name}: THE OUTBOX CANNOT BE WRITTEN: {error}")
                told = True
            wait_s = self._idle_s if due_ns is None else (due_ns - outbox._clock()) / NS_PER_S
            wake.wait(min(self._idle_s, max(0.02, wait_s)))

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop after the attempts under way; what waits stays in the outbox."""
        self._stopping.set()
        for event in self._outbox._wake.values():
            event.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

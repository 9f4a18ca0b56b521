"""Hands alerts to the channels: one thread a channel, so that a slow one holds up nobody; again and again until it is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from lapwing.adapters.outbox import Delivery, Outbox
from lapwing.model.errors import LapwingError, StorageError
from lapwing.model.ports import Channel

BACK_OFF_S, BACK_OFF_S_MAX = 1.0, 30.0


class Deliverer:
    """The threads of all channels of a site.

    Parameters
    ----------
    outbox : where alerts wait
    channels : by name
    clock : nanoseconds UTC of now
    say : called with (level, text)
    """

    def __init__(self, outbox: Outbox, channels: Mapping[str, Channel], clock: Callable[[], int],
                 say: Callable[[str, str], None]) -> None:
        self._outbox, self._channels, self._clock, self._say = outbox, dict(channels), clock, say
        self._news = {name: threading.Event() for name in channels}
        self._stop = threading.Event()
        self.problems: dict[str, str] = {}
        self._lock = threading.Lock()
        self._unwritten: dict[str, list[Delivery]] = {name: [] for name in channels}   # where the outbox takes nothing
        self.taken_count = 0
        self._threads = [threading.Thread(target=self._run, args=(name,), name=f"channel {name}", daemon=True)
                         for name in channels]

    @property
    def names(self) -> tuple[str, ...]:
        """The channels."""
        return tuple(self._channels)

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()

    def queue(self, identifier: str, document: bytes) -> None:
        """Have every channel take an alert.

        Raises StorageError where the outbox cannot be written; the channels are handed the alert all the same, from
        memory: a full disk does not silence a warning. What is killed meanwhile is found again in the journal.
        """
        try:
            self._outbox.queue(self.names, identifier, document, self._clock())
        except StorageError:
            with self._lock:
                for waiting in self._unwritten.values():
                    waiting.append(Delivery(-1, identifier, document, 0))
            raise
        finally:
            self.wake()

    def wake(self) -> None:
        """Look again at what waits."""
        for news in self._news.values():
            news.set()

    def close(self, wait_s: float = 5.0) -> None:
        """Try what waits once more, then end the threads."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(wait_s)

    def _run(self, name: str) -> None:
        channel, news, back_off_s = self._channels[name], self._news[name], BACK_OFF_S
        while True:
            news.clear()
            ending = self._stop.is_set()
            done = self.deliver(name, channel)
            if ending:
                return
            if done:
                back_off_s = BACK_OFF_S
                news.wait(BACK_OFF_S_MAX)
            else:
                self._stop.wait(back_off_s)
                back_off_s = min(2.0 * back_off_s, BACK_OFF_S_MAX)

    def deliver(self, name: str, channel: Channel) -> bool:
        """Hand over all that waits, in order; whether it was all taken."""
        if not self._deliver_unwritten(name, channel):
            return False
        try:
            while waiting := self._outbox.waiting(name):
                for delivery in waiting:
                    receipt = self._send(name, channel, delivery)
                    if receipt is None:
                        self._outbox.failed(delivery.number, self.problems[name])
                        return False
                    self._outbox.taken(delivery.number, receipt, self._clock())
        except StorageError as error:
            self.problems[name] = str(error)
            return False
        if self.problems.pop(name, None):
            self._say("notice", f"channel {name} takes alerts again")
        return True

    def _deliver_unwritten(self, name: str, channel: Channel) -> bool:
        while True:
            with self._lock:
                delivery = next(iter(self._unwritten[name]), None)
            if delivery is None:
                return True
            if self._send(name, channel, delivery) is None:
                return False
            with self._lock:
                self._unwritten[name].remove(delivery)

    def _send(self, name: str, channel: Channel, delivery: Delivery) -> str | None:
        """Hand over one alert; return the receipt, None where it was not taken."""
        try:
            receipt = channel.send(delivery.identifier, delivery.document)
        except (OSError, LapwingError) as error:
            if name not in self.problems:
                self._say("error", f"channel {name} does not take alert {delivery.identifier}: {error}; it is tried again")
            self.problems[name] = str(error)
            return None
        self.taken_count += 1
        self._say("info", f"channel {name} took alert {delivery.identifier}: {receipt}")
        return receipt

"""The pace of a run, a person's entries on their way into it, and its progress bar."""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.pipeline import Outcome
from lapwing.runtime.batches import Batcher
from lapwing.runtime.opening import Opened
from lapwing.runtime.replay import usual_window_s
from lapwing.runtime.runner import Observer

SLOW_SPEED = 10.0            # below it a person watches: batches of a second
WATCHED_WINDOW_S = 1.0


def parse_speed(text: str) -> float:
    """Return times real time; infinity for ``max``. Raises InputError."""
    if text == "max":
        return float("inf")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0.0:
        raise InputError(f"{text!r} is no speed", where="--speed", remedy="give a number above 0, or max")
    return speed


def window_s(speed: float, opened: Opened) -> float:
    """Return the length of a batch for a speed: the picture must not jump by seconds."""
    return WATCHED_WINDOW_S if speed < SLOW_SPEED else usual_window_s(opened)


@dataclass(slots=True)
class Entered:
    """What people enter at the console, waiting for the loop, which stamps it with event time."""

    waiting: queue.SimpleQueue[tuple[str, bytes]] = field(default_factory=queue.SimpleQueue)

    def receive(self, kind: str, payload: bytes) -> None:
        """Take an entry in the server's thread."""
        self.waiting.put((kind, payload))

    def bring_in(self, batcher: Batcher) -> None:
        """Add what has been entered to the next batch."""
        while not self.waiting.empty():
            kind, payload = self.waiting.get_nowait()
            record = json.loads(payload)
            record.setdefault("time", to_iso(max(batcher.now_ns, 0)))
            batcher.injected = batcher.injected.plus(max(batcher.now_ns, 0), "console", kind,
                                                     json.dumps(record, ensure_ascii=False).encode())


class Pace:
    """Holds a run back to so many times real time; nothing at infinity."""

    def __init__(self, speed: float, entered: Entered | None = None) -> None:
        self._speed, self._entered = speed, entered
        self._start: tuple[float, int] | None = None

    def __call__(self, batcher: Batcher) -> None:
        """Wait until the next batch is due, then bring in what people entered."""
        if self._speed != float("inf") and batcher.now_ns > 0:
            if self._start is None:
                self._start = (time.monotonic(), batcher.now_ns)
            due = self._start[0] + (batcher.now_ns - self._start[1]) / NS_PER_S / self._speed
            time.sleep(max(0.0, due - time.monotonic()))
        if self._entered is not None:
            self._entered.bring_in(batcher)


@contextlib.contextmanager
def progress(count: int | None, title: str) -> Iterator[Observer]:
    """Yield an observer that moves a progress bar; no bar where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(total=count, desc=title[:40], unit=" entries", disable=not sys.stderr.isatty(), leave=False) as bar:
        def move(outcome: Outcome, outputs: object) -> None:
            bar.update(max(1, len(outcome.sensed.plots)) if count is None else 1)

        yield move

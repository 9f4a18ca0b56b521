"""Watches the loop from beside: where it stands still, the function it stands in is named."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import islice

DEPTH = 6            # functions named, the innermost and those that called it


class StallWatch:
    """Says where a thread stands when it has not called `beat` for a while.

    Parameters
    ----------
    limit_s : how long is a stall
    say : called once for each stall, with the function and the lines that lead to it
    """

    def __init__(self, limit_s: float, say: Callable[[str, str], None]) -> None:
        self._limit_s, self._say = limit_s, say
        self._beat_s = time.monotonic()
        self._told = False
        self._watched = threading.get_ident()
        self._stop = threading.Event()
        self.count = 0
        self._thread = threading.Thread(target=self._run, name="stall watch", daemon=True)

    def start(self) -> None:
        """Begin; the calling thread is the one that is watched."""
        self._watched = threading.get_ident()
        self._beat_s = time.monotonic()
        self._thread.start()

    def beat(self) -> None:
        """Say that the loop turns."""
        self._beat_s, self._told = time.monotonic(), False

    def close(self) -> None:
        """End."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(min(self._limit_s / 4.0, 0.25)):
            stood_s = time.monotonic() - self._beat_s
            if stood_s < self._limit_s or self._told:
                continue
            frame = sys._current_frames().get(self._watched)
            if frame is None:
                continue
            self._told = True
            self.count += 1
            # By code and number alone: looking up the lines themselves keeps every file on the way in memory, three megabytes.
            codes = [(inner.f_code, number) for inner, number in islice(traceback.walk_stack(frame), DEPTH)][::-1]
            where = " > ".join(f"{code.co_filename.rsplit('/', 1)[-1]}:{number} {code.co_name}" for code, number in codes)
            self._say("warning", f"the loop stands still for {stood_s:.1f} s in {codes[-1][0].co_name}: {where}")

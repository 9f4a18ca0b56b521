"""The clock of a live site: wall time that never jumps.

The journal's time must not go back, and must not leap: a leap of an hour would end every warning at once. So the wall
clock is read at the start and carried on by the monotonic one; small differences are followed at once, a larger one is
named ("clock") and then followed: forward after it has stood `SETTLE_S`, backward by running slower until they meet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from lapwing.model.times import NS_PER_S

SETTLE_S = 10.0
SLOWER = 0.1          # share by which it runs slow while it is ahead


class SteadyClock:
    """Returns nanoseconds UTC, never less than before.

    Parameters
    ----------
    wall_ns, monotonic_ns : the machine's clocks
    step_s : a difference above this is a step, and named
    """

    def __init__(self, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int], step_s: float = 0.5) -> None:
        self._wall, self._monotonic = wall_ns, monotonic_ns
        self._step_ns = round(step_s * NS_PER_S)
        self._lock = threading.Lock()
        self._at_monotonic = monotonic_ns()
        self._now = wall_ns()
        self._ahead_since = 0        # monotonic time since which the wall clock stands ahead of us by a step
        self.offset_ns = 0           # wall minus ours, when last read
        self.steps = 0               # steps of the wall clock seen

    def __call__(self) -> int:
        """Return now."""
        with self._lock:
            monotonic = self._monotonic()
            passed = monotonic - self._at_monotonic
            self._at_monotonic = monotonic
            now = self._now + passed
            offset = self._wall() - now
            if abs(offset) > self._step_ns >= abs(self.offset_ns):
                self.steps += 1
            if offset < 0:
                now = max(self._now, now + max(offset, -round(passed * SLOWER)))
                self._ahead_since = 0
            elif offset <= self._step_ns:
                now += offset
                self._ahead_since = 0
            elif not self._ahead_since:
                self._ahead_since = monotonic
            elif monotonic - self._ahead_since >= SETTLE_S * NS_PER_S:
                now += offset
                self._ahead_since = 0
            self._now = now
            self.offset_ns = self._wall() - now
            return now

    @property
    def wrong(self) -> str:
        """What is wrong with the clock; empty where nothing is."""
        if abs(self.offset_ns) <= self._step_ns:
            return ""
        return f"the system clock stepped: it differs by {self.offset_ns / NS_PER_S:+.1f} s"

"""Time of day -> UTC, anchored on when the datagram was received; and the same for a recording that has no clock.

ASTERIX gives seconds since midnight (CAT001: since the last multiple of 512 s) and no day. The day is that which brings
the report nearest to its reception, so reports on both sides of midnight fall right, and one that steps back a little
stays a little back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.model.times import DAY_NS, NS_PER_S

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TRUNCATED_NS = 512 * NS_PER_S   # I001/141 counts 1/128 s in 16 bits
JUMP_NS = 300 * NS_PER_S        # a recording's clock that jumps farther is believed once several reports agree
JUMP_REPORTS = 3


def to_utc(time_of_day_s: Floats, received_ns: Ints) -> Ints:
    """Return UTC of times of day, within half a day of the reception.

    Parameters
    ----------
    time_of_day_s : (n,), finite (the caller replaces what is not)
    received_ns : (n,) UTC of reception
    """
    inside = np.round(time_of_day_s * NS_PER_S).astype(np.int64)
    behind: Ints = np.remainder(received_ns - inside + DAY_NS // 2, DAY_NS) - DAY_NS // 2
    measured: Ints = received_ns - behind
    return measured


def truncated_to_utc(time_s: Floats, received_ns: Ints) -> Ints:
    """Return UTC of times of day of which only the rest of a division by 512 s is given (I001/141).

    A day is no whole number of 512 s, so the rest starts again at midnight: yesterday's, today's and tomorrow's nearest
    times are compared. Within some 256 s of the reception, 320 s around midnight.
    """
    inside = np.remainder(np.round(time_s * NS_PER_S).astype(np.int64), TRUNCATED_NS)
    turns_max = (DAY_NS - 1 - inside) // TRUNCATED_NS
    best = np.zeros(len(inside), np.int64)
    distance = np.full(len(inside), np.iinfo(np.int64).max)
    for day in (0, -1, 1):
        midnight = (received_ns // DAY_NS + day) * DAY_NS
        turns = (received_ns - midnight - inside + TRUNCATED_NS // 2) // TRUNCATED_NS
        found = midnight + np.clip(turns, 0, turns_max) * TRUNCATED_NS + inside
        nearer = np.abs(found - received_ns) < distance
        best = np.where(nearer, found, best)
        distance = np.minimum(distance, np.abs(found - received_ns))
    return best


class Unwrapper:
    """Times of day in the order of a recording -> a clock that does not go back. Owned by the adapter of recordings.

    Steps back (up to 0.5 s is usual: 32 % of real CAT048 records) leave the clock where it is; midnight is passed over;
    a jump of more than 300 s counts only when three reports in a row agree on it.
    """

    def __init__(self, day_ns: int) -> None:
        self._day_ns = day_ns
        self.now_ns = -1
        self._doubt: list[int] = []

    def take_truncated(self, inside_ns: int) -> int:
        """Return the clock after a time of day within 512 s: a gap of more than 256 s is not noticed."""
        anchor = np.array([max(self.now_ns, self._day_ns + inside_ns)], np.int64)
        self.now_ns = max(self.now_ns, int(truncated_to_utc(np.array([inside_ns / NS_PER_S]), anchor)[0]))
        return self.now_ns

    def take(self, inside_ns: int) -> int:
        """Return the clock after a time of day."""
        if self.now_ns < 0:
            self.now_ns = self._day_ns + inside_ns
            return self.now_ns
        half = DAY_NS // 2
        step = (inside_ns - self.now_ns + half) % DAY_NS - half
        if abs(step) <= JUMP_NS:
            self._doubt.clear()
            self.now_ns += max(step, 0)
            return self.now_ns
        if self._doubt and abs((inside_ns - self._doubt[-1] + half) % DAY_NS - half) > JUMP_NS:
            self._doubt.clear()
        self._doubt.append(inside_ns)
        if len(self._doubt) >= JUMP_REPORTS:
            # Three agree: the recording has a gap. Time goes on, over midnight if need be; it never goes back.
            self.now_ns += (inside_ns - self.now_ns) % DAY_NS
            self._doubt.clear()
        return self.now_ns

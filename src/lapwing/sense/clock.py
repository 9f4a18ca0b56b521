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


def to_utc(time_of_day_s: Floats, received_ns: Ints, period_ns: int = DAY_NS) -> Ints:
    """Return UTC of times of day, within half a period of the reception.

    Parameters
    ----------
    time_of_day_s : (n,), finite (the caller replaces what is not)
    received_ns : (n,) UTC of reception
    period_ns : after which the time of day starts again
    """
    # Rounded in units of 1/1024 s first would lose CAT021's finest times; nanoseconds of 1/128 s are whole numbers.
    inside = np.round(time_of_day_s * NS_PER_S).astype(np.int64)
    behind: Ints = np.remainder(received_ns - inside + period_ns // 2, period_ns) - period_ns // 2
    measured: Ints = received_ns - behind
    return measured


class Unwrapper:
    """Times of day in the order of a recording -> a clock that does not go back. Owned by the adapter of recordings.

    Steps back (up to 0.5 s is usual: 32 % of real CAT048 records) leave the clock where it is; midnight is passed over;
    a jump of more than 300 s counts only when three reports in a row agree on it.
    """

    def __init__(self, day_ns: int, period_ns: int = DAY_NS) -> None:
        self._day_ns, self._period_ns = day_ns, period_ns
        self.now_ns = -1
        self._doubt: list[int] = []

    def take(self, inside_ns: int) -> int:
        """Return the clock after a time of day."""
        if self.now_ns < 0:
            self.now_ns = self._day_ns + inside_ns
            return self.now_ns
        half = self._period_ns // 2
        step = (inside_ns - self.now_ns + half) % self._period_ns - half
        if abs(step) <= JUMP_NS:
            self._doubt.clear()
            self.now_ns += max(step, 0)
            return self.now_ns
        if self._doubt and abs((inside_ns - self._doubt[-1] + half) % self._period_ns - half) > JUMP_NS:
            self._doubt.clear()
        self._doubt.append(inside_ns)
        if len(self._doubt) >= JUMP_REPORTS:
            # Three agree: the recording has a gap. Time goes on, over midnight if need be; it never goes back.
            self.now_ns += (inside_ns - self.now_ns) % self._period_ns
            self._doubt.clear()
        return self.now_ns

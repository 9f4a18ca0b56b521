"""The automaton of an edition (see `kernels`): its arrays, borrowed by one caller at a time and kept for the next.

What it holds never changes a result, only how soon it is there: it is a cache, bounded, and emptied when full.
"""

from __future__ import annotations

import numpy as np

from lapwing.sense.asterix import kernels
from lapwing.sense.asterix.layout import Layout

STATES_MIN = 256
# A block has at most 65,532 octets, and a state stands for at least one of them: so many states, emptied, do for any.
STATES_MAX = 65_536 + 4


class Shapes:
    """States and shapes of one edition."""

    def __init__(self, table: Layout) -> None:
        self.table = table
        self._allocate(STATES_MIN)

    def _allocate(self, states: int) -> None:
        nodes = len(self.table.nodes)
        self.states = np.zeros((states, kernels.STATE_COLUMNS), np.int64)
        self.todo = np.zeros((states, nodes + 7 * kernels.FSPEC_OCTETS_MAX), np.int32)
        self.starts = np.zeros((states, nodes), np.uint16)
        self.ends = np.zeros((states, nodes), np.uint16)
        self.transitions = np.full((1 << (2 * states).bit_length(), 3), kernels.FREE, np.int64)
        self.local = np.full(states, -1, np.int64)
        self.used = np.zeros(states, np.int64)
        self.counts = np.zeros(2, np.int64)  # states, shapes used in this call

    def begin(self) -> None:
        """Forget which shapes were used, not the shapes."""
        self.local[self.used[: self.counts[1]]] = -1
        self.counts[1] = 0

    def is_full(self) -> bool:
        """Whether there is no room for the states of one more record."""
        return int(self.counts[0]) + 2 > len(self.states)

    def make_room(self) -> None:
        """Forget everything; have room for more where that is allowed."""
        if len(self.states) < STATES_MAX:
            self._allocate(min(4 * len(self.states), STATES_MAX))
            return
        self.transitions[:] = kernels.FREE
        self.local[:] = -1
        self.counts[:] = 0


_idle: dict[tuple[int, str], list[Shapes]] = {}


def borrow(table: Layout) -> Shapes:
    """Return an automaton that nobody else works with."""
    idle = _idle.setdefault((table.edition.category, table.edition.edition), [])
    try:
        return idle.pop()  # atomic: two threads never get the same one
    except IndexError:
        return Shapes(table)


def give_back(shapes: Shapes) -> None:
    """Keep it for the next caller."""
    edition = shapes.table.edition
    shapes.begin()
    _idle[edition.category, edition.edition].append(shapes)

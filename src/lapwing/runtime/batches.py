"""How entries become batches: windows of reception time, injected entries merged in, ticks where nothing came in.

The windows lie on a fixed grid of time, so where a run is cut and resumed does not change the batches. Only what is injected
ends a window early, at its own time: an officer's word is not kept waiting for the end of a long one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lapwing.model.entries import TICK, Entry
from lapwing.model.ports import Batch
from lapwing.model.times import NS_PER_S

Item = tuple[int, str, str, bytes]  # received_ns, link, format, payload

# A silent link still lets the clock run: a tick a second, so that tracks coast and warnings end. A longer silence in a
# recording (a gap of hours between two takes) is skipped after this long: by then every hold has ended.
IDLE_LIMIT_NS = 1_800 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Injected:
    """Entries that the run itself brings in (the played officer's decisions), waiting for their time."""

    items: tuple[tuple[int, int, str, str, bytes], ...] = ()   # due_ns, running number, link, format, payload
    count: int = 0

    def plus(self, due_ns: int, link: str, format_: str, payload: bytes) -> Injected:
        """Return with one more entry due at a time."""
        return Injected((*self.items, (due_ns, self.count, link, format_, payload)), self.count + 1)

    def due(self, until_ns: int) -> tuple[tuple[Item, ...], Injected]:
        """Return what is due before a time, in order, and the rest."""
        ready = sorted(item for item in self.items if item[0] < until_ns)
        rest = tuple(item for item in self.items if item[0] >= until_ns)
        return tuple((at, link, format_, payload) for at, _, link, format_, payload in ready), Injected(rest, self.count)


class Batcher:
    """Cuts a source into batches. The caller may add injected entries between two batches.

    Parameters
    ----------
    items : of the source, in order of arrival
    window_s : length of a window; live 0.05 to 0.1, replay 1
    first_batch, first_sequence, now_ns, last_ns : where to go on
    skip : source items already journaled
    """

    def __init__(self, items: Iterable[Item], *, window_s: float, first_batch: int = 0, first_sequence: int = 0,
                 now_ns: int = -1, last_ns: int = -1, skip: int = 0,
                 injected: Injected | None = None) -> None:
        self._items = iter(items)
        self._window_ns = round(window_s * NS_PER_S)
        self._number, self._sequence, self._now_ns = first_batch, first_sequence, now_ns
        self.injected = injected or Injected()
        self._last_ns = last_ns
        self.taken = 0
        for _ in range(skip):
            next(self._items, None)
            self.taken += 1
        self._next: Item | None = next(self._items, None)

    @property
    def now_ns(self) -> int:
        """End of the last window, -1 before the first."""
        return self._now_ns

    @property
    def last_ns(self) -> int:
        """When the source last had something, -1 before."""
        return self._last_ns

    @property
    def exhausted(self) -> bool:
        """Whether the source has nothing more (ticks and injected entries may still follow)."""
        return self._next is None

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches until the source is exhausted."""
        while self._next is not None:
            yield self.next_batch()

    def next_batch(self) -> Batch:
        """Return the batch of the next window: of the source and the injected entries, or one tick."""
        window = self._window_ns
        if self._now_ns < 0 and self._next is not None:
            self._now_ns = self._last_ns = self._next[0] - self._next[0] % window
        if self._next is not None and self._now_ns - self._last_ns > IDLE_LIMIT_NS:
            self._now_ns = max(self._now_ns, self._next[0] - self._next[0] % window)
        end_ns = (self._now_ns // window + 1) * window
        end_ns = min([end_ns, *(max(item[0], self._now_ns) + 1 for item in self.injected.items)])
        found: list[Item] = []
        newest_ns = self._now_ns
        while self._next is not None and self._next[0] < end_ns:
            # A recorder's clock may step back; the order of arrival stands, and journal time never goes back.
            newest_ns = max(newest_ns, self._next[0])
            found.append((newest_ns, *self._next[1:]))
            self.taken += 1
            self._next = next(self._items, None)
        if found:
            self._last_ns = found[-1][0]
        ready, self.injected = self.injected.due(end_ns)
        merged = list(heapq.merge(found, ((max(i[0], self._now_ns), *i[1:]) for i in ready), key=lambda item: item[0]))
        self._now_ns = end_ns
        return self._batch(merged or [(end_ns - 1, "clock", TICK, b"")])

    def last_batch(self, payload: bytes) -> Batch:
        """Return the batch that ends the run: one tick with a payload that says so."""
        return self._batch([(self._now_ns, "clock", TICK, payload)])

    def _batch(self, items: list[Item]) -> Batch:
        entries = tuple(Entry(self._sequence + i, *item) for i, item in enumerate(items))
        self._sequence += len(entries)
        self._number += 1
        return Batch(self._number - 1, entries)

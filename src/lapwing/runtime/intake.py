"""What has come in and waits for the next batch: bounded, with a stated order of shedding, and every shed counted.

Two lanes. *People* (commands, sightings, patrol log, acknowledgements): never shed; beyond its bound an entry is
refused to the person who sends it, who then knows. *Links*: each has its own lane, so that a link that floods loses its
own datagrams and nobody else's. When all lanes together pass the bound, the oldest datagram of the fullest lane goes:
a radar's old plot is worth less than its new one, and the next turn of the aerial brings another. A loop that is behind and
does not gain on it sheds what is old likewise (`keep_up`), rather than watch and warn a minute late.

What is shed before this (pictures of a slow console, history) never enters a queue; what comes after it (alerts, the
journal) is never shed at all.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S
from lapwing.runtime.batches import Item

ENTRIES_MAX = 50_000          # datagrams waiting: two seconds of a national network at its fullest
OCTETS_MAX = 256 * 1_024 * 1_024
PEOPLE_MAX = 1_000
BEHIND_NS = 5 * NS_PER_S      # a loop so far behind
GAINS_NS = 15 * NS_PER_S      # that has not gained on it for so long cannot keep up: it goes on
KEPT_NS = 2 * NS_PER_S        # with what came in the last seconds


@dataclass(slots=True)
class LinkCounts:
    """What a link has brought so far."""

    entries: int = 0
    octets: int = 0
    shed: int = 0
    refused: int = 0             # from an address that is not allowed
    last_ns: int = 0


@dataclass(slots=True)
class _Lane:
    waiting: deque[Item] = field(default_factory=deque)


class Intake:
    """Takes items from any thread; gives them to the loop.

    Parameters
    ----------
    entries_max, octets_max : bound of all links together
    people_max : bound of people's entries
    """

    def __init__(self, *, entries_max: int = ENTRIES_MAX, octets_max: int = OCTETS_MAX, people_max: int = PEOPLE_MAX) -> None:
        self._entries_max, self._octets_max, self._people_max = entries_max, octets_max, people_max
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}
        self._people: deque[Item] = deque()
        self._entries = self._octets = 0
        self._first: dict[str, Item] = {}
        self.counts: dict[str, LinkCounts] = {}
        self.people_refused = 0
        self._behind: tuple[int, int] | None = None      # since when the loop is behind without gaining, and by how much it was then

    def put(self, item: Item) -> None:
        """Take a datagram; where the bound is passed the oldest of the fullest link is shed."""
        received_ns, link, _, payload = item
        with self._lock:
            counts = self.counts.setdefault(link, LinkCounts())
            if not counts.entries:
                self._first[link] = item
            counts.entries += 1
            counts.octets += len(payload)
            counts.last_ns = received_ns
            self._lanes.setdefault(link, _Lane()).waiting.append(item)
            self._entries += 1
            self._octets += len(payload)
            while self._entries > self._entries_max or self._octets > self._octets_max:
                self._shed()

    def _shed(self) -> None:
        self._drop(max(sorted(self._lanes), key=lambda name: len(self._lanes[name].waiting)))

    def _drop(self, link: str) -> None:
        item = self._lanes[link].waiting.popleft()
        self.counts[link].shed += 1
        self._entries -= 1
        self._octets -= len(item[3])

    def put_person(self, item: Item) -> None:
        """Take a person's entry. Raises InputError where too many wait: the loop has stopped."""
        with self._lock:
            if len(self._people) >= self._people_max:
                self.people_refused += 1
                raise InputError(f"{self._people_max} entries wait already: the loop does not take them",
                                 remedy="see /readyz; enter it again when the service runs")
            self._people.append(item)

    def refuse(self, link: str) -> None:
        """Count a datagram from an address that is not allowed on a link."""
        with self._lock:
            self.counts.setdefault(link, LinkCounts()).refused += 1

    def take(self, span_ns: int | None = None) -> list[Item]:
        """Return what waits, in order of reception, and forget it: people's all, of the links what came within `span_ns` of the oldest."""
        with self._lock:
            found = list(self._people)
            self._people.clear()
            first_ns = self._oldest_ns()
            for name in sorted(self._lanes):
                waiting = self._lanes[name].waiting
                while waiting and (span_ns is None or waiting[0][0] < first_ns + span_ns):
                    item = waiting.popleft()
                    found.append(item)
                    self._entries -= 1
                    self._octets -= len(item[3])
        # A link's own order stands where times are equal: the sort is stable.
        return sorted(found, key=lambda item: item[0])

    def waited_ns(self, now_ns: int) -> int:
        """Return how long the oldest datagram has waited; 0 where none does."""
        with self._lock:
            return max(0, now_ns - self._oldest_ns()) if self._entries else 0

    def keep_up(self, now_ns: int) -> int:
        """Shed all but the newest where the loop is behind and falls behind further; return how many datagrams were shed.

        A warning in time is worth more than an old plot; after a stall that the loop gains on nothing is shed.
        """
        waited_ns, shed = self.waited_ns(now_ns), 0
        if waited_ns < BEHIND_NS:
            self._behind = None
        elif self._behind is None or waited_ns < self._behind[1]:
            self._behind = (now_ns, waited_ns)
        elif now_ns - self._behind[0] >= GAINS_NS:
            self._behind = None
            with self._lock:
                for name, lane in self._lanes.items():
                    while lane.waiting and lane.waiting[0][0] < now_ns - KEPT_NS:
                        self._drop(name)
                        shed += 1
        return shed

    def _oldest_ns(self) -> int:
        return min((lane.waiting[0][0] for lane in self._lanes.values() if lane.waiting), default=0)

    def first_items(self) -> dict[str, Item]:
        """Return the first item that each link ever brought."""
        with self._lock:
            return dict(self._first)

    def waiting(self) -> int:
        """Return how many datagrams wait."""
        with self._lock:
            return self._entries + len(self._people)

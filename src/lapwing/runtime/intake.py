"""What has come in and waits for the next batch: bounded, with a stated order of shedding, and every shed counted.

Two lanes. *People* (commands, sightings, patrol log, acknowledgements): never shed; beyond its bound an entry is
refused to the person who sends it, who then knows. *Links*: each has its own lane, so that a link that floods loses its
own datagrams and nobody else's. When all lanes together pass the bound, the oldest datagram of the fullest lane goes:
a radar's old plot is worth less than its new one, and the next turn of the aerial brings another.

What is shed before this (pictures of a slow console, history) never enters a queue; what comes after it (alerts, the
journal) is never shed at all.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from lapwing.model.errors import InputError
from lapwing.runtime.batches import Item

ENTRIES_MAX = 50_000          # datagrams waiting: two seconds of a national network at its fullest
OCTETS_MAX = 256 * 1_024 * 1_024
PEOPLE_MAX = 1_000


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
        link = max(sorted(self._lanes), key=lambda name: len(self._lanes[name].waiting))
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

    def take(self) -> list[Item]:
        """Return all that waits, in order of reception, and forget it."""
        with self._lock:
            found = [*self._people, *(item for name in sorted(self._lanes) for item in self._lanes[name].waiting)]
            self._people.clear()
            for lane in self._lanes.values():
                lane.waiting.clear()
            self._entries = self._octets = 0
        # A link's own order stands where times are equal: the sort is stable.
        return sorted(found, key=lambda item: item[0])

    def first_items(self) -> dict[str, Item]:
        """Return the first item that each link ever brought."""
        with self._lock:
            return dict(self._first)

    def waiting(self) -> int:
        """Return how many datagrams wait."""
        with self._lock:
            return self._entries + len(self._people)

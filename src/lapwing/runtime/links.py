"""Links of a live site: one thread each, from socket to intake, with what the health page says of it."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable, Mapping
from random import random

from lapwing.adapters.links import Surroundings, check_link, open_link
from lapwing.adapters.udp import UdpSource
from lapwing.model.errors import ConfigError, InputError
from lapwing.model.times import NS_PER_S
from lapwing.runtime.health import Sample
from lapwing.runtime.intake import Intake, LinkCounts

RETRY_S = 5.0


def check_url(url: str) -> None:
    """Check a link's URL. Raises ConfigError for one that no link can be made of."""
    if url.startswith("file:"):
        raise ConfigError("a recording is no live link: its times are over", where=url, remedy="play it with `lapwing replay`")
    check_link(url)


def link_rows(links: Iterable[tuple[str, str]], counts: Mapping[str, LinkCounts], now_ns: int) -> list[dict[str, str | int | float | None]]:
    """Return what the health page says of each link, given by name and URL."""
    rows: list[dict[str, str | int | float | None]] = []
    for name, url in links:
        count = counts.get(url)
        rows.append({"name": name, "url": url, "entries": count.entries if count else 0, "shed": count.shed if count else 0,
                     "refused": count.refused if count else 0,
                     "silent_s": round((now_ns - count.last_ns) / NS_PER_S, 1) if count and count.last_ns else None})
    return rows


def link_samples(name: str, counts: LinkCounts | None, dropped_count: int | None, now_ns: int) -> list[Sample]:
    """Return the metrics of one link."""
    label, found = {"link": name}, list[Sample]()
    if counts is not None:
        found += [("lapwing_link_entries_total", label, counts.entries), ("lapwing_link_octets_total", label, counts.octets),
                  ("lapwing_link_shed_total", label, counts.shed), ("lapwing_link_refused_total", label, counts.refused),
                  ("lapwing_link_silent_seconds", label, (now_ns - counts.last_ns) / NS_PER_S)]
    if dropped_count is not None:
        found.append(("lapwing_link_dropped_total", label, dropped_count))
    return found


class Link:
    """One link at work.

    Parameters
    ----------
    name, url, allow_from : as configured
    intake : takes what comes in
    clock : nanoseconds UTC of now
    say : called with (level, text) when something changes that a person should know
    """

    def __init__(self, name: str, url: str, allow_from: tuple[str, ...], intake: Intake,
                 clock: Callable[[], int], say: Callable[[str, str], None]) -> None:
        self.name, self.url, self.error = name, url, ""
        self._intake, self._say = intake, say
        self._stop = threading.Event()
        self._networks = tuple(ipaddress.ip_network(network) for network in allow_from)
        self._source = open_link(url, Surroundings(clock, self._stop.wait, random,
                                                   allow=self._allowed if self._networks else None))
        self._thread = threading.Thread(target=self._run, name=f"link {name}", daemon=True)

    @property
    def dropped_count(self) -> int:
        """Datagrams that the kernel dropped because we were late."""
        return self._source.dropped_count if isinstance(self._source, UdpSource) else 0

    def failure(self) -> str:
        """Return the last reason why nothing comes in; may be empty."""
        failures = getattr(self._source, "failures", None)
        return str(failures[-1]) if failures else self.error

    @property
    def started(self) -> bool:
        """Whether `start` was called."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """End the link."""
        self._stop.set()
        self._source.close()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _allowed(self, host: str) -> bool:
        if any(ipaddress.ip_address(host) in network for network in self._networks):
            return True
        self._intake.refuse(self.url)
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for received_ns, _, format_, payload in self._source:
                    self._intake.put((received_ns, self.url, format_, payload))
            except InputError as error:
                if self.error != str(error):
                    self._say("warning", str(error))
                self.error = str(error)
            self._stop.wait(RETRY_S if not self._stop.is_set() else 0)

"""Where the processing loop and the web server meet: the newest site and picture, and the way back for decisions.

The loop calls `publish` from its own thread; the server's connections are woken and read the newest picture. Nobody
waits for anybody: a console that is slow misses pictures in between, it never makes a queue grow. Every picture is
whole, so a console that connects late or again needs nothing but the newest one (and `history` for its graph).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from lapwing.model.errors import InputError
from lapwing.web.history import History

# Consoles at once. A duty room has a few; more than this is a program gone wrong, and is told so.
WATCHERS_MAX = 32

Receiver = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest picture as sent, its running number and when it came (monotonic seconds)."""

    number: int
    document: bytes
    came_s: float


def to_json(value: Mapping[str, Any]) -> bytes:
    """Return strict JSON in UTF-8; NaN or infinity is a bug of ours and raises ValueError."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


class Hub:
    """Holds what the console shows. Safe to use from several threads.

    Parameters
    ----------
    receiver : called with (entry format, payload) for what a person enters, in the server's thread; it stamps the time
        and hands the entry to the loop. None: the console only shows, and says so when asked for more.
    """

    def __init__(self, receiver: Receiver | None = None) -> None:
        self._receiver = receiver
        self._lock = threading.Lock()
        self._site: bytes | None = None
        self._site_number = 0
        self._latest: Latest | None = None
        self._alerts: bytes = b'{"alerts":[],"proposals":[]}'
        self._history = History()
        self._watchers: dict[int, Callable[[], None]] = {}
        self._next_watcher = 0

    @property
    def takes_entries(self) -> bool:
        """Whether a decision or log record entered at the console goes anywhere."""
        return self._receiver is not None

    def set_site(self, site: Mapping[str, Any]) -> None:
        """Replace the description of the place: border, zones, sensors. Consoles load it again when it changes."""
        document = to_json(site)
        with self._lock:
            self._site, self._site_number = document, self._site_number + 1
        self._wake()

    def publish(self, picture: Mapping[str, Any]) -> None:
        """Make a picture the newest one and wake every console."""
        document = to_json(picture)
        alerts = to_json({"alerts": picture.get("alerts", []), "proposals": picture.get("proposals", [])})
        with self._lock:
            self._history.add(picture)
            number = self._latest.number + 1 if self._latest is not None else 1
            self._latest = Latest(number, document, monotonic())
            self._alerts = alerts
        self._wake()

    def post(self, kind: str, payload: bytes) -> None:
        """Hand a person's entry to the loop. Raises InputError where nothing takes it."""
        if self._receiver is None:
            raise InputError("this console only shows: the run takes no decisions or log records",
                             remedy="use the console of the live service, or `lapwing log` on its journal")
        self._receiver(kind, payload)

    def latest(self) -> Latest | None:
        """Return the newest picture, None before the first."""
        with self._lock:
            return self._latest

    def site(self) -> tuple[int, bytes | None]:
        """Return the number and JSON of the newest site; (0, None) before the first."""
        with self._lock:
            return self._site_number, self._site

    def alerts(self) -> bytes:
        """Return JSON of the alerts and open proposals of the newest picture."""
        with self._lock:
            return self._alerts

    def history(self) -> bytes:
        """Return JSON of each track's path and border distance over the last half hour."""
        with self._lock:
            tracks = [to_json({track_id: points})[1:-1] for track_id, points in self._history.tracks()]
        return b'{"tracks":{' + b",".join(tracks) + b"}}"

    def watch(self, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Have `wake` called, in any thread, whenever there is something new; return what ends it. None: too many."""
        with self._lock:
            if len(self._watchers) >= WATCHERS_MAX:
                return None
            number = self._next_watcher
            self._next_watcher += 1
            self._watchers[number] = wake

        def end() -> None:
            with self._lock:
                self._watchers.pop(number, None)

        return end

    def _wake(self) -> None:
        with self._lock:
            watchers = list(self._watchers.values())
        for wake in watchers:
            wake()

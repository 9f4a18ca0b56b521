"""A file that another program writes anew again and again (``aircraft.json`` of readsb or dump1090), as a link.

``aircraft-json://PATH``: looked at once a second, handed on whole when it changed. A file caught half-written is no JSON to its
reader and is counted there; the next second brings the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from lapwing.model.errors import ConfigError

EVERY_S = 1.0
OCTETS_MAX = 16 * 1_048_576
Item = tuple[int, str, str, bytes]


class PollSource:
    """A file's successive contents.

    Parameters
    ----------
    url : ``aircraft-json://PATH``; also the link's name
    clock, wait, idle : as for the other links
    format_ : of the contents
    """

    def __init__(self, url: str, clock: Callable[[], int], wait: Callable[[float], bool | None], *, format_: str,
                 idle: Callable[[], bool] = lambda: False) -> None:
        self.link, self._clock, self._wait, self._idle, self._format = url, clock, wait, idle, format_
        self.path = parse_poll(url)
        self.failures: list[str] = []
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Item]:
        """Yield the contents whenever they changed, until closed."""
        before = b""
        while not self._stop.is_set():
            try:
                with self.path.open("rb") as file:
                    content = file.read(OCTETS_MAX + 1)
            except OSError as error:
                self._note(f"cannot read: {error.strerror or error}")
                content = b""
            if content and content != before and len(content) <= OCTETS_MAX:
                before = content
                yield self._clock(), self.link, self._format, content
            elif self._idle():
                return
            if self._wait(EVERY_S):
                return

    def _note(self, what: str) -> None:
        if self.failures[-1:] != [what]:
            self.failures = [*self.failures[-9:], what]

    def close(self) -> None:
        """End the link within a second."""
        self._stop.set()


def parse_poll(url: str) -> Path:
    """Return the path of ``SCHEME://PATH``. Raises ConfigError."""
    _, _, path = url.partition("://")
    if not path:
        raise ConfigError("no file to look at", where=url, remedy="write aircraft-json:///run/readsb/aircraft.json")
    return Path(path)

"""The service's own log: one JSON object a line on stderr, or words where a person reads it. Secrets never enter it."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from lapwing.model.times import to_iso

LEVELS = ("debug", "info", "notice", "warning", "error")
# What might be a secret in a text that somebody else wrote: a password in a URL, a bearer token, an API key of ours.
_SECRET = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|(?<=[Bb]earer )\S+|lwk_[A-Za-z0-9_-]{8,}")


def clean(text: str) -> str:
    """Return a text without what looks like a secret.

    >>> clean("cannot reach postgresql://site:hunter2@db/lapwing")
    'cannot reach postgresql://***@db/lapwing'
    """
    return _SECRET.sub("***", text)


class Log:
    """Writes lines.

    Parameters
    ----------
    clock : nanoseconds UTC of now
    stream : stderr where None
    as_json : one object a line; None: where the stream is no terminal
    """

    def __init__(self, clock: Callable[[], int], stream: TextIO | None = None, *, as_json: bool | None = None) -> None:
        self._clock, self._stream = clock, stream or sys.stderr
        self._json = not self._stream.isatty() if as_json is None else as_json
        self._lock = threading.Lock()

    def __call__(self, level: str, text: str, **facts: str | int | float) -> None:
        """Write one line."""
        now = to_iso(self._clock())
        text = clean(text)
        if self._json:
            shown = {key: clean(value) if isinstance(value, str) else value for key, value in facts.items()}
            line = json.dumps({"time": now, "level": level, "thread": threading.current_thread().name, "text": text, **shown},
                              ensure_ascii=False)
        else:
            line = f"{now[11:19]}  {level.upper():<8} {text}"
        with self._lock:
            print(line, file=self._stream, flush=True)

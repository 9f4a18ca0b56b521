"""The feed in a thread of its own, for a live service: drawing a picture must never hold up a warning.

Outcomes wait in a bounded queue. Where the pictures do not keep up, the oldest outcomes that hold nothing but positions
go first (the next picture shows newer ones); what tells of alerts, proposals, notices and events is always kept.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from lapwing.pipeline import Outcome
from lapwing.runtime.live import happened
from lapwing.web.feed import Feed

WAITING_MAX = 200
STOP_S_MAX = 10.0


class FeedThread:
    """Takes outcomes as an observer of the loop and hands them to a feed in another thread."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self.shed = 0            # outcomes that no picture showed
        self.problem = ""        # what ended the thread, where something did
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def take(self, outcome: Outcome, outputs: Sequence[Any] = ()) -> None:
        """Take one outcome; never waits."""
        with self._changed:
            self._waiting.append(outcome)
            if len(self._waiting) > WAITING_MAX:
                self._shed()
            self._changed.notify()

    def _shed(self) -> None:
        for place, outcome in enumerate(self._waiting):
            if happened(outcome) is None:
                del self._waiting[place]
                self.shed += 1
                return

    def close(self) -> None:
        """Show the last picture and end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    break
                outcome = self._waiting.popleft()
            try:
                self._feed.take(outcome)
            except Exception as error:  # the picture fails: the warning goes on, and /readyz names it
                self.problem = f"{type(error).__name__}: {error}"
        self._feed.flush(ended=True)

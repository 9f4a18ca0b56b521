"""The second machine of a site: follows the journal with a warm state, and takes the lease when its writer dies or lets go.

A writer counts as dead when its newest record did not change over `DEAD_AFTER_S` in which the cluster answered every time: an
election of the cluster's own stops the writer and the clock alike, and after one the writer has `GRACE_S` more to find the
cluster again. A standby that cannot reach the cluster never takes over.

At a start the machine whose own earlier process wrote last goes on at once: that process was killed. Without the cluster too, but
no other machine does (a file says which it is): two that warn are better than none, not where one of them begins from nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lapwing.adapters.nats_journal import DEAD_AFTER_S
from lapwing.model.errors import Fenced, LapwingError, StorageError, Unreachable
from lapwing.runtime.live import Live
from lapwing.runtime.upstream import Say, Upstream

LOOK_EVERY_S = 0.2
FOLLOW_EVERY_S = 1.0
GRACE_S = 5.0
ALONE_AFTER_S = 10.0        # without the cluster at start, where this machine wrote last
_MARK = "wrote-last"


class Standby:
    """Waits for the lease.

    Parameters
    ----------
    upstream : of the site
    live : the loop, whose state is kept warm
    folder : where it is kept whether this machine wrote last
    """

    def __init__(self, upstream: Upstream, live: Live, folder: Path, say: Say) -> None:
        self._upstream, self._live, self._mark, self._say = upstream, live, folder / _MARK, say
        # The process of this machine that wrote last, if one did.
        self._before = self._mark.read_text(encoding="utf-8") if self._mark.is_file() else ""
        self.writer = ""                 # who writes, while we stand by
        self.problem = ""                # why the journal cannot be followed

    def problems(self) -> dict[str, str]:
        """Return the degraded modes of a standby."""
        found = {"standby": f"{self.writer or 'another machine'} writes the journal and warns; this one follows"}
        return found | ({"no upstream": f"the journal cannot be followed: {self.problem}"} if self.problem else {})

    def wait(self, is_over: Callable[[], bool], turn: Callable[[], None]) -> bool:
        """Return True when this process is the writer (or goes on alone), False where `is_over` said so first.

        `turn` is called several times a second.
        """
        seen, seen_s = 0, time.monotonic()
        lost_s, followed_s, dead_after_s = 0.0, -FOLLOW_EVERY_S, DEAD_AFTER_S
        while not is_over():
            try:
                at, head = self._upstream.connect().look()
                lost_s, self.problem = 0.0, ""
                now_s = time.monotonic()
                if at != seen:
                    dead_after_s = DEAD_AFTER_S + (GRACE_S if seen < 0 else 0.0)
                    seen, seen_s = at, now_s
                if head.what == "release" or head.holder in ("", self._before) or now_s - seen_s >= dead_after_s:
                    return self._take(at)
                if head.holder != self.writer:
                    self._say("notice", f"standing by: {head.holder} writes the journal")
                    self._mark.unlink(missing_ok=True)
                self.writer = head.holder
                if now_s - followed_s >= FOLLOW_EVERY_S:
                    followed_s = now_s
                    self._follow()
            except Fenced:
                seen, seen_s = 0, time.monotonic()      # somebody else was quicker
            except (Unreachable, StorageError) as error:
                # Nothing is known of the writer meanwhile: its time begins anew.
                seen, seen_s = -1, time.monotonic()
                lost_s = lost_s or time.monotonic()
                if not self.problem:
                    self._say("warning", f"the cluster cannot be reached: {error}")
                self.problem = str(error)
                if self._mark.exists() and not self.writer and time.monotonic() - lost_s >= ALONE_AFTER_S:
                    self._say("warning", "this machine wrote last: it goes on without the cluster")
                    return True
            turn()
            time.sleep(LOOK_EVERY_S)
        return False

    def _take(self, at: int) -> bool:
        journal = self._upstream.connect()
        now_at, head = journal.look()
        if now_at != at:
            raise Fenced("the journal moved")
        journal.seize(at, head)
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(journal.holder, encoding="utf-8")
        if self.writer:
            self._say("notice", f"taking over from {self.writer}: term {journal.lease.term}")
        self.writer = ""
        return True

    def _follow(self) -> None:
        try:
            log = self._upstream.newest_for_reading()
            if log is not None:
                self._live.follow(log)
        except Unreachable:
            raise
        except LapwingError as error:
            # It can still take over, from the newest checkpoint.
            if not self.problem:
                self._say("warning", f"the journal cannot be followed: {error}")
            self.problem = str(error)

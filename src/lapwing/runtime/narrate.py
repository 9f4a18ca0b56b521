"""The terminal's account of a run, in event time: one line an event, readable as it scrolls by.

A line stands at the time at which Lapwing knew of it, so the account never runs backwards. What happened earlier than it
became known (a caller reports a fire of some minutes ago, a closest approach is certain once it is past) says its own
time at the end of the line.
"""

from __future__ import annotations

import sys
from typing import TextIO

from lapwing import pipeline
from lapwing.model.ports import Output
from lapwing.model.times import NS_PER_S, to_iso

_COLOUR = {"info": "", "notice": "\x1b[36m", "warning": "\x1b[33m", "alarm": "\x1b[1;31m", "clear": "\x1b[32m"}
_RESET = "\x1b[0m"
EARLIER_NS = 5 * NS_PER_S   # an event this much older than the batch that brought it carries its own time


class Narrator:
    """Prints the incident events of each batch as they happen."""

    def __init__(self, stream: TextIO | None = None, *, quiet_kinds: frozenset[str] = frozenset()) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty()
        self._quiet = quiet_kinds
        self._last_ns = 0

    def __call__(self, outcome: pipeline.Outcome, outputs: list[Output]) -> None:
        """Print what one batch led to."""
        # What is a few seconds old stands in its own place among the events of its batch.
        ordered = sorted(outcome.events, key=lambda event: self._known_ns(event.time_ns, outcome.now_ns))
        for event in ordered:
            # An automatic proposal is followed by its own "sent" line at once: telling both is noise.
            automatic = event.kind == "proposal" and "needs no approval" in event.text
            if event.kind not in self._quiet and not automatic:
                known_ns = self._known_ns(event.time_ns, outcome.now_ns)
                own = to_iso(event.time_ns, digits=0)[11:]
                late = known_ns - event.time_ns >= EARLIER_NS and own not in event.text
                self.line(known_ns, event.kind, f"{event.text} ({own})" if late else event.text, event.severity)
                self._last_ns = known_ns

    def _known_ns(self, time_ns: int, now_ns: int) -> int:
        """Return when an event became known: its own time where that is fresh, else that of its batch."""
        return max(self._last_ns, time_ns if now_ns - EARLIER_NS < time_ns <= now_ns else now_ns)

    def line(self, time_ns: int, kind: str, text: str, severity: str = "info") -> None:
        """Print one line: time of the event, what kind it is, what happened."""
        start = _COLOUR.get(severity, "") if self._colour else ""
        label = kind.replace("_", " ").upper()
        print(f"{to_iso(time_ns, digits=0)[11:]}  {start}{label:<16}{_RESET if start else ''}  {text}",
              file=self._stream, flush=True)

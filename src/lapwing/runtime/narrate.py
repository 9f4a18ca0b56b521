"""The terminal's account of a run, in event time: one line an event, readable as it scrolls by."""

from __future__ import annotations

import sys
from typing import TextIO

from lapwing import pipeline
from lapwing.model.ports import Output
from lapwing.model.times import to_iso

_COLOUR = {"info": "", "notice": "\x1b[36m", "warning": "\x1b[33m", "alarm": "\x1b[1;31m", "clear": "\x1b[32m"}
_RESET = "\x1b[0m"


class Narrator:
    """Prints the incident events of each batch as they happen."""

    def __init__(self, stream: TextIO | None = None, *, quiet_kinds: frozenset[str] = frozenset()) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty()
        self._quiet = quiet_kinds

    def __call__(self, outcome: pipeline.Outcome, outputs: list[Output]) -> None:
        """Print what one batch led to."""
        for event in outcome.events:
            # An automatic proposal is followed by its own "sent" line at once: telling both is noise.
            automatic = event.kind == "proposal" and "needs no approval" in event.text
            if event.kind not in self._quiet and not automatic:
                self.line(event.time_ns, event.kind, event.text, event.severity)

    def line(self, time_ns: int, kind: str, text: str, severity: str = "info") -> None:
        """Print one line: time of the event, what kind it is, what happened."""
        start = _COLOUR.get(severity, "") if self._colour else ""
        label = kind.replace("_", " ").upper()
        print(f"{to_iso(time_ns, digits=0)[11:]}  {start}{label:<16}{_RESET if start else ''}  {text}",
              file=self._stream, flush=True)

"""While kernels are compiled or loaded: the first datagram of each link, decoded with plain Python and said.

A cold start takes some ten seconds to a minute until the loop turns. Datagrams are taken from its first moment on and wait; whoever
watches the log sees at once that a radar is there, what it sends, and in which edition. Nothing of it enters the picture or the
journal: the loop decodes the same datagrams again, in order, when it turns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from lapwing.model.entries import ASTERIX
from lapwing.model.sensors import SensorTable
from lapwing.runtime.intake import Intake
from lapwing.sense.asterix.framing import Frame
from lapwing.sense.asterix.listing import Listed, list_records
from lapwing.sense.asterix.records import Editions

LOOK_EVERY_S = 0.05


class FirstLook:
    """A thread from `start` to `stop`."""

    def __init__(self, intake: Intake, names: Mapping[str, str], sensors: SensorTable, say: Callable[[str, str], None]) -> None:
        self._intake, self._names, self._sensors, self._say = intake, names, sensors, say
        by_source = {(category, s.sac, s.sic): edition for s in sensors.rows if s.sac >= 0 for category, edition in s.editions.items()}
        self._editions = Editions({}, by_source)
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="first look", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Say what the first datagram of each new link holds."""
        for link, item in self._intake.first_items().items():
            if link not in self._seen:
                self._seen.add(link)
                words = self.words(item[2], item[3])
                self._say("info", f"{self._names.get(link, link)}: {words}; what comes in waits until the kernels are ready")

    def words(self, format_: str, payload: bytes) -> str:
        """Return in words what a datagram holds."""
        if format_ != ASTERIX:
            return f"first entry of format {format_}, {len(payload)} octets"
        found: dict[str, int] = {}
        refused = ""
        for row in list_records([Frame(0, payload)], self._editions):
            if isinstance(row, Listed):
                index = self._sensors.index_of_source(row.sac, row.sic)
                name = f" ({self._sensors.rows[index].id})" if index >= 0 else ""
                key = f"CAT{row.category:03d} edition {row.edition} of {row.sac}/{row.sic}{name}"
                found[key] = found.get(key, 0) + 1
            else:
                refused = f"{row.reason}: {row.detail}"
        parts = [f"{key}, {count} record{'s' if count != 1 else ''}" for key, count in found.items()]
        return "first datagram decoded: " + "; ".join([*parts, *([refused] if refused else [])])

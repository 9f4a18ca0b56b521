"""The regions of a country at work: this site's claims into the common store, everybody's out of it into the journal.

Nothing here decides: claims come in as entries, like a radar's plots, and what is to be stored are outputs of the pipeline. A
store that is out of reach costs the common numbers, not the watching: each region goes on by itself and says so.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

from lapwing.adapters.nats_claims import ClaimStore
from lapwing.adapters.nats_link import NatsLink, parse_target
from lapwing.model.entries import CLAIM
from lapwing.model.errors import Fenced, LapwingError, StorageError
from lapwing.model.ports import Output
from lapwing.runtime.health import Sample
from lapwing.runtime.intake import Intake
from lapwing.runtime.site_region import RegionSettings
from lapwing.sense.claims import LINK

RETRY_S = 1.0
WAITING_MAX = 4_096          # numbers with a claim to be stored: the newest of each
REPLICAS_FROM = 3
PATIENCE_S = 2.0
Say = Callable[[str, str], None]


class Regions:
    """Exchanges claims in two threads of its own, so that the loop never waits for the store.

    Parameters
    ----------
    settings : of the site's region
    intake : where claims wait for the loop
    clock : nanoseconds UTC of now
    say : called with (level, text)
    """

    def __init__(self, settings: RegionSettings, intake: Intake, clock: Callable[[], int], say: Say) -> None:
        self._settings, self._intake, self._clock, self._say = settings, intake, clock, say
        self._target = parse_target(settings.store, where="region store")
        self._stopping = threading.Event()
        self._condition = threading.Condition()
        self._waiting: dict[str, tuple[bytes, int]] = {}
        self._next = 1
        self.problem = "not connected yet"
        self.stored = self.refused = self.heard = 0
        self._threads = [threading.Thread(target=work, name=name, daemon=True)
                         for work, name in ((self._write, "regions-write"), (self._read, "regions-read"))]

    def start(self) -> None:
        """Begin to exchange."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what waits is not stored."""
        self._stopping.set()
        with self._condition:
            self._condition.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PATIENCE_S + 3.0)

    def publish(self, outputs: Sequence[Output]) -> None:
        """Have the claims among a batch's outputs stored, the newest of each number."""
        with self._condition:
            for output in outputs:
                if output.kind == "claim":
                    row = json.loads(output.payload)
                    self._waiting.pop(row["number"], None)
                    self._waiting[row["number"]] = (output.payload, int(row["expected"]))
            while len(self._waiting) > WAITING_MAX:
                self._waiting.pop(next(iter(self._waiting)))
            self._condition.notify_all()

    def problems(self) -> dict[str, str]:
        """Return the degraded mode of a site that stands alone."""
        return {"regions": f"the regions' common store is out of reach: {self.problem}; tracks keep this region's own numbers"} \
            if self.problem else {}

    def samples(self) -> list[Sample]:
        """Return what /metrics says."""
        return [("lapwing_claims_total", {"what": "stored"}, self.stored), ("lapwing_claims_total", {"what": "refused"}, self.refused),
                ("lapwing_claims_total", {"what": "heard"}, self.heard)]

    def _connect(self) -> tuple[NatsLink, ClaimStore]:
        link = NatsLink(self._target.servers, credentials=self._settings.credentials, patience_s=PATIENCE_S, name="lapwing regions")
        try:
            return link, ClaimStore(link, self._target.journal, replicas=3 if len(self._target.servers) >= REPLICAS_FROM else 1)
        except BaseException:
            link.close()
            raise

    def _supervised(self, work: Callable[[ClaimStore], None]) -> None:
        while not self._stopping.is_set():
            link = None
            try:
                link, store = self._connect()
                work(store)
            except LapwingError as error:
                if not self.problem or self.problem == "not connected yet":
                    self._say("warning", f"regions: the common store is out of reach: {error}")
                self.problem = str(error)
            finally:
                if link is not None:
                    link.close()
            self._stopping.wait(RETRY_S)

    def _read(self) -> None:
        self._supervised(self._read_on)

    def _read_on(self, store: ClaimStore) -> None:
        self._well()
        for place, payload in store.follow(self._next, self._stopping.is_set):
            self._next = place + 1
            self.heard += 1
            self._intake.put((self._clock(), LINK, CLAIM, payload))
            self._well()

    def _well(self) -> None:
        if self.problem:
            self._say("notice", "regions: the common store answers")
        self.problem = ""

    def _write(self) -> None:
        self._supervised(self._write_on)

    def _write_on(self, store: ClaimStore) -> None:
        while not self._stopping.is_set():
            with self._condition:
                if not self._waiting:
                    self._condition.wait(1.0)
                work, self._waiting = self._waiting, {}
            for number, (payload, expected) in work.items():
                if self._stopping.is_set():
                    return
                try:
                    store.put(number, payload, expected)
                    self.stored += 1
                except Fenced:
                    self.refused += 1      # another region was quicker: its claim is on its way to us
                except StorageError:
                    with self._condition:
                        self._waiting = {number: (payload, expected)} | self._waiting
                    raise

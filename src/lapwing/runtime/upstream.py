"""The journal of a site in a cluster, with its local files for the time that the cluster is out of reach.

While the cluster answers, a batch is committed there and nowhere else. Where a write fails, the batch and those after it go
into a spool (`runtime.spool`), watching and warning go on, and a thread brings the spool back as soon as the cluster answers;
for the last few batches the loop does it itself, so that there is no moment with two writers. Where another machine has
taken the journal over meanwhile, the next commit raises `Fenced` and this process must end.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lapwing.adapters.nats_journal import DEAD_AFTER_S, NatsJournal
from lapwing.adapters.nats_link import NatsLink, Target
from lapwing.adapters.nats_log import NatsLog
from lapwing.adapters.nats_records import pack_facts
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import Fenced, Held, LapwingError, StorageError, Unreachable
from lapwing.model.ports import Batch, Lease, Output
from lapwing.record.journal import GENESIS, Head
from lapwing.runtime.segments import first_facts
from lapwing.runtime.spool import GROUP_BATCHES, Diverged, begin_spool, bring_back, remove, set_aside, spools

RETRY_S = 0.5
REPLICAS_FROM = 3             # servers named: from then on three copies
PATIENCE_S = 2.0              # for one answer: the loop may stand still for so long, once, when the cluster is lost
_NUMBERED = re.compile(r"journal-(\d{6})\.sqlite")
Say = Callable[[str, str], None]


class Upstream:
    """The journal. Implements `runtime.segments.Journal`.

    Parameters
    ----------
    target, credentials : where the cluster is, and the file with user and password
    folder : of spools
    say : called with (level, text) for what a person should know
    """

    def __init__(self, target: Target, credentials: str, folder: Path, say: Say, *, patience_s: float = PATIENCE_S) -> None:
        self.target, self.folder = target, folder
        self._credentials, self._say, self._patience_s = credentials, say, patience_s
        self._link: NatsLink | None = None
        self.journal: NatsJournal | None = None
        self.lost_why = ""                   # empty: the cluster is written to
        self.fenced: Fenced | None = None
        self.carried_count = 0               # batches brought back
        self._caught_up = threading.Event()
        self._closing = threading.Event()
        self._returning: threading.Thread | None = None
        self._newest_number = 0              # of the segments known

    # The connection

    def connect(self) -> NatsJournal:
        """Return the journal, connected. Raises Unreachable, StorageError, ConfigError."""
        if self._link is None:
            self._link = NatsLink(self.target.servers, credentials=self._credentials, patience_s=self._patience_s)
        if self.journal is None:
            self.journal = NatsJournal(self._link, self.target.journal, replicas=3 if len(self.target.servers) >= REPLICAS_FROM else 1)
        return self.journal

    def release_notices(self, outputs: Sequence[Output]) -> None:
        """Publish the notices among journaled outputs to their allies; where the cluster is out of reach they stand in the journal."""
        for output in outputs:
            if output.kind == "notice" and self._link is not None and not self.lost_why:
                partner = re.sub("[^a-z0-9-]", "-", str(json.loads(output.payload)["partner"]).lower())
                with contextlib.suppress(Unreachable):
                    self._link.tell(f"released.{partner}.notice", output.payload)

    # Segments

    def newest_for_reading(self) -> NatsLog | None:
        """Return the newest segment as another writer leaves it; None where there is none. Raises Unreachable."""
        journal = self.connect()
        _, head = journal.look()
        return NatsLog(journal, head.segment, read_only=True, end=head) if head.segment else None

    def open_newest(self) -> ClusterLog | None:
        """Return the newest segment, open for writing, after everything spooled was brought back; None where there is none."""
        try:
            journal = self.connect()
            if not journal.lease.term:
                journal.take(patience_s=DEAD_AFTER_S)
            self._bring_all_back(journal, keep_last=False)
            self._know_number(journal)
            if not journal.head.segment:
                return None
            return ClusterLog(self, journal.head.segment, NatsLog(journal, journal.head.segment), None)
        except Unreachable as error:
            self.lose(error)
        waiting = spools(self.folder)
        if not waiting:
            return None
        log = SqliteLog(waiting[-1].path)
        if log.checkpoint() is None and log.first_batch() > 0:
            log.close()      # what it goes on from lies in the cluster
            return None
        return ClusterLog(self, waiting[-1].segment, None, log)

    def begin(self, facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS, initial_state: bytes | None = None,
              gap: str = "") -> ClusterLog:
        """Begin the next segment, in the cluster or, where it is out of reach, in a spool."""
        self.check_fence()
        found = first_facts(facts, previous=previous, previous_head=previous_head, initial_state=initial_state, gap=gap)
        self._newest_number += 1
        name = f"journal-{self._newest_number:06d}.sqlite"
        if not self.lost_why:
            assert self.journal is not None, "not lost means connected"
            try:
                self.journal.begin(name, pack_facts(found))
                return ClusterLog(self, name, NatsLog(self.journal, name), None)
            except Fenced:
                raise
            except StorageError as error:
                self.lose(error)
        elif self.journal is None:
            name = time.strftime("offline-%Y%m%dT%H%M%SZ.sqlite", time.gmtime())    # the cluster's numbers are not known
        spool = begin_spool(self.folder, name, Head(-1, GENESIS, 0, 0), found)
        return ClusterLog(self, name, None, spool)

    def _know_number(self, journal: NatsJournal) -> None:
        for record in journal.records(1, 1 << 62, ("begin",)):
            match = _NUMBERED.fullmatch(record.head.segment)
            self._newest_number = max(self._newest_number, int(match[1]) if match else 0)

    # Losing the cluster and finding it again

    def check_fence(self) -> None:
        """Raise Fenced where another machine has taken over."""
        if self.fenced is not None:
            raise self.fenced

    def lose(self, error: StorageError) -> None:
        """Go on without the cluster."""
        if not self.lost_why:
            self._say("error", f"no upstream: {error}; watching and warning go on with the local journal")
        self.lost_why = str(error)
        self._caught_up.clear()
        if self._returning is None or not self._returning.is_alive():
            self._returning = threading.Thread(target=self._return, name="upstream", daemon=True)
            self._returning.start()

    def _return(self) -> None:
        """Bring spools back until only the newest one's last batches are missing."""
        while not self._closing.wait(RETRY_S):
            try:
                journal = self.connect()
                if journal.lease.term:
                    journal.resume()
                    journal.renew()       # before anything that takes time: a standby counts the seconds
                else:
                    journal.take(patience_s=DEAD_AFTER_S)
                if self._bring_all_back(journal, keep_last=True) <= GROUP_BATCHES:      # one write more: the loop can wait for it
                    self._caught_up.set()
                    return
            except Fenced as error:
                self.fenced = error
                return
            except Unreachable as error:
                self.lost_why = str(error)
            except Held as error:
                self.fenced = Fenced(f"taken over while the cluster was out of reach: {error.what}", where=error.where,
                                     remedy="this process must end; started again it stands by")
                return
            except LapwingError as error:
                self.lost_why = str(error)

    def _bring_all_back(self, journal: NatsJournal, *, keep_last: bool) -> int:
        """Bring back every spool; return how many batches of the newest one that was. Spools that are done are removed."""
        count, waiting = 0, spools(self.folder)
        for spool in waiting:
            try:
                count = bring_back(journal, spool)
                self.carried_count += count
            except Diverged as error:
                if keep_last and spool is waiting[-1]:
                    # Somebody took over, wrote, and let go again while this process went on by itself.
                    raise Fenced(f"the journal went on without this machine: {error}") from error
                self._say("error", f"{error}; kept as {set_aside(spool).name}: it holds what this machine alone took while it was cut off")
                continue
            if not (keep_last and spool is waiting[-1]):
                remove(spool.path)
        return count

    def may_return(self) -> bool:
        """Whether the loop can bring back the rest now."""
        self.check_fence()
        return bool(self.lost_why) and self._caught_up.is_set()

    def returned(self, segment: str, spool: SqliteLog) -> NatsLog:
        """Bring back the rest of the newest spool; return the segment in the cluster. Raises Unreachable, Fenced."""
        assert self.journal is not None, "caught up means connected"
        try:
            self._bring_all_back(self.journal, keep_last=True)
            log = NatsLog(self.journal, segment)
            if log.head() != spool.head():
                raise StorageError("the cluster's copy does not end as the local one does", where=log.where, remedy="see the log")
        except Fenced:
            raise
        except StorageError as error:
            self.lose(error)
            raise
        spool.close()
        remove(spool.path)
        self.lost_why = ""
        self._caught_up.clear()
        self._say("notice", f"the cluster is written again: {self.carried_count} batches were brought back")
        return log

    def release(self) -> None:
        """Let go of the lease and the connection."""
        self._closing.set()
        if self._returning is not None:
            self._returning.join(self._patience_s + 2.0)
        if self._link is not None:
            if self.journal is not None and not self.lost_why and self.fenced is None:
                try:
                    self.journal.release()
                except StorageError as error:
                    self._say("notice", f"the lease could not be given back: {error}; the next writer waits {DEAD_AFTER_S:.0f} s")
            self._link.close()


class ClusterLog:
    """A segment that lies in the cluster and, for a while, in a spool. Implements `runtime.segments.SegmentLog`."""

    def __init__(self, upstream: Upstream, name: str, log: NatsLog | None, spool: SqliteLog | None) -> None:
        assert (log is None) != (spool is None), "a batch goes to one place"
        self.name, self._upstream, self._log, self._spool = name, upstream, log, spool
        self._waiting: Batch | None = None
        self.wants_point = False

    @property
    def _now(self) -> NatsLog | SqliteLog:
        now = self._log if self._log is not None else self._spool
        assert now is not None, "one of the two is there"
        return now

    @property
    def where(self) -> str:
        """Where it is written now."""
        return self._now.where

    def append(self, batch: Batch) -> None:
        """Take a batch; it becomes durable with its outputs."""
        self._upstream.check_fence()
        if self._spool is not None and self._upstream.may_return():
            try:
                self._log = self._upstream.returned(self.name, self._spool)
                self._spool, self.wants_point = None, False
            except Fenced:
                raise
            except StorageError:
                pass       # lost again: it was said, and the spool goes on
        self._now.append(batch)
        self._waiting = batch

    def commit(self, batch_number: int, outputs: Sequence[Output], checkpoint: bytes | None = None) -> None:
        """Store the batch and its outputs in the cluster, else in the spool. Raises Fenced where another machine writes."""
        if self._log is not None:
            try:
                self._log.commit(batch_number, outputs, checkpoint)
                return
            except Fenced:
                raise
            except StorageError as error:
                self._fall_back(error)
        assert self._spool is not None, "made by falling back"
        self._spool.commit(batch_number, outputs, checkpoint)
        self.wants_point = self.wants_point and checkpoint is None

    def _fall_back(self, error: StorageError) -> None:
        assert self._log is not None and self._waiting is not None, "a commit that failed has a batch"
        facts = self._log.known_meta()
        self._spool = begin_spool(self._upstream.folder, self.name, self._log.head(), facts)
        self._log = None
        self._upstream.lose(error)
        self.wants_point = True         # so that a restart without the cluster can go on from the spool alone
        self._spool.append(self._waiting)

    def renew(self) -> None:
        """Show that the writer lives."""
        self._now.renew()

    def lease(self) -> Lease:
        """Return the lease."""
        return self._now.lease()

    def read(self, first_batch: int = 0) -> Iterator[Batch]:
        """Yield the batches from a number on."""
        return self._now.read(first_batch)

    def outputs(self, first_batch: int = 0) -> Iterator[tuple[int, Output]]:
        """Yield (batch number, output) in order."""
        return self._now.outputs(first_batch)

    def outputs_of(self, kind: str, first_batch: int = 0) -> list[tuple[int, Output]]:
        """Return (batch number, output) of one kind, in order."""
        return self._now.outputs_of(kind, first_batch)

    def head(self) -> Head:
        """Return the segment's end."""
        return self._now.head()

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return the newest checkpoint."""
        return self._now.checkpoint()

    def last_batch(self) -> int:
        """Return the number of the last batch."""
        return self._now.last_batch()

    def meta(self) -> dict[str, str]:
        """Return the facts."""
        return self._now.meta()

    def set_meta(self, values: dict[str, str]) -> None:
        """Store facts."""
        self._now.set_meta(values)

    def close(self) -> None:
        """Close the segment; the lease stays with `Upstream`."""
        self._now.close()

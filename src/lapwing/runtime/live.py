"""The live loop: what waits becomes a batch, is journaled with its outputs, and goes out. One turn a window.

Killed anywhere, it goes on from the newest checkpoint and steps the journaled batches after it again. Where the journal
cannot be written (disk full, failing disk) the loop goes on warning without it, says so, and begins a new segment as
soon as the disk takes one; the missing stretch is a fact of that segment.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lapwing import __version__, pipeline
from lapwing.model.alerts import Warned
from lapwing.model.entries import TICK, Entry
from lapwing.model.errors import Fenced, StorageError
from lapwing.model.notices import Responded, Shared
from lapwing.model.ports import Batch, Output
from lapwing.model.sensors import SensorTable
from lapwing.model.times import DAY_NS, NS_PER_S, from_seconds, to_iso
from lapwing.record import codec
from lapwing.record.incident import Event
from lapwing.record.journal import GENESIS
from lapwing.runtime.batches import Item
from lapwing.runtime.intake import KEPT_NS, Intake
from lapwing.runtime.outputs import outputs_of
from lapwing.runtime.runner import Observer
from lapwing.runtime.segments import Folder, Journal, SegmentLog

TICK_EVERY_NS = NS_PER_S
RECENT_MAX = 100             # of the batches that led to something: an evening's screen
REOPEN_EVERY_NS = 10 * NS_PER_S
CATCH_UP_NS = KEPT_NS        # what waited for longer, at the start or after a stall, is processed in pieces, one a turn


@dataclass(frozen=True, slots=True)
class LivePoint:
    """A checkpoint of the live loop."""

    state: pipeline.State
    entries: int                 # journal entries of this segment so far
    now_ns: int
    recent: tuple[Happened, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """What a batch led to that a console shows for longer than a moment: proposals, alerts, notices, events."""

    now_ns: int
    warned: Warned | None
    responded: Responded | None
    shared: Shared | None
    events: tuple[Event, ...]


def happened(outcome: pipeline.Outcome) -> Happened | None:
    """Return what of an outcome must be told again after a restart; None where nothing."""
    warned, responded, shared = outcome.warned, outcome.responded, outcome.shared
    told = [outcome.events, warned and (warned.proposals or warned.alerts or warned.decisions),
            responded and (responded.patrol or responded.sightings), shared and (shared.notices or shared.changed)]
    return Happened(outcome.now_ns, warned, responded, shared, outcome.events) if any(told) else None


def merged_sensors(known: SensorTable | None, configured: SensorTable) -> SensorTable:
    """Return the table to go on with: rows keep their places, configured ones are replaced or appended by their id."""
    table = known if known is not None else SensorTable()
    for sensor in configured.rows:
        table = table.with_sensor(sensor)
    return table


def pieces(items: list[Item]) -> list[list[Item]]:
    """Cut what waited, in order of reception, so that no piece is longer than a tracker takes in one step."""
    found: list[list[Item]] = []
    for item in items:
        if not found or item[0] - found[-1][0][0] >= CATCH_UP_NS:
            found.append([])
        found[-1].append(item)
    return found


class Live:
    """The loop of a site.

    Parameters
    ----------
    journal : where its segments lie, or the folder of their files
    setup, facts : of the pipeline, and what the journal must say of it
    intake : where items wait
    clock : nanoseconds UTC of now, never going back
    say : called with (level, text) for what a person should know
    window_s, checkpoint_s : length of a batch; time between two checkpoints
    daily : a new segment begins with each day of UTC, so that old ones can leave
    observers : called after each batch with its outcome and outputs
    """

    def __init__(self, journal: Journal | Path, setup: pipeline.Setup, facts: dict[str, str], intake: Intake,
                 clock: Callable[[], int], say: Callable[[str, str], None], *, window_s: float = 0.1,
                 checkpoint_s: float = 60.0, observers: Iterable[Observer] = (), daily: bool = False) -> None:
        self.journal: Journal = Folder(journal) if isinstance(journal, Path) else journal
        self.setup, self.facts = setup, facts
        self.observers = list(observers)
        self._intake, self._clock, self._say = intake, clock, say
        self._window_ns, self._checkpoint_ns = from_seconds(window_s), from_seconds(checkpoint_s)
        self.state = pipeline.State()
        self.log: SegmentLog | None = None
        self._warm: tuple[str, int] | None = None     # segment and batch that the state of a standby has reached
        self._warm_setup = setup
        self._number = self._sequence = self._last_ns = self._point_ns = 0
        self._previous = ("", GENESIS)
        self.unrecorded_since_ns = 0          # 0: the journal is written
        self.unrecorded_why = ""
        self._retry_ns = 0
        self._daily, self._day = daily, 0     # day of UTC that the newest segment is of
        self.turn_ns = 0                      # time of the newest turn
        self.batch_count = self.entry_count = self.plot_count = self.unrecorded_batches = 0
        self.refused: dict[str, int] = {}
        self.recovered_batches = 0
        self.recovered_outputs: list[tuple[str, int, Output]] = []   # (segment, batch, output) that may not have gone out
        self.recent: deque[Happened] = deque(maxlen=RECENT_MAX)
        self.retold: list[Observer] = []      # observers that are told after a restart what happened before it
        self._to_retell: tuple[Happened, ...] = ()
        self.written = threading.Condition()
        self.taken_count = 0                  # people's entries that are durable (or could not be: the journal is out)

    # Beginning

    def recover(self, mark: tuple[str, int] = ("", -1)) -> None:
        """Go on where the journal ends; begin one where there is none. Raises StorageError where it cannot be written.

        `mark` is the (segment, batch) up to which alerts were handed to the channels.
        """
        log = self.journal.open_newest()
        if log is None:
            self._adopt(self.journal.begin(self.facts))
            return
        gap = ""
        try:
            meta = log.meta()
            gap = self._recovered(log, mark, same=meta.get("lapwing") == __version__)
        except BaseException:
            log.close()
            raise
        if gap:
            self._begin_after(log, gap)
        elif all(meta.get(key) == value for key, value in self.facts.items()):
            self._adopt(log, going_on=True)
        else:
            self._say("notice", "the configuration has changed since: a new segment of the journal begins")
            self._begin_after(log)

    def follow(self, log: SegmentLog) -> None:
        """Bring the state of a standby up to what the writer has journaled. Raises StorageError."""
        if self._warm is None or self._warm[0] != log.name:
            self._warm_setup, first = self._begin_from(log, log.meta())
            self._warm = (log.name, first - 1)
        for batch in log.read(self._warm[1] + 1):
            self._step_again(batch, self._warm_setup)
            self._warm = (log.name, batch.number)

    def _recovered(self, log: SegmentLog, mark: tuple[str, int], *, same: bool) -> str:
        """Bring the state to the end of a segment; return why it could not be, where the next one starts from nothing."""
        try:
            self._restep(log, mark, same=same)
            return ""
        except StorageError as error:
            if same:
                raise
            # Another version's memory cannot be read: tracks are found again within seconds, and the record says so.
            self._say("warning", f"the state of version {log.meta().get('lapwing')} cannot be read ({error}): tracks begin anew")
            self.state = pipeline.State()
            return f"started without the tracks of version {log.meta().get('lapwing')}"

    def _restep(self, log: SegmentLog, mark: tuple[str, int], *, same: bool) -> None:
        """Bring the state to the end of a segment; collect what may not have gone out yet."""
        meta = log.meta()
        setup, first = self._begin_from(log, meta)
        for batch in log.read(first):
            self._step_again(batch, setup)
            self.recovered_batches += 1
        self._to_retell = tuple(self.recent)
        for number, output in log.outputs_of("alert", mark[1] + 1 if mark[0] == log.name else 0):
            self.recovered_outputs.append((log.name, number, output))
        if not same:
            self._say("notice", f"the journal was written by version {meta.get('lapwing')}: a new segment begins")

    def _begin_from(self, log: SegmentLog, meta: dict[str, str]) -> tuple[pipeline.Setup, int]:
        """Take up the state of the newest checkpoint, or of a standby; return the setup of a segment and the batch to go on with."""
        first = 0
        if self._warm is not None and self._warm[0] == log.name and self._warm[1] <= log.last_batch():
            first = self._warm[1] + 1
        else:
            found = log.checkpoint()
            if found is None and "initial_state" in meta:
                found = (-1, bytes.fromhex(meta["initial_state"]))
            if found is not None:
                point = codec.decode(found[1])
                if not isinstance(point, LivePoint) or not pipeline.fits(point.state):
                    raise StorageError("the checkpoint is not one of a live site of this version",
                                       where=f"{log.where}, batch {found[0]}",
                                       remedy="move this journal away: a new one begins")
                self.state, self._last_ns, first = point.state, point.now_ns, found[0] + 1
                self.recent.clear()
                self.recent.extend(point.recent)
        # Stepped with the configuration that they were made with; their alerts stand in the journal already.
        unchanged = all(meta.get(key) == value for key, value in self.facts.items())
        return self.setup if unchanged else _setup_of_meta(meta, self.setup), first

    def _step_again(self, batch: Batch, setup: pipeline.Setup) -> None:
        self.state, outcome = pipeline.step(self.state, batch.entries, setup)
        self._last_ns = outcome.now_ns
        self._remember(outcome)

    def _adopt(self, log: SegmentLog, *, going_on: bool = False) -> None:
        head = log.head()
        self.log, self._number, self._sequence = log, head.number + 1, head.entry_count
        self._previous = (log.name, head.digest)
        if not going_on:
            self.state = replace(self.state, sense=replace(self.state.sense, sensors=merged_sensors(
                self.state.sense.sensors, self.setup.sense.sensors)))

    def _begin_after(self, log: SegmentLog | None, gap: str = "") -> None:
        if log is not None:
            self._previous = (log.name, log.head().digest)
            log.close()
            self.log = None
        self.state = replace(self.state, sense=replace(self.state.sense, sensors=merged_sensors(
            self.state.sense.sensors, self.setup.sense.sensors)))
        point = codec.encode(LivePoint(self.state, 0, self._last_ns, tuple(self.recent)))
        self._adopt(self.journal.begin(self.facts, previous=self._previous[0], previous_head=self._previous[1],
                                   initial_state=point, gap=gap), going_on=True)

    def reconfigure(self, setup: pipeline.Setup, facts: dict[str, str]) -> None:
        """Go on with another setup: tracks, warnings and times stay. A new segment begins."""
        self.setup, self.facts = setup, facts
        if self.log is None:
            return            # without a journal now: the segment that ends the gap takes the new facts
        try:
            self._begin_after(self.log)
        except Fenced:
            raise
        except StorageError as error:
            self._lose_journal(error)

    # Turning

    @property
    def behind(self) -> bool:
        """Whether more waits than a turn takes: the next turn is due at once."""
        return self._intake.waited_ns(self._clock()) > CATCH_UP_NS

    def turn(self) -> pipeline.Outcome | None:
        """Process what waits; a tick a second where nothing does. None where there was nothing to do."""
        now_ns = self._clock()
        self.turn_ns = now_ns
        self._begin_day(now_ns)
        if shed := self._intake.keep_up(now_ns):
            self._say("warning", f"the loop was behind and did not gain on it: {shed} datagrams shed, the oldest first")
        items = self._intake.take(CATCH_UP_NS)
        people = sum(1 for item in items if item[1].startswith("console"))
        if not items and now_ns - self._last_ns < TICK_EVERY_NS:
            return None
        for piece in pieces(items) or [[(now_ns, "clock", TICK, b"")]]:
            outcome = self._process(piece)
        if people:
            with self.written:
                self.taken_count += people
                self.written.notify_all()
        return outcome

    def _begin_day(self, now_ns: int) -> None:
        """Begin a new segment where a day of UTC has begun since the last turn."""
        day, before = now_ns // DAY_NS, self._day
        self._day = max(day, before)
        if self._daily and before and day > before and self.log is not None and self.log.last_batch() >= 0:
            try:
                self._begin_after(self.log)
            except Fenced:
                raise
            except StorageError as error:
                self._lose_journal(error)

    def _process(self, items: list[Item]) -> pipeline.Outcome:
        entries = []
        for i, (received_ns, link, format_, payload) in enumerate(items):
            self._last_ns = max(self._last_ns, received_ns)
            entries.append(Entry(self._sequence + i, self._last_ns, link, format_, payload))
        batch = Batch(self._number, tuple(entries))
        if self.log is None and self.turn_ns >= self._retry_ns:
            self._regain_journal()
            batch = Batch(self._number, tuple(replace(e, sequence=self._sequence + i) for i, e in enumerate(entries)))
        if self.log is not None:
            try:
                self.log.append(batch)
            except Fenced:
                raise             # another machine watches and warns with this journal: this one must not
            except StorageError as error:
                self._lose_journal(error)
        self.state, outcome = pipeline.step(self.state, batch.entries, self.setup)
        outputs = outputs_of(outcome)
        self._remember(outcome)       # before the commit: its checkpoint must hold what this very batch led to
        self._commit(batch, outputs)
        self.batch_count += 1
        self.entry_count += len(entries)
        self.plot_count += len(outcome.sensed.plots)
        for refusal in outcome.sensed.refusals:
            self.refused[refusal.reason] = self.refused.get(refusal.reason, 0) + refusal.count
        for told in self._to_retell:
            again = replace(outcome, now_ns=told.now_ns, warned=told.warned, responded=told.responded, shared=told.shared,
                            events=told.events)
            for observer in self.retold:
                observer(again, [])
        self._to_retell = ()
        for observer in self.observers:
            observer(outcome, outputs)
        return outcome

    def _remember(self, outcome: pipeline.Outcome) -> None:
        worth = happened(outcome)
        if worth is not None:
            self.recent.append(worth)

    def _commit(self, batch: Batch, outputs: list[Output]) -> None:
        if self.log is None:
            self.unrecorded_batches += 1
            return
        point = None
        if self._last_ns - self._point_ns >= self._checkpoint_ns or self.log.wants_point:
            point = self._point(batch)
        try:
            self.log.commit(batch.number, outputs, point)
        except Fenced:
            raise
        except StorageError as error:
            self._lose_journal(error)
            self.unrecorded_batches += 1
            return
        if point is not None:
            self._point_ns = self._last_ns
        self._number, self._sequence = batch.number + 1, self._sequence + len(batch.entries)

    def _point(self, batch: Batch) -> bytes:
        return codec.encode(LivePoint(self.state, self._sequence + len(batch.entries), self._last_ns, tuple(self.recent)))

    @property
    def place(self) -> tuple[str, int]:
        """Return segment and number of the newest batch in the journal."""
        return self._previous[0], self._number - 1

    # Without a journal

    def _lose_journal(self, error: StorageError) -> None:
        self.unrecorded_since_ns = self.unrecorded_since_ns or self._last_ns
        self.unrecorded_why = str(error)
        self._retry_ns = self.turn_ns + REOPEN_EVERY_NS
        self._say("error", f"the journal is not written: {error}; watching and warning go on without it")
        log, self.log = self.log, None
        if log is not None:
            self._previous = (log.name, log.head().digest)
            try:
                log.close()
            except StorageError as second:
                self._say("error", f"closing the journal: {second}")

    def _regain_journal(self) -> None:
        self._retry_ns = self.turn_ns + REOPEN_EVERY_NS
        gap = (f"no input from {to_iso(self.unrecorded_since_ns)} to {to_iso(self._last_ns)}: {self.unrecorded_why}")
        try:
            self._begin_after(None, gap)
        except Fenced:
            raise
        except StorageError as error:
            self.unrecorded_why = str(error)
            return
        self.unrecorded_since_ns = 0
        self._point_ns = self._last_ns
        self._say("notice", f"the journal is written again; {gap}")

    def stop(self) -> None:
        """Process what still waits, leave a checkpoint, and close the journal."""
        items = self._intake.take()
        self.turn_ns = self._clock()
        self._point_ns = -self._checkpoint_ns   # the last batch carries a checkpoint: the next start is quick
        for piece in pieces(items) or [[(self.turn_ns, "clock", TICK, b"")]]:
            self._process(piece)
        if self.log is not None:
            self.log.close()
            self.log = None


def _setup_of_meta(meta: dict[str, str], now: pipeline.Setup) -> pipeline.Setup:
    """Return the setup that a segment was made with, as far as it can be had; else the one of now."""
    from lapwing.runtime.replay import setup_of

    if now.pack is not None and meta.get("country_sha256") not in (None, now.pack.sha256):
        return now    # that pack is gone from this machine: the steps since the last checkpoint are made with this one
    return setup_of(meta)[0]

"""The loop: batch in, journal, step, outputs, commit. The same for demo, replay and live; only source and pace differ.

Record, then process: a batch enters the journal before it is decoded, and its outputs, the checkpoint and the batch
become durable in one transaction. A run killed anywhere resumes from its last durable batch with the same outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lapwing import pipeline
from lapwing.model.errors import StorageError
from lapwing.model.ports import Batch, Log, Output
from lapwing.record import codec
from lapwing.runtime.batches import Batcher, Injected, Item
from lapwing.runtime.outputs import outputs_of
from lapwing.runtime.played import Cast, react

# A checkpoint costs a few milliseconds and saves re-stepping after a crash: one in so many batches.
CHECKPOINT_EVERY = 120
# After the source ends the clock runs on until the last warning has ended, but not for ever.
RUN_ON_BATCHES = 3_600

Observer = Callable[[pipeline.Outcome, list[Output]], None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a resumed run needs: the stages' memory, what is still to be injected, how far the source was read."""

    state: pipeline.State
    injected: Injected
    taken: int                 # source items consumed
    entries: int               # journal entries so far
    now_ns: int                # end of the last window
    last_ns: int               # when the source last had something


@dataclass(slots=True)
class Counts:
    """What went by, for the closing lines."""

    batches: int = 0
    entries: int = 0
    records: int = 0
    plots: int = 0
    tracks_confirmed: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)     # where and what the first refusal of a reason was

    def add(self, batch: Batch, outcome: pipeline.Outcome) -> None:
        """Count one batch."""
        self.batches += 1
        self.entries += len(batch.entries)
        self.records += outcome.sensed.record_count
        self.plots += len(outcome.sensed.plots)
        for refusal in outcome.sensed.refusals:
            self.refusals[refusal.reason] = self.refusals.get(refusal.reason, 0) + refusal.count
            self.firsts.setdefault(refusal.reason, f"{refusal.where}: {refusal.detail}" if refusal.detail else refusal.where)


class Runner:
    """Runs a source through the pipeline into a log.

    Parameters
    ----------
    setup : of the pipeline
    log : journal; an existing one with batches is resumed
    cast : who is played; None: nobody
    window_s : length of a batch
    observers : called after each committed batch with its outcome and outputs (narration, console, counters)
    """

    def __init__(self, setup: pipeline.Setup, log: Log, *, cast: Cast | None = None, window_s: float = 1.0,
                 observers: Iterable[Observer] = ()) -> None:
        self.setup, self.log, self.cast, self.window_s = setup, log, cast, window_s
        self.observers = list(observers)
        self.counts = Counts()
        self.state = pipeline.State()
        self.resumed_batches = 0

    def run(self, items: Iterable[Item], *, before_batch: Callable[[Batcher], None] | None = None) -> None:
        """Process the whole source, run on until the last warning has ended, and conclude.

        `before_batch` may pace the run or add entries (a person at the console) before each batch.
        """
        batcher = self._resume(items)
        if batcher is None:
            return
        while not batcher.exhausted:
            self._one(batcher, before_batch)
        for _ in range(RUN_ON_BATCHES):
            if not (self.state.warn.busy or batcher.injected.items):
                break
            self._one(batcher, before_batch)
        self._process(batcher.last_batch(pipeline.END_OF_RUN), batcher)

    def _one(self, batcher: Batcher, before_batch: Callable[[Batcher], None] | None) -> None:
        if before_batch is not None:
            before_batch(batcher)
        self._process(batcher.next_batch(), batcher)

    def _process(self, batch: Batch, batcher: Batcher) -> None:
        self.log.append(batch)
        outcome, outputs = self._step(batch, batcher)
        checkpoint = None
        if batch.number % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
            checkpoint = codec.encode(Checkpoint(self.state, batcher.injected, batcher.taken,
                                                 batch.entries[-1].sequence + 1, batcher.now_ns, batcher.last_ns))
        self.log.commit(batch.number, outputs, checkpoint)
        for observer in self.observers:
            observer(outcome, outputs)

    def _step(self, batch: Batch, batcher: Batcher) -> tuple[pipeline.Outcome, list[Output]]:
        self.state, outcome = pipeline.step(self.state, batch.entries, self.setup)
        if self.cast is not None:
            batcher.injected = react(outcome, batcher.injected, self.cast)
        self.counts.add(batch, outcome)
        return outcome, outputs_of(outcome)

    def _resume(self, items: Iterable[Item]) -> Batcher | None:
        """Return the batcher at the first batch that is not in the journal, or None where the run had already ended.

        The journaled batches after the newest checkpoint are stepped again, with their outputs compared; the source
        must be the same as before (the journal's meta says so).
        """
        last = self.log.last_batch()
        if last < 0:
            return Batcher(items, window_s=self.window_s)
        found = self.log.checkpoint()
        first, point = 0, Checkpoint(pipeline.State(), Injected(), 0, 0, -1, -1)
        if found is not None:
            decoded = codec.decode(found[1])
            if not isinstance(decoded, Checkpoint) or not pipeline.fits(decoded.state):
                raise StorageError("the checkpoint is not one of this version", where=f"batch {found[0]}", remedy="delete the journal")
            first, point = found[0] + 1, decoded
        self.state = point.state
        batcher = Batcher(items, window_s=self.window_s, first_batch=first, first_sequence=point.entries,
                          now_ns=point.now_ns, last_ns=point.last_ns, skip=point.taken,
                          injected=point.injected)
        stored: dict[int, list[Output]] = {}
        for number, output in self.log.outputs(first):
            stored.setdefault(number, []).append(output)
        for batch in self.log.read(first):
            ended = batch.entries[-1].payload == pipeline.END_OF_RUN and batch.entries[-1].format == "tick"
            made = batcher.last_batch(pipeline.END_OF_RUN) if ended else batcher.next_batch()
            if made != batch:
                raise StorageError("the source is not the one that this journal was made from",
                                   where=f"batch {batch.number}", remedy="name another --out, or delete the journal")
            outcome, outputs = self._step(batch, batcher)
            if outputs != stored.get(batch.number, []):
                raise StorageError("stepping the journaled batch again gives other outputs",
                                   where=f"batch {batch.number}", remedy="run `lapwing verify` on the journal")
            self.resumed_batches += 1
            for observer in self.observers:
                observer(outcome, outputs)
            if ended:
                return None
        return batcher

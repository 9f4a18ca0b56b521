"""What every journal must do, whatever it is stored in. Subclass `LogSuite` and give it `opener`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lapwing.model.entries import Entry
from lapwing.model.errors import Fenced, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.record import audit

Opener = Callable[..., Any]   # opens the same journal again each time; take_over=True where another holds it


def batch(number: int, first: int, count: int = 2, payload: bytes = b"\x00\xff") -> Batch:
    """Return a batch of made-up entries."""
    return Batch(number, tuple(Entry(first + i, 1_000 * number + i, "udp://239.1.1.1:8600", "asterix", payload)
                               for i in range(count)))


def outputs(number: int) -> tuple[Output, ...]:
    """Return the outputs of a batch: none for every third."""
    return tuple(Output(kind, f"{number}{kind}".encode()) for kind in ("tracks", "event"))[: number % 3]


def fill(log: Any, count: int) -> None:
    """Store batches 0 to count - 1."""
    for number in range(count):
        log.append(batch(number, 2 * number))
        log.commit(number, outputs(number), b"state" if number % 2 else None)


class LogSuite:
    """The suite. `opener` must be a fixture of the subclass that returns an `Opener` of a new, empty journal."""

    machine_runs = 25      # of the state machine; fewer where each operation is a journey to a server

    def test_an_empty_journal_says_so(self, opener: Opener) -> None:
        log = opener()
        assert (log.last_batch(), list(log.read()), list(log.outputs()), log.checkpoint(), log.meta()) == (
            -1, [], [], None, {})
        log.close()

    def test_what_was_committed_is_there_after_reopening(self, opener: Opener) -> None:
        log = opener()
        fill(log, 5)
        log.close()
        log = opener()
        assert list(log.read()) == [batch(n, 2 * n) for n in range(5)]
        assert list(log.outputs()) == [(n, output) for n in range(5) for output in outputs(n)]
        assert log.checkpoint() == (3, b"state") and log.last_batch() == 4
        log.close()

    def test_reading_may_start_anywhere(self, opener: Opener) -> None:
        log = opener()
        fill(log, 5)
        assert [b.number for b in log.read(3)] == [3, 4]
        assert {number for number, _ in log.outputs(2)} == {2, 4}
        assert list(log.read(9)) == []
        log.close()

    def test_a_batch_without_outputs_is_not_there_after_reopening(self, opener: Opener) -> None:
        log = opener()
        fill(log, 2)
        log.append(batch(2, 4))
        log.close()
        log = opener()
        assert log.last_batch() == 1
        log.append(batch(2, 4))
        log.commit(2, ())
        assert log.last_batch() == 2
        log.close()

    @pytest.mark.parametrize("wrong", [batch(3, 4), batch(1, 4), batch(2, 5), batch(2, 3)])
    def test_gaps_and_repeats_are_refused(self, opener: Opener, wrong: Batch) -> None:
        log = opener()
        fill(log, 2)
        with pytest.raises(StorageError):
            log.append(wrong)
        assert log.last_batch() == 1
        log.close()

    def test_outputs_belong_to_the_batch_appended_last(self, opener: Opener) -> None:
        log = opener()
        with pytest.raises(StorageError):
            log.commit(0, ())
        log.append(batch(0, 0))
        with pytest.raises(StorageError):
            log.commit(1, ())
        with pytest.raises(StorageError):
            log.append(batch(1, 2))
        log.commit(0, ())
        with pytest.raises(StorageError):
            log.commit(0, ())
        log.close()

    def test_facts_stay_as_they_are(self, opener: Opener) -> None:
        log = opener()
        log.set_meta({"country": "RO", "version": "1"})
        log.set_meta({"country": "RO", "pack": "ab"})
        with pytest.raises(StorageError, match="country"):
            log.set_meta({"new": "x", "country": "LT"})
        log.close()
        log = opener()
        assert log.meta() == {"country": "RO", "pack": "ab", "version": "1"}
        log.close()

    def test_only_one_may_write(self, opener: Opener) -> None:
        log = opener()
        with pytest.raises(StorageError, match="writes this journal"):
            opener()
        log.close()
        opener().close()

    def test_each_writer_has_a_greater_term(self, opener: Opener) -> None:
        terms = []
        for _ in range(3):
            log = opener()
            log.renew()
            terms.append(log.lease().term)
            assert log.lease().holder
            log.close()
        assert terms[0] >= 1 and terms == sorted(set(terms))

    def test_a_stale_workers_whole_batch_is_refused(self, opener: Opener) -> None:
        stale = opener()
        fill(stale, 3)
        stale.append(batch(3, 6))
        newer = opener(take_over=True)
        with pytest.raises(Fenced):
            stale.commit(3, (Output("alert", b"stale"),), b"stale")
        assert newer.last_batch() == 2 and newer.checkpoint() == (1, b"state")
        newer.append(batch(3, 6, payload=b"new"))
        newer.commit(3, (Output("alert", b"new"),))
        assert [b.entries[0].payload for b in newer.read(3)] == [b"new"]
        assert [o.payload for _, o in newer.outputs(3)] == [b"new"]
        assert audit.check(newer.sealed(), newer.head()).faults == ()
        stale.close()
        newer.renew()
        newer.close()

    def test_a_stale_worker_can_neither_renew_nor_store_facts(self, opener: Opener) -> None:
        stale = opener()
        newer = opener(take_over=True)
        with pytest.raises(Fenced):
            stale.renew()
        with pytest.raises(StorageError):
            stale.set_meta({"country": "LT"})
        stale.close()
        assert newer.meta() == {}
        newer.close()

    def test_nothing_is_taken_after_closing(self, opener: Opener) -> None:
        log = opener()
        log.close()
        log.close()
        with pytest.raises(StorageError):
            log.append(batch(0, 0))

    def test_the_chain_holds_over_reopening(self, opener: Opener) -> None:
        log = opener()
        log.set_meta({"country": "RO"})
        fill(log, 3)
        log.close()
        log = opener()
        log.set_meta({"more": "x"})
        log.append(batch(3, 6))
        log.commit(3, outputs(3))
        found = audit.check(log.sealed(), log.head())
        assert (found.faults, found.batch_count, found.entry_count) == ((), 4, 8)
        log.close()

    def test_empty_batches_and_odd_octets_are_kept(self, opener: Opener) -> None:
        log = opener()
        odd = Batch(0, ())
        log.append(odd)
        log.commit(0, (Output("", b""), Output("ț\x00", bytes(range(256)))), b"")
        assert list(log.read()) == [odd] and log.checkpoint() == (0, b"")
        assert [o.payload for _, o in log.outputs()] == [b"", bytes(range(256))]
        log.close()

    def test_any_order_of_use_agrees_with_a_plain_model(self, new_opener: Callable[[], Opener]) -> None:
        machine = type("Machine", (LogMachine,), {"new_opener": staticmethod(new_opener)})
        machine.TestCase.settings = settings(max_examples=self.machine_runs, stateful_step_count=25, deadline=None)
        machine.TestCase().runTest()


class LogMachine(RuleBasedStateMachine):
    """Appends, commits, reopens in any order; a list is the model."""

    new_opener: Callable[[], Opener]

    @initialize()
    def start(self) -> None:
        self.opener = self.new_opener()
        self.log = self.opener()
        self.stored: list[tuple[Batch, tuple[Output, ...]]] = []
        self.waiting: Batch | None = None
        self.point: tuple[int, bytes] | None = None
        self.facts: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()

    @precondition(lambda self: self.waiting is None)
    @rule(payloads=st.lists(st.binary(max_size=20), max_size=4))
    def append(self, payloads: list[bytes]) -> None:
        first = sum(len(b.entries) for b, _ in self.stored)
        self.waiting = Batch(len(self.stored), tuple(Entry(first + i, i, "link", "asterix", payload)
                                                     for i, payload in enumerate(payloads)))
        self.log.append(self.waiting)

    @precondition(lambda self: self.waiting is not None)
    @rule(payloads=st.lists(st.binary(max_size=20), max_size=4), state=st.none() | st.binary(max_size=20))
    def commit(self, payloads: list[bytes], state: bytes | None) -> None:
        assert self.waiting is not None
        made = tuple(Output("event", payload) for payload in payloads)
        self.log.commit(self.waiting.number, made, state)
        if state is not None:
            self.point = (self.waiting.number, state)
        self.stored.append((self.waiting, made))
        self.waiting = None

    @rule(key=st.sampled_from("abc"), value=st.sampled_from("xy"))
    def set_meta(self, key: str, value: str) -> None:
        if self.facts.get(key, value) == value:
            self.log.set_meta({key: value})
            self.facts[key] = value
        else:
            with pytest.raises(StorageError):
                self.log.set_meta({key: value})

    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.log = self.opener()
        self.waiting = None

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "log"):
            return
        assert list(self.log.read()) == [b for b, _ in self.stored]
        assert list(self.log.outputs()) == [(b.number, o) for b, made in self.stored for o in made]
        assert self.log.checkpoint() == self.point
        assert self.log.meta() == self.facts
        assert audit.check(self.log.sealed(), self.log.head()).faults == ()

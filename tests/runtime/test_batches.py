"""Batches do not depend on where a run is cut, and time never goes back."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.entries import TICK
from lapwing.model.times import NS_PER_S
from lapwing.runtime.batches import IDLE_LIMIT_NS, Batcher, Injected

START_NS = 1_754_423_400 * NS_PER_S

gaps = st.lists(st.integers(-2_000, 20_000), min_size=1, max_size=40)


def items(gaps_ms: list[int]) -> list[tuple[int, str, str, bytes]]:
    found, now_ns = [], START_NS
    for number, gap_ms in enumerate(gaps_ms):
        now_ns += gap_ms * 1_000_000
        found.append((now_ns, "test", "asterix", bytes([number])))
    return found


@given(gaps)
def test_every_entry_comes_out_once_in_order_of_arrival(gaps_ms):
    source = items(gaps_ms)
    entries = [e for b in Batcher(source, window_s=1.0) for e in b.entries]
    assert [e.payload for e in entries if e.format != TICK] == [payload for *_, payload in source]
    assert [e.sequence for e in entries] == list(range(len(entries)))


@given(gaps)
def test_time_never_goes_back(gaps_ms):
    times = [e.received_ns for b in Batcher(items(gaps_ms), window_s=1.0) for e in b.entries]
    assert times == sorted(times)


@given(gaps, st.integers(0, 30))
def test_a_run_cut_anywhere_resumes_with_the_same_batches(gaps_ms, cut):
    whole = list(Batcher(items(gaps_ms), window_s=1.0))
    first = Batcher(items(gaps_ms), window_s=1.0)
    done = [first.next_batch() for _ in range(min(cut, len(whole)))]
    if len(done) == len(whole) or not done:
        return
    rest = Batcher(items(gaps_ms), window_s=1.0, first_batch=len(done), first_sequence=done[-1].entries[-1].sequence + 1,
                   now_ns=first.now_ns, last_ns=first.last_ns, skip=first.taken)
    assert done + list(rest) == whole


def test_a_silent_source_still_ticks_so_that_tracks_coast():
    source = [(START_NS, "a", "asterix", b"1"), (START_NS + 5 * NS_PER_S, "a", "asterix", b"2")]
    formats = [e.format for b in Batcher(source, window_s=1.0) for e in b.entries]
    assert formats == ["asterix", TICK, TICK, TICK, TICK, "asterix"]


def test_a_gap_of_days_between_two_recordings_does_not_tick_through_it():
    source = [(START_NS, "a", "asterix", b"1"), (START_NS + 3 * 86_400 * NS_PER_S, "a", "asterix", b"2")]
    batches = list(Batcher(source, window_s=1.0))
    assert len(batches) <= IDLE_LIMIT_NS // NS_PER_S + 5
    assert batches[-1].entries[-1].payload == b"2"


def test_an_injected_decision_takes_its_place_by_its_time():
    source = [(START_NS + i * NS_PER_S, "radar", "asterix", bytes([i])) for i in range(4)]
    decided = Injected().plus(START_NS + 1_500_000_000, "played:officer", "command", b"{}")
    entries = [e for b in Batcher(source, window_s=1.0, injected=decided) for e in b.entries]
    assert [e.format for e in entries if e.format != "tick"] == ["asterix", "asterix", "command", "asterix", "asterix"]


def test_what_is_injected_ends_a_window_at_its_own_time():
    batcher = Batcher(iter([(at * NS_PER_S, "link", "asterix", b"x") for at in (1, 3, 7, 13)]), window_s=6.0)
    batcher.injected = batcher.injected.plus(2 * NS_PER_S, "officer", "command", b"yes")
    batches = list(batcher)
    assert [[(entry.received_ns // NS_PER_S, entry.link) for entry in batch.entries] for batch in batches] == [
        [(1, "link"), (2, "officer")], [(3, "link")], [(7, "link")], [(13, "link")]]

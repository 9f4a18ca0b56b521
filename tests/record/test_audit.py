"""The chain finds a flipped bit, a removed row and a reordered row, and says where."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.model.entries import Entry
from lapwing.model.ports import Output
from lapwing.record.audit import check
from lapwing.record.journal import GENESIS, Head, Sealed, batch_digest, entry_mark, output_mark


def chain(count=6):
    """Return (batches, head) of a sound journal: two entries and two outputs a batch, meta with the first."""
    batches, previous = [], GENESIS
    for number in range(count):
        entries = tuple(Entry(2 * number + i, 10 * number, "udp://:1", "asterix", bytes([number, i])) for i in range(2))
        outputs = (Output("tracks", bytes([number])), Output("event", b"{}"))
        meta = (("country", "RO"),) if number == 0 else ()
        previous = batch_digest(previous, number, meta, entries, outputs)
        batches.append(Sealed(number, entries, outputs, meta, previous, 2, 2, tuple(map(entry_mark, entries)),
                              tuple(map(output_mark, outputs))))
    return batches, Head(count - 1, previous, 2 * count, 2 * count)


def test_a_sound_journal_has_no_fault():
    batches, head = chain()
    found = check(batches, head)
    assert (found.faults, found.batch_count, found.entry_count, found.output_count) == ((), 6, 12, 12)
    assert (found.last_ns, found.head) == (50, head.digest)
    assert check([], Head(-1, GENESIS, 0, 0)).faults == ()


def test_a_flipped_bit_in_an_entry_is_found_in_that_entry_alone():
    batches, head = chain()
    entries = (batches[2].entries[0], replace(batches[2].entries[1], payload=b"\x02\x03"))
    batches[2] = replace(batches[2], entries=entries)
    assert [(f.where, f.what) for f in check(batches, head).faults] == [
        ("batch 2, entry 5 (link udp://:1, asterix)", "changed since it was sealed")]


def test_a_changed_output_is_found():
    batches, head = chain()
    batches[4] = replace(batches[4], outputs=(batches[4].outputs[0], Output("event", b"{ }")))
    assert [f.where for f in check(batches, head).faults] == ["batch 4, output 1 (event)"]


def test_a_change_with_its_mark_made_to_fit_is_still_found():
    batches, head = chain()
    forged = replace(batches[2].entries[1], payload=b"forged")
    batches[2] = replace(batches[2], entries=(batches[2].entries[0], forged),
                         entry_marks=(batches[2].entry_marks[0], entry_mark(forged)))
    assert [f.where for f in check(batches, head).faults] == ["batch 2"]


def test_a_batch_sealed_anew_breaks_the_next_one():
    batches, head = chain()
    forged = (Output("event", b"forged"),)
    batches[2] = replace(batches[2], outputs=forged, output_marks=tuple(map(output_mark, forged)), output_count=1,
                         digest=batch_digest(batches[1].digest, 2, (), batches[2].entries, forged))
    assert [f.where for f in check(batches, head).faults] == ["batch 3", "the head of the journal"]


def test_a_removed_entry_is_found():
    batches, head = chain()
    batches[3] = replace(batches[3], entries=batches[3].entries[1:], entry_marks=batches[3].entry_marks[1:])
    where = [f.where for f in check(batches, head).faults]
    assert where[0] == "batch 3, entry 6" and "batch 3" in where


def test_a_removed_batch_is_found_as_one_fault_and_the_head_disagrees():
    batches, head = chain()
    del batches[2]
    assert next((f.where, f.what) for f in check(batches, head).faults) == ("batch 2", "removed")
    assert len(check(batches, head).faults) == 2


def test_a_journal_cut_off_at_its_end_is_found():
    batches, head = chain()
    assert [f.where for f in check(batches[:4], head).faults] == ["batches 4 to 5"]


def test_an_end_cut_off_with_its_head_is_found_by_a_digest_written_down():
    batches, head = chain()
    shorter, short_head = chain(4)
    assert check(shorter, short_head).faults == ()
    assert len(check(shorter, short_head, expected_head=head.digest).faults) == 1
    assert check(batches, head, expected_head=short_head.digest).faults == ()


def test_swapped_entries_are_found():
    batches, head = chain()
    a, b = batches[1].entries
    batches[1] = replace(batches[1], entries=(replace(b, sequence=a.sequence), replace(a, sequence=b.sequence)))
    assert len(check(batches, head).faults) == 2


def test_swapped_batches_are_found():
    batches, head = chain()
    batches[2], batches[3] = batches[3], batches[2]
    assert "batch 2" in {f.where for f in check(batches, head).faults}


def test_a_changed_fact_is_found():
    batches, head = chain()
    batches[0] = replace(batches[0], meta=(("country", "LT"),))
    assert [f.where for f in check(batches, head).faults] == ["batch 0"]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_single_change_is_found(data):
    batches, head = chain(4)
    i = data.draw(st.integers(0, 3))
    batch, change = batches[i], data.draw(st.sampled_from(["payload", "time", "link", "kind", "drop", "digest"]))
    entry = batch.entries[0]
    changed = {
        "payload": replace(batch, entries=(replace(entry, payload=entry.payload + b"\x00"), batch.entries[1])),
        "time": replace(batch, entries=(replace(entry, received_ns=entry.received_ns + 1), batch.entries[1])),
        "link": replace(batch, entries=(replace(entry, link="x"), batch.entries[1])),
        "kind": replace(batch, outputs=(Output("trackz", batch.outputs[0].payload), batch.outputs[1])),
        "drop": replace(batch, outputs=batch.outputs[1:], output_marks=batch.output_marks[1:]),
        "digest": replace(batch, digest=bytes(32)),
    }[change]
    batches[i] = changed
    faults = check(batches, head).faults
    assert faults and any(f"batch {i}" in fault.where or f"batch {i + 1}" in fault.where for fault in faults)


@pytest.mark.parametrize("left, right", [
    ((("a", "bc"),), (("ab", "c"),)), ((("a", "b"), ("c", "d")), (("a", "bcd"),))])
def test_the_seal_tells_where_one_part_ends(left, right):
    assert batch_digest(GENESIS, 0, left, (), ()) != batch_digest(GENESIS, 0, right, (), ())

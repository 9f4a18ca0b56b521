"""Checks the journal's chain and says where and how it was changed. Pure: it is handed the batches as stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lapwing.record.journal import GENESIS, Head, Sealed, batch_digest, entry_mark, output_mark

FAULTS_MAX = 1_000  # a journal in ruins need not list every row


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a journal."""

    where: str         # "batch 12, entry 3045 (link demo:RO-GF-1)"
    what: str          # "changed since it was sealed"


@dataclass(frozen=True, slots=True)
class Audit:
    """What a check found."""

    batch_count: int
    entry_count: int
    output_count: int
    first_ns: int                # reception of the first entry; 0 without one
    last_ns: int
    head: bytes                  # digest of the last batch: write it down elsewhere
    faults: tuple[Fault, ...]


def check(batches: Iterable[Sealed], head: Head | None = None, *, expected_head: bytes | None = None) -> Audit:
    """Check every batch against its seal, in the order handed in.

    Parameters
    ----------
    batches : as stored, in order of number
    head : what the journal says of its own end; None: it says nothing
    expected_head : digest written down elsewhere for some batch of this journal; a fault where no batch has it
    """
    faults: list[Fault] = []
    previous, expected_number, expected_sequence = GENESIS, 0, 0
    batch_count = entry_count = output_count = first_ns = last_ns = 0
    number = -1
    anchored = expected_head is None
    for batch in batches:
        faults += _order_faults(batch, expected_number, expected_sequence)
        if batch_digest(previous, batch.number, batch.meta, batch.entries, batch.outputs) != batch.digest:
            faults += _content_faults(batch, broken_link=batch.number != expected_number)
        # Go on from the stored digest: one change is then one fault, not a fault in every batch after it.
        previous, number = batch.digest, batch.number
        anchored = anchored or batch.digest == expected_head
        expected_number = batch.number + 1
        batch_count += 1
        output_count += len(batch.outputs)
        entry_count += len(batch.entries)
        if batch.entries:
            expected_sequence = batch.entries[-1].sequence + 1
            first_ns = first_ns or batch.entries[0].received_ns
            last_ns = batch.entries[-1].received_ns
        if len(faults) >= FAULTS_MAX:
            faults = [*faults[:FAULTS_MAX], Fault(f"after batch {batch.number}", "not checked: too many faults before")]
            break
    else:
        faults += _head_faults(head, number, previous, entry_count, output_count)
        if not anchored and expected_head is not None:
            faults.append(Fault("the whole journal", f"no batch has the digest {expected_head.hex()}: this is not the "
                                                     "journal it was taken from, or its end is cut off"))
    return Audit(batch_count, entry_count, output_count, first_ns, last_ns, previous, tuple(faults))


def _order_faults(batch: Sealed, expected_number: int, expected_sequence: int) -> list[Fault]:
    """Return what is missing before or within a batch, or out of order."""
    faults = []
    if batch.number > expected_number:
        last = batch.number - 1
        names = f"batch {expected_number}" if last == expected_number else f"batches {expected_number} to {last}"
        faults.append(Fault(names, "removed"))
        if batch.entries:
            expected_sequence = batch.entries[0].sequence
    elif batch.number < expected_number:
        faults.append(Fault(f"batch {batch.number}", f"out of order: batch {expected_number} was expected here"))
    for entry in batch.entries:
        if entry.sequence > expected_sequence:
            last = entry.sequence - 1
            names = f"entry {last}" if last == expected_sequence else f"entries {expected_sequence} to {last}"
            faults.append(Fault(f"batch {batch.number}, {names}", "removed"))
        elif entry.sequence < expected_sequence:
            faults.append(Fault(f"batch {batch.number}, entry {entry.sequence}",
                                f"out of order: entry {expected_sequence} was expected here"))
        expected_sequence = entry.sequence + 1
    if len(batch.entries) != batch.entry_count:
        faults.append(Fault(f"batch {batch.number}", f"{len(batch.entries)} entries, {batch.entry_count} were sealed"))
    if len(batch.outputs) != batch.output_count:
        faults.append(Fault(f"batch {batch.number}", f"{len(batch.outputs)} outputs, {batch.output_count} were sealed"))
    return faults


def _content_faults(batch: Sealed, *, broken_link: bool) -> list[Fault]:
    """Return which rows of a batch whose digest does not fit were changed, or the batch itself where none was."""
    faults = [Fault(f"batch {batch.number}, entry {entry.sequence} (link {entry.link}, {entry.format})",
                    "changed since it was sealed")
              for entry, mark in zip(batch.entries, batch.entry_marks, strict=False) if entry_mark(entry) != mark]
    faults += [Fault(f"batch {batch.number}, output {i} ({output.kind})", "changed since it was sealed")
               for i, (output, mark) in enumerate(zip(batch.outputs, batch.output_marks, strict=False))
               if output_mark(output) != mark]
    if faults:
        return faults
    if broken_link:
        return []  # what is missing or out of order before it has been said
    return [Fault(f"batch {batch.number}", "its digest fits neither its content nor the batch before it: an entry, "
                                           "output, meta fact or the digest itself was changed, removed or moved")]


def _head_faults(head: Head | None, number: int, digest: bytes, entry_count: int, output_count: int) -> list[Fault]:
    if head is None:
        return []
    if head.number > number:
        return [Fault(f"batches {number + 1} to {head.number}", "removed from the end")]
    found = (number, digest, entry_count, output_count)
    if found != (head.number, head.digest, head.entry_count, head.output_count):
        return [Fault("the head of the journal", f"says batch {head.number}, {head.entry_count} entries and "
                      f"{head.output_count} outputs; found batch {number}, {entry_count} and {output_count}, or "
                      "another digest")]
    return []

"""From the journal to the outbox: every alert of a batch waits for the channels before the batch counts as handed over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lapwing.adapters.outbox_store import OutboxStore
from lapwing.model.errors import StorageError
from lapwing.model.ports import Output
from lapwing.model.times import from_iso
from lapwing.runtime.outbox import Outbox

Place = tuple[str, int]     # segment of the journal and batch in it


def hand_over(outbox: Outbox, store: OutboxStore, outputs: Iterable[Output], place: Place | None) -> int:
    """Let the alerts of one batch wait for the channels; return how many there were.

    `place` is where the batch stands in the journal, None where it does not. Raises StorageError where the outbox takes
    nothing; the channels are handed all of them all the same, and the batch is found again after a restart.
    """
    count, failed = 0, None
    for output in outputs:
        if output.kind != "alert":
            continue
        row = json.loads(output.payload)
        if row["cap_xml"]:
            try:
                outbox.put(row["cap_xml"].encode(), from_iso(row["approved_time"] or row["sent"]))
            except StorageError as error:
                failed = error
            count += 1
    if failed is not None:
        raise failed
    # Once, and after the last one: a batch may hold several, and dying between two must not lose the second.
    if count and place is not None:
        store.set_read_to(*place)
    return count


def hand_over_recovered(outbox: Outbox, store: OutboxStore, found: Sequence[tuple[str, int, Output]]) -> int:
    """Let the alerts that a journal holds beyond what was handed over wait for the channels; return how many."""
    batches: dict[Place, list[Output]] = {}
    for segment, number, output in found:
        batches.setdefault((segment, number), []).append(output)
    return sum(hand_over(outbox, store, outputs, place) for place, outputs in batches.items())

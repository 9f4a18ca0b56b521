"""One step of the sense stage: entries of a batch in, plots, bearings, looks and people's reports out."""

from __future__ import annotations

import numpy as np

from lapwing.model import entries as formats
from lapwing.model.entries import Entry
from lapwing.model.plots import Looks, empty_looks
from lapwing.model.sensed import Sensed
from lapwing.sense import watch
from lapwing.sense.drafts import join_plots
from lapwing.sense.duplicates import find_duplicates
from lapwing.sense.formats import READERS
from lapwing.sense.found import Found, join_bearings
from lapwing.sense.limits import within_limits
from lapwing.sense.state import SenseSetup, State
from lapwing.sense.work import begin


def step(state: State, entries: tuple[Entry, ...], setup: SenseSetup, now_ns: int) -> tuple[State, Sensed]:
    """Decode a batch.

    Parameters
    ----------
    state : what the batch before left; `State()` at the beginning
    entries : in order of reception
    setup : fixed for the run
    now_ns : time of the batch: who is silent is judged by it; reports are judged by their own entry's reception

    Returns
    -------
    state, sensed : plots in the order of the input; refusals one a reason and source, with their count
    """
    work = begin(state, setup)
    recent_ns, recent_digest = state.recent_ns, state.recent_digest
    by_format: dict[str, list[Entry]] = {}
    for entry in entries:
        by_format.setdefault(entry.format, []).append(entry)
    found: list[Found] = []
    for format_, group in by_format.items():
        if format_ == formats.TICK:
            continue
        if format_ not in (formats.COMMAND, formats.ACKNOWLEDGE):    # what officers say is never too much
            group = within_limits(work, format_, group)
        if format_ == formats.ASTERIX:
            again, recent_ns, recent_digest = find_duplicates(group, recent_ns, recent_digest)
            if again.any():
                for place in np.flatnonzero(again).tolist():
                    entry = group[place]
                    work.refusals.add("duplicate", entry.link, "the same octets within 2 s", entry.link, entry.sequence, 0)
                group = [entry for entry, twice in zip(group, again.tolist(), strict=True) if not twice]
        reader = READERS.get(format_)
        if reader is None:
            for entry in group:
                work.refusals.add("unknown_format", entry.link, f"no reader for {format_!r}", entry.link,
                                  entry.sequence, 0)
        elif group:
            found.append(reader(work, setup, group))
    watch.close_step(work, now_ns)
    refusals = work.refusals.sorted()
    counts = dict(state.counts)
    for refusal in refusals:
        key = f"{refusal.reason}|{refusal.source}"
        counts[key] = counts.get(key, 0) + refusal.count
    sensed = Sensed(
        plots=join_plots([part for one in found for part in one.plots]), bearings=join_bearings([one.bearings for one in found]),
        looks=_looks(found),
        reports=tuple(report for _, report in sorted((row for one in found for row in one.reports),
                                                     key=lambda row: row[0])),
        sensors=work.sensors, refusals=refusals, record_count=work.record_count,
        health=watch.health(work, now_ns))
    return State(
        sensors=work.sensors, link_source=work.link_source, recent_ns=recent_ns, recent_digest=recent_digest,
        north_ns=work.north_ns, rotation_s=work.rotation_s, last_ns=work.last_ns, counts=counts,
        told=tuple(sorted(work.told)), record_count=state.record_count + work.record_count,
        memory=work.memory), sensed


def _looks(found: list[Found]) -> Looks:
    kept = [one.looks for one in found if len(one.looks)]
    return kept[0] if kept else empty_looks()  # one format alone has looks

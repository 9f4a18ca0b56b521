"""The same datagram on two links (two multicast groups, two networks): the second is dropped and counted."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from lapwing.model.entries import Entry
from lapwing.model.times import NS_PER_S

WINDOW_NS = 2 * NS_PER_S
RECENT_MAX = 65_536          # datagrams remembered; beyond that the oldest are forgotten, and a copy gets through

NEVER = -(1 << 62)           # before any time

Ints = npt.NDArray[np.int64]
Digests = npt.NDArray[np.uint64]


def find_duplicates(entries: Sequence[Entry], recent_ns: Ints, recent_digest: Digests) -> tuple[
        npt.NDArray[np.bool_], Ints, Digests]:
    """Return which entries repeat one of the last two seconds octet by octet, and the memory after them.

    The memory is sorted by digest, one row each with its last time: a batch costs a search and a merge, no sorting of all.

    Notes
    -----
    Compared are 64-bit digests: at 20,000 datagrams a second the chance of one being taken for another of other
    content is some 4e-6 a day.
    """
    times = np.array([entry.received_ns for entry in entries], np.int64)
    digests = np.frombuffer(b"".join([blake2b(entry.payload, digest_size=8).digest() for entry in entries]), "<u8")
    again = np.zeros(len(times), np.bool_)
    order = np.argsort(digests, kind="stable")
    rows, at = digests[order], times[order]
    place = np.searchsorted(recent_digest, rows)
    known = place < len(recent_digest)
    known[known] = recent_digest[place[known]] == rows[known]
    within = rows[1:] == rows[:-1]               # the same twice in this batch: compared with each other, in order
    if not known.any() and not within.any():     # the most usual: nothing came before
        return again, *_merged(recent_ns, recent_digest, rows, at, place)
    before = np.where(known, recent_ns[np.minimum(place, max(len(recent_ns) - 1, 0))], NEVER) if len(recent_ns) else np.full(
        len(rows), NEVER)
    if within.any():
        before[1:][within] = at[:-1][within]
    again[order] = np.abs(at - before) <= WINDOW_NS
    last = np.append(~within, True) if len(rows) else np.zeros(0, np.bool_)
    rows, at, place, known = rows[last], at[last], place[last], known[last]
    if known.any():
        recent_ns = recent_ns.copy()
        recent_ns[place[known]] = at[known]
        rows, at, place = rows[~known], at[~known], place[~known]
    return again, *_merged(recent_ns, recent_digest, rows, at, place)


def _merged(recent_ns: Ints, recent_digest: Digests, rows: Digests, at: Ints, place: npt.NDArray[np.intp]) -> tuple[Ints, Digests]:
    """Return the memory with new rows in their places, without what is too old."""
    # One merge for both columns: new rows go where the search said, each later by the new ones before it.
    all_ns = np.empty(len(recent_ns) + len(rows), np.int64)
    all_digest = np.empty(len(all_ns), np.uint64)
    old = np.ones(len(all_ns), np.bool_)
    place = place + np.arange(len(place))
    old[place] = False
    all_ns[place], all_digest[place] = at, rows
    all_ns[old], all_digest[old] = recent_ns, recent_digest
    keep = all_ns >= (int(all_ns.max()) if len(all_ns) else 0) - WINDOW_NS
    if np.count_nonzero(keep) > RECENT_MAX:
        keep &= all_ns >= np.partition(all_ns, -RECENT_MAX)[-RECENT_MAX]
    return all_ns[keep], all_digest[keep]

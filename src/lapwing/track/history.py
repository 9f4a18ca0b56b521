"""The filter's past, per track: what the smoother works on. Seeds' rows live in one young log, forgotten with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lapwing.track.columns import LOG_FLOATS, LOG_INTS, LOG_PLOT_TIME, LOG_UID, LOG_WEIGHT
from lapwing.track.state import Chunk

YOUNG_ROWS = 2048
TRACK_ROWS = 8           # of each track, before they are sorted out
NOTHING = Chunk(np.zeros((0, LOG_FLOATS)), np.zeros((0, LOG_INTS), np.int64))


def settle(young: Chunk, archive: Mapping[int, tuple[Chunk, ...]], tracks: set[int], seeds: set[int],
           updates_max: int) -> tuple[Chunk, dict[int, tuple[Chunk, ...]]]:
    """Return (young, archive) with the rows of tracks moved to the archive and those of nobody forgotten.

    Order within a track is kept. Called when the log is full and before a track's past is read.
    """
    uids = young.ints[:, LOG_UID]
    result = dict(archive)
    if not len(uids):
        return young, result
    order = np.argsort(uids, kind="stable")
    starts = np.flatnonzero(np.diff(uids[order], prepend=-1))
    keep = np.zeros(len(uids), np.bool_)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        rows = order[start:end]
        uid = int(uids[rows[0]])
        if uid in tracks:
            chunks = (*result.get(uid, ()), Chunk(young.floats[rows], young.ints[rows]))
            result[uid] = _bounded(chunks, updates_max)
        elif uid in seeds:
            keep[rows] = True
    return Chunk(young.floats[keep], young.ints[keep]), result


def joined(chunks: tuple[Chunk, ...]) -> Chunk:
    """Return the chunks of one track as one."""
    if len(chunks) == 1:
        return chunks[0]
    if not chunks:
        return NOTHING
    return Chunk(np.concatenate([c.floats for c in chunks]), np.concatenate([c.ints for c in chunks]))


def until_sure(path: Chunk, sure_ns: int) -> Chunk:
    """Return a track's rows up to its last sure plot.

    A track whose object is gone goes on looking, and takes a little of the clutter that fits its growing gate. That
    belongs to nobody's life: what comes after the last sure plot is coasted, not steered.
    """
    sure = np.flatnonzero(path.ints[:, LOG_PLOT_TIME] <= sure_ns)
    end = int(sure[-1]) + 1 if len(sure) else len(path.ints)
    return Chunk(path.floats[:end], path.ints[:end])


def _bounded(chunks: tuple[Chunk, ...], updates_max: int) -> tuple[Chunk, ...]:
    """Join many small chunks; beyond the bound drop every second row of the older half (the first row stays).

    A row whose predecessor went is marked by a negative weight: its stored prediction started elsewhere.
    """
    total = sum(len(c.ints) for c in chunks)
    if total <= updates_max and len(chunks) < 64:
        return chunks
    whole = joined(chunks)
    if total > updates_max:
        keep = np.ones(total, np.bool_)
        keep[1 : total // 2 : 2] = False
        floats = whole.floats.copy()
        floats[2 : total // 2 + 1 : 2, LOG_WEIGHT] = -np.abs(floats[2 : total // 2 + 1 : 2, LOG_WEIGHT])
        whole = Chunk(floats[keep], whole.ints[keep])
    return (whole,)

"""The filter's past, per track: what the smoother works on. Seeds' rows live in one young log, forgotten with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lapwing.track.columns import LOG_FLOATS, LOG_INTS, LOG_PLOT_TIME, LOG_UID, LOG_WEIGHT
from lapwing.track.state import Chunk

YOUNG_ROWS = 2048
CHUNK_ROWS = 64          # of a track's past, to a chunk, about
TRACK_ROWS = 8           # of each track, before they are sorted out
PART_TRACKS = 512        # sorted out in one step, about: a step must not take long
# Where memory is short: what a track keeps at least, and how many shares of it one has that answers no radar.
IDENTIFIED_ROWS_MIN, UNIDENTIFIED_ROWS_MIN, UNIDENTIFIED_SHARES = 48, 192, 4
NOTHING = Chunk(np.zeros((0, LOG_FLOATS)), np.zeros((0, LOG_INTS), np.int64))


def settle(young: Chunk, archive: Mapping[int, tuple[Chunk, ...]], updates_max: Mapping[int, int],
           seeds: set[int]) -> tuple[Chunk, dict[int, tuple[Chunk, ...]]]:
    """Return (young, archive) with the rows of tracks moved to the archive and those of nobody forgotten.

    Order within a track is kept.

    Parameters
    ----------
    updates_max : of every track: how many rows it may keep
    seeds : whose rows stay in the log
    """
    uids = young.ints[:, LOG_UID]
    result = dict(archive)
    if not len(uids):
        return young, result
    order = np.argsort(uids, kind="stable")
    starts = np.flatnonzero(np.diff(uids[order], prepend=-1))
    floats, ints = young.floats[order], young.ints[order]
    keep = np.zeros(len(uids), np.bool_)
    for uid, start, end in zip(uids[order[starts]].tolist(), starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        if uid in updates_max:
            chunks = (*result.get(uid, ()), Chunk(floats[start:end].copy(), ints[start:end].copy()))
            result[uid] = _bounded(chunks, updates_max[uid])
        elif uid in seeds:
            keep[order[start:end]] = True
    return Chunk(young.floats[keep], young.ints[keep]), result


def parted(young: Chunk, parts: int, part: int) -> tuple[Chunk, Chunk]:
    """Return (the rows of every `parts`-th track, the rest): thousands of tracks are settled one part a step."""
    mine = young.ints[:, LOG_UID] % parts == part
    return Chunk(young.floats[mine], young.ints[mine]), Chunk(young.floats[~mine], young.ints[~mine])


def rows_in(archive: Mapping[int, tuple[Chunk, ...]]) -> int:
    """Return how many rows all tracks have together."""
    return sum([len(chunk.ints) for chunks in archive.values() for chunk in chunks])


def gathered(young: tuple[Chunk, ...], archive: Mapping[int, tuple[Chunk, ...]],
             uids: Sequence[int]) -> tuple[tuple[Chunk, ...], dict[int, tuple[Chunk, ...]]]:
    """Return (young, archive) with the rows of these tracks moved to the archive; those of all others stay where they are."""
    result, kept = dict(archive), []
    for chunk in young:
        theirs = np.zeros(len(chunk.ints), np.bool_)
        for uid in uids:
            mine = chunk.ints[:, LOG_UID] == uid
            if mine.any():
                result[uid] = (*result.get(uid, ()), Chunk(chunk.floats[mine], chunk.ints[mine]))
                theirs |= mine
        kept.append(Chunk(chunk.floats[~theirs], chunk.ints[~theirs]) if theirs.any() else chunk)
    return tuple(kept), result


def rows_of(young: tuple[Chunk, ...], uid: int) -> tuple[Chunk, ...]:
    """Return the rows of one track in the log."""
    found = ((chunk, chunk.ints[:, LOG_UID] == uid) for chunk in young)
    return tuple(Chunk(chunk.floats[mine], chunk.ints[mine]) for chunk, mine in found if mine.any())


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
    total = sum([len(c.ints) for c in chunks])
    # Joining costs a copy of all: the longer the past, the more new chunks are waited for.
    if total <= updates_max and len(chunks) < max(8, total // CHUNK_ROWS):
        return chunks
    whole = joined(chunks)
    while total > updates_max:
        keep = np.ones(total, np.bool_)
        keep[1 : total // 2 : 2] = False
        floats = whole.floats.copy()
        floats[2 : total // 2 + 1 : 2, LOG_WEIGHT] = -np.abs(floats[2 : total // 2 + 1 : 2, LOG_WEIGHT])
        whole = Chunk(floats[keep], whole.ints[keep])
        total = len(whole.ints)
    return (whole,)

"""Copies journals out of a cluster into files, segment by segment, with the same seals: what reads files reads them then.

An election or a server that starts takes seconds in which nobody answers: a copy waits and goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from lapwing.adapters.nats_journal import NatsJournal
from lapwing.adapters.nats_link import NatsLink, parse_target
from lapwing.adapters.nats_log import NatsLog
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError, Unreachable
from lapwing.model.ports import Batch

COMMIT_EVERY = 200
PATIENCE_S = 30.0        # without a single batch; three elections of a slow cluster
AGAIN_S = 0.5


def read_segments(journal: NatsJournal) -> Iterator[NatsLog]:
    """Yield the segments of a journal in order, for reading."""
    for record in journal.records(1, 1 << 62, ("begin",)):
        yield NatsLog(journal, record.head.segment, read_only=True, began=record.sequence)


def list_segments(url: str, credentials: str = "") -> Iterator[str]:
    """Yield a line about each segment of a journal."""
    target = parse_target(url)
    link = NatsLink(target.servers, credentials=credentials)
    try:
        journal = NatsJournal(link, target.journal, make=False)
        _, newest = journal.look()
        for log in read_segments(journal):
            head, meta = log.head(), log.meta()
            yield (f"{log.name}  {head.number + 1} batches, {head.entry_count} entries, {head.output_count} outputs, "
                   f"Lapwing {meta.get('lapwing', '?')}, ends with {head.digest.hex()[:12]}")
        state = "released" if newest.what == "release" else "held"
        yield f"lease: term {newest.term}, {state} by {newest.holder or 'nobody'}"
    finally:
        link.close()


def fetch(url: str, credentials: str, folder: Path, *, patience_s: float = PATIENCE_S) -> list[Path]:
    """Copy a journal into a folder; return the files.

    Raises StorageError where a seal does not come out the same, Unreachable where nothing more came for `patience_s`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.sqlite")):
        raise StorageError("holds journals already", where=str(folder), remedy="name an empty folder")
    reached, since_s = 0, time.monotonic()
    while True:
        try:
            return _fetch(url, credentials, folder)
        except Unreachable:
            came = sum(_batches_in(path) for path in folder.glob("*.sqlite"))
            if came > reached:
                reached, since_s = came, time.monotonic()
            elif time.monotonic() - since_s >= patience_s:
                raise
            time.sleep(AGAIN_S)


def _batches_in(path: Path) -> int:
    with SqliteLog(path, read_only=True) as log:
        return log.last_batch() + 1


def _fetch(url: str, credentials: str, folder: Path) -> list[Path]:
    target = parse_target(url)
    link = NatsLink(target.servers, credentials=credentials)
    try:
        return [copy_segment(log, folder / log.name) for log in read_segments(NatsJournal(link, target.journal, make=False))]
    finally:
        link.close()


def follow(url: str, credentials: str, folder: Path, since: str) -> None:
    """Copy what a folder lacks of a journal that is being written, from the segment `since` on. Raises as `fetch`, without patience."""
    folder.mkdir(parents=True, exist_ok=True)
    target = parse_target(url)
    link = NatsLink(target.servers, credentials=credentials)
    try:
        for log in read_segments(NatsJournal(link, target.journal, make=False)):
            if log.name >= since:
                copy_segment(log, folder / log.name, written=True)
    finally:
        link.close()


def copy_segment(log: NatsLog, path: Path, *, written: bool = False) -> Path:
    """Copy one segment into a file, or what a file lacks of it. Raises StorageError where a seal does not come out the same.

    `written`: it may have grown meanwhile; what came after is copied the next time.
    """
    with SqliteLog(path, synchronous="NORMAL", commit_every=COMMIT_EVERY) as copy:
        for sealed in log.sealed(copy.last_batch() + 1):
            copy.set_meta(dict(sealed.meta))
            copy.append(Batch(sealed.number, sealed.entries))
            copy.commit(sealed.number, sealed.outputs)
            if copy.head().digest != sealed.digest:
                raise StorageError(f"the seal of batch {sealed.number} does not fit what the cluster holds", where=log.where,
                                   remedy="compare with another copy: it was changed, or a part of it is gone")
        copy.set_meta(log.meta())      # those after the last batch
        if not written and copy.last_batch() != log.last_batch():
            raise StorageError(f"{copy.last_batch() + 1} of {log.last_batch() + 1} batches could be read", where=log.where,
                               remedy="try again; else restore the stream from a copy")
    return path

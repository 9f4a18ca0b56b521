"""The local files of a site whose journal lies in a cluster: what it journaled while the cluster was out of reach.

A spool carries a segment on from where the cluster's copy ended, with the same numbers and seals; so it is brought back batch
by batch, by number, and whatever the cluster has already (the answer to the last write was lost) is seen by its seal. A spool
that the cluster went on without (another machine took over meanwhile) stays as a file and is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lapwing.adapters.nats_journal import NatsJournal
from lapwing.adapters.nats_log import NatsLog
from lapwing.adapters.nats_records import pack_facts
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError
from lapwing.record.journal import Head, Sealed

_NAME = re.compile(r"spool-(\d{6})-(.+\.sqlite)")
GROUP_BATCHES = 40           # brought back in one atomic batch of messages
GROUP_OCTETS = 8_000_000
_BULKY = ("initial_state",)       # facts that a spool need not repeat: it has a checkpoint of its own


class Diverged(StorageError):
    """The cluster's journal went on without what a spool holds."""


@dataclass(frozen=True, slots=True)
class Spool:
    """One file."""

    number: int
    segment: str
    path: Path


def spools(folder: Path) -> list[Spool]:
    """Return the spools of a folder in order."""
    if not folder.is_dir():
        return []
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((Spool(int(match[1]), match[2], path) for match, path in found if match), key=lambda spool: spool.number)


def begin_spool(folder: Path, segment: str, head: Head, facts: dict[str, str]) -> SqliteLog:
    """Make a spool that carries a segment on. Raises StorageError; then none was made."""
    folder.mkdir(parents=True, exist_ok=True)
    known = spools(folder)
    path = folder / f"spool-{known[-1].number + 1 if known else 1:06d}-{segment}"
    log = SqliteLog(path)
    try:
        if head.number >= 0:
            log.begin_at(head, {key: value for key, value in facts.items() if key not in _BULKY})
        else:
            log.set_meta(facts)
    except StorageError:
        log.close()
        remove(path)
        raise
    return log


def remove(path: Path) -> None:
    """Remove a spool that the cluster holds."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def set_aside(spool: Spool) -> Path:
    """Keep a spool that cannot be brought back, under a name of its own."""
    path = spool.path.with_name(spool.path.name.replace("spool-", "branch-", 1))
    spool.path.rename(path)
    return path


def bring_back(journal: NatsJournal, spool: Spool) -> int:
    """Store in the cluster what a spool holds beyond it; return how many batches that were.

    The journal's lease is ours and its head is the newest. Raises Diverged where the cluster's journal is another one by now,
    and what writing raises.
    """
    with SqliteLog(spool.path, read_only=True) as kept:
        first, end = kept.first_batch(), kept.head()
        if first == -1 and (end.number >= 0 or not kept.meta()):
            return 0             # its maker died, or the cluster was there again, before it held anything
        if journal.head.segment != spool.segment:
            if first > 0:
                raise Diverged(f"the cluster's newest segment is {journal.head.segment or 'none'}", where=str(spool.path))
            journal.begin(spool.segment, pack_facts(kept.meta()))
        log = NatsLog(journal, spool.segment)
        if first == -1:
            return 0
        if log.last_batch() < first - 1 or log.last_batch() > end.number:
            raise Diverged(f"the cluster's ends with batch {log.last_batch()}, this begins with {first} and ends with {end.number}",
                           where=str(spool.path))
        point, count, octets = kept.checkpoint(), 0, 0
        group: list[Sealed] = []
        for sealed in kept.sealed(max(first, log.last_batch())):
            if sealed.number == log.last_batch():
                if sealed.digest != log.head().digest:
                    raise Diverged(f"batch {sealed.number} is another one in the cluster", where=str(spool.path))
                continue
            if not set(dict(sealed.meta)) <= set(log.meta()):
                log.carry(group, point)
                log.set_meta(dict(sealed.meta))
                group.clear()
            elif not group and not log.may_follow(sealed):
                raise Diverged(f"batch {sealed.number} does not follow the cluster's batch {log.last_batch()}", where=str(spool.path))
            group.append(sealed)
            count += 1
            octets += sum(len(entry.payload) for entry in sealed.entries) + sum(len(output.payload) for output in sealed.outputs)
            if len(group) >= GROUP_BATCHES or octets >= GROUP_OCTETS:
                log.carry(group, point)
                group.clear()
                octets = 0
        log.carry(group, point)
        return count

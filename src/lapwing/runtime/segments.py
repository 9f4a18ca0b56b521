"""The journal of a live site: a folder of segments, each a journal file of its own that begins where the last one ended.

A segment has one configuration. A reload with changed sensors or policy, the turn of a day, and the end of a disk
fault begin a new one, whose first fact is the state that it goes on from (so it can be replayed by itself) and the
digest of the segment before (so the chain goes through all of them). Nothing is carried over in memory alone.

=================== ===========================================================================================
fact (meta)         meaning
=================== ===========================================================================================
``initial_state``   checkpoint (hex) that the segment goes on from; absent in the first
``previous_head``   digest of the last batch of the segment before
``previous``        its file name
``gap``             why input between the two is missing, where it is ("the disk was full from ... to ...")
=================== ===========================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError
from lapwing.model.ports import Log, Output
from lapwing.record.journal import GENESIS, Head

_NAME = re.compile(r"journal-(\d{6})\.sqlite")


class SegmentLog(Log, Protocol):
    """A segment as the live loop uses it."""

    @property
    def name(self) -> str:
        """Its name, which is that of its file."""

    @property
    def where(self) -> str:
        """Where it lies, for messages."""

    @property
    def wants_point(self) -> bool:
        """Whether the next commit should carry a checkpoint, whenever the last one was."""

    def head(self) -> Head:
        """Return its end."""

    def outputs_of(self, kind: str, first_batch: int = 0) -> list[tuple[int, Output]]:
        """Return (batch number, output) of one kind, in order."""


class Journal(Protocol):
    """Where segments lie."""

    def open_newest(self) -> SegmentLog | None:
        """Return the newest segment, open for writing; None where there is none. Raises StorageError."""

    def begin(self, facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS, initial_state: bytes | None = None,
              gap: str = "") -> SegmentLog:
        """Make the next segment with its facts. Raises StorageError; then no segment was made."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A journal whose segments are files of a folder."""

    path: Path

    def open_newest(self) -> SegmentLog | None:
        """Return the newest segment."""
        return open_newest(self.path)

    def begin(self, facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS, initial_state: bytes | None = None,
              gap: str = "") -> SegmentLog:
        """Make the next segment."""
        return begin(self.path, facts, previous=previous, previous_head=previous_head, initial_state=initial_state, gap=gap)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the journal."""

    number: int
    path: Path


def segments(folder: Path) -> list[Segment]:
    """Return the segments of a folder in order; none where there is no such folder."""
    if not folder.is_dir():
        return []
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((Segment(int(match[1]), path) for match, path in found if match), key=lambda segment: segment.number)


def open_newest(folder: Path) -> SqliteLog | None:
    """Return the newest segment, open for writing; None where there is none yet. Raises StorageError.

    A segment without facts was never begun: its maker was killed, or the disk was full, between the file and its facts.
    It holds nothing and is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for segment in reversed(segments(folder)):
        log = SqliteLog(segment.path)
        if log.meta() or log.last_batch() >= 0:
            return log
        log.close()
        _remove(segment.path)
    return None


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def begin(folder: Path, facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS,
          initial_state: bytes | None = None, gap: str = "") -> SqliteLog:
    """Make the next segment with its facts. Raises StorageError; then no segment was made."""
    folder.mkdir(parents=True, exist_ok=True)
    known = segments(folder)
    path = folder / f"journal-{known[-1].number + 1 if known else 1:06d}.sqlite"
    try:
        log = SqliteLog(path)
    except StorageError:
        _remove(path)      # a full disk still makes an empty file
        raise
    try:
        log.set_meta(first_facts(facts, previous=previous, previous_head=previous_head, initial_state=initial_state, gap=gap))
    except StorageError:
        log.close()
        _remove(path)
        raise
    return log


def first_facts(facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS, initial_state: bytes | None = None,
                gap: str = "") -> dict[str, str]:
    """Return the facts that a segment begins with."""
    more = {"initial_state": initial_state.hex()} if initial_state is not None else {}
    if previous:
        more |= {"previous": previous, "previous_head": previous_head.hex()}
    return facts | more | ({"gap": gap} if gap else {})


def chain_faults(folder: Path) -> list[tuple[str, str]]:
    """Return (file, what) for every segment that does not follow the one before it."""
    faults: list[tuple[str, str]] = []
    before: tuple[str, bytes, int] | None = None
    for segment in segments(folder):
        with SqliteLog(segment.path, read_only=True) as log:
            meta, head = log.meta(), log.head()
        if before is not None:
            name, digest, number = before
            if segment.number != number + 1:
                faults.append((segment.path.name, f"segment {number + 1} before it is missing"))
            elif meta.get("previous") != name or meta.get("previous_head") != digest.hex():
                faults.append((segment.path.name, f"does not follow {name}: that one was changed, cut off or exchanged"))
        elif "previous" in meta:
            faults.append((segment.path.name, f"the segment before it, {meta['previous']}, is missing"))
        before = (segment.path.name, head.digest, segment.number)
    return faults

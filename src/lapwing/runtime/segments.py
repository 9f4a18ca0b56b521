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

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lapwing.adapters.audit_file import public_key_of
from lapwing.adapters.retired_file import read_retired, retired_count, retired_faults
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


def journal_samples(folder: Path) -> list[tuple[str, dict[str, str], float]]:
    """Return the size of a journal for Prometheus: its octets on disk, segments at hand, and segments retired."""
    found = segments(folder)
    octets = 0
    for segment in found:
        for name in (segment.path.name, f"{segment.path.name}-wal"):
            with contextlib.suppress(OSError):          # retired between the two
                octets += segment.path.with_name(name).stat().st_size
    return [("lapwing_journal_octets", {}, octets), ("lapwing_journal_segments", {}, len(found)),
            ("lapwing_journal_retired_total", {}, retired_count(folder))]


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
        remove_segment(segment.path)
    return None


def remove_segment(path: Path) -> None:
    """Remove a segment with what SQLite has beside it."""
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
        remove_segment(path)      # a full disk still makes an empty file
        raise
    try:
        log.set_meta(first_facts(facts, previous=previous, previous_head=previous_head, initial_state=initial_state, gap=gap))
    except StorageError:
        log.close()
        remove_segment(path)
        raise
    return log


def first_facts(facts: dict[str, str], *, previous: str = "", previous_head: bytes = GENESIS, initial_state: bytes | None = None,
                gap: str = "") -> dict[str, str]:
    """Return the facts that a segment begins with."""
    more = {"initial_state": initial_state.hex()} if initial_state is not None else {}
    if previous:
        more |= {"previous": previous, "previous_head": previous_head.hex()}
    return facts | more | ({"gap": gap} if gap else {})


def retired_lines_faults(folder: Path, public_key: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Return how many segments were retired, the key their lines are checked with, and (where, what) is wrong with the lines.

    `public_key` in hexadecimal; empty: that of the audit key beside the journal's folder. Raises StorageError without either.
    """
    count = retired_count(folder)
    if not count:
        return 0, "", []
    path = folder.parent / "audit-key"
    if not public_key:
        if not path.is_file():
            raise StorageError("no key to check the retired segments with", where=str(path),
                               remedy="give --public-key, as `lapwing users audit` prints it")
        public_key = public_key_of(path)
    return count, public_key, retired_faults(folder, public_key)


def chain_faults(folder: Path) -> list[tuple[str, str]]:
    """Return (file, what) for every segment that does not follow the one before it.

    One that was retired counts as there, by the signed line that it left (`adapters.retired_file`).
    """
    links: dict[int, tuple[str, str, str, str]] = {}       # number -> name, head, name and head of the one before it
    for line in read_retired(folder):
        match = _NAME.fullmatch(line["segment"])
        if match:
            links[int(match[1])] = (line["segment"], line["head"], str(line["previous"][0]), str(line["previous"][1]))
    for segment in segments(folder):
        with SqliteLog(segment.path, read_only=True) as log:
            meta = log.meta()
            links[segment.number] = (segment.path.name, log.head().digest.hex(), meta.get("previous", ""), meta.get("previous_head", ""))
    faults: list[tuple[str, str]] = []
    before: int | None = None
    for number, (name, _, previous, previous_head) in sorted(links.items()):
        if before is None:
            if previous:
                faults.append((name, f"the segment before it, {previous}, is missing"))
        elif number != before + 1:
            faults.append((name, f"segment {before + 1} before it is missing"))
        elif (previous, previous_head) != links[before][:2]:
            faults.append((name, f"does not follow {links[before][0]}: that one was changed, cut off or exchanged"))
        before = number
    return faults

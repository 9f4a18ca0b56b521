"""Journal segments past their time: packed into another folder or dropped, each with a signed line that the chain goes on from.

A segment stays while anything speaks for it: it is the newest, too young, held for an incident, not yet in the archive of tracks
or in the register, or not as it was sealed (then it is evidence). A packed copy is read back before the original goes.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from lapwing.adapters.archive_manifest import Hold, Manifest
from lapwing.adapters.audit_file import load_key
from lapwing.adapters.retired_file import Line, add_retired, read_retired
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError, LapwingError, StorageError
from lapwing.model.times import DAY_NS, to_iso
from lapwing.record.audit import check
from lapwing.runtime.register import open_database
from lapwing.runtime.segments import Segment, remove_segment, segments
from lapwing.runtime.site_config import Site, require_site

PACKED = ".zst"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Policy:
    """When segments leave the journal's folder, and what must have them first."""

    keep_days: int                       # 0: never
    pack: Path | None                    # folder of packed copies; None: they are dropped
    archive: Path                        # of tracks, which has the holds too
    archived_first: bool                 # the archive of tracks must have them
    registered: tuple[str, int] | None   # (segment, batch) that the register has reached; None: there is no register


@dataclass(frozen=True, slots=True)
class Standing:
    """One segment and why it stays; `why` is empty where it may go."""

    segment: Segment
    first_ns: int
    last_ns: int
    why: str


@dataclass(slots=True)
class Retired:
    """What one round did."""

    packed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def policy_of(site: Site) -> Policy:
    """Return the policy of a site. Raises StorageError where the register cannot be asked how far it is."""
    registered = None
    if site.database.address is not None and site.journal.keep_days:
        with open_database(site.database) as database:
            place = database.place(site.database.site)
            registered = (place.segment, place.batch)
    return Policy(site.journal.keep_days, site.journal.pack, site.archive.folder, site.archive.keep, registered)


def standings(journal: Path, policy: Policy, now_ns: int) -> list[Standing]:
    """Return every segment at hand, oldest first, and why it stays. The seals are not checked here."""
    manifest = Manifest(policy.archive)
    known, place, holds = segments(journal), manifest.place(), manifest.holds()
    found = []
    for segment in known:
        with SqliteLog(segment.path, read_only=True) as log:
            first_ns, last_ns = log.period()
            why = ("the newest" if segment is known[-1] else "") or _young(last_ns, policy.keep_days, now_ns) or _held(
                first_ns, last_ns, holds) or _unarchived(log, place, policy) or _unregistered(log, policy)
        found.append(Standing(segment, first_ns, last_ns, why))
    return found


def _young(last_ns: int, keep_days: int, now_ns: int) -> str:
    if not keep_days:
        return "kept for ever"
    return f"younger than {keep_days} days" if last_ns >= now_ns - keep_days * DAY_NS else ""


def _held(first_ns: int, last_ns: int, holds: list[Hold]) -> str:
    names = [hold.id for hold in holds if hold.from_ns <= last_ns and first_ns <= hold.until_ns]
    return f"held for {', '.join(names)}" if names else ""


def _unarchived(log: SqliteLog, place: tuple[str, int], policy: Policy) -> str:
    if not policy.archived_first or place[0] > log.name:
        return ""
    first = place[1] + 1 if place[0] == log.name else 0
    rest, _ = log.whole_batches(("tracks",), first, 1)
    return "its tracks are not in the archive yet" if rest else ""


def _unregistered(log: SqliteLog, policy: Policy) -> str:
    if policy.registered is None or policy.registered > (log.name, log.last_batch() - 1):
        return ""
    return "not in the register's database yet"


def retire(journal: Path, policy: Policy, audit_key: Path, now_ns: int) -> Retired:
    """Pack or drop every segment that may go. Raises StorageError; what was done before stays done."""
    done = Retired()
    gone = {line["segment"] for line in read_retired(journal)}
    for standing in standings(journal, policy, now_ns):
        name = standing.segment.path.name
        if standing.why:
            continue
        if name not in gone:        # else a crash came between its line and its end
            line = _line(standing, policy, now_ns)
            add_retired(journal, load_key(audit_key), line)
            (done.packed if line["kept_as"] else done.dropped).append(name)
        remove_segment(standing.segment.path)
    return done


def _line(standing: Standing, policy: Policy, now_ns: int) -> Line:
    path = standing.segment.path
    wal = path.with_name(path.name + "-wal")
    if wal.exists():                 # its writer was killed, or somebody read while it closed: all of it into the one file
        SqliteLog(path).close()
        if wal.exists() and wal.stat().st_size:
            raise StorageError("somebody reads it", where=str(path), remedy="nothing: it is tried again in an hour")
    with SqliteLog(path, read_only=True) as log:
        audit, meta = check(log.sealed(), log.head()), log.meta()
    if audit.faults:
        raise StorageError(f"is not as it was sealed ({audit.faults[0].where}: {audit.faults[0].what}): it stays", where=str(path),
                           remedy="`lapwing verify` on it; keep it, and compare it with a copy")
    kept, kept_sha256, sha256 = "", "", file_sha256(path)
    if policy.pack is not None:
        target = policy.pack / (path.name + PACKED)
        kept, kept_sha256 = target.name, _pack(path, target, sha256)
    return {"time": to_iso(now_ns, digits=0), "segment": path.name, "head": audit.head.hex(),
            "previous": [meta.get("previous", ""), meta.get("previous_head", "")], "first": to_iso(standing.first_ns),
            "last": to_iso(standing.last_ns), "batches": audit.batch_count, "entries": audit.entry_count, "outputs": audit.output_count,
            "octets": path.stat().st_size, "sha256": sha256, "kept_as": kept, "kept_sha256": kept_sha256,
            "why": f"older than {policy.keep_days} days"}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(path: Path, target: Path, sha256: str) -> str:
    """Write a packed copy and read it back; return its SHA-256. Raises StorageError, and leaves nothing half-written."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, pa.CompressedOutputStream(str(part), "zstd") as sink:
            while piece := source.read(_PIECE):
                sink.write(piece)
        if _unpacked_sha256(part) != sha256:
            raise StorageError("the packed copy does not read back the same", where=str(part), remedy="check that disk")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file_sha256(target)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror or error}", where=str(target),
                           remedy="free space there, or change owner or mode; the segment stays where it is") from error
    finally:
        part.unlink(missing_ok=True)


def _unpacked_sha256(path: Path, sink: Path | None = None) -> str:
    digest = hashlib.sha256()
    with pa.CompressedInputStream(str(path), "zstd") as source:
        if sink is None:
            while piece := source.read(_PIECE):
                digest.update(piece)
        else:
            with sink.open("xb") as out:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    out.write(piece)
    return digest.hexdigest()


def retired(journal: Path) -> list[Line]:
    """Return the lines of the segments that have left."""
    return read_retired(journal)


def restore(journal: Path, pack: Path | None, name: str, folder: Path) -> Path:
    """Unpack a retired segment into a folder, checked against its line; return its file. Raises InputError, StorageError."""
    line = next((line for line in read_retired(journal) if line["segment"] == name), None)
    if line is None or pack is None or not line["kept_as"]:
        raise InputError("was dropped" if line is not None else "was not retired", where=name,
                         remedy="`lapwing journal list site.toml` shows what was, and whether a copy was kept")
    target, source = folder / name, pack / line["kept_as"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        same = _unpacked_sha256(source, target) == line["sha256"]
    except FileExistsError as error:
        raise InputError("is there already", where=str(target), remedy="name another folder") from error
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"cannot be unpacked: {error.strerror or error}", where=str(source),
                           remedy="bring it back from a copy") from error
    if not same:
        target.unlink()
        raise StorageError("is not the file that was retired", where=str(source), remedy="bring it back from a copy")
    return target


def words_of(done: Retired) -> str:
    """Return a round in words; empty where nothing was to do."""
    return "; ".join(f"{word} {', '.join(names)}" for word, names in (("packed", done.packed), ("dropped", done.dropped)) if names)


def main(words: list[str]) -> int:
    """Retire once, as the service has it done: SITE."""
    os.nice(10)
    try:
        site = require_site(Path(words[0]))[0]
        done = retire(site.data / "journal", policy_of(site), site.data / "audit-key", time.time_ns())
    except LapwingError as error:
        print(error)
        return 1
    text = words_of(done)
    if text:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The manifest of an archive: one line of JSON for everything that was ever sealed, compacted, held or removed.

Append-only; each line names the SHA-256 of the line before, so a line that is changed, moved or taken out shows. What was
cut off at the end shows only to who wrote the head down elsewhere (`lapwing archive verify` prints it).

========== =====================================================================================================
kind       meaning, and its keys beside `number`, `time`, `previous`
========== =====================================================================================================
``hour``   a sealed file: file, sha256, octets, rows (of each band), from, until (left the tracker),
           applied_from, applied_until (time of applicability: what a question skips files by), journal {segment, first, last}
``day``    hours of a day in one file: the same without journal, and `replaces`: the files it was made from
``gap``    batches of the journal that this version cannot read: journal, why
``remove`` a file past its time: file, sha256, why
``hold``   nothing of a period is removed: id, from, until, by, why
``release`` the end of a hold: id, by, why
========== =====================================================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapwing.model.errors import InputError, StorageError
from lapwing.model.times import from_iso, to_iso

NAME = "manifest.jsonl"
GENESIS = "0" * 64
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """A period that is kept whatever its age."""

    id: str
    from_ns: int
    until_ns: int
    by: str
    why: str


class Manifest:
    """The lines of a folder, read once; `add` appends one, durable before it returns."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / NAME
        self.lines: list[Line] = []
        self.head = GENESIS
        self._whole_octets = 0
        for octets in _whole_lines(self.path):
            try:
                line = json.loads(octets)
            except ValueError as error:
                raise StorageError(f"line {len(self.lines) + 1} is no JSON", where=str(self.path),
                                   remedy="`lapwing archive verify` says what is wrong; bring the file back from a copy") from error
            self.lines.append(line)
            self.head = hashlib.sha256(octets).hexdigest()
            self._whole_octets += len(octets) + 1

    def add(self, kind: str, time_ns: int, **values: Any) -> None:
        """Append a line. Raises StorageError."""
        line = {"number": len(self.lines), "time": to_iso(time_ns), "kind": kind, **values, "previous": self.head}
        octets = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            with self.path.open("r+b" if self.path.exists() else "wb") as file:
                file.truncate(self._whole_octets)        # a line that a crash tore was never promised to anybody
                file.seek(self._whole_octets)
                file.write(octets + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror or error}", where=str(self.path),
                               remedy="free space, or change owner or mode") from error
        self.lines.append(line)
        self.head = hashlib.sha256(octets).hexdigest()
        self._whole_octets += len(octets) + 1

    def live(self) -> list[Line]:
        """Return the lines of the files that count now: sealed, not replaced by a day, not removed; in order of time."""
        found: dict[str, Line] = {}
        for line in self.lines:
            if line["kind"] in ("hour", "day"):
                found[line["file"]] = line
                for name in line.get("replaces", ()):
                    found.pop(name, None)
            elif line["kind"] == "remove":
                found.pop(line["file"], None)
        return sorted(found.values(), key=lambda line: (line["from"], line["number"]))

    def names(self) -> set[str]:
        """Return every file name that was ever used: none is used twice."""
        return {line["file"] for line in self.lines if "file" in line}

    def place(self) -> tuple[str, int]:
        """Return (segment, batch) of the journal up to which rows were sealed; ("", -1) before the first."""
        for line in reversed(self.lines):
            if "journal" in line:
                return str(line["journal"]["segment"]), int(line["journal"]["last"])
        return "", -1

    def holds(self) -> list[Hold]:
        """Return the holds in force."""
        found: dict[str, Hold] = {}
        for line in self.lines:
            if line["kind"] == "hold":
                found[line["id"]] = Hold(line["id"], from_iso(line["from"]), from_iso(line["until"]), line["by"], line["why"])
            elif line["kind"] == "release":
                found.pop(line["id"], None)
        return list(found.values())

    def hold(self, hold: Hold, now_ns: int) -> None:
        """Begin a hold, or set one anew."""
        if hold.until_ns < hold.from_ns:
            raise InputError("ends before it begins", where=f"hold {hold.id}", remedy="give --from before --until")
        self.add("hold", now_ns, id=hold.id, **{"from": to_iso(hold.from_ns), "until": to_iso(hold.until_ns)}, by=hold.by, why=hold.why)

    def release(self, hold_id: str, by: str, why: str, now_ns: int) -> None:
        """End a hold. Raises InputError where there is none of this name."""
        known = [hold.id for hold in self.holds()]
        if hold_id not in known:
            raise InputError(f"no hold {hold_id!r}", where=str(self.path), remedy=f"in force: {', '.join(known) or 'none'}")
        self.add("release", now_ns, id=hold_id, by=by, why=why)


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", where=str(path), remedy="check owner and mode") from error
    yield from octets.split(b"\n")[:-1]


def faults(folder: Path) -> tuple[list[str], str]:
    """Return what is wrong with an archive, and the head of its manifest: chain, files that changed, are missing or strange."""
    found: list[str] = []
    previous = GENESIS
    for number, octets in enumerate(_whole_lines(folder / NAME)):
        try:
            line = json.loads(octets)
            sound = line["previous"] == previous and line["number"] == number
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            return [f"{NAME} line {number + 1}: changed, moved, or the one before it was changed or removed"], previous
        previous = hashlib.sha256(octets).hexdigest()
    manifest = Manifest(folder)
    due = {line["file"]: line for line in manifest.live()}
    for name, line in due.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name}: missing")
        elif sha256_of(path) != line["sha256"]:
            found.append(f"{name}: not as it was sealed")
    for path in sorted(folder.glob("*.parquet")):
        if path.name not in due and path.name not in manifest.names():
            found.append(f"{path.name}: nobody sealed it")
    return found, previous


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

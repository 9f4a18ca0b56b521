"""Keeps the archive of a site: hours that are over are read from the journal and sealed, days made, old ones removed.

The archive is made from the journal alone, and where it ends stands in its manifest: killed anywhere, it goes on with the
hour that was not sealed, and no row is in it twice. Beside a live service this runs as a process of its own, so that an
hour's writing takes neither the loop's time nor its memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lapwing.adapters.archive import HOUR_NS, Archive
from lapwing.adapters.archive_manifest import Hold, Line, Manifest, faults
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError, LapwingError, StorageError
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.record.track_rows import TrackRows, unpack
from lapwing.runtime.segments import remove_segment, segments

if TYPE_CHECKING:
    from lapwing.runtime.site_config import Site

SETTLE_NS = 60 * NS_PER_S      # after its end an hour waits so long: the last batches of it are still under way
FIRST_S, EVERY_S = 30.0, 60.0  # how often the service looks whether an hour is over
HOLD_MARGIN_NS = HOUR_NS       # before the first and after the last event of an incident: how it came, and what followed


@dataclass(slots=True)
class Kept:
    """What one round did."""

    hours: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


def keep(journal: Path, folder: Path, keep_days: int, now_ns: int) -> Kept:
    """Seal every hour that is over, make days, remove what is past its time. Raises StorageError."""
    kept = Kept()
    with Archive(folder) as archive:
        name, batch = archive.manifest.place()
        for segment in segments(journal):
            if segment.path.name < name:
                continue
            _seal_segment(archive, segment.path, batch + 1 if segment.path.name == name else 0, now_ns, kept)
        kept.days = [line["file"] for line in archive.compact(now_ns)]
        kept.removed = archive.retain(keep_days, now_ns)
    return kept


def keep_of_cluster(url: str, credentials: str, copy: Path, folder: Path, keep_days: int, now_ns: int) -> Kept:
    """Keep the archive of a site whose journal lies in a cluster, by way of a copy of what is not sealed yet. Raises StorageError."""
    from lapwing.runtime.cluster_copy import follow  # the extra [nats]

    follow(url, credentials, copy, Manifest(folder).place()[0])
    kept = keep(copy, folder, keep_days, now_ns)
    reached = Manifest(folder).place()[0]
    for segment in segments(copy):
        if segment.path.name < reached:
            remove_segment(segment.path)                 # the cluster has it, and the archive its rows
    return kept


def _seal_segment(archive: Archive, path: Path, first: int, now_ns: int, kept: Kept) -> None:
    """Seal the hours of one segment from a batch on."""
    while True:
        with SqliteLog(path, read_only=True) as log:
            try:
                reader = _Hour(log, first)
                if reader.hour_ns is None or reader.hour_ns + HOUR_NS + SETTLE_NS > now_ns:
                    return
                line = archive.seal_hour(reader.hour_ns, reader.rows, reader.place, now_ns)
            except StorageError as error:
                if "another layout" not in error.what:
                    raise
                # An older version's rows: that stretch stays in the journal, and the archive says so.
                last = log.last_batch()
                archive.manifest.add("gap", now_ns, journal={"segment": path.name, "first": first, "last": last}, why=str(error))
                kept.gaps.append(f"{path.name}: {error}")
                return
        kept.hours.append(line["file"])
        first = line["journal"]["last"] + 1


class _Hour:
    """The rows of the first hour that has any, from a batch of a segment on."""

    def __init__(self, log: SqliteLog, first: int) -> None:
        self._log, self._first, self._last = log, first, first - 1
        begin = next(self._all(), None)
        self.hour_ns = None if begin is None else int(begin[1]["emit_ns"][0]) // HOUR_NS * HOUR_NS

    def _all(self) -> Iterator[tuple[int, TrackRows]]:
        for number, output in self._log.outputs(self._first):
            if output.kind == "tracks":
                rows = unpack(output.payload)
                if len(rows):
                    yield number, rows

    def rows(self) -> Iterator[TrackRows]:
        assert self.hour_ns is not None, "the caller looked"
        for number, rows in self._all():
            if int(rows["emit_ns"][0]) >= self.hour_ns + HOUR_NS:
                return
            self._last = number
            yield rows

    def place(self) -> dict[str, str | int]:
        return {"segment": self._log.path.name, "first": self._first, "last": self._last}


def incident_period(journal: Path, incident: str) -> tuple[int, int]:
    """Return from when to when an incident lasted, by the events of a journal. Raises InputError where there is none."""
    known: dict[str, list[int]] = {}
    for segment in segments(journal):
        with SqliteLog(segment.path, read_only=True) as log:
            for _, output in log.outputs_of("event"):
                row = json.loads(output.payload)
                known.setdefault(str(row.get("incident", "")), []).append(from_iso(row["time"]))
    if incident not in known:
        newest = ", ".join(sorted(name for name in known if name)[-5:])
        raise InputError(f"no incident {incident!r} in the journal", where=str(journal),
                         remedy=f"the newest are {newest}" if newest else "give --from and --until")
    return min(known[incident]), max(known[incident])


def hold_incident(folder: Path, incident: str, period: tuple[int, int], by: str, why: str, now_ns: int) -> Hold:
    """Keep everything of an incident, an hour on either side, until it is released."""
    hold = Hold(incident, period[0] - HOLD_MARGIN_NS, period[1] + HOLD_MARGIN_NS, by, why)
    with Archive(folder) as archive:
        archive.manifest.hold(hold, now_ns)
    return hold


def release_hold(folder: Path, incident: str, by: str, why: str, now_ns: int) -> None:
    """End a hold. Raises InputError where there is none."""
    with Archive(folder) as archive:
        archive.manifest.release(incident, by, why, now_ns)


def archive_of(folder: Path) -> tuple[list[Line], list[Hold]]:
    """Return the manifest's lines of the files that count now, and the holds in force. Raises InputError where there is no archive."""
    manifest = Manifest(folder)
    if not manifest.lines:
        raise InputError("holds no sealed hour yet", where=str(folder),
                         remedy="an hour is sealed a minute after its end; `lapwing archive keep site.toml` does it now")
    return manifest.live(), manifest.holds()


def check_archive(folder: Path) -> tuple[list[str], str]:
    """Return what is wrong with an archive, and the head of its manifest."""
    archive_of(folder)
    return faults(folder)


class Keeper:
    """Has a module's `main` run beside a running service: a process of its own, begun when an hour is over.

    Parameters
    ----------
    module, words : of lapwing.runtime, and what its `main` is given
    clock : nanoseconds UTC
    say : called with (level, text)
    """

    def __init__(self, module: str, words: Sequence[str], clock: Callable[[], int], say: Callable[[str, str], None]) -> None:
        self._name, self._words = module, [f"lapwing.runtime.{module}", *words]
        self._clock, self._say = clock, say
        self._process: subprocess.Popen[str] | None = None
        self._due_s = time.monotonic() + FIRST_S
        self._done_hour = -1
        self._asked_hour = -1
        self.problem = ""

    def look(self) -> None:
        """Begin a round where one is due; take the result of one that has ended. Quick: for each turn of the loop."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + EVERY_S
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._ended(self._process)
            self._process = None
        hour = (self._clock() - SETTLE_NS) // HOUR_NS
        if hour <= self._done_hour:
            return
        self._asked_hour = hour
        try:
            self._process = subprocess.Popen([sys.executable, "-m", *self._words], text=True,
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as error:
            self.problem = f"the process that keeps it does not start: {error}"
            return
        self._due_s = time.monotonic() + 1.0

    def _ended(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None, "it was asked for"
        said = process.stdout.read().strip()
        process.stdout.close()
        if process.returncode == 0:
            self._done_hour, self.problem = self._asked_hour, ""
            if said:
                self._say("info", f"{self._name}: {said}")
        else:
            self.problem = said.splitlines()[-1] if said else f"the process that keeps it ended with {process.returncode}"

    def close(self) -> None:
        """End a round that is under way: it is begun again from the journal."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def keepers_of(site: Site, clock: Callable[[], int], say: Callable[[str, str], None]) -> dict[str, Keeper]:
    """Return what is to be kept of a site, by the name of the degraded mode where that fails."""
    found = {}
    if site.archive.keep:
        words = [str(site.data / ("archive-copy" if site.log else "journal")), str(site.archive.folder), str(site.archive.keep_days)]
        words += [site.log, site.log_credentials] if site.log else []
        found["archive"] = Keeper("archiving", words, clock, say)
    if site.journal.keep_days and not site.log:
        found["retention"] = Keeper("retiring", [str(site.path)], clock, say)
    return found


def words_of(kept: Kept) -> str:
    """Return a round in words; empty where nothing was to do."""
    parts = [("sealed", kept.hours), ("one file a day", kept.days), ("removed", kept.removed), ("not readable", kept.gaps)]
    return "; ".join(f"{name} {', '.join(found)}" for name, found in parts if found)


def main(words: list[str]) -> int:
    """Keep once, as the service has it done: JOURNAL FOLDER KEEP_DAYS; of a cluster COPY FOLDER KEEP_DAYS URL CREDENTIALS."""
    os.nice(10)          # the loop goes first
    journal, folder, keep_days, now_ns = Path(words[0]), Path(words[1]), int(words[2]), time.time_ns()
    try:
        if len(words) > 3:
            kept = keep_of_cluster(words[3], words[4], journal, folder, keep_days, now_ns)
        else:
            kept = keep(journal, folder, keep_days, now_ns)
    except LapwingError as error:
        print(error)
        return 1
    text = words_of(kept)
    if text:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Recordings as sources: a file's datagrams with the time each was received.

The time is the recorder's where the framing has one (pcap: absolute; FINAL, GPS: time of day), else the data's own time
of day on the date given, in file order and never going back. A recorder's clock that stands more than a minute beside
the data's is set by the data, which is said in `notes`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lapwing.model.entries import ASTERIX
from lapwing.model.errors import InputError
from lapwing.model.times import DAY_NS, NS_PER_S, from_iso, to_iso
from lapwing.sense.asterix import framing as framings
from lapwing.sense.asterix.decode import Editions, decode_datagrams
from lapwing.sense.asterix.framing import Frame, Unread
from lapwing.sense.clock import TRUNCATED_NS, Unwrapper

DEFAULT_DATE = "1970-01-01"      # of data that knows only the time of day, where nobody gave a date
BATCH_FRAMES = 512               # frames whose times of day are read at once
SAMPLE_FRAMES = 1_000            # compared with the data to judge the recorder's clock
CLOCK_OFF_NS = 60 * NS_PER_S
UNREAD_OCTETS_MAX = 65_507       # so much of what is no datagram is journaled, in one piece
Item = tuple[int, str, str, bytes]
Ints = npt.NDArray[np.int64]


def parse_date(text: str) -> int:
    """Return the midnight of a date in nanoseconds. InputError for what is no date."""
    try:
        return from_iso(f"{text}T00:00:00Z")
    except ValueError:
        raise InputError(f"{text!r} is no date", where="--date", remedy="write it as 2025-08-05") from None


class RecordingSource:
    """A recording as a `Source`: yields (received_ns, link, "asterix", datagram) in file order.

    Parameters
    ----------
    path : the file; any framing of `sense.asterix.framing`
    date : YYYY-MM-DD of the first octet, for data that knows only the time of day; default 1970-01-01
    editions : to read times of day with, where a source does not speak the newest
    framing : its name, where it must not be detected

    Attributes
    ----------
    framing : as detected
    unread : what was no datagram, filled while iterating; octets of data blocks among it are yielded all the same, so
        that they are journaled and refused with the rest
    notes : what the user should know, in words
    """

    def __init__(self, path: Path, date: str | None = None, editions: Editions | None = None,
                 framing: str | None = None) -> None:
        self.path, self.link = path, f"file:{path.name}"
        self._day_ns = parse_date(date or DEFAULT_DATE)
        self._editions = editions
        self.unread: list[Unread] = []
        self.notes: list[str] = []
        with path.open("rb") as file:
            size = path.stat().st_size
            # mmap: an enormous recording is read as it is played, never as a whole. An empty one cannot be mapped.
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")
        self.framing = framings.ALIASES.get(framing or "", framing) or framings.detect(self._data, path.name)
        if self.framing not in framings.NAMES:
            raise InputError(f"framing {self.framing!r} is unknown", where=str(path),
                             remedy=f"one of {', '.join(framings.NAMES)}")

    def frames(self) -> Iterator[bytes]:
        """Yield the datagrams' octets alone."""
        return (row.payload for row in framings.read_frames(self._data, self.framing) if row.payload)

    def __iter__(self) -> Iterator[Item]:
        self.unread, self.notes = [], []
        rows = framings.read_frames(self._data, self.framing)
        first = list(islice(rows, SAMPLE_FRAMES))
        frames = [row for row in first if isinstance(row, Frame)]
        shift_ns = self._shift(frames)
        clock = Unwrapper(self._day_ns)
        # CAT001 alone has no hour, only the rest of 512 s: good for the order, and right from the date's midnight on.
        truncated = self.framing == "raw" and max(self._times_of_day(frames), default=-1) < 0
        batch: list[Frame | Unread] = first
        while batch:
            yield from self._timed(batch, clock, shift_ns, truncated)
            batch = list(islice(rows, BATCH_FRAMES))

    def _timed(self, batch: list[Frame | Unread], clock: Unwrapper, shift_ns: int,
               truncated: bool) -> Iterator[Item]:
        frames = [row for row in batch if isinstance(row, Frame)]
        by_data = self.framing == "raw"
        times = self._truncated_times if truncated else self._times_of_day
        take = clock.take_truncated if truncated else clock.take
        inside = times(frames) if by_data else []
        number = 0
        for row in batch:
            if isinstance(row, Unread):
                self.unread.append(row)
                octets = row.payload or b""
                if row.octets and self.framing not in ("pcap", "pcapng"):
                    octets = bytes(self._data[row.octet : row.octet + min(row.octets, UNREAD_OCTETS_MAX)])
                if octets:
                    yield max(clock.now_ns, self._day_ns), self.link, ASTERIX, octets
                continue
            if by_data:
                if inside[number] >= 0:
                    take(inside[number])
                number += 1
                received_ns = max(clock.now_ns, self._day_ns)
            elif row.recorded_ns >= 0:
                received_ns = row.recorded_ns + shift_ns
                clock.now_ns = max(clock.now_ns, received_ns)
                received_ns = clock.now_ns
            elif row.recorded_day_ns >= 0:
                received_ns = clock.take((row.recorded_day_ns + shift_ns) % DAY_NS)
            else:
                received_ns = max(clock.now_ns, self._day_ns)
            yield received_ns, f"{self.link}>{row.link}" if row.link else self.link, ASTERIX, row.payload

    def _times_of_day(self, frames: list[Frame]) -> list[int]:
        """Return the newest time of day in each frame, -1 where it has none."""
        result = np.full(len(frames), -1, np.int64)
        if not frames:
            return []
        for records in decode_datagrams([frame.payload for frame in frames], self._editions).records:
            column = records.columns.get("time_of_day_s")
            if column is None:
                continue
            for other in ("time_received_s", "time_sent_s"):
                column = np.where(np.isfinite(column), column, records.columns.get(other, column))
            limit_s = DAY_NS / NS_PER_S
            good = np.isfinite(column) & (column < limit_s)
            if records.category == 1:
                continue  # counts within 512 s: no clock for a recording
            inside = np.round(column[good] * NS_PER_S).astype(np.int64)
            np.maximum.at(result, records.datagram_index[good], inside)
        return [int(value) for value in result]

    def _truncated_times(self, frames: list[Frame]) -> list[int]:
        """Return CAT001's own times, within 512 s, -1 where a frame has none."""
        result = np.full(len(frames), -1, np.int64)
        for records in decode_datagrams([frame.payload for frame in frames], self._editions).records:
            if records.category == 1:
                column = records.columns["time_of_day_s"]
                good = np.isfinite(column)
                inside = np.round(column[good] * NS_PER_S).astype(np.int64) % TRUNCATED_NS
                np.maximum.at(result, records.datagram_index[good], inside)
        return [int(value) for value in result]

    def _shift(self, frames: list[Frame]) -> int:
        """Return what to add to the recorder's clock; not 0 where it stands over a minute beside the data's."""
        recorded = np.array([frame.recorded_ns % DAY_NS if frame.recorded_ns >= 0 else frame.recorded_day_ns
                             for frame in frames], np.int64)
        if not len(recorded) or (recorded < 0).all():
            return 0
        inside = np.array(self._times_of_day(frames), np.int64)
        both = (recorded >= 0) & (inside >= 0)
        if not both.any():
            return 0
        half = DAY_NS // 2
        beside = (inside[both] - recorded[both] + half) % DAY_NS - half
        middle = int(np.median(beside))
        if abs(middle) <= CLOCK_OFF_NS:
            return 0
        # The newest report of each frame is what had just been received: take the smallest delay seen as none.
        near = beside[np.abs(beside - middle) <= 10 * NS_PER_S]
        shift = int(near.max()) if len(near) else middle
        self.notes.append(f"{self.path.name}: the recorder's clock stands {-shift / NS_PER_S:.0f} s beside the data's; "
                          f"it is set by the data (first report {to_iso(int(inside[both][0]), digits=0)[11:19]})")
        return shift

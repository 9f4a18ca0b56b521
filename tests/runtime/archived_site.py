"""Journals with track rows at chosen times, for the tests of the archive."""

from pathlib import Path

import numpy as np

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.entries import TICK, Entry
from lapwing.model.ports import Batch, Output
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.record import track_rows

DAY_NS = from_iso("2026-03-14T00:00:00Z")
HOUR_NS = 3_600 * NS_PER_S


def rows_at(time_ns: int, tracks: int, border_m=None) -> np.ndarray:
    """Return one row a track at a moment; their border distances where given, else 1, 2, 3 ... km outside."""
    rows = track_rows.empty_rows()
    rows = np.zeros(tracks, rows.dtype)
    rows["track_id"] = [f"T{number}".encode() for number in range(tracks)]
    rows["emit_ns"], rows["time_ns"], rows["last_plot_ns"] = time_ns, time_ns - NS_PER_S, time_ns - NS_PER_S
    rows["lat_deg"], rows["lon_deg"] = 45.2, 28.8 + 0.01 * np.arange(tracks)
    rows["border_m"] = 1_000.0 * (1.0 + np.arange(tracks)) if border_m is None else border_m
    rows["mode3a"] = rows["icao_address"] = -1
    rows["confirmed"] = True
    return rows


def packed(rows: np.ndarray) -> bytes:
    return track_rows._MAGIC + rows.tobytes()


def write_journal(path: Path, moments: list[tuple[int, int]], *, first: int = 0, events: tuple[bytes, ...] = ()) -> None:
    """Write a batch for each (time, track count); no track output where the count is 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with SqliteLog(path, synchronous="OFF") as log:
        if not log.meta():
            log.set_meta({"lapwing": "test"})
        for offset, (time_ns, tracks) in enumerate(moments):
            number = first + offset
            log.append(Batch(number, (Entry(number, time_ns, "clock", TICK, b""),)))
            made = [Output("tracks", packed(rows_at(time_ns, tracks)))] if tracks else []
            log.commit(number, [*made, *(Output("event", event) for event in events)])


def every_second(begin_ns: int, seconds: int, step: int = 60, tracks: int = 3) -> list[tuple[int, int]]:
    return [(begin_ns + s * NS_PER_S, tracks) for s in range(0, seconds, step)]

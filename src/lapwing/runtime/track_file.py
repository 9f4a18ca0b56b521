"""`lapwing track`: a file of plots through the tracker into a file of tracks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lapwing import track
from lapwing.adapters import clutter_maps
from lapwing.adapters.parquet_tracks import TracksWriter, arrival_batches, read_plots
from lapwing.model.plots import empty_bearings, empty_looks
from lapwing.model.sensors import SensorTable
from lapwing.model.times import to_iso
from lapwing.model.tracks import Tracks
from lapwing.sense.sensors_file import parse_sensors

BATCH_NS = 500_000_000
ROW_EVERY_NS = 4_000_000_000   # a track without news still gets a row this often: readers see that it lives
REGISTRATION_EVERY_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a run did."""

    plot_count: int
    row_count: int
    track_count: int          # confirmed ones
    data_s: float


def track_file(plots_path: Path, sensors_path: Path, out: Path, *, from_ns: int | None = None,
               until_ns: int | None = None, registration: Path | None = None, clutter_map: Path | None = None,
               progress: Callable[[float], None] | None = None) -> tuple[Tracked, track.State]:
    """Track a file of plots in order of arrival; write the rows of all tracks, tentative ones too."""
    sensors = parse_sensors(sensors_path.read_bytes(), str(sensors_path))
    plots = read_plots(plots_path, sensors, from_ns=from_ns, until_ns=until_ns)
    state = track.State()
    if clutter_map is not None and clutter_map.exists():
        state = track.with_clutter(state, clutter_maps.read(clutter_map, sensors))
    settings, bearings, looks = track.Settings(), empty_bearings(), empty_looks()
    confirmed: set[str] = set()
    last_row: dict[str, int] = {}
    lines: list[str] = []
    next_line_ns = 0
    with TracksWriter(out) as writer:
        for rows, now_ns in arrival_batches(plots.received_ns, BATCH_NS):
            batch = plots.take(np.arange(rows.start, rows.stop))
            state, update = track.step(state, batch, bearings, looks, sensors, (), now_ns, settings)
            writer.add(due(update.tracks, last_row, now_ns), now_ns)
            confirmed.update(name for name, sure in zip(update.tracks.track_id, update.tracks.confirmed, strict=True)
                             if sure)
            if registration is not None and now_ns >= next_line_ns:
                lines.extend(_registration_lines(state, sensors, now_ns))
                next_line_ns = now_ns + REGISTRATION_EVERY_NS
            if progress is not None:
                progress(rows.stop / max(len(plots), 1))
        count = writer.rows
    if registration is not None:
        registration.write_text("".join(lines))
    if clutter_map is not None:
        clutter_maps.write(clutter_map, sensors, track.clutter_maps(state))
    span = float(plots.received_ns[-1] - plots.received_ns[0]) * 1e-9 if len(plots) else 0.0
    return Tracked(len(plots), count, len(confirmed), span), state


def due(tracks: Tracks, last_row: dict[str, int], now_ns: int) -> Tracks:
    """Return the rows with news, and those that had none for a while."""
    due = [k for k, name in enumerate(tracks.track_id)
           if tracks.updated[k] or now_ns - last_row.get(name, 0) >= ROW_EVERY_NS]
    for k in due:
        last_row[tracks.track_id[k]] = now_ns
    if len(last_row) > 4 * len(tracks.track_id) + 256:
        live = set(tracks.track_id)
        for name in [name for name in last_row if name not in live]:
            del last_row[name]
    return tracks.take(np.array(due, np.intp))


def _registration_lines(state: track.State, sensors: SensorTable, now_ns: int) -> list[str]:
    known, result = state.registration, []
    late_s, late_s_sigma = track.told_clocks(state.timing)
    for row, sensor in enumerate(sensors.rows[: len(known.pairs)]):
        result.append(json.dumps({
            "time": to_iso(now_ns), "sensor": sensor.id, "range_m": round(float(known.mean[2 * row]), 2),
            "range_m_sigma": round(math.sqrt(known.cov[2 * row, 2 * row]), 2),
            "azimuth_deg": round(math.degrees(known.mean[2 * row + 1]), 5),
            "azimuth_deg_sigma": round(math.degrees(math.sqrt(known.cov[2 * row + 1, 2 * row + 1])), 5),
            "time_s": round(float(late_s[row]), 4), "time_s_sigma": round(float(late_s_sigma[row]), 4)}) + "\n")
    return result

"""How the service is: named degraded modes, and numbers for Prometheus. Collected by the loop, read by any thread.

``live``: the loop turns. ``ready``: it turns, the journal is written, a link brings data, and the last synthetic plot
crossed the whole chain. A degraded mode never says that all is well: it names what cannot be relied upon.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LIVE_S = 10.0        # a loop that has not turned for so long is not alive

# name -> help text, type
METRICS: dict[str, tuple[str, str]] = {
    "lapwing_batches_total": ("batches processed", "counter"),
    "lapwing_entries_total": ("journal entries", "counter"),
    "lapwing_plots_total": ("plots used", "counter"),
    "lapwing_refused_total": ("records refused, by reason", "counter"),
    "lapwing_tracks": ("tracks in the picture, by state", "gauge"),
    "lapwing_alerts_total": ("alerts sent", "counter"),
    "lapwing_link_entries_total": ("datagrams of a link", "counter"),
    "lapwing_link_octets_total": ("octets of a link", "counter"),
    "lapwing_link_shed_total": ("datagrams shed because the queue was full", "counter"),
    "lapwing_link_refused_total": ("datagrams of senders that are not allowed", "counter"),
    "lapwing_link_dropped_total": ("datagrams that the kernel dropped", "counter"),
    "lapwing_link_silent_seconds": ("time since the last datagram of a link", "gauge"),
    "lapwing_sensor_state": ("1 for the state that a sensor is in", "gauge"),
    "lapwing_sensor_silent_seconds": ("time since a sensor was heard", "gauge"),
    "lapwing_sensor_delay_seconds": ("usual reception less time of applicability; below zero: its clock is ahead", "gauge"),
    "lapwing_sensor_rotation_seconds": ("time of a turn, measured or configured", "gauge"),
    "lapwing_sensor_reach_metres": ("farthest plot of the last quarter of an hour", "gauge"),
    "lapwing_sensor_reach_expected_metres": ("what its horizon and range allow, of aircraft at 3,000 m", "gauge"),
    "lapwing_sensor_coverage_ratio": ("share of sectors seen beyond half of that", "gauge"),
    "lapwing_queue_entries": ("entries that wait", "gauge"),
    "lapwing_turn_seconds": ("time that the newest batch took", "gauge"),
    "lapwing_turn_seconds_max": ("longest time of a batch in the last minute", "gauge"),
    **{f"lapwing_{kind}_seconds_{part}": (text, "counter") for kind, words in (
        ("plot_to_track", "from the reception of a plot until its track was journaled and went out"),
        ("plot_to_proposal", "from the reception of the oldest plot of a batch until the proposal that it led to went out"))
        for part, text in (("bucket", words), ("sum", f"{words}: sum"), ("count", f"{words}: count"))},
    "lapwing_deliveries_waiting": ("alerts that a channel has not taken yet", "gauge"),
    "lapwing_database_rows_total": ("rows handed to the register's database", "counter"),
    "lapwing_database_refused_total": ("outputs that could not be made a row of the register", "counter"),
    "lapwing_database_behind_seconds": ("time since the register was known to be up to date", "gauge"),
    "lapwing_journal_octets": ("size of the journal's segments at hand", "gauge"),
    "lapwing_journal_segments": ("segments of the journal at hand", "gauge"),
    "lapwing_journal_retired_total": ("segments that were packed or dropped", "counter"),
    "lapwing_unrecorded_batches_total": ("batches processed without a journal", "counter"),
    "lapwing_stalls_total": ("times the loop stood still", "counter"),
    "lapwing_clock_offset_seconds": ("system clock minus the service's", "gauge"),
    "lapwing_degraded": ("1 for every degraded mode", "gauge"),
    "lapwing_claims_total": ("claims on tracks in the regions' common store: stored by this site, refused to it, heard from it", "counter"),
    "lapwing_probe_seconds": ("time the last synthetic plot took through the whole chain", "gauge"),
    "lapwing_resident_octets": ("memory", "gauge"),
    "lapwing_open_files": ("file descriptors", "gauge"),
}
Sample = tuple[str, Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Report:
    """How things are at one moment."""

    time_ns: int = 0
    turned_s: float = 0.0                       # monotonic time of the newest turn
    ready: bool = False
    degraded: Mapping[str, str] = field(default_factory=dict)     # name -> what, since when, what to do
    links: tuple[Mapping[str, Any], ...] = ()
    sensors: tuple[Mapping[str, Any], ...] = ()
    samples: tuple[Sample, ...] = ()


class Health:
    """Holds the newest report."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._report = Report()

    def set(self, report: Report) -> None:
        """Replace the report."""
        with self._lock:
            self._report = report

    def get(self) -> Report:
        """Return the newest report."""
        with self._lock:
            return self._report


def prometheus(report: Report) -> str:
    """Return the samples in Prometheus' text format, version 0.0.4."""
    lines: list[str] = []
    for name, (text, kind) in METRICS.items():
        rows = [(labels, value) for sample, labels, value in report.samples if sample == name]
        if not rows:
            continue
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in rows:
            inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in sorted(labels.items()))
            lines.append(f"{name}{{{inside}}} {value:.10g}" if inside else f"{name} {value:.10g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resident_octets() -> int:
    """Return the memory of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def open_files() -> int:
    """Return the count of open file descriptors; 0 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0

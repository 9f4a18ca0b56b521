"""Bench `warn`: 500 tracks alive; from their update to the proposal, from the approval to the last local receipt.

Forty drones come for the Romanian border among airliners; a plot a second each. An officer
approves each proposal at the next step. Judging, warning, signing, the outbox on disk and the channels are the real ones.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from lapwing import judge, warn
from lapwing.adapters.channels import make_channel
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.reports import Command
from lapwing.model.tracks import CLASSES, Tracks, TrackUpdate
from lapwing.runtime.bench_judge import COUNT, rows_of
from lapwing.runtime.environment import state_dir
from lapwing.runtime.keys import make_key
from lapwing.runtime.outbox import Outbox
from lapwing.runtime.wiring import load_country

T = TypeVar("T")
DRONES = 40
ROUNDS, SECONDS = 4, 10            # a round begins with a new sky, so that there is something to approve in each
Taken = tuple[float, float]        # seconds of the processor, and by the clock


def figures(figure: Callable[..., T]) -> Iterator[T]:
    """Yield the 99th percentiles."""
    with tempfile.TemporaryDirectory() as name:
        updates, approvals, channels = _run(Path(name))
    for what, found, note in (("update to proposal", updates, "judged and warned of"),
                              ("approval to last receipt", approvals, f"signed feed and files, durable; {channels}")):
        spent, wall = sorted(each[0] for each in found), sorted(each[1] for each in found)
        late = min(len(found) - 1, int(0.99 * len(found)))
        yield figure("warn", f"{COUNT} tracks: {what}, processor, p99", 1e3 * spent[late], "ms",
                     note=f"median {1e3 * spent[len(spent) // 2]:.0f} of {len(found)} steps; by the clock median "
                          f"{1e3 * wall[len(wall) // 2]:.0f}, p99 {1e3 * wall[late]:.0f} ms; {note}")


def _run(folder: Path) -> tuple[list[Taken], list[Taken], str]:
    """Return what each step without an approval took, what each with one took until the last receipt, and what the channels took."""
    country = load_country("ro", state_dir())
    pack, neighbours = country.pack, country.neighbours
    make_key("bench", 30, folder / "key.pem", folder / "certificate.pem")
    drill = {"statuses": ["Exercise"]}
    channels = {"feed": make_channel("feed", {"kind": "cap-feed", "key_file": "key.pem", "cert_file": "certificate.pem"} | drill, folder),
                "files": make_channel("files", {"kind": "cap-files"} | drill, folder)}
    store = OutboxStore(folder / "outbox.sqlite")
    clock_ns = [0]
    outbox = Outbox(store, channels, clock=lambda: clock_ns[0], per_minute=100_000)
    updates: list[Taken] = []
    approvals: list[Taken] = []
    settings = warn.Settings(status="Exercise")
    for number in range(ROUNDS):
        judged, state, waiting = judge.State(), warn.State(), tuple[Command, ...]()
        for second, tracks in enumerate(_sky(pack.territory.edge_rad, number)):
            clock_ns[0] = now_ns = int(tracks.time_ns[0])
            spent, begun = time.process_time(), time.perf_counter()
            judged, judgement = judge.step(judged, TrackUpdate(tracks), pack, neighbours, now_ns, judge.Settings())
            state, warned = warn.step(state, tracks, judgement, waiting, pack, now_ns, settings)
            if waiting:
                for alert in warned.alerts:
                    outbox.put(alert.cap_xml, now_ns)
                for channel in channels:
                    while outbox.deliver_due(channel):
                        pass
            took = (time.process_time() - spent, time.perf_counter() - begun)
            if second:                      # not the one in which the whole sky appears at once
                (approvals if waiting else updates).append(took)
            waiting = tuple(Command(now_ns, "approve", alert_id=p.id, by=f"officer {n}")
                            for p in warned.proposals if not p.automatic for n in range(p.approvals_needed))
    taken = "; ".join(f"{row['channel']} {row['taken']} taken, {row['waiting']} waiting" for row in outbox.status())
    store.close()
    return updates, approvals, taken


def _sky(edges: np.ndarray, seed: int) -> Iterator[Tracks]:
    """Yield the tracks of each second: drones 10 to 30 km before a point of the line and towards it, the others farther."""
    generator = np.random.default_rng(seed)
    at = edges[generator.integers(0, len(edges), COUNT)]
    toward = generator.uniform(0.0, 2.0 * np.pi, COUNT)
    meridian, prime = curvature_radii_m(at[:, 0])
    away_m = np.where(np.arange(COUNT) < DRONES, generator.uniform(10_000.0, 30_000.0, COUNT), 60_000.0)
    latitude = at[:, 0] - away_m * np.cos(toward) / meridian
    longitude = at[:, 1] - away_m * np.sin(toward) / (prime * np.cos(at[:, 0]))
    flown_mps = np.where(np.arange(COUNT) < DRONES, 50.0, 220.0)
    velocity = flown_mps[:, None] * np.column_stack([np.sin(toward), np.cos(toward)])
    prob = np.full((COUNT, len(CLASSES)), 0.01)
    prob[:DRONES, CLASSES.index("drone")] = 0.91
    prob[DRONES:, CLASSES.index("airliner")] = 0.91
    for second in range(SECONDS):
        latitude, longitude = latitude + velocity[:, 1] / meridian, longitude + velocity[:, 0] / (prime * np.cos(latitude))
        yield replace(rows_of(second, latitude, longitude, velocity), class_prob=prob)


"""`lapwing bench judge`: 500 objects at 1 Hz by the Romanian border, each confirmed, judged and forecast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from lapwing import judge
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.model.tracks import CLASSES, Tracks, TrackUpdate
from lapwing.runtime.environment import state_dir
from lapwing.runtime.wiring import load_country

T = TypeVar("T")
COUNT, _SECONDS, _WARM = 500, 30, 12


def figures(figure: Callable[..., T]) -> Iterator[T]:
    """Yield the share of one core that judging takes, and how it divides."""
    country = load_country("ro", state_dir())
    pack, neighbours = country.pack, country.neighbours
    generator = np.random.default_rng(5)
    edges = pack.territory.edge_rad[generator.integers(0, len(pack.territory.edge_rad), COUNT)]
    latitude, longitude = edges[:, 0] + generator.normal(0, 2e-3, COUNT), edges[:, 1] + generator.normal(0, 3e-3, COUNT)
    heading = generator.uniform(0, 2 * np.pi, COUNT)
    velocity = 50.0 * np.column_stack([np.sin(heading), np.cos(heading)])
    meridian, prime = curvature_radii_m(latitude)
    state, spent = judge.State(), 0.0
    for second in range(_WARM + _SECONDS):
        latitude, longitude = latitude + velocity[:, 1] / meridian, longitude + velocity[:, 0] / (prime * np.cos(latitude))
        rows = rows_of(second, latitude, longitude, velocity)
        start = time.process_time()
        state, _ = judge.step(state, TrackUpdate(rows), pack, neighbours, int(rows.time_ns[0]), judge.Settings())
        if second >= _WARM:
            spent += time.process_time() - start
    yield figure("judge", f"{COUNT} tracks at 1 Hz: share of one core", 100.0 * spent / _SECONDS, "%",
                 note=f"{spent / _SECONDS / COUNT * 1e6:.0f} us a track and second; territory and {len(neighbours)} neighbours")


def rows_of(second: int, latitude: np.ndarray, longitude: np.ndarray, velocity: np.ndarray) -> Tracks:
    now = from_iso("2026-03-14T20:00:00Z") + second * NS_PER_S
    prob = np.full((COUNT, len(CLASSES)), 0.02)
    prob[:, CLASSES.index("drone")] = 0.82
    cov = np.zeros((COUNT, 4, 4))
    cov[:, [0, 1], [0, 1]], cov[:, [2, 3], [2, 3]] = 40.0**2, 2.0**2
    born = from_iso("2026-03-14T19:50:00Z")
    return Tracks(
        track_id=tuple(f"20260314-{k:04d}" for k in range(COUNT)), time_ns=np.full(COUNT, now), born_ns=np.full(COUNT, born),
        last_plot_ns=np.full(COUNT, now), latitude_rad=latitude, longitude_rad=longitude, height_m=np.full(COUNT, 200.0),
        height_m_sigma=np.full(COUNT, 50.0), velocity_mps=velocity, state_cov=cov, bias_cov_m2=np.tile(np.eye(2) * 100.0, (COUNT, 1, 1)),
        turn_rate_radps=np.zeros(COUNT), existence_prob=np.ones(COUNT), confirmed=np.ones(COUNT, np.bool_),
        coasting=np.zeros(COUNT, np.bool_), updated=np.ones(COUNT, np.bool_), class_prob=prob,
        affiliation=np.zeros(COUNT, np.uint8), cooperative=np.zeros(COUNT, np.bool_), mode3a=np.full(COUNT, -1, np.int32),
        icao_address=np.full(COUNT, -1, np.int32), callsign=np.full(COUNT, b"", "S8"), plot_count=np.full(COUNT, 100),
        sensor_count=np.ones(COUNT, np.int64), sensors_mask=np.ones(COUNT, np.uint64))

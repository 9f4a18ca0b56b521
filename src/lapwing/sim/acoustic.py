"""Acoustic arrays: bearings to what is loud, as late as sound is, and now and then to a moped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lapwing.geo.frames import geodetic_to_polar
from lapwing.sense.formats import encode_acoustic
from lapwing.sim.classes import SensorClass
from lapwing.sim.detection import sheet_prob
from lapwing.sim.motion import Motion, in_gap_prob
from lapwing.sim.radar import generator

SOUND_S_PER_M = 2.94e-3  # sensors.yaml acoustic_array


@dataclass(frozen=True, slots=True)
class AcousticArray:
    """An array as the simulator plays it."""

    id: str
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_m: float
    kind: SensorClass


def reports(
    array: AcousticArray, motions: Sequence[Motion], start_ns: int, span_s: float, seed: int
) -> list[tuple[int, bytes, int]]:
    """Return (received_ns, payload, truth_id) of an array, false alarms with truth id 0."""
    found: list[tuple[int, bytes, int]] = []
    sigma_deg = array.kind.azimuth_deg_sigma
    for motion in motions:
        reach_m = min(array.range_m, motion.kind.heard_m)
        if reach_m <= 0.0:
            continue
        rng = generator(seed, array.id, "object", motion.name)
        heard_s = rng.uniform(0.0, array.kind.update_s) + np.arange(0.0, span_s, array.kind.update_s)
        # Sound that arrives now left when the object was elsewhere: solve for the moment of leaving.
        left_s = heard_s
        for _ in range(6):
            range_m, azimuth = _seen(array, motion, left_s)
            left_s = heard_s - range_m * SOUND_S_PER_M
        alive = (left_s >= motion.time_s[0]) & (left_s <= motion.time_s[-1])
        prob = np.minimum(sheet_prob(range_m, reach_m, array.kind.detection_prob), in_gap_prob(motion, left_s)) * alive
        noise_deg = rng.standard_normal(len(heard_s)) * sigma_deg
        hit = rng.random(len(heard_s)) < prob
        wait_s = rng.uniform(1.0, 3.0, len(heard_s))
        for i in np.flatnonzero(hit).tolist():
            found.append(
                _report(
                    array,
                    start_ns,
                    float(heard_s[i]),
                    float(wait_s[i]),
                    math.degrees(azimuth[i]) + float(noise_deg[i]),
                    motion.truth_id,
                )
            )
    rng = generator(seed, array.id, "false")
    for _ in range(int(rng.poisson(array.kind.false_alarms_per_hour * span_s / 3600.0))):
        found.append(
            _report(
                array,
                start_ns,
                float(rng.uniform(0.0, span_s)),
                float(rng.uniform(1.0, 3.0)),
                float(rng.uniform(0.0, 360.0)),
                0,
            )
        )
    return sorted(found, key=lambda row: row[0])


def _seen(array: AcousticArray, motion: Motion, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lat, lon, height = motion.at(np.clip(time_s, motion.time_s[0], motion.time_s[-1]))
    range_m, azimuth, _ = geodetic_to_polar(array.latitude_rad, array.longitude_rad, array.height_m, lat, lon, height)
    return range_m, azimuth


def _report(
    array: AcousticArray, start_ns: int, heard_s: float, wait_s: float, bearing_deg: float, truth_id: int
) -> tuple[int, bytes, int]:
    measured_ns = start_ns + round(heard_s * 1e6) * 1000
    payload = encode_acoustic(
        array.id,
        measured_ns,
        array.latitude_rad,
        array.longitude_rad,
        array.range_m,
        math.radians(bearing_deg),
        math.radians(array.kind.azimuth_deg_sigma),
    )
    return measured_ns + round(wait_s * 1e6) * 1000, payload, truth_id

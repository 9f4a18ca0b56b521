"""What is true of a scene, for scoring and debugging: biases; of each target when in play, how near, when inside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.sim.motion import Motion
from lapwing.sim.radar import Radar
from lapwing.sim.scenes import Scene

Floats = npt.NDArray[np.float64]


def answers(scene: Scene, territory: Territory | None) -> dict[str, Any]:
    """Return the table of ``answers.json``. Distances are those to the territory, negative inside; None without one."""
    return {
        "note": "Answers: for scoring and debugging, never as tracker input. Times are seconds after 'start'.",
        "seed": scene.seed,
        "registration": {radar.id: _registration(radar) for radar in scene.radars},
        "flight_level_offset": scene.level_offset,
        "targets": [_target(scene, motion, territory) for motion in scene.motions],
    }


def _registration(radar: Radar) -> dict[str, float]:
    return {"range_bias_m": radar.range_m_bias, "azimuth_bias_deg": math.degrees(radar.azimuth_rad_bias)}


def _target(scene: Scene, motion: Motion, territory: Territory | None) -> dict[str, Any]:
    rows = scene.truth.rows_of(motion.truth_id)
    time_s = (scene.truth.time_ns[rows] - scene.start_ns) / 1e9
    found: dict[str, Any] = {
        "truth_id": motion.truth_id,
        "name": motion.name,
        "cls": motion.kind.truth_class,
        "first_s": float(time_s[0]) if len(rows) else None,
        "last_s": float(time_s[-1]) if len(rows) else None,
        "in_play_s": spans(time_s, scene.truth.in_play[rows]),
        "ssr": True if motion.identity else None,
        "mode3a": f"{motion.identity.mode3a:04o}" if motion.identity else None,
        "mode_s": motion.identity.icao_address if motion.identity else None,
    }
    if territory is None or not len(rows):
        return found | {"min_signed_distance_m": None, "entered": None, "entry_times_s": [], "time_inside_s": None}
    away_m = signed_distance(
        territory, scene.truth.latitude_rad[rows], scene.truth.longitude_rad[rows]
    ).signed_distance_m
    inside = away_m < 0.0
    entries = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    return found | {
        "min_signed_distance_m": round(float(np.min(away_m)), 1),
        "entered": bool(inside.any()),
        "entry_times_s": [float(time_s[i]) for i in entries],
        "time_inside_s": float(inside.sum() * scene.step_s),
    }


def spans(time_s: Floats, flags: npt.NDArray[np.bool_]) -> list[list[float]]:
    """Return [first, last] of each stretch in which the flags hold."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [
        [float(time_s[a]), float(time_s[b - 1])] for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]

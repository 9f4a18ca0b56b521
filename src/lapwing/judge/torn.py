"""Where a track took up another object after a loss: its life is judged in parts, each with a verdict of its own.

A lost track's doubt grows until the plots of any neighbour fit it. Smoothed, such a splice looks like one flight. It shows
in three things together: a stretch without a believable plot, plots in it that were not believable (or a long silence), and
a velocity after it that the one before does not become.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.path import believable
from lapwing.judge.settings import Settings
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Trajectory

_GAP_S, _SILENCE_S = 25.0, 40.0
_AROUND_S = 30.0                         # velocities before and after are means over so long
_CHANGE_MPS, _CHANGE_SHARE = 25.0, 0.8   # a change of velocity over both, the share of the faster of the two
_ON_S, _ON_STEP_S, _ON_MPS_SIGMA = 60.0, 5.0, 10.0


def parts(trajectory: Trajectory, settings: Settings) -> tuple[Trajectory, ...]:
    """Return a trajectory cut where it is torn: itself where it is not. Later parts are named `ID+2`, `ID+3`."""
    sure = np.flatnonzero(believable(trajectory, settings))
    tears = [k for k in np.flatnonzero(np.diff(trajectory.time_ns[sure]) > _GAP_S * NS_PER_S).tolist() if _torn(trajectory, sure, k)]
    if not tears:
        return (trajectory,)
    found, start = [], 0
    for number, k in enumerate([*tears, len(sure) - 1], start=1):
        last = k == len(sure) - 1
        part = _rows(trajectory, slice(start, len(trajectory) if last else int(sure[k]) + 1))
        found.append(replace(part if last else _carried_on(part), track_id=trajectory.track_id + (f"+{number}" if number > 1 else "")))
        start = len(trajectory) if last else int(sure[k + 1])
    return tuple(found)


def _torn(trajectory: Trajectory, sure: npt.NDArray[np.intp], k: int) -> bool:
    """Return whether what is after the gap behind believable row k is another flight."""
    before, after = int(sure[k]), int(sure[k + 1])
    silence_s = (int(trajectory.time_ns[after]) - int(trajectory.time_ns[before])) / NS_PER_S
    if silence_s < _SILENCE_S and not trajectory.measured[before + 1 : after].any():
        return False
    time_s = (trajectory.time_ns[sure] - trajectory.time_ns[before]) / NS_PER_S
    was = trajectory.velocity_mps[sure[(time_s <= 0.0) & (time_s >= -_AROUND_S)]].mean(axis=0)
    since = time_s - time_s[k + 1]
    came = trajectory.velocity_mps[sure[(since >= 0.0) & (since <= _AROUND_S)]].mean(axis=0)
    change = float(np.hypot(*(came - was)))
    return change > max(_CHANGE_MPS, _CHANGE_SHARE * max(float(np.hypot(*was)), float(np.hypot(*came))))


def _rows(trajectory: Trajectory, rows: slice) -> Trajectory:
    values: dict[str, Any] = {each.name: getattr(trajectory, each.name) for each in fields(trajectory)}
    return Trajectory(**{key: value if key == "track_id" else value[rows] for key, value in values.items()})


def _carried_on(trajectory: Trajectory) -> Trajectory:
    """Return a trajectory carried on straight for a minute, as the tracker does with what it has lost."""
    seconds = np.arange(_ON_STEP_S, _ON_S + 0.1, _ON_STEP_S)
    count, last = len(seconds), slice(len(trajectory) - 1, len(trajectory))
    velocity = trajectory.velocity_mps[trajectory.time_ns >= trajectory.time_ns[-1] - round(_AROUND_S * NS_PER_S)].mean(axis=0)
    meridian, prime = curvature_radii_m(trajectory.latitude_rad[last])
    latitude = trajectory.latitude_rad[last] + velocity[1] * seconds / meridian
    on = {
        "time_ns": trajectory.time_ns[last] + np.rint(seconds * NS_PER_S).astype(np.int64), "latitude_rad": latitude,
        "longitude_rad": trajectory.longitude_rad[last] + velocity[0] * seconds / (prime * np.cos(latitude)),
        "velocity_mps": np.tile(velocity, (count, 1)), "measured": np.zeros(count, np.bool_),
        "position_cov_m2": trajectory.position_cov_m2[last] + np.eye(2) * ((_ON_MPS_SIGMA * seconds) ** 2)[:, None, None],
        "sensor_index": np.full(count, 65_535, np.uint16), "entry_sequence": np.full(count, -1, np.int64),
        "residual_m": np.full(count, np.nan), "association_prob": np.full(count, np.nan)}
    values = {}
    for each in fields(trajectory):
        rows = getattr(trajectory, each.name)
        if each.name != "track_id":
            rows = np.concatenate([rows, on[each.name] if each.name in on else np.repeat(rows[last], count, axis=0)])
        values[each.name] = rows
    return Trajectory(**values)

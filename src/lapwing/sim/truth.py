"""Truth in columns: where every object was, and when the radars together could be asked to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.sim.motion import Motion
from lapwing.sim.radar import Radar, detection_probs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WANTED_PLOTS = 3.0  # in the minute around an instant
HOLE_S_MAX = 180.0  # shorter holes between stretches in play are in play too: a tracker is asked to coast
STRETCH_S_MIN = 60.0  # shorter stretches are not


@dataclass(frozen=True, slots=True)
class Truth:
    """Rows of all objects, one object after the other, in order of time."""

    truth_id: npt.NDArray[np.int16]
    name: tuple[str, ...]  # of the object of each truth id, from 1
    kind: tuple[str, ...]  # class words of the truth file, likewise
    time_ns: npt.NDArray[np.int64]
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats  # ellipsoid
    velocity_mps: Floats  # (n, 3) east, north, up
    in_play: Bools

    def __len__(self) -> int:
        return len(self.time_ns)

    def rows_of(self, truth_id: int) -> npt.NDArray[np.intp]:
        """Return the rows of one object."""
        return np.flatnonzero(self.truth_id == truth_id)


def truth_of(motions: Sequence[Motion], radars: Sequence[Radar], start_ns: int, span_s: float, step_s: float) -> Truth:
    """Return the truth of a run, sampled at whole steps after its start."""
    parts = [_rows(motion, radars, span_s, step_s) for motion in motions]
    columns = [np.concatenate([p[k] for p in parts]) if parts else np.zeros((0, 3) if k == 4 else 0) for k in range(6)]
    time_s, lat, lon, height, velocity, in_play = columns
    ids = (
        np.concatenate([np.full(len(p[0]), m.truth_id) for p, m in zip(parts, motions, strict=True)])
        if parts
        else np.zeros(0)
    )
    return Truth(
        ids.astype(np.int16),
        tuple(m.name for m in motions),
        tuple(m.kind.truth_class for m in motions),
        start_ns + np.round(time_s * 1e9).astype(np.int64),
        lat,
        lon,
        height,
        velocity,
        in_play.astype(np.bool_),
    )


def _rows(
    motion: Motion, radars: Sequence[Radar], span_s: float, step_s: float
) -> tuple[Floats, Floats, Floats, Floats, Floats, Bools]:
    first_s, last_s = max(float(motion.time_s[0]), 0.0), min(float(motion.time_s[-1]), span_s)
    time_s = np.arange(np.ceil(first_s / step_s), np.floor(last_s / step_s) + 1) * step_s
    lat, lon, height = motion.at(time_s)
    expected = np.zeros(len(time_s))
    for radar in radars:
        first, second = detection_probs(radar, motion, time_s)
        expected += (1.0 - (1.0 - first) * (1.0 - second)) * radar.turns_per_s
    return time_s, lat, lon, height, motion.velocity_mps(time_s), in_play(expected, step_s)


def in_play(plots_per_s: Floats, step_s: float) -> Bools:
    """Return where at least three plots are expected in the minute around; short holes filled, short stretches out."""
    n = len(plots_per_s)
    if n == 0:
        return np.zeros(0, np.bool_)
    half = round(30.0 / step_s)
    total = np.concatenate([[0.0], np.cumsum(plots_per_s * step_s)])
    index = np.arange(n)
    wanted = total[np.minimum(index + half + 1, n)] - total[np.maximum(index - half, 0)] >= WANTED_PLOTS
    wanted = _without(~wanted, HOLE_S_MAX / step_s, keep_ends=True)  # True now: holes that stay
    return _without(~wanted, STRETCH_S_MIN / step_s, keep_ends=False)


def _without(flags: Bools, shortest: float, *, keep_ends: bool) -> Bools:
    """Return the flags with every run of True of `shortest` steps or fewer cleared; runs at the ends may be kept."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    kept = flags.copy()
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - start <= shortest and not (keep_ends and (start == 0 or end == len(flags))):
            kept[start:end] = False
    return kept

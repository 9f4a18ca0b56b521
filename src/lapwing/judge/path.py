"""An object's path as the verdict sees it: signed distance to the line over its life, with the parts of its error.

Made from the smoothed trajectory of an ended track (`of_trajectory`), or from the rows kept of a live one. Three parts
of the error are kept apart because they behave differently along a path: the random part fades within a time
constant, registration and the line's own error stay.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.line import across, spread
from lapwing.judge.settings import Settings
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import SHARED_PROB, Trajectory

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

_DENSE_S = 2.0             # between rows the path is filled in to this step: 100 m at a drone's speed
_POINTS_MAX = 20_000       # of one path; a longer one is filled in more coarsely
_SIGMAS_USUAL, _RESIDUALS_USUAL = 4.0, 6.0   # times the least sigma, the median residual: beyond, a plot proves nothing
_SILENCE_S = 25.0          # without a plot of its own: what comes then may be another object's
_RATE_WINDOW_S = 120.0     # plots of so long before the last one tell how often the object was seen


@dataclass(frozen=True, slots=True)
class Path:
    """One object's life. Every array has length m, in time order, m >= 1."""

    time_ns: Ints
    latitude_rad: Floats
    longitude_rad: Floats
    distance_m: Floats            # signed, positive outside
    random_m_sigma: Floats        # across the line
    bias_m: Floats                # (m, 2) registration error across the line per unit of its two independent parts
    line_m_sigma: Floats
    bound_95_m: Floats
    undecided: Bools
    measured: Bools               # rows that stand at a plot that proves something, see `believable`
    shared: Bools                 # rows that stand at a plot of another track: no proof, but no hole in coverage

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: npt.NDArray[np.intp] | Bools | slice) -> Path:
        """Return the chosen rows."""
        return Path(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def until(self, time_ns: int) -> Path:
        """Return the rows up to a time, the last one interpolated to stand at it; the whole path if it ends before."""
        after = int(np.searchsorted(self.time_ns, time_ns, side="right"))
        if after >= len(self) or after == 0:
            return self.take(slice(0, max(after, 1)))
        share = (time_ns - int(self.time_ns[after - 1])) / (int(self.time_ns[after]) - int(self.time_ns[after - 1]))
        if share <= 0.0:
            return self.take(slice(0, after))
        columns = {}
        for each in fields(self):
            values = getattr(self, each.name)
            if values.dtype == np.float64:
                end = values[after - 1] * (1.0 - share) + values[after] * share
            else:
                end = values[after] if each.name == "undecided" else time_ns if each.name == "time_ns" else False
            columns[each.name] = np.concatenate([values[:after], np.asarray(end, values.dtype)[None]])
        return Path(**columns)

    def then(self, on: Path) -> Path:
        """Return this path and another after it."""
        return Path(**{f.name: np.concatenate([getattr(self, f.name), getattr(on, f.name)]) for f in fields(self)})

    @property
    def time_s(self) -> Floats:
        """Seconds since the first row."""
        return np.asarray((self.time_ns - self.time_ns[0]) / NS_PER_S, np.float64)

    @property
    def common_m_sigma(self) -> Floats:
        """Registration and line together: what is common to the whole path."""
        return np.sqrt(self.bias_m[:, 0] ** 2 + self.bias_m[:, 1] ** 2 + self.line_m_sigma**2)

    @property
    def sigma_m(self) -> Floats:
        """All parts together."""
        return np.hypot(self.random_m_sigma, self.common_m_sigma)

    @property
    def last_plot(self) -> int:
        """Row of the last plot; the last row where none is marked."""
        rows = np.flatnonzero(self.measured)
        return int(rows[-1]) if len(rows) else len(self) - 1


def bias_parts(outward: Floats, bias_cov_m2: Floats) -> Floats:
    """Return (n, 2) how far each independent part of the registration error moves a point across the line."""
    east = np.sqrt(np.maximum(bias_cov_m2[:, 0, 0], 0.0))
    mixed = np.divide(bias_cov_m2[:, 0, 1], east, out=np.zeros_like(east), where=east > 0.0)
    north = np.sqrt(np.maximum(bias_cov_m2[:, 1, 1] - mixed**2, 0.0))
    return np.column_stack([outward[:, 0] * east + outward[:, 1] * mixed, outward[:, 1] * north])


def judged_sigma(sigma_m: Floats, settings: Settings) -> Floats:
    """Return the random sigma that the judge reckons with, from the filter's."""
    return np.maximum(settings.track_sigma_factor * sigma_m, settings.track_m_sigma_min)


def believable(trajectory: Trajectory, settings: Settings) -> Bools:
    """Return which rows stand at a plot that proves something.

    After a loss a track may take up plots that are not its own: the position stays uncertain there, or the plot lies far off the
    path, or it serves another track too, or it is the only one after a silence. Such a row is bridged like a gap. Plots that it
    shares for a moment, between its own, are those of two objects seen as one.
    """
    measured = trajectory.measured
    if not measured.any():
        return measured
    sigma_m = np.sqrt(0.5 * np.maximum(np.trace(trajectory.position_cov_m2, axis1=1, axis2=2), 0.0))
    sure = measured & (sigma_m <= max(settings.trusted_m_sigma, _SIGMAS_USUAL * float(np.min(sigma_m[measured]))))
    known = measured & np.isfinite(trajectory.residual_m)
    if known.any():
        usual = float(np.median(trajectory.residual_m[known]))
        sure &= ~(trajectory.residual_m > max(settings.trusted_m_sigma, _RESIDUALS_USUAL * usual))
    sure &= ~_shared_for_long(trajectory, sure)
    own = np.flatnonzero(sure)
    if len(own) > 2 and trajectory.time_ns[own[-1]] - trajectory.time_ns[own[-2]] > _SILENCE_S * NS_PER_S:
        sure[own[-1]] = False
    return sure if sure.any() else measured


def _shared_for_long(trajectory: Trajectory, sure: Bools) -> Bools:
    """Return rows with a plot of another track that no plot of its own follows within _SILENCE_S of the one before."""
    shared: Bools = sure & (trajectory.association_prob == SHARED_PROB)
    own = np.flatnonzero(sure & ~shared)
    if not len(own) or not shared.any():
        return np.zeros(len(shared), np.bool_)
    rows = np.flatnonzero(shared)
    after = np.searchsorted(own, rows)
    seconds = trajectory.time_ns / NS_PER_S
    gap_s = np.full(len(rows), np.inf)
    between = (after > 0) & (after < len(own))
    gap_s[between] = seconds[own[after[between]]] - seconds[own[after[between] - 1]]
    shared[rows] = gap_s > _SILENCE_S
    return shared


def of_trajectory(trajectory: Trajectory, territory: Territory, settings: Settings) -> Path:
    """Return the path of an ended track, filled in between its rows along smooth curves."""
    trajectory = replace(trajectory, measured=believable(trajectory, settings))
    filled = _filled(trajectory)
    seen = across(territory, filled.latitude_rad, filled.longitude_rad, settings)
    return Path(
        time_ns=filled.time_ns, latitude_rad=filled.latitude_rad, longitude_rad=filled.longitude_rad,
        distance_m=seen.distance_m, random_m_sigma=judged_sigma(spread(seen.outward, filled.position_cov_m2), settings),
        bias_m=bias_parts(seen.outward, filled.bias_cov_m2), line_m_sigma=seen.line_m_sigma,
        bound_95_m=seen.bound_95_m, undecided=seen.undecided, measured=filled.measured,
        shared=~filled.measured & (filled.association_prob == SHARED_PROB))


def plot_rate_per_s(path: Path) -> float:
    """Return how often plots came towards the end of the path: at least one in 30 s, at most four a second."""
    last = path.last_plot
    seconds = path.time_s
    plots = seconds[: last + 1][path.measured[: last + 1]]
    plots = plots[plots >= seconds[last] - _RATE_WINDOW_S]
    span = float(plots[-1] - plots[0]) if len(plots) else 0.0
    if len(plots) < 2 or span <= 0.0:
        return 0.1
    return min(max((len(plots) - 1) / span, 1.0 / 30.0), 4.0)


def plot_gaps(path: Path, gap_s: float) -> tuple[tuple[int, int], ...]:
    """Return (start_ns, end_ns) of stretches between its plots longer than `gap_s`; the silence after the last is none."""
    return _gaps(path.time_ns[path.measured], gap_s)


def holes(path: Path, gap_s: float) -> tuple[tuple[int, int], ...]:
    """Return the gaps, up to its last plot, in which no plot of another track either shows that it was looked for."""
    last = path.last_plot + 1
    return _gaps(path.time_ns[:last][(path.measured | path.shared)[:last]], gap_s)


def _gaps(times: Ints, gap_s: float) -> tuple[tuple[int, int], ...]:
    wide = np.flatnonzero(np.diff(times) > gap_s * NS_PER_S)
    return tuple((int(times[i]), int(times[i + 1])) for i in wide)


def decorrelation_s(trajectory: Trajectory) -> float:
    """Return after how long the random part of a smoothed position is a new one, 20-120 s.

    A smoothed position is a mean over the plots around it: the ratio of plot to smoothed variance says over how many,
    and so over how long. Our own working.
    """
    rows = trajectory.measured & np.isfinite(trajectory.residual_m)
    if np.count_nonzero(rows) < 4:
        return 30.0
    plot_variance = 0.5 * float(np.mean(np.minimum(trajectory.residual_m[rows], 2_000.0) ** 2))
    smooth_variance = 0.5 * float(np.median(np.trace(trajectory.position_cov_m2[rows], axis1=1, axis2=2)))
    spacing = float(np.median(np.diff(trajectory.time_ns[rows]))) / NS_PER_S
    if smooth_variance <= 0.0:
        return 30.0
    return min(max(plot_variance / smooth_variance * max(spacing, 0.25), 20.0), 120.0)


def _filled(trajectory: Trajectory) -> Trajectory:
    """Return the trajectory with rows in between, on cubic curves through positions and velocities."""
    count = len(trajectory)
    if count < 2:
        return trajectory
    gap_s = np.diff(trajectory.time_ns) / NS_PER_S
    step_s = max(_DENSE_S, float(gap_s.sum()) / _POINTS_MAX)
    pieces = np.clip(np.ceil(gap_s / step_s).astype(np.int64), 1, None)
    start = np.repeat(np.arange(count - 1), pieces)
    within = np.arange(len(start)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    s = within / pieces[start]
    meridian, prime = curvature_radii_m(trajectory.latitude_rad)
    middle = 0.5 * (trajectory.latitude_rad[1:] + trajectory.latitude_rad[:-1])
    way = np.column_stack([np.diff(trajectory.longitude_rad) * prime[:-1] * np.cos(middle),
                           np.diff(trajectory.latitude_rad) * meridian[:-1]])[start]
    seconds, velocity = gap_s[start][:, None], trajectory.velocity_mps
    begin, end = velocity[:-1][start] * seconds, velocity[1:][start] * seconds
    # A velocity that does not fit the way (a bad estimate, a merged track) would swing the curve: go straight there.
    fits = (np.hypot(*(begin - way).T) < 0.7 * np.hypot(*way.T) + 50.0) & \
        (np.hypot(*(end - way).T) < 0.7 * np.hypot(*way.T) + 50.0)
    begin, end = np.where(fits[:, None], begin, way), np.where(fits[:, None], end, way)
    s1 = s[:, None]
    offset = (s1**3 - 2 * s1**2 + s1) * begin + (3 * s1**2 - 2 * s1**3) * way + (s1**3 - s1**2) * end
    latitude = trajectory.latitude_rad[start] + offset[:, 1] / meridian[start]
    longitude = trajectory.longitude_rad[start] + offset[:, 0] / (prime[start] * np.cos(middle[start]))
    at_row, last = within == 0, slice(count - 1, count)

    def between(values: Floats) -> Floats:
        share = s.reshape(-1, *(1,) * (values.ndim - 1))
        inner = values[:-1][start] * (1.0 - share) + values[1:][start] * share
        return np.concatenate([inner, values[last]])

    def only_rows(values: npt.NDArray[T], fill: float) -> npt.NDArray[T]:
        inner = values[:-1][start].copy()
        inner[~at_row] = fill
        return np.concatenate([inner, values[last]])

    time_ns = trajectory.time_ns[start] + np.rint(s * gap_s[start] * NS_PER_S).astype(np.int64)
    return Trajectory(
        track_id=trajectory.track_id, time_ns=np.concatenate([time_ns, trajectory.time_ns[last]]),
        latitude_rad=np.concatenate([latitude, trajectory.latitude_rad[last]]),
        longitude_rad=np.concatenate([longitude, trajectory.longitude_rad[last]]),
        height_m=between(trajectory.height_m), velocity_mps=between(trajectory.velocity_mps),
        position_cov_m2=between(trajectory.position_cov_m2), bias_cov_m2=between(trajectory.bias_cov_m2),
        measured=only_rows(trajectory.measured, False), sensor_index=only_rows(trajectory.sensor_index, 65_535),
        entry_sequence=only_rows(trajectory.entry_sequence, -1), residual_m=only_rows(trajectory.residual_m, np.nan),
        association_prob=only_rows(trajectory.association_prob, np.nan))

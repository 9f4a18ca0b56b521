"""Plots as the filter takes them: cut into groups of one sensor and moment, on the plane, with a covariance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane, to_plane
from lapwing.model.plots import KIND_TRACK, Floats, Plots
from lapwing.track.rows import true_axes
from lapwing.track.settings import Settings
from lapwing.track.state import Rotation

TRACK_INFLATION = 4.0        # a neighbour's tracks are smoothed, so their errors last: they weigh as a quarter of a plot
SIGMA_M_MIN = 10.0           # quantisation and time stamps: nothing is better than this
SIGMA_M_MAX = 5_000.0        # a plot worse than this is of no use (its covariance is refused)


def groups(plots: Plots, rotation: Rotation, settings: Settings) -> list[npt.NDArray[np.intp]]:
    """Return rows of each group: one sensor, at most `batch_s_max` and a quarter turn of measured time.

    Sensors come in the order of their first plot; within a sensor time order. Plots without a usable position, or of
    a sensor beyond the table, are left out (the sense stage has counted them).
    """
    good = np.isfinite(plots.latitude_rad) & np.isfinite(plots.longitude_rad)
    good &= plots.sensor_index < len(rotation.turn_s)
    variance = plots.position_cov_m2[:, 0, 0] + plots.position_cov_m2[:, 1, 1]
    good &= np.isfinite(variance) & (variance > 0) & (variance < 2 * SIGMA_M_MAX**2)
    rows = np.flatnonzero(good)
    result: list[npt.NDArray[np.intp]] = []
    if not len(rows):
        return result
    sensors, first = np.unique(plots.sensor_index[rows], return_index=True)
    for sensor in sensors[np.argsort(first, kind="stable")]:
        mine = rows[plots.sensor_index[rows] == sensor]
        mine = mine[np.argsort(plots.measured_ns[mine], kind="stable")]
        turn_s = float(rotation.turn_s[sensor])
        span_ns = int(1e9 * min(settings.batch_s_max, 0.25 * turn_s if math.isfinite(turn_s) else 0.5))
        times = plots.measured_ns[mine]
        start = 0
        while start < len(mine):
            end = int(np.searchsorted(times, times[start] + span_ns, side="right"))
            result.append(mine[start:end])
            start = end
    return result


def on_plane(plane: Plane, plots: Plots) -> tuple[Floats, Floats, Floats, Floats]:
    """Return points (n, 2), covariances (n, 3) ee, en, nn, velocities (n, 2) on the plane, and its scale (n,)."""
    points = to_plane(plane, plots.latitude_rad, plots.longitude_rad)
    # The inverse of a turn and a scale: the turn back and the scale again.
    axes = true_axes(points).transpose(0, 2, 1) * (points.scale**2)[:, None, None]
    inflation = np.where(plots.kind == KIND_TRACK, TRACK_INFLATION, 1.0)[:, None, None]
    cov = axes @ (plots.position_cov_m2 * inflation) @ axes.transpose(0, 2, 1)
    floor = SIGMA_M_MIN**2
    packed = np.stack((cov[:, 0, 0] + floor, cov[:, 0, 1], cov[:, 1, 1] + floor), axis=1)
    velocity = (axes @ plots.velocity_mps[..., None])[..., 0]
    return np.stack((points.east_m, points.north_m), axis=1), packed, velocity, points.scale

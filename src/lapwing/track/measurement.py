"""Plots as the kernels take them: sorted into groups of one sensor and moment, on the plane, with a covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane, to_plane
from lapwing.model.plots import KIND_PSR, KIND_TRACK, NO_CODE, Bools, Floats, Ints, Plots
from lapwing.model.sensors import RADAR, SensorTable
from lapwing.track import columns as at
from lapwing.track.learned import Rotation
from lapwing.track.rows import true_axes
from lapwing.track.settings import Settings

TRACK_INFLATION = 4.0        # tracks without a number are smoothed, so their errors last: they weigh as a quarter of a plot
SIGMA_M_MIN = 10.0           # quantisation and time stamps: nothing is better than this
SIGMA_M_MAX = 5_000.0        # a plot worse than this is of no use (its covariance is refused)
# Nearer than this a height is no small correction: the residue round an aerial would all fit one object high above it. So no
# track learns a height there; one that has shown itself high before keeps it.
LIFT_RANGE_M = 15_000.0
SLICE_NS = 1_000_000_000      # of reception
HEIGHT_M_SIGMA = 30.0        # of a height that comes without one
# Mode 3/A codes that many share, and so name nobody: conspicuity and emergency codes (ICAO Doc 8168 vol. I part III).
COMMON_CODES = (0, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700, 0o7777)


@dataclass(frozen=True, slots=True)
class Measured:
    """The usable plots of a step in the order of their groups; columns: columns.py."""

    groups: Ints                 # (g, GROUP_INTS)
    floats: Floats               # (n, PLOT_FLOATS)
    ints: Ints                   # (n, PLOT_INTS)

    def __len__(self) -> int:
        return len(self.ints)


def measured(plots: Plots, plane: Plane, rotation: Rotation, radars: Bools, site_scale: Floats, sensors: SensorTable,
             settings: Settings) -> Measured:
    """Return the plots of a step as the kernels take them.

    A group is one sensor, at most `batch_s_max` and a quarter turn of measured time. A long batch is cut into seconds of
    reception, so that it is worked through as the short ones of a live run are; within a second sensors come in the order
    of their first plot, within a group plots in order of time. Plots without a usable position, or of a sensor beyond the
    table, are left out (the sense stage has counted them).
    """
    good = np.isfinite(plots.latitude_rad) & np.isfinite(plots.longitude_rad)
    good &= plots.sensor_index < len(rotation.turn_s)
    variance = plots.position_cov_m2[:, 0, 0] + plots.position_cov_m2[:, 1, 1]
    good &= np.isfinite(variance) & (variance > 0) & (variance < 2 * SIGMA_M_MAX**2)
    rows = np.flatnonzero(good)
    polar = np.isfinite(plots.range_m) & np.isfinite(plots.azimuth_rad)
    chosen, ends = _in_order(plots, rows)
    times = plots.measured_ns[chosen]
    polar_before = np.concatenate(([0], np.cumsum(polar[chosen])))
    table: list[tuple[int, ...]] = []
    start = 0
    for number, end in ends:
        sensor = int(plots.sensor_index[chosen[start]])
        turn_s, radar = float(rotation.turn_s[sensor]), bool(radars[sensor])
        known = math.isfinite(turn_s)
        span_ns = int(1e9 * min(settings.batch_s_max, 0.25 * turn_s if known else 0.5))
        turn_ns = int(1e9 * (turn_s if known else settings.rotation_s_default)) if radar else 0
        rotation_s = sensors.rows[sensor].rotation_s
        told = int((math.isfinite(rotation_s) and rotation_s > 0) or not radar)
        while start < end:
            until_ns = int(times[start]) + span_ns
            after = end if times[end - 1] <= until_ns else start + int(np.searchsorted(times[start:end], until_ns, side="right"))
            in_polar = int(radar and bool(polar_before[after] - polar_before[start] == after - start))
            table.append((start, after, sensor, turn_ns, int(radar), in_polar, told, number))
            start = after
    groups = np.array(table, np.int64).reshape(-1, at.GROUP_INTS)
    return Measured(groups, *tabled(plots, chosen, plane, site_scale, sensors))


def tabled(plots: Plots, rows: npt.NDArray[np.intp], plane: Plane, site_scale: Floats, sensors: SensorTable) -> tuple[Floats, Ints]:
    """Return the chosen plots in the columns of the kernels, in that order."""
    return _floats(plots, rows, plane, site_scale), _ints(plots, rows, sensors)


def _in_order(plots: Plots, rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], list[tuple[int, int]]]:
    """Return the rows in the order of their groups, and of every second and sensor its number and the place after its last row."""
    if not len(rows):
        return rows, []
    received_ns, sensor = plots.received_ns[rows], plots.sensor_index[rows].astype(np.int64)
    number = (received_ns - received_ns.min()) // SLICE_NS
    pair, first, of_row = np.unique(number * (1 << 16) + sensor, return_index=True, return_inverse=True)
    rank = np.empty(len(pair), np.int64)
    order = np.lexsort((first, pair >> 16))
    rank[order] = np.arange(len(pair))
    place = rank[of_row]
    ends = np.cumsum(np.bincount(place, minlength=len(pair)))
    return rows[np.lexsort((plots.measured_ns[rows], place))], list(zip((pair[order] >> 16).tolist(), ends.tolist(), strict=True))


def _ints(plots: Plots, rows: npt.NDArray[np.intp], sensors: SensorTable) -> Ints:
    table = np.empty((len(rows), at.PLOT_INTS), np.int64)
    table[:, at.PLOT_TIME], table[:, at.PLOT_SEQUENCE] = plots.measured_ns[rows], plots.entry_sequence[rows]
    mode3a = plots.mode3a[rows]
    table[:, at.PLOT_ICAO] = plots.icao_address[rows]
    table[:, at.PLOT_MODE3A] = np.where(_COMMON[mode3a & 0o7777], -1, mode3a)
    table[:, at.PLOT_CALLSIGN] = np.ascontiguousarray(plots.callsign[rows].astype("S8")).view(np.int64)
    table[:, at.PLOT_ECHO] = plots.kind[rows] == KIND_PSR
    table[:, at.PLOT_OWNER] = -1
    air = np.array([s.kind == RADAR and s.has_position for s in sensors.rows], np.bool_)
    far = plots.range_m[rows] > LIFT_RANGE_M       # false where it is not known
    table[:, at.PLOT_LIFTS] = (air[plots.sensor_index[rows]] & ~np.isfinite(plots.height_m[rows])) * np.where(
        far, at.LIFTS, np.where(plots.range_m[rows] > 0.0, at.LIFTS_IF_HIGH, 0))
    return table


def _floats(plots: Plots, rows: npt.NDArray[np.intp], plane: Plane, site_scale: Floats) -> Floats:
    table = np.empty((len(rows), at.PLOT_FLOATS))
    points = to_plane(plane, plots.latitude_rad[rows], plots.longitude_rad[rows])
    # The inverse of a turn and a scale: the turn back and the scale again.
    axes = true_axes(points).transpose(0, 2, 1) * (points.scale**2)[:, None, None]
    cov = axes @ plots.position_cov_m2[rows] @ axes.transpose(0, 2, 1)
    cov *= np.where((plots.kind[rows] == KIND_TRACK) & (plots.track_number[rows] == NO_CODE), TRACK_INFLATION, 1.0)[:, None, None]
    table[:, at.PLOT_RAW_EAST] = table[:, at.PLOT_EAST] = points.east_m
    table[:, at.PLOT_RAW_NORTH] = table[:, at.PLOT_NORTH] = points.north_m
    table[:, at.PLOT_EE], table[:, at.PLOT_NN] = cov[:, 0, 0] + SIGMA_M_MIN**2, cov[:, 1, 1] + SIGMA_M_MIN**2
    table[:, at.PLOT_EN] = cov[:, 0, 1]
    table[:, at.PLOT_VE : at.PLOT_VN + 1] = (axes @ plots.velocity_mps[rows][..., None])[..., 0]
    height, sigma = plots.height_m[rows], plots.height_m_sigma[rows]
    table[:, at.PLOT_HEIGHT] = height
    table[:, at.PLOT_HEIGHT_VAR] = np.where(sigma > 0, sigma, HEIGHT_M_SIGMA) ** 2
    table[:, at.PLOT_RANGE], table[:, at.PLOT_AZIMUTH] = plots.range_m[rows], plots.azimuth_rad[rows]
    table[:, at.PLOT_AMPLITUDE] = plots.amplitude_db[rows]
    table[:, at.PLOT_SCALE] = 0.5 * (points.scale + site_scale[plots.sensor_index[rows]])
    return table


_COMMON = np.isin(np.arange(0o10000), COMMON_CODES)

"""The sensor table as columns, made once for each table: what every batch asks of its sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.horizon import radio_horizon_m
from lapwing.model.sensors import TRACKER, Sensor
from lapwing.model.times import from_seconds
from lapwing.sense import heights

Floats = npt.NDArray[np.float64]
SEEN_HEIGHT_M = 3_000.0
REACH_SHARE, REACH_M_MORE = 1.05, 2_000.0    # beyond the instrumented range: rounding of the range cell, no more
REACH_M_USUAL = 700_000.0                    # of a sensor whose range nobody gave: the radio horizon of an airliner, twice
REACH_M_TRACKER = 2_000_000.0                # of what joins many sensors about the place it gives
_KEPT = 8      # tables remembered; a run has one, and a few while sources are being met


@dataclass(frozen=True, slots=True)
class SensorColumns:
    """One value a row of the table; NaN where it is not known."""

    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats
    range_m_sigma: Floats
    azimuth_rad_sigma: Floats
    sea_m: Floats               # mean sea level at the site, above the ellipsoid
    sea_m_sigma: Floats
    latency_ns: npt.NDArray[np.int64]
    level_m_shift: Floats       # what QNH adds to a pressure altitude; 0 where it is not known
    level_m_sigma: Floats
    gate_m: Floats              # how far from it a plot may lie (`gate_m`)
    reach_m: Floats             # how far it should see aircraft at `SEEN_HEIGHT_M`: to its horizon, no farther than its range


def gate_m(sensor: Sensor) -> float:
    """Return how far from a sensor a plot of it may lie; infinite for what has no place."""
    if not sensor.has_position:
        return math.inf
    usual = (REACH_M_TRACKER if sensor.kind == TRACKER else REACH_M_USUAL) if not math.isfinite(sensor.range_m_max) else sensor.range_m_max
    return REACH_SHARE * usual + REACH_M_MORE


_made: list[tuple[tuple[Sensor, ...], SensorColumns]] = []


def columns_of(rows: tuple[Sensor, ...]) -> SensorColumns:
    """Return the columns of a table's rows: a function of the rows alone, remembered by their identity."""
    for known, columns in _made:
        if known is rows:
            return columns
    latitude = np.array([s.latitude_rad for s in rows], np.float64)
    longitude = np.array([s.longitude_rad for s in rows], np.float64)
    sea, sea_sigma = heights.mean_sea_level(latitude, longitude)
    height = np.array([s.height_m for s in rows], np.float64)
    reach = np.fmin(radio_horizon_m(np.nan_to_num(height - sea), SEEN_HEIGHT_M), np.array([s.range_m_max for s in rows], np.float64))
    columns = SensorColumns(
        latitude, longitude, height,
        np.array([s.range_m_sigma for s in rows], np.float64), np.array([s.azimuth_rad_sigma for s in rows], np.float64),
        sea, sea_sigma, np.array([from_seconds(s.latency_s) for s in rows], np.int64),
        np.array([heights.qnh_shift_m(s.qnh_hpa) for s in rows], np.float64),
        np.array([heights.LEVEL_M_SIGMA if s.qnh_hpa != s.qnh_hpa else heights.QNH_M_SIGMA for s in rows], np.float64),
        np.array([gate_m(s) for s in rows], np.float64), reach)
    _made.append((rows, columns))
    del _made[:-_KEPT]
    return columns

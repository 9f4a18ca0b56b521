"""How far a radar can see over the curve of the Earth, with normal refraction (4/3 of the radius)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import MEAN_RADIUS_M

# Effective radius factor of the standard atmosphere: ITU-R P.834, k = 4/3.
EFFECTIVE_RADIUS_M = MEAN_RADIUS_M * 4.0 / 3.0


def radio_horizon_m(antenna_m: npt.ArrayLike, target_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the longest range at which an aerial and an object see each other over smooth ground.

    Both heights are above the ground between them (in practice above mean sea level); one below it counts as on it.
    NaN where a height is unknown.

    >>> radio_horizon_m(30.0, 100.0).round(-2).item()
    63800.0
    """
    antenna, target = np.asarray(antenna_m, np.float64), np.asarray(target_m, np.float64)
    return np.asarray(np.sqrt(2.0 * EFFECTIVE_RADIUS_M * np.maximum(antenna, 0.0))
                      + np.sqrt(2.0 * EFFECTIVE_RADIUS_M * np.maximum(target, 0.0)))


def terrain_elevation(horizon: Sequence[tuple[float, float]], azimuth_rad: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the elevation below which terrain hides what lies at an azimuth: straight lines between the rows, all the way round.

    `horizon`: (azimuth, elevation) rad, azimuths rising; at least one.

    >>> np.degrees(terrain_elevation([(0.0, 0.0), (np.pi, np.radians(2.0))], np.radians([90.0, 270.0]))).round(3).tolist()
    [1.0, 1.0]
    """
    rows = np.asarray(horizon, np.float64)
    return np.asarray(np.interp(np.asarray(azimuth_rad, np.float64), rows[:, 0], rows[:, 1], period=2.0 * np.pi))


def terrain_height_m(range_m: npt.ArrayLike, antenna_m: npt.ArrayLike, elevation_rad: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return from which height up an object is seen over terrain at an elevation; heights as those of the antenna, 4/3 earth.

    >>> terrain_height_m(40_000.0, 100.0, np.radians(1.0)).round().item()
    892.0
    """
    away = np.asarray(range_m, np.float64)
    return np.asarray(np.asarray(antenna_m, np.float64) + away * np.tan(elevation_rad) + away**2 / (2.0 * EFFECTIVE_RADIUS_M))


def hidden_below_horizon(range_m: npt.ArrayLike, antenna_m: npt.ArrayLike,
                         target_m: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return where an object is hidden by the Earth's curve; False where a height is unknown (not proven hidden)."""
    return np.asarray(np.asarray(range_m, np.float64) > radio_horizon_m(antenna_m, target_m), np.bool_)

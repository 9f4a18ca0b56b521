"""Mean sea level: height of the EGM96 geoid above the ellipsoid, from the grid that the package carries.

The grid covers 40-72 N, 14-45 E at 15 minutes (NGA, public domain). Outside it the answer is NaN, never 0: a silent
zero would shift a height by 20-45 m. A caller that meets NaN reports "no geoid here" and goes without the height.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from lapwing.geo.kernels_geoid import bilinear_kernel

Floats = npt.NDArray[np.float64]


@cache
def _grid() -> tuple[Floats, Floats, Floats]:
    """Return latitudes (r,), longitudes (c,) in degrees, both rising, and heights (r, c) in metres."""
    text = resources.files("lapwing.geo").joinpath("data/geoid_egm96_15min.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    table = np.array([[float(v) for v in row] for row in rows[1:]])
    return table[:, 0], np.array([float(v) for v in rows[0][1:]]), table[:, 1:]


def undulation_m(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> Floats:
    """Return the height of the geoid above the ellipsoid; ellipsoid height = height above mean sea level + this.

    Bilinear between grid points (error of the interpolation under 0.2 m over plains). NaN outside the grid
    (`covers` tells) and for NaN input.
    """
    lat, lon = np.asarray(lat_rad, np.float64), np.asarray(lon_rad, np.float64)
    if lat.shape != lon.shape:
        lat, lon = np.broadcast_arrays(lat, lon)
    latitudes, longitudes, heights = _grid()
    out = np.empty(lat.size)
    bilinear_kernel(np.ascontiguousarray(lat).reshape(-1), np.ascontiguousarray(lon).reshape(-1), latitudes[0], longitudes[0],
                    latitudes[1] - latitudes[0], heights, out)
    return out.reshape(lat.shape)


def undulation_plain(lat_rad: float, lon_rad: float) -> float:
    """Return the same for one point, in plain numbers: for tests."""
    latitudes, longitudes, heights = _grid()
    step = latitudes[1] - latitudes[0]
    row, column = (math.degrees(lat_rad) - latitudes[0]) / step, (math.degrees(lon_rad) - longitudes[0]) / step
    if not (-1e-9 < row < len(latitudes) - 1 + 1e-9 and -1e-9 < column < len(longitudes) - 1 + 1e-9):
        return math.nan
    i = min(max(math.floor(row), 0), len(latitudes) - 2)
    j = min(max(math.floor(column), 0), len(longitudes) - 2)
    u, v = row - i, column - j
    low = (1 - v) * heights[i, j] + v * heights[i, j + 1]
    high = (1 - v) * heights[i + 1, j] + v * heights[i + 1, j + 1]
    return float((1 - u) * low + u * high)


def covers(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return where the grid has an answer."""
    return np.isfinite(undulation_m(lat_rad, lon_rad))

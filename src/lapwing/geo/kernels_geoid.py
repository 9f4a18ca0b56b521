"""Kernel: bilinear interpolation in a regular grid of latitudes and longitudes. Its plain twin is `geoid.undulation_plain`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]
_DEGREES = 180.0 / math.pi
_EDGE = 1e-9     # the edge of the grid itself is inside, with room for the rounding of radians to degrees


@kernel
def bilinear_kernel(lat_rad: Floats, lon_rad: Floats, first_lat_deg: float, first_lon_deg: float, step_deg: float,
                    heights_m: Floats, out_m: Floats) -> None:
    """Fill `out_m`; NaN outside the grid of `heights_m` (rows by rising latitude, columns by rising longitude)."""
    rows, columns = heights_m.shape
    for k in range(lat_rad.shape[0]):
        row = (lat_rad[k] * _DEGREES - first_lat_deg) / step_deg
        column = (lon_rad[k] * _DEGREES - first_lon_deg) / step_deg
        if not (row > -_EDGE and row < rows - 1 + _EDGE and column > -_EDGE and column < columns - 1 + _EDGE):
            out_m[k] = np.nan
            continue
        i = min(max(int(math.floor(row)), 0), rows - 2)
        j = min(max(int(math.floor(column)), 0), columns - 2)
        u, v = row - i, column - j
        out_m[k] = ((1 - u) * ((1 - v) * heights_m[i, j] + v * heights_m[i, j + 1])
                    + u * ((1 - v) * heights_m[i + 1, j] + v * heights_m[i + 1, j + 1]))

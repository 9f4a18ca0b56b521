"""Kernel: covariances of polar reports, one after another. Its plain twin is `place.covariance_plain`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def polar_covariance(site_lat_rad: Floats, site_lon_rad: Floats, site_m: Floats, range_m: Floats, azimuth_rad: Floats,
                     height_m: Floats, height_m_sigma: Floats, range_m_sigma: Floats, azimuth_rad_sigma: Floats,
                     lat_rad: Floats, lon_rad: Floats, cov_m2: Floats) -> None:
    """Fill `cov_m2` (n, 2, 2), east and north at the object; NaN where any input is. Formulas: `place.covariance_plain`."""
    for i in range(range_m.shape[0]):
        rho, above, sigma, noise = range_m[i], height_m[i] - site_m[i], height_m_sigma[i], range_m_sigma[i]
        ground2 = rho * rho - above * above
        least = (0.05 * rho) * (0.05 * rho)
        if ground2 < least:
            ground2 = least
        stretched, lifted = rho * noise, above * sigma
        along = math.nan
        if ground2 > 0.0:
            along = (stretched * stretched + lifted * lifted + 0.5 * sigma * sigma * sigma * sigma) / ground2
        most = noise * noise + ground2
        if along > most:
            along = most
        across = ground2 * azimuth_rad_sigma[i] * azimuth_rad_sigma[i]
        bearing = azimuth_rad[i] + (lon_rad[i] - site_lon_rad[i]) * math.sin(0.5 * (lat_rad[i] + site_lat_rad[i]))
        sine, cosine = math.sin(bearing), math.cos(bearing)
        cov_m2[i, 0, 0] = along * sine * sine + across * cosine * cosine
        cov_m2[i, 1, 1] = along * cosine * cosine + across * sine * sine
        both = (along - across) * sine * cosine
        cov_m2[i, 0, 1] = both
        cov_m2[i, 1, 0] = both

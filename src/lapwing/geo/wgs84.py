"""The ellipsoid: geodesics, radii of curvature, Earth-fixed coordinates.

Angles in radians, lengths in metres, latitude before longitude. Every function broadcasts its arguments like NumPy.
Geodesics are Karney's, through pyproj's `Geod`, which needs no database and no network.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# WGS 84: NGA.STND.0036, table 3.1 (semi-major axis and flattening are the defining values).
A_M = 6_378_137.0
F = 1.0 / 298.257223563
B_M = A_M * (1.0 - F)
E2 = F * (2.0 - F)              # first eccentricity squared
EP2 = E2 / (1.0 - E2)           # second eccentricity squared
MEAN_RADIUS_M = 6_371_008.8     # (2 a + b) / 3, for what needs a sphere only


@cache
def _geod() -> Any:
    # Imported at the first use: the commands that do not measure should not pay for it.
    from pyproj import Geod

    return Geod(a=A_M, f=F)


def geodesic_inverse(lat1_rad: npt.ArrayLike, lon1_rad: npt.ArrayLike, lat2_rad: npt.ArrayLike,
                     lon2_rad: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the length of the geodesic from point 1 to point 2 and its azimuth at point 1.

    Returns
    -------
    distance_m, azimuth_rad (true north, clockwise, [0, 2 pi)), of the broadcast shape; NaN where any input is NaN.
    """
    lat1, lon1, lat2, lon2 = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in
                                                   (lat1_rad, lon1_rad, lat2_rad, lon2_rad)))
    azimuth_rad, _, distance_m = _geod().inv(lon1.ravel(), lat1.ravel(), lon2.ravel(), lat2.ravel(), radians=True)
    distance = np.asarray(distance_m, np.float64).reshape(lat1.shape)
    azimuth = np.mod(np.asarray(azimuth_rad, np.float64).reshape(lat1.shape), 2.0 * np.pi)
    # mod may round a tiny negative angle up to 2 pi itself.
    return distance, np.where(azimuth >= 2.0 * np.pi, 0.0, azimuth)


def geodesic_direct(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike, azimuth_rad: npt.ArrayLike,
                    distance_m: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the point that lies `distance_m` along the geodesic that leaves a point at an azimuth.

    Returns
    -------
    lat_rad, lon_rad (in [-pi, pi]), of the broadcast shape; NaN where any input is NaN.
    """
    lat, lon, azimuth, distance = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in
                                                        (lat_rad, lon_rad, azimuth_rad, distance_m)))
    lon2, lat2, _ = _geod().fwd(lon.ravel(), lat.ravel(), azimuth.ravel(), distance.ravel(), radians=True)
    return np.asarray(lat2, np.float64).reshape(lat.shape), np.asarray(lon2, np.float64).reshape(lat.shape)


def curvature_radii_m(lat_rad: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the radii of curvature in the meridian and in the prime vertical, metres."""
    sin2 = np.sin(np.asarray(lat_rad, np.float64)) ** 2
    prime_vertical_m = A_M / np.sqrt(1.0 - E2 * sin2)
    return np.asarray(prime_vertical_m * (1.0 - E2) / (1.0 - E2 * sin2)), np.asarray(prime_vertical_m)


def to_ecef(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike, height_m: npt.ArrayLike) -> Floats:
    """Return Earth-centred Earth-fixed coordinates; shape (..., 3), metres."""
    lat, lon, height = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (lat_rad, lon_rad, height_m)))
    _, normal_m = curvature_radii_m(lat)
    across_m = (normal_m + height) * np.cos(lat)
    return np.stack([across_m * np.cos(lon), across_m * np.sin(lon), (normal_m * (1.0 - E2) + height) * np.sin(lat)],
                    axis=-1)


def from_ecef(xyz_m: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return latitude, longitude (radians) and height above the ellipsoid (metres) of points (..., 3).

    Notes
    -----
    Bowring's reduced-latitude iteration, three rounds: under 1e-8 m from -10 km to 1,000 km of height.
    Source: B. R. Bowring, Survey Review 23 (181), 1976.
    """
    xyz = np.asarray(xyz_m, np.float64)
    x, y, z = xyz[..., 0], xyz[..., 1], xyz[..., 2]
    across_m = np.hypot(x, y)
    reduced = np.arctan2(A_M * z, B_M * across_m)
    lat = reduced
    for _ in range(3):
        lat = np.arctan2(z + EP2 * B_M * np.sin(reduced) ** 3, across_m - E2 * A_M * np.cos(reduced) ** 3)
        reduced = np.arctan2((1.0 - F) * np.sin(lat), np.cos(lat))
    _, normal_m = curvature_radii_m(lat)
    # This form of the height holds at the poles too, where across / cos(lat) does not.
    height = across_m * np.cos(lat) + z * np.sin(lat) - A_M**2 / normal_m
    return np.asarray(lat), np.asarray(np.arctan2(y, x)), np.asarray(height)

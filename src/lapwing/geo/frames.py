"""Between a radar's polar frame, a local map plane and the ellipsoid. Exact: no flat Earth, no sphere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo import wgs84
from lapwing.geo.kernels_frames import polar_to_geodetic_kernel

Floats = npt.NDArray[np.float64]


def polar_to_geodetic(site_lat_rad: npt.ArrayLike, site_lon_rad: npt.ArrayLike, site_height_m: npt.ArrayLike,
                      range_m: npt.ArrayLike, azimuth_rad: npt.ArrayLike,
                      height_m: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return where an object stands that a radar sees at a slant range and azimuth, its height being known.

    Parameters
    ----------
    site_lat_rad, site_lon_rad, site_height_m : the radar's aerial, height above the ellipsoid
    range_m, azimuth_rad : slant range; azimuth in the radar's east-north-up frame, from north, clockwise
    height_m : of the object, above the ellipsoid

    Returns
    -------
    lat_rad, lon_rad of the broadcast shape; NaN where the range is shorter than the difference of heights (the caller
    counts it as refused) or any input is NaN.

    Notes
    -----
    With `geodetic_to_polar` there and back returns within 1 mm out to 500 km, and far over 2 M plots a second.
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (
        site_lat_rad, site_lon_rad, site_height_m, range_m, azimuth_rad, height_m)))
    shape = arrays[0].shape
    lat, lon = np.empty(arrays[0].size), np.empty(arrays[0].size)
    site_lat, site_lon, site_height, slant, azimuth, height = (np.ascontiguousarray(a).reshape(-1) for a in arrays)
    polar_to_geodetic_kernel(site_lat, site_lon, site_height, slant, azimuth, height, lat, lon)
    return lat.reshape(shape), lon.reshape(shape)


def polar_to_geodetic_plain(site_lat_rad: float, site_lon_rad: float, site_height_m: float, range_m: float,
                            azimuth_rad: float, height_m: float) -> tuple[float, float]:
    """Return the same as `polar_to_geodetic` for one plot, by bisection on the elevation: slow, plain, for tests."""
    if not range_m >= abs(height_m - site_height_m):
        return float("nan"), float("nan")
    site = wgs84.to_ecef(site_lat_rad, site_lon_rad, site_height_m)
    east, north, up = _axes(site_lat_rad, site_lon_rad)
    along = np.sin(azimuth_rad) * east + np.cos(azimuth_rad) * north

    def point(elevation_rad: float) -> tuple[float, float, float]:
        sight = np.cos(elevation_rad) * along + np.sin(elevation_rad) * up
        lat, lon, height = wgs84.from_ecef(site + range_m * sight)
        return float(lat), float(lon), float(height)

    low, high = -np.pi / 2.0, np.pi / 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if point(middle)[2] < height_m:
            low = middle
        else:
            high = middle
    return point(0.5 * (low + high))[:2]


def geodetic_to_polar(site_lat_rad: npt.ArrayLike, site_lon_rad: npt.ArrayLike, site_height_m: npt.ArrayLike,
                      lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike,
                      height_m: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return slant range (m), azimuth [0, 2 pi) and geometric elevation (rad) of points seen from a site.

    Heights are above the ellipsoid. No refraction: that is the sensor model's business.
    """
    delta = wgs84.to_ecef(lat_rad, lon_rad, height_m) - wgs84.to_ecef(site_lat_rad, site_lon_rad, site_height_m)
    axis_east, axis_north, axis_up = _axes(site_lat_rad, site_lon_rad)
    east, north, up = (np.sum(delta * axis, axis=-1) for axis in (axis_east, axis_north, axis_up))
    azimuth = np.mod(np.arctan2(east, north), 2.0 * np.pi)
    return (np.sqrt(np.sum(delta * delta, axis=-1)), np.where(azimuth >= 2.0 * np.pi, 0.0, azimuth),
            np.arctan2(up, np.hypot(east, north)))


def _axes(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return the unit vectors east, north, up at a point in Earth-fixed axes, each (..., 3)."""
    lat, lon = np.broadcast_arrays(np.asarray(lat_rad, np.float64), np.asarray(lon_rad, np.float64))
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    return (np.stack([-sin_lon, cos_lon, np.zeros_like(lat)], axis=-1),
            np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1),
            np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1))


def enu_from_geodetic(lat0_rad: npt.ArrayLike, lon0_rad: npt.ArrayLike, lat_rad: npt.ArrayLike,
                      lon_rad: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return east_m, north_m of points on the map plane about (lat0, lon0).

    The plane is azimuthal equidistant: distance and azimuth from the origin are those of the geodesic, exactly.
    """
    distance_m, azimuth_rad = wgs84.geodesic_inverse(lat0_rad, lon0_rad, lat_rad, lon_rad)
    return distance_m * np.sin(azimuth_rad), distance_m * np.cos(azimuth_rad)


def geodetic_from_enu(lat0_rad: npt.ArrayLike, lon0_rad: npt.ArrayLike, east_m: npt.ArrayLike,
                      north_m: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return lat_rad, lon_rad of points given on the map plane about (lat0, lon0): inverse of `enu_from_geodetic`."""
    east, north = np.asarray(east_m, np.float64), np.asarray(north_m, np.float64)
    return wgs84.geodesic_direct(lat0_rad, lon0_rad, np.arctan2(east, north), np.hypot(east, north))

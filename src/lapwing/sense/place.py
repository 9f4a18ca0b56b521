"""Where a report lies on the ellipsoid, and with what covariance: polar, Cartesian and geodetic reports alike.

The covariance holds the random part of one report: the sensor's noise and what the height does to the ground range.
Registration (a fixed error of range or azimuth) is the tracker's business.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import geodetic_from_enu
from lapwing.geo.kernels_frames import polar_to_geodetic_kernel
from lapwing.geo.plane import from_plane, make_plane
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.sense import heights
from lapwing.sense.kernels_place import polar_covariance

Floats = npt.NDArray[np.float64]

# sensors.toml and scenario.json give one sigma of a primary plot; replies of transponders are twice as good.
SECONDARY_SHARE = 0.5
PIECE_ROWS = 8_192


def isotropic(sigma_m: Floats) -> Floats:
    """Return the covariances (n, 2, 2) of a circular error."""
    return diagonal(sigma_m, sigma_m)


def diagonal(east_m_sigma: Floats, north_m_sigma: Floats, east_north_m2: Floats | None = None) -> Floats:
    """Return covariances (n, 2, 2); the covariance of both is cut to what keeps them positive definite."""
    cov = np.zeros((len(east_m_sigma), 2, 2))
    cov[:, 0, 0], cov[:, 1, 1] = east_m_sigma**2, north_m_sigma**2
    if east_north_m2 is not None:
        bound = 0.99 * east_m_sigma * north_m_sigma
        cov[:, 0, 1] = cov[:, 1, 0] = np.clip(np.nan_to_num(east_north_m2), -bound, bound)
    return cov


def turned(along_m2: Floats, across_m2: Floats, bearing_rad: Floats) -> Floats:
    """Return covariances (n, 2, 2) in east and north, of variances along a bearing and across it."""
    sine, cosine = np.sin(bearing_rad), np.cos(bearing_rad)
    cov = np.empty((len(along_m2), 2, 2))
    cov[:, 0, 0] = along_m2 * sine**2 + across_m2 * cosine**2
    cov[:, 1, 1] = along_m2 * cosine**2 + across_m2 * sine**2
    cov[:, 0, 1] = cov[:, 1, 0] = (along_m2 - across_m2) * sine * cosine
    return cov


def polar(site_rad: tuple[Floats, Floats], site_m: Floats, range_m: Floats, azimuth_rad: Floats, height_m: Floats,
          height_m_sigma: Floats, range_m_sigma: Floats, azimuth_rad_sigma: Floats,
          sea_m: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """Return latitude, longitude and covariance of reports by slant range and azimuth.

    Parameters
    ----------
    site_rad, site_m : aerial, latitude and longitude, height above the ellipsoid
    height_m, height_m_sigma : of the object, above the ellipsoid; NaN: unknown, then `heights.assumed`
    sea_m : mean sea level at the site, above the ellipsoid, where the caller has it

    Returns
    -------
    latitude_rad, longitude_rad (n,), NaN where the range is shorter than the height; cov_m2 (n, 2, 2) at the object

    Notes
    -----
    Ground range g of slant range r and height difference h is sqrt(r^2 - h^2): dg = (r dr - h dh) / g, and where h is
    near 0 the second order dh^2 / 2g counts (its variance is sigma^4 / 2g^2).
    """
    latitude, longitude = site_rad
    if sea_m is None:
        sea_m, _ = heights.mean_sea_level(latitude, longitude)
    # The same to the last bit as without: no piece looks at another, and the processor's cache holds it.
    count = len(range_m)
    rows = tuple(column if column.shape == (count,) and column.flags.c_contiguous and column.dtype == np.float64
                 else np.ascontiguousarray(np.broadcast_to(column, (count,)), np.float64) for column in (
        latitude, longitude, site_m, range_m, azimuth_rad, height_m, height_m_sigma, range_m_sigma, azimuth_rad_sigma, sea_m))
    found = np.empty(count), np.empty(count), np.empty((count, 2, 2))
    for at in range(0, count, PIECE_ROWS):
        piece = slice(at, at + PIECE_ROWS)
        _polar(*(column[piece] for column in rows), *(column[piece] for column in found))
    return found


def _polar(latitude: Floats, longitude: Floats, site_m: Floats, range_m: Floats, azimuth_rad: Floats, height_m: Floats,
           height_m_sigma: Floats, range_m_sigma: Floats, azimuth_rad_sigma: Floats, sea_m: Floats, plot_latitude: Floats,
           plot_longitude: Floats, cov_m2: Floats) -> None:
    """Fill the last three."""
    site_m = np.where(np.isfinite(site_m), site_m, sea_m)
    known = np.isfinite(height_m)
    if not known.all():
        low_m, low_m_sigma = heights.assumed(range_m, site_m, sea_m)
        height_m, height_m_sigma = np.where(known, height_m, low_m), np.where(known, height_m_sigma, low_m_sigma)
    polar_to_geodetic_kernel(latitude, longitude, site_m, range_m, azimuth_rad, height_m, plot_latitude, plot_longitude)
    polar_covariance(latitude, longitude, site_m, range_m, azimuth_rad, height_m, height_m_sigma, range_m_sigma,
                     azimuth_rad_sigma, plot_latitude, plot_longitude, cov_m2)


def covariance_plain(site_rad: tuple[Floats, Floats], site_m: Floats, range_m: Floats, azimuth_rad: Floats, height_m: Floats,
                     height_m_sigma: Floats, range_m_sigma: Floats, azimuth_rad_sigma: Floats, plot_rad: tuple[Floats, Floats]) -> Floats:
    """Return what `kernels_place.polar_covariance` fills: slow, plain, for tests."""
    with np.errstate(invalid="ignore", divide="ignore"):
        above = height_m - site_m
        ground = np.sqrt(np.maximum(range_m**2 - above**2, (0.05 * range_m) ** 2))
        along = (range_m / ground * range_m_sigma) ** 2 + (above / ground * height_m_sigma) ** 2 + height_m_sigma**4 / (
            2.0 * ground**2)
        along = np.minimum(along, range_m_sigma**2 + ground**2)
        across = (ground * azimuth_rad_sigma) ** 2
    # The meridians converge: the bearing at the object is that at the radar, turned by the longitude on the way.
    bearing = azimuth_rad + (plot_rad[1] - site_rad[1]) * np.sin(0.5 * (plot_rad[0] + site_rad[0]))
    return turned(along, across, bearing)


def local_plane(site_rad: tuple[Floats, Floats], x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return latitude, longitude of points given east and north of a site on its local plane (CAT001, 010, 020)."""
    return geodetic_from_enu(site_rad[0], site_rad[1], x_m, y_m)


def system_plane(latitude_rad: float, longitude_rad: float, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return latitude, longitude of points on the stereographic plane of a tracker's reference point (CAT062)."""
    return from_plane(make_plane(latitude_rad, longitude_rad), x_m, y_m)


def degrees_to_metres(latitude_rad: Floats, latitude_rad_sigma: Floats,
                      longitude_rad_sigma: Floats) -> tuple[Floats, Floats]:
    """Return (east, north) sigma in metres of sigmas given as angles."""
    meridian_m, prime_m = curvature_radii_m(latitude_rad)
    return longitude_rad_sigma * prime_m * np.cos(latitude_rad), latitude_rad_sigma * meridian_m

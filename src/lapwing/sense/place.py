"""Where a report lies on the ellipsoid, and with what covariance: polar, Cartesian and geodetic reports alike.

The covariance holds the random part of one report: the sensor's noise and what the height does to the ground range.
Registration (a fixed error of range or azimuth) is the tracker's business.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import geodetic_from_enu, polar_to_geodetic
from lapwing.geo.plane import from_plane, make_plane
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.sense import heights

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
    if len(range_m) > PIECE_ROWS:
        # In pieces that the processor's cache holds: a sixth quicker, and the same to the last bit.
        columns = (latitude, longitude, site_m, range_m, azimuth_rad, height_m, height_m_sigma, range_m_sigma,
                   azimuth_rad_sigma, sea_m)
        parts = [_polar(*(column[at : at + PIECE_ROWS] for column in columns)) for at in range(0, len(range_m), PIECE_ROWS)]
        return (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]),
                np.concatenate([part[2] for part in parts]))
    return _polar(latitude, longitude, site_m, range_m, azimuth_rad, height_m, height_m_sigma, range_m_sigma,
                  azimuth_rad_sigma, sea_m)


def _polar(latitude: Floats, longitude: Floats, site_m: Floats, range_m: Floats, azimuth_rad: Floats, height_m: Floats,
           height_m_sigma: Floats, range_m_sigma: Floats, azimuth_rad_sigma: Floats,
           sea_m: Floats) -> tuple[Floats, Floats, Floats]:
    site_m = np.where(np.isfinite(site_m), site_m, sea_m)
    low_m, low_m_sigma = heights.assumed(range_m, site_m, sea_m)
    unknown = ~np.isfinite(height_m)
    height = np.where(unknown, low_m, height_m)
    sigma = np.where(unknown, low_m_sigma, height_m_sigma)
    plot_latitude, plot_longitude = polar_to_geodetic(latitude, longitude, site_m, range_m, azimuth_rad, height)
    with np.errstate(invalid="ignore", divide="ignore"):
        above = height - site_m
        ground = np.sqrt(np.maximum(range_m**2 - above**2, (0.05 * range_m) ** 2))
        along = (range_m / ground * range_m_sigma) ** 2 + (above / ground * sigma) ** 2 + sigma**4 / (2.0 * ground**2)
        along = np.minimum(along, range_m_sigma**2 + ground**2)
        across = (ground * azimuth_rad_sigma) ** 2
    # The meridians converge: the bearing at the object is that at the radar, turned by the longitude on the way.
    bearing = azimuth_rad + (plot_longitude - longitude) * np.sin(0.5 * (plot_latitude + latitude))
    return plot_latitude, plot_longitude, turned(along, across, bearing)


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

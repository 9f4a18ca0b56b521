"""Which height an object is taken at, and how sure that is: it decides how a slant range falls on the map.

* Flight level: pressure altitude is taken as height above mean sea level. QNH and temperature move it: 1 sigma 100 m
  plus 2 % of the height (10 hPa are 83 m; a warm or cold day stretches the whole column by 3-4 %).
* Nothing known (primary radar): 300 m above mean sea level, as what matters here flies low; 1 sigma up to 1,000 m, less
  close to the radar, which cannot look up steeply.

Without a geoid (outside the grid) mean sea level is taken as the ellipsoid and 50 m are added to the sigma.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.geoid import undulation_m

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FOOT_M = 0.3048
LEVEL_M_SIGMA, LEVEL_SHARE_SIGMA = 100.0, 0.02
LEVEL_MIN, LEVEL_MAX = -15.0, 700.0       # flight levels; beyond is a broken code
ASSUMED_M_AMSL, ASSUMED_M_SIGMA = 300.0, 1_000.0
ASSUMED_RANGE_SHARE = 0.35                # an unknown height is at most so much of the range (tangent of 20 degrees)
NO_GEOID_M_SIGMA = 50.0


def mean_sea_level(latitude_rad: Floats, longitude_rad: Floats) -> tuple[Floats, Floats]:
    """Return the ellipsoid height of mean sea level and its 1 sigma (0 inside the geoid grid)."""
    height = undulation_m(latitude_rad, longitude_rad)
    known = np.isfinite(height)
    return np.where(known, height, 0.0), np.where(known, 0.0, NO_GEOID_M_SIGMA)


def from_flight_level(flight_level: Floats, sea_m: Floats, sea_m_sigma: Floats) -> tuple[Floats, Floats]:
    """Return the ellipsoid height and 1 sigma of a flight level; NaN where there is none or it cannot be."""
    good = (flight_level >= LEVEL_MIN) & (flight_level <= LEVEL_MAX)
    amsl = np.where(good, flight_level, np.nan) * 100.0 * FOOT_M
    sigma = np.hypot(LEVEL_M_SIGMA + LEVEL_SHARE_SIGMA * np.abs(amsl), sea_m_sigma)
    return amsl + sea_m, sigma


def assumed(range_m: Floats, site_m: Floats, sea_m: Floats) -> tuple[Floats, Floats]:
    """Return the ellipsoid height to take for an object of unknown height at a slant range, and 1 sigma."""
    reach = ASSUMED_RANGE_SHARE * range_m
    difference = np.clip(ASSUMED_M_AMSL + sea_m - site_m, -reach, reach)
    return site_m + difference, np.minimum(ASSUMED_M_SIGMA, reach)

"""Which height an object is taken at, and how sure that is: it decides how a slant range falls on the map.

* Flight level: pressure altitude is taken as height above mean sea level, moved by the sea-level pressure (QNH) where the
  sensor table gives one. Unknown QNH and temperature: 1 sigma 100 m plus 2 % of the height (10 hPa are 83 m; a warm or cold
  day stretches the whole column by 3-4 %); with QNH 30 m plus 2 %.
* Nothing known (primary radar): 300 m above mean sea level, as what matters here flies low; 1 sigma up to 1,000 m, less
  close to the radar, which cannot look up steeply.

Without a geoid (outside the grid) mean sea level is taken as the ellipsoid and 50 m are added to the sigma.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.geoid import undulation_m

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FOOT_M = 0.3048
LEVEL_M_SIGMA, LEVEL_SHARE_SIGMA = 100.0, 0.02
QNH_M_SIGMA = 30.0                        # with QNH: it moves between two reports, and the code has 100 ft steps
STANDARD_HPA = 1013.25
LEVEL_MIN, LEVEL_MAX = -15.0, 700.0       # flight levels; beyond is a broken code
ASSUMED_M_AMSL, ASSUMED_M_SIGMA = 300.0, 1_000.0
ASSUMED_RANGE_SHARE = 0.35                # an unknown height is at most so much of the range (tangent of 20 degrees)
NO_GEOID_M_SIGMA = 50.0


def mean_sea_level(latitude_rad: Floats, longitude_rad: Floats) -> tuple[Floats, Floats]:
    """Return the ellipsoid height of mean sea level and its 1 sigma (0 inside the geoid grid)."""
    height = undulation_m(latitude_rad, longitude_rad)
    known = np.isfinite(height)
    return np.where(known, height, 0.0), np.where(known, 0.0, NO_GEOID_M_SIGMA)


def qnh_shift_m(qnh_hpa: float) -> float:
    """Return how far above its pressure altitude an object stands at a sea-level pressure; 0 for NaN (unknown).

    ICAO standard atmosphere (Doc 7488): pressure altitude of the sea's surface, (T0 / L) (1 - (p / p0)^(R L / g)), turned round.

    >>> round(qnh_shift_m(1023.25), 1), round(qnh_shift_m(1013.25), 1)
    (82.9, 0.0)
    """
    if not math.isfinite(qnh_hpa):
        return 0.0
    return float(288.15 / 0.0065 * ((qnh_hpa / STANDARD_HPA) ** 0.190263 - 1.0))


def from_flight_level(flight_level: Floats, sea_m: Floats, sea_m_sigma: Floats, shift_m: Floats | float = 0.0,
                      base_m_sigma: Floats | float = LEVEL_M_SIGMA) -> tuple[Floats, Floats]:
    """Return the ellipsoid height and 1 sigma of a flight level; NaN where there is none or it cannot be.

    Parameters
    ----------
    flight_level : hundreds of feet at 1013.25 hPa
    sea_m, sea_m_sigma : mean sea level there, above the ellipsoid
    shift_m, base_m_sigma : by QNH (`qnh_shift_m`), and what is left unsure
    """
    good = (flight_level >= LEVEL_MIN) & (flight_level <= LEVEL_MAX)
    amsl = np.where(good, flight_level, np.nan) * 100.0 * FOOT_M
    sigma = np.hypot(base_m_sigma + LEVEL_SHARE_SIGMA * np.abs(amsl), sea_m_sigma)
    return amsl + shift_m + sea_m, sigma


def assumed(range_m: Floats, site_m: Floats, sea_m: Floats) -> tuple[Floats, Floats]:
    """Return the ellipsoid height to take for an object of unknown height at a slant range, and 1 sigma."""
    reach = ASSUMED_RANGE_SHARE * range_m
    difference = np.clip(ASSUMED_M_AMSL + sea_m - site_m, -reach, reach)
    return site_m + difference, np.minimum(ASSUMED_M_SIGMA, reach)

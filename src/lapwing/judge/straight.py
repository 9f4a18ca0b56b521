"""The baseline that a forecast has to beat: constant velocity with Gaussian growth, flown over the border as it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.forecast import HORIZONS_S, Believed
from lapwing.judge.normal import normal_cdf

Floats = npt.NDArray[np.float64]

_STEP_S = 10.0
# White noise of acceleration: of 0, 0.1, 0.5 and 2 the one with the best Brier score on made-up nights near the line.
_NOISE_M2PS3 = 0.5


def straight_on_prob(territory: Territory, now: Believed) -> Floats:
    """Return (n, 3) P(inside at any moment within each horizon): at each moment by itself, the greatest up to then."""
    meridian, prime = curvature_radii_m(now.latitude_rad)
    seconds = np.arange(0.0, HORIZONS_S[-1] + 1.0, _STEP_S)
    latitude = now.latitude_rad[:, None] + now.velocity_mps[:, 1:] * seconds / meridian[:, None]
    longitude = now.longitude_rad[:, None] + now.velocity_mps[:, :1] * seconds / (prime * np.cos(now.latitude_rad))[:, None]
    distance = signed_distance(territory, latitude.ravel(), longitude.ravel()).signed_distance_m.reshape(latitude.shape)
    still = 0.5 * np.trace(now.position_cov_m2, axis1=1, axis2=2) + now.line_m_sigma**2
    speed = 0.5 * np.trace(now.velocity_cov, axis1=1, axis2=2)
    sigma = np.sqrt(still[:, None] + speed[:, None] * seconds**2 + _NOISE_M2PS3 * seconds**3 / 3.0)
    prob = np.maximum.accumulate(normal_cdf(-distance / sigma), axis=1)
    return np.asarray(prob[:, [round(horizon / _STEP_S) for horizon in HORIZONS_S]], np.float64)

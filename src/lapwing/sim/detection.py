"""Does a radar see an object: range law, horizon, terrain, moving-target filter. Functions of arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.horizon import EFFECTIVE_RADIUS_M, hidden_below_horizon

Floats = npt.NDArray[np.float64]

REFERENCE_DBSM = -10.0  # a 0.1 m2 object: what every range in a story or scene is given for
FALSE_ALARM_PROB = 1e-6
THRESHOLD = float(-np.log(FALSE_ALARM_PROB))  # of power over mean noise, exponential noise
HALF_SNR = (
    THRESHOLD / float(np.log(2.0)) - 1.0
)  # mean signal over noise at which a Swerling-1 object is seen half the time

# Sheet law of sensors.yaml: Pd0 up to 0.7 of the range, 0.5 at it, 0.05 at 1.2 of it; gone at 1.4 (our assumption).
_KNOTS = np.array([0.7, 1.0, 1.2, 1.4])


def range_for(small_range_m: float, rcs_dbsm: float) -> float:
    """Return the range at which an object of a radar cross-section is seen half the time, by the fourth-power law."""
    return small_range_m * float(10.0 ** ((rcs_dbsm - REFERENCE_DBSM) / 40.0))


def sheet_prob(range_m: Floats, half_range_m: float, prob_near: float) -> Floats:
    """Return the detection probability by the law of sensors.yaml, each stretch joined by half a cosine."""
    values = np.array([prob_near, min(0.5, prob_near), min(0.05, prob_near), 0.0])
    share = np.clip(range_m / half_range_m, _KNOTS[0], _KNOTS[-1])
    i = np.clip(np.searchsorted(_KNOTS, share, side="right") - 1, 0, len(_KNOTS) - 2)
    u = (share - _KNOTS[i]) / (_KNOTS[i + 1] - _KNOTS[i])
    return values[i] + (values[i + 1] - values[i]) * 0.5 * (1.0 - np.cos(np.pi * u))


def mean_snr(range_m: Floats, half_range_m: float) -> Floats:
    """Return mean signal over noise (a ratio) by the fourth-power law; at `half_range_m` it gives probability 0.5."""
    return HALF_SNR * (half_range_m / np.maximum(range_m, 1.0)) ** 4


def swerling_prob(range_m: Floats, half_range_m: float) -> Floats:
    """Return the detection probability of a Swerling-1 object: amplitude drawn anew each scan, exponential power."""
    return np.exp(-THRESHOLD / (1.0 + mean_snr(range_m, half_range_m)))


def filter_share(radial_mps: Floats, radial_mps_min: float) -> Floats:
    """Return what a moving-target filter leaves: nothing below 0.7 of its limit, all above 1.3, half at it."""
    if radial_mps_min <= 0.0:
        return np.ones(np.shape(radial_mps))
    u = np.clip((np.abs(radial_mps) / radial_mps_min - 0.7) / 0.6, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def hidden(
    range_m: Floats, azimuth_rad: Floats, antenna_m_amsl: float, altitude_m: Floats, mask_rad: Floats | None
) -> npt.NDArray[np.bool_]:
    """Return where the Earth's curve or the terrain hides an object.

    `mask_rad`: height of the terrain's edge over the horizontal, one value for each of equal steps of azimuth from
    north; None for open ground.
    """
    below = hidden_below_horizon(range_m, antenna_m_amsl, altitude_m)
    if mask_rad is None:
        return below
    far = np.maximum(range_m, 1.0)
    elevation = (altitude_m - antenna_m_amsl) / far - far / (2.0 * EFFECTIVE_RADIUS_M)
    step = (azimuth_rad / (2.0 * np.pi) * len(mask_rad)).astype(np.intp) % len(mask_rad)
    return np.asarray(below | (elevation < mask_rad[step]))

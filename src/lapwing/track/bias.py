"""Registration: the range and azimuth bias of every radar, learned from aircraft that two sensors see.

A Kalman filter over all sensors at once. Each pair of plots of one transponder from two sensors within `PAIR_S` gives
two equations: their difference, after moving the older one along, is B_s b_s - B_l b_l + noise. Sensors without a
polar frame (ADS-B, multilateration) are held to be true. Causal; jumps in what is applied are ramped. What one pair
says is weakened where it fits badly (heavy tails), and refused where it cannot be the same aircraft.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lapwing.model.plots import Bools, Floats, Ints
from lapwing.track.settings import Settings
from lapwing.track.state import Registration

PAIR_S = 14.0              # two sensors' plots of one aircraft may lie this far apart in time
PAIR_EVERY_S = 8.0         # one identity serves one pair of sensors this often: neighbours in time are correlated
SPEED_MPS_SIGMA = 5.0      # of the track's velocity that moves the older plot along
DRIFT_M2PS = 0.02          # random walk of the range bias: 8 m in an hour
DRIFT_RAD2PS = 4e-12       # of the azimuth bias: 0.007 deg in an hour
IDENTITIES_MAX = 512
TYPICAL_RANGE_M = 50_000.0  # at which an azimuth error is weighed against a range error


def sized(registration: Registration, radars: Bools, settings: Settings) -> Registration:
    """Return the registration with rows for new sensors; a sensor without a polar frame has no bias and no doubt."""
    have, want = len(registration.pairs), len(radars)
    if want <= have:
        return registration
    mean, applied, cov = np.zeros(2 * want), np.zeros(2 * want), np.zeros((2 * want, 2 * want))
    mean[: 2 * have], applied[: 2 * have] = registration.mean, registration.applied
    cov[: 2 * have, : 2 * have] = registration.cov
    for sensor in range(have, want):
        if radars[sensor]:
            cov[2 * sensor, 2 * sensor] = settings.bias_range_m_sigma**2
            cov[2 * sensor + 1, 2 * sensor + 1] = settings.bias_azimuth_rad_sigma**2
    pairs = np.concatenate((registration.pairs, np.zeros(want - have, np.int64)))
    return replace(registration, mean=mean, cov=cov, applied=applied, pairs=pairs)


def jacobian(sites: Floats, sensor: int, east_m: float, north_m: float) -> Floats:
    """Return B (2, 2): by how much a bias of (1 m, 1 rad) moves a plot east and north."""
    de, dn = east_m - sites[sensor, 0], north_m - sites[sensor, 1]
    distance = math.hypot(de, dn) + 1e-9
    return np.array([[de / distance, dn], [dn / distance, -de]])


def corrected(registration: Registration, sites: Floats, sensor: int, points: Floats) -> Floats:
    """Return plots (n, 2) of one sensor with the applied bias taken off."""
    range_m, azimuth_rad = registration.applied[2 * sensor], registration.applied[2 * sensor + 1]
    if range_m == 0.0 and azimuth_rad == 0.0:
        return points
    away = points - sites[sensor]
    distance = np.hypot(away[:, 0], away[:, 1]) + 1e-9
    shorter = 1.0 - range_m / distance
    # Azimuth runs clockwise: taking off a positive bias turns the plot back, anticlockwise.
    c, s = math.cos(azimuth_rad), math.sin(azimuth_rad)
    turned = np.stack((c * away[:, 0] - s * away[:, 1], s * away[:, 0] + c * away[:, 1]), axis=1)
    corrected_points: Floats = sites[sensor] + turned * shorter[:, None]
    return corrected_points


def advanced(registration: Registration, now_ns: int, radars: Bools, settings: Settings) -> Registration:
    """Return the registration at `now_ns`: doubts grown by the random walk, the applied bias moved along its ramp."""
    dt = (now_ns - registration.time_ns) * 1e-9 if registration.time_ns else 0.0
    if dt <= 0.0:
        return replace(registration, time_ns=max(now_ns, registration.time_ns))
    cov = registration.cov.copy()
    radar_rows = np.flatnonzero(radars[: len(registration.pairs)])
    cov[2 * radar_rows, 2 * radar_rows] += DRIFT_M2PS * min(dt, 60.0)
    cov[2 * radar_rows + 1, 2 * radar_rows + 1] += DRIFT_RAD2PS * min(dt, 60.0)
    step = 1.0 - math.exp(-dt / settings.bias_ramp_s)
    applied = registration.applied + step * (registration.mean - registration.applied)
    return replace(registration, cov=cov, applied=applied, time_ns=now_ns)


def learn(registration: Registration, sites: Floats, sensor: int, polar: Bools, identities: Ints, measured_ns: Ints,
          points: Floats, covariances: Floats, velocities: Floats) -> Registration:
    """Return the registration after a group of identified plots of one sensor.

    Parameters
    ----------
    polar : (S,) whether a sensor has a polar frame, and so a bias
    identities : (n,) one integer an aircraft, e.g. its 24-bit address
    points : (n, 2) as measured, on the plane, bias not taken off; `covariances` (n, 3) ee, en, nn
    velocities : (n, 2) of the aircraft's track; NaN: not known, the plot is remembered but makes no pair
    """
    recent = dict(registration.recent)
    mean, cov, pairs = registration.mean, registration.cov, registration.pairs
    for row in range(len(identities)):
        identity, time_s = int(identities[row]), float(measured_ns[row]) * 1e-9
        # Dropping the key and setting it again keeps the dictionary in order of last use: the oldest is shed first.
        heard = dict(recent.pop(identity, {}))
        last_use = heard[sensor][6] if sensor in heard else -1e18
        partner, age_s = -1, PAIR_S
        for other, entry in heard.items():
            gap = abs(time_s - entry[0])
            if other != sensor and gap < age_s and (polar[other] or polar[sensor]):
                partner, age_s = other, gap
        used_s = last_use
        if partner >= 0 and time_s - last_use >= PAIR_EVERY_S and math.isfinite(velocities[row, 0]):
            entry = heard[partner]
            mean, cov, used = _pair(mean, cov, sites, sensor, partner, time_s - entry[0], points[row], covariances[row],
                                    entry, velocities[row])
            if used:
                pairs = pairs.copy()
                pairs[sensor] += 1
                pairs[partner] += 1
            used_s = time_s
        heard[sensor] = (time_s, float(points[row, 0]), float(points[row, 1]), float(covariances[row, 0]),
                         float(covariances[row, 1]), float(covariances[row, 2]), used_s)
        recent[identity] = heard
    while len(recent) > IDENTITIES_MAX:
        del recent[next(iter(recent))]
    return replace(registration, mean=mean, cov=cov, pairs=pairs, recent=recent)


def _pair(mean: Floats, cov: Floats, sites: Floats, sensor: int, partner: int, gap_s: float, point: Floats,
          covariance: Floats, entry: tuple[float, ...], velocity: Floats) -> tuple[Floats, Floats, bool]:
    """Return (mean, cov, used) after one pair of plots."""
    index = np.array([2 * sensor, 2 * sensor + 1, 2 * partner, 2 * partner + 1])
    moved = np.array([entry[1], entry[2]]) + velocity * gap_s
    h = np.concatenate((jacobian(sites, sensor, point[0], point[1]),
                        -jacobian(sites, partner, entry[1], entry[2])), axis=1)
    noise = np.array([[covariance[0] + entry[3], covariance[1] + entry[4]],
                      [covariance[1] + entry[4], covariance[2] + entry[5]]])
    noise = noise + np.eye(2) * (SPEED_MPS_SIGMA * gap_s) ** 2
    residual = point - moved - h @ mean[index]
    spread = h @ cov[np.ix_(index, index)] @ h.T
    total = spread + noise
    distance2 = float(residual @ np.linalg.solve(total, residual))
    if distance2 > 60.0:
        return mean, cov, False  # not one aircraft, or a wrong address
    if distance2 > 6.0:
        noise = noise * (distance2 / 6.0)
        total = spread + noise
    gain = np.linalg.solve(total, h @ cov[index]).T
    left = np.eye(len(mean))
    left[:, index] -= gain @ h
    new = left @ cov @ left.T + gain @ noise @ gain.T
    return mean + gain @ residual, 0.5 * (new + new.T), True


def parts(registration: Registration, radars: Bools, settings: Settings) -> Floats:
    """Return (S, 4) per sensor: radar or not, variance of range, covariance, variance of azimuth, for the kernel.

    Where pairs have taught something, the filter's own doubt; else that of a radar kept to the usual limits.
    """
    count = len(registration.pairs)
    even = np.arange(count) * 2
    table = np.stack((radars[:count].astype(np.float64), registration.cov[even, even], registration.cov[even, even + 1],
                      registration.cov[even + 1, even + 1]), axis=1)
    untaught = registration.pairs < 3
    table[untaught, 1] = np.minimum(table[untaught, 1], settings.nominal_range_m_sigma**2)
    table[untaught, 2] = 0.0
    table[untaught, 3] = np.minimum(table[untaught, 3], settings.nominal_azimuth_rad_sigma**2)
    return table


def doubt_m2(registration: Registration, settings: Settings) -> float:
    """Return by how much (variance, per axis) registration may set two sensors' tracks of one object apart."""
    if len(registration.pairs) < 2:
        return 0.0
    azimuth_m2 = registration.cov[1::2, 1::2].diagonal() * TYPICAL_RANGE_M**2
    return float(np.max(np.maximum(registration.cov[0::2, 0::2].diagonal(), azimuth_m2)))

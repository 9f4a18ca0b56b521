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
IDENTITIES_MAX = 512       # remembered at a time
TURN_OVER_S = 120.0        # where more are heard, the oldest of them gives way to another after so long: all parts of the sky come in
# Above so many aircraft two sensors are paired once in so long for each sensor that there is: any two learn from whom they share,
# be they few among thousands, and what all learn together costs no more than 20 pairs a second and sensor.
BUSY, PAUSE_S = 64, 0.05
TYPICAL_RANGE_M = 50_000.0  # at which an azimuth error is weighed against a range error

Found = tuple[int, int, float, Floats, Floats, tuple[float, ...], Floats]    # a pair used: see `learn`


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
    paired_s = np.full((want, want), -math.inf)
    paired_s[:have, :have] = registration.paired_s
    return replace(registration, mean=mean, cov=cov, applied=applied, pairs=pairs, paired_s=paired_s)


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
          points: Floats, covariances: Floats, velocities: Floats, found: list[Found] | None = None) -> Registration:
    """Return the registration after a group of identified plots of one sensor.

    Parameters
    ----------
    polar : (S,) whether a sensor has a polar frame, and so a bias
    identities : (n,) one integer an aircraft, e.g. its 24-bit address
    points : (n, 2) as measured, on the plane, bias not taken off; `covariances` (n, 3) ee, en, nn
    velocities : (n, 2) of the aircraft's track; NaN: not known, the plot is remembered but makes no pair
    found : the pairs used are added: sensor, partner, seconds between, point, covariance, what the partner saw, velocity
    """
    recent, since_s = dict(registration.recent), dict(registration.since_s)
    mean, cov, pairs, paired_s = registration.mean, registration.cov, registration.pairs.copy(), registration.paired_s.copy()
    pause_s = PAUSE_S * len(pairs) if len(recent) > BUSY else -math.inf
    names, times_ns = identities.tolist(), measured_ns.tolist()
    if _full(recent, since_s, max(times_ns, default=0) * 1e-9):
        rows = [row for row, identity in enumerate(names) if identity in recent]
    else:
        rows = list(range(len(names)))
    for row in rows:
        identity, time_s = names[row], times_ns[row] * 1e-9
        if identity not in recent and not _admitted(recent, since_s, time_s):
            continue
        since_s.setdefault(identity, time_s)
        heard = dict(recent.get(identity, {}))
        last_use = heard[sensor][6] if sensor in heard else -1e18
        used_s, partner = last_use, -1
        if time_s - last_use >= PAIR_EVERY_S and math.isfinite(velocities[row, 0]):
            partner = _partner(heard, sensor, time_s, polar, paired_s[sensor] + pause_s)
        if partner >= 0:
            entry = heard[partner]
            mean, cov, used = _pair(mean, cov, sites, sensor, partner, time_s - entry[0], points[row], covariances[row],
                                    entry, velocities[row])
            if used:
                pairs[[sensor, partner]] += 1
                paired_s[sensor, partner] = paired_s[partner, sensor] = time_s
                if found is not None:
                    found.append((sensor, partner, time_s - entry[0], points[row], covariances[row], entry, velocities[row]))
            used_s = time_s
        heard[sensor] = (time_s, float(points[row, 0]), float(points[row, 1]), float(covariances[row, 0]),
                         float(covariances[row, 1]), float(covariances[row, 2]), used_s)
        recent[identity] = heard
    return replace(registration, mean=mean, cov=cov, pairs=pairs, recent=recent, since_s=since_s, paired_s=paired_s)


def _partner(heard: dict[int, tuple[float, ...]], sensor: int, time_s: float, polar: Bools, due_s: Floats) -> int:
    """Return the other sensor whose plot of this aircraft is nearest in time, -1 where none is near; `due_s`: when each may be so."""
    partner, age_s = -1, PAIR_S
    for other, entry in heard.items():
        gap = abs(time_s - entry[0])
        if other != sensor and gap < age_s and (polar[other] or polar[sensor]) and time_s >= due_s[other]:
            partner, age_s = other, gap
    return partner


def _full(recent: dict[int, dict[int, tuple[float, ...]]], since_s: dict[int, float], now_s: float) -> bool:
    """Return whether there is no room for another aircraft, not even that of the one that has been there longest."""
    return len(recent) >= IDENTITIES_MAX and now_s - since_s[next(iter(recent))] < TURN_OVER_S


def _admitted(recent: dict[int, dict[int, tuple[float, ...]]], since_s: dict[int, float], now_s: float) -> bool:
    """Return whether there is room for one more aircraft; the one that has been there longest may have given way."""
    if _full(recent, since_s, now_s):
        return False
    if len(recent) >= IDENTITIES_MAX:
        oldest = next(iter(recent))
        del recent[oldest], since_s[oldest]
    return True


def _pair(mean: Floats, cov: Floats, sites: Floats, sensor: int, partner: int, gap_s: float, point: Floats,
          covariance: Floats, entry: tuple[float, ...], velocity: Floats) -> tuple[Floats, Floats, bool]:
    """Return (mean, cov, used) after one pair of plots."""
    index = np.array([2 * sensor, 2 * sensor + 1, 2 * partner, 2 * partner + 1])
    moved_e, moved_n = entry[1] + velocity[0] * gap_s, entry[2] + velocity[1] * gap_s
    h = np.concatenate((jacobian(sites, sensor, point[0], point[1]),
                        -jacobian(sites, partner, entry[1], entry[2])), axis=1)
    crosses = cov[:, index] @ h.T                      # of all biases with the predicted difference
    spread = h @ crosses[index]
    doubt = (SPEED_MPS_SIGMA * gap_s) ** 2
    noise = (float(covariance[0]) + entry[3] + doubt, float(covariance[1]) + entry[4], float(covariance[2]) + entry[5] + doubt)
    residual = np.array([point[0] - moved_e, point[1] - moved_n]) - h @ mean[index]
    inverse = _inverse(spread, noise, 1.0)
    distance2 = float(residual @ inverse @ residual)
    if distance2 > 60.0:
        return mean, cov, False  # not one aircraft, or a wrong address
    if distance2 > 6.0:
        inverse = _inverse(spread, noise, distance2 / 6.0)
    gain = crosses @ inverse
    # With the gain of this very noise the covariance falls by what the difference told: P - P h' S^-1 h P.
    new = cov - gain @ crosses.T
    return mean + gain @ residual, 0.5 * (new + new.T), True


def _inverse(spread: Floats, noise: tuple[float, float, float], times: float) -> Floats:
    """Return the inverse of `spread` + `times` `noise` (ee, en, nn), 2 by 2."""
    ee, en, nn = float(spread[0, 0]) + times * noise[0], float(spread[0, 1]) + times * noise[1], float(spread[1, 1]) + times * noise[2]
    determinant = ee * nn - en * en
    return np.array([[nn, -en], [-en, ee]]) / determinant


def parts(registration: Registration, radars: Bools, neighbours: int, settings: Settings) -> Floats:
    """Return (S, 4) per sensor: radar or not, variance of range, covariance, variance of azimuth, for the kernel.

    Bits of `neighbours` are senders of tracks: -1 in the first column, what they know says nothing of our radars. Where pairs have
    taught something, the filter's own doubt; else that of a radar kept to the usual limits.
    """
    count = len(registration.pairs)
    even = np.arange(count) * 2
    table = np.stack((radars[:count].astype(np.float64), registration.cov[even, even], registration.cov[even, even + 1],
                      registration.cov[even + 1, even + 1]), axis=1)
    for sensor in range(min(count, 63) if neighbours else 0):
        if neighbours >> sensor & 1:
            table[sensor, 0] = -1.0
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

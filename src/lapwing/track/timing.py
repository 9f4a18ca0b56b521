"""Clocks: by how much the time stamps of every sensor are late or early, learned from aircraft that two sensors see.

A stamp that is late by t stands beside a place that was true t before: along its course an aircraft then lies short by its speed
times t. The pairs of plots that registration learns from (bias.py) go through a second Kalman filter, with range, azimuth and time
of every sensor, for one may look like the other until aircraft fly all ways; of it the times alone are used. Satellite and
multilateration stamps are held to be true. Where there are none, only differences show: the middle sensor is held to be right, for
most clocks are.

Nothing is corrected before it is sure and matters: `LEAST_S` and `SIGMAS` beyond the doubt. So where clocks are right, nothing is
touched, registration neither. A correction is ramped. Where pairs go on to contradict, the clock has jumped: what was known of it
is forgotten, and said.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lapwing.model.errors import Refusal
from lapwing.model.plots import Bools, Floats, Ints
from lapwing.model.sensors import SensorTable
from lapwing.track.bias import DRIFT_M2PS, DRIFT_RAD2PS, SPEED_MPS_SIGMA, jacobian
from lapwing.track.settings import Settings
from lapwing.track.state import Timing

PRIOR_S = 0.5              # 1 sigma of a radar's clock of which nothing is known; what is over 3 s off is no clock
DRIFT_S2PS = 1e-8          # random walk: 6 ms in an hour
SPEED_MPS_MIN = 60.0       # slower, time and place tell nothing apart
FLOOR_S = 0.05             # of one pair: stamps are made of many parts
HEAVY_D2, WRONG_D2 = 6.0, 60.0         # a pair beyond is weakened; no pair at all
LEAST_S, SIGMAS, LEAST_PAIRS = 0.08, 4.5, 40   # corrected beyond the greater of the first two,
GIVEN_UP = 0.35            # until below this share of it
JUMP_SIGMAS, JUMP_MEMORY = 6.0, 40.0   # mean of the last pairs' contradictions, in its own sigmas
UNKNOWN_S = 10.0           # said of what no pair has taught


def sized(timing: Timing, radars: Bools, settings: Settings) -> Timing:
    """Return the timing with rows for new sensors; what is no radar has no doubt."""
    have, want = len(timing.pairs), len(radars)
    if want <= have:
        return timing
    cov = np.zeros((3 * want, 3 * want))
    cov[: 3 * have, : 3 * have] = timing.cov
    for sensor in (have + np.flatnonzero(radars[have:])).tolist():
        for k, sigma in enumerate((settings.bias_range_m_sigma, settings.bias_azimuth_rad_sigma, PRIOR_S)):
            cov[3 * sensor + k, 3 * sensor + k] = sigma**2
    more = np.zeros(want - have)
    return replace(timing, mean=np.concatenate((timing.mean, np.zeros(3 * (want - have)))), cov=cov,
                   applied=np.concatenate((timing.applied, more)), strange=np.concatenate((timing.strange, more)),
                   pairs=np.concatenate((timing.pairs, more.astype(np.int64))), sure=np.concatenate((timing.sure, more.astype(np.bool_))))


def told(timing: Timing) -> tuple[Floats, Floats]:
    """Return (bias s, sigma s) of every sensor, against true clocks where there are any, else against the middle one."""
    mean, cov, count = timing.mean[2::3], timing.cov[2::3, 2::3], len(timing.pairs)
    sigma = np.sqrt(np.maximum(np.diag(cov), 0.0))
    known = (timing.pairs > 0) | (sigma == 0.0)
    taught = np.flatnonzero((timing.pairs > 0) & (sigma > 0.0))
    if not len(taught) or np.any((timing.pairs > 0) & (sigma == 0.0)):
        return np.where(known, mean, 0.0), np.where(known, sigma, UNKNOWN_S)
    order = taught[np.lexsort((taught, mean[taught]))]
    middle = np.zeros(count)
    for at in ((len(order) - 1) // 2, len(order) // 2):
        middle[order[at]] += 0.5
    apart = np.eye(count) - middle
    variance = np.einsum("si,ij,sj->s", apart, cov, apart)
    return np.where(known, mean - middle @ mean, 0.0), np.where(known, np.sqrt(np.maximum(variance, 0.0)), UNKNOWN_S)


def advanced(timing: Timing, now_ns: int, radars: Bools, sensors: SensorTable,
             settings: Settings) -> tuple[Timing, tuple[Refusal, ...]]:
    """Return the timing at `now_ns` (doubts grown, corrections moved along their ramps), and what is to be said of clocks."""
    dt = (now_ns - timing.time_ns) * 1e-9 if timing.time_ns else 0.0
    if dt <= 0.0 or not timing.pairs.any():
        return replace(timing, time_ns=max(now_ns, timing.time_ns)), ()
    cov = timing.cov.copy()
    rows = 3 * np.flatnonzero(radars[: len(timing.pairs)])
    for k, drift in enumerate((DRIFT_M2PS, DRIFT_RAD2PS, DRIFT_S2PS)):
        cov[rows + k, rows + k] += drift * min(dt, 60.0)
    timing = replace(timing, cov=cov, time_ns=now_ns)
    bias, sigma = told(timing)
    enough = np.where(timing.sure, GIVEN_UP, 1.0)
    sure = (np.abs(bias) > enough * np.maximum(LEAST_S, SIGMAS * sigma)) & (timing.pairs >= LEAST_PAIRS) & radars[: len(bias)]
    notes = [_note(sensors.rows[row].id, "clock_jumped", "its time stamps have jumped against those of the other sensors: learned anew")
             for row in timing.jumped]
    for row in np.flatnonzero(sure != timing.sure).tolist():
        how = f"its time stamps are {bias[row]:+.2f} s off (1 sigma {sigma[row]:.2f} s), by aircraft that others see too: "
        notes.append(_note(sensors.rows[row].id, "clock_wrong", how + "corrected; see to its time source") if sure[row] else
                     _note(sensors.rows[row].id, "clock_right", "its time stamps are no longer surely wrong: not corrected"))
    wanted = np.where(sure, bias, 0.0)
    applied = timing.applied + (1.0 - math.exp(-dt / settings.bias_ramp_s)) * (wanted - timing.applied)
    applied[(wanted == 0.0) & (np.abs(applied) < 1e-3)] = 0.0
    return replace(timing, applied=applied, sure=sure, jumped=()), tuple(notes)


def _note(sensor_id: str, reason: str, detail: str) -> Refusal:
    return Refusal(reason, sensor_id, detail, sensor_id)


def corrected(timing: Timing, measured_ns: Ints, sensor_index: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> Ints:
    """Return the times of plots or looks with the applied correction taken off."""
    shift_ns = np.zeros(int(sensor_index.max(initial=0)) + 1, np.int64)
    known = timing.applied[: len(shift_ns)]
    shift_ns[: len(known)] = np.rint(known * 1e9)
    return np.asarray(measured_ns - shift_ns[sensor_index], np.int64)


def learn(timing: Timing, sites: Floats, sensor: int, partner: int, gap_s: float, point: Floats, covariance: Floats,
          entry: tuple[float, ...], velocity: Floats) -> Timing:
    """Return the timing after one pair of plots of an aircraft, as `bias.learn` has found it.

    Parameters
    ----------
    gap_s : stamp of the sensor's plot less that of its partner's, applied corrections taken off both
    point : (2,) plot of the sensor; `covariance` (3,) ee, en, nn
    entry : the partner's: time, east, north, ee, en, nn
    velocity : (2,) m/s, of the aircraft
    """
    speed = math.hypot(float(velocity[0]), float(velocity[1]))
    if not speed >= SPEED_MPS_MIN:
        return timing
    index = np.array([3 * sensor, 3 * sensor + 1, 3 * sensor + 2, 3 * partner, 3 * partner + 1, 3 * partner + 2])
    h = np.concatenate((jacobian(sites, sensor, point[0], point[1]), -velocity[:, None],
                        -jacobian(sites, partner, entry[1], entry[2]), velocity[:, None]), axis=1)
    # Stamps have had the applied corrections taken off; what is learned is the whole.
    known = timing.mean[index]
    known[[2, 5]] -= timing.applied[[sensor, partner]]
    residual = point - np.array([entry[1], entry[2]]) - velocity * gap_s - h @ known
    doubt = (SPEED_MPS_SIGMA * gap_s) ** 2
    noise = np.array([[covariance[0] + entry[3] + doubt, covariance[1] + entry[4]],
                      [covariance[1] + entry[4], covariance[2] + entry[5] + doubt]]) + FLOOR_S**2 * np.outer(velocity, velocity)
    crosses = timing.cov[:, index] @ h.T
    spread = h @ crosses[index]
    distance2 = float(residual @ np.linalg.solve(spread + noise, residual))
    if distance2 > WRONG_D2:
        noise = noise * (distance2 / HEAVY_D2)
    course = velocity / speed
    sigma = math.sqrt(float(course @ (spread + noise) @ course))
    sign = -min(max(float(course @ residual) / sigma, -3.0), 3.0)
    if HEAVY_D2 < distance2 <= WRONG_D2:
        noise = noise * (distance2 / HEAVY_D2)
    gain = np.linalg.solve(spread + noise, crosses.T).T
    cov = timing.cov - gain @ crosses.T
    pairs, strange, jumped = timing.pairs.copy(), timing.strange.copy(), timing.jumped
    pairs[[sensor, partner]] += 1
    fade = 1.0 - 1.0 / JUMP_MEMORY
    strange[sensor] = fade * strange[sensor] + (1.0 - fade) * sign
    strange[partner] = fade * strange[partner] - (1.0 - fade) * sign
    limit = JUMP_SIGMAS / math.sqrt(2.0 * JUMP_MEMORY - 1.0)       # in sigmas of the mean of white contradictions
    # A clock that jumped contradicts all the others, each of which contradicts it alone.
    one = sensor if abs(strange[sensor]) >= abs(strange[partner]) else partner
    if abs(strange[one]) > limit and pairs[one] >= LEAST_PAIRS and cov[3 * one + 2, 3 * one + 2] > 0.0:
        cov[3 * one + 2, :], cov[:, 3 * one + 2] = 0.0, 0.0
        cov[3 * one + 2, 3 * one + 2] = PRIOR_S**2
        strange[:] = 0.0
        pairs[one] = LEAST_PAIRS // 2
        jumped = (*jumped, one)
    return replace(timing, mean=timing.mean + gain @ residual, cov=0.5 * (cov + cov.T), pairs=pairs, strange=strange, jumped=jumped)

"""Bearings: they strengthen and steady tracks that exist, a little; they never start one and never become a point.

A sound heard now left its source `SOUND_S_PER_M` times the distance ago, so the track is moved back by that much.
"""

from __future__ import annotations

import math

import numpy as np

from lapwing.geo.plane import to_plane
from lapwing.model.plots import Bearings, Floats
from lapwing.track.group import Work
from lapwing.track.kernels_motion import gates
from lapwing.track.settings import Settings
from lapwing.track.state import TENTATIVE

SOUND_S_PER_M = 2.94e-3      # sensors.yaml acoustic_array.sound_delay_s_per_km
HEARD_LOG_ODDS = 0.5         # a bearing that fits; false alarms are common, so it counts for little
GATE_SIGMA = 3.0


def apply(work: Work, bearings: Bearings, settings: Settings) -> None:
    """Take bearings into the tracks of this step's own copy. Those that fit no track change nothing."""
    state, slots = work.state, work.state.slots
    if state.plane is None:
        return
    sites = to_plane(state.plane, bearings.latitude_rad, bearings.longitude_rad)
    for k in range(len(bearings)):
        rows = np.flatnonzero(slots.status >= TENTATIVE)
        if not len(rows):
            return
        site = np.array([sites.east_m[k], sites.north_m[k]])
        here = slots.mean[rows, :2] - site
        distance = np.hypot(here[:, 0], here[:, 1])
        delay_s = SOUND_S_PER_M * distance if bearings.sound[k] else np.zeros(len(rows))
        back_s = (int(bearings.measured_ns[k]) - slots.time_ns[rows]) * 1e-9 - delay_s
        here = here + slots.mean[rows, 2:] * back_s[:, None]
        distance = np.hypot(here[:, 0], here[:, 1])
        reach = bearings.range_m_max[k] if math.isfinite(bearings.range_m_max[k]) else 5_000.0
        near = (distance < 1.3 * reach) & (distance > 50.0) & (np.abs(back_s) < 60.0)
        if not math.isfinite(bearings.azimuth_rad[k]):
            slots.log_odds[rows[near]] = np.minimum(slots.log_odds[rows[near]] + 0.5 * HEARD_LOG_ODDS,
                                                    settings.log_odds_max)
            continue
        # Grid north differs from true north by the convergence.
        azimuth = bearings.azimuth_rad[k] + math.atan2(sites.north_east[k], sites.north_north[k])
        across = np.array([math.cos(azimuth), -math.sin(azimuth)])
        offset = here @ across                      # how far to the right of the bearing line the track is
        forward = here @ np.array([math.sin(azimuth), math.cos(azimuth)]) > 0
        noise = (bearings.azimuth_rad_sigma[k] * distance) ** 2
        spread = np.einsum("i,nij,j->n", across, slots.mean_cov[rows][:, :2, :2], across)
        fits = np.flatnonzero(near & forward & (np.abs(offset) < GATE_SIGMA * np.sqrt(noise + spread)))
        slots.log_odds[rows[fits]] = np.minimum(slots.log_odds[rows[fits]] + HEARD_LOG_ODDS, settings.log_odds_max)
        if len(fits) == 1:  # with two candidates the bearing says nothing of where either is
            _steady(work, int(rows[fits[0]]), across, float(back_s[fits[0]]), float(-offset[fits[0]]),
                    float(noise[fits[0]]))


def _steady(work: Work, row: int, across: Floats, back_s: float, residual_m: float, noise_m2: float) -> None:
    """Correct every mode by the offset across the bearing."""
    slots = work.state.slots
    h = np.concatenate((across, across * back_s))
    for x, cov, lift in zip(slots.x[row], slots.cov[row], slots.lift[row], strict=True):
        shift = residual_m - h @ (x - slots.mean[row])
        total = h @ cov @ h + noise_m2
        gain = cov @ h / total
        x += gain * shift
        left = np.eye(4) - np.outer(gain, h)
        cov[:] = left @ cov @ left.T + noise_m2 * np.outer(gain, gain)
        seen = h @ lift[2:]
        lift[0] += seen / total * shift
        lift[1] -= seen * seen / total
        lift[2:] -= gain * seen
    mean = slots.mode_prob[row] @ slots.x[row]
    away = slots.x[row] - mean
    slots.mean[row] = mean
    slots.mean_cov[row] = np.einsum("m,mij->ij", slots.mode_prob[row],
                                    slots.cov[row] + away[:, :, None] * away[:, None])
    gates(slots.floats, row)
    work.updated[row] = True

"""Settings of the tracker. The defaults hold for every country and sensor mix; nothing is set per scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides how the tracker behaves. Sources: kinematics by data/domain/objects.yaml, the rest by design/.

    Modes of motion, one entry each: turn rate (anticlockwise), acceleration noise at 50 m/s, mean dwell time, share.
    Quiet cruise; a turn either way at 6 deg/s (20-30 degrees of bank at 50 m/s); and a free manoeuvre.
    """

    mode_turn_radps: tuple[float, ...] = (0.0, math.radians(6.0), -math.radians(6.0), 0.0)
    mode_noise_m2ps3: tuple[float, ...] = (0.15, 6.0, 6.0, 30.0)
    mode_dwell_s: tuple[float, ...] = (60.0, 12.0, 12.0, 10.0)
    mode_rest_prob: tuple[float, ...] = (0.85, 0.05, 0.05, 0.05)
    speed_mps_sigma: float = 80.0            # of a seed, each axis: 3 sigma holds all but fast jets, 4.4 those too
    speed_mps_max: float = 400.0             # nothing that flies near a border is faster (fast_jet 350)
    newcomers_per_m2: float = 1e-13          # objects not yet tracked: one an hour in 180 km radius, 30 s to detect
    clutter_per_m2_min: float = 2e-11        # floor: 2 false plots a scan in 180 km radius
    false_reply_per_m2: float = 2e-13        # false transponder replies are rare
    detect_own: tuple[float, float] = (1.2, 0.8)     # Beta prior of the sensor that saw it first
    detect_other: tuple[float, float] = (0.4, 0.9)   # and of the others: it may be hidden from them
    confirm_log_odds: float = 6.9            # existence 0.999
    confirm_plots: int = 4
    log_odds_max: float = 9.0
    proven_log_odds_max: float = 6.0         # of a confirmed track
    hidden_log_odds: float = -5.0            # a silent track below this is not hidden but gone
    drop_log_odds: float = -1.5              # one that still gets plots, but no better ones than clutter gives
    export_log_odds: float = -3.0            # a seed becomes a track (tentative) above this
    seed_log_odds_fall: float = 2.2          # a seed dies when this far below its birth
    coast_s_min: float = 30.0                # a confirmed track lives at least this long after its last plot
    coast_s_max: float = 90.0                # and at most this long, if its life was at least as long
    silent_s_max: float = 240.0              # where no sensor reports, tracks live so much longer, their ellipses growing
    moved_m_min: float = 300.0               # from its first plot, before anything without identity is confirmed
    fast_mps: float = 75.0                   # beyond any piston type (objects.yaml): without identity,
    near_share: float = 0.25                 # or within this part of the range of a radar that saw it:
    seen_prob: float = 0.5                   # confirmed only if some sensor sees it on most of its turns
    still_s: float = 120.0                   # watched so long, and
    still_m: float = 120.0                   # moved so little in the last minute (2 m/s),
    roamed_m: float = 3_000.0                # never farther than this from its beginning: on the ground
    moving_chi2: float = 11.8                # velocity differs from 0 at 3 sigma (chi-square, 2 degrees)
    neighbour_log_odds: float = 4.0          # existence 0.982 on the word of a neighbour's system; never added to what we saw
    neighbour_mps_sigma: float = 15.0        # velocity of its tracks, where they tell none
    neighbour_late_s: float = 15.0           # a report farther behind the track it belongs to changes nothing
    registration: bool = True
    bias_range_m_sigma: float = 150.0        # prior of registration for association: a badly aligned radar
    bias_azimuth_rad_sigma: float = math.radians(0.2)
    nominal_range_m_sigma: float = 50.0      # exported where nothing was learned: kept to the EUROCONTROL limits
    nominal_azimuth_rad_sigma: float = math.radians(0.05)
    bias_ramp_s: float = 20.0
    batch_s_max: float = 1.0                 # plots of one sensor associated together
    slots_max: int = 16_384                  # bound of tracks and seeds; the least likely seeds are shed first
    history_updates_max: int = 4_000         # per track; older ones are thinned beyond
    history_rows_max: int = 200_000          # of all tracks, 77 MB: beyond, each keeps its share. A checkpoint holds them all
    rotation_s_default: float = 10.0         # of a radar that says nothing about it, until estimated

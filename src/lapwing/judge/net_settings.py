"""Settings of the safety net. None of them names a country."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetSettings:
    """What an authority may set. Times in seconds, distances in metres."""

    near_m: float = 5_000.0            # a red alarm is due `red_s` before an object comes so near the volume
    red_s: float = 340.0               # five minutes, and the time to confirm it
    amber_s: float = 600.0             # an amber one this before it comes so near
    inside_s: float = 900.0            # later than this it is not inside as it flies
    immediate_s: float = 60.0          # so short before it is inside nothing is waited for
    inside_prob: float = 0.9           # so surely inside likewise
    confirm_count: int = 3             # of the last `confirm_of` looks so many must show it
    confirm_of: int = 4                # at most 16
    release_s: float = 60.0            # seen for so long without it, it ends
    keep_factor: float = 1.3           # while an alarm stands its times are longer by this
    leave_m: float = 300.0             # one that was inside has left when it is so far outside
    height_m_margin: float = 150.0     # beyond the vertical limits, and twice the sigma of the height
    flights_red: int = 2               # of the four flights tried so many must meet the volume; amber: one
    entry_prob: float = 0.2            # red also takes such a probability of entry within ten minutes, by the forecast
    plots_min: int = 4                 # of an object that alarms
    border_m_sigma_max: float = 600.0  # a distance less certain than this neither raises nor ends anything
    harmless_prob: float = 0.3         # balloon, bird, weather and surface together at least so probable: no alarm ...
    harmless_keep_prob: float = 0.7    # ... and so probable: one that stands ends
    slow_mps: float = 22.0             # an object first seen inside and never faster: far more often birds than anything else

"""How each class flies, for forecasts: speeds, how long a leg lasts, how it turns.

Values are those of the project's sheet of flying objects (`data/domain/objects.yaml`, classes in brackets), except
where marked ours. Which one the forecast flies is `observed.flown_as`'s to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.model.tracks import CLASSES


@dataclass(frozen=True, slots=True)
class Motion:
    """One class. Angles in radians."""

    speed_mps_max: float         # fastest that it flies over ground
    leg_s: float                 # mean time between course changes; inf: none
    turn_rad_min: float          # size of a course change, uniform between the two, either side
    turn_rad_max: float
    wander_rad_sigma: float      # random walk of the heading, per square root of a second
    speed_share_sigma: float     # spread of the mean speed over the next minutes, share of the speed now
    turn_away_prob: float        # share of those coming to the line that turn away or along it within the last 6 km


def _motion(speed: float, leg_s: float, turn_deg: tuple[float, float], wander_deg: float, spread: float,
            away: float = 0.0) -> Motion:
    return Motion(speed, leg_s, math.radians(turn_deg[0]), math.radians(turn_deg[1]), math.radians(wander_deg), spread, away)


# Leg times and the share that turns away at the line are ours: a one-way drone's legs between course changes of 20-90
# degrees last some eight minutes; one that is bound for a bank of the river follows it, or turns short of the line.
MOTIONS: dict[str, Motion] = {
    "drone": _motion(58.0, 450.0, (20.0, 90.0), 0.5, 0.06, 0.3),         # owa_uav_piston
    "decoy": _motion(50.0, 1_500.0, (20.0, 90.0), 0.5, 0.10, 0.05),      # decoy_uav_small: flies on as it was set
    "balloon": _motion(35.0, math.inf, (0.0, 0.0), 0.2, 0.15),          # balloon_smuggling: turns with wind shear
    "bird": _motion(40.0, 300.0, (10.0, 90.0), 1.5, 0.15),              # bird_flock_large; 40 with a tail wind
    "helicopter": _motion(85.0, 240.0, (20.0, 120.0), 0.7, 0.15),
    "light_aircraft": _motion(154.0, 300.0, (20.0, 120.0), 0.5, 0.10),
    "airliner": _motion(260.0, 900.0, (10.0, 60.0), 0.1, 0.05),
    "fast_jet": _motion(350.0, 120.0, (30.0, 180.0), 0.5, 0.15),
    "weather": _motion(25.0, math.inf, (0.0, 0.0), 0.5, 0.20),          # weather_clutter_cell
    "surface": _motion(40.0, 120.0, (20.0, 120.0), 1.5, 0.30),          # ship_or_car
}
BY_INDEX: tuple[Motion, ...] = tuple(MOTIONS[name] for name in CLASSES)

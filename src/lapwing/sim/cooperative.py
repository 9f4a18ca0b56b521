"""What aircraft say of themselves: ADS-B, heard by receivers that stand beside the radars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lapwing.geo.frames import geodetic_to_polar
from lapwing.geo.horizon import hidden_below_horizon
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.sim.asterix_out import AdsbReports
from lapwing.sim.motion import Motion
from lapwing.sim.radar import Radar, generator

RECEPTION_PROB = 0.95
RECEPTION_M = 370_000.0
# 95 % bound of the position by NACp (sensors.yaml adsb_1090), and what a 95 % circle is in standard deviations.
POSITION_95_M = {8: 93.0, 9: 30.0, 10: 10.0}
CIRCLE_95 = 2.4477
EMITTER = {"fast_jet": 6, "helicopter": 10, "light_aircraft": 1, "airliner": 3, "glider": 11, "balloon_manned": 12}


def adsb_reports(
    motion: Motion, sites: Sequence[Radar], start_ns: int, span_s: float, seed: int, level_offset: float = 0.0
) -> AdsbReports | None:
    """Return the position reports of an aircraft once a second while any receiver sees it; None for one without."""
    if motion.identity is None or not sites:
        return None
    rng = generator(seed, "adsb", motion.name)
    accuracy = int(rng.integers(8, 11))
    first_s, last_s = max(float(motion.time_s[0]), 0.0), min(float(motion.time_s[-1]), span_s)
    time_s = np.arange(first_s + rng.uniform(0.0, 1.0), last_s, 1.0)
    lat, lon, height = motion.at(time_s)
    heard = np.zeros(len(time_s), np.bool_)
    for site in sites:
        range_m, _, _ = geodetic_to_polar(site.latitude_rad, site.longitude_rad, site.height_m, lat, lon, height)
        heard |= (range_m < RECEPTION_M) & ~hidden_below_horizon(
            range_m, site.antenna_m_amsl, height - motion.undulation_m
        )
    heard &= rng.random(len(time_s)) < RECEPTION_PROB
    noise_m = rng.standard_normal((2, len(time_s))) * POSITION_95_M[accuracy] / CIRCLE_95
    wait_s = rng.uniform(0.1, 0.4, len(time_s))
    meridian_m, normal_m = curvature_radii_m(lat)
    measured_ns = start_ns + np.round(time_s * 1e6).astype(np.int64) * 1000
    altitude_m = height - motion.undulation_m + level_offset * 30.48
    return AdsbReports(
        measured_ns=measured_ns[heard],
        received_ns=measured_ns[heard] + np.round(wait_s[heard] * 1e6).astype(np.int64) * 1000,
        latitude_rad=(lat + noise_m[0] / meridian_m)[heard],
        longitude_rad=(lon + noise_m[1] / (normal_m * np.cos(lat)))[heard],
        height_m=height[heard],
        altitude_m=altitude_m[heard],
        velocity_mps=motion.velocity_mps(time_s)[heard],
        identity=motion.identity,
        accuracy_class=accuracy,
        emitter=EMITTER.get(motion.kind.name, 0),
    )

"""Terrain of a radar: what it hides is not missed, what stands beside it is."""

import math
from dataclasses import replace

import numpy as np
import pytest
from radar_flights import BEGIN_NS, confirmed, fly, radar, seen, table

from lapwing.geo.jit import kernel
from lapwing.geo.plane import make_plane, to_plane
from lapwing.track.group import reaches
from lapwing.track.kernels_looks import in_sight

HILLS = tuple((math.radians(a), math.radians(e)) for a, e in ((0.0, 0.0), (80.0, 0.0), (85.0, 2.0), (95.0, 2.0), (100.0, 0.0)))


@kernel
def _seen(sensor, east, north, height_m, sites, reach):
    return in_sight(sensor, east, north, height_m, sites, reach)


def looks(azimuth_deg, away_m, height_m, sensor=0, sensors=None, centre_deg=28.0):
    sensors = sensors or table(radar(horizon=HILLS), radar("R2"))
    plane = make_plane(math.radians(45.0), math.radians(centre_deg))
    points = to_plane(plane, np.array([s.latitude_rad for s in sensors.rows]), np.array([s.longitude_rad for s in sensors.rows]))
    sites = np.stack((points.east_m, points.north_m), axis=1)
    grid = math.radians(azimuth_deg) + math.atan2(points.north_east[sensor], points.north_north[sensor])
    return bool(_seen(sensor, sites[sensor, 0] + away_m * math.sin(grid), sites[sensor, 1] + away_m * math.cos(grid), height_m, sites,
                      reaches(sensors, plane)))


@pytest.mark.parametrize(("azimuth_deg", "height_m", "sensor", "seen"), [
    (90.0, 800.0, 0, False), (90.0, 1_300.0, 0, True), (120.0, 800.0, 0, True), (90.0, 800.0, 1, True), (270.0, 800.0, 0, True),
    (90.0, math.nan, 0, False), (270.0, math.nan, 0, True), (90.0, math.nan, 1, True)])
def test_a_hill_hides_what_flies_below_it_and_nothing_else(azimuth_deg, height_m, sensor, seen):
    assert looks(azimuth_deg, 30_000.0, height_m, sensor) == seen


@pytest.mark.parametrize("centre_deg", [24.0, 28.0, 32.0])
def test_azimuths_are_from_true_north_wherever_the_plane_has_its_middle(centre_deg):
    narrow = tuple((math.radians(a), math.radians(e)) for a, e in ((0.0, 0.0), (88.0, 0.0), (89.0, 3.0), (91.0, 3.0), (92.0, 0.0)))
    sensors = table(radar(horizon=narrow))
    seen = [looks(azimuth, 30_000.0, 900.0, 0, sensors, centre_deg) for azimuth in (87.0, 90.0, 93.0)]
    assert seen == [True, False, True]


def test_a_track_that_goes_behind_a_hill_coasts_and_one_in_the_open_ends():
    flights = [(15_000.0, 0.0, 60.0, 0.0, -1, 180.0), (-20_000.0, 30_000.0, 45.0, -15.0)]
    plots, lived_s = seen(table(radar()), flights, 5.0), []
    for sensors in (table(radar()), table(radar(horizon=HILLS))):
        _, updates = fly(plots, sensors)
        lived_s.append([(u.tracks.time_ns[0] - BEGIN_NS) * 1e-9 for u in updates if len(confirmed(u)) == 2][-1])
    assert lived_s[0] < 180.0 + 60.0 < 180.0 + 80.0 < lived_s[1] < 180.0 + 110.0


def test_without_terrain_the_reaches_have_no_column_more():
    assert reaches(table(radar(), radar("R2")), make_plane(0.8, 0.5)).shape == (2, 2)
    assert reaches(table(replace(radar(), horizon=HILLS)), None).shape == (1, 2)

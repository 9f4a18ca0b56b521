"""A radar's biases and noise are found again as they were put in, with a reference and without one."""

import math

import numpy as np
import pytest

from lapwing.geo.frames import geodetic_from_enu, geodetic_to_polar
from lapwing.model.plots import KIND_ADSB, KIND_SSR, NO_CODE, Plots
from lapwing.model.sensors import Sensor
from lapwing.sense import radar_check

SITE = Sensor("r", latitude_rad=math.radians(45.0), longitude_rad=math.radians(28.0), height_m=100.0, rotation_s=4.0)

NOISE_RAD = math.radians(0.08)


def plots(time_s, latitude, longitude, height, icao, kind, range_m, azimuth):
    n = len(time_s)
    nan = np.full(n, np.nan)
    ns = (np.asarray(time_s) * 1e9).astype(np.int64) + 1_700_000_000_000_000_000
    return Plots(ns, ns, np.zeros(n, np.uint16), np.full(n, kind, np.uint8), range_m, azimuth, latitude, longitude, height, nan,
                 np.zeros((n, 2, 2)), np.full((n, 2), np.nan), nan, np.full(n, NO_CODE, np.int32), np.asarray(icao, np.int32),
                 np.zeros(n, "S8"), np.arange(n), np.zeros(n, np.int32), np.full(n, NO_CODE, np.int32), nan)


def scene(seed, *, range_bias=0.0, azimuth_bias=0.0, time_bias=0.0, range_sigma=40.0, azimuth_sigma=NOISE_RAD, seen=1.0):
    """Return the plots of a radar and of ADS-B: 30 aircraft on straight lines for 15 minutes."""
    rng = np.random.default_rng(seed)
    radar, truth = [], []
    for k in range(30):
        start, speed, course = rng.uniform(-120e3, 120e3, 2), rng.uniform(120, 250), rng.uniform(0, 2 * np.pi)
        height = rng.uniform(3_000, 11_000)

        def at(t, start=start, speed=speed, course=course):
            return geodetic_from_enu(SITE.latitude_rad, SITE.longitude_rad, start[0] + speed * np.sin(course) * t,
                                     start[1] + speed * np.cos(course) * t)

        t = np.arange(rng.uniform(0, 1), 900.0, 1.0)
        lat, lon = at(t)
        truth.append((t, lat, lon, np.full(len(t), height), np.full(len(t), 1000 + k)))
        t = np.arange(rng.uniform(0, 4), 900.0, 4.0)
        t = t[rng.uniform(size=len(t)) < seen]
        lat, lon = at(t)
        r, a, _ = geodetic_to_polar(SITE.latitude_rad, SITE.longitude_rad, SITE.height_m, lat, lon, np.full(len(t), height))
        r, a = r + range_bias + rng.normal(0, range_sigma, len(t)), a + azimuth_bias + rng.normal(0, azimuth_sigma, len(t))
        radar.append((t + time_bias, lat, lon, np.full(len(t), height), np.full(len(t), 1000 + k), r, a % (2 * np.pi)))
    one, other = ([np.concatenate(column) for column in zip(*rows, strict=True)] for rows in (radar, truth))
    nan = np.full(len(other[0]), np.nan)
    return plots(*one[:5], KIND_SSR, *one[5:]), plots(*other, KIND_ADSB, nan, nan)


@pytest.mark.parametrize("put_in", [
    {}, {"range_bias": 180.0}, {"azimuth_bias": math.radians(-0.4)}, {"time_bias": 0.5},
    {"range_bias": -90.0, "azimuth_bias": math.radians(0.2), "time_bias": -0.3, "range_sigma": 80.0},
])
def test_biases_and_noise_are_found_as_they_were_put_in(put_in):
    radar, truth = scene(3, **put_in)
    found = radar_check.fit(radar_check.differences(radar, SITE, radar_check.reference(truth)))
    assert found.count > 4_000
    # With 6,000 plots of 40 m the standard error is about 1 m, of 0.08 degrees 0.001; the gain is told apart from the bias.
    assert found.range_m_bias + found.range_gain * 100e3 == pytest.approx(put_in.get("range_bias", 0.0), abs=8.0)
    assert math.degrees(found.azimuth_rad_bias) == pytest.approx(math.degrees(put_in.get("azimuth_bias", 0.0)), abs=0.01)
    assert found.time_s_bias == pytest.approx(put_in.get("time_bias", 0.0), abs=0.03)
    assert found.range_m_sigma == pytest.approx(put_in.get("range_sigma", 40.0), rel=0.06)
    assert math.degrees(found.azimuth_rad_sigma) == pytest.approx(0.08, rel=0.06)


def test_noise_is_found_without_any_reference_and_a_bias_does_not_move_it():
    radar, _ = scene(5, range_bias=300.0, azimuth_bias=0.02)
    found = radar_check.own_noise(radar, SITE.rotation_s)
    assert found.range_m_sigma == pytest.approx(40.0, rel=0.1) and math.degrees(found.azimuth_rad_sigma) == pytest.approx(0.08, rel=0.12)
    assert math.isnan(found.range_m_bias)


def test_the_share_of_turns_with_a_plot_is_the_detection_probability():
    radar, _ = scene(7, seen=0.8)
    share, turns = radar_check.detection(radar, 4.0)
    assert share == pytest.approx(0.8, abs=0.02) and turns > 5_000


def test_too_few_comparisons_say_nothing():
    radar, truth = scene(9)
    few = radar_check.differences(radar.take(np.arange(30)), SITE, radar_check.reference(truth))
    assert math.isnan(radar_check.fit(few).range_m_sigma)
    assert not len(radar_check.differences(radar, SITE, radar_check.reference(truth.take(np.arange(0)))).range_m)

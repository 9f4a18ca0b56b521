"""What a simulated radar sees follows the laws of the parameter sheets."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.geo.frames import geodetic_to_polar
from lapwing.geo.horizon import radio_horizon_m
from lapwing.geo.wgs84 import geodesic_direct, geodesic_inverse
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR
from lapwing.sim.classes import object_class, sensor_class
from lapwing.sim.clutter import NOISE, PATCH, RESIDUE, Clutter
from lapwing.sim.detection import filter_share, range_for, sheet_prob, swerling_prob
from lapwing.sim.motion import Identity, Motion, motions_of_story, sun_elevation_rad
from lapwing.sim.radar import AZIMUTH_STEPS, RANGE_STEP_M, Radar, crossings, scan
from lapwing.sim.story import load_story

LAT, LON = math.radians(45.2), math.radians(28.8)
UNDULATION = 32.0
START_NS = 1_754_423_400_000_000_000
PLAIN = Radar("T1", LAT, LON, 100.0 + UNDULATION, 100.0, 4.0, 50.0, math.radians(0.2), 45_000.0, 112_500.0, 0.85)


def flight(azimuth_deg, near_m, far_m, altitude_m=1_000.0, seconds=4_000.0, class_name="owa_uav_piston", truth_id=1,
           identity=None, name="D1"):
    """Return an object that flies straight away from the radar, from one range to another."""
    t = np.arange(0.0, seconds + 0.5, 1.0)
    lat, lon = geodesic_direct(LAT, LON, math.radians(azimuth_deg), near_m + (far_m - near_m) * t / seconds)
    return Motion(truth_id, name, object_class(class_name), False, identity, t, lat, lon,
                  np.full(len(t), altitude_m + UNDULATION), UNDULATION)


def test_sheet_law_has_its_three_points():
    # sensors.yaml: Pd0 below 0.7 of the range, 0.5 at it, 0.05 at 1.2 of it
    found = sheet_prob(np.array([0.3, 0.699, 1.0, 1.2, 1.5]) * 40_000.0, 40_000.0, 0.85)
    assert found == pytest.approx([0.85, 0.85, 0.5, 0.05, 0.0], abs=1e-4)


@given(st.lists(st.floats(0.0, 3.0), min_size=2, max_size=20), st.floats(0.5, 1.0))
def test_nothing_is_seen_better_farther_away(shares, near):
    share = np.sort(np.array(shares))
    for prob in (sheet_prob(share * 1e4, 1e4, near), swerling_prob(np.maximum(share, 1e-3) * 1e4, 1e4)):
        assert np.all(np.diff(prob) <= 1e-12) and np.all((prob >= 0.0) & (prob <= 1.0))


def test_fourth_power_law_of_the_cross_section():
    # sensors.yaml rcs_scaling: -10 dBsm against 0 dBsm leaves 56 % of the range
    assert range_for(1.0, -10.0) / range_for(1.0, 0.0) == pytest.approx(0.5623, abs=1e-4)
    assert swerling_prob(np.array([30_000.0]), 30_000.0)[0] == pytest.approx(0.5)


def test_moving_target_filter_blinds_slow_and_passes_fast():
    assert filter_share(np.array([0.0, 5.0, -11.5, 30.0, -30.0]), 11.5) == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert filter_share(np.array([0.0]), 0.0) == pytest.approx([1.0])


def test_detections_stop_behind_the_horizon():
    motion = flight(40.0, 5_000.0, 60_000.0, altitude_m=30.0)
    radar = dataclasses.replace(PLAIN, small_range_m=200_000.0, instrumented_m=400_000.0)
    plots = scan(radar, [motion], START_NS, 4_000.0, 1)
    range_m = plots.range_steps * RANGE_STEP_M
    horizon_m = float(radio_horizon_m(100.0, 30.0))          # 63.8 km by the book; the object is 60 km off at most
    assert horizon_m > 60_000.0 and range_m.max() > 59_000.0
    low = dataclasses.replace(radar, antenna_m_amsl=20.0, height_m=20.0 + UNDULATION)
    seen_m = scan(low, [motion], START_NS, 4_000.0, 1).range_steps * RANGE_STEP_M
    assert seen_m.max() <= float(radio_horizon_m(20.0, 30.0)) + 300.0 and seen_m.max() > 40_000.0


def test_noise_has_the_stated_sigma():
    motions = [flight(az, 8_000.0, 28_000.0, truth_id=k + 1, name=f"D{k}") for k, az in enumerate((20.0, 140.0, 260.0))]
    plots = scan(PLAIN, motions, START_NS, 4_000.0, 3)
    range_error, azimuth_error = [], []
    for k, motion in enumerate(motions):
        mine = plots.take(np.flatnonzero(plots.motion == k))
        t = mine.measured_128 / 128.0 - START_NS / 1e9
        range_m, azimuth, _ = geodetic_to_polar(LAT, LON, PLAIN.height_m, *motion.at(t))
        range_error.append(mine.range_steps * RANGE_STEP_M - range_m)
        off = mine.azimuth_steps * (2.0 * np.pi / AZIMUTH_STEPS) - azimuth
        azimuth_error.append((off + np.pi) % (2.0 * np.pi) - np.pi)
    for errors, sigma in ((np.concatenate(range_error), 50.0), (np.concatenate(azimuth_error), math.radians(0.2))):
        n = len(errors)
        assert n > 2_000
        assert abs(errors.mean()) < 4.0 * sigma / math.sqrt(n)
        # the standard deviation of a standard deviation is sigma / sqrt(2 n)
        assert abs(errors.std() - sigma) < 4.0 * sigma / math.sqrt(2.0 * n)


def test_detected_share_is_the_stated_one():
    motion = flight(75.0, 6_000.0, 25_000.0)
    turns = len(crossings(PLAIN, motion, 4_000.0, 0.0)[0])
    found = len(scan(PLAIN, [motion], START_NS, 4_000.0, 9))
    assert turns == 1_000 and abs(found / turns - 0.85) < 4.0 * math.sqrt(0.85 * 0.15 / turns)


def test_beam_meets_an_object_once_a_turn_at_its_azimuth():
    motion = flight(359.9, 8_000.0, 9_000.0, seconds=600.0)       # across north: the seam of the circle
    turn, time_s, _, azimuth = crossings(PLAIN, motion, 600.0, 1.3)
    assert len(turn) >= 149 and np.all(np.diff(turn) == 1)
    beam = 2.0 * np.pi * ((time_s - 1.3) / 4.0 - turn)
    assert beam == pytest.approx(azimuth, abs=1e-4)


def test_bias_moves_every_plot():
    motion = flight(120.0, 10_000.0, 20_000.0)
    biased = dataclasses.replace(PLAIN, range_m_bias=300.0, azimuth_rad_bias=math.radians(0.4))
    straight, bent = (scan(r, [motion], START_NS, 4_000.0, 5) for r in (PLAIN, biased))
    assert np.mean(bent.range_steps - straight.range_steps) * RANGE_STEP_M == pytest.approx(300.0, abs=1.0)
    assert np.mean(bent.azimuth_steps - straight.azimuth_steps) * 360.0 / AZIMUTH_STEPS == pytest.approx(0.4, abs=0.002)


def test_two_objects_too_close_to_tell_apart_give_one_plot():
    one, two = flight(50.0, 10_000.0, 20_000.0), flight(50.2, 10_000.0, 20_000.0, truth_id=2, name="D2")
    sharp = dataclasses.replace(PLAIN, detection_prob=1.0)
    plots = scan(sharp, [one, two], START_NS, 4_000.0, 2)
    assert len(plots) == len(crossings(sharp, one, 4_000.0, 0.0)[0])
    apart = flight(55.0, 10_000.0, 20_000.0, truth_id=2, name="D2")
    assert len(scan(sharp, [one, apart], START_NS, 4_000.0, 2)) == 2 * len(plots)


def test_adding_an_object_changes_no_plot_of_another():
    one, far = flight(50.0, 10_000.0, 20_000.0), flight(200.0, 10_000.0, 20_000.0, truth_id=2, name="D2")
    clutter = dataclasses.replace(PLAIN, clutter=(Clutter(NOISE, 5.0),))
    alone, both = scan(clutter, [one], START_NS, 4_000.0, 4), scan(clutter, [one, far], START_NS, 4_000.0, 4)
    rest = both.take(np.flatnonzero(both.truth_id != 2))
    assert np.array_equal(rest.range_steps, alone.range_steps) and np.array_equal(rest.measured_128, alone.measured_128)


def test_transponders_answer_the_secondary_radar_only():
    identity = Identity(0xF00123, 0o1234, "LWG1")
    motion = flight(80.0, 20_000.0, 60_000.0, altitude_m=5_000.0, class_name="airliner", identity=identity)
    both = scan(dataclasses.replace(PLAIN, secondary=True), [motion], START_NS, 4_000.0, 1)
    assert set(both.kind.tolist()) == {KIND_PSR, KIND_SSR, KIND_COMBINED}
    assert set(both.icao_address[both.kind != KIND_PSR].tolist()) == {0xF00123}
    assert np.all(both.level_steps[both.kind != KIND_PSR] == round(5_000.0 / 0.3048 / 25.0))
    alone = scan(PLAIN, [motion], START_NS, 4_000.0, 1)
    assert set(alone.kind.tolist()) == {KIND_PSR}


def test_clutter_comes_as_often_as_stated_and_clustered():
    sources = (Clutter(NOISE, 4.0), Clutter(RESIDUE, 3.0, size_m=5_000.0), Clutter(PATCH, 2.0, 20_000.0, 5_000.0))
    plots = scan(dataclasses.replace(PLAIN, clutter=sources), [], START_NS, 8_000.0, 6)
    assert np.all(plots.truth_id == 0)
    assert len(plots) / 2_000.0 == pytest.approx(9.0, rel=0.1)
    assert np.mean(plots.range_steps * RANGE_STEP_M < 15_000.0) > 0.3


def test_a_radar_out_of_use_sees_nothing():
    plots = scan(dataclasses.replace(PLAIN, small_range_m=math.nan), [flight(80.0, 5_000.0, 9_000.0)], START_NS, 4_000.0, 1)
    assert len(plots) == 0


def test_story_objects_pass_their_waypoints_at_constant_speed():
    story = load_story("orlivka-800m")
    for each, motion in zip(story.objects, (m for m in motions_of_story(story) if "." not in m.name), strict=True):
        for point in each.waypoints:
            lat, lon, _ = motion.at(point.time_s)
            away_m, _ = geodesic_inverse(lat, lon, math.radians(point.latitude_deg), math.radians(point.longitude_deg))
            assert away_m < 0.01
        start, end = each.waypoints[1], each.waypoints[2]
        middle = np.linspace(start.time_s + 2.0, end.time_s - 2.0, 20)
        speed = np.hypot(*motion.velocity_mps(middle)[:, :2].T)
        assert speed.max() - speed.min() < 0.01 * speed.mean()


def test_altitude_of_a_story_is_above_the_sea_and_height_above_the_ellipsoid():
    motion = motions_of_story(load_story("orlivka-800m"))[0]
    assert float(motion.at(0.0)[2]) - 300.0 == pytest.approx(27.0, abs=6.0)      # geoid south-east of Izmail


def test_the_second_of_a_formation_trails_by_a_kilometre():
    leader, second = (m for m in motions_of_story(load_story("orlivka-800m")) if m.name.startswith("F1"))
    t = np.array([1_900.0, 2_100.0, 2_400.0])
    away_m, _ = geodesic_inverse(*leader.at(t)[:2], *second.at(t)[:2])
    assert np.all((away_m > 700.0) & (away_m < 1_300.0))
    assert second.identity != leader.identity


def test_sun_stands_where_an_almanac_has_it():
    # Tulcea (45.18 N, 28.80 E), 21 June 2025, solar noon about 10:06 UTC: 90 - 45.18 + 23.44 = 68.3 degrees
    assert math.degrees(sun_elevation_rad(math.radians(45.18), math.radians(28.8), 1_750_500_360_000_000_000)) == (
        pytest.approx(68.3, abs=0.5))
    # the night of Orlivka
    assert sun_elevation_rad(LAT, LON, START_NS + 3_000_000_000_000) < math.radians(-18.0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 360.0), st.integers(0, 10_000))
def test_no_plot_is_stamped_later_than_its_sector_ends(azimuth, seed):
    plots = scan(PLAIN, [flight(azimuth, 9_000.0, 9_500.0, seconds=60.0)], START_NS, 60.0, seed)
    from lapwing.sim.radar import sector_end_s

    ends = START_NS / 1e9 + sector_end_s(PLAIN, seed, plots.sector)
    stamped = plots.measured_128 / 128.0
    assert np.all(stamped <= ends + 1e-6) and np.all(stamped >= ends - PLAIN.rotation_s / 32 - 1.0 / 128.0 - 1e-6)


def test_sensor_classes_take_default_else_middle_of_the_span():
    radar = sensor_class("psr_enroute")
    assert (radar.update_s, radar.range_m_sigma, radar.radial_mps_min) == (11.0, 150.0, 11.5)
    assert sensor_class("gap_filler_radar").update_s == 2.0

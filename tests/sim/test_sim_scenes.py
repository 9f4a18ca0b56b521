"""Made-up nights: on any border, the same for the same seed, with the faults that a tracker must stand."""

import math

import numpy as np
import pytest

from lapwing.geo.border import build_territory, signed_distance
from lapwing.model.errors import ConfigError
from lapwing.model.plots import KIND_PSR
from lapwing.sim import nights
from lapwing.sim.answers import answers, spans
from lapwing.sim.border_window import window
from lapwing.sim.radar import generator, sector_received_s
from lapwing.sim.scenes import START_NS, build_scenes
from lapwing.sim.truth import in_play

# A country of 3 by 2 degrees whose northern line, with a kink, is shared with XX; the rest is sea.
RING = [(54.0, 24.0), (54.0, 27.0), (56.0, 27.0), (55.9, 26.0), (56.1, 25.2), (56.0, 24.0), (54.0, 24.0)]
LAND = build_territory([RING], name="Testland", code="TT", version="1", sha256="0" * 64,
                       ring_neighbours=[["", "", "XX", "XX", "XX", ""]])


@pytest.fixture(scope="module")
def danube():
    (scene,) = build_scenes("danube", LAND, "XX", 5, 30.0)
    return scene


def test_same_seed_same_night_another_seed_another(danube):
    (again,) = build_scenes("danube", LAND, "XX", 5, 30.0)
    (other,) = build_scenes("danube", LAND, "XX", 6, 30.0)
    for one, two in zip(danube.plots, again.plots, strict=True):
        assert np.array_equal(one.measured_128, two.measured_128) and np.array_equal(one.range_steps, two.range_steps)
    assert len(other.plots[0]) != len(danube.plots[0])
    assert np.array_equal(danube.truth.latitude_rad, again.truth.latitude_rad)


def test_home_is_the_territory_and_radars_stand_in_it(danube):
    away = signed_distance(LAND, *(np.array([getattr(r, k) for r in danube.radars]) for k in ("latitude_rad", "longitude_rad")))
    assert np.all(away.signed_distance_m < -5_000.0)
    # the line was made from west to east above the country's middle, or from east to west
    west_to_east = danube.window.line_rad[-1, 1] > danube.window.line_rad[0, 1]
    assert danube.window.home_side == ("right" if west_to_east else "left")


def test_one_radar_of_three_is_misregistered(danube):
    biased = [r for r in danube.radars if r.range_m_bias]
    assert len(danube.radars) == 3 and len(biased) == 1
    assert 120.0 <= abs(biased[0].range_m_bias) <= 350.0 and 0.12 <= abs(math.degrees(biased[0].azimuth_rad_bias)) <= 0.4


def test_clutter_is_some_two_hundred_plots_a_scan(danube):
    for radar, plots in zip(danube.radars, danube.plots, strict=True):
        a_scan = float((plots.truth_id == 0).sum()) / (danube.span_s / radar.rotation_s)
        assert 100.0 < a_scan < 320.0


def test_a_few_sectors_come_seconds_late(danube):
    radar = danube.radars[0]
    sectors = np.arange(0, 9_000)
    wait = sector_received_s(radar, danube.seed, 0, 8_999)
    from lapwing.sim.radar import sector_end_s

    late = wait - sector_end_s(radar, danube.seed, sectors) > 3.0
    assert 0.002 < late.mean() < 0.009
    assert (wait - sector_end_s(radar, danube.seed, sectors)).max() < 9.0


def test_some_drones_come_near_some_cross_most_keep_away():
    found = []
    for seed in range(4):
        place = window(LAND, "XX", generator(seed, "window"))
        for motion in nights.danube(place, seed, 5_400.0):
            if motion.kind.truth_class == "drone":
                found.append(signed_distance(LAND, motion.latitude_rad, motion.longitude_rad).signed_distance_m.min())
    found = np.array(found)
    assert len(found) >= 40
    assert 0.15 < np.mean(found < 0.0) < 0.6 and np.mean((found > 0.0) & (found < 1_500.0)) > 0.1


def test_answers_agree_with_the_line(danube):
    table = answers(danube, LAND)
    for target in table["targets"]:
        rows = danube.truth.rows_of(target["truth_id"])
        if len(rows):
            away = signed_distance(LAND, danube.truth.latitude_rad[rows], danube.truth.longitude_rad[rows]).signed_distance_m
            assert target["min_signed_distance_m"] == pytest.approx(away.min(), abs=0.1)
            assert target["entered"] == bool((away < 0.0).any())


def test_poorer_radars_report_their_share_of_the_echoes_and_all_of_the_clutter(danube):
    (poor,) = build_scenes("danube", LAND, "XX", 5, 30.0, 0.4)
    for full, less in zip(danube.plots, poor.plots, strict=True):
        seen = [int(((plots.truth_id > 0) & (plots.kind == KIND_PSR)).sum()) for plots in (full, less)]
        clutter = [int((plots.truth_id == 0).sum()) for plots in (full, less)]
        assert 0.3 < seen[1] / seen[0] < 0.5
        assert clutter[0] == clutter[1]


def test_quiet_night_holds_no_object():
    (scene,) = build_scenes("quiet", LAND, "XX", 1, 10.0)
    assert not scene.motions and len(scene.truth) == 0
    assert all((p.truth_id == 0).all() and len(p) > 1_000 for p in scene.plots)


def test_balloons_drift_home_with_the_wind():
    (scene,) = build_scenes("balloons", LAND, "XX", 2, 60.0)
    moved = []
    for motion in scene.motions:
        if motion.kind.truth_class == "balloon":
            away = signed_distance(LAND, motion.latitude_rad[[0, -1]], motion.longitude_rad[[0, -1]]).signed_distance_m
            moved.append(away[1] - away[0])
            speed = np.hypot(*motion.velocity_mps(motion.time_s[100:-100:60])[:, :2].T)
            assert speed.max() < 30.0
    assert len(moved) > 10 and np.median(moved) < -5_000.0


def test_a_night_to_score_verdicts_by_has_as_many_of_each_class_and_little_clutter():
    (scene,) = build_scenes("near", LAND, "XX", 2, 10.0)
    (usual,) = build_scenes("balloons", LAND, "XX", 2, 10.0)
    classes = [motion.kind.truth_class for motion in scene.motions]
    assert classes.count("drone") == classes.count("decoy") == classes.count("balloon") == 4
    assert [sum(c.plots_per_scan for c in r.clutter) for r in scene.radars] == pytest.approx(
        [0.05 * sum(c.plots_per_scan for c in r.clutter) for r in usual.radars])


def test_a_calm_night_holds_nothing_that_an_alarm_is_for():
    (scene,) = build_scenes("calm", LAND, "XX", 2, 10.0)
    assert {motion.kind.truth_class for motion in scene.motions} == {"balloon", "bird", "airliner", "helicopter"}


def test_crossing_gives_the_five_textbook_scenes():
    scenes = {s.name.split("/")[1]: s for s in build_scenes("crossing", LAND, "XX", 3)}
    assert {name: len(s.motions) for name, s in scenes.items()} == {
        "two-at-10deg": 2, "star-6": 6, "parallel-320m": 2, "manoeuvre": 3, "low-pd": 5}
    one, two = scenes["parallel-320m"].motions
    from lapwing.geo.wgs84 import geodesic_inverse

    assert geodesic_inverse(*one.at(100.0)[:2], *two.at(100.0)[:2])[0] == pytest.approx(320.0, abs=2.0)
    looks = 480.0 / 4.0
    seen = [float((scenes["low-pd"].plots[0].truth_id == k).sum()) / looks for k in range(1, 6)]
    assert 0.3 < np.mean(seen) < 0.8


def test_a_neighbour_without_a_common_line_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="XX"):
        build_scenes("danube", LAND, "YY", 1, 5.0)


def test_in_play_fills_short_holes_and_drops_short_stretches():
    rate = np.zeros(600)                       # of plots a second, a step a second
    rate[100:200] = 0.2
    rate[300:400] = 0.2                        # a hole of under 180 s: filled
    rate[590:] = 0.0
    found = in_play(rate, 1.0)
    assert found[110:390].all() and not found[:60].any() and not found[450:].any()
    rate = np.zeros(600)
    rate[300:310] = 0.5
    assert not in_play(rate, 1.0)[:240].any() and not in_play(np.zeros(0), 2.0).any()


def test_spans_are_first_and_last_of_each_stretch():
    assert spans(np.arange(6.0), np.array([True, True, False, True, False, False])) == [[0.0, 1.0], [3.0, 3.0]]


def test_midnight_is_inside_the_night(danube):
    assert START_NS % (86_400 * 10**9) > 0 and danube.start_ns == START_NS
    assert (START_NS // 10**9 + 3_600) // 86_400 == START_NS // 10**9 // 86_400 + 1

"""The border clock and the forecast of live tracks."""

from __future__ import annotations

import numpy as np
import pytest
from flights import T0, pack, place, south, tracks
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lapwing.judge import Settings, State, step
from lapwing.judge import forecast as forecast_module
from lapwing.judge.forecast import Believed, Forecast, fly, straight_entry_prob
from lapwing.judge.kernels_forecast import COLUMNS, first_entry_kernel
from lapwing.judge.line import across
from lapwing.judge.motion import BY_INDEX
from lapwing.judge.normal import normal_cdf
from lapwing.judge.observed import came_true
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, TrackUpdate

SETTINGS = Settings()
LAND = south()


def judged(rows, where=None, state=None):
    return step(state or State(), TrackUpdate(rows), where or pack(LAND), {"SO": LAND}, int(rows.time_ns[0]), SETTINGS)


def test_numbers_of_a_row_flying_straight_at_the_line():
    _, judgement = judged(tracks(0, 0, 6000, (0, -40), sigma_m=30))
    states = judgement.states
    assert states.border_m[0] == pytest.approx(6000, abs=1)
    assert states.border_m_sigma[0] == pytest.approx(np.hypot(30, 100 / 1.96), abs=0.1)
    assert states.closing_mps[0] == pytest.approx(40, abs=0.01)
    assert states.time_to_go_s[0] == pytest.approx(150, abs=1)
    assert states.earliest_s[0] == pytest.approx(6000 / 58, abs=1)       # a drone's greatest speed
    assert states.inside_prob[0] < 1e-9 and judgement.others["SO"][0] == pytest.approx(6000, abs=1)


def test_flying_away_has_no_time_to_go_and_inside_has_none_left():
    _, judgement = judged(tracks(0, 0, [3000, -3000], (0, 40), names=("T-1", "T-2")))
    assert judgement.states.time_to_go_s.tolist() == [np.inf, 0.0]
    assert judgement.states.earliest_s[1] == 0.0
    assert judgement.states.inside_prob[1] > 0.999


def test_between_plots_the_distance_is_carried_on_at_the_closing_speed():
    state, _ = judged(tracks(0, 0, 6000, (0, -40)))
    _, judgement = judged(tracks(0.5, 0, 5980, (0, -40), updated=False), state=state)
    assert judgement.states.border_m[0] == pytest.approx(5980, abs=1)
    assert judgement.states.time_to_go_s[0] == pytest.approx(149.5, abs=1)


def test_rows_may_come_and_go_without_mixing_up():
    state, _ = judged(tracks(0, 0, [6000, 9000], (0, -40), names=("A", "B")))
    _, judgement = judged(tracks(0.2, 0, [8992, 4000], (0, -40), names=("B", "C"), updated=False), state=state)
    assert judgement.states.border_m == pytest.approx([8992, 4000], abs=2)


@settings(max_examples=40, deadline=None)
@given(north=st.floats(50, 30_000), east_mps=st.floats(-60, 60), south_mps=st.floats(5, 60))
def test_straight_course_meets_the_line_when_geometry_says(north, east_mps, south_mps):
    assume(north / south_mps < 3_000.0)  # beyond the horizon of the forecast it is "not as it flies"
    assume(abs(east_mps) * north / south_mps < 60_000.0)   # farther to the side the parallel bends away by more than told below
    latitude, longitude = place([0.0], [north])
    time_s = across(LAND, latitude, longitude, SETTINGS, np.array([[east_mps, -south_mps]])).meeting_s
    # Flat geometry against geodesics: 60 km to the side the parallel bends away by 300 m.
    assert time_s[0] == pytest.approx(north / south_mps, rel=0.03, abs=1.0 + 400.0 / south_mps)


def test_direction_across_the_line_holds_on_the_line_itself():
    latitude, longitude = place([0.0, 10.0], [0.0, -0.2])
    outward = across(LAND, latitude, longitude, SETTINGS).outward
    assert outward[:, 1] == pytest.approx([1.0, 1.0], abs=1e-3)


def flown(north_m, velocity, *, slow=None, fast=None, sigma_m=30.0, line_m_sigma=50.0, name="drone", as_observed=True) -> Forecast:
    """Return the forecast of one object; its course of the last minutes is that of now unless told."""
    latitude, longitude = place(np.zeros(1), np.array([float(north_m)]))
    now = np.array([[*velocity, np.hypot(*velocity)]])
    return fly(LAND, Believed(
        latitude, longitude, now[:, :2], np.eye(2)[None] * sigma_m**2, np.eye(2)[None] * 9.0, np.zeros(1),
        now if slow is None else np.array([slow]), now if fast is None else np.array([fast]), np.full(1, line_m_sigma),
        np.array([CLASSES.index(name)])), as_observed=as_observed)


def test_forecast_knows_approach_from_passing_and_leaving():
    coming, passing, leaving = (flown(9000, velocity).entry_prob[0] for velocity in ((0, -45), (45, 0), (0, 45)))
    # A third of those that come straight at the line turn away, or along it, short of it.
    assert coming[0] > 0.45 and leaving[2] < 0.1
    assert leaving[2] < passing[2] < coming[2]
    for three in (coming, passing, leaving):
        assert list(three) == sorted(three)          # longer horizons are never less probable
    assert np.array_equal(coming, flown(9000, (0, -45)).entry_prob[0])        # the same flights every time


def test_forecast_says_when_and_where():
    # 9 km at 45 m/s is 200 s; straight south of the start.
    found = flown(9000, (0, -45))
    assert found.entry_s[0, 0] <= found.entry_s[0, 1] <= found.entry_s[0, 2]
    assert found.entry_s[0, 0] == pytest.approx(190, abs=20) and found.entry_s[0, 1] == pytest.approx(230, abs=40)
    latitude, longitude = place(0.0, 0.0)
    assert (found.entry_latitude_rad[0] - latitude) * 6.37e6 == pytest.approx(0, abs=800)
    assert (found.entry_longitude_rad[0] - longitude) * 4.5e6 == pytest.approx(0, abs=1500)


def test_a_weave_towards_the_line_is_no_course_towards_it():
    """An object that has flown along the line for minutes, and swings 30 degrees to either side, mostly stays outside."""
    swing = 45 * np.array([np.cos(np.radians(30)), -np.sin(np.radians(30))])
    weaving = flown(6000, swing, slow=(42, 0, 45), fast=(43, -3, 45)).entry_prob[0]
    straight = flown(6000, swing).entry_prob[0]
    assert weaving[1] < 0.5 * straight[1]


def test_forecast_is_calibrated_against_flights_of_its_own_model_flown_exactly():
    """Chart, coarse steps and 256 flights against 2,000 of the same model flown in 2 s steps over the exact line."""
    generator = np.random.default_rng(3)
    count, step_s, motion = 2_000, 2.0, BY_INDEX[CLASSES.index("drone")]
    heading = np.full(count, np.radians(115.0)) + 3.0 / 45 * generator.standard_normal(count)
    speed = 45 * (1 + np.hypot(motion.speed_share_sigma, 3 / 45) * generator.standard_normal(count))
    north, least = 8000 + 30 * generator.standard_normal(count), np.full(count, np.inf)
    for _ in range(300):
        turned = generator.random(count) < 1 - np.exp(-step_s / motion.leg_s)
        size = generator.uniform(motion.turn_rad_min, motion.turn_rad_max, count) * generator.choice([-1, 1], count)
        heading += np.where(turned, size, 0)
        heading += motion.wander_rad_sigma * np.sqrt(step_s) * generator.standard_normal(count)
        north += speed * np.cos(heading) * step_s
        least = np.minimum(least, north)
    velocity = 45 * np.array([np.sin(np.radians(115.0)), np.cos(np.radians(115.0))])
    ten = flown(8000, velocity, line_m_sigma=0.1, as_observed=False).entry_prob[0, 1]
    # Beside this model, some of those that come to the line turn away from it.
    assert ten == pytest.approx(np.mean(least < 0) * (1.0 - motion.turn_away_prob), abs=0.06)


def test_probabilities_as_observed_keep_their_order():
    said = np.repeat(np.linspace(0.0, 1.0, 501)[:, None], 3, axis=1)
    for name in ("drone", "decoy", "balloon", "helicopter"):
        index = np.full(len(said), CLASSES.index(name))
        for mps in (0.0, 20.0, 45.0, 60.0, 300.0):
            told = came_true(said, index, np.full(len(said), mps))
            assert np.all(np.diff(told, axis=0) >= 0.0) and np.all(np.diff(told, axis=1) >= 0.0)
            assert told.min() >= 0.0 and told[0].max() <= 0.02 and 0.98 <= told[-1].min() <= told.max() <= 1.0
    for north in (2_000.0, 9_000.0, 30_000.0):
        assert np.all(np.diff(flown(north, (20, -40)).entry_prob[0]) >= 0.0)


def test_who_has_come_near_without_turning_away_is_less_likely_to():
    """Of flights straight at the line those 400 m off enter almost surely, those 9 km off much less."""
    near, far = (flown(north, (0, -45), as_observed=False, line_m_sigma=1.0).entry_prob[0, 2] for north in (400, 9_000))
    assert near > 0.9 > 0.75 > far


def test_kernel_and_its_plain_twin_agree():
    plain = getattr(first_entry_kernel, "py_func", first_entry_kernel)
    draw, wander = forecast_module._draws()
    latitude, longitude = place(np.zeros(1), np.full(1, 4000.0))
    chart_m = forecast_module.chart(LAND, latitude, longitude, np.full(1, 2.0), np.full(1, 50_000.0))
    table = np.zeros((1, COLUMNS))
    table[0] = [45.0, 0.01, 30.0, 30.0, 0.05, 0.05, 50.0, 0.2, 0.1, 0.4, 0.0, 0.3, 600.0, 0.3, 1.5, 0.01, 0.2,
                50_000.0]
    found = []
    for function in (first_entry_kernel, plain):
        entry_s, place_m = np.empty((1, len(draw))), np.empty((1, len(draw), 2))
        function(table, chart_m, forecast_module._ANGLE_RAD, forecast_module._ANGLE_BIN, forecast_module._STEP_S, draw, wander,
                 entry_s, place_m)
        found.append((entry_s, place_m))
    assert np.array_equal(found[0][0], found[1][0]) and np.isfinite(found[0][0]).any()
    assert np.allclose(found[0][1], found[1][1], equal_nan=True)


def test_chart_columns_are_found_for_every_angle():
    angles = np.linspace(-np.pi, np.pi, 5_001)
    bins = np.minimum(((angles + np.pi) * len(forecast_module._ANGLE_BIN) / (2 * np.pi)).astype(int),
                      len(forecast_module._ANGLE_BIN) - 1)
    column = forecast_module._ANGLE_BIN[bins]
    column = column + (forecast_module._ANGLE_RAD[column + 1] < angles)
    assert np.all(forecast_module._ANGLE_RAD[column] <= angles + 1e-6)
    assert np.all(angles <= forecast_module._ANGLE_RAD[column + 1] + 1e-6)


def test_straight_line_rule_grows_with_closing_speed():
    prob = straight_entry_prob(np.full(2, 9000.0), np.full(2, 60.0), np.array([5.0, 45.0]), np.full(2, 3.0))
    assert prob.shape == (2, 3) and np.all(prob[1] > prob[0])


def test_normal_distribution_is_right():
    assert normal_cdf(np.array([0.0, 1.959964, -1.644854, 10.0])) == pytest.approx([0.5, 0.975, 0.05, 1.0], abs=1e-6)


def test_same_input_gives_the_same_judgement():
    rows = tracks(0, [0, 500], [6000, -200], (20, -40), names=("A", "B"))
    first, second = judged(rows)[1], judged(rows)[1]
    for name in first.states.__slots__:
        assert np.array_equal(getattr(first.states, name), getattr(second.states, name))
    assert first.verdicts == second.verdicts


def test_empty_picture_is_judged_without_fuss():
    rows = tracks(0, 0, 6000, (0, -40)).take(np.zeros(0, np.intp))
    state, judgement = step(State(), TrackUpdate(rows), pack(LAND), {}, T0 + NS_PER_S, SETTINGS)
    assert len(judgement.states) == 0 and judgement.verdicts == () and state.memory == {}

"""The safety net: when it alarms, how long an alarm stands, and how alarms are scored against truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flights import T0, pack, place, south, tracks

from lapwing.country.volumes import Volume, own_airspace
from lapwing.judge import safety_net
from lapwing.judge.net_settings import NetSettings
from lapwing.judge.safety_net import NetState
from lapwing.model.alarms import AMBER, CHANGED, ENDED, RAISED, RED
from lapwing.model.errors import ConfigError
from lapwing.model.times import NS_PER_S
from lapwing.model.verdicts import BorderStates
from lapwing.sim.alarm_scoring import RedAlarm, Rules, score
from lapwing.sim.track_scoring import Path

SETTINGS = NetSettings()
OWN = (own_airspace(pack()),)


def states(count, *, judged=True, entry_prob=0.9):
    none = np.zeros(count)
    return BorderStates(none, none, none, none, none, none, none, none, none, none + entry_prob, none, none,
                        np.full(count, judged), ("",) * count)


def flown(norths, velocity, *, every_s=4.0, volumes=OWN, settings=SETTINGS, state=None, start_s=0.0, entry_prob=0.9, **kinds):
    """Return all alarms of an object seen at these metres north of the line, and the state after it."""
    state, alarms = state or NetState(), []
    for k, north in enumerate(norths):
        live = tracks(start_s + k * every_s, 0.0, north, velocity, **kinds)
        state, told = safety_net.step(state, live, states(1, entry_prob=entry_prob), volumes, int(live.time_ns[0]), settings)
        alarms += told
    return alarms, state


def towards(first_m, count, *, speed=50.0, every_s=4.0):
    return first_m - speed * every_s * np.arange(count)


def test_object_that_comes_straight_in_alarms_at_the_third_look_and_is_told_inside():
    alarms, _ = flown(towards(6_000.0, 40), (0.0, -50.0))
    first = alarms[0]
    assert (first.level, first.state, first.cause) == (RED, RAISED, "straight")
    assert first.time_ns == T0 + 8 * NS_PER_S
    assert [a.cause for a in alarms[1:]] == ["inside"] and alarms[1].state == CHANGED
    # 5,600 m at 50 m/s are 112 s.
    assert (first.violation_nominal_ns - first.time_ns) / NS_PER_S == pytest.approx(112.0, abs=1.0)
    assert first.violation_earliest_ns < first.violation_nominal_ns < first.violation_latest_ns
    assert first.due_earliest_ns < first.due_nominal_ns < first.due_latest_ns


def test_red_comes_five_minutes_before_it_is_near_and_amber_before_that():
    alarms, _ = flown(towards(45_000.0, 200), (0.0, -50.0))
    red = next(a for a in alarms if a.level == RED)
    assert alarms[0].level == AMBER and alarms[0].raised_ns == red.raised_ns < red.time_ns
    assert (red.border_m - SETTINGS.near_m) / 50.0 >= 300.0


def test_two_looks_are_not_enough_unless_the_time_is_short():
    assert flown(towards(9_000.0, 2), (0.0, -50.0))[0] == []
    alarms, _ = flown([2_000.0], (0.0, -50.0))
    assert alarms[0].immediate and alarms[0].level == RED


def test_flight_along_the_line_is_amber_at_most_and_one_away_from_it_nothing():
    assert {a.level for a in flown([4_000.0] * 30, (50.0, 0.0))[0]} == {AMBER}
    assert flown(towards(2_000.0, 30, speed=-50.0), (0.0, 50.0))[0] == []


def test_alarm_stands_over_a_swing_of_the_heading_and_ends_as_averted():
    _, state = flown(towards(8_000.0, 6), (0.0, -50.0))
    none, state = flown([6_800.0] * 5, (50.0, 20.0), state=state, start_s=24.0)
    assert none == []
    ended, state = flown([6_800.0] * 20, (50.0, 20.0), state=state, start_s=44.0)
    assert [(a.state, a.cause) for a in ended][-1] == (ENDED, "averted") and not [w for w in state.watches.values() if w.alarm]


def test_one_that_was_inside_has_left_only_when_it_is_well_outside():
    _, state = flown([400.0, 100.0, -300.0, -300.0], (0.0, -50.0))
    still, state = flown([200.0] * 30, (50.0, 0.0), state=state, start_s=16.0)
    assert all(a.state != ENDED for a in still)
    left, _ = flown([900.0] * 30, (50.0, 10.0), state=state, start_s=136.0)
    assert (left[-1].state, left[-1].cause) == (ENDED, "left")


def test_lost_track_ends_its_alarm_as_lost():
    _, state = flown(towards(6_000.0, 6), (0.0, -50.0))
    gone = tracks(30.0, 0.0, 50_000.0, (0.0, 10.0), names=("T-2",))
    state, alarms = safety_net.step(state, gone, states(1), OWN, T0 + 30 * NS_PER_S, SETTINGS)
    assert [(a.state, a.cause, a.track_id) for a in alarms] == [(ENDED, "lost", "T-1")]
    assert "T-1" not in {key[0] for key in (*state.watches, *state.raised)}


@pytest.mark.parametrize("kinds", [{"bird_prob": 0.6, "drone_prob": 0.3}, {"confirmed": False}, {"updated": False}])
def test_birds_unconfirmed_and_coasted_tracks_do_not_alarm(kinds):
    assert flown(towards(3_000.0, 20), (0.0, -50.0), **kinds)[0] == []


def test_traffic_does_not_alarm():
    live = tracks(0.0, 0.0, -1_000.0, (0.0, -50.0))
    assert safety_net.step(NetState(), live, states(1, judged=False), OWN, T0, SETTINGS)[1] == ()


def test_slow_object_first_seen_inside_is_birds_and_one_that_came_in_slow_is_not():
    assert flown([-9_000.0] * 20, (0.0, -12.0))[0] == []
    assert flown([-9_000.0] * 20, (0.0, -40.0))[0][0].level == RED
    assert flown([300.0, 200.0, 100.0, -100.0, -200.0], (0.0, -12.0))[0][-1].cause == "inside"


def test_improbable_entry_is_amber_at_most():
    alarms, _ = flown(towards(12_000.0, 8), (0.0, -50.0), entry_prob=0.05)
    assert {a.level for a in alarms} == {AMBER}


def test_heights_and_times_of_a_volume_count_and_an_unknown_height_is_in_it():
    high = Volume("HIGH", "high area", south(), floor_m=3_000.0)
    assert flown(towards(3_000.0, 10), (0.0, -50.0), volumes=(high,))[0] == []    # flies at 200 m
    live = replace(tracks(0.0, 0.0, 500.0, (0.0, -50.0)), height_m=np.array([np.nan]))
    assert safety_net.step(NetState(), live, states(1), (high,), T0, SETTINGS)[1][0].volume == "HIGH"
    later = replace(high, floor_m=-np.inf, active_ns=((T0 + 3_600 * NS_PER_S, T0 + 7_200 * NS_PER_S),))
    assert flown(towards(3_000.0, 10), (0.0, -50.0), volumes=(later,))[0] == []


def truth_path(norths, *, class_name="drone", name="7"):
    seconds = T0 / NS_PER_S + np.arange(len(norths), dtype=float)
    lat, lon = (np.degrees(v) for v in place(np.zeros(len(norths)), np.asarray(norths, float)))
    return Path(name, class_name, seconds, seconds, lat, lon, np.zeros(len(norths)), np.gradient(np.asarray(norths, float)),
                np.ones(len(norths), np.bool_))


def scored(norths, at_s, **kinds):
    flight = truth_path(norths, **kinds)
    alarms = [RedAlarm(f"a{k}", "T-1", T0 / NS_PER_S + s) for k, s in enumerate(at_s)]
    return score([flight], [replace(flight, name="T-1", class_name="")], alarms, south(), Rules())


def test_alarm_of_an_entry_is_a_hit_of_a_turn_away_a_valid_alert_and_else_a_nuisance():
    enters = np.arange(6_000.0, -2_000.0, -50.0)
    turns = np.concatenate([np.arange(6_000.0, 1_000.0, -50.0), np.full(300, 1_000.0)])
    assert (scored(enters, [10.0])["hit"], scored(turns, [10.0])["valid"], scored(turns, [200.0])["nuisance"]) == (1, 1, 1)
    rescue = scored(enters, [], class_name="helicopter")
    assert rescue["entries"] == rescue["missed"] == 0, "who says who he is owes no alarm"
    bird = scored(enters, [10.0], class_name="bird")
    assert bird["nuisance"] == 1 and bird["reds_on_harmless"] == {"bird": 1} and bird["entries"] == 0


def test_entry_without_an_alarm_in_time_is_a_miss():
    enters = np.arange(6_000.0, -10_000.0, -50.0)
    assert scored(enters, [])["missed"] == 1 and scored(enters, [200.0])["missed"] == 1    # enters at 120 s
    assert scored(enters, [130.0])["missed"] == 0


def test_alarm_is_late_against_the_moment_it_was_due():
    # Near (5 km) at 700 s, on its way all the time: due at 400 s at the latest.
    enters = np.arange(40_000.0, -2_000.0, -50.0)
    good, late = scored(enters, [390.0]), scored(enters, [420.0])
    assert good["geometry_allows"] == 1 and good["on_time"] == 1
    assert late["on_time"] == 0 and late["late_s_worst"] == pytest.approx(20.0, abs=2.0)


def test_settings_of_the_net_are_read_and_mistakes_told():
    from lapwing.judge.settings import read_settings

    assert read_settings(b"entered_prob = 0.9\n[net]\nred_s = 400\n", "f").net.red_s == 400.0
    with pytest.raises(ConfigError, match="red_z: no setting of the safety net"):
        read_settings(b"[net]\nred_z = 400\n", "f")
    with pytest.raises(ConfigError, match="whole number"):
        read_settings(b"[net]\nconfirm_of = 2.5\n", "f")

"""The figures of warnings, worked by hand."""

import numpy as np
import pytest

from lapwing.sim.track_scoring import Path
from lapwing.sim.warning_pool import pooled
from lapwing.sim.warning_scoring import (
    Message,
    Places,
    Policy,
    Truth,
    figures,
    fixed_strip,
    joined,
    knows_truth,
    of_messages,
    truth_of,
    twenty_km,
)

M = 60.0


def places(count=2, people=1_000.0, border_m=4_000.0):
    return Places(45.0 + 0.2 * np.arange(count), np.full(count, 28.0), np.full(count, people), ("A",) * count,
                  {f"Z{i}": np.array([i]) for i in range(count)}, np.full(count, border_m))


def truth(first=(3_600.0, np.inf), last=(3_700.0, -np.inf), end_s=4_000.0):
    return Truth(np.array(first), np.array(last), np.isfinite(first), end_s)


def message(name, sent_s, level, covers, *, refs=(), expires_s=None, rings=True):
    return Message(name, sent_s, sent_s + 20 * M if expires_s is None else expires_s, level, refs,
                   np.array(covers, np.bool_), np.zeros(len(covers), np.bool_), rings)


def scored(messages, told=None, night=()):
    return figures(of_messages(messages, 2), told or truth(), places(), night)


def test_a_warning_150_s_before_misses_nobody_and_costs_nothing():
    found = scored([message("a", 3_450.0, "alert", (1, 0)), message("b", 4_000.0, "all_clear", (1, 0), refs=("a",))])
    assert found["lead_s_worst"] == 120.0        # 3600 - 3450 - 30 of the channel
    assert found["missed_people"] == 0.0
    assert found["needless_person_min"] == 0.0   # the window reaches from 2700 to 4000
    assert found["alarms_per_person"] == 1.0
    assert found["extra_messages_per_1000"] == 0.0


@pytest.mark.parametrize(("sent_s", "missed"), [(3_510.0, 500.0), (3_600.0, 1_000.0), (3_650.0, 1_000.0)])
def test_a_late_warning_misses_a_share(sent_s, missed):
    # 3600 - 3510 - 30 = 60 s of the 120: half of the people. After t0 it counts as none, not as worse than none.
    assert scored([message("a", sent_s, "alert", (1, 0))])["missed_people"] == missed


def test_no_warning_misses_all_and_an_earlier_one_that_ended_does_not_help():
    assert scored([])["missed_share"] == 1.0
    assert scored([message("a", 1_000.0, "alert", (1, 0)),
                   message("b", 2_000.0, "all_clear", (1, 0), refs=("a",))])["missed_share"] == 1.0


def test_needless_minutes_count_double_by_night_and_a_tenth_under_pre_alert():
    alert = [message("a", 600.0, "alert", (0, 1)), message("b", 1_200.0, "all_clear", (0, 1), refs=("a",))]
    ready = [message("a", 600.0, "pre_alert", (0, 1)), message("b", 1_200.0, "all_clear", (0, 1), refs=("a",))]
    assert scored(alert)["needless_person_min"] == 10_000.0
    assert scored(alert, night=[(900.0, 9_000.0)])["needless_person_min"] == 15_000.0
    assert scored(ready)["needless_person_min"] == 1_000.0


def test_a_pre_alert_under_an_alert_is_not_counted_twice():
    found = scored([message("p", 600.0, "pre_alert", (0, 1)), message("a", 600.0, "alert", (0, 1)),
                    message("b", 1_200.0, "all_clear", (0, 1), refs=("a", "p"))])
    assert found["needless_person_min"] == 10_000.0
    assert found["messages_per_person"] == 3.0
    assert found["extra_messages_per_1000"] == 1_000.0


def test_a_renewal_is_no_alarm_and_no_silent_end():
    found = scored([message("a", 0.0, "alert", (1, 0)), message("b", 1_000.0, "alert", (1, 0), refs=("a",), rings=False),
                    message("c", 2_000.0, "all_clear", (1, 0), refs=("a", "b"))])
    assert (found["alarms_per_person"], found["silent_ends"], found["silent_people"]) == (1.0, 0, 0)


def test_what_lapses_unsaid_is_a_silent_end():
    found = scored([message("a", 0.0, "alert", (1, 1))])
    assert (found["silent_ends"], found["silent_people"]) == (1, 2_000)


def test_off_and_on_within_ten_minutes_is_a_reversal_unless_it_was_lowered_between():
    off = [message("a", 0.0, "alert", (1, 0)), message("b", 600.0, "all_clear", (1, 0), refs=("a",)),
           message("c", 900.0, "alert", (1, 0))]
    lowered = [message("a", 0.0, "alert", (1, 0)), message("b", 600.0, "pre_alert", (1, 0), refs=("a",), rings=False),
               message("c", 900.0, "alert", (1, 0), refs=("a", "b"))]
    assert scored(off)["reversal_share"] == 1.0
    assert scored(lowered)["reversal_share"] == 0.0


def test_the_delay_of_the_all_clear_counts_from_five_minutes_after_the_threat():
    found = scored([message("a", 3_450.0, "alert", (1, 0), expires_s=9_000.0),
                    message("b", 4_000.0 + 300.0 + 240.0, "all_clear", (1, 0), refs=("a",))])
    assert found["clear_delay_min_median"] == 4.0


def straight(start_lat=46.0, speed_mps=50.0, seconds=3_000, in_play=True):
    time_s = np.arange(0.0, seconds, 2.0)
    zero = np.zeros(len(time_s))
    return Path("1", "drone", time_s, time_s, start_lat - speed_mps * time_s / 111_132.0, zero + 28.0, zero, zero - speed_mps,
                np.full(len(time_s), in_play))


@pytest.fixture(scope="module")
def territory():
    from lapwing.geo.border import build_territory

    ring = [(43.0, 26.0), (43.0, 30.0), (45.5, 30.0), (45.5, 26.0), (43.0, 26.0)]
    return build_territory([ring], name="X", code="XX", version="1", sha256="0" * 64, complete=True)


def test_truth_says_when_an_object_was_near(territory):
    # From 46 N south at 50 m/s: 111,132 m to the place at 45 N; within 3 km from (111132 - 3000) / 50 = 2162.6 s on.
    found = truth_of([straight()], places(), territory)
    assert found.first_s[0] == pytest.approx(2_163.0, abs=3.0)
    assert found.last_s[0] == pytest.approx(2_282.0, abs=3.0)
    assert found.given[0]


def test_the_baselines_do_as_they_are_described(territory):
    objects, where = [straight()], places(1)
    told = truth_of(objects, where, territory)
    strip = fixed_strip(objects, where, territory, told, 0.0)
    # 30 km from the border at 45.5 N: (55566 - 30000) / 50 = 511 s; ninety minutes, nothing said at the end.
    assert strip.alert[0][0] == (pytest.approx(511.0, abs=5.0), pytest.approx(5_911.0, abs=5.0))
    assert strip.silent == {0}
    near = twenty_km(objects, where, territory, 0.0)
    # Within 20 km: (111132 - 20000) / 50 = 1823 s to (111132 + 20000) / 50 = 2623 s, and 180 s more.
    assert near.alert[0][0] == (pytest.approx(1_823.0, abs=12.0), pytest.approx(2_803.0, abs=12.0))
    best = figures(knows_truth(told), told, where, [])
    assert (best["cost"], best["missed_people"]) == (0.0, 0.0)


def test_spans_that_touch_are_one():
    assert joined([(5.0, 6.0), (0.0, 2.0), (2.0, 3.0), (4.0, 4.0)]) == [(0.0, 3.0), (5.0, 6.0)]
    assert Policy().alert == {}


def test_nights_are_pooled_over_their_people_not_over_the_nights():
    # A night of 1,000 people warned with 300 s and one of 3,000 warned with 100 s: 5 % of all lie at 100 s.
    few = figures(of_messages([message("a", 3_270.0, "alert", (1, 0)), message("b", 4_000.0, "all_clear", (1, 0), refs=("a",))], 2),
                  truth(), places(), ())
    many = figures(of_messages([message("a", 3_470.0, "alert", (1, 0)), message("b", 4_000.0, "all_clear", (1, 0), refs=("a",))], 2),
                   truth(), places(people=3_000.0), ())
    found = pooled([few, many], [(300.0, 1_000.0), (100.0, 3_000.0)], [(0.0, 1_000.0), (4.0, 3_000.0)])
    assert found["threatened_people"] == 4_000
    assert found["missed_people"] == 500.0              # 100 s of 120: a sixth of 3,000
    assert found["missed_share"] == 0.125
    assert found["lead_s_p5_where_given"] == 100.0
    assert found["clear_delay_min_median"] == 4.0
    assert found["alarms_per_person"] == 1.0


def test_the_share_missed_among_those_given_a_chance_is_told_apart():
    # Nobody is warned: the place that no sensor could have seen in time does not count among those given a chance.
    unseen = Truth(np.array([3_600.0, 3_600.0]), np.array([3_700.0, 3_700.0]), np.array([True, False]), 4_000.0)
    found = scored([message("a", 3_000.0, "alert", (1, 0)), message("b", 4_000.0, "all_clear", (1, 0), refs=("a",))], unseen)
    assert found["missed_share"] == 0.5
    assert found["missed_share_where_given"] == 0.0

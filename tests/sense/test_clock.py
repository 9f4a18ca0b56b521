"""Times of day fall on the right day, and a recording's clock never goes back."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from lapwing.model.times import DAY_NS, NS_PER_S
from lapwing.sense.clock import TRUNCATED_NS, Unwrapper, to_utc, truncated_to_utc

DAY = 20_000 * DAY_NS


def test_report_before_midnight_received_after_it_is_of_the_day_before():
    measured = to_utc(np.array([86_399.5, 0.25]), np.array([DAY + NS_PER_S, DAY + NS_PER_S]))
    assert (measured - DAY).tolist() == [-NS_PER_S // 2, NS_PER_S // 4]


def test_clock_a_little_fast_before_midnight_is_of_the_next_day():
    assert to_utc(np.array([0.5]), np.array([DAY - NS_PER_S])).tolist() == [DAY + NS_PER_S // 2]


@given(st.integers(0, 400 * 128 * 86_400), st.integers(-40_000 * 128, 40_000 * 128))
def test_any_time_within_half_a_day_of_its_reception_comes_back(ticks, late):
    measured = ticks * 7_812_500
    inside = np.array([(measured % DAY_NS) / NS_PER_S])
    assert to_utc(inside, np.array([measured + late * 7_812_500])).tolist() == [measured]


@given(st.integers(0, 10**9), st.integers(-60, 200))
def test_truncated_time_is_told_from_the_reception(ticks, late_s):
    measured = ticks * 7_812_500
    inside = np.array([(measured % DAY_NS % TRUNCATED_NS) / NS_PER_S])
    assume(min(measured % DAY_NS, -measured % DAY_NS) > 500 * NS_PER_S)
    assert truncated_to_utc(inside, np.array([measured + late_s * NS_PER_S])).tolist() == [measured]


def test_truncated_time_starts_again_at_midnight():
    # 86,400 = 168 x 512 + 384: the last second of a day is 383, the first of the next 0.
    measured = truncated_to_utc(np.array([383.5, 0.5]), np.array([DAY + NS_PER_S, DAY + NS_PER_S]))
    assert (measured - DAY).tolist() == [-NS_PER_S // 2, NS_PER_S // 2]


def test_recording_of_truncated_times_runs_on():
    clock = Unwrapper(DAY)
    seconds = (500.0, 499.9, 511.5, 0.5, 200.0, 400.0, 100.0)
    assert [(clock.take_truncated(round(s * NS_PER_S)) - DAY) / NS_PER_S for s in seconds] \
        == [500.0, 500.0, 511.5, 512.5, 712.0, 912.0, 1124.0]


def test_recording_over_midnight_goes_on_into_the_next_day():
    clock = Unwrapper(DAY)
    assert [clock.take(round(s * NS_PER_S)) - DAY for s in (86_399.0, 86_398.6, 0.5)] \
        == [86_399 * NS_PER_S, 86_399 * NS_PER_S, round(86_400.5 * NS_PER_S)]


def test_one_wild_time_does_not_move_the_clock_but_a_gap_does():
    clock = Unwrapper(0)
    seconds = [100, 101, 50_000, 102, 9_000, 9_001, 9_002, 9_003]
    assert [clock.take(s * NS_PER_S) // NS_PER_S for s in seconds] == [100, 101, 101, 102, 102, 102, 9_002, 9_003]

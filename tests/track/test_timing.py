"""Clocks of sensors: found by what two sensors see of one aircraft, corrected once sure, never where they are right."""

import math
from dataclasses import replace

import numpy as np
import pytest
from radar_flights import BEGIN_NS, fly, radar, seen, table

from lapwing import track
from lapwing.record import codec
from lapwing.track import timing
from lapwing.track.state import Timing

THREE = table(radar(), radar("R2", 45.4), radar("R3", 44.6))
# All ways, and at a speed that tells time from place.
TRAFFIC = [(-40_000.0, 10_000.0, 210.0, 15.0, 0x4B0001), (35_000.0, -20_000.0, -190.0, 60.0, 0x4B0002),
           (5_000.0, 45_000.0, 30.0, -200.0, 0x4B0003), (-10_000.0, -40_000.0, -20.0, 180.0, 0x4B0004),
           (-40_000.0, -30_000.0, 150.0, 140.0, 0x4B0005)]


def off(plots, sensor, seconds, since_s=0.0):
    """Return the plots with the stamps of a sensor off by so much."""
    late = (plots.sensor_index == sensor) & (plots.measured_ns >= BEGIN_NS + int(since_s * 1e9))
    return replace(plots, measured_ns=plots.measured_ns + np.where(late, int(seconds * 1e9), 0))


def notes(updates):
    return [(note.source, note.reason) for update in updates for note in update.notes]


def test_the_one_clock_that_is_off_is_found_said_and_corrected():
    state, updates = fly(off(seen(THREE, TRAFFIC, 6.0), 1, 0.5), THREE)
    bias_s, sigma_s = timing.told(state.timing)
    assert bias_s == pytest.approx([0.0, 0.5, 0.0], abs=0.12)
    assert sigma_s.max() < 0.04
    assert {source for source, _ in notes(updates)} == {"R2"} and notes(updates)[-1] == ("R2", "clock_wrong")
    assert state.timing.applied[1] == pytest.approx(bias_s[1], abs=0.05) and not state.timing.applied[[0, 2]].any()


def test_right_clocks_are_not_touched():
    state, updates = fly(seen(THREE, TRAFFIC, 5.0, seed=4), THREE)
    assert notes(updates) == [] and not state.timing.applied.any()
    assert state.timing.pairs.min() > timing.LEAST_PAIRS


def test_a_clock_that_jumps_is_said_and_learned_anew():
    state, updates = fly(off(seen(THREE, TRAFFIC, 7.0), 2, -0.6, since_s=180.0), THREE)
    said = notes(updates)
    assert ("R3", "clock_jumped") in said and ("R3", "clock_wrong") in said
    assert {source for source, _ in said} == {"R3"}
    assert timing.told(state.timing)[0][2] == pytest.approx(-0.6, abs=0.12)


def test_a_correction_comes_by_a_ramp():
    known = Timing(mean=np.array([0.0] * 5 + [0.4]), cov=np.diag([0.0] * 5 + [1e-4]), applied=np.zeros(2), strange=np.zeros(2),
                   pairs=np.array([50, 50]), sure=np.array([False, True]), time_ns=BEGIN_NS)
    later, _ = timing.advanced(known, BEGIN_NS + 10**9, np.array([False, True]), THREE, track.Settings())
    assert later.applied == pytest.approx([0.0, 0.4 * (1.0 - math.exp(-1.0 / 20.0))])


def test_the_middle_clock_is_held_right_where_none_is_true_and_a_true_one_where_there_is():
    doubt, mean = np.zeros((9, 9)), np.zeros(9)
    doubt[2::3, 2::3], mean[2::3] = np.full((3, 3), 0.08) + np.diag([1e-4] * 3), (0.27, -0.13, -0.13)
    among = Timing(mean=mean, cov=doubt, applied=np.zeros(3), strange=np.zeros(3), pairs=np.full(3, 40),
                   sure=np.zeros(3, np.bool_))
    bias_s, sigma_s = timing.told(among)
    assert bias_s == pytest.approx([0.4, 0.0, 0.0]) and sigma_s.max() < 0.02
    doubt, mean = np.diag([1.0, 1e-9, 1e-4] * 2 + [0.0] * 3), np.array([0.0, 0.0, 0.4, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0])
    assert timing.told(replace(among, cov=doubt, mean=mean))[0] == pytest.approx([0.4, 0.01, 0.0])


def test_killed_and_restored_while_a_clock_is_corrected_gives_equal_bits():
    plots = off(seen(THREE, TRAFFIC, 4.0), 1, 0.5)
    middle = BEGIN_NS + 170 * 10**9
    first, rest = plots.take(plots.received_ns < middle), plots.take(plots.received_ns >= middle)
    state, _ = fly(first, THREE)
    assert state.timing.applied.any()
    straight, _ = fly(rest, THREE, state=state)
    resumed, _ = fly(rest, THREE, state=codec.decode(codec.encode(state)))
    assert codec.encode(resumed) == codec.encode(straight)

"""What a verdict says of the stretch of border that no radar could see."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from flights import T0, pack, place, trajectory

from lapwing.judge import Settings, judge_trajectory, with_blind
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.verdicts import Judgement

SECONDS = np.arange(0.0, 300.0, 4.0)


def radars(*east_m, range_m_max=60_000.0):
    """Return radars 10 km inside, 30 m above the sea, `range_m_max` far."""
    rows = []
    for number, east in enumerate(east_m):
        latitude, longitude = place(east, -10_000.0)
        rows.append(Sensor(f"R{number}", sac=1, sic=number, latitude_rad=float(latitude), longitude_rad=float(longitude), height_m=60.0,
                           rotation_s=4.0, categories=(48,), range_m_max=range_m_max))
    return SensorTable(tuple(rows))


def told(sensors, north_m=3_000.0):
    verdict = judge_trajectory(trajectory(SECONDS, 40.0 * (SECONDS - 150.0), north_m + 0 * SECONDS), pack(), T0, Settings())
    return with_blind(Judgement(None, {}, (verdict,), ()), sensors, pack()).verdicts[0]


def test_a_watched_border_has_no_blind_share():
    verdict = told(radars(0.0))
    assert verdict.evidence.blind_share == 0.0 and "no radar sees" not in verdict.reason


def test_a_border_beyond_a_radars_range_is_blind_in_part_and_the_reason_says_so():
    verdict = told(radars(-30_000.0, range_m_max=30_000.0))
    assert verdict.verdict == "not_entered" and 0.3 < verdict.evidence.blind_share < 0.7
    assert "of the line within 20 km of the closest point" in verdict.reason


def test_without_a_radar_all_of_it_is_blind():
    assert told(SensorTable(())).evidence.blind_share == 1.0


def test_an_entry_is_seen_whatever_else_is_not_and_far_from_the_line_nothing_is_said():
    verdict = told(SensorTable(()), north_m=-3_000.0)
    assert verdict.verdict == "entered" and "no radar sees" not in verdict.reason
    assert math.isnan(told(radars(0.0), north_m=50_000.0).evidence.blind_share)


def lost(sensors, *, east_mps=40.0, south_mps=30.0, seconds=300.0, height_m=np.nan, north_m=14_000.0):
    """Return the verdict on an object that flies south-east and is lost 26 km east of the radar, 5 km outside."""
    times = np.arange(0.0, seconds + 1.0, 4.0)
    flight = trajectory(times, 14_000.0 + east_mps * times, north_m - south_mps * times)
    flight = replace(flight, height_m=np.full(len(flight), height_m))
    return judge_trajectory(flight, pack(), T0, Settings(), sensors=sensors)


def test_lost_heading_for_the_line_where_no_radar_sees_is_undetermined_and_not_all_clear():
    verdict = lost(radars(0.0, range_m_max=30_000.0))
    assert verdict.verdict == "undetermined" and 0.5 < verdict.entered_prob < 0.95
    assert "lost where no radar reaches" in verdict.reason and "it may have flown on unseen for" in verdict.reason
    assert verdict.closest_m > 4_000.0, "the interval is of what was seen"


def test_lost_in_a_radars_sight_it_is_gone():
    assert lost(radars(0.0)).verdict == "not_entered"
    assert lost(radars(0.0, 40_000.0, range_m_max=30_000.0)).verdict == "not_entered", "the next radar has it in sight"
    assert lost(None).verdict == "not_entered"


def test_lost_into_hiding_but_not_towards_the_line_did_not_enter():
    verdict = lost(radars(0.0, range_m_max=30_000.0), south_mps=-30.0, north_m=5_000.0)
    assert verdict.verdict == "not_entered" and "flown on unseen" not in verdict.reason


def test_what_hides_a_low_flyer_hides_no_high_one():
    """A radar 30 m up sees 95 km off, over a smooth Earth, only what is higher than some 320 m."""
    far = {"east_mps": 40.0, "south_mps": 20.0, "north_m": 14_000.0, "seconds": 500.0}
    latitude, longitude = place(-60_000.0, -10_000.0)
    mast = SensorTable((Sensor("R", sac=1, sic=1, latitude_rad=float(latitude), longitude_rad=float(longitude), height_m=60.0,
                               rotation_s=4.0, categories=(48,), range_m_max=150_000.0),))
    assert lost(mast, height_m=1_000.0, **far).verdict == "not_entered"
    low = lost(mast, height_m=np.nan, **far)
    assert low.verdict == "undetermined" and "sees it below" in low.reason

"""Tracks that took up another object after a loss, and the time that a verdict answers for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flights import T0, pack, place, south, trajectory

from lapwing.judge import Settings, judge_trajectory
from lapwing.judge.path import believable, holes, of_trajectory
from lapwing.judge.torn import parts
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import SHARED_PROB
from lapwing.sim.track_scoring import Path
from lapwing.sim.verdict_scoring import Judged, Rules, score

SETTINGS = Settings()


def spliced(*, back=True, silent_s=50.0, stray=True):
    """South-west at 50 m/s to 3 km from the line, a silence with one far-off plot in it, then another flight (or the same on)."""
    first, then = np.arange(0.0, 301.0, 4.0), np.arange(300.0 + silent_s, 600.0, 4.0)
    north = np.concatenate([9_000.0 - 20.0 * first, 3_000.0 + 5.0 * (then - then[0])])
    east = np.concatenate([-45.0 * first, (-13_500.0 + 45.0 * (then - then[0])) if back else -45.0 * then])
    seconds, sigma = np.concatenate([first, then]), np.full(len(first) + len(then), 30.0)
    if stray:
        seconds = np.insert(seconds, len(first), 300.0 + silent_s / 2.0)
        east, north = np.insert(east, len(first), -14_000.0), np.insert(north, len(first), 2_500.0)
        sigma = np.insert(sigma, len(first), 900.0)
    return trajectory(seconds, east, north, sigma_m=sigma)


def test_track_that_took_up_another_object_is_judged_in_parts_each_on_its_own_time():
    one, two = parts(spliced(), SETTINGS)
    assert (one.track_id, two.track_id) == ("T-1", "T-1+2")
    verdict, later = (judge_trajectory(part, pack(), T0, SETTINGS) for part in (one, two))
    assert verdict.evidence.last_ns == T0 + 300 * NS_PER_S and later.evidence.first_ns >= T0 + 350 * NS_PER_S
    assert verdict.closest_m == pytest.approx(3_000, abs=700) and verdict.closest_m_low < 3_000 < verdict.closest_m_high
    # Carried on: what it may have done after the loss is told.
    assert "carried on for 60 s" in verdict.reason


@pytest.mark.parametrize("kinds", [{"back": False}, {"back": False, "stray": False, "silent_s": 120.0}, {"silent_s": 24.0}])
def test_flight_that_goes_on_or_was_hardly_lost_is_one(kinds):
    assert len(parts(spliced(**kinds), SETTINGS)) == 1


def test_ordinary_flight_is_itself():
    seconds = np.arange(0.0, 300.0, 4.0)
    flight = trajectory(seconds, 50 * seconds, 5_000 + 0 * seconds)
    assert parts(flight, SETTINGS)[0] is flight


def towards_the_line(shared):
    """10 minutes south at 20 m/s, the line 1.5 km ahead of its end; `shared`: rows whose plot serves another track."""
    seconds = np.arange(0.0, 600.0, 4.0)
    flight = trajectory(seconds, 45.0 * seconds, 13_500.0 - 20.0 * seconds)
    share = np.full(len(seconds), 0.9)
    share[shared] = SHARED_PROB
    return replace(flight, association_prob=share)


def test_plots_of_another_track_prove_nothing_once_its_own_have_ceased():
    path = of_trajectory(towards_the_line(slice(100, None)), pack().territory, SETTINGS)
    assert path.last_plot == np.flatnonzero(path.measured)[-1] and path.distance_m[path.last_plot] > 5_000
    # Other tracks' plots show that it was looked for: what it did unseen is no likelier for them.
    assert path.shared.sum() == 50 and holes(path, 30.0) == ()
    verdict = judge_trajectory(towards_the_line(slice(100, None)), pack(), T0, SETTINGS)
    assert verdict.evidence.last_ns == T0 + 396 * NS_PER_S and verdict.closest_m > 5_000


@pytest.mark.parametrize(("shared", "held"), [(slice(50, 55), 0), (slice(50, 70), 20)])
def test_two_objects_seen_as_one_for_a_moment_stay_two_but_not_for_long(shared, held):
    flight = towards_the_line(shared)
    assert len(flight) - believable(flight, SETTINGS).sum() == held


def test_a_lone_plot_after_a_silence_decides_nothing():
    seconds = np.append(np.arange(0.0, 300.0, 4.0), 330.0)
    flight = trajectory(seconds, 45.0 * seconds, 9_000.0 - 20.0 * seconds)
    assert not believable(flight, SETTINGS)[-1] and believable(flight, SETTINGS)[:-1].all()


def flown(name, seconds, east_m, north_m, class_name=""):
    lat, lon = (np.degrees(v) for v in place(east_m, north_m))
    time_s = T0 / NS_PER_S + seconds
    return Path(name, class_name, time_s, time_s, lat, lon, np.zeros(len(seconds)), np.zeros(len(seconds)),
                np.ones(len(seconds), np.bool_))


def test_scorer_holds_a_verdict_to_the_time_that_it_states_and_each_part_to_its_own_object():
    seconds = np.arange(0.0, 601.0, 2.0)
    # One object passes 2 km off before the track is confirmed, and comes in after it was lost; the other stays 3 km off.
    one = flown("1", seconds, 40 * seconds, np.where(seconds < 400, 2_000 + 5 * seconds, 4_000 - 25 * (seconds - 400)), "drone")
    two = flown("2", seconds, 10_000 + 40 * seconds, np.full(len(seconds), 3_000.0), "drone")
    live = seconds[(seconds >= 20) & (seconds <= 300)], seconds[seconds >= 340]
    rows = [flown("T", np.concatenate(live), np.concatenate([40 * live[0], 10_000 + 40 * live[1]]),
                  np.concatenate([2_000 + 5 * live[0], np.full(len(live[1]), 3_000.0)]))]
    start = T0 / NS_PER_S
    verdicts = {"T": Judged("not_entered", 2_010.0, 1_900.0, 2_090.0, (), start + 2, start + 300),
                "T+2": Judged("not_entered", 3_005.0, 2_900.0, 3_100.0, (), start + 340, start + 600)}
    figures = score([one, two], rows, {"T": np.zeros(len(rows[0].time_s), np.bool_)}, verdicts, south(), Rules())
    assert (figures["verdicts"], figures["interval_holds_share"], figures["wrong"]) == (2, 1.0, 0)


def test_hole_in_a_tracks_rows_is_no_life_that_is_held_against_it():
    seconds = np.concatenate([np.arange(0.0, 101.0, 2.0), [900.0]])      # one last row long after its object has ended
    rows = flown("T", seconds, 40 * seconds, np.full(len(seconds), 2_000.0))
    target = flown("1", seconds[:-1], 40 * seconds[:-1], np.full(len(seconds) - 1, 2_000.0), "drone")
    figures = score([target], [rows], {"T": np.zeros(len(seconds), np.bool_)},
                    {"T": Judged("not_entered", 2_000.0, 1_900.0, 2_100.0, ())}, south(), Rules())
    assert figures["verdicts"] == 1 and figures["verdicts_matched_to_nothing"] == 0

"""A track may be no object of its own: short ones, of one sensor, beside an older one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flights import T0, pack, tracks, trajectory

from lapwing.judge import Settings, State, judge_trajectory, step
from lapwing.judge.existence import Other, existence, flew_beside
from lapwing.judge.from_tracks import EmittedTrack, judge_tracks
from lapwing.judge.path import of_trajectory
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, TrackUpdate
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED

SETTINGS = Settings()


def inside(seconds, north_m=-5_000.0, sensors=(0,), **more):
    """Return a flight along the line, well inside."""
    flight = trajectory(seconds, 50.0 * np.asarray(seconds), np.full(len(seconds), north_m), **more)
    return replace(flight, sensor_index=np.resize(np.array(sensors, np.uint16), len(seconds)))


def judged(flight, **more):
    return judge_trajectory(flight, pack(), T0, SETTINGS, **more)


def beside(flight, begins_s=-300.0, away_m=400.0):
    """Return the way of another track that was there before, some way off."""
    seconds = np.arange(begins_s, 600.0, 4.0)
    other = trajectory(seconds, 50.0 * seconds, np.full(len(seconds), -5_000.0 - away_m), track_id="T-0")
    return lambda: [Other("T-0", other.time_ns, other.latitude_rad, other.longitude_rad)]


@pytest.mark.parametrize("plots", [4, 8, 12])
def test_a_few_plots_of_one_sensor_well_inside_are_no_sure_entry_and_the_reason_says_so(plots):
    verdict = judged(inside(np.arange(plots) * 2.0))
    assert verdict.verdict == UNDETERMINED and 0.5 <= verdict.entered_prob == pytest.approx(verdict.evidence.exists_prob, abs=1e-6)
    assert f"seen for {2 * (plots - 1)} s by one sensor ({plots} plots): may be no object" in verdict.reason
    assert verdict.entries and verdict.closest_m == pytest.approx(-5_000, abs=60)


@pytest.mark.parametrize(("seconds", "sensors"), [(np.arange(0.0, 40.0, 2.0), (0,)), (np.arange(0.0, 81.0, 10.0), (0,)),
                                                  (np.arange(0.0, 40.0, 5.0), (0, 1, 2))])
def test_longer_or_by_several_sensors_it_has_entered(seconds, sensors):
    verdict = judged(inside(seconds, sensors=sensors))
    assert verdict.verdict == ENTERED and 0.95 < verdict.evidence.exists_prob < 1.0


def test_who_answers_exists():
    assert judged(inside(np.arange(4) * 2.0), identified=True).verdict == ENTERED


def test_short_track_beside_an_older_one_is_mostly_the_same_object():
    flight = inside(np.arange(0.0, 40.0, 2.0))
    verdict = judged(flight, others=beside(flight))
    assert verdict.verdict == UNDETERMINED and "beside T-0: may be no object of its own" in verdict.reason
    assert judged(flight, others=beside(flight, away_m=1_500.0)).verdict == ENTERED
    assert judged(flight, others=beside(flight, begins_s=10.0)).verdict == ENTERED, "the younger of two is the doubtful one"


def test_a_second_sight_is_worded_as_one_and_not_as_a_possible_entry():
    flight = inside(np.arange(0.0, 40.0, 2.0))
    verdict = judged(flight, others=beside(flight))
    said = verdict.statement["en"]
    assert said.startswith("Object T-1 is most probably object T-0 seen twice") and "Possible entry" not in said
    assert verdict.evidence.beside == "T-0" and f"{100 * verdict.evidence.exists_prob:.0f} %" in said
    alone = judged(inside(np.arange(4) * 2.0))
    assert "may be no object at all: it was seen for 6 s (4 plots)" in alone.statement["en"] and alone.evidence.beside == ""
    near = judged(inside(np.arange(0.0, 200.0, 4.0), north_m=20.0))
    assert near.verdict == UNDETERMINED and near.statement["en"].startswith("Possible entry") and near.evidence.beside == ""


def test_two_that_fly_side_by_side_for_minutes_are_two():
    flight = inside(np.arange(0.0, 180.0, 4.0))
    assert judged(flight, others=beside(flight)).verdict == ENTERED


def test_that_there_may_be_no_object_is_no_all_clear():
    """Twenty metres outside at 30 m: unsure as an object, unsure as an entry; and one far outside needs no object."""
    assert judged(inside(np.arange(5) * 2.0, north_m=20.0)).verdict == UNDETERMINED
    assert judged(inside(np.arange(4) * 2.0, north_m=55.0, sigma_m=15.0)).verdict != ENTERED
    assert judged(inside(np.arange(5) * 2.0, north_m=4_000.0)).verdict == NOT_ENTERED


def test_doubt_falls_with_life_plots_and_sensors():
    path = of_trajectory(inside(np.arange(6) * 2.0), pack().territory, SETTINGS)
    longer = of_trajectory(inside(np.arange(6) * 10.0), pack().territory, SETTINGS)
    more = of_trajectory(inside(np.arange(0.0, 10.1, 0.5)), pack().territory, SETTINGS)
    assert existence(path, 1, "T-0").prob < existence(path, 1).prob < existence(path, 2).prob < existence(path, 3).prob
    assert existence(path, 1).prob < min(existence(longer, 1).prob, existence(more, 1).prob)
    assert existence(more, 1, plot_count=6).prob == existence(path, 1).prob
    assert flew_beside(path, []) == ""


def test_live_verdict_waits_until_there_surely_is_something():
    state, said = State(), []
    for second in np.arange(0.0, 60.0, 2.0):
        update = TrackUpdate(tracks(second, 50.0 * second, -5_000.0, (50.0, 0.0)))
        state, judgement = step(state, update, pack(), {}, T0 + round(second * NS_PER_S), SETTINGS)
        said += [(second, verdict.verdict) for verdict in judgement.verdicts]
    assert [verdict for _, verdict in said] == [UNDETERMINED, ENTERED] and 15.0 < said[1][0] < 45.0


def test_tracks_of_a_file_are_asked_alike():
    def emitted(name, seconds, north_m, **more):
        flight = inside(np.asarray(seconds), north_m)
        count = len(flight)
        return EmittedTrack(name, flight.time_ns, flight.latitude_rad, flight.longitude_rad, flight.velocity_mps,
                            flight.position_cov_m2, np.zeros(count, np.bool_),
                            np.tile(np.eye(len(CLASSES))[0], (count, 1)), "unknown", **more)

    long, short = emitted("A", np.arange(0.0, 300.0, 4.0), -5_000.0), emitted("B", np.arange(100.0, 140.0, 2.0), -5_300.0)
    alone = emitted("C", np.arange(0.0, 20.0, 2.0), -9_000.0, plot_count=5, sensor_count=1)
    seen = {verdict.track_id: verdict for verdict in judge_tracks([long, short, alone], pack(), SETTINGS)[0]}
    assert [seen[name].verdict for name in "ABC"] == [ENTERED, UNDETERMINED, UNDETERMINED]
    assert "beside A" in seen["B"].reason and "(5 plots)" in seen["C"].reason

"""Scores of a story follow the rules of the stories' README, whatever the outputs are."""

import numpy as np
import pytest

from lapwing.sim import load_story, play
from lapwing.sim.matching import match_tracks, times_ns
from lapwing.sim.scoring import score_story, story_result


@pytest.fixture(scope="module")
def orlivka():
    return play(load_story("orlivka-800m"), 1)


def perfect_tracks(recording, names=None):
    truth = recording.truth
    rows = np.array([names is None or truth.name[i - 1] in names for i in truth.truth_id.tolist()])
    return {"track_id": np.array([f"t-{truth.name[i - 1]}" for i in truth.truth_id.tolist()])[rows],
            "time": truth.time_ns[rows], "lat": np.degrees(truth.latitude_rad)[rows],
            "lon": np.degrees(truth.longitude_rad)[rows], "confirmed": np.ones(int(rows.sum()), bool)}


def line(name, closest_m, verdict="not_entered", half_m=50.0, **more):
    return {"track_id": f"t-{name}", "country": "RO", "verdict": verdict, "entered_prob": 0.0, "closest_m": closest_m,
            "closest_m_low": closest_m - half_m, "closest_m_high": closest_m + half_m} | more


RIGHT = [line("D1", 800.0), line("D2", 2_700.0), line("D3", 2_740.0), line("D4", 1_900.0), line("D5", 3_300.0)]
ZONE = {"code": "RO-TL-159696", "name": "Isaccea", "population": 4_900, "county": "RO-TL"}


def alert(sent, level="alert", caused_by=("t-D1",), zones=(ZONE,)):
    return {"sent": sent, "level": level, "msg_type": "Alert", "zones": list(zones), "caused_by": list(caused_by), "polygon": []}


def checks(recording, **more):
    given = {"verdicts": RIGHT, "tracks": perfect_tracks(recording)} | more
    return {c.name: c for c in score_story(recording, **given)}


def test_right_distances_pass_and_wrong_ones_fail(orlivka):
    found = checks(orlivka)
    assert all(found[f"closest approach of D{k}"].ok for k in range(1, 6))
    assert not checks(orlivka, verdicts=[line("D1", 1_200.0), *RIGHT[1:]])["closest approach of D1"].ok
    # 150 m and three sigma of the track: an interval of +- 300 m has a sigma of 153 m
    assert checks(orlivka, verdicts=[line("D1", 1_200.0, half_m=300.0), *RIGHT[1:]])["closest approach of D1"].ok


def test_an_object_that_was_tracked_without_a_verdict_fails(orlivka):
    assert not checks(orlivka, verdicts=RIGHT[1:])["closest approach of D1"].ok


def test_a_false_track_said_to_have_entered_fails_the_story(orlivka):
    assert checks(orlivka)["verdict"].ok
    assert not checks(orlivka, verdicts=[*RIGHT, line("nobody", -400.0, "entered")])["verdict"].ok


@pytest.mark.parametrize(("words", "result"), [
    (("not_entered",), "not_entered"), (("not_entered", "undetermined"), "undetermined"),
    (("undetermined", "entered"), "entered"), ((), "not_entered")])
def test_the_result_of_a_run_is_the_strongest_of_its_lines(words, result):
    assert story_result([{"verdict": word} for word in words]) == result


def test_a_county_must_be_red_by_its_deadline(orlivka):
    name = "red for RO-TL"
    assert not checks(orlivka)[name].ok
    assert checks(orlivka, alerts=[alert("2025-08-05T20:08:00.000Z")])[name].ok
    assert not checks(orlivka, alerts=[alert("2025-08-05T20:09:00.000Z")])[name].ok
    assert not checks(orlivka, alerts=[alert("2025-08-05T20:00:00.000Z", level="pre_alert")])[name].ok


def test_a_named_place_must_be_red_150_s_before_an_object_is_near(orlivka):
    name = "red at Isaccea before D1"
    assert checks(orlivka, alerts=[alert("2025-08-05T20:39:00.000Z")])[name].ok
    assert not checks(orlivka, alerts=[alert("2025-08-05T20:41:00.000Z")])[name].ok
    square = [[45.2, 28.4], [45.2, 28.5], [45.3, 28.5], [45.3, 28.4]]
    elsewhere = alert("2025-08-05T20:39:00.000Z", zones=[ZONE | {"name": "Other"}])
    assert not checks(orlivka, alerts=[elsewhere])[name].ok
    assert checks(orlivka, alerts=[elsewhere | {"polygon": [square]}])[name].ok


@pytest.mark.parametrize("name", ["C1", "F1", "B1"])
def test_a_warning_for_harmless_traffic_fails(orlivka, name):
    found = checks(orlivka, alerts=[alert("2025-08-05T20:08:00.000Z", caused_by=("t-D1", f"t-{name}"))])
    assert not found["no warning for others"].ok and name in found["no warning for others"].found


def test_a_warning_for_clutter_fails(orlivka):
    assert not checks(orlivka, alerts=[alert("2025-08-05T20:08:00.000Z", caused_by=("ghost",))])["no warning for others"].ok


def test_all_clear_holds_in_its_window_only(orlivka):
    red = alert("2025-08-05T20:08:00.000Z")
    for sent, ok in (("2025-08-05T21:10:00.000Z", True), ("2025-08-05T21:05:00.000Z", False), ("2025-08-05T21:30:00.000Z", False)):
        assert checks(orlivka, alerts=[red, alert(sent, level="all_clear")])["all clear"].ok is ok
    assert not checks(orlivka, alerts=[red])["all clear"].ok


def test_partners_must_be_told_information_need_not(orlivka):
    found = checks(orlivka, notices=[{"partner": "NATO", "time": "2025-08-05T20:06:00.000Z"}])
    assert found["notice to NATO"].ok and not found["notice to MD"].ok
    assert found["notice to UA"].ok and not found["notice to UA"].demanded


def test_patrol_times_hold_to_three_seconds(orlivka):
    rows = [{"patrol": "F1", "event": "airborne", "time": "2025-08-05T20:15:02.000Z"},
            {"patrol": "F1", "event": "landed", "time": "2025-08-05T20:50:10.000Z"}]
    found = checks(orlivka, patrol=rows)
    assert found["patrol F1 airborne"].ok and not found["patrol F1 landed"].ok


def test_tracks_are_matched_by_where_they_were(orlivka):
    tracks = perfect_tracks(orlivka, {"D1", "C1"})
    shifted = tracks | {"lat": tracks["lat"] + 0.003}            # 330 m off
    names = {k: orlivka.motions[m.motion].name for k, m in match_tracks(orlivka.motions, orlivka.story.start_ns, shifted).items()}
    assert names == {"t-D1": "D1", "t-C1": "C1"}
    lost = match_tracks(orlivka.motions, orlivka.story.start_ns, tracks | {"lat": tracks["lat"] + 0.5})
    assert {m.motion for m in lost.values()} == {-1}
    assert match_tracks(orlivka.motions, orlivka.story.start_ns, tracks | {"confirmed": np.zeros(len(tracks["lat"]), bool)}) == {}


def test_an_object_that_no_sensor_saw_is_not_demanded():
    recording = play(load_story("lublin-many-entries"), 1)
    found = {c.name: c for c in score_story(recording, verdicts=[], tracks=perfect_tracks(recording, {"D1"}))}
    assert found["closest approach of D6"].ok and not found["closest approach of D6"].demanded
    assert not found["closest approach of D1"].ok


def test_probably_entered_is_met_by_an_honest_doubt():
    recording = play(load_story("sumskas-slow-faller"), 1)
    expected = dict(recording.story.expected) | {"verdict": "probably_entered"}
    import dataclasses

    doubtful = dataclasses.replace(recording, story=dataclasses.replace(recording.story, expected=expected))
    cases = (("entered", 1.0, True), ("undetermined", 0.6, True), ("undetermined", 0.3, False), ("not_entered", 0.0, False))
    for verdict, prob, ok in cases:
        rows = [{"track_id": "t-D1", "country": "LT", "verdict": verdict, "entered_prob": prob}]
        assert score_story(doubtful, verdicts=rows, tracks=perfect_tracks(doubtful))[0].ok is ok


def test_times_are_read_in_any_form():
    from datetime import UTC, datetime

    wanted = 1_754_423_400_250_000_000
    for values in ([wanted], np.array([wanted]).astype("datetime64[ns]"), [datetime.fromtimestamp(wanted / 1e9, UTC)]):
        assert times_ns(values).tolist() == [wanted]

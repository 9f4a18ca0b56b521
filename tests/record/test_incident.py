"""The time line tells what happened to judged objects and what was done, once each, in the order of event time."""

import math
from dataclasses import fields, replace

import numpy as np
from report_story import IDS, SENSORS, ZONES, alert, at, tracks_at, verdict

from lapwing.model.alerts import Decision, Proposal, Warned
from lapwing.model.notices import Notice, Responded, Shared
from lapwing.model.plots import empty_bearings, empty_looks, empty_plots
from lapwing.model.reports import PatrolEvent, Sighting
from lapwing.model.sensed import Sensed
from lapwing.model.tracks import TrackUpdate
from lapwing.model.verdicts import BorderStates, Judgement
from lapwing.record import codec, incident

SENSED = Sensed(empty_plots(), empty_bearings(), empty_looks(), (), SENSORS, (), 0)


def states(border_m, inside_prob=(0.0,), judged=(True,), reason=("",)):
    """Return border states of as many tracks as distances."""
    n = len(border_m)
    nan = np.full(n, np.nan)
    return BorderStates(np.array(border_m, float), np.full(n, 100.0), nan, nan, nan, nan, nan, nan, nan, nan, nan,
                        np.array(inside_prob, float), np.array(judged, bool), tuple(reason))


class Line:
    """Runs the time line over one track."""

    def __init__(self):
        self.state, self.told = incident.State(), []

    def step(self, second, border_m=None, *, warned=None, responded=None, shared=None, verdicts=(), silent_s=0,
             confirmed=True, neighbours=(), **more):
        rows = np.array([0] if border_m is not None else [], np.intp)
        tracks = tracks_at(0).take(rows)
        tracks = replace(tracks, time_ns=np.full(len(rows), at(second)), confirmed=np.full(len(rows), confirmed),
                         last_plot_ns=np.full(len(rows), at(second - silent_s)),
                         coasting=np.full(len(rows), silent_s > 10))
        judgement = Judgement(states([border_m], **more) if len(rows) else states([], (), (), ()), {}, verdicts,
                              neighbours=neighbours)
        self.state, events = incident.step(self.state, SENSED, TrackUpdate(tracks), judgement, warned or Warned(),
                                           responded or Responded(), shared or Shared(), at(second))
        self.told += events
        return [event.kind for event in events]


def test_a_quiet_step_says_nothing_and_opens_no_incident():
    line = Line()
    assert line.step(0) == [] and line.state.incident == ""


def test_an_object_is_introduced_once_when_confirmed_near_the_border():
    line = Line()
    assert line.step(0, 20_000.0, confirmed=False) == []
    assert line.step(4, 19_800.0) == ["first_detection", "track_confirmed"]
    assert line.step(8, 19_600.0) == []
    first, confirmed = line.told
    assert first.time_ns == at(0) and "RO-GF-1, RO-LR-2" in first.text
    assert "drone" in confirmed.text and "19.8 km outside" in confirmed.text and confirmed.ids == (IDS[0],)
    assert first.incident == "20250805-1"


def test_a_far_object_is_introduced_only_as_a_threat():
    line = Line()
    assert line.step(0, 80_000.0) == []
    assert line.step(4, 79_000.0, warned=Warned(threats=(IDS[0],))) == ["first_detection", "track_confirmed"]


def test_traffic_is_not_told_of():
    assert Line().step(0, 5_000.0, judged=(False,), reason=("own_patrol",)) == []


def test_closest_approach_is_told_once_when_the_object_recedes():
    line = Line()
    for i, border_m in enumerate([5_000.0, 2_000.0, 794.0, 1_200.0, 1_700.0]):
        kinds = line.step(4 * i, border_m)
        assert "closest_approach" not in kinds
    assert line.step(20, 1_900.0) == ["closest_approach"]
    assert line.step(24, 2_500.0) == []
    told = line.told[-1]
    assert told.time_ns == at(8) and "794 m outside" in told.text and "recedes" in told.text


def test_wobble_of_the_track_is_no_closest_approach():
    line = Line()
    line.step(0, 5_000.0)
    rng = np.random.default_rng(3)
    for i in range(200):
        assert line.step(4 * i + 4, 4_000.0 - 10 * i + float(rng.normal(0, 100))) == []


def test_an_object_that_ends_at_its_closest_point_is_still_told():
    line = Line()
    for i, border_m in enumerate([5_000.0, 2_000.0, 794.0]):
        line.step(4 * i, border_m)
    assert line.step(60, 700.0, silent_s=52) == ["closest_approach", "lost"]
    assert line.step(64) == ["track_ended"]
    line = Line()
    line.step(0, 794.0)
    assert line.step(4) == ["closest_approach", "track_ended"]


def test_lost_and_found_are_told_once_each():
    line = Line()
    line.step(0, 40_000.0)
    assert line.step(20, 39_000.0, silent_s=20) == []
    assert line.step(35, 38_000.0, silent_s=35) == ["lost"]
    assert line.step(50, 37_000.0, silent_s=50) == []
    assert line.step(54, 37_000.0) == ["regained"]


def test_entry_and_exit_have_hysteresis():
    line = Line()
    line.step(0, 500.0)
    kinds = []
    for i, inside in enumerate([0.5, 0.96, 0.5, 0.97, 0.3, 0.04, 0.5]):
        kinds += line.step(4 * i + 4, 0.0, inside_prob=(inside,))
    assert kinds == ["entry", "exit"]
    assert [event.severity for event in line.told if event.kind in ("entry", "exit")] == ["alarm", "warning"]


def test_an_object_set_aside_is_said_with_the_reason():
    line = Line()
    line.step(0, 5_000.0)
    assert line.step(4, 5_000.0, judged=(False,), reason=("bird",)) == ["set_aside"]
    assert "bird" in line.told[-1].text
    assert line.step(8, 5_000.0) == ["judged_again"]


def test_what_was_done_is_told_in_words():
    line = Line()
    proposal = Proposal("p1", at(1), at(300), "Alert", "alert", ZONES, IDS[:1], "within 5 km in 8 min.", 2, ())
    warned = Warned((proposal,), (alert("alert", 2, ZONES), alert("all_clear", 3, ZONES)),
                    (Decision(at(2), "p1", "approve", "A. Officer", ""), Decision(at(2), "p0", "lapsed", "", "")))
    responded = Responded((PatrolEvent(at(1), "V1", "on_station", "Tulcea"),),
                          (Sighting("s", at(2), 1.0, "heard", 0.8, 0.5, 100.0, math.radians(10)),))
    notice = Notice("n", "MD", "REL MD", at(2), at(99), (), {}, "near its border")
    acknowledged = replace(notice, acknowledged_by="liaison", acknowledged_ns=at(3))
    kinds = line.step(3, warned=warned, responded=responded, shared=Shared((notice,), (acknowledged, notice)))
    assert sorted(kinds) == sorted(["proposal", "alert_sent", "all_clear", "decision", "decision", "patrol_on_station",
                                    "sighting", "notice", "notice_acknowledged", "notice_lapsed"])
    assert [event.time_ns for event in line.told] == sorted(event.time_ns for event in line.told)
    text = " ".join(event.text for event in line.told)
    for part in ("1 zone with 4,789 people: Isaccea", "needs 2 approvals", "A. Officer approved", "nobody decided",
                 "on station at Tulcea", "bearing 010°", "REL MD", "acknowledged by liaison"):
        assert part in text
    assert {e.kind: e.severity for e in line.told}["alert_sent"] == "alarm"
    assert all(event.severity in incident.SEVERITIES for event in line.told)


def test_the_final_verdict_is_told_once_with_its_interval():
    line = Line()
    final = verdict(IDS[0], 794.0, "not_entered", 45.3, 28.4)
    assert line.step(1, verdicts=(replace(final, final=False),)) == []
    assert line.step(2, verdicts=(final,)) == ["verdict"]
    assert line.step(3, verdicts=(final,)) == []
    assert "794 m outside [604, 984] m" in line.told[-1].text


def test_a_service_that_runs_for_months_remembers_the_newest_verdicts_only():
    line = Line()
    final = verdict(IDS[0], 794.0, "not_entered", 45.3, 28.4)
    many = tuple(replace(final, track_id=f"T-{i}") for i in range(incident.TOLD_MAX + 100))
    assert len(line.step(1, verdicts=many)) == len(many)
    assert len(line.state.told) == incident.TOLD_MAX
    assert line.step(2, verdicts=many[-1:]) == []
    assert line.step(3, verdicts=(replace(many[200], verdict="entered"),)) == ["verdict"]
    assert line.step(4, verdicts=tuple(replace(final, track_id=f"U-{i}") for i in range(incident.TOLD_MAX - 1)))
    assert f"RO {many[200].track_id}" in line.state.told, "told last, forgotten last"


def test_a_quiet_hour_ends_an_incident():
    line = Line()
    line.step(0, 5_000.0)
    line.step(3_000)
    line.step(3_500, 5_000.0)
    line.step(9_000, 5_000.0, silent_s=100)
    assert line.told[0].incident == "20250805-1"
    assert line.state.incident == "20250805-2"


def test_the_state_can_be_checkpointed_and_goes_on_alike():
    line = Line()
    for i, border_m in enumerate([5_000.0, 2_000.0, 794.0]):
        line.step(4 * i, border_m)
    back = codec.decode(codec.encode(line.state))
    assert all(getattr(back, f.name) == getattr(line.state, f.name) for f in fields(back) if f.name != "seen")
    line.state = back
    assert line.step(20, 1_900.0) == ["closest_approach"]


def test_what_crossed_a_neighbours_line_is_told_once_and_who_was_there_from_the_first_is_not():
    line, entered = Line(), replace(verdict(IDS[0], -300.0, "entered", 45.4, 28.3), country="MD")
    there = replace(entered, evidence=replace(entered.evidence, first_ns=entered.entries[0].entry_ns))
    assert line.step(0, neighbours=(there,)) == [] and there.seen_inside
    assert line.step(4, neighbours=(entered, replace(entered, country="UA", verdict="not_entered", entries=()))) == ["verdict"]
    assert line.step(8, neighbours=(entered,)) == []
    assert line.told[0].severity == "warning" and f"{IDS[0]} and MD: entered" in line.told[0].text

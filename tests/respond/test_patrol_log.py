"""The patrol log and people's reports: ordered, without repeats, and one request for a look an incident."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.alerts import Alert, Proposal, Warned, ZoneRef
from lapwing.model.reports import PATROL_EVENTS, Impact, PatrolEvent, Sighting
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.record.codec import decode, encode
from lapwing.respond import State, step

NOW = from_iso("2025-08-05T20:05:00Z")
ZONES = (ZoneRef("RO-TL-1", "Isaccea", 5000, "RO-TL"),)


def proposal(level="alert"):
    return Proposal(id="P", proposed_ns=NOW, expires_ns=NOW + 300 * NS_PER_S, msg_type="Alert", level=level,
                    zones=ZONES, caused_by=("T-1",), reason="T-1 is 9 km out", approvals_needed=1, references=())


def all_clear():
    return Alert(identifier="A", sent_ns=NOW, status="Exercise", msg_type="Update", level="all_clear", zones=ZONES,
                 polygons=(), onset_ns=NOW, expires_ns=NOW, languages=("en",), caused_by=(), proposed_ns=NOW,
                 approved_ns=NOW, approved_by=("x",), references=(), proposal_id="P", cap_xml=b"")


def test_first_alert_of_an_incident_asks_for_a_look_once():
    state, first = step(State(), (), Warned(proposals=(proposal(),)), NOW)
    state, second = step(state, (), Warned(proposals=(proposal(),)), NOW + 60 * NS_PER_S)
    assert [(e.event, e.by, e.place) for e in first.patrol] == [("asked", "engine", "Isaccea")]
    assert second.patrol == ()


def test_a_milder_level_asks_for_nothing():
    assert step(State(), (), Warned(proposals=(proposal("pre_alert"),)), NOW)[1].patrol == ()


def test_next_incident_asks_again():
    state, _ = step(State(), (), Warned(proposals=(proposal(),)), NOW)
    state, _ = step(state, (), Warned(alerts=(all_clear(),)), NOW + 3600 * NS_PER_S)
    _, again = step(state, (), Warned(proposals=(proposal(),)), NOW + 7200 * NS_PER_S)
    assert len(again.patrol) == 1


def test_reports_come_out_in_order_of_time_and_repeats_once():
    late = PatrolEvent(NOW + 2 * NS_PER_S, "F1", "airborne")
    early = PatrolEvent(NOW, "F1", "asked", by="officer")
    state, responded = step(State(), (late, early, late), Warned(), NOW + 5 * NS_PER_S)
    assert responded.patrol == (early, late)
    assert step(state, (late,), Warned(), NOW + 6 * NS_PER_S)[1].patrol == ()


def test_report_from_the_future_is_dated_now_and_nonsense_is_left_out():
    future = PatrolEvent(NOW + 86_400 * NS_PER_S, "F1", "landed")
    sighting = Sighting("S", NOW, 30.0, "seen", math.nan, 0.5, 100.0)
    impact = Impact(NOW, 0.79, 0.5, 500.0)
    _, responded = step(State(), (future, PatrolEvent(NOW, "F1", "vanished"), sighting, impact), Warned(), NOW)
    assert [event.time_ns for event in responded.patrol] == [NOW]
    assert responded.sightings == () and responded.impacts == (impact,)


def test_sighting_sent_twice_through_two_links_is_one():
    sighting = Sighting("S-1", NOW, 30.0, "heard", 0.79, 0.5, 100.0, entry_sequence=4)
    _, responded = step(State(), (sighting, replace(sighting, entry_sequence=9)), Warned(), NOW)
    assert len(responded.sightings) == 1


@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from(PATROL_EVENTS)), max_size=40))
def test_the_log_keeps_every_event_once_in_order(drafts):
    events = tuple(PatrolEvent(NOW + seconds * NS_PER_S, "F1", event) for seconds, event in drafts)
    state, responded = step(State(), events, Warned(), NOW + 600 * NS_PER_S)
    assert set(responded.patrol) == set(events) and len(responded.patrol) == len(set(events))
    assert [e.time_ns for e in responded.patrol] == sorted(e.time_ns for e in responded.patrol)
    assert decode(encode(state)) == state

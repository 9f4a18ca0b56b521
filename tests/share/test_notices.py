"""Notices to partners: who is told, once, again when it matters, never for ever."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture import NOW, judgement_of, pack_with, partner, tracks_of, verdict_of

from lapwing.model.alerts import Warned
from lapwing.model.reports import Acknowledgement
from lapwing.model.times import NS_PER_S
from lapwing.model.verdicts import NeighbourState
from lapwing.record.codec import decode, encode
from lapwing.share import State, step

MD = partner("MD", "near_border", "MD")
NATO = partner("NATO", "threat")


def run(distances_m, partners=(MD,), *, every_s=5.0, names=("T-1",), threats=("T-1",), state=None, verdicts=()):
    """Return state and (seconds, notice) for a picture whose distance to MD goes through these values."""
    state, out = state or State(), []
    for index, distance in enumerate(distances_m):
        now = NOW + round(index * every_s * NS_PER_S)
        rows = tracks_of(names, now)
        state, shared = step(state, rows, judgement_of(rows, {"MD": distance}, verdicts), Warned(threats=threats), (),
                             pack_with(partners), now)
        out += [(index * every_s, notice) for notice in shared.notices]
    return state, out


def test_object_2_km_from_moldova_is_told_to_moldova_once():
    _, out = run([2_168.0] * 60)
    assert [seconds for seconds, _ in out] == [0.0]
    notice = out[0][1]
    assert notice.partner == "MD" and notice.release == "RELEASABLE TO MD" and "2.2 km" in notice.reason
    assert notice.expires_ns == notice.time_ns + 1800 * NS_PER_S


def test_object_that_points_at_the_partner_is_told_before_it_is_near():
    # 50 m/s from 25 km: 5 km off in 300 s from 20 km on, which is after 100 s.
    _, out = run([25_000.0 - 250.0 * k for k in range(30)])
    assert out and 95 <= out[0][0] <= 110 and "points at MD" in out[0][1].reason


def test_object_far_off_and_flying_past_is_nobodys_business():
    assert run([30_000.0] * 60)[1] == []


def test_new_object_makes_a_new_notice_and_the_same_ones_none():
    state, first = run([2_000.0] * 20)
    now = NOW + 200 * NS_PER_S
    rows = tracks_of(("T-1", "T-2"), now)
    state, shared = step(state, rows, judgement_of(rows, {"MD": 2_000.0}), Warned(), (), pack_with((MD,)), now)
    assert len(first) == 1 and len(shared.notices) == 1 and len(shared.notices[0].objects) == 2
    state, shared = step(state, rows, judgement_of(rows, {"MD": 2_000.0}), Warned(), (), pack_with((MD,)),
                         now + 61 * NS_PER_S)
    assert shared.notices == ()


def test_notice_is_renewed_while_it_lasts_and_lapses_after():
    state, out = run([2_000.0] * 200, every_s=10.0)
    assert [seconds for seconds, _ in out] == [0.0, 1440.0]
    rows, lapsed = tracks_of((), NOW), []
    for minute in range(34, 80):
        now = NOW + minute * 60 * NS_PER_S
        state, shared = step(state, rows, judgement_of(rows, {"MD": 0.0}), Warned(), (), pack_with((MD,)), now)
        assert shared.notices == ()
        lapsed += shared.changed
    assert [notice.id for notice in lapsed] == [out[1][1].id] or len(lapsed) == 2
    assert state.recent == () and state.standing == {}


def test_only_released_fields_leave_the_house():
    _, out = run([2_000.0], (replace(MD, fields=("time_ns", "position")),))
    item = out[0][1].objects[0]
    assert item.track_id == "" and item.class_name == "" and math.isnan(item.height_m)
    assert math.isnan(item.velocity_mps[0]) and math.isfinite(item.latitude_rad) and item.time_ns > 0


def test_threat_is_told_to_the_chain_and_not_without_one():
    assert len(run([90_000.0] * 10, (NATO,))[1]) == 1
    assert run([90_000.0] * 10, (NATO,), threats=())[1] == []


@pytest.mark.parametrize(("when", "exit_ns", "told"), [("entered", 0, True), ("exit", 0, False), ("exit", NOW, True)])
def test_entry_and_exit_are_told_once_an_object(when, exit_ns, told):
    verdict = verdict_of("T-1", exit_ns)
    _, out = run([90_000.0] * 5, (partner("X", when),), verdicts=(verdict,))
    assert len(out) == int(told)


def test_object_that_is_not_judged_is_no_reason():
    rows = tracks_of(("T-1",), NOW)
    judgement = judgement_of(rows, {"MD": 1_000.0})
    judgement = replace(judgement, states=replace(judgement.states, judged=np.array([False])))
    assert step(State(), rows, judgement, Warned(), (), pack_with((MD,)), NOW)[1].notices == ()


def test_acknowledgement_is_noted_once():
    state, out = run([2_000.0])
    acknowledgement = Acknowledgement(NOW + NS_PER_S, out[0][1].id, "duty officer MD")
    rows = tracks_of((), NOW)
    judgement = judgement_of(rows, {})
    state, shared = step(state, rows, judgement, Warned(), (acknowledgement,), pack_with((MD,)), NOW + NS_PER_S)
    assert [notice.acknowledged_by for notice in shared.changed] == ["duty officer MD"]
    _, shared = step(state, rows, judgement, Warned(), (acknowledgement,), pack_with((MD,)), NOW + 2 * NS_PER_S)
    assert shared.changed == ()


def test_text_is_in_the_partners_languages_and_english():
    _, out = run([2_000.0], (replace(MD, languages=("ro",)),))
    assert set(out[0][1].text) == {"ro", "en"} and "no action is asked" in out[0][1].text["en"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5_000, 60_000), min_size=1, max_size=60))
def test_every_notice_ends_and_none_comes_twice_within_a_minute(distances):
    state, out = run(distances)
    times = [seconds for seconds, _ in out]
    assert all(later - earlier >= 60 for earlier, later in pairwise(times))
    assert all(notice.expires_ns > notice.time_ns for _, notice in out)
    assert len({notice.id for _, notice in out}) == len(out)
    assert encode(decode(encode(state))) == encode(state)


JUDGED = replace(MD, fields=(*MD.fields, "border_m", "verdict", "entered_prob"))


def abroad(track_id="T-1", verdict="entered", country="MD"):
    return replace(verdict_of(track_id, 0), country=country, verdict=verdict, entered_prob=0.97)


def near(track_id="T-1", border_m=-300.0, verdict="entered"):
    return NeighbourState(track_id, "MD", NOW, border_m, 60.0, 40.0, 0.0, 1.0, verdict, 0.97)


def told(state, second, distance_m, partners, theirs=(), nearby=(), names=("T-1",)):
    """Return the state and notices of one moment with verdicts on the neighbour."""
    now = NOW + second * NS_PER_S
    rows = tracks_of(names, now)
    judgement = replace(judgement_of(rows, {"MD": distance_m}), neighbours=theirs, nearby=nearby)
    pack = replace(pack_with(partners), neighbour_names={"MD": {"en": "Moldova"}})
    state, shared = step(state, rows, judgement, Warned(threats=names), (), pack, now)
    return state, shared.notices


def test_a_neighbour_is_told_at_once_and_once_that_an_object_entered_its_airspace():
    state, first = told(State(), 0, 2_000.0, (JUDGED,))
    state, second = told(state, 10, -300.0, (JUDGED,), (abroad(),), (near(),))
    assert len(first) == len(second) == 1 and "entered the airspace of Moldova" in second[0].text["en"]
    assert "T-1: entered MD" in second[0].reason and first[0].objects[0].verdict == ""
    (item,) = second[0].objects
    assert (item.verdict, item.entered_prob, item.border_m) == ("entered", 0.97, -300.0)
    assert told(state, 20, -400.0, (JUDGED,), (abroad(),), (near(),))[1] == ()


def test_who_is_not_released_the_verdict_does_not_see_it():
    _, notices = told(State(), 0, -300.0, (MD,), (abroad(),), (near(),))
    (item,) = notices[0].objects
    assert item.verdict == "" and math.isnan(item.border_m) and math.isnan(item.entered_prob)


def test_an_object_that_entered_there_and_is_gone_is_told_by_its_closest_point():
    _, notices = told(State(), 0, 60_000.0, (JUDGED,), (abroad("T-9"),))
    (item,) = notices[0].objects
    assert item.track_id == "T-9" and item.border_m == -500.0 and "1 object(s) entered the airspace of Moldova" in notices[0].text["en"]


def test_verdicts_on_other_neighbours_and_undetermined_ones_are_no_news():
    _, notices = told(State(), 0, 60_000.0, (JUDGED,), (abroad(country="UA"), abroad("T-8", "undetermined")))
    assert notices == ()


def test_partners_told_of_the_own_airspace_are_not_told_of_a_neighbours():
    _, notices = told(State(), 0, 60_000.0, (partner("NATO", "entered"),), (abroad(),))
    assert notices == ()

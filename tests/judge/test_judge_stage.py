"""The judge's step over a life: live verdicts, the end, traffic, memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flights import T0, pack, south, tracks, trajectory
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.judge import Settings, State, finish, named, step
from lapwing.judge.state import History
from lapwing.judge.statement import ENGLISH, text
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import AFFILIATIONS, TrackUpdate
from lapwing.model.verdicts import ENTERED, NOT_ENTERED
from lapwing.record.codec import decode, encode

SETTINGS = Settings()
PACK = pack(south())


def fly(north_m, *, seconds=4.0, velocity=(0.0, -40.0), **values):
    """Return state, all verdicts and all traffic of a live track with a plot at each of these distances."""
    state, verdicts = State(), []
    for index, north in enumerate(north_m):
        rows = tracks(index * seconds, 0, north, velocity, **values)
        state, judgement = step(state, TrackUpdate(rows), PACK, {}, int(rows.time_ns[0]), SETTINGS)
        verdicts += judgement.verdicts
    return state, rows, verdicts, judgement


def test_live_verdict_turns_from_not_entered_to_entered_as_it_crosses():
    _, _, verdicts, _ = fly([4000 - 160 * k for k in range(40)])
    values = [verdict.verdict for verdict in verdicts]
    assert values[0] == NOT_ENTERED and values[-1] == ENTERED and not any(v.final for v in verdicts)
    assert len(verdicts) < 12          # news only, not one line a plot


def test_ended_track_gets_one_final_verdict_from_its_smoothed_trajectory():
    state, rows, _, _ = fly([4000 - 20 * k for k in range(50)])
    seconds = np.arange(0.0, 200.0, 4.0)
    ended = trajectory(seconds, 0 * seconds, 4000 - 5 * seconds)
    empty = rows.take(np.zeros(0, np.intp))
    state, judgement = step(state, TrackUpdate(empty, (ended,), rows), PACK, {}, T0 + 300 * NS_PER_S, SETTINGS)
    assert [(v.verdict, v.final) for v in judgement.verdicts] == [(NOT_ENTERED, True)]
    assert judgement.verdicts[0].evidence.plot_count == 50 and state.memory == {}


def test_end_of_the_run_concludes_what_is_still_live():
    state, rows, _, _ = fly([4000 - 20 * k for k in range(50)])
    _, judgement = finish(state, TrackUpdate(rows), PACK, {}, T0 + 300 * NS_PER_S, SETTINGS)
    assert [v.final for v in judgement.verdicts if v.final] == [True]


@pytest.mark.parametrize(("affiliation", "reason"), [("friend", "friend"), ("assumed_friend", "assumed_friend"),
                                                     ("neutral", "neutral")])
def test_identified_traffic_is_not_judged(affiliation, reason):
    _, _, verdicts, judgement = fly([4000 - 160 * k for k in range(40)],
                                    affiliation=AFFILIATIONS.index(affiliation))
    assert verdicts == [] and judgement.states.traffic_reason == (reason,) and not judgement.states.judged[0]


def test_transponder_that_is_not_consistent_makes_no_neutral():
    rows = tracks(0, 0, 3000, (0, -40), affiliation=AFFILIATIONS.index("neutral"))
    rows = replace(rows, mode3a=np.array([0o1200], np.int32))
    _, judgement = step(State(), TrackUpdate(rows), PACK, {}, T0, SETTINGS)
    assert judgement.states.judged[0]


def test_surely_a_bird_is_traffic_only_once_it_stays_so():
    _, _, verdicts, judgement = fly([40 * k - 1000 for k in range(40)], velocity=(0, 10), drone_prob=0.02,
                                    bird_prob=0.95)
    assert judgement.states.traffic_reason == ("bird",)
    assert verdicts            # it was judged until then: unsure is judged


def test_slow_object_first_seen_well_inside_is_taken_for_a_flock():
    _, _, _, judgement = fly([-6000 + 60 * k for k in range(40)], velocity=(0, 15), drone_prob=0.2, bird_prob=0.5)
    assert judgement.states.traffic_reason == ("bird",)


def test_slow_object_that_comes_in_from_outside_stays_judged():
    _, _, verdicts, judgement = fly([1000 - 60 * k for k in range(40)], velocity=(0, -15), drone_prob=0.2,
                                    bird_prob=0.5)
    assert judgement.states.traffic_reason == ("",) and verdicts[-1].verdict == ENTERED


def test_ended_flock_is_a_line_of_traffic_and_no_verdict():
    state, rows, _, _ = fly([-6000 + 60 * k for k in range(40)], velocity=(0, 15), drone_prob=0.2, bird_prob=0.5)
    seconds = np.arange(0.0, 160.0, 4.0)
    ended = trajectory(seconds, 0 * seconds, -6000 + 15 * seconds)
    empty = rows.take(np.zeros(0, np.intp))
    _, judgement = step(state, TrackUpdate(empty, (ended,), rows), PACK, {}, T0 + 300 * NS_PER_S, SETTINGS)
    assert judgement.verdicts == () and judgement.traffic[0].reason == "bird"


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 2_500), near=st.booleans())
def test_history_of_a_live_track_is_bounded_and_keeps_first_and_last(count, near):
    history = History(T0)
    for index in range(count):
        history = history.with_row((4.0 * index, 0.7, 0.5, 500.0 if near else 9e3, 1, 0, 0, 1, 2, 0, 1), 128)
    path = history.path()
    assert len(path) <= 128 + 32
    assert path.time_ns[-1] == T0 + 4 * (count - 1) * NS_PER_S
    assert np.all(np.diff(path.time_ns) > 0)


def test_state_survives_the_checkpoint_codec():
    state, _, _, _ = fly([4000 - 20 * k for k in range(40)])
    again = decode(encode(state))
    rows = tracks(170, 0, 3000, (0, -40))
    one = step(state, TrackUpdate(rows), PACK, {}, int(rows.time_ns[0]), SETTINGS)[1]
    two = step(again, TrackUpdate(rows), PACK, {}, int(rows.time_ns[0]), SETTINGS)[1]
    assert np.array_equal(one.states.border_m, two.states.border_m) and one.verdicts == two.verdicts


def test_a_step_leaves_the_state_it_was_given_as_it_was():
    state, _, _, _ = fly([4000, 3900, 3800])
    before = encode(state)
    rows = tracks(20, 0, 3000, (0, -40))
    step(state, TrackUpdate(rows), PACK, {}, int(rows.time_ns[0]), SETTINGS)
    assert encode(state) == before


def test_sensors_are_named_where_names_are_known():
    state, rows, _, _ = fly([4000, 3900, 3800])
    _, judgement = finish(state, TrackUpdate(rows), PACK, {}, T0 + 30 * NS_PER_S, SETTINGS)
    assert named(judgement, ("RO-GF-1",)).verdicts[-1].evidence.sensors == ("RO-GF-1",)


def test_text_of_the_pack_is_used_and_a_broken_one_falls_back():
    other = pack(south(), {"en": {"judge.at": "in {name}", "judge.near": "{nonsense}"}})
    assert text(other, "en", "judge.at", name="Linetown") == "in Linetown"
    assert text(other, "en", "judge.near", name="X", distance_km="1.0", compass="north") == \
        ENGLISH["judge.near"].format(name="X", distance_km="1.0", compass="north")

"""Neighbours' clocks and verdicts: the same judgement against their line, kept apart from the own."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from flights import T0, pack, place, south, tracks, trajectory

from lapwing.geo.border import build_territory
from lapwing.judge import Settings, State, finish, named, step
from lapwing.judge.from_tracks import EmittedTrack, judge_neighbours
from lapwing.model.renaming import renamed
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import AFFILIATIONS, CLASSES, TrackUpdate
from lapwing.model.verdicts import ENTERED, NOT_ENTERED
from lapwing.record.codec import decode, encode

SETTINGS = Settings()
# North of the line lies a country whose southern border is 10 km away; far to the north-east another one.
NORTH = build_territory([[(45.09, 27.0), (45.09, 30.0), (46.0, 30.0), (46.0, 27.0), (45.09, 27.0)]], name="Northland", code="NO",
                        version="1", sha256="7" * 64, bound_95_m=50.0)
FAR = build_territory([[(47.0, 27.0), (47.0, 30.0), (48.0, 30.0), (48.0, 27.0), (47.0, 27.0)]], name="Farland", code="FA",
                      version="1", sha256="8" * 64, bound_95_m=50.0)
AROUND = {"NO": NORTH, "FA": FAR}
PACK = replace(pack(south()), neighbours=("NO", "FA"), neighbour_names={"NO": {"en": "the North"}})


def fly(north_m, *, seconds=4.0, velocity=(0.0, 40.0), settings=SETTINGS, **values):
    """Return state, last rows, all verdicts on neighbours, and the last judgement of a live track with a plot at each distance."""
    state, theirs, own = State(), [], []
    for index, north in enumerate(north_m):
        rows = tracks(index * seconds, 0, north, velocity, **values)
        state, judgement = step(state, TrackUpdate(rows), PACK, AROUND, int(rows.time_ns[0]), settings)
        theirs += judgement.neighbours
        own += judgement.verdicts
    return state, rows, theirs, judgement, own


NORTHWARDS = [6_000 + 160 * k for k in range(50)]       # over their line (some 10.0 km north) on the way


def test_an_object_that_enters_a_neighbour_has_entered_there_and_not_here():
    _, _, theirs, judgement, own = fly(NORTHWARDS)
    assert theirs[0].verdict == NOT_ENTERED and theirs[-1].verdict == ENTERED and theirs[-1].country == "NO"
    assert not theirs[-1].seen_inside and "the North" in theirs[-1].statement["en"]
    assert {v.verdict for v in own} == {NOT_ENTERED} and judgement.states.inside_prob[0] < 1e-6
    assert theirs[-1].boundary.sha256 == NORTH.sha256


def test_the_clock_of_a_neighbour_tells_distance_closing_speed_and_time_to_go():
    _, _, _, judgement, _ = fly(NORTHWARDS[:10])
    (near,) = judgement.nearby                            # the far one is not near
    assert near.country == "NO" and near.border_m == pytest.approx(float(judgement.others["NO"][0]), abs=1.0)
    assert near.closing_mps == pytest.approx(40.0, abs=0.1)
    assert near.time_to_go_s == pytest.approx(near.border_m / 40.0, rel=0.02) and near.verdict == NOT_ENTERED


def test_who_is_over_a_neighbour_when_first_seen_is_said_so():
    _, _, theirs, judgement, _ = fly([12_000 - 160 * k for k in range(30)], velocity=(0.0, -40.0))
    assert theirs[-1].verdict == ENTERED and theirs[-1].seen_inside and judgement.nearby[0].seen_inside
    assert judgement.nearby[0].verdict == ENTERED and judgement.nearby[0].border_m > 0.0     # it has left, and was there
    json.dumps(asdict(judgement.nearby[0]))               # Python's own numbers and truths: a console's picture knows no others


def test_an_ended_track_gets_a_final_verdict_of_each_neighbour_that_it_came_near():
    state, rows, *_ = fly(NORTHWARDS)
    seconds = np.arange(0.0, 200.0, 4.0)
    ended = trajectory(seconds, 0 * seconds, 6_000 + 40 * seconds)
    empty = rows.take(np.zeros(0, np.intp))
    state, judgement = step(state, TrackUpdate(empty, (ended,), rows), PACK, AROUND, T0 + 300 * NS_PER_S, SETTINGS)
    assert [(v.country, v.verdict, v.final) for v in judgement.neighbours] == [("NO", ENTERED, True)]
    (entry,) = judgement.neighbours[0].entries
    line_m = float(judgement.neighbours[0].evidence.decisive[0].distance_m)
    assert line_m < 0.0 and state.neighbours == {} and judgement.nearby == ()
    # 45.09 N lies 4.003 km beyond the start: 100 s at 40 m/s.
    assert (entry.entry_ns - T0) / NS_PER_S == pytest.approx(100.0, abs=1.5)
    sensors = named(judgement, ("north",)).neighbours[0].evidence.sensors
    assert sensors == ("north",)


def test_the_end_of_a_run_concludes_neighbours_too():
    state, rows, *_ = fly(NORTHWARDS)
    _, judgement = finish(state, TrackUpdate(rows), PACK, AROUND, T0 + 300 * NS_PER_S, SETTINGS)
    assert [(v.country, v.verdict) for v in judgement.neighbours if v.final] == [("NO", ENTERED)]


def test_traffic_is_judged_by_no_neighbour():
    _, _, theirs, judgement, _ = fly(NORTHWARDS, affiliation=AFFILIATIONS.index("friend"))
    assert theirs == [] and judgement.nearby == ()


def test_what_is_far_from_every_neighbour_costs_no_clock():
    _, _, theirs, judgement, _ = fly(NORTHWARDS, settings=replace(SETTINGS, neighbour_m=1_000.0))
    assert theirs and theirs[0].evidence.plot_count < 30          # from when it came within a kilometre
    _, _, theirs, judgement, _ = fly(NORTHWARDS[:10], settings=replace(SETTINGS, neighbour_m=1_000.0))
    assert theirs == [] and judgement.nearby == ()


def test_own_verdicts_are_the_same_with_and_without_neighbours():
    *_, own = fly(NORTHWARDS)
    state, alone = State(), []
    for index, north in enumerate(NORTHWARDS):
        rows = tracks(index * 4.0, 0, north, (0.0, 40.0))
        state, judgement = step(state, TrackUpdate(rows), PACK, {}, int(rows.time_ns[0]), SETTINGS)
        alone += judgement.verdicts
    assert own == alone


def test_memory_of_neighbours_survives_the_checkpoint_and_a_new_number():
    state, rows, *_ = fly(NORTHWARDS[:30])
    track_id = rows.track_id[0]
    again = renamed(decode(encode(state)), {track_id: "delta-0007"})
    assert list(again.neighbours) == ["NO delta-0007"]
    later = replace(tracks(130, 0, NORTHWARDS[30], (0, 40)), track_id=("delta-0007",))
    _, judgement = step(again, TrackUpdate(later), PACK, AROUND, int(later.time_ns[0]), SETTINGS)
    assert judgement.nearby[0].track_id == "delta-0007"


def test_tracks_of_a_file_are_judged_against_neighbours():
    seconds = np.arange(0.0, 200.0, 4.0)
    latitude, longitude = place(0 * seconds, 6_000 + 40 * seconds)
    prob = np.full((len(seconds), len(CLASSES)), 0.01)
    prob[:, CLASSES.index("drone")] = 0.9
    track = EmittedTrack("T-1", T0 + np.rint(seconds * NS_PER_S).astype(np.int64), latitude, longitude, np.tile([0.0, 40.0], (50, 1)),
                         np.tile(np.eye(2) * 900.0, (50, 1, 1)), np.zeros(50, np.bool_), prob, "unknown")
    assert [(v.track_id, v.country, v.verdict) for v in judge_neighbours([track], PACK, AROUND, SETTINGS)] == [("T-1", "NO", ENTERED)]
    friend = replace(track, affiliation="friend")
    assert judge_neighbours([friend], PACK, AROUND, SETTINGS) == []

"""What authorities state of an incident: each sentence only where the record bears it out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_story import START_NS, small_pack

from lapwing.adapters import packs
from lapwing.country.texts import placeholders
from lapwing.model.times import NS_PER_S
from lapwing.record.canonical import iso
from lapwing.record.statements import ENGLISH, chains, statements
from lapwing.record.track_rows import DTYPE

PERIOD = {"start": "2025-08-05T20:30:00.000Z", "end": "2025-08-05T20:45:00.000Z"}
COVERAGE = {"border": {"length_km": 80.0, "radars": 2, "unseen": [{"height_m": 50.0, "km": 40.0}, {"height_m": 100.0, "km": 20.0}]}}


def flight(first_s, lat_deg, lon_deg, *, border_m=None, coasting_from=None):
    """Return rows of one track, one in 4 s, through these places."""
    count = len(lat_deg)
    rows = np.zeros(count, DTYPE)
    rows["time_ns"] = START_NS + (first_s + 4 * np.arange(count)) * NS_PER_S
    rows["lat_deg"], rows["lon_deg"] = lat_deg, lon_deg
    rows["vy_north"] = np.gradient(np.asarray(lat_deg, float)) * 111_200.0 / 4.0
    rows["vx_east"] = np.gradient(np.asarray(lon_deg, float)) * 78_500.0 / 4.0
    rows["border_m"] = np.full(count, 5_000.0) if border_m is None else border_m
    rows["coasting"] = np.arange(count) >= (count if coasting_from is None else coasting_from)
    return rows


def verdict(value="not_entered", *, closest_m=900.0, entries=(), inside_s=0.0, track_id="T-1", span_s=(0, 900)):
    return {"track_id": track_id, "verdict": value, "closest_m": closest_m, "deepest_m": max(0.0, -closest_m), "entries": list(entries),
            "seconds_inside": inside_s,
            "evidence": {"first_time": iso(START_NS + span_s[0] * NS_PER_S), "last_time": iso(START_NS + span_s[1] * NS_PER_S)}}


def entry(exit_s=None):
    return {"entry_time": iso(START_NS + 60 * NS_PER_S), "exit_time": None if exit_s is None else iso(START_NS + exit_s * NS_PER_S),
            "lat_deg": 45.3, "lon_deg": 28.7}


def stated(verdicts, tracks, *, notices=(), pack=None):
    made = statements(verdicts, list(notices), tracks, COVERAGE, pack or small_pack(), PERIOD)
    return {row["kind"]: row["text"]["en"] for row in made}


def south(count=100, start=45.6):
    return flight(0, start - 0.0018 * np.arange(count), np.full(count, 28.7), border_m=5_000.0 - 200.0 * np.arange(count))


def test_no_entry_is_stated_with_the_share_of_the_border_that_nobody_saw_and_only_where_all_verdicts_say_so():
    told = stated([verdict(), verdict(track_id="T-2", closest_m=700.0)], {"T-1": flight(0, [45.6] * 9, [28.7] * 9)})
    assert "No unauthorised entry" in told["no_entry"] and "700 m outside" in told["no_entry"] and "25 %" in told["no_entry"]
    assert "no_entry" not in stated([verdict(), verdict("undetermined", track_id="T-2")], {})
    assert stated([], {}) == {}


def test_one_lost_inside_entered_towards_and_one_that_left_entered_briefly():
    lost = stated([verdict("entered", closest_m=-14_800.0, entries=[entry()], inside_s=300.0)], {"T-1": south()})
    assert "about 14.8 km" in lost["entered_towards"] and "towards south;" in lost["entered_towards"]
    assert "entered_briefly" not in lost
    left = stated([verdict("entered", closest_m=-300.0, entries=[entry(180)], inside_s=120.0)], {"T-1": south()})
    assert "for 2.0 minutes" in left["entered_briefly"] and "entered_towards" not in left
    long = stated([verdict("entered", closest_m=-300.0, entries=[entry(1_500)], inside_s=1_400.0)], {"T-1": south()})
    assert "entered_briefly" not in long


def test_over_water_and_not_over_places_take_the_rows_inside():
    far = south(60, start=40.0)      # no zone and no place anywhere near
    told = stated([verdict("entered", closest_m=-300.0, entries=[entry(180)], inside_s=120.0)], {"T-1": far})
    assert told["entered_briefly"].endswith("over water only.") and "did not fly over inhabited areas" in told["not_over_places"]
    place = small_pack().places
    over = flight(0, [float(np.degrees(place.latitude_rad[0]))] * 20, [float(np.degrees(place.longitude_rad[0]))] * 20, border_m=-900.0)
    told = stated([verdict("entered", closest_m=-900.0, entries=[entry(180)], inside_s=120.0)], {"T-1": over})
    assert "not_over_places" not in told and "water" not in told["entered_briefly"]


def test_what_is_most_probably_another_object_seen_twice_is_not_stated_as_a_possible_entry():
    row = verdict("undetermined")
    assert stated([row | {"evidence": {**(row.get("evidence") or {}), "beside": "T-0"}}], {"T-1": south()}) == {}


def test_undetermined_is_a_possible_entry_with_the_way_the_signal_went():
    assert "towards south, last" in stated([verdict("undetermined")], {"T-1": south()})["possible_entry"]


def test_tracks_that_end_and_begin_on_one_way_are_most_probably_one_object():
    one = flight(0, 45.6 - 0.0018 * np.arange(50), np.full(50, 28.7))
    then = flight(250, 45.6 - 0.0018 * (62.5 + np.arange(50)), np.full(50, 28.7))
    elsewhere = flight(250, 45.9 - 0.0018 * np.arange(50), np.full(50, 28.7))
    late = flight(900, 45.6 - 0.0018 * (225 + np.arange(50)), np.full(50, 28.7))
    assert chains({"A": one, "B": then, "C": elsewhere, "D": late}) == [["A", "B"]]
    told = stated([verdict(track_id="A"), verdict(track_id="B")], {"A": one, "B": then})
    assert told["one_object"] == "Most probably one object, seen intermittently: A, B."


def test_partner_is_told_of_with_the_seconds_after_first_sight():
    pack = small_pack()
    notice = {"partner": pack.partners[0].id, "time": iso(START_NS + 42 * NS_PER_S), "objects": [{"track_id": "T-1"}]}
    told = stated([verdict()], {"T-1": south()}, notices=[notice])
    assert pack.partners[0].name in told["partner_informed"] and "42 s after" in told["partner_informed"]


def test_rows_after_the_time_of_the_verdict_say_nothing():
    rows = south()
    told = stated([verdict("undetermined", span_s=(0, 40))], {"T-1": rows})
    assert "20:30:40" in told["possible_entry"]


@pytest.mark.parametrize(("code", "languages"), [("ro", {"ro", "en", "uk"}), ("lt", {"lt", "en", "pl"})])
def test_every_language_of_a_full_pack_words_all_of_it_itself(code, languages, tmp_path):
    pack = packs.load_country(code, None)
    assert languages <= set(pack.texts)
    for language in languages:
        for key, english in ENGLISH.items():
            assert placeholders(pack.texts[language][key]) <= placeholders(english) | {"country"}
            assert language == "en" or pack.texts[language][key] != english
    rows = {"T-1": south()}
    for row in statements([verdict("entered", closest_m=-9_000.0, entries=[entry()], inside_s=300.0)], [], rows, COVERAGE, pack, PERIOD):
        assert set(row["text"]) == set(pack.languages) and all(row["text"].values())


def test_text_of_a_pack_that_names_another_value_gives_way_to_english():
    pack = replace(small_pack(), texts={"en": {"stated.one_object": "{nonsense}"}}, languages=("en",))
    one, then = flight(0, 45.6 - 0.0018 * np.arange(50), np.full(50, 28.7)), flight(204, 45.51 - 0.0018 * np.arange(50), np.full(50, 28.7))
    assert stated([verdict(track_id="A")], {"A": one, "B": then}, pack=pack).get("one_object") is None
    told = stated([verdict(track_id="A"), verdict(track_id="B")], {"A": one, "B": then}, pack=pack)
    assert told["one_object"].startswith("Most probably one object")


def test_what_was_not_seen_is_not_stated():
    far = south(60, start=40.0)
    lost = stated([verdict("entered", closest_m=-300.0, entries=[entry()], inside_s=120.0)], {"T-1": far})
    assert "not_over_places" not in lost and "entered_towards" in lost
    gap = verdict("entered", closest_m=-300.0, entries=[entry(180)], inside_s=120.0)
    gap["evidence"]["gaps"] = [{"start": PERIOD["start"], "end": PERIOD["end"]}]
    assert "not_over_places" not in stated([gap], {"T-1": far})
    first_inside = stated([verdict("entered", closest_m=-900.0, entries=[entry()], inside_s=120.0, span_s=(60, 900))], {"T-1": far})
    assert "entered_towards" not in first_inside

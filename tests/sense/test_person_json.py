"""People's records survive writing and reading; what is wrong with one is said in words."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.reports import Acknowledgement, Command, Identification, Impact, PatrolEvent, Sighting
from lapwing.sense import person_json as pj

TIME = 1_754_423_522_250_000_000
RECORDS = [
    ("patrol", PatrolEvent(TIME, "F-16 pair", "on_station", "Tulcea", "nothing seen", "duty officer"),
     pj.encode_patrol),
    ("identify", Identification(TIME, "friend", "20250805-0007", 0x4B1234, 0o7700, "ours", "A"),
     pj.encode_identification),
    ("command", Command(TIME, "raise", "", ("RO-TL",), "alert", TIME + 10**9, "why", "A"), pj.encode_command),
    ("acknowledge", Acknowledgement(TIME, "n-1", "MD liaison"), pj.encode_acknowledgement),
]


@pytest.mark.parametrize(("format_", "record", "write"), RECORDS)
def test_record_comes_back_as_it_was(format_, record, write):
    assert pj.decode_report(format_, write(record)) == record


def test_place_comes_back_to_a_tenth_of_a_millimetre():
    sighting = Sighting("s1", TIME, 30.0, "heard", 0.789123456, 0.5012345, 200.0, 1.25, 0.1, "Plauru", "drone", "B", 9)
    back = pj.decode_report("sighting", pj.encode_sighting(sighting), 9)
    assert math.isclose(back.latitude_rad, sighting.latitude_rad, abs_tol=1e-11)
    assert math.isclose(back.bearing_rad, sighting.bearing_rad, abs_tol=1e-10)
    impact = Impact(TIME, 0.78, 0.5, 300.0, "last seen", "C")
    assert math.isclose(pj.decode_report("impact", pj.encode_impact(impact)).longitude_rad, 0.5, abs_tol=1e-11)


def test_sighting_without_an_id_gets_the_same_one_on_replay():
    payload = b'{"time":"2025-08-05T19:52:02Z","kind":"fire","lat_deg":45.3,"lon_deg":28.4}'
    first, second = (pj.decode_report("sighting", payload, 5) for _ in range(2))
    assert first.id == second.id != pj.decode_report("sighting", payload, 6).id
    assert math.isnan(first.bearing_rad)


@pytest.mark.parametrize(("format_", "payload", "words"), [
    ("patrol", b"not json", "no JSON"),
    ("patrol", b"[1]", "a JSON object expected"),
    ("patrol", b'{"time":"2025-08-05T19:52:02","patrol":"x","event":"seen"}', "time = '2025-08-05T19:52:02'"),
    ("patrol", b'{"time":"2025-08-05T19:52:02Z","patrol":"x","event":"shot"}', "event = 'shot': one of asked"),
    ("patrol", b'{"time":"2025-08-05T19:52:02Z","event":"seen"}', "patrol: missing"),
    ("sighting", b'{"time":"2025-08-05T19:52:02Z","kind":"seen","lat_deg":145,"lon_deg":1}', "lat_deg = 145"),
    ("sighting", b'{"time":"2025-08-05T19:52:02Z","kind":"seen","lat_deg":NaN,"lon_deg":1}', "lat_deg = nan"),
    ("identify", b'{"time":"2025-08-05T19:52:02Z","affiliation":"friend"}', "one must name the object"),
    ("identify", b'{"time":"2025-08-05T19:52:02Z","affiliation":"enemy","track_id":"1"}', "one of unknown, neutral"),
    ("identify", b'{"time":"2025-08-05T19:52:02Z","affiliation":"friend","mode3a":"9"}', "mode3a = '9'"),
    ("acknowledge", b'{"time":"2025-08-05T19:52:02Z","notice_id":"n","by":"x","extra":1}', "unknown key 'extra'"),
    ("command", b'{"time":"2025-08-05T19:52:02Z","action":"approve","zones":"RO-TL"}', "zones: a list"),
    ("patrol", b"[" * 70_000, "octets; at most"),
    ("patrol", b"[" * 60_000, "no JSON"),
])
def test_what_is_wrong_with_a_record_is_said(format_, payload, words):
    with pytest.raises(pj.BadReport) as caught:
        pj.decode_report(format_, payload)
    assert words in str(caught.value)


@given(st.sampled_from(sorted(pj.READERS)), st.binary(max_size=200))
def test_any_octets_give_a_report_or_a_refusal(format_, payload):
    with contextlib.suppress(pj.BadReport):
        pj.decode_report(format_, payload)

"""Rows carry the names and units of the manual, and one value has one text."""

import json
import math

import numpy as np
import pytest
from report_story import IDS, SENSORS, ZONES, alert, tracks_at, verdict

from lapwing.model.errors import Refusal, StorageError
from lapwing.model.reports import PatrolEvent, Sighting
from lapwing.record import rows, track_rows
from lapwing.record.canonical import degrees, iso_or_none, metres, prob, rounded, to_json


def test_numbers_are_rounded_to_what_they_mean():
    assert (metres(794.04999), degrees(math.radians(45.123456789)), prob(0.00123456), rounded(-0.04, 1)) == (
        794.0, 45.1234568, 0.0012, 0.0)
    assert str(rounded(-0.04, 1)) == "0.0"
    assert (metres(math.nan), metres(math.inf), iso_or_none(0)) == (None, None, None)
    assert metres(np.float32(1.5)) == 1.5 and type(metres(np.float64(1.5))) is float


def test_json_is_canonical():
    assert to_json({"b": 1.0, "a": [None, True, "ț\u2028"]}) == '{"b":1.0,"a":[null,true,"ț\u2028"]}'.encode()
    assert to_json({"text": "half \ud800"}) == b'{"text":"half ?"}'
    with pytest.raises(ValueError):
        to_json({"x": math.nan})


def test_a_verdict_has_the_fields_of_the_manual():
    row = rows.verdict_row(verdict(IDS[0], -794.0, "entered", 45.2975, 28.456))
    assert list(row)[:18] == [
        "track_id", "country", "verdict", "entered_prob", "closest_m", "closest_m_low", "closest_m_high",
        "closest_time", "closest_lat_deg", "closest_lon_deg", "deepest_m", "entries", "seconds_inside", "boundary",
        "statement", "evidence", "reason", "final"]
    assert list(row["boundary"]) == ["name", "version", "sha256", "bound_95_m"]
    assert list(row["evidence"]) == ["plots", "sensors", "gaps", "bias", "first_time", "last_time", "exists_prob", "beside",
                                     "blind_border_share", "decisive"]
    assert row["entries"][0]["entry_time"] == "2025-08-05T20:40:00.000Z"
    assert row["closest_m"] == -794.0 and row["deepest_m"] == 794.0
    assert json.loads(to_json(row)) == row


def test_an_entry_without_exit_says_null():
    from dataclasses import replace

    item = verdict(IDS[0], -5.0, "entered", 45.0, 28.0)
    row = rows.verdict_row(replace(item, entries=(replace(item.entries[0], exit_ns=0),)))
    assert row["entries"][0]["exit_time"] is None


def test_an_alert_names_its_document_by_number_and_a_safe_name():
    line, path, octets = rows.alert_file_row(rows.alert_row(alert("alert", 60, ZONES)), 3)
    assert path == "alerts/003-lapwing_RO_alert_60.xml" and octets == "<alert>ț</alert>".encode()
    assert "cap_xml" not in line and line["cap_file"] == path
    assert {"identifier", "sent", "status", "msg_type", "references", "level", "zones", "polygon", "onset", "expires",
            "languages", "caused_by", "proposed_time", "approved_time", "approved_by", "cap_file"} <= set(line)
    assert line["zones"] == [{"code": "RO-TL-1", "name": "Isaccea", "population": 4789, "county": "RO-TL"}]


@pytest.mark.parametrize("identifier, name", [
    ("../../etc", "_.._etc"), ("", "_"), ("a/b:c", "a_b_c"), ("x" * 200, "x" * 100)])
def test_no_identifier_leaves_the_folder(identifier, name):
    assert rows.file_name(identifier) == name


def test_refusals_are_counted_by_reason_and_source():
    row = rows.refusals_row([Refusal("b", "w", "d", "1/2"), Refusal("a", "w", "d"),
                             Refusal("b", "x", "y", "1/2", count=4)], 0)
    found = [(item["reason"], item["source"], item["count"]) for item in row["refusals"]]
    assert found == [("a", "", 1), ("b", "1/2", 5)]


def test_what_is_not_known_is_null_not_nan():
    row = rows.sighting_row(Sighting("s", 0, 1.0, "heard", 0.8, 0.5, 100.0))
    assert row["bearing_deg"] is None and row["bearing_deg_sigma"] is None
    assert list(rows.patrol_row(PatrolEvent(0, "V", "seen"))) == ["time", "patrol", "event", "place", "text", "by"]


def test_packed_tracks_come_back():
    tracks = tracks_at(100)
    octets = track_rows.pack(tracks, np.array([1.5, np.nan, -3.0]), 7, judged=np.array([True, False, True]))
    back = track_rows.unpack(octets)
    assert [name.decode() for name in back["track_id"]] == list(IDS)
    assert np.allclose(np.radians(back["lat_deg"]), tracks.latitude_rad, atol=1e-15)
    assert back["border_m"].tolist()[::2] == [1.5, -3.0] and np.isnan(back["border_m"][1])
    assert back["position_cov_ee_m2"].tolist() == [8100.0] * 3
    assert back["callsign"].tolist() == [b"", b"", b"ROT123"] and back["emit_ns"].tolist() == [7] * 3
    assert track_rows.pack(tracks, np.array([1.5, np.nan, -3.0]), 7, judged=np.array([True, False, True])) == octets
    assert track_rows.class_names(back) == ["drone", "drone", "airliner"]


@pytest.mark.parametrize("octets", [
    b"", b"LTR1", b"LTR1xxxx" + bytes(200), track_rows.pack(tracks_at(0), None, 0)[:-1]])
def test_packed_rows_of_another_layout_are_refused(octets):
    with pytest.raises(StorageError):
        track_rows.unpack(octets)


def test_sensors_of_a_track_are_the_bits_of_its_mask():
    assert rows.sensor_names(np.uint64(5), 3) == (0, 2)
    assert rows.sensor_names(np.uint64(2**63), len(SENSORS.rows)) == ()

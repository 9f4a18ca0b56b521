"""CoT events are judged alike as XML and as TAK protocol; hostile documents are refused before they are read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.times import to_iso
from lapwing.sense import cot_check, cot_event
from lapwing.sense.findings import is_valid

EVENT = ("<event version='2.0' uid='A' type='a-u-A' how='m-f' time='2026-11-23T01:02:03.25Z' start='2026-11-23T01:02:03Z' "
         "stale='2026-11-23T01:02:18Z'><point lat='45.3' lon='28.6' hae='180' ce='9999999.0' le='999999'/></event>")


def judged(text):
    found = cot_check.check(text if isinstance(text, bytes) else text.encode())
    return is_valid(found), {finding.rule for finding in found}


def test_every_made_event_gets_its_verdict_as_xml_and_as_tak_protocol(shared):
    folder = shared / "data/interop/cot/made"
    for case in json.loads((folder / "cases.json").read_bytes())["cases"]:
        for name in (case["file"], *(case["wire"] or ())):
            assert judged((folder / name).read_bytes())[0] == case["valid"], name


def test_example_events_of_the_public_client_are_valid(shared):
    for path in sorted((shared / "data/interop/cot/atak-examples").glob("*.cot")):
        assert judged(path.read_bytes())[0], path.name


def test_events_back_to_back_are_all_read(shared):
    folder = shared / "data/interop/cot/made"
    text, wrong_text = cot_event.parse_events((folder / "stream_xml.txt").read_bytes())
    wire, wrong_wire = cot_event.parse_events((folder / "stream_proto.bin").read_bytes())
    assert [event.uid for event in text] == [event.uid for event in wire] and len(text) == 18
    assert not wrong_text and not wrong_wire


@pytest.mark.parametrize(("old", "new", "rule"), [
    ("lat='45.3' ", "", "missing"), ("lat='45.3'", "lat='1e1'", "number"), ("<point", "<x/><point", "unknown-element"),
    ("version='2.0'", "version='1.9'", "version"), ("03Z", "03", "time"), ("uid='A'", "uid='A' zz='1'", "unknown-attribute"),
    ("how='m-f'", "how=''", "how"), ("</event>", "<point lat='0' lon='0' hae='0' ce='0' le='0'/></event>", "point"),
    ("03Z", "03Z' qos='x", "qos"), ("02:18Z", "01:18Z", "order"), ("-23T01:02:03.25Z", "-33T01:02:03.25Z", "time"),
])
def test_each_fault_is_found_by_its_name(old, new, rule):
    assert judged(EVENT)[0]
    valid, rules = judged(EVENT.replace(old, new, 1))
    assert not valid and rule in rules


def test_both_sentinels_of_an_unknown_error_are_unknown():
    [event], _ = cot_event.parse_events(EVENT.encode())
    assert event.ce_m != event.ce_m and event.le_m != event.le_m and event.hae_m == 180.0


@pytest.mark.parametrize(("text", "expected"), [
    ("2026-11-23T01:02:03.123456789Z", "2026-11-23T01:02:03.123456789Z"),
    ("2026-11-23T01:02:03+02:00", "2026-11-22T23:02:03.000000000Z"), ("2026-11-22T24:00:00Z", "2026-11-23T00:00:00.000000000Z"),
])
def test_times_keep_every_decimal_and_their_zone(text, expected):
    assert to_iso(cot_event.parse_time(text), digits=9) == expected


@given(st.binary(max_size=200))
def test_no_octets_crash_the_check(octets):
    cot_check.check(octets)
    cot_check.check(b"\xbf\x01\xbf" + octets)
    cot_check.check(b"<event " + octets)

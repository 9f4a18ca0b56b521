"""SAPIENT messages are judged as the public harness judges them, and by the rules of the schema wherever they apply."""

import json

import pytest

pytest.importorskip("sapient_msg")

from hypothesis import given
from hypothesis import strategies as st

from lapwing.sense import sapient_check, sapient_wire
from lapwing.sense.findings import is_valid


def judged(document):
    found = sapient_check.check(document)
    return is_valid(found), {finding.rule for finding in found}


def test_the_public_harness_and_the_check_agree_on_every_message(shared):
    folder = shared / "data/interop/sapient"
    cases = json.loads((folder / "harness_cases.json").read_bytes())
    wrong = [case["file"] for case in cases if judged((folder / case["file"]).read_bytes())[0] != case["valid"]]
    assert len(cases) > 100 and not wrong


def test_json_and_wire_of_a_message_get_the_same_verdict(shared):
    folder = shared / "data/interop/sapient/made"
    for case in json.loads((folder / "cases.json").read_bytes())["cases"]:
        for name in filter(None, (case["file"], case["wire"])):
            assert judged((folder / name).read_bytes())[0] == case["valid"], name


@pytest.mark.parametrize(("document", "rule"), [
    (b"", "empty"), (b"{}", "mandatory"), (b"{", "not-a-message"), (b"\xff\xff\xff\xff rest", "frame"),
    (b'{"timestamp": "2023-07-07T12:44:17Z", "nodeId": "a8654cdf-4328-47de-81fa-c495589e30c9", "error": '
     b'{"packet": "AA=="}}', "mandatory"),
    (b'{"timestamp": 5}', "not-a-message"),
])
def test_what_is_no_message_is_named_for_what_it_is(document, rule):
    valid, rules = judged(document)
    assert not valid and rule in rules


def test_an_unknown_field_does_not_hide_what_else_is_wrong():
    valid, rules = judged(b'{"nodeId": "AAA", "threat": 1}')
    assert not valid and {"not-a-message", "uuid", "mandatory"} <= rules


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.integers(1, 40))
def test_frames_do_not_depend_on_how_the_stream_is_cut(payloads, step):
    stream = b"".join(map(sapient_wire.frame, payloads))
    reader = sapient_wire.FrameReader()
    found = [one for at in range(0, len(stream), step) for one in reader.feed(stream[at : at + step])]
    assert found == payloads and not reader.pending_octets


@given(st.binary(max_size=200))
def test_no_octets_crash_the_check(octets):
    sapient_check.check(octets)
    sapient_check.check(b"{" + octets)

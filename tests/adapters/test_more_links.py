"""Reports over HTTP, a file written anew, and CoT streams become entries, whole and in order."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from lapwing.adapters.http_in import records_of
from lapwing.adapters.links import LINKS, Surroundings, check_link, open_link
from lapwing.adapters.poll import PollSource
from lapwing.model.entries import AIRCRAFT_JSON
from lapwing.model.errors import ConfigError
from lapwing.sense.cot import CotCutter

HEARD = {"sensor": "ear", "time": "2025-08-05T19:52:02Z", "azimuth_deg": 211.0, "lat_deg": 45.2, "lon_deg": 28.4}


def post(port, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_posted_records_are_journaled_one_by_one_and_the_rest_is_answered_in_words():
    link = open_link("http-in://127.0.0.1:0", Surroundings(lambda: 7, lambda _: True))
    got = []
    reader = threading.Thread(target=lambda: got.extend(link))
    reader.start()
    assert post(link.port, "/acoustic", json.dumps(HEARD).encode()) == (202, {"taken": 1})
    assert post(link.port, "/acoustic", b"\n".join([json.dumps(HEARD).encode()] * 2))[1] == {"taken": 2}
    assert post(link.port, "/position", json.dumps([HEARD]).encode())[0] == 202
    assert [post(link.port, path, body)[0] for path, body in (("/nothing", b"{}"), ("/acoustic", b"{"), ("/acoustic", b"[1]"))] == [400] * 3
    link.close()
    reader.join(5)
    assert [item[2] for item in got] == ["acoustic"] * 3 + ["position"] and got[0][1] == "http-in://127.0.0.1:0#127.0.0.1"
    assert json.loads(got[0][3]) == HEARD


def test_a_sender_that_is_not_on_the_list_is_refused():
    link = open_link("http-in://127.0.0.1:0", Surroundings(lambda: 7, lambda _: True, allow=lambda host: False))
    assert post(link.port, "/acoustic", json.dumps(HEARD).encode())[0] == 403
    link.close()


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{}\n5", b"[" * 100_000])
def test_what_is_no_record_is_refused(body):
    with pytest.raises((ValueError, RecursionError)):
        records_of("acoustic", body)


def test_a_file_written_anew_is_handed_on_when_it_changed(tmp_path):
    path = tmp_path / "aircraft.json"
    contents = [None, b"{1}", b"{1}", b"{2}"]

    def wait(_):
        if not contents:
            return True
        content = contents.pop(0)
        if content is not None:
            path.write_bytes(content)
        return False

    source = PollSource(f"aircraft-json://{path}", lambda: 7, wait, format_=AIRCRAFT_JSON)
    assert [item[3] for item in source] == [b"{1}", b"{2}"] and "cannot read" in source.failures[0]


@pytest.mark.parametrize("name", ["stream_xml.txt", "stream_proto.bin"])
@pytest.mark.parametrize("step", [1, 17, 100_000])
def test_cot_streams_are_cut_into_their_events_however_they_come(shared, name, step):
    stream = (shared / "data/interop/cot/made" / name).read_bytes()
    cutter = CotCutter()
    pieces = [piece for k in range(0, len(stream), step) for piece in cutter.feed(stream[k : k + step])]
    assert len(pieces) == 18 and not cutter.broken


def test_every_link_of_the_table_is_checked_without_opening_it():
    for scheme in LINKS:
        check_link(f"{scheme}:///tmp/file" if scheme in ("follow", "aircraft-json") else f"{scheme}://127.0.0.1:8600")
        with pytest.raises(ConfigError):
            check_link(f"{scheme}://")

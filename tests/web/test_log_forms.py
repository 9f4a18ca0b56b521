"""What people know is taken as JSON and as a form, checked alike, and offered as a page of plain HTML."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from lapwing.cli.main import main
from lapwing.model.errors import InputError
from lapwing.sense.person_json import READERS, decode_report
from lapwing.web.app import create_app
from lapwing.web.forms import PAGE, check_entry
from lapwing.web.hub import Hub


def client(taken):
    hub = Hub(receiver=lambda kind, payload: taken.append((kind, json.loads(payload))))
    return TestClient(create_app(hub), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 5))


def test_a_form_is_journaled_like_the_same_json():
    taken = []
    form = "by=Ana&kind=heard&lat_deg=45%2C2&lon_deg=28.4&bearing_deg=&text=un+motor+%C8%99i+un+geam"
    here = client(taken)
    assert here.post("/api/log/sighting", content=form).status_code == 202
    assert here.post("/api/log/sighting", content=json.dumps(taken[0][1])).status_code == 202
    assert taken[0] == taken[1] and taken[0][1]["text"] == "un motor și un geam" and taken[0][1]["lat_deg"] == 45.2


@pytest.mark.parametrize("form", ["by=Ana&kind=heard&lat_deg=north&lon_deg=2", "by=Ana&kind=seen&kind=seen", "by=&kind=heard",
                                  "by=Ana&kind=heard&lat_deg=95&lon_deg=2", "by=%ff&kind=seen", "by=Ana&lat_deg=inf"])
def test_a_wrong_form_is_refused_in_words(form):
    with pytest.raises(InputError):
        check_entry("sighting", form.encode())


def test_the_page_has_a_form_for_every_kind_with_fields_that_the_readers_know():
    answer = client([]).get("/log")
    assert answer.status_code == 200 and "form-action 'self'" in answer.headers["content-security-policy"]
    assert set(re.findall(r'action="/api/log/(\w+)"', answer.text)) == set(PAGE) <= set(READERS)
    values = {"lat_deg": 45, "lon_deg": 28, "radius_m": 500, "bearing_deg": 10, "sector_deg": 30, "icao_address": "4A1234",
              "mode3a": "1000", "position_m_sigma": 10, "bearing_deg_sigma": 5, "time_s_sigma": 5}
    for kind, (_, fields) in PAGE.items():
        record = {key: (choices[0] if choices else values.get(key, "x")) for key, _, choices in fields}
        decode_report(kind, json.dumps({"time": "2025-08-05T10:00:00Z", "by": "Ana", "text": "t", **record}).encode())


def printed(capsys, *words):
    assert main(["log", *words, "--as", "Ana", "--time", "2025-08-05T20:41:00Z", "--print"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_writes_a_search_sector_and_an_order_on_a_sensor(capsys):
    point = printed(capsys, "impact", "--lat", "45.2", "--lon", "28.4", "--last-seen", "--bearing", "-20", "--sector", "40")
    assert (point["kind"], point["bearing_deg"], point["sector_deg"], point["radius_m"]) == ("last_seen", 340.0, 40.0, 500.0)
    assert printed(capsys, "sensor", "lift", "--sensor", "tulcea")["action"] == "lift"
    heard = printed(capsys, "sighting", "heard", "--lat", "45.2", "--lon", "28.4", "--bearing", "90", "--bearing-sigma", "20")
    assert heard["bearing_deg_sigma"] == 20.0
    assert main(["log", "sensor", "explode", "--sensor", "tulcea", "--as", "Ana", "--print"]) == 2
    assert main(["log", "impact", "--lat", "45.2", "--lon", "28.4", "--sector", "40", "--as", "Ana", "--print"]) == 2

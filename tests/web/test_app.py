"""The server: what it serves, what it lets in, and what it refuses."""

import json
import socket
import time
import urllib.request

import pytest
from fake_feed import Show, made_up_pack
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from lapwing.model.errors import ConfigError, InputError
from lapwing.web import library
from lapwing.web.app import create_app
from lapwing.web.hub import Hub
from lapwing.web.serve import start

HERE = ("127.0.0.1", 50_000)
APPROVE = {"action": "approve", "alert_id": "p1", "by": "M. Ionescu"}


def client_of(hub: Hub, *, came_from=HERE) -> TestClient:
    return TestClient(create_app(hub), base_url="http://127.0.0.1:8080", client=came_from)


@pytest.fixture(scope="module")
def played():
    taken: list[tuple[str, bytes]] = []
    hub = Hub(lambda kind, payload: taken.append((kind, payload)))
    show = Show(hub, made_up_pack())
    show.skip(100.0)
    return hub, taken


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/main.js",
        "/static/console.css",
        "/lib/maplibre-gl.js",
        "/lib/maplibre-gl.css",
        "/glyphs/Noto Sans Regular/0-255.pbf",
        "/glyphs/Any/9984-10239.pbf",
        "/favicon.ico",
        "/api/site",
        "/api/picture",
        "/api/history",
        "/api/alerts",
        "/livez",
    ],
)
def test_everything_the_page_needs_is_served_here_with_a_strict_policy(played, path):
    answer = client_of(played[0]).get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_the_page_names_no_address_outside():
    page = client_of(Hub()).get("/").text
    assert "http:" not in page and "https:" not in page and "//" not in page.replace("<!", "")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/glyphs/x/..%2F..%2Fapp.pbf", "/lib/../../pyproject.toml", "/docs", "/openapi.json"]
)
def test_nothing_else_is_served(played, path):
    answer = client_of(played[0]).get(path)
    assert answer.status_code == 404 or answer.content == b""


def test_a_console_gets_hello_and_then_the_newest_picture(played):
    with client_of(played[0]).websocket_connect("ws://127.0.0.1:8080/api/live") as socket_:
        hello, picture = socket_.receive_json(), socket_.receive_json()
    assert hello["type"] == "hello" and hello["takes_entries"] is True
    assert picture["type"] == "picture" and len(picture["tracks"]) == 9 and picture["alerts"]


def test_a_picture_published_later_reaches_an_open_console():
    hub = Hub()
    show = Show(hub, made_up_pack())
    with client_of(hub).websocket_connect("ws://127.0.0.1:8080/api/live") as socket_:
        assert socket_.receive_json()["picture_age_s"] is None
        show.step()
        assert socket_.receive_json()["time"] == "2025-08-05T20:20:02.000Z"


def test_a_decision_is_handed_on_without_a_time_of_its_own(played):
    hub, taken = played
    answer = client_of(hub).post("/api/command", json=APPROVE | {"time": "2001-01-01T00:00:00Z", "by": "  M. Ionescu "})
    assert answer.status_code == 202
    assert taken[-1][0] == "command" and json.loads(taken[-1][1]) == APPROVE


def test_a_sighting_keeps_the_time_the_person_gave(played):
    hub, taken = played
    seen = {"time": "2025-08-05T20:31:00Z", "kind": "fire", "lat_deg": 45.3, "lon_deg": 28.4, "by": "post 4"}
    assert client_of(hub).post("/api/log/sighting", json=seen).status_code == 202
    assert taken[-1][0] == "sighting" and json.loads(taken[-1][1])["time"] == seen["time"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/command", b"", "not JSON"),
        ("/api/command", b"[]", "not one JSON object"),
        ("/api/command", b'{"by": NaN}', "NaN"),
        ("/api/command", b'{"action": "approve", "alert_id": "x"}', "no name"),
        ("/api/command", b'{"action": "fire", "alert_id": "x", "by": "a"}', "fire"),
        ("/api/command", b'{"action": "approve", "by": "a"}', "alert_id"),
        ("/api/command", b'{"action": "approve", "alert_id": "x", "by": "a", "z": 1e999}', "too large"),
        ("/api/log/patrol", b'{"event": "lunch", "patrol": "F1", "by": "a"}', "lunch"),
        ("/api/command", b"x" * 70_000, "longer"),
    ],
)
def test_a_wrong_entry_is_refused_in_words(played, path, body, says):
    hub, taken = played
    before = len(taken)
    answer = client_of(hub).post(path, content=body)
    assert answer.status_code == 422 and says in answer.json()["error"] and len(taken) == before


def test_entries_are_refused_from_other_machines_other_pages_and_other_names(played):
    hub, taken = played
    before = len(taken)
    assert client_of(hub, came_from=("10.1.2.3", 5)).post("/api/command", json=APPROVE).status_code == 403
    assert client_of(hub).post("/api/command", json=APPROVE, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert client_of(hub).post("/api/command", json=APPROVE, headers={"host": "rebound.example"}).status_code == 421
    assert len(taken) == before


def test_a_foreign_page_gets_no_live_picture(played):
    with (
        pytest.raises(WebSocketDisconnect),
        client_of(played[0]).websocket_connect("ws://127.0.0.1:8080/api/live", headers={"origin": "http://elsewhere.example"}) as socket_,
    ):
        socket_.receive_json()


def test_a_console_that_only_shows_says_so():
    answer = client_of(Hub()).post("/api/command", json=APPROVE)
    assert answer.status_code == 409 and "only shows" in answer.json()["error"]


def test_an_unknown_log_names_the_known_ones():
    answer = client_of(Hub()).post("/api/log/weapons", json={"by": "a"})
    assert answer.status_code == 404 and "patrol" in answer.json()["remedy"]


def test_before_the_first_picture_the_api_says_wait():
    answer = client_of(Hub()).get("/api/picture")
    assert answer.status_code == 503 and "starting" in answer.json()["remedy"]


def test_a_missing_map_library_is_said_at_the_start(monkeypatch):
    monkeypatch.setitem(library.FILES, "maplibre-gl.js", ("maplibre/gone.js", "text/javascript"))
    with pytest.raises(ConfigError, match="pip install maplibre"):
        create_app(Hub())


def test_the_server_takes_a_free_port_answers_and_stops():
    server = start(create_app(Hub()), port=0)
    with urllib.request.urlopen(server.url + "livez", timeout=5) as answer:
        assert json.load(answer)["status"] == "ok"
    server.stop()
    with socket.socket() as probe:
        probe.settimeout(1)
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_port_in_use_says_so_and_what_to_do():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=r"in use.*choose another port"):
            start(create_app(Hub()), port=other.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [("0.0.0.0", 0, ConfigError), ("example", 0, ConfigError), ("127.0.0.1", 70_000, InputError)],
)
def test_the_console_listens_on_loopback_only(host, port, error):
    with pytest.raises(error):
        start(create_app(Hub()), host=host, port=port)


def test_stopping_with_an_open_console_is_quick():
    import asyncio

    import websockets

    hub = Hub()
    Show(hub, made_up_pack()).step()
    server = start(create_app(hub), port=0)

    async def look() -> float:
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/api/live") as console:
            await console.recv()
            begun = time.monotonic()
            await asyncio.to_thread(server.stop)
            return time.monotonic() - begun

    assert asyncio.run(look()) < 60.0

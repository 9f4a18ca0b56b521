"""Every route and socket refuses the wrong role, the wrong page, the ended session and the expired key."""

import json
import sqlite3
import sys

import pytest
from argon2 import PasswordHasher
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from lapwing.adapters.accounts import IDLE_NS, SESSION_NS
from lapwing.adapters.audit_file import check_audit, read_audit
from lapwing.cli.main import main
from lapwing.model.times import NS_PER_S
from lapwing.runtime.access import OPEN, ROLES, Access, Account, Throttle, least_role, may, open_access
from lapwing.web.app import create_app
from lapwing.web.gate import COOKIE
from lapwing.web.hub import Hub

HOST, ORIGIN = "http://127.0.0.1:8650", {"origin": "http://127.0.0.1:8650"}
PASSWORD = "correct horse battery staple"
APPROVE = {"action": "approve", "alert_id": "p1", "by": "somebody else"}

# Route -> (method, path, body, least role). The test below fails for a route of the app that is not here.
REQUESTS = {
    "/": ("GET", "/", None, "viewer"), "/log": ("GET", "/log", None, "viewer"), "/favicon.ico": ("GET", "/favicon.ico", None, OPEN),
    "/lib/{name}": ("GET", "/lib/maplibre-gl.css", None, OPEN),
    "/glyphs/{stack}/{name}.pbf": ("GET", "/glyphs/x/0-255.pbf", None, OPEN),
    "/livez": ("GET", "/livez", None, OPEN), "/readyz": ("GET", "/readyz", None, OPEN), "/metrics": ("GET", "/metrics", None, "viewer"),
    "/api/site": ("GET", "/api/site", None, "viewer"), "/api/picture": ("GET", "/api/picture", None, "viewer"),
    "/api/history": ("GET", "/api/history", None, "viewer"), "/api/alerts": ("GET", "/api/alerts", None, "viewer"),
    "/api/live": ("WS", "/api/live", None, "viewer"), "/api/command": ("POST", "/api/command", APPROVE, "operator"),
    "/api/log/{kind}": ("POST", "/api/log/patrol", {"event": "seen", "patrol": "V", "by": "x"}, "operator"),
    "/login": ("GET", "/login", None, OPEN), "/api/me": ("GET", "/api/me", None, "viewer"),
    "/api/login": ("POST", "/api/login", {"name": "nobody", "password": "x"}, OPEN), "/api/logout": ("POST", "/api/logout", None, OPEN),
    "/static": ("GET", "/static/login.js", None, OPEN),
}


class Site:
    def __init__(self, folder) -> None:
        self.now_ns, self.now_s, self.taken = 1_754_423_400 * NS_PER_S, 0.0, []
        self.access: Access = open_access(folder, lambda: self.now_ns, lambda: self.now_s)
        self.accounts, self.folder = self.access._accounts, folder
        self.accounts._hasher = PasswordHasher(time_cost=1, memory_cost=64)     # a test need not make guessing slow
        self.accounts._nobody = self.accounts._hasher.hash("x")
        self.app = create_app(Hub(lambda kind, payload: self.taken.append((kind, json.loads(payload)))), access=self.access)
        for role in ROLES:
            self.accounts.set_user(role, role, PASSWORD, self.now_ns)

    def client(self, address="10.1.2.3", **headers) -> TestClient:
        return TestClient(self.app, base_url=HOST, client=(address, 50_000), headers=headers, follow_redirects=False)

    def signed_in(self, role: str, **headers) -> TestClient:
        client = self.client(**headers)
        client.cookies.set(COOKIE, self.accounts.begin_session(Account(role, role), self.now_ns))
        return client


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"))


def ask(client: TestClient, method: str, path: str, body=None) -> int:
    """Return the status of a request; for a socket 200 where it was opened, 403 where it was closed."""
    if method != "WS":
        return client.request(method, path, json=body).status_code
    try:
        with client.websocket_connect(f"ws://127.0.0.1:8650{path}") as socket:
            socket.receive_json()
            return 200
    except WebSocketDisconnect:
        return 403


def test_every_route_of_the_app_is_in_the_table(site):
    routes = {route.path for route in site.app.routes if isinstance(route, APIRoute | APIWebSocketRoute | Mount)}
    assert routes == set(REQUESTS), "put the new route into REQUESTS and into runtime.access.ROUTES"
    for method, path, _, role in REQUESTS.values():
        assert least_role(method, path) == role


@pytest.mark.parametrize("route", REQUESTS)
def test_a_route_is_answered_from_its_role_on_and_refused_below_and_to_nobody(site, route):
    method, path, body, least = REQUESTS[route]
    refused = {401, 403, 303}
    for role in ROLES:
        status = ask(site.signed_in(role, **ORIGIN), method, path, body)
        assert (status in {403}) == (not may(role, least)) or path == "/api/login", (role, status)
    if least != OPEN:
        assert ask(site.client(**ORIGIN), method, path, body) in refused
        stranger = site.client(**ORIGIN)
        stranger.cookies.set(COOKIE, "made-up")
        assert ask(stranger, method, path, body) in refused


@pytest.mark.parametrize("route", [route for route, (method, *_) in REQUESTS.items() if method in ("POST", "WS")])
@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:9", None])
def test_a_foreign_page_can_use_nobodys_session(site, route, origin):
    method, path, body, _ = REQUESTS[route]
    before = len(site.taken)
    assert ask(site.signed_in("admin", **({"origin": origin} if origin else {})), method, path, body) == 403
    assert len(site.taken) == before


@pytest.mark.parametrize("route", [route for route, row in REQUESTS.items() if row[3] != OPEN])
def test_a_key_opens_what_its_role_may_until_it_expires_or_is_removed(site, route):
    method, path, body, least = REQUESTS[route]
    secret = site.accounts.make_key("program", least, site.now_ns + NS_PER_S)
    bearer = {"authorization": f"Bearer {secret}"}
    assert ask(site.client(**bearer), method, path, body) in {200, 202, 503}     # 503: no picture yet
    if least != "viewer":
        weak = site.accounts.make_key("program", "viewer", site.now_ns + NS_PER_S)
        assert ask(site.client(authorization=f"Bearer {weak}"), method, path, body) == 403
    site.now_ns += 2 * NS_PER_S
    assert ask(site.client(**bearer), method, path, body) in {401, 403, 303}
    assert ask(site.client(authorization="Bearer lwk_made-up"), method, path, body) in {401, 403, 303}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/nothing", "/api/users", "/docs", "/openapi.json", "/api/log/%2e%2e/command", "/static/%2e%2e/app.py"])
def test_nothing_outside_of_the_table_is_answered(site, method, path):
    assert site.signed_in("admin", **ORIGIN).request(method, path).status_code in {404, 405}


def test_a_session_ends_with_the_shift_with_idleness_with_signing_out_and_with_the_account(site):
    for after_ns in (IDLE_NS + 1, SESSION_NS + 1):
        client = site.signed_in("viewer")
        assert client.get("/api/me").status_code == 200
        site.now_ns += after_ns
        assert client.get("/api/me").status_code == 401
    client = site.signed_in("viewer", **ORIGIN)
    assert client.post("/api/logout").status_code == 200 and client.get("/api/me").status_code == 401
    site.accounts.set_user("gone", "admin", PASSWORD, site.now_ns)
    client = site.signed_in("gone")
    site.accounts.remove_user("gone")
    assert client.get("/api/me").status_code == 401


def test_the_page_signs_in_with_a_cookie_that_no_script_and_no_other_site_gets(site):
    client = site.client(address="10.9.9.9", **ORIGIN)
    answer = client.post("/api/login", json={"name": "operator", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 200 and "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
    assert client.get("/api/me").json() == {"name": "operator", "role": "operator"}
    assert client.get("/").status_code == 200 and site.client().get("/").headers["location"] == "/login"


def test_a_decision_carries_the_name_of_the_account_whatever_the_page_sends(site):
    assert site.signed_in("operator", **ORIGIN).post("/api/command", json=APPROVE).status_code == 202
    assert site.taken[-1] == ("command", {"action": "approve", "alert_id": "p1", "by": "operator", "role": "officer"})
    assert read_audit(site.folder / "audit.sqlite")[-1].who == "operator"


def test_a_page_cannot_claim_a_role(site):
    site.signed_in("operator", **ORIGIN).post("/api/command", json={**APPROVE, "role": "supervisor"})
    assert site.taken[-1][1]["role"] == "officer"
    site.signed_in("admin", **ORIGIN).post("/api/command", json=APPROVE)
    assert site.taken[-1][1]["role"] == "supervisor"
    open_site = TestClient(create_app(Hub(lambda kind, payload: site.taken.append((kind, json.loads(payload))))), base_url=HOST,
                           client=("127.0.0.1", 1))
    assert open_site.post("/api/command", json={**APPROVE, "role": "supervisor"}).status_code == 202
    assert "role" not in site.taken[-1][1]


@pytest.mark.parametrize("action, role, status", [("raise", "operator", 403), ("all-clear", "operator", 403), ("cancel", "operator", 202),
                                                  ("all-clear", "supervisor", 202), ("refuse", "operator", 202)])
def test_a_command_takes_its_own_role(site, action, role, status):
    body = {"action": action, "alert_id": "p1", "by": "x", "zones": ["RO-TL"], "level": "alert", "text": "seen from the bank"}
    assert site.signed_in(role, **ORIGIN).post("/api/command", json=body).status_code == status


def test_guessing_is_slowed_by_name_and_by_address_and_right_words_do_not_help_meanwhile(site):
    client = site.client(address="10.7.7.7", **ORIGIN)
    tries = [client.post("/api/login", json={"name": "supervisor", "password": f"wrong {n}"}).status_code for n in range(7)]
    assert tries == [401] * 5 + [429] * 2
    assert client.post("/api/login", json={"name": "supervisor", "password": PASSWORD}).status_code == 429
    other = site.client(address="10.7.7.8", **ORIGIN)
    assert other.post("/api/login", json={"name": "supervisor", "password": PASSWORD}).status_code == 429
    site.now_s += 1_000.0
    assert client.post("/api/login", json={"name": "supervisor", "password": PASSWORD}).status_code == 200


def test_waiting_doubles_and_ends():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    waits = []
    for _ in range(20):
        throttle.failed("a")
        waits.append(throttle.wait_s("a"))
    assert waits[:4] == [0.0] * 4 and waits[4:8] == [1.0, 2.0, 4.0, 8.0] and max(waits) == 900.0 and throttle.wait_s("b") == 0.0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name": 1, "password": 2}', b"x" * 9_000, b'{"name": "\\ud800", "password": "x"}'])
def test_no_body_makes_signing_in_fall_over(site, body):
    client = TestClient(site.app, base_url=HOST, client=("10.6.6.6", 1), headers=ORIGIN, raise_server_exceptions=False)
    assert client.post("/api/login", content=body).status_code in {401, 413, 422, 429}


def test_without_accounts_this_machine_alone_is_served(tmp_path):
    access = open_access(tmp_path, lambda: 0, lambda: 0.0)
    app = create_app(Hub(), access=access)
    assert TestClient(app, base_url=HOST, client=("127.0.0.1", 1)).get("/api/me").json()["role"] == "admin"
    assert TestClient(app, base_url=HOST, client=("10.1.2.3", 1)).get("/api/me").status_code == 403


def test_secrets_stand_in_no_file(site):
    secret = site.accounts.make_key("k", "viewer", site.now_ns + NS_PER_S)
    session = site.accounts.begin_session(site.accounts.check("viewer", PASSWORD), site.now_ns)
    for path in site.folder.iterdir():
        content = path.read_bytes()
        assert PASSWORD.encode() not in content and secret.encode() not in content and session.encode() not in content, path
    assert (site.folder / "accounts.sqlite").stat().st_mode & 0o077 == 0 and (site.folder / "audit-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("sql, says", [
    ("UPDATE audit SET who = 'other' WHERE number = 1", "row 1: changed"), ("DELETE FROM audit WHERE number = 1", "row 1: removed"),
    ("UPDATE audit SET number = 99 WHERE number = 2", "row"), ("UPDATE audit SET signature = zeroblob(64) WHERE number = 0", "not signed")])
def test_a_changed_audit_is_found_and_the_file_itself_refuses_changes(tmp_path, sql, says):
    access = open_access(tmp_path, lambda: 5, lambda: 0.0)
    for number in range(4):
        access.note("a", "did", number=number)
    path, key = tmp_path / "audit.sqlite", access._audit.public_key
    assert check_audit(path, key) == []
    with sqlite3.connect(path) as changed, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        changed.execute(sql)
    with sqlite3.connect(path) as changed:
        changed.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")
        changed.execute(sql)
    assert any(says in fault for fault in check_audit(path, key))


def test_two_processes_append_to_one_audit_and_the_chain_holds(tmp_path):
    service, command = (open_access(tmp_path, lambda: 5, lambda: 0.0) for _ in range(2))
    for access in (service, command, service, service, command):
        access.note("a", "did")
    assert check_audit(tmp_path / "audit.sqlite", service._audit.public_key) == []
    assert [row.number for row in read_audit(tmp_path / "audit.sqlite")] == [0, 1, 2, 3, 4]


def test_an_audit_made_anew_is_not_signed_with_the_key_that_was_written_down(tmp_path):
    for name in ("one", "two"):
        open_access(tmp_path / name, lambda: 5, lambda: 0.0).note("a", "did")
    key = open_access(tmp_path / "one", lambda: 5, lambda: 0.0)._audit.public_key
    assert check_audit(tmp_path / "one" / "audit.sqlite", key) == [] and check_audit(tmp_path / "two" / "audit.sqlite", key)


def test_users_are_made_listed_and_removed_by_command(tmp_path, monkeypatch, capsys):
    import io

    config = tmp_path / "site.toml"
    assert main(["init", "--country", "ro", "--out", str(config)]) == 0
    site = ["--site", str(config)]
    for password, status in (("short", 2), (PASSWORD, 0)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
        assert main(["users", "add", "A. Pop", "--role", "supervisor", "--password-stdin", *site]) == status
    assert main(["users", "key", "radar bridge", "--role", "operator", "--days", "5", *site]) == 0
    assert main(["users", "key", "radar bridge", "--days", "500", *site]) == 2
    capsys.readouterr()
    assert main(["users", "list", "--json", *site]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["kind"], row["name"], row["role"]) for row in rows] == [("person", "A. Pop", "supervisor"),
                                                                          ("key", "radar bridge", "operator")]
    assert main(["users", "remove-key", rows[1]["id"], *site]) == 0 and main(["users", "remove", "A. Pop", *site]) == 0
    assert main(["users", "remove", "A. Pop", *site]) == 1
    assert main(["users", "audit", *site]) == 0 and "4 rows, whole and signed" in capsys.readouterr().out
    assert main(["users", "audit", "--public-key", "00" * 32, *site]) == 1

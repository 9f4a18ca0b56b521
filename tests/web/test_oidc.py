"""Signing in at an identity provider: who is vouched for gets a session like any other, and nobody else does."""

import base64
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("authlib")
sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))

from fake_provider import CLIENT, REDIRECT, SECRET, FakeProvider
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey, OctKey, RSAKey
from live_site import LEAST_SITE

from lapwing.adapters.audit_file import read_audit
from lapwing.adapters.oidc import ProviderSettings
from lapwing.cli.main import main
from lapwing.model.times import NS_PER_S
from lapwing.runtime.access import open_access
from lapwing.runtime.site_config import read_site
from lapwing.web.app import create_app
from lapwing.web.gate import COOKIE
from lapwing.web.hub import Hub

HOST = "http://127.0.0.1:8650"
START_NS = 1_754_423_400 * NS_PER_S
ROLES = (("staff", "viewer"), ("air-watch", "operator"), ("chiefs", "supervisor"))


class World:
    def __init__(self, folder: Path) -> None:
        self.now_ns, self.now_s, self.folder = START_NS, 0.0, folder
        self.provider = FakeProvider(lambda: self.now_ns)
        self.settings = ProviderSettings(self.provider.issuer, CLIENT, REDIRECT, "Ministry <id>", SECRET, roles=ROLES)
        self.access = open_access(folder, lambda: self.now_ns, lambda: self.now_s, self.settings)
        self.app = create_app(Hub(lambda kind, payload: None), access=self.access)

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=HOST, client=("127.0.0.1", 50_000), follow_redirects=False)

    def begin(self, browser: TestClient) -> str:
        answer = browser.get("/api/oidc/begin")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def sign_in(self, browser: TestClient, **claims):
        """Return the answer to a browser that comes back."""
        return browser.get("/api/oidc/return", params=self.provider.sign_in(self.begin(browser), **claims))


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path)
    yield found
    found.provider.close()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_who_is_vouched_for_gets_a_session_with_the_highest_role_of_the_table(world, algorithm):
    world.provider.algorithm = algorithm
    browser = world.browser()
    answer = world.sign_in(browser)
    assert answer.status_code == 200 and 'content="0; url=/"' in answer.text
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE)).lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert browser.get("/api/me").json() == {"name": "ana.pop (Ministry <id>)", "role": "operator"}
    row = read_audit(world.folder / "audit.sqlite")[-1]
    assert row.what == "sign-in" and json.loads(row.detail)["subject"] == f"{world.provider.issuer} 42"


def test_without_signing_in_nobody_is_served_not_even_on_this_machine(world):
    browser = world.browser()
    assert browser.get("/api/me").status_code == 401 and browser.get("/").headers["location"] == "/login"
    assert "Sign in with Ministry &lt;id&gt;" in browser.get("/login").text


def other_key(world):
    world.provider.sign_with = RSAKey.generate_key(2048)


def no_signature(world):
    world.provider.spoil = lambda token: ".".join((base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode(), token.split(".")[1],
                                                   ""))


def client_secret(world):
    world.provider.algorithm, world.provider.header = "HS256", {"alg": "HS256"}
    world.provider.sign_with = OctKey.import_key(SECRET.encode())


def other_curve(world):
    world.provider.header, world.provider.sign_with = {"alg": "ES384", "kid": "x"}, ECKey.generate_key("P-384")


def flipped(world):
    def flip(token):
        head, body, seal = token.split(".")
        return ".".join((head, body, ("A" if seal[0] != "A" else "B") + seal[1:]))

    world.provider.spoil = flip


def claims(**values):
    return lambda world: world.provider.claims.update({k: v(world) if callable(v) else v for k, v in values.items()})


def seconds(offset):
    return lambda world: world.now_ns // NS_PER_S + offset


@pytest.mark.parametrize("spoil, says", [
    (claims(nonce="another"), "not for"), (claims(nonce=None), "no nonce"), (claims(iss="http://127.0.0.1:1"), "not for"),
    (claims(iss=None), "not for"), (claims(aud="another client"), "not for"), (claims(aud=None), "not for"),
    (claims(aud=[CLIENT, "x"], azp="x"), "not for"), (claims(exp=seconds(-61)), "not for"), (claims(exp=None), "not for"),
    (claims(exp="soon"), "not for"), (claims(iat=seconds(120)), "not for"), (claims(nbf=seconds(120)), "not for"),
    (claims(at_hash="AAAA"), "not for"), (claims(sub=None), "no subject"), (claims(sub=7), "no subject"),
    (claims(groups=["other"]), "no role"), (claims(groups=None), "no role"), (claims(groups="chief"), "no role"),
    (claims(groups={"a": 1}), "no role"),
    (claims(preferred_username=None), "is a name"), (claims(preferred_username="x" * 81), "is a name"),
    (claims(preferred_username="a\nb"), "is a name"),
    (other_key, "not signed"), (no_signature, "not signed"), (client_secret, "not signed"), (other_curve, "not signed"),
    (flipped, "not signed"),
    (lambda world: setattr(world.provider, "spoil", lambda token: None), "no ID token"),
    (lambda world: setattr(world.provider, "spoil", lambda token: "a.b"), "not signed")])
def test_a_token_that_is_not_right_in_every_part_signs_nobody_in(world, spoil, says):
    browser = world.browser()
    spoil(world)
    answer = world.sign_in(browser)
    assert answer.status_code == 403 and says in answer.text, answer.text
    assert not any(line.startswith(COOKIE) for line in answer.headers.get_list("set-cookie")) and browser.get("/api/me").status_code == 401
    assert read_audit(world.folder / "audit.sqlite")[-1].what == "sign-in refused"
    assert SECRET not in answer.text and "eyJ" not in answer.text


@pytest.mark.parametrize("change, says", [
    ({"state": "made-up"}, "not begun here"), ({"state": ""}, "not begun here"), ({"code": ""}, "sent no code"),
    ({"code": "made-up"}, "invalid_grant"),
    ({"iss": "https://other.example"}, "another provider"), ({"error": "access_denied", "code": ""}, "sent no code")])
def test_what_comes_back_must_be_what_was_begun(world, change, says):
    browser = world.browser()
    back = world.provider.sign_in(world.begin(browser))
    answer = browser.get("/api/oidc/return", params=back | change)
    assert answer.status_code == 403 and says in answer.text


def test_another_browser_a_second_try_and_a_late_one_are_refused(world):
    mine, theirs = world.browser(), world.browser()
    back = world.provider.sign_in(world.begin(theirs))
    world.begin(mine)
    assert "another browser" in mine.get("/api/oidc/return", params=back).text
    assert "not begun here" in theirs.get("/api/oidc/return", params=back).text       # used up
    back = world.provider.sign_in(world.begin(mine))
    world.now_ns += 601 * NS_PER_S
    assert "too long ago" in mine.get("/api/oidc/return", params=back).text


def test_a_stolen_code_is_nothing_without_the_verifier(world):
    victim, thief = world.browser(), world.browser()
    stolen = world.provider.sign_in(world.begin(victim))["code"]
    back = world.provider.sign_in(world.begin(thief))
    assert "invalid_grant" in thief.get("/api/oidc/return", params=back | {"code": stolen}).text


def test_a_name_is_one_persons_and_a_role_taken_away_ends_the_session(world):
    browser = world.browser()
    world.sign_in(browser)
    assert "another person" in world.sign_in(world.browser(), sub="43").text and browser.get("/api/me").status_code == 200
    assert world.sign_in(world.browser(), groups=["chiefs", "staff"]).status_code == 200
    assert browser.get("/api/me").json()["role"] == "supervisor"
    assert "no role" in world.sign_in(world.browser(), groups=[]).text
    assert browser.get("/api/me").status_code == 401
    assert world.sign_in(browser, preferred_username="ana.new").status_code == 200
    assert world.access._accounts.people() == [("ana.new (Ministry <id>)", "operator")]


def test_no_password_opens_an_account_of_the_provider(world):
    browser = world.browser()
    world.sign_in(browser)
    for password in ("!", "", "x" * 20):
        assert world.access._accounts.check("ana.pop (Ministry <id>)", password) is None
    assert browser.get("/api/me").status_code == 200


def test_keys_that_were_changed_are_asked_for_again_but_not_by_every_forger(world):
    world.sign_in(world.browser())
    world.now_ns += 60 * NS_PER_S
    world.provider.keys["RS256"] = RSAKey.generate_key(2048, {"kid": "new"})
    assert world.sign_in(world.browser()).status_code == 200
    other_key(world)
    before = world.provider.asked.count("/keys")
    for _ in range(3):
        assert world.sign_in(world.browser()).status_code == 403
    assert world.provider.asked.count("/keys") == before


@pytest.mark.parametrize("broken, says", [({"raw": b"no HTTP at all\r\n\r\n"}, "does not answer"), ({"raw": b"HTTP/1.1 " + b"9" * 70_000},
                                                                                            "does not answer"),
    ({"status": 500}, "answers 500"), ({"status": 302}, "answers 302"), ({"description": {
    "issuer": "https://other.example"}}, "describes itself"), ({"description": {"token_endpoint": "http://10.0.0.1/token"}},
                                                               "no https address")])
def test_a_provider_that_is_down_or_odd_is_said_and_local_accounts_go_on(world, broken, says):
    for name, value in broken.items():
        setattr(world.provider, name, value)
    answer = world.browser().get("/api/oidc/begin")
    assert answer.status_code == 502 and says in answer.text
    world.access._accounts.set_user("Ana", "admin", "four or five words do", 1)
    assert world.browser().post("/api/login", json={"name": "Ana", "password": "four or five words do"},
                                headers={"origin": HOST}).status_code == 200


def test_a_claim_may_lie_within_objects(world):
    world.access.provider.provider.settings = ProviderSettings(
        world.provider.issuer, CLIENT, REDIRECT, "X", SECRET, role_claim="realm_access.roles", roles=ROLES)
    browser = world.browser()
    assert world.sign_in(browser, realm_access={"roles": ["chiefs"]}).status_code == 200
    assert browser.get("/api/me").json()["role"] == "supervisor"


SITE = LEAST_SITE + "[oidc]\n"
RIGHT = 'issuer = "https://id.example"\nclient_id = "lapwing"\nredirect = "https://127.0.0.1/api/oidc/return"\n'
TABLE = '[oidc.roles]\n"air-watch" = "operator"\n'


@pytest.mark.parametrize("lines, says", [
    ('client_id = "x"\n' + TABLE, "issuer: is missing"), (RIGHT.replace("https://id", "http://id") + TABLE, "issuer = 'http://id.example'"),
    (RIGHT.replace("/api/oidc/return", "/") + TABLE, "redirect = 'https://127.0.0.1/'"), (RIGHT, "nobody of the provider gets a role"),
    (RIGHT + TABLE.replace("operator", "boss"), "must be one of viewer"), (RIGHT + 'scopes = ["profile"]\n' + TABLE,
                                                                           "openid must be among them"),
    (RIGHT + 'client_secret_file = "none"\n' + TABLE, "client_secret_file = 'none'"),
    (RIGHT + 'client_secret = "x"\n' + TABLE, "unknown key"),
    (RIGHT.replace("127.0.0.1", "lapwing.example") + TABLE, "[console] names")])
def test_check_tells_what_is_wrong_with_a_provider(tmp_path, lines, says, capsys):
    (tmp_path / "site.toml").write_text(SITE + lines)
    assert main(["check", str(tmp_path / "site.toml")]) == 2
    assert says in capsys.readouterr().out


def test_a_right_table_is_right_and_holds_no_secret_in_its_text(tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "site.toml").write_text(SITE + RIGHT + 'client_secret_file = "secret"\n' + TABLE)
    site, problems = read_site(tmp_path / "site.toml")
    assert problems == () and site.oidc.secret == SECRET and site.oidc.roles == (("air-watch", "operator"),) and SECRET not in repr(site)

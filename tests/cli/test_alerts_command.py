"""`lapwing alerts`: what it shows, and what it sends to a running instance."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lapwing.cli.main import main

ZONE = {"code": "XX-1", "name": "Isaccea", "population": 5_375, "county": "XX"}
PROPOSAL = {"id": "11aa-p", "proposed": "2025-08-05T20:00:50Z", "expires": "2025-08-05T20:05:50Z", "msg_type": "Alert",
            "level": "alert", "zones": [ZONE], "people": 5_375, "caused_by": ["T-1"], "reason": "1 object, 31 km outside",
            "approvals_needed": 2, "approved_by": ["Ana"], "role": "supervisor",
            "texts": [{"language": "en", "headline": "Take shelter now: Isaccea", "description": "Go indoors."}]}
ALERT = {"identifier": "urn:uuid:22bb-a", "sent": "2025-08-05T20:01:10Z", "status": "Exercise", "msg_type": "Alert",
         "level": "alert", "zones": [ZONE], "people": 5_375, "expires": "2025-08-05T20:22:00Z", "caused_by": [],
         "approved_by": ["Ana"], "in_force": True, "texts": []}


@pytest.fixture
def instance():
    """A stand-in for a running instance: it records commands and tells of them in the next picture."""
    commands, events = [], []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, document, status=200):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path == "/api/alerts":
                self.answer({"proposals": [PROPOSAL], "alerts": [ALERT]})
            else:
                self.answer({"time": "2025-08-05T20:02:00Z", "events": events, "alert_count": len(commands)})

        def do_POST(self):
            command = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if command["by"] == "nobody":
                self.answer({"error": "command by: no", "remedy": "enter your name"}, 422)
                return
            commands.append(command)
            events.append({"time": "2025-08-05T20:02:01Z", "kind": "decision", "text": f"{command['by']} {command['action']}"})
            self.answer({"taken": True}, 202)

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", commands
    server.shutdown()
    server.server_close()


def test_the_list_shows_what_waits_and_what_is_in_force(instance, capsys):
    assert main(["alerts", "list", "--url", instance[0]]) == 0
    said = capsys.readouterr().out
    assert "PROPOSED  11aa-p" in said
    assert "2 to approve, approved by Ana" in said
    assert "IN FORCE  22bb-a" in said


def test_one_is_shown_in_full_by_the_beginning_of_its_name(instance, capsys):
    assert main(["alerts", "show", "11a", "--url", instance[0]]) == 0
    said = capsys.readouterr().out
    assert "Take shelter now: Isaccea" in said
    assert "supervisor" in said
    assert main(["alerts", "show", "zz", "--url", instance[0]]) == 2


@pytest.mark.parametrize("action", ["approve", "refuse", "cancel", "all-clear"])
def test_a_decision_is_sent_with_its_name_and_its_effect_is_told(instance, capsys, action):
    url, commands = instance
    assert main(["alerts", action, "11aa", "--as", "Ion", "--text", "seen", "--url", url]) == 0
    assert commands == [{"action": action, "by": "Ion", "text": "seen", "alert_id": "11aa-p"}]
    assert "1 message sent" in capsys.readouterr().out


def test_a_warning_by_hand_ends_so_long_after_the_time_of_the_run(instance):
    url, commands = instance
    assert main(["alerts", "raise", "--zones", "XX-1, XX-2", "--minutes", "30", "--text", "fire", "--as", "Ion",
                 "--url", url, "--wait", "0"]) == 0
    assert commands[0]["zones"] == ["XX-1", "XX-2"]
    assert commands[0]["expires"] == "2025-08-05T20:32:00Z"


def test_what_is_not_taken_is_said(instance, capsys):
    assert main(["alerts", "approve", "11aa", "--as", "nobody", "--url", instance[0]]) == 2
    assert "enter your name" in capsys.readouterr().err
    assert main(["alerts", "list", "--url", "http://127.0.0.1:1"]) == 2
    assert main(["alerts", "list", "--url", "http://example.org"]) == 2


@pytest.fixture
def guarded(tmp_path):
    """The console of a site with accounts on a free port, over TLS where a certificate is given, and a key of an operator."""
    import time

    from lapwing.runtime.access import open_access
    from lapwing.web.app import create_app
    from lapwing.web.hub import Hub
    from lapwing.web.serve import start

    taken, access = [], open_access(tmp_path, time.time_ns, time.monotonic)
    access._accounts.set_user("boss", "admin", "correct horse battery staple", time.time_ns())
    key = access._accounts.make_key("Ion", "operator", time.time_ns() + 10**15)
    hub = Hub(lambda kind, payload: taken.append(json.loads(payload)))
    hub.alerts = lambda: json.dumps({"proposals": [PROPOSAL], "alerts": [ALERT]}).encode()
    server = start(create_app(hub, access=access), "127.0.0.1", 0, has_accounts=True)
    yield server.url, key, taken
    server.stop()


def test_a_site_with_accounts_takes_a_key_of_the_environment_or_a_file_and_says_so_without(guarded, monkeypatch, tmp_path, capsys):
    url, key, _ = guarded
    assert main(["alerts", "list", "--url", url]) == 2
    assert "LAPWING_KEY" in capsys.readouterr().err
    monkeypatch.setenv("LAPWING_KEY", key)
    assert main(["alerts", "list", "--url", url]) == 0
    monkeypatch.delenv("LAPWING_KEY")
    (tmp_path / "key").write_text(key + "\n")
    monkeypatch.setenv("LAPWING_KEY_FILE", str(tmp_path / "key"))
    assert main(["alerts", "list", "--url", url]) == 0
    monkeypatch.setenv("LAPWING_KEY_FILE", str(tmp_path / "none"))
    assert main(["alerts", "list", "--url", url]) == 2


def test_a_key_decides_under_its_own_name_alone(guarded, monkeypatch, capsys):
    url, key, taken = guarded
    monkeypatch.setenv("LAPWING_KEY", key)
    assert main(["alerts", "refuse", "11aa", "--as", "Ana", "--url", url, "--wait", "0"]) == 2
    assert "the key is Ion's" in capsys.readouterr().err and not taken
    assert main(["alerts", "raise", "--zones", "XX-1", "--until", "2025-08-05T21:30:00Z", "--text", "x", "--as", "Ion",
                 "--url", url, "--wait", "0"]) == 2, "an operator raises nothing"


def test_a_key_goes_over_plain_http_to_this_machine_alone(monkeypatch, capsys):
    monkeypatch.setenv("LAPWING_KEY", "lwk_x")
    assert main(["alerts", "list", "--url", "http://example.org"]) == 2
    assert "over https" in capsys.readouterr().err
    monkeypatch.setenv("LAPWING_KEY", "lwk x")
    assert main(["alerts", "list"]) == 2
    assert "is no key" in capsys.readouterr().err

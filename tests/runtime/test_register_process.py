"""The register beside a live service: fed while it runs, missed by nobody while it is down, whole when it comes back."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))

from live_site import LEAST_SITE, SITE, Radar, Running, free_port, wait_for
from postgres_server import PASSWORD, Server

from lapwing.adapters.database.address import parse_address
from lapwing.adapters.database.store import Database
from lapwing.cli.main import main
from lapwing.runtime.register_process import DOWN, RegisterProcess
from lapwing.runtime.site_config import read_site, require_site
from lapwing.runtime.site_database import DatabaseSettings


@pytest.fixture
def server():
    found = Server()
    yield found
    found.remove()


@pytest.mark.slow
def test_the_service_warns_on_while_the_database_is_down_and_the_register_catches_up(server, tmp_path, capsys):
    port, config = free_port(), tmp_path / "site.toml"
    password = tmp_path / "db-password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    config.write_text(SITE.format(port=port) + f'[database]\nurl = "{server.url("postgres")}"\npassword_file = "db-password"\n')
    running, radar = Running(config), Radar(port)

    def degraded() -> dict:
        radar.due()
        return running.get("/readyz")[1]["degraded"]

    try:
        assert "lapwing database upgrade" in wait_for(lambda: degraded().get(DOWN))
        assert main(["database", "upgrade", str(config)]) == 0
        wait_for(lambda: DOWN not in degraded())
        server.stop()
        assert "does not answer" in wait_for(lambda: "does not answer" in degraded().get(DOWN, "") and degraded()[DOWN])
        proposal = wait_for(lambda: (radar.due(), running.get("/api/alerts")[1]["proposals"])[1])[0]
        assert running.post("/api/command", {"action": "approve", "alert_id": proposal["id"], "by": "A. First"})[0] == 202
        server.start()
        wait_for(lambda: DOWN not in degraded())
        # The database answers again before all of the journal is in it.
        wait_for(lambda: proposal["id"] in decided(config, capsys), every=1.0)
        assert "lapwing_database_rows_total" in running.get("/metrics")[1]
        assert running.stop() == 0
    finally:
        running.process.kill()
    assert PASSWORD not in json.dumps(running.lines())
    assert main(["database", "feed", str(config)]) == 0      # what came in while the service ended
    before = ask_all(config)
    assert main(["database", "rebuild", str(config)]) == 0 and ask_all(config) == before


def decided(config: Path, capsys) -> list:
    """Return the proposals that A. First decided on, as the command tells them: status 1 where there are none."""
    capsys.readouterr()
    assert main(["incidents", str(config), "--by", "A. First", "--show", "decisions", "--json"]) in (0, 1)
    return [row["proposal"] for row in json.loads(capsys.readouterr().out)["decisions"]]


def ask_all(config: Path) -> list:
    settings = require_site(config)[0].database
    with Database(settings.address) as database:
        return [database.ask(name) for name in ("incidents", "events", "proposals", "decisions", "alerts")]


def test_the_process_ends_when_the_service_is_gone_and_says_how_things_are(tmp_path):
    import subprocess

    settings = DatabaseSettings(parse_address("sqlite:///register.sqlite", tmp_path), "s")
    with Database(settings.address) as database:
        database.upgrade()
    register = RegisterProcess(settings, tmp_path, has_journal=True, say=lambda level, text: None)
    process = subprocess.Popen([sys.executable, "-m", "lapwing.runtime.register_process"], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(register._words + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    assert json.loads(line) == {"problem": "", "rows": 0, "refused": [], "said": []} and register._hear(line) and register.problems() == {}
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_what_the_process_says_is_the_degraded_mode_and_what_is_no_line_of_its_is_passed_over(tmp_path):
    said = []
    register = RegisterProcess(DatabaseSettings(parse_address("sqlite:///r.sqlite", tmp_path), "s"), tmp_path, has_journal=True,
                               say=lambda level, text: said.append(text))
    assert not register._hear("Traceback (most recent call last):") and not register._hear("[]") and not register._hear('{"rows": 1}')
    assert register._hear(json.dumps({"problem": "does not answer", "rows": 0, "refused": [], "said": []}))
    assert "does not answer; warning goes on" in register.problems()[DOWN]
    assert register._hear(json.dumps({"problem": "", "rows": 3, "refused": ["batch 7"], "said": ["account Ana set"]}))
    assert register.problems() == {} and dict((name, value) for name, _, value in register.samples())["lapwing_database_rows_total"] == 3
    assert said == ["not in the register: batch 7", "shared accounts: account Ana set"]
    assert RegisterProcess(DatabaseSettings(), tmp_path, has_journal=True, say=print).problems() == {}


WRONG = LEAST_SITE + '[policy]\nsender = "a@b.ro"\n[database]\n'


@pytest.mark.parametrize("lines, says", [
    ('url = "mysql://u:hunter2@db/x"', "url = 'mysql://u:***@db/x': no such kind of database: mysql"),
    ('url = "postgresql://u:hunter2@db/x"', "password_file ="), ('tls = "off"', "url: is missing"), ("url = 7", "url = 7: must be a text"),
    ('url = "postgresql://u@db/x"\ntls = "no"', "tls = 'no': must be one of verify, off"),
    ('url = "postgresql://u@db/x"\ntls = "off"', "for all to read"),
    ('url = "postgresql://u@db/x"\npassword_file = "none"', "password_file = 'none': cannot be read"),
    ('url = "postgresql://u@db/x"\npassword_file = "open"', "may be read by others"),
    ('url = "postgresql://u@db/x"\ntls_ca = "none"', "tls_ca = 'none'"), ('url = "sqlite:///r.sqlite"\naccounts = "no"', "accounts = 'no'"),
    ('url = "sqlite:///r.sqlite"\nurls = "x"', "did you mean url?")])
def test_check_tells_what_is_wrong_with_a_database_and_never_its_password(tmp_path, lines, says, capsys):
    (tmp_path / "open").write_text("hunter2\n")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "site.toml").write_text(WRONG + lines)
    assert main(["check", str(tmp_path / "site.toml")]) in (1, 2)
    said = capsys.readouterr().out
    assert "[database]" in said and says in said and "hunter2" not in said
    assert "hunter2" not in repr(read_site(tmp_path / "site.toml"))


def test_register_and_shared_accounts_by_command(tmp_path, monkeypatch, capsys):
    import io

    site = tmp_path / "site.toml"
    site.write_text(WRONG + 'url = "sqlite:///register.sqlite"\n')
    assert main(["incidents", str(site)]) == 2 and "lapwing database upgrade" in capsys.readouterr().err
    assert main(["database", "status", str(site)]) == 1
    assert main(["database", "upgrade", str(site)]) == 0 and main(["database", "status", str(site)]) == 0
    for name, more in (("Ana", []), ("Ion", ["--local"])):
        monkeypatch.setattr(sys, "stdin", io.StringIO("four or five words do\n"))
        assert main(["users", "add", name, "--role", "admin", "--password-stdin", "--site", str(site), *more]) == 0
    assert main(["users", "remove", "Ana", "--site", str(site)]) == 2 and "last shared account" in capsys.readouterr().err
    assert main(["users", "remove", "Ion", "--site", str(site)]) == 0
    assert main(["users", "key", "bridge", "--site", str(site)]) == 0
    assert main(["database", "feed", str(site)]) == 0
    capsys.readouterr()
    assert main(["incidents", str(site), "--show", "audit", "--json"]) == 0
    said = [row["what"] for row in json.loads(capsys.readouterr().out)["audit"]]
    assert said == ["account set", "account set", "account removed", "key made"]
    assert main(["incidents", str(site), "20260314-1"]) == 1 and main(["incidents", str(site), "--from", "yesterday"]) == 2
    assert main(["database", "status", str(site), "--json"]) == 0
    capsys.readouterr()


def test_a_site_without_a_database_says_how_to_have_one(tmp_path, capsys):
    (tmp_path / "site.toml").write_text(WRONG.replace("[database]", ""))
    assert main(["incidents", str(tmp_path / "site.toml")]) == 2 and "[database]" in capsys.readouterr().err

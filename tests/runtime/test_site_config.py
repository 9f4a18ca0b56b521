"""A site's configuration: every problem is told at once with key, value and remedy; the example is right and whole."""

import json
import re
from pathlib import Path

import pytest
from live_site import LEAST_SITE

from lapwing.cli.main import main
from lapwing.runtime.health import METRICS, Report, prometheus
from lapwing.runtime.logs import clean
from lapwing.runtime.site_config import read_site
from lapwing.runtime.site_facts import setup_of_site
from lapwing.runtime.wiring import load_country

ROOT = Path(__file__).parents[2]

WRONG = """
[site]
country = "zz"
mode = "war"
window_s = 7
names = "x"
[console]
host = "everywhere"
port = 99999
[link.a]
url = "udp://radar:8600"
[link.b]
url = "ftp://10.0.0.1:1"
allow_from = ["10.0.0.0/40"]
[sensor.x]
sac = 25
sic = 300
[policy]
hold_lost_s = "long"
needs_approval = ["all"]
[channel.c]
kind = "pigeon"
[limits]
memory_gb = 4
"""


@pytest.fixture
def config(tmp_path):
    return tmp_path / "site.toml"


def test_every_problem_is_told_at_once_with_key_value_and_remedy(config, capsys):
    config.write_text(WRONG)
    assert main(["check", str(config)]) == 2
    said = capsys.readouterr().out
    for key, value in (("country", "'zz'"), ("mode", "'war'"), ("window_s", "7"), ("names", "'x'"), ("host", "'everywhere'"),
                       ("port", "99999"), ("url", "'udp://radar:8600'"), ("url", "'ftp://10.0.0.1:1'"),
                       ("allow_from", "'10.0.0.0/40'"), ("sic", "300"), ("hold_lost_s", "'long'"), ("needs_approval", "'all'"),
                       ("memory_gb", "4")):
        assert re.search(rf"site\.toml \[[^]]+\].*{key} = {re.escape(value)}.*; \S", said), (key, value)
    assert "pigeon" in said and "did you mean memory_mb?" in said


def test_the_example_of_every_pack_is_right(tmp_path, capsys):
    for folder in sorted((ROOT / "packs").iterdir()):
        if (folder / "pack.toml").is_file():
            path = tmp_path / f"{folder.name}.toml"
            assert main(["init", "--country", folder.name, "--out", str(path)]) == 0
            assert main(["check", str(path)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("table", "words"), [
    ('name = "Delta"\nstore = "nats://a/ro"\n[region.counties]\nDelta = ["RO-TL"]', "small letters and digits"),
    ('name = "delta"\nstore = "nats://a/ro"\n[region.counties]\ninland = ["*"]', "does not name delta"),
    ('name = "delta"\nstore = "http://a/ro"\n[region.counties]\ndelta = ["*"]', "names no NATS servers"),
    ('name = "delta"\n[region.counties]\ndelta = ["*"]', "names no NATS servers"),
    ('store = "nats://a/ro"', "name is missing"),
    ('name = "delta"\nstore = "nats://a/ro"\nhalo_km = 1\n[region.counties]\ndelta = ["*"]', "halo_km = 1 must lie in"),
    ('name = "delta"\nstore = "nats://a/ro"\ncredentials = "none.txt"\n[region.counties]\ndelta = ["*"]', "no such file")])
def test_a_region_that_is_not_one_is_told(config, table, words):
    config.write_text(LEAST_SITE + "[region]\n" + table + "\n")
    assert any(words in f"{p.where} {p.what} {p.remedy}" and p.is_error for p in read_site(config)[1]), read_site(config)[1]


def test_counties_that_leave_somebody_out_are_told_by_the_check(config, capsys):
    config.write_text(LEAST_SITE + '[region]\nname = "delta"\nstore = "nats://a/ro"\n[region.counties]\ndelta = ["RO-TL"]\n')
    assert main(["check", str(config)]) == 2
    assert "41 counties are in no region" in capsys.readouterr().out


def test_the_claims_of_regions_lie_beside_the_journal_where_nothing_else_is_said(config):
    config.write_text(LEAST_SITE.replace('country = "ro"', 'country = "ro"\nlog = "nats://a:1,b:2/tulcea"')
                      + '[region]\nname = "delta"\n[region.counties]\ndelta = ["RO-TL"]\ninland = ["*"]\n')
    region = read_site(config)[0].region
    assert region.store == "nats://a:1,b:2/regions" and dict(region.counties) == {"delta": ("RO-TL",), "inland": ("*",)}


def test_an_existing_file_is_left_alone(config, capsys):
    config.write_text("mine")
    assert main(["init", "--country", "ro", "--out", str(config)]) == 2
    assert config.read_text() == "mine" and "not touched" in capsys.readouterr().err


def test_what_runs_with_doubts_is_a_warning_and_live_needs_its_own_sender(config, capsys):
    config.write_text('[site]\ncountry = "ro"\n[link.a]\nurl = "udp://:8600"\n[sensor.x]\nsac = 1\nsic = 2\n')
    assert main(["check", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] and ["allow_from" in problem["where"] for problem in found["problems"]] == [True]
    config.write_text(config.read_text().replace('"ro"', '"ro"\nmode = "live"'))
    assert main(["check", str(config)]) == 2 and "policy.sender" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["[site", "\x00", "site = 3", "[site]\nname = 3", "link = 5", "[[link]]\n", "[policy]\nx = {}",
                                  "sensor = 4", "[sensor]\nx = 1", "[channel]\nx = 1", "sensors = 'none.toml'"])
def test_no_text_makes_the_check_fall_over(config, text):
    config.write_text(text)
    assert main(["check", str(config)]) == 2
    assert main(["run", str(config)]) == 2


def test_every_key_of_the_example_is_in_the_manual():
    from lapwing.runtime.site_example import TEXT

    manual = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for key in re.findall(r"^#? ?([a-z_]+) = ", TEXT, re.MULTILINE):
        assert key in manual, f"docs/settings.md does not explain {key}"


def test_inline_sensors_read_like_a_sensor_file(config, tmp_path):
    table = '[sensor.a]\nsac = 1\nsic = 2\nlat_deg = 45.0\nlon_deg = 28.0\ncategories = [34, 48]\neditions = { 48 = "1.32" }\n'
    (tmp_path / "sensors.toml").write_text(table)
    config.write_text(f'[link.a]\nurl = "udp://:8600"\n{table}')
    inline, _ = read_site(config)
    config.write_text('sensors = "sensors.toml"\n[link.a]\nurl = "udp://:8600"\n')
    named, _ = read_site(config)
    assert inline.sensors == named.sensors and inline.sensors.rows[0].editions == {48: "1.32"}


def test_metrics_are_text_that_prometheus_reads():
    text = prometheus(Report(samples=(("lapwing_tracks", {"state": 'a"b\\c\nd'}, 3.0), ("lapwing_batches_total", {}, 1e9))))
    assert 'lapwing_tracks{state="a\\"b\\\\c\\nd"} 3\n' in text and "lapwing_batches_total 1000000000\n" in text
    assert text.count("# TYPE") == 2


def test_the_dashboard_asks_for_metrics_that_there_are():
    asked = set(re.findall(r"lapwing_[a-z_]+", (ROOT / "deploy/grafana-dashboard.json").read_text()))
    assert asked and asked <= set(METRICS)


@pytest.mark.parametrize("text", ["postgresql://u:geheim@h/d", "Bearer geheim123", "key lwk_geheim-geheim"])
def test_secrets_never_enter_the_log(text):
    assert "geheim" not in clean(f"trouble with {text}, try again")


def test_the_sources_of_a_site_are_those_that_are_listened_to(config):
    from lapwing.runtime.site_facts import setup_of_site

    config.write_text('[site]\nsources = ["25/201", "25/7"]\n[link.a]\nurl = "udp://:8600"\n')
    site, _ = read_site(config)
    assert setup_of_site(site, None).sense.allow == ((25, 201), (25, 7))


def test_the_table_of_people_names_persons_and_roles_and_needs_a_supervisor(config, capsys):
    base = '[site]\ncountry = "ro"\n[link.a]\nurl = "udp://:8600"\nallow_from = ["127.0.0.1"]\n[sensor.x]\nsac = 1\nsic = 2\n[people]\n'
    config.write_text(base + '"Ana Pop" = "supervisor"\n"Ion" = "officer"\n')
    site, problems = read_site(config)
    assert not problems and site.people == (("Ana Pop", "supervisor"), ("Ion", "officer"))
    assert setup_of_site(site, load_country("ro", None)).warn.people == site.people
    for wrong, said in (('"Ion" = "officer"', "nobody is a supervisor"), ('"Ion" = "chief"', "must be one of officer, supervisor"),
                        ('"Ion" = "supervisor"\n"ion" = "officer"', "two persons are two names"),
                        ('"engine" = "supervisor"', "cannot be used")):
        config.write_text(base + wrong)
        assert main(["check", str(config)]) == 2
        assert said in capsys.readouterr().out, wrong


def test_judge_net_and_geozones_of_a_site_are_read_and_mistakes_told(config, tmp_path):
    zone = {"identifier": "Z1", "geometry": [{"horizontalProjection": {"type": "Circle", "center": [28.2, 45.1], "radius": 900}}]}
    (tmp_path / "zones.json").write_text(json.dumps({"features": [zone]}))
    def read(text):
        config.write_text(text)
        return read_site(config)

    settings = read('[judge]\nentered_prob = 0.9\n[net]\nred_s = 400\ngeozones = ["zones.json"]\n')[0].judge
    assert (settings.entered_prob, settings.net.red_s, [volume.code for volume in settings.volumes]) == (0.9, 400.0, ["Z1"])
    for text, words in (("[net]\nredd_s = 1\n", "redd_s"), ('[net]\ngeozones = ["gone.json"]\n', "cannot be read"),
                        ("[net]\ngeozones = 5\n", "list of files"), ("[judge]\nentered_prob = 2\n", "to 1"), ("net = 5\n", "net")):
        problems = [str(problem) for problem in read(text)[1]]
        assert any(words in problem for problem in problems), (text, problems)

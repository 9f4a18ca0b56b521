"""The zone set in use is held against its signed hash; zones of a drill are never part of a live one."""

import json
from dataclasses import replace

import pytest

from lapwing.cli.main import main
from lapwing.model.errors import ConfigError
from lapwing.model.times import DAY_NS
from lapwing.runtime.keys import make_key
from lapwing.runtime.site_config import read_site
from lapwing.runtime.wiring import load_country
from lapwing.runtime.zone_seal import ZoneSettings, ZoneWatch, check_seal, make_seal


@pytest.fixture(scope="module")
def pack():
    return load_country("lt", None).pack


@pytest.fixture(scope="module")
def sealed(pack, tmp_path_factory):
    """A folder with a key, its certificate and a seal of the pack."""
    folder = tmp_path_factory.mktemp("seal")
    make_key("zones", 30, folder / "zones.key", folder / "zones.pem", bits=2_048)
    (folder / "seal.json").write_bytes(make_seal(pack, folder / "zones.key", 10**18))
    return folder


def with_zone(pack, **changes):
    return replace(pack, zones=(*pack.zones[:-1], replace(pack.zones[-1], **changes)))


def test_the_set_that_was_sealed_is_found_right_and_any_other_is_not(pack, sealed):
    files = (sealed / "seal.json", sealed / "zones.pem")
    assert check_seal(pack, *files) == ""
    other = with_zone(pack, population=pack.zones[-1].population + 1)
    assert "not the zones that were sealed" in check_seal(other, *files)
    for changes in ({"geocodes": {}}, {"addressable": not pack.zones[-1].addressable}, {"code": "LT-0"}):
        assert check_seal(with_zone(pack, **changes), *files)
    moved = pack.areas.vertex_deg.copy()
    moved[5, 0] += 1e-6
    assert "sha256" in check_seal(replace(pack, areas=replace(pack.areas, vertex_deg=moved)), *files)


@pytest.mark.parametrize("damage", ["changed", "unsigned", "no json", "missing", "other key"])
def test_a_seal_that_is_not_ours_is_an_alarm_and_no_crash(pack, sealed, tmp_path, damage):
    said = json.loads((sealed / "seal.json").read_bytes())
    path, certificate = tmp_path / "seal.json", sealed / "zones.pem"
    if damage == "changed":
        path.write_text(json.dumps({**said, "zones": 1}))
    elif damage == "unsigned":
        path.write_text(json.dumps({k: v for k, v in said.items() if k != "signature"}))
    elif damage == "no json":
        path.write_text("[]")
    elif damage == "other key":
        path.write_text(json.dumps(said))
        make_key("other", 30, tmp_path / "k", tmp_path / "c", bits=2_048)
        certificate = tmp_path / "c"
    assert check_seal(pack, path, certificate)


def test_zones_of_a_drill_are_never_sealed_and_are_an_alarm_in_use(pack, sealed):
    drill = with_zone(pack, code="LT-DRILL-1")
    with pytest.raises(ConfigError, match="drill"):
        make_seal(drill, sealed / "zones.key", 0)
    watch = ZoneWatch(ZoneSettings(str(sealed / "seal.json"), str(sealed / "zones.pem")), drill, "lt")
    watch.look()
    assert "LT-DRILL-1" in watch.problem()


def test_it_looks_again_when_a_day_begins_and_tells_when_the_disk_holds_another_pack(pack, sealed, monkeypatch):
    now_ns = [DAY_NS * 20_000]
    watch = ZoneWatch(ZoneSettings(str(sealed / "seal.json"), str(sealed / "zones.pem")), pack, "lt", lambda: now_ns[0])
    looks = []
    monkeypatch.setattr(ZoneWatch, "look", lambda self: looks.append(now_ns[0]))
    for hours in (0, 1, 23, 24, 25):
        now_ns[0] = DAY_NS * 20_000 + hours * DAY_NS // 24
        watch.problem()
    monkeypatch.undo()
    assert len(looks) == 2
    watch.look()
    assert watch.problem() == ""
    other = ZoneWatch(ZoneSettings(str(sealed / "seal.json"), str(sealed / "zones.pem")), replace(pack, sha256="0" * 64), "lt")
    other.look()
    assert "counts after a restart" in other._found


def test_the_command_seals_and_checks_and_a_live_site_without_a_seal_is_warned(sealed, tmp_path, capsys):
    seal = str(tmp_path / "s.json")
    assert main(["zones", "seal", "--country", "lt", "--key", str(sealed / "zones.key"), "--seal", seal]) == 0
    assert main(["zones", "check", "--country", "lt", "--pinned", str(sealed / "zones.pem"), "--seal", seal]) == 0
    assert main(["zones", "check", "--country", "lv", "--pinned", str(sealed / "zones.pem"), "--seal", seal]) == 1
    assert main(["zones", "check", "--country", "lt", "--seal", seal]) == 2
    capsys.readouterr()
    base = '[site]\ncountry = "lt"\nmode = "live"\n[link.a]\nurl = "udp://:8600"\n[policy]\nsender = "a@b.example"\n'
    (tmp_path / "site.toml").write_text(base)
    _, problems = read_site(tmp_path / "site.toml")
    assert any("not sealed" in problem.what for problem in problems)
    (tmp_path / "site.toml").write_text(base + '[zones]\nseal = "s.json"\ncertificate = "c.pem"\n')
    site, problems = read_site(tmp_path / "site.toml")
    assert site.zones.seal == seal and not any("sealed" in problem.what for problem in problems)

"""The packs that come with Lapwing: whole, consistent, found, and quick from their compiled form."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from lapwing.adapters import packs
from lapwing.country import compile_pack, load_pack, pack_sha256
from lapwing.country.compiled import read_value
from lapwing.geo.areas import locate, outline_deg
from lapwing.geo.border import contains, signed_distance
from lapwing.model.errors import ConfigError

PACKS = Path(__file__).resolve().parents[2] / "packs"
CODES = ("BG", "EE", "FI", "LT", "LV", "MD", "PL", "RO", "UA")
OUTLINES = (*CODES, "BY", "HU", "RS", "RU", "SK")


@pytest.fixture(scope="module")
def loaded():
    return {code: packs.load_country(code) for code in ("RO", "LT", "EE")}


@pytest.fixture(scope="module")
def outlines():
    return packs.load_outlines()


def at(lat_deg, lon_deg):
    return math.radians(lat_deg), math.radians(lon_deg)


@pytest.mark.slow
def test_every_pack_is_found_and_loads():
    assert {place.code for place in packs.list_packs()} >= set(CODES)
    for code in CODES:
        pack = packs.load_country(code)
        assert pack.code == code and pack.zones and len(pack.sha256) == 64
        assert set(pack.texts) == set(pack.languages)


@pytest.mark.parametrize("code", CODES)
def test_outlines_of_zones_are_valid_and_no_place_is_in_two_zones_of_a_level(code):
    levels = {}
    for feature in json.loads((PACKS / code.lower() / "zones.geojson").read_bytes())["features"]:
        area = shape(feature["geometry"])
        assert area.is_valid, feature["properties"]["code"]
        levels.setdefault(feature["properties"]["level"], []).append(area)
    for areas in levels.values():
        # Rounding to 0.1 m lets neighbours overlap by slivers; more than 0.1 km2 in all would be a mistake.
        overlap = sum(map(shapely.area, areas)) - shapely.area(shapely.union_all(areas))
        assert abs(overlap) < 1e-5


def test_romania_and_lithuania_are_in_full(loaded):
    romania, lithuania = loaded["RO"], loaded["LT"]
    assert romania.languages == ("ro", "en", "uk") and lithuania.languages == ("lt", "en", "pl")
    assert sum(zone.level == "county" for zone in romania.zones) == 42
    assert sum(zone.level == "cell" for zone in romania.zones) > 2_800
    assert all(zone.derived for zone in romania.zones if zone.level == "cell")
    assert sum(zone.level == "county" for zone in lithuania.zones) == 10
    assert sum(zone.level == "municipality" for zone in lithuania.zones) == 58
    tulcea = next(zone for zone in romania.zones if zone.code == "RO-TL")
    assert tulcea.geocodes == {"ISO3166-2": "RO-TL", "NUTS3": "RO225"} and tulcea.names["uk"] == "Тульча"


def test_isaccea_lies_in_its_own_cell_of_tulcea(loaded):
    romania = loaded["RO"]
    cells = [row for row, zone in enumerate(romania.zones) if zone.level == "cell"]
    zone = romania.zones[int(locate(romania.areas, *at(45.2697, 28.4562), cells)[0])]
    assert (zone.name, zone.county, zone.geocodes["SIRUTA"], zone.population) == ("Isaccea", "RO-TL", "159696", 5375)


def test_people_of_the_cells_add_up_to_their_county(loaded):
    romania = loaded["RO"]
    for county in (zone for zone in romania.zones if zone.level == "county" and not zone.addressable):
        inside = sum(zone.population for zone in romania.zones if zone.parent == county.code)
        assert inside <= county.population * 1.01 + 5_000, county.code


@pytest.mark.parametrize("code", ["LT", "LV", "MD", "PL"])
def test_units_are_cut_into_cells_that_hold_their_people(code):
    features = json.loads((PACKS / code.lower() / "zones.geojson").read_bytes())["features"]
    by_code = {feature["properties"]["code"]: feature["properties"] for feature in features}
    units, people = {}, {}
    for zone in by_code.values():
        if zone["level"] == "cell":
            units.setdefault(zone["parent"], []).append(zone)
            people[zone["county"]] = people.get(zone["county"], 0) + zone["population"]
    assert len(units) >= 20
    for parent, cells in units.items():
        unit = by_code[parent]
        assert len(cells) > 1 and not unit["addressable"] and all(cell["addressable"] and cell["derived"] for cell in cells)
        assert {cell["county"] for cell in cells} == {unit["county"]}
    assert all(found <= by_code[county]["population"] * 1.1 for county, found in people.items())
    # A village whose people nobody has counted has its share of the unit's; in some raions of Moldova the towns leave nothing to share.
    nobody = sum(cell["population"] == 0 for cells in units.values() for cell in cells)
    assert nobody == 0 if code != "MD" else nobody < 200


def test_an_alert_at_the_belarusian_border_is_not_one_for_vilnius(loaded):
    lithuania = loaded["LT"]
    cells = [row for row, zone in enumerate(lithuania.zones) if zone.addressable]
    border = lithuania.zones[int(locate(lithuania.areas, *at(54.8104, 25.7212), cells)[0])]
    city = lithuania.zones[int(locate(lithuania.areas, *at(54.6872, 25.2797), cells)[0])]
    assert border.parent == city.parent == "LT-58" and border.code != city.code
    assert border.population < 1_000 and city.population > 400_000


def test_every_place_lies_in_a_zone_or_is_counted_as_outside(loaded):
    for code in ("RO", "LT"):
        places = loaded[code].places
        assert np.mean(places.zone_index < 0) < 0.01
        assert (np.diff(places.population) <= 0).all()


@pytest.mark.parametrize(("code", "place", "bound_m", "undecided"), [
    ("RO", (45.2833, 28.4600), 200.0, False),      # the Danube at Isaccea
    ("RO", (45.3160, 28.8600), 200.0, False),      # Izmail
    ("RO", (46.3926, 28.2238), 45.0, False),       # the Prut
    ("RO", (45.2200, 29.7300), 6_900.0, True),     # the Chilia mouth
    ("UA", (45.2200, 29.7300), 6_900.0, True),
    ("RO", (45.4000, 29.6000), 200.0, False),      # upstream of it
    ("PL", (51.5100, 23.6200), 35.0, False),       # the Bug
    ("PL", (49.1230, 22.8216), 30.0, False),
    ("LT", (54.3531, 25.5585), 60.0, False),
])
def test_each_stretch_has_its_bound(outlines, code, place, bound_m, undecided):
    found = signed_distance(outlines[code], *at(*place))
    assert (found.bound_95_m[0], bool(found.undecided[0])) == (bound_m, undecided)


def test_every_edge_near_the_chilia_mouth_is_undecided_and_none_elsewhere(loaded):
    territory = loaded["RO"].territory
    middle_lon = np.degrees(0.5 * (territory.edge_rad[:, 1] + territory.edge_rad[:, 3]))
    undecided = middle_lon[territory.edge_undecided]
    assert len(undecided) and undecided.min() >= 29.68 and undecided.max() <= 29.80


def test_a_pack_says_for_every_stretch_why(outlines):
    for code in CODES:
        for name, reason in outlines[code].stretches:
            assert name and len(reason) > 15, code


def test_all_fourteen_outlines_are_known_and_the_cut_ones_say_so(outlines):
    assert set(outlines) >= set(OUTLINES)
    assert {code for code, outline in outlines.items() if not outline.complete} == {"HU", "RS", "RU", "SK"}
    budapest = signed_distance(outlines["HU"], *at(47.5, 19.04))
    assert budapest.incomplete[0]
    debrecen = signed_distance(outlines["HU"], *at(47.53, 21.63))
    assert debrecen.signed_distance_m[0] < 0 and not debrecen.incomplete[0]


def test_the_line_is_the_one_of_the_source_to_the_last_vertex(shared, loaded):
    source = json.loads((shared / "data/geo/countries.geojson").read_bytes())["features"]
    for feature in source:
        if feature["properties"]["iso_a2"] in loaded:
            code = feature["properties"]["iso_a2"]
            ours = json.loads((PACKS / code.lower() / "territory.geojson").read_bytes())["features"][0]
            assert ours["geometry"] == feature["geometry"]


def test_the_compiled_form_gives_the_same_pack(loaded):
    pack = loaded["LT"]
    files = packs.find_pack("LT")
    again = load_pack(files, compile_pack(pack))
    assert again.zones == pack.zones and again.texts == pack.texts and again.policy == pack.policy
    assert [list(zone.names) for zone in again.zones] == [list(zone.names) for zone in pack.zones]
    assert outline_deg(again.areas, 5) == outline_deg(pack.areas, 5)
    lat, lon = np.radians(np.linspace(53.9, 56.5, 40)), np.radians(np.linspace(20.0, 27.0, 40))
    assert np.array_equal(signed_distance(again.territory, lat, lon).signed_distance_m,
                          signed_distance(pack.territory, lat, lon).signed_distance_m)
    assert compile_pack(again) == compile_pack(pack)


def test_a_compiled_form_of_other_files_or_a_damaged_one_is_passed_over(loaded):
    data = compile_pack(loaded["EE"])
    files = packs.find_pack("EE")
    changed = {**files, "pack.toml": files["pack.toml"] + b"\n# changed\n"}
    assert load_pack(changed, data).sha256 == pack_sha256(changed) != loaded["EE"].sha256
    for broken in (b"", b"PK", data[:2_000], data[:-2_000], b"\x00" * 5_000, data[:300] + b"!" + data[301:]):
        assert load_pack(files, broken).code == "EE"
    assert read_value(b"nothing") is None


def test_the_cache_is_written_once_read_again_and_may_be_missing(tmp_path, loaded):
    assert packs.load_country("EE", tmp_path / "a").sha256 == loaded["EE"].sha256
    kept = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(kept) == 1 and kept[0].endswith(".npz")
    assert packs.load_country("ee", tmp_path / "a").zones == loaded["EE"].zones
    (tmp_path / "file").write_bytes(b"")
    assert packs.load_country("EE", tmp_path / "file").code == "EE"       # no folder there: only slower


def test_an_unknown_country_names_the_known_ones():
    with pytest.raises(ConfigError, match="BG, EE, FI, LT, LV, MD, PL, RO, UA"):
        packs.load_country("XX")


def test_a_folder_of_ones_own_is_found_by_path_and_by_the_environment(tmp_path, monkeypatch):
    own = tmp_path / "qq"
    own.mkdir()
    for name, data in packs.find_pack("EE").items():
        if "/" not in name:
            (own / name).write_bytes(data.replace(b'"EE"', b'"QQ"'))
    by_path = packs.load_country(str(own))
    assert by_path.code == "QQ" and by_path.texts["en"]
    monkeypatch.setenv("LAPWING_PACKS", str(tmp_path))
    assert packs.load_country("qq").sha256 == by_path.sha256
    (own / "zones.geojson").unlink()
    with pytest.raises(ConfigError, match=r"qq.zones\.geojson: is missing"):
        packs.load_country("QQ")


def test_places_lie_on_the_side_their_pack_says(loaded):
    romania = loaded["RO"]
    inside = contains(romania.territory, romania.places.latitude_rad, romania.places.longitude_rad)
    assert inside.mean() > 0.999


def test_a_stale_compiled_form_is_written_again(loaded, tmp_path):
    packs.load_country("EE", tmp_path)
    cache, = tmp_path.glob("pack-*.npz")
    good = cache.read_bytes()
    for stale in (b"", good[:1_000], compile_pack(loaded["LT"])):     # damaged, or of another version or pack
        cache.write_bytes(stale)
        assert packs.load_country("EE", tmp_path).sha256 == loaded["EE"].sha256
        assert cache.read_bytes() == good

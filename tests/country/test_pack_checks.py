"""A pack that is wrong is refused with file, key, value and remedy."""

import json

import pytest

from lapwing.country import load_pack
from lapwing.model.errors import ConfigError

SQUARE = [[28.0, 45.0], [29.0, 45.0], [29.0, 46.0], [28.0, 46.0], [28.0, 45.0]]
HALF = [[28.0, 45.0], [28.5, 45.0], [28.5, 46.0], [28.0, 46.0], [28.0, 45.0]]
PACK_TOML = """
code = "TT"
version = "1"
time_zone = "Europe/Bucharest"
languages = ["en"]
neighbours = ["UA"]
attribution = "nobody"
[names]
en = "Testland"
[boundary]
bound_95_m = 100.0
[[stretch]]
name = "river"
neighbour = "UA"
bound_95_m = 200.0
reason = "measured"
[policy]
two_persons_above = 5000
[[partner]]
id = "UA"
name = "Ukraine"
kind = "liaison"
country = "UA"
release = "INFORMATION ONLY"
when = "exit"
languages = ["en"]
fields = ["latitude_rad"]
[scale]
watch = {en = "white"}
pre_alert = {en = "yellow"}
alert = {en = "red"}
all_clear = {en = "green"}
"""


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def feature(ring, **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def zone(ring=HALF, **change):
    return feature(ring, **{"code": "TT-1", "name": "West", "names": {"en": "West"}, "level": "county", "parent": "TT",
                            "county": "TT-1", "population": 1000, "lat_deg": 45.5, "lon_deg": 28.2, **change})


def files(**change):
    good = {
        "pack.toml": PACK_TOML.encode(),
        "territory.geojson": collection(feature(SQUARE, code="TT", name="Testland", snapshot="2026",
                                                neighbours={"UA": [[0, 1, 2]]})),
        "zones.geojson": collection(zone()),
        "places.csv": b"name,lat_deg,lon_deg,population\nBig,45.5,28.2,700\nSmall,45.6,28.3,\nTiny,45.7,28.3,\n",
        "common/texts/en.toml": b'[warn]\nalert = "Danger at {places}"\n',
        "texts/en.toml": b"",
    }
    return {name: data for name, data in {**good, **change}.items() if data is not None}


def refused(**change):
    with pytest.raises(ConfigError) as caught:
        load_pack(files(**change))
    message = str(caught.value)
    assert caught.value.remedy, message
    return message


def toml(old, new):
    assert old in PACK_TOML
    return {"pack.toml": PACK_TOML.replace(old, new).encode()}


def test_a_good_pack_loads():
    pack = load_pack(files())
    assert pack.code == "TT" and pack.policy.two_persons_above == 5000
    assert pack.territory.neighbours == ("", "UA")
    assert pack.territory.edge_bound_95_m.tolist() == [100.0, 200.0, 100.0, 100.0]
    assert pack.texts == {"en": {"warn.alert": "Danger at {places}"}}


def test_places_without_people_get_their_share_of_the_remainder_marked_estimated():
    places = load_pack(files()).places
    # 1,000 in the county, 700 counted: 300 for two places.
    assert places.name == ("Big", "Small", "Tiny")
    assert places.population.tolist() == [700, 150, 150]
    assert places.estimated.tolist() == [False, True, True]
    assert places.zone_index.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("change", "words"), [
    (toml('code = "TT"', 'code = "tt"'), ("pack.toml code", "'tt'", "ISO 3166-1")),
    (toml('version = "1"', ""), ("pack.toml version", "missing")),
    (toml('"Europe/Bucharest"', '"Europe/Nowhere"'), ("time_zone", "Europe/Nowhere", "IANA")),
    (toml('languages = ["en"]\nneighbours', 'languages = ["english"]\nneighbours'), ("languages", "english")),
    (toml("bound_95_m = 200.0", 'bound_95_m = "200 m"'), ("stretch[0].bound_95_m", "200 m", "without quotes")),
    (toml("bound_95_m = 200.0", "bound_95_m = -5"), ("stretch[0].bound_95_m", "-5", "[0, 100000]")),
    (toml('neighbour = "UA"', 'neighbour = "MD"'), ("stretch", "MD", "no edge")),
    (toml("two_persons_above = 5000", "two_persons_over = 5000"), ("policy.two_persons_over", "two_persons_above")),
    (toml("two_persons_above = 5000", "hold_lost_s = true"), ("policy.hold_lost_s", "True", "number")),
    (toml('kind = "liaison"', 'kind = "friend"'), ("partner[0].kind", "friend", "neighbour")),
    (toml('when = "exit"', 'when = "always"'), ("partner[0].when", "always", "near_border")),
    (toml('fields = ["latitude_rad"]', 'fields = ["plots"]'), ("partner[0].fields", "plots", "latitude_rad")),
    (toml('alert = {en = "red"}\nall', "all"), ("scale.alert", "en")),
    (toml('attribution = "nobody"', 'attribution = "nobody'), ("pack.toml", "not TOML")),
])
def test_a_wrong_setting_is_named(change, words):
    message = refused(**change)
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(("name", "data", "words"), [
    ("territory.geojson", None, ("territory.geojson", "missing")),
    ("territory.geojson", b'{"type": "Feature"', ("territory.geojson line 1", "not JSON")),
    ("territory.geojson", b"\xff\xfe", ("territory.geojson", "UTF-8")),
    ("territory.geojson", collection(feature(SQUARE[:-1], code="TT", name="T", snapshot="1")),
     ("features[0].geometry.coordinates[0][0]", "open", "first position at the end")),
    ("territory.geojson", collection(feature([[45.0, 128.0], *SQUARE, [45.0, 128.0]], code="TT", name="T", snapshot="1")),
     ("[0][0]", "128", "longitude, latitude")),
    ("territory.geojson", collection(feature(SQUARE, code="RO", name="T", snapshot="1", neighbours={"UA": [[0, 1, 2]]})),
     ("'RO'", "pack.toml", "'TT'")),
    ("territory.geojson", collection(feature(SQUARE, code="TT", name="T", snapshot="1", complete=False)),
     ("clipped_to", "complete = false")),
    ("territory.geojson", collection(feature(SQUARE, code="TT", name="T", snapshot="1",
                                             neighbours={"UA": [[0, 3, 9]]})),
     ("neighbours", "[0, 3, 9]")),
    ("zones.geojson", collection(zone(code="")), ("features[0].properties.code", "''")),
    ("zones.geojson", collection(zone(code=None)), ("features[0].properties.code", "missing")),
    ("zones.geojson", collection(zone(), zone()), ("features[1].properties.code", "TT-1", "features[0]")),
    ("zones.geojson", collection(zone(level="village")), ("level", "village", "cell")),
    ("zones.geojson", collection(zone(population="many")), ("population", "many", "whole number")),
    ("zones.geojson", collection(zone(colour="red")), ("colour", "red", "not a key")),
    ("zones.geojson", collection(zone(parent="TT-9")), ("parent", "TT-9", "no zone")),
    ("zones.geojson", collection(zone(lat_deg=28.2, lon_deg=45.5)), ("zone TT-1 lat_deg", "outside the territory")),
    ("zones.geojson", collection(), ("zones.geojson", "no zone")),
    ("places.csv", b"name,lat_deg,lon_deg\n", ("places.csv line 1", "population")),
    ("places.csv", b"name,lat_deg,lon_deg,population\nX,forty,28,5\n", ("places.csv line 2 lat_deg", "forty")),
    ("places.csv", b"name,lat_deg,lon_deg,population\nX,45.5,28.2,-5\n", ("places.csv line 2 population", "-5")),
    ("places.csv", b"name,lat_deg,lon_deg,population\nX,28.2,45.5,5\n",
     ("places.csv line 2", "X", "km outside the territory", "latitude first")),
    ("texts/en.toml", b'[warn]\nalert = "Danger at {place}"\n', ("texts/en.toml warn.alert", "{place}", "{places}")),
    ("texts/en.toml", b'[warn]\nalert = "Danger at {places"\n', ("texts/en.toml warn.alert", "brace")),
    ("texts/en.toml", b'[warn]\nalarm = "x"\n', ("texts/en.toml warn.alarm", "no such key")),
    ("texts/en.toml", b'[warn]\nalert = {few = "x"}\n', ("texts/en.toml warn.alert.few", "no such key")),
    ("texts/en.toml", b"[warn]\nalert = 5\n", ("texts/en.toml warn.alert", "5", "not a text")),
])
def test_a_wrong_file_is_named_with_the_place_in_it(name, data, words):
    message = refused(**{name: data})
    for word in words:
        assert word in message, message


def in_two_languages():
    change = toml('languages = ["en"]\nneighbours', 'languages = ["en", "ro"]\nneighbours')
    for level, word in (("watch", "white"), ("pre_alert", "yellow"), ("alert", "red"), ("all_clear", "green")):
        change["pack.toml"] = change["pack.toml"].replace(f'{level} = {{en = "{word}"}}'.encode(),
                                                          f'{level} = {{en = "{word}", ro = "x"}}'.encode())
    return change


def test_a_language_that_lacks_a_text_is_refused():
    change = in_two_languages()
    two = b'[warn]\nalert = "Danger at {places}"\nend = "Over"\n'
    message = refused(**change, **{"common/texts/en.toml": two, "texts/ro.toml": b'[warn]\nend = "Gata"\n'})
    assert "texts/ro.toml warn.alert" in message and "Danger at {places}" in message
    pack = load_pack(files(**change, **{"common/texts/en.toml": two}))
    assert any("texts/ro.toml" in warning for warning in pack.warnings)


@pytest.mark.parametrize(("text", "complaint"), [
    (b'[warn]\nmore = {one = "{count} a", few = "{count} b", other = "{count} c"}\n', ""),
    (b'[warn]\nmore = "plus {count}"\n', ""),
    (b'[warn]\nmore = {one = "{count} a", other = "{count} c"}\n', "texts/ro.toml warn.more.few is missing"),
    (b'[warn]\nmore = {one = "{count} a", few = "{n} b", other = "{count} c"}\n', "texts/ro.toml warn.more.few"),
    (b'[warn]\nmore = {one = "{count} a", few = "{count} b"}\n', "texts/ro.toml warn.more.other"),
])
def test_every_plural_form_of_a_language_is_asked_for(text, complaint):
    change = {**in_two_languages(), "texts/ro.toml": text,
              "common/texts/en.toml": b'[warn]\nmore = {one = "{count} more place", other = "{count} more places"}\n'}
    if complaint:
        assert complaint in refused(**change).replace(": is", " is")
    else:
        assert load_pack(files(**change)).plurals["ro"][20] == "other"

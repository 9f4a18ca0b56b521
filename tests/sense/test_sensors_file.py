"""The sensor table from files, and messages that say what to do."""

import json
import math

import pytest

from lapwing.model.errors import ConfigError
from lapwing.sense.sensors_file import parse_sensors

TULCEA = b"""
[sensor.tulcea]
sac = 25
sic = 201
lat_deg = 45.19
lon_deg = 28.80
antenna_m_amsl = 145.0
rotation_s = 4.0
range_m_sigma = 60.0
azimuth_deg_sigma = 0.12
categories = [34, 48]
editions = { 48 = "1.27" }
"""


def test_table_of_a_radar_is_read_with_its_height_above_the_ellipsoid():
    sensor = parse_sensors(TULCEA, "sensors.toml").rows[0]
    assert (sensor.id, sensor.kind, sensor.sac, sensor.sic) == ("tulcea", "radar", 25, 201)
    assert sensor.latitude_rad == math.radians(45.19)
    assert 145 + 25 < sensor.height_m < 145 + 40      # the geoid stands about 32 m over the ellipsoid there
    assert sensor.editions == {48: "1.27"}
    assert sensor.position_from == "config"


def test_terrain_is_read_in_order_of_azimuth():
    sensor = parse_sensors(b"[sensor.a]\nhorizon = [[270, 2.0], [10.0, 0.5]]\n", "sensors.toml").rows[0]
    assert sensor.horizon == ((math.radians(10.0), math.radians(0.5)), (math.radians(270.0), math.radians(2.0)))


def test_scenario_is_read(shared):
    path = shared / "data/scenarios/danube-night/scenario.json"
    rows = parse_sensors(path.read_bytes(), path.name).rows
    wanted = json.loads(path.read_text())["radars"]
    assert [row.id for row in rows] == [radar["id"] for radar in wanted]
    assert [row.rotation_s for row in rows] == [radar["scan_period_s"] for radar in wanted]
    assert [row.height_m for row in rows] == [radar["height_m"] for radar in wanted]


@pytest.mark.parametrize(("line", "words"), [
    ("azimuth_deg_sigma = 370", r"azimuth_deg_sigma = 370: must lie in [0.001, 10]; usually 0.05 to 0.5"),
    ("azimuth_sigma = 0.1", "azimuth_sigma = 0.1: unknown key; did you mean azimuth_deg_sigma?"),
    ("lat_deg = 95\nlon_deg = 28", "lat_deg = 95: must lie in [-90, 90]"),
    ('lat_deg = "45"\nlon_deg = 28', "lat_deg = '45': must lie in"),
    ("sac = 25", "sac and sic stand together"),
    ("lat_deg = 45", "lat_deg and lon_deg stand together"),
    ('kind = "laser"', "kind = 'laser': unknown; one of radar"),
    ("editions = { 48 = \"9.9\" }", "editions: CAT48 edition '9.9' is unknown; known are 1.27"),
    ("horizon = [[10, 1], [20]]", "horizon: [20]: an azimuth in [0, 360] and an elevation in [-5, 45] degrees expected; e.g."),
    ("horizon = [[10, 80]]", "horizon: [10, 80]: an azimuth"),
    ("horizon = [[0, 1], [360, 2]]", "horizon: an azimuth stands there twice"),
    ("horizon = 3", "horizon: a list of at most 1,440 rows"),
    ("categories = [480]", "categories = [480]: a list of numbers"),
    ("antenna_m_amsl = 1\nantenna_m_ellipsoid = 2", "give one of them"),
])
def test_wrong_setting_is_named_with_file_key_value_and_remedy(line, words):
    with pytest.raises(ConfigError) as caught:
        parse_sensors(f"[sensor.a]\n{line}\n".encode(), "sensors.toml")
    assert str(caught.value).startswith("sensors.toml [sensor.a]: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"x", b"[sensor]", b"{", b'{"radars": 3}', b"\xff\xfe",
                                     b'{"radars":[{"id":1}]}'])
def test_file_that_is_no_table_is_refused(content):
    with pytest.raises(ConfigError, match="sensors"):
        parse_sensors(content, "sensors")


def test_one_source_cannot_be_two_sensors():
    second = TULCEA.replace(b"sensor.tulcea", b"sensor.other")
    with pytest.raises(ConfigError, match="SAC 25 SIC 201 is that of tulcea too"):
        parse_sensors(TULCEA + second, "sensors.toml")

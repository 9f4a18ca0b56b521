"""The place the picture is drawn on."""

import json

import pytest
import shapely
from fake_feed import made_up_pack, made_up_sensors

from lapwing.model.errors import ConfigError
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.web import strips
from lapwing.web.display import display_layers
from lapwing.web.hub import to_json
from lapwing.web.site import site_picture


@pytest.fixture(scope="module")
def site():
    return json.loads(to_json(site_picture(made_up_pack(), {}, made_up_sensors(), "EXERCISE")))


def test_strips_of_five_ten_and_twenty_kilometres_lie_on_both_sides(site):
    assert {(s["km"], s["side"]) for s in site["strips"]} == {(km, side) for km in (5, 10, 20) for side in ("inside", "outside")}


def test_a_strip_ends_at_its_width():
    plane = strips.plane_about(45.0, 29.0)
    territory = plane.to_plane(shapely.box(28.5, 44.5, 29.5, 45.0))
    line = plane.to_plane(shapely.LineString([(28.5, 45.0), (29.5, 45.0)]))
    first = next(s for s in strips.strips(territory, line, plane) if (s["km"], s["side"]) == (5, "outside"))
    top_deg = shapely.from_geojson(json.dumps(first["geometry"])).bounds[3]
    # 5 km of meridian at 45 N are 0.04499 degrees (111.13 km a degree); simplifying moves it by 60 m.
    assert abs(top_deg - 45.04499) < 0.0012


def test_small_zones_are_drawn_near_the_line_and_counties_everywhere(site):
    codes = [f["properties"]["code"] for f in site["zones"]["features"]]
    assert "AA-1" in codes and "AA-2" in codes and "AA-1-001" in codes


def test_every_zone_polygon_is_valid_and_named(site):
    for feature in site["zones"]["features"]:
        assert shapely.from_geojson(json.dumps(feature["geometry"])).is_valid and feature["properties"]["name"]


def test_the_border_shown_lies_on_the_territory(site):
    line = shapely.from_geojson(json.dumps(site["border"]["geometry"]))
    bend = shapely.Point(28.4, 45.20 + 0.10 * 0.18)
    assert line.distance(bend) < 0.15 and line.length > 2.0


def test_a_sensor_without_a_position_is_listed_and_not_placed():
    rows = site_picture(None, {}, SensorTable((Sensor("X"),)), "REPLAY")["sensors"]
    assert rows[0]["id"] == "X" and rows[0]["lat"] is None


def test_without_a_country_there_is_a_site_all_the_same():
    site = site_picture(None, {}, SensorTable(), "REPLAY")
    assert site["country"] is None and site["border"] is None and to_json(site)


def test_attribution_of_the_pack_is_handed_on(site):
    assert site["attribution"] == "made-up data"


def test_a_display_file_that_is_no_geojson_says_which_and_what_to_do():
    with pytest.raises(ConfigError, match=r"packs/display/sea.geojson.*install the packs again"):
        display_layers({"sea.geojson": b'{"features": [{"geometry": 3}]}'}, (20, 40, 30, 50))

"""Geozones of ED-269 and ED-318: outlines, limits, spans; broken ones are refused with the zone and never crash."""

from __future__ import annotations

import contextlib
import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.country.geozones import GROUND_M_MAX, parse_geozones
from lapwing.geo.border import signed_distance
from lapwing.geo.geoid import undulation_m
from lapwing.model.errors import ConfigError
from lapwing.model.times import from_iso
from lapwing.record import codec

SQUARE = [[28.0, 45.0], [28.2, 45.0], [28.2, 45.1], [28.0, 45.1], [28.0, 45.0]]
HOLE = [[28.05, 45.02], [28.1, 45.02], [28.1, 45.05], [28.05, 45.05], [28.05, 45.02]]
ED269 = {"title": "made up", "features": [
    {"identifier": "ROZ001", "country": "ROU", "name": "Port", "type": "COMMON", "restriction": "PROHIBITED", "reason": ["SENSITIVE"],
     "applicability": [{"permanent": "YES"}], "zoneAuthority": [],
     "geometry": [{"uomDimensions": "FT", "lowerLimit": 1000, "lowerVerticalReference": "AMSL", "upperLimit": 3000,
                   "upperVerticalReference": "AGL", "horizontalProjection": {"type": "Polygon", "coordinates": [SQUARE, HOLE]}}]},
    {"identifier": "ROZ002", "country": "ROU", "name": "Mast", "type": "COMMON", "restriction": "REQ_AUTHORISATION",
     "applicability": [{"permanent": "NO", "startDateTime": "2025-08-05T20:00:00Z", "endDateTime": "2025-08-06T20:00:00Z"}],
     "geometry": [{"uomDimensions": "M", "lowerLimit": 0, "lowerVerticalReference": "AGL", "upperLimit": 120,
                   "upperVerticalReference": "AGL", "horizontalProjection": {"type": "Circle", "center": [28.5, 45.2], "radius": 2000}}]},
    {"identifier": "ROZ003", "country": "ROU", "restriction": "NO_RESTRICTION", "geometry": [
        {"horizontalProjection": {"type": "Circle", "center": [28.5, 45.2], "radius": 2000}}]}]}
ED318 = {"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"identifier": "LTZ1", "country": "LTU", "name": [{"text": "Uostas", "lang": "lt-LT"}],
                                       "type": "PROHIBITED", "limitedApplicability": [{"startDateTime": "2025-08-05T20:00:00Z"}]},
     "geometry": {"type": "GeometryCollection", "geometries": [
         {"type": "Polygon", "coordinates": [SQUARE], "layer": {"lower": 100, "lowerReference": "WGS84", "upper": 500,
                                                                "upperReference": "WGS84", "uom": "m"}},
         {"type": "Point", "coordinates": [28.5, 45.2], "extent": {"subType": "Circle", "radius": 2000.0}}]}}]}


def read(document):
    return parse_geozones(json.dumps(document).encode(), "zones.json", "5" * 64)


def distance_m(volume, lat_deg, lon_deg):
    return float(signed_distance(volume.territory, np.radians([lat_deg]), np.radians([lon_deg])).signed_distance_m[0])


def test_ed269_gives_outline_with_hole_limits_over_the_ellipsoid_and_span():
    port, mast = read(ED269)
    assert (port.code, port.name, mast.code) == ("ROZ001", "Port", "ROZ002")
    assert distance_m(port, 45.01, 28.02) < 0 < distance_m(port, 45.03, 28.07) and distance_m(port, 45.2, 28.1) > 10_000
    geoid = float(undulation_m(np.radians([45.03]), np.radians([28.07]))[0])
    assert port.floor_m == pytest.approx(304.8 + geoid, abs=1.0)
    assert port.ceiling_m == pytest.approx(914.4 + geoid + GROUND_M_MAX, abs=1.0)
    assert port.active(0) and mast.floor_m == -math.inf
    assert mast.active(from_iso("2025-08-06T01:00:00Z")) and not mast.active(from_iso("2025-08-07T01:00:00Z"))


def test_circle_reaches_its_radius_everywhere_and_hardly_beyond():
    mast = read(ED269)[1]
    assert distance_m(mast, 45.2, 28.5) == pytest.approx(-2_000.0, abs=3.0)
    assert distance_m(mast, 45.2 + 2_010.0 / 111_150.0, 28.5) > 0.0


def test_ed318_gives_a_volume_a_layer():
    one, two = read(ED318)
    assert (one.code, two.code, one.name) == ("LTZ1/1", "LTZ1/2", "Uostas")
    assert (one.floor_m, one.ceiling_m) == (100.0, 500.0) and (two.floor_m, two.ceiling_m) == (-math.inf, math.inf)
    assert not one.active(from_iso("2025-08-05T19:00:00Z")) and one.active(from_iso("2027-01-01T00:00:00Z"))


def test_volumes_survive_the_codec_of_the_journals_facts():
    volume = read(ED269)[0]
    assert codec.decode(codec.encode(volume)).territory.sha256 == volume.territory.sha256


def broken(path, value):
    document = copy.deepcopy(ED269)
    at = document["features"][0]
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return document


@pytest.mark.parametrize(("path", "value", "words"), [
    (("identifier",), " ", "empty"), (("identifier",), "ROZ002", "twice"), (("geometry", 0, "uomDimensions"), "NM", "neither"),
    (("geometry", 0, "lowerLimit"), 99_000, "above the upper"), (("geometry", 0, "upperVerticalReference"), "QFE", "reference"),
    (("geometry", 0, "horizontalProjection", "coordinates"), [[[28, 45], [28, 45.1]]], "three corners"),
    (("geometry", 0, "horizontalProjection", "coordinates"), [[[28, 145], [28, 45.1], [29, 45]]], "degrees"),
    (("geometry", 0, "horizontalProjection", "type"), "Line", "no polygon"), (("geometry",), 5, "TypeError"),
    (("applicability",), [{"permanent": "NO", "startDateTime": "2025-08-06T20:00:00Z", "endDateTime": "2025-08-05T20:00:00Z"}], "before")])
def test_broken_zone_is_refused_with_its_place(path, value, words):
    with pytest.raises(ConfigError, match=r"zones\.json") as told:
        read(broken(path, value))
    assert words in str(told.value)


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["features", "geometry", "properties", "identifier", "horizontalProjection", "type",
                                         "coordinates", "center", "radius", "applicability"]), inner, max_size=4), max_leaves=12))
def test_no_document_makes_it_crash(value):
    for document in (value, {"features": [value]}, {"features": value}):
        with contextlib.suppress(ConfigError):
            read(document)

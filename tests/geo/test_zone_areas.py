"""Zones: which hold a point, which lie within a distance."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from lapwing.geo import kernels_areas
from lapwing.geo.areas import build_areas, distances_m, locate, outline_deg

WEST = [(45.0, 28.0), (45.0, 29.0), (46.0, 29.0), (46.0, 28.0), (45.0, 28.0)]
EAST = [(45.0, 29.0), (45.0, 30.0), (46.0, 30.0), (46.0, 29.0), (45.0, 29.0)]
HOLE = [(45.4, 28.4), (45.4, 28.6), (45.6, 28.6), (45.6, 28.4), (45.4, 28.4)]
ISLAND = [(47.0, 28.0), (47.0, 28.1), (47.1, 28.1), (47.1, 28.0), (47.0, 28.0)]
POLYGONS = [[WEST, HOLE, ISLAND], [EAST]]


def test_a_point_is_located_in_parts_and_not_in_holes():
    areas = build_areas(POLYGONS)
    lat, lon = np.radians([45.5, 45.2, 47.05, 45.5, 44.0, np.nan]), np.radians([28.5, 28.2, 28.05, 29.5, 28.5, 28.5])
    assert locate(areas, lat, lon).tolist() == [-1, 0, 0, 1, -1, -1]
    assert locate(areas, lat, lon, [1]).tolist() == [-1, -1, -1, 1, -1, -1]


def test_a_point_on_the_line_between_two_zones_is_in_exactly_one():
    areas = build_areas(POLYGONS)
    lat = np.radians(np.linspace(45.01, 45.99, 50))
    assert set(locate(areas, lat, np.full(50, np.radians(29.0))).tolist()) <= {0, 1}


def test_inside_the_distance_is_zero():
    point, area, distance = distances_m(build_areas(POLYGONS), np.radians([45.2]), np.radians([28.2]), 10.0)
    assert (point.tolist(), area.tolist(), distance.tolist()) == ([0], [0], [0.0])


def test_pairs_beyond_the_reach_are_left_out_and_the_rest_sorted():
    areas = build_areas(POLYGONS)
    lat, lon = np.radians([45.5, 44.0]), np.radians([28.99, 28.5])
    point, area, _ = distances_m(areas, lat, lon, 50_000.0)
    assert list(zip(point.tolist(), area.tolist(), strict=True)) == [(0, 0), (0, 1)]


def test_more_pairs_than_expected_are_not_lost():
    many = [[[(45.0 + i * 1e-3, 28.0), (45.0 + i * 1e-3, 28.1), (45.0005 + i * 1e-3, 28.1), (45.0 + i * 1e-3, 28.0)]]
            for i in range(200)]
    _, area, _ = distances_m(build_areas(many), np.radians([45.1]), np.radians([28.05]), 60_000.0)
    assert area.tolist() == list(range(200))


@given(st.floats(44.7, 46.3), st.floats(27.7, 30.3))
@settings(max_examples=60, deadline=None)
def test_distance_agrees_with_an_equidistant_plane_at_the_point(lat_deg, lon_deg):
    polygon = shapely.Polygon([(lon, lat) for lat, lon in WEST])
    plane = Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat_deg} +lon_0={lon_deg} +ellps=WGS84",
                                 always_xy=True)
    flat = shapely.transform(shapely.segmentize(polygon, 0.002),
                             lambda c: np.column_stack(plane.transform(c[:, 0], c[:, 1])))
    expected = flat.distance(shapely.Point(0.0, 0.0))
    _, _, distance = distances_m(build_areas([[WEST]]), np.radians(lat_deg), np.radians(lon_deg), 200_000.0)
    assert float(distance[0]) == pytest.approx(expected, abs=0.1, rel=1e-5)


def test_kernels_and_plain_python_give_the_same():
    areas = build_areas(POLYGONS)
    lat, lon = np.radians(np.array([45.5, 45.2])), np.radians(np.array([28.45, 28.9]))
    point, area, distance = np.empty(8, np.int64), np.empty(8, np.int64), np.empty(8)
    plain = getattr(kernels_areas.distances_kernel, "py_func", kernels_areas.distances_kernel)
    found = plain(lat, lon, 30_000.0, areas.sphere_m, areas.ring_start, areas.vertex_start, areas.vertex_deg,
                  areas.chunk_start, areas.chunk_sphere_m, areas.chunk_point, areas.outline_m, point, area, distance)
    fast = distances_m(areas, lat, lon, 30_000.0)
    assert point[:found].tolist() == fast[0].tolist() and area[:found].tolist() == fast[1].tolist()
    assert np.allclose(distance[:found], fast[2], atol=0.01)


def test_outlines_come_back_as_they_were_given():
    areas = build_areas(POLYGONS)
    assert outline_deg(areas, 0) == [WEST, HOLE, ISLAND]
    assert outline_deg(areas, 1) == [EAST]


def test_no_zones_at_all_is_no_error():
    areas = build_areas([])
    assert locate(areas, [0.8], [0.5]).tolist() == [-1]
    assert len(distances_m(areas, [0.8], [0.5], 1_000.0)[0]) == 0

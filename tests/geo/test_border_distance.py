"""Signed distance to a territory: the 60 exact cases, the plain twin, and what must never happen at a border."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.geo import kernels_border
from lapwing.geo.border import Stretch, build_territory, contains, outline_deg, signed_distance
from lapwing.geo.plain import inside_plain, nearest_plain
from lapwing.geo.wgs84 import geodesic_inverse

SQUARE = [(45.0, 28.0), (45.0, 29.0), (46.0, 29.0), (46.0, 28.0), (45.0, 28.0)]


def territory(rings, **more):
    return build_territory(rings, name="Test", code="TT", version="1", sha256="0" * 64, **more)


@pytest.fixture(scope="module")
def countries(shared):
    made = {}
    for feature in json.loads((shared / "data/geo/countries.geojson").read_bytes())["features"]:
        properties, geometry = feature["properties"], feature["geometry"]
        parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        rings = [[(lat, lon) for lon, lat in ring] for part in parts for ring in part]
        made[properties["iso_a2"]] = territory(rings, complete=properties["complete"],
                                               clip_box_deg=properties.get("clipped_to"))
    return made


def test_all_sixty_cases_are_right(shared, countries):
    cases = json.loads((shared / "data/geo/cases.json").read_bytes())
    rows = next(value for value in cases.values() if isinstance(value, list))
    assert len(rows) == 60
    for case in rows:
        lat, lon, expect = math.radians(case["lat"]), math.radians(case["lon"]), case["expect"]
        found = signed_distance(countries[case["home"]], lat, lon)
        assert abs(found.signed_distance_m[0] - expect["signed_distance_m"]) < max(
            0.1, 5e-4 * abs(expect["signed_distance_m"]) * (abs(expect["signed_distance_m"]) > 50_000.0)), case["id"]
        away_m, _ = geodesic_inverse(found.nearest_latitude_rad, found.nearest_longitude_rad,
                                     math.radians(expect["nearest_lat"]), math.radians(expect["nearest_lon"]))
        assert float(away_m[0]) < 0.2, case["id"]
        holders = [code for code, each in countries.items() if contains(each, lat, lon)]
        assert holders == ([expect["country"]] if expect["country"] else []), case["id"]


@pytest.mark.parametrize("code", ["RO", "LT", "EE"])
def test_distance_agrees_with_the_plain_twin_near_and_far(countries, code):
    generator = np.random.default_rng(7)
    home = countries[code]
    edges = home.edge_rad[generator.integers(0, len(home), 25)]
    spread = 10.0 ** generator.uniform(-6.0, -1.3, (25, 2)) * generator.choice([-1.0, 1.0], (25, 2))
    lat, lon = edges[:, 0] + spread[:, 0], edges[:, 1] + spread[:, 1]
    found = signed_distance(home, lat, lon)
    for row in range(25):
        distance_m, near_lat, near_lon = nearest_plain(home, lat[row], lon[row])
        assert abs(abs(found.signed_distance_m[row]) - distance_m) < max(0.01, 1e-5 * distance_m)
        away_m, _ = geodesic_inverse(near_lat, near_lon, found.nearest_latitude_rad[row],
                                     found.nearest_longitude_rad[row])
        # Two points of the line may be all but equally near; then either will do.
        assert float(away_m) < 1.0 or abs(abs(found.signed_distance_m[row]) - distance_m) < 0.01


def test_distance_is_the_geodesic_to_the_point_it_names(countries):
    generator = np.random.default_rng(8)
    home = countries["LT"]
    edges = home.edge_rad[generator.integers(0, len(home), 2_000)]
    lat = edges[:, 0] + generator.uniform(-0.005, 0.005, 2_000)
    lon = edges[:, 1] + generator.uniform(-0.01, 0.01, 2_000)
    found = signed_distance(home, lat, lon)
    distance_m, _ = geodesic_inverse(lat, lon, found.nearest_latitude_rad, found.nearest_longitude_rad)
    assert np.abs(distance_m - np.abs(found.signed_distance_m)).max() < 1e-4


def test_a_point_is_in_one_of_two_neighbours_and_never_in_both_or_neither(countries):
    # Points on the shared line itself, and 0.1 mm to 100 m beside it.
    generator = np.random.default_rng(9)
    home, other = countries["RO"], countries["MD"]
    north_east = (home.edge_rad[:, 1] > math.radians(27.0)) & (home.edge_rad[:, 0] > math.radians(46.0))
    shared_edges = home.edge_rad[north_east]
    edges = shared_edges[generator.integers(0, len(shared_edges), 5_000)]
    share = generator.uniform(0.05, 0.95, 5_000)
    lat = edges[:, 0] + share * (edges[:, 2] - edges[:, 0])
    lon = edges[:, 1] + share * (edges[:, 3] - edges[:, 1])
    offset = generator.choice([0.0, 1e-11, 1e-9, 1e-6], 5_000) * generator.choice([-1.0, 1.0], 5_000)
    inside = contains(home, lat + offset, lon).astype(int) + contains(other, lat + offset, lon)
    with_third = contains(countries["UA"], lat + offset, lon)
    assert (inside + with_third == 1).all()


@given(st.lists(st.tuples(st.floats(45.0, 46.0), st.floats(28.0, 29.5)), min_size=3, max_size=12),
       st.floats(44.9, 46.1), st.floats(27.9, 29.6))
@settings(max_examples=150, deadline=None)
def test_the_side_agrees_with_the_plain_twin_for_any_ring(corners, lat_deg, lon_deg):
    home = territory([[*corners, corners[0]]])
    rings = [np.radians(np.array([*corners, corners[0]]))]
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    if len(home) and abs(signed_distance(home, lat, lon).signed_distance_m[0]) > 1e-6:
        assert bool(contains(home, lat, lon)) == inside_plain(rings, lat, lon)


def test_direction_and_order_of_rings_do_not_matter():
    hole = [(45.4, 28.4), (45.4, 28.6), (45.6, 28.6), (45.6, 28.4), (45.4, 28.4)]
    lat, lon = np.radians([45.5, 45.2, 44.9]), np.radians([28.5, 28.2, 28.5])
    one = signed_distance(territory([SQUARE, hole]), lat, lon)
    two = signed_distance(territory([hole[::-1], SQUARE[::-1]]), lat, lon)
    assert np.array_equal(np.sign(one.signed_distance_m), [1.0, -1.0, 1.0])
    assert np.allclose(one.signed_distance_m, two.signed_distance_m, atol=1e-6)


def test_an_edge_is_straight_in_longitude_and_latitude_and_no_geodesic():
    # Halfway along a parallel of one degree at 45 N the geodesic runs 24.3 m to the north: (dlon^2 / 16) sin 2 phi a.
    found = signed_distance(territory([SQUARE]), math.radians(45.0) + 10.0 / 6_367_000.0, math.radians(28.5))
    assert found.signed_distance_m[0] == pytest.approx(-10.0, abs=0.01)


def test_kernels_and_plain_python_give_the_same():
    home = territory([SQUARE])
    lat, lon = np.radians(np.array([45.5, 44.7, 46.2])), np.radians(np.array([28.5, 27.5, 29.3]))
    velocity = np.array([[30.0, 0.0], [20.0, 40.0], [0.0, 50.0]])
    metres, near = np.empty((3, 3)), np.empty((4, 3))
    edge, undecided, inside = np.empty(3, np.int32), np.empty(3, np.bool_), np.empty(3, np.bool_)
    plain = getattr(kernels_border.border_kernel, "py_func", kernels_border.border_kernel)
    side = home.side
    of_side = (side.low_lat_rad, side.band_scale, side.band_start, side.band_edges)
    plain(lat, lon, np.zeros(0, np.intp), velocity, 3_600.0, *of_side, home.tree.nodes, home.tree.pieces, home.tree.piece_of,
          home.edge_rad, home.edge_bound_95_m, home.edge_undecided, metres, near, edge, undecided)
    found = signed_distance(home, lat, lon, velocity)
    assert np.array_equal(edge, found.edge_index)
    assert np.allclose(metres, [found.signed_distance_m, found.bound_95_m, found.meeting_s], rtol=1e-12)
    assert np.allclose(near[2:], found.outward, atol=1e-12)
    by_side = getattr(kernels_border.side_kernel, "py_func", kernels_border.side_kernel)
    by_side(lat, lon, *of_side, home.edge_rad, inside)
    assert np.array_equal(inside, contains(home, lat, lon))


def test_a_straight_flight_meets_the_line_when_it_gets_there():
    # 10 km south of the parallel of 45 N at 20 m/s straight north: 500 s; eastwards: never; from inside: at once.
    home = territory([SQUARE])
    south = math.radians(45.0) - 10_000.0 / 6_367_381.0
    lat, lon = np.array([south, south, math.radians(45.5), south]), np.full(4, math.radians(28.5))
    velocity = np.array([[0.0, 20.0], [20.0, 0.0], [0.0, 20.0], [0.0, -20.0]])
    found = signed_distance(home, lat, lon, velocity).meeting_s
    assert found[0] == pytest.approx(500.0, abs=1.0)
    assert found[1:].tolist() == [math.inf, 0.0, math.inf]


def test_the_order_in_which_points_are_worked_changes_no_answer(countries):
    generator = np.random.default_rng(10)
    home = countries["LT"]
    lat = np.radians(generator.uniform(53.5, 56.8, 3_000))
    lon = np.radians(generator.uniform(20.5, 27.2, 3_000))
    lat[7] = np.nan
    whole = signed_distance(home, lat, lon)                       # sorted along the ground
    parts = [signed_distance(home, lat[k:k + 100], lon[k:k + 100]) for k in range(0, 3_000, 100)]   # as they come
    for name in ("signed_distance_m", "nearest_latitude_rad", "nearest_longitude_rad", "edge_index"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]), equal_nan=True)


def test_a_cut_edge_is_never_measured_to_and_marked():
    home = territory([SQUARE], complete=False, clip_box_deg=(28.0, 44.0, 30.0, 47.0))
    found = signed_distance(home, np.radians([45.5, 45.5, 45.5]), np.radians([28.1, 28.9, 27.9]))
    # 28.1 E: the cut side at 28.0 E is nearest, and the distance is to the parallel half a degree away.
    assert found.incomplete.tolist() == [True, False, True]
    assert found.signed_distance_m[0] < -50_000.0
    assert home.edge_cut.sum() == 1


def test_bounds_and_undecided_stretches_come_with_the_nearest_edge():
    home = territory([SQUARE], stretches=[Stretch("south", "test", 45.0, box_deg=(27.0, 44.9, 30.0, 45.1)),
                                          Stretch("east", "test", 6_900.0, undecided=True, neighbour="EE")],
                     ring_neighbours=[["", "EE", "", ""]], bound_95_m=150.0)
    found = signed_distance(home, np.radians([45.01, 45.5, 45.99, np.nan]), np.radians([28.5, 28.99, 28.5, 28.0]))
    assert found.bound_95_m[:3].tolist() == [45.0, 6_900.0, 150.0]
    assert found.undecided.tolist() == [False, True, False, False]
    assert np.isnan(found.signed_distance_m[3]) and found.edge_index[3] == -1


def test_answers_do_not_depend_on_the_batch_a_point_comes_in():
    home = territory([SQUARE])
    generator = np.random.default_rng(3)
    lat, lon = np.radians(generator.uniform(44.0, 47.0, 200)), np.radians(generator.uniform(27.0, 30.0, 200))
    whole = signed_distance(home, lat, lon)
    for row in range(0, 200, 17):
        single = signed_distance(home, lat[row], lon[row])
        assert single.signed_distance_m[0] == whole.signed_distance_m[row]
        assert single.edge_index[0] == whole.edge_index[row]


def test_the_outline_comes_back_closed():
    rings = outline_deg(territory([SQUARE]))
    assert np.allclose(rings[0], SQUARE, atol=1e-12)

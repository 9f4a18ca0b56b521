"""Geodesics and frames, compared with pyproj and with themselves turned round."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from lapwing.geo import frames, geoid, horizon, wgs84

LATITUDES = st.floats(-1.2, 1.2)
LONGITUDES = st.floats(-3.0, 3.0)


def test_earth_fixed_axes_agree_with_proj():
    to = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    lat, lon = np.radians([45.18, -60.0, 0.0]), np.radians([28.8, 151.0, -179.0])
    height = np.array([32.0, 9000.0, -50.0])
    ours = wgs84.to_ecef(lat, lon, height)
    assert np.allclose(ours, np.stack(to.transform(np.degrees(lon), np.degrees(lat), height), axis=-1), atol=1e-6)


@given(LATITUDES, LONGITUDES, st.floats(-10_000.0, 100_000.0))
@settings(max_examples=200, deadline=None)
def test_earth_fixed_axes_and_back_return(lat_rad, lon_rad, height_m):
    lat, lon, height = wgs84.from_ecef(wgs84.to_ecef(lat_rad, lon_rad, height_m))
    assert abs(lat - lat_rad) * wgs84.A_M < 1e-6
    assert abs(lon - lon_rad) * wgs84.A_M < 1e-6
    assert abs(height - height_m) < 1e-6


def test_geodesic_of_one_degree_along_the_equator():
    # a * pi / 180 by definition of the equator's circle.
    distance_m, azimuth_rad = wgs84.geodesic_inverse(0.0, 0.0, 0.0, math.radians(1.0))
    assert float(distance_m) == pytest.approx(wgs84.A_M * math.pi / 180.0, abs=1e-6)
    assert float(azimuth_rad) == pytest.approx(math.pi / 2.0)


@given(LATITUDES, LONGITUDES, st.floats(0.0, 6.28), st.floats(1.0, 500_000.0))
@settings(max_examples=100, deadline=None)
def test_direct_and_inverse_undo_each_other(lat_rad, lon_rad, azimuth_rad, distance_m):
    lat2, lon2 = wgs84.geodesic_direct(lat_rad, lon_rad, azimuth_rad, distance_m)
    back_m, back_rad = wgs84.geodesic_inverse(lat_rad, lon_rad, lat2, lon2)
    assert float(back_m) == pytest.approx(distance_m, abs=1e-6)
    assert abs(math.remainder(float(back_rad) - azimuth_rad, 2.0 * math.pi)) * distance_m < 1e-3
    assert 0.0 <= float(back_rad) < 2.0 * math.pi


@given(LATITUDES, LONGITUDES, st.floats(-50.0, 3_000.0), st.floats(0.0, 6.28), st.floats(50.0, 500_000.0),
       st.floats(-100.0, 20_000.0))
@settings(max_examples=300, deadline=None)
def test_polar_to_geodetic_and_back_return_within_a_centimetre(
        site_lat, site_lon, site_height, azimuth, ground, height):
    lat, lon = wgs84.geodesic_direct(site_lat, site_lon, azimuth, ground)
    slant, seen_at, _ = frames.geodetic_to_polar(site_lat, site_lon, site_height, lat, lon, height)
    back_lat, back_lon = frames.polar_to_geodetic(site_lat, site_lon, site_height, slant, seen_at, height)
    assert float(wgs84.geodesic_inverse(lat, lon, back_lat, back_lon)[0]) < 0.01


def test_polar_to_geodetic_agrees_with_its_plain_twin():
    generator = np.random.default_rng(4)
    for _ in range(40):
        site = np.radians(generator.uniform(40.0, 70.0)), np.radians(generator.uniform(15.0, 40.0)), 120.0
        plot = generator.uniform(2_000.0, 450_000.0), generator.uniform(0.0, 6.28), generator.uniform(0.0, 1_900.0)
        ours, plain = frames.polar_to_geodetic(*site, *plot), frames.polar_to_geodetic_plain(*site, *plot)
        assert float(wgs84.geodesic_inverse(*ours, *plain)[0]) < 0.01


def test_a_range_shorter_than_the_difference_of_heights_is_no_place():
    lat, lon = frames.polar_to_geodetic(0.8, 0.5, 100.0, np.array([900.0, np.nan]), 1.0, 1_100.0)
    assert np.isnan(lat).all() and np.isnan(lon).all()


def test_an_object_overhead_is_where_the_radar_is():
    lat, lon = frames.polar_to_geodetic(0.8, 0.5, 100.0, 1_000.0, 1.0, 1_100.0)
    assert float(wgs84.geodesic_inverse(0.8, 0.5, lat, lon)[0]) < 0.01


@given(LATITUDES, LONGITUDES, st.floats(-200_000.0, 200_000.0), st.floats(-200_000.0, 200_000.0))
@settings(max_examples=100, deadline=None)
def test_the_map_plane_and_back_return(lat0, lon0, east_m, north_m):
    lat, lon = frames.geodetic_from_enu(lat0, lon0, east_m, north_m)
    back_east, back_north = frames.enu_from_geodetic(lat0, lon0, lat, lon)
    assert abs(float(back_east) - east_m) < 1e-5 and abs(float(back_north) - north_m) < 1e-5


def test_the_geoid_at_tulcea_and_vilnius():
    # Values named in the source's description of its grid.
    assert float(geoid.undulation_m(math.radians(45.18), math.radians(28.80))) == pytest.approx(32.08, abs=0.05)
    assert float(geoid.undulation_m(math.radians(54.69), math.radians(25.28))) == pytest.approx(24.89, abs=0.05)


def test_outside_its_grid_the_geoid_is_unknown_and_never_zero():
    lat, lon = np.radians([39.9, 72.1, 50.0, 50.0, np.nan]), np.radians([20.0, 20.0, 13.9, 45.1, 20.0])
    assert np.isnan(geoid.undulation_m(lat, lon)).all()
    assert not geoid.covers(lat, lon).any()
    corners = np.radians([40.0, 72.0, 40.0, 72.0]), np.radians([14.0, 14.0, 45.0, 45.0])
    assert geoid.covers(*corners).all()


def test_the_horizon_of_a_low_flyer():
    # sqrt(2 * 4/3 * 6371008.8 * 25) + the same for 50 m = 20.61 km + 29.15 km.
    assert float(horizon.radio_horizon_m(25.0, 50.0)) == pytest.approx(49_756.0, abs=5.0)
    hidden = horizon.hidden_below_horizon([40_000.0, 60_000.0, 60_000.0], 25.0, [50.0, 50.0, np.nan])
    assert hidden.tolist() == [False, True, False]


def test_geoid_kernel_and_plain_twin_agree_to_the_last_bit():
    from lapwing.geo.geoid import undulation_m, undulation_plain

    generator = np.random.default_rng(7)
    lat, lon = np.radians(generator.uniform(38.0, 74.0, 500)), np.radians(generator.uniform(12.0, 47.0, 500))
    plain = [undulation_plain(a, b) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]
    assert np.array_equal(undulation_m(lat, lon), plain, equal_nan=True) and 0 < np.isnan(plain).sum() < 400

"""Where reports lie: exact for a known height, honest in the covariance for an unknown one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.geo.frames import enu_from_geodetic, geodetic_to_polar
from lapwing.geo.geoid import undulation_m
from lapwing.sense import heights, place

SITE = (np.array([np.radians(45.19)]), np.array([np.radians(28.80)]))
SITE_M = np.array([150.0])


def seen(latitude_rad, longitude_rad, height_m):
    return geodetic_to_polar(SITE[0], SITE[1], SITE_M, np.atleast_1d(latitude_rad), np.atleast_1d(longitude_rad),
                             np.atleast_1d(height_m))[:2]


def placed(range_m, azimuth_rad, height_m, sigma_m, range_sigma=50.0, azimuth_sigma=0.002):
    return place.polar(SITE, SITE_M, range_m, azimuth_rad, np.atleast_1d(height_m), np.atleast_1d(sigma_m),
                       np.array([range_sigma]), np.array([azimuth_sigma]))


@settings(max_examples=60, deadline=None)
@given(st.floats(43.5, 47.0), st.floats(26.0, 31.5), st.floats(50.0, 12_000.0))
def test_report_of_known_height_falls_where_the_object_is(latitude, longitude, height):
    truth = np.radians([latitude]), np.radians([longitude])
    range_m, azimuth = seen(*truth, height)
    if range_m[0] < 2.0 * abs(height - 150.0):
        return
    found = placed(range_m, azimuth, height, 100.0)
    east, north = enu_from_geodetic(*truth, found[0], found[1])
    assert np.hypot(east, north)[0] < 0.01


def test_covariance_lies_along_and_across_the_line_of_sight():
    # Due east, 60 km, low: along = east is the range's 50 m, across = north is 60 km x 2 mrad = 120 m.
    _, _, cov = placed(np.array([60_000.0]), np.array([np.pi / 2]), 400.0, 10.0)
    assert np.sqrt(cov[0, 0, 0]) == pytest.approx(50.0, rel=0.02)
    assert np.sqrt(cov[0, 1, 1]) == pytest.approx(120.0, rel=0.02)


def test_error_of_the_height_counts_most_high_and_near():
    # 9 km above the radar at 15 km slant: ground range 12 km, dg = h/g dh = 0.75 x 100 m, and r/g x 50 m = 62.5 m.
    _, _, cov = placed(np.array([15_000.0]), np.array([0.0]), 9_150.0, 100.0)
    assert np.sqrt(cov[0, 1, 1]) == pytest.approx(np.hypot(75.0, 62.5), rel=0.02)


@pytest.mark.parametrize("range_km", [3.0, 10.0, 40.0, 120.0])
def test_unknown_height_is_covered_by_the_covariance(range_km):
    # Objects at 50 to 3,000 m above the radar: the along-range error in sigmas must be moderate for nearly all.
    latitude = np.radians(45.19) + range_km / 6_371.0
    worst = []
    for height in (200.0, 350.0, 800.0, 1_500.0, 2_500.0):
        range_m, azimuth = seen(latitude, SITE[1], height)
        found = placed(range_m, azimuth, np.nan, np.nan)
        _, north = enu_from_geodetic(np.array([latitude]), SITE[1], found[0], found[1])
        worst.append(abs(north[0]) / np.sqrt(found[2][0, 1, 1]))
    assert max(worst[:4]) < 2.5 and max(worst) < 4.5


def test_range_shorter_than_the_height_gives_no_place():
    found = placed(np.array([5_000.0]), np.array([0.0]), 9_000.0, 100.0)
    assert np.isnan(found[0][0])


def test_very_near_object_of_unknown_height_has_a_place():
    found = placed(np.array([60.0]), np.array([1.0]), np.nan, np.nan)
    assert np.isfinite(found[0]).all() and np.isfinite(found[2]).all()


def test_covariances_are_positive_definite_whatever_the_sender_says():
    cov = place.diagonal(np.array([10.0, 10.0]), np.array([5.0, 5.0]), np.array([400.0, np.nan]))
    assert (np.linalg.eigvalsh(cov) > 0).all()


def test_flight_level_becomes_height_over_the_ellipsoid_with_the_geoid():
    sea, sea_sigma = heights.mean_sea_level(*SITE)
    height, sigma = heights.from_flight_level(np.array([100.0]), sea, sea_sigma)
    assert height[0] == pytest.approx(3_048.0 + float(undulation_m(*SITE)[0]))
    assert 100.0 < sigma[0] < 200.0


def test_broken_level_code_is_no_height():
    height, _ = heights.from_flight_level(np.array([-30.0, 1_200.0, np.nan]), np.zeros(3), np.zeros(3))
    assert np.isnan(height).all()


def test_outside_the_geoid_grid_the_sigma_says_so():
    sea, sigma = heights.mean_sea_level(np.radians([41.3]), np.radians([2.1]))
    assert (sea[0], sigma[0]) == (0.0, heights.NO_GEOID_M_SIGMA)


def test_a_batch_in_pieces_is_the_same_as_its_plots_one_piece_at_a_time():
    generator, n = np.random.default_rng(4), 2 * place.PIECE_ROWS + 5
    columns = [np.full(n, SITE[0]), np.full(n, SITE[1]), np.full(n, 150.0), generator.uniform(1e3, 3e5, n),
               generator.uniform(0.0, 6.28, n), np.where(generator.uniform(size=n) < 0.5, np.nan, 3_000.0), np.full(n, 100.0),
               np.full(n, 60.0), np.full(n, 0.002)]
    whole = place.polar(tuple(columns[:2]), *columns[2:])
    tail = place.polar(tuple(c[-700:] for c in columns[:2]), *(c[-700:] for c in columns[2:]))
    assert all(np.array_equal(one[-700:], other) for one, other in zip(whole, tail, strict=True)) and len(whole[0]) == n


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 400_000.0), st.floats(0.0, 6.3), st.floats(-100.0, 20_000.0), st.floats(0.0, 3_000.0)),
                min_size=1, max_size=12), st.floats(1.0, 500.0), st.floats(1e-4, 0.05))
def test_the_kernel_of_the_covariance_agrees_with_its_plain_twin(reports, range_sigma, azimuth_sigma):
    range_m, azimuth, height, sigma = np.array(reports).T
    found = placed(range_m, azimuth, height, sigma, range_sigma, azimuth_sigma)
    plain = place.covariance_plain(SITE, SITE_M, range_m, azimuth, height, sigma, range_sigma, azimuth_sigma, found[:2])
    assert np.allclose(found[2], plain, rtol=1e-9, atol=1e-6, equal_nan=True)
    assert np.isnan(found[2][np.isnan(found[0])]).all()


def test_a_report_that_is_not_there_has_no_place_and_no_covariance():
    latitude, _, cov = placed(np.array([np.nan, 900.0]), np.array([1.0, 1.0]), 5_000.0, 10.0)
    assert np.isnan(latitude).all() and np.isnan(cov).all()

"""What is asked of a batch sensor by sensor is what NumPy says row by row, and the kernels are what their plain twins are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.times import DAY_NS
from lapwing.sense import kernels_batch as kernels
from lapwing.sense.clock import to_utc
from lapwing.sense.screen import rough_m

CODES = st.lists(st.integers(-3, 12), max_size=60)


@given(CODES)
def test_groups_are_the_distinct_values_rising_and_each_rows_place_among_them(codes):
    values = np.array(codes, np.int64)
    distinct, group = kernels.groups(values)
    assert distinct == sorted(set(codes))
    assert [distinct[number] for number in group.tolist()] == codes


def test_more_values_than_are_looked_through_are_grouped_all_the_same():
    values = np.arange(300, dtype=np.uint16)[::-1]
    distinct, group = kernels.groups(values)
    assert distinct == list(range(300)) and group.tolist() == values.tolist()


@given(CODES.filter(bool), st.integers(0, 2**32))
def test_newest_count_middle_and_least_of_each_group_are_those_of_its_rows(codes, seed):
    times = np.random.default_rng(seed).integers(-(10**9), 10**9, len(codes))
    distinct, group = kernels.groups(np.array(codes, np.int64))
    newest, counts = kernels.newest(group, times, len(distinct))
    middle, least = np.empty(len(distinct), np.int64), np.empty(len(distinct), np.int64)
    kernels.middles_of(group, times, np.array(counts), middle, least)
    for number in range(len(distinct)):
        mine = np.sort(times[group == number])
        assert (newest[number], counts[number]) == (mine[-1], len(mine))
        assert (middle[number], least[number]) == (mine[len(mine) // 2], mine[0])


@given(st.lists(st.tuples(st.floats(0, 86_399.99), st.integers(0, 30_000 * DAY_NS)), min_size=1, max_size=20))
def test_times_of_day_are_those_of_the_clock(rows):
    inside, received = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], np.int64)
    measured = np.empty(len(rows), np.int64)
    assert kernels.times_of_day(inside, received, measured) == 0
    assert measured.tolist() == to_utc(inside, received).tolist()


@pytest.mark.parametrize("inside", [math.nan, 86_400.0, 131_071.99])
def test_a_time_of_day_that_is_none_is_counted(inside):
    assert kernels.times_of_day(np.array([inside, 1.0]), np.zeros(2, np.int64), np.empty(2, np.int64)) == 1


def test_farthest_of_a_group_is_by_sector_and_leaves_the_others_alone():
    reach, before = np.zeros(36), np.full(36, 5.0)
    azimuth, range_m = np.radians([5.0, 6.0, 355.0, math.nan, 15.0]), np.array([10.0, 20.0, 7.0, 99.0, 50.0])
    farthest, seen = kernels.farthest_of(np.array([0, 0, 0, 0, 1]), 0, azimuth, range_m, reach, before, 7.0)
    assert (reach[0], reach[35], reach[1], farthest, seen) == (20.0, 7.0, 0.0, 20.0, 2)


@given(st.integers(0, 2**32))
def test_near_is_never_said_of_a_plot_that_the_exact_rule_refuses(seed):
    rng = np.random.default_rng(seed)
    site, reach = np.array([0.8]), np.array([200_000.0])
    latitude, longitude = 0.8 + rng.normal(0, 0.02, 3), 0.5 + rng.normal(0, 0.03, 3)
    range_m = np.where(rng.random(3) < 0.5, math.nan, rng.uniform(0, 250_000.0, 3))
    arguments = (np.zeros(3, np.uint16), latitude, longitude, range_m, site, np.array([0.5]), reach)
    near = kernels.all_near(*arguments)
    distance = np.where(np.isnan(range_m), rough_m(0.8, 0.5, latitude, longitude), range_m)
    assert not near or (distance <= 200_000.0).all()
    assert near or not (distance < 199_000.0).all()
    assert near == getattr(kernels.all_near, "py_func", kernels.all_near)(*arguments)


@pytest.mark.parametrize(("latitude", "longitude"), [(1.6, 0.0), (0.0, 3.2), (math.nan, 0.0)])
def test_what_is_off_the_globe_is_never_near(latitude, longitude):
    one = np.array([1.0])
    assert not kernels.all_near(np.zeros(1, np.uint16), one * latitude, one * longitude, one * math.nan, one * math.nan, one * math.nan,
                                one * math.inf)


@given(CODES, st.integers(0, 2**32))
def test_kernels_and_their_plain_twins_are_one(codes, seed):
    rng = np.random.default_rng(seed)
    values, times = np.array(codes, np.int64), rng.integers(0, 10**15, len(codes))
    results = []
    for plain in (False, True):
        def use(kernel, plain=plain):
            return getattr(kernel, "py_func", kernel) if plain else kernel
        distinct, group = np.zeros(64, np.int64), np.zeros(len(codes), np.int64)
        count = use(kernels.group_rows)(values, distinct, group)
        newest, counts, middle, least = (np.zeros(count, np.int64) for _ in range(4))
        use(kernels.newest_of)(group, times, newest, counts)
        use(kernels.middles_of)(group, times, counts, middle, least)
        reach = np.zeros(36)
        told = use(kernels.farthest_of)(group, 0, rng.uniform(0, 6.28, 0) if not codes else np.linspace(0, 6.2, len(codes)),
                                        times.astype(np.float64), reach, np.zeros(36), 1e12)
        results.append([column.tolist() for column in (distinct, group, newest, counts, middle, least, reach)] + [told])
    assert results[0] == results[1]

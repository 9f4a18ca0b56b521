"""Kernels: what a batch asks of its rows sensor by sensor, each in one pass. Times and codes are whole numbers, so nothing is rounded.

`group_rows` numbers the rows by their value; the other kernels take those numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel
from lapwing.geo.wgs84 import MEAN_RADIUS_M
from lapwing.model.times import DAY_NS, NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GROUPS_MAX = 64                  # distinct values found by looking through them; of more NumPy sorts
DAY_S = 86_400.0
NEVER = -(1 << 62)
GLOBE_LAT_RAD, GLOBE_LON_RAD = math.pi / 2, math.pi * (1 + 1e-9)


@kernel
def group_rows(values: Ints, distinct: Ints, group: Ints) -> int:
    """Fill `distinct` with the values met, rising, and `group` (n,) with each row's place in it; return how many, -1: too many."""
    count, last = 0, 0
    for row in range(len(values)):
        value = values[row]
        if count == 0 or distinct[last] != value:
            last = 0
            while last < count and distinct[last] != value:
                last += 1
            if last == count:
                if count == len(distinct):
                    return -1
                distinct[count] = value
                count += 1
        group[row] = last
    rank = np.empty(count, np.int64)
    for one in range(count):
        rank[one] = 0
        for other in range(count):
            if distinct[other] < distinct[one]:
                rank[one] += 1
    for row in range(len(values)):
        group[row] = rank[group[row]]
    sorted_ = np.empty(count, np.int64)
    for one in range(count):
        sorted_[rank[one]] = distinct[one]
    distinct[:count] = sorted_
    return count


def groups(values: npt.NDArray[np.integer]) -> tuple[list[int], Ints]:
    """Return the distinct values, rising, and of each row the place of its value among them."""
    wide: Ints = values if values.dtype == np.int64 else values.astype(np.int64)  # type: ignore[assignment, unused-ignore]
    distinct, group = np.empty(GROUPS_MAX, np.int64), np.empty(len(wide), np.int64)
    count = group_rows(wide, distinct, group)
    if count < 0:
        distinct, group = np.unique(wide, return_inverse=True)
        return distinct.tolist(), group
    return distinct[:count].tolist(), group


@kernel
def newest_of(group: Ints, values: Ints, newest: Ints, counts: Ints) -> None:
    """Fill the greatest value and the count of rows of each group."""
    newest[:] = NEVER
    counts[:] = 0
    for row in range(len(group)):
        one = group[row]
        counts[one] += 1
        if values[row] > newest[one]:
            newest[one] = values[row]


def newest(group: Ints, values: Ints, count: int) -> tuple[list[int], list[int]]:
    """Return the greatest value of each group, and how many rows it has."""
    found, counts = np.empty(count, np.int64), np.empty(count, np.int64)
    newest_of(group, values, found, counts)
    return found.tolist(), counts.tolist()


@kernel
def middles_of(group: Ints, values: Ints, counts: Ints, middle: Ints, least: Ints) -> None:
    """Fill the middle value (of an even number the upper of the two) and the least of each group of `counts` rows."""
    starts = np.zeros(len(counts) + 1, np.int64)
    for one in range(len(counts)):
        starts[one + 1] = starts[one] + counts[one]
    at = starts[:-1].copy()
    ordered = np.empty(len(group), np.int64)
    for row in range(len(group)):
        ordered[at[group[row]]] = values[row]
        at[group[row]] += 1
    for one in range(len(counts)):
        mine = np.sort(ordered[starts[one] : starts[one + 1]])
        middle[one], least[one] = mine[len(mine) // 2], mine[0]


@kernel
def times_of_day(inside_s: Floats, received_ns: Ints, measured_ns: Ints) -> int:
    """Fill UTC as `clock.to_utc` does; return how many rows have no time of day, or one beyond 24 h (theirs is not filled)."""
    without = 0
    for row in range(len(inside_s)):
        if not inside_s[row] < DAY_S:
            without += 1
            continue
        inside = np.int64(np.rint(inside_s[row] * NS_PER_S))
        behind = (received_ns[row] - inside + DAY_NS // 2) % DAY_NS - DAY_NS // 2
        measured_ns[row] = received_ns[row] - behind
    return without


@kernel
def all_near(index: npt.NDArray[np.uint16], latitude_rad: Floats, longitude_rad: Floats, range_m: Floats, site_latitude_rad: Floats,
             site_longitude_rad: Floats, reach_m: Floats) -> bool:
    """Whether all plots lie on the globe and well within the reach of their sensors: then there is nothing to look at closely."""
    for row in range(len(index)):
        latitude, longitude = latitude_rad[row], longitude_rad[row]
        if not (abs(latitude) <= GLOBE_LAT_RAD and abs(longitude) <= GLOBE_LON_RAD):
            return False
        reach = reach_m[index[row]]
        if reach == math.inf:
            continue
        if not math.isnan(range_m[row]):
            if not range_m[row] <= reach:
                return False
            continue
        north = math.sin(0.5 * (latitude - site_latitude_rad[index[row]]))
        east = math.sin(0.5 * (longitude - site_longitude_rad[index[row]]))
        half = north * north + math.cos(latitude) * math.cos(site_latitude_rad[index[row]]) * east * east
        # Near the edge `screen.rough_m` decides: its sines may differ from these in the last bit.
        if not 2.0 * MEAN_RADIUS_M * math.asin(min(1.0, math.sqrt(half))) < 0.999 * reach:
            return False
    return True


@kernel
def farthest_of(group: Ints, wanted: int, azimuth_rad: Floats, range_m: Floats, reach_m: Floats, before_m: Floats,
                short_m: float) -> tuple[float, int]:
    """Move `reach_m` (sectors,) out to the ranges of one group; return the farthest of it and `before_m`, and the sectors that reach
    `short_m`."""
    sectors = len(reach_m)
    for row in range(len(group)):
        if group[row] == wanted and math.isfinite(azimuth_rad[row]):
            sector: Any = np.int64(azimuth_rad[row] * (sectors / (2.0 * math.pi))) % sectors
            if range_m[row] > reach_m[sector]:
                reach_m[sector] = range_m[row]
    farthest, seen = 0.0, 0
    for sector in range(sectors):
        both = max(reach_m[sector], before_m[sector])
        farthest = max(farthest, both)
        if both >= short_m:
            seen += 1
    return farthest, seen

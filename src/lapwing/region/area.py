"""Where a region of a country ends: every place on earth lies in one of them, that of the nearest zone.

A region is a set of counties. Places outside the country belong to somebody too, so the rule is the nearest zone's point,
and the line between two regions is made of the middle lines between such points. The depth behind that line is kept on a
grid: it decides who takes a track over, with 2 km of play, and which plots a region looks at; nothing that needs metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.geo.wgs84 import MEAN_RADIUS_M
from lapwing.model.errors import ConfigError

HALO_M = 60_000.0            # 15 min of a piston drone and the 3 km about a zone: who warns must see it coming
_STEP_RAD = np.radians(0.1)
_AROUND_RAD = np.radians(3.0)
_ROWS_AT_ONCE = 256
_GRID_M = 16_000.0           # the diagonal of a cell of the grid: the line may lie so far on this side of the points beyond it
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Area:
    """One region's share of the country.

    Attributes
    ----------
    name : of this region
    counties : its own, whose people it warns
    halo_m : how far beyond its line it follows tracks
    depth_m : (rows, columns) distance to the line between the regions on a grid of 0.1 degrees, positive inside
    south_rad, west_rad : of the grid's first row and column
    """

    name: str
    counties: frozenset[str]
    halo_m: float
    depth_m: Floats
    south_rad: float
    west_rad: float

    def depth_at(self, latitude_rad: Floats, longitude_rad: Floats) -> Floats:
        """Return how far inside places lie, metres; negative outside. Beyond the grid the nearest of its edge counts."""
        rows, columns = self.depth_m.shape
        y = np.clip((np.asarray(latitude_rad) - self.south_rad) / _STEP_RAD, 0.0, rows - 1.000001)
        x = np.clip((np.asarray(longitude_rad) - self.west_rad) / _STEP_RAD, 0.0, columns - 1.000001)
        i, j = y.astype(np.intp), x.astype(np.intp)
        v, u = y - i, x - j
        low = self.depth_m[i, j] * (1.0 - u) + self.depth_m[i, j + 1] * u
        high = self.depth_m[i + 1, j] * (1.0 - u) + self.depth_m[i + 1, j + 1] * u
        found: Floats = low * (1.0 - v) + high * v
        return found


def make_area(pack: Pack, regions: Mapping[str, tuple[str, ...]], name: str, halo_m: float = HALO_M) -> Area:
    """Return the area of one of the regions.

    Parameters
    ----------
    pack : the country
    regions : counties of each region, by its name: the same at every site of the country
    name : of the region wanted

    Raises ConfigError where a county is unknown, in two regions or in none, or the region is not among them.
    """
    _check(pack, regions, name)
    mine = frozenset(regions[name])
    zones = [zone for zone in pack.zones if zone.level in ("municipality", "cell") and zone.county] or \
            [zone for zone in pack.zones if zone.level == "county"]
    lat, lon = np.array([z.latitude_rad for z in zones]), np.array([z.longitude_rad for z in zones])
    is_mine = np.array([z.county in mine for z in zones])
    south, west = float(lat.min()) - _AROUND_RAD, float(lon.min()) - _AROUND_RAD
    rows = int(np.ceil((lat.max() + _AROUND_RAD - south) / _STEP_RAD)) + 1
    columns = int(np.ceil((lon.max() + _AROUND_RAD - west) / _STEP_RAD)) + 1
    grid_lat = np.repeat(south + _STEP_RAD * np.arange(rows), columns)
    grid_lon = np.tile(west + _STEP_RAD * np.arange(columns), rows)
    if is_mine.all():
        depth = np.full(len(grid_lat), 1e7)      # the only region: there is no line
    else:
        depth = _depth(_unit(grid_lat, grid_lon), _unit(lat[is_mine], lon[is_mine]), _unit(lat[~is_mine], lon[~is_mine]))
        depth = _far(depth, _unit(grid_lat, grid_lon), (rows, columns))
    return Area(name, mine, halo_m, depth.reshape(rows, columns), south, west)


def _check(pack: Pack, regions: Mapping[str, tuple[str, ...]], name: str) -> None:
    counties = {zone.code for zone in pack.zones if zone.level == "county"}
    if name not in regions:
        raise ConfigError(f"{name!r} is not among the regions", where="region", remedy=f"name one of {', '.join(regions) or 'some'}")
    seen: dict[str, str] = {}
    for region, codes in regions.items():
        if not codes:
            raise ConfigError("has no county", where=f"region {region}", remedy="give it one, or leave it out")
        for code in codes:
            if code not in counties:
                raise ConfigError(f"no county {code!r}", where=f"region {region}",
                                  remedy=f"the pack {pack.code} has {', '.join(sorted(counties)[:8])} ...")
            if code in seen:
                raise ConfigError(f"county {code} is in region {seen[code]} too", where=f"region {region}", remedy="name it once")
            seen[code] = region
    if left := sorted(counties - set(seen)):
        raise ConfigError(f"{len(left)} counties are in no region: {', '.join(left[:6])}", where="region",
                          remedy="everybody must be warned by somebody: name each county once")


def _unit(lat: Floats, lon: Floats) -> Floats:
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _depth(places: Floats, own: Floats, other: Floats) -> Floats:
    """Return the distance of places to the line between two sets of points, metres: positive where an own point is the nearest."""
    found = np.empty(len(places))
    for at in range(0, len(places), _ROWS_AT_ONCE):
        some = places[at: at + _ROWS_AT_ONCE]
        to_own, to_other = _squares(some, own), _squares(some, other)
        nearest_own, nearest_other = to_own.argmin(axis=1), to_other.argmin(axis=1)
        rows = np.arange(len(some))
        inside = to_own[rows, nearest_own] <= to_other[rows, nearest_other]
        # A place is nearer to q than to p as long as it lies on q's side of their middle line: the nearest of these lines counts.
        gain = np.where(inside, _least(to_other, to_own[rows, nearest_own], own[nearest_own], other),
                        -_least(to_own, to_other[rows, nearest_other], other[nearest_other], own))
        found[at: at + _ROWS_AT_ONCE] = gain * MEAN_RADIUS_M
    return found


def _far(depth_m: Floats, places: Floats, shape: tuple[int, int]) -> Floats:
    """Return depths with those far from the line drawn from the grid: a middle line of two points says half of it at worst."""
    inside = (depth_m > 0.0).reshape(shape)
    edge = np.zeros(shape, np.bool_)
    for axis in (0, 1):
        change = np.diff(inside, axis=axis)
        edge |= np.insert(change, 0, False, axis=axis) | np.append(change, np.zeros_like(np.take(change, [0], axis=axis)), axis=axis)
    found = np.abs(depth_m)
    for side in (True, False):
        own, other = np.flatnonzero(inside.ravel() == side), np.flatnonzero((edge & (inside != side)).ravel())
        for at in range(0, len(own), _ROWS_AT_ONCE):
            some = own[at: at + _ROWS_AT_ONCE]
            to_other = np.sqrt(_squares(places[some], places[other]).min(axis=1)) * MEAN_RADIUS_M
            found[some] = np.maximum(found[some], to_other - _GRID_M)
    return np.where(inside.ravel(), found, -found)


def _squares(places: Floats, points: Floats) -> Floats:
    """Return the squares of the chords between unit vectors."""
    dots = places[:, None, 0] * points[None, :, 0] + places[:, None, 1] * points[None, :, 1] + places[:, None, 2] * points[None, :, 2]
    return np.maximum(2.0 - 2.0 * dots, 0.0)


def _least(to_others: Floats, to_nearest: Floats, nearest: Floats, others: Floats) -> Floats:
    apart = np.sqrt(_squares(nearest, others))
    least: Floats = np.min((to_others - to_nearest[:, None]) / (2.0 * np.maximum(apart, 1e-9)), axis=1)
    return least

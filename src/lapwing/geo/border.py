"""Signed geodesic distance to a territory: negative inside, positive outside, with the nearest point of its line.

An edge is straight in longitude and latitude (RFC 7946), a distance is a geodesic on WGS-84. An edge that only exists
because the data were cut to a box is never measured to: where it would be nearest the answer is marked `incomplete`.
How far the line itself can be trusted is carried edge by edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.edge_index import SideIndex, StripTree, build_side_index, build_strip_tree
from lapwing.geo.kernels_border import border_kernel, side_kernel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int32]
Ring = Sequence[tuple[float, float]]                # (latitude_deg, longitude_deg), closed

PIECE_M = 250.0           # longest piece of a measured edge: its chord is within 2 mm of it
CUT_PIECE_M = 2_000.0     # of a cut edge, only compared with the measured ones
MEETING_S_MAX = 3_600.0   # a straight flight that meets the line later than this does not meet it
_SORT_COUNT_MIN = 512     # so many points are worth an order along the ground
UNSTATED_BOUND_M = 500.0  # line whose source states no accuracy: about what independent maps differ by at most
_STILL = np.zeros((0, 2))
_AS_THEY_COME = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory whose border is measured to. Edge arrays have length e, rings one after another."""

    name: str
    code: str                    # ISO 3166-1 alpha-2
    version: str
    date: str                    # of the source, as the source states it
    sha256: str                  # of the file it came from
    complete: bool               # False: cut to `clip_box_rad`
    clip_box_rad: Floats         # (4,) south, west, north, east that the outline was cut at; NaN where it was not
    edge_rad: Floats             # (e, 4) latitude, longitude of start, then of end
    edge_ring_index: Indices     # (e,)
    edge_bound_95_m: Floats      # (e,) how far the true line lies away, 95 %
    edge_cut: Bools              # (e,) made by cutting, not a border
    edge_undecided: Bools        # (e,) sources disagree so far that no side can be said
    edge_stretch_index: Indices  # (e,) row of `stretches`; -1 none
    edge_neighbour_index: Indices            # (e,) row of `neighbours`
    stretches: tuple[tuple[str, str], ...]   # name and reason of each stretch
    neighbours: tuple[str, ...]              # codes; "" is the sea or a country that is not told
    side: SideIndex
    tree: StripTree              # over the measured edges
    cut_tree: StripTree          # over the cut edges

    def __len__(self) -> int:
        return len(self.edge_rad)


@dataclass(frozen=True, slots=True)
class BorderPoints:
    """Where points stand to a territory. Every array has length n; NaN and -1 for NaN input."""

    signed_distance_m: Floats          # geodesic, negative inside
    nearest_latitude_rad: Floats
    nearest_longitude_rad: Floats
    edge_index: Indices                # nearest edge
    bound_95_m: Floats                 # of that edge
    undecided: Bools                   # of that edge
    incomplete: Bools                  # a cut edge is nearer, or the point is beyond the cut: the side may be unknown
    outward: Floats                    # (2, n) unit vector east, north in which the distance grows; 0 on the line
    meeting_s: Floats                  # until the straight flight asked for meets the line; 0 inside, inf not

    def __len__(self) -> int:
        return len(self.signed_distance_m)


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far a stretch of the line can be trusted: the edges with that neighbour whose middle lies in the box."""

    name: str
    reason: str
    bound_95_m: float
    undecided: bool = False
    neighbour: str | None = None                              # None: any; "": the sea or a country that is not told
    box_deg: tuple[float, float, float, float] | None = None  # west, south, east, north; None: everywhere


def build_territory(rings_deg: Sequence[Ring], *, name: str, code: str, version: str, sha256: str,
                    complete: bool = True, date: str = "", clip_box_deg: Sequence[float] | None = None,
                    stretches: Sequence[Stretch] = (), bound_95_m: float = UNSTATED_BOUND_M,
                    ring_neighbours: Sequence[Sequence[str]] | None = None) -> Territory:
    """Build a territory from closed rings of (latitude_deg, longitude_deg); holes and parts in any order or direction.

    Parameters
    ----------
    complete, clip_box_deg : False with (west, south, east, north) where the outline was cut to that box
    stretches : the first that covers an edge counts; the others have `bound_95_m`
    ring_neighbours : for each ring the neighbour's code of each of its edges; "" the sea or a country that is not told
    """
    parts, ring_of, neighbour_of = [np.zeros((0, 4))], [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    neighbours = tuple(sorted({""}.union(*ring_neighbours))) if ring_neighbours else ("",)
    row_of = {neighbour: row for row, neighbour in enumerate(neighbours)}
    for index, ring in enumerate(rings_deg):
        points = np.radians(np.asarray(ring, np.float64))
        edges = np.concatenate([points[:-1], points[1:]], axis=1)
        with_whom = (np.array([row_of[code] for code in ring_neighbours[index]], np.int32) if ring_neighbours
                     else np.zeros(len(edges), np.int32))
        real = np.any(edges[:, :2] != edges[:, 2:], axis=1)
        parts.append(edges[real])
        neighbour_of.append(with_whom[real])
        ring_of.append(np.full(int(real.sum()), index, np.int32))
    edge_rad, edge_neighbour = np.ascontiguousarray(np.concatenate(parts)), np.concatenate(neighbour_of)
    count = len(edge_rad)
    cut, sides = np.zeros(count, np.bool_), np.full(4, np.nan)
    if clip_box_deg is not None:
        box = np.radians(np.asarray(clip_box_deg, np.float64))[[1, 0, 3, 2]]
        for row, value in enumerate(box.tolist()):
            # 1e-8 rad is 6 cm: the cut vertices are rounded to 6 decimals of a degree.
            on_side = np.all(np.abs(edge_rad[:, [row % 2, row % 2 + 2]] - value) < 1e-8, axis=1)
            cut |= on_side
            sides[row] = value if np.any(on_side) else np.nan
    middle_deg = np.degrees(0.5 * (edge_rad[:, :2] + edge_rad[:, 2:]))
    bound, undecided = np.full(count, float(bound_95_m)), np.zeros(count, np.bool_)
    stretch_index = np.full(count, -1, np.int32)
    for index, stretch in enumerate(stretches):
        mask = stretch_index < 0
        if stretch.neighbour is not None:
            mask &= edge_neighbour == row_of.get(stretch.neighbour, -1)
        if stretch.box_deg is not None:
            west, south, east, north = stretch.box_deg
            mask &= ((middle_deg[:, 0] >= south) & (middle_deg[:, 0] <= north)
                     & (middle_deg[:, 1] >= west) & (middle_deg[:, 1] <= east))
        bound[mask], undecided[mask], stretch_index[mask] = stretch.bound_95_m, stretch.undecided, index
    return Territory(
        name=name, code=code, version=version, date=date, sha256=sha256, complete=complete, clip_box_rad=sides,
        edge_rad=edge_rad, edge_ring_index=np.concatenate(ring_of), edge_bound_95_m=bound, edge_cut=cut,
        edge_undecided=undecided, edge_stretch_index=stretch_index, edge_neighbour_index=edge_neighbour,
        stretches=tuple((s.name, s.reason) for s in stretches), neighbours=neighbours, side=build_side_index(edge_rad),
        tree=build_strip_tree(edge_rad, ~cut, PIECE_M), cut_tree=build_strip_tree(edge_rad, cut, CUT_PIECE_M))


def contains(territory: Territory, lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> Bools:
    """Return which points lie inside; shape of the broadcast input. A point is in at most one of two neighbours."""
    lat, lon, shape = _flat(lat_rad, lon_rad)
    return _inside(territory, lat, lon).reshape(shape)


def signed_distance(territory: Territory, lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike,
                    velocity_mps: Floats | None = None) -> BorderPoints:
    """Return where points (n,) stand to a territory. Within 0.1 m out to 50 km, 0.05 % beyond; the side is exact.

    Parameters
    ----------
    velocity_mps : (n, 2) east, north: also say when a straight flight from there meets the line, within an hour
    """
    lat, lon, _ = _flat(lat_rad, lon_rad)
    found = _asked(territory, territory.tree, lat, lon, _STILL if velocity_mps is None else velocity_mps)
    if territory.complete:
        return found
    # Beyond a side where the country was cut nobody knows where it goes on; beyond another side it has ended.
    south, west, north, east = territory.clip_box_rad
    found.incomplete[:] = (lat < south) | (lat > north) | (lon < west) | (lon > east)
    if len(territory.cut_tree):
        to_cut = np.abs(_asked(territory, territory.cut_tree, lat, lon, _STILL).signed_distance_m)
        # Where border and cut meet they are equally far: what lies beyond is not known.
        found.incomplete[:] |= to_cut <= np.abs(found.signed_distance_m) + 1e-3
    return found


def outline_deg(territory: Territory) -> list[list[tuple[float, float]]]:
    """Return the rings, closed, as (latitude_deg, longitude_deg); cut edges included."""
    rings = []
    for index in range(int(territory.edge_ring_index.max(initial=-1)) + 1):
        edges = np.degrees(territory.edge_rad[territory.edge_ring_index == index])
        if len(edges):
            rings.append([(float(a), float(b)) for a, b in [*edges[:, :2], edges[-1, 2:]]])
    return rings


def _flat(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> tuple[Floats, Floats, tuple[int, ...]]:
    if (isinstance(lat_rad, np.ndarray) and isinstance(lon_rad, np.ndarray) and lat_rad.ndim == 1
            and lat_rad.shape == lon_rad.shape and lat_rad.dtype == lon_rad.dtype == np.float64
            and lat_rad.flags.c_contiguous and lon_rad.flags.c_contiguous):
        return lat_rad, lon_rad, lat_rad.shape          # the live path: nothing to do
    lat, lon = np.broadcast_arrays(np.asarray(lat_rad, np.float64), np.asarray(lon_rad, np.float64))
    return np.ascontiguousarray(lat).reshape(-1), np.ascontiguousarray(lon).reshape(-1), lat.shape


def _inside(territory: Territory, lat: Floats, lon: Floats) -> Bools:
    inside = np.empty(len(lat), np.bool_)
    side = territory.side
    side_kernel(lat, lon, side.low_lat_rad, side.band_scale, side.band_start, side.band_edges,
                territory.edge_rad, inside)
    return inside


def _asked(territory: Territory, tree: StripTree, lat: Floats, lon: Floats, velocity_mps: Floats) -> BorderPoints:
    """Return the points' answers from one tree of the territory."""
    count = len(lat)
    metres, near = np.empty((3, count)), np.empty((4, count))
    edge, undecided = np.empty(count, np.int32), np.empty(count, np.bool_)
    side = territory.side
    border_kernel(
        lat, lon, _along_the_ground(lat, lon) if count >= _SORT_COUNT_MIN else _AS_THEY_COME, velocity_mps, MEETING_S_MAX,
        side.low_lat_rad, side.band_scale, side.band_start, side.band_edges, tree.nodes, tree.pieces, tree.piece_of,
        territory.edge_rad, territory.edge_bound_95_m, territory.edge_undecided, metres, near, edge, undecided)
    return BorderPoints(metres[0], near[0], near[1], edge, metres[1], undecided, np.zeros(count, np.bool_), near[2:],
                        metres[2])


def _along_the_ground(lat: Floats, lon: Floats) -> npt.NDArray[np.intp]:
    """Return rows ordered so that each point lies near the one before: there and back through 256 bands of latitude."""
    keys = []
    for angle in (lat, lon):
        low, high = (np.nanmin(angle), np.nanmax(angle)) if np.isfinite(angle).any() else (0.0, 0.0)
        scaled = (angle - low) * (255.99 / max(high - low, 1e-12))
        keys.append(np.nan_to_num(scaled).astype(np.uint16))
    row, column = keys
    column = np.where(row & 1, 255 - column, column).astype(np.uint16)
    # 16-bit keys are sorted by radix, which costs less than the search it saves.
    return np.argsort((row << 8) | column, kind="stable")

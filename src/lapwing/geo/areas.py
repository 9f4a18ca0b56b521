"""Zones as areas on the ground: which lie within a distance of a point, which hold it, what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.kernels_areas import distances_kernel, locate_kernel
from lapwing.geo.wgs84 import MEAN_RADIUS_M, to_ecef

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Ring = Sequence[tuple[float, float]]        # (latitude_deg, longitude_deg), closed

PIECE_M = 1_000.0      # longest piece of an outline: within 3 cm of its chord at 60 N
CHUNK = 24             # pieces that share a bounding sphere
CELL_DEG = 0.05        # of the grid that finds the zone of a point


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """Polygons of zones. `a` areas, `r` rings, `v` vertices, `c` chunks of the outlines, `p` points of them."""

    box_rad: Floats              # (a, 4) south, west, north, east
    sphere_m: Floats             # (a, 4) Earth-fixed centre and radius
    ring_start: Indices          # (a + 1,) rings of each area
    vertex_start: Indices        # (r + 1,) vertices of each ring
    vertex_deg: Floats           # (v, 2) latitude, longitude as given; rings closed
    chunk_start: Indices         # (a + 1,)
    chunk_sphere_m: Floats       # (c, 4)
    chunk_point: Indices         # (c, 2) first and last point of each chunk
    outline_m: Floats            # (p, 3) Earth-fixed, vertices and points between them
    grid: Floats                 # south, west, cells per radian of latitude, of longitude, rows, columns
    cell_start: Indices
    cell_areas: Indices          # areas whose box meets the cell, ascending

    def __len__(self) -> int:
        return len(self.box_rad)


def build_areas(polygons_deg: Sequence[Sequence[Ring]]) -> Areas:
    """Build areas from polygons, each a list of closed rings of (latitude_deg, longitude_deg): parts and holes alike.

    A point is inside where it is within an odd number of an area's rings, so their order and direction do not matter.
    """
    ring_count = [len(rings) for rings in polygons_deg]
    rings = [np.asarray(ring, np.float64).reshape(-1, 2) for polygon in polygons_deg for ring in polygon]
    vertices = np.concatenate(rings) if rings else np.zeros((0, 2))
    vertex_start, ring_start = _starts([len(ring) for ring in rings]), _starts(ring_count)
    area_of = np.repeat(np.arange(len(ring_count)), ring_count)
    points, ring_of = _outline(np.radians(vertices), vertex_start)
    chunk_point = _chunks(ring_of)
    chunk_area = area_of[ring_of[chunk_point[:, 0]]] if len(chunk_point) else np.zeros(0, np.int64)
    box = np.zeros((len(ring_count), 4))
    if len(vertices):
        first = vertex_start[ring_start[:-1]]
        corners = np.minimum.reduceat(vertices, first), np.maximum.reduceat(vertices, first)
        box = np.radians(np.concatenate(corners, axis=1))
    grid, cell_start, cell_areas = _grid(box)
    low, high = _bounds(points, chunk_point)
    chunk_first = np.searchsorted(chunk_area, np.arange(len(ring_count)))
    return Areas(
        box_rad=box, sphere_m=_spheres(points, area_of[ring_of], low, high, chunk_first), ring_start=ring_start,
        vertex_start=vertex_start, vertex_deg=vertices,
        chunk_start=np.searchsorted(chunk_area, np.arange(len(ring_count) + 1)).astype(np.int32),
        chunk_sphere_m=_chunk_spheres(points, chunk_point, low, high), chunk_point=chunk_point, outline_m=points,
        grid=grid, cell_start=cell_start, cell_areas=cell_areas)


def distances_m(areas: Areas, lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike,
                within_m: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return (point_index, area_index, distance_m) of every pair within `within_m`; 0 inside the area.

    Sorted by point, then area. Straight-line distance along the ground: within 1 m of the geodesic out to 50 km.
    """
    lat, lon = _flat(lat_rad, lon_rad)
    room = max(64, 8 * len(lat))
    while True:
        point, area, distance = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        found = distances_kernel(lat, lon, float(within_m), areas.sphere_m, areas.ring_start, areas.vertex_start,
                                 areas.vertex_deg, areas.chunk_start, areas.chunk_sphere_m, areas.chunk_point,
                                 areas.outline_m, point, area, distance)
        if found <= room:
            return point[:found].copy(), area[:found].copy(), _arc(distance[:found])
        room = found


def _arc(chord_m: Floats) -> Floats:
    """Return the arc over a chord on the mean sphere."""
    return np.asarray(2.0 * MEAN_RADIUS_M * np.arcsin(np.minimum(chord_m / (2.0 * MEAN_RADIUS_M), 1.0)))


def locate(areas: Areas, lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike,
           candidates: npt.ArrayLike | None = None) -> npt.NDArray[np.int64]:
    """Return the first area that holds each point, of `candidates` (area indices) where given; -1 where none does."""
    lat, lon = _flat(lat_rad, lon_rad)
    wanted = np.ones(len(areas), np.bool_)
    if candidates is not None:
        wanted[:] = False
        wanted[np.asarray(candidates, np.intp)] = True
    index = np.empty(len(lat), np.int32)
    locate_kernel(lat, lon, areas.grid, areas.cell_start, areas.cell_areas, areas.box_rad, areas.ring_start,
                  areas.vertex_start, areas.vertex_deg, wanted, index)
    return index.astype(np.int64)


def outline_deg(areas: Areas, area_index: int) -> list[list[tuple[float, float]]]:
    """Return the closed rings of an area as (latitude_deg, longitude_deg), as they were given."""
    rings = []
    for ring in range(int(areas.ring_start[area_index]), int(areas.ring_start[area_index + 1])):
        part = areas.vertex_deg[int(areas.vertex_start[ring]):int(areas.vertex_start[ring + 1])]
        rings.append([(float(lat), float(lon)) for lat, lon in part])
    return rings


def _flat(lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike) -> tuple[Floats, Floats]:
    lat, lon = np.broadcast_arrays(np.asarray(lat_rad, np.float64), np.asarray(lon_rad, np.float64))
    return np.ascontiguousarray(lat).reshape(-1), np.ascontiguousarray(lon).reshape(-1)


def _starts(counts: Sequence[int]) -> Indices:
    start = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(np.asarray(counts, np.int64), out=start[1:])
    return start


def _outline(points_rad: Floats, vertex_start: Indices) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the points of all rings (p, 3), never more than PIECE_M apart within a ring, and the ring of each."""
    if not len(points_rad):
        return np.zeros((0, 3)), np.zeros(0, np.int64)
    ring_of = np.repeat(np.arange(len(vertex_start) - 1), np.diff(vertex_start))
    corner = to_ecef(points_rad[:, 0], points_rad[:, 1], 0.0)
    length = np.linalg.norm(np.diff(corner, axis=0), axis=1)
    counts = np.where(ring_of[:-1] == ring_of[1:], np.maximum(np.ceil(length / PIECE_M), 1), 1).astype(np.int64)
    counts = np.append(counts, 1)                 # the last vertex of a ring stands for itself
    row = np.repeat(np.arange(len(counts)), counts)
    fraction = (np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[row]
    after = np.minimum(row + 1, len(counts) - 1)
    between = points_rad[row] + fraction[:, None] * (points_rad[after] - points_rad[row])
    return to_ecef(between[:, 0], between[:, 1], 0.0), ring_of[row]


def _chunks(ring_of: npt.NDArray[np.int64]) -> Indices:
    """Return first and last point (c, 2) of each chunk: up to CHUNK pieces of one ring; chunks share their ends."""
    if not len(ring_of):
        return np.zeros((0, 2), np.int32)
    chunks = []
    start = np.flatnonzero(np.append(True, ring_of[1:] != ring_of[:-1]))
    for first, last in zip(start, np.append(start[1:], len(ring_of)) - 1, strict=True):
        begin = np.arange(first, last, CHUNK)
        chunks.append(np.stack([begin, np.minimum(begin + CHUNK, last)], axis=1))
    return np.concatenate(chunks).astype(np.int32)


def _bounds(points: Floats, chunk_point: Indices) -> tuple[Floats, Floats]:
    """Return the corners (c, 3) of the box round each chunk."""
    low = np.empty((len(chunk_point), 3))
    high = np.empty_like(low)
    for row, (first, last) in enumerate(chunk_point):
        part = points[first:last + 1]
        low[row], high[row] = part.min(axis=0), part.max(axis=0)
    return low, high


def _chunk_spheres(points: Floats, chunk_point: Indices, low: Floats, high: Floats) -> Floats:
    centre = 0.5 * (low + high)
    radius = np.array([np.linalg.norm(points[first:last + 1] - centre[row], axis=1).max()
                       for row, (first, last) in enumerate(chunk_point)])
    return np.concatenate([centre, radius.reshape(-1, 1) + 1.0], axis=1)


def _spheres(points: Floats, area_of: npt.NDArray[np.int64], low: Floats, high: Floats,
             chunk_first: npt.NDArray[np.int64]) -> Floats:
    """Return centre and radius (a, 4) of a sphere round each area.

    The inside of a county lies up to 2 km above the plane of its rim, but not outside this sphere: its ground is nearer
    the centre than its rim. The metre is for rounding.
    """
    if not len(points):
        return np.zeros((0, 4))
    centre = 0.5 * (np.minimum.reduceat(low, chunk_first) + np.maximum.reduceat(high, chunk_first))
    far = np.linalg.norm(points - centre[area_of], axis=1)
    first = np.searchsorted(area_of, np.arange(len(centre)))
    return np.concatenate([centre, np.maximum.reduceat(far, first)[:, None] + 1.0], axis=1)


def _grid(box: Floats) -> tuple[Floats, Indices, Indices]:
    """Return the grid and, for each of its cells, the areas whose box meets it."""
    if not len(box):
        return np.zeros(6), np.zeros(1, np.int32), np.zeros(0, np.int32)
    south, west = float(box[:, 0].min()), float(box[:, 1].min())
    step = np.radians(CELL_DEG)
    # One cell more than needed at the far sides, so that the last box edge is inside.
    rows, columns = (int((float(box[:, k].max()) - low) / step) + 2 for k, low in ((2, south), (3, west)))
    pairs = []
    for area, (low_lat, low_lon, high_lat, high_lon) in enumerate(box):
        r = np.arange(int((low_lat - south) / step), int((high_lat - south) / step) + 1)
        c = np.arange(int((low_lon - west) / step), int((high_lon - west) / step) + 1)
        cells = (r[:, None] * columns + c[None, :]).ravel()
        pairs.append(np.stack([cells, np.full(len(cells), area)], axis=1))
    table = np.concatenate(pairs)
    order = np.lexsort((table[:, 1], table[:, 0]))
    start = np.searchsorted(table[order, 0], np.arange(rows * columns + 1)).astype(np.int32)
    return (np.array([south, west, 1.0 / step, 1.0 / step, rows, columns]), start,
            table[order, 1].astype(np.int32))

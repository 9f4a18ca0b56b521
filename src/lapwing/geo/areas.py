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


@dataclass(frozen=True, slots=True)
class Areas:
    """Polygons of zones. `a` areas, `r` rings, `e` edges, `c` chunks of the outlines, `p` pieces."""

    box_rad: Floats              # (a, 4) south, west, north, east
    sphere_m: Floats             # (a, 4) Earth-fixed centre and radius
    ring_start: Indices          # (a + 1,) rings of each area
    vertex_start: Indices        # (r + 1,) vertices of each ring
    vertex_deg: Floats           # (v, 2) latitude, longitude as given; rings closed
    edge_start: Indices          # (a + 1,)
    edge_rad: Floats             # (e, 4) latitude, longitude of the lower, then of the upper end
    chunk_start: Indices         # (a + 1,)
    chunk_sphere_m: Floats       # (c, 4)
    piece_start: Indices         # (c + 1,)
    piece_chord_m: Floats        # (p, 6)
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
    vertex_start = _starts([len(ring) for ring in rings])
    ring_start = _starts(ring_count)
    ring_area = np.repeat(np.arange(len(ring_count)), ring_count)
    vertex_ring = np.repeat(np.arange(len(rings)), np.diff(vertex_start))
    points = np.radians(vertices)
    joined = vertex_ring[:-1] == vertex_ring[1:] if len(points) else np.zeros(0, np.bool_)
    edges = np.concatenate([points[:-1], points[1:]], axis=1)[joined] if len(points) else np.zeros((0, 4))
    edge_area = ring_area[vertex_ring[:-1][joined]] if len(points) else np.zeros(0, np.int64)
    count = len(ring_count)
    box = np.full((count, 4), np.nan)
    if len(edges):
        first = np.searchsorted(edge_area, np.arange(count))
        box[:, :2] = np.minimum.reduceat(np.minimum(edges[:, :2], edges[:, 2:]), first)
        box[:, 2:] = np.maximum.reduceat(np.maximum(edges[:, :2], edges[:, 2:]), first)
    pieces, piece_area = _pieces(edges, edge_area)
    chunk_start, piece_start, chunk_of_piece = _chunks(piece_area, count)
    grid, cell_start, cell_areas = _grid(box)
    low_first = np.where((edges[:, 0] > edges[:, 2])[:, None], edges[:, [2, 3, 0, 1]], edges)
    return Areas(
        box_rad=box, sphere_m=_spheres(pieces, piece_area, count), ring_start=ring_start, vertex_start=vertex_start,
        vertex_deg=vertices, edge_start=np.searchsorted(edge_area, np.arange(count + 1)).astype(np.int32),
        edge_rad=np.ascontiguousarray(low_first), chunk_start=chunk_start,
        chunk_sphere_m=_spheres(pieces, chunk_of_piece, len(piece_start) - 1), piece_start=piece_start,
        piece_chord_m=pieces, grid=grid, cell_start=cell_start, cell_areas=cell_areas)


def distances_m(areas: Areas, lat_rad: npt.ArrayLike, lon_rad: npt.ArrayLike,
                within_m: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return (point_index, area_index, distance_m) of every pair within `within_m`; 0 inside the area.

    Sorted by point, then area. Straight-line distance along the ground: within 1 m of the geodesic out to 50 km.
    """
    lat, lon = _flat(lat_rad, lon_rad)
    room = max(64, 8 * len(lat))
    while True:
        point, area, distance = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        found = distances_kernel(lat, lon, float(within_m), areas.sphere_m, areas.edge_start, areas.edge_rad,
                                 areas.chunk_start, areas.chunk_sphere_m, areas.piece_start, areas.piece_chord_m,
                                 point, area, distance)
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
    locate_kernel(lat, lon, areas.grid, areas.cell_start, areas.cell_areas, areas.box_rad, areas.edge_start,
                  areas.edge_rad, wanted, index)
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


def _pieces(edges: Floats, edge_area: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Cut edges into pieces of at most PIECE_M; return their chords (p, 6) and areas (p,)."""
    length = np.linalg.norm(to_ecef(edges[:, 2], edges[:, 3], 0.0) - to_ecef(edges[:, 0], edges[:, 1], 0.0), axis=1)
    counts = np.maximum(np.ceil(length / PIECE_M), 1).astype(np.int64)
    row = np.repeat(np.arange(len(edges)), counts)
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    ends = []
    for fraction in (step / counts[row], (step + 1) / counts[row]):
        ends.append(to_ecef(edges[row, 0] + fraction * (edges[row, 2] - edges[row, 0]),
                            edges[row, 1] + fraction * (edges[row, 3] - edges[row, 1]), 0.0))
    return np.ascontiguousarray(np.concatenate(ends, axis=1)), edge_area[row]


def _chunks(piece_area: npt.NDArray[np.int64], count: int) -> tuple[Indices, Indices, npt.NDArray[np.int64]]:
    """Return chunk_start (areas + 1,), piece_start (chunks + 1,) and the chunk of each piece."""
    per_area = np.bincount(piece_area, minlength=count)
    chunks = -(-per_area // CHUNK)
    chunk_start = _starts(chunks.tolist())
    within = np.arange(len(piece_area)) - np.repeat(np.cumsum(per_area) - per_area, per_area)
    chunk_of_piece = chunk_start[:-1][piece_area] + within // CHUNK
    piece_start = np.searchsorted(chunk_of_piece, np.arange(int(chunk_start[-1]) + 1)).astype(np.int32)
    return chunk_start, piece_start, chunk_of_piece


def _spheres(pieces: Floats, group: npt.NDArray[np.int64], count: int) -> Floats:
    """Return centre and radius (count, 4) of a sphere round each group of pieces; groups are contiguous, none empty."""
    if not count or not len(pieces):
        return np.zeros((count, 4))
    first = np.searchsorted(group, np.arange(count))
    low = np.minimum.reduceat(np.minimum(pieces[:, :3], pieces[:, 3:]), first)
    high = np.maximum.reduceat(np.maximum(pieces[:, :3], pieces[:, 3:]), first)
    centre = 0.5 * (low + high)
    far = np.maximum(np.linalg.norm(pieces[:, :3] - centre[group], axis=1),
                     np.linalg.norm(pieces[:, 3:] - centre[group], axis=1))
    # The inside of a county lies up to 2 km above the plane of its outline's chord, but not outside this sphere:
    # its ground is nearer the centre than its rim. The metre is for rounding.
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

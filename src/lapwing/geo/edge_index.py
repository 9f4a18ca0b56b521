"""Search structures over polygon edges, built once with plain NumPy; the kernels of `kernels_border` walk them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.kernels_border import LEAF
from lapwing.geo.wgs84 import to_ecef

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SideIndex:
    """Bands of latitude and the edges that each meets; see `kernels_border.side`."""

    low_lat_rad: float
    band_scale: float            # bands per radian
    band_start: Indices          # (bands + 1,)
    band_edges: Indices          # (m,)


@dataclass(frozen=True, slots=True)
class StripTree:
    """Pieces of the line in order, and the strips over them; see `kernels_border.nearest_piece`. May be empty."""

    nodes: Floats                # (2 leaves, 8)
    pieces: Floats               # (leaves * LEAF, 7)
    piece_of: Indices            # (leaves * LEAF, 3) edge of each piece, which part of it, of how many

    def __len__(self) -> int:
        return len(self.piece_of)


def build_side_index(edge_rad: Floats) -> SideIndex:
    """Sort edges (e, 4: latitude, longitude of start and end) into bands of latitude."""
    chosen = np.flatnonzero(edge_rad[:, 0] != edge_rad[:, 2])      # an edge along a parallel is never crossed
    edges = edge_rad[chosen]
    if not len(edges):
        return SideIndex(0.0, 0.0, np.zeros(2, np.int32), np.zeros(0, np.int32))
    lower, upper = np.minimum(edges[:, 0], edges[:, 2]), np.maximum(edges[:, 0], edges[:, 2])
    low, high = float(lower.min()), float(upper.max())
    # As many bands as edges keeps a band at a few edges and the table at a few times the edges.
    bands = int(np.clip(len(edges), 16, 65_536))
    scale = bands / (high - low)
    first = np.clip(((lower - low) * scale).astype(np.int64), 0, bands - 1)
    last = np.clip(((upper - low) * scale).astype(np.int64), 0, bands - 1)
    counts = last - first + 1
    rows = np.repeat(np.arange(len(edges)), counts)
    band = np.repeat(first, counts) + np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(band, kind="stable")
    start = np.zeros(bands + 1, np.int32)
    np.cumsum(np.bincount(band, minlength=bands), out=start[1:])
    return SideIndex(low, scale, start, chosen[rows[order]].astype(np.int32))


def build_strip_tree(edge_rad: Floats, keep: npt.NDArray[np.bool_], piece_m_max: float) -> StripTree:
    """Build the tree over the edges marked in `keep` (e,), cut into pieces no longer than `piece_m_max`.

    A piece of 250 m strays under 2 mm from its chord at 60 N; the refinement undoes even that.
    """
    chosen = np.flatnonzero(keep)
    if not len(chosen):
        return StripTree(np.zeros((0, 8)), np.zeros((0, 7)), np.zeros((0, 3), np.int32))
    edges = edge_rad[chosen]
    length = np.linalg.norm(to_ecef(edges[:, 2], edges[:, 3], 0.0) - to_ecef(edges[:, 0], edges[:, 1], 0.0), axis=1)
    counts = np.maximum(np.ceil(length / piece_m_max), 1).astype(np.int64)
    row = np.repeat(np.arange(len(chosen)), counts)
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    leaves = 1 << max(int(np.ceil(np.log2(max(len(row) / LEAF, 1)))), 1)
    fill = np.minimum(np.arange(leaves * LEAF), len(row) - 1)
    row, step = row[fill], step[fill]

    def at(fraction: Floats) -> Floats:
        """Return Earth-fixed points at a fraction of each row's edge."""
        # The ends are the vertices themselves, to the bit: pieces that meet share them.
        lat = np.where(fraction == 1.0, edges[row, 2], edges[row, 0] + fraction * (edges[row, 2] - edges[row, 0]))
        lon = np.where(fraction == 1.0, edges[row, 3], edges[row, 1] + fraction * (edges[row, 3] - edges[row, 1]))
        return to_ecef(lat, lon, 0.0)

    start, end = at(step / counts[row]), at((step + 1) / counts[row])
    table = np.zeros((2 * leaves, 8))
    nodes, size = leaves, LEAF
    while nodes >= 1:
        starts, ends = start.reshape(nodes, size, 3), end.reshape(nodes, size, 3)
        first, last = starts[:, 0], ends[:, -1]
        # The distance to a segment is convex, so its greatest value over a piece is at one of the piece's ends.
        stray = np.maximum(_stray(starts, first, last), _stray(ends, first, last))
        # Rounded up: a bound must never cut off the piece that ties.
        table[nodes:2 * nodes] = np.concatenate([_chords(first, last), (stray * (1.0 + 1e-12) + 1e-6)[:, None]], axis=1)
        nodes, size = nodes // 2, size * 2
    return StripTree(table, _chords(start, end), np.column_stack([chosen[row], step, counts[row]]).astype(np.int32))


def _chords(start: Floats, end: Floats) -> Floats:
    """Return start, vector to the end and 1 over its length squared, 0 where start and end are one; (n, 7)."""
    vector = end - start
    square = np.sum(vector * vector, axis=1, keepdims=True)
    inverse = np.where(square > 0.0, 1.0 / np.where(square > 0.0, square, 1.0), 0.0)
    return np.concatenate([start, vector, inverse], axis=1)


def _stray(points: Floats, start: Floats, end: Floats) -> Floats:
    """Return the greatest distance of points (n, k, 3) from the segments start-end (n, 3) of their row; (n,)."""
    direction = (end - start)[:, None, :]
    offset = points - start[:, None, :]
    square = np.sum(direction * direction, axis=-1)
    t = np.clip(np.sum(offset * direction, axis=-1) / np.where(square > 0.0, square, 1.0), 0.0, 1.0)
    return np.asarray(np.linalg.norm(offset - t[:, :, None] * direction, axis=-1).max(axis=1))

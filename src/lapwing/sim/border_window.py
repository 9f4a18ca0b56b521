"""The stretch of a country's border that a made-up night plays on, and where points lie to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, contains, signed_distance
from lapwing.geo.frames import enu_from_geodetic
from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.model.errors import ConfigError
from lapwing.sim.flights import Plane, Point

Floats = npt.NDArray[np.float64]

WINDOW_M = 130_000.0


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of border line with its plane. Home is to one side of it."""

    territory: Territory
    neighbour: str
    line_rad: Floats  # (n, 2) latitude, longitude, in order
    line_m: Floats  # (n, 2) along, outward, in the plane
    home_side: str  # "left" or "right", seen along the line
    plane: Plane

    def at(self, share: float, outside_m: float) -> Point:
        """Return a point that lies `outside_m` outside the territory (negative: inside), abreast of a share of it."""
        base = self.line_m[int(share * (len(self.line_m) - 1))]
        step = math.copysign(50.0, outside_m)
        outward = base[1] + np.arange(0.0, 4.0 * abs(outside_m) + 3_000.0, 50.0) * math.copysign(1.0, step)
        lat, lon = self.plane.geodetic(np.full(len(outward), base[0]), outward)
        away = signed_distance(self.territory, lat, lon).signed_distance_m
        good = np.flatnonzero(away >= outside_m if outside_m >= 0.0 else away <= outside_m)
        return float(base[0]), float(outward[good[0]] if len(good) else outward[-1])


def window(territory: Territory, neighbour: str, rng: np.random.Generator) -> Window:
    """Return a stretch of the line with a neighbour, at most about 130 km across, drawn by chance.

    Raises ConfigError where the two share no line in the data.
    """
    line = _hardest_run(territory, neighbour)
    if line is None:
        known = ", ".join(code for code in territory.neighbours if code)
        raise ConfigError(
            f"{territory.code} shares no line with {neighbour!r}",
            where="--neighbour",
            remedy=f"neighbours in the data: {known or 'none'}",
        )
    steps_m, _ = geodesic_inverse(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    run_m = np.concatenate([[0.0], np.cumsum(steps_m)])
    # A winding river is much longer than the stretch it spans: widen until the ends are far enough apart.
    first = int(np.searchsorted(run_m, rng.uniform(0.0, max(run_m[-1] - 1.4 * WINDOW_M, 0.0) + 1.0)))
    first = min(first, len(line) - 2)
    span_m, _ = geodesic_inverse(line[first, 0], line[first, 1], line[first:, 0], line[first:, 1])
    far = np.flatnonzero(span_m > WINDOW_M)
    line = line[first : first + (int(far[0]) if len(far) else len(span_m))]
    length_m, azimuth_rad = geodesic_inverse(line[0, 0], line[0, 1], line[-1, 0], line[-1, 1])
    middle = line[
        int(np.argmin(np.abs(geodesic_inverse(line[0, 0], line[0, 1], line[:, 0], line[:, 1])[0] - length_m / 2.0)))
    ]
    along = float(azimuth_rad)
    plane = Plane(float(middle[0]), float(middle[1]), along, along + math.pi / 2.0)
    # Home is where most of the ground 2-20 km to that side belongs to the territory.
    away = np.repeat(np.linspace(2_000.0, 20_000.0, 10), 9)
    beside = np.tile(np.linspace(-0.3, 0.3, 9) * float(length_m), 10)
    right_share = float(np.mean(contains(territory, *plane.geodetic(beside, away))))
    left_share = float(np.mean(contains(territory, *plane.geodetic(beside, -away))))
    home_right = right_share > left_share
    if home_right:
        plane = Plane(plane.latitude_rad, plane.longitude_rad, along, along - math.pi / 2.0)
    east, north = enu_from_geodetic(plane.latitude_rad, plane.longitude_rad, line[:, 0], line[:, 1])
    line_m = np.stack(
        [east * math.sin(a) + north * math.cos(a) for a in (plane.along_azimuth_rad, plane.outward_azimuth_rad)], axis=1
    )
    return Window(territory, neighbour, line, line_m, "right" if home_right else "left", plane)


def _hardest_run(territory: Territory, neighbour: str) -> Floats | None:
    """Return the vertices (n, 2) of a run of edges with a neighbour; None where there is none.

    Of several runs the one that can be trusted least counts, if it is long enough: rivers are harder than marked land.
    """
    if neighbour not in territory.neighbours or not neighbour:
        return None
    ours = territory.edge_neighbour_index == territory.neighbours.index(neighbour)
    ours &= ~territory.edge_cut
    edges = territory.edge_rad
    joined = np.all(edges[:-1, 2:] == edges[1:, :2], axis=1) & ours[:-1] & ours[1:]
    breaks = np.flatnonzero(~joined)
    best: tuple[tuple[float, float], Floats | None] = ((-1.0, 0.0), None)
    for start, end in zip([0, *(breaks + 1).tolist()], [*(breaks + 1).tolist(), len(edges)], strict=True):
        if ours[start]:
            run = edges[start:end]
            length_m = float(np.sum(geodesic_inverse(run[:, 0], run[:, 1], run[:, 2], run[:, 3])[0]))
            trust_m = float(np.median(territory.edge_bound_95_m[start:end])) if length_m > 0.5 * WINDOW_M else 0.0
            rank = (trust_m, length_m)
            if rank > best[0]:
                best = (rank, np.vstack([run[:, :2], run[-1:, 2:]]))
    return best[1]

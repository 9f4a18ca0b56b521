"""Kernels of areas: which zones lie within a distance of a point, and which hold it. Plain twins: `areas_plain`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

_A = 6_378_137.0
_F = 1.0 / 298.257223563
_E2 = _F * (2.0 - _F)


@kernel
def holds(lat_deg: float, lon_deg: float, area: int, ring_start: Indices, vertex_start: Indices,
          vertex_deg: Floats) -> bool:
    """Return whether a point is inside one area, edges straight in longitude and latitude.

    Each edge is turned with its lower end first: the answer does not depend on the direction of the ring.
    """
    odd = False
    for ring in range(ring_start[area], ring_start[area + 1]):
        for k in range(vertex_start[ring], vertex_start[ring + 1] - 1):
            low_lat, high_lat = vertex_deg[k, 0], vertex_deg[k + 1, 0]
            if (low_lat <= lat_deg) != (high_lat <= lat_deg):
                low_lon, high_lon = vertex_deg[k, 1], vertex_deg[k + 1, 1]
                if low_lat > high_lat:
                    low_lat, high_lat = high_lat, low_lat
                    low_lon, high_lon = high_lon, low_lon
                if (high_lon - low_lon) * (lat_deg - low_lat) > (lon_deg - low_lon) * (high_lat - low_lat):
                    odd = not odd
    return odd


@kernel
def locate_kernel(lat_rad: Floats, lon_rad: Floats, grid: Floats, cell_start: Indices, cell_areas: Indices,
                  box_rad: Floats, ring_start: Indices, vertex_start: Indices, vertex_deg: Floats,
                  wanted: npt.NDArray[np.bool_], area_index: Indices) -> None:
    """Fill `area_index` (n,): the first wanted area that holds each point; -1 none.

    grid : south, west (rad), cells per radian of latitude, of longitude, rows, columns
    """
    rows, columns = int(grid[4]), int(grid[5])
    for i in range(lat_rad.shape[0]):
        area_index[i] = -1
        lat, lon = lat_rad[i], lon_rad[i]
        row, column = (lat - grid[0]) * grid[2], (lon - grid[1]) * grid[3]
        if not (row >= 0.0 and column >= 0.0 and row < rows and column < columns):
            continue
        cell = int(row) * columns + int(column)
        for k in range(cell_start[cell], cell_start[cell + 1]):
            area = cell_areas[k]
            if (wanted[area] and box_rad[area, 0] <= lat <= box_rad[area, 2]
                    and box_rad[area, 1] <= lon <= box_rad[area, 3]
                    and holds(math.degrees(lat), math.degrees(lon), area, ring_start, vertex_start, vertex_deg)):
                area_index[i] = area
                break


@kernel
def distances_kernel(lat_rad: Floats, lon_rad: Floats, within_m: float, sphere_m: Floats, ring_start: Indices,
                     vertex_start: Indices, vertex_deg: Floats, chunk_start: Indices, chunk_sphere_m: Floats,
                     chunk_point: Indices, outline_m: Floats, point_index: npt.NDArray[np.int64],
                     area_index: npt.NDArray[np.int64], distance_m: Floats) -> int:
    """Fill rows (point, area, distance) of the areas within `within_m` of each point; return how many there are.

    Rows beyond the length of the output arrays are counted and not written: the caller tries again with more room.

    sphere_m : (areas, 4) centre and radius, chunk_sphere_m : (chunks, 4) likewise; chunk_start (areas + 1,) leads to
    the chunks of an area, chunk_point (chunks, 2) to the first and last point of a chunk in outline_m (points, 3).
    """
    found = 0
    areas = sphere_m.shape[0]
    for i in range(lat_rad.shape[0]):
        lat, lon = lat_rad[i], lon_rad[i]
        if not (lat == lat and lon == lon):
            continue
        sin_lat = math.sin(lat)
        normal = _A / math.sqrt(1.0 - _E2 * sin_lat * sin_lat)
        across = normal * math.cos(lat)
        px, py, pz = across * math.cos(lon), across * math.sin(lon), normal * (1.0 - _E2) * sin_lat
        for area in range(areas):
            dx, dy, dz = px - sphere_m[area, 0], py - sphere_m[area, 1], pz - sphere_m[area, 2]
            reach = within_m + sphere_m[area, 3]
            square = dx * dx + dy * dy + dz * dz
            if square > reach * reach:
                continue
            best = within_m
            hit = False
            if square <= sphere_m[area, 3] * sphere_m[area, 3] and holds(
                    math.degrees(lat), math.degrees(lon), area, ring_start, vertex_start, vertex_deg):
                best, hit = 0.0, True
            else:
                for chunk in range(chunk_start[area], chunk_start[area + 1]):
                    dx, dy = px - chunk_sphere_m[chunk, 0], py - chunk_sphere_m[chunk, 1]
                    dz = pz - chunk_sphere_m[chunk, 2]
                    reach = best + chunk_sphere_m[chunk, 3]
                    if dx * dx + dy * dy + dz * dz > reach * reach:
                        continue
                    for k in range(chunk_point[chunk, 0], chunk_point[chunk, 1]):
                        ax, ay, az = outline_m[k, 0], outline_m[k, 1], outline_m[k, 2]
                        dx, dy, dz = outline_m[k + 1, 0] - ax, outline_m[k + 1, 1] - ay, outline_m[k + 1, 2] - az
                        qx, qy, qz = px - ax, py - ay, pz - az
                        square = dx * dx + dy * dy + dz * dz
                        if square > 0.0:
                            t = min(max((qx * dx + qy * dy + qz * dz) / square, 0.0), 1.0)
                            qx -= t * dx
                            qy -= t * dy
                            qz -= t * dz
                        distance = math.sqrt(qx * qx + qy * qy + qz * qz)
                        if distance <= best:
                            best, hit = distance, True
            if hit:
                if found < point_index.shape[0]:
                    point_index[found] = i
                    area_index[found] = area
                    distance_m[found] = best
                found += 1
    return found

"""Kernels of the border: which side a point is on, which piece of the line is nearest, and when a straight flight meets it.

Distance is searched as a straight chord in Earth-fixed axes, where no projection bends it and nothing is special about
any meridian; the chord of the found point is then turned into the geodesic. The plain twins are in `plain`.

The index is a strip tree (Ballard 1981) over the pieces in their order along the line, which is already a good order
in space: node 1 is the root, node i has children 2 i and 2 i + 1, the last `leaf_count` nodes are leaves of `LEAF`
pieces. A node is the chord from its first to its last vertex and the farthest that any of its vertices strays from that
chord; for a border this is a far closer fit than a box. A search starts from the piece that was nearest to the point
before: points that come in an order along the ground need to look at little more than that.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

LEAF = 4                  # pieces in a leaf
_STACK = 64               # twice the depth of a tree of 2^31 leaves
_STEPS = 24               # of a march to the line
_AT_LINE_M = 20.0         # nearer than this a march flies the rest at its closing speed

_A = 6_378_137.0
_F = 1.0 / 298.257223563
_E2 = _F * (2.0 - _F)


@kernel
def side(lat: float, lon: float, low_lat_rad: float, band_scale: float, band_start: Indices, band_edges: Indices,
         edge_rad: Floats) -> bool:
    """Return whether a point is in the polygon whose edges are straight in longitude and latitude; False for NaN.

    band_start : (bands + 1,) rows of `band_edges` that each band of latitude meets
    band_edges : (m,) rows of `edge_rad` (e, 4), latitude and longitude of start and end. An edge is turned with its
        lower end first, so the arithmetic is the same for both neighbours that share it: a point is never in both,
        nor in neither.
    """
    bands = band_start.shape[0] - 1
    odd = False
    position = (lat - low_lat_rad) * band_scale
    if position >= 0.0 and position < bands + 1.0 and lon == lon:      # false for NaN
        band = min(int(position), bands - 1)
        for k in range(band_start[band], band_start[band + 1]):
            edge = band_edges[k]
            low_lat, high_lat = edge_rad[edge, 0], edge_rad[edge, 2]
            low_lon, high_lon = edge_rad[edge, 1], edge_rad[edge, 3]
            if low_lat > high_lat:
                low_lat, high_lat = high_lat, low_lat
                low_lon, high_lon = high_lon, low_lon
            if (low_lat <= lat < high_lat
                    and (high_lon - low_lon) * (lat - low_lat) > (lon - low_lon) * (high_lat - low_lat)):
                odd = not odd
    return odd


@kernel
def side_kernel(lat_rad: Floats, lon_rad: Floats, low_lat_rad: float, band_scale: float, band_start: Indices,
                band_edges: Indices, edge_rad: Floats, inside: Bools) -> None:
    """Fill `inside` (n,); see `side`."""
    for i in range(lat_rad.shape[0]):
        inside[i] = side(lat_rad[i], lon_rad[i], low_lat_rad, band_scale, band_start, band_edges, edge_rad)


@kernel
def nearest_piece(px: float, py: float, pz: float, nodes: Floats, pieces: Floats, hint: int, stack: npt.NDArray[np.int64],
                  bound: Floats) -> tuple[int, float]:
    """Return the nearest piece of the line to an Earth-fixed point, and the fraction along it.

    nodes : (2 leaves, 8) first vertex, vector to the last, 1 over its length squared (0 for none), and how far the
        node's vertices stray from that chord, rounded up; row 0 unused
    pieces : (leaves * LEAF, 7) likewise without the last, in order, the last piece repeated to fill the leaves
    hint : any piece; the nearer it is, the shorter the search
    stack, bound : (_STACK,) to work in

    Of equally near pieces the first counts, whatever the order of search and the hint.
    """
    leaf_count = nodes.shape[0] // 2
    qx, qy, qz = px - pieces[hint, 0], py - pieces[hint, 1], pz - pieces[hint, 2]
    dx, dy, dz = pieces[hint, 3], pieces[hint, 4], pieces[hint, 5]
    best_fraction = min(max((qx * dx + qy * dy + qz * dz) * pieces[hint, 6], 0.0), 1.0)
    qx, qy, qz = qx - best_fraction * dx, qy - best_fraction * dy, qz - best_fraction * dz
    best_piece, best2 = hint, qx * qx + qy * qy + qz * qz
    best = math.sqrt(best2)
    top = 1
    stack[0], bound[0] = 1, 0.0
    while top > 0:
        top -= 1
        # `bound` was proven when the node was pushed; a better piece may have been found since.
        if bound[top] > best:
            continue
        node = stack[top]
        # Down to a leaf, always into the nearer child; the other waits on the stack. Both children are written
        # out: a loop over the two costs a third of the speed.
        while node < leaf_count:
            left, right = 2 * node, 2 * node + 1
            qx, qy, qz = px - nodes[left, 0], py - nodes[left, 1], pz - nodes[left, 2]
            dx, dy, dz = nodes[left, 3], nodes[left, 4], nodes[left, 5]
            t = min(max((qx * dx + qy * dy + qz * dz) * nodes[left, 6], 0.0), 1.0)
            qx, qy, qz = qx - t * dx, qy - t * dy, qz - t * dz
            left_bound = math.sqrt(qx * qx + qy * qy + qz * qz) - nodes[left, 7]
            qx, qy, qz = px - nodes[right, 0], py - nodes[right, 1], pz - nodes[right, 2]
            dx, dy, dz = nodes[right, 3], nodes[right, 4], nodes[right, 5]
            t = min(max((qx * dx + qy * dy + qz * dz) * nodes[right, 6], 0.0), 1.0)
            qx, qy, qz = qx - t * dx, qy - t * dy, qz - t * dz
            right_bound = math.sqrt(qx * qx + qy * qy + qz * qz) - nodes[right, 7]
            near, far, near_bound, far_bound = left, right, left_bound, right_bound
            if right_bound < left_bound:
                near, far, near_bound, far_bound = right, left, right_bound, left_bound
            if far_bound <= best:
                stack[top], bound[top] = far, far_bound
                top += 1
            node = near if near_bound <= best else -1
            if node < 0:
                break
        if node < 0:
            continue
        first = (node - leaf_count) * LEAF
        for k in range(first, first + LEAF):
            qx, qy, qz = px - pieces[k, 0], py - pieces[k, 1], pz - pieces[k, 2]
            dx, dy, dz = pieces[k, 3], pieces[k, 4], pieces[k, 5]
            t = min(max((qx * dx + qy * dy + qz * dz) * pieces[k, 6], 0.0), 1.0)
            qx, qy, qz = qx - t * dx, qy - t * dy, qz - t * dz
            square = qx * qx + qy * qy + qz * qz
            if square < best2 or (square == best2 and k < best_piece):
                best2, best_piece, best_fraction = square, k, t
                best = math.sqrt(square)
    return best_piece, best_fraction


@kernel
def border_kernel(
    lat_rad: Floats, lon_rad: Floats, order: npt.NDArray[np.intp], velocity_mps: Floats, march_s_max: float,
    low_lat_rad: float, band_scale: float, band_start: Indices, band_edges: Indices, nodes: Floats, pieces: Floats,
    piece_of: Indices, edge_rad: Floats, edge_bound_95_m: Floats, edge_undecided: Bools, metres: Floats,
    near: Floats, edge_index: Indices, undecided: Bools,
) -> None:
    """Fill where points stand to the line, and when a straight flight from there meets it.

    order : (n,) rows in the order to work them in, or (0,): as they come
    velocity_mps : (n, 2) east, north of the flights, or (0, 2): none asked for
    march_s_max : a meeting later than this is none
    piece_of : (p, 3) edge of each piece, which part of it, of how many equal parts
    edge_rad : (e, 4) latitude and longitude of start and end; edge_bound_95_m, edge_undecided : (e,)
    metres : out (3, n) signed distance, bound of the nearest edge, and seconds until the meeting (0 inside, inf none)
    near : out (4, n) latitude and longitude of the nearest point, and the unit vector east, north at the point along
        which the signed distance grows (0, 0 on the line itself)
    edge_index, undecided : out (n,) of the nearest edge; -1 for NaN input

    The geodesic is the arc over the chord on the circle of curvature at the middle latitude in that azimuth (Euler):
    within 1 mm out to 50 km, 3e-6 of the distance at 500 km. The march: from a distance d one may fly d metres and
    cannot have crossed; within 20 m of the line the rest is flown at the closing speed. Error under 1 s at 20 m/s.
    """
    stack = np.empty(_STACK, np.int64)
    bound = np.empty(_STACK, np.float64)
    piece = 0
    for j in range(lat_rad.shape[0]):
        i = order[j] if order.shape[0] > 0 else j
        edge_index[i] = -1
        undecided[i] = False
        for k in range(4):
            near[k, i] = np.nan
        metres[0, i], metres[1, i], metres[2, i] = np.nan, np.nan, np.inf
        lat, lon = lat_rad[i], lon_rad[i]
        if pieces.shape[0] == 0 or not (lat == lat and lon == lon):
            continue
        speed, time_s, gap, last_step_s, steps = 0.0, 0.0, 0.0, 0.0, 0
        velocity_east, velocity_north = 0.0, 0.0
        while True:
            sin_lat, cos_lat = math.sin(lat), math.cos(lat)
            normal = _A / math.sqrt(1.0 - _E2 * sin_lat * sin_lat)
            piece, s = nearest_piece(normal * cos_lat * math.cos(lon), normal * cos_lat * math.sin(lon),
                                     normal * (1.0 - _E2) * sin_lat, nodes, pieces, piece, stack, bound)
            edge = piece_of[piece, 0]
            lat0, lon0 = edge_rad[edge, 0], edge_rad[edge, 1]
            dlat, dlon = edge_rad[edge, 2] - lat0, edge_rad[edge, 3] - lon0
            s = (piece_of[piece, 1] + s) / piece_of[piece, 2]
            # One step of Newton along the edge from a start that is right to millimetres. All in the frame east,
            # north, up at the point, with differences of angles, so nothing cancels.
            north, east, up, near_lat, near_lon = 0.0, 0.0, 0.0, lat0, lon0
            for turn in range(2):
                near_lat, near_lon = lat0 + s * dlat, lon0 + s * dlon
                sin_near, cos_near = math.sin(near_lat), math.cos(near_lat)
                near_normal = _A / math.sqrt(1.0 - _E2 * sin_near * sin_near)
                half = math.sin(0.5 * (near_lon - lon))
                cos_dlon = 1.0 - 2.0 * half * half
                sin_dlon = 2.0 * half * math.sqrt(1.0 - half * half)
                east = near_normal * cos_near * sin_dlon
                # across, along the meridian plane of the point; axial, along the axis of the Earth
                across = near_normal * cos_near - normal * cos_lat - 2.0 * near_normal * cos_near * half * half
                axial = (1.0 - _E2) * (near_normal * sin_near - normal * sin_lat)
                north = cos_lat * axial - sin_lat * across
                up = sin_lat * axial + cos_lat * across
                if turn == 1:
                    break
                near_meridian = near_normal * (1.0 - _E2) / (1.0 - _E2 * sin_near * sin_near)
                step_north, step_east = near_meridian * dlat, near_normal * cos_near * dlon
                square = step_north * step_north + step_east * step_east
                if square == 0.0:
                    break
                # Rates of east, north, up as s grows.
                rate_across = -sin_near * cos_dlon * step_north - sin_dlon * step_east
                rate_axial = cos_near * step_north
                rate_east = -sin_near * sin_dlon * step_north + cos_dlon * step_east
                rate_north = cos_lat * rate_axial - sin_lat * rate_across
                rate_up = sin_lat * rate_axial + cos_lat * rate_across
                s = min(max(s - (east * rate_east + north * rate_north + up * rate_up) / square, 0.0), 1.0)
            ground2 = east * east + north * north
            chord = math.sqrt(ground2 + up * up)
            radius = _A
            if ground2 > 0.0:
                sin_mid = math.sin(0.5 * (lat + near_lat))
                bulge = 1.0 - _E2 * sin_mid * sin_mid
                mid_normal = _A / math.sqrt(bulge)
                mid_meridian = mid_normal * (1.0 - _E2) / bulge
                radius = ground2 / (north * north / mid_meridian + east * east / mid_normal)
            half_arc = min(chord / (2.0 * radius), 1.0)
            distance = 2.0 * radius * math.asin(half_arc)
            inside = side(lat, lon, low_lat_rad, band_scale, band_start, band_edges, edge_rad)
            if steps == 0:
                ground = math.sqrt(ground2)
                sign = -1.0 if inside else 1.0
                out_east, out_north = 0.0, 0.0
                if ground > 0.0:
                    out_east, out_north = -sign * east / ground, -sign * north / ground
                metres[0, i], metres[1, i] = sign * distance, edge_bound_95_m[edge]
                near[0, i], near[1, i], near[2, i], near[3, i] = near_lat, near_lon, out_east, out_north
                edge_index[i], undecided[i] = edge, edge_undecided[edge]
                if velocity_mps.shape[0] == 0:
                    break
                if inside:
                    metres[2, i] = 0.0
                    break
                velocity_east, velocity_north = velocity_mps[i, 0], velocity_mps[i, 1]
                speed = math.sqrt(velocity_east * velocity_east + velocity_north * velocity_north)
                if not (speed > 0.5 and distance <= speed * march_s_max):
                    break
                gap = distance
                closing = -(out_east * velocity_east + out_north * velocity_north)
            else:
                closing = (gap - (0.0 if inside else distance)) / last_step_s
                gap = 0.0 if inside else distance
            # What still marches after so many steps flies nearly along the line: the rest at its closing speed.
            if gap < _AT_LINE_M or steps == _STEPS:
                if closing > (0.0 if gap < _AT_LINE_M else 0.02 * speed):
                    met = time_s + gap / max(closing, 1e-3)
                    metres[2, i] = met if met <= march_s_max else np.inf
                break
            last_step_s = gap / speed
            time_s += last_step_s
            steps += 1
            if time_s > march_s_max:
                break
            lat = lat_rad[i] + velocity_north * time_s / (normal_meridian(lat_rad[i]))
            lon = lon_rad[i] + velocity_east * time_s / (prime_vertical(lat_rad[i]) * math.cos(0.5 * (lat + lat_rad[i])))


@kernel
def prime_vertical(lat: float) -> float:
    """Return the radius of curvature across the meridian, metres."""
    sin_lat = math.sin(lat)
    return _A / math.sqrt(1.0 - _E2 * sin_lat * sin_lat)


@kernel
def normal_meridian(lat: float) -> float:
    """Return the radius of curvature along the meridian, metres."""
    sin_lat = math.sin(lat)
    bulge = 1.0 - _E2 * sin_lat * sin_lat
    return _A * (1.0 - _E2) / (bulge * math.sqrt(bulge))

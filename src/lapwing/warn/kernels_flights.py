"""The forecast's inner loop: many flights of one object over the places below it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def near_times_kernel(
    start: Floats, wander: Floats, chance: Floats, turn: Floats, step_s: Floats, since_s: float, until_s: float,
    speed_mps: float, turn_rate_radps: float, back_s: float, wander_rad_sigma: float, leg_s: float, turn_rad_min: float,
    turn_rad_max: float, site_east_m: Floats, site_north_m: Floats, site_zone: Ints, cell_first: Ints, columns: int,
    rows: int, west_m: float, south_m: float, radius_m: float, near_s: Floats,
) -> None:
    """Fly each path; write when it is first near each zone, seconds after `since_s`; what is never near is left as it is.

    Parameters
    ----------
    start : (paths, 5) east m, north m, heading rad, speed factor, turn still to come rad: it fades in over `back_s`
    wander : (paths, steps) standard normal; chance, turn : uniform in [0, 1)
    step_s : (steps,) lengths of the time steps; a step is flown straight and looked at its end
    since_s, until_s : nearness counts between these times of flight
    turn_rate_radps : present turn rate, fading with a time constant of 15 s
    site_east_m, site_north_m, site_zone : (sites,) sorted by cell of a grid; rows of `near_s` columns
    cell_first : (columns * rows + 1,) first site of each cell; cells are squares of `radius_m`
    near_s : (paths, zones) in and out
    """
    squared = radius_m * radius_m
    steps = step_s.shape[0]
    # What depends on the length of a step alone.
    left, turns_prob, drift_sigma, fading = np.empty(steps), np.empty(steps), np.empty(steps), np.empty(steps)
    for step in range(steps):
        left[step] = 1.0 - math.exp(-step_s[step] / back_s)
        turns_prob[step] = 1.0 - math.exp(-step_s[step] / leg_s)
        drift_sigma[step] = wander_rad_sigma * math.sqrt(step_s[step])
        fading[step] = math.exp(-step_s[step] / 15.0)
    for path in range(start.shape[0]):
        east, north, heading = start[path, 0], start[path, 1], start[path, 2]
        speed, back = speed_mps * start[path, 3], start[path, 4]
        rate, time_s = turn_rate_radps, 0.0
        for step in range(steps + 1):
            if time_s >= since_s:
                column, row = int(math.floor((east - west_m) / radius_m)), int(math.floor((north - south_m) / radius_m))
                first_column, last_column = max(column - 1, 0), min(column + 1, columns - 1)
                if first_column <= last_column:
                    for near_row in range(max(row - 1, 0), min(row + 2, rows)):
                        # The cells of a row lie one after another: one run of sites.
                        for site in range(cell_first[near_row * columns + first_column],
                                          cell_first[near_row * columns + last_column + 1]):
                            off_east, off_north = site_east_m[site] - east, site_north_m[site] - north
                            if off_east * off_east + off_north * off_north <= squared:
                                zone = site_zone[site]
                                if near_s[path, zone] > time_s - since_s:
                                    near_s[path, zone] = time_s - since_s
            if step == steps or time_s >= until_s:
                break
            length = step_s[step]
            turned = back * left[step]
            back -= turned
            drift = 0.5 * (rate * length + turned + drift_sigma[step] * wander[path, step])
            if chance[path, step] < turns_prob[step]:
                size = turn_rad_min + abs(2.0 * turn[path, step] - 1.0) * (turn_rad_max - turn_rad_min)
                heading += size if turn[path, step] >= 0.5 else -size
            heading += drift
            east += speed * length * math.sin(heading)
            north += speed * length * math.cos(heading)
            heading += drift
            rate *= fading[step]
            time_s += length


@kernel
def share_within_kernel(near_s: Floats, horizon_s: Floats, share: Floats) -> None:
    """Write the share of the paths that are near each zone within each horizon: (paths, zones), (k,) -> (zones, k)."""
    paths = near_s.shape[0]
    for zone in range(near_s.shape[1]):
        for at in range(horizon_s.shape[0]):
            count = 0
            for path in range(paths):
                if near_s[path, zone] <= horizon_s[at]:
                    count += 1
            share[zone, at] = count / paths

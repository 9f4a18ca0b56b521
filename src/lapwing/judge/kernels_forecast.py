"""The forecast's inner loop: many flights over one chart of border distances."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def first_entry_kernel(
    chart_m: Floats, radius_m_max: float, angle_rad: Floats, angle_bin: npt.NDArray[np.int64], step_s: Floats,
    start: Floats, wander: Floats, chance: Floats, turn: Floats, speed_mps: float, turn_rate_radps: float,
    wander_rad_sigma: float, leg_s: float, turn_rad_min: float, turn_rad_max: float, entry_s: Floats,
) -> None:
    """Fly each path over the chart; write when it first lies inside, inf where never.

    Parameters
    ----------
    chart_m : (radii, angles) signed distance at radius `radius_m_max * (j / (radii - 1)) ** 2` and `angle_rad` from
        the present track angle, clockwise, ascending from -pi to pi
    angle_bin : (bins,) column of `angle_rad` at or one before each of so many even bins from -pi to pi
    step_s : (steps,) lengths of the time steps
    start : (paths, 5) forward m, right m, heading rad, speed factor, shift of the line m
    wander : (paths, steps) standard normal; chance, turn : uniform in [0, 1)
    turn_rate_radps : present turn rate, fading with a time constant of 15 s
    entry_s : (paths,) out
    """
    radii = chart_m.shape[0]
    bins_per_rad = angle_bin.shape[0] / (2.0 * math.pi)
    for path in range(start.shape[0]):
        forward, right, heading = start[path, 0], start[path, 1], start[path, 2]
        speed, shift = speed_mps * start[path, 3], start[path, 4]
        rate, time_s, safe_s = turn_rate_radps, 0.0, 0.0
        entry_s[path] = math.inf
        for step in range(step_s.shape[0] + 1):
            if time_s >= safe_s:
                # Where the path is now: bilinear between the chart's points.
                place = math.sqrt(min(1.0, math.sqrt(forward * forward + right * right) / radius_m_max)) * (radii - 1)
                row = min(int(place), radii - 2)
                low, high = row / (radii - 1), (row + 1) / (radii - 1)
                at = (place / (radii - 1)) ** 2
                share = (at - low * low) / (high * high - low * low)
                angle = math.atan2(right, forward)
                column = angle_bin[min(int((angle + math.pi) * bins_per_rad), angle_bin.shape[0] - 1)]
                if angle_rad[column + 1] < angle:
                    column += 1
                across = (angle - angle_rad[column]) / (angle_rad[column + 1] - angle_rad[column])
                near = chart_m[row, column] * (1.0 - across) + chart_m[row, column + 1] * across
                far = chart_m[row + 1, column] * (1.0 - across) + chart_m[row + 1, column + 1] * across
                distance = near * (1.0 - share) + far * share + shift
                if distance < 0.0:
                    entry_s[path] = time_s
                    break
                # As far from the line as this, it cannot be inside for so long: no need to look before.
                safe_s = time_s + 0.7 * distance / max(speed, 1.0)
            if step == step_s.shape[0]:
                break
            length = step_s[step]
            # Half of the turn before the way, half after it: second order in the step.
            drift = 0.5 * (rate * length + wander_rad_sigma * math.sqrt(length) * wander[path, step])
            if chance[path, step] < 1.0 - math.exp(-length / leg_s):
                size = turn_rad_min + abs(2.0 * turn[path, step] - 1.0) * (turn_rad_max - turn_rad_min)
                heading += size if turn[path, step] >= 0.5 else -size
            heading += drift
            forward += speed * length * math.cos(heading)
            right += speed * length * math.sin(heading)
            heading += drift
            rate *= math.exp(-length / 15.0)
            time_s += length

"""How each radar turns: from the sensor table, else from north marks, else from the azimuths of successive plots."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lapwing.model.plots import Floats, Ints, Looks
from lapwing.model.sensors import RADAR, SURFACE, SensorTable
from lapwing.track.learned import Rotation, empty_rotation

TURN_S_MIN, TURN_S_MAX = 0.4, 30.0
LEARNT_TURNS = 3.0        # turns watched before an estimate is used


def sized(rotation: Rotation, sensors: SensorTable) -> Rotation:
    """Return the rotation with rows for new sensors; what the table says of a radar's turn is taken over."""
    have, want = len(rotation.turn_s), len(sensors.rows)
    if have < want:
        blank = empty_rotation(want - have)
        rotation = Rotation(*(np.concatenate((getattr(rotation, name), getattr(blank, name))) for name in (
            "turn_s", "clock_ns", "north_ns", "azimuth_rad", "swept_rad", "swept_s")))
    table = np.array([s.rotation_s if s.kind in (RADAR, SURFACE) else math.nan for s in sensors.rows])
    return replace(rotation, turn_s=np.where(np.isfinite(table) & (table > 0), table, rotation.turn_s))


def by_looks(rotation: Rotation, looks: Looks) -> Rotation:
    """Return the rotation after north marks and sector crossings: clocks go on, turns are measured."""
    if not len(looks):
        return rotation
    turn_s, clock_ns, north_ns = rotation.turn_s.copy(), rotation.clock_ns.copy(), rotation.north_ns.copy()
    for row in range(len(looks)):
        sensor, time_ns = int(looks.sensor_index[row]), int(looks.measured_ns[row])
        if sensor >= len(clock_ns):
            continue
        clock_ns[sensor] = max(clock_ns[sensor], time_ns)
        if looks.north_mark[row]:
            gap_s = (time_ns - north_ns[sensor]) * 1e-9
            # A second mark within half a turn is a repeat by the link; after 1.5 turns one was lost.
            if TURN_S_MIN < gap_s < TURN_S_MAX and not math.isfinite(turn_s[sensor]):
                turn_s[sensor] = gap_s
            if gap_s > TURN_S_MIN:
                north_ns[sensor] = time_ns
    return replace(rotation, turn_s=turn_s, clock_ns=clock_ns, north_ns=north_ns)


def by_plots(rotation: Rotation, sensor: int, measured_ns: Ints, azimuth_rad: Floats) -> Rotation:
    """Return the rotation after a group of one sensor's plots, in time order."""
    clock_ns = rotation.clock_ns.copy()
    newest = int(measured_ns.max())
    if not np.isfinite(azimuth_rad).all():
        clock_ns[sensor] = max(int(clock_ns[sensor]), newest)
        return replace(rotation, clock_ns=clock_ns)
    azimuth, swept, spent = rotation.azimuth_rad.copy(), rotation.swept_rad.copy(), rotation.swept_s.copy()
    turn_s = rotation.turn_s.copy()
    last_ns, last = int(clock_ns[sensor]), float(azimuth[sensor])
    for time_ns, here in zip(measured_ns.tolist(), azimuth_rad.tolist(), strict=True):
        gap_s = (time_ns - last_ns) * 1e-9
        if 0.0 < gap_s < 1.0 and math.isfinite(last):
            step = (here - last) % (2 * math.pi)
            if step < math.pi / 2:  # larger ones are another turn, or a plot out of order
                swept[sensor] += step
                spent[sensor] += gap_s
        if gap_s > 0.0:
            last_ns, last = time_ns, here
    clock_ns[sensor] = max(int(clock_ns[sensor]), newest)
    azimuth[sensor] = last
    if swept[sensor] > LEARNT_TURNS * 2 * math.pi:
        turn_s[sensor] = min(max(spent[sensor] * 2 * math.pi / swept[sensor], TURN_S_MIN), TURN_S_MAX)
        swept[sensor] *= 0.5
        spent[sensor] *= 0.5
    return replace(rotation, clock_ns=clock_ns, azimuth_rad=azimuth, swept_rad=swept, swept_s=spent, turn_s=turn_s)


def slowest_turn_s(rotation: Rotation) -> float:
    """Return the turn of the slowest radar heard from; 10 s where none is known, never under 2."""
    heard = rotation.turn_s[(rotation.clock_ns > 0) & np.isfinite(rotation.turn_s)]
    return max(2.0, float(heard.max())) if len(heard) else 10.0

"""Plots of invented flights for the tracker's tests: one polar radar or two, objects on straight legs, seeded noise."""

import math
from dataclasses import replace

import numpy as np

from lapwing import track
from lapwing.adapters.parquet_tracks import arrival_batches, placed
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, Plots, empty_bearings, empty_looks
from lapwing.model.sensors import Sensor, SensorTable

BEGIN_NS = 1_780_000_000_000_000_000
TURN_S = 4.0
LATENCY_NS = 300_000_000


def radar(name="R1", lat_deg=45.0, lon_deg=28.0, **changes):
    """Return a radar of 100 km range, 60 m and 0.15 degrees."""
    return replace(Sensor(id=name, latitude_rad=math.radians(lat_deg), longitude_rad=math.radians(lon_deg), height_m=50.0,
                          rotation_s=TURN_S, range_m_sigma=60.0, azimuth_rad_sigma=math.radians(0.15), range_m_max=100_000.0),
                   **changes)


def seen(sensors, flights, minutes, *, seed=1, clutter=0, turn_rad=0.0, bias=(0.0, 0.0), found=0.95, height_m=0.0):
    """Return the plots of flights (east_m, north_m, east_mps, north_mps[, icao[, end_s]]) about the first radar.

    The earth is flat here, so radars stand on one meridian. `height_m` is of all flights, above the radars. `turn_rad` turns
    the whole world (flights, noise and clutter) about the radar; `bias` (m, rad) is of the last radar.
    """
    generator = np.random.default_rng(seed)
    rows = []
    for index, sensor in enumerate(sensors.rows):
        offset = _offset(sensors.rows[0], sensor)
        for turn in range(int(minutes * 60 / sensor.rotation_s)):
            for flight in flights:
                rows.append(_echo(generator, index, sensor, offset, turn, flight, turn_rad, found, height_m))
            for _ in range(clutter):
                angle, away = generator.uniform(0, 2 * math.pi), 90_000.0 * math.sqrt(generator.uniform(0.01, 1.0))
                rows.append((index, turn * sensor.rotation_s, away, (angle + turn_rad) % (2 * math.pi), -1))
    rows = [r for r in rows if r is not None]
    index, time_s, away, azimuth, icao = (np.array(column) for column in zip(*rows, strict=True))
    turn_s = np.array([s.rotation_s for s in sensors.rows])[index]
    # The aerial passes when it points there; the world's turn must not move that moment.
    time_s = time_s + np.remainder(azimuth - turn_rad, 2 * math.pi) / (2 * math.pi) * turn_s
    last = index == len(sensors.rows) - 1
    measured = BEGIN_NS + (time_s * 1e9).astype(np.int64)
    received = measured + LATENCY_NS
    order = np.lexsort((index, received))
    plots = placed(
        sensors, index.astype(np.uint16), np.where(icao >= 0, KIND_COMBINED, KIND_PSR).astype(np.uint8), measured, received,
        away + np.where(last, bias[0], 0.0), np.remainder(azimuth + np.where(last, bias[1], 0.0), 2 * math.pi),
        np.full(len(index), np.nan), np.full(len(index), -1, np.int32), np.full(len(index), np.nan), icao.astype(np.int32),
        np.arange(len(index), dtype=np.int64))
    return plots.take(order)


def _offset(first, other):
    north = (other.latitude_rad - first.latitude_rad) * 6_371_000.0
    return (other.longitude_rad - first.longitude_rad) * 6_371_000.0 * math.cos(first.latitude_rad), north


def _echo(generator, index, sensor, offset, turn, flight, turn_rad, found, height_m):
    east, north, east_mps, north_mps, icao, end_s = (*flight, *(-1, math.inf)[len(flight) - 4 :])
    draws = generator.normal(size=2), generator.random()
    azimuth, time_s = 0.0, turn * sensor.rotation_s
    for _ in range(2):          # where it is when the beam passes
        time_s = turn * sensor.rotation_s + azimuth / (2 * math.pi) * sensor.rotation_s
        e, n = east + east_mps * time_s - offset[0], north + north_mps * time_s - offset[1]
        azimuth = math.atan2(e, n) % (2 * math.pi)
    if draws[1] > found or time_s > end_s:
        return None
    azimuth += draws[0][1] * sensor.azimuth_rad_sigma
    return (index, turn * sensor.rotation_s, math.hypot(e, n, height_m) + draws[0][0] * sensor.range_m_sigma,
            (azimuth + turn_rad) % (2 * math.pi), icao)


def table(*sensors):
    """Return a sensor table."""
    return SensorTable(tuple(sensors))


def fly(plots: Plots, sensors, settings=None, state=None):
    """Return (state, list of updates) after all plots in order of arrival."""
    settings, state = settings or track.Settings(), state or track.State()
    updates = []
    for rows, now_ns in arrival_batches(plots.received_ns, 500_000_000):
        batch = plots.take(np.arange(rows.start, rows.stop))
        state, update = track.step(state, batch, empty_bearings(), empty_looks(), sensors, (), now_ns, settings)
        updates.append(update)
    return state, updates


def confirmed(update):
    """Return the ids of the confirmed tracks of an update."""
    return {name for name, sure in zip(update.tracks.track_id, update.tracks.confirmed, strict=True) if sure}

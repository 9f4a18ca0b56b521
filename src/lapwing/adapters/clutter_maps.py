"""Clutter maps between runs: one npz file, arrays by sensor id. What does not fit the sensor table is left out."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lapwing.model.errors import InputError
from lapwing.model.sensors import SensorTable
from lapwing.track import ClutterMap
from lapwing.track.clutter import make_map


def write(path: Path, sensors: SensorTable, maps: tuple[ClutterMap, ...]) -> None:
    """Write the maps, whole or not at all."""
    arrays: dict[str, Any] = {}
    for sensor, one in zip(sensors.rows, maps, strict=False):
        arrays[f"{sensor.id}/fine"], arrays[f"{sensor.id}/coarse"] = one.fine, one.coarse
        arrays[f"{sensor.id}/amplitude"] = one.amplitude
        arrays[f"{sensor.id}/scans"] = np.array((one.fine_scans, one.coarse_scans))
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    unfinished.replace(path)


def read(path: Path, sensors: SensorTable) -> tuple[ClutterMap, ...]:
    """Return a map for every sensor; a new one where the file has none of its size. InputError where it is no such file."""
    try:
        with np.load(path) as file:
            known = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, OSError) as error:
        raise InputError(f"no clutter map: {error}", where=str(path),
                         remedy="remove it; a new one is learned and written") from None
    result = []
    for sensor in sensors.rows:
        cold = make_map(sensor.range_m_max, sensor.false_plots_per_scan)
        fine = known.get(f"{sensor.id}/fine")
        if fine is None or fine.shape != cold.fine.shape:
            result.append(cold)
            continue
        scans = known[f"{sensor.id}/scans"]
        result.append(ClutterMap(fine, known[f"{sensor.id}/coarse"], float(scans[0]), float(scans[1]),
                                 known[f"{sensor.id}/amplitude"]))
    return tuple(result)

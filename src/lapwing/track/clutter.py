"""Where each radar sees plots of nobody: the density that every likelihood is measured against.

Two maps a radar, in its own polar cells: a coarse fast one (6 km by 11 degrees, some 20 scans) that finds rain and sea
patches, and a fine slow one (1.5 km by 2.8 degrees, some 80 scans) that finds wind farms. The fine one falls back on
the coarse one where it has seen little (gamma prior worth `PRIOR_SCANS`). Plots count by the probability that they are
clutter. Beside them a histogram of clutter's amplitudes. What is done with them: kernels_clutter.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lapwing.model.plots import Floats
from lapwing.track.kernels_clutter import (
    AMPLITUDE_BINS,
    COARSE_RINGS,
    COARSE_SCANS,
    COARSE_TURN,
    FINE_M,
    FINE_SCANS,
    FINE_SECTORS,
    RINGS,
)
from lapwing.track.learned import ClutterMap, ClutterMaps

TARGET_DB_MEAN = 8.0                      # objects: exponential above the threshold (our assumption)
RISE: Floats = 1.0 - np.exp(-np.arange(AMPLITUDE_BINS + 2) / TARGET_DB_MEAN)


def make_map(range_m_max: float, false_plots_per_scan: float) -> ClutterMap:
    """Return a map that knows only the sensor table's figure: so many false plots, spread evenly."""
    reach = range_m_max if math.isfinite(range_m_max) and range_m_max > 0 else 200_000.0
    rings = max(COARSE_RINGS, COARSE_RINGS * math.ceil(reach * 1.02 / (FINE_M * COARSE_RINGS)))
    # A cold map is worth two scans of the table's figure.
    middle = np.arange(rings // COARSE_RINGS, dtype=np.float64) + 0.5
    area = middle * (FINE_M * COARSE_RINGS) ** 2 * (2 * math.pi / (FINE_SECTORS // COARSE_TURN))
    coarse = np.repeat((2.0 * false_plots_per_scan * area / (math.pi * reach**2))[:, None],
                       FINE_SECTORS // COARSE_TURN, axis=1)
    return ClutterMap(np.zeros((rings, FINE_SECTORS), np.float32), coarse.astype(np.float32), 0.0, 2.0,
                      np.zeros(AMPLITUDE_BINS, np.float32))


def joined(maps: ClutterMaps, new: tuple[ClutterMap, ...]) -> ClutterMaps:
    """Return the maps with those of further sensors behind them."""
    if not new:
        return maps
    rings = max(maps.fine.shape[1], *(len(one.fine) for one in new))
    have, count = len(maps), len(maps) + len(new)
    fine = np.zeros((count, rings, FINE_SECTORS), np.float32)
    coarse = np.zeros((count, rings // COARSE_RINGS, FINE_SECTORS // COARSE_TURN), np.float32)
    amplitude, seen = np.zeros((count, AMPLITUDE_BINS), np.float32), np.zeros(fine.shape, np.uint8)
    floats, ints = np.zeros((count, 2)), np.zeros((count, 2), np.int64)
    known = maps.fine.shape[1]
    fine[:have, :known], seen[:have, :known], amplitude[:have] = maps.fine, maps.seen, maps.amplitude
    coarse[:have, : known // COARSE_RINGS] = maps.coarse
    floats[:have], ints[:have] = maps.floats, maps.ints
    for k, one in enumerate(new, have):
        fine[k, : len(one.fine)], coarse[k, : len(one.coarse)], amplitude[k] = one.fine, one.coarse, one.amplitude
        floats[k, FINE_SCANS], floats[k, COARSE_SCANS], ints[k, RINGS] = one.fine_scans, one.coarse_scans, len(one.fine)
    return ClutterMaps(fine, coarse, amplitude, seen, floats, ints)


def parted(maps: ClutterMaps) -> tuple[ClutterMap, ...]:
    """Return the map of every sensor, for keeping."""
    result = []
    for k in range(len(maps)):
        rings = int(maps.ints[k, RINGS])
        result.append(ClutterMap(maps.fine[k, :rings], maps.coarse[k, : rings // COARSE_RINGS],
                                 float(maps.floats[k, FINE_SCANS]), float(maps.floats[k, COARSE_SCANS]),
                                 maps.amplitude[k]))
    return tuple(result)


def copied(maps: ClutterMaps) -> ClutterMaps:
    """Return a copy that belongs to a step."""
    return replace(maps, fine=maps.fine.copy(), coarse=maps.coarse.copy(), amplitude=maps.amplitude.copy(),
                   seen=maps.seen.copy(), floats=maps.floats.copy(), ints=maps.ints.copy())

"""Where each radar sees plots of nobody: the density that every likelihood is measured against.

Two maps a radar, in its own polar cells: a coarse fast one (6 km by 11 degrees, some 20 scans) that finds rain and sea
patches, and a fine slow one (1.5 km by 2.8 degrees, some 80 scans) that finds wind farms. The fine one falls back on
the coarse one where it has seen little (gamma prior worth `PRIOR_SCANS`). Plots count by the probability that they are
clutter. Beside them a histogram of clutter's amplitudes.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import Floats
from lapwing.track.state import ClutterMap

FINE_M, FINE_SECTORS = 1_500.0, 128
COARSE_RINGS, COARSE_TURN = 4, 4          # fine cells in a coarse one, each way
FINE_MEMORY, COARSE_MEMORY = 80.0, 20.0   # scans
PRIOR_SCANS = 15.0
EVIDENT_PER_M2 = 3e-8                     # a plot a scan in 33 km2: more than any radar's noise makes
COLD_DOUBT, COLD_SCANS = 9.0, 10.0        # how much denser a spot may be than a cold map says, and for how long
ONE_PLOT_WEIGHT = 0.2                     # in a cold fine map, of the first plot of a cell in a scan
AMPLITUDE_MIN_DB, AMPLITUDE_BINS = -20, 100
AMPLITUDE_PLOTS_MIN = 300.0               # histogram weight below which amplitudes say nothing
TARGET_DB_MEAN = 8.0                      # objects: exponential above the threshold (our assumption)


def make_map(range_m_max: float, false_plots_per_scan: float) -> ClutterMap:
    """Return a map that knows only the sensor table's figure: so many false plots, spread evenly."""
    reach = range_m_max if math.isfinite(range_m_max) and range_m_max > 0 else 200_000.0
    rings = max(COARSE_RINGS, COARSE_RINGS * math.ceil(reach * 1.02 / (FINE_M * COARSE_RINGS)))
    fine = np.zeros((rings, FINE_SECTORS), np.float32)
    # A cold map is worth two scans of the table's figure.
    area = _areas(rings // COARSE_RINGS, FINE_M * COARSE_RINGS, FINE_SECTORS // COARSE_TURN)
    coarse = np.repeat((2.0 * false_plots_per_scan * area / (math.pi * reach**2))[:, None],
                       FINE_SECTORS // COARSE_TURN, axis=1)
    return ClutterMap(fine, coarse.astype(np.float32), 0.0, 2.0, 0, np.zeros(AMPLITUDE_BINS, np.float32),
                      np.zeros(fine.shape, np.bool_))


def density(clutter: ClutterMap, range_m: Floats, azimuth_rad: Floats) -> Floats:
    """Return clutter plots per m2 and scan at places in the radar's polar frame."""
    ring, sector = _cells(clutter, range_m, azimuth_rad)
    rings = len(clutter.fine)
    coarse_areas = _areas(rings // COARSE_RINGS, FINE_M * COARSE_RINGS, FINE_SECTORS // COARSE_TURN)
    coarse_area = coarse_areas[ring // COARSE_RINGS]
    coarse = (clutter.coarse[ring // COARSE_RINGS, sector // COARSE_TURN] + 0.02) / (clutter.coarse_scans + 1.0)
    coarse_density = coarse / coarse_area
    area = _areas(rings, FINE_M, FINE_SECTORS)[ring]
    # A cold map leans on the coarse one for fewer scans: a wind farm must count from its second turn.
    prior = min(2.0 + 0.5 * clutter.fine_scans, PRIOR_SCANS)
    fine = clutter.fine[ring, sector] + prior * coarse_density * area
    found = np.maximum(fine / (clutter.fine_scans + prior) / area, 0.3 * coarse_density)
    # Where clutter is evident a cold map is not trusted to know its worst spots.
    doubt = COLD_DOUBT * math.exp(-clutter.fine_scans / COLD_SCANS)
    return np.where(coarse_density > EVIDENT_PER_M2, found * (1.0 + doubt), found)


def amplitude_ratio(clutter: ClutterMap, amplitude_db: Floats) -> Floats:
    """Return how much likelier an amplitude is of an object than of clutter, within [0.3, 8]; 1 where unknown."""
    histogram = clutter.amplitude.astype(np.float64)
    total = histogram.sum()
    ratio = np.ones(len(amplitude_db))
    if total < AMPLITUDE_PLOTS_MIN:
        return ratio
    share = (histogram + 0.02 * total / AMPLITUDE_BINS) / (1.02 * total)
    floor = int(np.searchsorted(np.cumsum(histogram), 0.01 * total))
    steps = np.arange(AMPLITUDE_BINS + 1) - floor
    below = 1.0 - np.exp(-np.maximum(steps, 0) / TARGET_DB_MEAN)
    table = np.clip((np.diff(below) + 1e-4) / share, 0.3, 8.0)
    known = np.isfinite(amplitude_db)
    ratio[known] = table[_bins(amplitude_db[known])]
    return ratio


def learn(clutter: ClutterMap, range_m: Floats, azimuth_rad: Floats, amplitude_db: Floats, clutter_prob: Floats,
          clock_ns: int, turn_ns: int) -> ClutterMap:
    """Return the map after a group of primary plots, each counted by the probability that it is clutter."""
    fine, coarse, histogram, seen = clutter.fine, clutter.coarse, clutter.amplitude.copy(), clutter.seen.copy()
    fine_scans, coarse_scans, end_ns = clutter.fine_scans, clutter.coarse_scans, clutter.scan_end_ns
    if end_ns == 0:
        end_ns = clock_ns + turn_ns
    if clock_ns >= end_ns:
        turns = min(1 + (clock_ns - end_ns) // turn_ns, 200)
        slow, fast = (1.0 - 1.0 / FINE_MEMORY) ** turns, (1.0 - 1.0 / COARSE_MEMORY) ** turns
        fine, coarse = fine * np.float32(slow), coarse * np.float32(fast)
        histogram *= np.float32(slow)
        seen[:] = False
        fine_scans = fine_scans * slow + FINE_MEMORY * (1.0 - slow)
        coarse_scans = coarse_scans * fast + COARSE_MEMORY * (1.0 - fast)
        end_ns = end_ns + turns * turn_ns if turns < 200 else clock_ns + turn_ns
    else:
        fine, coarse = fine.copy(), coarse.copy()
    ring, sector = _cells(clutter, range_m, azimuth_rad)
    weight = clutter_prob.astype(np.float32)
    # One plot a scan in a cell may be an object, and a cold map must not hide it by its own plots; two are clutter.
    shy = np.float32(min(1.0, ONE_PLOT_WEIGHT + (1.0 - ONE_PLOT_WEIGHT) * fine_scans / COARSE_MEMORY))
    np.add.at(fine, (ring, sector), np.where(seen[ring, sector], weight, weight * shy))
    seen[ring, sector] = True
    np.add.at(coarse, (ring // COARSE_RINGS, sector // COARSE_TURN), weight)
    known = np.isfinite(amplitude_db)
    np.add.at(histogram, _bins(amplitude_db[known]), weight[known])
    return replace(clutter, fine=fine, coarse=coarse, amplitude=histogram, fine_scans=fine_scans,
                   coarse_scans=coarse_scans, scan_end_ns=int(end_ns), seen=seen)


def _bins(amplitude_db: Floats) -> npt.NDArray[np.intp]:
    bins = np.clip(np.floor(amplitude_db) - AMPLITUDE_MIN_DB, 0, AMPLITUDE_BINS - 1)
    result: npt.NDArray[np.intp] = np.asarray(bins, np.intp)
    return result


def _cells(clutter: ClutterMap, range_m: Floats, azimuth_rad: Floats) -> tuple[npt.NDArray[np.intp],
                                                                              npt.NDArray[np.intp]]:
    ring = np.minimum(range_m / FINE_M, len(clutter.fine) - 1).astype(np.intp)
    sector = (azimuth_rad * (FINE_SECTORS / (2 * math.pi))).astype(np.intp) % FINE_SECTORS
    return ring, sector


def _areas(rings: int, depth_m: float, sectors: int) -> Floats:
    """Return the area (m2) of the cells of each ring."""
    middle: Floats = np.arange(rings, dtype=np.float64) + 0.5
    areas: Floats = middle * depth_m * depth_m * (2 * math.pi / sectors)
    return areas

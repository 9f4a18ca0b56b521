"""Kernels of the clutter maps: the density at a place, what an amplitude says, learning. See clutter.py for the idea.

Of sensor k: `fine` (S, rings, 128) and `coarse` (S, rings / 4, 32) decayed counts, `histogram` (S, 100) of amplitudes,
`seen` (S, rings, 128) cells that had a plot in this scan. Sensors of less range leave their outer rings empty.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import inner_kernel
from lapwing.model.plots import Floats, Ints

Counts = npt.NDArray[np.float32]
Marks = npt.NDArray[np.uint8]
FINE_M, FINE_SECTORS = 1_500.0, 128
COARSE_RINGS, COARSE_TURN = 4, 4          # fine cells in a coarse one, each way
FINE_MEMORY, COARSE_MEMORY = 80.0, 20.0   # scans
PRIOR_SCANS = 15.0
EVIDENT_PER_M2 = 3e-8                     # a plot a scan in 33 km2: more than any radar's noise makes
COLD_DOUBT, COLD_SCANS = 9.0, 10.0        # how much denser a spot may be than a cold map says, and for how long
OTHERS_MAX = 1.5                          # other plots in the nearest coarse cells that are noise still
OWN_MAX = 6.0                             # plots of its own that an object is believed: as many as it takes to confirm it
ONE_PLOT_WEIGHT = 0.2                     # in a cold fine map, of the first plot of a cell in a scan
AMPLITUDE_MIN_DB, AMPLITUDE_BINS = -20, 100
AMPLITUDE_PLOTS_MIN = 300.0               # histogram weight below which amplitudes say nothing
RINGS_MAX = 4_096                         # more than any sensor has
TURNS_MAX = 200                           # a radar silent for longer starts a new scan
# Columns of map_floats and map_ints
FINE_SCANS, COARSE_SCANS = 0, 1
RINGS, SCAN_END = 0, 1


@inner_kernel
def ring_of(sensor: int, range_m: float, map_ints: Ints) -> int:
    """Return the fine ring of a range; the last one holds what lies beyond."""
    return int(min(range_m / FINE_M, map_ints[sensor, RINGS] - 1.0))


@inner_kernel
def sector_of(azimuth_rad: float) -> int:
    """Return the fine sector of an azimuth."""
    return int(azimuth_rad * (FINE_SECTORS / (2.0 * math.pi))) % FINE_SECTORS


@inner_kernel
def cell_of(sensor: int, range_m: float, azimuth_rad: float, map_ints: Ints) -> int:
    """Return a number for a fine cell that no other cell of any sensor has."""
    return (sensor * RINGS_MAX + ring_of(sensor, range_m, map_ints)) * FINE_SECTORS + sector_of(azimuth_rad)


@inner_kernel
def wide_cell_of(cell: int) -> int:
    """Return the number of the coarse cell that a fine one lies in."""
    ring, sector = cell // FINE_SECTORS, cell % FINE_SECTORS
    return (ring // COARSE_RINGS) * FINE_SECTORS + sector // COARSE_TURN


@inner_kernel
def nearest_wide(cell: int, rings: int) -> tuple[int, int, int, int]:
    """Return the numbers of the four coarse cells nearest to a fine one, its own first; -1 for what lies beyond the rings."""
    ring, sector = (cell // FINE_SECTORS) % RINGS_MAX, cell % FINE_SECTORS
    wide, turn = ring // COARSE_RINGS, sector // COARSE_TURN
    beside = wide + (1 if ring % COARSE_RINGS >= COARSE_RINGS // 2 else -1)
    beside = min(max(beside, 0), (rings - 1) // COARSE_RINGS)
    turns = FINE_SECTORS // COARSE_TURN
    next_turn = (turn + (1 if sector % COARSE_TURN >= COARSE_TURN // 2 else -1) + turns) % turns
    first = (cell // (FINE_SECTORS * RINGS_MAX)) * RINGS_MAX // COARSE_RINGS
    return ((first + wide) * FINE_SECTORS + turn, (first + wide) * FINE_SECTORS + next_turn,
            (first + beside) * FINE_SECTORS + turn if beside != wide else -1,
            (first + beside) * FINE_SECTORS + next_turn if beside != wide else -1)


@inner_kernel
def around(sensor: int, cell: int, coarse: Counts, map_ints: Ints) -> float:
    """Return the counts of the four coarse cells nearest to a fine one of a sensor, see `cell_of`, its own among them."""
    found = 0.0
    for wide in nearest_wide(cell, map_ints[sensor, RINGS]):
        if wide >= 0:
            found += coarse[sensor, (wide // FINE_SECTORS) % (RINGS_MAX // COARSE_RINGS), wide % FINE_SECTORS]
    return float(found)


@inner_kernel
def density_m2(sensor: int, range_m: float, azimuth_rad: float, own_fine: float, own_coarse: float, fine: Counts, coarse: Counts,
               map_floats: Floats, map_ints: Ints) -> float:
    """Return clutter plots per m2 and scan at a place in the radar's polar frame.

    `own_fine`, `own_coarse`: counts in these cells that are the object's own plots, if there is one: not clutter then.
    """
    ring, sector = ring_of(sensor, range_m, map_ints), sector_of(azimuth_rad)
    area = (ring + 0.5) * FINE_M * FINE_M * (2.0 * math.pi / FINE_SECTORS)
    wide_m = FINE_M * COARSE_RINGS
    coarse_area = (ring // COARSE_RINGS + 0.5) * wide_m * wide_m * (2.0 * math.pi / (FINE_SECTORS // COARSE_TURN))
    count = max(coarse[sensor, ring // COARSE_RINGS, sector // COARSE_TURN] - own_coarse, 0.0)
    coarse_m2 = (count + 0.02) / (map_floats[sensor, COARSE_SCANS] + 1.0) / coarse_area
    scans = map_floats[sensor, FINE_SCANS]
    # A cold map leans on the coarse one for fewer scans: a wind farm must count from its second turn.
    prior = min(2.0 + 0.5 * scans, PRIOR_SCANS)
    mine = max(fine[sensor, ring, sector] - own_fine, 0.0)
    found = max((mine + prior * coarse_m2 * area) / (scans + prior) / area, 0.3 * coarse_m2)
    # Where clutter is evident a cold map is not trusted to know its worst spots.
    return float(found * (1.0 + COLD_DOUBT * math.exp(-scans / COLD_SCANS)) if coarse_m2 > EVIDENT_PER_M2 else found)


@inner_kernel
def shyness(sensor: int, map_floats: Floats) -> float:
    """Return the weight of the first plot of a cell in a scan.

    One plot a scan in a cell may be an object, and a cold map must not hide it by its own plots; two are clutter.
    """
    return float(min(1.0, ONE_PLOT_WEIGHT + (1.0 - ONE_PLOT_WEIGHT) * map_floats[sensor, FINE_SCANS] / COARSE_MEMORY))


@inner_kernel
def loudness(sensor: int, histogram: Counts) -> tuple[float, int]:
    """Return (weight of the amplitudes of clutter, the bin at their first hundredth, taken for the threshold)."""
    total = 0.0
    for k in range(AMPLITUDE_BINS):
        total += histogram[sensor, k]
    below = 0.0
    for k in range(AMPLITUDE_BINS):
        below += histogram[sensor, k]
        if below >= 0.01 * total:
            return total, k
    return total, AMPLITUDE_BINS


@inner_kernel
def amplitude_ratio(sensor: int, amplitude_db: float, histogram: Counts, total: float, floor: int, rise: Floats) -> float:
    """Return how much likelier an amplitude is of an object than of clutter, within [0.3, 8]; 1 where unknown.

    `rise` : share of objects within so many bins above the threshold
    """
    if total < AMPLITUDE_PLOTS_MIN or math.isnan(amplitude_db):
        return 1.0
    k = bin_of(amplitude_db)
    share = (histogram[sensor, k] + 0.02 * total / AMPLITUDE_BINS) / (1.02 * total)
    return float(min(max((rise[max(k + 1 - floor, 0)] - rise[max(k - floor, 0)] + 1e-4) / share, 0.3), 8.0))


@inner_kernel
def bin_of(amplitude_db: float) -> int:
    """Return the histogram's bin of an amplitude."""
    return int(min(max(math.floor(amplitude_db) - AMPLITUDE_MIN_DB, 0.0), AMPLITUDE_BINS - 1.0))


@inner_kernel
def turn_over(sensor: int, clock_ns: int, turn_ns: int, fine: Counts, coarse: Counts, histogram: Counts, seen: Marks,
              map_floats: Floats, map_ints: Ints) -> None:
    """Let a map fade by the scans that have ended at the radar's clock."""
    if map_ints[sensor, SCAN_END] == 0:
        map_ints[sensor, SCAN_END] = clock_ns + turn_ns
    if clock_ns < map_ints[sensor, SCAN_END]:
        return
    turns = min(1 + (clock_ns - map_ints[sensor, SCAN_END]) // turn_ns, TURNS_MAX)
    slow, fast = (1.0 - 1.0 / FINE_MEMORY) ** turns, (1.0 - 1.0 / COARSE_MEMORY) ** turns
    slow32, fast32 = np.float32(slow), np.float32(fast)
    for ring in range(map_ints[sensor, RINGS]):
        for sector in range(FINE_SECTORS):
            fine[sensor, ring, sector] *= slow32
            seen[sensor, ring, sector] = 0
    for ring in range(map_ints[sensor, RINGS] // COARSE_RINGS):
        for sector in range(FINE_SECTORS // COARSE_TURN):
            coarse[sensor, ring, sector] *= fast32
    for k in range(AMPLITUDE_BINS):
        histogram[sensor, k] *= slow32
    map_floats[sensor, FINE_SCANS] = map_floats[sensor, FINE_SCANS] * slow + FINE_MEMORY * (1.0 - slow)
    map_floats[sensor, COARSE_SCANS] = map_floats[sensor, COARSE_SCANS] * fast + COARSE_MEMORY * (1.0 - fast)
    if turns < TURNS_MAX:
        map_ints[sensor, SCAN_END] += turns * turn_ns
    else:
        map_ints[sensor, SCAN_END] = clock_ns + turn_ns


@inner_kernel
def learn(sensor: int, range_m: float, azimuth_rad: float, amplitude_db: float, clutter_prob: float, fine: Counts,
          coarse: Counts, histogram: Counts, seen: Marks, map_floats: Floats, map_ints: Ints) -> None:
    """Count a primary plot by the probability that it is clutter."""
    ring, sector = ring_of(sensor, range_m, map_ints), sector_of(azimuth_rad)
    weight = np.float32(clutter_prob)
    shy = shyness(sensor, map_floats)
    fine[sensor, ring, sector] += weight if seen[sensor, ring, sector] != 0 else weight * np.float32(shy)
    seen[sensor, ring, sector] = 1
    coarse[sensor, ring // COARSE_RINGS, sector // COARSE_TURN] += weight
    if not math.isnan(amplitude_db):
        histogram[sensor, bin_of(amplitude_db)] += weight

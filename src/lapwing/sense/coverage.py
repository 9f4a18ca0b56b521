"""How far each radar really saw of late, sector by sector, beside what its horizon and range allow.

The farthest believed plot of each 10 degrees is kept for a quarter of an hour and the one before. A sector falls short where it
holds nothing beyond half of what the radar should see of aircraft at 3,000 m: terrain, a blanked sector, a weak receiver, or no
traffic there. It is a figure to look at, not an alarm: a quiet night has no aircraft to show how far a radar sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import Plots
from lapwing.model.sensors import RADAR
from lapwing.model.times import NS_PER_S
from lapwing.sense.kernels_batch import farthest_of
from lapwing.sense.sensor_columns import columns_of
from lapwing.sense.work import Work

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SECTORS = 36
WINDOW_NS = 900 * NS_PER_S
PLOTS_MIN = 20 * SECTORS          # fewer say nothing of what lies beyond them
SHORT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Reach:
    """The farthest plots of one radar: of the window that runs, and of the one before."""

    since_ns: int
    count: int
    reach_m: Floats               # (36,), 0 where nothing was seen
    count_before: int
    reach_m_before: Floats
    farthest_m: float = math.nan  # of both windows
    share: float = math.nan       # of sectors that do not fall short; NaN: too little was seen


def note(work: Work, row: int, group: Ints, number: int, count: int, plots: Plots, received_ns: int) -> None:
    """Take the believed plots of one sensor, those whose `group` is `number`, into its reach; what is no radar's is left out."""
    rows = work.sensors.rows
    if rows[row].kind != RADAR or not count:
        return
    known: Reach | None = work.memory.get("reach", {}).get(row)
    if known is None:
        known = Reach(received_ns, 0, np.zeros(SECTORS), 0, np.zeros(SECTORS))
    elif received_ns - known.since_ns >= WINDOW_NS:
        known = Reach(received_ns, 0, np.zeros(SECTORS), known.count, known.reach_m)
    reach = known.reach_m.copy()
    farthest, seen = farthest_of(group, number, plots.azimuth_rad, plots.range_m, reach, known.reach_m_before,
                                 SHORT_SHARE * columns_of(rows).reach_m[row])
    count += known.count
    share = seen / SECTORS if count + known.count_before >= PLOTS_MIN else math.nan
    work.own("reach")[row] = Reach(known.since_ns, count, reach, known.count_before, known.reach_m_before, farthest, share)

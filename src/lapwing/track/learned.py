"""What the tracker learns of its radars: how they turn, and where clutter lies. Registration and clocks are in state.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import Floats, Ints


@dataclass(frozen=True, slots=True)
class Rotation:
    """How each radar turns, as known so far. Arrays of length S."""

    turn_s: Floats               # NaN unknown
    clock_ns: Ints               # newest measured time seen from it
    north_ns: Ints               # last north mark
    azimuth_rad: Floats          # of the newest plot
    swept_rad: Floats            # decaying sums of turned angle and time between successive plots
    swept_s: Floats


@dataclass(frozen=True, slots=True)
class ClutterMap:
    """Plots of nobody of one radar, by cell: a fine slow map and a coarse fast one; and the amplitudes of clutter."""

    fine: npt.NDArray[np.float32]        # (rings, 128) decayed counts
    coarse: npt.NDArray[np.float32]      # (rings / 4, 32)
    fine_scans: float                    # decayed number of scans behind them
    coarse_scans: float
    amplitude: npt.NDArray[np.float32]   # decayed histogram, 1 dB bins from -20 dB


@dataclass(frozen=True, slots=True)
class ClutterMaps:
    """The maps of all sensors, row S of every array; see kernels_clutter. A sensor's rings beyond its own stay empty."""

    fine: npt.NDArray[np.float32]        # (S, rings, 128)
    coarse: npt.NDArray[np.float32]      # (S, rings / 4, 32)
    amplitude: npt.NDArray[np.float32]   # (S, 100)
    seen: npt.NDArray[np.uint8]          # (S, rings, 128) cells with a plot in this scan
    floats: Floats                       # (S, 2) scans behind the fine and the coarse map
    ints: Ints                           # (S, 2) rings, end of this scan in ns

    def __len__(self) -> int:
        return len(self.ints)


def empty_rotation(sensors: int) -> Rotation:
    """Return a `Rotation` that knows nothing."""
    zero, ints = np.zeros(sensors), np.zeros(sensors, np.int64)
    return Rotation(np.full(sensors, np.nan), ints - (1 << 62), ints - (1 << 62), np.full(sensors, np.nan), zero, zero)


def empty_maps(rings: int) -> ClutterMaps:
    """Return `ClutterMaps` of no sensor."""
    return ClutterMaps(np.zeros((0, rings, 128), np.float32), np.zeros((0, rings // 4, 32), np.float32),
                       np.zeros((0, 100), np.float32), np.zeros((0, rings, 128), np.uint8), np.zeros((0, 2)),
                       np.zeros((0, 2), np.int64))

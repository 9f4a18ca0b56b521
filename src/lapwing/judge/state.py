"""The judge's memory: the border clock's rows, and of each live track what the verdict and the traffic rule need."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lapwing.judge.clock import Clock
from lapwing.judge.path import Path
from lapwing.judge.safety_net import NetState
from lapwing.model.times import NS_PER_S
from lapwing.model.verdicts import NeighbourState

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER_NS = -(2**62)

# Columns of History.rows
COLUMNS = ("seconds", "latitude_rad", "longitude_rad", "distance_m", "random_m_sigma", "bias_first_m", "bias_second_m",
           "line_m_sigma", "bound_95_m", "undecided", "measured")
_ROW = struct.Struct(f"={len(COLUMNS)}d")
_FRESH_MAX = 32           # rows gathered before they are put into the array
_NEAR_M = 3_000.0         # rows nearer to the line than this are never thinned out


@dataclass(frozen=True, slots=True)
class History:
    """Rows of one live track's path; seconds since `first_ns`. Bounded: older rows far from the line are thinned."""

    first_ns: int
    rows: Floats = field(default_factory=lambda: np.zeros((0, len(COLUMNS))))
    fresh: bytes = b""      # newest rows as octets: a checkpoint of thousands of tracks has no time for a million numbers

    def with_row(self, row: tuple[float, ...], rows_max: int) -> History:
        """Return the history with a row added."""
        fresh = self.fresh + _ROW.pack(*row)
        if len(fresh) < _FRESH_MAX * _ROW.size:
            return History(self.first_ns, self.rows, fresh)
        rows = np.concatenate([self.rows, _unpacked(fresh)])
        if len(rows) > rows_max:
            keep = np.ones(len(rows), np.bool_)
            keep[1 : len(rows) // 2 : 2] = False
            keep |= np.abs(rows[:, 3]) < _NEAR_M
            # A track that hugs the line for long keeps its newest rows near the line, not all of them.
            rows = rows[keep] if np.count_nonzero(keep) <= rows_max else rows[-(rows_max // 2):]
        return History(self.first_ns, rows)

    def path(self) -> Path | None:
        """Return the rows as a path, None where there is none yet."""
        rows = np.concatenate([self.rows, _unpacked(self.fresh)]) if self.fresh else self.rows
        if not len(rows):
            return None
        return Path(
            time_ns=self.first_ns + np.rint(rows[:, 0] * NS_PER_S).astype(np.int64), latitude_rad=rows[:, 1],
            longitude_rad=rows[:, 2], distance_m=rows[:, 3], random_m_sigma=rows[:, 4], bias_m=rows[:, 5:7],
            line_m_sigma=rows[:, 7], bound_95_m=rows[:, 8], undecided=rows[:, 9] > 0.5, measured=rows[:, 10] > 0.5,
            shared=np.zeros(len(rows), np.bool_))


def _unpacked(fresh: bytes) -> Floats:
    return np.frombuffer(fresh, np.float64).reshape(-1, len(COLUMNS))


@dataclass(frozen=True, slots=True)
class Said:
    """What was last handed on about a live track."""

    verdict: str = ""
    closest_m: float = 0.0
    entry_count: int = 0
    exit_count: int = 0
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """One live track."""

    history: History
    first_border_m: float            # where it was first seen
    speed_mps_max: float = 0.0       # greatest speed that it surely had
    held_reason: str = ""            # bird, weather or surface, without a break since `held_ns`
    held_ns: int = 0
    traffic_reason: str = ""         # in force now; "" judged
    touched_ns: int = 0              # newest row of the history
    judged_ns: int = 0               # last verdict worked out
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class Abroad:
    """One live track and one neighbour that it came near."""

    history: History
    now: NeighbourState
    judged_ns: int = 0
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class Roll:
    """Of the rows of the last step, what the memories say, as columns: thousands are not asked one by one, ten times a second."""

    track_id: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()                                                     # Memory.traffic_reason
    traffic: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))             # whether there is one
    touched_ns: Ints = field(default_factory=lambda: np.zeros(0, np.int64))           # NEVER_NS: new


@dataclass(frozen=True, slots=True)
class State:
    """The memory of the stage."""

    clock: Clock = field(default_factory=Clock)
    memory: dict[str, Memory] = field(default_factory=dict)
    net: NetState = field(default_factory=NetState)
    roll: Roll = field(default_factory=Roll)
    neighbours: dict[str, Abroad] = field(default_factory=dict)     # neighbour's code, a blank and the track

"""Tracks: our belief about one object over time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.model.errors import Refusal
from lapwing.model.plots import Bools, Floats, Ints

# Columns of Tracks.class_prob. `drone` is owa_uav_piston, jet_uav, smuggling and quadcopter types together.
CLASSES = ("drone", "decoy", "balloon", "bird", "helicopter", "light_aircraft", "airliner", "fast_jet", "weather",
           "surface")

# Tracks.affiliation. Nobody is ever declared hostile: there is no such value.
AFFILIATIONS = ("unknown", "neutral", "assumed_friend", "friend")

# Trajectory.association_prob of a plot that serves another track: two objects may have been seen as one, or one is gone.
SHARED_PROB = 0.5


@dataclass(frozen=True, slots=True)
class Tracks:
    """All live tracks at one moment, one row each, in order of track number. Every array has length n.

    States hold at `time_ns` (each track predicted to the same moment). Frame of vectors: east, north at the track.
    """

    track_id: tuple[str, ...]                    # "20250805-0007": day of birth and number, never reused
    time_ns: Ints                                # time of applicability of the row
    born_ns: Ints                                # its first plot
    last_plot_ns: Ints                           # measured time of the newest plot used
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats                             # above the ellipsoid; NaN unknown
    height_m_sigma: Floats
    velocity_mps: Floats                         # (n, 2) east, north
    state_cov: Floats                            # (n, 4, 4) of (east m, north m, v_east, v_north), registration excluded
    bias_cov_m2: Floats                          # (n, 2, 2) registration part of the position error: does not average out
    turn_rate_radps: Floats                      # clockwise positive, estimate; 0 where unknown
    existence_prob: Floats
    confirmed: Bools
    coasting: Bools                              # no plot within the last two expected looks
    updated: Bools                               # got a plot in this step
    class_prob: Floats                           # (n, len(CLASSES)), rows sum to 1
    affiliation: npt.NDArray[np.uint8]           # index of AFFILIATIONS
    cooperative: Bools                           # consistent transponder or ADS-B identity
    mode3a: npt.NDArray[np.int32]
    icao_address: npt.NDArray[np.int32]
    callsign: npt.NDArray[np.bytes_]
    plot_count: Ints
    sensor_count: Ints                           # different sensors that ever contributed
    sensors_mask: npt.NDArray[np.uint64]         # bit i: sensor row i contributed (rows beyond 63 share bit 63)

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: npt.NDArray[np.intp]) -> Tracks:
        """Return the chosen rows, in that order."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {k: v[rows] for k, v in values.items() if k != "track_id"}
        return Tracks(track_id=tuple(self.track_id[i] for i in rows), **taken)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One track's whole life, smoothed: the best estimate after the event. Rows in time order.

    `measured` rows stand at plots; the others bridge gaps (at most every 5 s) and end with the coasted part.
    """

    track_id: str
    time_ns: Ints                                # (m,)
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats
    velocity_mps: Floats                         # (m, 2)
    position_cov_m2: Floats                      # (m, 2, 2) random part
    bias_cov_m2: Floats                          # (m, 2, 2) registration part, common to the whole trajectory
    measured: Bools                              # (m,)
    sensor_index: npt.NDArray[np.uint16]         # (m,) sensor of the plot; 65535 where not measured
    entry_sequence: Ints                         # (m,) journal entry of the plot; -1
    residual_m: Floats                           # (m,) distance plot to smoothed position; NaN where not measured
    association_prob: Floats                     # (m,) P(the plot was this object's), or SHARED_PROB; NaN where not measured

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """What one step of the tracker hands on."""

    tracks: Tracks                               # all live tracks, tentative ones too
    ended: tuple[Trajectory, ...] = ()           # confirmed tracks dropped in this step
    ended_rows: Tracks | None = None             # their last rows, same order as `ended`; None where none ended
    notes: tuple[Refusal, ...] = ()              # of sensors whose clocks were found wrong, right again, or to have jumped

"""The tracker's memory: one value, a frozen dataclass of arrays, checkpointable as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane
from lapwing.model.plots import Floats, Ints
from lapwing.model.tracks import CLASSES
from lapwing.track.settings import Settings

FREE, SEED, TENTATIVE, CONFIRMED = 0, 1, 2, 3
NEVER_NS = -(1 << 62)
STATISTICS = 14         # columns of Slots.statistics, see classify.py


@dataclass(frozen=True, slots=True)
class Slots:
    """Tracks and seeds, one row each; `status` 0 marks a free row. Vectors on the plane. M modes, S sensors."""

    status: npt.NDArray[np.int8]         # FREE | SEED | TENTATIVE | CONFIRMED
    uid: Ints                            # never reused
    number: Ints                         # order of becoming a track; -1 for seeds
    time_ns: Ints                        # of the state
    born_ns: Ints
    last_plot_ns: Ints                   # newest measured time used
    sure_ns: Ints                        # newest measured time of a plot that was surely this object's
    x: Floats                            # (n, M, 4) mixed modes
    cov: Floats                          # (n, M, 4, 4)
    mode_prob: Floats                    # (n, M)
    mean: Floats                         # (n, 4)
    mean_cov: Floats                     # (n, 4, 4)
    log_odds: Floats                     # of existence
    birth_log_odds: Floats
    hits: Ints
    last_sensor: Ints
    sensors_mask: npt.NDArray[np.uint64]
    detect: Floats                       # (n, S, 2) Beta parameters: found, missed
    look_ns: Ints                        # (n, S) last look counted
    hit_ns: Ints                         # (n, S) last plot
    height_m: Floats                     # NaN unknown
    height_var_m2: Floats
    height_ns: Ints
    mode3a: npt.NDArray[np.int32]
    icao: npt.NDArray[np.int32]
    callsign: npt.NDArray[np.bytes_]
    identified: Ints                     # plots that carried its identity
    affiliation: npt.NDArray[np.int8]    # set by a person; -1 not
    statistics: Floats                   # (n, STATISTICS)
    class_prob: Floats                   # (n, classes)

    def __len__(self) -> int:
        return len(self.status)


def empty_slots(capacity: int, modes: int, sensors: int) -> Slots:
    """Return `capacity` free rows."""
    n, ints = capacity, np.zeros(capacity, np.int64)
    return Slots(
        status=np.zeros(n, np.int8), uid=ints.copy(), number=ints - 1, time_ns=ints.copy(), born_ns=ints.copy(),
        last_plot_ns=ints.copy(), sure_ns=ints.copy(), x=np.zeros((n, modes, 4)), cov=np.zeros((n, modes, 4, 4)),
        mode_prob=np.zeros((n, modes)), mean=np.zeros((n, 4)), mean_cov=np.zeros((n, 4, 4)), log_odds=np.zeros(n),
        birth_log_odds=np.zeros(n), hits=ints.copy(), last_sensor=ints - 1, sensors_mask=np.zeros(n, np.uint64),
        detect=np.ones((n, sensors, 2)), look_ns=np.zeros((n, sensors), np.int64),
        hit_ns=np.full((n, sensors), NEVER_NS, np.int64), height_m=np.full(n, np.nan), height_var_m2=np.full(n, np.nan),
        height_ns=ints.copy(), mode3a=np.full(n, -1, np.int32), icao=np.full(n, -1, np.int32),
        callsign=np.zeros(n, "S8"), identified=ints.copy(), affiliation=np.full(n, -1, np.int8),
        statistics=np.zeros((n, STATISTICS)), class_prob=np.full((n, len(CLASSES)), 1.0 / len(CLASSES)),
    )


def sized(slots: Slots, free: int, sensors: int, slots_max: int, settings: Settings) -> Slots:
    """Return a copy that belongs to this step, with `free` free rows or more (up to the bound), `sensors` columns."""
    have = len(slots)
    used = int(np.count_nonzero(slots.status))
    capacity = have
    while capacity - used < free and capacity < slots_max:
        capacity = min(max(64, 2 * capacity), slots_max)
    blank = empty_slots(capacity - have, slots.x.shape[1], sensors)
    grown = {}
    for f in fields(Slots):
        old, new = getattr(slots, f.name), getattr(blank, f.name)
        if f.name in ("detect", "look_ns", "hit_ns") and old.shape[1] < sensors:
            wide = np.empty((have, sensors, *old.shape[2:]), old.dtype)
            wide[:, : old.shape[1]] = old
            fresh = wide[:, old.shape[1]:]
            if f.name == "detect":
                fresh[:] = settings.detect_other
            else:
                fresh[:] = slots.last_plot_ns[:, None] if f.name == "look_ns" else NEVER_NS
            old = wide
        grown[f.name] = np.concatenate((old, new)) if len(new) else old.copy()
    return Slots(**grown)


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

    fine: npt.NDArray[np.float32]        # (ranges, azimuths) decayed counts
    coarse: npt.NDArray[np.float32]
    fine_scans: float                    # decayed number of scans behind them
    coarse_scans: float
    scan_end_ns: int                     # when the next scan is counted
    amplitude: npt.NDArray[np.float32]   # decayed histogram, 1 dB bins from -20 dB
    seen: npt.NDArray[np.bool_]          # (ranges, azimuths) cells with a plot in this scan


@dataclass(frozen=True, slots=True)
class Registration:
    """Range and azimuth bias of every sensor: (range m, azimuth rad) interleaved, length 2 S. Measured minus true."""

    mean: Floats
    cov: Floats
    applied: Floats                      # what is being taken off now: follows `mean` on a ramp
    pairs: Ints                          # (S,) pairs used
    time_ns: int
    recent: dict[int, dict[int, tuple[float, ...]]]   # identity -> sensor -> (time s, east, north, ee, en, nn, used s)


def empty_registration() -> Registration:
    """Return a `Registration` of no sensors."""
    return Registration(np.zeros(0), np.zeros((0, 0)), np.zeros(0), np.zeros(0, np.int64), 0, {})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Filter history of one track: rows of the log, see kernels_update.commit."""

    floats: Floats                       # (n, 31): before x4 P10, after x4 P10, plot east, north, weight
    ints: Ints                           # (n, 5): uid, time_ns, plot_ns, sensor, entry sequence


@dataclass(frozen=True, slots=True)
class Heard:
    """What persons said about affiliations: by track id, 24-bit address or Mode 3/A."""

    by_track: dict[str, str] = field(default_factory=dict)
    by_icao: dict[int, str] = field(default_factory=dict)
    by_mode3a: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Everything the tracker remembers. `State()` is the empty one."""

    slots: Slots = field(default_factory=lambda: empty_slots(0, len(Settings().mode_turn_radps), 0))
    plane: Plane | None = None
    rotation: Rotation = field(default_factory=lambda: empty_rotation(0))
    clutter: tuple[ClutterMap, ...] = ()
    registration: Registration = field(default_factory=empty_registration)
    sites: Floats = field(default_factory=lambda: np.zeros((0, 2)))    # (S, 2) sensors on the plane
    site_scale: Floats = field(default_factory=lambda: np.zeros(0))    # (S,) of the plane there
    young: Chunk = field(default_factory=lambda: Chunk(np.zeros((0, 31)), np.zeros((0, 5), np.int64)))
    young_rows_max: int = 2048           # the young log is settled when it has this many rows
    archive: dict[int, tuple[Chunk, ...]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)                  # uid -> track id
    day_counts: dict[str, int] = field(default_factory=dict)           # numbers given, by day
    next_uid: int = 1
    next_number: int = 1
    heard: Heard = field(default_factory=Heard)
    merged_ns: int = 0
    now_ns: int = 0
    shed_count: int = 0                                                # seeds shed or refused at the bound


def empty_rotation(sensors: int) -> Rotation:
    """Return a `Rotation` that knows nothing."""
    zero, ints = np.zeros(sensors), np.zeros(sensors, np.int64)
    return Rotation(np.full(sensors, np.nan), ints - (1 << 62), ints - (1 << 62), np.full(sensors, np.nan), zero, zero)


def freed(slots: Slots, rows: npt.NDArray[np.intp]) -> None:
    """Free rows of this step's own copy. Identity and statistics are wiped, so the next owner starts clean."""
    slots.status[rows] = FREE
    slots.number[rows] = -1
    slots.hits[rows] = 0
    slots.height_m[rows] = np.nan
    slots.height_var_m2[rows] = np.nan
    slots.mode3a[rows] = -1
    slots.icao[rows] = -1
    slots.callsign[rows] = b""
    slots.identified[rows] = 0
    slots.affiliation[rows] = -1
    slots.statistics[rows] = 0.0
    slots.class_prob[rows] = 1.0 / slots.class_prob.shape[1]


__all__ = ["CONFIRMED", "FREE", "NEVER_NS", "SEED", "TENTATIVE", "Chunk", "ClutterMap", "Heard", "Registration",
           "Rotation", "Slots", "State", "empty_registration", "empty_rotation", "empty_slots", "freed", "replace",
           "sized"]

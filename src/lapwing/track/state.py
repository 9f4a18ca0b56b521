"""The tracker's memory: one value, a frozen dataclass of arrays, checkpointable as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane
from lapwing.model.plots import Floats, Ints
from lapwing.track import columns as at
from lapwing.track.columns import CONFIRMED, FREE, NEVER_NS, SEED, TENTATIVE
from lapwing.track.learned import ClutterMaps, Rotation, empty_maps, empty_rotation
from lapwing.track.settings import Settings

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Slots:
    """Tracks, and seeds of two plots and more, one row each; `status` FREE marks a free row. Vectors on the plane.

    The properties are views: writing into them writes the row. Columns: columns.py.
    """

    floats: Floats                       # (n, SLOT_FLOATS)
    ints: Ints                           # (n, SLOT_INTS)
    detect: Floats                       # (n, S, 2) Beta parameters: found, missed
    looks: Ints                          # (n, S, 2) ns: last look counted, last plot

    def __len__(self) -> int:
        return len(self.ints)

    @property
    def status(self) -> Ints:
        """FREE, SEED, TENTATIVE, CONFIRMED."""
        return self.ints[:, at.STATUS]

    @property
    def uid(self) -> Ints:
        """Never reused."""
        return self.ints[:, at.UID]

    @property
    def number(self) -> Ints:
        """Order of becoming a track; -1 for seeds."""
        return self.ints[:, at.NUMBER]

    @property
    def time_ns(self) -> Ints:
        """Of the state."""
        return self.ints[:, at.TIME]

    @property
    def born_ns(self) -> Ints:
        """Its first plot."""
        return self.ints[:, at.BORN]

    @property
    def last_plot_ns(self) -> Ints:
        """Newest measured time used."""
        return self.ints[:, at.LAST_PLOT]

    @property
    def sure_ns(self) -> Ints:
        """Newest measured time of a plot that was surely this object's."""
        return self.ints[:, at.SURE]

    @property
    def hits(self) -> Ints:
        """Plots used."""
        return self.ints[:, at.HITS]

    @property
    def last_sensor(self) -> Ints:
        """Sensor of the newest plot."""
        return self.ints[:, at.LAST_SENSOR]

    @property
    def sensors_mask(self) -> npt.NDArray[np.uint64]:
        """Bit i: sensor i contributed."""
        return self.ints.view(np.uint64)[:, at.MASK]

    @property
    def height_ns(self) -> Ints:
        """When the height was last told."""
        return self.ints[:, at.HEIGHT_TIME]

    @property
    def mode3a(self) -> Ints:
        """-1 none."""
        return self.ints[:, at.MODE3A]

    @property
    def icao(self) -> Ints:
        """-1 none."""
        return self.ints[:, at.ICAO]

    @property
    def callsign(self) -> npt.NDArray[np.bytes_]:
        """Eight octets, empty where not known."""
        return self.ints.view("S8")[:, at.CALLSIGN]

    @property
    def identified(self) -> Ints:
        """Plots that carried its identity."""
        return self.ints[:, at.IDENTIFIED]

    @property
    def x(self) -> Floats:
        """(n, MODES, 4), mixed for the next prediction."""
        return self.floats[:, at.X : at.COV].reshape(-1, at.MODES, 4)

    @property
    def cov(self) -> Floats:
        """(n, MODES, 4, 4)."""
        return self.floats[:, at.COV : at.LIFT].reshape(-1, at.MODES, 4, 4)

    @property
    def lift(self) -> Floats:
        """(n, MODES, 6): mean and variance of the lift (kernels_lift), covariance with the four of x."""
        return self.floats[:, at.LIFT : at.MODE].reshape(-1, at.MODES, at.LIFT_FLOATS)

    @property
    def mode_prob(self) -> Floats:
        """(n, MODES)."""
        return self.floats[:, at.MODE : at.MEAN]

    @property
    def mean(self) -> Floats:
        """(n, 4)."""
        return self.floats[:, at.MEAN : at.MEAN_COV]

    @property
    def mean_cov(self) -> Floats:
        """(n, 4, 4)."""
        return self.floats[:, at.MEAN_COV : at.LOG_ODDS].reshape(-1, 4, 4)

    @property
    def log_odds(self) -> Floats:
        """Of existence."""
        return self.floats[:, at.LOG_ODDS]

    @property
    def birth_log_odds(self) -> Floats:
        """Of existence, when it began."""
        return self.floats[:, at.BIRTH]

    @property
    def height_m(self) -> Floats:
        """NaN unknown."""
        return self.floats[:, at.HEIGHT]

    @property
    def height_var_m2(self) -> Floats:
        """Of the height, when it was last told."""
        return self.floats[:, at.HEIGHT_VAR]

    @property
    def statistics(self) -> Floats:
        """(n, STATISTICS_COUNT), see classify."""
        return self.floats[:, at.STATISTICS : at.CLASS]

    @property
    def class_prob(self) -> Floats:
        """(n, CLASS_COUNT)."""
        return self.floats[:, at.CLASS : at.OWN_FINE]

    @property
    def look_ns(self) -> Ints:
        """(n, S) last look counted."""
        return self.looks[:, :, at.LOOK]

    @property
    def hit_ns(self) -> Ints:
        """(n, S) last plot."""
        return self.looks[:, :, at.HIT]


@dataclass(frozen=True, slots=True)
class Seeds:
    """Plots that no track explained: each may be the first of an object. A second plot makes a slot of it.

    Clutter makes a hundred seeds for every track, so they are kept apart and small.
    """

    floats: Floats                       # (n, SEED_FLOATS)
    ints: Ints                           # (n, SEED_INTS)
    detect: Floats                       # (n, S, 2)
    looks: Ints                          # (n, S) ns: last look counted

    def __len__(self) -> int:
        return len(self.ints)


def empty_slots(capacity: int, sensors: int) -> Slots:
    """Return `capacity` free rows."""
    return Slots(np.zeros((capacity, at.SLOT_FLOATS)), np.zeros((capacity, at.SLOT_INTS), np.int64),
                 np.ones((capacity, sensors, 2)), np.zeros((capacity, sensors, 2), np.int64))


def empty_seeds(capacity: int, sensors: int) -> Seeds:
    """Return `capacity` free rows."""
    return Seeds(np.zeros((capacity, at.SEED_FLOATS)), np.zeros((capacity, at.SEED_INTS), np.int64),
                 np.ones((capacity, sensors, 2)), np.zeros((capacity, sensors), np.int64))


def sized_slots(slots: Slots, free: int, sensors: int, slots_max: int, settings: Settings) -> Slots:
    """Return a copy that belongs to this step, with `free` free rows or more (up to the bound), `sensors` columns."""
    capacity = _capacity(len(slots), int(np.count_nonzero(slots.status)), free, slots_max)
    if len(slots) == capacity and slots.detect.shape[1] == sensors:
        return Slots(slots.floats.copy(), slots.ints.copy(), slots.detect.copy(), slots.looks.copy())
    new = empty_slots(capacity, sensors)
    have, known = slots.detect.shape[:2]
    new.floats[:have], new.ints[:have] = slots.floats, slots.ints
    new.detect[:have, :known], new.looks[:have, :known] = slots.detect, slots.looks
    new.detect[:have, known:] = settings.detect_other
    new.looks[:have, known:, at.LOOK] = slots.last_plot_ns[:, None]
    new.looks[:have, known:, at.HIT] = NEVER_NS
    return new


def sized_seeds(seeds: Seeds, free: int, sensors: int, seeds_max: int, settings: Settings) -> tuple[Seeds, int]:
    """Return (a copy that belongs to this step, how many seeds were shed). At the bound the least likely are shed."""
    used = np.flatnonzero(seeds.ints[:, at.SEED_USED])
    shed = max(0, len(used) + min(free, seeds_max) - seeds_max)
    capacity = _capacity(len(seeds), len(used) - shed, free, seeds_max)
    have, known = seeds.detect.shape[:2]
    if (have, known) == (capacity, sensors):
        new = Seeds(seeds.floats.copy(), seeds.ints.copy(), seeds.detect.copy(), seeds.looks.copy())
    else:
        new = empty_seeds(capacity, sensors)
        new.floats[:have], new.ints[:have] = seeds.floats, seeds.ints
        new.detect[:have, :known], new.looks[:have, :known] = seeds.detect, seeds.looks
        new.detect[:have, known:] = settings.detect_other
        new.looks[:have, known:] = seeds.ints[:, at.SEED_TIME, None]
    if shed:
        order = np.argsort(seeds.floats[used, at.SEED_LOG_ODDS], kind="stable")
        new.ints[used[order[:shed]], at.SEED_USED] = 0
    return new, shed


def _capacity(have: int, used: int, free: int, most: int) -> int:
    capacity = have
    while capacity - used < free and capacity < most:
        capacity = min(max(64, 2 * capacity), most)
    return capacity


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Which of our tracks a neighbour's tracks go on with, and who such neighbours are.

    Attributes
    ----------
    links : (sensor, track number there) -> (uid of ours, ns of the newest report, reports); oldest use first
    mask : bit i: sensor i sends tracks, and is no look of its own
    """

    links: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Registration:
    """Range and azimuth bias of every sensor: (range m, azimuth rad) interleaved, length 2 S. Measured minus true."""

    mean: Floats
    cov: Floats
    applied: Floats                      # what is being taken off now: follows `mean` on a ramp
    pairs: Ints                          # (S,) pairs used
    time_ns: int
    recent: dict[int, dict[int, tuple[float, ...]]]   # identity -> sensor -> (time s, east, north, ee, en, nn, used s)
    since_s: dict[int, float] = field(default_factory=dict)   # identity -> when it was taken up; keys and order as in `recent`
    paired_s: Floats = field(default_factory=lambda: np.zeros((0, 0)))   # (S, S) stamp of the newest pair of two sensors; -inf never


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock of every sensor, stamp less true time in seconds (timing.py). Arrays of length S."""

    mean: Floats = field(default_factory=lambda: np.zeros(0))          # (3 S) range m, azimuth rad, time s of each
    cov: Floats = field(default_factory=lambda: np.zeros((0, 0)))      # (3 S, 3 S)
    applied: Floats = field(default_factory=lambda: np.zeros(0))
    strange: Floats = field(default_factory=lambda: np.zeros(0))       # decayed mean of contradictions, in their sigmas
    pairs: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    sure: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))     # wrong beyond doubt: corrected
    jumped: tuple[int, ...] = ()         # in this step
    time_ns: int = 0


def empty_registration() -> Registration:
    """Return a `Registration` of no sensors."""
    return Registration(np.zeros(0), np.zeros((0, 0)), np.zeros(0), np.zeros(0, np.int64), 0, {})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Filter history: rows of the log, see columns.py."""

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

    slots: Slots = field(default_factory=lambda: empty_slots(0, 0))
    seeds: Seeds = field(default_factory=lambda: empty_seeds(0, 0))
    plane: Plane | None = None
    rotation: Rotation = field(default_factory=lambda: empty_rotation(0))
    clutter: ClutterMaps = field(default_factory=lambda: empty_maps(0))
    registration: Registration = field(default_factory=empty_registration)
    sites: Floats = field(default_factory=lambda: np.zeros((0, 2)))    # (S, 2) sensors on the plane
    site_scale: Floats = field(default_factory=lambda: np.zeros(0))    # (S,) of the plane there
    young: tuple[Chunk, ...] = ()                                      # newest history of all, one chunk a step
    young_rows: int = 0
    young_rows_max: int = 2048           # the young log is settled when it has this many rows
    young_part: int = 0                  # which part of the tracks is next
    archive: dict[int, tuple[Chunk, ...]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)                  # uid -> track id
    day_counts: dict[str, int] = field(default_factory=dict)           # numbers given, by day
    next_uid: int = 1
    next_number: int = 1
    heard: Heard = field(default_factory=Heard)
    neighbours: Neighbours = field(default_factory=Neighbours)
    timing: Timing = field(default_factory=Timing)
    merged_ns: int = 0
    now_ns: int = 0
    shed_count: int = 0                                                # seeds shed or refused at the bound


def fits(state: State) -> bool:
    """Return whether a restored state has the columns of this version: the kernels read by column and check nothing."""
    return (state.slots.floats.shape[1:] == (at.SLOT_FLOATS,) and state.slots.ints.shape[1:] == (at.SLOT_INTS,)
            and state.seeds.floats.shape[1:] == (at.SEED_FLOATS,) and state.seeds.ints.shape[1:] == (at.SEED_INTS,)
            and all(chunk.floats.shape[1] == at.LOG_FLOATS for chunks in (state.young, *state.archive.values()) for chunk in chunks))


def constants(settings: Settings) -> tuple[Floats, Floats]:
    """Return (model, rules) as the kernels take them."""
    model = np.array((settings.mode_turn_radps, settings.mode_noise_m2ps3, settings.mode_dwell_s, settings.mode_rest_prob))
    assert model.shape == (4, at.MODES), "the kernels are written for so many modes"
    rules = np.array((
        settings.newcomers_per_m2, settings.clutter_per_m2_min, settings.false_reply_per_m2, settings.log_odds_max,
        settings.proven_log_odds_max, settings.speed_mps_sigma, *settings.detect_own, *settings.detect_other,
        max(abs(t) for t in settings.mode_turn_radps), max(settings.mode_noise_m2ps3)))
    return model, rules


def freed(slots: Slots, rows: Rows) -> None:
    """Free rows of this step's own copy. Whoever takes a row writes all of it."""
    slots.status[rows] = FREE
    slots.number[rows] = -1


__all__ = ["CONFIRMED", "FREE", "NEVER_NS", "SEED", "TENTATIVE", "Chunk", "Heard", "Neighbours", "Registration", "Seeds", "Slots",
           "State", "Timing", "constants", "empty_registration", "empty_seeds", "empty_slots", "freed", "replace", "sized_seeds",
           "sized_slots"]

"""A rotating radar: when its beam meets each object, what it then reports, and what else it reports that is nothing."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import geodetic_to_polar
from lapwing.model.errors import ConfigError
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR, NO_CODE
from lapwing.sim import clutter as clutter_sources
from lapwing.sim.clutter import Clutter
from lapwing.sim.detection import THRESHOLD, filter_share, hidden, mean_snr, range_for, sheet_prob, swerling_prob
from lapwing.sim.motion import Motion, in_gap_prob

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SECTORS = 32  # of a turn: plots are sent a sector at a time
RANGE_STEP_M = 1852.0 / 256.0  # I048/040 RHO
AZIMUTH_STEPS = 65_536  # I048/040 THETA
TIME_STEPS = 128  # a second, I048/140
SECONDARY_PROB = 0.97  # sensors.yaml ssr_mode_s
FEET_M = 0.3048


@dataclass(frozen=True, slots=True)
class Radar:
    """A radar as the simulator plays it."""

    id: str
    latitude_rad: float
    longitude_rad: float
    height_m: float  # of the aerial, above the ellipsoid
    antenna_m_amsl: float
    rotation_s: float
    range_m_sigma: float  # of a primary plot; plots with a transponder's answer have half of both
    azimuth_rad_sigma: float
    small_range_m: float  # 0.1 m2 seen half the time; NaN: out of use
    instrumented_m: float
    detection_prob: float = 0.9  # near, sheet law
    swerling: bool = False  # the other law: Swerling 1 and the fourth power of range
    radial_mps_min: float = 0.0
    secondary: bool = False
    clutter: tuple[Clutter, ...] = ()
    latency_s: float = 0.3
    jitter_s: float = 0.1
    late_share: float = 0.0  # sectors that come 3-8 s late
    range_m_bias: float = 0.0
    azimuth_rad_bias: float = 0.0
    mask_rad: Floats | None = None
    merge_m: float = 160.0  # two echoes nearer than this and `merge_rad` in one turn become one
    merge_rad: float = float(np.radians(1.4))
    level_offset: float = 0.0  # flight level = height above sea level in hundreds of feet + this
    seen_share: float = 1.0  # of the echoes it would give of objects, drawn anew each turn: under 1 a poorer radar

    @property
    def turns_per_s(self) -> float:
        """How often it looks."""
        return 1.0 / self.rotation_s


@dataclass(frozen=True, slots=True)
class RadarPlots:
    """What one radar reported, in the units of its messages. Columns, in order of time."""

    measured_128: Ints  # UTC since 1970 in 1/128 s
    sector: Ints  # number of the sector since the run began; its end is when it is sent
    range_steps: Ints  # of 1/256 NM
    azimuth_steps: Ints  # of 360/65536 degrees
    kind: npt.NDArray[np.uint8]  # KIND_PSR, KIND_SSR, KIND_COMBINED
    amplitude_db: Floats  # power over noise; NaN without a primary echo
    mode3a: Ints  # NO_CODE
    level_steps: Ints  # of 1/4 flight level; 0 where there is no transponder
    icao_address: Ints  # NO_CODE
    motion: Ints  # row of the motions; -1 clutter
    truth_id: Ints  # 0 clutter

    def __len__(self) -> int:
        return len(self.measured_128)

    def take(self, rows: npt.NDArray[np.intp]) -> RadarPlots:
        """Return the chosen rows."""
        return RadarPlots(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the random numbers that belong to a seed and names: the same on every machine, in any order of calls."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that numbers cannot be drawn from."""
    if seed < 0:
        raise ConfigError(f"seed {seed}: must not be negative", where="--seed", remedy="any whole number from 0")


def phase_s(radar: Radar, seed: int) -> float:
    """Return when the beam first points north."""
    return float(generator(seed, radar.id, "phase").uniform(0.0, radar.rotation_s))


def sector_end_s(radar: Radar, seed: int, sector: Ints) -> Floats:
    """Return when the beam leaves a sector; sector 0 starts at the first north mark, earlier ones are negative."""
    return np.asarray(phase_s(radar, seed) + (sector + 1) * (radar.rotation_s / SECTORS), np.float64)


def sector_received_s(radar: Radar, seed: int, sector_first: int, sector_last: int) -> Floats:
    """Return when the message of each sector in [first, last] arrives: its end and the latency, now and then much more."""
    sectors = np.arange(sector_first, sector_last + 1)
    rng = generator(seed, radar.id, "link")
    wait_s = radar.latency_s + rng.uniform(0.0, radar.jitter_s, len(sectors))
    late = rng.random(len(sectors)) < radar.late_share
    wait_s = wait_s + np.where(late, rng.uniform(3.0, 8.0, len(sectors)), 0.0)
    return sector_end_s(radar, seed, sectors) + wait_s


def crossings(radar: Radar, motion: Motion, span_s: float, phase: float) -> tuple[Ints, Floats, Floats, Floats]:
    """Return turn, time_s, slant range_m and azimuth_rad of each time that the beam meets a moving object."""
    first_s, last_s = max(float(motion.time_s[0]), 0.0), min(float(motion.time_s[-1]), span_s)
    none = np.zeros(0)
    if last_s <= first_s:
        return np.zeros(0, np.int64), none, none, none
    turn = np.arange(
        np.floor((first_s - phase) / radar.rotation_s) - 1, np.ceil((last_s - phase) / radar.rotation_s) + 1
    )
    time_s = phase + (turn + 0.5) * radar.rotation_s
    for _ in range(5):  # an object's azimuth moves far slower than the beam: each round gains two digits or more
        range_m, azimuth, _ = _seen(radar, motion, np.clip(time_s, first_s, last_s))
        step_s = phase + (turn + azimuth / (2.0 * np.pi)) * radar.rotation_s - time_s
        time_s = time_s + step_s
    good = (np.abs(step_s) < 1e-3) & (time_s >= first_s) & (time_s <= last_s)
    return turn[good].astype(np.int64), time_s[good], range_m[good], azimuth[good]


def _seen(radar: Radar, motion: Motion, time_s: Floats) -> tuple[Floats, Floats, Floats]:
    """Return slant range, azimuth and height of an object at times."""
    lat, lon, height = motion.at(time_s)
    range_m, azimuth, _ = geodetic_to_polar(radar.latitude_rad, radar.longitude_rad, radar.height_m, lat, lon, height)
    return range_m, azimuth, height


def detection_probs(radar: Radar, motion: Motion, time_s: Floats) -> tuple[Floats, Floats]:
    """Return the chance that a look at each time gives a primary echo, and a transponder's answer."""
    range_m, azimuth, height = _seen(radar, motion, time_s)
    altitude_m = height - motion.undulation_m
    blocked = hidden(range_m, azimuth, radar.antenna_m_amsl, altitude_m, radar.mask_rad) | (
        range_m > radar.instrumented_m
    )
    second = np.where(blocked | (not radar.secondary) | (motion.identity is None), 0.0, SECONDARY_PROB)
    if not np.isfinite(radar.small_range_m):
        return np.zeros(len(time_s)), second
    half_m = range_for(radar.small_range_m, motion.kind.rcs_dbsm)
    prob = swerling_prob(range_m, half_m) if radar.swerling else sheet_prob(range_m, half_m, radar.detection_prob)
    before, after = np.maximum(time_s - 0.5, motion.time_s[0]), np.minimum(time_s + 0.5, motion.time_s[-1])
    radial_mps = (_seen(radar, motion, after)[0] - _seen(radar, motion, before)[0]) / np.maximum(after - before, 1e-6)
    prob = prob * filter_share(radial_mps, radar.radial_mps_min) * ~blocked * radar.seen_share
    return np.minimum(prob, in_gap_prob(motion, time_s)), second * (in_gap_prob(motion, time_s) > 0.0)


def scan(radar: Radar, motions: Sequence[Motion], start_ns: int, span_s: float, seed: int) -> RadarPlots:
    """Return every plot of a run, in order of time.

    Each object and each source of clutter has random numbers of its own: adding one changes nothing of the others.
    """
    phase = phase_s(radar, seed)
    echoes = [
        _echoes(radar, motion, row, span_s, phase, generator(seed, radar.id, "object", motion.name))
        for row, motion in enumerate(motions)
    ]
    echoes += [
        _nothing(radar, source, number, span_s, phase, generator(seed, radar.id, "clutter", str(number)))
        for number, source in enumerate(radar.clutter)
    ]
    table = {key: np.concatenate([e[key] for e in echoes]) if echoes else np.zeros(0) for key in _ECHO}
    _merge(table, radar)
    kept = np.logical_or(table["primary"], table["answer"])
    table = {key: values[kept] for key, values in table.items()}
    _measure(table, radar)
    return _report(table, radar, motions, start_ns, phase)


_ECHO = (
    "turn",
    "time_s",
    "range_m",
    "azimuth",
    "amplitude",
    "primary",
    "answer",
    "row",
    "level",
    "noise_range",
    "noise_azimuth",
)


def _echoes(
    radar: Radar, motion: Motion, row: int, span_s: float, phase: float, rng: np.random.Generator
) -> dict[str, Floats]:
    turn, time_s, range_m, azimuth = crossings(radar, motion, span_s, phase)
    first, second = detection_probs(radar, motion, time_s)
    snr = mean_snr(range_m, range_for(radar.small_range_m, motion.kind.rcs_dbsm))
    draws, noise = rng.random((2, len(time_s))), rng.standard_normal((2, len(time_s)))
    altitude_ft = (motion.at(time_s)[2] - motion.undulation_m) / FEET_M
    # Power over the threshold of a detected Swerling-1 echo is exponential again, with the mean of signal and noise.
    return {
        "turn": turn,
        "time_s": time_s,
        "range_m": range_m,
        "azimuth": azimuth,
        "amplitude": 10.0 * np.log10(THRESHOLD + rng.exponential(1.0, len(time_s)) * (1.0 + snr)),
        "primary": draws[0] < first,
        "answer": draws[1] < second,
        "row": np.full(len(time_s), row),
        "level": np.rint(4.0 * (altitude_ft / 100.0 + radar.level_offset)),
        "noise_range": noise[0],
        "noise_azimuth": noise[1],
    }


def _nothing(
    radar: Radar, source: Clutter, number: int, span_s: float, phase: float, rng: np.random.Generator
) -> dict[str, Floats]:
    turns = np.arange(-1, int(span_s / radar.rotation_s) + 1)
    start_s = np.asarray(phase + turns * radar.rotation_s, np.float64)
    index, range_m, azimuth, amplitude = clutter_sources.draw(source, start_s, radar.instrumented_m, rng)
    time_s = start_s[index] + azimuth / (2.0 * np.pi) * radar.rotation_s
    inside = (time_s >= 0.0) & (time_s <= span_s)
    n = int(inside.sum())
    return {
        "turn": turns[index][inside],
        "time_s": time_s[inside],
        "range_m": range_m[inside],
        "azimuth": azimuth[inside],
        "amplitude": amplitude[inside],
        "primary": np.ones(n, np.bool_),
        "answer": np.zeros(n, np.bool_),
        "row": np.full(n, -1),
        "level": np.zeros(n),
        # A source of clutter has its own spread: it is drawn where it is reported.
        "noise_range": np.zeros(n),
        "noise_azimuth": np.zeros(n),
    }


def _merge(table: dict[str, Floats], radar: Radar) -> None:
    """Turn two primary echoes of objects that the radar cannot resolve into one at their middle, in place."""
    found = np.flatnonzero((table["primary"] > 0) & (table["row"] >= 0))
    order = found[np.lexsort((table["range_m"][found], table["turn"][found]))]
    for lag in (1, 2, 3):
        for i, j in zip(*_close(table, order, lag, radar), strict=True):
            if table["primary"][i] and table["primary"][j]:
                if not table["answer"][i]:
                    for key in ("range_m", "azimuth"):
                        table[key][i] = 0.5 * (table[key][i] + table[key][j])
                table["primary"][j] = False


def _close(table: dict[str, Floats], order: Ints, lag: int, radar: Radar) -> tuple[list[int], list[int]]:
    one, two = order[:-lag], order[lag:]
    apart = np.abs((table["azimuth"][two] - table["azimuth"][one] + np.pi) % (2.0 * np.pi) - np.pi)
    near = (
        (table["turn"][one] == table["turn"][two])
        & (table["range_m"][two] - table["range_m"][one] < radar.merge_m)
        & (apart < radar.merge_rad)
    )
    return one[near].tolist(), two[near].tolist()


def _measure(table: dict[str, Floats], radar: Radar) -> None:
    """Add bias and noise, in place."""
    sigma = np.where(table["answer"], 0.5, 1.0)
    table["range_m"] = table["range_m"] + radar.range_m_bias + table["noise_range"] * sigma * radar.range_m_sigma
    table["azimuth"] = (
        table["azimuth"] + radar.azimuth_rad_bias + table["noise_azimuth"] * sigma * radar.azimuth_rad_sigma
    )


def _report(
    table: dict[str, Floats], radar: Radar, motions: Sequence[Motion], start_ns: int, phase: float
) -> RadarPlots:
    """Return the columns in the steps of the messages, in order of time."""
    answer, row = table["answer"].astype(np.bool_), table["row"].astype(np.int64)
    primary = table["primary"].astype(np.bool_)
    # Row -1 (clutter) takes the last entry.
    mode3a = np.array([m.identity.mode3a if m.identity else NO_CODE for m in motions] + [NO_CODE])
    address = np.array([m.identity.icao_address if m.identity else NO_CODE for m in motions] + [NO_CODE])
    truth_id = np.array([m.truth_id for m in motions] + [0])
    kind = np.where(answer, np.where(primary, KIND_COMBINED, KIND_SSR), KIND_PSR).astype(np.uint8)
    measured_ns = start_ns + np.round(table["time_s"] * 1e9).astype(np.int64)
    columns = RadarPlots(
        measured_128=_in_steps(measured_ns),
        sector=np.floor((table["time_s"] - phase) / (radar.rotation_s / SECTORS)).astype(np.int64),
        range_steps=np.clip(np.rint(table["range_m"] / RANGE_STEP_M), 0, 65_535).astype(np.int64),
        azimuth_steps=np.rint(table["azimuth"] / (2.0 * np.pi) * AZIMUTH_STEPS).astype(np.int64) % AZIMUTH_STEPS,
        kind=kind,
        amplitude_db=np.where(primary, table["amplitude"], np.nan),
        mode3a=np.where(answer, mode3a[row], NO_CODE),
        level_steps=np.where(answer, table["level"], 0).astype(np.int64),
        icao_address=np.where(answer, address[row], NO_CODE),
        motion=row,
        truth_id=truth_id[row],
    )
    return columns.take(np.lexsort((columns.range_steps, table["time_s"])))


def _in_steps(time_ns: Ints) -> Ints:
    """Return nanoseconds since 1970 in whole 1/128 s, rounded down: a plot is never stamped later than it was."""
    seconds, rest_ns = np.divmod(time_ns, 1_000_000_000)
    return seconds * TIME_STEPS + rest_ns * TIME_STEPS // 1_000_000_000

"""How good is a radar? Its plots against the same aircraft seen by something else, or against themselves.

With a reference (ADS-B, multilateration, another radar) each identified plot gets the range and azimuth at which it ought to
have been; the differences are fitted with a range bias, a range gain, an azimuth bias and a time bias, and what is left is
noise. Without one, noise is what neighbouring plots of one aircraft leave of a straight line; a bias cannot be seen then.

Fit: least squares on azimuth and range differences, each over its spread, repeated with those beyond 4 sigma left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import geodetic_to_polar
from lapwing.geo.wgs84 import MEAN_RADIUS_M
from lapwing.model.plots import KIND_PSR, NO_CODE, Plots
from lapwing.model.sensors import Sensor
from lapwing.model.times import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GAP_S_MAX = 15.0             # a reference is interpolated over no longer gap
PAIRS_MIN = 50               # fewer say nothing
ROUNDS, CUT_SIGMA = 6, 4.0
MAD_SIGMA = 1.4826           # of a normal distribution
ECHO_M = 500.0               # the gate within which an echo is taken for an aircraft of the reference
NEAR_M = 3_000.0             # so far may a plot lie from where it ought to be: more is another aircraft or a ghost
SECTORS = 36
TURNS_MAX = 20               # a longer silence of an aircraft is a new visit


@dataclass(frozen=True, slots=True)
class Differences:
    """Identified plots of a radar beside a reference. Every array has length n."""

    range_m: Floats              # measured
    azimuth_rad: Floats
    range_m_off: Floats          # measured less expected
    azimuth_rad_off: Floats      # in [-pi, pi)
    range_mps: Floats            # rate of the expected range
    azimuth_rps: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """Systematic and random error of a radar; NaN where it cannot be told."""

    range_m_bias: float = math.nan
    range_gain: float = math.nan         # per metre
    azimuth_rad_bias: float = math.nan
    time_s_bias: float = math.nan        # positive: its plots are stamped late
    range_m_sigma: float = math.nan
    azimuth_rad_sigma: float = math.nan
    count: int = 0
    errors: tuple[float, float, float, float] = (math.nan,) * 4   # 1 sigma of the four biases, in their order


@dataclass(frozen=True, slots=True)
class Tracks:
    """Reference places by identity: rows sorted by address, then time."""

    icao_address: Ints
    measured_ns: Ints
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats

    def __len__(self) -> int:
        return len(self.measured_ns)


def reference(plots: Plots) -> Tracks:
    """Return the identified plots as a reference; those without a height take part with a height of their neighbours'."""
    keep = np.flatnonzero(plots.icao_address != NO_CODE)
    order = keep[np.lexsort((plots.measured_ns[keep], plots.icao_address[keep]))]
    return Tracks(plots.icao_address[order].astype(np.int64), plots.measured_ns[order], plots.latitude_rad[order],
                  plots.longitude_rad[order], plots.height_m[order])


def identified(plots: Plots, site: Sensor, tracks: Tracks) -> Plots:
    """Return the plots with the echoes of aircraft of the reference named by them.

    An echo is named where one aircraft of the reference, interpolated to its time, lies within the gate (500 m and three
    sigma of azimuth) and no second one within three times of it.
    """
    echoes = np.flatnonzero((_identity(plots) < 0) & np.isfinite(plots.latitude_rad))
    if not len(echoes) or len(tracks) < 2:
        return plots
    best, second = np.full(len(echoes), np.inf), np.full(len(echoes), np.inf)
    name = np.full(len(echoes), NO_CODE, np.int32)
    times = plots.measured_ns[echoes]
    for address in np.unique(tracks.icao_address).tolist():
        rows = np.flatnonzero(tracks.icao_address == address)
        at = tracks.measured_ns[rows]
        if len(rows) < 2:
            continue
        place = np.clip(np.searchsorted(at, times), 1, len(rows) - 1)
        gap = (at[place] - at[place - 1]) / NS_PER_S
        share = (times - at[place - 1]) / NS_PER_S / np.maximum(gap, 1e-9)
        fits = (share >= 0) & (share <= 1) & (gap <= GAP_S_MAX)
        latitude = _between(tracks.latitude_rad, rows[place - 1], rows[place], share)
        longitude = _between(tracks.longitude_rad, rows[place - 1], rows[place], share)
        north = (plots.latitude_rad[echoes] - latitude) * MEAN_RADIUS_M
        east = (plots.longitude_rad[echoes] - longitude) * MEAN_RADIUS_M * np.cos(latitude)
        distance = np.where(fits, np.hypot(north, east), np.inf)
        nearer = distance < best
        second = np.where(nearer, best, np.minimum(second, distance))
        name = np.where(nearer, address, name).astype(np.int32)
        best = np.minimum(best, distance)
    reach = plots.range_m[echoes]
    gate = ECHO_M + 3.0 * site.azimuth_rad_sigma * np.where(np.isfinite(reach), reach, 0.0)
    icao = plots.icao_address.copy()
    icao[echoes] = np.where((best < gate) & (second > 3.0 * gate), name, NO_CODE)
    return replace(plots, icao_address=icao)


def differences(plots: Plots, site: Sensor, tracks: Tracks) -> Differences:
    """Return the plots of one radar beside the reference at their times, where it has them on both sides within 15 s."""
    rows = np.flatnonzero((plots.icao_address != NO_CODE) & np.isfinite(plots.range_m) & np.isfinite(plots.azimuth_rad))
    if not len(rows) or len(tracks) < 2:
        return Differences(*(np.zeros(0) for _ in range(6)))
    # One sorted key for identity and time: 2^24 addresses, and a second in 2^30 parts would not fit, so by rank.
    address = plots.icao_address[rows].astype(np.int64)
    span = int(max(tracks.measured_ns.max(), plots.measured_ns[rows].max()))
    base = int(min(tracks.measured_ns.min(), plots.measured_ns[rows].min()))
    known, rank = np.unique(tracks.icao_address, return_inverse=True)
    width = float(span - base + 1)
    key = rank * width + (tracks.measured_ns - base)
    place = np.searchsorted(known, address)
    same = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == address)
    rows, place = rows[same], place[same]
    after = np.searchsorted(key, place * width + (plots.measured_ns[rows] - base))
    inside = (after > 0) & (after < len(tracks))
    rows, place, after = rows[inside], place[inside], after[inside]
    before = after - 1
    good = (rank[before] == place) & (rank[after] == place)
    gap = (tracks.measured_ns[after] - tracks.measured_ns[before]) / NS_PER_S
    good &= (gap <= GAP_S_MAX) & (gap > 0)
    rows, before, after, gap = rows[good], before[good], after[good], gap[good]
    share = (plots.measured_ns[rows] - tracks.measured_ns[before]) / NS_PER_S / gap
    latitude = _between(tracks.latitude_rad, before, after, share)
    longitude = _between(tracks.longitude_rad, before, after, share)
    height = _between(tracks.height_m, before, after, share)
    own = plots.height_m[rows]
    height = np.where(np.isfinite(height), height, own)
    known_height = np.isfinite(height)
    rows, before, after, gap = rows[known_height], before[known_height], after[known_height], gap[known_height]
    latitude, longitude, height = latitude[known_height], longitude[known_height], height[known_height]
    site_m = site.height_m if math.isfinite(site.height_m) else 0.0
    at = (site.latitude_rad, site.longitude_rad, site_m)
    expected_m, expected_rad, _ = geodetic_to_polar(*at, latitude, longitude, height)
    range1, azimuth1, _ = geodetic_to_polar(*at, tracks.latitude_rad[before], tracks.longitude_rad[before], height)
    range2, azimuth2, _ = geodetic_to_polar(*at, tracks.latitude_rad[after], tracks.longitude_rad[after], height)
    off_m = plots.range_m[rows] - expected_m
    off_rad = wrapped(plots.azimuth_rad[rows] - expected_rad)
    near = np.hypot(off_m, expected_m * off_rad) < NEAR_M + 0.02 * expected_m
    return Differences(plots.range_m[rows][near], plots.azimuth_rad[rows][near], off_m[near], off_rad[near],
                       ((range2 - range1) / gap)[near], (wrapped(azimuth2 - azimuth1) / gap)[near])


def _between(values: Floats, before: npt.NDArray[np.intp], after: npt.NDArray[np.intp], share: Floats) -> Floats:
    return np.asarray(values[before] + share * (values[after] - values[before]))


def wrapped(angle_rad: Floats) -> Floats:
    """Return angles in [-pi, pi)."""
    return np.asarray((angle_rad + np.pi) % (2.0 * np.pi) - np.pi)


def spread(values: Floats) -> float:
    """Return 1 sigma by the median of the absolute deviations: single ghosts do not move it."""
    return float(MAD_SIGMA * np.median(np.abs(values - np.median(values)))) if len(values) else math.nan


def fit(found: Differences) -> Fit:
    """Return the errors that explain the differences; all NaN with fewer than 50 of them."""
    count = len(found.range_m)
    if count < PAIRS_MIN:
        return Fit(count=count)
    keep = np.ones(count, np.bool_)
    sigma_m, sigma_rad = max(spread(found.range_m_off), 1.0), max(spread(found.azimuth_rad_off), 1e-5)
    solution: Floats = np.zeros(4)
    design: Floats = np.zeros((0, 4))
    for _ in range(ROUNDS):
        n = int(keep.sum())
        # Unknowns: range bias, range gain, azimuth bias, time bias. A plot stamped late is where it was before.
        design = np.zeros((2 * n, 4), np.float64)
        design[:n, 0], design[:n, 1], design[:n, 3] = 1.0, found.range_m[keep], -found.range_mps[keep]
        design[n:, 2], design[n:, 3] = 1.0, -found.azimuth_rps[keep]
        design[:n] /= sigma_m
        design[n:] /= sigma_rad
        target = np.concatenate((found.range_m_off[keep] / sigma_m, found.azimuth_rad_off[keep] / sigma_rad))
        solution = np.asarray(np.linalg.lstsq(design, target, rcond=None)[0], np.float64)
        left_m = found.range_m_off - (solution[0] + solution[1] * found.range_m - solution[3] * found.range_mps)
        left_rad = found.azimuth_rad_off - (solution[2] - solution[3] * found.azimuth_rps)
        sigma_m, sigma_rad = max(spread(left_m), 1.0), max(spread(left_rad), 1e-5)
        keep = (np.abs(left_m) < CUT_SIGMA * sigma_m) & (np.abs(left_rad) < CUT_SIGMA * sigma_rad)
        if keep.sum() < PAIRS_MIN:
            return Fit(count=int(keep.sum()))
    errors = np.sqrt(np.diag(np.linalg.pinv(design.T @ design)))
    return Fit(float(solution[0]), float(solution[1]), float(solution[2]), float(solution[3]), float(np.std(left_m[keep])),
               float(np.std(left_rad[keep])), int(keep.sum()),
               (float(errors[0]), float(errors[1]), float(errors[2]), float(errors[3])))


def own_noise(plots: Plots, turn_s: float) -> Fit:
    """Return the noise by which plots of one aircraft leave the straight line of their neighbours. No bias."""
    rows = np.flatnonzero((_identity(plots) >= 0) & np.isfinite(plots.range_m))
    order = rows[np.lexsort((plots.measured_ns[rows], _identity(plots)[rows]))]
    if len(order) < 3:
        return Fit(count=0)
    one, two, three = order[:-2], order[1:-1], order[2:]
    names, times = _identity(plots), plots.measured_ns / NS_PER_S
    first, second = times[two] - times[one], times[three] - times[two]
    turn = turn_s if math.isfinite(turn_s) else 12.0
    good = (names[one] == names[two]) & (names[two] == names[three]) & (first > 0) & (second > 0) & (
        first + second < 2.5 * turn)
    one, two, three, first, second = one[good], two[good], three[good], first[good], second[good]
    if len(one) < PAIRS_MIN:
        return Fit(count=len(one))
    share = first / (first + second)
    # The middle less the line through its neighbours: variance 1 + (1 - s)^2 + s^2 times that of one plot.
    factor = np.sqrt(1.0 + (1.0 - share) ** 2 + share**2)
    line_m = plots.range_m[one] + share * (plots.range_m[three] - plots.range_m[one])
    turned = wrapped(plots.azimuth_rad[three] - plots.azimuth_rad[one])
    bent = wrapped(plots.azimuth_rad[two] - plots.azimuth_rad[one]) - share * turned
    return Fit(range_m_sigma=spread((plots.range_m[two] - line_m) / factor), azimuth_rad_sigma=spread(bent / factor),
               count=len(one))


def _identity(plots: Plots) -> Ints:
    """Return a number for who it is: address, else Mode 3/A code above all addresses; -1 for an echo."""
    return np.where(plots.icao_address != NO_CODE, plots.icao_address.astype(np.int64),
                    np.where((plots.mode3a > 0) & (plots.kind != KIND_PSR), plots.mode3a.astype(np.int64) + (1 << 24), -1))


def detection(plots: Plots, turn_s: float) -> tuple[float, int]:
    """Return the share of turns in which an aircraft was seen between its first and last plot, and of how many turns."""
    names = _identity(plots)
    rows = np.flatnonzero(names >= 0)
    if not math.isfinite(turn_s) or len(rows) < 2:
        return math.nan, 0
    order = rows[np.lexsort((plots.measured_ns[rows], names[rows]))]
    gap = np.diff(plots.measured_ns[order]) / NS_PER_S / turn_s
    turns = np.rint(gap)
    same = (names[order][1:] == names[order][:-1]) & (turns >= 1) & (turns <= TURNS_MAX)
    expected = int(turns[same].sum())
    return (float(same.sum()) / expected if expected else math.nan), expected


def coverage_m(plots: Plots) -> Floats:
    """Return the farthest plot in each of 36 sectors from north, metres; 0 where there is none."""
    reach = np.zeros(SECTORS)
    rows = np.isfinite(plots.range_m) & np.isfinite(plots.azimuth_rad)
    sector = np.minimum((plots.azimuth_rad[rows] / (2.0 * np.pi) * SECTORS).astype(np.int64), SECTORS - 1)
    np.maximum.at(reach, sector, plots.range_m[rows])
    return reach

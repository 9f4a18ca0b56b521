"""What becomes of tracks: seed -> tentative -> confirmed -> (coasting) -> dropped; stitching and merging.

| from | to | when |
|---|---|---|
| seed | tentative | 3 plots and existence above `export_log_odds` |
| seed, tentative | free | existence fallen, or no plot for some turns |
| tentative | confirmed | existence, plots, a speed that differs from 0 and is possible; or a consistent transponder |
| confirmed | ended | no plot for longer than it may coast; `silent_s_max` later where no sensor reports at all |
| any | merged | two tracks of one object: the younger gives way |
| new confirmed | stitched | it continues a coasting one: the old number lives on |
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import Floats
from lapwing.track.columns import GATE_M, LIFT, MODE, OFF_MPS
from lapwing.track.predict import moved
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, TENTATIVE, Slots, freed

Rows = npt.NDArray[np.intp]
STITCH_CHI2 = 13.3       # 4 degrees, 99 %
STITCH_NOISE = 20.0      # m2/s3: 1.5 m/s2 held for some 10 s, while nobody looked
MERGE_M = 900.0          # farther apart two tracks are two objects
_BLOCK = 512             # tracks whose neighbours are looked up at once
MERGE_CHI2 = 9.5
TWIN_TURNS = 8
CODE_PLOTS = 3           # of a Mode 3/A code, until it is believed


def rules(settings: Settings) -> Floats:
    """Return the rules as kernels_life takes them."""
    return np.array((
        settings.export_log_odds, settings.confirm_log_odds, settings.confirm_plots, settings.moving_chi2,
        settings.moved_m_min, settings.speed_mps_max, settings.fast_mps, settings.seen_prob,
        settings.seed_log_odds_fall, settings.coast_s_min, settings.coast_s_max, settings.hidden_log_odds,
        settings.drop_log_odds, settings.still_s, settings.still_m, settings.roamed_m,
        settings.near_share))


def stitch(slots: Slots, new_rows: Rows, slowest_turn_s: float) -> list[tuple[int, int]]:
    """Return (old, new) pairs: confirmed tracks without plots since the new one was born, and their continuation.

    Both are moved to the middle of the gap; identities must not contradict. The best pair first, each used once.
    """
    found: list[tuple[float, int, int]] = []
    for new in new_rows.tolist():
        old = np.flatnonzero((slots.status == CONFIRMED) & (slots.last_plot_ns < slots.born_ns[new] + 3_000_000_000)
                             & (slots.time_ns < slots.time_ns[new]))
        old = old[old != new]
        clash = ((slots.icao[old] >= 0) & (slots.icao[new] >= 0) & (slots.icao[old] != slots.icao[new])) | (
            (slots.mode3a[old] >= 0) & (slots.mode3a[new] >= 0) & (slots.mode3a[old] != slots.mode3a[new]))
        old = old[~clash & (np.hypot(*(slots.mean[old, :2] - slots.mean[new, :2]).T) < 30_000.0)]
        if not len(old):
            continue
        gap = (slots.time_ns[new] - slots.time_ns[old]) * 1e-9
        ahead, ahead_cov = moved(slots.mean[old], slots.mean_cov[old], gap / 2, STITCH_NOISE)
        back, back_cov = moved(np.repeat(slots.mean[new][None], len(old), axis=0),
                               np.repeat(slots.mean_cov[new][None], len(old), axis=0), -gap / 2, STITCH_NOISE)
        difference = ahead - back
        chi2 = np.einsum("ni,ni->n", difference, np.linalg.solve(ahead_cov + back_cov, difference[..., None])[..., 0])
        fast = np.hypot(slots.mean[old, 2], slots.mean[old, 3])
        speed_ratio = np.hypot(slots.mean[new, 2], slots.mean[new, 3]) / np.maximum(fast, 1.0)
        for k in np.flatnonzero((chi2 < STITCH_CHI2) & (speed_ratio < 2.0) & (speed_ratio > 0.5)).tolist():
            found.append((float(chi2[k]), int(old[k]), new))
    pairs: list[tuple[int, int]] = []
    for _, old_row, new_row in sorted(found):
        if all(old_row != a and new_row != b for a, b in pairs):
            pairs.append((old_row, new_row))
    return pairs


def take_over(slots: Slots, old: int, new: int) -> None:
    """Let the old row fly on with the new one's state; the new row is freed, identity and history stay."""
    for name in ("time_ns", "last_plot_ns", "sure_ns", "x", "cov", "mode_prob", "mean", "mean_cov", "log_odds", "last_sensor",
                 "detect", "look_ns", "hit_ns"):
        column = getattr(slots, name)
        column[old] = column[new]
    for part in (slice(GATE_M, OFF_MPS + 1), slice(LIFT, MODE)):
        slots.floats[old, part] = slots.floats[new, part]
    slots.hits[old] += slots.hits[new]
    slots.sensors_mask[old] |= slots.sensors_mask[new]
    for name in ("icao", "mode3a"):
        column = getattr(slots, name)
        if column[old] < 0:
            column[old] = column[new]
    if not slots.callsign[old]:
        slots.callsign[old] = slots.callsign[new]
    slots.identified[old] += slots.identified[new]
    if np.isfinite(slots.height_m[new]):
        for name in ("height_m", "height_var_m2", "height_ns"):
            getattr(slots, name)[old] = getattr(slots, name)[new]
    freed(slots, np.array([new]))


def twins(slots: Slots, turn_ns: npt.NDArray[np.int64], doubt_m2: float) -> list[tuple[int, int]]:
    """Return (kept, dropped) pairs of tracks that are one object.

    Close in position and velocity, no contradicting identity, and no radar gave both a plot in its last turn: a radar
    that did has seen two things. `doubt_m2`: what registration may set them apart.
    """
    rows = np.flatnonzero(slots.status >= TENTATIVE)
    if len(rows) < 2:
        return []
    rows = rows[np.argsort(slots.mean[rows, 0], kind="stable")]
    result: list[tuple[int, int]] = []
    gone: set[int] = set()
    for row, other in _close_pairs(slots.mean[rows, 0], slots.mean[rows, 1], rows):
        if row in gone or other in gone or not _one_object(slots, row, other, turn_ns, doubt_m2):
            continue
        first, second = sorted((row, other), key=lambda r: (-int(slots.status[r]), int(slots.uid[r])))
        result.append((first, second))
        gone.add(second)
    return result


def _close_pairs(east_m: Floats, north_m: Floats, rows: Rows) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows that are within MERGE_M in both axes; `east_m` ascends. In blocks, so that a crowd needs no memory."""
    last = np.searchsorted(east_m, east_m + MERGE_M, side="right")
    for start in range(0, len(rows), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(rows)))
        count = last[block] - block - 1
        one = np.repeat(block, count)
        two = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        close = np.abs(north_m[one] - north_m[two]) <= MERGE_M
        yield from zip(rows[one[close]].tolist(), rows[two[close]].tolist(), strict=True)


def _one_object(slots: Slots, one: int, two: int, turn_ns: npt.NDArray[np.int64], doubt_m2: float) -> bool:
    for name in ("icao", "mode3a"):
        column = getattr(slots, name)
        if column[one] >= 0 and column[two] >= 0:
            if column[one] != column[two]:
                return False
            # Codes that many share are none here (measurement.py), so a code each has borne for some plots names one aircraft.
            if name == "icao" or min(slots.identified[one], slots.identified[two]) >= CODE_PLOTS:
                return True
    # A radar that gave each a plot within its last turns has seen two objects; now it may see them as one.
    older = np.minimum(slots.hit_ns[one], slots.hit_ns[two])
    if bool(np.any(older > max(slots.time_ns[one], slots.time_ns[two]) - TWIN_TURNS * turn_ns)):
        return False
    to_ns = max(int(slots.time_ns[one]), int(slots.time_ns[two]))
    gap: Floats = np.asarray(to_ns - slots.time_ns[[one, two]], np.float64) * 1e-9
    mean, cov = moved(slots.mean[[one, two]], slots.mean_cov[[one, two]], gap, 2.0)
    difference = mean[0] - mean[1]
    total = cov[0] + cov[1] + np.diag((doubt_m2, doubt_m2, 1.0, 1.0))
    return float(difference @ np.linalg.solve(total, difference)) < MERGE_CHI2

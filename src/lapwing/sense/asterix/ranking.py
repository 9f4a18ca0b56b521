"""Which edition do these blocks speak? A wrong one seldom announces itself, so plausibility decides.

Each edition is tried on a sample; an edition scores by the share of octets it reads and by the share of its records
whose time of day, place and numbers can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.decode import Editions, Records, decode_datagrams

# Columns that show a wrong edition, and what they can hold.
_LIMITS = {
    "time_of_day_s": (0.0, 86_400.0), "time_received_s": (0.0, 86_400.0), "time_sent_s": (0.0, 86_400.0),
    "latitude_rad": (-math.pi / 2, math.pi / 2), "longitude_rad": (-math.pi, math.pi),
    "fine_latitude_rad": (-math.pi / 2, math.pi / 2), "fine_longitude_rad": (-math.pi, math.pi),
    "flight_level": (-15.0, 1_000.0), "tracked_level": (-15.0, 1_000.0), "ground_mps": (0.0, 1_500.0),
    "vx_mps": (-1_500.0, 1_500.0), "vy_mps": (-1_500.0, 1_500.0), "range_m": (0.0, 700_000.0),
    "rotation_s": (0.5, 60.0), "climb_mps": (-150.0, 150.0),
}
SAMPLE_BLOCKS = 400
TIME_SPREAD_S = 600.0       # reports of one sample lie near each other


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well an edition fits: `score` 0 to 1, the product of the two shares."""

    edition: str
    score: float
    read_share: float
    plausible_share: float


def rank_editions(category: int, blocks: Sequence[bytes]) -> tuple[Ranked, ...]:
    """Return the editions of a category, the best first; of equals the newest first. Empty without a table."""
    sample = list(blocks)[:SAMPLE_BLOCKS]
    octets = sum(len(block) - 3 for block in sample)
    ranked = []
    for name in reversed(tables.editions(category)):
        found = [r for r in decode_datagrams(sample, Editions({category: name})).records if r.category == category]
        read = sum(int(r.octet_count.sum()) for r in found) / octets if octets else 0.0
        good = float(np.concatenate([plausible(r) for r in found]).mean()) if found else 0.0
        ranked.append(Ranked(name, read * good, read, good))
    return tuple(sorted(ranked, key=lambda r: -r.score))


def plausible(records: Records) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which records hold nothing that cannot be."""
    good = np.ones(len(records), np.bool_)
    for name, (low, high) in _LIMITS.items():
        column = records.columns.get(name)
        if column is not None:
            good &= ~((column < low) | (column > high))
    times = records.columns.get("time_of_day_s")
    if times is not None and np.isfinite(times).sum() >= 4:
        middle = float(np.nanmedian(times))
        beside = np.abs((times - middle + 43_200.0) % 86_400.0 - 43_200.0)
        good &= ~(beside > TIME_SPREAD_S)
    return good

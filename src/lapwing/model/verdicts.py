"""Judgement: where each object stands to the border now, and the verdict over its whole life."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.model.alarms import Alarm
from lapwing.model.plots import Bools, Floats, Ints

ENTERED, NOT_ENTERED, UNDETERMINED = "entered", "not_entered", "undetermined"


@dataclass(frozen=True, slots=True)
class BorderStates:
    """Where each live track stands to the protected territory now; rows as in `Tracks`. Distance positive outside."""

    border_m: Floats                     # signed geodesic distance to the protected territory
    border_m_sigma: Floats               # across the line: track, registration and line together
    nearest_latitude_rad: Floats
    nearest_longitude_rad: Floats
    line_bound_95_m: Floats              # 95 % bound of the line at the nearest point
    closing_mps: Floats                  # positive: coming nearer
    time_to_go_s: Floats                 # to the line as it flies; inf: not as it flies
    earliest_s: Floats                   # to the line straight at its class's speed; 0 inside
    entry_5_prob: Floats                 # P(inside within 5 min); 10 and 15 likewise
    entry_10_prob: Floats
    entry_15_prob: Floats
    inside_prob: Floats                  # P(inside now)
    judged: Bools                        # under judgement (else traffic)
    traffic_reason: tuple[str, ...]      # why not: "own_patrol", "friend", "neutral", "bird", "weather", "surface"; "" judged

    def __len__(self) -> int:
        return len(self.border_m)


@dataclass(frozen=True, slots=True)
class Crossing:
    """One stay inside: entry and exit with place; exit_ns 0 where it had not left when last known."""

    entry_ns: int
    exit_ns: int
    latitude_rad: float                  # of the entry
    longitude_rad: float
    deepest_m: float


@dataclass(frozen=True, slots=True)
class Boundary:
    """Which line was used."""

    name: str
    version: str
    sha256: str
    bound_95_m: float                    # at the closest point


@dataclass(frozen=True, slots=True)
class DecisivePlot:
    """One plot near the closest point, where the verdict is decided."""

    time_ns: int
    sensor: str
    entry_sequence: int                  # of the journal: where its octets are
    distance_m: float                    # signed, of the smoothed path at its time
    distance_m_sigma: float              # random part, across the line
    residual_m: float                    # from the plot to the path
    association_prob: float              # P(the plot was this object's)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on."""

    plot_count: int
    sensors: tuple[str, ...]
    gaps: tuple[tuple[int, int], ...]    # (start_ns, end_ns) of stretches without plots longer than 30 s
    bias_m_sigma: float                  # registration part at the closest point
    first_ns: int = 0                    # of the first and the last plot that proves something: the verdict is on this time
    last_ns: int = 0
    decisive: tuple[DecisivePlot, ...] = ()   # of a final verdict: the plots about the closest point, in order of time
    exists_prob: float = 1.0             # P(the track is an object of its own)
    beside: str = ""                     # undetermined because it may be this older track seen twice
    blind_share: float = math.nan        # of the border about the closest point, out of every radar's sight when low; NaN unknown


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one object and one country, over its whole known life."""

    track_id: str
    country: str
    verdict: str                         # ENTERED | NOT_ENTERED | UNDETERMINED
    entered_prob: float
    closest_m: float                     # signed; negative inside
    closest_m_low: float                 # 95 % interval
    closest_m_high: float
    closest_ns: int
    closest_latitude_rad: float
    closest_longitude_rad: float
    deepest_m: float                     # greatest depth inside; 0 if never inside
    entries: tuple[Crossing, ...]
    seconds_inside: float
    boundary: Boundary
    evidence: Evidence
    statement: dict[str, str]            # language -> sentence
    reason: str                          # why this value and not the other two, in English
    final: bool                          # the track has ended, or the run has
    time_ns: int                         # when the verdict was reached

    @property
    def seen_inside(self) -> bool:
        """Whether it was inside when first seen: then nobody saw it come in."""
        return bool(self.entries) and self.entries[0].entry_ns <= self.evidence.first_ns


@dataclass(frozen=True, slots=True)
class Traffic:
    """An object that is not judged, and why."""

    track_id: str
    country: str
    reason: str
    affiliation: str
    class_name: str
    class_prob: float
    identity: str                        # ICAO address or Mode 3/A or call sign; may be empty
    first_ns: int
    last_ns: int
    closest_m: float                     # signed; for the record, not a verdict


@dataclass(frozen=True, slots=True)
class NeighbourState:
    """Where a live object under judgement stands to a neighbour that it came near; distance positive outside."""

    track_id: str
    country: str                         # the neighbour's code
    time_ns: int                         # of the track's row that it is of
    border_m: float
    border_m_sigma: float
    closing_mps: float                   # positive: coming nearer
    time_to_go_s: float                  # to their line as it flies; 0 inside, inf: not as it flies
    inside_prob: float                   # P(inside then)
    verdict: str                         # so far; "" none yet
    entered_prob: float
    seen_inside: bool = False            # it was over that country when first seen


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one step of the judge hands on."""

    states: BorderStates                 # rows as in the tracks judged
    others: dict[str, Floats]            # neighbour's code -> signed distance of each row to its territory, metres
    verdicts: tuple[Verdict, ...] = ()   # new or changed in this step
    traffic: tuple[Traffic, ...] = ()    # ended as traffic in this step
    alarms: tuple[Alarm, ...] = ()       # of the safety net: raised, changed or ended in this step
    neighbours: tuple[Verdict, ...] = ()     # as `verdicts`, on the airspace of neighbours: they warn of nothing here
    nearby: tuple[NeighbourState, ...] = ()  # of all live objects near a neighbour, by track and code


Rows = npt.NDArray[np.intp]
Times = Ints

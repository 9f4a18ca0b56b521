"""What sharing remembers: notices that stand, what each partner was told, and how distances to neighbours change."""

from __future__ import annotations

from dataclasses import dataclass, field

from lapwing.model.notices import Notice


@dataclass(frozen=True, slots=True)
class Standing:
    """What one partner was last told for one reason."""

    notice: Notice
    told: tuple[str, ...]            # track ids that it has been told of since the matter began, sorted
    lasts_ns: int                    # when the reason last held


@dataclass(frozen=True, slots=True)
class Range:
    """Distance of one track to one neighbour's territory, some seconds ago: gives the closing speed."""

    time_ns: int
    distance_m: float
    closing_mps: float


@dataclass(frozen=True, slots=True)
class State:
    """The memory of the stage. Keys of `standing`: partner id and reason; of `ranges`: country code and track id."""

    standing: dict[str, Standing] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    recent: tuple[Notice, ...] = ()          # notices that may still be acknowledged, oldest first
    entered: tuple[str, ...] = ()            # track ids said to have entered, in that order
    left: tuple[str, ...] = ()               # ... and to have left again
    abroad: tuple[str, ...] = ()             # neighbour's code, a blank and the track: said to have entered there

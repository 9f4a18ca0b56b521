"""Notices to partners, with release marking; they expire and are acknowledged."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.model.reports import Impact, PatrolEvent, Sighting


@dataclass(frozen=True, slots=True)
class NoticeObject:
    """One object of a notice, as far as the release allows."""

    track_id: str
    time_ns: int
    latitude_rad: float
    longitude_rad: float
    position_m_sigma: float
    height_m: float                      # NaN unknown or not released
    velocity_mps: tuple[float, float]    # east, north
    class_name: str
    class_prob: float
    border_m: float = math.nan           # to the partner's own territory, negative inside; NaN unknown, far, or not released
    verdict: str = ""                    # on the partner's own airspace, so far; "" none, or not released
    entered_prob: float = math.nan       # P(it entered the partner's airspace)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to an ally or neighbour."""

    id: str
    partner: str
    release: str                         # marking, e.g. "RELEASABLE TO MD"
    time_ns: int
    expires_ns: int
    objects: tuple[NoticeObject, ...]
    text: dict[str, str]                 # language -> text
    reason: str                          # e.g. "track points at MD, 2.2 km from its border"
    acknowledged_by: str = ""
    acknowledged_ns: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """What one step of sharing hands on: new notices, and notices acknowledged or lapsed (their new value)."""

    notices: tuple[Notice, ...] = ()
    changed: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Responded:
    """What one step of the respond stage hands on."""

    patrol: tuple[PatrolEvent, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    impacts: tuple[Impact, ...] = ()


"""What a country pack is. `country.load` parses and checks it from bytes; adapters find the files.

A pack is data: territory, zones, places, texts, policy, partners. Nothing here knows a country by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lapwing.geo.areas import Areas
from lapwing.geo.border import Territory


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone whom we warn. Its polygon is row `area_index` of `Pack.areas`."""

    code: str                    # own code, unique in the pack: "RO-TL", "RO-TL-160047"
    name: str                    # in the pack's first language
    names: Mapping[str, str]     # language -> name
    level: str                   # country | county | municipality | cell
    parent: str                  # code of the unit it lies in; "" for the country
    county: str                  # code of the level-1 unit it lies in (itself for a county)
    population: int
    population_estimated: bool
    latitude_rad: float          # of its main place, or a point inside
    longitude_rad: float
    geocodes: Mapping[str, str]  # value name -> value for CAP: {"NUTS3": "RO225", "SIRUTA": "160047", "ISO3166-2": ..}
    derived: bool                # grown by us, not an official outline
    area_index: int
    addressable: bool            # a channel can address it: warnings are made of these zones


@dataclass(frozen=True, slots=True)
class Places:
    """Settlements, columns of length n, the largest first."""

    name: tuple[str, ...]
    latitude_rad: npt.NDArray[np.float64]
    longitude_rad: npt.NDArray[np.float64]
    population: npt.NDArray[np.int64]
    estimated: npt.NDArray[np.bool_]
    zone_index: npt.NDArray[np.int32]     # smallest addressable zone it lies in, row of Pack.zones; -1 none

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class Policy:
    """Numbers an authority may set; times in seconds, distances in metres. Defaults by `country.policy`."""

    hold_lost_s: float = 300.0             # a lost object stays a threat so long after its last plot
    clear_after_s: float = 390.0           # all clear at the earliest so long after the last plot of the last threat
    reach_border_m: float = 30_000.0       # an object is a threat while it can come so near the border ...
    reach_time_s: float = 600.0            # ... within this time
    alert_border_m: float = 5_000.0        # the alert must be out before an object comes so near ...
    alert_lead_s: float = 480.0            # ... by this time (5 min on the air, plus decision and delivery)
    alert_zone_m: float = 3_000.0          # a zone is threatened by an object that comes so near
    alert_horizon_s: float = 900.0         # within this time
    alert_prob: float = 0.05               # an alert is proposed where P(an object comes so near soon) reaches this ...
    keep_prob: float = 0.45                # ... and stays while P(within 8 min) is at least this
    pre_alert_prob: float = 0.5            # a pre-alert, where P(within `alert_horizon_s`) reaches this ...
    pre_alert_keep_prob: float = 0.15     # ... and stays while it is at least this
    unless_refused_s: float = 0.0          # a proposal of an alert goes out unless refused within this time; 0: never
    registered_m: float = 140.0            # sensors are aligned where 1 sigma of their registration is at most this
    two_persons_above: int = 100_000       # people under one alert
    proposal_lapse_s: float = 300.0
    alert_expiry_s: float = 1_200.0        # expiry rolls; renewed while the threat lasts
    shrink_every_s: float = 180.0
    notice_expiry_s: float = 1_800.0
    notice_distance_m: float = 5_000.0     # a partner is told of an object that comes so near its border
    notice_time_s: float = 300.0           # or would within this time, as it flies
    sender: str = "lapwing@example.invalid"
    needs_approval: tuple[str, ...] = ("alert", "all_clear")   # levels a person decides; others go out by themselves


@dataclass(frozen=True, slots=True)
class Partner:
    """Whom we tell, when, and what they may see."""

    id: str                                # "MD", "NATO", "UA"
    name: str
    kind: str                              # neighbour | chain | liaison | authority
    country: str                           # ISO code whose border matters; "" for a chain
    release: str                           # marking text
    when: str                              # threat | near_border | entered | exit
    languages: tuple[str, ...]
    fields: tuple[str, ...]                # of NoticeObject that are released
    expires_s: float


@dataclass(frozen=True, slots=True)
class Pack:
    """A country pack, checked."""

    code: str                              # ISO 3166-1 alpha-2
    names: Mapping[str, str]               # language -> country name
    version: str
    sha256: str                            # of the pack's files
    time_zone: str
    languages: tuple[str, ...]             # of public messages, first is the main one
    neighbours: tuple[str, ...]            # codes
    territory: Territory
    zones: tuple[Zone, ...]                # counties first, then smaller ones; sorted by code within a level
    areas: Areas                           # polygons of the zones
    places: Places
    policy: Policy
    partners: tuple[Partner, ...]
    texts: Mapping[str, Mapping[str, str]]     # language -> key -> template
    scale: Mapping[str, Mapping[str, str]]     # level -> language -> public name of the level
    attribution: str
    warnings: tuple[str, ...] = ()             # what the check found that does not stop it
    neighbour_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)   # code -> language -> name
    plurals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)   # language -> plural form of each count: plurals.py

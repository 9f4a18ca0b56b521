"""What people say, as records: patrol events, sightings, identifications, impact points, decisions, acknowledgements."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.model.claims import Claim

PATROL_EVENTS = ("asked", "airborne", "on_station", "seen", "not_seen", "off_station", "landed")
SIGHTING_KINDS = ("seen", "heard", "explosion", "fire", "debris")
IMPACT_KINDS = ("impact", "last_seen")
SENSOR_ACTIONS = ("quarantine", "lift")
OFFICER_ROLES = ("officer", "supervisor")
ALERT_ACTIONS = ("approve", "refuse", "cancel", "all-clear", "raise")


@dataclass(frozen=True, slots=True)
class PatrolEvent:
    """One line of the patrol log: what went to look and what it saw. A log, never an order."""

    time_ns: int
    patrol: str            # name or call sign of the patrol
    event: str             # one of PATROL_EVENTS
    place: str = ""
    text: str = ""
    by: str = ""           # author


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person's report. Its place is the observer's, or that of the thing where `bearing_rad` is NaN and they say so."""

    id: str
    time_ns: int
    time_s_sigma: float
    kind: str                              # one of SIGHTING_KINDS
    latitude_rad: float
    longitude_rad: float
    position_m_sigma: float
    bearing_rad: float = math.nan          # true north, clockwise
    bearing_rad_sigma: float = math.nan
    place: str = ""
    text: str = ""
    by: str = ""
    entry_sequence: int = -1


@dataclass(frozen=True, slots=True)
class Identification:
    """"This track is ours / a helicopter." Changes the affiliation, never deletes a track."""

    time_ns: int
    affiliation: str                       # friend | assumed_friend | neutral | unknown
    track_id: str = ""                     # one of these three names the object
    icao_address: int = -1
    mode3a: int = -1
    text: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """A last-seen or impact point with a search sector."""

    time_ns: int
    latitude_rad: float
    longitude_rad: float
    radius_m: float
    text: str = ""
    by: str = ""
    kind: str = "impact"                   # one of IMPACT_KINDS
    bearing_rad: float = math.nan          # middle of the sector to be searched, true north, clockwise; NaN: all round
    sector_rad: float = math.nan           # its whole width


@dataclass(frozen=True, slots=True)
class Command:
    """An officer's decision on a proposal or an alert."""

    time_ns: int
    action: str                            # one of ALERT_ACTIONS
    alert_id: str = ""                     # proposal or alert
    zones: tuple[str, ...] = ()            # for `raise`
    level: str = ""                        # for `raise`
    expires_ns: int = 0                    # for `raise`
    text: str = ""                         # reason
    by: str = ""                           # name of the person; two different names where two are needed
    role: str = ""                         # officer | supervisor, by the account that is signed in; empty: by the site's table


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A named person or partner saw a notice."""

    time_ns: int
    notice_id: str
    by: str


@dataclass(frozen=True, slots=True)
class SensorOrder:
    """A person shuts a sensor's plots out, or lets them in again."""

    time_ns: int
    sensor: str                            # id of the sensor table
    action: str                            # one of SENSOR_ACTIONS
    text: str = ""                         # reason
    by: str = ""


PersonReport = PatrolEvent | Sighting | Identification | Impact | Command | Acknowledgement | SensorOrder
Report = PersonReport | Claim

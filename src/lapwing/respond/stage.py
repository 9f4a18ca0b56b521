"""The patrol log, sightings and impact points: what people report, put in order. A log, never an order to anyone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

from lapwing.model.alerts import Warned
from lapwing.model.notices import Responded
from lapwing.model.reports import PATROL_EVENTS, SIGHTING_KINDS, Impact, PatrolEvent, Report, Sighting
from lapwing.model.times import NS_PER_S

KEPT_MAX = 512            # records of each kind that the state remembers; the oldest go first
_FUTURE_S = 300.0         # a report dated later than this is not believed in its time and is set to now
ENGINE = "engine"

T = TypeVar("T", PatrolEvent, Sighting, Impact)


@dataclass(frozen=True, slots=True)
class State:
    """The memory of the stage: what was reported lately, and whether a look was asked for in this incident."""

    patrol: tuple[PatrolEvent, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    impacts: tuple[Impact, ...] = ()
    asked_ns: int = 0                 # when a look was asked for; 0: not in this incident


def step(state: State, reports: tuple[Report, ...], warned: Warned, now_ns: int) -> tuple[State, Responded]:
    """Return this step's new records, in order of time, without repeats and nonsense.

    The first proposal of level `alert` of an incident adds one patrol event "asked" by the engine: a look is wanted.
    An incident ends with its all clear.
    """
    patrol = [r for r in reports if isinstance(r, PatrolEvent) and r.event in PATROL_EVENTS]
    sightings = [r for r in reports if isinstance(r, Sighting) and r.kind in SIGHTING_KINDS and
                 _on_earth(r.latitude_rad, r.longitude_rad)]
    impacts = [r for r in reports if isinstance(r, Impact) and _on_earth(r.latitude_rad, r.longitude_rad)]
    asked_ns = state.asked_ns
    wanted = [p for p in warned.proposals if p.level == "alert" and p.approvals_needed]
    if wanted and not asked_ns:
        asked_ns = now_ns
        zones, more = ", ".join(zone.name for zone in wanted[0].zones[:5]), len(wanted[0].zones) - 5
        zones += f" and {more} more" if more > 0 else ""
        patrol.append(PatrolEvent(
            time_ns=now_ns, patrol="air policing", event="asked", place=zones,
            text=f"a look is wanted: {wanted[0].reason}", by=ENGINE))
    if any(alert.level == "all_clear" for alert in warned.alerts) and not any(
            level in ("alert", "pre_alert") for _, level in warned.zone_levels):
        asked_ns = 0            # zones may come down one by one: the incident ends when none is left
    new_patrol = _new(patrol, state.patrol, now_ns)
    new_sightings = _new(sightings, state.sightings, now_ns)
    new_impacts = _new(impacts, state.impacts, now_ns)
    state = State((*state.patrol, *new_patrol)[-KEPT_MAX:], (*state.sightings, *new_sightings)[-KEPT_MAX:],
                  (*state.impacts, *new_impacts)[-KEPT_MAX:], asked_ns)
    return state, Responded(new_patrol, new_sightings, new_impacts)


def _new(records: list[T], known: tuple[T, ...], now_ns: int) -> tuple[T, ...]:
    """Return the records that were not there before, by time; a repeat is the same in every field but its entry."""
    seen = {_key(record) for record in known}
    new: list[T] = []
    for record in records:
        if record.time_ns > now_ns + _FUTURE_S * NS_PER_S:
            record = replace(record, time_ns=now_ns)
        if _key(record) not in seen:
            seen.add(_key(record))
            new.append(record)
    return tuple(sorted(new, key=lambda record: (record.time_ns, _key(record))))


def _key(record: PatrolEvent | Sighting | Impact) -> str:
    """Return what makes two records the same one, sent twice."""
    if isinstance(record, Sighting):
        return f"{record.id} {record.time_ns} {record.kind}" if record.id else repr(record)
    return repr(record)


def _on_earth(latitude_rad: float, longitude_rad: float) -> bool:
    return abs(latitude_rad) <= 0.5 * math.pi and abs(longitude_rad) <= 2.0 * math.pi

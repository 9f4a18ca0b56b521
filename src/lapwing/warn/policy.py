"""The numbers of the warning rule that follow from one another, and who must approve what."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from lapwing.country.pack import Pack
from lapwing.model.alerts import ZoneRef
from lapwing.model.plots import Floats

# A warning needs 120 s to be of full use, and a channel 30 s to carry it. The rest is for scans, batches and doubt.
LEAD_S = 150.0
WIDEN_S = LEAD_S + 45.0            # inside the approved envelope: sent without asking
ASK_S = LEAD_S + 110.0             # a person must approve: some 20-40 s, and a second look by the tracker
URGENT_S = LEAD_S + 15.0           # no time for a second look
AHEAD_S = 60.0                     # a message names the zones that would be next, so the next one comes later
KEEP_FACTOR = 1.3                  # a zone stays wanted that much longer than it takes to become wanted
ENVELOPE_S, ENVELOPE_AHEAD_S = 480.0, 900.0   # approved in advance: all directions; ahead
ENVELOPE_TURN_RAD = math.radians(75.0)
# What lies abeam or behind is wanted later: few objects turn that far at once, and the turn itself is seen.
FULL_TURN_RAD, LATE_TURN_RAD, LATE_FACTOR = math.radians(60.0), math.radians(150.0), 0.7
KEEP_AHEAD_S, KEEP_TURN_RAD = 480.0, math.radians(60.0)    # a zone so near ahead is not taken out, to come back soon
BORDER_URGENT_S = 360.0            # time to the border strip that leaves no time for a second look
FIRST_ZONES = 5                    # zones of the first message of a county, where nothing is near yet
FIRST_SPREAD_S = 45.0
PRE_ALERT_S, PRE_ALERT_AHEAD_S = 330.0, 660.0
PRE_ALERT_STEP_S = 240.0           # a pre-alert names this much more than what asks for it: wide and seldom
PRE_ALERT_TURN_RAD = math.radians(45.0)
PRE_ALERT_EVERY_S = 120.0          # between two widenings of it
PRE_ALERT_SHRINK_S = 600.0
WIDEN_EVERY_S = 45.0               # between two widenings of the alert, unless urgent
SHRINK_SHARE = 0.1                 # a shrink takes out at least this share of the people, or what waited 1.5 holds
QUIET_S = 900.0                    # no zone wanted for so long: the alert ends though an object still lives far away
RENEW_BEFORE_S = 240.0
REFUSED_S = 600.0                  # a refused or cancelled warning is not proposed again for its objects
CLEAR_RETRY_S = 180.0              # a refused all clear is proposed again after this
JOIN_M = 120_000.0                 # a threat nearer than this to where a chain began belongs to it


def limit_s(turn_rad: Floats, full_s: float) -> Floats:
    """Return how soon an object must be able to come for a zone to be wanted, by the turn that it would take."""
    late = (turn_rad - FULL_TURN_RAD) / (LATE_TURN_RAD - FULL_TURN_RAD)
    return np.asarray(full_s * np.clip(1.0 - (1.0 - LATE_FACTOR) * late, LATE_FACTOR, 1.0))


def zone_refs(pack: Pack, zones: Iterable[int]) -> tuple[ZoneRef, ...]:
    """Return the zones as they stand in proposals and alerts, sorted by code."""
    chosen = sorted((pack.zones[i] for i in zones), key=lambda zone: zone.code)
    return tuple(ZoneRef(zone.code, zone.name, zone.population, zone.county) for zone in chosen)


def population(pack: Pack, zones: Iterable[int]) -> int:
    """Return the people in zones."""
    return sum(pack.zones[i].population for i in zones)


def approvals_needed(pack: Pack, zones: Iterable[int]) -> int:
    """Return how many different persons must approve: two above the policy's number of people or for a whole county."""
    chosen = sorted(set(zones))
    if population(pack, chosen) > pack.policy.two_persons_above or _whole_county(pack, set(chosen)):
        return 2
    return 1


def _whole_county(pack: Pack, zones: set[int]) -> bool:
    counties = {pack.zones[i].county for i in zones}
    for index in zones:
        if pack.zones[index].level in ("country", "county"):
            return True
    for county in sorted(counties):
        members = [i for i, zone in enumerate(pack.zones) if zone.county == county and zone.addressable]
        if len(members) > 1 and all(i in zones for i in members):
            return True
    return False


def fit_envelope(pack: Pack, zones: tuple[int, ...], soonest_first: Iterable[int]) -> tuple[int, ...]:
    """Return how much of an envelope the approvals for `zones` can carry, the soonest zones first.

    Where one person approves, zones and envelope together stay within what one may approve; two persons carry all.
    """
    rest = [i for i in dict.fromkeys(soonest_first) if i not in zones]
    if approvals_needed(pack, zones) > 1:
        return tuple(sorted(rest))
    taken: list[int] = []
    people = population(pack, zones)
    for index in rest:
        people += pack.zones[index].population
        if people > pack.policy.two_persons_above or pack.zones[index].level in ("country", "county"):
            break
        taken.append(index)
    while taken and _whole_county(pack, {*zones, *taken}):
        taken.pop()
    return tuple(sorted(taken))


def fit_first(pack: Pack, soonest_first: Iterable[int]) -> tuple[int, ...]:
    """Return the zones of a county's first message: the soonest, at most FIRST_ZONES, one person's worth of people.

    One person answers in half the time of two, and the first message is the one that is late.
    """
    taken: list[int] = []
    people = 0
    for index in soonest_first:
        people += pack.zones[index].population
        if taken and (len(taken) >= FIRST_ZONES or people > pack.policy.two_persons_above):
            break
        taken.append(index)
    return tuple(sorted(taken))

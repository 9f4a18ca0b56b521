"""The numbers of the warning rule that follow from one another, and who must approve what."""

from __future__ import annotations

from collections.abc import Iterable

from lapwing.country.pack import Pack
from lapwing.model.alerts import ZoneRef

# A warning needs 120 s to be of full use, and a channel 30 s to carry it; half a minute more so that nearly all have it
# in full. The rest is for scans, batches and doubt.
LEAD_S = 180.0
URGENT_S = 150.0                   # no time for a second look
WIDEN_S = LEAD_S + 30.0            # inside the approved envelope: sent without asking
ASK_S = LEAD_S + 90.0              # a person must approve: some 20-60 s, and a second look by the tracker
KEEP_S = 480.0                     # a zone in force stays while an object may still come near within this time
HORIZONS_S = (URGENT_S, WIDEN_S, ASK_S, KEEP_S, 900.0)    # for which P(comes near) is reckoned
BORDER_URGENT_S = 360.0            # time to the border strip that leaves no time for a second look
ENVELOPE_PROB = 0.004              # zones that may become wanted are approved in advance: any flight goes there
WIDEN_EVERY_S = 45.0               # between two messages that add zones, unless urgent
PRE_ALERT_EVERY_S = 240.0
MATTERS_PROB = 0.02                # an object counts in the words for zones that it may come near to so probably within 15 min
KEEP_SHARE = 0.8                   # of the probability that raises a zone: so much keeps it
STALE_S = 45.0                     # a zone comes down when nothing has wanted it for so long
PRE_ALERT_STALE_S = 180.0
LOWERED_S = 300.0                  # who was under alert is ready so long at least before the all clear
SHRINK_SHARE = 0.3                 # part of a message comes down alone where that frees so many of its people
SHRINK_WAIT_S = 300.0              # or where they have waited so long
RENEW_BEFORE_S, RENEW_WITH_S = 150.0, 90.0    # what would be renewed soon after is renewed along
CLEARED_S = 600.0                  # who was told that it is over is not told to be ready again before: an alert still comes
REFUSED_S = 600.0                  # a refused or cancelled warning is not proposed again for its objects
CLEAR_RETRY_S = 180.0              # a refused all clear is proposed again after this
JOIN_M = 120_000.0                 # a threat nearer than this to where a chain began belongs to it


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


def fit_envelope(pack: Pack, in_force: Iterable[int], zones: tuple[int, ...], soonest_first: Iterable[int]) -> tuple[int, ...]:
    """Return how much of an envelope the approvals for `zones` can carry, the soonest zones first.

    Where one person approves, what is in force, the zones and the envelope together stay within what one may approve; two
    persons carry all. A city too large for one person is left out and asked for by itself.
    """
    base = {*in_force, *zones}
    rest = [i for i in dict.fromkeys(soonest_first) if i not in base]
    if approvals_needed(pack, base) > 1:
        return tuple(sorted(rest))
    taken: list[int] = []
    people = population(pack, base)
    for index in rest:
        more = pack.zones[index].population
        if people + more <= pack.policy.two_persons_above and pack.zones[index].level not in ("country", "county"):
            taken.append(index)
            people += more
    while taken and _whole_county(pack, {*base, *taken}):
        taken.pop()
    return tuple(sorted(taken))

"""Which zones an object may come near to, how likely and how soon.

An object is near a zone when it is within `alert_zone_m` of a populated place of it (its main point where it has none):
places, not outlines, because people are there and cells are as wide as a commune. `flights` says how likely that is within
each of its horizons. A lost object flies on from where it was last, for as long as it has been lost; how much is left of
it fades, so its warning decays by time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from lapwing.country.pack import Pack, Policy
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.plots import Bools, Floats, Ints
from lapwing.model.times import NS_PER_S
from lapwing.warn import policy as rule
from lapwing.warn.flights import UNTIL_S, grid_of, near_prob
from lapwing.warn.policy import HORIZONS_S
from lapwing.warn.state import Reach, Threat, no_reach

SIGMA_M_MAX = 3_000.0              # a wider doubt about the position is covered by the hold, not by ever more zones
MARGIN_M = 200.0                   # of the nearness: a step of flight is looked at its end only
UNSEEN_S = 15.0                    # without a plot for so long is nothing unusual
SAME_OBJECT_M = 2_000.0            # a younger track so near to where a lost one may be is taken for the same object
LIKELY_BIRD_PROB = 0.5
ALERT_COLUMN = HORIZONS_S.index(rule.ASK_S)
AUTO_COLUMN = HORIZONS_S.index(rule.WIDEN_S)
URGENT_COLUMN = HORIZONS_S.index(rule.URGENT_S)
KEEP_COLUMN = HORIZONS_S.index(rule.KEEP_S)
ALL_COLUMN = len(HORIZONS_S) - 1


@dataclass(frozen=True, slots=True)
class Sites:
    """Populated places of the addressable zones, and the main points of zones without one. Arrays of length n."""

    latitude_rad: Floats
    longitude_rad: Floats
    zone_index: Ints


_CACHE: list[tuple[Pack, Sites]] = []    # of the newest packs: a memo, made again from the pack whenever it is missing
_CACHE_LENGTH = 4


def sites_of(pack: Pack) -> Sites:
    """Return the sites of a pack."""
    for known, sites in _CACHE:
        if known is pack:
            return sites
    addressable = np.array([zone.addressable for zone in pack.zones], dtype=bool)
    zone_of_place = pack.places.zone_index.astype(np.int64)
    keep = (zone_of_place >= 0) & addressable[np.maximum(zone_of_place, 0)] if len(addressable) else zone_of_place >= 0
    bare = addressable.copy()
    bare[zone_of_place[keep]] = False
    bare_rows = np.flatnonzero(bare)
    sites = Sites(
        latitude_rad=np.concatenate([pack.places.latitude_rad[keep],
                                     np.array([pack.zones[i].latitude_rad for i in bare_rows], dtype=np.float64)]),
        longitude_rad=np.concatenate([pack.places.longitude_rad[keep],
                                      np.array([pack.zones[i].longitude_rad for i in bare_rows], dtype=np.float64)]),
        zone_index=np.concatenate([zone_of_place[keep], bare_rows.astype(np.int64)]),
    )
    _CACHE.insert(0, (pack, sites))
    del _CACHE[_CACHE_LENGTH:]
    return sites


def reach_of(sites: Sites, threat: Threat, policy: Policy, elapsed_s: float) -> Reach:
    """Return which zones an object may come near to, with the probability for each horizon.

    Parameters
    ----------
    sites : of the pack
    threat : the object, at its last known place
    policy : of the country
    elapsed_s : since that place was true; 0 for a live track, whose position is predicted to now
    """
    radius_m = policy.alert_zone_m + MARGIN_M
    furthest_m = radius_m + 3.0 * min(threat.position_m_sigma, SIGMA_M_MAX) + threat.speed_mps * (UNTIL_S + elapsed_s) * 1.2
    rows, east, north = _around(sites, threat, furthest_m)
    if not len(rows):
        return no_reach()
    zones, column = np.unique(sites.zone_index[rows], return_inverse=True)
    grid = grid_of(east, north, column.astype(np.int64), radius_m)
    scale = min(1.0, SIGMA_M_MAX / max(threat.position_m_sigma, 1.0))
    prob = near_prob(grid, len(zones), threat.velocity_mps, threat.course_mps,
                     np.array(threat.position_cov_m2) * scale * scale,
                     np.array(threat.velocity_cov), threat.turn_rate_radps, elapsed_s, radius_m)
    some = prob[:, ALL_COLUMN] > 0.0
    return Reach(zones[some].astype(np.int64), prob[some])


def _around(sites: Sites, threat: Threat, furthest_m: float) -> tuple[Ints, Floats, Floats]:
    """Return the sites within a distance, and where they lie on a plane about the object.

    A plane with the scale of the middle latitude: under 0.3 % of the distance within 90 km at these latitudes.
    """
    meridian_m, normal_m = (float(v) for v in curvature_radii_m(threat.latitude_rad))
    near = np.abs(sites.latitude_rad - threat.latitude_rad) * meridian_m <= furthest_m
    rows = np.flatnonzero(near)
    north = (sites.latitude_rad[rows] - threat.latitude_rad) * meridian_m
    middle = (sites.latitude_rad[rows] + threat.latitude_rad) / 2.0
    east = _wrapped(sites.longitude_rad[rows] - threat.longitude_rad) * normal_m * np.cos(middle)
    chosen = np.hypot(east, north) <= furthest_m
    return rows[chosen], east[chosen], north[chosen]


def _wrapped(angle_rad: Floats) -> Floats:
    return np.asarray(np.mod(angle_rad + math.pi, 2.0 * math.pi) - math.pi)


def evaluate(pack: Pack, threat: Threat, others: Iterable[Threat], now_ns: int) -> Threat:
    """Return a threat with its reach reckoned anew and the zones that it asks for."""
    elapsed_s = 0.0 if threat.live else max(0.0, (now_ns - threat.seen_ns) / NS_PER_S)
    if not threat.live and _seen_again(threat, others, elapsed_s):
        # The same object under a new number: it holds what it holds, its area need not grow.
        return replace(threat, evaluated_ns=now_ns, reach=no_reach(), likely=(), asked=(), urgent=(), first=())
    policy = pack.policy
    reach = reach_of(sites_of(pack), threat, policy, elapsed_s)
    unseen = now_ns - threat.last_plot_ns > UNSEEN_S * NS_PER_S
    # A slow object may be a bird: it counts by the chance that it is none. What flies as drones do counts in full.
    reach = replace(reach, prob=reach.prob * _left_prob(threat, policy, now_ns) * (1.0 - threat.harmless_prob))
    now = _chosen(reach, ALERT_COLUMN, policy.alert_prob)
    urgent = _chosen(reach, URGENT_COLUMN, policy.alert_prob)
    likely = (*threat.likely[-2:], now)
    asked = {zone for zone in now if sum(zone in look for look in likely) >= 2} | set(urgent)
    home = nearest_zone(pack, threat)
    first = threat.first           # a lost object keeps it: somebody of that county stays warned over the hold
    if threat.live:
        # Inside the border what it may come near to is known by its reach: a likely bird needs nobody beyond that.
        waits = threat.border_time_s <= policy.alert_lead_s and (threat.border_m > 0.0 or threat.harmless_prob < LIKELY_BIRD_PROB)
        first = _first_zone(pack, reach, threat, home) if waits else ()
    held = tuple(reach.zone_index[kept(reach.prob, policy)].tolist()) if threat.live and not unseen else threat.held
    return replace(threat, evaluated_ns=now_ns, reach=reach, looks=threat.looks + 1, likely=likely,
                   asked=tuple(sorted(asked)), urgent=urgent, held=held, first=first, home=home)


def kept(prob: Floats, policy: Policy) -> Bools:
    """Return which zones stay under alert, by (zones, horizons) probabilities.

    A part of what raises a zone keeps it: an object that shakes at the threshold makes no message.
    """
    return np.asarray((prob[:, KEEP_COLUMN] >= policy.keep_prob) | (prob[:, ALERT_COLUMN] >= rule.KEEP_SHARE * policy.alert_prob))


def _left_prob(threat: Threat, policy: Policy, now_ns: int) -> float:
    """Return what is left of an object without plots: all at first, nothing after half the hold.

    In working coverage an object that shows no plots has most likely ended. What it has been warned of is held; new zones
    are warned of it less and less.
    """
    unseen_s = (now_ns - threat.last_plot_ns) / NS_PER_S - UNSEEN_S
    return min(1.0, max(0.0, 1.0 - unseen_s / max(0.5 * policy.hold_lost_s - UNSEEN_S, 1.0)))


def _chosen(reach: Reach, column: int, at_least: float) -> tuple[int, ...]:
    return tuple(reach.zone_index[reach.prob[:, column] >= at_least].tolist())


def _first_zone(pack: Pack, reach: Reach, threat: Threat, home: int) -> tuple[int, ...]:
    """Return the zone where an object that comes near the border would most likely be first, one person's worth of people.

    One person answers in half the time of two, and the first message is the one that is late.
    """
    small = [i for i, zone in enumerate(reach.zone_index.tolist())
             if pack.zones[zone].population <= pack.policy.two_persons_above]
    if small:
        weight = reach.prob[small] @ np.linspace(2.0, 1.0, len(HORIZONS_S))
        return (int(reach.zone_index[small[int(np.argmax(weight))]]),)
    # Inside, over land without people, only what it could come near to counts.
    return (home,) if threat.border_m >= 0.0 and home >= 0 else ()


def nearest_zone(pack: Pack, threat: Threat) -> int:
    """Return the zone of the populated place nearest to an object, -1 in a pack without zones."""
    sites = sites_of(pack)
    if not len(sites.zone_index):
        return -1
    north = sites.latitude_rad - threat.latitude_rad
    east = _wrapped(sites.longitude_rad - threat.longitude_rad) * math.cos(threat.latitude_rad)
    return int(sites.zone_index[int(np.argmin(north * north + east * east))])


def _seen_again(threat: Threat, others: Iterable[Threat], elapsed_s: float) -> bool:
    for other in others:
        if other.live and other.born_ns >= threat.last_plot_ns - 15 * NS_PER_S:
            meridian_m, normal_m = (float(v) for v in curvature_radii_m(threat.latitude_rad))
            north = (other.latitude_rad - threat.latitude_rad) * meridian_m
            east = (other.longitude_rad - threat.longitude_rad) * normal_m * math.cos(threat.latitude_rad)
            if math.hypot(east, north) <= SAME_OBJECT_M + threat.speed_mps * elapsed_s:
                return True
    return False


def together(threats: Iterable[Threat], zone_count: int) -> Floats:
    """Return (zones, horizons): P(any of the objects comes near)."""
    clear = np.ones((zone_count, len(HORIZONS_S)))
    for threat in threats:
        clear[threat.reach.zone_index] *= 1.0 - threat.reach.prob
    return 1.0 - clear

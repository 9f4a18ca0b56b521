"""Which zones an object could come near to, and how soon.

An object is near a zone when it is within `alert_zone_m` of a populated place of it (its main point where it has none).
The earliest time to that is the distance at the object's worst-case speed plus the time that the turn towards it takes;
the position's uncertainty widens the distance, and for a lost object the time since its last plot is taken off, so its
area grows at class speed. Populated places, not outlines, because people are there and cells are as wide as a commune.
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
from lapwing.warn.state import Reach, Threat, no_zones

HORIZON_S = 1_500.0                # beyond this nothing is reckoned
HORIZON_M = 90_000.0
TURN_RATE_RADPS = math.radians(4.0)      # a one-way UAV turns at 4-7 degrees a second
GROWS_FULLY_RAD, GROWS_BEHIND = math.radians(45.0), 0.25
SIGMA_M_MAX = 3_000.0              # a wider doubt about the position is covered by the hold, not by ever more zones
SPEED_MPS_MOVING = 8.0
SAME_OBJECT_M = 2_000.0            # a younger track so near to where a lost one may be is taken for the same object


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
    """Return which zones an object could come near to, soonest place of each.

    Parameters
    ----------
    sites : of the pack
    threat : the object, at its last known place
    policy : of the country
    elapsed_s : since that place was true; 0 for a live track, whose position is predicted to now
    """
    meridian_m, normal_m = (float(v) for v in curvature_radii_m(threat.latitude_rad))
    furthest_m = min(HORIZON_M, policy.alert_zone_m + SIGMA_M_MAX + threat.speed_mps * (HORIZON_S + elapsed_s))
    near = np.abs(sites.latitude_rad - threat.latitude_rad) * meridian_m <= furthest_m
    rows = np.flatnonzero(near)
    # A plane with the scale of the middle latitude: under 0.3 % of the distance within 90 km at these latitudes.
    north = (sites.latitude_rad[rows] - threat.latitude_rad) * meridian_m
    middle = (sites.latitude_rad[rows] + threat.latitude_rad) / 2.0
    east = _wrapped(sites.longitude_rad[rows] - threat.longitude_rad) * normal_m * np.cos(middle)
    distance_m = np.hypot(east, north)
    chosen = distance_m <= furthest_m
    rows, east, north, distance_m = rows[chosen], east[chosen], north[chosen], distance_m[chosen]
    if not len(rows):
        return Reach(no_zones(), np.zeros(0), np.zeros(0))

    near_m = policy.alert_zone_m + min(threat.position_m_sigma, SIGMA_M_MAX)
    turn = _turn_rad(threat, east, north, distance_m, near_m)
    arrival = np.maximum(0.0, distance_m - near_m) / threat.speed_mps + np.where(distance_m > near_m,
                                                                                turn / TURN_RATE_RADPS, 0.0)
    # A lost object most likely flew on: its area grows at full speed ahead and more slowly to the sides and behind.
    share = np.clip(1.0 - (turn - GROWS_FULLY_RAD) / (math.pi / 2.0), GROWS_BEHIND, 1.0)
    arrival = np.maximum(0.0, arrival - elapsed_s * share)
    zone = sites.zone_index[rows]
    order = np.lexsort((turn, arrival, zone))
    first = np.flatnonzero(np.r_[True, np.diff(zone[order]) != 0])
    best = order[first]
    within = arrival[best] <= HORIZON_S
    return Reach(zone[best][within], arrival[best][within], turn[best][within])


def _turn_rad(threat: Threat, east: Floats, north: Floats, distance_m: Floats, near_m: float) -> Floats:
    """Return the change of course that would bring the object within `near_m` of each point, [0, pi]."""
    v_east, v_north = threat.velocity_mps
    if math.hypot(v_east, v_north) < SPEED_MPS_MOVING:
        return np.zeros_like(east)
    bearing = np.arctan2(east, north) - math.atan2(v_east, v_north)
    off = np.abs(_wrapped(bearing))
    half = np.arcsin(np.minimum(1.0, near_m / np.maximum(distance_m, 1.0)))
    return np.asarray(np.maximum(0.0, off - half))


def _wrapped(angle_rad: Floats) -> Floats:
    return np.asarray(np.mod(angle_rad + math.pi, 2.0 * math.pi) - math.pi)


def within_s(reach: Reach, limit_s: float) -> Bools:
    """Return which zones of a reach could be neared within a time; those abeam and behind must be sooner."""
    return np.asarray(reach.arrival_s <= rule.limit_s(reach.turn_rad, limit_s))


def evaluate(pack: Pack, threat: Threat, others: Iterable[Threat], now_ns: int) -> Threat:
    """Return a threat with its reach reckoned anew and the zones that it asks for put into its history."""
    elapsed_s = 0.0 if threat.live else max(0.0, (now_ns - threat.seen_ns) / NS_PER_S)
    if not threat.live and _seen_again(threat, others, elapsed_s):
        # The same object under a new number: it holds what it holds, its area need not grow.
        return replace(threat, evaluated_ns=now_ns, reach=Reach(no_zones(), np.zeros(0), np.zeros(0)), due=(),
                       urgent=no_zones(), first=no_zones())
    reach = reach_of(sites_of(pack), threat, pack.policy, elapsed_s)
    asked = reach.zone_index[within_s(reach, rule.ASK_S)]
    urgent = reach.zone_index[within_s(reach, rule.URGENT_S)]
    first = no_zones()
    if threat.live and threat.border_time_s <= pack.policy.alert_lead_s:
        first = _first_zones(pack, reach, threat)
        if threat.border_m < 0.0:
            # Inside, only what it could come near to in time counts: it may fly on over land without people for long.
            first = np.intersect1d(first, reach.zone_index[reach.arrival_s <= pack.policy.alert_horizon_s])
    return replace(threat, evaluated_ns=now_ns, reach=reach, due=(*threat.due[-2:], asked), urgent=urgent, first=first)


def _first_zones(pack: Pack, reach: Reach, threat: Threat) -> Ints:
    """Return the zones where an object that comes near the border would be first: the soonest, with the least turn."""
    if len(reach.zone_index):
        cost = reach.arrival_s + reach.turn_rad * 30.0
        order = np.lexsort((reach.zone_index, cost))
        soonest = reach.zone_index[order[cost[order] <= cost[order[0]] + rule.FIRST_SPREAD_S]]
        return np.array(rule.fit_first(pack, (int(i) for i in soonest)), dtype=np.int64)
    sites = sites_of(pack)
    if not len(sites.zone_index):
        return no_zones()
    north = sites.latitude_rad - threat.latitude_rad
    east = _wrapped(sites.longitude_rad - threat.longitude_rad) * math.cos(threat.latitude_rad)
    return sites.zone_index[[int(np.argmin(np.hypot(east, north)))]]


def _seen_again(threat: Threat, others: Iterable[Threat], elapsed_s: float) -> bool:
    for other in others:
        if other.live and other.born_ns >= threat.last_plot_ns - 15 * NS_PER_S:
            meridian_m, normal_m = (float(v) for v in curvature_radii_m(threat.latitude_rad))
            north = (other.latitude_rad - threat.latitude_rad) * meridian_m
            east = (other.longitude_rad - threat.longitude_rad) * normal_m * math.cos(threat.latitude_rad)
            if math.hypot(east, north) <= SAME_OBJECT_M + threat.speed_mps * elapsed_s:
                return True
    return False


def asked_for(threat: Threat) -> Ints:
    """Return the zones that an object asks for now: at two of its last three evaluations, or urgently."""
    if not threat.due:
        return no_zones()
    zones, counts = np.unique(np.concatenate(threat.due), return_counts=True)
    steady = zones[counts >= 2]
    return np.union1d(np.intersect1d(steady, threat.due[-1]), threat.urgent)


def soonest_s(threats: Iterable[Threat], zone_count: int, now_ns: int) -> tuple[Floats, Floats]:
    """Return the earliest arrival of any threat at each zone, and the turn it takes; inf where none could."""
    arrival = np.full(zone_count, np.inf)
    turn = np.full(zone_count, np.pi)
    for threat in threats:
        left = threat.reach.arrival_s - max(0.0, (now_ns - threat.evaluated_ns) / NS_PER_S)
        zone = threat.reach.zone_index
        sooner = left < arrival[zone]
        arrival[zone[sooner]] = left[sooner]
        turn[zone[sooner]] = threat.reach.turn_rad[sooner]
    return arrival, turn


def pre_alerted(threat: Threat, policy: Policy, ahead_s: float) -> Ints:
    """Return the zones that should be ready: near in time, or ahead; none while the object is far from the border."""
    if threat.border_time_s > 2.0 * policy.alert_lead_s or len(threat.due) < 2:
        return no_zones()
    reach = threat.reach
    limit_s = min(ahead_s, policy.alert_horizon_s)
    chosen = (reach.arrival_s <= min(rule.PRE_ALERT_S, limit_s)) | ((reach.arrival_s <= limit_s)
                                                                    & (reach.turn_rad <= rule.PRE_ALERT_TURN_RAD))
    return reach.zone_index[chosen]

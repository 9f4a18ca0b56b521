"""How good a run of warnings was: who was missed, who was warned in vain, who was told too often, who was left waiting.

All rules are those of the manual's page on warnings. In short, for a place and one run (an incident):

* it is *threatened* while a true drone or decoy is within 3 km; t0 and t1 are the first and last such time;
* *lead* is t0 minus the publication of the alert in force at t0 and 30 s of channel; a warning after t0 counts as lead 0
  for those missed (the percentiles of the lead keep the true, negative value);
* *needless* are the person-minutes under alert outside [t0 - 15 min, t1 + 5 min]; from 22 to 6 local time double, pre-alert
  at a tenth;
* *extra* are the messages beyond an alert and its all clear; a *reversal* is a warning (of either level) that
  ends and begins again within 10 min; a *silent end* an expiry without cancel or all clear. An *alarm* is an alert that is
  news to the place: a renewal (``rings`` false) wakes nobody.

A message is in force at a place from its publication until it expires, or a message refers to it. Three baselines are
scored by the same rules: B0 the fixed strip, B1 the 20 km rule, B2 that knows the truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.sim.track_scoring import Path, distances_m

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Span = tuple[float, float]

THREATS = ("drone", "decoy")
NEAR_M = 3_000.0
CHANNEL_S = 30.0
FULL_LEAD_S = 120.0
BEFORE_S, AFTER_S = 900.0, 300.0
REVERSAL_S = 600.0
REACH_M, REACH_S = 30_000.0, 600.0
CLEAR_S = 300.0
NIGHT_FACTOR, PRE_ALERT_FACTOR = 2.0, 0.1
STRIP_M, STRIP_S, STRIP_FROM_M = 15_000.0, 5_400.0, 30_000.0      # B0
RADIUS_M, HOLD_S, STEP_S = 20_000.0, 180.0, 10.0                  # B1
MISSED_WEIGHT, EXTRA_WEIGHT, DELAY_WEIGHT = 10_000.0, 50.0 / 1_000.0, 0.2
OTHER_WEIGHTS = (1_000.0, 100_000.0)
LEAD_WANTED_S = 150.0
GIVEN_S = 390.0        # an object in play so long before t0 gave the sensors a fair chance: lead, channel, officer, tracker


@dataclass(frozen=True, slots=True)
class Places:
    """Where people live, columns of length n; on the home side of the line."""

    lat_deg: Floats
    lon_deg: Floats
    population: Floats
    county: tuple[str, ...]
    codes: Mapping[str, npt.NDArray[np.intp]]     # zone code -> its places, whole counties too
    border_m: Floats                              # distance to the line, positive
    name: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lat_deg)


@dataclass(frozen=True, slots=True)
class Message:
    """One public message, as a line of alerts.jsonl has it."""

    identifier: str
    sent_s: float
    expires_s: float
    level: str                                    # alert | pre_alert | all_clear | watch
    references: tuple[str, ...]                   # identifiers
    covers: Bools                                 # (places,) under it
    cleared: Bools                                # (places,) taken out by it
    rings: bool = True                            # news: a renewal wakes nobody


@dataclass(slots=True)
class Policy:
    """What one policy did at each place: spans under alert and pre-alert, messages, spans that lapsed unsaid."""

    alert: dict[int, list[Span]] = field(default_factory=dict)
    ready: dict[int, list[Span]] = field(default_factory=dict)
    messages: dict[int, int] = field(default_factory=dict)
    alarms: dict[int, int] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    silent_messages: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What the truth says of each place."""

    first_s: Floats                               # t0; inf where never threatened
    last_s: Floats
    given: Bools                                  # threatened, and in play long enough before
    threat_end_s: float                           # of the whole run; -inf without a threat


def truth_of(objects: Sequence[Path], places: Places, territory: Territory) -> Truth:
    """Return when each place was threatened, and when the last threat ended."""
    first, last = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    given = np.zeros(len(places), np.bool_)
    end_s = -math.inf
    for each in threats_among(objects):
        rows = np.flatnonzero(_box(places.lat_deg, places.lon_deg, each, NEAR_M))
        seen = each.time_s[each.in_play] if each.in_play.any() else each.time_s
        for part in np.array_split(rows, max(1, len(rows) * len(each.time_s) // 4_000_000 + 1)):
            near = distances_m(places.lat_deg[part], places.lon_deg[part], each.lat_deg, each.lon_deg) <= NEAR_M
            hit = near.any(axis=1)
            when = each.time_s[np.argmax(near, axis=1)]
            sooner = hit & (when < first[part])
            first[part[sooner]] = when[sooner]
            given[part[sooner]] = float(seen[0]) <= when[sooner] - GIVEN_S
            until = each.time_s[near.shape[1] - 1 - np.argmax(near[:, ::-1], axis=1)]
            last[part] = np.where(hit, np.maximum(last[part], until), last[part])
        away_m = _border_m(territory, each)
        reach = (away_m <= REACH_M + np.hypot(each.east_mps, each.north_mps) * REACH_S) & (
            each.in_play if each.in_play.any() else np.ones(len(away_m), np.bool_))
        if reach.any():
            end_s = max(end_s, float(each.time_s[reach][-1]))
    return Truth(first, last, given, end_s)


def threats_among(objects: Sequence[Path]) -> list[Path]:
    """Return the drones and decoys."""
    return [each for each in objects if each.class_name in THREATS and len(each.time_s)]


def _box(lat_deg: Floats, lon_deg: Floats, path: Path, margin_m: float) -> Bools:
    margin_lat = margin_m / 110_000.0
    margin_lon = margin_lat / max(0.1, math.cos(math.radians(float(np.max(np.abs(path.lat_deg))))))
    return ((lat_deg >= path.lat_deg.min() - margin_lat) & (lat_deg <= path.lat_deg.max() + margin_lat)
            & (lon_deg >= path.lon_deg.min() - margin_lon) & (lon_deg <= path.lon_deg.max() + margin_lon))


def _border_m(territory: Territory, path: Path) -> Floats:
    found = signed_distance(territory, np.radians(path.lat_deg), np.radians(path.lon_deg))
    return np.asarray(found.signed_distance_m, np.float64)


# --- policies ---------------------------------------------------------------------------------------------------------

def of_messages(messages: Sequence[Message], count: int) -> Policy:
    """Return what a run's messages did. `count` is the number of places."""
    ordered = sorted(messages, key=lambda m: (m.sent_s, m.identifier))
    successor: dict[str, float] = {}
    for message in ordered:
        for name in message.references:
            successor.setdefault(name, message.sent_s)
    policy = Policy()
    for message in ordered:
        told = message.covers | message.cleared
        for place in np.flatnonzero(told).tolist():
            policy.messages[place] = policy.messages.get(place, 0) + 1
        if message.level not in ("alert", "pre_alert"):
            continue
        end_s = min(message.expires_s, successor.get(message.identifier, math.inf))
        unreferenced = [m for m in ordered if m.level == "all_clear" and not m.references and m.sent_s >= message.sent_s]
        lapsed = message.expires_s < successor.get(message.identifier, math.inf)
        said_nothing = False
        for place in np.flatnonzero(message.covers).tolist():
            own_end_s = min([end_s, *(m.sent_s for m in unreferenced if m.covers[place])])
            spans = policy.alert if message.level == "alert" else policy.ready
            spans.setdefault(place, []).append((message.sent_s, own_end_s))
            if message.level == "alert" and message.rings:
                policy.alarms[place] = policy.alarms.get(place, 0) + 1
            if lapsed and own_end_s >= message.expires_s:
                policy.silent.add(place)
                said_nothing = True
        policy.silent_messages += said_nothing
    for spans in (policy.alert, policy.ready):
        for place in spans:
            spans[place] = joined(spans[place])
    # A place that is told of again when its message lapses was not left alone.
    policy.silent = {place for place in policy.silent if _left_alone(policy, place, ordered)}
    return policy


def _left_alone(policy: Policy, place: int, ordered: Sequence[Message]) -> bool:
    """Return whether the last warning of a place lapsed with no word then or after."""
    end_s = max((span[1] for spans in (policy.alert, policy.ready) for span in spans.get(place, [])), default=-math.inf)
    return not any((m.covers[place] or m.cleared[place]) and m.sent_s >= end_s - 1.0 for m in ordered)


def joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that touch made one."""
    merged: list[Span] = []
    for start, end in sorted(s for s in spans if s[1] > s[0]):
        if merged and start <= merged[-1][1] + 1e-3:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def fixed_strip(objects: Sequence[Path], places: Places, territory: Territory, truth: Truth, delay_s: float) -> Policy:
    """Return B0: all within 15 km of the border in the counties threatened, 90 min, no all clear."""
    policy = Policy()
    starts = []
    for each in threats_among(objects):
        near = np.flatnonzero(_border_m(territory, each) <= STRIP_FROM_M)
        if len(near):
            starts.append(float(each.time_s[near[0]]))
    counties = {places.county[i] for i in np.flatnonzero(np.isfinite(truth.first_s)).tolist()}
    if not starts:
        return policy
    start_s = min(starts) + delay_s
    for place in np.flatnonzero(places.border_m <= STRIP_M).tolist():
        if places.county[place] in counties:
            policy.alert[place] = [(start_s, start_s + STRIP_S)]
            policy.messages[place] = policy.alarms[place] = 1
            policy.silent.add(place)
    policy.silent_messages = int(bool(policy.silent))
    return policy


def twenty_km(objects: Sequence[Path], places: Places, territory: Territory, delay_s: float) -> Policy:
    """Return B1: all within 20 km of any tracked object that heads for the border or is inside, held for 180 s."""
    on: dict[int, list[Span]] = {}
    for each in threats_among(objects):
        border_m = _border_m(territory, each)
        closing = np.gradient(border_m, each.time_s) < 0.0 if len(border_m) > 1 else np.zeros(1, np.bool_)
        active = each.in_play & (closing | (border_m <= 0.0))
        step = max(1, round(STEP_S / max(1e-3, float(np.median(np.diff(each.time_s))) if len(each.time_s) > 1 else STEP_S)))
        chosen = np.flatnonzero(active)[::step]
        rows = np.flatnonzero(_box(places.lat_deg, places.lon_deg, each, RADIUS_M))
        if not len(chosen) or not len(rows):
            continue
        for part in np.array_split(rows, max(1, len(rows) * len(chosen) // 4_000_000 + 1)):
            near = distances_m(places.lat_deg[part], places.lon_deg[part], each.lat_deg[chosen],
                               each.lon_deg[chosen]) <= RADIUS_M
            for row in np.flatnonzero(near.any(axis=1)).tolist():
                times = each.time_s[chosen[near[row]]]
                breaks = np.flatnonzero(np.diff(times) > HOLD_S)
                for a, b in zip(times[np.r_[0, breaks + 1]], times[np.r_[breaks, len(times) - 1]], strict=True):
                    on.setdefault(int(part[row]), []).append((float(a) + delay_s, float(b) + HOLD_S))
    policy = Policy()
    for place, spans in on.items():
        policy.alert[place] = joined(spans)
        policy.messages[place] = 2 * len(policy.alert[place])
        policy.alarms[place] = len(policy.alert[place])
    return policy


def knows_truth(truth: Truth) -> Policy:
    """Return B2: alert exactly where and while it is needed."""
    policy = Policy()
    for place in np.flatnonzero(np.isfinite(truth.first_s)).tolist():
        start_s = float(truth.first_s[place]) - FULL_LEAD_S - CHANNEL_S
        policy.alert[place] = [(start_s, float(truth.last_s[place]) + 1.0)]
        policy.messages[place], policy.alarms[place] = 2, 1
    return policy


# --- figures ----------------------------------------------------------------------------------------------------------

def figures(policy: Policy, truth: Truth, places: Places, night: Sequence[Span]) -> dict[str, Any]:
    """Return the figures of one policy.

    Parameters
    ----------
    night : spans of time that count double
    """
    people = places.population
    threatened = np.flatnonzero(np.isfinite(truth.first_s))
    leads, lead_people = leads_of(policy, truth), people[threatened].tolist()
    given_rows = np.flatnonzero(truth.given[threatened]).tolist()
    missed_at = missed_people(policy, truth, places)
    missed = float(missed_at.sum())
    needless = float(needless_person_min(policy, truth, places, night).sum())
    delays = clear_delays_min(policy, truth)
    delay_people = sum(late_min * people[place] for place, late_min in delays.items())
    reversed_people = warned_people = alarm_people = message_people = extra_people = 0.0
    for place in sorted({*policy.alert, *policy.ready}):
        alert, ready = policy.alert.get(place, []), policy.ready.get(place, [])
        told = policy.messages.get(place, 0)
        extra_people += people[place] * max(0, told - 2)
        if not alert:
            continue
        warned_people += people[place]
        alarm_people += people[place] * policy.alarms.get(place, 0)
        message_people += people[place] * told
        warned = joined([*alert, *ready])          # lowered to "be ready" is not off: off is what people are told is over
        if any(b[0] - a[1] < REVERSAL_S for a, b in pairwise(warned)):
            reversed_people += people[place]
    total = float(people[threatened].sum())
    costs = {f"cost_at_{weight:.0f}": weight * missed + needless + EXTRA_WEIGHT * extra_people
             + DELAY_WEIGHT * delay_people for weight in (OTHER_WEIGHTS[0], MISSED_WEIGHT, OTHER_WEIGHTS[1])}
    return {
        "threatened_people": round(total), "warned_people": round(warned_people),
        "missed_people": round(missed, 1), "missed_share": share(missed, total),
        "missed_share_where_given": share(float(missed_at[truth.given].sum()), float(people[truth.given].sum())),
        "given_people": round(float(people[truth.given].sum())),
        "lead_s_worst": min(leads, default=None), "lead_s_p5": quantile(leads, lead_people, 0.05),
        "lead_s_median": quantile(leads, lead_people, 0.5),
        "lead_s_p5_where_given": quantile([leads[i] for i in given_rows], [lead_people[i] for i in given_rows], 0.05),
        "needless_person_min": round(needless, 1),
        "extra_messages_per_1000": round(1_000.0 * share(extra_people, warned_people), 2),
        "messages_per_person": round(share(message_people, warned_people), 3),
        "alarms_per_person": round(share(alarm_people, warned_people), 3),
        "reversal_share": round(share(reversed_people, warned_people), 5),
        "silent_ends": policy.silent_messages if policy.silent else 0,
        "silent_people": round(float(people[sorted(policy.silent)].sum())) if policy.silent else 0,
        "clear_delay_min_median": quantile(list(delays.values()), [people[place] for place in delays], 0.5),
        "cost": round(costs[f"cost_at_{MISSED_WEIGHT:.0f}"], 1), **{k: round(v, 1) for k, v in costs.items()},
    }


def leads_of(policy: Policy, truth: Truth) -> list[float]:
    """Return the lead at each place threatened, in their order; 0 where no warning came."""
    found = [_lead_s(policy.alert.get(place, []), float(truth.first_s[place]), float(truth.last_s[place]))
             for place in np.flatnonzero(np.isfinite(truth.first_s)).tolist()]
    return [0.0 if lead_s is None else lead_s for lead_s in found]


def clear_delays_min(policy: Policy, truth: Truth) -> dict[int, float]:
    """Return how late the end of the last alert of each place warned was, minutes; none where nobody was a threat."""
    if not math.isfinite(truth.threat_end_s):
        return {}
    return {place: max(0.0, alert[-1][1] - truth.threat_end_s - CLEAR_S) / 60.0 for place, alert in sorted(policy.alert.items()) if alert}


def missed_people(policy: Policy, truth: Truth, places: Places) -> Floats:
    """Return the people missed at each place."""
    missed = np.zeros(len(places))
    for place in np.flatnonzero(np.isfinite(truth.first_s)).tolist():
        lead_s = _lead_s(policy.alert.get(place, []), float(truth.first_s[place]), float(truth.last_s[place]))
        missed[place] = places.population[place] * max(0.0, 1.0 - max(0.0, 0.0 if lead_s is None else lead_s) / FULL_LEAD_S)
    return missed


def needless_person_min(policy: Policy, truth: Truth, places: Places, night: Sequence[Span]) -> Floats:
    """Return the needless person-minutes at each place: (places, 2), under alert and under pre-alert."""
    needless = np.zeros((len(places), 2))
    for place in sorted({*policy.alert, *policy.ready}):
        alert = policy.alert.get(place, [])
        window = (float(truth.first_s[place]) - BEFORE_S, float(truth.last_s[place]) + AFTER_S)
        needless[place, 0] = sum(_minutes(piece, night) for span in alert for piece in _without(span, [window]))
        needless[place, 1] = PRE_ALERT_FACTOR * sum(_minutes(piece, night) for span in policy.ready.get(place, [])
                                                    for piece in _without(span, [*alert, window]))
    return needless * places.population[:, None]


def _lead_s(alert: Sequence[Span], first_s: float, last_s: float) -> float | None:
    """Return the lead of the alert in force at t0, else of the first that came while the threat lasted; None: none."""
    for start, end in alert:
        if start <= first_s < end:
            return first_s - start - CHANNEL_S
    late = [start for start, _ in alert if first_s < start <= last_s]
    return first_s - late[0] - CHANNEL_S if late else None


def _without(span: Span, others: Sequence[Span]) -> list[Span]:
    """Return the pieces of a span outside others."""
    pieces = [span]
    for low, high in others:
        if high <= low:
            continue               # a place that is never threatened has no window
        pieces = [piece for start, end in pieces
                  for piece in ((start, min(end, low)), (max(start, high), end)) if piece[1] > piece[0]]
    return pieces


def _minutes(span: Span, night: Sequence[Span]) -> float:
    dark = sum(max(0.0, min(span[1], end) - max(span[0], start)) for start, end in night)
    return (span[1] - span[0] + (NIGHT_FACTOR - 1.0) * dark) / 60.0


def share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else 0.0


def quantile(values: Sequence[float], weights: Sequence[float], at: float) -> float | None:
    """Return the value that a share `at` of the people lie at or below."""
    if not values:
        return None
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.asarray(weights, np.float64)[order])
    row = int(np.searchsorted(total, at * total[-1])) if total[-1] > 0.0 else 0
    return round(float(np.asarray(values)[order][min(row, len(values) - 1)]), 1)

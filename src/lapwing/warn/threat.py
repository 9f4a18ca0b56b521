"""Which objects are a threat: confirmed, judged, able to reach the border soon; and for a while after they are lost.

A threat lives while its track lives or coasts (two minutes) and it can come within `reach_border_m` of the border in `reach_time_s`
at its class's speed. A lost one stays for `hold_lost_s` after its last plot. What is probably a bird, a cloud, a
balloon, a surface object or an airliner is no reason for a public warning; nor is what the judge calls traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lapwing.country.pack import Policy
from lapwing.model.plots import Bools, Floats
from lapwing.model.times import NS_PER_S, from_seconds
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import BorderStates
from lapwing.warn.flights import COURSE_S
from lapwing.warn.state import Candidate, Threat, no_reach

# Highest usual ground speed of each class, m/s, in the order of CLASSES (the domain's parameter sheet: long-range
# one-way UAV 40-58, decoy 14-50, balloons drift with the wind, helicopter 45-65, light aircraft 45-72 typical).
CLASS_SPEED_MPS = np.array([58.0, 50.0, 35.0, 23.0, 65.0, 72.0, 250.0, 300.0, 25.0, 40.0])
HARMLESS = [CLASSES.index(name) for name in ("bird", "weather", "surface", "balloon", "airliner")]
# Asymmetric on purpose: an object that has been a threat needs more proof to stop being one.
HARMLESS_PROB_NEW, HARMLESS_PROB_KNOWN = 0.80, 0.92
# When a new object is known well enough to warn of it. At a long-range drone's speed: two plots since it was confirmed,
# or a track of many plots. Faster, as clutter joined to a track seems to fly: longer. Slow, as birds fly: longer still,
# because their class shows in a minute or two, and a slow object leaves the time for it.
USUAL_MPS = (28.0, 75.0)
USUAL_PLOTS, TRACK_PLOTS = 2, 6
FAST_PLOTS, FAST_S = 3, 25.0
SLOW_PLOTS, SLOW_S, SLOW_HARMLESS_PROB = 5, 90.0, 0.75
# The tracker's classes say how an object flies, with priors that leave in doubt what flies as birds do. Of those that do, far more are
# birds than decoys running down; nearly all, where nobody saw them come in, or where they have not come in of a purpose: along less
# than half of the way that they have flown since.
SLOW_TO_USUAL = 3                  # one that was slow at first: so many plots for each at which it was
BIRD_ODDS, ASTRAY_ODDS = 5.0, 10.0
SEEN_INSIDE_M, COMING_SHARE_MIN = -1_000.0, 0.5
# First seen well inside in working coverage, without anything having been seen to come in: clutter or an aircraft that does
# not answer far more often than a drone. A longer look by several sensors, until its speed is known; by one a long look.
INSIDE_M, INSIDE_PLOTS, INSIDE_S = -5_000.0, 15, 120.0
INSIDE_BOTH_PLOTS, INSIDE_BOTH_S = 5, 20.0
SIGMA_M_NEW = 600.0                # a new one must be placed so well
REACH_SLACK = 1.1                  # hysteresis of the reach rule, for threats already known
EVALUATE_EVERY_S = 5.0             # without a new plot
EVALUATE_PLOT_S = 3.5              # with one, but a new object at once
EVALUATE_FAR_S = 12.0              # one that comes near nowhere
TURN_ALLOWED_RAD = math.radians(45.0)   # how far an object may turn before we call it flying away from the border
SPEED_MPS_MIN = 20.0               # slower ones are reckoned with this: they may speed up again
BORDER_SPEED_MPS_MIN = 45.0        # likewise for the time to the border strip, where being late costs most
SPEED_MPS_MOVING = 8.0             # below this the direction of flight says nothing
# A tracker coasts a track for a minute and a half. It may fly one on for longer where no sensor reports at all: such a one is
# held where it was last seen, as a lost one is, and does not wander over the map for hours.
COASTED_S = 120.0

IDENTIFIED, GONE = "identified", "gone"


@dataclass(frozen=True, slots=True)
class Threats:
    """What one step finds: the threats now, and those that ended in it with the reason (IDENTIFIED or GONE)."""

    now: tuple[Threat, ...]
    ended: tuple[tuple[str, str], ...]
    due_for_reach: tuple[str, ...]       # ids whose reach must be reckoned anew
    candidates: tuple[Candidate, ...] = ()


def update(threats: tuple[Threat, ...], candidates: tuple[Candidate, ...], tracks: Tracks, states: BorderStates,
           policy: Policy, now_ns: int) -> Threats:
    """Return the threats after a step, oldest first.

    Parameters
    ----------
    threats, candidates : of the step before
    tracks, states : rows of the live tracks and where they stand to the border
    policy : of the country
    now_ns : time of the step
    """
    assert len(tracks) == len(states), "the judge answers for every row of the tracks"
    known = {threat.track_id: threat for threat in threats}
    speed_mps = np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1]) if len(tracks) else np.zeros(0)
    class_speed_mps = tracks.class_prob @ CLASS_SPEED_MPS if len(tracks) else np.zeros(0)
    top_mps = np.maximum(speed_mps, class_speed_mps)
    harmless_prob = tracks.class_prob[:, HARMLESS].sum(axis=1) if len(tracks) else np.zeros(0)
    was = np.array([track_id in known for track_id in tracks.track_id], dtype=bool)
    serious = _serious(tracks, states, harmless_prob, was)
    reaching = _reaching(states, top_mps, policy, was)

    now: dict[str, Threat] = {}
    ended: list[tuple[str, str]] = []
    due: list[str] = []
    coasted = np.asarray(now_ns - tracks.last_plot_ns > from_seconds(COASTED_S))
    rows = {tracks.track_id[row]: row for row in np.flatnonzero(was & ~coasted).tolist()}
    for threat in threats:
        row = rows.get(threat.track_id, -1)
        if row < 0:
            if now_ns - threat.last_plot_ns < from_seconds(policy.hold_lost_s):
                now[threat.track_id] = _lost(threat)
            else:
                ended.append((threat.track_id, GONE))
        elif not serious[row]:
            ended.append((threat.track_id, IDENTIFIED))
        elif not reaching[row]:
            ended.append((threat.track_id, GONE))
    watched = {candidate.track_id: candidate for candidate in candidates}
    waiting: list[Candidate] = []
    for row in np.flatnonzero(reaching & ~coasted & (serious | (tracks.confirmed & ~was & ~tracks.cooperative))).tolist():
        if not was[row]:
            # A flock is watched too: when its speed is misjudged once, how it flew before still tells.
            candidate = _seen(watched.get(tracks.track_id[row]), tracks, states, row, float(speed_mps[row]), now_ns)
            if not serious[row] or not _known_well(
                    candidate, tracks, row, float(speed_mps[row]), float(harmless_prob[row]), now_ns):
                waiting.append(candidate)
                continue
        else:
            candidate = _seen(known[tracks.track_id[row]].seen, tracks, states, row, float(speed_mps[row]), now_ns)
        threat = _live(tracks, states, row, known.get(tracks.track_id[row]), float(top_mps[row]), policy, now_ns)
        if speed_mps[row] < USUAL_MPS[0]:
            bird_prob = _bird_prob(candidate, float(harmless_prob[row]), float(states.border_m[row]), float(speed_mps[row]), now_ns)
            threat = replace(threat, harmless_prob=bird_prob)
        threat = replace(threat, seen=candidate)
        now[threat.track_id] = threat
        wait_s = EVALUATE_PLOT_S if bool(tracks.updated[row]) else EVALUATE_EVERY_S
        if threat.looks and not len(threat.reach.zone_index):
            wait_s = EVALUATE_FAR_S
        if now_ns - threat.evaluated_ns >= from_seconds(wait_s):
            due.append(threat.track_id)
    due += [t.track_id for t in now.values()
            if not t.live and now_ns - t.evaluated_ns >= from_seconds(EVALUATE_EVERY_S)]
    ordered = sorted(now.values(), key=lambda t: (t.born_ns, t.track_id))
    return Threats(tuple(ordered), tuple(ended), tuple(sorted(due)), tuple(waiting))


def _seen(before: Candidate | None, tracks: Tracks, states: BorderStates, row: int, speed_mps: float, now_ns: int) -> Candidate:
    """Return a candidate with this step counted."""
    plot, slow = int(tracks.updated[row]), int(tracks.updated[row] and speed_mps < USUAL_MPS[0])
    if before is None:
        return Candidate(tracks.track_id[row], now_ns, plot, float(states.border_m[row]), slow)
    return replace(before, plots=before.plots + plot, slow_plots=before.slow_plots + slow) if plot else before


def _known_well(candidate: Candidate, tracks: Tracks, row: int, speed_mps: float, harmless_prob: float,
                now_ns: int) -> bool:
    """Whether enough is known of an object to warn of it."""
    if bool(tracks.coasting[row]) or _worst_m_sigma(tracks.state_cov[row, :2, :2] + tracks.bias_cov_m2[row]) > SIGMA_M_NEW:
        return False
    age_s = (now_ns - candidate.first_ns) / NS_PER_S
    if speed_mps < USUAL_MPS[0]:
        if candidate.border_m < SEEN_INSIDE_M:
            return False
        return candidate.plots >= SLOW_PLOTS and age_s >= SLOW_S and harmless_prob < SLOW_HARMLESS_PROB
    if candidate.slow_plots and candidate.plots < SLOW_TO_USUAL * candidate.slow_plots:
        return False
    if candidate.border_m < INSIDE_M:
        alone = int(tracks.sensor_count[row]) <= 1
        return (candidate.plots >= (INSIDE_PLOTS if alone else INSIDE_BOTH_PLOTS)
                and age_s >= (INSIDE_S if alone else INSIDE_BOTH_S))
    if speed_mps > USUAL_MPS[1]:
        return candidate.plots >= FAST_PLOTS and age_s >= FAST_S
    return candidate.plots >= USUAL_PLOTS or int(tracks.plot_count[row]) >= TRACK_PLOTS


def _bird_prob(seen: Candidate, harmless_prob: float, border_m: float, speed_mps: float, now_ns: int) -> float:
    """Return the chance that a slow object is a bird or the like: the tracker's where it has been faster, else by how it came too."""
    if 2 * seen.slow_plots < seen.plots:
        return harmless_prob
    flown_m = speed_mps * (now_ns - seen.first_ns) / NS_PER_S
    came = seen.border_m >= SEEN_INSIDE_M and seen.border_m - border_m >= COMING_SHARE_MIN * flown_m
    odds = BIRD_ODDS * (1.0 if came else ASTRAY_ODDS)
    return harmless_prob * odds / (1.0 - harmless_prob + harmless_prob * odds)


def _serious(tracks: Tracks, states: BorderStates, harmless_prob: Floats, was: Bools) -> Bools:
    limit = np.where(was, HARMLESS_PROB_KNOWN, HARMLESS_PROB_NEW)
    return np.asarray((tracks.confirmed | was) & states.judged & (harmless_prob < limit))


def _reaching(states: BorderStates, top_mps: Floats, policy: Policy, was: Bools) -> Bools:
    """Return which objects can come within `reach_border_m` of the border in time. Unknown distance: no."""
    within_m = policy.reach_border_m + top_mps * policy.reach_time_s * np.where(was, REACH_SLACK, 1.0)
    return np.asarray(states.border_m <= within_m)


def _live(tracks: Tracks, states: BorderStates, row: int, before: Threat | None, top_mps: float, policy: Policy,
          now_ns: int) -> Threat:
    east, north = (float(v) for v in tracks.velocity_mps[row])
    speed = math.hypot(east, north)
    speed_sigma = math.sqrt(max(0.0, float(tracks.state_cov[row, 2, 2] + tracks.state_cov[row, 3, 3]) / 2.0))
    worst_mps = max(SPEED_MPS_MIN, min(speed + speed_sigma, max(top_mps, speed)))
    return Threat(
        track_id=tracks.track_id[row],
        born_ns=int(tracks.born_ns[row]),
        last_plot_ns=int(tracks.last_plot_ns[row]),
        live=True,
        seen_ns=now_ns,
        evaluated_ns=before.evaluated_ns if before else -NS_PER_S * 3600,
        latitude_rad=float(tracks.latitude_rad[row]),
        longitude_rad=float(tracks.longitude_rad[row]),
        velocity_mps=(east, north),
        course_mps=_course_mps(before, east, north, now_ns),
        speed_mps=worst_mps,
        position_m_sigma=_worst_m_sigma(tracks.state_cov[row, :2, :2] + tracks.bias_cov_m2[row]),
        registration_m_sigma=_worst_m_sigma(tracks.bias_cov_m2[row]),
        position_cov_m2=_four(tracks.state_cov[row, :2, :2] + tracks.bias_cov_m2[row]),
        velocity_cov=_four(tracks.state_cov[row, 2:, 2:]),
        turn_rate_radps=float(tracks.turn_rate_radps[row]),
        border_m=float(states.border_m[row]),
        border_time_s=_border_time_s(tracks, states, row, worst_mps, policy),
        sensor_count=int(tracks.sensor_count[row]),
        reach=before.reach if before else no_reach(),
        looks=before.looks if before else 0,
        likely=before.likely if before else (),
        asked=before.asked if before else (),
        urgent=before.urgent if before else (),
        held=before.held if before else (),
        first=before.first if before else (),
        home=before.home if before else -1,
    )


def _course_mps(before: Threat | None, east: float, north: float, now_ns: int) -> tuple[float, float]:
    """Return the velocity made good over the last minutes."""
    if before is None:
        return east, north
    share = 1.0 - math.exp(-max(0, now_ns - before.seen_ns) / NS_PER_S / COURSE_S)
    return (before.course_mps[0] + share * (east - before.course_mps[0]),
            before.course_mps[1] + share * (north - before.course_mps[1]))


def _four(matrix: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    return (float(matrix[0, 0]), float(matrix[0, 1])), (float(matrix[1, 0]), float(matrix[1, 1]))


def _lost(threat: Threat) -> Threat:
    """Return a threat whose track is gone: it stays where it was last, `zones` lets its area grow."""
    if not threat.live:
        return threat
    return replace(threat, live=False)


def doubtful(policy: Policy, threat: Threat) -> bool:
    """Whether an object rests on one sensor, or on sensors whose alignment is not known: a supervisor decides on it."""
    return threat.sensor_count <= 1 or threat.registration_m_sigma > policy.registered_m


def _worst_m_sigma(cov_m2: Floats) -> float:
    """Return the standard deviation along the worst axis of a (2, 2) covariance, metres."""
    middle, half = (cov_m2[0, 0] + cov_m2[1, 1]) / 2.0, (cov_m2[0, 0] - cov_m2[1, 1]) / 2.0
    return math.sqrt(max(0.0, float(middle + math.hypot(half, cov_m2[0, 1]))))


def _border_time_s(tracks: Tracks, states: BorderStates, row: int, speed_mps: float, policy: Policy) -> float:
    """Return the worst-case time until the object is within `alert_border_m` of the border; inf: flying away.

    Worst case: it turns up to 45 degrees towards the nearest point of the border and flies at class speed.
    """
    rest_m = float(states.border_m[row]) - policy.alert_border_m
    if not math.isfinite(rest_m):
        return math.inf
    if rest_m <= 0.0:
        return 0.0
    east, north = tracks.velocity_mps[row]
    share = 1.0
    if math.hypot(east, north) >= SPEED_MPS_MOVING:
        # On a plane of the middle latitude: the bearing is good to a degree at 60 km, and 45 are allowed for.
        latitude, nearest = float(tracks.latitude_rad[row]), float(states.nearest_latitude_rad[row])
        along = float(states.nearest_longitude_rad[row] - tracks.longitude_rad[row]) * math.cos((latitude + nearest) / 2.0)
        bearing = math.atan2(along, nearest - latitude)
        off = abs(math.remainder(bearing - math.atan2(east, north), 2.0 * math.pi))
        share = math.cos(max(0.0, off - TURN_ALLOWED_RAD)) if math.isfinite(off) else 1.0
    if share <= 0.1:
        return math.inf
    return rest_m / (max(speed_mps, BORDER_SPEED_MPS_MIN) * share)

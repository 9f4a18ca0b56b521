"""What is told of each object under judgement: first seen, confirmed, closest, inside, outside again, lost, ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lapwing.model.alerts import Warned
from lapwing.model.sensors import TRACKER, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, Tracks, TrackUpdate
from lapwing.model.verdicts import Judgement
from lapwing.record.incident_words import Draft, clock, distance

# An object is told of once it comes so near the border or is a threat; farther ones would bury the rest.
TOLD_WITHIN_M = 50_000.0
# Inside and outside in the live picture, with hysteresis; between the two the last word stands.
INSIDE_PROB, OUTSIDE_PROB = 0.95, 0.05
# It recedes when it is this much beyond its closest point: over the wobble of a track, under a minute of flight.
RECEDING_M, RECEDING_SIGMAS = 1_000.0, 2.0
# A closest approach farther out than this is nobody's news.
APPROACH_WITHIN_M = 10_000.0
# Without plots so long: lost from sight (the same stretch that a verdict's evidence calls a gap).
LOST_NS = 30 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Seen:
    """What was told of one track, and what must be remembered to tell the rest."""

    judged: bool = True
    closest_m: float = math.inf
    closest_ns: int = 0
    closest_latitude_rad: float = math.nan
    closest_longitude_rad: float = math.nan
    told_closest_m: float = math.inf        # closest approach already told
    inside: bool = False
    lost: bool = False


def object_events(seen: dict[str, Seen], sensors: SensorTable, update: TrackUpdate, judgement: Judgement,
                  warned: Warned, now_ns: int) -> tuple[dict[str, Seen], list[Draft]]:
    """Return the memory of the live tracks and the events of this step, in order of track rows."""
    tracks, states = update.tracks, judgement.states
    assert len(states) == len(tracks), "the judge's rows are those of the tracks"
    threats = frozenset(warned.threats)
    kept: dict[str, Seen] = {}
    drafts: list[Draft] = []
    near = tracks.confirmed & states.judged & (np.abs(states.border_m) < TOLD_WITHIN_M)
    told = [row for row, (track_id, worth) in enumerate(zip(tracks.track_id, near.tolist(), strict=True))
            if worth or track_id in seen or track_id in threats]
    for row in told:
        track_id = tracks.track_id[row]
        known = seen.get(track_id)
        if known is None:
            if not (near[row] or (tracks.confirmed[row] and states.judged[row])):
                continue
            known = Seen()
            drafts += _introduction(tracks, judgement, sensors, row, now_ns)
        kept[track_id], more = _row_events(known, tracks, judgement, row, now_ns)
        drafts += more
    return kept, drafts + _ended(seen, kept, update, now_ns)


def _introduction(tracks: Tracks, judgement: Judgement, sensors: SensorTable, row: int, now_ns: int) -> list[Draft]:
    track_id = tracks.track_id[row]
    mask = int(tracks.sensors_mask[row])
    names = [sensor.id + (" (tracks of a neighbour)" if sensor.kind == TRACKER else "")
             for i, sensor in enumerate(sensors.rows[:64]) if mask >> i & 1]
    by = f" by {', '.join(names)}" if names else ""
    name = CLASSES[int(tracks.class_prob[row].argmax())].replace("_", " ")
    where = (float(tracks.latitude_rad[row]), float(tracks.longitude_rad[row]))
    speed_mps = float(np.hypot(*tracks.velocity_mps[row]))
    first = Draft("first_detection", int(tracks.born_ns[row]), f"First plot of {track_id}{by}", "info", (track_id,))
    text = (f"{track_id} confirmed from {int(tracks.plot_count[row])} plots: likeliest {name} "
            f"({100 * float(tracks.class_prob[row].max()):.0f} %), {speed_mps:.0f} m/s, "
            f"{distance(float(judgement.states.border_m[row]))}")
    return [first, Draft("track_confirmed", now_ns, text, "info", (track_id,), *where)]


def _row_events(known: Seen, tracks: Tracks, judgement: Judgement, row: int, now_ns: int) -> tuple[Seen, list[Draft]]:
    """Return the new memory of one live track and what is to be told of it now."""
    states, track_id = judgement.states, tracks.track_id[row]
    where = (float(tracks.latitude_rad[row]), float(tracks.longitude_rad[row]))
    drafts: list[Draft] = []

    def tell(kind: str, text: str, severity: str) -> None:
        drafts.append(Draft(kind, now_ns, text, severity, (track_id,), *where))

    judged = bool(states.judged[row])
    if judged != known.judged:
        reason = states.traffic_reason[row].replace("_", " ")
        tell("set_aside" if not judged else "judged_again",
             f"{track_id} is no longer under judgement: {reason}" if not judged
             else f"{track_id} is under judgement again", "info")
        known = replace(known, judged=judged)
    known, lost = _sight(known, int(tracks.last_plot_ns[row]), bool(tracks.coasting[row]), now_ns)
    if lost:
        kind, text, severity = lost
        tell(kind, f"{track_id} {text}, {distance(float(states.border_m[row]))} by prediction" if known.lost
             else f"{track_id} {text}", severity)
    if not judged:
        return known, drafts
    known, recedes = _approach(known, tracks, judgement, row)
    if recedes or (lost and known.lost and _is_news(known)):
        drafts.append(_closest(track_id, known, "and recedes" if recedes else "where it was lost from sight"))
        known = replace(known, told_closest_m=known.closest_m)
    inside_prob = float(states.inside_prob[row])
    if not known.inside and inside_prob >= INSIDE_PROB:
        tell("entry", f"{track_id} shows inside: {distance(float(states.border_m[row]))}, "
             f"probability {100 * inside_prob:.0f} %", "alarm")
        known = replace(known, inside=True)
    elif known.inside and inside_prob <= OUTSIDE_PROB:
        tell("exit", f"{track_id} shows outside again: {distance(float(states.border_m[row]))}", "warning")
        known = replace(known, inside=False)
    return known, drafts


def _sight(known: Seen, last_plot_ns: int, coasting: bool, now_ns: int) -> tuple[Seen, tuple[str, str, str] | None]:
    """Return the memory, and (kind, text, severity) where the object was lost from sight or found again."""
    silent_ns = now_ns - last_plot_ns
    if not known.lost and coasting and silent_ns > LOST_NS:
        text = f"lost from sight: no plot for {silent_ns // NS_PER_S} s, coasting"
        return replace(known, lost=True), ("lost", text, "warning")
    if known.lost and silent_ns <= LOST_NS:
        return replace(known, lost=False), ("regained", "seen again", "notice")
    return known, None


def _approach(known: Seen, tracks: Tracks, judgement: Judgement, row: int) -> tuple[Seen, bool]:
    """Return the memory of the closest point, and whether the object now recedes from one not told yet.

    Only plots count: a coasting track's prediction is no sighting of a closest point.
    """
    border_m = float(judgement.states.border_m[row])
    if math.isnan(border_m):
        return known, False
    if border_m < known.closest_m and not tracks.coasting[row]:
        return replace(known, closest_m=border_m, closest_ns=int(tracks.time_ns[row]),
                       closest_latitude_rad=float(tracks.latitude_rad[row]),
                       closest_longitude_rad=float(tracks.longitude_rad[row])), False
    sigma_m = float(judgement.states.border_m_sigma[row])
    margin_m = max(RECEDING_M, RECEDING_SIGMAS * sigma_m if math.isfinite(sigma_m) else 0.0)
    return known, _is_news(known) and border_m > known.closest_m + margin_m


def _is_news(known: Seen) -> bool:
    """Return whether the closest point is near enough to tell, and clearly nearer than the one told before."""
    return known.closest_m < min(known.told_closest_m - RECEDING_M, APPROACH_WITHIN_M)


def _closest(track_id: str, known: Seen, then: str) -> Draft:
    text = (f"{track_id} was closest to the border at {clock(known.closest_ns)}: {distance(known.closest_m)} "
            f"in the live picture, {then}")
    return Draft("closest_approach", known.closest_ns, text, "notice", (track_id,), known.closest_latitude_rad,
                 known.closest_longitude_rad)


def _ended(seen: dict[str, Seen], kept: dict[str, Seen], update: TrackUpdate, now_ns: int) -> list[Draft]:
    """Return a line for each track that was told of and is no longer live."""
    ends = {trajectory.track_id: trajectory for trajectory in update.ended}
    drafts = []
    for track_id, known in seen.items():
        if track_id in kept:
            continue
        trajectory = ends.get(track_id)
        when = ""
        if trajectory is not None and trajectory.measured.any():
            when = f"; last plot at {clock(int(trajectory.time_ns[trajectory.measured].max()))}"
        if known.judged and _is_news(known):
            drafts.append(_closest(track_id, known, "where it ended"))
        drafts.append(Draft("track_ended", now_ns, f"{track_id} ended{when}", "info", (track_id,)))
    return drafts

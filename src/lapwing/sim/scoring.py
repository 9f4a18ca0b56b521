"""Outputs of a played story against what the story expects, by the rules of the stories' README.

Each `Check` says what was found and what was expected. What the rules do not demand (an object that no sensor saw, a
warning without a deadline) is listed with `demanded` False and never fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.model.times import from_iso, to_iso
from lapwing.sim.matching import Matched, match_tracks
from lapwing.sim.motion import Motion
from lapwing.sim.people import Village, fold
from lapwing.sim.radar import TIME_STEPS
from lapwing.sim.recording import Recording, shipped_villages

Row = Mapping[str, Any]

PLOTS_MIN = 5  # of an object before a distance is demanded
SIGMAS = 3.0
INTERVAL_SIGMAS = 2.0 * 1.96  # width of a 95 % interval
PLACE_NEAR_M, PLACE_LEAD_S = 3_000.0, 150.0
TIMES_HOLD_NS = 3_000_000_000
VISIBLE_TO_END_NS = 60_000_000_000
SEEN_LATELY_NS = 600_000_000_000  # a place's warning is demanded before an object that was seen within ten minutes
NOT_SCORED = ("PL-10", "PL-14", "PL-26")  # no polygon: see the README
# Words of a story's `notify` -> partner of a pack.
PARTNERS = {"nato": "NATO", "moldova": "MD", "ukraine": "UA", "latvia": "LV", "poland": "PL", "lithuania": "LT"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the story expects."""

    name: str
    ok: bool
    found: str
    expected: str
    demanded: bool = True


def score_story(
    recording: Recording,
    *,
    verdicts: Sequence[Row],
    traffic: Sequence[Row] = (),
    alerts: Sequence[Row] = (),
    notices: Sequence[Row] = (),
    patrol: Sequence[Row] = (),
    tracks: Mapping[str, Any],
    territory: Territory | None = None,
) -> list[Check]:
    """Return every check of a story.

    Parameters
    ----------
    verdicts, traffic, alerts, notices, patrol : rows of the .jsonl files of the same names
    tracks : columns of tracks.parquet (`match_tracks`)
    territory : the line that the run was judged by. With it, the distance demanded of an object whose closest point
        was not seen is that over the time in which it was tracked; without it, such a distance is not demanded
    """
    story, expected = recording.story, recording.story.expected
    matched = match_tracks(recording.motions, story.start_ns, tracks)
    rows = [row for row in verdicts if row.get("country", story.country) == story.country]
    checks = []
    if expected.get("verdict"):
        checks.append(_verdict(str(expected["verdict"]), rows))
    for name, values in (expected.get("per_object") or {}).items():
        checks += _object(recording, str(name), values, rows, matched, territory)
    checks += _warnings(recording, alerts)
    checks += _places(recording, alerts)
    checks.append(_spared(recording, alerts, matched))
    checks += _all_clear(recording, alerts)
    checks += _patrol(recording, patrol)
    checks += _notify(recording, notices)
    return checks


def story_result(verdicts: Sequence[Row]) -> str:
    """Return a run's result: entered if any line is, else undetermined if any is, else not_entered."""
    words = [str(row.get("verdict")) for row in verdicts]
    return next((word for word in ("entered", "undetermined") if word in words), "not_entered")


def _verdict(wanted: str, rows: Sequence[Row]) -> Check:
    found = story_result(rows)
    prob = max((float(row.get("entered_prob") or 0.0) for row in rows), default=0.0)
    if wanted == "probably_entered":
        ok = found == "entered" or (found == "undetermined" and prob >= 0.5)
    elif wanted == "no_aircraft_confirmed":
        ok = found != "entered"
    else:
        ok = found == wanted
    return Check("verdict", ok, found, wanted)


def _motion_of(recording: Recording, name: str) -> tuple[int, Motion] | None:
    return next(((row, motion) for row, motion in enumerate(recording.motions) if motion.name == name), None)


def _plot_times_ns(recording: Recording, truth_id: int) -> np.ndarray:
    """Return the times of all plots that the radars gave of an object, sorted."""
    parts = [plots.measured_128[plots.truth_id == truth_id] for _, plots in recording.plots]
    steps = np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
    return steps * (1_000_000_000 // TIME_STEPS)  # 1/128 s is a whole number of ns


def _object(
    recording: Recording,
    name: str,
    values: Row,
    rows: Sequence[Row],
    matched: Mapping[str, Matched],
    territory: Territory | None,
) -> list[Check]:
    """Return the check of an object's closest distance, over the time in which it was tracked."""
    where = _motion_of(recording, name)
    if where is None or values.get("closest_approach_m") is None:
        return []
    row, motion = where
    label = f"closest approach of {name}"
    tracks = [m for m in matched.values() if m.motion == row]
    lines = [
        line
        for line in rows
        if line.get("track_id") in {m.track_id for m in tracks} and line.get("closest_m") is not None
    ]
    wanted_m, at = float(values["closest_approach_m"]), values.get("closest_at")
    demanded = len(_plot_times_ns(recording, motion.truth_id)) >= PLOTS_MIN
    if not demanded:
        text = f"{min(float(v['closest_m']) for v in lines):.0f} m" if lines else "not tracked"
        return [Check(label, True, text, f"{wanted_m:.0f} m, not demanded: under {PLOTS_MIN} plots", demanded=False)]
    if territory is not None and tracks:
        wanted_m = _closest_while_tracked(recording, motion, tracks, territory)
        covered = True
    else:
        at_ns = from_iso(str(at)) if at else -1
        covered = any(m.first_ns - TIMES_HOLD_NS <= at_ns <= m.last_ns + TIMES_HOLD_NS for m in tracks)
    if not lines:
        return [Check(label, False, "no verdict on it", f"{wanted_m:.0f} m")]
    nearest = min(lines, key=lambda line: float(line["closest_m"]))
    low, high = (float(nearest.get(key) or nearest["closest_m"]) for key in ("closest_m_low", "closest_m_high"))
    sigma_m = (high - low) / INTERVAL_SIGMAS
    closest = recording.story.expected.get("closest") or {}
    tolerance_m = float(closest.get("tolerance_other_boundary_m", 150.0)) + SIGMAS * sigma_m
    found_m = float(nearest["closest_m"])
    text = f"{found_m:.0f} m, 95 % {low:.0f} to {high:.0f} m"
    if not covered:
        return [Check(label, True, text, f"{wanted_m:.0f} m at {at}, not demanded: not tracked then", demanded=False)]
    return [Check(label, abs(found_m - wanted_m) <= tolerance_m, text, f"{wanted_m:.0f} m, +- {tolerance_m:.0f} m")]


def _closest_while_tracked(
    recording: Recording, motion: Motion, tracks: Sequence[Matched], territory: Territory
) -> float:
    time_s = np.arange(float(motion.time_s[0]), float(motion.time_s[-1]), 1.0)
    time_s = np.append(time_s, motion.time_s[-1])
    when_ns = recording.story.start_ns + np.round(time_s * 1e9).astype(np.int64)
    tracked = np.zeros(len(time_s), np.bool_)
    for track in tracks:
        tracked |= (when_ns >= track.first_ns - TIMES_HOLD_NS) & (when_ns <= track.last_ns + TIMES_HOLD_NS)
    lat, lon, _ = motion.at(time_s[tracked] if tracked.any() else time_s)
    return float(signed_distance(territory, lat, lon).signed_distance_m.min())


def _red_times(alerts: Sequence[Row], county: str, levels: Sequence[str]) -> list[int]:
    """Return when messages of given levels went out for any zone of a county."""
    return sorted(
        from_iso(str(alert["sent"]))
        for alert in alerts
        if alert.get("level") in levels
        and any(
            zone.get("county") == county or zone.get("code") == county or str(zone.get("code")).startswith(f"{county}-")
            for zone in alert.get("zones") or ()
        )
    )


def _warnings(recording: Recording, alerts: Sequence[Row]) -> list[Check]:
    """Return the check of each county's first message of the level that the story names."""
    checks = []
    for row in recording.story.expected.get("warnings") or ():
        county = str(row.get("county", "")).split(" ")[0].rstrip(",")
        if county in NOT_SCORED:
            continue
        red = "red" in str(row.get("level", "red"))
        sent = _red_times(alerts, county, ("alert",) if red else ("alert", "pre_alert"))
        found = f"{to_iso(sent[0], digits=0)}" if sent else "none"
        deadline = row.get("latest_issue_utc")
        colour = "red" if red else "yellow or red"
        if deadline is None:
            checks.append(
                Check(
                    f"{colour} for {county}", True, found, f"{row.get('zone', '')}: no deadline stated", demanded=False
                )
            )
        else:
            checks.append(
                Check(
                    f"{colour} for {county}",
                    bool(sent) and sent[0] <= from_iso(str(deadline)),
                    found,
                    f"by {to_iso(from_iso(str(deadline)), digits=0)}",
                )
            )
    return checks


def _places(recording: Recording, alerts: Sequence[Row]) -> list[Check]:
    """Return the check of each named place that an object comes within 3 km of: red at least 150 s before."""
    story = recording.story
    words = fold(
        " ".join(
            str(row.get("zone", ""))
            for row in story.expected.get("warnings") or ()
            if "red" in str(row.get("level", "red"))
        )
    )
    checks = []
    for place in shipped_villages(story.country):
        if fold(place.name) not in words:
            continue
        dues = []
        for motion in recording.motions:
            if motion.identity is None and motion.kind.heard_m > 0.0:
                near_s = _first_near_s(motion, place)
                if near_s is not None:
                    due_ns = story.start_ns + round((near_s - PLACE_LEAD_S) * 1e9)
                    plots = _plot_times_ns(recording, motion.truth_id)
                    seen = int(((plots <= due_ns) & (plots > due_ns - SEEN_LATELY_NS)).sum()) >= PLOTS_MIN
                    dues.append((due_ns, motion.name, seen))
        if dues:
            due_ns, name, seen = min(dues)
            sent = sorted(from_iso(str(a["sent"])) for a in alerts if a.get("level") == "alert" and _covers(a, place))
            checks.append(
                Check(
                    f"red at {place.name} before {name}",
                    not seen or (bool(sent) and sent[0] <= due_ns),
                    to_iso(sent[0], digits=0) if sent else "none",
                    f"by {to_iso(due_ns, digits=0)}",
                    demanded=seen,
                )
            )
    return checks


def _first_near_s(motion: Motion, place: Village) -> float | None:
    distance_m, _ = geodesic_inverse(motion.latitude_rad, motion.longitude_rad, place.latitude_rad, place.longitude_rad)
    near = np.flatnonzero(distance_m <= PLACE_NEAR_M)
    return float(motion.time_s[near[0]]) if len(near) else None


def _covers(alert: Row, place: Village) -> bool:
    """Return whether an alert reaches a place: a zone of its name, or a polygon around it."""
    if any(fold(place.name) in fold(str(zone.get("name", ""))) for zone in alert.get("zones") or ()):
        return True
    lat, lon = math.degrees(place.latitude_rad), math.degrees(place.longitude_rad)
    return any(_inside(ring, lat, lon) for ring in alert.get("polygon") or ())


def _inside(ring: Sequence[Sequence[float]], lat: float, lon: float) -> bool:
    inside = False
    for (lat0, lon0), (lat1, lon1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (lat0 > lat) != (lat1 > lat) and lon < lon0 + (lat - lat0) / (lat1 - lat0) * (lon1 - lon0):
            inside = not inside
    return inside


def _spared(recording: Recording, alerts: Sequence[Row], matched: Mapping[str, Matched]) -> Check:
    """Return the check that nothing harmless caused a warning: no transponder traffic, bird or clutter."""
    harmless: set[str] = set()
    for alert in alerts:
        causes = [matched[t].motion if t in matched else -1 for t in alert.get("caused_by") or ()]
        real = [row for row in causes if row >= 0]
        harmless |= {recording.motions[row].name for row in real if _harmless(recording.motions[row])}
        if causes and not real and alert.get("level") == "alert":
            harmless.add("clutter")
    return Check(
        "no warning for others",
        not harmless,
        ", ".join(sorted(harmless)) or "none",
        "none for traffic with a transponder, birds, clutter",
    )


def _harmless(motion: Motion) -> bool:
    return motion.identity is not None or motion.kind.truth_class not in ("drone", "decoy", "balloon")


def _all_clear(recording: Recording, alerts: Sequence[Row]) -> list[Check]:
    """Return the check of the closing message: sent, and in its window where the last object was seen to its end."""
    window = recording.story.expected.get("all_clear")
    if not isinstance(window, dict) or not window.get("not_before"):
        return []
    early, late = (from_iso(str(window[key])) for key in ("not_before", "latest"))
    levels = [(from_iso(str(a["sent"])), str(a.get("level"))) for a in alerts]
    last = max(levels, default=(0, ""))
    cleared = last[1] == "all_clear"
    threats = [m for m in recording.motions if not _harmless(m)]
    final = max(threats, key=lambda m: float(m.time_s[-1]), default=None)
    seen_to_end = False
    if final is not None:
        plots = _plot_times_ns(recording, final.truth_id)
        end_ns = recording.story.start_ns + round(float(final.time_s[-1]) * 1e9)
        seen_to_end = bool(len(plots)) and int(plots[-1]) >= end_ns - VISIBLE_TO_END_NS
    found = to_iso(last[0], digits=0) if cleared else "none" if not levels else f"last message is {last[1]}"
    text = f"{to_iso(early, digits=0)} to {to_iso(late, digits=0)}"
    if not levels:
        return [Check("all clear", not (recording.story.expected.get("warnings") or ()), found, text)]
    if not seen_to_end:
        return [
            Check("all clear", cleared, found, f"sent; {text} not demanded: the last object was not seen to its end")
        ]
    return [Check("all clear", cleared and early <= last[0] <= late, found, text)]


def _patrol(recording: Recording, patrol: Sequence[Row]) -> list[Check]:
    """Return the checks of the patrol log's times."""
    checks = []
    for row in recording.story.expected.get("patrol_times") or ():
        for key, event in (("take_off", "airborne"), ("on_station", "on_station"), ("landed", "landed")):
            if not row.get(key):
                continue
            due_ns = from_iso(str(row[key]))
            times = [
                from_iso(str(p["time"]))
                for p in patrol
                if p.get("patrol") == row.get("object") and p.get("event") == event
            ]
            near = min(times, key=lambda t: abs(t - due_ns), default=None)
            checks.append(
                Check(
                    f"patrol {row.get('object')} {event}",
                    near is not None and abs(near - due_ns) <= TIMES_HOLD_NS,
                    to_iso(near, digits=0) if near is not None else "none",
                    to_iso(due_ns, digits=0),
                )
            )
    return checks


def _notify(recording: Recording, notices: Sequence[Row]) -> list[Check]:
    """Return the checks that partners were told. What the story marks as information is not demanded."""
    checks = []
    sent = {
        str(n.get("partner")): from_iso(str(n["time"]))
        for n in sorted(notices, key=lambda n: str(n["time"]), reverse=True)
    }
    for text in recording.story.expected.get("notify") or ():
        for word, partner in PARTNERS.items():
            if word in fold(str(text)):
                demanded = "information" not in fold(str(text)) and (partner != "UA" or "exit" in fold(str(text)))
                found = to_iso(sent[partner], digits=0) if partner in sent else "none"
                checks.append(
                    Check(f"notice to {partner}", partner in sent or not demanded, found, str(text), demanded=demanded)
                )
    return checks

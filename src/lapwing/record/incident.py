"""The time line of an incident: what happened to the objects under judgement, and what was done about it, in words.

Pure bookkeeping over what the stages hand on. It decides nothing: a `Verdict` says whether an object entered; the
time line says what the picture showed at that moment. Each event names the tracks, alerts or notices it rests on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from lapwing.model.alerts import Warned
from lapwing.model.notices import Responded, Shared
from lapwing.model.sensed import Sensed
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.model.tracks import TrackUpdate
from lapwing.model.verdicts import NOT_ENTERED, Judgement
from lapwing.record import incident_words as words
from lapwing.record.incident_objects import Seen, object_events

# Events more than this apart belong to different incidents: longer than any hold and all clear together.
QUIET_NS = 3_600 * NS_PER_S

# Final verdicts remembered so that none is told twice: a track ends once, so only the newest can come again.
TOLD_MAX = 1_024

# Severity of an event, mildest first.
SEVERITIES = ("info", "notice", "clear", "warning", "alarm")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the time line."""

    kind: str                        # first_detection, track_confirmed, proposal, decision, alert_sent, ...
    time_ns: int                     # of the event itself
    text: str                        # English, one sentence
    severity: str = "info"           # one of SEVERITIES
    ids: tuple[str, ...] = ()        # tracks, proposals, alerts, notices it is about
    incident: str = ""               # "20250805-1": day of its first event and number
    latitude_rad: float = math.nan
    longitude_rad: float = math.nan


@dataclass(frozen=True, slots=True)
class State:
    """What the time line must remember between steps."""

    incident: str = ""                                       # the open or last one
    number: int = 0                                          # of it within its day
    last_event_ns: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)      # track id -> what was told of it
    told: dict[str, str] = field(default_factory=dict)       # country and track id -> last final verdict told; the newest


def step(state: State, sensed: Sensed, update: TrackUpdate, judgement: Judgement, warned: Warned, responded: Responded,
         shared: Shared, now_ns: int) -> tuple[State, tuple[Event, ...]]:
    """Return the events of one batch, in order of time.

    Parameters
    ----------
    state : of the step before
    sensed, update, judgement, warned, responded, shared : what the stages made of the batch
    now_ns : time of the batch
    """
    seen, drafts = object_events(state.seen, sensed.sensors, update, judgement, warned, now_ns)
    told, verdicts = _verdict_events(state.told, judgement)
    drafts = [*drafts, *verdicts, *_warning_events(warned, now_ns), *_respond_events(responded),
              *_notice_events(shared)]
    state = replace(state, seen=seen, told=told)
    if not drafts:
        return state, ()
    events = sorted((_event(draft) for draft in drafts), key=lambda event: event.time_ns)
    state = _opened(state, now_ns)
    return state, tuple(replace(event, incident=state.incident) for event in events)


def _event(draft: words.Draft) -> Event:
    return Event(draft.kind, int(draft.time_ns), draft.text, draft.severity, draft.ids,
                 latitude_rad=draft.latitude_rad, longitude_rad=draft.longitude_rad)


def _opened(state: State, now_ns: int) -> State:
    """Return the state with the incident of an event of now: the open one, or after a quiet hour a new one."""
    if state.incident and now_ns - state.last_event_ns <= QUIET_NS:
        return replace(state, last_event_ns=now_ns)
    day = to_iso(now_ns, digits=0)[:10].replace("-", "")
    number = state.number + 1 if state.incident.startswith(day) else 1
    return replace(state, incident=f"{day}-{number}", number=number, last_event_ns=now_ns)


def _verdict_events(told: dict[str, str], judgement: Judgement) -> tuple[dict[str, str], list[words.Draft]]:
    final = [verdict for verdict in judgement.verdicts if verdict.final]
    # Of neighbours what is news: it crossed their line, or may have. Most objects were over one of them from the first.
    theirs = [verdict for verdict in judgement.neighbours
              if verdict.final and verdict.verdict != NOT_ENTERED and not verdict.seen_inside]
    if not (final or theirs):
        return told, []
    known, drafts = dict(told), []
    for verdict in (*final, *theirs):
        key = f"{verdict.country} {verdict.track_id}"
        if known.get(key) != verdict.verdict:
            known.pop(key, None)         # told last, forgotten last
            known[key] = verdict.verdict
            drafts.append(words.verdict(verdict) if verdict in final else words.neighbour(verdict))
    return dict(list(known.items())[-TOLD_MAX:]), drafts


def _warning_events(warned: Warned, now_ns: int) -> list[words.Draft]:
    return [*map(words.proposal, warned.proposals), *map(words.decision, warned.decisions),
            *map(words.alert, warned.alerts), *(words.note(text, now_ns) for text in warned.notes)]


def _respond_events(responded: Responded) -> list[words.Draft]:
    return [*map(words.patrol, responded.patrol), *map(words.sighting, responded.sightings),
            *map(words.impact, responded.impacts)]


def _notice_events(shared: Shared) -> list[words.Draft]:
    return [*map(words.notice, shared.notices), *map(words.notice_changed, shared.changed)]

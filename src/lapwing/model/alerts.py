"""Public warnings: proposals, decisions, alerts."""

from __future__ import annotations

from dataclasses import dataclass

# Levels, mildest first. `watch` goes to institutions only. One code never means two things.
LEVELS = ("watch", "pre_alert", "alert", "all_clear")
# Internal level -> the story files' public scale; a pack may name its own colours.
PUBLIC_COLOUR = {"watch": "white", "pre_alert": "yellow", "alert": "red", "all_clear": "green"}

ALERT, UPDATE, CANCEL = "Alert", "Update", "Cancel"


@dataclass(frozen=True, slots=True)
class ZoneRef:
    """A zone under an alert."""

    code: str
    name: str
    population: int
    county: str                          # code of the level-1 unit it lies in


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine proposes and a person decides."""

    id: str
    proposed_ns: int
    expires_ns: int                      # unapproved proposals lapse loudly
    msg_type: str                        # ALERT | UPDATE | CANCEL
    level: str
    zones: tuple[ZoneRef, ...]
    caused_by: tuple[str, ...]           # track ids
    reason: str                          # what the officer reads
    approvals_needed: int                # 1, or 2 above 100,000 people or for a whole county
    references: tuple[str, ...]          # alerts it follows
    automatic: bool = False              # inside the approved envelope: no approval needed
    envelope: tuple[ZoneRef, ...] = ()   # zones that may be added later without asking again
    role: str = "officer"                # who may approve: officer | supervisor
    texts: tuple[tuple[str, str, str], ...] = ()   # (language, headline, description) that would go out


@dataclass(frozen=True, slots=True)
class Alert:
    """One public message, as sent."""

    identifier: str
    sent_ns: int
    status: str                          # CAP: Actual | Exercise | Test
    msg_type: str                        # ALERT | UPDATE | CANCEL
    level: str
    zones: tuple[ZoneRef, ...]
    polygons: tuple[tuple[tuple[float, float], ...], ...]   # closed rings, (latitude_deg, longitude_deg)
    onset_ns: int
    expires_ns: int
    languages: tuple[str, ...]
    caused_by: tuple[str, ...]
    proposed_ns: int
    approved_ns: int
    approved_by: tuple[str, ...]         # ("engine",) where automatic
    references: tuple[str, ...]          # CAP reference triples "sender,identifier,sent"
    proposal_id: str
    cap_xml: bytes                       # the CAP 1.2 document
    cleared: tuple[ZoneRef, ...] = ()    # zones that this message takes out of the warning, with their own all clear
    rings: bool = True                   # news to those it reaches; a renewal or a shrinking must not wake anybody


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided on a proposal, and what they saw."""

    time_ns: int
    proposal_id: str
    action: str                          # approve | refuse | cancel | all-clear | raise | lapsed
    by: str
    text: str
    saw: str = ""                        # what stood on the screen when it was decided


@dataclass(frozen=True, slots=True)
class Warned:
    """What one step of the warner hands on."""

    proposals: tuple[Proposal, ...] = ()       # new in this step
    alerts: tuple[Alert, ...] = ()             # sent in this step
    decisions: tuple[Decision, ...] = ()
    zone_levels: tuple[tuple[str, str], ...] = ()   # (zone code, level) in force now, sorted by code
    threats: tuple[str, ...] = ()              # ids of the tracks that are a threat now
    notes: tuple[str, ...] = ()                # refusals of commands and the like, for the officer

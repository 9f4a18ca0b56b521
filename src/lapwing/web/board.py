"""What has happened so far, as far as the console shows it: alerts, open proposals, events, notices, patrol, sensors.

A step of the pipeline hands on what is new in that step; the console needs the whole state at any moment. `fold` adds
one step to the board. It is a plain value: nothing here decides anything, and nothing else reads it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from lapwing.model.alerts import CANCEL, Alert, Decision, Proposal, Warned
from lapwing.model.claims import Owned
from lapwing.model.notices import Notice, Responded, Shared
from lapwing.model.reports import PatrolEvent, Sighting
from lapwing.model.sensed import Sensed, SensorHealth
from lapwing.record.incident import Event

# Bounds of the lists; the oldest go first. The journal keeps everything: this is one evening's screen.
ALERTS_MAX, EVENTS_MAX, NOTICES_MAX, PATROL_MAX, SIGHTINGS_MAX = 100, 300, 60, 60, 60


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with its public texts: (language, headline, description)."""

    alert: Alert
    texts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """A proposal nobody has decided yet, and who has approved it so far."""

    proposal: Proposal
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """All lists oldest first. `heard_ns` and `health` are of the rows of the sensor table; 0 is never heard."""

    alerts: tuple[ShownAlert, ...] = ()
    alert_count: int = 0                 # ever sent in this run
    proposals: tuple[OpenProposal, ...] = ()
    zone_levels: tuple[tuple[str, str], ...] = ()
    threats: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    notices: tuple[Notice, ...] = ()
    patrol: tuple[PatrolEvent, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    heard_ns: tuple[int, ...] = ()
    health: tuple[SensorHealth, ...] = ()
    regions: tuple[tuple[str, str], ...] = ()     # (track, region that answers for it) of those that this one does not answer for


def fold(
    board: Board,
    now_ns: int,
    *,
    sensed: Sensed | None = None,
    warned: Warned | None = None,
    responded: Responded | None = None,
    shared: Shared | None = None,
    events: Iterable[Event] = (),
    owned: Owned | None = None,
) -> Board:
    """Return the board after one step. None stands for a stage that did not run."""
    if sensed is not None:
        board = replace(board, heard_ns=_heard(board.heard_ns, sensed), health=sensed.health)
    if owned is not None:
        board = replace(board, regions=tuple((number, region) for number, region in owned.owner if number in owned.foreign))
    happened = list(events)
    if warned is not None:
        sent = tuple(ShownAlert(alert, public_texts(alert.cap_xml)) for alert in warned.alerts)
        board = replace(
            board,
            alerts=(*board.alerts, *sent)[-ALERTS_MAX:],
            alert_count=board.alert_count + len(sent),
            proposals=_proposals(board.proposals, now_ns, warned),
            zone_levels=warned.zone_levels,
            threats=warned.threats,
        )
        happened += [Event("note", now_ns, note, "warning") for note in warned.notes]
    if responded is not None:
        board = replace(board, patrol=(*board.patrol, *responded.patrol)[-PATROL_MAX:],
                        sightings=(*board.sightings, *responded.sightings)[-SIGHTINGS_MAX:])
    if shared is not None:
        board = replace(board, notices=_notices(board.notices, shared))
    return replace(board, events=(*board.events, *happened)[-EVENTS_MAX:])


def in_force(board: Board, now_ns: int) -> frozenset[str]:
    """Return the identifiers of alerts that warn someone now: not expired, not replaced, no cancel, no all clear."""
    # A CAP reference is "sender,identifier,sent"; what a later message refers to, it replaces.
    replaced = {part[1] for shown in board.alerts for reference in shown.alert.references
                if len(part := reference.split(",")) == 3}
    return frozenset(
        alert.identifier for alert in (shown.alert for shown in board.alerts)
        if alert.identifier not in replaced and alert.expires_ns > now_ns
        and alert.msg_type != CANCEL and alert.level != "all_clear"
    )


def public_texts(cap_xml: bytes) -> tuple[tuple[str, str, str], ...]:
    """Return (language, headline, description) of each info block of a CAP document of our own; () if it has none."""
    try:
        root = ElementTree.fromstring(cap_xml)  # noqa: S314  our own document
    except ElementTree.ParseError:
        return ()
    space = root.tag[: root.tag.index("}") + 1] if root.tag.startswith("{") else ""
    return tuple(
        (info.findtext(f"{space}language") or "", (info.findtext(f"{space}headline") or "").strip(),
         (info.findtext(f"{space}description") or "").strip())
        for info in root.findall(f"{space}info")
    )


def _heard(before: tuple[int, ...], sensed: Sensed) -> tuple[int, ...]:
    """Return when each sensor was last heard; a sensor that is only looked for (no plots, but north marks) is heard."""
    heard = np.zeros(len(sensed.sensors.rows), np.int64)
    heard[: len(before)] = before
    for rows, times in ((sensed.plots.sensor_index, sensed.plots.received_ns),
                        (sensed.bearings.sensor_index, sensed.bearings.received_ns),
                        (sensed.looks.sensor_index, sensed.looks.measured_ns)):
        known = rows < len(heard)   # 65535 is a person, not a sensor of the table
        np.maximum.at(heard, rows[known], times[known])
    return tuple(heard.tolist())


def _proposals(before: tuple[OpenProposal, ...], now_ns: int, warned: Warned) -> tuple[OpenProposal, ...]:
    """Return the proposals still open: new ones added, approvals counted, decided, sent and lapsed ones taken out."""
    known = [*before, *(OpenProposal(p) for p in warned.proposals if not p.automatic)]
    sent = {alert.proposal_id for alert in warned.alerts}
    closed = {d.proposal_id for d in warned.decisions if d.action != "approve"}
    return tuple(
        replace(shown, approved_by=_approvals(shown, warned.decisions)) for shown in known
        if shown.proposal.id not in sent | closed and shown.proposal.expires_ns > now_ns
    )


def _approvals(shown: OpenProposal, decisions: tuple[Decision, ...]) -> tuple[str, ...]:
    names = list(shown.approved_by)
    for decision in decisions:
        if decision.proposal_id == shown.proposal.id and decision.action == "approve" and decision.by not in names:
            names.append(decision.by)
    return tuple(names)


def _notices(before: tuple[Notice, ...], shared: Shared) -> tuple[Notice, ...]:
    """Return the notices with new ones added and changed ones replaced in their place."""
    changed = {notice.id: notice for notice in shared.changed}
    kept = [changed.pop(notice.id, notice) for notice in before]
    added = [changed.pop(notice.id, notice) for notice in shared.notices]
    return (*kept, *added, *changed.values())[-NOTICES_MAX:]

"""The sentences of the time line, in English: what, where, how sure. One function an event; nothing is decided here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lapwing.model.alerts import CANCEL, UPDATE, Alert, Decision, Proposal, ZoneRef
from lapwing.model.notices import Notice
from lapwing.model.reports import Impact, PatrolEvent, Sighting
from lapwing.model.times import to_iso
from lapwing.model.verdicts import ENTERED, UNDETERMINED, Verdict

_NAMED_ZONES = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it is filed under an incident."""

    kind: str
    time_ns: int
    text: str
    severity: str = "info"
    ids: tuple[str, ...] = ()
    latitude_rad: float = math.nan
    longitude_rad: float = math.nan


def distance(border_m: float) -> str:
    """Return a signed border distance in words: "794 m outside", "3.2 km inside", "on the line"."""
    size = abs(border_m)
    if math.isnan(border_m):
        return "at an unknown distance from the border"
    if size < 0.5:
        return "on the line"
    text = f"{size:.0f} m" if size < 2_000 else f"{size / 1_000:.1f} km"
    return f"{text} {'inside' if border_m < 0 else 'outside'}"


def clock(time_ns: int) -> str:
    """Return the time of day in UTC."""
    return to_iso(time_ns, digits=0)[11:]


def zones_and_people(zones: tuple[ZoneRef, ...]) -> str:
    """Return "3 zones with 12,345 people: A, B, C" (the largest first, at most three named)."""
    people = sum(zone.population for zone in zones)
    largest = sorted(zones, key=lambda zone: (-zone.population, zone.code))
    named = ", ".join(zone.name for zone in largest[:_NAMED_ZONES])
    more = f" and {len(zones) - _NAMED_ZONES} more" if len(zones) > _NAMED_ZONES else ""
    return f"{len(zones)} zone{'' if len(zones) == 1 else 's'} with {people:,} people: {named}{more}"


def proposal(item: Proposal) -> Draft:
    """The engine proposes."""
    approvals = ("needs no approval: inside the approved envelope" if item.automatic
                 else f"needs {item.approvals_needed} approval{'s' if item.approvals_needed > 1 else ''}")
    what = _what(item.msg_type, item.level)
    return Draft("proposal", item.proposed_ns, f"Proposed: {what} for {zones_and_people(item.zones)}. {item.reason} "
                 f"({approvals})", "notice", (item.id, *item.caused_by))


def decision(item: Decision) -> Draft:
    """A person decides, or a proposal lapses."""
    verbs = {"approve": "approved", "refuse": "refused", "cancel": "cancelled", "all-clear": "gave the all clear",
             "raise": "raised an alert"}
    if item.action == "lapsed":
        text = "A proposal lapsed: nobody decided in time"
        return Draft("decision", item.time_ns, f"{text}. {item.text}".rstrip(". "), "warning", (item.proposal_id,))
    text = f"{item.by} {verbs.get(item.action, item.action)}" + (f": {item.text}" if item.text else "")
    return Draft("decision", item.time_ns, text, "notice", (item.proposal_id,))


def alert(item: Alert) -> Draft:
    """A public message goes out."""
    by = ("by itself, inside the approved envelope" if item.approved_by == ("engine",)
          else f"approved by {', '.join(item.approved_by)}")
    if item.level == "all_clear" or item.msg_type == CANCEL:
        kind = "all_clear" if item.level == "all_clear" else "alert_cancelled"
        what = "All clear" if item.level == "all_clear" else "Warning withdrawn"
        return Draft(kind, item.sent_ns, f"{what} for {zones_and_people(item.zones)} ({by})", "clear",
                     (item.identifier, *item.caused_by))
    severity = {"alert": "alarm", "pre_alert": "warning"}.get(item.level, "notice")
    return Draft("alert_sent", item.sent_ns, f"Sent: {_what(item.msg_type, item.level)} for "
                 f"{zones_and_people(item.zones)}, until {clock(item.expires_ns)} ({by}; {item.status})", severity,
                 (item.identifier, *item.caused_by))


def _what(msg_type: str, level: str) -> str:
    name = {"watch": "watch (institutions only)", "pre_alert": "pre-alert", "alert": "alert",
            "all_clear": "all clear"}.get(level, level)
    if level == "all_clear":
        return name
    return f"update to {name}" if msg_type == UPDATE else f"withdrawal of {name}" if msg_type == CANCEL else name


def note(text: str, time_ns: int) -> Draft:
    """A command that was refused, or the like."""
    return Draft("note", time_ns, text, "notice")


def patrol(item: PatrolEvent) -> Draft:
    """What went to look, and what it saw."""
    verbs = {"asked": "asked to look", "airborne": "airborne", "on_station": "on station", "seen": "saw the object",
             "not_seen": "saw nothing", "off_station": "off station", "landed": "landed"}
    text = f"Patrol {item.patrol}: {verbs.get(item.event, item.event)}"
    text += (f" at {item.place}" if item.place else "") + (f": {item.text}" if item.text else "")
    return Draft(f"patrol_{item.event}", item.time_ns, text + (f" (logged by {item.by})" if item.by else ""))


def sighting(item: Sighting) -> Draft:
    """A person's report."""
    verbs = {"seen": "object seen", "heard": "engine heard"}
    text = f"Report: {verbs.get(item.kind, item.kind)}" + (f" from {item.place}" if item.place else "")
    if not math.isnan(item.bearing_rad):
        text += f", bearing {math.degrees(item.bearing_rad) % 360:03.0f}°"
    text += (f": {item.text}" if item.text else "") + (f" ({item.by})" if item.by else "")
    severity = "warning" if item.kind in ("explosion", "fire", "debris") else "info"
    return Draft("sighting", item.time_ns, text, severity, (item.id,), item.latitude_rad, item.longitude_rad)


def impact(item: Impact) -> Draft:
    """A last-seen or impact point."""
    what = "Last-seen point" if item.kind == "last_seen" else "Impact point"
    text = f"{what}, search within {item.radius_m:,.0f} m"
    if math.isfinite(item.bearing_rad):
        text += f" towards {math.degrees(item.bearing_rad):.0f}°, {0.5 * math.degrees(item.sector_rad):.0f}° to either side"
    text += f": {item.text}" if item.text else ""
    return Draft("impact", item.time_ns, text + (f" ({item.by})" if item.by else ""), "warning", (), item.latitude_rad,
                 item.longitude_rad)


def notice(item: Notice) -> Draft:
    """A message to a partner goes out."""
    tracks = tuple(part.track_id for part in item.objects)
    return Draft("notice", item.time_ns, f"Notice to {item.partner} ({item.release}): {item.reason}", "notice",
                 (item.id, *tracks))


def notice_changed(item: Notice) -> Draft:
    """A notice is acknowledged, or lapsed without."""
    if item.acknowledged_ns:
        return Draft("notice_acknowledged", item.acknowledged_ns,
                     f"Notice to {item.partner} acknowledged by {item.acknowledged_by}", "info", (item.id,))
    return Draft("notice_lapsed", item.expires_ns, f"Notice to {item.partner} lapsed without acknowledgement", "notice",
                 (item.id,))


def verdict(item: Verdict) -> Draft:
    """The final word on an object."""
    told = {ENTERED: "entered", UNDETERMINED: "undetermined whether it entered"}.get(item.verdict, "did not enter")
    text = (f"Verdict on {item.track_id} and {item.country}: {told} (probability {100 * item.entered_prob:.1f} %); "
            f"closest {distance(item.closest_m)} [{item.closest_m_low:,.0f}, {item.closest_m_high:,.0f}] m "
            f"at {clock(item.closest_ns)}")
    severity = {ENTERED: "alarm", UNDETERMINED: "warning"}.get(item.verdict, "notice")
    return Draft("verdict", item.time_ns, text, severity, (item.track_id,), item.closest_latitude_rad,
                 item.closest_longitude_rad)


def neighbour(item: Verdict) -> Draft:
    """The final word on an object and the airspace of a neighbour: theirs to act on."""
    draft = verdict(item)
    return replace(draft, severity="warning")

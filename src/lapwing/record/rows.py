"""Rows of every output, field by field as the manual names them. A row is a dict ready for `canonical.to_json`.

The journal holds every version of a row; the files of ``replay --out`` hold the last one of each object, notice and so
on (`record.gather`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from lapwing.model.alarms import Alarm
from lapwing.model.alerts import Alert, Decision, Proposal, ZoneRef
from lapwing.model.claims import Claim
from lapwing.model.errors import Refusal
from lapwing.model.notices import Notice, NoticeObject
from lapwing.model.reports import Impact, PatrolEvent, Sighting
from lapwing.model.verdicts import Crossing, DecisivePlot, Traffic, Verdict
from lapwing.record.canonical import Row, degrees, iso, iso_or_none, metres, prob, rounded
from lapwing.record.incident import Event


def verdict_row(verdict: Verdict) -> Row:
    """Return a line of verdicts.jsonl."""
    boundary, evidence = verdict.boundary, verdict.evidence
    return {
        "track_id": verdict.track_id, "country": verdict.country, "verdict": verdict.verdict,
        "entered_prob": prob(verdict.entered_prob), "closest_m": metres(verdict.closest_m),
        "closest_m_low": metres(verdict.closest_m_low), "closest_m_high": metres(verdict.closest_m_high),
        "closest_time": iso_or_none(verdict.closest_ns), "closest_lat_deg": degrees(verdict.closest_latitude_rad),
        "closest_lon_deg": degrees(verdict.closest_longitude_rad), "deepest_m": metres(verdict.deepest_m),
        "entries": [_crossing_row(crossing) for crossing in verdict.entries],
        "seconds_inside": rounded(verdict.seconds_inside, 1),
        "boundary": {"name": boundary.name, "version": boundary.version, "sha256": boundary.sha256,
                     "bound_95_m": metres(boundary.bound_95_m)},
        "statement": dict(verdict.statement),
        "evidence": {"plots": int(evidence.plot_count), "sensors": list(evidence.sensors),
                     "gaps": [{"start": iso(start_ns), "end": iso(end_ns)} for start_ns, end_ns in evidence.gaps],
                     "bias": {"m_sigma": metres(evidence.bias_m_sigma)}, "first_time": iso_or_none(evidence.first_ns),
                     "last_time": iso_or_none(evidence.last_ns), "exists_prob": prob(evidence.exists_prob),
                     "beside": evidence.beside or None,
                     "blind_border_share": rounded(evidence.blind_share, 3),
                     "decisive": [_decisive_row(plot) for plot in evidence.decisive]},
        "reason": verdict.reason, "final": bool(verdict.final), "time": iso(verdict.time_ns),
    }


def _decisive_row(plot: DecisivePlot) -> Row:
    return {"time": iso(plot.time_ns), "sensor": plot.sensor, "entry": int(plot.entry_sequence),
            "distance_m": metres(plot.distance_m), "distance_m_sigma": metres(plot.distance_m_sigma),
            "residual_m": metres(plot.residual_m), "association_prob": prob(plot.association_prob)}


def _crossing_row(crossing: Crossing) -> Row:
    return {"entry_time": iso(crossing.entry_ns), "exit_time": iso_or_none(crossing.exit_ns),
            "lat_deg": degrees(crossing.latitude_rad), "lon_deg": degrees(crossing.longitude_rad),
            "deepest_m": metres(crossing.deepest_m)}


def claim_row(claim: Claim) -> Row:
    """Return a claim as the regions' common store keeps it; its place there is the store's to say."""
    return {
        "number": claim.number, "region": claim.region, "expected": int(claim.expected), "time": iso(claim.time_ns),
        "born": iso(claim.born_ns), "lat_deg": degrees(claim.latitude_rad), "lon_deg": degrees(claim.longitude_rad),
        "east_mps": rounded(claim.east_mps, 2), "north_mps": rounded(claim.north_mps, 2),
        "position_m_sigma": metres(claim.position_m_sigma), "icao_address": f"{claim.icao_address:06x}" if claim.icao_address >= 0 else "",
        "entered": claim.entered, "left": claim.left, "ended": claim.ended, "into": claim.into,
    }


def alarm_row(alarm: Alarm) -> Row:
    """Return one word on an alarm of the safety net: a line of alarms.jsonl."""
    return {
        "alarm_id": alarm.alarm_id, "number": int(alarm.number), "time": iso(alarm.time_ns), "state": alarm.state,
        "level": alarm.level, "cause": alarm.cause, "immediate": bool(alarm.immediate), "track_id": alarm.track_id,
        "volume": alarm.volume, "raised_time": iso(alarm.raised_ns), "border_m": metres(alarm.border_m),
        "border_m_sigma": metres(alarm.border_m_sigma),
        "inside_time": {"earliest": iso_or_none(alarm.violation_earliest_ns), "nominal": iso_or_none(alarm.violation_nominal_ns),
                        "latest": iso_or_none(alarm.violation_latest_ns)},
        "due_time": {"earliest": iso_or_none(alarm.due_earliest_ns), "nominal": iso_or_none(alarm.due_nominal_ns),
                     "latest": iso_or_none(alarm.due_latest_ns)},
        "lat_deg": degrees(alarm.latitude_rad), "lon_deg": degrees(alarm.longitude_rad), "height_m": metres(alarm.height_m),
        "east_mps": rounded(alarm.velocity_mps[0], 1), "north_mps": rounded(alarm.velocity_mps[1], 1),
    }


def traffic_row(traffic: Traffic) -> Row:
    """Return a line of traffic.jsonl."""
    return {"track_id": traffic.track_id, "country": traffic.country, "reason": traffic.reason,
            "affiliation": traffic.affiliation, "class": traffic.class_name, "class_prob": prob(traffic.class_prob),
            "identity": traffic.identity, "first_time": iso(traffic.first_ns), "last_time": iso(traffic.last_ns),
            "closest_m": metres(traffic.closest_m)}


def alert_row(alert: Alert) -> Row:
    """Return an alert as journaled: a line of alerts.jsonl with the CAP document itself instead of its file."""
    return {
        "identifier": alert.identifier, "sent": iso(alert.sent_ns), "status": alert.status, "msg_type": alert.msg_type,
        "references": list(alert.references), "level": alert.level, "zones": [_zone_row(zone) for zone in alert.zones],
        "polygon": [[[rounded(latitude, 7), rounded(longitude, 7)] for latitude, longitude in ring]
                    for ring in alert.polygons],
        "onset": iso(alert.onset_ns), "expires": iso(alert.expires_ns), "languages": list(alert.languages),
        "caused_by": list(alert.caused_by), "proposed_time": iso_or_none(alert.proposed_ns),
        "approved_time": iso_or_none(alert.approved_ns), "approved_by": list(alert.approved_by),
        "proposal_id": alert.proposal_id, "rings": bool(alert.rings), "cleared": [_zone_row(zone) for zone in alert.cleared],
        "cap_xml": alert.cap_xml.decode("utf-8"),
    }


def alert_file_row(row: Row, number: int) -> tuple[Row, str, bytes]:
    """Return a line of alerts.jsonl, the path of its CAP file below the output folder, and that file's octets.

    `number` counts the alerts from 1, so that the folder lists them in order of sending.
    """
    path = f"alerts/{number:03d}-{file_name(row['identifier'])}.xml"
    line = {key: value for key, value in row.items() if key != "cap_xml"} | {"cap_file": path}
    return line, path, str(row["cap_xml"]).encode("utf-8")


def file_name(identifier: str) -> str:
    """Return an identifier with what could mean something to a file system replaced by ``_``, 100 letters at most."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", identifier).lstrip(".")[:100] or "_"


def _zone_row(zone: ZoneRef) -> Row:
    return {"code": zone.code, "name": zone.name, "population": int(zone.population), "county": zone.county}


def proposal_row(proposal: Proposal) -> Row:
    """Return a proposal: what the engine asked a person to decide, and why."""
    return {
        "id": proposal.id, "time": iso(proposal.proposed_ns), "expires": iso(proposal.expires_ns),
        "msg_type": proposal.msg_type, "level": proposal.level, "zones": [_zone_row(zone) for zone in proposal.zones],
        "caused_by": list(proposal.caused_by), "reason": proposal.reason,
        "approvals_needed": int(proposal.approvals_needed), "references": list(proposal.references),
        "automatic": bool(proposal.automatic), "envelope": [zone.code for zone in proposal.envelope],
        "role": proposal.role,
    }


def decision_row(decision: Decision) -> Row:
    """Return what a person decided."""
    return {"time": iso(decision.time_ns), "proposal_id": decision.proposal_id, "action": decision.action,
            "by": decision.by, "text": decision.text, "saw": decision.saw}


def notice_row(notice: Notice) -> Row:
    """Return a line of notices.jsonl."""
    return {
        "id": notice.id, "partner": notice.partner, "release": notice.release, "time": iso(notice.time_ns),
        "expires": iso(notice.expires_ns), "objects": [_notice_object_row(item) for item in notice.objects],
        "text": dict(notice.text), "acknowledged_by": notice.acknowledged_by or None,
        "acknowledged_time": iso_or_none(notice.acknowledged_ns), "reason": notice.reason,
    }


def _notice_object_row(item: NoticeObject) -> Row:
    return {"track_id": item.track_id, "time": iso(item.time_ns), "lat_deg": degrees(item.latitude_rad),
            "lon_deg": degrees(item.longitude_rad), "position_m_sigma": metres(item.position_m_sigma),
            "height_m": metres(item.height_m), "velocity_mps": [rounded(part, 1) for part in item.velocity_mps],
            "class": item.class_name, "class_prob": prob(item.class_prob), "border_m": metres(item.border_m),
            "verdict": item.verdict or None, "entered_prob": prob(item.entered_prob)}


def patrol_row(event: PatrolEvent) -> Row:
    """Return a line of patrol.jsonl."""
    return {"time": iso(event.time_ns), "patrol": event.patrol, "event": event.event, "place": event.place,
            "text": event.text, "by": event.by}


def sighting_row(sighting: Sighting) -> Row:
    """Return a person's report."""
    return {"id": sighting.id, "time": iso(sighting.time_ns), "time_s_sigma": rounded(sighting.time_s_sigma, 1),
            "kind": sighting.kind, "lat_deg": degrees(sighting.latitude_rad),
            "lon_deg": degrees(sighting.longitude_rad), "position_m_sigma": metres(sighting.position_m_sigma),
            "bearing_deg": _short_degrees(sighting.bearing_rad),
            "bearing_deg_sigma": _short_degrees(sighting.bearing_rad_sigma), "place": sighting.place,
            "text": sighting.text, "by": sighting.by, "entry_sequence": int(sighting.entry_sequence)}


def _short_degrees(angle_rad: float) -> float | None:
    value = degrees(angle_rad)
    return None if value is None else rounded(value, 2)


def impact_row(impact: Impact) -> Row:
    """Return a last-seen or impact point."""
    return {"time": iso(impact.time_ns), "lat_deg": degrees(impact.latitude_rad),
            "lon_deg": degrees(impact.longitude_rad), "radius_m": metres(impact.radius_m), "text": impact.text,
            "by": impact.by, "kind": impact.kind, "bearing_deg": _short_degrees(impact.bearing_rad),
            "sector_deg": _short_degrees(impact.sector_rad)}


def refusals_row(refusals: Iterable[Refusal], time_ns: int) -> Row:
    """Return the refusals of one batch, counted by reason and source, with the first of each in full."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Refusal] = {}
    for refusal in refusals:
        key = (refusal.reason, refusal.source)
        counts[key] += refusal.count
        first.setdefault(key, refusal)
    return {"time": iso(time_ns), "refusals": [
        {"reason": key[0], "source": key[1], "count": counts[key], "where": first[key].where,
         "detail": first[key].detail, "entry_sequence": first[key].entry_sequence, "octet": first[key].octet}
        for key in sorted(counts)]}


def event_row(event: Event) -> Row:
    """Return an event of the time line."""
    return {"time": iso(event.time_ns), "kind": event.kind, "severity": event.severity, "text": event.text,
            "ids": list(event.ids), "incident": event.incident, "lat_deg": degrees(event.latitude_rad),
            "lon_deg": degrees(event.longitude_rad)}


def sensor_names(mask: np.uint64 | int, table_size: int) -> tuple[int, ...]:
    """Return the rows of the sensor table that a track's `sensors_mask` names, lowest first."""
    return tuple(row for row in range(min(table_size, 64)) if int(mask) >> row & 1)

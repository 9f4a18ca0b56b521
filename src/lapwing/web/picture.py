"""The live picture as JSON: what the console shows at one moment. Pure; NaN and infinity become null.

`live_picture` is whole by itself: a console that missed any number of pictures before it shows the same.
The place it is drawn on (border, zones, sensors' sites) changes rarely and is `site.site_picture`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lapwing.geo.geoid import undulation_m
from lapwing.model.alerts import ZoneRef
from lapwing.model.notices import Notice
from lapwing.model.reports import Sighting
from lapwing.model.sensed import SensorHealth
from lapwing.model.sensors import ACOUSTIC_ARRAY, ADSB, MLAT, OBSERVER, RADAR, Sensor, SensorTable
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks
from lapwing.model.verdicts import BorderStates, Judgement, NeighbourState
from lapwing.web.board import Board, in_force
from lapwing.web.site import site_picture

__all__ = ["live_picture", "sensor_status", "site_picture"]

MODES = ("LIVE", "REPLAY", "EXERCISE")
ELLIPSE_SCALE = math.sqrt(5.991)   # 95 % of a two-dimensional normal: chi-square, 2 degrees of freedom
PAST_ALERTS_SHOWN = 6
EVENTS_SHOWN = 80                  # of each list, newest first; the journal has the rest
# A radar is silent after three turns, and never within 12 s: one lost datagram is no failure.
SILENT_TURNS, SILENT_S_MIN = 3.0, 12.0
SILENT_S_OTHER = 30.0              # sensors that do not turn (ADS-B, multilateration, neighbours' tracks)


def live_picture(
    time_ns: int,
    tracks: Tracks,
    judgement: Judgement | None,
    board: Board,
    sensors: SensorTable,
    *,
    mode: str,
    exercise: bool = False,
    wall_time_ns: int = 0,
    ended: bool = False,
    note: str = "",
) -> dict[str, Any]:
    """Return the picture at an event time.

    Parameters
    ----------
    time_ns : event time of the picture
    tracks, judgement : of the newest step; judgement None where there is no country (then no border values)
    board : folded up to and with the newest step
    sensors : as known now
    mode : one of `MODES`
    wall_time_ns : the machine's clock, for the lag of a live picture behind it; 0 where it means nothing
    ended : the run is over: the picture stands still because nothing more comes, not because something broke
    note : a sentence for the top of the page, e.g. which story is played
    """
    assert mode in MODES, mode
    status = sensor_status(sensors, board.heard_ns, time_ns, board.health)
    return {
        "type": "picture",
        "time": to_iso(time_ns),
        "mode": mode,
        "exercise": exercise,
        "ended": ended,
        "note": note,
        "lag_s": _number((wall_time_ns - time_ns) / NS_PER_S, 1) if wall_time_ns and mode == "LIVE" else None,
        "tracks": _tracks(time_ns, tracks, judgement.states if judgement is not None else None, board, sensors,
                          judgement.nearby if judgement is not None else ()),
        "zones": dict(board.zone_levels),
        "alerts": _alerts(board, time_ns),
        "alert_count": board.alert_count,
        "proposals": _proposals(board),
        "events": [{"time": to_iso(event.time_ns, digits=0), "kind": event.kind, "text": event.text,
                    "severity": event.severity} for event in reversed(board.events[-EVENTS_SHOWN:])],
        "sensors": status,
        "coverage": coverage(status),
        "notices": [_notice(notice, time_ns) for notice in reversed(board.notices)],
        "patrol": [{"time": to_iso(e.time_ns, digits=0), "patrol": e.patrol, "event": e.event, "place": e.place,
                    "text": e.text, "by": e.by} for e in reversed(board.patrol)],
        "sightings": [_sighting(sighting) for sighting in reversed(board.sightings)],
    }


def sensor_status(sensors: SensorTable, heard_ns: tuple[int, ...], now_ns: int,
                  health: tuple[SensorHealth, ...] = ()) -> list[dict[str, Any]]:
    """Return each sensor's age and state: reports, silent, quiet, never heard, on call, no position, quarantined, degraded.

    On call are people and acoustic nodes, which report when there is something; quiet is a receiver of transponders
    that hears none, which may mean no traffic or a broken receiver. Quarantined is one whose plots are not used,
    degraded one that says so of itself; `words` says why. Delay, rotation and coverage are the sense stage's.
    """
    rows = []
    for index, sensor in enumerate(sensors.rows):
        last_ns = heard_ns[index] if index < len(heard_ns) else 0
        age_s = (now_ns - last_ns) / NS_PER_S if last_ns else None
        if age_s is None:
            state = "on call" if _event_driven(sensor) else "never heard"
        elif _event_driven(sensor) or age_s <= _silent_after_s(sensor):
            state = "reports" if sensor.has_position or _event_driven(sensor) else "no position"
        else:
            state = "quiet" if sensor.kind in (ADSB, MLAT) else "silent"
        watched = health[index] if index < len(health) else None
        if watched is not None and state == "reports" and watched.state in ("quarantined", "degraded"):
            state = watched.state
        rows.append({"id": sensor.id, "kind": sensor.kind, "age_s": _number(age_s, 1), "state": state, **_watched(watched)})
    return rows


def _watched(health: SensorHealth | None) -> dict[str, Any]:
    """Return what the watch over a sensor measured; null where it did not."""
    if health is None:
        return {"words": "", "delay_s": None, "rotation_s": None, "reach_m": None, "reach_m_expected": None, "coverage_share": None}
    return {"words": health.words, "delay_s": _number(health.delay_s, 2), "rotation_s": _number(health.rotation_s, 2),
            "reach_m": _number(health.reach_m, 0), "reach_m_expected": _number(health.reach_m_expected, 0),
            "coverage_share": _number(health.coverage_share, 2)}


def coverage(status: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the picture rests on, in words: how many sensors report and which do not.

    An empty map is "nothing seen by these", never "nothing there".
    """
    expected = [row for row in status if row["state"] != "on call"]
    reporting = [row for row in expected if row["state"] in ("reports", "degraded")]
    quiet = [row for row in expected if row["state"] == "quiet"]
    missing = [row for row in expected if row["state"] not in ("reports", "degraded", "quiet")]
    if not expected:
        text = "No sensor is known: this picture cannot show anything."
    elif not reporting:
        text = "NO SENSOR REPORTS: an empty map means nothing."
    else:
        words = ", ".join(_blind_word(row) for row in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        blind = f"; CANNOT SEE: {words}{more}" if missing else ""
        idle = "".join(f"; nothing from {row['id']} for {_span(row['age_s'])}, perhaps no traffic" for row in quiet[:2])
        text = f"{len(reporting)} of {len(expected)} sensors report{blind}{idle}"
    return {"reporting": len(reporting), "expected": len(expected), "text": text,
            "missing": [row["id"] for row in missing]}


def _blind_word(row: dict[str, Any]) -> str:
    return f"{row['id']} silent {_span(row['age_s'])}" if row["state"] == "silent" else f"{row['id']} {row['state']}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _event_driven(sensor: Sensor) -> bool:
    return sensor.kind in (OBSERVER, ACOUSTIC_ARRAY)


def _silent_after_s(sensor: Sensor) -> float:
    if sensor.kind == RADAR and math.isfinite(sensor.rotation_s):
        return max(SILENT_TURNS * sensor.rotation_s, SILENT_S_MIN)
    return SILENT_S_OTHER


def _number(value: float | None, digits: int) -> float | None:
    """Return a rounded number, None where there is none (JSON knows no NaN)."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) if digits else round(float(value))


def _tracks(now_ns: int, tracks: Tracks, states: BorderStates | None, board: Board, sensors: SensorTable,
            nearby: tuple[NeighbourState, ...]) -> list[dict[str, Any]]:
    """Return one record a track that has a position, in their order."""
    if not len(tracks):
        return []
    speed_mps = np.hypot(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])
    track_deg = np.degrees(np.arctan2(tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1])) % 360.0
    ellipses = ellipses_95(tracks.state_cov[:, :2, :2] + tracks.bias_cov_m2)
    best = np.argmax(tracks.class_prob, axis=1)
    altitude_m = tracks.height_m - undulation_m(tracks.latitude_rad, tracks.longitude_rad)
    threats, regions = frozenset(board.threats), dict(board.regions)
    near: dict[str, list[dict[str, Any]]] = {}
    for each in nearby:
        near.setdefault(each.track_id, []).append(_neighbour(each))
    records = []
    for i, track_id in enumerate(tracks.track_id):
        if not (math.isfinite(tracks.latitude_rad[i]) and math.isfinite(tracks.longitude_rad[i])):
            continue
        record: dict[str, Any] = {
            "id": track_id,
            "number": track_id.partition("-")[2] or track_id,
            "lat": _number(math.degrees(tracks.latitude_rad[i]), 6),
            "lon": _number(math.degrees(tracks.longitude_rad[i]), 6),
            "height_m": _number(tracks.height_m[i], 0),
            "altitude_m": _number(altitude_m[i], 0),
            "height_m_sigma": _number(tracks.height_m_sigma[i], 0),
            "vx": _number(tracks.velocity_mps[i, 0], 2),
            "vy": _number(tracks.velocity_mps[i, 1], 2),
            "speed_mps": _number(speed_mps[i], 1),
            "track_deg": _number(track_deg[i], 1),
            "confirmed": bool(tracks.confirmed[i]),
            "coasting": bool(tracks.coasting[i]),
            "class": CLASSES[best[i]],
            "class_prob": _number(tracks.class_prob[i, best[i]], 3),
            "affiliation": AFFILIATIONS[int(tracks.affiliation[i])],
            "callsign": tracks.callsign[i].decode("ascii", "replace"),
            "age_s": _number((now_ns - int(tracks.last_plot_ns[i])) / NS_PER_S, 1),
            "sensors": _sensor_ids(int(tracks.sensors_mask[i]), sensors),
            "ellipse": [_number(v, 1) for v in ellipses[i]],
            "threat": track_id in threats,
            "region": regions.get(track_id, ""),
        }
        record.update(_border_record(states, i))
        record["neighbours"] = near.get(track_id, [])
        records.append(record)
    return records


def _neighbour(near: NeighbourState) -> dict[str, Any]:
    """Return where an object stands to a neighbour that it came near, and the verdict on that airspace so far."""
    return {"country": near.country, "border_m": _number(near.border_m, 0), "border_m_sigma": _number(near.border_m_sigma, 0),
            "closing_mps": _number(near.closing_mps, 1), "time_to_go_s": _number(near.time_to_go_s, 0),
            "inside_prob": _number(near.inside_prob, 3), "verdict": near.verdict, "entered_prob": _number(near.entered_prob, 3),
            "seen_inside": near.seen_inside}


def _border_record(states: BorderStates | None, i: int) -> dict[str, Any]:
    """Return the border values of a row; all null, and not judged, where there is no judgement of it."""
    if states is None or i >= len(states):
        unknown = ("border_m", "border_m_sigma", "nearest_lat", "nearest_lon", "closing_mps", "time_to_go_s",
                   "entry_10_prob", "inside_prob")
        return {**dict.fromkeys(unknown), "judged": False, "reason": ""}
    return {
        "border_m": _number(states.border_m[i], 0),
        "border_m_sigma": _number(states.border_m_sigma[i], 0),
        "nearest_lat": _number(math.degrees(states.nearest_latitude_rad[i]), 5),
        "nearest_lon": _number(math.degrees(states.nearest_longitude_rad[i]), 5),
        "closing_mps": _number(states.closing_mps[i], 1),
        "time_to_go_s": _number(states.time_to_go_s[i], 0),
        "entry_10_prob": _number(states.entry_10_prob[i], 3),
        "inside_prob": _number(states.inside_prob[i], 3),
        "judged": bool(states.judged[i]),
        "reason": states.traffic_reason[i],
    }


def ellipses_95(cov_m2: np.ndarray) -> np.ndarray:
    """Return the 95 % ellipses of (n, 2, 2) east-north covariances.

    Returns
    -------
    ndarray (n, 3): semi-major and semi-minor axis in metres, azimuth of the major axis in degrees [0, 180); NaN where
    the covariance is not finite
    """
    a, b, c = cov_m2[:, 0, 0], cov_m2[:, 0, 1], cov_m2[:, 1, 1]
    middle, half = (a + c) / 2.0, np.hypot((a - c) / 2.0, b)
    azimuth_deg = np.degrees(0.5 * np.arctan2(2.0 * b, c - a)) % 180.0   # of the larger axis, from north, clockwise
    return np.stack([ELLIPSE_SCALE * np.sqrt(np.maximum(middle + half, 0.0)),
                     ELLIPSE_SCALE * np.sqrt(np.maximum(middle - half, 0.0)), azimuth_deg], axis=1)


def _sensor_ids(mask: int, sensors: SensorTable) -> list[str]:
    return [sensor.id for row, sensor in enumerate(sensors.rows) if mask >> min(row, 63) & 1]


def _zones(zones: tuple[ZoneRef, ...]) -> list[dict[str, Any]]:
    return [{"code": z.code, "name": z.name, "population": z.population, "county": z.county} for z in zones]


def _alerts(board: Board, now_ns: int) -> list[dict[str, Any]]:
    """Return the alerts in force and the newest others, newest first: an evening has a hundred, each with its zones."""
    active = in_force(board, now_ns)
    past = [shown.alert.identifier for shown in board.alerts if shown.alert.identifier not in active]
    wanted = active | set(past[-PAST_ALERTS_SHOWN:])
    return [{
        "identifier": alert.identifier, "sent": to_iso(alert.sent_ns, digits=0), "status": alert.status,
        "msg_type": alert.msg_type, "level": alert.level, "zones": _zones(alert.zones),
        "people": sum(z.population for z in alert.zones), "expires": to_iso(alert.expires_ns, digits=0),
        "caused_by": list(alert.caused_by), "approved_by": list(alert.approved_by),
        "in_force": alert.identifier in active,
        "texts": [{"language": language, "headline": headline, "description": description}
                  for language, headline, description in shown.texts],
    } for shown in reversed(board.alerts) for alert in (shown.alert,) if alert.identifier in wanted]


def _proposals(board: Board) -> list[dict[str, Any]]:
    """Return the open proposals, oldest first: the one that has waited longest stands on top."""
    return [{
        "id": p.id, "proposed": to_iso(p.proposed_ns, digits=0), "expires": to_iso(p.expires_ns, digits=0),
        "msg_type": p.msg_type, "level": p.level, "zones": _zones(p.zones),
        "people": sum(z.population for z in p.zones), "caused_by": list(p.caused_by), "reason": p.reason,
        "approvals_needed": p.approvals_needed, "approved_by": list(shown.approved_by), "role": p.role,
        "envelope_zones": len(p.envelope), "envelope_people": sum(z.population for z in p.envelope),
        "texts": [{"language": language, "headline": headline, "description": description}
                  for language, headline, description in p.texts],
    } for shown in board.proposals for p in (shown.proposal,)]


def _sighting(sighting: Sighting) -> dict[str, Any]:
    return {"time": to_iso(sighting.time_ns, digits=0), "kind": sighting.kind, "place": sighting.place,
            "lat": _number(math.degrees(sighting.latitude_rad), 5),
            "lon": _number(math.degrees(sighting.longitude_rad), 5), "text": sighting.text, "by": sighting.by}


def _notice(notice: Notice, now_ns: int) -> dict[str, Any]:
    state = "acknowledged" if notice.acknowledged_by else "expired" if notice.expires_ns <= now_ns else "waiting"
    return {"id": notice.id, "partner": notice.partner, "release": notice.release,
            "time": to_iso(notice.time_ns, digits=0), "expires": to_iso(notice.expires_ns, digits=0),
            "text": dict(notice.text),
            "reason": notice.reason, "state": state, "acknowledged_by": notice.acknowledged_by}

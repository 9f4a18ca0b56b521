"""What people say, as JSON: patrol events, sightings, identifications, impact points, decisions, acknowledgements.

The keys are the field names of `lapwing.model.reports` with the units of files: ``time`` and ``expires`` are ISO 8601
with a zone, angles and places end in ``_deg``, ``mode3a`` is four octal digits, ``icao_address`` six hex digits::

    patrol       time, patrol, event, place, text, by
    sighting     id, time, time_s_sigma, kind, lat_deg, lon_deg, position_m_sigma, bearing_deg, bearing_deg_sigma,
                 place, text, by
    identify     time, affiliation, track_id, icao_address, mode3a, text, by
    impact       time, kind, lat_deg, lon_deg, radius_m, bearing_deg, sector_deg, text, by
    command      time, action, alert_id, zones, level, expires, text, by, role
    acknowledge  time, notice_id, by
    sensor       time, sensor, action, text, by

Keys in front are required as the reader functions show; an unknown key, a missing one and a value out of range are
refused with words (`BadReport`). Every reader has its writer: `decode(encode(x)) == x` up to a microsecond.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from lapwing.model import entries
from lapwing.model.ids import make_id
from lapwing.model.reports import (
    ALERT_ACTIONS,
    IMPACT_KINDS,
    OFFICER_ROLES,
    PATROL_EVENTS,
    SENSOR_ACTIONS,
    SIGHTING_KINDS,
    Acknowledgement,
    Command,
    Identification,
    Impact,
    PatrolEvent,
    PersonReport,
    SensorOrder,
    Sighting,
)
from lapwing.model.times import from_iso, to_iso
from lapwing.model.tracks import AFFILIATIONS

OCTETS_MAX = 65_536  # a person's record is a few lines; more is a mistake or an attack
TEXT_MAX = 4_000


class BadReport(ValueError):
    """A person's record that cannot be used: says the key, the value and what is expected."""


class Fields:
    """The keys of one JSON object, taken one by one with a check; `done` refuses what is left over."""

    def __init__(self, payload: bytes) -> None:
        if len(payload) > OCTETS_MAX:
            raise BadReport(f"{len(payload)} octets; at most {OCTETS_MAX}")
        try:
            values = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise BadReport(f"no JSON: {error}") from None
        if not isinstance(values, dict):
            raise BadReport("a JSON object expected, with keys and values")
        self._left: dict[str, Any] = values

    def _take(self, key: str, default: Any) -> Any:
        value = self._left.pop(key, None)
        if value is None:
            if default is ...:
                raise BadReport(f"{key}: missing")
            return default
        return value

    def text(self, key: str, default: Any = "") -> str:
        """Return a text of at most 4,000 characters."""
        value = self._take(key, default)
        if not isinstance(value, str) or len(value) > TEXT_MAX:
            raise BadReport(f"{key} = {str(value)[:60]!r}: a text of at most {TEXT_MAX} characters expected")
        return value

    def choice(self, key: str, known: tuple[str, ...], default: Any = ...) -> str:
        """Return one of the known words."""
        value = self._take(key, default)
        if value not in known:
            raise BadReport(f"{key} = {str(value)[:60]!r}: one of {', '.join(known)} expected")
        return str(value)

    def number(self, key: str, low: float, high: float, default: Any = ...) -> float:
        """Return a finite number in [low, high], or the default."""
        value = self._take(key, default)
        if value is default:
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise BadReport(f"{key} = {str(value)[:60]}: a number in [{low:g}, {high:g}] expected")
        return float(value)

    def time(self, key: str, default: Any = ...) -> int:
        """Return nanoseconds of an ISO 8601 time with a zone."""
        value = self._take(key, default)
        if value is default:
            return int(value)
        try:
            return from_iso(value)
        except (TypeError, ValueError, OverflowError):
            raise BadReport(f"{key} = {str(value)[:60]!r}: a time like 2025-08-05T19:52:02Z expected") from None

    def code(self, key: str, base: int, high: int) -> int:
        """Return a code given as octal or hex digits, or -1."""
        value = self._take(key, "")
        if value == "":
            return -1
        try:
            number = int(value, base)
        except (TypeError, ValueError):
            number = -1
        if not 0 <= number <= high:
            raise BadReport(f"{key} = {str(value)[:60]!r}: a text of {'octal' if base == 8 else 'hex'} digits expected")
        return number

    def flag(self, key: str) -> bool:
        """Return true or false; false where it is left out."""
        value = self._take(key, False)
        if not isinstance(value, bool):
            raise BadReport(f"{key} = {str(value)[:60]!r}: true or false expected")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise BadReport(f"{key}: a list of texts expected")
        return tuple(value)

    def done(self) -> None:
        """Refuse keys that nobody took."""
        if self._left:
            raise BadReport(f"unknown key {sorted(self._left)[0]!r}")


def _patrol(f: Fields, sequence: int) -> PatrolEvent:
    return PatrolEvent(f.time("time"), f.text("patrol", ...), f.choice("event", PATROL_EVENTS), f.text("place"),
                       f.text("text"), f.text("by"))


def _sighting(f: Fields, sequence: int) -> Sighting:
    time_ns = f.time("time")
    bearing = math.radians(f.number("bearing_deg", -360.0, 360.0, math.nan)) % (2.0 * math.pi)
    return Sighting(
        id=f.text("id") or make_id("sighting", sequence, time_ns), time_ns=time_ns,
        time_s_sigma=f.number("time_s_sigma", 0.0, 86_400.0, 60.0), kind=f.choice("kind", SIGHTING_KINDS),
        latitude_rad=math.radians(f.number("lat_deg", -90.0, 90.0)),
        longitude_rad=math.radians(f.number("lon_deg", -180.0, 180.0)),
        position_m_sigma=f.number("position_m_sigma", 0.0, 1e6, 500.0), bearing_rad=bearing,
        bearing_rad_sigma=math.radians(f.number("bearing_deg_sigma", 0.0, 180.0, math.nan)), place=f.text("place"),
        text=f.text("text"), by=f.text("by"), entry_sequence=sequence)


def _identification(f: Fields, sequence: int) -> Identification:
    found = Identification(f.time("time"), f.choice("affiliation", AFFILIATIONS), f.text("track_id"),
                           f.code("icao_address", 16, 0xFFFFFF), f.code("mode3a", 8, 0o7777), f.text("text"),
                           f.text("by"))
    if not found.track_id and found.icao_address < 0 and found.mode3a < 0:
        raise BadReport("track_id, icao_address or mode3a: one must name the object")
    return found


def _impact(f: Fields, sequence: int) -> Impact:
    found = Impact(f.time("time"), math.radians(f.number("lat_deg", -90.0, 90.0)),
                   math.radians(f.number("lon_deg", -180.0, 180.0)), f.number("radius_m", 0.0, 1e6), f.text("text"),
                   f.text("by"), f.choice("kind", IMPACT_KINDS, "impact"),
                   math.radians(f.number("bearing_deg", -360.0, 360.0, math.nan)) % (2.0 * math.pi),
                   math.radians(f.number("sector_deg", 0.0, 360.0, math.nan)))
    if math.isnan(found.bearing_rad) != math.isnan(found.sector_rad):
        raise BadReport("bearing_deg, sector_deg: a sector has both, its middle and its width")
    return found


def _command(f: Fields, sequence: int) -> Command:
    return Command(f.time("time"), f.choice("action", ALERT_ACTIONS), f.text("alert_id"), f.texts("zones"),
                   f.text("level"), f.time("expires", 0), f.text("text"), f.text("by"), f.choice("role", ("", *OFFICER_ROLES), ""))


def _acknowledgement(f: Fields, sequence: int) -> Acknowledgement:
    return Acknowledgement(f.time("time"), f.text("notice_id", ...), f.text("by", ...))


def _sensor_order(f: Fields, sequence: int) -> SensorOrder:
    return SensorOrder(f.time("time"), f.text("sensor", ...), f.choice("action", SENSOR_ACTIONS), f.text("text"), f.text("by", ...))


READERS: Mapping[str, Callable[[Fields, int], PersonReport]] = {
    entries.PATROL: _patrol,
    entries.SIGHTING: _sighting,
    entries.IDENTIFY: _identification,
    entries.IMPACT: _impact,
    entries.COMMAND: _command,
    entries.ACKNOWLEDGE: _acknowledgement,
    entries.SENSOR: _sensor_order,
}


def decode_report(format_: str, payload: bytes, entry_sequence: int = -1) -> PersonReport:
    """Return the record of an entry. Raises BadReport, which the stage counts as a refusal."""
    fields = Fields(payload)
    report = READERS[format_](fields, entry_sequence)
    fields.done()
    return report


def _dump(**values: Any) -> bytes:
    kept = {key: value for key, value in values.items()
            if value not in ("", None, []) and not (isinstance(value, float) and math.isnan(value))}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _time(time_ns: int) -> str:
    return to_iso(time_ns, digits=6)


def _degrees(angle_rad: float) -> float:
    return round(math.degrees(angle_rad), 9)


def encode_patrol(event: PatrolEvent) -> bytes:
    """Return the payload of a ``patrol`` entry."""
    return _dump(time=_time(event.time_ns), patrol=event.patrol, event=event.event, place=event.place,
                 text=event.text, by=event.by)


def encode_sighting(sighting: Sighting) -> bytes:
    """Return the payload of a ``sighting`` entry."""
    return _dump(id=sighting.id, time=_time(sighting.time_ns), time_s_sigma=sighting.time_s_sigma, kind=sighting.kind,
                 lat_deg=_degrees(sighting.latitude_rad), lon_deg=_degrees(sighting.longitude_rad),
                 position_m_sigma=sighting.position_m_sigma, bearing_deg=_degrees(sighting.bearing_rad),
                 bearing_deg_sigma=_degrees(sighting.bearing_rad_sigma), place=sighting.place, text=sighting.text,
                 by=sighting.by)


def encode_identification(found: Identification) -> bytes:
    """Return the payload of an ``identify`` entry."""
    return _dump(time=_time(found.time_ns), affiliation=found.affiliation, track_id=found.track_id,
                 icao_address=f"{found.icao_address:06X}" if found.icao_address >= 0 else "",
                 mode3a=f"{found.mode3a:04o}" if found.mode3a >= 0 else "", text=found.text, by=found.by)


def encode_impact(impact: Impact) -> bytes:
    """Return the payload of an ``impact`` entry."""
    return _dump(time=_time(impact.time_ns), lat_deg=_degrees(impact.latitude_rad),
                 lon_deg=_degrees(impact.longitude_rad), radius_m=impact.radius_m, text=impact.text, by=impact.by,
                 kind="" if impact.kind == "impact" else impact.kind, bearing_deg=_degrees(impact.bearing_rad),
                 sector_deg=_degrees(impact.sector_rad))


def encode_command(command: Command) -> bytes:
    """Return the payload of a ``command`` entry."""
    known = {"role": command.role} if command.role else {}
    return _dump(time=_time(command.time_ns), action=command.action, alert_id=command.alert_id,
                 zones=list(command.zones), level=command.level,
                 expires=_time(command.expires_ns) if command.expires_ns else "", text=command.text, by=command.by, **known)


def encode_acknowledgement(answer: Acknowledgement) -> bytes:
    """Return the payload of an ``acknowledge`` entry."""
    return _dump(time=_time(answer.time_ns), notice_id=answer.notice_id, by=answer.by)


def encode_sensor_order(order: SensorOrder) -> bytes:
    """Return the payload of a ``sensor`` entry."""
    return _dump(time=_time(order.time_ns), sensor=order.sensor, action=order.action, text=order.text, by=order.by)

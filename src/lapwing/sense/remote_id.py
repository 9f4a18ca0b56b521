"""ASTM F3411 (Remote ID) messages of one transmitter: 25 octets each, alone, in a row, or in a message pack.

::

    octet 0   message type (high four bits), version (low four)
    0 basic id     1: id type, aircraft type   2-21: the id, ASCII
    1 location     1: status (high four), flags: 2 height type, 1 east/west, 0 speed multiplier
                   2: direction (0-179, +180 with the flag)   3: speed   4: climb (0.5 m/s, signed)
                   5-8: latitude   9-12: longitude (1e-7 degrees, little-endian, signed)
                   13-14: pressure altitude   15-16: geodetic altitude   17-18: height (0.5 m, less 1,000 m)
                   19: accuracy, vertical (high) and horizontal (low)   20: barometric (high), speed (low)
                   21-22: tenths of a second since the full hour   23: accuracy of the time
    15 pack        1: 25   2: count   then the messages

Source: ASTM F3411-22a, tables 4 to 8 and section 5.4.5. What an unmanned aircraft says of itself is a self-reported place,
as ADS-B is.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_ADSB
from lapwing.model.sensors import ADSB
from lapwing.model.times import NS_PER_S
from lapwing.sense.found import Found
from lapwing.sense.positions import Position, from_pressure_ft, plots_of, sensor_of, timely
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

MESSAGE_OCTETS = 25
BASIC_ID, LOCATION, PACK = 0, 1, 15
PACK_MAX = 10
HOUR_NS = 3_600 * NS_PER_S
UNKNOWN_M = -1_000.0
FOOT_M = 0.3048
GROUND, AIRBORNE = 1, 2
# 95 % radius (metres) by the horizontal accuracy code: the NACp values of DO-260B; 0 and reserved: unknown.
_ACCURACY_M = (math.nan, 18_520.0, 7_408.0, 3_704.0, 1_852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0, 1.0)
_VERTICAL_M = (math.nan, 150.0, 45.0, 25.0, 10.0, 3.0, 1.0)
_SIGMA_PER_95 = 1.0 / 2.4477
UNKNOWN_M_SIGMA = 300.0


def read_remote_id(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of entries that hold whole messages or packs of one transmitter."""
    positions: list[Position] = []
    for entry in entries:
        messages = _messages(work, entry)
        name = b""
        for _, message in messages:
            if message[0] >> 4 == BASIC_ID:
                text = message[2:22].split(b"\0")[0].strip()
                # The last eight characters tell aircraft of one maker apart; the whole id stands in the journal.
                name = bytes(c for c in text.upper() if 32 < c < 127)[-8:] or name
        for offset, message in messages:
            work.record_count += 1
            if message[0] >> 4 == LOCATION:
                position = _location(work, entry, message, name)
                if position is not None:
                    position.octet_offset = offset
                    positions.append(position)
    return Found(plots=(plots_of(work, positions),))


def _say(work: Work, entry: Entry, reason: str, detail: str, offset: int = 0) -> None:
    work.refusals.add(reason, f"{entry.link} Remote ID", detail, entry.link, entry.sequence, offset)


def _messages(work: Work, entry: Entry) -> list[tuple[int, bytes]]:
    """Return (offset, message) of all messages; packs are opened."""
    octets, at = entry.payload, 0
    found: list[tuple[int, bytes]] = []
    while at < len(octets):
        if octets[at] >> 4 == PACK:
            if len(octets) - at < 3 or octets[at + 1] != MESSAGE_OCTETS or not 0 < octets[at + 2] <= PACK_MAX:
                _say(work, entry, "bad_pack", "a pack holds 1 to 10 messages of 25 octets", at)
                return found
            count, at = octets[at + 2], at + 3
        else:
            count = 1
        for _ in range(count):
            message = octets[at : at + MESSAGE_OCTETS]
            if len(message) < MESSAGE_OCTETS or message[0] >> 4 == PACK:
                _say(work, entry, "item_too_short", f"octet {at}: a message of 25 octets expected, {len(message)} left", at)
                return found
            found.append((at, message))
            at += MESSAGE_OCTETS
    return found


def _location(work: Work, entry: Entry, message: bytes, name: bytes) -> Position | None:
    status, flags = message[1] >> 4, message[1] & 15
    latitude_e7, longitude_e7 = struct.unpack_from("<ii", message, 5)
    pressure, geodetic, _ = struct.unpack_from("<HHH", message, 13)
    if status == GROUND:
        _say(work, entry, "on_ground", "an aircraft on the ground")
        return None
    if latitude_e7 == 0 and longitude_e7 == 0:
        _say(work, entry, "no_place", "the aircraft does not know where it is")
        return None
    latitude, longitude = math.radians(latitude_e7 * 1e-7), math.radians(longitude_e7 * 1e-7)
    if not (abs(latitude) <= math.pi / 2 and abs(longitude) <= math.pi):
        _say(work, entry, "implausible_position", f"{latitude_e7 * 1e-7:g} {longitude_e7 * 1e-7:g}: off the globe")
        return None
    measured_ns = _time(struct.unpack_from("<H", message, 21)[0], entry.received_ns)
    if not timely(work, entry, measured_ns, entry.link):
        return None
    index = sensor_of(work, entry.link[:40], ADSB)
    if index < 0:
        _say(work, entry, "too_many_sources", "the sensor table is full")
        return None
    horizontal, vertical = message[19] & 15, message[19] >> 4
    radius = _ACCURACY_M[horizontal] if horizontal < len(_ACCURACY_M) else math.nan
    rise = _VERTICAL_M[vertical] if vertical < len(_VERTICAL_M) else math.nan
    altitude = geodetic * 0.5 + UNKNOWN_M
    if altitude > UNKNOWN_M:
        height, height_sigma = altitude, (rise if math.isfinite(rise) else 150.0) * 0.51
    else:
        by_pressure = pressure * 0.5 + UNKNOWN_M
        height, height_sigma = from_pressure_ft(by_pressure / FOOT_M if by_pressure > UNKNOWN_M else math.nan, latitude, longitude)
    # Above 63.75 m/s the multiplier is 0.75 on top of it; 255 says that it is not known.
    speed = math.nan if message[3] == 255 else message[3] * 0.75 + 63.75 if flags & 1 else message[3] * 0.25
    direction = math.radians(message[2] + (180.0 if flags & 2 else 0.0)) if message[2] < 180 else math.nan
    return Position(entry, index, KIND_ADSB, measured_ns, latitude, longitude,
                    radius * _SIGMA_PER_95 if math.isfinite(radius) else UNKNOWN_M_SIGMA, height, height_sigma,
                    speed * math.sin(direction), speed * math.cos(direction), callsign=name)


def _time(tenths: int, received_ns: int) -> int:
    """Return the time of so many tenths of a second since the full hour that lies nearest to the reception."""
    if tenths > 36_000:
        return received_ns             # 0xFFFF: unknown
    inside = tenths * (NS_PER_S // 10)
    return received_ns - ((received_ns - inside + HOUR_NS // 2) % HOUR_NS - HOUR_NS // 2)

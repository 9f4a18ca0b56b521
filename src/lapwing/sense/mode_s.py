"""Mode S extended squitters (DF17, DF18): parity, call sign, velocity, and places by compact position reporting (CPR).

Only what makes a plot is read: type codes 1-4 (call sign), 9-18 and 20-22 (place in the air), 19 (velocity), 31 (NACp).
Source: ICAO Doc 9871 (2nd edition) tables 2-5 to 2-9 and appendix C (CPR); RTCA DO-260B table N-4 for the containment radius
by type code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.sense.positions import FOOT_M, KNOT_MPS

_GENERATOR = 0xFFF409            # x^24 + x^23 + ... of the Mode S parity, without its leading 1
_LATITUDE_ZONES = 15             # NZ
_SIX_BIT = "?ABCDEFGHIJKLMNOPQRSTUVWXYZ????? ???????????????0123456789??????"
# Navigation integrity by type code (9-18, 20-22), the lower where a supplement bit would decide.
NIC_OF_TYPE = {9: 11, 10: 10, 11: 8, 12: 7, 13: 6, 14: 5, 15: 4, 16: 2, 17: 1, 18: 0, 20: 11, 21: 10, 22: 0}


def _table() -> tuple[int, ...]:
    rows = []
    for octet in range(256):
        value = octet << 16
        for _ in range(8):
            value = (value << 1 ^ (_GENERATOR if value & 0x800000 else 0)) & 0xFFFFFF
        rows.append(value)
    return tuple(rows)


_CRC = _table()


def remainder(frame: bytes) -> int:
    """Return the parity remainder of a whole frame; 0 for a squitter without error."""
    value = 0
    for octet in frame[:-3]:
        value = (value << 8 & 0xFFFFFF) ^ _CRC[value >> 16 ^ octet]
    return value ^ int.from_bytes(frame[-3:], "big")


@dataclass(frozen=True, slots=True)
class Squitter:
    """One extended squitter. Which fields are filled depends on its type code."""

    address: int
    icao: bool                     # a 24-bit ICAO address, not an anonymous or track-file one
    type_code: int
    callsign: str = ""
    east_mps: float = math.nan
    north_mps: float = math.nan
    nacp: int = -1
    odd: bool = False
    cpr_latitude: int = -1         # 17 bits; -1: no place in it
    cpr_longitude: int = -1
    altitude_ft: float = math.nan  # by pressure
    altitude_m: float = math.nan   # by satellite, above the ellipsoid


def parse(frame: bytes) -> Squitter | None:
    """Return the squitter of 14 octets; None where the parity fails or it is another format."""
    if len(frame) != 14 or frame[0] >> 3 not in (17, 18) or remainder(frame):
        return None
    control = frame[0] & 7
    if frame[0] >> 3 == 18 and control not in (0, 1, 2, 6):
        return None
    address = int.from_bytes(frame[1:4], "big")
    icao = frame[0] >> 3 == 17 or control in (0, 2, 6)
    body = int.from_bytes(frame[4:11], "big")
    code = body >> 51
    if 1 <= code <= 4:
        text = "".join(_SIX_BIT[body >> shift & 63] for shift in range(42, -1, -6))
        return Squitter(address, icao, code, callsign=text.replace("?", "").strip())
    if 9 <= code <= 18 or 20 <= code <= 22:
        twelve = body >> 36 & 0xFFF
        satellite = code >= 20
        return Squitter(
            address, icao, code, odd=bool(body >> 34 & 1), cpr_latitude=body >> 17 & 0x1FFFF, cpr_longitude=body & 0x1FFFF,
            altitude_ft=math.nan if satellite else altitude_ft(twelve), altitude_m=float(twelve) if satellite and twelve else
            math.nan)
    if code == 19:
        return _velocity(address, icao, body)
    if code == 31 and body >> 48 & 7 == 0:
        return Squitter(address, icao, code, nacp=body >> 8 & 15)
    return Squitter(address, icao, code)


def _velocity(address: int, icao: bool, body: int) -> Squitter:
    subtype = body >> 48 & 7
    if subtype not in (1, 2):      # 3 and 4 are airspeed and heading: no speed over the ground
        return Squitter(address, icao, 19)
    share = KNOT_MPS * (4.0 if subtype == 2 else 1.0)
    east, north = body >> 32 & 0x3FF, body >> 21 & 0x3FF
    if not east or not north:
        return Squitter(address, icao, 19)
    return Squitter(address, icao, 19, east_mps=(east - 1) * share * (-1.0 if body >> 42 & 1 else 1.0),
                    north_mps=(north - 1) * share * (-1.0 if body >> 31 & 1 else 1.0))


def altitude_ft(code: int) -> float:
    """Return the pressure altitude of a 12-bit altitude code: 25 ft steps with the Q bit, else Gillham's; NaN none."""
    if not code:
        return math.nan
    if code & 0x10:
        return 25.0 * ((code >> 5 & 0x7F) << 4 | code & 0xF) - 1000.0
    # Without Q the bits are C1 A1 C2 A2 C4 A4 B1 (Q) B2 D2 B4 D4: hundreds of feet in Gillham's code.
    bit = [code >> shift & 1 for shift in range(11, -1, -1)]
    c1, a1, c2, a2, c4, a4, b1, _, b2, d2, b4, d4 = bit
    five = _from_gray((d2, d4, a1, a2, a4, b1, b2, b4))
    one = _from_gray((c1, c2, c4))
    if one in (0, 5, 6):
        return math.nan
    one = 5 if one == 7 else one
    if five % 2:
        one = 6 - one
    return five * 500.0 + one * 100.0 - 1300.0


def _from_gray(bits: tuple[int, ...]) -> int:
    value = last = 0
    for bit in bits:
        last ^= bit
        value = value << 1 | last
    return value


def _zones(latitude_deg: float) -> int:
    """Return the number of longitude zones at a latitude (NL), at least 1."""
    if abs(latitude_deg) >= 87.0:
        return 1 if abs(latitude_deg) > 87.0 else 2
    share = 1.0 - (1.0 - math.cos(math.pi / (2.0 * _LATITUDE_ZONES))) / math.cos(math.radians(latitude_deg)) ** 2
    return int(2.0 * math.pi / math.acos(share))


def global_place(even: tuple[int, int], odd: tuple[int, int], newest_odd: bool) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees of an even and an odd report, as of the newer; None where they do not fit."""
    scale = float(1 << 17)
    index = math.floor((59.0 * even[0] - 60.0 * odd[0]) / scale + 0.5)
    latitude_even = 6.0 * (index % 60 + even[0] / scale)
    latitude_odd = 360.0 / 59.0 * (index % 59 + odd[0] / scale)
    latitude_even = latitude_even - 360.0 if latitude_even >= 270.0 else latitude_even
    latitude_odd = latitude_odd - 360.0 if latitude_odd >= 270.0 else latitude_odd
    if max(abs(latitude_even), abs(latitude_odd)) > 90.0 or _zones(latitude_even) != _zones(latitude_odd):
        return None
    latitude = latitude_odd if newest_odd else latitude_even
    zones = _zones(latitude)
    count = max(zones - newest_odd, 1)
    index = math.floor((even[1] * (zones - 1) - odd[1] * zones) / scale + 0.5)
    longitude = 360.0 / count * (index % count + (odd[1] if newest_odd else even[1]) / scale)
    return latitude, longitude - 360.0 if longitude >= 180.0 else longitude


def local_place(report: tuple[int, int], odd: bool, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Return the place of one report that lies nearest to a known one (right within 180 NM of it)."""
    scale = float(1 << 17)
    step = 360.0 / (59.0 if odd else 60.0)
    share = report[0] / scale
    latitude = step * (math.floor(latitude_deg / step) + math.floor(0.5 + latitude_deg % step / step - share) + share)
    step = 360.0 / max(_zones(latitude) - odd, 1)
    share = report[1] / scale
    longitude = step * (math.floor(longitude_deg / step) + math.floor(0.5 + longitude_deg % step / step - share) + share)
    return latitude, longitude


__all__ = ["FOOT_M", "NIC_OF_TYPE", "Squitter", "altitude_ft", "global_place", "local_place", "parse", "remainder"]

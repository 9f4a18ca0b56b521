"""Makes cell broadcast messages: message identifier, serial number, coded pages, the area that phones check themselves.

Which cells send is left to the operator's centre: it gets the polygons. Codes are data, by country; test and exercise
have identifiers of their own, so that no phone shows them as real.

Source: 3GPP TS 23.041 (9.4.1.2: message identifiers 4370 to 4399; 9.4.1.2.1: serial number; page format), ETSI TS 102 900
(EU-Alert levels), ATIS-0700041 (device-based geofencing: coordinates of 22 bits, floor).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lapwing.model.times import NS_PER_S, to_iso
from lapwing.warn.cell_broadcast import Pages, economical, pages_of

Ring = Sequence[tuple[float, float]]     # (latitude_deg, longitude_deg), closed

# (status, level) -> (identifier in the national language, in further languages), as ETSI TS 102 900 maps EU-Alert.
# Level 1 is the highest; an all clear is told at level 4, which does not sound the alarm.
EU_ALERT: dict[tuple[str, str], tuple[int, int]] = {
    ("Actual", "alert"): (4370, 4383),
    ("Actual", "pre_alert"): (4378, 4391),
    ("Actual", "all_clear"): (4396, 4397),
    ("Test", ""): (4380, 4393),
    ("Exercise", ""): (4381, 4394),
}
# Countries whose mapping differs; all others take EU_ALERT. A channel's settings may give one of their own.
IDENTIFIERS: dict[str, dict[tuple[str, str], tuple[int, int]]] = {}
GEOFENCE_WAIT_S = 60                     # a phone that cannot place itself in this time shows the message
AREA_OCTETS_MAX = 1_024                  # of the warning area coordinates (TS 36.413)
POINTS_MAX = 100                         # of one polygon (ATIS-0700041)
SCOPES = ("cell_wide_immediate", "plmn_wide", "lac_sac_tac_wide", "cell_wide")
CODES, UPDATES = 1_024, 16
_TYPE_WAIT, _TYPE_POLYGON = 1, 2
_COORDINATE_BITS = 22


@dataclass(frozen=True, slots=True)
class Serial:
    """What tells messages of one identifier apart: a phone shows each once, and an update as new."""

    message_code: int                    # 0..1023: the chain
    update_number: int                   # 0..15: the message of the chain
    scope: str = "cell_wide"

    @property
    def encoded(self) -> int:
        """Return the 16 bits: 2 of scope, 10 of code, 4 of update number."""
        assert 0 <= self.message_code < CODES and 0 <= self.update_number < UPDATES, self
        return SCOPES.index(self.scope) << 14 | self.message_code << 4 | self.update_number


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message in one language, ready for an operator's centre."""

    message_identifier: int
    serial: Serial
    language: str
    text: str
    pages: Pages
    area: tuple[tuple[tuple[float, float], ...], ...]
    expires_ns: int
    repetition_s: int = 10

    def neutral(self) -> dict[str, Any]:
        """Return it as JSON values that name no maker: what a gateway needs to build its own request."""
        return {
            "message_identifier": self.message_identifier, "serial_number": self.serial.encoded,
            "message_code": self.serial.message_code, "update_number": self.serial.update_number,
            "geographical_scope": self.serial.scope, "language": self.language, "text": self.text,
            "data_coding_scheme": self.pages.coding_scheme, "alphabet": self.pages.alphabet,
            "pages": [{"hex": page.hex(), "octets": len(page)} for page in self.pages.pages],
            "polygons": [[list(point) for point in ring] for ring in self.area],
            "warning_area_hex": geofence(self.area).hex(), "repetition_period_s": self.repetition_s,
            "expires": to_iso(self.expires_ns, digits=0),
        }

    def osmocom(self, sender: str, now_ns: int) -> dict[str, Any]:
        """Return the request of the open lab centre (osmo-cbc): POST to /api/ecbe/v1/message."""
        seconds = max(1, (self.expires_ns - now_ns) // NS_PER_S)
        return {
            "cbe_name": sender, "category": "high_priority", "repetition_period": self.repetition_s,
            "num_of_bcast": min(65_535, max(1, seconds // self.repetition_s)), "scope": {"scope_plmn": {}},
            "warning_period_sec": min(3_600, seconds),
            "smscb_message": {
                "message_id": self.message_identifier,
                "serial_nr": {"serial_nr_decoded": {"geo_scope": self.serial.scope, "msg_code": self.serial.message_code,
                                                    "update_nr": self.serial.update_number}},
                "payload": {"payload_encoded": {"dcs": self.pages.coding_scheme,
                                                "pages": [page.hex() for page in self.pages.padded()]}},
            },
        }


def identifiers(country: str, status: str, level: str) -> tuple[int, int]:
    """Return the identifiers (national language, further languages). Test and exercise do not depend on the level.

    >>> identifiers("ro", "Actual", "alert"), identifiers("ro", "Exercise", "alert")
    ((4370, 4383), (4381, 4394))
    """
    table: Mapping[tuple[str, str], tuple[int, int]] = IDENTIFIERS.get(country.lower(), EU_ALERT)
    return table[(status, level if status == "Actual" else "")]


def broadcasts(texts: Iterable[tuple[str, str]], serial: Serial, *, country: str, status: str, level: str,
               area: tuple[tuple[tuple[float, float], ...], ...], expires_ns: int) -> list[Broadcast]:
    """Return one message a language, the first of them the national one. Raises ValueError where a text does not fit."""
    national, further = identifiers(country, status, level)
    made = []
    for number, (language, text) in enumerate(texts):
        text = economical(text, language)
        pages = pages_of(text)
        if not pages.fits:
            raise ValueError(f"the text in {language} takes {len(pages.pages)} pages; a message has 15 at most")
        # Two further languages share an identifier: their codes must differ, or a phone takes one for a repetition.
        own = serial if number < 2 else Serial((serial.message_code + 512 + number) % CODES, serial.update_number, serial.scope)
        made.append(Broadcast(national if number == 0 else further, own, language, text, pages, area, expires_ns))
    return made


def geofence(rings: Iterable[Ring], wait_s: int = GEOFENCE_WAIT_S) -> bytes:
    """Return warning area coordinates: a phone outside them stays silent. Rings that do not fit are an empty fence.

    An empty fence means that every phone in the cells shows the message: too wide is safe, too narrow is not.
    ::

        octets  what
        2       length of what follows, low octet first
        3       type 1 (4 bits), length 3 (10), spare (2); seconds to wait (8)
        2 + n   type 2 (4 bits), length (10), spare (2); points of 22 + 22 bits; spare to the octet
    """
    parts = [_header(_TYPE_WAIT, 3) + bytes([min(wait_s, 254)])]
    for ring in rings:
        points = list(ring[:-1]) if len(ring) > 1 and tuple(ring[0]) == tuple(ring[-1]) else list(ring)
        points.append(points[0])
        if len(points) > POINTS_MAX:
            return b""
        bits = 0
        for latitude_deg, longitude_deg in points:
            bits = bits << 2 * _COORDINATE_BITS | _fraction(latitude_deg, 90.0) << _COORDINATE_BITS | _fraction(longitude_deg, 180.0)
        count = 2 * _COORDINATE_BITS * len(points)
        octets = -(-count // 8)
        parts.append(_header(_TYPE_POLYGON, 2 + octets) + (bits << (8 * octets - count)).to_bytes(octets, "big"))
    whole = b"".join(parts)
    if len(parts) == 1 or len(whole) > AREA_OCTETS_MAX:
        return b""
    return len(whole).to_bytes(2, "little") + whole


def _header(kind: int, length: int) -> bytes:
    return (kind << 12 | length << 2).to_bytes(2, "big")


def _fraction(angle_deg: float, limit_deg: float) -> int:
    steps = 1 << _COORDINATE_BITS
    return min(steps - 1, max(0, math.floor((angle_deg + limit_deg) / (2.0 * limit_deg) * steps)))

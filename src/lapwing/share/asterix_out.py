"""Alarms of the safety net as items of ASTERIX CAT004 (safety net messages, edition 1.13), for displays and neighbours' systems.

Items are written by the encoder of the sense stage, which whoever joins the stages calls: here they are values.

======== ============================================================================================
item     what stands in it
======== ============================================================================================
010 020  source; time of the word
000      5, area proximity warning; 17, end of conflict, of an alarm that ended
030      track: number of the track within its day
040      number of the alarm, 1-65535
045      STAT 0 ended, 1 amber, 2 red (the specification leaves the values to the system)
060      APW
120      CN: TYPE major separation infringement where it is red
070      TC seconds until it is inside as it flies; CHS distance outside now, 0 inside
100      AN code of the volume, CAN its name, seven letters of it
170      AI1 call sign, M31 Mode 3/A, CPW position and height above the ellipsoid (800,000 ft: not known)
======== ============================================================================================
"""

from __future__ import annotations

import math
import re
from typing import Any

from lapwing.model.alarms import AMBER, ENDED, Alarm
from lapwing.model.times import NS_PER_S

CATEGORY, EDITION = 4, "1.13"
_AREA_PROXIMITY_WARNING, _END_OF_CONFLICT = 5, 17
_DAY_NS = 86_400 * NS_PER_S
_FOOT_M = 0.3048
_SECONDS_MAX, _DISTANCE_M_MAX = 131_000.0, 8_388_000.0
_ALTITUDE_FT_MAX = 800_000.0


def alarm_items(alarm: Alarm, sac: int, sic: int) -> dict[str, Any]:
    """Return the items of one word on an alarm."""
    ended = alarm.state == ENDED
    own: dict[str, Any] = {"CPW": {
        "LAT": math.degrees(alarm.latitude_rad), "LON": math.degrees(alarm.longitude_rad),
        # Heights go out above the ellipsoid; one that is not known as the greatest that fits, which no display takes for one.
        "ALT": min(alarm.height_m / _FOOT_M, _ALTITUDE_FT_MAX) if math.isfinite(alarm.height_m) else _ALTITUDE_FT_MAX}}
    if alarm.callsign:
        own["AI1"] = _ascii(alarm.callsign)
    if alarm.mode3a >= 0:
        own["M31"] = {"MODE3A": f"{alarm.mode3a:04o}"}
    timing: dict[str, Any] = {"CHS": min(max(alarm.border_m, 0.0), _DISTANCE_M_MAX)}
    if alarm.violation_nominal_ns and not ended:
        timing["TC"] = min(max((alarm.violation_nominal_ns - alarm.time_ns) / NS_PER_S, 0.0), _SECONDS_MAX)
    return {
        "010": {"SAC": sac, "SIC": sic}, "000": _END_OF_CONFLICT if ended else _AREA_PROXIMITY_WARNING,
        "020": (alarm.time_ns % _DAY_NS) / NS_PER_S, "030": track_number(alarm.track_id), "040": alarm.number,
        "045": {"STAT": 0 if ended else 1 if alarm.level == AMBER else 2}, "060": {"APW": 1},
        "120": {"CN": {"TYPE": 0 if alarm.level == AMBER else 1}}, "070": timing,
        "100": {"AN": _letters(alarm.volume, 8), "CAN": _ascii(alarm.volume_name)}, "170": own}


def track_number(track_id: str) -> int:
    """Return the number at the end of a track's id, as far as two octets hold it."""
    found = re.search(r"(\d+)$", track_id)
    return int(found.group(1)) % 65_536 if found else 0


def _letters(text: str, count: int) -> str:
    """Return a text in the letters of ICAO's six-bit alphabet."""
    return re.sub(r"[^A-Z0-9 ]", " ", text.upper())[:count].ljust(count)


def _ascii(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:7].ljust(7)

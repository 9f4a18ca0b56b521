"""Alarms of the safety net: machine output for other systems' displays. No warning of the public is made from them."""

from __future__ import annotations

from dataclasses import dataclass

AMBER, RED = "amber", "red"
RAISED, CHANGED, ENDED = "raised", "changed", "ended"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One word on one alarm: it is raised, changed or ended. Times of 0: not known."""

    alarm_id: str                 # "20250805-0007/RO/1"
    number: int                   # 1-65535, running: the alert identifier of ASTERIX
    track_id: str
    volume: str                   # code of the volume
    volume_name: str
    level: str                    # AMBER | RED; the last one of an ended alarm
    state: str                    # RAISED | CHANGED | ENDED
    cause: str                    # "inside", "straight", "turn": the filter that found it; of an ended one why: "averted", "left",
                                  # "lost", "not_eligible"
    immediate: bool               # raised without waiting for confirmation
    time_ns: int                  # of this word
    raised_ns: int                # of the first
    border_m: float               # signed distance to the volume now
    border_m_sigma: float
    violation_earliest_ns: int    # when it would be inside: 90 % band of the straight and the turning flight
    violation_nominal_ns: int
    violation_latest_ns: int
    due_earliest_ns: int          # when the alarm is due: the lead before it comes near on these flights
    due_nominal_ns: int
    due_latest_ns: int
    latitude_rad: float
    longitude_rad: float
    height_m: float               # above the ellipsoid; NaN unknown
    velocity_mps: tuple[float, float]
    mode3a: int = -1
    callsign: str = ""

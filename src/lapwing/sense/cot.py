"""CoT events as entries: unknown aircraft become plots, sensor events bearings, people's markers sightings, patrols a log.

* An exercise or a simulation (``opex`` e, s) never becomes anything.
* Something unknown in the air, reported by a machine: a plot, as good as its circular error.
* The same, entered by a person (``how`` h-...), or a spot marker: a sighting.
* A friend in the air: a line of the patrol log when it is first seen, and never a plot: a plot carries no affiliation, and
  the patrol that flies along the border must not be judged for entering. Neutral aircraft likewise.
* Acoustic detection (``b-d-a``): presence within its circular error.
* Everything else (drawings, pings, alerts of other systems) is counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lapwing.model.entries import Entry
from lapwing.model.ids import make_id
from lapwing.model.plots import KIND_TRACK
from lapwing.model.reports import PatrolEvent, PersonReport, Sighting
from lapwing.model.times import NS_PER_S
from lapwing.sense import cot_event, tak_protobuf
from lapwing.sense.findings import is_valid
from lapwing.sense.found import Bearing, Found, bearings_of
from lapwing.sense.positions import Position, plots_of, sensor_of, timely
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

KNOWN_MAX = 4_096              # objects whose last time is remembered
PLACE_M_SIGMA, SIGHTING_M_SIGMA, HEIGHT_M_SIGMA = 300.0, 500.0, 150.0
HEARD_M_MAX = 5_000.0
FLYING_MPS = 15.0
PENDING_MAX = 1_048_576
SPOT = ("b-m-p-s-p", "b-m-p-s-m")


class CotCutter:
    """Cuts a stream of events into whole ones: XML back to back, or frames of TAK protocol version 1; each alone."""

    def __init__(self) -> None:
        self._pending = b""
        self.broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that are whole now."""
        self._pending += data
        found: list[bytes] = []
        while self._pending and not self.broken:
            piece = self._frame() if self._pending[0] == tak_protobuf.MAGIC else self._text()
            if piece is None:
                break
            if piece:
                found.append(piece)
        if len(self._pending) > PENDING_MAX:
            self.broken = f"an event of over {PENDING_MAX} octets"
        return found

    def _frame(self) -> bytes | None:
        try:
            length, begin = tak_protobuf.varint(self._pending, 1)
        except tak_protobuf.BadTak:
            if len(self._pending) > 11:
                self.broken = "a frame without a length: the stream is out of step"
            return None
        if length > PENDING_MAX:
            self.broken = f"a message of {length} octets is announced"
            return None
        if len(self._pending) < begin + length:
            return None
        piece, self._pending = self._pending[: begin + length], self._pending[begin + length :]
        return piece

    def _text(self) -> bytes | None:
        """Return the next event of XML, "" where only space stood before a frame; None where more is to come."""
        end = self._pending.find(b"</event>")
        if end < 0:
            frame = self._pending.find(bytes([tak_protobuf.MAGIC]))
            if frame >= 0 and not self._pending[:frame].strip():
                self._pending = self._pending[frame:]
                return b""
            return None
        end += len(b"</event>")
        piece, self._pending = self._pending[:end].strip(), self._pending[end:].lstrip()
        return piece


def read_cot(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return what CoT documents hold, one or several events an entry."""
    positions: list[Position] = []
    bearings: list[Bearing] = []
    reports: list[tuple[int, PersonReport]] = []
    for entry in entries:
        events, wrong = cot_event.parse_events(entry.payload)
        for finding in wrong:
            _say(work, entry, finding.rule, finding.message)
        for place, event in enumerate(events):
            work.record_count += 1
            if not is_valid(event.findings):
                first = next(f for f in event.findings if f.severity == "error")
                _say(work, entry, "invalid_event", f"{first.path}: {first.message}")
            else:
                _event(work, entry, place, event, positions, bearings, reports)
    return Found(plots=(plots_of(work, positions),), bearings=bearings_of(bearings), reports=tuple(reports))


def _say(work: Work, entry: Entry, reason: str, detail: str) -> None:
    work.refusals.add(reason, f"{entry.link} CoT", detail, entry.link, entry.sequence, 0)


def _event(work: Work, entry: Entry, place: int, event: cot_event.Event, positions: list[Position], bearings: list[Bearing],
           reports: list[tuple[int, PersonReport]]) -> None:
    if not event.real:
        _say(work, entry, "simulated", f"{event.uid[:40]}: an exercise or a simulation (opex), never a real report")
        return
    parts = event.type.split(";")[0].split("-")
    if parts[0] == "t":
        return                    # pings and requests between programs; a deletion ends no track of ours
    if event.stale_ns < entry.received_ns:
        _say(work, entry, "stale", f"{event.uid[:40]}: no longer valid when it was received")
        return
    if not timely(work, entry, event.start_ns, entry.link) or _old(work, entry, event):
        return
    in_air = parts[0] == "a" and len(parts) > 2 and parts[2] == "A"
    by_person = event.how.startswith("h")
    if event.type.startswith(SPOT) or (in_air and by_person and parts[1] not in "fan"):
        reports.append((entry.sequence, _sighting(entry, event)))
    elif event.type.startswith("b-d-a"):
        _heard(work, entry, event, bearings)
    elif in_air and parts[1] in ("f", "a"):
        _friend(work, entry, event, reports)
    elif in_air and parts[1] == "n":
        _say(work, entry, "neutral_report", f"{event.uid[:40]}: neutral traffic is not tracked by what others say of it")
    elif in_air:
        position = _position(work, entry, event)
        if position is not None:
            position.octet_offset = place
            positions.append(position)
    else:
        _say(work, entry, "not_used", f"an event of type {event.type[:30]}: not of the air, and no sighting")


def _old(work: Work, entry: Entry, event: cot_event.Event) -> bool:
    """Whether this or something newer was had of the object before (links repeat events until they go stale)."""
    known = work.own("cot_times")
    last = known.get(event.uid, -1)
    if event.start_ns <= last:
        _say(work, entry, "repeated", f"{event.uid[:40]}: not newer than the last of the same object")
        return True
    known.pop(event.uid, None)
    known[event.uid] = event.start_ns
    while len(known) > KNOWN_MAX:
        known.pop(next(iter(known)))
    return False


def _position(work: Work, entry: Entry, event: cot_event.Event) -> Position | None:
    index = sensor_of(work, entry.link[:40])
    if index < 0:
        _say(work, entry, "too_many_sources", "the sensor table is full")
        return None
    course = math.radians(event.course_deg)
    return Position(
        entry, index, KIND_TRACK, event.start_ns, math.radians(event.lat_deg), math.radians(event.lon_deg),
        event.ce_m if event.ce_m > 0.0 else PLACE_M_SIGMA, event.hae_m,
        math.nan if math.isnan(event.hae_m) else event.le_m if event.le_m > 0.0 else HEIGHT_M_SIGMA,
        event.speed_mps * math.sin(course), event.speed_mps * math.cos(course),
        callsign=event.callsign.strip().upper().encode("ascii", "ignore")[:8])


def _heard(work: Work, entry: Entry, event: cot_event.Event, bearings: list[Bearing]) -> None:
    latitude, longitude = math.radians(event.lat_deg), math.radians(event.lon_deg)
    reach = event.ce_m if event.ce_m > 0.0 else HEARD_M_MAX
    index = sensor_of(work, event.uid[:60], "acoustic", latitude_rad=latitude, longitude_rad=longitude, range_m_max=reach)
    if index < 0:
        _say(work, entry, "too_many_sources", "the sensor table is full")
        return
    bearings.append(Bearing(entry, index, event.start_ns, latitude, longitude, math.nan, math.nan, reach, True))


def _sighting(entry: Entry, event: cot_event.Event) -> Sighting:
    return Sighting(
        id=make_id("sighting", event.uid, event.start_ns), time_ns=event.start_ns, time_s_sigma=60.0, kind="seen",
        latitude_rad=math.radians(event.lat_deg), longitude_rad=math.radians(event.lon_deg),
        position_m_sigma=event.ce_m if event.ce_m > 0.0 else SIGHTING_M_SIGMA, text=event.remarks,
        by=event.callsign or event.uid, entry_sequence=entry.sequence)


def _friend(work: Work, entry: Entry, event: cot_event.Event, reports: list[tuple[int, PersonReport]]) -> None:
    """Log a patrol when it is first heard of, and when it took off or landed since."""
    patrols = work.own("cot_patrols")
    flying = not event.speed_mps < FLYING_MPS
    before = patrols.get(event.uid)
    if before is not None and before[1] == flying and event.start_ns - before[0] < 3_600 * NS_PER_S:
        patrols[event.uid] = (event.start_ns, flying)
        return
    if len(patrols) >= KNOWN_MAX:
        patrols.pop(next(iter(patrols)))
    patrols[event.uid] = (event.start_ns, flying)
    if before is None and not flying:
        return
    reports.append((entry.sequence, PatrolEvent(
        event.start_ns, event.callsign or event.uid, "airborne" if flying else "landed",
        f"{event.lat_deg:.4f} {event.lon_deg:.4f}", event.remarks, entry.link)))

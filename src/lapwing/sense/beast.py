"""The Beast binary format of 1090 MHz receivers: frames cut from a stream, and the plots of their squitters.

::

    0x1A  '1' | '2' | '3'  6 octets counter  1 octet signal level  2 | 7 | 14 octets Mode A/C, S short, S long

An octet 0x1A inside is sent twice. The counter (12 MHz, or nanoseconds of the day) has no fixed zero, so the time of
reception is taken; it is early by microseconds only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_ADSB, NO_CODE
from lapwing.model.sensors import ADSB
from lapwing.model.times import NS_PER_S
from lapwing.sense import mode_s
from lapwing.sense.found import Found
from lapwing.sense.positions import Position, from_pressure_ft, plots_of, sensor_of
from lapwing.sense.reports import GEOMETRIC_M_SIGMA, adsb_m_sigma
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

ESCAPE = 0x1A
_OCTETS = {0x31: 2, 0x32: 7, 0x33: 14}
PENDING_MAX = 4_096
KNOWN_MAX = 8_192
PAIR_NS = 10 * NS_PER_S          # an even and an odd report farther apart may lie in different zones (DO-260B 2.2.10.3)
LOCAL_NS = 60 * NS_PER_S         # how long a place is near enough to find the next by

# last even (ns, lat, lon), last odd, last place (ns, lat_deg, lon_deg), callsign, east, north, nacp
Aircraft = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, float, float], bytes, float, float, int]
_NEW: Aircraft = ((-1, 0, 0), (-1, 0, 0), (-1, 0.0, 0.0), b"", math.nan, math.nan, -1)


class BeastCutter:
    """Cuts a stream into stretches of whole frames; what is no frame is skipped and counted."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.skipped_octets = 0
        self.broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the whole frames that are there now, together as one piece (nothing where there is none)."""
        self._pending += data
        frames, used, skipped = frames_of(bytes(self._pending))
        self.skipped_octets += skipped
        piece = bytes(self._pending[:used])
        del self._pending[:used]
        if len(self._pending) > PENDING_MAX:
            self.skipped_octets += len(self._pending)
            self._pending.clear()
        return [piece] if frames else []


def frames_of(octets: bytes) -> tuple[list[tuple[int, bytes]], int, int]:
    """Return (offset, Mode S or A/C octets) of the whole frames, how many octets are used up, and how many were no frame."""
    found: list[tuple[int, bytes]] = []
    at = skipped = 0
    end = len(octets)
    while at < end:
        if octets[at] != ESCAPE:
            at, skipped = at + 1, skipped + 1
            continue
        if at + 1 >= end:
            break
        size = _OCTETS.get(octets[at + 1])
        if size is None:
            at, skipped = at + 1, skipped + 1
            continue
        body, place = bytearray(), at + 2
        while len(body) < 7 + size and place < end:
            octet = octets[place]
            if octet == ESCAPE:
                if place + 1 >= end:
                    break
                if octets[place + 1] != ESCAPE:
                    break              # a new frame begins inside this one: it was cut off
                place += 1
            body.append(octet)
            place += 1
        if len(body) < 7 + size:
            if place < end and not (octets[place] == ESCAPE and place + 1 >= end):
                at, skipped = place, skipped + place - at
                continue
            break                      # more is to come
        found.append((at, bytes(body[7:])))
        at = place
    return found, at, skipped


def read_beast(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of entries that hold whole Beast frames."""
    positions: list[Position] = []
    for entry in entries:
        frames, used, skipped = frames_of(entry.payload)
        if skipped or used < len(entry.payload):
            work.refusals.add("not_a_frame", entry.link, "octets that are no whole Beast frame", entry.link, entry.sequence, 0,
                              max(1, skipped + len(entry.payload) - used))
        for offset, frame in frames:
            work.record_count += 1
            squitter = mode_s.parse(frame)
            if squitter is not None:
                position = _take(work, entry, squitter)
                if position is not None:
                    position.octet_offset = offset
                    positions.append(position)
    return Found(plots=(plots_of(work, positions),))


def _take(work: Work, entry: Entry, squitter: mode_s.Squitter) -> Position | None:
    known = work.own("beast")
    key = (entry.link, squitter.address)
    even, odd, place, callsign, east, north, nacp = known.pop(key, _NEW)
    at_ns = entry.received_ns
    found = None
    if squitter.callsign:
        callsign = squitter.callsign.encode("ascii", "ignore")[:8]
    elif squitter.nacp >= 0:
        nacp = squitter.nacp
    elif squitter.type_code == 19:
        east, north = squitter.east_mps, squitter.north_mps
    elif squitter.cpr_latitude >= 0:
        report = (squitter.cpr_latitude, squitter.cpr_longitude)
        if squitter.odd:
            odd = (at_ns, *report)
        else:
            even = (at_ns, *report)
        if min(even[0], odd[0]) >= 0 and abs(even[0] - odd[0]) <= PAIR_NS:
            found = mode_s.global_place(even[1:], odd[1:], squitter.odd)
        if found is None and place[0] >= 0 and 0 <= at_ns - place[0] <= LOCAL_NS:
            found = mode_s.local_place(report, squitter.odd, place[1], place[2])
        place = (at_ns, *found) if found is not None else place
    known[key] = (even, odd, place, callsign, east, north, nacp)
    while len(known) > KNOWN_MAX:
        known.pop(next(iter(known)))
    if found is None:
        return None
    index = sensor_of(work, entry.link[:40], ADSB)
    if index < 0:
        work.refusals.add("too_many_sources", entry.link, "the sensor table is full", entry.link, entry.sequence, 0)
        return None
    latitude, longitude = math.radians(found[0]), math.radians(found[1])
    nic = mode_s.NIC_OF_TYPE.get(squitter.type_code, 0)
    sigma = float(adsb_m_sigma(np.array([nacp if nacp >= 0 else math.nan]), np.array([float(nic)]), np.array([True]))[0])
    if math.isfinite(squitter.altitude_m):
        height, height_sigma = squitter.altitude_m, GEOMETRIC_M_SIGMA
    else:
        height, height_sigma = from_pressure_ft(squitter.altitude_ft, latitude, longitude)
    return Position(entry, index, KIND_ADSB, at_ns, latitude, longitude, sigma, height, height_sigma, east, north, NO_CODE,
                    squitter.address if squitter.icao else NO_CODE, callsign)

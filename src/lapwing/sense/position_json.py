"""Places reported by any other system, as JSON: the simplest way in for what has no format of its own.

::

    {"sensor": "north-camera", "time": "2025-08-05T19:52:02Z", "lat_deg": 45.33, "lon_deg": 28.62, "position_m_sigma": 150,
     "height_m": 240, "height_m_sigma": 60, "ground_mps": 48, "track_deg": 310, "icao_address": "4A1234", "mode3a": "1000",
     "callsign": "ROT12", "self_reported": false}

``height_m`` is above the ellipsoid, ``altitude_m_amsl`` (instead of it) above mean sea level. All but the first four may be left
out. ``self_reported`` marks what the aircraft says of itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_ADSB, KIND_TRACK
from lapwing.model.sensors import ADSB, TRACKER
from lapwing.sense.found import Found
from lapwing.sense.person_json import BadReport, Fields
from lapwing.sense.positions import Position, from_sea_level, plots_of, sensor_of, timely
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

PLACE_M_SIGMA, HEIGHT_M_SIGMA = 300.0, 100.0


def read_positions(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of position reports, one an entry."""
    found = []
    for entry in entries:
        work.record_count += 1
        try:
            position = _position(work, entry)
        except BadReport as error:
            work.refusals.add("bad_report", f"{entry.link} position", str(error), entry.link, entry.sequence, 0)
            continue
        if position is not None:
            found.append(position)
    return Found(plots=(plots_of(work, found),))


def _position(work: Work, entry: Entry) -> Position | None:
    f = Fields(entry.payload)
    sensor_id, time_ns = f.text("sensor", ...), f.time("time")
    latitude, longitude = math.radians(f.number("lat_deg", -90.0, 90.0)), math.radians(f.number("lon_deg", -180.0, 180.0))
    sigma = f.number("position_m_sigma", 0.1, 100_000.0, PLACE_M_SIGMA)
    height = f.number("height_m", -1_000.0, 100_000.0, math.nan)
    above_sea = f.number("altitude_m_amsl", -1_000.0, 100_000.0, math.nan)
    height_sigma = f.number("height_m_sigma", 0.1, 100_000.0, HEIGHT_M_SIGMA)
    speed, track = f.number("ground_mps", 0.0, 3_000.0, math.nan), math.radians(f.number("track_deg", -360.0, 360.0, math.nan))
    icao, mode3a = f.code("icao_address", 16, 0xFFFFFF), f.code("mode3a", 8, 0o7777)
    callsign, own = f.text("callsign"), f.flag("self_reported")
    f.done()
    if not sensor_id:
        raise BadReport("sensor: empty")
    if not timely(work, entry, time_ns, sensor_id):
        return None
    index = sensor_of(work, sensor_id[:60], ADSB if own else TRACKER)
    if index < 0:
        raise BadReport("the sensor table is full")
    if math.isnan(height) and not math.isnan(above_sea):
        height = from_sea_level(above_sea, latitude, longitude)
    return Position(entry, index, KIND_ADSB if own else KIND_TRACK, time_ns, latitude, longitude, sigma, height,
                    height_sigma if math.isfinite(height) else math.nan, speed * math.sin(track), speed * math.cos(track),
                    mode3a, icao, callsign.strip().upper().encode("ascii", "ignore")[:8])

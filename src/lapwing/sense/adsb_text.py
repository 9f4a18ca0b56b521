"""ADS-B as text: readsb's or dump1090's ``aircraft.json``, and SBS-1 (BaseStation) lines.

aircraft.json: ``now`` (seconds since 1970) and a list ``aircraft`` with ``hex``, ``lat``, ``lon``, ``seen_pos`` (seconds
before now), ``alt_baro`` (feet, or "ground"), ``alt_geom``, ``gs``, ``track``, ``squawk``, ``flight``, ``nic``, ``nac_p``,
``type``/``mlat``/``tisb``. The file is written again every second: a place that was had before is left out.

SBS-1: ``MSG,TYPE,,,HEX,,DATE,TIME,DATE,TIME,CALLSIGN,ALTITUDE,SPEED,TRACK,LAT,LON,CLIMB,SQUAWK,ALERT,EMERG,SPI,GROUND``. Its
times are those of the receiver's wall clock, of no named zone: whole quarters of an hour of difference are taken as zone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_ADSB, KIND_MLAT, NO_CODE
from lapwing.model.sensors import ADSB
from lapwing.model.times import DAY_NS, NS_PER_S, from_seconds
from lapwing.sense.found import Found
from lapwing.sense.positions import FOOT_M, KNOT_MPS, Position, from_pressure_ft, plots_of, sensor_of, timely
from lapwing.sense.reports import ADSB_M_SIGMA, GEOMETRIC_M_SIGMA, MLAT_M_SIGMA, adsb_m_sigma
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

OCTETS_MAX = 16 * 1_048_576
AIRCRAFT_MAX = 20_000
KNOWN_MAX = 8_192
SEEN_S_MAX = 60.0                 # an older place says nothing of now
SAME_NS = 50_000_000              # seen_pos has tenths of a second
QUARTER_NS = 900 * NS_PER_S
MLAT_UNKNOWN_M_SIGMA = 10.0 * MLAT_M_SIGMA


def read_aircraft_json(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of whole aircraft.json documents."""
    positions: list[Position] = []
    for entry in entries:
        try:
            table = json.loads(entry.payload) if len(entry.payload) <= OCTETS_MAX else None
            now_s = float(table["now"])          # type: ignore[index]
            aircraft = table["aircraft"]         # type: ignore[index]
            if not isinstance(aircraft, list) or not math.isfinite(now_s) or abs(now_s) > 1e11:
                raise ValueError("no list of aircraft")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            _say(work, entry, "bad_document", f"no aircraft.json with now and aircraft: {error!r}"[:200])
            continue
        index = sensor_of(work, entry.link[:40], ADSB)
        if index < 0:
            _say(work, entry, "too_many_sources", "the sensor table is full")
            continue
        for place, row in enumerate(aircraft[:AIRCRAFT_MAX]):
            work.record_count += 1
            position = _aircraft(work, entry, index, now_s, row) if isinstance(row, dict) else None
            if position is not None:
                position.octet_offset = place
                positions.append(position)
    return Found(plots=(plots_of(work, positions),))


def _say(work: Work, entry: Entry, reason: str, detail: str) -> None:
    work.refusals.add(reason, entry.link, detail, entry.link, entry.sequence, 0)


def _number(row: dict[str, Any], key: str) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def address_of(text: object) -> int:
    """Return a 24-bit address of hexadecimal digits; NO_CODE where it is none, or marked as no ICAO address (~)."""
    if not isinstance(text, str) or not 0 < len(text) <= 6:
        return NO_CODE
    try:
        value = int(text, 16)
    except ValueError:
        return NO_CODE
    return value if 0 <= value <= 0xFFFFFF else NO_CODE


def squawk_of(text: object) -> int:
    """Return a Mode 3/A code of four octal digits; NO_CODE where it is none."""
    if not isinstance(text, str) or len(text) != 4 or not set(text) <= set("01234567"):
        return NO_CODE
    return int(text, 8)


def callsign_of(text: object) -> bytes:
    """Return a call sign as plots carry it."""
    return text.strip().upper().encode("ascii", "ignore")[:8] if isinstance(text, str) else b""


def _aircraft(work: Work, entry: Entry, index: int, now_s: float, row: dict[str, Any]) -> Position | None:
    latitude_deg, longitude_deg = _number(row, "lat"), _number(row, "lon")
    if math.isnan(latitude_deg) or math.isnan(longitude_deg):
        return None                    # heard, without a place: most of a busy sky, no fault
    seen_s = _number(row, "seen_pos")
    seen_s = seen_s if seen_s >= 0.0 else 0.0
    if seen_s > SEEN_S_MAX:
        return None
    measured_ns = from_seconds(now_s - seen_s)
    if row.get("alt_baro") == "ground":
        _say(work, entry, "on_ground", "an aircraft on the ground")
        return None
    if not timely(work, entry, measured_ns, entry.link):
        return None
    key = f"{row.get('hex')}"[:12]
    known = work.own("adsb_json")
    before = known.get((entry.link, key), -DAY_NS)
    if measured_ns <= before + SAME_NS:
        return None                    # the same place, written again
    known.pop((entry.link, key), None)
    known[entry.link, key] = measured_ns
    while len(known) > KNOWN_MAX:
        known.pop(next(iter(known)))
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    others = [str(row.get("type", "")), *map(str, row.get("mlat") or ()), *map(str, row.get("tisb") or ())]
    by_mlat = others[0].startswith("mlat") or (not others[0] and "lat" in others)
    if by_mlat:
        sigma = MLAT_UNKNOWN_M_SIGMA
    else:
        nacp, nic = _number(row, "nac_p"), _number(row, "nic")
        sigma = float(adsb_m_sigma(np.array([nacp]), np.array([nic]), np.array([not math.isnan(nacp + nic)]))[0])
    height, height_sigma = _height(row, latitude, longitude)
    speed, track = _number(row, "gs") * KNOT_MPS, math.radians(_number(row, "track"))
    return Position(entry, index, KIND_MLAT if by_mlat else KIND_ADSB, measured_ns, latitude, longitude, sigma, height,
                    height_sigma, speed * math.sin(track), speed * math.cos(track), squawk_of(row.get("squawk")),
                    address_of(row.get("hex")), callsign_of(row.get("flight")))





def _height(row: dict[str, Any], latitude_rad: float, longitude_rad: float) -> tuple[float, float]:
    """Return ellipsoid height and sigma: by satellite where given, else by pressure."""
    geometric = _number(row, "alt_geom")
    if not math.isnan(geometric):
        return geometric * FOOT_M, GEOMETRIC_M_SIGMA
    return from_pressure_ft(_number(row, "alt_baro"), latitude_rad, longitude_rad)


def read_sbs(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return the plots of SBS-1 lines; call sign, speed and code come from other lines of the same aircraft."""
    positions: list[Position] = []
    for entry in entries:
        offset = 0
        for line in entry.payload.split(b"\n"):
            text = line.strip()
            if text:
                work.record_count += 1
                position = _sbs(work, entry, text.decode("ascii", "replace").split(","))
                if position is not None:
                    position.octet_offset = offset
                    positions.append(position)
            offset += len(line) + 1
    return Found(plots=(plots_of(work, positions),))


def _float(text: str) -> float:
    try:
        value = float(text) if text.strip() else math.nan
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _sbs(work: Work, entry: Entry, words: list[str]) -> Position | None:
    if words[0] != "MSG" or len(words) < 22:
        if words[0] not in ("SEL", "ID", "AIR", "STA", "CLK"):
            _say(work, entry, "bad_line", f"no SBS-1 line of 22 fields: {','.join(words)[:60]}")
        return None
    address = address_of(words[4].strip())
    known = work.own("sbs")
    callsign, east, north, mode3a = known.get((entry.link, words[4]), (b"", math.nan, math.nan, NO_CODE))
    callsign = callsign_of(words[10]) or callsign
    speed, track = _float(words[12]) * KNOT_MPS, math.radians(_float(words[13]))
    if not math.isnan(speed + track):
        east, north = speed * math.sin(track), speed * math.cos(track)
    code = squawk_of(words[17].strip())
    mode3a = code if code != NO_CODE else mode3a
    known.pop((entry.link, words[4]), None)
    known[entry.link, words[4]] = (callsign, east, north, mode3a)
    while len(known) > KNOWN_MAX:
        known.pop(next(iter(known)))
    latitude_deg, longitude_deg = _float(words[14]), _float(words[15])
    if math.isnan(latitude_deg) or math.isnan(longitude_deg):
        return None
    if words[21].strip() in ("-1", "1"):
        _say(work, entry, "on_ground", "an aircraft on the ground")
        return None
    measured_ns = _sbs_time(words[6], words[7], entry.received_ns)
    if not timely(work, entry, measured_ns, entry.link):
        return None
    index = sensor_of(work, entry.link[:40], ADSB)
    if index < 0:
        _say(work, entry, "too_many_sources", "the sensor table is full")
        return None
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    height, height_sigma = from_pressure_ft(_float(words[11]), latitude, longitude)
    return Position(entry, index, KIND_ADSB, measured_ns, latitude, longitude, ADSB_M_SIGMA, height, height_sigma, east, north,
                    mode3a, address, callsign)


def _sbs_time(date: str, time: str, received_ns: int) -> int:
    """Return the time of a line, its zone guessed as whole quarters of an hour; the reception where it has none."""
    try:
        text, _, fraction = time.strip().partition(".")
        moment = datetime.strptime(f"{date.strip()} {text}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
        local_ns = int(moment.timestamp()) * NS_PER_S + int((fraction or "0").ljust(9, "0")[:9])
    except ValueError:
        return received_ns
    return local_ns + round((received_ns - local_ns) / QUARTER_NS) * QUARTER_NS

"""Plots -> ASTERIX octets, a column at a time: CAT048 and CAT034 of a radar, CAT021 of the receivers of ADS-B.

The layouts are fixed, so the octets of thousands of records are made with a few array operations; the tests hold each
layout against the table-driven encoder of the sense stage, octet by octet.

======== ==================================================================================
record   items (octets)
======== ==================================================================================
CAT048   010 (2) 140 (3) 020 (1) 040 (4) [070 (2) 090 (2)] [130: PAM (2)] [220 (3) 240 (6)]
CAT034   010 (2) 000 (1) 030 (3) then north mark: 041 (2) 120 (8); sector crossing: 020 (1)
CAT021   010 (2) 040 (1) 071 (3) 131 (8) 080 (3) 140 (2) 090 (2) 070 (2) 145 (2) 160 (4) 077 (3) 170 (6) 020 (1)
======== ==================================================================================

Editions: the newest of the tables, CAT048 1.32, CAT034 1.29, CAT021 2.7; the bits used are older than all of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR
from lapwing.sim.motion import Identity
from lapwing.sim.radar import SECTORS, TIME_STEPS, Radar, RadarPlots, phase_s, sector_received_s

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

DAY_STEPS = 86_400 * TIME_STEPS
NOISE_FLOOR_DBM = -105.0  # amplitudes are sent in dBm: power over noise and this, our assumption
_TYP = {KIND_PSR: 1, KIND_SSR: 5, KIND_COMBINED: 7}  # I048/020: PSR; Mode S roll-call; both


def octets_of(values: npt.ArrayLike, count: int) -> Octets:
    """Return whole numbers as `count` octets each, most significant first, two's complement; shape (n, count)."""
    numbers = np.asarray(values, np.int64).reshape(-1, 1)
    return ((numbers >> np.arange(8 * (count - 1), -1, -8)) & 255).astype(np.uint8)


def callsign_octets(text: str) -> bytes:
    """Return eight characters in six bits each (ICAO Annex 10 Vol. IV, table 3-9)."""
    raw = 0
    for character in text.ljust(8)[:8]:
        raw = raw << 6 | (ord(character) & 63)
    return raw.to_bytes(6, "big")


def _fixed(octets: bytes, n: int) -> Octets:
    return np.broadcast_to(np.frombuffer(octets, np.uint8), (n, len(octets)))


def _block(category: int, body: bytes) -> bytes:
    return bytes([category]) + (len(body) + 3).to_bytes(2, "big") + body


def plot_records(plots: RadarPlots, sac: int, sic: int, identities: Sequence[Identity | None]) -> list[bytes]:
    """Return one CAT048 record for each plot, in their order."""
    records: list[bytes] = [b""] * len(plots)
    calls = np.array([list(callsign_octets(i.callsign)) if i else [0] * 6 for i in identities] or [[0] * 6], np.uint8)
    for kind in (KIND_PSR, KIND_SSR, KIND_COMBINED):
        rows = np.flatnonzero(plots.kind == kind)
        p, n = plots.take(rows), len(rows)
        parts = [
            octets_of(p.measured_128 % DAY_STEPS, 3),
            _fixed(bytes([_TYP[kind] << 5]), n),
            octets_of(p.range_steps, 2),
            octets_of(p.azimuth_steps, 2),
        ]
        # Fields 1-4 always; 5 and 6 (Mode 3/A, level) and 8 and 9 (address, call sign) with an answer; 7 with an echo.
        fspec = 0b1111_0000
        if kind != KIND_PSR:
            fspec |= 0b0000_1101
            parts += [octets_of(p.mode3a, 2), octets_of(p.level_steps & 0x3FFF, 2)]
        if kind != KIND_SSR:
            fspec |= 0b0000_0010
            power = np.clip(np.rint(p.amplitude_db + NOISE_FLOOR_DBM), -128, 127).astype(np.int64)
            parts += [_fixed(bytes([0b0000_1000]), n), octets_of(power, 1)]  # I048/130: PAM alone
        if kind != KIND_PSR:
            parts += [octets_of(p.icao_address, 3), calls[p.motion]]
        head = bytes([fspec, 0b1100_0000]) if fspec & 1 else bytes([fspec])
        table = np.hstack([_fixed(head + bytes([sac, sic]), n), *parts]) if n else np.zeros((0, 1), np.uint8)
        width, octets = table.shape[1], np.ascontiguousarray(table).tobytes()
        for place, row in enumerate(rows.tolist()):
            records[row] = octets[place * width : (place + 1) * width]
    return records


def _service_records(
    radar: Radar, sac: int, sic: int, start_ns: int, boundary: Ints, phase: float, crossings: int
) -> list[bytes]:
    """Return the CAT034 record due at each sector boundary, empty where none is: north mark, or sector crossing."""
    times_ns = start_ns + np.round((phase + boundary * (radar.rotation_s / SECTORS)) * 1e9).astype(np.int64)
    time = octets_of((times_ns // 1000) * TIME_STEPS // 1_000_000 % DAY_STEPS, 3)
    n, source = len(boundary), bytes([sac, sic])
    place = np.rint(np.degrees([radar.latitude_rad, radar.longitude_rad]) * (1 << 23) / 180.0).astype(np.int64)
    site = octets_of([round(radar.height_m)], 2).tobytes() + octets_of(place, 3).tobytes()
    period = octets_of([round(radar.rotation_s * 128.0)], 2).tobytes()
    # Fields 1 010, 2 000, 3 030, 4 020, 5 041, 11 120: the north mark needs a second octet of presence.
    north = np.hstack([_fixed(bytes([0b1110_1001, 0b0001_0000]) + source + b"\x01", n), time, _fixed(period + site, n)])
    start = (boundary % SECTORS) * (256 // SECTORS)
    crossing = np.hstack([_fixed(bytes([0b1111_0000]) + source + b"\x02", n), time, octets_of(start, 1)])
    every = SECTORS // crossings
    return [
        north[i].tobytes() if b % SECTORS == 0 else crossing[i].tobytes() if b % every == 0 else b""
        for i, b in enumerate(boundary.tolist())
    ]


def radar_datagrams(
    radar: Radar,
    plots: RadarPlots,
    sac: int,
    sic: int,
    start_ns: int,
    span_s: float,
    seed: int,
    identities: Sequence[Identity | None],
) -> list[tuple[int, bytes]]:
    """Return (received_ns, datagram) of a radar: a sector's plots, with the north mark or crossing due at its end.

    A sector without plots sends nothing unless such a message is due: eight a turn of a slow radar, four of one that
    turns in under 5 s.
    """
    phase = phase_s(radar, seed)
    crossings = 8 if radar.rotation_s >= 5.0 else 4
    records = plot_records(plots, sac, sic, identities)
    first = math.floor(-phase / (radar.rotation_s / SECTORS)) - 1
    last = math.floor((span_s - phase) / (radar.rotation_s / SECTORS)) + 1
    received_ns = start_ns + np.round(sector_received_s(radar, seed, first, last) * 1e6).astype(np.int64) * 1000
    sectors = np.arange(first, last + 1)
    services = _service_records(radar, sac, sic, start_ns, sectors + 1, phase, crossings)
    ends = np.searchsorted(plots.sector, sectors, side="right").tolist()
    out, at = [], int(np.searchsorted(plots.sector, first))
    for i, end in enumerate(ends):
        datagram = b""
        if end > at:
            datagram = _block(48, b"".join(records[at:end]))
            at = end
        if services[i] and 0.0 <= phase + (first + i + 1) * radar.rotation_s / SECTORS <= span_s:
            datagram += _block(34, services[i])
        if datagram:
            out.append((int(received_ns[i]), datagram))
    return out


@dataclass(frozen=True, slots=True)
class AdsbReports:
    """What the receivers heard of one aircraft. Columns."""

    measured_ns: Ints
    received_ns: Ints
    latitude_rad: npt.NDArray[np.float64]
    longitude_rad: npt.NDArray[np.float64]
    height_m: npt.NDArray[np.float64]  # above the ellipsoid
    altitude_m: npt.NDArray[np.float64]  # pressure altitude
    velocity_mps: npt.NDArray[np.float64]  # (n, 3)
    identity: Identity
    accuracy_class: int  # NACp
    emitter: int  # I021/020


def adsb_datagrams(reports: AdsbReports, sac: int, sic: int) -> list[tuple[int, bytes]]:
    """Return (received_ns, datagram) of each report: one CAT021 record each."""
    n = len(reports.measured_ns)
    speed_mps = np.hypot(reports.velocity_mps[:, 0], reports.velocity_mps[:, 1])
    angle = np.arctan2(reports.velocity_mps[:, 0], reports.velocity_mps[:, 1]) / (2.0 * np.pi) * 65_536
    position = np.rint(np.degrees([reports.latitude_rad, reports.longitude_rad]) * (1 << 30) / 180.0).astype(np.int64)
    who = reports.identity
    # Fields 1 010, 2 040, 5 071, 7 131 | 11 080, 16 140 is in the third octet with 17 090, 19 070, 21 145 | 26 160,
    # 28 077 | 29 170, 30 020.
    fspec = _presence((1, 2, 5, 7, 11, 16, 17, 19, 21, 26, 28, 29, 30))
    quality = bytes([0b001 << 5 | 7 << 1 | 1, 0b0110_0000 | reports.accuracy_class << 1])
    table = np.hstack(
        [
            _fixed(fspec + bytes([sac, sic, 0]), n),
            _time(reports.measured_ns),
            octets_of(position[0], 4),
            octets_of(position[1], 4),
            _fixed(who.icao_address.to_bytes(3, "big"), n),
            octets_of(np.rint(reports.height_m / 0.3048 / 6.25), 2),
            _fixed(quality + who.mode3a.to_bytes(2, "big"), n),
            octets_of(np.rint(reports.altitude_m / 0.3048 / 25.0), 2),
            octets_of(np.clip(np.rint(speed_mps / 1852.0 * 16_384), 0, 32_767), 2),
            octets_of(np.rint(angle).astype(np.int64) % 65_536, 2),
            _time(reports.received_ns),
            _fixed(callsign_octets(who.callsign) + bytes([reports.emitter]), n),
        ]
    )
    return [(int(at), _block(21, row.tobytes())) for at, row in zip(reports.received_ns.tolist(), table, strict=True)]


def _time(time_ns: Ints) -> Octets:
    return octets_of((time_ns // 1000) * TIME_STEPS // 1_000_000 % DAY_STEPS, 3)


def _presence(numbers: Sequence[int]) -> bytes:
    octets = bytearray((max(numbers) + 6) // 7)
    for number in numbers:
        octets[(number - 1) // 7] |= 0x80 >> (number - 1) % 7
    return bytes(o | (1 if i < len(octets) - 1 else 0) for i, o in enumerate(octets))

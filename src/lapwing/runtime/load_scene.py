"""A sky full of aircraft, and some drones on their way to the border, seen by many radars: for the benches of the live service.

Aircraft fly circles and answer (Mode A, C, S); drones fly south to the Danube side by side as bare echoes and begin anew every
ten minutes. Each radar turns once in four seconds and sends what it saw as it sees it, in datagrams of CAT048. Everything is
a function of the time, so a sender needs no state and a recording no memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo import frames
from lapwing.model.plots import Floats

ROTATION_S = 4.0
SLOT_S = 0.025               # a radar sends so often
RECORDS_MAX = 60             # of a datagram: under 1,200 octets
CENTRE_DEG = (45.19, 28.80)
SAC = 25
DRONE_MPS, DRONE_TURN_S, DRONE_FROM_M = 45.0, 600.0, 30_000.0
RANGE_M_SIGMA, AZIMUTH_RAD_SIGMA = 30.0, 0.0009
_NM256, _TURN = 256.0 / 1_852.0, 65_536.0 / (2.0 * np.pi)
_SITE = """[site]
name = "{name}"
country = "ro"
window_s = {window_s}
[console]
port = 0
[link.radars]
url = "udp://127.0.0.1:{port}"
allow_from = ["127.0.0.1"]
[policy]
sender = "bench@example.invalid"
"""
_SENSOR = """[sensor.r{number:02d}]
sac = {sac}
sic = {number}
categories = [48]
lat_deg = {lat_deg:.6f}
lon_deg = {lon_deg:.6f}
antenna_m_amsl = 60.0
rotation_s = {rotation_s}
range_m_sigma = {range_m_sigma}
azimuth_deg_sigma = 0.052
"""


@dataclass(frozen=True)
class Scene:
    """So many objects, a number of them drones, seen by so many radars."""

    objects: int
    drones: int
    radars: int
    seed: int = 1
    life_s: float = 0.0          # an aircraft gives way to another after so long, somewhere else; 0: never

    @property
    def plots_per_s(self) -> float:
        """How many plots all radars send together."""
        return self.objects * self.radars / ROTATION_S

    def sites_deg(self) -> list[tuple[float, float]]:
        """Return latitude and longitude of each radar: on a ring of 30 km."""
        angle = 2.0 * np.pi * np.arange(self.radars) / self.radars
        latitude, longitude = _degrees(30_000.0 * np.sin(angle), 30_000.0 * np.cos(angle))
        return list(zip(latitude.tolist(), longitude.tolist(), strict=True))

    def site_toml(self, port: int, *, name: str = "load", window_s: float = 0.1) -> str:
        """Return the site.toml of a service that listens to these radars."""
        return _SITE.format(name=name, port=port, window_s=window_s) + "".join(
            _SENSOR.format(number=number + 1, sac=SAC, lat_deg=lat, lon_deg=lon, rotation_s=ROTATION_S, range_m_sigma=RANGE_M_SIGMA)
            for number, (lat, lon) in enumerate(self.sites_deg()))

    def scan(self, radar: int, turn: int) -> list[tuple[float, bytes]]:
        """Return what a radar sends in one of its turns: (when, datagram), in order of time. Seconds since 1970."""
        phase = radar / self.radars
        begun_s = (turn + phase) * ROTATION_S
        site = np.radians(self.sites_deg()[radar])
        # Where an object is when the beam meets it depends on when that is: the middle of the turn tells that to the millisecond.
        met_s = begun_s + self._polar(site, np.full(self.objects, begun_s + ROTATION_S / 2.0))[1] / (2.0 * np.pi) * ROTATION_S
        order = np.argsort(met_s)
        range_m, azimuth = self._polar(site, met_s)
        height_m = self._places(met_s)[2]
        generator = np.random.default_rng((self.seed, radar, turn))
        range_m = range_m + generator.normal(0.0, RANGE_M_SIGMA, self.objects)
        azimuth = azimuth + generator.normal(0.0, AZIMUTH_RAD_SIGMA, self.objects)
        found: list[tuple[float, bytes]] = []
        for drone in (False, True):
            rows = order[(order < self.drones) == drone]
            number = rows + self.objects * self._life(met_s)[rows]
            records = self._records(radar + 1, number, met_s[rows], range_m[rows], azimuth[rows], height_m[rows], drone)
            slots = np.floor(met_s[rows] / SLOT_S).astype(np.int64)
            cuts = np.flatnonzero(np.diff(slots)) + 1
            for part in np.split(np.arange(len(rows)), cuts):
                for first in range(0, len(part), RECORDS_MAX):
                    octets = records[part[first : first + RECORDS_MAX]].tobytes()
                    found.append((float(slots[part[0]] + 1) * SLOT_S, b"\x30" + (len(octets) + 3).to_bytes(2, "big") + octets))
        return sorted(found, key=lambda item: item[0])

    def _polar(self, site: npt.NDArray[np.float64], at_s: Floats) -> tuple[Floats, Floats]:
        north_m, east_m, height_m = self._places(at_s)
        latitude, longitude = np.radians(_degrees(north_m, east_m))
        range_m, azimuth, _ = frames.geodetic_to_polar(site[0], site[1], 95.0, latitude, longitude, height_m)
        return range_m, azimuth

    def _places(self, at_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return north, east of the centre, and height, of each object at a time of its own."""
        generator = np.random.default_rng(self.seed)
        count = self.objects
        middle_m = generator.uniform(-110_000.0, 110_000.0, (2, count))
        if self.life_s:          # the next one circles elsewhere: a golden share of the ground farther on
            moved = self._life(at_s) * 0.618_034 * 220_000.0
            middle_m = np.mod(middle_m + 110_000.0 + np.stack((moved, moved * 0.7)), 220_000.0) - 110_000.0
        radius_m, speed_mps = generator.uniform(12_000.0, 20_000.0, count), generator.uniform(120.0, 240.0, count)
        turned = generator.uniform(0.0, 2.0 * np.pi, count) + at_s * speed_mps / radius_m
        height_m = generator.uniform(3_000.0, 11_000.0, count)
        north_m, east_m = middle_m[0] + radius_m * np.sin(turned), middle_m[1] + radius_m * np.cos(turned)
        drones = slice(0, self.drones)
        north_m[drones] = DRONE_FROM_M - DRONE_MPS * (at_s[drones] % DRONE_TURN_S)
        east_m[drones] = np.linspace(-20_000.0, 20_000.0, self.drones)
        height_m[drones] = 300.0
        return north_m, east_m, height_m

    def _life(self, at_s: Floats) -> npt.NDArray[np.int64]:
        """Return which of its lives each object is in, from 0; they do not all end at once."""
        if not self.life_s:
            return np.zeros(self.objects, np.int64)
        lives: npt.NDArray[np.int64] = np.floor(at_s / self.life_s + np.arange(self.objects) / self.objects).astype(np.int64) % 1_000
        return lives

    def _records(self, sic: int, number: npt.NDArray[np.int64], met_s: Floats, range_m: Floats, azimuth: Floats,
                 height_m: Floats, drone: bool) -> npt.NDArray[np.void]:
        """Return records of CAT048: source, time of day, kind, place, and of aircraft code, level and address."""
        fields: list[tuple[str, str]] = [("fspec", "u1"), ("sac", "u1"), ("sic", "u1"), ("time", "3u1"), ("typ", "u1"), ("rho", ">u2"),
                                         ("theta", ">u2")]
        if not drone:
            fields = [("fspec", "u1"), ("fspec2", "u1"), *fields[1:], ("code", ">u2"), ("level", ">u2"), ("address", "3u1")]
        made = np.zeros(len(number), np.dtype(fields))
        made["fspec"], made["sac"], made["sic"] = 0xF0 if drone else 0xFD, SAC, sic
        ticks = np.floor(met_s % 86_400.0 * 128.0).astype(np.int64)
        for octet in range(3):
            made["time"][:, octet] = ticks >> (16 - 8 * octet) & 255
        made["typ"] = 0x20 if drone else 0xA0
        made["rho"] = np.round(range_m * _NM256)
        made["theta"] = np.round(azimuth * _TURN).astype(np.int64) % 65_536
        if not drone:
            made["fspec2"], made["code"] = 0x80, 0o1000 + number % 0o6000
            made["level"] = np.round(height_m / 7.62)
            for octet in range(3):
                made["address"][:, octet] = (0x4A0000 + number) >> (16 - 8 * octet) & 255
        return made

    def datagrams(self, from_s: float) -> Iterator[tuple[float, bytes]]:
        """Yield (when, datagram) of all radars from a time on, in order of time, for ever."""
        turn = int(from_s // ROTATION_S) - 1
        waiting: list[tuple[float, bytes]] = []
        while True:
            for radar in range(self.radars):
                waiting += self.scan(radar, turn)
                # A turn of radar r begins r shares after the first one's: what is older than the next scan's begin is whole.
                due_s = (turn + (radar + 1) / self.radars) * ROTATION_S
                waiting.sort(key=lambda item: item[0])
                ready = 0
                while ready < len(waiting) and waiting[ready][0] <= due_s:
                    ready += 1
                yield from (item for item in waiting[:ready] if item[0] >= from_s)
                del waiting[:ready]
            turn += 1


def _degrees(north_m: npt.ArrayLike, east_m: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    latitude = CENTRE_DEG[0] + np.asarray(north_m) / 111_200.0
    longitude = CENTRE_DEG[1] + np.asarray(east_m) / (111_200.0 * np.cos(np.radians(CENTRE_DEG[0])))
    return np.asarray(latitude), np.asarray(longitude)


def send(scene: Scene, port: int, seconds: float, speed: float, begin_s: float) -> None:
    """Send the scene over UDP for so long: event time runs `speed` times as fast as the clock from `begin_s` on. Prints what was sent."""
    import socket

    datagrams = plots = late = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for at_s, octets in scene.datagrams(begin_s + speed * (time.time() - begin_s)):
            now_s = time.time()
            due_s = begin_s + (at_s - begin_s) / speed
            if due_s > now_s:
                if due_s - begin_s > seconds:
                    break
                time.sleep(due_s - now_s)
            elif now_s - due_s > 0.1:
                late += 1
            out.sendto(octets, ("127.0.0.1", port))
            datagrams += 1
            plots += (len(octets) - 3) // (19 if octets[3] == 0xFD else 11)
    print(datagrams, plots, late, flush=True)


if __name__ == "__main__":
    _objects, _drones, _radars, _port = map(int, sys.argv[1:5])
    send(Scene(_objects, _drones, _radars, life_s=float(sys.argv[8])), _port, *map(float, sys.argv[5:8]))

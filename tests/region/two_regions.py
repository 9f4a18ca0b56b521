"""Two regions side by side over a store that works as the real one does: a claim is taken if its number's newest is the one expected."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "share"))

from picture import tracks_of

from lapwing.model.times import NS_PER_S, from_iso
from lapwing.model.tracks import TrackUpdate
from lapwing.region import Area, State, step
from lapwing.region.area import _STEP_RAD

START_NS = from_iso("2025-08-05T20:00:00Z")
LINE_DEG, LAT_DEG = 28.5, 45.0
M_PER_DEG = 111_320.0 * math.cos(math.radians(LAT_DEG))


def half(name: str, halo_m: float = 60_000.0) -> Area:
    """Return the region west or east of a meridian."""
    lon = np.radians(25.0) + _STEP_RAD * np.arange(70)
    depth = (np.degrees(lon) - LINE_DEG) * M_PER_DEG * (1.0 if name == "east" else -1.0)
    return Area(name, frozenset(), halo_m, np.tile(depth, (60, 1)), math.radians(42.0), math.radians(25.0))


class Store:
    def __init__(self) -> None:
        self.log, self.newest = [], {}
        self.is_up = True

    def put(self, wish) -> bool:
        newest = self.newest.get(wish.number)
        if not self.is_up or (newest.sequence if newest else 0) != wish.expected:
            return False
        claim = replace(wish, sequence=len(self.log) + 1)
        self.log.append(claim)
        self.newest[wish.number] = claim
        return True

    def owners(self) -> dict[str, str]:
        return {number: claim.region for number, claim in self.newest.items() if not claim.ended}


class Region:
    """One region's stage: its tracker gives a track its own local id, and sees an object with some error."""

    def __init__(self, name: str, store: Store) -> None:
        self.area, self.store, self.state, self.heard = half(name), store, State(), 0
        self.told = ((), ())
        self.renamed = []

    def see(self, at_s: float, objects: dict[str, tuple[float, float, float]], *, address: int = -1):
        """Take a step with objects by local id: longitude, east speed, north offset in metres."""
        now_ns = START_NS + round(at_s * NS_PER_S)
        tracks = tracks_of(tuple(objects), now_ns)
        lon = np.radians([lon for lon, _, _ in objects.values()])
        lat = np.radians([LAT_DEG + north / 111_320.0 for _, _, north in objects.values()])
        tracks = replace(tracks, latitude_rad=lat, longitude_rad=lon, born_ns=np.full(len(objects), START_NS, np.int64),
                         velocity_mps=np.array([[speed, 0.0] for _, speed, _ in objects.values()]).reshape(-1, 2),
                         icao_address=np.full(len(objects), address, np.int32))
        claims = self.store.log[self.heard:] if self.store.is_up else []
        self.heard += len(claims)
        self.state, named = step(self.state, TrackUpdate(tracks), claims, self.area, self.told, now_ns)
        self.renamed += named.renamed
        for wish in named.owned.claims:
            self.store.put(wish)
        return named

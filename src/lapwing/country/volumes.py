"""A volume of air that is watched: an outline with its line's bounds, vertical limits and the times at which it is active."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.country.pack import Pack
from lapwing.geo.border import Territory


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume. Nothing is known of an object's height: it may be in it."""

    code: str
    name: str
    territory: Territory
    floor_m: float = -math.inf                       # above the ellipsoid
    ceiling_m: float = math.inf
    active_ns: tuple[tuple[int, int], ...] = ()      # (start, end); empty: always
    forecast: bool = False                           # the own airspace: the forecast of entry is of it

    def active(self, time_ns: int) -> bool:
        """Whether it is active at a time."""
        return not self.active_ns or any(start <= time_ns < end for start, end in self.active_ns)


def own_airspace(pack: Pack) -> Volume:
    """Return a country's own airspace: no floor, no ceiling, always active."""
    return Volume(pack.code, pack.names.get("en", pack.code), pack.territory, forecast=True)

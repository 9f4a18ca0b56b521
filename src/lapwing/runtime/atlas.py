"""All outlines and zones that are known, asked for points: whose air, how far from a border, over which zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lapwing.adapters import packs
from lapwing.country.pack import Zone
from lapwing.geo.areas import Areas, locate
from lapwing.geo.border import BorderPoints, Territory, contains, signed_distance
from lapwing.model.errors import ConfigError

Floats = npt.NDArray[np.float64]
FINEST_FIRST = ("cell", "municipality", "county", "country")


@dataclass(frozen=True, slots=True)
class Atlas:
    """Outlines by code; the zones of a country are read when a point first lies in it."""

    outlines: Mapping[str, Territory]
    read_zones: Callable[[str], tuple[tuple[Zone, ...], Areas] | None]
    _zones: dict[str, tuple[tuple[Zone, ...], Areas] | None] = field(default_factory=dict)

    def zones(self, code: str) -> tuple[tuple[Zone, ...], Areas] | None:
        """Return the zones of a country; None where none are known."""
        if code not in self._zones:
            self._zones[code] = self.read_zones(code)
        return self._zones[code]


@dataclass(frozen=True, slots=True)
class AtlasPoints:
    """Answers for points; every column has length n."""

    country: tuple[str, ...]       # whose air; "" none of the outlines
    admin1: tuple[str, ...]        # code of the level-1 unit; "" none
    zone: tuple[str, ...]          # code of the smallest zone; "" none
    border: BorderPoints           # to the home territory
    note: tuple[str, ...]


def load_atlas(state_dir: Path | None) -> Atlas:
    """Return all outlines: of the packs, and of the countries that have an outline alone."""
    cache = None if state_dir is None else state_dir / "packs"
    with_pack = {place.code for place in packs.list_packs()}

    def read_zones(code: str) -> tuple[tuple[Zone, ...], Areas] | None:
        if code not in with_pack:
            return packs.load_outline_zones(code)
        pack = packs.load_country(code, cache)
        return pack.zones, pack.areas

    return Atlas(packs.load_outlines(cache), read_zones)


def find_home(atlas: Atlas, code: str) -> Territory:
    """Return the outline of a country by its code in any case. Raises ConfigError naming the known ones."""
    if code.upper() not in atlas.outlines:
        raise ConfigError(f"{code!r}: no outline of this country", where="--home",
                          remedy=f"known: {', '.join(atlas.outlines) or 'none found; see LAPWING_PACKS'}")
    return atlas.outlines[code.upper()]


def ask(atlas: Atlas, home: Territory, lat_rad: Floats, lon_rad: Floats) -> AtlasPoints:
    """Return where points (n,) stand."""
    count = len(lat_rad)
    border = signed_distance(home, lat_rad, lon_rad)
    country = np.full(count, "", dtype="<U2")
    shared = np.full(count, "", dtype="<U2")
    # Home first, so that country and sign agree; then outlines that are whole before those cut to a box. Only Serbia
    # overlaps its neighbours (by metres: its outline is of another date), and that is said in the note.
    for outline in sorted(atlas.outlines.values(), key=lambda t: (t.code != home.code, not t.complete, t.code)):
        inside = contains(outline, lat_rad, lon_rad)
        shared[inside & (country != "")] = outline.code
        country[inside & (country == "")] = outline.code
    admin1, zone = [""] * count, [""] * count
    for code in sorted(set(country.tolist()) - {""}):
        known = atlas.zones(code)
        if known is None:
            continue
        rows = np.flatnonzero(country == code)
        for level in FINEST_FIRST:
            candidates = [row for row, each in enumerate(known[0]) if each.level == level]
            found = locate(known[1], lat_rad[rows], lon_rad[rows], candidates) if candidates else np.full(len(rows), -1)
            for row, index in zip(rows.tolist(), found.tolist(), strict=True):
                if index >= 0:
                    zone[row] = zone[row] or known[0][index].code
                    if level == "county":
                        admin1[row] = known[0][index].code
    return AtlasPoints(tuple(country.tolist()), tuple(admin1), tuple(zone), border,
                       tuple(_note(home, border, row, str(country[row]), str(shared[row])) for row in range(count)))


def _note(home: Territory, border: BorderPoints, row: int, country: str, shared: str) -> str:
    notes = []
    if border.incomplete[row]:
        notes.append(f"incomplete: the data of {home.code} end at a box nearer than this border; distance to the known "
                     "part of the line" + ("" if country else ", side not known"))
    if border.undecided[row]:
        name, reason = home.stretches[int(home.edge_stretch_index[int(border.edge_index[row])])]
        notes.append(f"undecided line ({name}): {reason}")
    if not country:
        notes.append("in the air of no country of the data")
    if shared:
        notes.append(f"also inside the outline of {shared}: the outlines overlap here")
    return "; ".join(notes)

"""The places of a pack (places.csv), and what to assume of those whose population nobody has counted."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Places, Zone
from lapwing.geo.areas import Areas, locate
from lapwing.geo.border import Territory, contains, signed_distance
from lapwing.model.errors import ConfigError

PLACES = "places.csv"
COLUMNS = ("name", "lat_deg", "lon_deg", "population")
# The sources name every settlement of 5,000 people and more, so one without a number is smaller than that.
POPULATION_UNKNOWN_MAX = 5_000
# A place so far outside is a mistake of the file; nearer ones are riverside villages and the line's own error.
OUTSIDE_M_MAX = 5_000.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlaceRows:
    """places.csv as it stands; population NaN where the file leaves it empty."""

    name: tuple[str, ...]
    lat_rad: Floats
    lon_rad: Floats
    population: Floats
    line: npt.NDArray[np.int64]


def read_rows(file: str, data: bytes) -> PlaceRows:
    """Read places.csv: name, lat_deg, lon_deg, population (may be empty); further columns are for people."""
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError as error:
        raise ConfigError(f"octet {error.start} is not UTF-8", where=file, remedy="save the file as UTF-8") from error
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise ConfigError(f"has no column {', '.join(missing)}", where=f"{file} line 1",
                          remedy=f"the first line names the columns {', '.join(COLUMNS)}")
    names, numbers, lines = [], [], []
    for row in reader:
        values = []
        for column, limit in (("lat_deg", 90.0), ("lon_deg", 180.0), ("population", 1e9)):
            text = (row[column] or "").strip()
            if column == "population" and not text:
                values.append(math.nan)
                continue
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            low = 0.0 if column == "population" else -limit
            if not low <= value <= limit:
                raise ConfigError(f"= {text!r} is no number in [{low:g}, {limit:g}]",
                                  where=f"{file} line {reader.line_num} {column}",
                                  remedy="correct the value or remove the line")
            values.append(value)
        names.append((row["name"] or "").strip())
        if not names[-1]:
            raise ConfigError("is empty", where=f"{file} line {reader.line_num} name", remedy="name the place")
        numbers.append(values)
        lines.append(reader.line_num)
    table = np.array(numbers, np.float64).reshape(-1, 3)
    return PlaceRows(tuple(names), np.radians(table[:, 0]), np.radians(table[:, 1]), table[:, 2],
                     np.array(lines, np.int64))


def build_places(file: str, rows: PlaceRows, zones: Sequence[Zone], areas: Areas,
                 territory: Territory) -> tuple[Places, tuple[str, ...]]:
    """Return the places, the largest first, and warnings; a place far outside the territory is an error."""
    warnings = []
    outside = np.flatnonzero(~contains(territory, rows.lat_rad, rows.lon_rad))
    if len(outside):
        away = signed_distance(territory, rows.lat_rad[outside], rows.lon_rad[outside]).signed_distance_m
        worst = int(np.argmax(away))
        if away[worst] > OUTSIDE_M_MAX:
            row = int(outside[worst])
            raise ConfigError(
                f"{rows.name[row]} at {np.degrees(rows.lat_rad[row]):.5f}, {np.degrees(rows.lon_rad[row]):.5f} lies "
                f"{away[worst] / 1000.0:.1f} km outside the territory",
                where=f"{file} line {rows.line[row]} lat_deg, lon_deg",
                remedy="correct the position (latitude first), or remove the line")
        warnings.append(f"{file}: {len(outside)} places lie outside the territory, {rows.name[int(outside[worst])]} by "
                        f"{away[worst]:.0f} m")
    unit, unit_population = unit_of(rows.lat_rad, rows.lon_rad, zones, areas)
    population, estimated = estimate_populations(rows.population, unit, unit_population)
    smallest = np.array([i for i, zone in enumerate(zones) if zone.addressable][::-1], np.int64)
    zone_index = _smallest_zone(rows.lat_rad, rows.lon_rad, zones, areas, smallest)
    # The names settle ties, so the order never depends on that of the file alone.
    order = sorted(range(len(rows.name)), key=lambda i: (-int(population[i]), rows.name[i], float(rows.lat_rad[i])))
    chosen = np.array(order, np.intp)
    return Places(
        name=tuple(rows.name[i] for i in order), latitude_rad=rows.lat_rad[chosen], longitude_rad=rows.lon_rad[chosen],
        population=population[chosen], estimated=estimated[chosen], zone_index=zone_index[chosen],
    ), tuple(warnings)


def unit_of(lat_rad: Floats, lon_rad: Floats, zones: Sequence[Zone],
            areas: Areas) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the unit of each place, and the population of every zone: the smallest unit that states its people.

    Cells are grown round the places themselves, so they say nothing about them.
    """
    unit = np.full(len(lat_rad), -1, np.int64)
    for level in ("municipality", "county", "country"):
        candidates = [i for i, z in enumerate(zones) if z.level == level and not z.derived and z.population > 0
                      and not z.population_estimated]
        missing = np.flatnonzero(unit < 0)
        if candidates and len(missing):
            unit[missing] = locate(areas, lat_rad[missing], lon_rad[missing], candidates)
    return unit, np.array([zone.population for zone in zones], np.int64)


def estimate_populations(population: Floats, unit: npt.NDArray[np.int64], unit_population: npt.NDArray[np.int64],
                         ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give each place without a population its share of what its unit has beyond the places that are counted.

    Parameters
    ----------
    population : (n,) NaN where unknown
    unit : (n,) row of `unit_population`; -1 for a place in no unit, which gets 0

    Returns
    -------
    population (n,) whole people; estimated (n,)

    >>> estimate_populations(np.array([700.0, np.nan, np.nan]), np.zeros(3, int), np.array([1000]))[0].tolist()
    [700, 150, 150]
    """
    estimated = np.isnan(population)
    filled = np.where(estimated, 0.0, population)
    counted = np.zeros(len(unit_population))
    open_places = np.zeros(len(unit_population))
    known = unit >= 0
    np.add.at(counted, unit[known], filled[known])
    np.add.at(open_places, unit[known & estimated], 1.0)
    share = np.clip((unit_population - counted) / np.maximum(open_places, 1.0), 0.0, POPULATION_UNKNOWN_MAX)
    if len(share):
        filled = np.where(estimated & known, share[np.where(known, unit, 0)], filled)
    return np.floor(filled + 0.5).astype(np.int64), estimated


def _smallest_zone(lat_rad: Floats, lon_rad: Floats, zones: Sequence[Zone], areas: Areas,
                   addressable: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return the zone of the finest level that holds each place."""
    index = np.full(len(lat_rad), -1, np.int64)
    for level in ("cell", "municipality", "county", "country"):
        missing = np.flatnonzero(index < 0)
        candidates = [int(i) for i in addressable if zones[int(i)].level == level]
        if candidates and len(missing):
            index[missing] = locate(areas, lat_rad[missing], lon_rad[missing], candidates)
    return index.astype(np.int32)

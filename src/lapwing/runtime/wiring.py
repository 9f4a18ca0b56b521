"""Puts a run together: sensors, country, neighbours, settings, journal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lapwing import pipeline, sense, warn
from lapwing.adapters import packs
from lapwing.country.geozones import parse_geozones
from lapwing.country.pack import Pack
from lapwing.country.volumes import Volume
from lapwing.geo.border import Territory
from lapwing.judge.settings import Settings as JudgeSettings
from lapwing.model.errors import ConfigError
from lapwing.model.sensors import SensorTable
from lapwing.runtime.site_region import RegionSettings, area_of, limited
from lapwing.sense.asterix.records import Editions
from lapwing.warn import cell_broadcast_templates


@dataclass(frozen=True, slots=True)
class Country:
    """A country pack and the territories of its neighbours."""

    pack: Pack
    neighbours: Mapping[str, Territory]


def load_country(code_or_path: str, state_dir: Path | None) -> Country:
    """Return a pack with its neighbours' outlines. Raises ConfigError where a pack is missing or wrong."""
    cache = None if state_dir is None else state_dir / "packs"
    pack = packs.load_country(code_or_path, cache)
    cell_broadcast_templates.prove(pack)
    outlines = packs.load_outlines(cache, only=pack.neighbours)
    return Country(pack, {code: outlines[code] for code in pack.neighbours if code in outlines})


def read_volumes(files: tuple[Path, ...]) -> tuple[Volume, ...]:
    """Return the volumes of ED-269 and ED-318 files. Raises ConfigError."""
    found: dict[str, Volume] = {}
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the path and its mode") from error
        for volume in parse_geozones(data, str(path), hashlib.sha256(data).hexdigest()):
            if volume.code in found:
                raise ConfigError(f"zone {volume.code!r} stands in two files", where=str(path), remedy="name it once")
            found[volume.code] = volume
    return tuple(found.values())


def with_policy(country: Country, values: Mapping[str, Any]) -> Country:
    """Return a country with some numbers of its pack's policy replaced by a site's."""
    if not values:
        return country
    changed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return replace(country, pack=replace(country.pack, policy=replace(country.pack.policy, **changed)))


def make_setup(sensors: SensorTable, country: Country | None, *, status: str = "Exercise",
               allow: tuple[tuple[int, int], ...] = (), editions: Editions | None = None,
               judge: JudgeSettings | None = None, people: tuple[tuple[str, str], ...] = (),
               region: RegionSettings | None = None, own: tuple[tuple[int, int], ...] = ()) -> pipeline.Setup:
    """Return the setup of a run.

    Parameters
    ----------
    sensors : as configured; sources found in the data are appended by the sense stage
    country : None for tracks alone
    status : CAP status of every message: Actual only for the live service, else Exercise
    allow : (SAC, SIC) pairs; empty: all sources
    judge : what a site sets otherwise of the judge and its safety net
    people : (name, role) of those who may decide; empty: whoever gives a name
    region : the part of the country that the site answers for; None: all of it
    own : (SAC, SIC) of what this site itself sends
    editions : where a category or source does not speak the newest; what the sensor table says comes first
    """
    editions = editions or Editions()
    sense_setup = sense.SenseSetup(sensors=sensors, allow=allow, own=own, editions=editions.by_category,
                                   source_editions=editions.by_source)
    if country is None:
        return pipeline.Setup(sense=sense_setup)
    area = area_of(region, country.pack) if region is not None and region.name else None
    return pipeline.Setup(sense=sense_setup, pack=country.pack if area is None else limited(country.pack, area),
                          neighbours=country.neighbours, warn=warn.Settings(status=status, people=people),
                          judge=judge or JudgeSettings(), region=area)


def display_files() -> dict[str, bytes]:
    """Return the land and water drawn behind the picture; empty where they are not installed. Never judged with."""
    return packs.display_files()

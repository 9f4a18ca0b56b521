"""From the files of a pack to a `Pack`: every check, or the compiled form where it fits the files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lapwing.country import compiled as compiled_form
from lapwing.country.geometry import TERRITORY, ZONES, read_territory, read_zones
from lapwing.country.pack import Pack, Zone
from lapwing.country.places import PLACES, build_places, read_rows
from lapwing.country.plurals import plural_forms
from lapwing.country.settings import FILE, Settings, read_settings
from lapwing.country.texts import read_texts
from lapwing.geo.border import Territory, contains, signed_distance
from lapwing.model.errors import ConfigError

NEEDED = (FILE, TERRITORY, ZONES, PLACES)
ZONE_OUTSIDE_M_MAX = 5_000.0


def pack_sha256(files: Mapping[str, bytes]) -> str:
    """Return the sha256 over names and contents of all files of a pack, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def load_pack(files: Mapping[str, bytes], compiled: bytes | None = None) -> Pack:
    """Return the pack of these files, checked.

    Parameters
    ----------
    files : name -> octets: pack.toml, territory.geojson, zones.geojson, places.csv, texts/<language>.toml, and
        common/texts/<language>.toml that packs share
    compiled : what `compile_pack` made of the same files; anything else is passed over and the files are read

    Raises
    ------
    ConfigError naming file, key, value and remedy
    """
    sha256 = pack_sha256(files)
    if compiled is not None:
        ready = compiled_form.read_compiled(compiled, sha256)
        if ready is not None:
            return ready
    for name in NEEDED:
        if name not in files:
            raise ConfigError("is missing", where=name, remedy=f"a pack consists of {', '.join(NEEDED)} and texts/")
    settings = read_settings(files[FILE])
    territory = _territory(files, settings)
    zones, areas = read_zones(ZONES, files[ZONES], settings.code, settings.languages[0])
    for zone in zones:
        outside = not contains(territory, zone.latitude_rad, zone.longitude_rad)
        if outside and signed_distance(territory, zone.latitude_rad, zone.longitude_rad).signed_distance_m[0] > (
                ZONE_OUTSIDE_M_MAX):
            position = f"{np.degrees(zone.latitude_rad):.5f}, {np.degrees(zone.longitude_rad):.5f}"
            raise ConfigError(f"= {position} lies outside the territory",
                              where=f"{ZONES} zone {zone.code} lat_deg, lon_deg",
                              remedy="correct the position (latitude first) or the zone's country")
    places, place_warnings = build_places(PLACES, read_rows(PLACES, files[PLACES]), zones, areas, territory)
    texts, text_warnings = read_texts(files, settings.languages)
    return Pack(
        code=settings.code, names=settings.names, version=settings.version, sha256=sha256, time_zone=settings.time_zone,
        languages=settings.languages, neighbours=settings.neighbours, neighbour_names=settings.neighbour_names, territory=territory,
        zones=_in_all_languages(zones, settings.languages), areas=areas, places=places, policy=settings.policy,
        partners=settings.partners, texts=texts, scale=settings.scale, attribution=settings.attribution,
        warnings=(*place_warnings, *text_warnings),
        plurals={language: plural_forms(language) for language in settings.languages})


def load_territory(files: Mapping[str, bytes]) -> Territory:
    """Return the territory of a pack with its bounds, from pack.toml and territory.geojson alone."""
    for name in NEEDED[:2]:
        if name not in files:
            raise ConfigError("is missing", where=name, remedy=f"a pack consists of {', '.join(NEEDED)} and texts/")
    settings = read_settings(files[FILE])
    return _territory(files, settings)


def _territory(files: Mapping[str, bytes], settings: Settings) -> Territory:
    territory = read_territory(TERRITORY, files[TERRITORY], hashlib.sha256(files[TERRITORY]).hexdigest(), settings.note)
    if territory.code != settings.code:
        raise ConfigError(f"= {territory.code!r}, but pack.toml says code = {settings.code!r}",
                          where=f"{TERRITORY} features[0].properties.code",
                          remedy="use the territory of the same country")
    return territory


def compile_pack(pack: Pack) -> bytes:
    """Return the compiled form of a checked pack, for `load_pack` to take instead of reading the files."""
    return compiled_form.write_compiled(pack)


def _in_all_languages(zones: tuple[Zone, ...], languages: tuple[str, ...]) -> tuple[Zone, ...]:
    """Give each zone a name in every language of the pack: its own where there is none."""
    return tuple(zone if all(language in zone.names for language in languages) else
                 replace(zone, names={**dict.fromkeys(languages, zone.name), **zone.names}) for zone in zones)

"""``[region]`` of a site.toml: which part of the country this site answers for, and where the regions keep their claims."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lapwing.adapters.nats_link import parse_target
from lapwing.country.pack import Pack
from lapwing.model.errors import ConfigError, LapwingError
from lapwing.region import Area, make_area
from lapwing.region.area import HALO_M
from lapwing.runtime.config_keys import Keys

THE_REST = "*"
_NAME = re.compile(r"[a-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """One region among those of a country."""

    name: str = ""                                           # empty: this site watches the whole country
    counties: tuple[tuple[str, tuple[str, ...]], ...] = ()   # (region, its counties), the same at every site
    halo_m: float = HALO_M
    store: str = ""                                          # address of the regions' common store
    credentials: str = ""


def region_settings(keys: Keys, base: Path, country: str, log: str, log_credentials: str) -> RegionSettings:
    """Return the settings; every problem is told."""
    name, store, credentials = keys.text("name", ""), keys.text("store", ""), keys.text("credentials", "")
    halo_km = keys.number("halo_km", HALO_M / 1_000.0, 10.0, 500.0, "15 min of flight and 3 km; usually 60")
    listed = keys.table("counties")
    counties = tuple((region, listed.texts(region, ())) for region in listed.names())
    keys.end()
    if not name:
        if keys.names():
            keys.problem("name", "", "is missing", "name this site's region, as it stands in [region.counties]")
        return RegionSettings()
    if not country:
        keys.problem("name", name, "is part of no country", 'write country = "ro" below [site]')
    for region in (name, *(region for region, _ in counties)):
        if not _NAME.fullmatch(region):
            keys.wrong("name", region, "use small letters and digits, up to 20 of them: it stands in track numbers")
    if name not in dict(counties):
        keys.problem("counties", "", f"does not name {name}", f'write {name} = ["RO-TL", ...] below [region.counties], and every other '
                     f'region; ["{THE_REST}"] takes the rest')
    if not store and log:
        store = f"{log.rpartition('/')[0]}/regions"      # beside the journal
    try:
        parse_target(store, where="store")
    except LapwingError as error:
        keys.problem("store", store, error.what, error.remedy)
    if credentials and not (base / credentials).is_file():
        keys.wrong("credentials", credentials, "no such file: one line user:password, or a .creds file, seen from this one")
    return RegionSettings(name, counties, halo_km * 1_000.0, store, str(base / credentials) if credentials else log_credentials)


def area_of(settings: RegionSettings, pack: Pack) -> Area:
    """Return the area of a region. Raises ConfigError where the counties do not fit the pack."""
    wild = [region for region, codes in settings.counties if THE_REST in codes]
    if len(wild) > 1:
        raise ConfigError(f"{' and '.join(wild)} both take the rest", where="region counties", remedy=f'write "{THE_REST}" once')
    named = {code for _, codes in settings.counties for code in codes}
    rest = tuple(zone.code for zone in pack.zones if zone.level == "county" and zone.code not in named)
    regions = {region: tuple(code for code in codes if code != THE_REST) + (rest if region in wild else ())
               for region, codes in settings.counties}
    return make_area(pack, regions, settings.name, settings.halo_m)


def limited(pack: Pack, area: Area) -> Pack:
    """Return a pack whose warnings are made of the zones of a region: its neighbours warn theirs."""
    return replace(pack, zones=tuple(replace(zone, addressable=zone.addressable and zone.county in area.counties) for zone in pack.zones))


def region_fact(settings: RegionSettings) -> str:
    """Return what a journal says of the region: all that decides, nothing of where the store is."""
    return json.dumps({"name": settings.name, "counties": settings.counties, "halo_m": settings.halo_m})


def region_of_fact(fact: str) -> RegionSettings:
    """Return the settings out of a journal."""
    said: Mapping[str, object] = json.loads(fact)
    counties = said["counties"]
    assert isinstance(counties, list) and isinstance(said["halo_m"], float), "a journal's facts are sealed"
    return RegionSettings(str(said["name"]), tuple((str(region), tuple(codes)) for region, codes in counties), said["halo_m"])

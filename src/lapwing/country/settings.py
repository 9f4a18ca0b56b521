"""pack.toml: what an authority states in words and numbers about its country."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace

from lapwing.country.geometry import BoundaryNote
from lapwing.country.pack import Partner, Policy
from lapwing.country.reading import LANGUAGE, Table
from lapwing.country.texts import parse_toml
from lapwing.geo.border import UNSTATED_BOUND_M, Stretch
from lapwing.model.alerts import LEVELS
from lapwing.model.notices import NoticeObject

FILE = "pack.toml"
KINDS = ("neighbour", "chain", "liaison", "authority")
WHENS = ("threat", "near_border", "entered", "exit")
RELEASABLE = tuple(field.name for field in fields(NoticeObject))


@dataclass(frozen=True, slots=True)
class Settings:
    """pack.toml, checked."""

    code: str
    names: Mapping[str, str]
    version: str
    time_zone: str
    languages: tuple[str, ...]
    neighbours: tuple[str, ...]
    neighbour_names: Mapping[str, Mapping[str, str]]
    note: BoundaryNote
    policy: Policy
    partners: tuple[Partner, ...]
    scale: Mapping[str, Mapping[str, str]]
    attribution: str


def read_settings(data: bytes) -> Settings:
    """Parse and check pack.toml."""
    table = Table(FILE, parse_toml(FILE, data))
    languages = table.texts("languages")
    for language in languages:
        if not LANGUAGE.match(language):
            raise table.wrong("languages", f"{language!r} is not a language", 'use ISO 639-1 codes, such as "ro"')
    if not languages:
        raise table.wrong("languages", "is empty", 'name at least one, such as ["en"]')
    zone = table.text("time_zone")
    if not re.fullmatch(r"[A-Za-z_]+(/[A-Za-z_+\-0-9]+)*", zone) or not _known_zone(zone):
        raise table.wrong("time_zone", "is not a time zone", 'use a name of the IANA list, such as "Europe/Bucharest"')
    names = table.words("names")
    if languages[0] not in names:
        raise table.wrong("names", f"has no name in {languages[0]}, the first language",
                          f'add {languages[0]} = "..." to [names]')
    neighbours = table.texts("neighbours", ())
    settings = Settings(
        code=table.code("code"), names=names, version=table.text("version"), time_zone=zone, languages=languages,
        neighbours=neighbours, neighbour_names=_neighbour_names(table, neighbours), note=_boundary(table),
        policy=_policy(table.table("policy", needed=False)),
        partners=tuple(_partner(t) for t in table.tables("partner")), scale=_scale(table, languages),
        attribution=table.text("attribution"))
    ids = [partner.id for partner in settings.partners]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise table.wrong(f"partner[{index}].id", f"{name!r} is given twice", "give each partner its own id")
    table.end()
    return settings


def _neighbour_names(table: Table, neighbours: tuple[str, ...]) -> dict[str, dict[str, str]]:
    names = table.table("neighbour_names", needed=False)
    found = {code: words for code in neighbours if (words := names.words(code))}
    names.end()
    return found


def _known_zone(name: str) -> bool:
    # A machine without any time zone data (a bare container) cannot tell: there every well-formed name will do.
    for asked in (name, "Europe/London"):
        try:
            zoneinfo.ZoneInfo(asked)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return asked == name
    return True


def _boundary(table: Table) -> BoundaryNote:
    boundary = table.table("boundary", needed=False)
    version = boundary.text("version", "as in territory.geojson")
    bound = boundary.number("bound_95_m", UNSTATED_BOUND_M, low=0.0, high=100_000.0)
    boundary.text("reason", "")
    boundary.end()
    stretches = []
    for entry in table.tables("stretch"):
        box = entry.raw("box_deg")
        if box is not None and not _is_box(box):
            raise entry.wrong("box_deg", "is no box", "write [west, south, east, north] in degrees")
        neighbour = entry.text("neighbour", "", empty=True) if entry.has("neighbour") else None
        stretches.append(Stretch(
            name=entry.text("name"), reason=entry.text("reason"),
            bound_95_m=entry.number("bound_95_m", low=0.0, high=100_000.0), undecided=entry.flag("undecided", False),
            neighbour=neighbour, box_deg=(float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None))
        entry.raw("neighbour")
        entry.end()
    return BoundaryNote(version, bound, tuple(stretches))


def _is_box(value: object) -> bool:
    return (isinstance(value, list) and len(value) == 4
            and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
            and value[0] < value[2] and value[1] < value[3])


def read_policy(where: str, values: Mapping[str, object], base: Policy) -> Policy:
    """Return a policy with some keys changed, checked like those of pack.toml."""
    return _policy(Table(where, dict(values)), base)


def _policy(table: Table, base: Policy | None = None) -> Policy:
    values: dict[str, object] = {}
    for field in fields(Policy):
        if not table.has(field.name):
            continue
        assert field.default is not MISSING
        if isinstance(field.default, float):
            values[field.name] = table.number(field.name, low=0.0, high=1.0 if field.name.endswith("_prob") else 1e6)
        elif isinstance(field.default, int):
            values[field.name] = table.whole(field.name)
        elif isinstance(field.default, str):
            values[field.name] = table.text(field.name)
        else:
            values[field.name] = table.texts(field.name)
            for level in table.texts(field.name):
                if level not in LEVELS:
                    raise table.wrong(field.name, f"{level!r} is not a level", f"use {', '.join(LEVELS)}")
    for field in fields(Policy):
        table.raw(field.name)
    table.end()
    return replace(base or Policy(), **values)  # type: ignore[arg-type]  # each was checked against its own default


def _partner(table: Table) -> Partner:
    kind, when = table.text("kind"), table.text("when")
    if kind not in KINDS:
        raise table.wrong("kind", "is not a kind", f"use one of {', '.join(KINDS)}")
    if when not in WHENS:
        raise table.wrong("when", "is not an occasion", f"use one of {', '.join(WHENS)}")
    released = table.texts("fields")
    for name in released:
        if name not in RELEASABLE:
            raise table.wrong("fields", f"{name!r} cannot be released", f"choose of {', '.join(RELEASABLE)}")
    country = table.code("country") if table.text("country", "", empty=True) else ""
    if kind == "neighbour" and not country:
        raise table.wrong("country", "is missing",
                          "a neighbour has the code of its country, whose border is watched for it")
    partner = Partner(
        id=table.text("id"), name=table.text("name"), kind=kind, country=country, release=table.text("release"),
        when=when, languages=table.texts("languages"), fields=released,
        expires_s=table.number("expires_s", 1800.0, low=60.0, high=86_400.0))
    table.end()
    return partner


def _scale(table: Table, languages: tuple[str, ...]) -> dict[str, dict[str, str]]:
    scale = table.table("scale")
    result = {}
    for level in LEVELS:
        words = scale.words(level)
        for language in languages:
            if language not in words:
                raise scale.wrong(level, f"has no name in {language}", f'add {language} = "..." to [scale.{level}]')
        result[level] = words
    scale.end()
    return result

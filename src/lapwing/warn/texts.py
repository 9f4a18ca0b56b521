"""The words of a warning, from the pack's templates: source, hazard, place, action, until when, next word.

Templates hold named placeholders only. A language that lacks a key falls back to English; the pack's check tells of it.
What is not known is said. Where a number needs a plural form, the template is one for each form that the language has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lapwing.country.pack import Pack
from lapwing.country.plurals import OTHER, form_of
from lapwing.model.times import NS_PER_S

PLACES_SHOWN = 3
FALLBACK = "en"
SECTION = "warn."                 # all keys of this stage; the list is packs/TEXT_KEYS.md
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Values(dict[str, str]):
    """Values of placeholders; one that a template asks for and nobody gives is left out."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Words:
    """What one message says in one language."""

    language: str
    sender_name: str
    event: str
    headline: str
    description: str
    instruction: str
    area: str
    contact: str
    short: str                       # for phones


def template(pack: Pack, language: str, key: str) -> str:
    """Return a template of the pack; English where the language lacks it; empty where both do."""
    own: Mapping[str, str] = pack.texts.get(language, {})
    full = SECTION + key
    return own.get(full) or pack.texts.get(FALLBACK, {}).get(full, "")


def fill(pack: Pack, language: str, key: str, **values: str) -> str:
    """Return a template with its placeholders filled; a placeholder it does not have is not used."""
    text = template(pack, language, key)
    try:
        return text.format_map(_Values(values))
    except (ValueError, IndexError, AttributeError):
        return text      # a broken template still warns; the pack's check is where it is found


def counted(pack: Pack, language: str, key: str, count: int, **values: str) -> str:
    """Return a template filled in the plural form that `count` takes; placeholder ``count`` is the number."""
    form = form_of(pack.plurals, language, count)
    name = f"{key}.{form}" if template(pack, language, f"{key}.{form}") else f"{key}.{OTHER}"
    return fill(pack, language, name, count=str(count), **values)


def local_time(pack: Pack, time_ns: int) -> str:
    """Return the local time of day, ``23:10``; where the zone's rules are not installed, UTC and says so."""
    moment = _EPOCH + timedelta(seconds=time_ns // NS_PER_S)
    try:
        return moment.astimezone(ZoneInfo(pack.time_zone)).strftime("%H:%M")
    except (ZoneInfoNotFoundError, ValueError):
        return moment.strftime("%H:%M UTC")


def place_names(pack: Pack, zones: Sequence[int], language: str) -> tuple[str, ...]:
    """Return the names of zones, the most people first."""
    ordered = sorted(zones, key=lambda i: (-pack.zones[i].population, pack.zones[i].code))
    names = [pack.zones[i].names.get(language) or pack.zones[i].name for i in ordered]
    return tuple(dict.fromkeys(names))


def place_list(pack: Pack, zones: Sequence[int], language: str, shown: int = PLACES_SHOWN) -> str:
    """Return ``Isaccea, Somova and 5 more places``: cut so that a reader still takes it in.

    A single place more is named, not counted.
    """
    names = place_names(pack, zones, language)
    if len(names) <= 1:
        return "".join(names)
    if len(names) <= shown + 1:
        return fill(pack, language, "places_and", list=", ".join(names[:-1]), last=names[-1])
    return counted(pack, language, "places_more", len(names) - shown, list=", ".join(names[:shown]))


def counties(pack: Pack, zones: Sequence[int], language: str) -> str:
    """Return the names of the counties of zones."""
    by_code = {zone.code: zone for zone in pack.zones}
    codes = sorted({pack.zones[i].county for i in zones})
    found = [by_code[code] for code in codes if code in by_code]
    return ", ".join(dict.fromkeys(zone.names.get(language) or zone.name for zone in found))


def words(pack: Pack, language: str, kind: str, zones: Sequence[int], *, status: str, until_ns: int,
          objects: int) -> Words:
    """Return what a message says in one language.

    Parameters
    ----------
    kind : alert | pre_alert | all_clear | cancel: which set of templates
    zones : rows of Pack.zones it speaks of
    status : CAP status; an exercise says so first in every text
    until_ns : when the warning lapses unless renewed
    objects : how many objects caused it; 0: a person did
    """
    sender = fill(pack, language, "sender_name")
    how_many = {0: "objects_reported", 1: "objects_one"}.get(objects, "objects_many")
    values = {
        "places": place_list(pack, zones, language),
        "county": counties(pack, zones, language),
        "until": local_time(pack, until_ns),
        "sender": sender,
        "objects": fill(pack, language, how_many),
        "contact": fill(pack, language, "contact"),
    }
    marks = {"Exercise": "mark_exercise", "Test": "mark_test"}
    mark = fill(pack, language, marks[status]) + " " if status in marks else ""
    county = values["county"]
    return Words(
        language=language,
        sender_name=sender,
        event=fill(pack, language, f"event_{kind}", **values),
        headline=_cut(mark + fill(pack, language, f"headline_{kind}", **values), 160),
        description=mark + fill(pack, language, f"description_{kind}", **values),
        instruction=mark + fill(pack, language, f"instruction_{kind}", **values),
        area=values["places"] + (f" ({county})" if county and county not in values["places"] else ""),
        contact=values["contact"],
        short=mark + fill(pack, language, f"phone_{kind}", **values),
    )


def _cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters, cut between words (CAP 1.2, 3.2.2: headline under 160)."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0] + "…"

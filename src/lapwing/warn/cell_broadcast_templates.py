"""Proves, before anybody needs it, that the longest text a pack's phone templates can give fits a message in every language.

The worst case takes the longest names that the pack has in that language, whatever zones they belong to, and the mark of an
exercise. What fits then fits always.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lapwing.country.pack import Pack
from lapwing.model.errors import ConfigError
from lapwing.warn import texts
from lapwing.warn.cell_broadcast import Pages, economical, pages_of

KINDS = ("alert", "pre_alert", "all_clear", "cancel")
LATEST = "00:00 UTC"                 # longest form of a time of day
MOST = range(9_900, 10_000)          # places more than are named: every plural form of four digits
COUNTIES = 3                         # named at once, at the worst


@dataclass(frozen=True, slots=True)
class Worst:
    """The longest text of one template."""

    language: str
    kind: str
    text: str
    pages: Pages


def worst_cases(pack: Pack) -> Iterator[Worst]:
    """Yield the longest text of every language and kind, as it would be sent."""
    for language in pack.languages:
        names = _longest(pack, language)
        counties = _longest(pack, language, level="county")[:COUNTIES]
        shown = texts.PLACES_SHOWN
        lists = (*(texts.counted(pack, language, "places_more", count, list=", ".join(names[:shown])) for count in MOST),
                 texts.fill(pack, language, "places_and", list=", ".join(names[:shown]), last=names[shown] if len(names) > shown else ""))
        values = {
            "places": max(lists, key=len), "county": ", ".join(counties), "until": LATEST,
            "sender": texts.fill(pack, language, "sender_name"), "contact": texts.fill(pack, language, "contact"),
            "objects": max((texts.fill(pack, language, f"objects_{n}") for n in ("one", "many", "reported")), key=len)}
        for kind in KINDS:
            text = f"{texts.fill(pack, language, 'mark_exercise')} {texts.fill(pack, language, f'phone_{kind}', **values)}"
            yield Worst(language, kind, text, pages_of(economical(text, language)))


def prove(pack: Pack) -> None:
    """Raise ConfigError where a template can give a text that does not fit a message."""
    for worst in worst_cases(pack):
        if not worst.pages.fits:
            pages = f"{len(worst.pages.pages)} pages ({worst.pages.units} {worst.pages.alphabet} units)"
            raise ConfigError(f"phone_{worst.kind} can take {pages}; a message has 15",
                              where=f"country {pack.code}, texts/{worst.language}.toml",
                              remedy="shorten the template; `lapwing cell-broadcast --country` shows its longest text")


def _longest(pack: Pack, language: str, level: str = "") -> list[str]:
    """Return the longest names in a language that differ, longest first: by what they cost, then by letters."""
    names = {zone.names.get(language) or zone.name for zone in pack.zones if not level or zone.level == level}
    return sorted(names, key=lambda name: (-len(name), name))[:8]

"""Which edition a source speaks, as people write it: ``48=1.27`` of a category, ``48@25/201=1.27`` of one source's."""

from __future__ import annotations

from collections.abc import Iterable

from lapwing.model.errors import InputError
from lapwing.sense.asterix.records import Editions
from lapwing.sense.asterix.tables import CATEGORIES, editions


def parse_editions(texts: Iterable[str]) -> Editions:
    """Return the editions of ``CAT=ED`` and ``CAT@SAC/SIC=ED``. InputError says what is wrong and what is known."""
    by_category: dict[int, str] = {}
    by_source: dict[tuple[int, int, int], str] = {}
    for text in texts:
        place, _, name = text.partition("=")
        category, _, source = place.partition("@")
        sac, _, sic = source.partition("/")
        if not category.isdigit() or not name or (source and not (sac.isdigit() and sic.isdigit())):
            raise InputError(f"{text!r} is no edition", where="--edition", remedy="write 48=1.27 or 48@25/201=1.27")
        known = editions(int(category))
        if name not in known:
            raise InputError(f"CAT{int(category):03d} has no edition {name!r}", where="--edition",
                             remedy=f"known are {', '.join(known)}" if known
                             else f"categories known are {', '.join(map(str, CATEGORIES))}")
        if source:
            by_source[int(category), int(sac), int(sic)] = name
        else:
            by_category[int(category)] = name
    return Editions(by_category, by_source)


def edition_texts(chosen: Editions) -> list[str]:
    """Return editions as `parse_editions` reads them."""
    return [*(f"{category}={name}" for category, name in sorted(chosen.by_category.items())),
            *(f"{category}@{sac}/{sic}={name}" for (category, sac, sic), name in sorted(chosen.by_source.items()))]

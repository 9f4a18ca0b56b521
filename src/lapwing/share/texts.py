"""The words of a notice, in a partner's languages; English where the pack has none."""

from __future__ import annotations

from collections.abc import Mapping

from lapwing.country.pack import Pack, Partner

ENGLISH: Mapping[str, str] = {
    "share.threat": "{count} object(s) under observation can reach the border of {country}; nearest {border_km} km "
                    "from it at {time}.",
    "share.near_border": "{count} object(s) near or flying towards the border of {partner}: nearest {distance_km} km "
                         "from it at {time}.",
    "share.entered": "{count} object(s) entered the airspace of {country}, as judged at {time}.",
    "share.exit": "{count} object(s) left the airspace of {country}, as judged at {time}.",
    "share.information": "For information; no action is asked.",
}


Said = tuple[str, Mapping[str, object]]       # key of a sentence, and its values


def notice_text(pack: Pack, whom: Partner, *sentences: Said) -> dict[str, str]:
    """Return language -> text for the partner's languages; English is always among them.

    `country` is the own one in the language of the text, unless a sentence says `of`, the code of a neighbour.
    """
    languages = (*whom.languages, *(() if "en" in whom.languages else ("en",)))
    out = {}
    for language in languages:
        parts = [_filled(pack, language, key, {**values, "country": _country(pack, language, str(values.get("of", "")))})
                 for key, values in sentences]
        out[language] = " ".join([*parts, _filled(pack, language, "share.information", {})])
    return out


def _country(pack: Pack, language: str, code: str) -> str:
    """Return the name of the own country, or of a neighbour."""
    names = pack.neighbour_names.get(code, {}) if code else pack.names
    return names.get(language) or names.get("en", code or pack.code)


def _filled(pack: Pack, language: str, key: str, values: dict[str, object]) -> str:
    template = pack.texts.get(language, {}).get(key, ENGLISH[key])
    try:
        return template.format(**values)
    except (KeyError, IndexError, ValueError):
        # The pack's template names a value that a notice does not have: the English sentence is right, so it is said.
        return ENGLISH[key].format(**values)

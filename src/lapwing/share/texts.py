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


def notice_text(pack: Pack, whom: Partner, key: str, **values: object) -> dict[str, str]:
    """Return language -> text for the partner's languages; English is always among them."""
    languages = (*whom.languages, *(() if "en" in whom.languages else ("en",)))
    out = {}
    for language in languages:
        country = pack.names.get(language) or pack.names.get("en", pack.code)
        sentence = _filled(pack, language, key, values | {"country": country})
        out[language] = f"{sentence} {_filled(pack, language, 'share.information', values)}"
    return out


def _filled(pack: Pack, language: str, key: str, values: dict[str, object]) -> str:
    template = pack.texts.get(language, {}).get(key, ENGLISH[key])
    try:
        return template.format(**values)
    except (KeyError, IndexError, ValueError):
        # The pack's template names a value that a notice does not have: the English sentence is right, so it is said.
        return ENGLISH[key].format(**values)

"""Which plural form a count takes in a language, by the rules of CLDR (through Babel), as a table that the core looks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# For whole numbers the rules of the languages of Europe look at the last two digits, and at small numbers themselves.
COUNTS = 200
OTHER = "other"


def plural_forms(language: str) -> tuple[str, ...]:
    """Return the form (zero | one | two | few | many | other) of each count from 0 to 199; `form_of` reads it."""
    from babel import Locale, UnknownLocaleError

    try:
        rule = Locale.parse(language, sep="-").plural_form
    except (UnknownLocaleError, ValueError):
        return (OTHER,)
    return tuple(rule(count) for count in range(COUNTS))


def form_of(plurals: Mapping[str, Sequence[str]], language: str, count: int) -> str:
    """Return the form of a count in a language; `other` where its rules are not known."""
    forms = plurals.get(language, ())
    if len(forms) < COUNTS:
        return OTHER
    return forms[count if count < COUNTS else 100 + count % 100]

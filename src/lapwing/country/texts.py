"""The texts of a pack, checked against the common English ones: the same keys, no placeholder they do not know."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from typing import Any

from lapwing.country.plurals import OTHER, plural_forms
from lapwing.model.errors import ConfigError

COMMON = "common/texts/"
OWN = "texts/"
REFERENCE = "common/texts/en.toml"
FORMS = ("zero", "one", "two", "few", "many", OTHER)


def parse_toml(file: str, data: bytes) -> dict[str, Any]:
    """Return the parsed file, or say where it breaks."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"octet {error.start} is not UTF-8", where=file, remedy="save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=file,
                          remedy="correct the line; texts stand in double quotes") from error


def read_texts(files: Mapping[str, bytes],
               languages: tuple[str, ...]) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return language -> key -> template for the languages of the pack, and warnings.

    A language takes the common file of its name, then the pack's own, which wins. Keys of tables are joined by dots. A
    language without any text of its own speaks the common English and is named in the warnings. A text with a count is a
    table of the plural forms that the language has for whole numbers; a plain text there is its form `other` alone.
    """
    reference = _flat(REFERENCE, parse_toml(REFERENCE, files[REFERENCE])) if REFERENCE in files else {}
    texts: dict[str, dict[str, str]] = {}
    warnings = []
    for language in languages:
        found: dict[str, tuple[str, str]] = {}
        for file in (f"{COMMON}{language}.toml", f"{OWN}{language}.toml"):
            if file in files:
                found.update({key: (file, text) for key, text in _flat(file, parse_toml(file, files[file])).items()})
        if not found:
            warnings.append(f"{OWN}{language}.toml: no such file; messages in {language} would be in English")
            found = {key: (REFERENCE, text) for key, text in reference.items()}
        else:
            found = _every_form(language, found, reference)
        _check(language, found, reference)
        texts[language] = {key: found[key][1] for key in sorted(found)}
    return texts, tuple(warnings)


def _counted(reference: Mapping[str, str]) -> list[str]:
    """Return the keys of the reference that hold plural forms, without the form."""
    return [key.removesuffix(f".{OTHER}") for key in reference if key.endswith(f".{OTHER}")]


def _every_form(language: str, found: dict[str, tuple[str, str]], reference: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the texts with the plural forms that the reference alone has left out, and a plain text as form `other`."""
    needed = set(plural_forms(language)[2:]) | {OTHER}       # a list of one place more is written out, none has no list
    full = dict(found)
    for key in _counted(reference):
        if key in full:
            full[f"{key}.{OTHER}"] = full.pop(key)
            continue
        for form in sorted(needed):
            if f"{key}.{form}" not in full:
                raise ConfigError("is missing", where=f"{OWN}{language}.toml {key}.{form}",
                                  remedy=f"{language} has this plural form {_example(language, form)}: add it; in English "
                                         f'it is "{reference[f"{key}.{OTHER}"]}"')
    return full


def _example(language: str, form: str) -> str:
    forms = plural_forms(language)
    return f"(as for {forms.index(form, 2)})" if form in forms[2:] else "(of fractions, and what is left)"


def placeholders(template: str) -> frozenset[str]:
    """Return the names in braces of a template; raises ValueError where the braces do not pair."""
    fields = (name for _, name, _, _ in string.Formatter().parse(template) if name is not None)
    return frozenset(re.split(r"[.\[]", name)[0] for name in fields)


def _flat(file: str, table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(file, value, f"{prefix}{key}.")
        elif isinstance(value, str):
            flat[prefix + key] = value
        else:
            raise ConfigError(f"= {value!r} is not a text", where=f"{file} {prefix}{key}",
                              remedy="write it in double quotes")
    return flat


def _like(key: str, reference: Mapping[str, str]) -> str:
    """Return the key of the reference whose placeholders a text may use: of a plural form, that of the form `other`."""
    stem, _, form = key.rpartition(".")
    other = f"{stem}.{OTHER}"
    return other if form in FORMS and other in reference else key


def _check(language: str, found: Mapping[str, tuple[str, str]], reference: Mapping[str, str]) -> None:
    for key, (file, text) in found.items():
        try:
            used = placeholders(text)
        except ValueError as error:
            raise ConfigError(f"= {text!r}: {error}", where=f"{file} {key}",
                              remedy="braces come in pairs round a name; write {{ for a brace itself") from error
        like = _like(key, reference)
        if reference and like not in reference:
            raise ConfigError(f"= {text!r}: no such key", where=f"{file} {key}",
                              remedy=f"remove it, or see the keys in {REFERENCE}")
        unknown = used - placeholders(reference[like]) if reference else frozenset()
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(placeholders(reference[like]))) or "none"
            raise ConfigError(f"= {text!r}: unknown placeholder {{{min(unknown)}}}", where=f"{file} {key}",
                              remedy=f"this text may use: {known}")
    for key in reference:
        if key not in found and _like(key, reference) == key:
            raise ConfigError("is missing", where=f"{OWN}{language}.toml {key}",
                              remedy=f'add it; in English it is "{reference[key]}"')

"""Convert the open ASTERIX definitions to Lapwing's table files, once, by hand.

The definitions are those of asterix-specs (Zoran Bosnjak and others, KZPS d.o.o., BSD-3-Clause), read here in the form
in which the package `libasterix` carries them (`asterix.generated` is produced from exactly that data and names its
commit). Lapwing never imports that package when it runs: it reads the JSON that this script writes.

    python tools/build_asterix_tables.py src/lapwing/sense/asterix/tables

One file a category: ``items`` holds every distinct definition of an item once, ``editions`` refer to it by its place.
The form of a definition is described in `lapwing.sense.asterix.tables`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import asterix.base as base
import asterix.generated as generated

LICENCE = (
    "Copyright (c) 2019, KZPS d.o.o. All rights reserved. Redistribution and use in source and binary forms, with or "
    "without modification, are permitted provided that the following conditions are met: * Redistributions of source "
    "code must retain the above copyright notice, this list of conditions and the following disclaimer. * "
    "Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the "
    "following disclaimer in the documentation and/or other materials provided with the distribution. * Neither the "
    "name of KZPS d.o.o. nor the names of other contributors may be used to endorse or promote products derived from "
    "this software without specific prior written permission. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND "
    "CONTRIBUTORS \"AS IS\" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED "
    "WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE "
    "COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR "
    "CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, "
    "DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, "
    "STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS "
    "SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE."
)

STRINGS = {base.StringAscii: "ascii", base.StringICAO: "icao", base.StringOctal: "octal"}


def content(spec: Any) -> Any:
    """Return the JSON of what the bits of an element mean."""
    if issubclass(spec, base.ContentTable):
        return {"values": {str(k): v for k, v in spec.cv_values.items()}}
    if issubclass(spec, base.ContentString):
        return {"string": STRINGS[spec.cv_string_type]}
    if issubclass(spec, base.ContentQuantity):
        return {"lsb": float(spec.cv_lsb), "unit": spec.cv_unit, "signed": spec.cv_signedness is base.Signed}
    if issubclass(spec, base.ContentInteger):
        return {"integer": True, "signed": spec.cv_signedness is base.Signed}
    return {}  # raw bits, Mode S registers


def rule_content(spec: Any) -> Any:
    """Return the JSON of a content rule: the content, or which content for which values of another item."""
    if issubclass(spec, base.RuleContentDependent):
        return {"depends_on": spec.cv_depends_on, "default": content(spec.cv_default_content),
                "cases": [[values, content(case)] for values, case in spec.cv_cases]}
    return content(spec.cv_content)


def variation(spec: Any) -> Any:
    """Return the JSON of the structure of an item."""
    if issubclass(spec, base.Element):
        return {"bits": spec.cv_bit_size, "is": rule_content(spec.cv_rule)}
    if issubclass(spec, base.Group):
        return {"group": [part(p) for p, _ in spec.cv_items_list]}
    if issubclass(spec, base.Extended):
        return {"extended": [[None if p is None else part(p[0]) for p in parts] for parts in spec.cv_items_list]}
    if issubclass(spec, base.Repetitive):
        return {"repeat": spec.cv_rep_bytes or 0, "of": variation(spec.cv_variation)}
    if issubclass(spec, base.Explicit):
        kind = {base.ReservedExpansion: "RE", base.SpecialPurpose: "SP", None: ""}[spec.cv_explicit_type]
        return {"explicit": kind}
    if issubclass(spec, base.Compound):
        return {"compound": [None if p is None else named(p) for p in spec.cv_items_list]}
    raise TypeError(spec)


def rule_variation(spec: Any) -> Any:
    """Return the JSON of a structure rule."""
    if issubclass(spec, base.RuleVariationDependent):
        return {"depends_on": spec.cv_depends_on, "default": variation(spec.cv_default_variation),
                "cases": [[values, variation(case)] for values, case in spec.cv_cases]}
    return variation(spec.cv_variation)


def named(spec: Any) -> Any:
    """Return [name, structure] of a sub-item."""
    return [spec.cv_name, rule_variation(spec.cv_rule)]


def part(spec: Any) -> Any:
    """Return [name, structure], or the number of spare bits."""
    if issubclass(spec, base.Spare):
        return spec.cv_bit_size
    return named(spec.cv_non_spare)


class Pool:
    """Definitions of a category, each stored once."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, spec: Any) -> int:
        row = [spec.cv_name, spec.cv_title, rule_variation(spec.cv_rule)]
        key = json.dumps(row)
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows.append(row)
        return self._places[key]


def uap(record: Any, pool: Pool) -> list[Any]:
    """Return the user application profile: place of a definition, None (spare) or "RFS" for each FRN."""
    row: list[Any] = []
    for item in record.cv_items_list:
        if issubclass(item, base.UapItem):
            row.append(pool.place(item.cv_non_spare))
        else:
            row.append("RFS" if issubclass(item, base.UapItemRFS) else None)
    return row


def category(number: int, specs: list[Any], expansions: list[Any]) -> dict[str, Any]:
    """Return the table file of one category."""
    pool = Pool()
    editions: dict[str, Any] = {}
    for spec in specs:
        if issubclass(spec.cv_uap, base.UapMultiple):
            path, choices = spec.cv_uap.cv_selector
            edition = {"uaps": {name: uap(record, pool) for name, record in spec.cv_uap.cv_uaps.items()},
                       "selector": {"item": path, "choices": {str(k): v for k, v in choices.items()}}}
        else:
            edition = {"uaps": {"": uap(spec.cv_uap.cv_record, pool)}}
        editions["{}.{}".format(*spec.cv_edition)] = edition
    reserved = {}
    for spec in expansions:
        kind, size = spec.cv_expansion.cv_type
        reserved["{}.{}".format(*spec.cv_edition)] = {
            "fspec_octets": size if kind is base.FspecFixed else 0,
            "items": [None if p is None else pool.place(p) for p in spec.cv_expansion.cv_items_list]}
    return {
        "category": number,
        "source": f"asterix-specs {generated.asterix_specs_ref}, {generated.asterix_specs_date}",
        "licence": LICENCE,
        "editions": editions,
        "expansions": reserved,
        "items": pool.rows,
    }


def dump(table: dict[str, Any]) -> str:
    """Return the JSON with one item and one edition a line, so that a change shows as one line."""
    head = {k: table[k] for k in ("category", "source", "licence")}
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ","]
    for key in ("editions", "expansions"):
        rows = [f"  {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in table[key].items()]
        lines.append(f'"{key}": {{\n' + ",\n".join(rows) + "\n},")
    rows = [f"  {json.dumps(row, ensure_ascii=False, separators=(',', ':'))}" for row in table["items"]]
    lines.append('"items": [\n' + ",\n".join(rows) + "\n]}")
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    """Write all categories."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, specs in generated.manifest["CATS"].items():
        table = category(number, specs, generated.manifest["REFS"].get(number, []))
        (folder / f"cat{number:03d}.json").write_text(dump(table), encoding="utf-8")
        count += len(table["editions"])
    print(f"{len(generated.manifest['CATS'])} categories, {count} editions -> {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

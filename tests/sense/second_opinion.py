"""Values of a record as libasterix gives them, in the form of our items: for comparison alone."""

from typing import Any

import asterix.base as base

STRICT = base.ParsingMode.StrictParsing


def _content(kind: Any, bits: Any) -> Any:
    value = kind(bits)
    if issubclass(kind, base.ContentQuantity):
        return value._as_quantity()
    if issubclass(kind, base.ContentString):
        if kind.cv_string_type is base.StringICAO:  # it drops undefined characters: compared as bits by the caller
            return bits.to_uinteger()
        return value.as_string()
    if issubclass(kind, base.ContentInteger):
        return value.as_integer()
    return bits.to_uinteger()


def _chosen(rule: Any, record: Any, group: Any, default: str, cases: str) -> Any:
    """Return the case of a dependent rule: looked up by the raw values of what it names."""
    key = []
    for path in rule.cv_depends_on:
        at = record.get(path[0]) if len(path) == 1 else (group or {}).get(path[-1])
        key.append(at)
    return next((case for values, case in getattr(rule, cases) if values == key), getattr(rule, default))


def plain(variation: Any, record: dict[str, Any], group: dict[str, Any] | None = None) -> Any:
    """Return the value of a parsed variation. `record`: raw values of its one-element items; `group`: of siblings."""
    if isinstance(variation, base.Element):
        rule = variation.cv_rule
        kind = (_chosen(rule, record, group, "cv_default_content", "cv_cases")
                if issubclass(rule, base.RuleContentDependent) else rule.cv_content)
        return _content(kind, variation.bs)
    if isinstance(variation, base.Group):
        return _parts(variation.arg, record)
    if isinstance(variation, base.Extended):
        return _parts([part for chunk in variation.arg for part in chunk if part is not None], record)
    if isinstance(variation, base.Repetitive):
        return [plain(each, record) for each in variation.arg]
    if isinstance(variation, base.Compound):
        return {name: of_rule(item.arg, record) for name, item in variation.arg.items()}
    assert isinstance(variation, base.Explicit), variation
    return variation.get_bytes().hex()


def _parts(parts: Any, record: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    raw: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, base.Item):
            name = part.cv_non_spare.cv_name
            values[name] = of_rule(part.arg.arg, record, raw)
            raw[name] = part.arg.arg.unparse().to_uinteger()
    return values


def of_rule(rule: Any, record: dict[str, Any], group: dict[str, Any] | None = None) -> Any:
    """Return the value of a structure rule."""
    if isinstance(rule, base.RuleVariationDependent):
        chosen = _chosen(type(rule), record, group, "cv_default_variation", "cv_cases")
        parsed = chosen._parse(rule.bs)
        assert not isinstance(parsed, ValueError)
        return plain(parsed[0], record, group)
    return plain(rule.arg, record, group)


def read(uap: Any, octets: bytes, profile: str = "") -> tuple[dict[str, Any], int] | None:
    """Return the items of the record at the beginning of `octets` and how many octets it has; None where refused."""
    record_class = uap.cv_uaps[profile] if profile else uap.cv_record
    try:
        parsed = record_class.parse(STRICT, base.Bits.from_bytes(octets))
    except TypeError:  # it stumbles over a presence bit of a spare place itself (0.36.3)
        return None
    if isinstance(parsed, ValueError):
        return None
    record, rest = parsed
    raw = {name: item.unparse().to_uinteger() for name, item in record.items_regular.items()}
    return {name: of_rule(item.arg, raw) for name, item in record.items_regular.items()}, len(octets) - len(rest) // 8

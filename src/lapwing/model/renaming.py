"""A track's number in the memories of the stages: where it goes on under another, they must follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

Value = TypeVar("Value")


def renamed(value: Value, names: Mapping[str, str]) -> Value:
    """Return a value with old numbers replaced by new ones, wherever they stand in it.

    Looks through frozen dataclasses, tuples, lists, sets and dicts (keys too); a text is a number where it is one of the old
    ones, or ends in a blank and one ("MD 20250805-0007" is the key of a track and a country). What holds none is the same
    object as before.

    >>> renamed({"a": ("x", "MD x")}, {"x": "y"})
    {'a': ('y', 'MD y')}
    """
    return cast(Value, _renamed(value, names))


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        head, blank, last = value.rpartition(" ")
        return head + blank + names[last] if last in names else value
    if isinstance(value, tuple | list | set | frozenset):
        new = [_renamed(each, names) for each in value]
        return value if all(a is b for a, b in zip(value, new, strict=True)) else type(value)(new)
    if isinstance(value, dict):
        pairs = [(_renamed(key, names), _renamed(each, names)) for key, each in value.items()]
        same = all(k is a and v is b for (k, v), (a, b) in zip(value.items(), pairs, strict=True))
        return value if same else dict(pairs)
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: _renamed(getattr(value, each.name), names) for each in fields(value)}
        if all(getattr(value, name) is each for name, each in found.items()):
            return value
        made = object.__new__(type(value))
        for name, each in found.items():
            object.__setattr__(made, name, each)
        return made
    return value

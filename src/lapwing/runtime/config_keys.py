"""Keys of a configuration table, taken one by one with their bounds; every problem is collected, none raised."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration."""

    level: str       # error | warning
    where: str       # "site.toml [link.tulcea] url"
    what: str
    remedy: str

    @property
    def is_error(self) -> bool:
        """Whether the service cannot run with it."""
        return self.level == "error"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class Keys:
    """One table. `end` tells what nobody asked for."""

    def __init__(self, file: str, path: str, values: Mapping[str, Any], problems: list[Problem]) -> None:
        self._file, self._path, self._values, self._problems = file, path, values, problems
        self._known: list[str] = []

    @property
    def where(self) -> str:
        """File and table."""
        return f"{self._file} [{self._path}]" if self._path else self._file

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there."""
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        self._known.append(key)
        return key in self._values

    def raw(self, key: str) -> Any:
        """Return a value as it stands, None where it is not there."""
        self._known.append(key)
        return self._values.get(key)

    def add(self, problem: Problem) -> None:
        """Add a problem found elsewhere."""
        self._problems.append(problem)

    def problem(self, key: str, value: object, what: str, remedy: str, *, level: str = "error") -> None:
        """Add a problem of a key."""
        shown = f" = {value!r}" if value not in ("", None) else ""
        self._problems.append(Problem(level, f"{self.where} {key}{shown}", what, remedy))

    def wrong(self, key: str, value: object, remedy: str) -> None:
        """Add that a value cannot be used."""
        self.problem(key, value, "cannot be used", remedy)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.problem(key, "", "is missing", "add it")
            return default or ""
        if not isinstance(value, str) or not (value.strip() or default == ""):
            self.problem(key, value, "must be a text", f'write {key} = "..."')
            return default or ""
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, value, "must be a list of texts", f'write {key} = ["..."]')
            return default
        return tuple(value)

    def number(self, key: str, default: float, low: float, high: float, usual: str) -> float:
        """Return a number within bounds."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.problem(key, value, f"must lie in [{low:g}, {high:g}]", usual)
            return default
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int, usual: str) -> int:
        """Return a whole number within bounds."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(key, value, f"must be a whole number in [{low}, {high}]", usual)
            return default
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of a few words."""
        value = self.raw(key)
        if value is None:
            return default
        if value not in choices:
            near = difflib.get_close_matches(str(value), choices, 1)
            self.problem(key, value, f"must be one of {', '.join(choices)}", f"did you mean {near[0]}?" if near else "choose one")
            return default
        return str(value)

    def table(self, key: str) -> Keys:
        """Return a table below this one, empty where it is not there."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.problem(key, value, "must be a table", f"write [{key}] and its keys below")
        return Keys(self._file, self._below(key), value if isinstance(value, dict) else {}, self._problems)

    def tables(self, key: str) -> Iterator[tuple[str, Keys]]:
        """Yield the named tables below [key.NAME]."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.problem(key, value, "must hold tables", f"write [{key}.NAME] and its keys below")
            return
        for name, values in (value or {}).items():
            below = f"{self._below(key)}.{name}"
            if isinstance(values, dict):
                yield name, Keys(self._file, below, values, self._problems)
            else:
                self.problem(f"{key}.{name}", values, "must be a table", f"write [{below}] and its keys below")

    def _below(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def end(self, known: str = "") -> None:
        """Tell of every key that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                self.problem(key, self._values[key] if not isinstance(self._values[key], dict) else "", "unknown key",
                             f"did you mean {near[0]}?" if near else known or f"known are {', '.join(sorted(set(self._known)))}")

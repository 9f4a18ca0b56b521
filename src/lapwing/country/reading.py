"""Reading a pack's tables with messages that name file, key, value and remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lapwing.model.errors import ConfigError

CODE = re.compile(r"[A-Z]{2}\Z")
LANGUAGE = re.compile(r"[a-z]{2}\Z")


class Table:
    """One table of a file: every value is taken by name and checked; what nobody asked for is an error (`end`)."""

    def __init__(self, file: str, values: Mapping[str, Any], key: str = "") -> None:
        self.file, self.key = file, key
        self._values, self._asked = values, set[str]()

    def place(self, key: str) -> str:
        """Return the words for where a key stands: file and dotted key."""
        return f"{self.file} {self.key}.{key}" if self.key else f"{self.file} {key}"

    def wrong(self, key: str, what: str, remedy: str) -> ConfigError:
        """Return the error for a key, naming its value."""
        value = self._values.get(key)
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
        return ConfigError(f"= {shown}: {what}" if key in self._values else what, where=self.place(key), remedy=remedy)

    def has(self, key: str) -> bool:
        """Return whether the key is given."""
        return self._values.get(key) is not None

    def raw(self, key: str) -> Any:
        """Return the value as it is; None where it is not given."""
        self._asked.add(key)
        return self._values.get(key)

    def _given(self, key: str, default: Any, kind: str) -> Any:
        value = self.raw(key)
        if value is None and default is None:
            raise self.wrong(key, "is missing", f"add {key} = {kind}")
        return default if value is None else value

    def text(self, key: str, default: str | None = None, *, empty: bool = False) -> str:
        """Return a string; not empty unless allowed."""
        value = self._given(key, default, '"..."')
        if not isinstance(value, str) or (not value.strip() and not empty and default is None):
            raise self.wrong(key, "must be a text", 'write it in quotes: "..."')
        return value

    def code(self, key: str) -> str:
        """Return an ISO 3166-1 alpha-2 code."""
        value = self.text(key)
        if not CODE.match(value):
            raise self.wrong(key, "must be two capital letters", 'use the ISO 3166-1 alpha-2 code, such as "RO"')
        return value

    def number(self, key: str, default: float | None = None, *, low: float = -math.inf,
               high: float = math.inf) -> float:
        """Return a finite number in [low, high]."""
        value = self._given(key, default, "a number")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(key, "must be a number", "write digits without quotes or unit")
        if not low <= value <= high:
            raise self.wrong(key, f"must lie in [{low:g}, {high:g}]", "correct the value; units are in the key's name")
        return float(value)

    def whole(self, key: str, default: int | None = None, *, low: int = 0) -> int:
        """Return a whole number of at least `low`."""
        value = self._given(key, default, "a whole number")
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self.wrong(key, f"must be a whole number of at least {low}", "write digits without quotes")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._given(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false", "write it without quotes")
        return value

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a list of strings without doubles."""
        value = self._given(key, default, '["...", "..."]')
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, "must be a list of texts", 'write ["...", "..."]')
        if len(set(value)) != len(value):
            raise self.wrong(key, "names one twice", "keep each once")
        return tuple(value)

    def words(self, key: str) -> dict[str, str]:
        """Return a mapping of language to text; empty where not given."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            raise self.wrong(key, "must be a table of texts", 'write key = "text" lines below it')
        return {str(k): str(v) for k, v in value.items() if v}

    def table(self, key: str, *, needed: bool = True) -> Table:
        """Return a table inside this one; an empty one where it may be missing."""
        value = self.raw(key)
        if value is None and not needed:
            value = {}
        if not isinstance(value, Mapping):
            raise self.wrong(key, "must be a table", f"add [{key}] and its keys")
        return Table(self.file, value, f"{self.key}.{key}" if self.key else key)

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables; empty where it is not given."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, Mapping) for v in value):
            raise self.wrong(key, "must be tables", f"write each as [[{key}]] and its keys")
        base = f"{self.key}.{key}" if self.key else key
        return [Table(self.file, v, f"{base}[{i}]") for i, v in enumerate(value)]

    def end(self) -> None:
        """Raise for the first key that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                near = sorted(k for k in self._asked if k[:3] == key[:3])
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(self._asked))}"
                raise self.wrong(key, "is not a key of this table", f"remove it, or {hint}")

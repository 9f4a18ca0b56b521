"""Reads the settings of a channel: typed, with defaults, and an unknown key is an error that names the known ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.model.deliveries import Delivery
from lapwing.model.errors import ConfigError, NotTaken
from lapwing.warn.cap_delivery import delivery_of
from lapwing.warn.cap_profile import Profile, profiles

STATUSES = ("Actual", "Exercise", "Test")


class Settings:
    """The settings of one channel. Every key asked for is known; `done` refuses all others."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        self.name, self.values, self.base = name, dict(values), base
        self._known: list[str] = []

    def _take(self, key: str, default: Any, kinds: tuple[type, ...], words: str) -> Any:
        self._known.append(key)
        value = self.values.get(key, default)
        if value is None:
            raise self.wrong(key, f"is missing; it must be {words}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise self.wrong(key, f"= {value!r}: must be {words}")
        return value

    def wrong(self, key: str, what: str) -> ConfigError:
        """Return an error about a key."""
        return ConfigError(f"{key} {what}", where=f"[channel.{self.name}]", remedy="docs/messages.md lists the settings of channels")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; no default: it must be there."""
        return str(self._take(key, default, (str,), "text in quotes"))

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number within bounds."""
        value = float(self._take(key, default, (int, float), f"a number from {low:g} to {high:g}"))
        if not low <= value <= high:
            raise self.wrong(key, f"= {value:g}: must lie from {low:g} to {high:g}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return bool(self._take(key, default, (bool,), "true or false"))

    def words(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._take(key, list(default), (list, tuple), "a list of texts")
        if not all(isinstance(word, str) for word in value):
            raise self.wrong(key, f"= {value!r}: must be a list of texts")
        return tuple(value)

    def table(self, key: str) -> dict[str, Any]:
        """Return a table; an empty one where it is missing."""
        return dict(self._take(key, {}, (dict,), "a table"))

    def path(self, key: str, default: str | None = None) -> Path:
        """Return a path, from the folder of the configuration."""
        return self.base / self.text(key, default)

    def secret(self, key: str) -> bytes:
        """Return a secret from a file (`KEY_file`) or an environment variable (`KEY_env`); empty where neither is named."""
        file, variable = self.text(f"{key}_file", ""), self.text(f"{key}_env", "")
        if variable and variable not in os.environ:
            raise self.wrong(f"{key}_env", f"= {variable!r}: there is no such environment variable")
        if variable:
            return os.environ[variable].encode()
        return (self.base / file).read_bytes().strip() if file else b""

    def done(self) -> None:
        """Raise ConfigError for a key that the channel does not have."""
        for key in self.values:
            if key not in self._known and key != "kind":
                raise ConfigError(f"no setting {key!r}", where=f"[channel.{self.name}]", remedy=f"it has: {', '.join(self._known)}")


def read_profile(settings: Settings) -> Profile:
    """Return the profile that a channel names: of its own file, or a shipped one."""
    name, file = settings.text("profile", "plain"), settings.text("profiles_file", "")
    known = profiles((settings.base / file).read_bytes(), file) if file else profiles()
    if name not in known:
        raise settings.wrong("profile", f"= {name!r}: one of {', '.join(sorted(known))}")
    return known[name]


class Carries:
    """Which statuses a channel carries. An exercise never goes out by accident, nor a real warning by a drill's channel."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.name
        self.statuses = settings.words("statuses", ("Actual",))
        if not self.statuses or any(status not in STATUSES for status in self.statuses):
            raise settings.wrong("statuses", f"= {list(self.statuses)}: of {', '.join(STATUSES)}")

    def checked(self, document: bytes) -> Delivery:
        """Return what stands in a document. Raises NotTaken, for good, where the channel was not told to carry its status."""
        try:
            delivery = delivery_of(document)
        except ValueError as error:
            raise NotTaken(f"cannot be sent: {error}", where=f"channel {self.name}", again=False) from error
        if delivery.status not in self.statuses:
            raise NotTaken(f"status {delivery.status}: this channel carries {', '.join(self.statuses)}",
                           where=f"channel {self.name}", again=False,
                           remedy=f"if it is to carry it, add {delivery.status} to its statuses")
        return delivery

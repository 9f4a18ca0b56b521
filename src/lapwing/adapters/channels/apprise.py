"""Channel ``apprise``: to whatever the library of that name reaches (chat rooms, pagers). Convenience, outside the life path.

It comes as an extra; without it the channel is refused at start, and the others do not depend on it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.model.errors import ConfigError, NotTaken


class Apprise:
    """Settings: urls_file or urls_env (one address a line: they hold secrets), statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._carries = Carries(settings)
        urls = [line.strip() for line in settings.secret("urls").decode().splitlines() if line.strip()]
        settings.done()
        try:
            self._apprise = importlib.import_module("apprise").Apprise()
        except ImportError as error:
            raise ConfigError("needs apprise", where=f"[channel.{name}]", remedy="install lapwing[apprise]") from error
        if not urls or not all(self._apprise.add(url) for url in urls):
            raise settings.wrong("urls_file", "must name addresses that apprise understands, one a line")

    def send(self, identifier: str, document: bytes) -> str:
        """Notify; return how many addresses there are. The library tells only whether all of them took it."""
        delivery = self._carries.checked(document)
        words = delivery.words[0]
        if not self._apprise.notify(title=words.headline, body="\n\n".join(w.short for w in delivery.words)):
            raise NotTaken("not all addresses took it", where=f"channel {self.name}", remedy="it will be sent again to all of them")
        return f"{len(self._apprise)} addresses"

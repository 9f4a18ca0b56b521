"""Channel ``cap-files``: each document into a folder, for whatever picks files up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.settings import Carries, Settings, read_profile
from lapwing.adapters.channels.whole_files import file_name, write_whole
from lapwing.warn.cap_profile import in_profile


class CapFiles:
    """Settings: folder, profile, profiles_file, statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._carries = Carries(settings)
        self._profile = read_profile(settings)
        self.folder = settings.path("folder", "alerts")
        settings.done()

    def send(self, identifier: str, document: bytes) -> str:
        """Write the document; return the file's name."""
        delivery = self._carries.checked(document)
        name = file_name(delivery.identifier)
        write_whole(self.folder / name, in_profile(document, self._profile))
        return name

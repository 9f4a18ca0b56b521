"""Channel ``cap-files``: each document into a folder, for whatever picks files up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.adapters.channels.whole_files import file_name, write_whole
from lapwing.model.deliveries import Delivery


class CapFiles:
    """Settings: folder, statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._carries = Carries(settings)
        self.folder = settings.path("folder", "alerts")
        settings.done()

    def send(self, delivery: Delivery) -> str:
        """Write the document; return the file's name."""
        self._carries.check(delivery)
        name = file_name(delivery.identifier)
        write_whole(self.folder / name, delivery.document)
        return name

"""The table of channels: kind -> what makes one. A new channel is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.apprise import Apprise
from lapwing.adapters.channels.cap_feed import CapFeed
from lapwing.adapters.channels.cap_files import CapFiles
from lapwing.adapters.channels.cap_https import CapHttps
from lapwing.adapters.channels.cell_broadcast import CellBroadcast
from lapwing.adapters.channels.mqtt import Mqtt
from lapwing.adapters.channels.smtp import Smtp
from lapwing.adapters.channels.webhook import Webhook
from lapwing.model.errors import ConfigError
from lapwing.model.ports import Channel

CHANNELS: dict[str, Callable[[str, Mapping[str, Any], Path], Channel]] = {
    "cap-files": CapFiles,
    "cap-feed": CapFeed,
    "cap-https": CapHttps,
    "webhook": Webhook,
    "mqtt": Mqtt,
    "smtp": Smtp,
    "cell-broadcast": CellBroadcast,
    "apprise": Apprise,
}


def make_channel(name: str, values: Mapping[str, Any], base: Path) -> Channel:
    """Return a channel from its settings; `kind` says which. Raises ConfigError for what is unknown or wrong."""
    kind = values.get("kind", name)
    if kind not in CHANNELS:
        raise ConfigError(f"no channel kind {kind!r}", where=f"[channel.{name}]", remedy=f"one of {', '.join(sorted(CHANNELS))}")
    try:
        return CHANNELS[kind](name, values, base)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror or error}", where=f"[channel.{name}]", remedy="check the file") from error

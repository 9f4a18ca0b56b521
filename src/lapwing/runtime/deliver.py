"""Delivers the messages of a journal through the channels of a file: for a site that runs the chain and its channels apart.

The journal may still be written by another process: new messages are found as they are committed.
"""

from __future__ import annotations

import sys
import threading
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lapwing.adapters.channels import make_channel
from lapwing.adapters.channels.cap_feed import CapFeed
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import ConfigError, LapwingError
from lapwing.model.ports import Channel
from lapwing.runtime.outbox import Outbox, Postmen

HEARTBEAT_S = 60.0


def read_channels(path: Path) -> dict[str, Channel]:
    """Return the channels of a TOML file: a table ``[channel.NAME]`` each. Raises ConfigError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("channel", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(error), where=str(path), remedy="see docs/messages.md for an example") from error
    return make_channels(tables, path.parent)


def make_channels(tables: Mapping[str, Any], base: Path) -> dict[str, Channel]:
    """Return the channels of a table of tables. Raises ConfigError where there is none, or one is wrong."""
    if not isinstance(tables, Mapping) or not tables or not all(isinstance(t, Mapping) for t in tables.values()):
        raise ConfigError("no channel", where="[channel.NAME]", remedy="write one table a channel, with its kind")
    return {name: make_channel(name, values, base) for name, values in tables.items()}


class Heart:
    """Writes every signed feed anew each minute, so that its readers tell quiet from dead."""

    def __init__(self, channels: Mapping[str, Channel], say: Callable[[str], None], every_s: float = HEARTBEAT_S) -> None:
        self._feeds = {name: channel for name, channel in channels.items() if isinstance(channel, CapFeed)}
        self._say, self._every_s, self._stopping = say, every_s, threading.Event()
        self._thread = threading.Thread(target=self._work, name="heart", daemon=True)

    def start(self) -> None:
        """Beat at once, and then each minute."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """Write every feed anew."""
        for name, feed in self._feeds.items():
            try:
                feed.beat()
            except LapwingError as error:
                self._say(f"CHANNEL {name}: NO HEARTBEAT: {error}")

    def _work(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.beat()

    def stop(self) -> None:
        """Stop beating."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10.0)


def deliver(journal: Path, channels_file: Path, *, follow: bool, store_file: Path | None = None,
            patience_s: float = 60.0, republish: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Deliver a journal's messages; return a row a channel.

    `follow`: go on until interrupted; else until nothing waits or patience ends. `republish`: channels that are sent
    what is in force once more. Raises ConfigError.
    """
    channels = read_channels(channels_file)
    for name in republish:
        if name not in channels:
            raise ConfigError(f"no channel {name!r}", where="--republish", remedy=f"one of {', '.join(channels)}")
    store = OutboxStore(store_file or journal.with_suffix(".outbox.sqlite"))

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    outbox = Outbox(store, channels, say=say)
    heart, postmen = Heart(channels, say), Postmen(outbox)
    try:
        _catch_up(outbox, journal)
        for name in republish:
            say(f"channel {name}: {outbox.republish(name)} messages in force are sent again")
        heart.start()
        postmen.start()
        deadline = time.monotonic() + patience_s
        while follow or (any(store.waiting(name) for name in channels) and time.monotonic() < deadline):
            time.sleep(0.2)
            _catch_up(outbox, journal)
    except KeyboardInterrupt:
        say("stopped; what waits stays in the outbox")
    finally:
        postmen.stop()
        heart.stop()
        rows = outbox.status()
        store.close()
    return rows


def _catch_up(outbox: Outbox, journal: Path) -> None:
    log = SqliteLog(journal, read_only=True)
    try:
        meta = log.meta()
        outbox.catch_up(f"{meta.get('source_sha256', '')} {journal.resolve()}", log.outputs)
    finally:
        log.close()

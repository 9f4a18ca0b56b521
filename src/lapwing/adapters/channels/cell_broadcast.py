"""Channel ``cell-broadcast``: to an operator's centre, as neutral JSON (a file or an address) or to the open lab centre osmo-cbc.

The centre chooses the cells from the polygons. The end of a warning stops its repetition and goes out as a quiet message.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.http import HttpSender
from lapwing.adapters.channels.serials import Serials
from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.adapters.channels.whole_files import file_name, write_whole
from lapwing.model.deliveries import Delivery
from lapwing.model.errors import NotTaken
from lapwing.warn.cell_broadcast_message import Broadcast, broadcasts

FORMATS = ("neutral", "osmo-cbc")
LAB_PATH = "/api/ecbe/v1/message"


class CellBroadcast:
    """Settings: format, url or folder, country, sender, levels, serials_file, timeout_s, ca_file, ..., statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path, clock: Callable[[], int] = time.time_ns) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._clock = clock
        self._carries = Carries(settings)
        self._format = settings.text("format", "neutral")
        self._country = settings.text("country", "eu")
        self._sender = settings.text("sender", "lapwing")
        self._levels = settings.words("levels", ("alert", "pre_alert", "all_clear"))
        self._serials = Serials(settings.path("serials_file", f"{name}-serials.sqlite"))
        folder = settings.text("folder", "")
        self._folder = base / folder if folder else None
        self._http = None if folder else HttpSender(settings)
        settings.done()
        if self._format not in FORMATS or (self._format == "osmo-cbc" and self._http is None):
            raise settings.wrong("format", f"= {self._format!r}: neutral, or osmo-cbc with a url")

    def send(self, identifier: str, document: bytes) -> str:
        """Hand all languages over; return how many pages they take."""
        delivery = self._carries.checked(document)
        if delivery.level not in self._levels:
            return f"level {delivery.level} is not for phones here"
        serial = self._serials.of(delivery.chain, delivery.key)
        try:
            made = broadcasts([(w.language, w.short) for w in delivery.words], serial, country=self._country,
                              status=delivery.status, level=delivery.level, area=delivery.polygons, expires_ns=delivery.expires_ns)
        except ValueError as error:
            raise NotTaken(str(error), where=f"channel {self.name}", again=False,
                           remedy="shorten the template of that language; other channels have it") from error
        if self._format == "osmo-cbc":
            self._to_lab(delivery, made)
        else:
            self._neutral(delivery, made)
        return f"{len(made)} languages, {sum(len(m.pages.pages) for m in made)} pages, serial {serial.encoded:04x}"

    def _neutral(self, delivery: Delivery, made: list[Broadcast]) -> None:
        body = json.dumps({"key": delivery.key, "identifier": delivery.identifier, "status": delivery.status, "level": delivery.level,
                           "ends": delivery.ends, "replaces": list(delivery.references),
                           "messages": [m.neutral() for m in made]}, ensure_ascii=False, sort_keys=True).encode()
        if self._folder is not None:
            write_whole(self._folder / file_name(delivery.identifier, "json"), body)
            return
        assert self._http is not None, "a channel has a folder or an address: the constructor saw to it"
        self._http.accepted(self._http.post(body, {"Content-Type": "application/json", "Idempotency-Key": delivery.key}))

    def _to_lab(self, delivery: Delivery, made: list[Broadcast]) -> None:
        assert self._http is not None, "a channel for the lab centre has an address: the constructor saw to it"
        # The centre holds one message an identifier: what stands there is taken away first. 404: there was none.
        for message_identifier in sorted({m.message_identifier for m in made}):
            reply = self._http.post(b"", {}, method="DELETE", path=f"{LAB_PATH}/{message_identifier}")
            if reply.status != 404:
                self._http.accepted(reply)
        for message in made:
            body = json.dumps(message.osmocom(self._sender, self._clock())).encode()
            self._http.accepted(self._http.post(body, {"Content-Type": "application/json", "Idempotency-Key": delivery.key},
                                                path=LAB_PATH))

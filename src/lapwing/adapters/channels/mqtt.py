"""Channel ``mqtt``: one retained message a zone, for sirens and signs; it expires at the broker when the warning does.

Topic: prefix, then the zone's code. A siren that was switched off finds the state of its zone when it comes back. Zones
taken out of a warning get their all clear. MQTT 5 (expiry), quality of service 1 (the broker's receipt is waited for).
"""

from __future__ import annotations

import importlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.model.deliveries import Delivery
from lapwing.model.errors import ConfigError, NotTaken
from lapwing.model.times import NS_PER_S, to_iso

CLEAR_SHOWN_S = 3_600                # how long an all clear stays for sirens that come back
_TOPIC = re.compile(r"[#+/\0]")


class Mqtt:
    """Settings: host, port, prefix, client_id, user, password_file or password_env, tls, ca_file, timeout_s, statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path, clock: Callable[[], int] = time.time_ns) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._clock = clock
        self._carries = Carries(settings)
        self._host = settings.text("host")
        self._port = int(settings.number("port", 1883, 1, 65_535))
        self._prefix = settings.text("prefix", "lapwing/zones").rstrip("/")
        self._client_id = settings.text("client_id", f"lapwing-{name}")
        self._user, self._password = settings.text("user", ""), settings.secret("password")
        self._timeout_s = settings.number("timeout_s", 5.0, 0.1, 60.0)
        tls, ca = settings.flag("tls", False), settings.text("ca_file", "")
        settings.done()
        self._context = ssl.create_default_context(cafile=str(base / ca) if ca else None) if tls else None
        try:
            self._client = importlib.import_module("paho.mqtt.client")
        except ImportError as error:
            raise ConfigError("needs paho-mqtt", where=f"[channel.{name}]", remedy="install lapwing[mqtt]") from error

    def send(self, identifier: str, document: bytes) -> str:
        """Publish to every zone; return how many took it."""
        delivery = self._carries.checked(document)
        payloads = self.payloads(delivery)
        connected = threading.Event()
        client = self._client.Client(self._client.CallbackAPIVersion.VERSION2, self._client_id, protocol=self._client.MQTTv5)
        reasons: list[str] = []

        def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                reasons.append(str(reason))
            connected.set()

        client.on_connect = on_connect
        if self._user:
            client.username_pw_set(self._user, self._password.decode())
        if self._context is not None:
            client.tls_set_context(self._context)
        client.connect_timeout = self._timeout_s
        deadline = time.monotonic() + self._timeout_s
        try:
            client.connect(self._host, self._port, keepalive=30)
            client.loop_start()
            if not connected.wait(self._timeout_s):
                raise TimeoutError("the broker does not answer")
            if reasons:
                raise ConnectionError(f"the broker refuses: {reasons[0]}")
            waiting = []
            for topic, (payload, life_s) in payloads.items():
                properties = self._client.Properties(self._client.PacketTypes.PUBLISH)
                properties.MessageExpiryInterval = life_s
                waiting.append(client.publish(topic, payload, qos=1, retain=True, properties=properties))
            for info in waiting:
                info.wait_for_publish(max(0.01, deadline - time.monotonic()))
                if not info.is_published():
                    raise TimeoutError("the broker did not confirm in time")
        except (OSError, ValueError, RuntimeError) as error:
            raise NotTaken(str(error) or type(error).__name__, where=f"channel {self.name}, {self._host}:{self._port}",
                           remedy="look at the broker; it will be sent again") from error
        finally:
            client.disconnect()
            client.loop_stop()
        return f"{len(payloads)} zones"

    def payloads(self, delivery: Delivery) -> dict[str, tuple[bytes, int]]:
        """Return what each topic gets, and for how many seconds it stays."""
        now_ns = self._clock()
        made = {}
        for zones, level in ((delivery.zones, delivery.level), (delivery.cleared, "all_clear")):
            over = level == "all_clear" or delivery.ends
            # The broker's clock counts from when it gets it. One second at least: zero would mean for ever.
            life_s = CLEAR_SHOWN_S if over else max(1, (delivery.expires_ns - now_ns) // NS_PER_S)
            for code in zones:
                body = {"key": delivery.key, "identifier": delivery.identifier, "status": delivery.status, "zone": code,
                        "level": "all_clear" if over else level, "sent": to_iso(delivery.sent_ns, digits=0),
                        "expires": to_iso(delivery.expires_ns, digits=0),
                        "texts": {w.language: w.short for w in delivery.words} if zones is delivery.zones else {}}
                topic = f"{self._prefix}/{_TOPIC.sub('_', code)}"
                made[topic] = (json.dumps(body, ensure_ascii=False, sort_keys=True).encode(), int(life_s))
        return made

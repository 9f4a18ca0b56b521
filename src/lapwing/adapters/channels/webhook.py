"""Channel ``webhook``: the message as JSON to an address, signed with a shared secret (HMAC-SHA256).

Headers: ``Idempotency-Key`` (a receiver that knows it answers 2xx and does nothing), ``X-Lapwing-Time`` (seconds since
1970) and ``X-Lapwing-Signature``: ``sha256=`` and the HMAC of the time, a full stop and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.http import HttpSender
from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.model.deliveries import Delivery
from lapwing.model.errors import NotTaken
from lapwing.model.times import NS_PER_S, to_iso


class Webhook:
    """Settings: url, secret_file or secret_env, confirm, timeout_s, ca_file, client_cert_file, client_key_file, statuses."""

    def __init__(self, name: str, values: Mapping[str, Any], base: Path, clock: Callable[[], int] = time.time_ns) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._clock = clock
        self._carries = Carries(settings)
        self._http = HttpSender(settings)
        self._secret = settings.secret("secret")
        # With `confirm` the answer must hold the key: an error page that says 200 is no receipt.
        self._confirm = settings.flag("confirm", False)
        settings.done()

    def send(self, identifier: str, document: bytes) -> str:
        """Post the message; return the answer's status."""
        delivery = self._carries.checked(document)
        body = json.dumps(body_of(delivery), ensure_ascii=False, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": delivery.key,
                   **signed_headers(self._secret, body, self._clock() // NS_PER_S)}
        reply = self._http.post(body, headers)
        self._http.accepted(reply)
        if self._confirm and delivery.key.encode() not in reply.body:
            raise NotTaken("answered without the key: not a receipt", where=f"channel {self.name}, {self._http.url}",
                           remedy="it will be sent again; the answer must hold the Idempotency-Key, or set confirm = false")
        return f"HTTP {reply.status}"


def signed_headers(secret: bytes, body: bytes, time_s: int) -> dict[str, str]:
    """Return the headers that prove who sent a body, and when; none without a secret."""
    if not secret:
        return {}
    mac = hmac.new(secret, f"{time_s}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Lapwing-Time": str(time_s), "X-Lapwing-Signature": f"sha256={mac}"}


def body_of(delivery: Delivery) -> dict[str, Any]:
    """Return a message as JSON values."""
    return {
        "key": delivery.key, "identifier": delivery.identifier, "chain": delivery.chain, "status": delivery.status,
        "msg_type": delivery.msg_type, "level": delivery.level, "sent": to_iso(delivery.sent_ns, digits=0),
        "expires": to_iso(delivery.expires_ns, digits=0), "references": list(delivery.references),
        "zones": list(delivery.zones), "cleared": list(delivery.cleared),
        "polygons": [[list(point) for point in ring] for ring in delivery.polygons],
        "texts": {w.language: {"headline": w.headline, "description": w.description, "instruction": w.instruction, "short": w.short}
                  for w in delivery.words},
        "cap": delivery.document.decode("utf-8"),
    }

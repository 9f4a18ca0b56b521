"""Channel ``cap-https``: the signed CAP document itself, posted to a gateway (national platforms, cell broadcast entities)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.http import HttpSender
from lapwing.adapters.channels.settings import Carries, Settings, read_profile
from lapwing.warn.cap_profile import in_profile
from lapwing.warn.cap_signature import Signer


class CapHttps:
    """Settings: url, key_file, cert_file, token_file or token_env, timeout_s, ca_file, client_cert_file,
    client_key_file, profile, profiles_file, statuses.
    """

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._carries = Carries(settings)
        self._profile = read_profile(settings)
        self._http = HttpSender(settings)
        self._token = settings.secret("token")
        key, certificate = settings.text("key_file", ""), settings.text("cert_file", "")
        settings.done()
        if bool(key) != bool(certificate):
            raise settings.wrong("key_file", "and cert_file go together")
        self._signer = Signer((base / key).read_bytes(), (base / certificate).read_bytes()) if key else None

    def send(self, identifier: str, document: bytes) -> str:
        """Post the document; return the answer's status."""
        delivery = self._carries.checked(document)
        document = in_profile(document, self._profile)
        document = document if self._signer is None else self._signer.sign(document, ours=True)
        headers = {"Content-Type": "application/cap+xml; charset=utf-8", "Idempotency-Key": delivery.key}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token.decode()}"
        reply = self._http.post(document, headers)
        self._http.accepted(reply)
        return f"HTTP {reply.status}"

"""Posts over HTTP with a deadline for the whole exchange: a receiver that hangs, drips or lies costs seconds, not the night.

Redirects are not followed: a warning goes where it was addressed, or the operator is told.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lapwing.adapters.channels.settings import Settings
from lapwing.model.errors import NotTaken

REPLY_OCTETS_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver answered."""

    status: int
    body: bytes


class HttpSender:
    """Settings: url, timeout_s, ca_file, client_cert_file, client_key_file."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.name
        self.url = settings.text("url")
        self.timeout_s = settings.number("timeout_s", 5.0, 0.1, 60.0)
        parts = urlsplit(self.url)
        ca, certificate, key = (settings.text(k, "") for k in ("ca_file", "client_cert_file", "client_key_file"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise settings.wrong("url", f"= {self.url!r}: must begin with https:// or http://")
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context(cafile=str(settings.base / ca) if ca else None)
            if certificate:
                self._context.load_cert_chain(settings.base / certificate, settings.base / key if key else None)

    def post(self, body: bytes, headers: Mapping[str, str], *, method: str = "POST", path: str | None = None) -> Reply:
        """Return the answer. Raises NotTaken where there is none in time."""
        deadline = time.monotonic() + self.timeout_s
        connection: http.client.HTTPConnection
        if self._context is not None:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout_s, context=self._context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self.timeout_s)
        try:
            connection.connect()
            _timeout(connection, deadline)
            connection.request(method, path or self._path, body, dict(headers))
            _timeout(connection, deadline)
            answer = connection.getresponse()
            return Reply(answer.status, self._body(connection, answer, deadline))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotTaken(f"no answer: {error or type(error).__name__}", where=f"channel {self.name}, {self.url}",
                           remedy="look at the receiver; it will be sent again") from error
        finally:
            connection.close()

    def _body(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, deadline: float) -> bytes:
        body = b""
        while len(body) <= REPLY_OCTETS_MAX:
            _timeout(connection, deadline)
            part = answer.read1(8_192)
            if not part:
                return body
            body += part
        return body[:REPLY_OCTETS_MAX]

    def accepted(self, reply: Reply) -> None:
        """Raise NotTaken unless the receiver took it: 2xx. Other answers than 4xx may change by themselves."""
        if 200 <= reply.status < 300:
            return
        words = reply.body[:200].decode("utf-8", "replace").strip()
        # 408, 425, 429: too slow, too early, too many; 401, 403, 404: mended by an operator while we keep trying.
        again = not 400 <= reply.status < 500 or reply.status in (401, 403, 404, 408, 409, 425, 429)
        raise NotTaken(f"answered {reply.status} {words!r}", where=f"channel {self.name}, {self.url}", again=again,
                       remedy="it will be sent again" if again else "the receiver refuses this message for good")


def _timeout(connection: http.client.HTTPConnection, deadline: float) -> None:
    left_s = deadline - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError("the deadline has passed")
    sock: socket.socket | None = connection.sock
    if sock is not None:
        sock.settimeout(left_s)

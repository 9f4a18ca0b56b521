"""Who may talk to the console: this machine, and pages that the console itself served.

The console listens on loopback. Two things can still reach it through the officer's own browser: a foreign page that
posts to it (stopped by the Origin check) and a foreign name that resolves to this machine (stopped by the Host check).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost", "::1")

# Nothing may be loaded from anywhere but this server. MapLibre runs its worker from a blob and draws icons from data:.
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "worker-src blob:", "child-src blob:", "style-src 'self'",
    "img-src 'self' data: blob:", "connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'",
))
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


def host_name(authority: str) -> str:
    """Return the host of ``host:port`` or ``[::1]:port``, in lower case; "" where it is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def from_this_machine(connection: HTTPConnection) -> bool:
    """Whether the other end of the connection is a loopback address."""
    try:
        return connection.client is not None and ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def from_own_page(headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from no page at all (a program such as curl)."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


class Guard:
    """ASGI middleware: refuses unknown Host headers, adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = HOSTS) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421 where it was meant for another host."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if host_name(Headers(scope=scope).get("host", "")) not in self._hosts:
            await _refuse(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, receive, send_guarded)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    text = b"this console answers to 127.0.0.1 and localhost only: open it by one of these names\n"
    await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text})

"""The gate before every route and socket: who asks, may they, and does the request come from our own page.

Outside of `runtime.access.ROUTES` nothing is answered. A request with a session must carry our own Origin where it
changes anything or opens a socket: a foreign page can send the cookie along, but not the Origin. A key needs none.
"""

from __future__ import annotations

import json
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from lapwing.runtime.access import OPEN, Access, Account, least_role, may
from lapwing.web.guard import from_own_page, from_this_machine

COOKIE = "lapwing_session"
LOCAL = "local"              # the account of this machine while a site has none
POLICY_VIOLATION = 1008      # WebSocket close code, RFC 6455 section 7.4.1
STATE_ACCOUNT = "lapwing_account"


def session_of(headers: Headers) -> str:
    """Return the secret of the session cookie; empty without one."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


class Gate:
    """ASGI middleware. Puts the account into ``scope["state"]`` for the routes behind it."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its account, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = "WS" if scope["type"] == "websocket" else str(scope["method"])
        path = str(scope["path"])
        status, why, account = self._decide(method, path, HTTPConnection(scope))
        if status == 200:
            scope.setdefault("state", {})[STATE_ACCOUNT] = account
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        elif status == 401 and path in ("/", "/log") and method == "GET":
            await _answer(send, 303, b"", ((b"location", b"/login"),))
        else:
            body = json.dumps({"error": why, "remedy": "sign in with an account that may" if status in (401, 403) else ""}).encode()
            await _answer(send, status, body, ((b"content-type", b"application/json"),))

    def _decide(self, method: str, path: str, connection: HTTPConnection) -> tuple[int, str, Account | None]:
        headers = connection.headers
        least = least_role(method, path)
        if least is None:
            return (404, f"nothing at {path}", None) if method in ("GET", "HEAD") else (405, f"{method} is not taken at {path}", None)
        if not self._access.needed:
            if not from_this_machine(connection):
                return 403, "this site has no accounts: it serves its own machine only", None
            if (method in ("POST", "WS")) and not from_own_page(headers):
                return 403, "the request comes from another page", None
            return 200, "", Account(LOCAL, "admin")
        bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
        session = session_of(headers)
        account = self._access.who(session, bearer)
        # A page that is not ours may not speak for the person who is signed in, not even to sign in or out.
        if method in ("POST", "WS") and not bearer and (not from_own_page(headers) or (session and "origin" not in headers)):
            return 403, "the request comes from another page", None
        if least == OPEN:
            return 200, "", account
        if account is None:
            return 401, "sign in first" if not bearer else "the key is not valid, or no longer", None
        if not may(account.role, least):
            return 403, f"{account.role} may not do this: it takes {least}", None
        return 200, "", account


async def _answer(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})

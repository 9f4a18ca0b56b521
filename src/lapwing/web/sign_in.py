"""Routes of signing in and out, by password or at an identity provider.

The password is never logged, echoed or kept; the cookie is for this server's pages alone.
"""

from __future__ import annotations

import asyncio
import html
import json
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from lapwing.model.errors import InputError, LapwingError
from lapwing.runtime.access import SESSION_S, Access
from lapwing.web.gate import COOKIE, STATE_ACCOUNT, session_of

BODY_MAX = 4_096
BROWSER_COOKIE, BROWSER_S = "lapwing_oidc", 600
PARAMETER_MAX = 4_096
# The session's cookie goes with navigations from our own pages alone, so that this page, not the provider's redirect, must lead on.
_DONE = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>Lapwing</title><a href="/">Go on</a>'


def add_sign_in(app: FastAPI, access: Access, static: Path, *, secure: bool) -> None:
    """Add the routes. `secure`: the site is served over TLS, so the cookie never travels without."""

    if access.provider is not None:
        _add_provider(app, access, access.provider.name, secure=secure)

    @app.get("/login")
    async def login_page() -> HTMLResponse:
        text = (static / "login.html").read_text(encoding="utf-8")
        if access.provider is not None:
            link = f'<p><a href="/api/oidc/begin">Sign in with {html.escape(access.provider.name)}</a></p>'
            text = text.replace("</main>", f"  {link}\n</main>")
        return HTMLResponse(text)

    @app.get("/api/me")
    async def me(request: Request) -> JSONResponse:
        account = getattr(request.state, STATE_ACCOUNT)
        return JSONResponse({"name": account.name, "role": account.role})

    @app.post("/api/login")
    async def login(request: Request) -> JSONResponse:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY_MAX:
                return JSONResponse({"error": "too long"}, status_code=413)
        try:
            record = json.loads(body)
            name, password = record["name"], record["password"]
            if not (isinstance(name, str) and isinstance(password, str)):
                raise TypeError
            (name + password).encode()       # half a surrogate pair has no octets (UnicodeEncodeError is a ValueError)
        except (ValueError, TypeError, KeyError, RecursionError):
            return JSONResponse({"error": "not {name, password}", "remedy": "send one JSON object"}, status_code=422)
        address = request.client.host if request.client is not None else ""
        try:
            # In a thread: hashing takes a tenth of a second on purpose.
            secret = await asyncio.to_thread(access.sign_in, name, password, address)
        except InputError as error:
            return JSONResponse({"error": error.what, "remedy": error.remedy}, status_code=429 if "wait" in error.what else 401)
        answer = JSONResponse({"signed_in": name})
        answer.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    @app.post("/api/logout")
    async def logout(request: Request) -> JSONResponse:
        access.sign_out(session_of(request.headers))
        answer = JSONResponse({"signed_out": True})
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=secure)
        return answer


def _add_provider(app: FastAPI, access: Access, name: str, *, secure: bool) -> None:
    @app.get("/api/oidc/begin")
    async def begin() -> Response:
        try:
            address, browser = await asyncio.to_thread(access.begin_at_provider)
        except LapwingError as error:
            return _refused(name, error, 502)
        answer = RedirectResponse(address, status_code=303)
        # Lax: it must come along when the provider sends the browser back. It proves which browser began, and nothing else.
        answer.set_cookie(BROWSER_COOKIE, browser, max_age=BROWSER_S, httponly=True, samesite="lax", secure=secure, path="/api/oidc")
        return answer

    @app.get("/api/oidc/return")
    async def come_back(request: Request) -> Response:
        code, state, issuer = (request.query_params.get(key, "")[:PARAMETER_MAX] for key in ("code", "state", "iss"))
        browser = request.cookies.get(BROWSER_COOKIE, "")
        address = request.client.host if request.client is not None else ""
        try:
            secret = await asyncio.to_thread(access.finish_at_provider, code, state, issuer, browser, address)
        except LapwingError as error:
            return _refused(name, error, 403 if isinstance(error, InputError) else 502)
        answer = HTMLResponse(_DONE)
        answer.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure, path="/")
        answer.delete_cookie(BROWSER_COOKIE, path="/api/oidc", httponly=True, samesite="lax", secure=secure)
        return answer


def _refused(name: str, error: LapwingError, status: int) -> HTMLResponse:
    said = html.escape(f"{error.what}; {error.remedy}")
    head = '<!doctype html><meta charset="utf-8"><title>Lapwing</title><h1>Not signed in</h1>'
    return HTMLResponse(f'{head}<p>{html.escape(name)}: {said}</p><p><a href="/login">Back</a></p>', status_code=status)

"""Routes of signing in and out. The password is never logged, echoed or kept; the cookie is for this server's pages alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse

from lapwing.model.errors import InputError
from lapwing.runtime.access import SESSION_S, Access
from lapwing.web.gate import COOKIE, STATE_ACCOUNT, session_of

BODY_MAX = 4_096


def add_sign_in(app: FastAPI, access: Access, static: Path, *, secure: bool) -> None:
    """Add the routes. `secure`: the site is served over TLS, so the cookie never travels without."""

    @app.get("/login")
    async def login_page() -> FileResponse:
        return FileResponse(static / "login.html", media_type="text/html; charset=utf-8")

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

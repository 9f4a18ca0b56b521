"""The HTTP face of the hub: the console's files, the picture, and the officer's decisions on their way in.

Everything is served from this machine and nothing is asked of any other. What a person enters is checked for shape
here and journaled and judged by the running loop; an answer of 202 says "taken", not "done": what came of it shows in
the next picture.
"""

from __future__ import annotations

import asyncio
from importlib import resources
from pathlib import Path
from time import monotonic
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from lapwing.model.entries import COMMAND
from lapwing.model.errors import ConfigError, InputError, StorageError
from lapwing.runtime.access import COMMAND_ROLES, OFFICER_ROLE, Access, may
from lapwing.runtime.health import LIVE_S, Health, prometheus
from lapwing.web.forms import BODY_MAX, LOG_KINDS, check_entry, page
from lapwing.web.gate import LOCAL, STATE_ACCOUNT, Gate
from lapwing.web.guard import HOSTS, Guard, from_own_page, from_this_machine
from lapwing.web.hub import Hub, to_json
from lapwing.web.library import FILES, library_file
from lapwing.web.sign_in import add_sign_in

STATIC = Path(str(resources.files("lapwing.web").joinpath("static")))
TOO_MANY, NOT_ALLOWED = 1013, 1008   # WebSocket close codes, RFC 6455 section 7.4 and the IANA registry


def create_app(hub: Hub, *, hosts: tuple[str, ...] = HOSTS, health: Health | None = None, access: Access | None = None,
               secure: bool = False) -> FastAPI:
    """Return the console's application around a hub.

    `health` and `access` are those of a live service, None for a demo or replay, which serve this machine alone; `secure`:
    the pages go over TLS.

    Raises ConfigError where the map library is not installed, so that it is said at the start and not by a white page.
    """
    for name in FILES:
        library_file(name)
    app = FastAPI(title="Lapwing console", docs_url=None, redoc_url=None, openapi_url=None)
    _add_pages(app)
    _add_picture(app, hub)
    _add_health(app, hub, health)
    _add_entries(app, hub, access)
    if access is not None:
        add_sign_in(app, access, STATIC, secure=secure)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    if access is not None:
        app.add_middleware(Gate, access=access)
    app.add_middleware(Guard, hosts=hosts)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/log")
    async def log_page() -> HTMLResponse:
        return HTMLResponse(page())

    @app.get("/")
    async def console() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")

    @app.get("/favicon.ico")
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "lapwing.svg", media_type="image/svg+xml")

    @app.get("/lib/{name}")
    async def library(name: str) -> Response:
        if name not in FILES:
            return _answer(404, f"no library file {name!r}", "")
        try:
            path, media_type = library_file(name)
        except ConfigError as error:
            return _answer(500, error.what, error.remedy)
        return FileResponse(path, media_type=media_type)

    @app.get("/glyphs/{stack}/{name}.pbf")
    async def glyphs(stack: str, name: str) -> Response:
        # The map asks for whatever 256 letters a name touches. Ranges that we do not carry are an empty, valid answer:
        # such letters are left out of a label, and the map goes on.
        path = STATIC / "glyphs" / f"{name}.pbf"
        if name.replace("-", "").isdigit() and path.is_file():
            return FileResponse(path, media_type="application/x-protobuf")
        return Response(b"", media_type="application/x-protobuf")


def _add_picture(app: FastAPI, hub: Hub) -> None:
    @app.get("/api/site")
    async def site() -> Response:
        document = hub.site()[1]
        return _json(document) if document is not None else _answer(503, "no site yet", "wait: the run is starting")

    @app.get("/api/picture")
    async def picture() -> Response:
        latest = hub.latest()
        return _json(latest.document) if latest is not None else _answer(503, "no picture yet",
                                                                         "wait: the run is starting")

    @app.get("/api/history")
    async def history() -> Response:
        return _json(hub.history())

    @app.get("/api/alerts")
    async def alerts() -> Response:
        return _json(hub.alerts())

    @app.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        if not from_own_page(socket.headers):
            await socket.close(NOT_ALLOWED)
            return
        await socket.accept()
        await _show(socket, hub)


def _add_health(app: FastAPI, hub: Hub, health: Health | None) -> None:
    @app.get("/livez")
    async def livez() -> JSONResponse:
        latest = hub.latest()
        age_s = None if latest is None else round(monotonic() - latest.came_s, 1)
        if health is None:
            return JSONResponse({"status": "ok", "picture_age_s": age_s})
        stood_s = monotonic() - health.get().turned_s
        status = "ok" if stood_s < LIVE_S else "the loop stands still"
        return JSONResponse({"status": status, "picture_age_s": age_s, "turned_s_ago": round(stood_s, 1)},
                            status_code=200 if status == "ok" else 503)

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        report = health.get() if health is not None else None
        if report is None:
            return JSONResponse({"ready": hub.latest() is not None, "degraded": {}, "links": [], "sensors": []})
        ready = report.ready and monotonic() - report.turned_s < LIVE_S
        return JSONResponse({"ready": ready, "degraded": dict(report.degraded), "links": [dict(link) for link in report.links],
                             "sensors": [dict(sensor) for sensor in report.sensors]},
                            status_code=200 if ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        text = prometheus(health.get()) if health is not None else ""
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_entries(app: FastAPI, hub: Hub, access: Access | None) -> None:
    @app.post("/api/command")
    async def command(request: Request) -> Response:
        return await _take(request, hub, COMMAND, access)

    @app.post("/api/log/{kind}")
    async def log(kind: str, request: Request) -> Response:
        if kind not in LOG_KINDS:
            return _answer(404, f"no log {kind!r}", f"one of {', '.join(LOG_KINDS)}")
        return await _take(request, hub, kind, access)


async def _take(request: Request, hub: Hub, kind: str, access: Access | None) -> Response:
    account = getattr(request.state, STATE_ACCOUNT, None)
    if access is None and not from_this_machine(request):
        return _answer(403, "entries are taken from this machine only", "open the console here, or through a tunnel")
    if access is None and not from_own_page(request.headers):
        return _answer(403, "the request comes from another page", "use the console's own page")
    try:
        # A signed-in person speaks under the account's name, whatever the page sends: two persons are two accounts.
        name = account.name if account is not None and account.name != LOCAL else ""
        record = check_entry(kind, await _body(request), name, OFFICER_ROLE.get(account.role, "") if account is not None and name else "")
        if account is not None and access is not None:
            action = str(record.get("action") or record.get("event") or record.get("kind") or "")
            least = COMMAND_ROLES.get(action, "operator") if kind == COMMAND else "operator"
            if not may(account.role, least):
                return _answer(403, f"{account.role} may not {action}: it takes {least}", "ask one who may")
            await asyncio.to_thread(access.note, account.name, kind, action=action, by=str(record["by"]),
                                    about=str(record.get("alert_id") or ""))
        # In a thread: a live service answers when the entry is in the journal, and the pages must not wait for that.
        await asyncio.to_thread(hub.post, kind, to_json(record))
    except InputError as error:
        return _answer(409 if not hub.takes_entries else 422, str(error), error.remedy)
    except StorageError as error:
        return _answer(503, f"the audit cannot be written: {error.what}", error.remedy)
    return JSONResponse({"taken": True}, status_code=202)


async def _body(request: Request) -> bytes:
    """Return the body of a request; InputError beyond `BODY_MAX` octets, read or announced."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MAX:
            raise InputError(f"the entry is longer than {BODY_MAX} octets", remedy="shorten the text")
        parts.append(part)
    return b"".join(parts)


async def _show(socket: WebSocket, hub: Hub) -> None:
    """Send the newest picture whenever there is one, until the console goes."""
    news = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(news.set)

    end = hub.watch(wake)
    if end is None:
        await socket.close(TOO_MANY, "too many consoles: close one")
        return
    gone = asyncio.create_task(_until_gone(socket))
    try:
        shown, site_shown = 0, -1
        while not gone.done():
            news.clear()
            latest, (site_number, _) = hub.latest(), hub.site()
            if site_number != site_shown:
                age_s = None if latest is None else round(monotonic() - latest.came_s, 1)
                await socket.send_json({"type": "hello", "site": site_number, "picture_age_s": age_s,
                                        "takes_entries": hub.takes_entries})
                site_shown = site_number
            if latest is not None and latest.number != shown:
                await socket.send_text(latest.document.decode())
                shown = latest.number
            waiting = asyncio.create_task(news.wait())
            await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    except (WebSocketDisconnect, RuntimeError):
        # The console closed while a picture was on its way (starlette raises either, by how far it had got).
        return
    finally:
        end()
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    """Return when the console closes. What it sends is not read: decisions come by POST, one answer each."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


def _json(document: bytes) -> Response:
    return Response(document, media_type="application/json")


def _answer(status: int, what: str, remedy: str) -> JSONResponse:
    body: dict[str, Any] = {"error": what}
    if remedy:
        body["remedy"] = remedy
    return JSONResponse(body, status_code=status)

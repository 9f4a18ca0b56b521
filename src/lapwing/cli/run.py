"""``lapwing run``: the live service of a site."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapwing.runtime.service import Service

NAME = "run"
HELP = ("Run the live service of a site: links, tracks, verdicts, warnings, journal, console, health. SIGHUP reads the configuration "
        "again without losing tracks; SIGTERM or Ctrl-C stops in good order.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("config", metavar="CONFIG", help="site.toml, as `lapwing init` writes it")
    parser.add_argument("--log", choices=("json", "text"), help="form of the log on stderr (default: text on a terminal, else json)")
    parser.add_argument("--for", dest="for_s", metavar="S", type=float, help="stop after so many seconds")
    parser.add_argument("--no-console", action="store_true", help="no console and no health pages")


def run(arguments: argparse.Namespace) -> int:
    """Run until stopped; 0 stopped in good order, 2 where the site cannot run."""
    import time
    from pathlib import Path

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.heap import share_one_heap
    from lapwing.runtime.logs import Log
    from lapwing.runtime.service import Service
    from lapwing.runtime.site_config import require_site

    share_one_heap()        # before the first thread
    site, warnings = require_site(Path(arguments.config))
    log = Log(time.time_ns, as_json=None if arguments.log is None else arguments.log == "json")
    for warning in warnings:
        log("warning", str(warning))
    return serve(Service(site, log=log), console=not arguments.no_console, for_s=arguments.for_s)


def serve(service: Service, *, console: bool, for_s: float | None) -> int:
    """Run a service until a signal, or for so long; 0."""
    import signal
    import threading
    from typing import Any

    service.listen()        # before the console and the kernels, which take their seconds
    page: _Page | None = None
    try:
        page = _Page(service) if console else None
    except BaseException:
        service.close_links()
        raise

    def stop(number: int, frame: Any) -> None:
        service.stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, lambda number, frame: service.reload())
    try:
        if not service.start((page.feed_thread.take,) if page is not None else ()):
            return 0       # stopped while it stood by
        if for_s:
            timer = threading.Timer(for_s, service.stop, ("--for is over",))
            timer.daemon = True
            timer.start()
        service.run(ready=lambda: print(f"console: {page.server.url}" if page is not None else "console: none", flush=True))
    finally:
        if page is not None:
            page.feed_thread.close()
            page.server.stop()
    return 0


class _Page:
    """The console of a service: bound before anything is journaled, so that a port in use is said at once."""

    def __init__(self, service: Service) -> None:
        import time

        from lapwing.runtime.access import open_access
        from lapwing.runtime.wiring import display_files
        from lapwing.web.app import create_app
        from lapwing.web.feed import Feed
        from lapwing.web.feed_thread import FeedThread
        from lapwing.web.guard import HOSTS
        from lapwing.web.hub import Hub
        from lapwing.web.serve import start

        site, country, console = service.site, service.country, service.site.console
        hub = Hub(service.receive)
        feed = Feed(hub, country.pack if country else None, country.neighbours if country else {},
                         mode="LIVE" if site.mode == "live" else "EXERCISE", title=site.name, exercise=site.mode != "live",
                         display_files=display_files())
        feed.show_site(site.sensors)
        self.feed_thread = FeedThread(feed)
        service.troubles.append(lambda: {"picture": self.feed_thread.problem} if self.feed_thread.problem else {})
        access = open_access(site.data, service.clock, time.monotonic, site.oidc)
        if site.mode == "live" and not site.people and not access.needed:
            service.say("warning", "neither accounts nor a table [people]: whoever sits at this machine may decide, under any name; "
                                   "`lapwing users add`, or name those who may")
        app = create_app(hub, hosts=(*HOSTS, *console.names), health=service.health, access=access, secure=bool(console.tls_certificate))
        self.server = start(app, console.host, console.port, has_accounts=access.needed, certificate=console.tls_certificate,
                            key=console.tls_key)

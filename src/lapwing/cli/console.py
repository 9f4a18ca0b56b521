"""What demo and replay share: the console beside the run."""

from __future__ import annotations

import contextlib
import sys
import time
import webbrowser
from dataclasses import dataclass

from lapwing.cli.pace import Entered
from lapwing.runtime.opening import Opened
from lapwing.runtime.replay import say
from lapwing.runtime.wiring import Country, display_files
from lapwing.web.app import create_app
from lapwing.web.feed import Feed
from lapwing.web.hub import Hub
from lapwing.web.serve import Server, start


@dataclass(slots=True)
class Console:
    """A served console and what feeds it."""

    server: Server
    feed: Feed
    entered: Entered

    def close(self, *, wait: bool) -> None:
        """Show the last picture; on a terminal wait until the person has seen enough; end the server."""
        self.feed.flush(ended=True)
        if wait:
            say(f"The console stays open at {self.server.url}; Ctrl-C ends it.")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(1.0)
        self.server.stop()


def open_console(opened: Opened, country: Country | None, *, port: int, mode: str) -> Console:
    """Serve the console on loopback and open a browser where there is one. Raises InputError where the port is in use."""
    entered = Entered()
    hub = Hub(entered.receive)
    server = start(create_app(hub), "127.0.0.1", port)
    feed = Feed(hub, country.pack if country is not None else None, country.neighbours if country is not None else {},
                mode=mode, title=opened.title, exercise=True, display_files=display_files())
    feed.show_site(opened.sensors)
    say(f"Console: {server.url}")
    if sys.stdout.isatty():
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(server.url)
    return Console(server, feed, entered)

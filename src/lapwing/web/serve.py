"""Runs the console's server in a thread beside the processing loop."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
from dataclasses import dataclass
from time import monotonic, sleep

import uvicorn
from fastapi import FastAPI

from lapwing.model.errors import ConfigError, InputError

START_S_MAX = 10.0
STOP_S_MAX = 5.0


@dataclass(slots=True)
class Server:
    """A running console. `port` is the one really used, also where a free one was asked for."""

    host: str
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        return f"{self.scheme}://[{self.host}]:{self.port}/" if ":" in self.host else f"{self.scheme}://{self.host}:{self.port}/"

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._server.should_exit = True
        self._thread.join(STOP_S_MAX)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(STOP_S_MAX)


def start(app: FastAPI, host: str = "127.0.0.1", port: int = 8080, *, has_accounts: bool = False, certificate: str = "",
          key: str = "") -> Server:
    """Serve an application; port 0 takes a free one. Returns when it answers.

    `has_accounts`: other addresses than loopback may be served; `certificate`, `key`: PEM files for TLS.

    Raises
    ------
    ConfigError : the host is not a loopback address and there are no accounts: reach it through a tunnel
    InputError : the port is in use, may not be used, or is no port
    """
    listener = _listen(host, port, has_accounts=has_accounts)
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws_max_size=65_536,
                            timeout_graceful_shutdown=1, ssl_certfile=certificate or None, ssl_keyfile=key or None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="console", daemon=True)
    thread.start()
    limit_s = monotonic() + START_S_MAX
    while not server.started:
        if not thread.is_alive() or monotonic() > limit_s:
            raise InputError("the console did not start", where=f"{host}:{port}", remedy="see the messages above")
        sleep(0.01)
    return Server(host, listener.getsockname()[1], server, thread, "https" if certificate else "http")


def _listen(host: str, port: int, *, has_accounts: bool) -> socket.socket:
    """Return a bound socket, so that a port in use is said in words before anything else starts."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"{host!r} is not an address", where="console host", remedy="use 127.0.0.1") from error
    if not address.is_loopback and not has_accounts:
        raise ConfigError(f"{host} is not a loopback address, and there are no accounts", where="console host",
                          remedy="make one with `lapwing users add`, or use 127.0.0.1 and ssh -L")
    if not 0 <= port <= 65_535:
        raise InputError(f"port {port} is not in 0 to 65535", where="console port", remedy="use 0 for a free one")
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is in use by another program", where=f"console {host}",
                             remedy="end that program, or choose another port (0 takes a free one)") from error
        raise InputError(f"port {port} cannot be used: {error.strerror}", where=f"console {host}",
                         remedy="choose a port above 1023 (0 takes a free one)") from error
    return listener

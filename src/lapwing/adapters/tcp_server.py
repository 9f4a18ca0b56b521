"""TCP links, server side: takes connections, cuts each stream into whole messages, and may answer them.

One thread serves all connections. A message is handed on (and so journaled) before its answers are sent. A peer that sends
what is no message, or does not read its answers, is disconnected; what it sent before stands.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lapwing.adapters.tcp import READ_OCTETS, WAIT_S, Cutter
from lapwing.model.errors import ConfigError

CONNECTIONS_MAX = 256
UNSENT_OCTETS_MAX = 1_048_576
Item = tuple[int, str, str, bytes]
Answer = Callable[[bytes, int], list[bytes]]       # message, received_ns -> octets to send, framed


@dataclass(slots=True)
class _Peer:
    socket: socket.socket
    link: str
    cutter: Cutter
    answer: Answer | None
    unsent: bytearray = field(default_factory=bytearray)


def parse_listen(url: str) -> tuple[str, int]:
    """Return host and port of ``SCHEME://HOST:PORT`` or ``SCHEME://:PORT`` (any address). Raises ConfigError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"not an address: {error}", where=url, remedy="write HOST:PORT or :PORT") from error
    if port is None or parts.path not in ("", "/"):
        raise ConfigError("not an address with a port", where=url, remedy="write HOST:PORT or :PORT")
    return host, port


class TcpServerSource:
    """Messages of all peers that connect to one address.

    Parameters
    ----------
    url : where to listen; each peer's link is this with the peer's address behind it
    clock : nanoseconds UTC of now
    format_ : of the messages
    make_cutter : of the stream, one a connection
    make_answer : what answers the messages of one connection; None: nothing
    idle : called whenever nothing came for `WAIT_S`; return True to end the link
    """

    def __init__(self, url: str, clock: Callable[[], int], *, format_: str, make_cutter: Callable[[], Cutter],
                 make_answer: Callable[[], Answer] | None = None, idle: Callable[[], bool] = lambda: False) -> None:
        self.link, self._clock, self._format, self._idle = url, clock, format_, idle
        self._make_cutter, self._make_answer = make_cutter, make_answer
        host, port = parse_listen(url)
        self.connection_count = self.refused_count = 0
        self.failures: list[str] = []      # the last few reasons of lost connections, newest last
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        try:
            self._server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise ConfigError(f"cannot listen: {error.strerror}", where=url,
                              remedy="another program may have the port, or the address is not of this machine") from error
        self.port = int(self._server.getsockname()[1])
        self._server.setblocking(False)
        self._selector.register(self._server, selectors.EVENT_READ, None)

    def __iter__(self) -> Iterator[Item]:
        """Yield messages until closed."""
        try:
            while not self._stop.is_set():
                ready = self._selector.select(WAIT_S)
                if not ready and self._idle():
                    return
                for key, events in ready:
                    peer = key.data
                    if peer is None:
                        self._accept()
                        continue
                    if events & selectors.EVENT_WRITE:
                        self._flush(peer)
                    if events & selectors.EVENT_READ:
                        yield from self._read(peer)
        finally:
            self._shut()

    def _accept(self) -> None:
        try:
            opened, address = self._server.accept()
        except OSError:
            return                     # gone again before it was taken
        if len(self._selector.get_map()) > CONNECTIONS_MAX:
            self.refused_count += 1
            self._note(f"{address[0]}: more than {CONNECTIONS_MAX} connections")
            opened.close()
            return
        opened.setblocking(False)
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection_count += 1
        answer = self._make_answer() if self._make_answer is not None else None
        peer = _Peer(opened, f"{self.link}#{address[0]}:{address[1]}", self._make_cutter(), answer)
        self._selector.register(opened, selectors.EVENT_READ, peer)

    def _read(self, peer: _Peer) -> Iterator[Item]:
        try:
            data = peer.socket.recv(READ_OCTETS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._drop(peer, f"connection lost: {error.strerror or error}")
            return
        if not data:
            self._drop(peer, "the other end closed the connection")
            return
        received_ns = self._clock()
        for message in peer.cutter.feed(data):
            yield received_ns, peer.link, self._format, message
            if peer.answer is not None:
                for octets in peer.answer(message, received_ns):
                    peer.unsent += octets
        if peer.unsent:
            self._flush(peer)
        if peer.cutter.broken:
            self._drop(peer, peer.cutter.broken)

    def _flush(self, peer: _Peer) -> None:
        if peer.socket.fileno() < 0:
            return
        try:
            while peer.unsent:
                sent = peer.socket.send(peer.unsent)
                del peer.unsent[:sent]
        except (BlockingIOError, InterruptedError):
            pass                       # the rest goes when the peer has read
        except OSError as error:
            self._drop(peer, f"connection lost: {error.strerror or error}")
            return
        if len(peer.unsent) > UNSENT_OCTETS_MAX:
            self._drop(peer, "it does not read its answers")
            return
        self._selector.modify(peer.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0), peer)

    def _drop(self, peer: _Peer, why: str) -> None:
        self._note(f"{peer.link}: {why}")
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(peer.socket)
        peer.socket.close()

    def _note(self, what: str) -> None:
        self.failures = [*self.failures[-9:], what]

    def _shut(self) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.socket.close()
        self._selector.close()
        self._server.close()

    def close(self) -> None:
        """End the link within `WAIT_S`."""
        self._stop.set()

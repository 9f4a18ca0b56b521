"""TCP links, client side: connects, cuts the stream into whole messages, and connects again when it is lost.

Waiting between attempts grows from a half second to half a minute, each shortened by chance up to a quarter, so that a
hundred clients do not come back in step; a connection that lasted starts over at the short end. A stream out of step is
dropped and connected again: the messages before the break are kept. The clock, the wait and the chance are handed in, so the
tests neither sleep nor look at a watch.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import urlsplit

from lapwing.model.entries import ASTERIX
from lapwing.model.errors import ConfigError

WAIT_S = 0.2
CONNECT_S = 5.0
BACK_OFF_S, BACK_OFF_S_MAX = 0.5, 30.0
JITTER_SHARE = 0.25
READ_OCTETS = 65_536
LINE_OCTETS_MAX = 65_536


class Cutter(Protocol):
    """Cuts a stream into whole messages. `broken` says why nothing more can come; "" while it can."""

    broken: str

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now."""


class BlockCutter:
    """Cuts a byte stream into whole ASTERIX data blocks (category, two length octets, records)."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.broken = ""           # a length that cannot be: the stream is out of step

    def feed(self, data: bytes) -> list[bytes]:
        """Return the blocks that are whole now; `broken` is set, and nothing more comes, where one cannot be one."""
        self._pending += data
        blocks: list[bytes] = []
        while len(self._pending) >= 3 and not self.broken:
            length = int.from_bytes(self._pending[1:3], "big")
            if length < 4:
                self.broken = f"a block length of {length}, under 4: the stream is out of step"
                break
            if len(self._pending) < length:
                break
            blocks.append(bytes(self._pending[:length]))
            del self._pending[:length]
        return blocks


class LineCutter:
    """Cuts a stream into stretches of whole lines (SBS-1, JSON lines)."""

    def __init__(self) -> None:
        self._pending = b""
        self.broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the whole lines that are there now, as one piece."""
        whole, found, rest = (self._pending + data).rpartition(b"\n")
        self._pending = rest
        if len(rest) > LINE_OCTETS_MAX:
            self.broken = f"a line of over {LINE_OCTETS_MAX} octets"
        return [whole + found] if found else []


def parse_tcp(url: str) -> tuple[str, int]:
    """Return host and port of ``tcp://HOST:PORT``. Raises ConfigError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"not a TCP address: {error}", where=url, remedy="write tcp://10.0.0.7:8600") from error
    if parts.scheme != "tcp" or not host or not port or parts.path not in ("", "/") or parts.query:
        raise ConfigError("not a TCP address with a port", where=url, remedy="write tcp://10.0.0.7:8600")
    return host, port


class TcpSource:
    """Blocks from one TCP server, over as many connections as it takes.

    Parameters
    ----------
    url : ``tcp://HOST:PORT``; also the link's name in the journal
    clock : nanoseconds UTC of now
    wait : waits so many seconds between two attempts; returns True to give the link up (time.sleep returns None)
    idle : called whenever nothing came for `WAIT_S` on an open connection; return True to end the link
    make_cutter : of the format that the stream carries
    chance : a number in [0, 1) for the jitter
    """

    def __init__(self, url: str, clock: Callable[[], int], wait: Callable[[float], bool | None], *,
                 format_: str = ASTERIX, idle: Callable[[], bool] = lambda: False,
                 make_cutter: Callable[[], Cutter] = BlockCutter, chance: Callable[[], float] = lambda: 0.0) -> None:
        self.link, self._clock, self._wait, self._format, self._idle = url, clock, wait, format_, idle
        self._make_cutter, self._chance = make_cutter, chance
        self._address = parse_tcp(url)
        self.connection_count = 0
        self.failures: list[str] = []      # the last few reasons of lost or refused connections, newest last
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[tuple[int, str, str, bytes]]:
        """Yield blocks until closed."""
        back_off_s = BACK_OFF_S
        while not self._stop.is_set():
            try:
                connection = socket.create_connection(self._address, CONNECT_S)
            except OSError as error:
                self._note(f"cannot connect: {error.strerror or error}")
            else:
                self.connection_count += 1
                got_any = False
                with contextlib.closing(connection):
                    for item in self._blocks(connection):
                        got_any = True
                        yield item
                if self._stop.is_set():
                    return
                # A server that accepts and hangs up at once is as gone as one that refuses.
                back_off_s = BACK_OFF_S if got_any else back_off_s
            if self._wait(back_off_s * (1.0 - JITTER_SHARE * self._chance())):
                return
            back_off_s = min(2.0 * back_off_s, BACK_OFF_S_MAX)

    def _blocks(self, connection: socket.socket) -> Iterator[tuple[int, str, str, bytes]]:
        connection.settimeout(WAIT_S)
        cutter = self._make_cutter()
        while not self._stop.is_set():
            try:
                data = connection.recv(READ_OCTETS)
            except TimeoutError:
                if self._idle():
                    self._stop.set()
                continue
            except OSError as error:
                self._note(f"connection lost: {error.strerror or error}")
                return
            if not data:
                self._note("the other end closed the connection")
                return
            received_ns = self._clock()
            for block in cutter.feed(data):
                yield received_ns, self.link, self._format, block
            if cutter.broken:
                self._note(cutter.broken)
                return

    def _note(self, what: str) -> None:
        self.failures = [*self.failures[-9:], what]

    def close(self) -> None:
        """End the link within `WAIT_S`."""
        self._stop.set()

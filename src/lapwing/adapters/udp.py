"""UDP links: unicast or multicast datagrams as items, with what was lost on the way counted where the kernel says so.

A link is a `Source`: it yields (received_ns, link, format, payload) until it is closed. The clock is handed in.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lapwing.model.entries import ASTERIX
from lapwing.model.errors import ConfigError, InputError

DATAGRAM_MAX = 65_535
BUFFER_OCTETS = 4 * 1_024 * 1_024    # a sector of a national network at once, with a second of pause behind it
WAIT_S = 0.2                         # how long a read may hold up closing
_SO_RXQ_OVFL = 40                    # Linux: count of datagrams dropped by a full buffer, with each datagram
_SO_TIMESTAMPNS = 35                 # Linux: when the kernel took a datagram, with each
_ANCILLARY_OCTETS = 128


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str                   # group of a multicast link, else the local address to bind; "" any
    port: int
    interface: str = ""         # the interface to join a group on, by name or local address; "" the system's choice

    @property
    def is_multicast(self) -> bool:
        """Whether it is a group."""
        return bool(self.host) and ipaddress.ip_address(self.host).is_multicast


def parse_udp(url: str) -> Address:
    """Return the address of ``udp://GROUP:PORT``, ``udp://GROUP:PORT?iface=eth1`` (or its address) or ``udp://:PORT``.

    Raises ConfigError with what is wrong.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        if host:
            ipaddress.ip_address(host)
        query = dict(part.split("=", 1) for part in parts.query.split("&") if part)
        interface = query.pop("iface", "") or query.pop("interface", "")
    except ValueError as error:
        raise ConfigError(f"not a UDP address: {error}", where=url,
                          remedy="write udp://239.1.1.1:8600, with numbers") from error
    if parts.scheme != "udp" or not port or query:
        raise ConfigError("not a UDP address with a port", where=url,
                          remedy="write udp://239.1.1.1:8600 or udp://:8600, and ?iface=NAME or ADDRESS for a group")
    if interface and not _is_address(interface):
        try:
            socket.if_nametoindex(interface)
        except OSError:
            names = ", ".join(name for _, name in socket.if_nameindex())
            raise ConfigError(f"no interface {interface!r}", where=url, remedy=f"this machine has {names}") from None
    return Address(host, port, interface)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class UdpSource:
    """Datagrams from one UDP address.

    Parameters
    ----------
    url : as for `parse_udp`; also the link's name in the journal
    clock : nanoseconds UTC of now
    format_ : what the datagrams hold
    idle : called whenever nothing came for `WAIT_S`; return True to end the link
    allow : called with the sender's address; False drops the datagram (the caller counts it). None: all are taken
    kernel_time : stamp datagrams with the time at which the kernel took them (Linux), not at which we read them
    """

    def __init__(self, url: str, clock: Callable[[], int], *, format_: str = ASTERIX,
                 buffer_octets: int = BUFFER_OCTETS, idle: Callable[[], bool] = lambda: False,
                 allow: Callable[[str], bool] | None = None, kernel_time: bool = False) -> None:
        self.link, self._clock, self._format, self._idle, self._allow = url, clock, format_, idle, allow
        address = parse_udp(url)
        self.dropped_count = 0            # by the kernel, because we were late
        self._stop = threading.Event()
        self._socket = _open(url, address, buffer_octets)
        self.port = int(self._socket.getsockname()[1])
        self.buffer_octets = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._kernel_time = False
        if kernel_time:
            with contextlib.suppress(OSError):  # not Linux: stamped when read
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                self._kernel_time = True

    def take(self, count_max: int) -> list[tuple[int, str, str, bytes]]:
        """Return what is there, at most so many, waiting up to `WAIT_S` for the first; empty where nothing came."""
        found: list[tuple[int, str, str, bytes]] = []
        try:
            while len(found) < count_max:
                payload, extra, _, sender = self._socket.recvmsg(DATAGRAM_MAX, _ANCILLARY_OCTETS)
                if not found:
                    # Python waits for the timeout whatever flags say, so the rest is read with none.
                    self._socket.settimeout(0.0)
                received_ns = self._note(extra) or self._clock()
                if self._allow is None or self._allow(sender[0]):
                    found.append((received_ns, self.link, self._format, payload))
        except (TimeoutError, BlockingIOError):
            pass                  # nothing more is there
        finally:
            self._socket.settimeout(WAIT_S)
        return found

    def _note(self, extra: list[tuple[int, int, bytes]]) -> int:
        """Take what the kernel says beside a datagram; return its time, 0 where it gives none."""
        received_ns = 0
        for level, kind, octets in extra:
            if level != socket.SOL_SOCKET:
                continue
            if kind == _SO_RXQ_OVFL and len(octets) >= 4:
                self.dropped_count = struct.unpack_from("=I", octets)[0]
            elif kind == _SO_TIMESTAMPNS and len(octets) >= 16:
                seconds, nanoseconds = struct.unpack_from("=qq", octets)
                received_ns = seconds * 1_000_000_000 + nanoseconds
        return received_ns

    def __iter__(self) -> Iterator[tuple[int, str, str, bytes]]:
        """Yield datagrams until closed."""
        while not self._stop.is_set():
            try:
                payload, extra, _, sender = self._socket.recvmsg(DATAGRAM_MAX, _ANCILLARY_OCTETS)
            except TimeoutError:
                if self._idle():
                    return
                continue
            except OSError as error:
                if self._stop.is_set():
                    return
                raise InputError(f"the link failed: {error.strerror}", where=self.link,
                                 remedy="check the network interface") from error
            received_ns = self._note(extra) or self._clock()
            if self._allow is None or self._allow(sender[0]):
                yield received_ns, self.link, self._format, payload

    def count_drops(self) -> int:
        """Return the datagrams that the kernel dropped on this socket, also those with nothing after them."""
        with contextlib.suppress(OSError):
            self.dropped_count = max(self.dropped_count, _kernel_drops(self._socket))
        return self.dropped_count

    def close(self) -> None:
        """End the link; a read that waits returns."""
        self.count_drops()
        self._stop.set()
        with contextlib.suppress(OSError):  # an unconnected socket says so, and wakes its reader all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class UdpSender:
    """Sends datagrams to one UDP address: for the demo's loopback link and for tests."""

    def __init__(self, url: str) -> None:
        address = parse_udp(url)
        self._to = (address.host or "127.0.0.1", address.port)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        if address.is_multicast and address.interface:
            if _is_address(address.interface):
                out = socket.inet_aton(address.interface)
            else:
                out = bytes(8) + struct.pack("=i", socket.if_nametoindex(address.interface))
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)

    def send(self, payload: bytes) -> None:
        """Send one datagram."""
        self._socket.sendto(payload, self._to)

    def close(self) -> None:
        """Close."""
        self._socket.close()


def _open(url: str, address: Address, buffer_octets: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if address.is_multicast:
            # Several listeners may share a group on one machine; a unicast port belongs to one.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_octets)
        with contextlib.suppress(OSError):  # not Linux: drops are then not counted
            opened.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        # Bound to the group itself: other groups on the same port stay out.
        opened.bind((address.host, address.port))
        if address.is_multicast:
            _join(opened, address)
        opened.settimeout(WAIT_S)
        return opened
    except OSError as error:
        opened.close()
        raise ConfigError(f"cannot listen: {error.strerror}", where=url,
                          remedy="another program may have the port, or the address is not of this machine") from error


def _kernel_drops(opened: socket.socket) -> int:
    """Return the drops that Linux counts for a socket; 0 where it does not say."""
    table = "/proc/net/udp6" if opened.family == socket.AF_INET6 else "/proc/net/udp"
    inode = str(os.fstat(opened.fileno()).st_ino)
    with open(table, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if len(words) > 12 and words[9] == inode:
                return int(words[12])
    return 0


def _join(opened: socket.socket, address: Address) -> None:
    index = 0
    if address.interface and not _is_address(address.interface):
        index = socket.if_nametoindex(address.interface)
    if opened.family == socket.AF_INET6:
        group = socket.inet_pton(socket.AF_INET6, address.host) + struct.pack("=I", index)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        return
    # Without it Linux delivers every group that anyone on the machine joined on this port.
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL
    local = "0.0.0.0" if index or not address.interface else address.interface  # noqa: S104  "any interface" of a group, as the kernel writes it
    member = socket.inet_aton(address.host) + socket.inet_aton(local) + struct.pack("=i", index)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

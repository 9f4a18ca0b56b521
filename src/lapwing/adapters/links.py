"""The table of links: what a URL names, and which adapter reads it.

======================================  ===================================================================================
``udp://GROUP:PORT[?iface=NAME]``       ASTERIX datagrams, unicast or a group
``tcp://HOST:PORT``                     ASTERIX blocks from a server
``tcp-listen://:PORT``                  ASTERIX blocks from clients that connect to us
``sapient://:PORT``                     SAPIENT nodes that connect and register (BSI Flex 335 v2.0)
``cot-udp://GROUP:PORT[?iface=NAME]``   CoT events as datagrams, XML or TAK protocol version 1
``sbs://HOST:PORT``                     SBS-1 lines (port 30003 as a rule)
``beast://HOST:PORT``                   Beast frames (port 30005 as a rule)
``cot://HOST:PORT``                     CoT events from a TAK server, XML or TAK protocol stream
``http-in://:PORT``                     JSON of nodes and other systems, posted to /FORMAT
``aircraft-json://PATH``                aircraft.json that readsb or dump1090 writes anew every second
``follow://PATH``                       a recording that is still being written (raw ASTERIX or pcap)
======================================  ===================================================================================

Adding a link is one line of `LINKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from lapwing.adapters.follow import FollowSource, parse_follow
from lapwing.adapters.http_in import HttpSource
from lapwing.adapters.poll import PollSource, parse_poll
from lapwing.adapters.tcp import LineCutter, TcpSource, parse_tcp
from lapwing.adapters.tcp_server import Answer, TcpServerSource, parse_listen
from lapwing.adapters.udp import UdpSource, parse_udp
from lapwing.model import entries as formats
from lapwing.model.errors import ConfigError
from lapwing.sense import sapient_wire
from lapwing.sense.beast import BeastCutter
from lapwing.sense.cot import CotCutter
from lapwing.sense.sapient_session import Session

Item = tuple[int, str, str, bytes]


class Link(Protocol):
    """A source of the live service: yields items until it is closed."""

    link: str

    def __iter__(self) -> Iterator[Item]: ...

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the runtime hands to every link: a clock, a way to wait, chance for jitter, and what to do when idle."""

    clock: Callable[[], int]
    wait: Callable[[float], bool | None]
    chance: Callable[[], float] = lambda: 0.0
    idle: Callable[[], bool] = lambda: False
    allow: Callable[[str], bool] | None = None     # of a sender's address, for datagrams; None: anybody
    kernel_time: bool = False          # stamp UDP datagrams with the kernel's time, not with the clock's when they are read


def _udp(format_: str) -> Callable[[str, Surroundings], Link]:
    def make(url: str, around: Surroundings) -> Link:
        plain = "udp://" + url.split("://", 1)[1]
        return UdpSource(plain, around.clock, format_=format_, idle=around.idle, allow=around.allow,
                         kernel_time=around.kernel_time)

    return make


def _tcp(format_: str, make_cutter: Callable[[], object] | None = None) -> Callable[[str, Surroundings], Link]:
    def make(url: str, around: Surroundings) -> Link:
        plain = "tcp://" + url.split("://", 1)[1]
        more = {} if make_cutter is None else {"make_cutter": make_cutter}
        return TcpSource(plain, around.clock, around.wait, format_=format_, idle=around.idle, chance=around.chance,
                         **more)  # type: ignore[arg-type]

    return make


def _tcp_listen(url: str, around: Surroundings) -> Link:
    from lapwing.adapters.tcp import BlockCutter

    return TcpServerSource(url, around.clock, format_=formats.ASTERIX, make_cutter=BlockCutter, idle=around.idle)


def _answer() -> Answer:
    session = Session()

    def answer(message: bytes, received_ns: int) -> list[bytes]:
        return [sapient_wire.frame(octets) for octets in session.answer(message, received_ns)]

    return answer


def _sapient(url: str, around: Surroundings) -> Link:
    sapient_wire.schema()          # says now, not at the first node, where it is not installed
    return TcpServerSource(url, around.clock, format_=formats.SAPIENT, make_cutter=sapient_wire.FrameReader,
                           make_answer=_answer, idle=around.idle)


LINKS: Mapping[str, Callable[[str, Surroundings], Link]] = {
    "udp": _udp(formats.ASTERIX),
    "cot-udp": _udp(formats.COT),
    "tcp": _tcp(formats.ASTERIX),
    "tcp-listen": _tcp_listen,
    "sbs": _tcp(formats.SBS, LineCutter),
    "beast": _tcp(formats.BEAST, BeastCutter),
    "sapient": _sapient,
    "cot": _tcp(formats.COT, CotCutter),
    "http-in": lambda url, around: HttpSource(url, around.clock, idle=around.idle, allow=around.allow),
    "aircraft-json": lambda url, around: PollSource(url, around.clock, around.wait, format_=formats.AIRCRAFT_JSON,
                                                    idle=around.idle),
    "follow": lambda url, around: FollowSource(url, around.clock, around.wait, idle=around.idle),
}


def check_link(url: str) -> None:
    """Check a URL without opening anything. Raises ConfigError."""
    scheme, _, rest = url.partition("://")
    if scheme not in LINKS:
        raise _unknown(url)
    if scheme in ("udp", "cot-udp"):
        parse_udp(f"udp://{rest}")
    elif scheme == "aircraft-json":
        parse_poll(url)
    elif scheme in ("tcp-listen", "sapient", "http-in"):
        parse_listen(url)
    elif scheme == "follow":
        parse_follow(url)
    else:
        parse_tcp(f"tcp://{rest}")


def _unknown(url: str) -> ConfigError:
    return ConfigError("not a link that is known", where=url, remedy=f"write one of {', '.join(f'{s}://' for s in LINKS)}")


def open_link(url: str, around: Surroundings) -> Link:
    """Return the link that a URL names. Raises ConfigError."""
    scheme = url.split("://", 1)[0]
    if scheme not in LINKS or "://" not in url:
        raise _unknown(url)
    return LINKS[scheme](url, around)

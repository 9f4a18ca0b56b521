"""pcap and pcapng files -> the payloads of their UDP datagrams. Sans-I/O, bounded, never raises on a broken packet.

Link types: Ethernet with VLAN tags, Linux cooked (both versions), raw IP, loopback. IPv4 fragments are joined (at most
64 datagrams wait for their rest), IPv6 extension headers stepped over. What is no UDP is counted as such.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PCAP_MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1_000), b"\xa1\xb2\xc3\xd4": (">", 1_000),
              b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
PACKET_OCTETS_MAX = 262_144
PENDING_MAX = 64                 # fragmented datagrams that wait at once; the oldest is given up and counted
EXTENSION_HEADERS_MAX = 8
RESYNC_OCTETS_MAX = 1 << 20      # searched for the next packet behind a broken header
_BLOCKS = (1, 2, 3, 5, 6, 0x0A0D0D0A)
_FRAGMENT, _AUTHENTICATION = 44, 51
_IPV6_EXTENSIONS = (0, 43, _FRAGMENT, _AUTHENTICATION, 60)   # with hop-by-hop, routing, destination options
_UDP = 17


Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Packet:
    """The payload of one UDP datagram."""

    octet: int      # of the captured packet in the file
    time_ns: int
    link: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class BadPacket:
    """A captured packet that gave no datagram."""

    octet: int
    octets: int
    reason: str
    detail: str


def kind(data: Buffer) -> str:
    """Return "pcap", "pcapng" or ""."""
    magic = bytes(data[:4])
    if magic in PCAP_MAGIC:
        return "pcap"
    return "pcapng" if magic == PCAPNG_MAGIC else ""


def read_packets(data: Buffer, framing: str) -> Iterator[Packet | BadPacket]:
    """Yield the UDP payloads in file order, and what was none."""
    captured = _read_pcap(data) if framing == "pcap" else _read_pcapng(data)
    fragments = _Fragments()
    for row in captured:
        if isinstance(row, BadPacket):
            yield row
            continue
        octet, time_ns, link_type, frame = row
        found = _datagram(frame, link_type, fragments, octet)
        if isinstance(found, str):
            if found:
                yield BadPacket(octet, len(frame), found, _WORDS[found])
            continue
        link, payload = found
        if payload:
            yield Packet(octet, time_ns, link, payload)
    for octet in fragments.left():
        yield BadPacket(octet, 0, "fragment_lost", _WORDS["fragment_lost"])


_WORDS = {
    "packet_too_short": "the headers run past the captured octets",
    "not_udp": "no UDP in IPv4 or IPv6",
    "link_type": "a link type that is not read (Ethernet, Linux cooked, raw IP and loopback are)",
    "fragment_lost": "the other fragments of the datagram never came",
    "snapped": "the capture holds only a part of the datagram (snap length); its blocks would be cut",
}

Captured = tuple[int, int, int, bytes]   # octet in the file, time_ns, link type, frame


def _read_pcap(data: Buffer) -> Iterator[Captured | BadPacket]:
    order, tick_ns = PCAP_MAGIC[bytes(data[:4])]
    if len(data) < 24:
        yield BadPacket(0, len(data), "trailing_octets", "the file header is cut")
        return
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            yield BadPacket(at, len(data) - at, "trailing_octets", "the last packet header is cut")
            return
        seconds, ticks, held, _ = struct.unpack_from(order + "4I", data, at)
        if held > PACKET_OCTETS_MAX or at + 16 + held > len(data):
            begin, at = at, _next_packet(data, at, order)
            yield BadPacket(begin, at - begin, "trailing_octets", f"packet of {held} octets, {len(data) - begin - 16} left; "
                            f"{at - begin} octets are passed over")
            continue
        yield at + 16, seconds * 1_000_000_000 + ticks * tick_ns, link_type, bytes(data[at + 16 : at + 16 + held])
        at += 16 + held


def _next_packet(data: Buffer, at: int, order: str) -> int:
    """Return where packets go on behind a broken header: two in a row whose lengths and times can be; the end where none is found."""
    def length_at(place: int) -> int:
        if place + 16 > len(data):
            return -1
        _, ticks, held, sent = struct.unpack_from(order + "4I", data, place)
        fits = 0 < held <= min(sent, PACKET_OCTETS_MAX) and sent <= PACKET_OCTETS_MAX and ticks < 1_000_000_000
        return 16 + held if fits and place + 16 + held <= len(data) else -1

    for place in range(at + 1, min(len(data) - 15, at + RESYNC_OCTETS_MAX)):
        length = length_at(place)
        if length > 0 and (place + length == len(data) or length_at(place + length) > 0):
            return place
    return len(data)


def _next_block(data: Buffer, at: int, order: str) -> int:
    """Return where blocks go on behind a broken one: one of a known kind that has its length at both ends."""
    for place in range(at + 4 - at % 4, min(len(data) - 11, at + RESYNC_OCTETS_MAX), 4):
        block, length = struct.unpack_from(order + "2I", data, place)
        if block in _BLOCKS and 12 <= length <= len(data) - place and length % 4 == 0 and \
                struct.unpack_from(order + "I", data, place + length - 4)[0] == length:
            return place
    return len(data)


def _read_pcapng(data: Buffer) -> Iterator[Captured | BadPacket]:
    at, order = 0, "<"
    interfaces: list[tuple[int, int, int]] = []   # link type, ticks a second, seconds to add
    time_ns = 0
    while at < len(data):
        if at + 12 > len(data):
            yield BadPacket(at, len(data) - at, "trailing_octets", "the last block is cut")
            return
        if bytes(data[at : at + 4]) == PCAPNG_MAGIC:
            order = ">" if bytes(data[at + 8 : at + 12]) == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        block, length = struct.unpack_from(order + "2I", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            begin, at = at, _next_block(data, at, order)
            yield BadPacket(begin, at - begin, "trailing_octets", f"block of {length} octets, {len(data) - begin} left; "
                            f"{at - begin} octets are passed over")
            continue
        body = bytes(data[at + 8 : at + length - 4])
        if block == 1 and len(body) >= 8:
            interfaces.append((struct.unpack_from(order + "H", body)[0], *_clock(body[8:], order)))
        elif block in (2, 6) and len(body) >= 20:
            if block == 6:
                number, high, low, held = struct.unpack_from(order + "4I", body)
            else:
                number, _, high, low, held = struct.unpack_from(order + "2H3I", body)
            if number < len(interfaces) and held <= len(body) - 20:
                link_type, rate, offset_s = interfaces[number]
                time_ns = (high << 32 | low) * 1_000_000_000 // rate + offset_s * 1_000_000_000
                yield at + 28, time_ns, link_type, body[20 : 20 + held]
            else:
                yield BadPacket(at, length, "packet_too_short", _WORDS["packet_too_short"])
        elif block == 3 and len(body) >= 4 and interfaces:
            held = min(struct.unpack_from(order + "I", body)[0], len(body) - 4)
            yield at + 12, time_ns, interfaces[0][0], body[4 : 4 + held]  # carries no time: that of the one before
        at += length


def _clock(options: bytes, order: str) -> tuple[int, int]:
    """Return the ticks a second of an interface's times (option 9, else microseconds) and the seconds to add to them (option 14)."""
    at, rate, offset_s = 0, 1_000_000, 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "2H", options, at)
        if code == 9 and length == 1 and at + 5 <= len(options):
            power = options[at + 4]
            rate = int(2 ** (power & 0x7F) if power & 0x80 else 10 ** min(power, 18))
        elif code == 14 and length == 8 and at + 12 <= len(options):
            offset_s = struct.unpack_from(order + "q", options, at + 4)[0]
            offset_s = offset_s if abs(offset_s) < 1 << 33 else 0
        at += 4 + (length + 3) // 4 * 4
        if code == 0:
            break
    return rate, offset_s


def _datagram(frame: bytes, link_type: int, fragments: _Fragments, octet: int) -> tuple[str, bytes] | str:
    """Return (link, UDP payload), or a reason, or "" while fragments are waited for."""
    kind_at = {1: 12, 113: 14, 276: 0}.get(link_type)
    if link_type in (12, 14, 101, 228, 229):
        start = 0
    elif link_type in (0, 108):
        start = 4
    elif kind_at is None:
        return "link_type"
    else:
        start = {1: 14, 113: 16, 276: 20}[link_type]
        ethertype = int.from_bytes(frame[kind_at : kind_at + 2], "big")
        while ethertype in (0x8100, 0x88A8, 0x9100) and start + 4 <= len(frame):
            ethertype = int.from_bytes(frame[start + 2 : start + 4], "big")
            start += 4
        if ethertype not in (0x0800, 0x86DD):
            return "not_udp" if len(frame) >= start else "packet_too_short"
    packet = frame[start:]
    if not packet:
        return "packet_too_short"
    if packet[0] >> 4 == 4:
        return _ipv4(packet, fragments, octet)
    if packet[0] >> 4 == 6:
        return _ipv6(packet, fragments, octet)
    return "not_udp"


def _ipv4(packet: bytes, fragments: _Fragments, octet: int) -> tuple[str, bytes] | str:
    header = (packet[0] & 15) * 4
    if header < 20 or len(packet) < header:
        return "packet_too_short"
    total = int.from_bytes(packet[2:4], "big")
    body = packet[header:total] if total >= header else packet[header:]  # total 0: filled in by the network card
    if packet[9] != _UDP:
        return "not_udp"
    flags = int.from_bytes(packet[6:8], "big")
    address = ".".join(map(str, packet[16:20]))
    if flags & 0x3FFF:
        if total > len(packet):
            return "snapped"
        whole = fragments.add(packet[12:20] + packet[4:6], (flags & 0x1FFF) * 8, bool(flags & 0x2000), body, octet)
        if whole is None:
            return ""
        body = whole
    return _udp(body, address)


def _ipv6(packet: bytes, fragments: _Fragments, octet: int) -> tuple[str, bytes] | str:
    if len(packet) < 40:
        return "packet_too_short"
    total = 40 + int.from_bytes(packet[4:6], "big")
    total = total if total > 40 else len(packet)      # 0: filled in by the network card
    words = [f"{int.from_bytes(packet[i : i + 2], 'big'):x}" for i in range(24, 40, 2)]
    address = f"[{':'.join(words)}]"
    following, body = packet[6], packet[40:total]
    for _ in range(EXTENSION_HEADERS_MAX):
        if following == _UDP:
            return _udp(body, address)
        if following not in _IPV6_EXTENSIONS:
            return "not_udp"
        if len(body) < 8:
            return "packet_too_short"
        if following == _FRAGMENT:
            if total > len(packet):
                return "snapped"
            place = int.from_bytes(body[2:4], "big")
            whole = fragments.add(packet[8:40] + body[4:8], place & 0xFFF8, bool(place & 1), body[8:], octet)
            if whole is None:
                return ""
            following, body = body[0], whole
        else:
            size = 8 + body[1] * 8 if following != _AUTHENTICATION else 8 + body[1] * 4
            following, body = body[0], body[size:]
    return "not_udp"


def _udp(body: bytes, address: str) -> tuple[str, bytes] | str:
    if len(body) < 8:
        return "packet_too_short"
    length = int.from_bytes(body[4:6], "big")
    if length > len(body):
        return "snapped"
    return f"{address}:{int.from_bytes(body[2:4], 'big')}", body[8:length] if length >= 8 else body[8:]


class _Fragments:
    """Datagrams that wait for their rest, the oldest first; at most `PENDING_MAX` at once."""

    def __init__(self) -> None:
        self._pending: dict[bytes, tuple[int, dict[int, bytes], int]] = {}
        self._lost: list[int] = []

    def add(self, key: bytes, place: int, more: bool, body: bytes, octet: int) -> bytes | None:
        """Take a fragment; return the datagram once it is whole."""
        first, parts, total = self._pending.pop(key, (octet, {}, -1))
        if len(parts) < 8192:
            parts[place] = body
        if not more:
            total = place + len(body)
        whole = b""
        while len(whole) in parts and parts[len(whole)]:
            whole += parts[len(whole)]
        if total >= 0 and len(whole) >= total:
            return whole[:total]
        self._pending[key] = (first, parts, total)
        if len(self._pending) > PENDING_MAX:
            oldest = next(iter(self._pending))
            self._lost.append(self._pending.pop(oldest)[0])
        return None

    def left(self) -> list[int]:
        """Return where the datagrams that never became whole began."""
        return sorted([*self._lost, *(first for first, _, _ in self._pending.values())])

"""Captures: every wrapping of IP that is read gives the same datagrams, times and addresses; what is broken costs itself alone."""

import struct

import numpy as np
import pytest
from test_framing import BLOCKS, TOGETHER, ethernet, ipv4, ipv6, pcap, udp

from lapwing.sense.asterix.packets import BadPacket, Packet, read_packets

UDP, FRAGMENT = 17, 44


def chained(*headers, body):
    """Return the first header's number and the octets of extension headers in front of UDP: pairs of (number, octets from the second)."""
    following, octets = UDP, body
    for number, rest in reversed(headers):
        octets, following = bytes([following]) + rest + octets, number
    return following, octets


HOP = 0, bytes([0]) + bytes(6)
ROUTING = 43, bytes([1]) + bytes(14)
OPTIONS = 60, bytes([0]) + bytes(6)
AUTHENTICATION = 51, bytes([4]) + bytes(22)


def fragment(at, more, ident=7):
    return FRAGMENT, bytes([0]) + struct.pack(">HI", at | more, ident)


def extended(payload, *headers):
    following, octets = chained(*headers, body=udp(payload))
    return ethernet(ipv6(octets, following), kind=0x86DD)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "2I", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "I2Hq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type, *options, order="<"):
    octets = b"".join(struct.pack(order + "2H", code, len(text)) + text + bytes(-len(text) % 4) for code, text in options)
    return block(1, struct.pack(order + "2HI", link_type, 0, 65535) + octets, order)


def enhanced(number, ticks, frame, order="<"):
    return block(6, struct.pack(order + "5I", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)) + frame, order)


def rows(data):
    return list(read_packets(data, "pcapng" if data[:4] == b"\x0a\x0d\x0d\x0a" else "pcap"))


def payloads(data):
    return [row.payload for row in rows(data) if isinstance(row, Packet)]


def reasons(data):
    return [row.reason for row in rows(data) if isinstance(row, BadPacket)]


@pytest.mark.parametrize("headers", [
    (), (HOP,), (ROUTING,), (OPTIONS,), (HOP, OPTIONS, ROUTING), (AUTHENTICATION,), (HOP, fragment(0, 0), OPTIONS), (fragment(0, 0),),
    (AUTHENTICATION, OPTIONS),
])
def test_extension_headers_of_ipv6_are_stepped_over(headers):
    data = pcap([extended(payload, *headers) for payload in TOGETHER])
    assert payloads(data) == TOGETHER and not reasons(data)
    assert rows(data)[0].link == "[ff05:0:0:0:0:0:0:9]:8600"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 0, 1, 2)])
@pytest.mark.parametrize("within", [(), (OPTIONS,)])
def test_fragments_of_ipv6_are_joined_in_any_order(order, within):
    payload = b"".join(BLOCKS)
    following, whole = chained(*within, body=udp(payload))
    pieces = []
    for at, end in ((0, 64), (64, 160), (160, len(whole))):
        header = bytes([following]) + bytes([0]) + struct.pack(">HI", at | (end < len(whole)), 7)
        pieces.append(ethernet(ipv6(header + whole[at:end], FRAGMENT), kind=0x86DD))
    assert payloads(pcap([pieces[place] for place in order])) == [payload]
    assert reasons(pcap(pieces[:2])) == ["fragment_lost"]


@pytest.mark.parametrize("tags", [
    b"\x81\x00\x00\x07", b"\x88\xa8\x00\x05\x81\x00\x00\x07", b"\x91\x00\x00\x05\x81\x00\x00\x07", b"\x81\x00\x00\x01\x81\x00\x00\x02",
])
@pytest.mark.parametrize("packet", [ipv4, ipv6])
def test_tags_of_virtual_networks_are_stepped_over_one_or_two(tags, packet):
    kind = 0x0800 if packet is ipv4 else 0x86DD
    assert payloads(pcap([ethernet(packet(udp(payload)), kind, tags) for payload in TOGETHER])) == TOGETHER


@pytest.mark.parametrize(("link_type", "head"), [
    (113, bytes(14) + b"\x86\xdd"), (276, b"\x86\xdd" + bytes(18)), (113, bytes(14) + b"\x81\x00\x00\x07\x86\xdd"),
    (101, b""), (229, b""), (12, b""), (0, b"\x1e\0\0\0"), (108, b"\0\0\0\x1e"),
])
def test_link_types_carry_ipv6_as_they_carry_ipv4(link_type, head):
    assert payloads(pcap([head + ipv6(udp(payload)) for payload in TOGETHER], link_type)) == TOGETHER


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "tick"), [(0xA1B2C3D4, 1), (0xA1B23C4D, 1000)])
def test_time_of_a_capture_is_kept_in_both_orders_of_octets_and_both_resolutions(order, magic, tick):
    [row] = rows(pcap([ethernet(ipv4(udp(BLOCKS[0])))], 1, order, magic, tick))
    assert row.time_ns == 1_000_500_000_000


def test_interfaces_of_a_capture_have_their_own_link_type_and_clock():
    packet = ipv4(udp(BLOCKS[0]))
    data = section() + interface(1) + interface(101, (9, b"\x09")) + interface(113, (9, b"\x83"), (14, struct.pack("<q", 100)))
    data += enhanced(1, 5_000_000_001, packet) + enhanced(0, 5_000_000, ethernet(packet))
    data += enhanced(2, 41, bytes(14) + b"\x08\x00" + packet) + enhanced(3, 1, packet)
    assert [row.time_ns for row in rows(data) if isinstance(row, Packet)] == [5_000_000_001, 5_000_000_000, 105_125_000_000]
    assert reasons(data) == ["packet_too_short"]


def test_sections_of_a_capture_have_their_own_order_and_interfaces():
    packet = ipv4(udp(BLOCKS[0]))
    data = section() + interface(101) + enhanced(0, 1_000_000, packet)
    data += section(">") + interface(1, order=">") + enhanced(0, 2_000_000, ethernet(packet), ">")
    data += block(3, struct.pack(">I", len(ethernet(packet))) + ethernet(packet), ">") + block(5, bytes(12), ">") + block(99, bytes(8), ">")
    assert [row.time_ns for row in rows(data)] == [1_000_000_000, 2_000_000_000, 2_000_000_000]


@pytest.mark.parametrize("packet", [ipv4(udp(BLOCKS[0])), ipv6(udp(BLOCKS[0])), extended(BLOCKS[0], HOP, OPTIONS)[14:]])
def test_a_cut_packet_is_refused_at_any_place_and_the_next_is_read(packet):
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    for cut in range(14 + len(packet)):
        data = pcap([ethernet(packet, kind)[:cut], ethernet(packet, kind)])
        assert payloads(data) == [BLOCKS[0]], cut
        assert len(reasons(data)) == 1 and reasons(data)[0] in ("packet_too_short", "snapped", "not_udp"), cut


def test_a_length_that_the_network_card_fills_in_is_that_of_the_packet():
    packet = bytearray(ipv6(udp(BLOCKS[0])))
    packet[4:6] = b"\0\0"
    assert payloads(pcap([ethernet(bytes(packet), 0x86DD)])) == [BLOCKS[0]]


def test_a_broken_length_of_a_packet_costs_it_and_the_next_are_read():
    frames = [ethernet(ipv4(udp(payload))) for payload in TOGETHER]
    data = bytearray(pcap(frames))
    at = 24 + sum(16 + len(frame) for frame in frames[:3])
    data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    assert payloads(bytes(data)) == TOGETHER[:3] + TOGETHER[4:] and reasons(bytes(data)) == ["trailing_octets"]


@pytest.mark.parametrize("length", [7, 0, 0x7FFFFFFC])
def test_a_broken_length_of_a_block_costs_it_and_the_next_are_read(length):
    parts = [section(), interface(1), *(enhanced(0, 1, ethernet(ipv4(udp(payload)))) for payload in TOGETHER)]
    parts[4] = parts[4][:4] + struct.pack("<I", length) + parts[4][8:]
    data = b"".join(parts)
    assert payloads(data) == TOGETHER[:2] + TOGETHER[3:] and reasons(data) == ["trailing_octets"]


def test_no_octets_crash_the_reader_and_what_it_says_lies_in_the_file():
    rng = np.random.default_rng(9)
    whole = [pcap([extended(payload, HOP, fragment(0, 0)) for payload in TOGETHER]),
             section() + interface(1) + b"".join(enhanced(0, 1, ethernet(ipv4(udp(payload)))) for payload in TOGETHER)]
    for _ in range(600):
        data = bytearray(whole[int(rng.integers(2))])
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(4, len(data)))] = int(rng.integers(256))
        cut = bytes(data[: int(rng.integers(24, len(data) + 1))])
        for row in rows(cut):
            assert 0 <= row.octet <= len(cut)

"""Recordings in every wrapping give the same datagrams; what is none is said with its place."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.model.errors import InputError
from lapwing.sense.asterix.encode import encode_block
from lapwing.sense.asterix.framing import Frame, Unread, detect, read_frames

BLOCKS = [encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": 100.0 + i, "040": {"RHO": 10.0, "THETA": i}}])
          for i in range(12)]
TOGETHER = [BLOCKS[0] + BLOCKS[1], BLOCKS[2], b"".join(BLOCKS[3:6]), *BLOCKS[6:]]


def final(datagrams):
    return b"".join(struct.pack(">H", len(d) + 12) + b"\x00\x01\x02" + (360_000 + i).to_bytes(3, "big") + d
                    + b"\xa5\xa5\xa5\xa5" for i, d in enumerate(datagrams))


def ioss_seq(datagrams):
    return b"".join(struct.pack(">HI", len(d) + 16, 70_000 + i) + b"\x00\x0f\x02" + (360_000 + i).to_bytes(3, "big") + d
                    + b"\xa5\xa5\xa5\xa5" for i, d in enumerate(datagrams))


def rff(datagrams, begin=b"2026-09-16 23:59:58"):
    return begin.ljust(20) + b"2026-09-17 00:00:10".ljust(20) + bytes(88) \
        + b"".join(struct.pack("<IH", 500 + 2_000 * i, len(d)) + d for i, d in enumerate(datagrams))


def gps(blocks):
    return b"\xcd" * 2200 + b"".join(b + b"\x00" * 6 + (12_800 + i).to_bytes(3, "big") + b"\x00"
                                     for i, b in enumerate(blocks))


def udp(payload, port=8600):
    return struct.pack(">4H", 9000, port, 8 + len(payload), 0) + payload


def ipv4(body, ident=1, fragment=0, protocol=17):
    return struct.pack(">2B3H2BH4B4B", 0x45, 0, 20 + len(body), ident, fragment, 9, protocol, 0, 10, 0, 0, 1,
                       239, 1, 1, 1) + body


def ipv6(body, following=17):
    return struct.pack(">IHBB", 6 << 28, len(body), following, 9) + bytes(15) + b"\x01" + b"\xff\x05" + bytes(13) \
        + b"\x09" + body


def ethernet(packet, kind=0x0800, tags=b""):
    return bytes(12) + tags + struct.pack(">H", kind) + packet


def pcap(frames, link_type=1, order="<", magic=0xA1B2C3D4, tick=1):
    head = struct.pack(order + "I2HiIII", magic, 2, 4, 0, 0, 65535, link_type)
    return head + b"".join(struct.pack(order + "4I", 1_000 + i, 500_000 * tick, len(f), len(f)) + f
                           for i, f in enumerate(frames))


def pcapng(frames, order="<", resolution=None):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack(order + "2I", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    options = b"" if resolution is None else struct.pack(order + "2HBxxx", 9, 1, resolution) + bytes(4)
    ticks = 10 ** (6 if resolution is None else resolution)
    out = block(0x0A0D0D0A, struct.pack(order + "I2Hq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "2HI", 1, 0, 65535) + options)
    for i, frame in enumerate(frames):
        time = int((1_000.5 + i) * ticks)
        out += block(6, struct.pack(order + "5I", 0, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame)
    return out


def payloads(data):
    return [row.payload for row in read_frames(data, detect(data, "x")) if isinstance(row, Frame)]


@pytest.mark.parametrize(("data", "framing", "wanted"), [
    (b"".join(BLOCKS), "raw", BLOCKS),
    (final(TOGETHER), "final", TOGETHER),
    (ioss_seq(TOGETHER), "ioss_seq", TOGETHER),
    (rff(TOGETHER), "rff", TOGETHER),
    (rff(TOGETHER, b"no time here"), "rff", TOGETHER),
    (gps(BLOCKS), "gps", BLOCKS),
    (pcap([ethernet(ipv4(udp(d))) for d in TOGETHER]), "pcap", TOGETHER),
    (pcap([ethernet(ipv4(udp(d))) for d in TOGETHER], order=">"), "pcap", TOGETHER),
    (pcap([ethernet(ipv4(udp(d)), tags=b"\x81\x00\x00\x07") for d in TOGETHER]), "pcap", TOGETHER),
    (pcap([ethernet(ipv6(udp(d)), kind=0x86DD) for d in TOGETHER]), "pcap", TOGETHER),
    (pcap([bytes(14) + b"\x08\x00" + ipv4(udp(d)) for d in TOGETHER], link_type=113), "pcap", TOGETHER),
    (pcap([b"\x08\x00" + bytes(18) + ipv4(udp(d)) for d in TOGETHER], link_type=276), "pcap", TOGETHER),
    (pcap([ipv4(udp(d)) for d in TOGETHER], link_type=101), "pcap", TOGETHER),
    (pcapng([ethernet(ipv4(udp(d))) for d in TOGETHER]), "pcapng", TOGETHER),
    (pcapng([ethernet(ipv4(udp(d))) for d in TOGETHER], order=">", resolution=9), "pcapng", TOGETHER),
], ids=["raw", "final", "ioss-seq", "rff", "rff-no-time", "gps", "pcap", "big-endian", "vlan", "ipv6", "cooked", "cooked2", "raw-ip",
        "pcapng",        "pcapng-ns"])
def test_same_datagrams_come_out_of_every_wrapping(data, framing, wanted):
    assert detect(data, "any.name") == framing
    assert payloads(data) == wanted


def test_time_and_address_of_a_capture_are_kept():
    for data in (pcap([ethernet(ipv4(udp(BLOCKS[0])))]), pcapng([ethernet(ipv4(udp(BLOCKS[0])))]),
                 pcapng([ethernet(ipv4(udp(BLOCKS[0])))], resolution=9),
                 pcap([ethernet(ipv4(udp(BLOCKS[0])))], magic=0xA1B23C4D, tick=1000)):
        (row,) = read_frames(data, detect(data, "x"))
        assert (row.recorded_ns, row.link) == (1_000_500_000_000, "239.1.1.1:8600")


def test_recorders_time_of_day_is_read():
    assert [row.recorded_day_ns for row in read_frames(final(BLOCKS[:2]), "final")] \
        == [3_600 * 10**9, 3_600_010_000_000]
    assert [row.recorded_day_ns for row in read_frames(gps(BLOCKS[:2]), "gps")] == [100 * 10**9, 100_007_812_500]


def test_wall_time_of_rff_is_read_across_midnight():
    rows = list(read_frames(rff(BLOCKS[:2]), "rff"))
    begin_ns = 1_789_603_198 * 10**9  # 2026-09-16T23:59:58Z
    assert [row.recorded_ns for row in rows] == [begin_ns + 500_000_000, begin_ns + 2_500_000_000]
    for text in (b" 09/16/26 23:59:58", b"16/09/26 23:59:58", b"09/16/26 23:59:58"):
        assert next(iter(read_frames(rff(BLOCKS[:1], text), "rff"))).recorded_ns == begin_ns + 500_000_000
    assert next(iter(read_frames(rff(BLOCKS[:1], b"16/16/26 23:59:58"), "rff"))).recorded_ns == -1


@pytest.mark.parametrize("make", [gps, rff, final, ioss_seq, b"".join])
@pytest.mark.parametrize("junk", [b"\x00\x02\xffjunk", b"\xff\x00\x20" + bytes(70), b"\x01"])
def test_broken_octets_in_any_framing_cost_themselves_alone(make, junk):
    whole, cut = make(BLOCKS), len(make(BLOCKS[:5]))
    framing = detect(whole, "x")
    rows = list(read_frames(whole[:cut] + junk + whole[cut:], framing))
    assert [row.payload for row in rows if isinstance(row, Frame)] == BLOCKS
    assert sum(row.octets for row in rows if isinstance(row, Unread)) == len(junk)


def test_random_octets_between_blocks_cost_themselves_alone():
    for seed in range(6):
        junk = np.random.default_rng(seed).bytes(30_000)
        rows = list(read_frames(b"".join(BLOCKS * 20) + junk + b"".join(BLOCKS * 20), "raw"))
        kept = sum(row.payload in BLOCKS for row in rows if isinstance(row, Frame))
        assert kept == 480


@pytest.mark.parametrize("make", [gps, b"".join])
@pytest.mark.parametrize("octet", [1, 2])
def test_wrong_length_of_one_block_costs_that_block_alone(make, octet):
    broken = bytearray(BLOCKS[4])
    broken[octet] ^= 0x10 if octet == 2 else 0x01   # 14 octets become 30, or 270
    rows = list(read_frames(make([*BLOCKS[:4], bytes(broken), *BLOCKS[5:]]), detect(make(BLOCKS), "x")))
    kept = [row.payload for row in rows if isinstance(row, Frame)]
    assert [payload for payload in kept if payload in BLOCKS] == BLOCKS[:4] + BLOCKS[5:]


def test_fragments_are_joined_whatever_their_order():
    body = udp(b"".join(BLOCKS))
    pieces = [ipv4(body[:80], fragment=0x2000), ipv4(body[80:160], fragment=0x2000 | 10),
              ipv4(body[160:], fragment=20)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        assert payloads(pcap([ethernet(pieces[i]) for i in order])) == [b"".join(BLOCKS)]


def test_lost_fragment_is_counted():
    rows = list(read_frames(pcap([ethernet(ipv4(udp(BLOCKS[0])[:24], fragment=0x2000))]), "pcap"))
    assert [row.reason for row in rows] == ["fragment_lost"]


def test_what_is_no_udp_is_counted_and_the_rest_kept():
    data = pcap([ethernet(ipv4(b"x" * 20, protocol=6)), ethernet(b"", kind=0x0806), ethernet(ipv4(udp(BLOCKS[0]))),
                 ethernet(ipv4(udp(BLOCKS[0]))[:40]), b"\x01"])
    rows = list(read_frames(data, "pcap"))
    assert [row.reason if isinstance(row, Unread) else "read" for row in rows] \
        == ["not_udp", "not_udp", "read", "snapped", "packet_too_short"]


def test_broken_octets_between_raw_blocks_cost_themselves_alone():
    data = b"".join(BLOCKS[:4]) + b"\xff\x00\x01garbage" + b"".join(BLOCKS[4:])
    rows = list(read_frames(data, detect(data, "x")))
    assert [row.payload for row in rows if isinstance(row, Frame)] == BLOCKS
    assert [(row.octets, row.reason) for row in rows if isinstance(row, Unread)] == [(10, "block_length")]


def test_broken_final_frame_costs_itself_alone():
    data = final(TOGETHER[:2]) + b"\x00\x55junk" + final(TOGETHER[2:])
    rows = list(read_frames(data, detect(data, "x")))
    assert [row.payload for row in rows if isinstance(row, Frame)] == TOGETHER
    assert [row.reason for row in rows if isinstance(row, Unread)] == ["broken_frame"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["raw", "final", "ioss_seq", "rff", "gps", "pcap", "pcapng"]), st.integers(0, 10_000))
def test_truncated_recording_keeps_what_is_whole(framing, cut):
    data = {"raw": b"".join(BLOCKS), "final": final(BLOCKS), "gps": gps(BLOCKS), "rff": rff(BLOCKS),
            "ioss_seq": ioss_seq(BLOCKS), "pcap": pcap([ethernet(ipv4(udp(b))) for b in BLOCKS]),
            "pcapng": pcapng([ethernet(ipv4(udp(b))) for b in BLOCKS])}[framing]
    cut %= len(data)
    rows = list(read_frames(data[:cut], framing)) if cut > 4 else []
    kept = [row.payload for row in rows if isinstance(row, Frame)]
    assert kept == BLOCKS[: len(kept)]
    assert sum(isinstance(row, Unread) for row in rows) <= 1


def test_empty_and_foreign_files_are_refused_with_words():
    with pytest.raises(InputError, match="empty"):
        detect(b"", "night.ast")
    with pytest.raises(InputError, match=r"night\.ast: no ASTERIX: begins with 25 50 44 46"):
        detect(b"%PDF-1.4 something", "night.ast")


def test_oradis_is_recognised_and_refused():
    units = b"".join(struct.pack(">HI", len(b) + 6, 0x02BB4035) + b for b in BLOCKS)
    with pytest.raises(InputError, match="ORADIS"):
        detect(units, "x")
    (row,) = read_frames(pcap([ethernet(ipv4(udp(units)))]), "pcap")
    assert row.reason == "oradis_wrapper"


def test_recordings_are_detected_by_what_they_hold(shared):
    wanted = {".pcap": "pcap", ".gps": "gps", ".ff": "final"}
    for path in sorted((shared / "data/asterix").iterdir()):
        if path.is_file() and path.suffix != ".md":
            assert detect(path.read_bytes(), "no-hint") == wanted.get(path.suffix, "raw"), path.name


@pytest.mark.parametrize("octets", [-700, -5, 5, 300])
def test_header_of_a_recorder_that_is_too_short_or_too_long_costs_no_block(octets):
    data = gps(BLOCKS)
    data = data[-octets:] if octets < 0 else b"\xcd" * octets + data
    assert detect(data, "x") == "gps" and payloads(data) == BLOCKS

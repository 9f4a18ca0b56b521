"""A recording's octets -> datagrams of data blocks, whatever wraps them. Sans-I/O: works on any bytes-like, mmap too.

======== =========================================================================================================
raw      data blocks back to back
final    frame length (2 octets, all of it), error, board, day, time (3 octets, 10 ms), data blocks, A5 A5 A5 A5
gps      2,200 octets of file header, then data block + 10 octets of trailer, of which 6-8 are the time (1/128 s)
pcap     link frames with UDP in IPv4 or IPv6 (`packets`)
pcapng   likewise
======== =========================================================================================================

The framing is found by consistency, never by the file's name: each candidate is read some way into the file, and the
one that explains most octets wins. ORADIS (each block behind 2 octets of length and 4 of time) is recognised to be
refused: what its header holds is not published, so its blocks are not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lapwing.model.errors import InputError
from lapwing.sense.asterix import packets
from lapwing.sense.asterix.tables import CATEGORIES

GPS_HEADER, GPS_TRAILER = 2_200, 10
FINAL_HEADER, FINAL_END = 8, b"\xa5\xa5\xa5\xa5"
SAMPLE_FRAMES = 256        # read so many frames to tell framings apart
RESYNC_OCTETS = 262_144    # look no farther than this for the next whole blocks after broken ones
RESYNC_BLOCKS = 3          # so many blocks in a row are no accident
NAMES = ("raw", "final", "gps", "pcap", "pcapng")
Buffer = packets.Buffer


@dataclass(frozen=True, slots=True)
class Frame:
    """One datagram of a recording: data blocks back to back.

    Attributes
    ----------
    octet : where its first block begins in the file
    payload : its octets
    recorded_ns : when the recorder got it, UTC; -1 unknown
    recorded_day_ns : the same as time of day; -1 unknown
    link : ``address:port`` it was sent to, "" unknown
    """

    octet: int
    payload: bytes
    recorded_ns: int = -1
    recorded_day_ns: int = -1
    link: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Octets of a recording that are no datagram, and why."""

    octet: int
    octets: int
    reason: str
    detail: str
    payload: bytes = b""     # of a datagram that came whole and is refused for what it holds


def _block_length(data: Buffer, at: int, end: int) -> int:
    """Return the length of a block that a known category and its own length make believable, or 0."""
    if at + 4 > end or data[at] not in _KNOWN:
        return 0
    length = data[at + 1] << 8 | data[at + 2]
    return length if length > 3 and at + length <= end else 0


# Categories in use that have no table (yet) still mark a block: 30, 31 old ARTAS; 204, 244 and kin of other makers.
_KNOWN = frozenset(CATEGORIES) | {30, 31, 204, 244, 252, 253, 254}


def _explained(data: Buffer, at: int, trailer: int) -> tuple[bool, int]:
    """Return whether the sample is whole blocks throughout, and how many octets of it are."""
    octets = 0
    for _ in range(SAMPLE_FRAMES):
        if at >= len(data):
            break
        length = _block_length(data, at, len(data))
        if not length:
            return False, octets
        octets += length
        at += length + trailer
    return octets > 0, octets


def _final_length(data: Buffer, at: int) -> int:
    """Return the length of a whole FINAL frame here, or 0."""
    if at + FINAL_HEADER + 4 > len(data):
        return 0
    length = data[at] << 8 | data[at + 1]
    if length < FINAL_HEADER + 4 or at + length > len(data):
        return 0
    return length if bytes(data[at + length - 4 : at + length]) == FINAL_END else 0


def _explained_final(data: Buffer) -> tuple[bool, int]:
    at = 0
    for _ in range(SAMPLE_FRAMES):
        if at >= len(data):
            break
        length = _final_length(data, at)
        if not length:
            return False, at
        at += length
    return at > 0, at


def detect(data: Buffer, name: str) -> str:
    """Return the framing of a recording.

    Raises
    ------
    InputError : an empty file, or one that no framing explains; says what was looked for
    """
    if len(data) == 0:
        raise InputError("the file is empty", where=name, remedy="check that the recording was copied whole")
    packed = packets.kind(data)
    if packed:
        return packed
    if is_oradis(data):
        raise oradis_error(name)
    explained = {"raw": _explained(data, 0, 0), "gps": _explained(data, GPS_HEADER, GPS_TRAILER),
                 "final": _explained_final(data)}
    best = max(explained, key=lambda key: explained[key])
    if explained[best][1] > 0:
        return best
    if data[0] in _KNOWN and len(data) >= 3:
        return "raw"  # one block with a wrong length: refused in its place, with words, by the reader
    raise InputError(
        f"no ASTERIX: begins with {bytes(data[:4]).hex(' ')}: no data block, FINAL frame, GPS recording or pcap",
        where=name, remedy="name the framing if you know it, or look at the file with a hex viewer")


def is_oradis(data: Buffer) -> bool:
    """Whether octets are ORADIS units throughout the sample: length (2, all of it), 4 octets, one block that fits."""
    at = 0
    for _ in range(SAMPLE_FRAMES):
        if at + 10 > len(data):
            break
        length = data[at] << 8 | data[at + 1]
        if length < 10 or _block_length(data, at + 6, len(data)) != length - 6:
            return False
        at += length
    return at > 0


def oradis_error(name: str) -> InputError:
    """Return the refusal of an ORADIS recording."""
    return InputError("ORADIS wrapper (a length and four octets before every data block): not read, as its header is "
                      "not published", where=name, remedy="record before ORADIS wraps it, or strip its headers first")


def read_frames(data: Buffer, framing: str) -> Iterator[Frame | Unread]:
    """Yield the datagrams of a recording in file order, and what was no datagram, in its place."""
    if framing == "final":
        yield from _read_final(data)
    elif framing == "gps":
        yield from _read_gps(data)
    elif framing in ("pcap", "pcapng"):
        for row in packets.read_packets(data, framing):
            if isinstance(row, packets.BadPacket):
                yield Unread(row.octet, row.octets, row.reason, row.detail)
            elif is_oradis(row.payload):
                yield Unread(row.octet, len(row.payload), "oradis_wrapper",
                             "a length and four octets before every data block; its header is not published",
                             row.payload)
            else:
                yield Frame(row.octet, row.payload, recorded_ns=row.time_ns, link=row.link)
    else:
        assert framing == "raw", framing
        yield from _read_raw(data)


def _resync(data: Buffer, at: int) -> int:
    """Return where whole blocks go on after octet `at`, or the end of the data."""
    for start in range(at + 1, min(len(data), at + RESYNC_OCTETS)):
        place = start
        for _ in range(RESYNC_BLOCKS):
            length = _block_length(data, place, len(data))
            if not length:
                break
            place += length
        else:
            return start
    return len(data)


def _read_raw(data: Buffer) -> Iterator[Frame | Unread]:
    at = 0
    while at < len(data):
        length = data[at + 1] << 8 | data[at + 2] if at + 3 <= len(data) else 0
        if length >= 3 and at + length <= len(data):
            yield Frame(at, bytes(data[at : at + length]))
            at += length
            continue
        after = _resync(data, at)
        if at + 3 > len(data):
            detail = f"{after - at} octets left, too few for a block"
        else:
            detail = f"CAT{data[at]:03d}: length field says {length}, {len(data) - at} octets left"
        yield Unread(at, after - at, "trailing_octets" if after == len(data) else "block_length", detail)
        at = after


def _read_gps(data: Buffer) -> Iterator[Frame | Unread]:
    at = GPS_HEADER
    while at < len(data):
        length = data[at + 1] << 8 | data[at + 2] if at + 3 <= len(data) else 0
        if length < 3 or at + length > len(data):
            yield Unread(at, len(data) - at, "trailing_octets", f"no whole data block of {length} octets")
            return
        trailer = bytes(data[at + length : at + length + GPS_TRAILER])
        ticks = int.from_bytes(trailer[6:9], "big") if len(trailer) >= 9 else -1
        yield Frame(at, bytes(data[at : at + length]), recorded_day_ns=-1 if ticks < 0 else ticks * 7_812_500)
        at += length + GPS_TRAILER


def _read_final(data: Buffer) -> Iterator[Frame | Unread]:
    at = 0
    while at < len(data):
        length = _final_length(data, at)
        if not length:
            after = at + 1
            while after < len(data) and not _final_length(data, after):
                after += 1
            yield Unread(at, after - at, "broken_frame", "no whole FINAL frame (length, and A5 A5 A5 A5 at its end)")
            at = after
            continue
        ticks = int.from_bytes(bytes(data[at + 5 : at + 8]), "big")
        yield Frame(at + FINAL_HEADER, bytes(data[at + FINAL_HEADER : at + length - 4]),
                    recorded_day_ns=ticks * 10_000_000)
        at += length

"""A recording's octets -> datagrams of data blocks, whatever wraps them. Sans-I/O: works on any bytes-like, mmap too.

======== =========================================================================================================
raw      data blocks back to back
final    frame length (2 octets, all of it), error, board, day, time (3 octets, 10 ms), data blocks, A5 A5 A5 A5;
         also called IOSS
ioss_seq the same with a sequence number (4 octets) behind the frame length
rff      128 octets of file header (begin and end as text of 20 octets each), then frames: milliseconds since the begin
         (4 octets) and length (2 octets), both the low octet first, data blocks
gps      2,200 octets of file header, then data block + 10 octets of trailer, of which 6-8 are the time (1/128 s)
pcap     link frames with UDP in IPv4 or IPv6 (`packets`)
pcapng   likewise
======== =========================================================================================================

The framing is found by consistency, never by the file's name: each candidate is read some way into the file, and the
one that explains most octets wins. ORADIS (each block behind 2 octets of length and 4 of time) is recognised to be
refused: what its header holds is not published, so its blocks are not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lapwing.model.errors import InputError
from lapwing.model.times import DAY_NS, from_iso
from lapwing.sense.asterix import packets
from lapwing.sense.asterix.items import Refused, read_record
from lapwing.sense.asterix.tables import CATEGORIES, edition, editions

GPS_HEADER, GPS_TRAILER = 2_200, 10
FINAL_HEADER, FINAL_END = 8, b"\xa5\xa5\xa5\xa5"
SEQUENCE_OCTETS = 4
RFF_HEADER, RFF_FRAME_HEADER, RFF_TEXT = 128, 6, 20
SAMPLE_FRAMES = 256        # read so many frames to tell framings apart
RESYNC_OCTETS = 262_144    # look no farther than this for the next whole blocks after broken ones
RESYNC_BLOCKS = 3          # so many blocks in a row are no accident
NAMES = ("raw", "final", "ioss_seq", "rff", "gps", "pcap", "pcapng")
ALIASES = {"ioss": "final"}
RESYNC_LENGTH_MAX = 2_048  # none of them longer: what fits a network packet; a random length is 32,000 in the mean
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


def _whole_blocks(data: Buffer, at: int, end: int) -> bool:
    """Whether octets are believable blocks from beginning to end."""
    if at >= end:
        return False
    while at < end:
        length = _block_length(data, at, end)
        if not length:
            return False
        at += length
    return True


def _final_length(data: Buffer, at: int) -> int:
    """Return the length of a whole FINAL frame here, with or without a sequence number, or 0."""
    if at + FINAL_HEADER + 4 > len(data):
        return 0
    length = data[at] << 8 | data[at + 1]
    if length < FINAL_HEADER + 4 or at + length > len(data):
        return 0
    return length if bytes(data[at + length - 4 : at + length]) == FINAL_END else 0


def _explained_final(data: Buffer, header: int) -> tuple[bool, int]:
    """As `_explained`; of the two headers that one has whole blocks behind it."""
    at, whole = 0, 0
    for _ in range(SAMPLE_FRAMES):
        if at >= len(data):
            break
        length = _final_length(data, at)
        if not length:
            return False, whole
        whole += length if _whole_blocks(data, at + header, at + length - 4) else 0
        at += length
    return whole > 0, whole


def _rff_length(data: Buffer, at: int) -> int:
    """Return the length of a whole RFF frame here, or 0."""
    if at + RFF_FRAME_HEADER > len(data):
        return 0
    length = data[at + 4] | data[at + 5] << 8
    if at + RFF_FRAME_HEADER + length > len(data):
        return 0
    return RFF_FRAME_HEADER + length if length and _block_length(data, at + RFF_FRAME_HEADER, len(data)) else 0


def _explained_rff(data: Buffer) -> tuple[bool, int]:
    at = RFF_HEADER
    for _ in range(SAMPLE_FRAMES):
        if at >= len(data):
            break
        length = _rff_length(data, at)
        if not length:
            return False, at - RFF_HEADER
        at += length
    return at > RFF_HEADER, at - RFF_HEADER


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
                 "final": _explained_final(data, FINAL_HEADER),
                 "ioss_seq": _explained_final(data, FINAL_HEADER + SEQUENCE_OCTETS), "rff": _explained_rff(data)}
    best = max(explained, key=lambda key: explained[key])
    if explained[best][1] > 0:
        return best
    if _final_length(data, 0):
        return "final"  # its frames hold something else than blocks, which the reader says of each
    if _gps_start(data) < len(data):
        return "gps"    # whose header lost octets, or has some too many
    if data[0] in _KNOWN and len(data) >= 3:
        return "raw"  # one block with a wrong length: refused in its place, with words, by the reader
    raise InputError(
        f"no ASTERIX: begins with {bytes(data[:4]).hex(' ')}: no data block, FINAL frame, RFF frame, GPS recording or pcap",
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
    framing = ALIASES.get(framing, framing)
    if framing == "final":
        yield from _read_final(data, FINAL_HEADER)
    elif framing == "ioss_seq":
        yield from _read_final(data, FINAL_HEADER + SEQUENCE_OCTETS)
    elif framing == "rff":
        yield from _read_rff(data)
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


def _resync(data: Buffer, at: int, length_of: Callable[[int], int]) -> int:
    """Return where whole blocks (or frames: `length_of` says how long, 0 none) go on after octet `at`, or where to look
    on from: the end of the data, or of what is looked through at once."""
    stop = min(len(data), at + RESYNC_OCTETS)
    found = _chain(data, at + 1, stop, len(data), length_of)
    # A chance length may pass over whole blocks and end between two: then those that lie within are the ones.
    while found < stop:
        within = found + length_of(found)
        inner = _chain(data, found + 1, within, within, length_of)
        if inner >= within:
            break
        found = inner
    return found


def _chain(data: Buffer, first: int, stop: int, end: int, length_of: Callable[[int], int]) -> int:
    """Return the first octet before `stop` where some blocks in a row begin (or blocks up to the end); `stop` if none."""
    for start in range(first, stop):
        place = start
        for _ in range(RESYNC_BLOCKS):
            length = length_of(place) if place < end else 0
            if not length:
                break
            place += length
            if place == len(data):
                return start
        else:
            if place <= end:
                return start
    return stop


def _readable(data: Buffer, at: int, length: int) -> bool:
    """Whether some edition reads a block whole; a chance length leads to a block that none does."""
    block = bytes(data[at : at + length])
    names = editions(block[0])
    for name in reversed(names):
        place, profile = 3, ""
        try:
            while place < length:
                _, place, profile = read_record(block, place, length, edition(block[0], name), profile)
        except Refused:
            continue
        return True
    return not names


def _read_raw(data: Buffer) -> Iterator[Frame | Unread]:
    for row in _read_blocks(data, 0, 0):
        yield row[0]


def _gps_start(data: Buffer) -> int:
    """Return where the first blocks with trailers begin in a recording whose header is not as long as it should be; the end if none."""
    def step(place: int) -> int:
        length = _block_length(data, place, len(data))
        good = 0 < length <= RESYNC_LENGTH_MAX and _readable(data, place, length) and place + length + GPS_TRAILER <= len(data)
        return length + GPS_TRAILER if good else 0

    stop = min(len(data), 2 * GPS_HEADER)
    found = _chain(data, 0, stop, len(data), step)
    return found if found < stop else len(data)


def _read_gps(data: Buffer) -> Iterator[Frame | Unread]:
    begin = GPS_HEADER
    if _explained(data, GPS_HEADER, GPS_TRAILER)[1] <= 0 and (found := _gps_start(data)) < len(data):
        begin = found
        yield Unread(0, begin, "broken_frame", f"a header of {begin} octets; a GPS recording has one of {GPS_HEADER}")
    for row, after in _read_blocks(data, begin, GPS_TRAILER):
        if isinstance(row, Frame):
            trailer = bytes(data[after : after + GPS_TRAILER])
            ticks = int.from_bytes(trailer[6:9], "big") if len(trailer) >= 9 else -1
            row = replace(row, recorded_day_ns=-1 if ticks < 0 else ticks * 7_812_500 % DAY_NS)
        yield row


def _read_blocks(data: Buffer, at: int, trailer: int) -> Iterator[tuple[Frame | Unread, int]]:
    """Yield blocks back to back, each with a trailer, and the octet after each.

    A length that leads to no further block is wrong itself if whole blocks begin before it ends: then the block is cut
    there (and refused for its length by whoever reads it), and those blocks are kept.
    """
    def step(place: int) -> int:
        length = _block_length(data, place, len(data))
        good = 0 < length <= RESYNC_LENGTH_MAX and _readable(data, place, length)
        return length + trailer if good else 0

    ahead, looked_at = -1, -1   # where whole blocks go on as last found, and from where: nothing whole lies between
    while at < len(data):
        length = data[at + 1] << 8 | data[at + 2] if at + 3 <= len(data) else 0
        after = at + length
        if length >= 3 and after <= len(data):
            sound = after + trailer >= len(data) or _block_length(data, after + trailer, len(data)) > 0
            if not sound and not looked_at <= at < ahead:
                ahead, looked_at = _resync(data, at, step), at
            goes_on = after + trailer if sound else ahead
            if goes_on >= after and (sound or data[at] in _KNOWN):
                yield Frame(at, bytes(data[at:after])), after
                at = after + trailer
                continue
            if data[at] in _KNOWN:
                cut = max(at + 3, goes_on - trailer)
                yield Frame(at, bytes(data[at:cut])), cut
                at = goes_on
                continue
        if not looked_at <= at < ahead:
            ahead, looked_at = _resync(data, at, step), at
        after = ahead
        if at + 3 > len(data):
            detail = f"{after - at} octets left, too few for a block"
        else:
            detail = f"CAT{data[at]:03d}: length field says {length}, {len(data) - at} octets left"
        yield Unread(at, after - at, "trailing_octets" if after == len(data) else "block_length", detail), after
        at = after


def _read_final(data: Buffer, header: int) -> Iterator[Frame | Unread]:
    at = 0
    while at < len(data):
        length = _final_length(data, at)
        if length < header + 4:
            after = at + 1
            while after < len(data) and _final_length(data, after) < header + 4:
                after += 1
            yield Unread(at, after - at, "broken_frame", "no whole FINAL frame (length, and A5 A5 A5 A5 at its end)")
            at = after
            continue
        ticks = int.from_bytes(bytes(data[at + header - 3 : at + header]), "big")
        yield Frame(at + header, bytes(data[at + header : at + length - 4]), recorded_day_ns=ticks * 10_000_000 % DAY_NS)
        at += length


def _read_rff(data: Buffer) -> Iterator[Frame | Unread]:
    begin_ns = _wall_time(bytes(data[:RFF_TEXT]).decode("latin-1"))
    at = RFF_HEADER
    if at > len(data):
        yield Unread(0, len(data), "trailing_octets", "the file header is cut")
    while at < len(data):
        length = data[at + 4] | data[at + 5] << 8 if at + RFF_FRAME_HEADER <= len(data) else 0
        first = at + RFF_FRAME_HEADER
        if not length or first + length > len(data):
            after = _resync(data, at, lambda place: _rff_length(data, place))
            yield Unread(at, after - at, "trailing_octets" if after == len(data) else "broken_frame",
                         f"no whole RFF frame: length {length}, {max(0, len(data) - first)} octets left")
            at = after
            continue
        since_ns = int.from_bytes(bytes(data[at : at + 4]), "little") * 1_000_000
        yield Frame(first, bytes(data[first : first + length]), recorded_ns=-1 if begin_ns < 0 else begin_ns + since_ns)
        at = first + length


_WALL = re.compile(r"\s*(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)/(\d\d)/(\d\d)) (\d\d:\d\d:\d\d)")


def _wall_time(text: str) -> int:
    """Return the UTC of an RFF header's text: year-month-day, day/month/year, or (behind a space) month/day/year; -1 of
    any other. Two digits of a year from 70 on are of the last century."""
    found = _WALL.match(text)
    if found is None:
        return -1
    year, month, day, first, second, short, clock = found.groups()
    if year is None:
        day, month = (second, first) if text.startswith(" ") or int(second) > 12 else (first, second)
        year = f"{1900 if int(short) >= 70 else 2000:d}"[:2] + short
    try:
        return from_iso(f"{year}-{month}-{day}T{clock}Z")
    except ValueError:
        return -1

"""A recording that is still being written, as a live link: what is appended is read as it comes.

``follow://PATH`` of raw ASTERIX (data blocks back to back) or pcap (not pcapng): whole blocks and packets are handed on, a part of
one waits for its rest. pcap packets keep their own time; raw blocks get that of the moment they are read. A file that shrinks or is
replaced is begun again.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from lapwing.adapters.tcp import BlockCutter
from lapwing.model.entries import ASTERIX
from lapwing.model.errors import ConfigError
from lapwing.sense.asterix import packets

WAIT_S = 0.1
READ_OCTETS = 1 << 20
_PCAP_HEADER, _PACKET_HEADER = 24, 16
Item = tuple[int, str, str, bytes]


class PcapCutter:
    """Cuts a growing pcap file into the payloads of its UDP datagrams, each with its time."""

    def __init__(self) -> None:
        self._header = b""
        self._pending = bytearray()
        self.broken = ""
        self.bad_count = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return (time_ns, payload) of the packets that are whole now."""
        self._pending += data
        if not self._header:
            if len(self._pending) < _PCAP_HEADER:
                return []
            self._header = bytes(self._pending[:_PCAP_HEADER])
            del self._pending[:_PCAP_HEADER]
        order = packets.PCAP_MAGIC[self._header[:4]][0]
        end = 0
        while len(self._pending) - end >= _PACKET_HEADER:
            length = struct.unpack_from(f"{order}I", self._pending, end + 8)[0]
            if length > packets.PACKET_OCTETS_MAX:
                self.broken = f"a packet of {length} octets: the file is out of step"
                break
            if len(self._pending) - end - _PACKET_HEADER < length:
                break
            end += _PACKET_HEADER + length
        whole = self._header + bytes(self._pending[:end])
        del self._pending[:end]
        found = []
        for row in packets.read_packets(whole, "pcap") if end else ():
            if isinstance(row, packets.Packet):
                found.append((row.time_ns, row.payload))
            else:
                self.bad_count += 1
        return found


class FollowSource:
    """A file being written.

    Parameters
    ----------
    url : ``follow://PATH``; also the link's name
    clock : nanoseconds UTC of now
    wait : waits so many seconds; returns True to end the link
    idle : called whenever nothing was appended; return True to end the link
    """

    def __init__(self, url: str, clock: Callable[[], int], wait: Callable[[float], bool | None], *,
                 idle: Callable[[], bool] = lambda: False) -> None:
        self.link, self._clock, self._wait, self._idle = url, clock, wait, idle
        self.path = parse_follow(url)
        self.failures: list[str] = []
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Item]:
        """Yield what is there and what is appended, until closed."""
        while not self._stop.is_set():
            yield from self._once()
            if self._stop.is_set() or self._wait(WAIT_S):
                return

    def _once(self) -> Iterator[Item]:
        """Read the file from its beginning until it is replaced, is out of step, or the link ends."""
        try:
            with self.path.open("rb", buffering=0) as file:
                known = self.path.stat().st_ino
                magic = b""
                blocks, frames = BlockCutter(), PcapCutter()
                at = 0
                while not self._stop.is_set():
                    data = file.read(READ_OCTETS)
                    if not data:
                        now = self.path.stat()
                        if now.st_ino != known or now.st_size < at:
                            self._note("the file was replaced: begun again")
                            return
                        if self._idle() or self._wait(WAIT_S):
                            self._stop.set()
                        continue
                    at += len(data)
                    if len(magic) < 4:
                        magic += data
                        if len(magic) < 4:
                            continue
                        data, magic = magic, magic[:4]
                        if data[:4] == packets.PCAPNG_MAGIC:
                            self._note("pcapng cannot be followed: record as pcap")
                            self._stop.set()
                            return
                    if magic[:4] in packets.PCAP_MAGIC:
                        for received_ns, payload in frames.feed(data):
                            yield received_ns, self.link, ASTERIX, payload
                    else:
                        received_ns = self._clock()
                        for block in blocks.feed(data):
                            yield received_ns, self.link, ASTERIX, block
                    if frames.broken or blocks.broken:
                        self._note(frames.broken or blocks.broken)
                        self._stop.set()
                        return
        except OSError as error:
            self._note(f"cannot read: {error.strerror or error}")

    def _note(self, what: str) -> None:
        if self.failures[-1:] != [what]:
            self.failures = [*self.failures[-9:], what]

    def close(self) -> None:
        """End the link within `WAIT_S`."""
        self._stop.set()


def parse_follow(url: str) -> Path:
    """Return the path of ``follow://PATH``. Raises ConfigError."""
    scheme, _, path = url.partition("://")
    if scheme != "follow" or not path:
        raise ConfigError("no file to follow", where=url, remedy="write follow:///var/rec/today.ast")
    return Path(path)

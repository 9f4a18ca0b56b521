"""Writes datagrams as a pcap file with their times of reception, so that any tool of the trade opens it.

Nanosecond pcap, link type 101 (raw IP): each datagram gets an IPv4 and a UDP header with the address of its link. What is
longer than a UDP datagram can be (65,507 octets) is cut into several.
"""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from lapwing.model.errors import StorageError

_MAGIC_NS, _RAW_IP = 0xA1B23C4D, 101
PAYLOAD_MAX = 65_507


class PcapWriter:
    """One file. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("wb")
            self._file.write(struct.pack("<IHHiIII", _MAGIC_NS, 2, 4, 0, 0, 262_144, _RAW_IP))
        except OSError as error:
            raise StorageError(f"cannot write: {error.strerror}", where=str(path), remedy="name another file") from error
        self.count = 0

    def write(self, received_ns: int, link: str, payload: bytes) -> None:
        """Append a datagram. Raises StorageError where it cannot be written."""
        try:
            for begin in range(0, max(len(payload), 1), PAYLOAD_MAX):
                packet = _packet(link, payload[begin : begin + PAYLOAD_MAX])
                seconds, rest = divmod(received_ns, 1_000_000_000)
                self._file.write(struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(packet), len(packet)) + packet)
            self.count += 1
        except OSError as error:
            raise StorageError(f"cannot write: {error.strerror}", where=str(self._path),
                               remedy="free space, or name another file") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> PcapWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _packet(link: str, payload: bytes) -> bytes:
    host, port = "0.0.0.0", 0  # noqa: S104  a packet of nobody
    try:
        parts = urlsplit(link)
        host, port = str(ipaddress.IPv4Address(parts.hostname or "0.0.0.0")), parts.port or 0  # noqa: S104  the same
    except ValueError:
        pass          # a link without an IPv4 address: its name is in the journal, the octets are here
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, bytes(4),
                         ipaddress.IPv4Address(host).packed)
    words = struct.unpack(">10H", header)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return header[:10] + struct.pack(">H", check) + header[12:] + struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload

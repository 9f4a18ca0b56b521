"""Datagrams -> every record with all its items, in file order: what ``lapwing decode`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.decode import Editions
from lapwing.sense.asterix.framing import Frame, Unread
from lapwing.sense.asterix.items import Items, Refused, read_record


@dataclass(frozen=True, slots=True)
class Listed:
    """One record.

    `block`: running number of its data block over the recording; `record`: running number of the records read;
    `octet`: in its datagram, which begins at `datagram_octet` of the file.
    """

    category: int
    block: int
    record_in_block: int
    record: int
    sac: int
    sic: int
    edition: str
    items: Items
    octet: int
    octets: bytes
    datagram_octet: int
    link: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not read: in a datagram, or between datagrams."""

    reason: str
    where: str
    detail: str
    octet: int      # in the file
    category: int = -1
    sac: int = -1
    sic: int = -1


def list_records(rows: Iterable[Frame | Unread], editions: Editions | None = None) -> Iterator[Listed | Refusal]:
    """Yield the records of a recording in file order, and what was refused, in its place."""
    editions = editions or Editions()
    counts = _Counts()
    for row in rows:
        if isinstance(row, Unread):
            yield Refusal(row.reason, f"octet {row.octet}", row.detail, row.octet)
        else:
            yield from _datagram(row, editions, counts)


@dataclass(slots=True)
class _Counts:
    block: int = 0
    record: int = 0
    # The source last heard on a link: blocks that name none are of it.
    source: dict[str, tuple[int, int]] = field(default_factory=dict)


def _datagram(frame: Frame, editions: Editions, counts: _Counts) -> Iterator[Listed | Refusal]:
    data, at = frame.payload, 0
    while at < len(data):
        length = data[at + 1] << 8 | data[at + 2] if at + 3 <= len(data) else 0
        if length < 3 or at + length > len(data):
            reason = "block_length" if at + 3 <= len(data) else "trailing_octets"
            yield Refusal(reason, f"octet {frame.octet + at}",
                          f"length field says {length}, {len(data) - at} octets of the datagram left", frame.octet + at,
                          data[at] if at + 3 <= len(data) else -1)
            return
        yield from _block(frame, at, at + length, editions, counts)
        counts.block += 1
        at += length


def _source(items: Items) -> tuple[int, int] | None:
    found: Any = items.get("010")
    if isinstance(found, dict) and "SAC" in found and "SIC" in found:
        return found["SAC"], found["SIC"]
    return None


def _block(frame: Frame, start: int, end: int, editions: Editions, counts: _Counts) -> Iterator[Listed | Refusal]:
    data, at = frame.payload, start + 3
    category = data[start]
    # The first record's source chooses the edition; it stands right behind the FSPEC.
    body = at
    while body < end and data[body] & 1 and body - at < 16:
        body += 1
    peek = (data[body + 1], data[body + 2]) if at < end and data[at] & 0x80 and body + 3 <= end else (-1, -1)
    name = editions.choose(category, *peek)
    where = f"CAT{category:03d} block {counts.block}"
    if name is None:
        yield Refusal("unknown_category", where, f"no table for CAT{category:03d}; {end - start} octets",
                      frame.octet + start, category, *peek)
        return
    edition = tables.edition(category, name)
    number, profile = 0, ""
    while at < end:
        begin = at
        try:
            items, at, profile = read_record(data, at, end, edition, profile)
        except Refused as error:
            yield Refusal(error.reason, f"{where} record {number} {error.item} at octet {frame.octet + error.octet}",
                          f"{error.detail} (edition {name}); {end - begin} octets of the block not read",
                          frame.octet + error.octet, category, *peek)
            return
        source = _source(items)
        if source is not None:
            counts.source[frame.link] = source
        sac, sic = source or counts.source.get(frame.link, (-1, -1))
        yield Listed(category, counts.block, number, counts.record, sac, sic, name, items, begin, data[begin:at],
                     frame.octet, frame.link)
        number += 1
        counts.record += 1

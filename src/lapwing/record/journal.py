"""The chain that makes the journal provable: each batch is sealed by a digest over its content and the digest before.

The digest of a batch covers, in this order and each part with its length: the digest of the batch before (32 zero
octets for the first), the batch's number, the meta facts stored since then, every entry (sequence, received_ns, link,
format, payload) and every output (kind, payload). One octet changed, one row removed or two swapped, and the digest no
longer fits. What the chain alone cannot show is a journal cut off at its end: for that, compare it with a digest that
was written down elsewhere (`lapwing verify --head`).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lapwing.model.entries import Entry
from lapwing.model.errors import StorageError
from lapwing.model.ports import Batch, Output

GENESIS = bytes(32)
SCHEMA_VERSION = 1
_NUMBER, _TWO_NUMBERS = struct.Struct("<q").pack, struct.Struct("<qq").pack


@dataclass(frozen=True, slots=True)
class Sealed:
    """One batch as the journal holds it, with its seal. Nothing in it is trusted before `audit.check`.

    `entry_marks`, `output_marks` hold a CRC-32 of each row: no proof, but they tell which row a broken digest means.
    """

    number: int
    entries: tuple[Entry, ...]
    outputs: tuple[Output, ...]
    meta: tuple[tuple[str, str], ...]      # facts stored after the batch before, sorted by key
    digest: bytes
    entry_count: int                       # as stored with the batch
    output_count: int
    entry_marks: tuple[int, ...] = ()
    output_marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What the journal says of its own end."""

    number: int            # of the last batch, -1 for none
    digest: bytes
    entry_count: int       # in the whole journal
    output_count: int


def batch_digest(previous: bytes, number: int, meta: Iterable[tuple[str, str]], entries: Sequence[Entry],
                 outputs: Sequence[Output]) -> bytes:
    """Return the SHA-256 that seals a batch (32 octets)."""
    digest = hashlib.sha256(previous)
    facts = list(meta)
    digest.update(b"lapwing-batch-1" + _number(number) + _number(len(facts)) + _number(len(entries))
                  + _number(len(outputs)))
    for key, value in facts:
        digest.update(_text(key) + _text(value))
    for entry in entries:
        digest.update(_entry_head(entry))
        digest.update(entry.payload)
    for output in outputs:
        digest.update(_text(output.kind) + _number(len(output.payload)))
        digest.update(output.payload)
    return digest.digest()


def check_next(waiting: Batch | None, batch: Batch, last_batch: int, entry_count: int, where: str) -> None:
    """Raise StorageError unless a batch may be appended: none waits for its outputs, and numbers have no holes."""
    if waiting is not None:
        raise StorageError(f"batch {waiting.number} has no outputs yet", where=where,
                           remedy="commit it before the next one is appended")
    if batch.number != last_batch + 1:
        raise StorageError(f"batch {batch.number} after batch {last_batch}", where=where,
                           remedy="batches follow each other without holes; resume from last_batch() + 1")
    for i, entry in enumerate(batch.entries, entry_count):
        if entry.sequence != i:
            raise StorageError(f"entry {entry.sequence} where {i} is due", where=f"{where}, batch {batch.number}",
                               remedy="entries are numbered without holes")


def waiting_batch(waiting: Batch | None, number: int, where: str) -> Batch:
    """Return the batch that waits for its outputs; StorageError where it is not the one of that number."""
    if waiting is None or waiting.number != number:
        raise StorageError(f"outputs of batch {number}, which is not the one appended last", where=where,
                           remedy="append a batch, then commit its outputs")
    return waiting


def new_facts(present: Mapping[str, str], values: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the facts that a journal does not have yet; StorageError where one has another value already."""
    for key, value in values.items():
        if present.get(key, value) != value:
            raise StorageError(f"{key} is {present[key]!r} and cannot become {value!r}", where=f"{where}, meta",
                               remedy="a journal keeps one configuration; start a new one")
    return {key: value for key, value in values.items() if key not in present}


def entry_mark(entry: Entry) -> int:
    """Return the CRC-32 of an entry's row."""
    return zlib.crc32(entry.payload, zlib.crc32(_entry_head(entry)))


def output_mark(output: Output) -> int:
    """Return the CRC-32 of an output's row."""
    return zlib.crc32(output.payload, zlib.crc32(_text(output.kind)))


def _entry_head(entry: Entry) -> bytes:
    return (_TWO_NUMBERS(entry.sequence, entry.received_ns) + _origin(entry.link, entry.format)
            + _NUMBER(len(entry.payload)))


@lru_cache(maxsize=4_096)
def _origin(link: str, format_name: str) -> bytes:
    """Return the two texts of an entry's head: the same few links bring every entry."""
    return _text(link) + _text(format_name)


def _text(text: str) -> bytes:
    octets = text.encode("utf-8", "surrogatepass")
    return _number(len(octets)) + octets


def _number(number: int) -> bytes:
    return _NUMBER(number)

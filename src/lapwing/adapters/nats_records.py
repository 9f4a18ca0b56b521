"""How the journal lies in a JetStream stream: records, each one message or an atomic batch of messages.

======================  ===============================================================================================
subject                 message
======================  ===============================================================================================
``lapwing.J.head.WHAT`` a record's last (mostly only) message: ``LPW1``, length of the head (u32), head (JSON), body
``lapwing.J.part``      a piece of a body that is too long for one message; the pieces stand right before their head
``lapwing.J.point``     a piece of a checkpoint; dropped by the server after a day
======================  ===============================================================================================

WHAT is ``begin`` (of a segment), ``facts``, ``batch``, ``alert`` (a batch that holds one), ``lease`` (taken), ``renew`` or
``release``. Every head names its segment, the writer's lease, and the end of the journal so far; so the newest head is all that
a writer must know, and its sequence is the fence of the next record. All integers are little-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from lapwing.model.entries import Entry
from lapwing.model.errors import StorageError
from lapwing.model.ports import Output
from lapwing.record.journal import GENESIS, Head

MAGIC = b"LPW1"
WITH_BODY = ("begin", "facts", "batch", "alert")
_ENTRY, _OUTPUT = struct.Struct("<qqHHI"), struct.Struct("<HI")


@dataclass(frozen=True, slots=True)
class RecordHead:
    """What a record says of itself and of the journal's end after it."""

    what: str = "lease"
    segment: str = ""
    began: int = 0                  # stream sequence of the segment's `begin` record; 0 in that record itself
    batch: int = -1                 # number of the segment's newest batch
    digest: str = GENESIS.hex()
    entries: int = 0                # in the whole segment
    outputs: int = 0
    entry_count: int = 0            # in this record
    output_count: int = 0
    parts: int = 0                  # messages of its body that stand before it
    points: int = 0                 # messages of its checkpoint that stand before it
    term: int = 0
    holder: str = ""
    previous: str = ""              # of `begin`: the segment before

    def journal_head(self) -> Head:
        """Return the segment's end."""
        return Head(self.batch, bytes.fromhex(self.digest), self.entries, self.outputs)

    def bare(self, what: str) -> RecordHead:
        """Return a head without a body that leaves the journal's end as it is."""
        return replace(self, what=what, entry_count=0, output_count=0, parts=0, points=0, previous="")


def pack_head(head: RecordHead, body: bytes = b"") -> bytes:
    """Return the octets of a record's last message."""
    text = json.dumps(asdict(head), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return MAGIC + struct.pack("<I", len(text)) + text + body


def unpack_head(data: bytes, *, where: str) -> tuple[RecordHead, bytes]:
    """Return head and body. Raises StorageError where the message is none of ours."""
    try:
        if data[:4] != MAGIC:
            raise ValueError("another beginning")
        length = struct.unpack_from("<I", data, 4)[0]
        return RecordHead(**json.loads(data[8: 8 + length].decode("utf-8", "surrogatepass"))), data[8 + length:]
    except (ValueError, TypeError, struct.error) as error:
        raise StorageError(f"not a record of a journal: {error}", where=where,
                           remedy="another program writes into this stream, or another version of Lapwing does") from error


def pack_batch(entries: Sequence[Entry], outputs: Sequence[Output]) -> bytes:
    """Return entries and outputs as octets."""
    pieces: list[bytes] = []
    for entry in entries:
        link, format_ = _octets(entry.link), _octets(entry.format)
        pieces += (_ENTRY.pack(entry.sequence, entry.received_ns, len(link), len(format_), len(entry.payload)), link, format_,
                   entry.payload)
    for output in outputs:
        kind = _octets(output.kind)
        pieces += (_OUTPUT.pack(len(kind), len(output.payload)), kind, output.payload)
    return b"".join(pieces)


def unpack_batch(body: bytes, entry_count: int, output_count: int, *, where: str) -> tuple[tuple[Entry, ...], tuple[Output, ...]]:
    """Return entries and outputs. Raises StorageError where the octets do not hold them."""
    entries, outputs, at = [], [], 0
    try:
        for _ in range(entry_count):
            sequence, received_ns, link_length, format_length, length = _ENTRY.unpack_from(body, at)
            a = at + _ENTRY.size
            b, c = a + link_length, a + link_length + format_length
            entries.append(Entry(sequence, received_ns, _text(body[a:b]), _text(body[b:c]), body[c: c + length]))
            at = c + length
        for _ in range(output_count):
            kind_length, length = _OUTPUT.unpack_from(body, at)
            a = at + _OUTPUT.size + kind_length
            outputs.append(Output(_text(body[at + _OUTPUT.size: a]), body[a: a + length]))
            at = a + length
        if at != len(body):
            raise ValueError(f"{len(body)} octets, {at} expected")
    except (struct.error, ValueError) as error:
        raise StorageError(f"a damaged record: {error}", where=where, remedy="restore the stream from a copy") from error
    return tuple(entries), tuple(outputs)


def pack_facts(facts: dict[str, str]) -> bytes:
    """Return facts as octets."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")


def unpack_facts(body: bytes) -> dict[str, str]:
    """Return facts."""
    return {str(key): str(value) for key, value in json.loads(body.decode("utf-8", "surrogatepass")).items()} if body else {}


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogatepass")

"""A site's journal in one JetStream stream: its segments, its lease, and the fence that each record must pass.

One subject family, ``head.*``, carries the end of every record. A writer knows the sequence of the newest head; each record
it writes is stored only if that still is the newest one. So whoever takes the lease (by writing a ``lease`` record) shuts the
writer before out, whole batches at a time, whatever that one believes. The sign of life is the same: a writer whose head
does not move for a while may be taken over. No clock is compared: the one who waits counts on its own.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lapwing.adapters.nats_link import PIECE_OCTETS, Message, NatsLink, NotFound, Outgoing
from lapwing.adapters.nats_records import WITH_BODY, RecordHead, pack_head, unpack_head
from lapwing.model.errors import Fenced, Held, StorageError
from lapwing.model.ports import Lease

POINT_TTL_S = 86_400
LOOK_EVERY_S = 0.2
DEAD_AFTER_S = 3.0              # a writer whose head did not move for so long may be taken over


Draft = tuple[RecordHead, bytes, bytes | None]     # head, body, checkpoint of a record to be stored


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read: its place, its head, its body whole."""

    sequence: int
    head: RecordHead
    body: bytes


def this_process() -> str:
    """Return a name of this process, for people."""
    return f"{socket.gethostname()}, process {os.getpid()}"


class NatsJournal:
    """A journal by its name; the stream is made where it is not there.

    Parameters
    ----------
    link : the connection, which stays the caller's
    name : of the journal
    replicas : copies that the cluster keeps: 3 where it has three servers, else 1
    keep_days : 0 keeps everything
    make : False for readers, where a journal that is not there is a mistake
    """

    def __init__(self, link: NatsLink, name: str, *, replicas: int = 1, keep_days: float = 0.0, make: bool = True) -> None:
        self.link, self.name = link, name
        self.stream, self._prefix = f"LAPWING_{name}", f"lapwing.{name}"
        self.holder = f"{this_process()}, {os.urandom(3).hex()}"
        self.lease = Lease(0, "")
        self.head = RecordHead()           # of the newest record known
        self._at = 0                       # its sequence: the fence
        self._writes = 0
        self._ensure(replicas, keep_days, make)

    @property
    def where(self) -> str:
        """The journal, for messages."""
        return f"{self.link.where}/{self.name}"

    def _ensure(self, replicas: int, keep_days: float, make: bool) -> None:
        try:
            found = self.link.ask(f"STREAM.INFO.{self.stream}")["config"]
        except NotFound as error:
            if not make:
                raise StorageError(f"no journal {self.name}", where=self.link.where, remedy="check its name after the last /") from error
            # Nobody, an administrator's slip included, takes a message out of a record. Not compressed: a replica of NATS 2.15.1
            # that was killed could not read its last block of compressed messages ("s2: corrupt input") and never caught up.
            self.link.ask(f"STREAM.CREATE.{self.stream}", {
                "name": self.stream, "subjects": [f"{self._prefix}.>"], "storage": "file", "num_replicas": replicas,
                "retention": "limits", "discard": "old", "max_age": int(keep_days * 86_400e9), "compression": "none",
                "allow_atomic": True, "allow_msg_ttl": True, "deny_delete": True, "deny_purge": True}, patience_s=15.0)
            return
        if not found.get("allow_atomic"):
            raise StorageError("the stream takes no atomic batches", where=self.where, remedy="name another journal, or update the stream")

    # The end of the journal

    def look(self) -> tuple[int, RecordHead]:
        """Return sequence and head of the newest record, as the stream's leader has it; (0, an empty head) for none."""
        found = self.link.newest(self.stream, f"{self._prefix}.head.*")
        return (0, RecordHead()) if found is None else (found.sequence, unpack_head(found.data, where=self._place(found.sequence))[0])

    def _place(self, sequence: int) -> str:
        return f"{self.where}, message {sequence}"

    def take(self, *, take_over: bool = False, patience_s: float = 0.0) -> None:
        """Take the lease. Raises StorageError where a writer that lives holds it.

        `patience_s` is how long the head of another writer is watched before it counts as dead; 0 does not wait for that.
        """
        at, head = self.look()
        since_s = time.monotonic()
        while not take_over and head.holder not in ("", self.holder) and head.what != "release":
            if time.monotonic() - since_s >= patience_s:
                if patience_s:
                    break
                raise Held(f"another process ({head.holder}) writes this journal", where=self.where,
                           remedy="stop it first, wait until it counts as dead, or name another journal")
            time.sleep(min(LOOK_EVERY_S, patience_s))
            now_at, head = self.look()
            if now_at != at:
                if head.what != "release" and head.holder:
                    raise Held(f"another process ({head.holder}) writes this journal", where=self.where,
                               remedy="stop it first, or name another journal")
                at = now_at
        self.seize(at, head)

    def seize(self, at: int, head: RecordHead) -> None:
        """Take the lease where the newest record still is the one given. Raises Fenced where it is not."""
        self._at, self.head = at, head
        lease = Lease(head.term + 1, self.holder)
        self._write([(replace(head.bare("lease"), term=lease.term, holder=lease.holder), b"", None)])
        self.lease = lease

    def resume(self) -> RecordHead:
        """Return the newest head after a write whose fate was unknown. Raises Fenced where another holds the lease now."""
        at, head = self.look()
        if (head.term, head.holder) != (self.lease.term, self.lease.holder) or head.what == "release":
            raise Fenced(f"taken over by {head.holder}: its term is {head.term}, ours was {self.lease.term}", where=self.where,
                         remedy="this process must end; the other one goes on")
        self._at, self.head = at, head
        return head

    # Writing

    def write(self, head: RecordHead, body: bytes = b"", point: bytes | None = None) -> None:
        """Store a record whole or not at all. Raises Fenced, Unreachable (its fate is not known then), StorageError."""
        self.write_all([(head, body, point)])

    def write_all(self, records: Sequence[Draft]) -> None:
        """Store several records whole, or none of them. Raises Fenced, Unreachable, StorageError."""
        assert self.lease.term, "the lease is taken first"
        self._write([(replace(head, term=self.lease.term, holder=self.lease.holder), body, point) for head, body, point in records])

    def _write(self, records: Sequence[Draft]) -> None:
        messages: list[Outgoing] = []
        for head, body, point in records:
            # One fence for the whole batch: the newest head of any kind must still be the one that we know.
            fence = {"Nats-Expected-Last-Subject-Sequence": str(self._at),
                     "Nats-Expected-Last-Subject-Sequence-Subject": f"{self._prefix}.head.*"} if head is records[0][0] else {}
            last, more = self._messages(head, body, point, fence)
            messages += more
        self._writes += 1
        self._at = self.link.publish(messages, f"{os.getpid()}-{id(self):x}-{self._writes}-{os.urandom(4).hex()}")
        self.head = replace(last, began=self._at) if last.what == "begin" else last

    def _messages(self, head: RecordHead, body: bytes, point: bytes | None, fence: dict[str, str]) -> tuple[RecordHead, list[Outgoing]]:
        messages: list[Outgoing] = []
        if len(body) > PIECE_OCTETS:
            pieces = [body[i: i + PIECE_OCTETS] for i in range(0, len(body), PIECE_OCTETS)]
            messages += [Outgoing(f"{self._prefix}.part", piece) for piece in pieces]
            head, body = replace(head, parts=len(pieces)), b""
        if point is not None:
            pieces = [point[i: i + PIECE_OCTETS] for i in range(0, len(point), PIECE_OCTETS)] or [b""]
            messages += [Outgoing(f"{self._prefix}.point", pack_head(replace(head, points=len(pieces), parts=i), piece),
                                  {"Nats-TTL": f"{POINT_TTL_S}s"}) for i, piece in enumerate(pieces)]
            head = replace(head, points=len(pieces))
        messages.append(Outgoing(f"{self._prefix}.head.{head.what}", pack_head(head, body), fence))
        return head, messages

    def begin(self, segment: str, body: bytes = b"", *, start: RecordHead | None = None) -> None:
        """Begin a segment, with facts in `body`."""
        self.write(RecordHead("begin", segment, previous=self.head.segment) if start is None else start, body)

    def renew(self) -> None:
        """Show that the writer lives. Raises Fenced where it no longer is the writer."""
        self.write(self.head.bare("renew"))

    def release(self) -> None:
        """Let go of the lease: the next writer need not wait."""
        if self.lease.term:
            try:
                self.write(self.head.bare("release"))
            finally:
                self.lease = Lease(0, "")

    # Reading

    def records(self, first: int, last: int, kinds: tuple[str, ...] = WITH_BODY) -> Iterator[Record]:
        """Yield the records from one place in the stream to another. Raises StorageError where a piece is missing."""
        if last < first:
            return
        newest = self.link.newest(self.stream, f"{self._prefix}.head.*")
        if newest is None:
            return
        subjects = [f"{self._prefix}.part", *(f"{self._prefix}.head.{kind}" for kind in kinds)]
        parts: list[Message] = []
        for message in self.link.read(self.stream, subjects, first, min(last, self._last_of(kinds, newest.sequence))):
            if message.subject.endswith(".part"):
                parts.append(message)
                continue
            head, body = unpack_head(message.data, where=self._place(message.sequence))
            if head.parts:
                mine = [part for part in parts if part.sequence >= message.sequence - head.parts - head.points]
                if len(mine) != head.parts:
                    raise StorageError(f"{len(mine)} of {head.parts} pieces of a record are there", where=self._place(message.sequence),
                                       remedy="restore the stream from a copy")
                body = b"".join(part.data for part in mine)
            parts.clear()
            if head.what == "begin":
                head = replace(head, began=message.sequence)
            yield Record(message.sequence, head, body)

    def _last_of(self, kinds: tuple[str, ...], newest: int) -> int:
        """Return the sequence of the last record of some kinds: a reader must know where it may stop."""
        found = [self.link.newest(self.stream, f"{self._prefix}.head.{kind}") for kind in kinds]
        return min(newest, max((message.sequence for message in found if message is not None), default=0))

    def next_head(self, first: int) -> tuple[int, RecordHead] | None:
        """Return the first record's place and head from a place in the stream on."""
        found = self.link.next_of(self.stream, f"{self._prefix}.head.*", first)
        return None if found is None else (found.sequence, unpack_head(found.data, where=self._place(found.sequence))[0])

    def newest_point(self) -> tuple[RecordHead, bytes] | None:
        """Return the newest checkpoint of the journal, with the head of its batch; None where there is none."""
        message = self.link.newest(self.stream, f"{self._prefix}.point")
        if message is None:
            return None
        head, piece = unpack_head(message.data, where=self._place(message.sequence))
        pieces = [piece]
        for back in range(1, head.points):
            before = self.link.next_of(self.stream, f"{self._prefix}.point", message.sequence - back)
            if before is None or before.sequence != message.sequence - back:
                return None      # half of it has lapsed
            pieces.insert(0, unpack_head(before.data, where=self._place(before.sequence))[1])
        return head, b"".join(pieces)

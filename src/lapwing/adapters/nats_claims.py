"""The regions' common store on JetStream: the newest claim of each number, and the one that replaces it only if nobody else did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress

from lapwing.adapters.nats_link import Message, NatsLink, NotFound, Outgoing
from lapwing.model.errors import StorageError

KEEP_S = 7_200               # a claim lives on in the store so long without being renewed
_NS_PER_S = 1_000_000_000


class ClaimStore:
    """The store of one country; made where it is not there.

    Parameters
    ----------
    link : the connection, which stays the caller's
    name : of the store, the same at every site of the country
    replicas : copies that the cluster keeps: 3 where it has three servers, else 1
    """

    def __init__(self, link: NatsLink, name: str, *, replicas: int = 1) -> None:
        self._link, self.stream, self._prefix = link, f"LAPWING_CLAIMS_{name}", f"lapwing-claims.{name}"
        config = {"name": self.stream, "subjects": [f"{self._prefix}.>"], "storage": "file", "num_replicas": replicas,
                  "max_msgs_per_subject": 1, "max_age": KEEP_S * _NS_PER_S, "discard": "old", "deny_purge": True}
        try:
            link.ask(f"STREAM.INFO.{self.stream}")
        except NotFound:
            try:
                link.ask(f"STREAM.CREATE.{self.stream}", config, patience_s=10.0)
            except StorageError:
                link.ask(f"STREAM.INFO.{self.stream}")       # another site made it in the same moment

    def put(self, number: str, claim: bytes, expected: int) -> int:
        """Store a claim where the newest one of its number is the one expected (0: there is none); return its place.

        Raises Fenced where another one is, Unreachable where nobody knows.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(expected)}
        return self._link.publish([Outgoing(f"{self._prefix}.{number}", claim, headers)], "")

    def follow(self, first: int, is_over: Callable[[], bool]) -> Iterator[tuple[int, bytes]]:
        """Yield (place, claim), the newest of each number first, then each as it is stored, until told to stop.

        Raises Unreachable where the cluster stops answering: the caller goes on from where it was.
        """
        for message in self._link.follow(self.stream, first, is_over):
            yield message.sequence, claim_with_place(message)


def claim_with_place(message: Message) -> bytes:
    """Return a claim with its place in the store. What is no JSON object is handed on as it is: the reader counts it."""
    with suppress(ValueError, RecursionError):
        row = json.loads(message.data)
        if isinstance(row, dict):
            return json.dumps(row | {"sequence": message.sequence}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return message.data

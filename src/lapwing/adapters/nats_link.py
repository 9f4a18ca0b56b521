"""A connection to NATS JetStream for code that waits for its answers: one thread runs the client's loop, calls block.

The client library lacks atomic batch publishing and parts of the JetStream API; both are plain messages (headers and JSON),
so they are sent as such. Every call has a time limit: a server that does not answer is `Unreachable`, never a hang.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lapwing.model.errors import ConfigError, Fenced, StorageError, Unreachable

SCHEMES = ("nats", "tls")
SERVER_LEAST = (2, 12)          # atomic batch publish
PIECE_OCTETS = 524_288          # of one message; servers take 1 MiB as they come
BATCH_MESSAGES_MAX = 1_000      # the server's own limit for an atomic batch
PULLED = 256                    # messages asked for at a time when reading
PULL_S = 1.0                    # how long a server may have none of them
READ_AGAIN = 8                  # fresh readers in a row, each on another server by chance, that may find nothing
_WRONG_LAST_SEQUENCE = 10_071
_NOT_FOUND = (10_037, 10_059)   # message, stream
_FOR_NOW = (10_008, 10_009, 10_040, 10_074, 10_118, 10_164)    # no leader, no quorum, peers offline: pass by themselves
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Target:
    """What ``nats://host:4222,host:4222/JOURNAL`` names."""

    servers: tuple[str, ...]
    journal: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    subject: str
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to a stream."""

    subject: str
    data: bytes
    headers: dict[str, str] = field(default_factory=dict)


def parse_target(url: str, *, where: str = "log") -> Target:
    """Return servers and journal of an address. Raises ConfigError with the remedy."""
    remedy = "write nats://HOST:4222,HOST:4222,HOST:4222/JOURNAL"
    scheme, _, rest = url.partition("://")
    hosts, _, journal = rest.partition("/")
    if scheme not in SCHEMES or not hosts:
        raise ConfigError(f"{url!r} names no NATS servers", where=where, remedy=remedy)
    if "@" in hosts:
        raise ConfigError("a password in an address ends up in logs", where=where, remedy="name a file with log_credentials instead")
    if not (journal and len(journal) <= 60 and journal.replace("-", "").replace("_", "").isalnum() and journal.isascii()):
        raise ConfigError(f"{journal!r} is no name of a journal", where=where,
                          remedy=f"{remedy}: letters, digits, - and _, up to 60 of them")
    servers = []
    for host in hosts.split(","):
        try:
            parts = urlsplit(f"{scheme}://{host}")
            if not parts.hostname:
                raise ValueError("no host")
            servers.append(f"{scheme}://{parts.netloc}" if parts.port else f"{scheme}://{parts.netloc}:4222")
        except ValueError as error:
            raise ConfigError(f"{host!r}: {error}", where=where, remedy=remedy) from error
    return Target(tuple(servers), journal)


class NatsLink:
    """A connection that comes back by itself.

    Parameters
    ----------
    servers : addresses; any one of a cluster will do, all of them are better
    credentials : path of a file: either one line ``user:password``, or a .creds file of NATS; empty for none
    patience_s : how long one answer may take

    Raises Unreachable where no server answers, ConfigError where the extra is not installed or the credentials are refused.
    """

    def __init__(self, servers: Sequence[str], *, credentials: str = "", patience_s: float = 2.0, name: str = "lapwing") -> None:
        try:
            import nats
        except ImportError as error:
            raise ConfigError("the library nats-py is not installed", where="log", remedy="pip install 'lapwing[nats]'") from error
        self.servers, self.patience_s = tuple(servers), patience_s
        self.last_error, self._is_refused = "", False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._client: Any = None
        options: dict[str, Any] = {
            "servers": list(servers), "name": name, "connect_timeout": 2, "allow_reconnect": True, "reconnect_time_wait": 0.2,
            "max_reconnect_attempts": -1, "ping_interval": 2, "max_outstanding_pings": 2, "error_cb": self._noted,
            "disconnected_cb": self._lost} | _sign_in(credentials)
        try:
            # Endless attempts are for a link that was there once; the first one is told about at once.
            self._client = self._wait(asyncio.wait_for(nats.connect(**options), patience_s + 2.0), patience_s + 2.0)
            version = self._client.connected_server_version
            if (version.major, version.minor) < SERVER_LEAST:
                raise ConfigError(f"the server is NATS {version}", where=self.where, remedy="2.12 or newer has what a journal needs")
        except BaseException as error:
            self.close()
            if self._is_refused and isinstance(error, Unreachable):
                raise self._refused() from error
            raise

    def _refused(self) -> ConfigError:
        return ConfigError("user or password refused", where=self.where, remedy="check the file named by log_credentials")

    @property
    def where(self) -> str:
        """The servers, for messages."""
        return ",".join(self.servers)

    @property
    def is_up(self) -> bool:
        """Whether the connection stands now."""
        return bool(self._client is not None and self._client.is_connected)

    async def _noted(self, error: Exception) -> None:
        self.last_error = str(error) or type(error).__name__
        self._is_refused = self._is_refused or "authorization" in self.last_error.lower()

    async def _lost(self) -> None:
        self.last_error = self.last_error or "the connection was lost"

    def _wait(self, coroutine: Coroutine[Any, Any, Result], limit_s: float) -> Result:
        import nats.errors

        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(limit_s + 1.0)      # the coroutine has the limit itself; this is for a client that hangs
        except (TimeoutError, nats.errors.TimeoutError) as error:
            future.cancel()
            raise self._unreachable(f"no answer within {limit_s:.1f} s") from error
        except nats.errors.NoRespondersError as error:
            raise self._unreachable("the cluster has no leader for it now") from error
        except nats.errors.AuthorizationError as error:
            raise self._refused() from error
        except (nats.errors.Error, OSError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error

    def _unreachable(self, what: str) -> Unreachable:
        more = f" ({self.last_error})" if self.last_error and self.last_error not in what else ""
        return Unreachable(what + more, where=self.where, remedy="check the servers and the network between")

    # Requests

    def ask(self, subject: str, body: dict[str, Any] | None = None, *, patience_s: float = 0.0) -> dict[str, Any]:
        """Return the answer of the JetStream API to a request. Raises StorageError, Unreachable."""
        return self._asked(f"$JS.API.{subject}", json.dumps(body or {}).encode(), {}, patience_s)

    def tell(self, subject: str, data: bytes) -> None:
        """Publish outside any stream, to whoever listens now. Raises Unreachable."""
        self._check_up()
        self._wait(self._client.publish(subject, data), self.patience_s)

    def _asked(self, subject: str, data: bytes, headers: dict[str, str], patience_s: float = 0.0) -> dict[str, Any]:
        self._check_up()
        limit_s = patience_s or self.patience_s
        answer = self._wait(self._client.request(subject, data, timeout=limit_s, headers=headers or None), limit_s)
        return self._checked(answer.data)

    def _checked(self, data: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(data)
        error = answer.get("error")
        if error:
            code = int(error.get("err_code", 0))
            what = str(error.get("description", error))
            if code == _WRONG_LAST_SEQUENCE:
                raise Fenced(f"somebody else wrote meanwhile ({what})", where=self.where,
                             remedy="this process must end or wait; the other one goes on")
            if code in _FOR_NOW or int(error.get("code", 0)) == 503:
                raise self._unreachable(what)
            if code in _NOT_FOUND:
                raise NotFound(what, where=self.where)
            raise StorageError(f"JetStream: {what} (code {code})", where=self.where, remedy="see the server's log")
        return answer

    def _check_up(self) -> None:
        # Nothing is left to the client's buffer: what it would send after reconnecting was reported as failed by then.
        if not self.is_up:
            raise self._unreachable("not connected")

    def publish(self, messages: Sequence[Outgoing], batch_id: str) -> int:
        """Store all of the messages, or none; return the sequence of the last one. Raises Fenced, Unreachable, StorageError."""
        if len(messages) == 1:
            return int(self._asked(messages[0].subject, messages[0].data, messages[0].headers)["seq"])
        if len(messages) > BATCH_MESSAGES_MAX:
            raise StorageError(f"{len(messages)} messages in one batch, {BATCH_MESSAGES_MAX} are taken", where=self.where,
                               remedy="shorten site.window_s")
        self._check_up()
        limit_s = self.patience_s + len(messages) * 0.05
        return int(self._checked(self._wait(self._published(messages, batch_id, limit_s), limit_s))["seq"])

    async def _published(self, messages: Sequence[Outgoing], batch_id: str, limit_s: float) -> bytes:
        last = len(messages)
        for i, message in enumerate(messages, 1):
            headers = message.headers | {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(i)}
            if i == last:
                headers["Nats-Batch-Commit"] = "1"
                answer = await self._client.request(message.subject, message.data, timeout=limit_s, headers=headers)
                return bytes(answer.data)
            await self._client.publish(message.subject, message.data, headers=headers)
        raise AssertionError("there is a last one")

    # Reading

    def newest(self, stream: str, subject: str) -> Message | None:
        """Return the newest message of a subject, as the stream's leader has it; None for none."""
        return self._got(stream, {"last_by_subj": subject})

    def next_of(self, stream: str, subject: str, first: int) -> Message | None:
        """Return the first message of a subject from a sequence on; None for none."""
        return self._got(stream, {"seq": max(1, first), "next_by_subj": subject})

    def _got(self, stream: str, body: dict[str, Any]) -> Message | None:
        try:
            found = self.ask(f"STREAM.MSG.GET.{stream}", body)["message"]
        except NotFound:
            return None
        return Message(found["subject"], int(found["seq"]), base64.b64decode(found.get("data", "")))

    def read(self, stream: str, subjects: Sequence[str], first: int, last: int) -> Iterator[Message]:
        """Yield the messages of some subjects from one sequence to another, in order.

        The reader is a passing consumer of the server; `last` must be one of theirs. A reader that lags behind the leader is
        waited for; one that stops answering is Unreachable, never a shorter journal.
        """
        if first > last:
            return
        reached, empty = first - 1, 0
        while reached < last:
            before = reached
            for message in self._read_on(stream, subjects, reached + 1):
                if message.sequence > last:
                    return
                reached = message.sequence
                yield message
                if reached == last:
                    return
            empty = empty + 1 if reached == before else 0
            if empty > READ_AGAIN:
                raise self._unreachable(f"reading stopped at message {reached} of {last}")

    def follow(self, stream: str, first: int, is_over: Callable[[], bool]) -> Iterator[Message]:
        """Yield the messages of a stream from a sequence on, then each as it comes. Raises Unreachable where none would come any more."""
        name = self._reader(stream, [">"], first)
        try:
            while not is_over():
                pulled = self._wait(self._pulled(stream, name), PULL_S + 3.0)
                yield from pulled
                if not pulled:
                    self.ask(f"CONSUMER.INFO.{stream}.{name}")     # silence must mean that there is nothing
        except NotFound as error:
            raise self._unreachable("the reader is gone from the cluster") from error
        finally:
            with contextlib.suppress(StorageError):
                self.ask(f"CONSUMER.DELETE.{stream}.{name}")

    def _reader(self, stream: str, subjects: Sequence[str], first: int) -> str:
        """Make a passing consumer; it goes by itself after thirty seconds."""
        name = f"lapwing-{os.getpid()}-{os.urandom(6).hex()}"
        self.ask(f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "action": "create", "config": {
            "name": name, "deliver_policy": "by_start_sequence", "opt_start_seq": max(1, first), "ack_policy": "none",
            "filter_subjects": list(subjects), "mem_storage": True, "num_replicas": 1, "inactive_threshold": 30_000_000_000}})
        return name

    def _read_on(self, stream: str, subjects: Sequence[str], first: int) -> Iterator[Message]:
        """Yield messages from a sequence on until one server has no more; it may be a replica that lags."""
        name = self._reader(stream, subjects, first)
        try:
            reached = first - 1
            while pulled := self._wait(self._pulled(stream, name), PULL_S + 3.0):
                for message in pulled:
                    assert message.sequence > reached, "a consumer gives messages in order"
                    reached = message.sequence
                    yield message
        finally:
            with contextlib.suppress(StorageError):
                self.ask(f"CONSUMER.DELETE.{stream}.{name}")

    async def _pulled(self, stream: str, name: str) -> list[Message]:
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        found: list[Message] = []
        try:
            await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", json.dumps(
                {"batch": PULLED, "expires": int(PULL_S * 1e9), "no_wait": False, "max_bytes": 16_777_216}).encode(), inbox)
            pending = 1
            while len(found) < PULLED and pending:
                message = await subscription.next_msg(timeout=PULL_S + 1.0)
                if message.headers and "Status" in message.headers:
                    break        # 408 nothing more, 409 the consumer is gone
                place = message.metadata
                pending = place.num_pending
                found.append(Message(message.subject, place.sequence.stream, bytes(message.data)))
        except TimeoutError:
            pass
        finally:
            await subscription.unsubscribe()
        return found

    async def _shut(self) -> None:
        if self._client is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._client.close(), 1.0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def close(self) -> None:
        """Close the connection; again does nothing."""
        if self._loop.is_closed():
            return
        try:
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(3.0)
        except Exception as error:  # closing must not hide why it is closed
            self.last_error = str(error)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2.0)
        if not self._thread.is_alive():
            self._loop.close()


class NotFound(StorageError):
    """The stream or message asked for is not there."""


def _sign_in(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=path, remedy="name a file with user:password, or a .creds file") from error
    if "-----BEGIN" in text:
        return {"user_credentials": path}
    user, colon, password = text.strip().partition(":")
    if not (user and colon and password) or "\n" in text.strip():
        raise ConfigError("holds no user:password", where=path, remedy="write both into one line, with a colon between")
    return {"user": user, "password": password}

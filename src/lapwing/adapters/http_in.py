"""Reports over HTTP: nodes and other systems post JSON (or CoT, SAPIENT, Remote ID octets) to ``http-in://HOST:PORT/FORMAT``.

``POST /acoustic`` with one record, or several one a line, is answered with 202 once all are handed to the journal's queue. The
queue is bounded: when it is full the answer is 503 and the sender tries again; nothing is dropped in silence. What a record
means is judged by its reader, which counts what it refuses.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lapwing.adapters.tcp import WAIT_S
from lapwing.adapters.tcp_server import parse_listen
from lapwing.model import entries as formats
from lapwing.model.errors import ConfigError

BODY_MAX = 4 * 1_048_576
RECORDS_MAX = 10_000          # in one post
WAITING_MAX = 20_000
READ_S = 10.0                 # a sender that does not finish its post is hung up on
LINES = (formats.ACOUSTIC, formats.POSITION, formats.SIGHTING, formats.PATROL, formats.IDENTIFY, formats.IMPACT)
WHOLE = (formats.AIRCRAFT_JSON, formats.REMOTE_ID, formats.COT, formats.SAPIENT)
Item = tuple[int, str, str, bytes]


class HttpSource:
    """Records of all who post to one address.

    Parameters
    ----------
    url : where to listen; each sender's link is this with its address behind it
    clock : nanoseconds UTC of now
    idle : called whenever nothing came for `WAIT_S`; return True to end the link
    allow : called with the sender's address; False is answered with 403. None: anybody
    """

    def __init__(self, url: str, clock: Callable[[], int], *, idle: Callable[[], bool] = lambda: False,
                 allow: Callable[[str], bool] | None = None) -> None:
        self.link, self._idle = url, idle
        self.refused_count = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._waiting: queue.Queue[Item] = queue.Queue(WAITING_MAX)
        host, port = parse_listen(url)
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(self, clock, allow))
        except OSError as error:
            raise ConfigError(f"cannot listen: {error.strerror}", where=url,
                              remedy="another program may have the port, or the address is not of this machine") from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(WAIT_S,), name=f"http {url}", daemon=True)
        self._thread.start()

    def take(self, items: list[Item]) -> bool:
        """Put records into the queue, all or none; False where they have no room."""
        if self._waiting.qsize() + len(items) > WAITING_MAX or self._stop.is_set():
            self.refused_count += len(items)
            return False
        for item in items:
            self._waiting.put(item)
        return True

    def __iter__(self) -> Iterator[Item]:
        """Yield records until closed."""
        while not self._stop.is_set():
            try:
                yield self._waiting.get(timeout=WAIT_S)
            except queue.Empty:
                if self._idle():
                    break
        self.close()

    def close(self) -> None:
        """End the link."""
        if not self._stop.is_set():
            self._stop.set()
            self._server.shutdown()
            self._server.server_close()


def records_of(format_: str, body: bytes) -> list[bytes]:
    """Return the records of a post. ValueError says what is wrong."""
    if format_ in WHOLE:
        if not body:
            raise ValueError("an empty body")
        return [body]
    if format_ not in LINES:
        raise ValueError(f"no format {format_!r}: one of {', '.join((*LINES, *WHOLE))}")
    text = body.strip()
    lines = [line for line in text.split(b"\n") if line.strip()]
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None                 # several records, one a line
    rows = whole if isinstance(whole, list) else [whole] if isinstance(whole, dict) else [json.loads(line) for line in lines]
    if not rows or len(rows) > RECORDS_MAX or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"1 to {RECORDS_MAX} JSON objects expected")
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


def _handler(source: HttpSource, clock: Callable[[], int], allow: Callable[[str], bool] | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = READ_S
        server_version, sys_version = "Lapwing", ""

        def do_POST(self) -> None:
            sender = str(self.client_address[0])
            if allow is not None and not allow(sender):
                self._answer(403, {"error": "this address is not on the list of senders"})
                return
            try:
                length = int(self.headers.get("Content-Length", ""))
            except ValueError:
                length = -1
            if not 0 <= length <= BODY_MAX:
                self._answer(413, {"error": f"a body of 0 to {BODY_MAX} octets with its Content-Length expected"})
                return
            body = self.rfile.read(length)
            format_ = self.path.strip("/")
            try:
                records = records_of(format_, body)
            except (ValueError, RecursionError) as error:
                self._answer(400, {"error": str(error)[:300]})
                return
            received_ns, link = clock(), f"{source.link}#{sender}"
            if source.take([(received_ns, link, format_, record) for record in records]):
                self._answer(202, {"taken": len(records)})
            else:
                self._answer(503, {"error": "the queue is full: try again"})

        def _answer(self, status: int, words: dict[str, object]) -> None:
            octets = json.dumps(words).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(octets)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(octets)
            self.close_connection = True

        def log_message(self, format: str, *words: object) -> None:
            """Nothing: what came is in the journal, what was refused is counted."""

    return Handler

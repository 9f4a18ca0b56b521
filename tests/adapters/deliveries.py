"""Deliveries for the tests of channels, and an HTTP receiver that behaves as it is told."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lapwing.model.times import to_iso
from lapwing.warn import cap
from lapwing.warn.cap_delivery import delivery_of

S = 1_000_000_000
T = 1_754_423_522 * S
RING = ((45.0, 28.0), (45.0, 28.1), (45.1, 28.1), (45.0, 28.0))


def alert_row(number=0, *, chain="a", status="Actual", level="alert", msg_type=None, sent_ns=None, life_s=1_200, zones=("RO-1", "RO-2"),
              cleared=()):
    """Return a journaled alert: message `number` of a chain."""
    sent_ns = T + number * 10 * S if sent_ns is None else sent_ns
    msg_type = msg_type or ("Alert" if number == 0 else "Update")
    identifier = f"urn:uuid:{chain}-{number}"
    references = tuple(cap.reference("us@x", f"urn:uuid:{chain}-{n}", T + n * 10 * S) for n in range(number))
    ends = level == "all_clear" or msg_type == "Cancel"

    def info(language, kind, codes):
        area = cap.Area("Here", (RING,), tuple(("LAPWING", code) for code in codes))
        responses, urgency = (("AllClear",), "Past") if kind == "all_clear" else (("Shelter",), "Immediate")
        return cap.Info(language, "Drone", responses, urgency, "Severe", "Likely", "Us",
                        f"{level} {number} {language}", "What", "Do", (area,), effective_ns=sent_ns,
                        expires_ns=sent_ns + life_s * S, parameters=(("level", kind), ("short_text", f"{level} ț {language}")))

    infos = [info(language, "all_clear" if ends else level, zones) for language in ("ro", "en")]
    infos += [info(language, "all_clear", cleared) for language in ("ro", "en") if cleared]
    document = cap.write(cap.Message(identifier, "us@x", sent_ns, status, msg_type, tuple(infos), references=references, incidents=chain))
    return {"identifier": identifier, "sent": to_iso(sent_ns), "status": status, "msg_type": msg_type, "level": level,
            "references": list(references), "zones": [{"code": z, "name": z} for z in zones],
            "cleared": [{"code": z, "name": z} for z in cleared], "polygon": [[list(p) for p in RING]],
            "expires": to_iso(sent_ns + life_s * S), "approved_time": to_iso(sent_ns), "cap_xml": document.decode()}


def delivery(number=0, **changes):
    return delivery_of(alert_row(number, **changes)["cap_xml"].encode())


def send(channel, made):
    return channel.send(made.identifier, made.document)


class Receiver:
    """An HTTP server on a free port. `behave(n)` says what to do with request n: ok, a status, hang, drip, drop, lie, late."""

    def __init__(self, behave=lambda n: "ok"):
        self.behave, self.requests, self.taken, self.doubles = behave, [], {}, 0
        self._lock, self.stop_hanging = threading.Lock(), threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.handle(self)

            do_DELETE = do_POST

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        key = request.headers.get("Idempotency-Key", "")
        with self._lock:
            number = len(self.requests)
            self.requests.append((request.command, request.path, dict(request.headers), body))
        what = self.behave(number)
        if what in ("ok", "late", "drop after"):
            with self._lock:
                if key in self.taken:
                    self.doubles += 1         # known: answered, and nothing done a second time
                else:
                    self.taken[key] = body
        if what in ("hang", "late"):
            self.stop_hanging.wait(30)
            return
        if what in ("drop", "drop after"):
            request.connection.close()
            return
        status = what if isinstance(what, int) else 200
        request.send_response(status)
        if what == "drip":
            request.send_header("Content-Length", "1000")
            request.end_headers()
            for _ in range(1_000):
                if self.stop_hanging.wait(0.1):
                    return
                request.wfile.write(b".")
            return
        text = b"<html>all is well</html>" if what == "lie" else json.dumps({"taken": key}).encode()
        request.send_header("Content-Length", str(len(text)))
        if status in (301, 302, 307):
            request.send_header("Location", "http://127.0.0.1:9/elsewhere")
        request.end_headers()
        request.wfile.write(text)

    def close(self):
        self.stop_hanging.set()
        self.server.shutdown()
        self.server.server_close()


def until(condition, seconds=60.0):
    """Wait for a condition of another thread or process; False where it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())

"""`lapwing bench kill`: a real service under load, killed with SIGKILL at random moments, again and again; what was lost?

Plots come over UDP, people's entries over HTTP. An entry counts as acknowledged when it was answered with 202. At the end
every segment of the journal is checked and replayed, and everything acknowledged must be in it, once.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError
from lapwing.record import audit
from lapwing.runtime.replay import verify_replay
from lapwing.runtime.segments import chain_faults, segments
from lapwing.sense.asterix.encode import encode_block

KILLS = 10
SEED = 9_001
OBJECTS = 40                 # each with a plot a second
RADAR_DEG = (45.19, 28.80)
SITE = """[site]
name = "kill loop"
country = "ro"
[console]
port = 0
[link.radar]
url = "udp://127.0.0.1:{port}"
allow_from = ["127.0.0.1"]
[sensor.tulcea]
sac = 25
sic = 201
categories = [48]
lat_deg = 45.19
lon_deg = 28.80
antenna_m_amsl = 100.0
rotation_s = 1.0
[policy]
sender = "bench@example.invalid"
[limits]
checkpoint_s = 5.0
"""


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Kill a service `KILLS` times and check what it kept; `repeat` multiplies the kills."""
    with tempfile.TemporaryDirectory(prefix="lapwing-kill-") as name:
        loop = _Loop(Path(name))
        starts = [loop.life(kill=True) for _ in range(KILLS * repeat)]
        starts.append(loop.life(kill=False))
        journaled, alerts, faults = loop.found()
        lost = [text for text in loop.acknowledged if text not in journaled]
        doubled = len(journaled) - len(set(journaled)) + len(alerts) - len(set(alerts))
        files = {path.name for path in (loop.folder / "data/alerts").glob("*.xml")}
        unsent = [alert for alert in set(alerts) if not any(alert.removeprefix("urn:uuid:") in name for name in files)]
        note = f"{loop.sent} datagrams, {OBJECTS} objects, seed {SEED}"
        yield figure("kill", "SIGKILL at random moments", len(starts) - 1, "times", note=note)
        yield figure("kill", "entries acknowledged", len(loop.acknowledged), "entries")
        yield figure("kill", "entries acknowledged and lost", len(lost), "entries")
        yield figure("kill", "alerts in the journal", len(alerts), "alerts")
        yield figure("kill", "alerts that no channel took", len(unsent), "alerts")
        yield figure("kill", "entries or alerts doubled", doubled, "rows")
        yield figure("kill", "faults of chain and replay", len(faults), "faults", note="; ".join(faults[:3]))
        yield figure("kill", "start to ready, median", statistics.median(starts), "s", note=f"longest {max(starts):.1f} s")


class _Loop:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: list[str] = []
        self.sent = self._entered = 0
        self._random = random.Random(SEED)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        (folder / "site.toml").write_text(SITE.format(port=self._port), encoding="utf-8")
        self._begun_s = time.time()

    def life(self, *, kill: bool) -> float:
        """Run the service once under load, killed or stopped; return the seconds that it took to be ready."""
        begun_s = time.monotonic()
        with (self.folder / "log.jsonl").open("a") as log:
            process = subprocess.Popen([sys.executable, "-m", "lapwing", "run", str(self.folder / "site.toml"), "--log", "json"],
                                       stdout=subprocess.PIPE, stderr=log, text=True, env=dict(os.environ))
        assert process.stdout is not None, "it was asked for"
        line = process.stdout.readline()
        took_s = time.monotonic() - begun_s
        if not line.startswith("console: "):
            process.wait()
            raise InputError(f"the service did not start (exit status {process.returncode})", where=str(self.folder / "log.jsonl"),
                             remedy="see its log")
        over = threading.Event()
        load = threading.Thread(target=self._load, args=(over,))
        load.start()
        url = line.split(": ", 1)[1].strip()
        until_s = time.monotonic() + self._random.uniform(0.5, 5.0)
        killer = threading.Timer(max(0.0, until_s - time.monotonic()), process.kill)
        if kill:
            killer.start()
        while time.monotonic() < until_s and process.poll() is None:
            self._enter(url)
        if not kill:
            time.sleep(1.0)
            process.terminate()
        process.wait()
        process.stdout.close()
        over.set()
        load.join()
        return took_s

    def _enter(self, url: str) -> None:
        self._entered += 1
        text = f"entry {self._entered}"
        body = {"event": "seen", "patrol": "V", "by": "bench", "text": text}
        with contextlib.suppress(URLError, OSError, HTTPException, ValueError):     # killed between two octets of its answer
            proposals = json.loads(self._ask(url + "api/alerts"))["proposals"] if self._entered % 5 == 0 else []
            if proposals:
                self._ask(url + "api/command", {"action": "approve", "alert_id": proposals[0]["id"], "by": f"officer {self._entered}"})
            if self._ask(url + "api/log/patrol", body):
                self.acknowledged.append(text)

    def _ask(self, url: str, body: dict[str, str] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
            return bytes(answer.read())

    def _load(self, over: threading.Event) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            turn = 0
            while not over.wait(1.0 / OBJECTS):
                turn += 1
                out.sendto(plot(turn % OBJECTS, time.time(), self._begun_s), ("127.0.0.1", self._port))
                self.sent += 1

    def found(self) -> tuple[list[str], list[str], list[str]]:
        """Return texts of entries and identifiers of alerts in the journal, and what is wrong with it."""
        journal, texts, alerts = self.folder / "data/journal", [], []
        faults = [f"{where}: {what}" for where, what in chain_faults(journal)]
        for segment in segments(journal):
            with SqliteLog(segment.path, read_only=True) as log:
                faults += log.damage() + [f"{fault.where}: {fault.what}" for fault in audit.check(log.sealed(), log.head()).faults]
                texts += [json.loads(entry.payload)["text"] for batch in log.read() for entry in batch.entries
                          if entry.link == "console" and entry.format == "patrol"]
                alerts += [json.loads(output.payload)["identifier"] for _, output in log.outputs_of("alert")]
            faults += list(verify_replay(segment.path).differences)
        return texts, alerts, faults


def plot(number: int, now_s: float, begun_s: float) -> bytes:
    """Return the plot of one of the objects: they fly south to the border, side by side, and begin again after ten minutes."""
    north_m = 30_000.0 - 45.0 * ((now_s - begun_s) % 600.0)
    east_m = -20_000.0 + 1_000.0 * number
    theta = round(math.degrees(math.atan2(east_m, north_m)) % 360.0 * 65_536 / 360) % 65_536 * 360 / 65_536
    return encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": math.floor(now_s % 86_400 * 128) / 128, "020": {"TYP": 1},
                              "040": {"RHO": round(math.hypot(north_m, east_m) / 1_852 * 256) / 256, "THETA": theta}}])

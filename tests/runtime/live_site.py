"""A real site for tests: its file, a radar that sends it ASTERIX over UDP in real time, and the pages it answers with."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from lapwing.sense.asterix.encode import encode_block

SRC = str(Path(__file__).parents[2] / "src")
# A radar at Tulcea that turns once a second, so that a test need not wait for ten turns of four.
RADAR_DEG, SAC, SIC = (45.19, 28.80), 25, 201
START_DEG, SPEED_MPS = (45.42, 28.75), 50.0    # over Ukraine, some 12 km north of the Danube, flying south

SITE = """
[site]
name = "test"
country = "ro"
data = "data"
window_s = 0.1
[console]
port = 0
[link.radar]
url = "udp://127.0.0.1:{port}"
allow_from = ["127.0.0.1"]
silent_after_s = 5
[sensor.tulcea]
sac = 25
sic = 201
categories = [34, 48]
lat_deg = 45.19
lon_deg = 28.80
antenna_m_amsl = 100.0
rotation_s = 1.0
range_m_sigma = 30.0
azimuth_deg_sigma = 0.05
[policy]
sender = "test@example.invalid"
[channel.files]
kind = "cap-files"
folder = "alerts"
statuses = ["Exercise"]
[limits]
checkpoint_s = 3.0
"""


# The least that is a site; a test adds the table that it is about.
LEAST_SITE = """
[site]
country = "ro"
[link.a]
url = "udp://:8600"
allow_from = ["10.0.0.1"]
[sensor.x]
sac = 1
sic = 2
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds: float = 120.0, every: float = 0.1):
    """Return the first true value of a function; fail after so long."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = what()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"did not happen within {seconds} s: {what}")


class Radar:
    """Sends one plot a second of an object that flies south, measured at the time it is sent."""

    def __init__(self, port: int) -> None:
        self._to, self._socket = ("127.0.0.1", port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._begun, self._next = time.time(), time.monotonic()
        self.sent = 0

    def due(self) -> None:
        """Send the plot that is due, if one is."""
        if time.monotonic() >= self._next:
            self._next += 1.0
            self._socket.sendto(self.plot(time.time()), self._to)
            self.sent += 1

    def plot(self, now_s: float) -> bytes:
        """Return one CAT048 record: a primary plot with a height of 300 m by Mode C (a drone with a made-up answer)."""
        north_m = (START_DEG[0] - RADAR_DEG[0]) * 111_200.0 - SPEED_MPS * (now_s - self._begun)
        east_m = (START_DEG[1] - RADAR_DEG[1]) * 111_200.0 * math.cos(math.radians(RADAR_DEG[0]))
        range_nm, azimuth = math.hypot(north_m, east_m) / 1_852.0, math.degrees(math.atan2(east_m, north_m)) % 360.0
        theta = round(azimuth * 65_536 / 360) % 65_536 * 360 / 65_536
        return encode_block(48, [{"010": {"SAC": SAC, "SIC": SIC}, "140": math.floor(now_s % 86_400 * 128) / 128, "020": {"TYP": 1},
                                  "040": {"RHO": round(range_nm * 256) / 256, "THETA": theta}}])


class Running:
    """``lapwing run`` as a process of its own."""

    def __init__(self, config: Path, *more: str) -> None:
        self.log = config.parent / f"log-{time.monotonic_ns()}.jsonl"
        with self.log.open("w") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "lapwing", "run", str(config), "--log", "json", *more],
                                            env=os.environ | {"PYTHONPATH": SRC}, stdout=subprocess.PIPE, stderr=out, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("console: "), f"did not start: {self.log.read_text()}"
        self.url = line.split(": ", 1)[1].strip()

    def get(self, path: str) -> tuple[int, object]:
        try:
            with urllib.request.urlopen(self.url + path.lstrip("/"), timeout=10) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        return status, json.loads(body) if body[:1] in b"{[" else body.decode()

    def post(self, path: str, record: dict) -> tuple[int, object]:
        request = urllib.request.Request(self.url + path.lstrip("/"), json.dumps(record).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

"""``lapwing bench live-start``: ``lapwing run`` from nothing, a radar sending all the while.

Taken are the time until its first datagram is decoded (with plain Python while kernels are compiled or loaded), until the loop turns,
and from there until plots of what waited and of what comes in are in the picture: with an empty kernel cache and with a full one.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lapwing.adapters.udp import UdpSender
from lapwing.runtime.bench_live import free_port
from lapwing.sense.asterix.encode import encode_block

SITE = """
[site]
data = "data"
[console]
port = 0
[link.radar]
url = "udp://127.0.0.1:{port}"
allow_from = ["127.0.0.1"]
[sensor.radar]
sac = 25
sic = 201
lat_deg = 45.19
lon_deg = 28.80
rotation_s = 4.0
categories = [48]
"""
SEND_EVERY_S = 0.02
LIMIT_S = 600.0


def figures(repeat: int, make: Callable[..., Any]) -> Iterator[Any]:
    """Yield the figures of a start with an empty cache of kernels and one with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        for cache in ("empty", "full"):
            found = _start(Path(folder) / cache, state)
            for what, value in found.items():
                yield make("live", f"{what}, {cache} kernel cache", value, "s")


def _start(folder: Path, state: Path) -> dict[str, float]:
    folder.mkdir()
    port = free_port()
    (folder / "site.toml").write_text(SITE.format(port=port), encoding="utf-8")
    environment = {**os.environ, "LAPWING_STATE": str(state)}
    environment.pop("NUMBA_CACHE_DIR", None)
    begun_s = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "lapwing", "run", str(folder / "site.toml"), "--log", "json"], env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    looked: list[float] = []
    done = threading.Event()
    threads = [threading.Thread(target=_send, args=(port, done), daemon=True),
               threading.Thread(target=_read, args=(process, looked), daemon=True)]
    for thread in threads:
        thread.start()
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(": ", 1)[-1].strip()
        ready_s = time.monotonic()
        plots = math.nan
        while url and time.monotonic() - ready_s < LIMIT_S:
            if _plots(url) > 0:
                plots = time.monotonic() - ready_s
                break
            time.sleep(0.01)
    finally:
        done.set()
        process.terminate()
        process.wait(60)
    return {"start to first datagram decoded": looked[0] - begun_s if looked else math.nan, "start to ready": ready_s - begun_s,
            "ready to first plots": plots}


def _send(port: int, done: threading.Event) -> None:
    sender = UdpSender(f"udp://127.0.0.1:{port}")
    number = 0
    while not done.wait(SEND_EVERY_S):
        number += 1
        try:
            sender.send(encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": math.floor(time.time() % 86_400 * 128) / 128,
                                           "020": {"TYP": 1}, "040": {"RHO": 20.0, "THETA": float(number % 360)}}]))
        except OSError:
            continue      # nobody listens yet
    sender.close()


def _read(process: subprocess.Popen[str], looked: list[float]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        try:
            text = str(json.loads(line).get("text", ""))
        except ValueError:
            continue
        if "first datagram decoded" in text:
            looked.append(time.monotonic())


def _plots(url: str) -> float:
    try:
        with urllib.request.urlopen(url + "metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return 0.0
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith("lapwing_plots_total ")), 0.0)

"""`lapwing bench load`: 20,000 plots/s over loopback UDP into a whole live service, console and journal and all.

A process of its own sends; the service is `lapwing run` as anybody starts it, one fsync a batch. Latency is the service's own
(/metrics), from the reception of a plot until its outputs were journaled; loss is what was sent and does not stand in the journal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError
from lapwing.runtime.bench_live import free_port
from lapwing.runtime.latency import quantile
from lapwing.runtime.load_scene import ROTATION_S, Scene
from lapwing.runtime.segments import segments

SECONDS, RATE, RADARS, DRONES = 60.0, 20_000.0, 20, 40
SECONDS_VARIABLE, RATE_VARIABLE = "LAPWING_BENCH_SECONDS", "LAPWING_BENCH_RATE"
WINDOW_S = 0.1
WARM_S = 15.0                # tracks begin, kernels are loaded; not counted in latencies
DRAIN_S = 60.0               # how long what waits may take after the last datagram
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Yield rate, loss, latencies and memory of one run of 60 s (or of LAPWING_BENCH_SECONDS)."""
    seconds, rate = float(os.environ.get(SECONDS_VARIABLE, SECONDS)), float(os.environ.get(RATE_VARIABLE, RATE))
    scene = Scene(round(rate * ROTATION_S / RADARS), DRONES, RADARS)
    with tempfile.TemporaryDirectory(prefix="lapwing-load-") as name, RunningSite(Path(name), scene, WINDOW_S) as site:
        begun_s = time.time()
        sender = start_sender(scene, site.port, seconds + WARM_S, 1.0, begun_s)
        time.sleep(WARM_S)
        early = site.metrics()
        first_octets = peak_octets = 0.0
        while sender.poll() is None:
            time.sleep(1.0)
            now_octets = site.metrics().get(("lapwing_resident_octets", ""), 0.0)
            first_octets, peak_octets = first_octets or now_octets, max(peak_octets, now_octets)
        assert sender.stdout is not None, "it was asked for"
        sent, plots, late = map(int, sender.stdout.read().split())
        behind_s = site.drain(sent, DRAIN_S)
        metrics = site.metrics()
        busy_s = site.processor_s()
        site.stop()
        journaled = site.journaled()
        note = f"{scene.objects:,} objects, {RADARS} radars, {DRONES} drones, {seconds:g} s; load of the machine {os.getloadavg()[0]:.1f}"
        yield figure("load", "plots sent", plots / (seconds + WARM_S), "/s", note=note)
        yield figure("load", "plots used", metrics.get(("lapwing_plots_total", ""), 0.0) / max(1, plots), "of 1")
        yield figure("load", "datagrams sent late by more than 0.1 s", float(late), "of", sent, note="the sender's own doing")
        for words, key in (("dropped by the kernel", "dropped"), ("shed, the queue being full", "shed")):
            yield figure("load", f"datagrams {words}", sum(v for (n, _), v in metrics.items() if n == f"lapwing_link_{key}_total"), "")
        yield figure("load", "datagrams sent and not in the journal", float(sent - journaled), "", note=f"{journaled:,} are")
        yield figure("load", "behind at the end", behind_s, "s", note="until everything that was sent had been processed")
        for words, kind in (("track", "plot_to_track"), ("proposal", "plot_to_proposal")):
            buckets, before = (buckets_of(each, f"lapwing_{kind}_seconds_bucket") for each in (metrics, early))
            buckets = {bound: count - before.get(bound, 0.0) for bound, count in buckets.items()}
            count = buckets.get("+Inf", 0.0)
            for share in (0.5, 0.99):
                yield figure("load", f"plot to {words}, p{share * 100:g}", quantile(buckets, share), "s",
                             note=f"of {count:,.0f}; up to {WINDOW_S:g} s of it is waiting for the batch")
        yield figure("load", "processor time of the service", busy_s / (seconds + WARM_S + behind_s), "of 1",
                     note="start included; above 1: more than a core")
        yield figure("load", "longest turn of the last minute", metrics.get(("lapwing_turn_seconds_max", ""), 0.0), "s")
        yield figure("load", "stalls of the loop", metrics.get(("lapwing_stalls_total", ""), 0.0), "", note=site.warnings())
        yield figure("load", "memory, at most", peak_octets / 1e6, "MB", note=f"{first_octets / 1e6:.0f} MB at the beginning")


def start_sender(scene: Scene, port: int, seconds: float, speed: float, begin_s: float) -> subprocess.Popen[str]:
    """Start a process that sends a scene."""
    words = map(str, (scene.objects, scene.drones, scene.radars, port, seconds, speed, begin_s, scene.life_s))
    return subprocess.Popen([sys.executable, "-m", "lapwing.runtime.load_scene", *words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True)


def buckets_of(metrics: dict[tuple[str, str], float], name: str) -> dict[str, float]:
    """Return bound -> count of a histogram."""
    return {labels.removeprefix('le="').removesuffix('"'): value for (each, labels), value in metrics.items() if each == name}


class RunningSite:
    """`lapwing run` on a folder of its own, or another module that takes the same site; stopped at the end."""

    def __init__(self, folder: Path, scene: Scene, window_s: float, *, module: str = "lapwing", words: tuple[str, ...] = ("run",)) -> None:
        self.folder, self.port = folder, free_port()
        config = folder / "site.toml"
        config.write_text(scene.site_toml(self.port, window_s=window_s), encoding="utf-8")
        self._log = folder / "log.jsonl"
        with self._log.open("w") as log:
            self.process = subprocess.Popen([sys.executable, "-m", module, *words, str(config)], stdout=subprocess.PIPE, stderr=log,
                                            text=True)
        assert self.process.stdout is not None, "it was asked for"
        line = self.process.stdout.readline()
        if not line.startswith("console: "):
            self.process.wait()
            raise InputError(f"the service did not start (exit status {self.process.returncode})", where=self._log.name,
                             remedy=self._log.read_text()[-500:] or "no word of why")
        self.url = line.split(": ", 1)[1].strip()

    def get(self, path: str) -> bytes:
        """Return what a page answers; empty where it does not in time."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return bytes(answer.read())
        except (OSError, HTTPException):
            return b""

    def metrics(self) -> dict[tuple[str, str], float]:
        """Return the samples of /metrics by name and labels."""
        return {(name, labels): float(value) for name, labels, value in _SAMPLE.findall(self.get("metrics").decode())}

    def drain(self, datagrams: int, limit_s: float) -> float:
        """Wait until so many datagrams were processed; return how long that took, the limit where it did not."""
        begun_s = time.monotonic()
        while (waited_s := time.monotonic() - begun_s) < limit_s:
            metrics = self.metrics()
            shed = sum(v for (n, _), v in metrics.items() if n in ("lapwing_link_shed_total", "lapwing_link_dropped_total"))
            done = metrics.get(("lapwing_entries_total", ""), 0.0) + shed >= datagrams
            if done and metrics.get(("lapwing_queue_entries", ""), 1.0) == 0.0:
                return waited_s
            time.sleep(0.2)
        return limit_s

    def journaled(self) -> int:
        """Return how many datagrams stand in the journal; after `stop`."""
        count = 0
        for segment in segments(self.folder / "data/journal"):
            with SqliteLog(segment.path, read_only=True) as log:
                count += sum(1 for batch in log.read() for entry in batch.entries if entry.format == "asterix")
        return count

    def warnings(self) -> str:
        """Return the degraded modes that the log names, each once."""
        found = sorted(set(re.findall(r"degraded: ([\w ]+?):", self._log.read_text())))
        sensors = [name for name in found if name.startswith("sensor ")]
        words = [name for name in found if name not in sensors] + ([f"{len(sensors)} sensors"] if sensors else [])
        return f"degraded: {', '.join(words)}" if words else "never degraded"

    def processor_s(self) -> float:
        """Return the processor time that the service has used, of all its threads."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self) -> int:
        """Return how many files, sockets and pipes the service holds."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self) -> None:
        """Stop in good order."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> RunningSite:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert self.process.stdout is not None, "it was asked for"
        self.process.stdout.close()

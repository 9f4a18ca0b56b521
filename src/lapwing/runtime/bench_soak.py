"""`lapwing bench soak`: hours of event time at ten times the speed through a whole live service; does it grow?

Objects come and go, each has its tracks, verdicts, proposals and alerts; an officer approves what is proposed; the console is
read all the while. The service is `lapwing run` with a clock that runs fast (its timers of health and delivery run in real time).
The slope is that of a line through the memory after the warm-up, with its standard error. The warm-up is long: the console's
history holds half an hour, its lists of alerts and of notices are full after an hour and an hour and a half of this scene, and
a kernel is loaded when its first case comes. A run that is too short for it measures the filling, and says so. Huge pages are
told apart: the kernel makes them of large arrays when it likes, which are steps of two megabytes that nobody asked for.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lapwing.runtime.bench_load import RunningSite, start_sender
from lapwing.runtime.load_scene import Scene

SPEED = 10.0
SECONDS = 1_200.0            # of event time; the full soak is 86,400
SECONDS_VARIABLE = "LAPWING_BENCH_SECONDS"
# Aircraft give way to others after 5 min: a track keeps its plots as long as it lives (up to a bound), which would read as growth.
SCENE = Scene(objects=40, drones=10, radars=2, life_s=300.0)
WINDOW_S = 0.1               # of real time: batches of 1 s of event time, as a replay takes them
EVERY_S = 1.0
WARM_H = 1.5                 # of event time


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Yield slopes of memory and files over 20 min of event time (or LAPWING_BENCH_SECONDS)."""
    seconds = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    begin_s = time.time()
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name, RunningSite(
            Path(name), SCENE, WINDOW_S, module="lapwing.cli.soaked", words=(repr(SPEED), repr(begin_s))) as site:
        started_s = time.time()
        sender = start_sender(SCENE, site.port, seconds / SPEED + (started_s - begin_s), SPEED, begin_s)
        rows: list[tuple[float, ...]] = []
        approved = 0
        while sender.poll() is None:
            time.sleep(EVERY_S)
            approved += _officer(site)
            rows.append((SPEED * (time.time() - started_s) / 3_600.0, *_memory_mb(site.process.pid), float(site.open_files())))
        metrics = site.metrics()
        assert sender.stdout is not None, "it was asked for"
        sent, plots, late = map(int, sender.stdout.read().split())
        table = np.array(rows)
        warm_h = min(WARM_H, table[-1, 0] / 2.0)
        steady = table[table[:, 0] >= warm_h]
        slope, doubt = _slope(steady[:, 0], steady[:, 1])
        yield figure("soak", "event time", table[-1, 0], "h",
                     note=f"at {SPEED:g} x; {plots:,} plots, {late:,} of {sent:,} datagrams sent late; load {os.getloadavg()[0]:.1f}")
        yield figure("soak", "memory, slope", slope, "MB/h of event time", note=f"standard error {doubt:.1f}; {len(steady)} samples after "
                     f"{warm_h:.2f} h" + ("" if warm_h == WARM_H else f": too short, caches and lists fill for {WARM_H:g} h"))
        slope, doubt = _slope(steady[:, 0], steady[:, 1] - steady[:, 2])
        yield figure("soak", "memory without huge pages, slope", slope, "MB/h of event time", note=f"standard error {doubt:.1f}; huge "
                     f"pages: {steady[0, 2]:.1f} MB after {warm_h:.2f} h, {steady[-1, 2]:.1f} MB at the end")
        yield figure("soak", "memory at the end", table[-1, 1], "MB", note=f"{steady[0, 1]:.0f} MB after {warm_h:.2f} h, "
                     f"{table[0, 1]:.0f} MB at the beginning")
        grown = steady[-5:, 3].mean() - steady[:5, 3].mean()
        yield figure("soak", "open files, growth", grown, "", note=f"at most {table[:, 3].max():.0f}")
        for words, key, note in (
                ("plots used", "lapwing_plots_total", ""), ("alerts", "lapwing_alerts_total", f"{approved} approvals"),
                ("stalls", "lapwing_stalls_total", site.warnings()),
                ("datagrams waiting at the end", "lapwing_queue_entries", "more than some hundred: it did not keep up")):
            yield figure("soak", words, metrics.get((key, ""), 0.0), "", note=note)


def _memory_mb(pid: int) -> tuple[float, float]:
    """Return what a process holds in memory, and what of that the kernel has made huge pages of."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    found = {words[0]: int(words[1]) * 1_024 / 1e6 for words in map(str.split, lines[1:])}
    return found["Rss:"], found.get("AnonHugePages:", 0.0)


def _officer(site: RunningSite) -> int:
    """Read what a console reads, approve what is proposed; return how many."""
    for page in ("api/picture", "api/history", "metrics"):
        site.get(page)
    count = 0
    for proposal in json.loads(site.get("api/alerts") or b"{}").get("proposals", []):
        for officer in ("bench one", "bench two"):
            body = json.dumps({"action": "approve", "alert_id": proposal["id"], "by": officer}).encode()
            try:
                with urllib.request.urlopen(urllib.request.Request(site.url + "api/command", body), timeout=30):
                    count += 1
            except OSError:
                pass           # lapsed meanwhile, or one officer was enough
    return count


def _slope(hours: Any, values: Any) -> tuple[float, float]:
    """Return slope and standard error of the line of least squares; the error is NaN of fewer than three."""
    x, y = hours - hours.mean(), values - values.mean()
    spread = float(x @ x)
    if len(x) < 3 or spread == 0.0:
        return float("nan"), float("nan")
    slope = float(x @ y) / spread
    return slope, float(np.sqrt(((y - slope * x) ** 2).sum() / (len(x) - 2) / spread))

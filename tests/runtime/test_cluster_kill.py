"""Leader, worker, follower killed under load: a short run of `lapwing bench kill --cluster`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))
from nats_servers import require_nats

from lapwing.runtime.bench_cluster import figures


@pytest.mark.slow
def test_killing_leader_worker_and_follower_loses_and_doubles_nothing():
    require_nats()
    found = {what: (value, note) for _, what, value, _, note in
             figures(1, lambda bench, what, value, unit, note="": (bench, what, value, unit, note), kills=3)}
    assert found["entries acknowledged"][0] > 0
    for what in ("entries acknowledged and lost", "alerts that no channel took", "entries or alerts doubled", "faults of chain and replay"):
        assert found[what][0] == 0, (what, found)
    assert "standby is the writer after the worker's death, median" in found

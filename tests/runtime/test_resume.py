"""Kill a run anywhere and run it again: the outputs are those of a run that nobody disturbed, octet for octet."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lapwing.adapters.memory_log import MemoryLog, MemoryStore
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError
from lapwing.model.times import NS_PER_S
from lapwing.runtime import opening, runner, wiring
from lapwing.runtime.environment import state_dir
from lapwing.runtime.played import Cast
from lapwing.runtime.runner import Runner

STORY = "sumskas-slow-faller"
SRC = str(Path(__file__).parents[2] / "src")


@pytest.fixture(scope="module")
def short():
    """Return the setup of the shortest story and the first 160 s of what its sensors sent."""
    opened = opening.open_story(STORY, 1)
    items = list(opened.items)
    part = [item for item in items if item[0] - items[0][0] < 160 * NS_PER_S]  # up to the first warning
    return wiring.make_setup(opened.sensors, wiring.load_country("LT", state_dir())), part


class Stopped(Exception):
    """The process died here."""


class DyingLog(MemoryLog):
    """Dies before the n-th commit, as a killed process does: what was committed stays, the rest is gone."""

    def __init__(self, store: MemoryStore, dies_at: int) -> None:
        super().__init__(store)
        self._dies_at = dies_at

    def commit(self, batch_number, outputs, checkpoint=None):
        if batch_number == self._dies_at:
            raise Stopped
        super().commit(batch_number, outputs, checkpoint)


def test_a_run_that_died_at_random_batches_has_the_outputs_of_one_that_did_not(short, monkeypatch):
    setup, items = short
    monkeypatch.setattr(runner, "CHECKPOINT_EVERY", 7)
    monkeypatch.setattr(runner, "RUN_ON_BATCHES", 20)
    whole = MemoryStore()
    Runner(setup, MemoryLog(whole), cast=Cast()).run(items)
    store, random = MemoryStore(), np.random.default_rng(5)
    for at in sorted({0, *random.integers(1, len(whole.batches), 3).tolist()}):
        with pytest.raises(Stopped):
            Runner(setup, DyingLog(store, at), cast=Cast()).run(items)
        store.open = False
    Runner(setup, MemoryLog(store), cast=Cast()).run(items)
    assert store.batches == whole.batches and store.head == whole.head
    assert {"tracks", "verdict", "proposal", "decision"} <= {o.kind for sealed in whole.batches for o in sealed.outputs}


def test_another_source_does_not_continue_a_journal(short, monkeypatch):
    setup, items = short
    store = MemoryStore()
    with pytest.raises(Stopped):
        Runner(setup, DyingLog(store, 20), cast=Cast()).run(items)
    store.open = False
    with pytest.raises(StorageError, match="not the one that this journal was made from"):
        Runner(setup, MemoryLog(store), cast=Cast()).run([*items[:5], *items[6:]])


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "lapwing", "replay", STORY, "--out", str(folder), "--quiet"],
                            env=os.environ | {"PYTHONPATH": SRC}, stdout=subprocess.DEVNULL)


def batches_of(journal: Path) -> int:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as look:
            return int((look.execute("SELECT batch FROM head").fetchone() or (-1,))[0]) + 1
    except sqlite3.Error:
        return 0


@pytest.mark.slow
def test_a_whole_story_killed_three_times_leaves_the_same_files_as_an_undisturbed_one(tmp_path):
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert start(calm).wait() == 0
    total = batches_of(calm / "journal.sqlite")
    for share in (0.2, 0.5, 0.8):
        process = start(killed)
        while batches_of(killed / "journal.sqlite") < share * total:
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(killed).wait() == 0
    names = sorted(str(path.relative_to(calm)) for path in calm.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(killed)) for path in killed.rglob("*") if path.is_file())
    assert "alerts.jsonl" in names and "report.html" in names
    for name in names:
        if name != "journal.sqlite":  # its pages lie as the writes fell; its content is compared below
            assert (calm / name).read_bytes() == (killed / name).read_bytes(), name
    with SqliteLog(calm / "journal.sqlite", read_only=True) as one, SqliteLog(killed / "journal.sqlite", read_only=True) as two:
        assert one.head() == two.head() and list(one.sealed()) == list(two.sealed())
    assert subprocess.run([sys.executable, "-m", "lapwing", "verify", str(killed / "journal.sqlite")],
                          env=os.environ | {"PYTHONPATH": SRC}).returncode == 0

"""A site in a made-up world: clock, network, disk and process fail by the draw of a seeded generator.

What may happen between any two operations (a statement to the disk, a datagram, a delivery): the process dies. What may
happen to a commit: it fails, with the batch lost or with the batch stored all the same. What may happen to a datagram: it
is dropped, delayed, doubled, overtaken. What may happen to the clock: it jumps. The same seed gives the same world.
"""

import json
import math
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from lapwing.adapters import sqlite_files
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import StorageError
from lapwing.model.times import NS_PER_S
from lapwing.record import audit
from lapwing.runtime import segments
from lapwing.runtime.handover import hand_over, hand_over_recovered
from lapwing.runtime.intake import Intake
from lapwing.runtime.live import Live
from lapwing.runtime.outbox import Outbox
from lapwing.runtime.replay import initial_state, stepped_again
from lapwing.runtime.steady import SteadyClock
from lapwing.sense.asterix.encode import encode_block

START_NS = 1_754_423_400 * NS_PER_S
TURNS = 36


class Died(BaseException):
    """The process was killed here."""


class World:
    """Everything outside the process, and the draw of what goes wrong."""

    def __init__(self, seed: int, folder, setup, facts) -> None:
        self.seed, self.folder, self.setup, self.facts = seed, folder, setup, facts
        self.random = np.random.default_rng(seed)
        self.wall, self.monotonic = START_NS, 0
        self.until_death = int(self.random.integers(5, 250))
        self.bad_commits = self.random.random() < 0.5
        self.delivered: dict[str, list[bytes]] = {}
        self.sent: set[bytes] = set()
        self.acknowledged: list[str] = []          # texts of people's entries that were acknowledged
        self.unrecorded: set[str] = set()          # of those, acknowledged while there was no journal
        self.deaths = self.failures = 0
        self.handles: list[Any] = []                # of files that the present process has opened for writing
        self.alerts_out: set[str] = set()          # alerts that left the loop

    # What goes wrong

    def operation(self, *, tender: bool = False) -> None:
        """Count one operation; die when it is time. Rare moments where a death would show are `tender`: death likes them."""
        if tender and self.until_death < 1 << 30 and self.random.random() < 0.25:
            self.until_death = 0
        self.until_death -= 1
        if self.until_death < 0:
            self.until_death = int(self.random.integers(20, 300))
            self.deaths += 1
            raise Died

    def commit_fails(self) -> str:
        """Return how a commit goes: "" well, "lost", "stored" (reported as failed, stored all the same)."""
        if not self.bad_commits or self.random.random() > 0.02:
            return ""
        self.failures += 1
        return str(self.random.choice(["lost", "stored"]))

    def passes(self, seconds: float) -> None:
        self.wall += round(seconds * NS_PER_S)
        self.monotonic += round(seconds * NS_PER_S)
        if self.random.random() < 0.02:
            self.wall += round(float(self.random.normal(0.0, 1.5)) * NS_PER_S)

    # What the process needs of it

    def send(self, identifier: str, document: bytes) -> str:
        """The channel: takes an alert, sometimes says that it did not, and may be killed on either side of it."""
        self.operation()
        if self.random.random() < 0.1:
            raise OSError("the channel does not answer")
        self.delivered.setdefault(identifier, []).append(document)
        self.operation(tender=True)
        return f"receipt {identifier}"

    name = "world"


class FailingConnection:
    """A connection to a real file whose statements die or fail by the world's draw."""

    def __init__(self, connection, world: World) -> None:
        self._connection, self._world = connection, world

    def execute(self, sql, *values):
        self._world.operation()
        if sql == "COMMIT":
            how = self._world.commit_fails()
            if how == "stored":
                self._connection.execute(sql)
            if how:
                import sqlite3

                raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name):
        return getattr(self._connection, name)


def radar_plot(measured_ns: int) -> bytes:
    """Return CAT048 of an object that flies south to the border, as a radar at Tulcea that turns once a second sees it."""
    since_s = (measured_ns - START_NS) / NS_PER_S
    north_m, east_m = 25_500.0 - 50.0 * since_s, -3_900.0
    theta = round(math.degrees(math.atan2(east_m, north_m)) % 360.0 * 65_536 / 360) % 65_536 * 360 / 65_536
    return encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": math.floor(measured_ns / NS_PER_S % 86_400 * 128) / 128,
                              "020": {"TYP": 1}, "040": {"RHO": round(math.hypot(north_m, east_m) / 1_852 * 256) / 256, "THETA": theta}}])


class Process:
    """The loop with its outbox, as `Service` joins them, in one thread."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.intake = Intake()
        self.clock = SteadyClock(lambda: world.wall, lambda: world.monotonic)
        self.store = OutboxStore(world.folder / "outbox.sqlite")
        put = self.store.put
        self.store.put = lambda *values: (world.operation(tender=True), put(*values))     # death between two alerts of a batch
        self.outbox = Outbox(self.store, {"world": world}, clock=self.clock)
        self.live = Live(world.folder / "journal", world.setup, world.facts, self.intake, self.clock, lambda level, text: None,
                         checkpoint_s=7.0, observers=[self.observe])
        self.proposals: list[str] = []

    def start(self) -> None:
        self.live.recover(self.store.mark())
        hand_over_recovered(self.outbox, self.store, self.live.recovered_outputs)
        self.proposals = [pending.proposal.id for chain in self.live.state.warn.chains for pending in chain.pending]

    def observe(self, outcome, outputs) -> None:
        self.proposals += [p.id for p in outcome.warned.proposals if not p.automatic]
        alerts = [json.loads(output.payload)["identifier"] for output in outputs if output.kind == "alert"]
        if alerts:
            self.world.operation(tender=True)
            self.world.alerts_out |= set(alerts)
            hand_over(self.outbox, self.store, outputs, self.live.place if self.live.log is not None else None)

    def turn(self) -> None:
        self.world.operation()
        self.live.turn()
        self.outbox.deliver_due("world")

    def release(self) -> None:
        """What the system does with the handles of a dead process."""
        if self.live.log is not None:
            self.live.log._release()
        # Also those of a journal that it was about to open.
        for handle in self.world.handles:
            (handle.release if isinstance(handle, sqlite_files.FileLock) else handle.close)()
        self.world.handles.clear()
        self.store.close()


@contextmanager
def failing_disk(world: World):
    """Have every journal that is opened for writing fail as the world draws."""
    connect = sqlite_files.connect

    def failing(path, *, read_only, synchronous):
        connection = connect(path, read_only=read_only, synchronous="OFF")
        if not read_only:
            world.handles.append(connection)
        return connection if read_only else FailingConnection(connection, world)

    acquire = sqlite_files.FileLock._acquire

    def locking(lock):
        world.handles.append(lock)
        return acquire(lock)

    with mock.patch.object(sqlite_files, "connect", failing), mock.patch.object(sqlite_files.FileLock, "_acquire", locking):
        yield


def run(world: World) -> None:
    """Let the world turn for `TURNS` seconds; the process is started again whenever it has died."""
    with failing_disk(world):
        process, on_the_way, entered = None, [], 0
        for turn in range(TURNS * 2):
            world.passes(0.5)
            if turn % 2 == 0:
                fate, now = world.random.random(), world.monotonic
                if fate > 0.1:
                    on_the_way.append((now + (0 if fate > 0.3 else round(float(world.random.exponential(1.0)) * NS_PER_S)),
                                       radar_plot(START_NS + world.monotonic)))
                if fate > 0.95:
                    on_the_way.append((now, on_the_way[-1][1]))
            try:
                if process is None:
                    process = Process(world)
                    process.start()
                for item in [item for item in on_the_way if item[0] <= world.monotonic]:
                    on_the_way.remove(item)
                    process.intake.put((process.clock(), "radar", "asterix", item[1]))
                entry = None
                if world.random.random() < 0.3:
                    entered += 1
                    entry = f"entry {entered}"
                    record = {"time": "2025-08-05T20:00:00Z", "patrol": "V", "event": "seen", "text": entry, "by": "A"}
                    kind = "patrol"
                    if process.proposals:
                        kind, record = "command", {"time": "2025-08-05T20:00:00Z", "action": "approve",
                                                   "alert_id": process.proposals.pop(0), "by": "officer", "text": entry}
                    process.intake.put_person((process.clock(), "console", kind, json.dumps(record).encode()))
                before = process.live.taken_count
                process.turn()
                if entry and process.live.taken_count > before:
                    world.acknowledged.append(entry)
                    if process.live.log is None:
                        world.unrecorded.add(entry)
            except Died:
                process.release()
                process = None
            except StorageError:      # at the start: the disk takes nothing; the service manager tries again
                process.release()
                process = None
        world.until_death, world.bad_commits = 1 << 40, False
        if process is None:
            process = Process(world)
            process.start()
        for _ in range(60):
            world.passes(0.5)
            process.turn()
        process.live.stop()
        process.store.close()


def check(world: World) -> None:
    """Nothing acknowledged is lost, no alert is lost or doubled, and every segment replays octet for octet."""
    journaled: list[str] = []
    alerts: list[str] = []
    folder = world.folder / "journal"
    assert segments.chain_faults(folder) == []
    for segment in segments.segments(folder):
        with SqliteLog(segment.path, read_only=True) as log:
            assert log.damage() == [] and audit.check(log.sealed(), log.head()).faults == ()
            for batch in log.read():
                journaled += [json.loads(entry.payload)["text"] for entry in batch.entries if entry.link == "console"]
            alerts += [json.loads(output.payload)["identifier"] for _, output in log.outputs_of("alert")]
            stored = [[o for n, o in log.outputs() if n == number] for number in range(log.last_batch() + 1)]
            again = stepped_again(world.setup, log.read(), initial_state(log.meta()))
            assert [made for _, _, made in again] == stored, "a replay gives other outputs"
    lost = [entry for entry in world.acknowledged if entry not in journaled and entry not in world.unrecorded]
    assert not lost, f"acknowledged and lost: {lost}"
    assert len(journaled) == len(set(journaled)), "an entry is journaled twice"
    assert len(alerts) == len(set(alerts)), "an alert is journaled twice"
    assert set(alerts) <= set(world.delivered), "an alert never reached the channel"
    assert set(world.delivered) <= set(alerts) | world.alerts_out
    assert all(len(set(documents)) == 1 for documents in world.delivered.values()), "two texts under one identifier"

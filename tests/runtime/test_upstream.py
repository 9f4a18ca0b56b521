"""A live loop whose journal lies on a real NATS server: the server goes and comes back, another machine takes over."""

import sys
import time
from pathlib import Path

import pytest
from test_live_loop import FACTS, START_NS, make, plot

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))
from nats_servers import one_server

from lapwing.adapters.nats_link import parse_target
from lapwing.adapters.nats_log import NatsLog
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import Fenced, Unreachable
from lapwing.model.times import NS_PER_S
from lapwing.record import codec
from lapwing.runtime import segments
from lapwing.runtime.cluster_copy import fetch
from lapwing.runtime.replay import verify_replay
from lapwing.runtime.spool import spools
from lapwing.runtime.standby import Standby
from lapwing.runtime.upstream import Upstream


class Machine:
    """One machine of a site: a loop with its upstream and its folder of spools."""

    def __init__(self, server, folder, journal="tulcea", patience_s=10.0):
        self.said = []
        self.folder = folder
        self.upstream = Upstream(parse_target(f"{server.url}/{journal}"), "", folder, self.say, patience_s=patience_s)
        self.live, self.intake, self.clock = make(self.upstream, self.said)

    def say(self, level, text):
        self.said.append((level, text))

    def fly(self, turns, first=0):
        for turn in range(first, first + turns):
            self.turn(turn)

    def turn(self, turn):
        self.clock.now_ns = START_NS + turn * 4 * NS_PER_S
        self.intake.put((self.clock.now_ns, "udp://:8600", "asterix", plot(self.clock.now_ns, 20.0 - 0.25 * turn)))
        self.live.turn()

    def dies(self):
        """Nothing is closed in order: the lease stays, the spool stays open."""
        self.upstream._closing.set()
        if self.upstream._link is not None:
            self.upstream._link.close()
        if self.live.log is not None and self.live.log._spool is not None:
            self.live.log._spool._release()

    def stops(self):
        if self.live.log is not None:
            self.live.log.close()
        self.upstream.release()

    def caught_up(self):
        until = time.monotonic() + 30
        while not self.upstream.may_return():
            assert time.monotonic() < until, self.upstream.lost_why
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = one_server(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


def again(server):
    server.start()
    server.wait_ready()


def undisturbed(folder, turns):
    """Return the head of the same flight journaled in files, by nobody disturbed."""
    calm, intake, clock = make(folder)
    calm.recover()
    for turn in range(turns):
        clock.now_ns = START_NS + turn * 4 * NS_PER_S
        intake.put((clock.now_ns, "udp://:8600", "asterix", plot(clock.now_ns, 20.0 - 0.25 * turn)))
        calm.turn()
    head = calm.log.head()
    calm.log.close()
    return head


def fetched(server, folder, journal):
    """Return the head of the newest segment, after every segment was checked and replayed."""
    paths = fetch(f"{server.url}/{journal}", "", folder)
    for path in paths:
        assert verify_replay(path).differences == ()
    assert segments.chain_faults(folder) == []
    with SqliteLog(paths[-1], read_only=True) as log:
        return log.head()


@pytest.mark.slow
def test_the_journal_in_a_cluster_is_octet_by_octet_the_one_in_files(server, tmp_path):
    machine = Machine(server, tmp_path / "spool", "same")
    machine.live.recover()
    machine.fly(12)
    machine.stops()
    assert fetched(server, tmp_path / "copy", "same") == undisturbed(tmp_path / "calm", 12)


@pytest.mark.slow
def test_a_loop_that_was_killed_goes_on_from_the_cluster(server, tmp_path):
    machine = Machine(server, tmp_path / "spool", "killed")
    machine.live.recover()
    machine.fly(7)
    machine.dies()
    after = Machine(server, tmp_path / "spool", "killed")
    after.live.recover()
    assert after.live.recovered_batches <= 2           # a checkpoint every 5 s, a turn every 4
    after.fly(5, first=7)
    after.stops()
    assert fetched(server, tmp_path / "copy", "killed") == undisturbed(tmp_path / "calm", 12)


def test_a_copy_outlasts_a_server_that_goes_and_comes_and_does_not_wait_for_ever(tmp_path, monkeypatch):
    server = one_server(tmp_path / "server")
    machine = Machine(server, tmp_path / "spool", "copied")
    machine.live.recover()
    machine.fly(6)
    machine.stops()
    whole, cuts = NatsLog.sealed, [2]

    def cut_off(self, first_batch=0):
        for sealed in whole(self, first_batch):
            if cuts and sealed.number == cuts[0]:
                cuts.pop()
                server.kill()
                again(server)
                raise Unreachable("gone")
            yield sealed

    monkeypatch.setattr(NatsLog, "sealed", cut_off)
    assert fetched(server, tmp_path / "copy", "copied") == undisturbed(tmp_path / "calm", 6)
    assert not cuts
    server.stop()
    with pytest.raises(Unreachable):
        fetch(f"{server.url}/copied", "", tmp_path / "none", patience_s=0.1)
    assert list((tmp_path / "none").iterdir()) == []


def test_a_site_that_loses_the_cluster_goes_on_and_brings_everything_back(tmp_path):
    server = one_server(tmp_path / "server")
    machine = Machine(server, tmp_path / "spool", patience_s=2.0)
    machine.live.recover()
    machine.fly(5)
    server.kill()
    machine.fly(4, first=5)
    assert machine.upstream.lost_why and len(spools(machine.folder)) == 1 and machine.live.unrecorded_batches == 0
    again(server)
    machine.caught_up()
    machine.fly(3, first=9)
    assert machine.upstream.lost_why == "" and spools(machine.folder) == []
    machine.stops()
    assert [text for level, text in machine.said if "no upstream" in text] and "brought back" in machine.said[-1][1]
    assert fetched(server, tmp_path / "copy", "tulcea") == undisturbed(tmp_path / "calm", 12)
    server.stop()


def test_a_batch_whose_answer_was_lost_is_stored_once(tmp_path, monkeypatch):
    server = one_server(tmp_path / "server")
    machine = Machine(server, tmp_path / "spool", patience_s=2.0)
    machine.live.recover()
    machine.fly(5)
    link, publish = machine.upstream._link, machine.upstream._link.publish

    def stored_but_not_answered(messages, batch_id):
        publish(messages, batch_id)
        monkeypatch.undo()
        raise link._unreachable("the answer was lost")

    monkeypatch.setattr(link, "publish", stored_but_not_answered)
    machine.fly(2, first=5)
    machine.caught_up()
    machine.fly(5, first=7)
    machine.stops()
    assert fetched(server, tmp_path / "copy", "tulcea") == undisturbed(tmp_path / "calm", 12)
    server.stop()


@pytest.mark.slow
def test_killed_while_the_cluster_is_gone_it_starts_again_from_its_spool_alone(tmp_path):
    server = one_server(tmp_path / "server")
    machine = Machine(server, tmp_path / "spool", patience_s=2.0)
    machine.live.recover()
    machine.fly(5)
    server.kill()
    machine.fly(3, first=5)
    machine.dies()
    after = Machine(server, tmp_path / "spool", patience_s=2.0)
    after.live.recover()
    assert after.upstream.lost_why and len(spools(after.folder)) == 1
    after.fly(2, first=8)
    again(server)
    after.caught_up()
    after.fly(2, first=10)
    after.stops()
    assert fetched(server, tmp_path / "copy", "tulcea") == undisturbed(tmp_path / "calm", 12)
    server.stop()


def test_a_reload_without_the_cluster_begins_a_segment_that_is_brought_back(tmp_path):
    server = one_server(tmp_path / "server")
    machine = Machine(server, tmp_path / "spool", patience_s=2.0)
    machine.live.recover()
    machine.fly(5)
    server.kill()
    machine.fly(2, first=5)
    machine.live.reconfigure(machine.live.setup, FACTS | {"policy": "{}"})
    machine.fly(2, first=7)
    again(server)
    machine.caught_up()
    machine.fly(3, first=9)
    machine.stops()
    assert fetched(server, tmp_path / "copy", "tulcea").number == 4
    assert len(segments.segments(tmp_path / "copy")) == 2 and spools(machine.folder) == []
    server.stop()


@pytest.mark.slow
def test_a_machine_that_was_taken_over_while_cut_off_stops_and_keeps_what_it_took(tmp_path):
    server = one_server(tmp_path / "server")
    cut = Machine(server, tmp_path / "one", patience_s=2.0)
    cut.live.recover()
    cut.fly(5)
    server.kill()
    cut.fly(3, first=5)
    cut.upstream._closing.set()                # its thread does not find the server before the other machine does
    cut.upstream._returning.join()
    again(server)
    heir = Machine(server, tmp_path / "two", patience_s=2.0)
    heir.live.recover()
    heir.fly(7, first=5)
    cut.upstream._closing.clear()
    cut.upstream._returning = None
    cut.upstream.lose(cut.upstream.connect().link._unreachable("test"))
    until = time.monotonic() + 30
    with pytest.raises(Fenced, match="taken over"):
        while time.monotonic() < until:
            cut.turn(8)
            time.sleep(0.1)
    cut.dies()
    heir.stops()
    assert fetched(server, tmp_path / "copy", "tulcea") == undisturbed(tmp_path / "calm", 12)
    after = Machine(server, tmp_path / "one", patience_s=2.0)
    after.live.recover()
    assert [path.name[:7] for path in after.folder.glob("*.sqlite")] == ["branch-"]
    assert any("kept as branch-" in text for _, text in after.said)
    after.stops()
    server.stop()


@pytest.mark.slow
def test_a_standby_follows_and_takes_over_with_the_same_state(server, tmp_path):
    first = Machine(server, tmp_path / "one", "pair")
    assert Standby(first.upstream, first.live, first.folder, first.live._say).wait(lambda: False, lambda: None)
    first.live.recover()
    first.fly(4)
    second = Machine(server, tmp_path / "two", "pair")
    standby, turns = Standby(second.upstream, second.live, second.folder, second.live._say), iter(range(4, 8))

    def turn():
        number = next(turns, None)
        if number is not None:
            first.turn(number)
        elif second.live._warm == ("journal-000001.sqlite", 7) and first is not None:
            first.dies()

    assert standby.wait(lambda: False, turn)
    second.live.recover()
    assert second.live.recovered_batches == 0, "it was warm"
    assert codec.encode(second.live.state) == codec.encode(first.live.state)
    second.fly(4, first=8)
    second.stops()
    assert any("taking over from" in text for _, text in second.said)
    assert fetched(server, tmp_path / "copy", "pair") == undisturbed(tmp_path / "calm", 12)


@pytest.mark.slow
def test_a_writer_that_hung_and_was_taken_over_has_its_next_batch_refused_whole(server, tmp_path):
    hung = Machine(server, tmp_path / "one", "hung")
    hung.live.recover()
    hung.fly(4)
    heir = Machine(server, tmp_path / "two", "hung")
    assert Standby(heir.upstream, heir.live, heir.folder, heir.say).wait(lambda: False, lambda: None)
    heir.live.recover()
    gone_out = []
    hung.live.observers.append(lambda outcome, outputs: gone_out.append(outputs))
    with pytest.raises(Fenced):
        hung.turn(4)
    assert gone_out == [] and spools(hung.folder) == [], "nothing went out and nothing was kept as if it were the journal's"
    heir.fly(8, first=4)
    heir.stops()
    hung.dies()
    assert fetched(server, tmp_path / "copy", "hung") == undisturbed(tmp_path / "calm", 12)


def test_a_standby_that_is_told_to_stop_leaves_the_writer_alone(server, tmp_path):
    first = Machine(server, tmp_path / "one", "left")
    first.live.recover()
    first.fly(2)
    second = Machine(server, tmp_path / "two", "left")
    calls = iter([False, False, True])
    assert not Standby(second.upstream, second.live, second.folder, second.live._say).wait(lambda: next(calls), lambda: None)
    second.upstream.release()
    first.fly(2, first=2)
    first.stops()


def test_a_standby_takes_over_at_once_where_the_writer_lets_go(server, tmp_path):
    first = Machine(server, tmp_path / "one", "letgo")
    first.live.recover()
    first.fly(2)
    first.stops()
    second = Machine(server, tmp_path / "two", "letgo")
    calls = []
    assert Standby(second.upstream, second.live, second.folder, second.live._say).wait(lambda: False, lambda: calls.append(1))
    assert calls == []
    second.stops()


def test_a_killed_writer_that_starts_again_goes_on_at_once(server, tmp_path):
    first = Machine(server, tmp_path / "one", "quick")
    assert Standby(first.upstream, first.live, first.folder, first.say).wait(lambda: False, lambda: None)
    first.live.recover()
    first.fly(2)
    first.dies()
    again_ = Machine(server, tmp_path / "one", "quick")
    looks = []
    assert Standby(again_.upstream, again_.live, again_.folder, again_.say).wait(lambda: False, lambda: looks.append(1))
    assert looks == []
    again_.live.recover()
    again_.fly(1, first=2)
    again_.stops()
    other = Machine(server, tmp_path / "two", "quick")
    assert other.upstream.connect().look()[1].batch == 2
    other.upstream.release()


@pytest.mark.slow
def test_a_first_start_without_the_cluster_waits_and_the_last_writer_goes_on_alone(server, tmp_path, monkeypatch):
    from lapwing.runtime import standby as module

    monkeypatch.setattr(module, "ALONE_AFTER_S", 0.5)
    machine = Machine(server, tmp_path / "one", "alone", patience_s=1.0)
    machine.upstream.target = parse_target("nats://127.0.0.1:1/alone")
    calls = iter([False] * 3 + [True] * 9)
    waiting = Standby(machine.upstream, machine.live, machine.folder, machine.live._say)
    assert not waiting.wait(lambda: next(calls), lambda: None)
    assert "no upstream" in waiting.problems()
    machine.folder.mkdir(exist_ok=True)
    (machine.folder / "wrote-last").write_text("an earlier process")
    assert waiting.wait(lambda: False, lambda: None)
    machine.live.recover()
    machine.fly(3)
    assert machine.live.log.last_batch() == 2 and machine.live.unrecorded_batches == 0
    machine.upstream.target = parse_target(f"{server.url}/alone")
    machine.caught_up()
    machine.fly(2, first=3)
    machine.stops()
    assert fetched(server, tmp_path / "copy", "alone").number == 4

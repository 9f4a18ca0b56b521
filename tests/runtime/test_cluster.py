"""A real cluster of three on loopback: what an ally's leaf node sees of it, what it can put into it, what a crash costs."""

import asyncio
import contextlib
import itertools
import json
import socket
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))

from archived_site import HOUR_NS, every_second, packed, rows_at
from log_suite import LogSuite, batch, outputs
from nats_servers import require_nats

from lapwing.adapters.archive_manifest import Manifest
from lapwing.adapters.nats_journal import NatsJournal
from lapwing.adapters.nats_link import NatsLink, parse_target
from lapwing.adapters.nats_log import open_log
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.cli.main import main
from lapwing.model.entries import TICK, Entry
from lapwing.model.errors import ConfigError, Fenced, LapwingError, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.record import audit
from lapwing.runtime import archiving
from lapwing.runtime.cluster import Cluster
from lapwing.runtime.upstream import Upstream

pytestmark = pytest.mark.slow
JOURNALS = itertools.count(1)      # never the same name twice on one cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    require_nats()
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), ["pl", "lt"])
    cluster.up()
    yield cluster
    cluster.down()


def at(url, act, **options):
    """Run `act(client)` on a connection to a server."""
    import nats

    async def main():
        client = await nats.connect(url, allow_reconnect=False, **options)
        try:
            return await act(client)
        finally:
            await client.close()

    return asyncio.run(main())


class Listener:
    """Subscribes to everything on one server, in its own connection."""

    async def start(self, url, **options):
        import nats

        self.client = await nats.connect(url, **options)
        self.seen = []

        async def take(message):
            if not message.subject.startswith("_INBOX"):
                self.seen.append((message.subject, message.data))

        await self.client.subscribe(">", cb=take)
        await self.client.flush()
        return self


async def until(condition, tries=300):
    for _ in range(tries):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


def site(cluster):
    return {"user": "site", "password": cluster.secrets.password("site")}


def test_an_ally_that_subscribes_to_everything_sees_what_is_released_to_it_and_nothing_else(cluster):
    async def main():
        poland = await Listener().start(cluster.leaf_nodes["pl"].url)
        lithuania = await Listener().start(cluster.leaf_nodes["lt"].url)
        ours = (await Listener().start(cluster.servers[1].url, **site(cluster))).client
        for number in range(300):        # until the leaf's subscription has come through
            await ours.publish("released.pl.hello", b"%d" % number)
            await ours.publish("released.lt.hello", b"%d" % number)
            await ours.flush()
            await asyncio.sleep(0.05)
            if poland.seen and lithuania.seen:
                break
        for subject in ("released.pl.notice", "released.lt.notice", "released.other", "lapwing.x.head.batch", "tracks", "$JS.API.INFO"):
            await ours.publish(subject, b"new")
        await ours.publish("released.pl.end", b"")
        await ours.publish("released.lt.end", b"")
        await ours.flush()
        for listener, name in ((poland, "pl"), (lithuania, "lt")):
            await until(lambda listener=listener, name=name: (f"released.{name}.end", b"") in listener.seen)
            assert (f"released.{name}.notice", b"new") in listener.seen
            assert {subject for subject, _ in listener.seen} <= {f"released.{name}.{word}" for word in ("hello", "notice", "end")}
            await listener.client.close()
        await ours.close()

    asyncio.run(main())


def test_a_notice_of_the_site_reaches_the_leaf_node_of_its_ally(cluster, tmp_path):
    upstream = Upstream(parse_target(cluster.url("notices")), str(cluster.credentials), tmp_path, lambda level, text: None)
    upstream.connect()
    payload = json.dumps({"partner": "PL", "id": "n1"}).encode()

    async def main():
        poland = await Listener().start(cluster.leaf_nodes["pl"].url)
        for _ in range(100):        # until the leaf's subscription has come through
            await asyncio.get_running_loop().run_in_executor(None, upstream.release_notices, [
                Output("notice", payload), Output("notice", b'{"partner": "lt"}'), Output("tracks", b"")])
            await asyncio.sleep(0.05)
            if poland.seen:
                break
        await poland.client.close()
        return set(poland.seen)

    assert asyncio.run(main()) == {("released.pl.notice", payload)}
    upstream.release()


def test_cluster_up_says_what_to_write_and_guards_its_passwords(tmp_path, capsys):
    require_nats()
    assert main(["cluster", "up", str(tmp_path / "trial"), "--ally", "pl", "--for", "0.2"]) == 0
    said = capsys.readouterr().out
    assert 'log = "nats://127.0.0.1:' in said and "it sees released.pl.>" in said
    assert (tmp_path / "trial").stat().st_mode & 0o077 == 0
    for path in (*(tmp_path / "trial").glob("*.credentials"), *(tmp_path / "trial").glob("*/server.conf")):
        assert path.stat().st_mode & 0o077 == 0, path


def _raw_leaf(cluster, subject):
    """Speak the leaf node's protocol by hand, as an ally's changed server could, and push a message in."""
    port = cluster.servers[0].plan.leaf_port
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        raw.settimeout(2)
        raw.recv(65_536)
        hello = {"user": "pl", "pass": cluster.secrets.password("pl"), "name": "forged", "server_id": "NFORGED", "domain": "",
                 "headers": True, "jetstream": False}
        raw.sendall(b"CONNECT " + json.dumps(hello).encode() + b"\r\nPING\r\nLS+ >\r\n")
        raw.sendall(b"LMSG " + subject.encode() + b" 5\r\nforge\r\nPING\r\n")
        said = b""
        with contextlib.suppress(OSError):
            while octets := raw.recv(65_536):
                said += octets
        assert b"PONG" in said and b"Authorization" not in said, "it was let in as a leaf"


def _by_leaf(subject):
    def act(cluster):
        async def publish(client):
            await client.publish(subject, b"forge")
            await client.flush()

        at(cluster.leaf_nodes["pl"].url, publish)
    return act


def _api(cluster):
    async def ask(client):
        with contextlib.suppress(Exception):
            await client.request("$JS.API.STREAM.DELETE.LAPWING_border", b"", timeout=1)

    at(cluster.leaf_nodes["pl"].url, ask)


def _as_client(cluster):
    with contextlib.suppress(Exception):
        at(cluster.servers[0].url, lambda client: client.publish("lapwing.border.head.batch", b"forge"), user="pl",
           password=cluster.secrets.password("pl"))
        raise AssertionError("an ally's user came in as a client")


INWARDS = {
    "into the journal": _by_leaf("lapwing.border.head.batch"),
    "as a release of ours, to the other ally": _by_leaf("released.lt.notice"),
    "through the JetStream API": _api,
    "as a client with the leaf's password": _as_client,
    "as a changed leaf server, into the journal": lambda cluster: _raw_leaf(cluster, "lapwing.border.head.batch"),
    "as a changed leaf server, back into its own release": lambda cluster: _raw_leaf(cluster, "released.pl.notice"),
}


@pytest.mark.parametrize("way", INWARDS)
def test_nothing_that_an_ally_publishes_comes_in(cluster, way):
    link = cluster.connect(patience_s=5.0)
    journal = NatsJournal(link, "border", replicas=3)
    before = link.ask(f"STREAM.INFO.{journal.stream}")["state"]["last_seq"]

    async def main():
        ours = await Listener().start(cluster.servers[2].url, **site(cluster))
        other = await Listener().start(cluster.leaf_nodes["lt"].url)
        await asyncio.get_running_loop().run_in_executor(None, INWARDS[way], cluster)
        await asyncio.sleep(0.5)
        found = [message for message in (*ours.seen, *other.seen) if message[1] == b"forge" or "STREAM.DELETE" in message[0]]
        await ours.client.close()
        await other.client.close()
        return found

    assert asyncio.run(main()) == []
    assert link.ask(f"STREAM.INFO.{journal.stream}")["state"]["last_seq"] == before
    link.close()


def test_the_site_itself_can_do_what_the_ally_could_not(cluster):
    """The control of the tests above: the same watch does see a message that is let in."""
    async def main():
        ours = await Listener().start(cluster.servers[2].url, **site(cluster))
        await ours.client.publish("released.lt.notice", b"forge")
        await until(lambda: ours.seen)
        await ours.client.close()

    asyncio.run(main())


def test_the_journal_outlives_its_leader(cluster):
    link = cluster.connect(patience_s=5.0)
    journal = NatsJournal(link, "leader", replicas=3)
    log = open_log(journal)
    acknowledged = -1
    for number in range(20):
        log.append(batch(number, 2 * number))
        log.commit(number, outputs(number))
        acknowledged = number
    leader = None
    while leader is None:
        leader = cluster.leader_of("leader")
    leader.kill()
    log = None
    for _ in range(300):
        try:
            again = open_log(NatsJournal(link, "leader", replicas=3), take_over=True)
            if again.last_batch() == acknowledged:      # else the batch was stored, and its answer came too late
                again.append(batch(acknowledged + 1, 2 * acknowledged + 2))
                again.commit(acknowledged + 1, ())
            read = [b.number for b in again.read()]
            break
        except Fenced:
            raise
        except StorageError:
            time.sleep(0.1)      # not connected is said at once: without it the tries are over before the election is
    assert again.last_batch() == acknowledged + 1
    assert read == list(range(21))
    again.close()
    link.close()
    leader.start()
    leader.wait_ready()
    cluster.wait_ready()


def test_a_journal_is_fetched_with_its_seals(cluster, tmp_path, capsys):
    link = cluster.connect(patience_s=5.0)
    with open_log(NatsJournal(link, "fetched", replicas=3), "journal-000001.sqlite") as log:
        log.set_meta({"lapwing": "1"})
        for number in range(5):
            log.append(batch(number, 2 * number))
            log.commit(number, outputs(number))
        log.set_meta({"late": "x"})
        head = log.head()
    where = [cluster.url("fetched"), "--credentials", str(cluster.credentials)]
    assert main(["cluster", "segments", *where]) == 0
    assert "journal-000001.sqlite  5 batches, 10 entries" in capsys.readouterr().out
    assert main(["cluster", "fetch", *where, str(tmp_path / "copy")]) == 0
    with SqliteLog(tmp_path / "copy/journal-000001.sqlite", read_only=True) as copy:
        assert (copy.head(), copy.meta()) == (head, {"lapwing": "1", "late": "x"})
        assert audit.check(copy.sealed(), copy.head()).faults == ()
    assert main(["cluster", "fetch", *where, str(tmp_path / "copy")]) == 2
    assert main(["cluster", "segments", cluster.url("nothing"), "--credentials", str(cluster.credentials)]) == 2
    assert "no journal nothing" in capsys.readouterr().err
    link.close()


def test_the_archive_is_kept_from_the_cluster_while_the_journal_is_written(cluster, tmp_path):
    begin_ns = (time.time_ns() // HOUR_NS - 3) * HOUR_NS
    moments = every_second(begin_ns, 3 * 3_600, step=600)
    link, folder = cluster.connect(patience_s=5.0), tmp_path / "archive"
    words = [str(tmp_path / "copy"), str(folder), "0", cluster.url("archived"), str(cluster.credentials)]

    def write(log, first, part):
        for number, (time_ns, tracks) in enumerate(part, first):
            log.append(Batch(number, (Entry(number, time_ns, "clock", TICK, b""),)))
            log.commit(number, [Output("tracks", packed(rows_at(time_ns, tracks)))])

    journal = NatsJournal(link, "archived", replicas=3)
    with open_log(journal, "journal-000001.sqlite") as log:
        log.set_meta({"lapwing": "1"})
        write(log, 0, moments[:8])
        assert archiving.main(words) == 0
        write(log, 8, moments[8:12])
        assert archiving.main(words) == 0 and archiving.main(words) == 0
    with open_log(journal, "journal-000002.sqlite") as log:
        log.set_meta({"lapwing": "1"})
        write(log, 0, moments[12:])
        assert archiving.main(words) == 0
    rows = [row for line in Manifest(folder).live() for row in pq.read_table(folder / line["file"])["emit_time"].cast("int64").to_pylist()]
    assert sorted(rows) == sorted(time_ns for time_ns, tracks in moments for _ in range(tracks))
    assert [path.name for path in sorted((tmp_path / "copy").glob("*.sqlite"))] == ["journal-000002.sqlite"]
    link.close()


def test_an_archive_of_a_journal_that_is_not_there_is_a_problem_in_words(cluster, tmp_path, capsys):
    assert archiving.main([str(tmp_path / "copy"), str(tmp_path / "archive"), "0", cluster.url("none"), str(cluster.credentials)]) == 1
    assert "no journal none" in capsys.readouterr().out


def test_a_wrong_password_is_told_as_such(cluster, tmp_path):
    (tmp_path / "wrong").write_text("site:guess\n")
    with pytest.raises(LapwingError, match="user or password refused"):
        NatsLink([cluster.servers[0].url], credentials=str(tmp_path / "wrong"))


@pytest.mark.parametrize("name", ["", "Pl", "p.l", "site", "a" * 40, "p>", "*"])
def test_an_allys_name_that_would_mean_more_is_refused(name, tmp_path):
    with pytest.raises(ConfigError):
        Cluster(tmp_path, [name])


class TestNatsLogOnThree(LogSuite):
    machine_runs = 1

    @pytest.fixture
    def new_opener(self, cluster):
        links = []

        def new():
            links.append(cluster.connect(patience_s=5.0))
            name = f"suite{next(JOURNALS)}"
            return lambda **options: open_log(NatsJournal(links[-1], name, replicas=3), **options)

        yield new
        for link in links:
            link.close()

    @pytest.fixture
    def opener(self, new_opener):
        return new_opener()

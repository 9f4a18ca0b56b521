"""The journal on NATS JetStream keeps the rules of every journal, against a real server."""

import itertools
import os
import subprocess
import sys
import threading

import pytest
from log_suite import LogSuite, batch, fill, outputs
from nats_servers import one_server

from lapwing.adapters.nats_journal import NatsJournal
from lapwing.adapters.nats_link import NatsLink, parse_target
from lapwing.adapters.nats_log import NatsLog, open_log
from lapwing.adapters.nats_server import Server, ServerPlan, free_port
from lapwing.model.errors import ConfigError, Fenced, StorageError, Unreachable
from lapwing.model.ports import Batch, Output
from lapwing.record import audit

NAMES = (f"j{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = one_server(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def link(server):
    link = NatsLink([server.url], patience_s=5.0)
    yield link
    link.close()


class TestNatsLog(LogSuite):
    machine_runs = 3

    @pytest.fixture
    def new_opener(self, link):
        def new():
            name = next(NAMES)
            return lambda **options: open_log(NatsJournal(link, name), **options)
        return new

    @pytest.fixture
    def opener(self, new_opener):
        return new_opener()


@pytest.fixture
def journal(link):
    return NatsJournal(link, next(NAMES))


def test_a_batch_longer_than_a_message_is_one_atomic_batch(journal):
    long = Batch(0, batch(0, 0, count=3, payload=b"x" * 900_000).entries)
    with open_log(journal) as log:
        log.append(long)
        log.commit(0, (Output("tracks", b"y" * 700_000), Output("alert", b"z")), b"s" * 1_300_000)
        log.append(batch(1, 3))
        log.commit(1, ())
        assert list(log.read()) == [long, batch(1, 3)]
        assert log.checkpoint() == (0, b"s" * 1_300_000)
        assert log.outputs_of("alert") == [(0, Output("alert", b"z"))]
        assert audit.check(log.sealed(), log.head()).faults == ()


def test_a_stale_workers_long_batch_leaves_no_piece_that_counts(journal, link):
    stale = open_log(journal)
    newer = open_log(NatsJournal(link, journal.name), take_over=True)
    stale.append(batch(0, 0, count=3, payload=b"x" * 900_000))
    with pytest.raises(Fenced, match="somebody else wrote"):
        stale.commit(0, ())
    newer.append(batch(0, 0))
    newer.commit(0, ())
    assert list(newer.read()) == [batch(0, 0)]
    assert link.newest(journal.stream, f"lapwing.{journal.name}.part") is None
    newer.close()


def test_reading_begins_near_the_batch_asked_for(journal):
    with open_log(journal) as log:
        for number in range(600):
            log.append(batch(number, 2 * number))
            log.commit(number, outputs(number))
        assert [b.number for b in log.read(590)] == list(range(590, 600))
        assert log._place_of(590) > 300


def test_segments_follow_each_other_and_older_ones_stay_readable(journal):
    first = open_log(journal, "one")
    first.set_meta({"country": "RO"})
    fill(first, 5)
    second = NatsLog(journal, "two")
    second.set_meta({"country": "LT"})
    fill(second, 2)
    assert (second.meta(), second.last_batch(), second.checkpoint()) == ({"country": "LT"}, 1, (1, b"state"))
    began = next(record.sequence for record in journal.records(1, 1 << 62, ("begin",)))
    older = NatsLog(journal, "one", read_only=True, began=began)
    assert (older.meta(), older.last_batch(), older.checkpoint()) == ({"country": "RO"}, 4, None)
    assert list(older.read()) == [batch(n, 2 * n) for n in range(5)]
    assert audit.check(older.sealed(), older.head()).faults == ()
    second.close()
    journal.release()


def test_a_dead_writer_is_taken_over_after_a_while_a_living_one_is_not(journal, link):
    dead = open_log(journal)
    fill(dead, 2)
    heir = NatsJournal(link, journal.name)
    renewing, stop = threading.Event(), threading.Event()

    def live():
        while not stop.wait(0.1):
            dead.renew()
            renewing.set()

    thread = threading.Thread(target=live)
    thread.start()
    renewing.wait(10)
    with pytest.raises(StorageError, match="writes this journal"):
        heir.take(patience_s=20.0)         # ends as soon as the writer is seen to live
    stop.set()
    thread.join()
    heir.take(patience_s=1.0)
    assert heir.lease.term == 2 and heir.head.batch == 1
    with pytest.raises(Fenced):
        dead.renew()


def test_what_another_program_writes_into_the_stream_is_named(journal, link):
    log = open_log(journal)
    fill(log, 2)
    link._asked(f"lapwing.{journal.name}.head.batch", b"hello", {})
    with pytest.raises(StorageError, match="another program writes"):
        NatsJournal(link, journal.name).look()


def test_a_server_that_is_gone_is_unreachable_and_the_fate_of_the_batch_is_found_out(tmp_path):
    server = one_server(tmp_path / "server")
    link = NatsLink([server.url], patience_s=1.0)
    journal = NatsJournal(link, "tulcea")
    log = open_log(journal)
    fill(log, 3)
    server.kill()
    log.append(batch(3, 6))
    with pytest.raises(Unreachable):
        log.commit(3, outputs(3))
    with pytest.raises(StorageError, match="failed write"):
        log.append(batch(3, 6))
    server.start()
    server.wait_ready()
    for _ in range(100):
        try:
            head = journal.resume()
            break
        except Unreachable:
            threading.Event().wait(0.1)
    again = NatsLog(journal, "journal")
    if head.batch == 2:                         # else the client, which had not seen the server go, sent it to the new one
        again.append(batch(3, 6))
        again.commit(3, outputs(3))
    assert head.batch in (2, 3)
    assert list(again.read()) == [batch(n, 2 * n) for n in range(4)]
    link.close()
    server.stop()


@pytest.mark.slow
def test_killing_the_server_again_and_again_loses_no_acknowledged_batch(tmp_path):
    server = one_server(tmp_path / "server")
    acknowledged = -1
    for kill in range(3):
        link = NatsLink([server.url], patience_s=3.0)
        log = open_log(NatsJournal(link, "tulcea"), take_over=True)
        assert log.last_batch() >= acknowledged
        killer = threading.Timer(0.2 + 0.1 * kill, server.kill)
        killer.start()
        with pytest.raises(StorageError):
            while True:
                number = log.last_batch() + 1
                log.append(batch(number, 2 * number, payload=bytes([number % 256]) * 3_000))
                log.commit(number, outputs(number), b"state" if number % 7 == 0 else None)
                acknowledged = number
        killer.join()
        link.close()
        server.start()
        server.wait_ready()
    link = NatsLink([server.url], patience_s=3.0)
    log = open_log(NatsJournal(link, "tulcea"), take_over=True)
    assert acknowledged > 3 and log.last_batch() >= acknowledged
    assert audit.check(log.sealed(), log.head()).faults == ()
    assert [b.number for b in log.read()] == list(range(log.last_batch() + 1))
    link.close()
    server.stop()


def test_a_server_that_is_not_there_is_told_at_once():
    with pytest.raises(Unreachable, match="check the servers"):
        NatsLink(["nats://127.0.0.1:1"], patience_s=0.5)


@pytest.mark.slow
def test_tls_is_checked_against_the_authorities_that_the_system_knows(tmp_path):
    """A process each: Python reads SSL_CERT_FILE once."""
    certificate, key = _self_signed(tmp_path)
    server = Server(ServerPlan("tls", tmp_path / "server", free_port(), more=f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}'))
    server.start()
    server.wait_ready()
    look = ("import sys; from lapwing.adapters.nats_link import NatsLink; "
            "link = NatsLink([sys.argv[1]], patience_s=3.0); print(link.ask('INFO')['streams']); link.close()")

    def ask(**more):
        return subprocess.run([sys.executable, "-c", look, server.url.replace("nats:", "tls:")], capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more})

    assert "CERTIFICATE_VERIFY_FAILED" in ask().stderr
    assert ask(SSL_CERT_FILE=str(certificate)).stdout == "0\n"
    server.stop()


def _self_signed(folder):
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
            .not_valid_after(datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.parametrize("url", ["nats://", "http://a/b", "nats://a", "nats://a/b c", "nats://u:p@a/b", "nats://a:x/b", "nats:///b"])
def test_an_address_that_names_no_journal_is_refused_with_the_remedy(url):
    with pytest.raises(ConfigError, match=r"write nats://|log_credentials"):
        parse_target(url)


def test_an_address_names_servers_and_journal():
    target = parse_target("nats://a,b:5222/tulcea")
    assert (target.servers, target.journal) == (("nats://a:4222", "nats://b:5222"), "tulcea")

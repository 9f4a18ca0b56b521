"""UDP and TCP links hand on what came, with the time of the clock they were given, and survive what networks do."""

import itertools
import socket
import threading

import pytest

from lapwing.adapters import tcp, udp
from lapwing.model.errors import ConfigError


def ticking():
    """Return a clock that counts."""
    counter = itertools.count(1_000)
    return lambda: next(counter)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_datagrams_come_whole_in_order_and_stamped():
    url = f"udp://127.0.0.1:{free_port()}"
    source, sender = udp.UdpSource(url, ticking(), idle=lambda: True), udp.UdpSender(url)
    for payload in (b"one", b"", b"x" * 9_000):
        sender.send(payload)
    assert list(source) == [(1_000, url, "asterix", b"one"), (1_001, url, "asterix", b""),
                            (1_002, url, "asterix", b"x" * 9_000)]
    source.close()
    sender.close()


def test_a_group_is_joined_on_the_interface_named():
    url = f"udp://239.255.77.1:{free_port()}?interface=127.0.0.1"
    source, sender = udp.UdpSource(url, ticking(), idle=lambda: True), udp.UdpSender(url)
    sender.send(b"to the group")
    assert [payload for *_, payload in source] == [b"to the group"]
    source.close()
    sender.close()


def test_what_a_full_buffer_drops_is_counted():
    url = f"udp://127.0.0.1:{free_port()}"
    source, sender = udp.UdpSource(url, ticking(), buffer_octets=4_096, idle=lambda: True), udp.UdpSender(url)
    for _ in range(200):
        sender.send(b"x" * 1_000)
    got = len(list(source))
    sender.send(b"after")
    list(source)
    assert got < 200 and source.dropped_count == 200 - got
    source.close()
    sender.close()


def test_closing_ends_a_reader_that_waits():
    source = udp.UdpSource(f"udp://127.0.0.1:{free_port()}", ticking())
    reader = threading.Thread(target=lambda: list(source))
    reader.start()
    source.close()
    reader.join(5.0)
    assert not reader.is_alive()


def test_a_port_in_use_is_said():
    port = free_port()
    first = udp.UdpSource(f"udp://127.0.0.1:{port}", ticking())
    with pytest.raises(ConfigError, match=r"cannot listen.*another program"):
        udp.UdpSource(f"udp://127.0.0.1:{port}", ticking())
    first.close()


@pytest.mark.parametrize("url", ["udp://239.1.1.1", "tcp://1.2.3.4:5", "udp://name:80", "udp://1.2.3.4:99999",
                                 "udp://1.2.3.4:5?ttl=3", "udp://1.2.3.4:5?interface=x", "udp://[::1:5", "", "http://"])
def test_a_wrong_udp_address_is_refused_in_words(url):
    with pytest.raises(ConfigError):
        udp.parse_udp(url)


@pytest.mark.parametrize("url", ["tcp://host", "udp://h:1", "tcp://:5", "tcp://h:x", "tcp://h:1/p", "tcp://[::1:5", ""])
def test_a_wrong_tcp_address_is_refused_in_words(url):
    with pytest.raises(ConfigError):
        tcp.parse_tcp(url)


def test_blocks_do_not_depend_on_how_the_stream_is_cut():
    stream = bytes([48, 0, 5, 1, 2]) + bytes([34, 0, 4, 9]) + bytes([48, 0, 5, 3, 4])
    for step in range(1, len(stream) + 1):
        cutter = tcp.BlockCutter()
        blocks = [block for i in range(0, len(stream), step) for block in cutter.feed(stream[i : i + step])]
        assert blocks == [stream[:5], stream[5:9], stream[9:]]


def test_a_length_that_cannot_be_breaks_the_stream_after_the_good_blocks():
    cutter = tcp.BlockCutter()
    assert cutter.feed(bytes([48, 0, 5, 1, 2, 48, 0, 2, 7])) == [bytes([48, 0, 5, 1, 2])]
    assert cutter.broken and cutter.feed(b"\x30\x00\x05\x01\x02") == []


class Server:
    """Serves one prepared stream per connection, then hangs up."""

    def __init__(self, *streams: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, args=(streams,))
        self.thread.start()

    def _serve(self, streams):
        for stream in streams:
            connection, _ = self.listener.accept()
            connection.sendall(stream)
            connection.close()
        self.listener.close()


def test_a_lost_connection_is_made_again_and_gives_up_when_told():
    block, other = bytes([48, 0, 5, 1, 2]), bytes([34, 0, 4, 9])
    server = Server(block + other[:2], other + bytes([48, 0, 1]), block)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) > 5

    source = tcp.TcpSource(server.url, ticking(), wait)
    assert [payload for *_, payload in source] == [block, other, block]
    server.thread.join(5.0)
    assert source.connection_count >= 3      # the kernel may take one more in the moment before the server closes its door
    assert waits == [0.5, 0.5, 0.5, 1.0, 2.0, 4.0]      # grows only while nothing comes
    assert "closed" in source.failures[0] and "out of step" in source.failures[1]
    assert "cannot connect" in source.failures[-1]


def test_waiting_never_grows_beyond_half_a_minute():
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 10

    assert list(tcp.TcpSource(f"tcp://127.0.0.1:{free_port()}", ticking(), wait)) == []
    assert waits[-1] == tcp.BACK_OFF_S_MAX

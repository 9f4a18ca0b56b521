"""A file that is being written is read as it grows, wherever a write happens to end."""

import pytest

from lapwing.adapters.follow import FollowSource, parse_follow
from lapwing.adapters.pcap_out import PcapWriter
from lapwing.model.errors import ConfigError
from lapwing.sense.asterix.framing import read_frames

BLOCKS = [bytes([48, 0, 5, 1, k]) for k in range(6)]


def followed(path, parts):
    """Follow a file to which a part is appended whenever nothing more is there."""
    parts = list(parts)
    path.write_bytes(b"")

    def idle():
        if not parts:
            return True
        with path.open("ab") as file:
            file.write(parts.pop(0))
        return False

    source = FollowSource(f"follow://{path}", lambda: 7, lambda _: None, idle=idle)
    return list(source), source


@pytest.mark.parametrize("step", [1, 3, 7, 100])
def test_raw_blocks_come_whole_however_they_are_appended(tmp_path, step):
    stream = b"".join(BLOCKS)
    items, _ = followed(tmp_path / "r.ast", [stream[k : k + step] for k in range(0, len(stream), step)])
    assert items == [(7, f"follow://{tmp_path / 'r.ast'}", "asterix", block) for block in BLOCKS]


@pytest.mark.parametrize("step", [1, 50, 1_000])
def test_packets_of_a_growing_pcap_keep_their_own_time(tmp_path, step):
    with PcapWriter(tmp_path / "whole.pcap") as writer:
        for k, block in enumerate(BLOCKS):
            writer.write(1_700_000_000_123_456_789 + k, "udp://239.1.1.1:8600", block)
    stream = (tmp_path / "whole.pcap").read_bytes()
    items, _ = followed(tmp_path / "r.pcap", [stream[k : k + step] for k in range(0, len(stream), step)])
    assert [(item[0], item[3]) for item in items] == [(1_700_000_000_123_456_789 + k, b) for k, b in enumerate(BLOCKS)]
    assert [frame.payload for frame in read_frames(stream, "pcap")] == BLOCKS


def test_a_stream_out_of_step_ends_the_link_and_says_why(tmp_path):
    items, source = followed(tmp_path / "r.ast", [BLOCKS[0], b"\x30\x00\x01junk"])
    assert len(items) == 1 and "out of step" in source.failures[-1]


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path):
    waits = []
    source = FollowSource(f"follow://{tmp_path / 'none'}", lambda: 7, lambda s: waits.append(s) or len(waits) > 2)
    assert list(source) == [] and len(waits) == 3 and "cannot read" in source.failures[-1]
    with pytest.raises(ConfigError):
        parse_follow("follow://")

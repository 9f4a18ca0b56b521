"""Broken recordings and messages go through the whole sense path: nothing raises, and what is whole around a fault is kept."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SPEC = importlib.util.spec_from_file_location("fuzz_sense", Path(__file__).parents[2] / "tools/fuzz_sense.py")
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)

RECORDINGS = ("croatiacontrol_cat_034_048.pcap", "croatiacontrol_parsegps.gps", "jade_062_one_packet_sample2.ff",
              "reader_network_cat10.ast")


@pytest.mark.parametrize("name", RECORDINGS)
def test_changed_recordings_raise_nothing_and_refuse_with_known_words(shared, name):
    octets = (shared / "data/asterix" / name).read_bytes()
    rng = np.random.default_rng(11)
    for _ in range(12):
        fuzz.recording(fuzz.changed(rng, octets, int(rng.integers(1, 5))), name)


@pytest.mark.parametrize("name", ["track_patrol.cot", "track_patrol.stream.bin"])
def test_changed_messages_raise_nothing_in_any_reader(shared, name):
    octets = (shared / "data/interop/cot/made" / name).read_bytes()
    rng = np.random.default_rng(12)
    for _ in range(12):
        fuzz.message(fuzz.changed(rng, octets, int(rng.integers(1, 5))), fuzz.formats.COT)


@pytest.mark.parametrize("name", RECORDINGS[:2])
def test_one_turned_bit_in_the_middle_costs_at_most_its_own_datagram(shared, name):
    octets = (shared / "data/asterix" / name).read_bytes()
    sound, _, _ = fuzz.recording(octets, name)
    rng = np.random.default_rng(13)
    for _ in range(8):
        data = bytearray(octets)
        data[int(rng.integers(len(data) // 3, len(data)))] ^= 1 << int(rng.integers(8))
        assert fuzz.recording(bytes(data), name)[0] >= sound - 12

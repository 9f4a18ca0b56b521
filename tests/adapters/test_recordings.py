"""Recordings as sources: received times, midnight, clocks beside the data's, and every shared file through the stage."""

import struct
from collections import Counter

import numpy as np
import pytest

from lapwing.adapters.files import RecordingSource
from lapwing.model.entries import Entry
from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S, from_iso, to_iso
from lapwing.sense import SenseSetup, State, step
from lapwing.sense.asterix.encode import encode_block

DAY = from_iso("2025-08-05T00:00:00Z")


def block(time_s):
    return encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": time_s, "040": {"RHO": 10.0, "THETA": 5.0}}])


def source(tmp_path, octets, date="2025-08-05", **more):
    path = tmp_path / "night.ast"
    path.write_bytes(octets)
    return RecordingSource(path, date, **more)


def received_s(recording):
    return [(received - DAY) / NS_PER_S for received, *_ in recording]


def test_raw_recording_is_received_when_its_data_was_measured(tmp_path):
    recording = source(tmp_path, b"".join(block(s) for s in (86_398.0, 86_399.5, 86_399.0, 0.5, 1.5)))
    assert received_s(recording) == [86_398.0, 86_399.5, 86_399.5, 86_400.5, 86_401.5]
    assert {(link, format_) for _, link, format_, _ in recording} == {("file:night.ast", "asterix")}


def test_without_a_date_the_day_is_the_first_of_1970(tmp_path):
    (received, *_), = source(tmp_path, block(3_600.0), None)
    assert to_iso(received, digits=0) == "1970-01-01T01:00:00Z"


def test_recorders_clock_is_taken_where_it_fits_the_data(tmp_path):
    frames = b"".join(struct.pack(">H", len(block(s)) + 12) + bytes(3) + round((s + 0.8) * 100).to_bytes(3, "big")
                      + block(s) + b"\xa5" * 4 for s in (7_200.0, 7_201.0))
    recording = source(tmp_path, frames)
    assert received_s(recording) == [7_200.8, 7_201.8]
    assert recording.notes == []


def test_recorders_clock_that_is_hours_off_is_set_by_the_data_and_said(tmp_path):
    frames = b"".join(struct.pack(">H", len(block(s)) + 12) + bytes(3) + round((s + 10_000.5) * 100).to_bytes(3, "big")
                      + block(s) + b"\xa5" * 4 for s in (7_200.0, 7_201.0))
    recording = source(tmp_path, frames)
    assert received_s(recording) == [7_200.0, 7_201.0]
    assert "stands 10000 s beside the data's" in recording.notes[0]


def test_octets_that_are_no_block_are_handed_on_to_be_refused(tmp_path):
    recording = source(tmp_path, block(10.0) + b"\x30\x00")
    assert [payload for *_, payload in recording] == [block(10.0), b"\x30\x00"]
    assert [(row.reason, row.octets) for row in recording.unread] == [("trailing_octets", 2)]


def test_reading_twice_gives_the_same(tmp_path):
    recording = source(tmp_path, b"".join(block(float(s)) for s in range(3_000)))
    first = list(recording)
    assert len(first) == 3_000
    assert list(recording) == first


def test_empty_foreign_and_misnamed_input_is_refused_with_words(tmp_path):
    with pytest.raises(InputError, match="empty"):
        source(tmp_path, b"")
    with pytest.raises(InputError, match="no ASTERIX"):
        source(tmp_path, b"\x89PNG....")
    with pytest.raises(InputError, match="is no date"):
        source(tmp_path, block(1.0), "5 August")
    with pytest.raises(InputError, match="one of raw, final, ioss_seq"):
        source(tmp_path, block(1.0), framing="netto")


# What each shared recording gives: records, plots (sensors have no position), and refusals other than of a missing one.
def test_every_shared_recording_passes_the_stage_with_its_refusals_counted(shared):
    held = Counter()
    for path in sorted((shared / "data/asterix").iterdir()):
        if not path.is_file() or path.suffix == ".md":
            continue
        entries = tuple(Entry(i, *item) for i, item in enumerate(RecordingSource(path, "2020-10-02")))
        state, plots, records = State(), 0, 0
        for at in range(0, len(entries), 400):
            state, found = step(state, entries[at : at + 400], SenseSetup(), 0)
            plots, records = plots + len(found.plots), records + found.record_count
            assert np.isfinite(found.plots.latitude_rad).all()
            assert (found.plots.received_ns - found.plots.measured_ns < 10 * NS_PER_S).all()
        held[path.name] = records
        assert records or state.counts, path.name
    assert held["jade_062_065_large_packet_30min.ff"] == 34_225
    assert held["nigati_201002_lebl_mlat_part1.ast"] == 53_409
    assert held["croatiacontrol_cat_034_048.pcap"] == 81     # every datagram comes twice
    assert held["croatiacontrol_cat_001_002.pcap"] == 0      # ORADIS

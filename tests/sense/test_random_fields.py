"""CAT001: fields in any order (RFS), plots and tracks of one block, both decoders alike."""

import numpy as np
import pytest

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.decode import decode_datagrams, is_plain, use_plain
from lapwing.sense.asterix.framing import Frame
from lapwing.sense.asterix.listing import list_records


def block(*records):
    body = b"".join(records)
    return bytes([1]) + (len(body) + 3).to_bytes(2, "big") + body


# FSPEC of fields 1, 2 and 21 (RFS), source, descriptor of a plot, then the fields.
def plot(*fields):
    return bytes.fromhex("c10102") + bytes([0x19, 0xC9, 0x10]) + bytes([len(fields)]) + b"".join(fields)


def track(*fields):
    # As a track; item 150 (field 22) follows the RFS.
    return bytes.fromhex("c1010380") + bytes([0x19, 0xC9, 0x90]) + bytes([len(fields)]) + b"".join(
        fields) + b"\x55"


RANGE = bytes([3]) + (128 * 50).to_bytes(2, "big") + (0x4000).to_bytes(2, "big")
MODE_3A = bytes([4]) + (0o1234).to_bytes(2, "big")
LEVEL = bytes([5]) + (4 * 100).to_bytes(2, "big")
TIME = bytes([7]) + (128 * 100).to_bytes(2, "big")
WARNINGS = bytes([14, 0x03, 0x04])                # I001/030: octets chained by their last bit
TRACK_RANGE = bytes([4]) + RANGE[1:]              # a track has its place in other fields
TRACK_NUMBER = bytes([3, 0x01, 0x00])


@pytest.fixture(params=[False, True], ids=["kernels", "plain"])
def decoder(request):
    was = is_plain()
    use_plain(request.param)
    yield
    use_plain(was)


@pytest.mark.parametrize("order", [
    (RANGE, MODE_3A, LEVEL, TIME), (TIME, WARNINGS, LEVEL, RANGE, MODE_3A), (MODE_3A, TIME, RANGE, LEVEL, WARNINGS)])
def test_fields_in_any_order_fill_the_columns(decoder, order):
    decoded = decode_datagrams([block(plot(*order), plot(*order[::-1]))])
    [records] = decoded.records
    assert not decoded.refusals and records.sac.tolist() == [0x19, 0x19]
    got = {name: column.tolist() for name, column in records.columns.items() if np.isfinite(column).all()}
    assert got["range_m"] == [50 * 1852.0] * 2 and got["mode3a"] == [0o1234] * 2 and got["flight_level"] == [100.0] * 2
    assert got["azimuth_rad"] == [np.pi / 2] * 2 and got["time_of_day_s"] == [100.0] * 2


def test_plots_and_tracks_of_one_block_have_their_own_places(decoder):
    decoded = decode_datagrams([block(plot(RANGE, MODE_3A), track(TRACK_NUMBER, TRACK_RANGE), plot(MODE_3A, RANGE))])
    [records] = decoded.records
    assert not decoded.refusals and records.columns["track"].tolist() == [0.0, 1.0, 0.0]
    assert records.columns["range_m"].tolist() == [50 * 1852.0] * 3
    assert records.columns["track_number"][1] == 256.0 and np.isnan(records.columns["track_number"][[0, 2]]).all()
    assert records.items(1)["150"] and records.items(1)["161"] == 256


def test_the_place_that_stands_in_the_record_itself_wins(decoder):
    # Field 3 in the presence octets and again among the fields in any order: the first counts.
    once = bytes.fromhex("e10102") + bytes([0x19, 0xC9, 0x10]) + RANGE[1:]
    decoded = decode_datagrams([block(once + bytes([2]) + bytes([3, 0, 1, 0, 1]) + MODE_3A)])
    [records] = decoded.records
    assert records.columns["range_m"].tolist() == [50 * 1852.0] and records.columns["mode3a"].tolist() == [0o1234]


@pytest.mark.parametrize(("fields", "reason"), [
    ((bytes([0]),), "undefined_item"), ((bytes([16, 0, 0]),), "undefined_item"), ((bytes([21, 0]),), "undefined_item"),
    ((bytes([200, 0]),), "undefined_item"), ((bytes([3, 1]),), "item_too_short"),
])
def test_what_is_wrong_among_the_fields_is_refused_and_the_record_before_kept(decoder, fields, reason):
    decoded = decode_datagrams([block(plot(RANGE), plot(*fields))])
    assert [refusal.reason for refusal in decoded.refusals] == [reason]
    assert len(decoded.records[0]) == 1


def random_plot(rng):
    frns = rng.permutation([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])[: int(rng.integers(0, 8))].tolist()
    octets = bytearray(plot(*(bytes([frn]) + rng.integers(0, 256, int(rng.integers(1, 5)), np.uint8).tobytes() for frn in frns)))
    if rng.random() < 0.3:
        octets[int(rng.integers(len(octets)))] ^= 1 << int(rng.integers(8))
    return bytes(octets)


def test_kernels_plain_twin_and_item_reader_agree_on_any_fields():
    rng = np.random.default_rng(3)
    edition = tables.default_edition(1)
    for _ in range(300):
        octets = block(*(random_plot(rng) for _ in range(3)))
        fast, slow = decode_datagrams([octets], plainly=False), decode_datagrams([octets], plainly=True)
        assert fast.refusals == slow.refusals
        listed = [row for row in list_records([Frame(0, octets)]) if hasattr(row, "items")]
        assert len(listed) == sum(map(len, fast.records)) == sum(map(len, slow.records)), (octets.hex(), edition)
        for one, other in zip(fast.records, slow.records, strict=True):
            for name, column in one.columns.items():
                assert np.array_equal(column, other.columns[name], equal_nan=True), name
            assert (one.sac == other.sac).all() and (one.octet_count == other.octet_count).all()
        for row, record in enumerate(listed):
            value = record.items.get("040", {}).get("RHO") if isinstance(record.items.get("040"), dict) else None
            column = fast.records[0].columns["range_m"][row]
            assert np.isnan(column) if value is None else column == value * 1852.0

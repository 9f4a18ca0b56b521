"""Corrupted blocks: no crash, no octet read past the end, and both decoders refuse at the same place."""

import numpy as np
import pytest
from asterix_samples import corrupted, random_record

from lapwing.sense.asterix import shapes, tables
from lapwing.sense.asterix.decode import REASONS, Editions, decode_datagrams
from lapwing.sense.asterix.encode import encode_block
from lapwing.sense.asterix.framing import Frame
from lapwing.sense.asterix.layout import layout
from lapwing.sense.asterix.listing import Listed, list_records

REASON_CODES = {code for code, _ in REASONS.values()} | {"unknown_category", "undefined_subfield"}


def blocks(seed, count):
    rng = np.random.default_rng(seed)
    known = [(c, e) for c in tables.CATEGORIES for e in tables.editions(c)]
    for _ in range(count):
        category, name = known[int(rng.integers(len(known)))]
        edition = tables.edition(category, name)
        records = [random_record(rng, edition, int(rng.integers(len(edition.profiles))), 0.4) for _ in range(2)]
        yield corrupted(rng, encode_block(category, records, name)), {category: name}


@pytest.mark.parametrize("seed", range(4))
def test_thousand_corrupted_blocks_give_records_or_counted_refusals(seed):
    for octets, editions in blocks(seed, 250):
        # Behind the datagram lies another: whatever is read past the end would change with it.
        found = [decode_datagrams([octets, tail], Editions(editions)) for tail in (b"\x00" * 40, b"\xff" * 40)]
        alone = decode_datagrams([octets], Editions(editions))
        for decoded in found:
            mine = [r for r in decoded.refusals if r.datagram_index == 0]
            assert mine == list(alone.refusals)
        for records in alone.records:
            other = next(r for r in found[1].records if (r.category, r.edition) == (records.category, records.edition))
            rows = other.datagram_index == 0
            assert (records.octet_offset + records.octet_count <= len(octets)).all()
            for name, column in records.columns.items():
                assert np.array_equal(column, other.columns[name][rows], equal_nan=True)
        assert {refusal.reason for refusal in alone.refusals} <= REASON_CODES


def test_fast_and_readable_decoder_agree_on_corrupted_blocks():
    for octets, editions in blocks(99, 400):
        listed = list(list_records([Frame(0, octets)], Editions(editions)))
        decoded = decode_datagrams([octets], Editions(editions))
        fast = sorted((int(at), int(count)) for r in decoded.records
                      for at, count in zip(r.octet_offset, r.octet_count, strict=True))
        plain = sorted((row.octet, len(row.octets)) for row in listed if isinstance(row, Listed))
        assert fast == plain, octets.hex()
        assert len(decoded.refusals) == sum(not isinstance(row, Listed) for row in listed), octets.hex()


def same(fast, slow):
    """Whether two values of `Decoded` are equal to the last bit."""
    assert fast.refusals == slow.refusals
    assert fast.block_count == slow.block_count
    assert [(r.category, r.edition) for r in fast.records] == [(r.category, r.edition) for r in slow.records]
    for one, other in zip(fast.records, slow.records, strict=True):
        for name in ("datagram_index", "block_index", "record_index", "octet_offset", "octet_count", "profile_index",
                     "sac", "sic", "present"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), (one.category, name)
        for name, column in one.columns.items():
            assert np.array_equal(column, other.columns[name], equal_nan=True), (one.category, name)


def test_kernels_and_plain_twin_agree_to_the_last_bit_on_corrupted_blocks():
    for octets, editions in blocks(7, 300):
        same(decode_datagrams([octets], Editions(editions)), decode_datagrams([octets], Editions(editions), plainly=True))


def test_kernels_and_plain_twin_agree_on_many_datagrams_at_once():
    rows = list(blocks(8, 300))
    payloads = [octets for octets, _ in rows]
    same(decode_datagrams(payloads), decode_datagrams(payloads, plainly=True))
    same(decode_datagrams([]), decode_datagrams([], plainly=True))


def test_automaton_that_overflows_is_emptied_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(shapes, "STATES_MIN", 8)
    monkeypatch.setattr(shapes, "_idle", {})
    edition = tables.edition(62)
    rng = np.random.default_rng(3)
    payloads = [encode_block(62, [random_record(rng, edition, 0, 0.5)]) for _ in range(60)] * 2
    monkeypatch.setattr(shapes, "STATES_MAX", 400)
    same(decode_datagrams(payloads), decode_datagrams(payloads, plainly=True))
    assert len(shapes.borrow(layout(62, edition.edition)).states) <= 400


def test_presence_octets_too_long_for_a_key_are_walked_all_the_same():
    # I048/010 alone, its FSPEC padded with empty octets to nine; then a compound item 130 padded likewise.
    one = bytes([0x81]) + bytes([0x01]) * 7 + bytes([0x00]) + bytes([25, 201])
    two = bytes([0x82]) + bytes([25, 201]) + bytes([0x41]) + bytes([0x01]) * 8 + bytes([0x00]) + bytes([7])
    body = one + two + one
    block = bytes([48]) + (len(body) + 3).to_bytes(2, "big") + body
    decoded = decode_datagrams([block])
    same(decoded, decode_datagrams([block], plainly=True))
    (records,) = decoded.records
    assert records.octet_count.tolist() == [len(one), len(two), len(one)]
    assert records.items(1) == {"010": {"SAC": 25, "SIC": 201}, "130": {"SRR": 7}}
    assert records.octets(1) == two


def test_random_octets_are_refused_without_a_crash():
    rng = np.random.default_rng(5)
    payloads = [rng.bytes(int(rng.integers(0, 200))) for _ in range(2_000)]
    decoded = decode_datagrams(payloads)
    assert {refusal.reason for refusal in decoded.refusals} <= REASON_CODES

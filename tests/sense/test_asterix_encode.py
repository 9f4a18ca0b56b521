"""The encoder and the decoder are inverse, for every item of every edition; and libasterix reads the same bits."""

import asterix.base as base
import asterix.generated as generated
import numpy as np
import pytest
from asterix_samples import random_record
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.encode import encode_block, encode_record
from lapwing.sense.asterix.items import read_record
from lapwing.sense.asterix.tables import Item
from lapwing.sense.asterix.values import BadValue

EDITIONS = [(category, name) for category in tables.CATEGORIES for name in tables.editions(category)]


@pytest.mark.parametrize(("category", "name"), EDITIONS)
def test_every_item_of_every_edition_survives_encoding_and_decoding(category, name):
    edition = tables.edition(category, name)
    rng = np.random.default_rng(category * 1000 + len(name))
    for profile, (word, places) in enumerate(edition.profiles):
        seen = set()
        for share in (1.0, 0.6, 0.3, 0.3, 0.3):
            record = random_record(rng, edition, profile, share)
            octets = encode_record(category, record, name)
            items, end, taken = read_record(octets, 0, len(octets), edition)
            assert items == record
            assert (end, taken) == (len(octets), word)
            assert encode_record(category, items, name) == octets
            seen |= set(items)
        assert seen == {place.name for place in places if isinstance(place, Item)}


@settings(max_examples=60, deadline=None)
@given(choice=st.sampled_from(EDITIONS), seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5))
def test_blocks_of_any_records_come_back_as_they_were(choice, seed, count):
    category, name = choice
    edition = tables.edition(category, name)
    rng = np.random.default_rng(seed)
    profile = int(rng.integers(len(edition.profiles)))
    records = [random_record(rng, edition, profile) for _ in range(count)]
    block = encode_block(category, records, name)
    at, found, word = 3, [], ""
    while at < len(block):
        items, at, word = read_record(block, at, len(block), edition, word)
        found.append(items)
    assert found == records
    assert int.from_bytes(block[1:3], "big") == len(block)


SINGLE = [(spec.cv_category, "{}.{}".format(*spec.cv_edition), spec)
          for specs in generated.manifest["CATS"].values() for spec in specs if issubclass(spec.cv_uap, base.UapSingle)]


@pytest.mark.parametrize(("category", "name", "spec"), SINGLE)
def test_libasterix_finds_the_same_items_at_the_same_octets(category, name, spec):
    edition = tables.edition(category, name)
    rng = np.random.default_rng(category)
    record = random_record(rng, edition, 0, 0.7)
    octets = encode_record(category, record, name)
    spans: dict[str, tuple[int, int]] = {}
    read_record(octets, 0, len(octets), edition, "", spans)
    parsed = spec.cv_uap.cv_record.parse(base.ParsingMode.StrictParsing, base.Bits.from_bytes(octets))
    assert not isinstance(parsed, ValueError), parsed
    theirs = {key: item.unparse().to_bytes() for key, item in parsed[0].items_regular.items()}
    assert {key: octets[a:b] for key, (a, b) in spans.items()} == theirs


def test_plot_of_a_radar_by_hand():
    # FSPEC 1111 0000: 010, 140, 020, 040. 140: 100 s x 128 = 12800 = 0x003200. 020: TYP 1 -> 001 00000 = 0x20.
    # 040: 10 NM x 256 = 2560 = 0x0A00; 90 degrees = 0x4000.
    block = encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": 100.0, "020": {"TYP": 1},
                               "040": {"RHO": 10.0, "THETA": 90.0}}])
    assert block.hex(" ") == "30 00 0e f0 19 c9 00 32 00 20 0a 00 40 00"


def test_azimuth_that_rounds_up_to_the_full_circle_is_north():
    octets = encode_record(48, {"040": {"RHO": 1.0, "THETA": 359.9999}})
    assert read_record(octets, 0, len(octets), tables.edition(48))[0]["040"]["THETA"] == 0.0


@pytest.mark.parametrize(("items", "words"), [
    ({"040": {"RHO": 300.0}}, "I048/040: RHO: 300.0 is outside"),
    ({"999": 1}, "no item '999'"),
    ({"040": {"RANGE": 1.0}}, "no sub-item 'RANGE'; known are RHO, THETA"),
    ({"070": {"MODE3A": "9999"}}, "does not fit 12 bits of octal"),
    ({"240": "TOO LONG A NAME"}, "does not fit 48 bits of icao"),
    ({"140": float("nan")}, "finite number"),
    ({"020": 3}, "a group of TYP"),
])
def test_value_that_does_not_fit_is_named_with_its_item(items, words):
    with pytest.raises(BadValue, match=r"I048|CAT048") as caught:
        encode_record(48, items)
    assert words in str(caught.value)


def test_block_longer_than_its_length_field_is_refused():
    with pytest.raises(BadValue, match="split the records"):
        encode_block(48, [{"250": [{"MBDATA": 1, "BDS1": 4, "BDS2": 0}] * 255}] * 40)

"""Which edition a source speaks is found from its blocks, for every category that has several, and said with how sure that is."""

import numpy as np
import pytest
from asterix_samples import random_record

from lapwing.sense.asterix import ranking, tables
from lapwing.sense.asterix.encode import encode_block
from lapwing.sense.asterix.framing import Frame, detect, read_frames
from lapwing.sense.asterix.items import read_record
from lapwing.sense.asterix.records import Editions

SEVERAL = [(category, name) for category in tables.CATEGORIES if len(tables.editions(category)) > 1 for name in tables.editions(category)]


def plausible(rng, category, name, share):
    """Return a record whose times lie together, and whose places, levels and speeds can be."""
    edition = tables.edition(category, name)
    record = random_record(rng, edition, int(rng.integers(len(edition.profiles))), share)
    times, checks = ranking._checks(category, name)
    for item in times:
        if item in record:
            record[item] = 36_000.0 + float(rng.integers(0, 200)) / 128
    for path, _, high in checks:
        at = record
        for step in path[:-1]:
            at = at.get(step, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict) and path[-1] in at:
            at[path[-1]] = float(rng.uniform(20, 60) if path[-1] in ("LAT", "LON") else rng.uniform(0.1, min(high, 3) / 4))
    chooser = edition.selector.path[0] if edition.selector else ""
    return {item: value for item, value in record.items() if writable(category, name, {item: value} | (
        {chooser: record[chooser]} if chooser else {}))}


def writable(category, name, items):
    try:
        encode_block(category, [items], name)
    except ValueError:
        return False
    return True


def sample(seed, category, name, share=0.5, count=24):
    rng = np.random.default_rng(seed)
    return [encode_block(category, [plausible(rng, category, name, share) for _ in range(2)], name) for _ in range(count)]


def read(category, name, block):
    items, at, profile = [], 3, ""
    while at < len(block):
        one, at, profile = read_record(block, at, len(block), tables.edition(category, name), profile)
        items.append(one)
    return items


@pytest.mark.parametrize(("category", "name"), SEVERAL)
def test_what_is_found_reads_the_source_as_its_own_edition_does_or_says_that_it_is_not_sure(category, name):
    for share in (0.3, 0.8):
        blocks = sample(7, category, name, share, 12)
        found = ranking.detect_edition(category, blocks)
        own = next(row for row in ranking.rank_editions(category, blocks) if row.edition == name)
        assert own.score == 1.0 and found.fits
        if found.confidence > 0.6:
            assert all(ranking._agree(read(category, name, block), read(category, found.edition, block)) for block in blocks)
        assert found.confidence > 0.6 or found.edition == tables.default_edition(category)


@pytest.mark.parametrize("name", ["0.23", "0.26", "2.1"])
def test_an_old_edition_that_the_newest_does_not_read_is_found_and_surely(name):
    found = ranking.detect_edition(21, sample(3, 21, name))
    assert (found.edition, found.score) == (name, 1.0) and found.confidence > 0.99


def test_a_few_broken_blocks_are_no_reason_to_leave_the_newest():
    blocks = sample(1, 21, "2.7")
    broken = [block[:1] + len(block).to_bytes(2, "big") + bytes([0x01]) * (len(block) - 3) for block in blocks[:4]]
    found = ranking.detect_edition(21, broken + blocks[4:])
    assert found.edition == "2.7" and found.score < 1.0


def test_sources_of_one_stream_have_each_their_own_edition():
    def of(sic, blocks):
        return [bytes(octets) for octets in map(bytearray, blocks) if not octets.__setitem__(slice(*at(octets)), bytes([25, sic]))]

    def at(block):
        body = 3
        while block[body] & 1:
            body += 1
        return body + 1, body + 3

    old, new, radar = of(1, sample(4, 21, "0.26")), of(2, sample(5, 21, "2.7")), of(3, sample(6, 48, "1.32"))
    stream = [block for three in zip(old, new, radar, strict=True) for block in three]
    detected = ranking.detect_editions(stream)
    assert {key: row.edition for key, row in detected.items()} == {(21, 25, 1): "0.26", (21, 25, 2): "2.7", (48, 25, 3): "1.32"}
    editions = ranking.with_detected(Editions(), detected)
    assert [editions.choose(21, 25, sic) for sic in (1, 2)] == ["0.26", "2.7"]
    assert (21, 25, 1) not in ranking.detect_editions(stream, Editions(by_source={(21, 25, 1): "0.25"}))


def test_octets_of_no_edition_fit_none():
    rng = np.random.default_rng(2)
    blocks = [bytes([62]) + (43).to_bytes(2, "big") + rng.bytes(40) for _ in range(40)]
    found = ranking.detect_edition(62, blocks)
    assert not found.fits and found.confidence == 0.0
    assert ranking.detect_edition(99, blocks) is None


def test_corrected_speed_of_surface_radar_is_proven_by_a_real_hour(shared):
    """I010/202 against I010/200 of the same report: 0.25 m/s a count, not a sixteenth."""
    data = (shared / "data/asterix/nigati_201002_lebl_smr_part1.ast").read_bytes()
    ratios = []
    for frame in read_frames(data, detect(data, "x")):
        if isinstance(frame, Frame) and frame.payload[0] == 10:
            for items in read(10, "1.1", frame.payload):
                if "202" in items and items.get("200", {}).get("GSP", 0.0) * 1852.0 > 8.0:
                    ratios.append(np.hypot(items["202"]["VX"], items["202"]["VY"]) / (items["200"]["GSP"] * 1852.0))
        if len(ratios) > 300:
            break
    assert len(ratios) > 100 and abs(np.median(ratios) - 1.0) < 0.02

"""libasterix and we read the same values out of random octets, for every item of every edition; two judges, one document."""

import asterix.generated as generated
import numpy as np
import pytest
from asterix_samples import random_record
from second_opinion import read

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.encode import encode_block, encode_record
from lapwing.sense.asterix.items import Refused, read_record

EDITIONS = [("{}-{}.{}".format(spec.cv_category, *spec.cv_edition), spec)
            for specs in generated.manifest["CATS"].values() for spec in specs]
CORRECTED = {(row["category"], row["item"]) for row in tables.overlay()}


def differences(ours, theirs, path=()):
    """Return where two values differ. Call signs come from the other as bits, so they are compared as bits elsewhere."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ([(path, ours.keys() ^ theirs.keys())] if ours.keys() != theirs.keys() else
                [row for name in ours for row in differences(ours[name], theirs[name], (*path, name))])
    if isinstance(ours, list) and isinstance(theirs, list):
        return ([(path, len(ours), len(theirs))] if len(ours) != len(theirs) else
                [row for one, other in zip(ours, theirs, strict=True) for row in differences(one, other, path)])
    if isinstance(ours, str) and isinstance(theirs, int):
        return []
    return [] if ours == theirs and type(ours) is type(theirs) else [(path, ours, theirs)]


def compare(spec, rng, count):
    category, name = spec.cv_category, "{}.{}".format(*spec.cv_edition)
    edition = tables.edition(category, name)
    words = [word for word, _ in edition.profiles]
    for number in range(count):
        profile = number % len(words)
        octets = encode_record(category, random_record(rng, edition, profile, 0.5), name)
        items, end, word = read_record(octets, 0, len(octets), edition, words[profile])
        theirs = read(spec.cv_uap, octets, word)
        assert theirs is not None, octets.hex()
        assert theirs[1] == end
        found = [row for row in differences(items, theirs[0]) if (category, (row[0] or ("",))[0]) not in CORRECTED]
        assert found == [], octets.hex()


@pytest.mark.parametrize("spec", [spec for _, spec in EDITIONS], ids=[name for name, _ in EDITIONS])
def test_libasterix_reads_the_same_values(spec):
    compare(spec, np.random.default_rng(spec.cv_category), 6)


@pytest.mark.slow
@pytest.mark.parametrize("spec", [spec for _, spec in EDITIONS], ids=[name for name, _ in EDITIONS])
def test_libasterix_reads_the_same_values_of_many_records(spec):
    compare(spec, np.random.default_rng(9_000 + spec.cv_category), 300)


@pytest.mark.slow
def test_what_libasterix_reads_of_broken_records_we_read_too():
    # It is strict: what it accepts whole is a record of that edition; we may never refuse or read it otherwise.
    rng = np.random.default_rng(4)
    accepted = 0
    for number in range(6_000):
        spec = EDITIONS[number % len(EDITIONS)][1]
        category, name = spec.cv_category, "{}.{}".format(*spec.cv_edition)
        edition = tables.edition(category, name)
        if edition.selector is not None:
            continue  # libasterix is told the profile; a turned bit would choose another
        word = edition.profiles[0][0]
        octets = bytearray(encode_block(category, [random_record(rng, edition, 0, 0.3)], name)[3:])
        for _ in range(2):
            octets[int(rng.integers(len(octets)))] ^= 1 << int(rng.integers(8))
        theirs = read(spec.cv_uap, bytes(octets), word)
        if theirs is None:
            continue
        try:
            items, end, _ = read_record(bytes(octets), 0, len(octets), edition, word)
        except Refused as error:
            assert error.reason == "empty_record", (octets.hex(), str(error))
            continue
        accepted += 1
        assert end == theirs[1], octets.hex()
        assert [row for row in differences(items, theirs[0])
                if (category, (row[0] or ("",))[0]) not in CORRECTED] == [], octets.hex()
    assert accepted > 1_000

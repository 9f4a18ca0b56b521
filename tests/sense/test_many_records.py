"""Very many records at once give what few at a time give: shared empty columns, strips of one shape and of several, parts."""

import numpy as np
import pytest

from lapwing.runtime.bench_asterix import STREAMS
from lapwing.sense.asterix import decode
from lapwing.sense.asterix.decode import decode_datagrams
from lapwing.sense.asterix.encode import encode_block

BLOCKS = {name: [encode_block(48, [make(b * count + i) for i in range(count)]) for b in range(5)]
          for name, (make, count) in STREAMS.items()}


@pytest.mark.parametrize("names", [["primary plots"], ["Mode S reports"], ["primary plots", "Mode S reports"]])
@pytest.mark.parametrize("in_parts", [False, True])
def test_many_records_have_the_columns_of_few(monkeypatch, names, in_parts):
    few = [block for name in names for block in BLOCKS[name]]
    (plain,) = decode_datagrams(few, plainly=True).records
    times = 2 * decode.SHARED_FROM // len(plain) + 1
    if in_parts:
        monkeypatch.setattr(decode, "PART_RECORDS_MIN", decode.SHARED_FROM + 1_000)
        monkeypatch.setattr(decode, "RECORD_OCTETS", 1_000_000)
    found = decode_datagrams(few * times)
    (many,) = found.records
    assert len(many) == times * len(plain) and not found.refusals
    for name, column in plain.columns.items():
        assert np.array_equal(many.columns[name], np.tile(column, times), equal_nan=True), name
    assert many.items(len(many) - 1) == plain.items(len(plain) - 1)


def test_columns_that_no_record_has_are_one_and_the_others_are_not():
    (found,) = decode_datagrams(BLOCKS["primary plots"] * 200).records
    empty = [column for column in found.columns.values() if np.isnan(column).all()]
    kept = [column for column in found.columns.values() if not np.isnan(column).all()]
    assert sum(np.shares_memory(empty[-1], column) for column in empty) > 10
    assert len(kept) > 4 and not any(np.shares_memory(kept[0], column) for column in kept[1:])

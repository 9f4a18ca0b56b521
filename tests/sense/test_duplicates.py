"""A datagram is a duplicate exactly where the same octets came within two seconds before it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.entries import Entry
from lapwing.sense.duplicates import WINDOW_NS, find_duplicates


@given(st.lists(st.tuples(st.integers(0, 6_000), st.sampled_from(b"abcdef")), max_size=40), st.lists(st.integers(1, 7), max_size=20))
def test_duplicates_are_those_of_a_plain_search_however_the_entries_are_batched(rows, cuts):
    rows.sort()
    entries = [Entry(k, ms * 1_000_000, "l", "asterix", bytes([letter])) for k, (ms, letter) in enumerate(rows)]
    expected, last = [], {}
    for one in entries:
        before = last.get(one.payload)
        expected.append(before is not None and one.received_ns - before <= WINDOW_NS)
        last[one.payload] = one.received_ns
    ns, digest, found, begin = np.zeros(0, np.int64), np.zeros(0, np.uint64), [], 0
    for size in [*cuts, len(entries)]:
        batch = entries[begin : begin + size]
        begin += size
        if batch:
            again, ns, digest = find_duplicates(batch, ns, digest)
            found += again.tolist()
    assert found == expected and (np.diff(digest.astype(object)) > 0).all()

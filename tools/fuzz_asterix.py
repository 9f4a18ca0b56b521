"""Throw broken blocks at the ASTERIX decoder: no crash, and nothing read that lies outside a block.

    python tools/fuzz_asterix.py [--count 1000000] [--seed 1]     seeded: valid blocks of every edition, then bits turned,
                                                                  octets cut, put in and set, lengths left wrong
    python tools/fuzz_asterix.py --atheris [libFuzzer options]    coverage-guided, where atheris is installed

A block is decoded between two different surroundings. Whatever would be read past its end would change with them, and
the results are compared to the last bit. Every record that is read is also read by the item reader, which raises
nothing but its own refusal; one block in a hundred is decoded by the plain twin too. `NUMBA_BOUNDSCHECK=1` in the
environment checks every index of the kernels besides.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests/sense")]

GUIDED = "--atheris" in sys.argv
if GUIDED:
    import atheris

    # The kernels are machine code; their twin, which must find the same, shows the way through the format.
    seen = atheris.instrument_imports(include=["lapwing.sense.asterix"], exclude=[
        "lapwing.sense.asterix.kernels", "lapwing.sense.asterix.column_kernels"])
else:
    seen = nullcontext()
with seen:
    from asterix_samples import corrupted, random_record

    from lapwing.sense.asterix import tables
    from lapwing.sense.asterix.decode import Decoded, Editions, decode_datagrams
    from lapwing.sense.asterix.encode import encode_block
    from lapwing.sense.asterix.framing import Frame
    from lapwing.sense.asterix.listing import list_records

BATCH = 500
SURROUNDINGS = (b"\x00" * 40, b"\xff" * 40)


def facts(decoded: Decoded, step: int) -> list[object]:
    """Return all that was decoded of every `step`-th datagram, as plain values that can be compared."""
    rows: list[object] = [(r.datagram_index // step, r.category, r.record_index, r.item, r.octet_offset, r.reason, r.detail)
                          for r in decoded.refusals if r.datagram_index % step == 0]
    for records in decoded.records:
        mine = records.datagram_index % step == 0
        rows.append((records.category, records.edition, (records.datagram_index[mine] // step).tobytes(),
                     records.octet_offset[mine].tobytes(), records.octet_count[mine].tobytes(), records.sac[mine].tobytes(),
                     records.present[mine].tobytes(), [column[mine].tobytes() for column in records.columns.values()]))
    return [row for row in rows if not (isinstance(row, tuple) and len(row) == 8 and row[2] == b"")]


def check(blocks: list[bytes], editions: Editions, *, twin: bool) -> tuple[int, int]:
    """Decode blocks in both surroundings; return how many records and refusals. AssertionError where they differ."""
    found = []
    for outside in SURROUNDINGS:
        payloads = [piece for block in blocks for piece in (block, outside)]
        found.append(facts(decode_datagrams(payloads, editions), 2))
    assert found[0] == found[1], "something outside a block was read"
    decoded = decode_datagrams(blocks, editions)
    for records in decoded.records:
        for row in range(len(records)):
            records.items(row)
            assert records.octet_offset[row] + records.octet_count[row] <= len(blocks[records.datagram_index[row]])
    if twin:
        assert facts(decoded, 1) == facts(decode_datagrams(blocks, editions, plainly=True), 1), "the twin differs"
    return sum(map(len, decoded.records)), len(decoded.refusals)


def seeded(count: int, seed: int) -> None:
    """Run so many corrupted blocks and print what they gave."""
    rng = np.random.default_rng(seed)
    known = [(category, name) for category in tables.CATEGORIES for name in tables.editions(category)]
    start, records, refusals, done = time.perf_counter(), 0, 0, 0
    while done < count:
        category, name = known[done // BATCH % len(known)]
        edition = tables.edition(category, name)
        pool = [encode_block(category, [random_record(rng, edition, int(rng.integers(len(edition.profiles))), 0.4)
                                        for _ in range(int(rng.integers(1, 4)))], name) for _ in range(20)]
        blocks = [corrupted(rng, pool[int(rng.integers(len(pool)))]) for _ in range(min(BATCH, count - done))]
        twin = done // BATCH % 100 == 0
        one, other = check(blocks, Editions({category: name}), twin=twin)
        records, refusals, done = records + one, refusals + other, done + len(blocks)
        if sys.stderr.isatty():
            print(f"\r{done:,} blocks", end="", file=sys.stderr)
    print(f"{done:,} corrupted blocks of {len(known)} editions, seed {seed}: {records:,} records read, {refusals:,} refusals, "
          f"no crash, nothing read outside a block; {time.perf_counter() - start:.0f} s")


def one_input(data: bytes) -> None:
    """The target of atheris: the first octet chooses the edition of the first block's category."""
    if len(data) < 2:
        return
    category = data[1]
    names = tables.editions(category)
    editions = Editions({category: names[data[0] % len(names)]} if names else {})
    check([data[1:]], editions, twin=True)
    for _ in list_records([Frame(0, data[1:])], editions):
        pass


def main() -> None:
    """Run what the command line asks for."""
    if GUIDED:
        sys.argv.remove("--atheris")
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    seeded(arguments.count, arguments.seed)


if __name__ == "__main__":
    main()

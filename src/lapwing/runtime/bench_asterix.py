"""Bench `asterix`: CAT048 records into columns, beside libasterix where it is installed (the `test` extra)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, TypeVar

from lapwing.sense.asterix.decode import decode_datagrams
from lapwing.sense.asterix.encode import encode_block

F = TypeVar("F")
RECORDS, REFERENCE_RECORDS = 40_000, 1_000


def _datagrams(count: int) -> list[bytes]:
    """Return blocks of ten primary plots each, as a radar sends them."""
    records = [{"010": {"SAC": 1, "SIC": 2}, "140": 100.0 + i / 128.0,
                "020": {"TYP": 1, "SIM": 0, "RDP": 0, "SPI": 0, "RAB": 0},
                "040": {"RHO": 10.0 + i / 256.0, "THETA": 90.0}} for i in range(10)]
    return [encode_block(48, records)] * (count // 10)


def figures(repeat: int, compare: Callable[[Callable[[], object], Callable[[], object], int], tuple[float, float]],
            figure: Callable[..., F]) -> Iterator[F]:
    """Yield records a second, with the ratio to libasterix."""
    datagrams = _datagrams(RECORDS)
    decode_datagrams(datagrams)
    if find_spec("asterix") is None:
        ours_s, _ = compare(lambda: decode_datagrams(datagrams), lambda: None, repeat)
        yield figure("asterix", "CAT048 records/s into columns", RECORDS / ours_s, "/s", note="libasterix is not installed")
        return
    ours_s, theirs_s = compare(lambda: decode_datagrams(datagrams), lambda: _reference(_datagrams(REFERENCE_RECORDS)), repeat)
    ours, theirs = RECORDS / ours_s, REFERENCE_RECORDS / theirs_s
    yield figure("asterix", "CAT048 records/s into columns", ours, "/s", theirs, "libasterix", ours / theirs)


def _reference(datagrams: list[bytes]) -> int:
    from asterix import base, generated

    bits: Any = base.Bits
    raw_datablock: Any = base.RawDatablock
    spec: Any = generated.Cat_048_1_32
    count = 0
    for datagram in datagrams:
        for raw in raw_datablock.parse(bits.from_bytes(datagram)):
            count += len(spec.cv_uap.parse(raw.get_raw_records()))
    return count

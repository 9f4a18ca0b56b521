"""Bench `asterix`: CAT048 records into columns, beside public decoders that give the same values of the same octets.

Like for like: a peer counts as done when every column that we take stands in a list of Python numbers, and the values
are compared once before the clock runs. `libasterix` comes with the ``test`` extra. `asterix_decoder` is GPL and
overwrites it, so it is only ever run by another interpreter, named in ``LAPWING_ASTERIX_DECODER_PYTHON``.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.decode import decode_datagrams, use_plain, warm
from lapwing.sense.asterix.encode import encode_block

F = TypeVar("F")
RECORDS, REFERENCE_RECORDS = 40_000, 400
PYTHON_OF_DECODER = "LAPWING_ASTERIX_DECODER_PYTHON"
_PLOT = {"010": {"SAC": 1, "SIC": 2}, "020": {"TYP": 1, "SIM": 0, "RDP": 0, "SPI": 0, "RAB": 0}}


def _primary(i: int) -> dict[str, Any]:
    return {**_PLOT, "140": 100.0 + i / 128.0, "040": {"RHO": 10.0 + i / 256.0, "THETA": 90.0}}


def _mode_s(i: int) -> dict[str, Any]:
    """A roll-call report as busy radars send it, some 50 octets; every third without its primary echo, every fourth
    with a second register, so that a block holds several shapes."""
    kind = {"TYP": 5 if i % 3 else 7, "SIM": 0, "RDP": 0, "SPI": 0, "RAB": 0}
    echo = {"SRL": 1.0, "SRR": 3, "SAM": -60, **({} if i % 3 else {"PRL": 1.0, "PAM": -70})}
    register = {"MBDATA": 54_175_137_758_183_424 + i, "BDS1": 4, "BDS2": 0}
    return {**_PLOT, "020": kind, "140": 30_000.0 + i / 128.0, "040": {"RHO": 40.0 + i / 7.0, "THETA": (i * 7.3) % 360.0},
            "070": {"V": 0, "G": 0, "L": 0, "MODE3A": f"{i % 4096:04o}"}, "090": {"V": 0, "G": 0, "FL": 250.0 + i % 100},
            "130": echo, "220": 0x4B0000 + i, "240": "TAROM123", "250": [register] * (1 if i % 4 else 2),
            "161": {"TRN": i % 4096}, "200": {"GSP": 0.12, "HDG": 124.0}, "170": {"CNF": 0, "RAD": 2},
            "230": {"COM": 1, "STAT": 0, "MSSC": 1, "ARC": 1, "AIC": 1}}


STREAMS: Mapping[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "primary plots": (_primary, 10), "Mode S reports": (_mode_s, 8)}


def _datagrams(make: Callable[[int], dict[str, Any]], in_block: int, count: int) -> list[bytes]:
    """Return so many records in blocks of `in_block`, forty blocks repeated."""
    blocks = [encode_block(48, [make(b * in_block + i) for i in range(in_block)]) for b in range(40)]
    wanted = count // in_block
    return [blocks[i % 40] for i in range(wanted)]


def figures(repeat: int, figure: Callable[..., F]) -> Iterator[F]:
    """Yield records a second of each kind of report, with the ratios to the peers that are there."""
    repeat = max(repeat, 5)
    warm()
    for name, (make, in_block) in STREAMS.items():
        datagrams, short = _datagrams(make, in_block, RECORDS), _datagrams(make, in_block, REFERENCE_RECORDS)
        what = f"CAT048 records/s into columns, {name}"
        octets = sum(map(len, datagrams)) / RECORDS
        _check_alike(short)
        decode_datagrams(datagrams)
        peers = {"libasterix": lambda short=short: _reference(short)} if find_spec("asterix") is not None else {}
        note = f"{octets:.0f} octets each" + ("" if peers else "; libasterix is not installed")
        if not peers:
            ours_s, _ = _compare(lambda datagrams=datagrams: decode_datagrams(datagrams), lambda: None, repeat)  # type: ignore[misc]
            yield figure("asterix", what, RECORDS / ours_s, "/s", note=note)
        for peer, run in peers.items():
            ours_s, theirs_s = _compare(lambda datagrams=datagrams: decode_datagrams(datagrams), run, repeat)  # type: ignore[misc]
            ours, theirs = RECORDS / ours_s, REFERENCE_RECORDS / theirs_s
            yield figure("asterix", what, ours, "/s", theirs, peer, ours / theirs, note=note)
        python = os.environ.get(PYTHON_OF_DECODER)
        if python:
            theirs = _decoder_rate(python, datagrams, repeat)
            ours_s = statistics.median(_seconds(lambda datagrams=datagrams: decode_datagrams(datagrams))  # type: ignore[misc]
                                       for _ in range(repeat))
            yield figure("asterix", what, RECORDS / ours_s, "/s", theirs, "asterix_decoder", RECORDS / ours_s / theirs, note=note)
    yield from _latency(figure)


def _latency(figure: Callable[..., F]) -> Iterator[F]:
    """Yield what one small batch costs, as it comes live, and the first datagram before any kernel is loaded."""
    batch = _datagrams(_mode_s, 8, 24)
    decode_datagrams(batch)
    seconds = statistics.median(_seconds(lambda: decode_datagrams(batch)) for _ in range(300))
    yield figure("asterix", "a batch of three datagrams, 24 reports", seconds * 1e6, "us")
    use_plain(True)
    decode_datagrams(batch)
    seconds = statistics.median(_seconds(lambda: decode_datagrams(batch)) for _ in range(20))
    use_plain(False)
    yield figure("asterix", "the same with the plain twin, while kernels load", seconds * 1e6, "us")
    code = ("import time; from lapwing.sense.asterix import decode as d; d.use_plain(True); "
            f"p = bytes.fromhex({batch[0].hex()!r}); "
            "s = time.perf_counter(); r = d.decode_datagrams((p,)); print(time.perf_counter() - s)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    yield figure("asterix", "first datagram of a fresh process, no kernel loaded", float(done.stdout) * 1e3, "ms")


def _seconds(function: Callable[[], object]) -> float:
    """Return the processor's seconds: both sides run on one core, and what else the machine does is not theirs."""
    start = time.process_time()
    function()
    return time.process_time() - start


def _compare(ours: Callable[[], object], theirs: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Return the median seconds of each, run in turn so that a drift of the machine meets both."""
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(repeat)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _check_alike(datagrams: Sequence[bytes]) -> None:
    """Compare our columns with libasterix's values, so that both are known to do the same work."""
    if find_spec("asterix") is None:
        return
    (records,) = decode_datagrams(datagrams).records
    for name, theirs in _reference(datagrams).items():
        ours = records.columns[name].tolist()
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert (math.isnan(one) and math.isnan(other)) or np.isclose(one, other, rtol=1e-12, atol=0), (name, one, other)


def _reference(datagrams: Sequence[bytes]) -> dict[str, list[float]]:
    """Return the columns of CAT048, taken with libasterix as its documentation shows it."""
    from asterix import base, generated

    bits: Any = base.Bits
    raw_datablock: Any = base.RawDatablock
    record_class: Any = generated.Cat_048_1_32
    wanted = COLUMNS[48]
    columns: dict[str, list[float]] = {name: [] for name in wanted}
    for datagram in datagrams:
        for raw in raw_datablock.parse(bits.from_bytes(datagram)):
            for record in record_class.cv_uap.parse(raw.get_raw_records()):
                for name, (paths, factor) in wanted.items():
                    columns[name].append(_value(record, paths[0]) * factor)
    return columns


def _value(record: Any, path: tuple[str, ...]) -> float:
    """Return a number of a parsed record; NaN where it has none."""
    item = record.get_item(path[0])
    for name in path[1:]:
        if item is None:
            return math.nan
        try:
            item = item.variation.get_item(name)
        except ValueError:
            return math.nan
    if item is None:
        return math.nan
    content = item.variation.content
    quantity = getattr(content, "as_quantity", None)
    return float(quantity() if quantity is not None else item.as_uint())


# Run by the other interpreter: reads repeat count and octets, prints the median seconds.
_DECODER = """
import statistics, sys, time
import asterix
repeat, data = int(sys.argv[1]), sys.stdin.buffer.read()
def once():
    start = time.process_time()
    asterix.parse(data, verbose=False)
    return time.process_time() - start
once()
print(statistics.median(once() for _ in range(repeat)))
"""


def _decoder_rate(python: str, datagrams: Sequence[bytes], repeat: int) -> float:
    """Return records a second of asterix_decoder on a tenth of the stream, in its own interpreter."""
    part = datagrams[: len(datagrams) // 10]
    count = sum(len(records) for records in decode_datagrams(part).records)
    done = subprocess.run([python, "-c", _DECODER, str(repeat)], input=b"".join(part), capture_output=True, check=True)
    return count / float(done.stdout)

"""Throw broken recordings and messages at the whole sense path: nothing may raise, and what is whole around a fault is kept.

    python tools/fuzz_sense.py FILE... [--count 50] [--seed 1]

Each file is changed `count` times (octets cut, put in, turned, stretches lost or doubled) and opened as `lapwing replay` opens a
recording: framing, editions, clock, the stage itself, and the listing of `lapwing decode`. CoT and SAPIENT documents go through
their checks and readers. Printed are refusals by reason, and how many of the plots of the sound file each changed one still gave.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

from lapwing import sense  # noqa: E402
from lapwing.model import entries as formats  # noqa: E402
from lapwing.model.entries import Entry  # noqa: E402
from lapwing.model.errors import LapwingError  # noqa: E402
from lapwing.model.sensors import SensorTable  # noqa: E402
from lapwing.runtime.opening import open_recordings  # noqa: E402
from lapwing.sense import cot_check, sapient_check  # noqa: E402
from lapwing.sense.asterix.framing import detect, read_frames  # noqa: E402
from lapwing.sense.asterix.listing import list_records  # noqa: E402
from lapwing.sense.formats import READERS  # noqa: E402

ITEMS_MAX = 400
NOW_NS = 1_795_395_723_000_000_000
MESSAGES = {".cot": formats.COT, ".xml": formats.COT, ".json": formats.SAPIENT, ".bin": formats.SAPIENT}


def changed(rng: np.random.Generator, octets: bytes, changes: int) -> bytes:
    """Return octets with faults in them."""
    data = bytearray(octets)
    for _ in range(changes):
        kind, at = int(rng.integers(6)), int(rng.integers(len(data) + 1))
        many = int(rng.integers(1, 200))
        if kind == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1 and at < len(data):
            data[at] = int(rng.choice([0, 1, 3, 0x7F, 0x80, 0xA5, 0xFF]))
        elif kind == 2:
            del data[at : at + many]
        elif kind == 3:
            data[at:at] = rng.bytes(many)
        elif kind == 4:
            data[at:at] = data[at : at + many]
        else:
            del data[max(at, 1) :]
    return bytes(data)


def sensed(items: Iterator[tuple[int, str, str, bytes]]) -> tuple[int, int, Counter[str]]:
    """Return records and plots of items, and refusals by reason."""
    state, setup = sense.State(), sense.SenseSetup(sensors=SensorTable())
    reasons: Counter[str] = Counter()
    records = plots = 0
    taken = [Entry(number, *item) for number, item in enumerate(islice(items, ITEMS_MAX))]
    for begin in range(0, len(taken), 20):
        batch = tuple(taken[begin : begin + 20])
        state, found = sense.step(state, batch, setup, max(entry.received_ns for entry in batch))
        records, plots = records + found.record_count, plots + len(found.plots)
        for refusal in found.refusals:
            reasons[refusal.reason] += refusal.count
    return records, plots, reasons


def recording(octets: bytes, name: str) -> tuple[int, int, Counter[str]]:
    """Return what a recording of these octets gives, as `lapwing replay` and `lapwing decode` open it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(octets)
        try:
            framing = detect(octets, name)
            for row in islice(list_records(read_frames(octets, framing)), ITEMS_MAX):
                assert 0 <= row.octet <= len(octets), f"octet {row.octet} of {len(octets)}"
            return sensed(iter(open_recordings([path], SensorTable(), None).items))
        except LapwingError as error:        # refused as a whole, in words
            return 0, 0, Counter([f"file: {type(error).__name__}"])


def message(octets: bytes, format_: str) -> tuple[int, int, Counter[str]]:
    """Return what an entry of these octets gives, and what the checks say; every reader is tried besides."""
    said = Counter(finding.rule for finding in (*cot_check.check(octets), *sapient_check.check(octets)))
    for other in READERS:
        if other != format_:
            sensed(iter([(NOW_NS, "link", other, octets)]))
    records, plots, reasons = sensed(iter([(NOW_NS, "link", format_, octets)]))
    return records, plots, reasons + said


def main() -> int:
    """Run; 0 where nothing raised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    reasons: Counter[str] = Counter()
    failures = runs = 0
    for path in arguments.files:
        octets = path.read_bytes()[:60_000]
        format_ = MESSAGES.get(path.suffix, "") if "asterix" not in str(path.parent) else ""
        run = (lambda data, f=format_: message(data, f)) if format_ else (lambda data, p=path: recording(data, p.name))
        sound = run(octets)
        shares = []
        for number in range(arguments.count):
            data = changed(rng, octets, int(rng.integers(1, 5)))
            runs += 1
            try:
                records, _, why = run(data)
            except Exception as error:
                failures += 1
                place = Path(tempfile.gettempdir()) / f"fuzz-sense-{path.name}-{number}"
                place.write_bytes(data)
                print(f"{path.name}: {type(error).__name__}: {error}; octets in {place}", flush=True)
                continue
            reasons += why
            shares.append(records / max(1, sound[0]))
        print(f"{path.name}: {sound[0]} records sound; of the changed ones {np.mean(shares) if shares else 0:.2f} on average", flush=True)
    print(f"{runs} runs, {failures} raised; refusals by reason:")
    for reason, count in reasons.most_common():
        print(f"  {reason}: {count}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""``lapwing bench live-sense``: 20,000 records a second over loopback UDP, from the datagram in the kernel to its plots.

A second process sends CAT048 datagrams of ten records with the time of day of now, on another core where there is one. This
process takes what is there, steps the sense stage, and takes the time: latency is from the kernel's stamp of a datagram to the
end of the step that made its plots. Drops are the kernel's own count.
"""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lapwing import sense
from lapwing.adapters.udp import UdpSender, UdpSource
from lapwing.model.entries import Entry
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.sense.asterix.encode import encode_block

RECORDS_PER_S, RECORDS_PER_DATAGRAM = 20_000, 10
SECONDS = 60.0
WARM_S = 3.0
PATTERNS = 200
DATAGRAMS_MAX = 2_000         # of one batch
SAC, SIC = 25, 201
SECONDS_VARIABLE = "LAPWING_BENCH_SECONDS"


def figures(repeat: int, make: Callable[..., Any]) -> Iterator[Any]:
    """Yield rate, drops and latencies of one run of 60 s (or of LAPWING_BENCH_SECONDS)."""
    seconds = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    table = SensorTable((Sensor("bench", sac=SAC, sic=SIC, latitude_rad=math.radians(45.19), longitude_rad=math.radians(28.8),
                                height_m=150.0, rotation_s=4.0, range_m_max=200_000.0),))
    setup, state = sense.SenseSetup(sensors=table), sense.State()
    for datagrams in (1, 3, 8):       # compile and load before the clock runs
        entries = tuple(Entry(k, time.time_ns(), "warm", "asterix", octets) for k, octets in enumerate(_patterns()[:datagrams]))
        state, _ = sense.step(state, entries, setup, time.time_ns())
    state = sense.State()
    source = UdpSource("udp://127.0.0.1:" + str(free_port()), time.time_ns, kernel_time=True)
    cores = sorted(os.sched_getaffinity(0))
    sender = subprocess.Popen([sys.executable, "-m", "lapwing.runtime.bench_live", str(source.port), str(seconds + WARM_S),
                               str(cores[0])], stdin=subprocess.DEVNULL)
    os.sched_setaffinity(0, {cores[-1]})
    gc.collect()
    gc.freeze()
    latencies: list[np.ndarray] = []
    waited: list[np.ndarray] = []
    waited_last_ns = _waited_ns()      # how long this process had waited for a core at the take before
    records = plots = batches = sequence = 0
    begun_ns, busy = 0, 0.0
    try:
        while True:
            items = source.take(DATAGRAMS_MAX)
            taken_ns, waited_taken_ns = time.time_ns(), _waited_ns()
            if not items:
                if sender.poll() is not None:
                    break
                waited_last_ns = waited_taken_ns
                continue
            start = time.process_time()
            entries = tuple(Entry(sequence + k, *item) for k, item in enumerate(items))
            sequence += len(items)
            state, sensed = sense.step(state, entries, setup, items[-1][0])
            done_ns, waited_done_ns = time.time_ns(), _waited_ns()
            waited_before_ns, waited_last_ns = waited_taken_ns - waited_last_ns, waited_taken_ns
            begun_ns = begun_ns or items[0][0]
            if items[0][0] - begun_ns < WARM_S * 1e9:
                continue
            busy += time.process_time() - start
            batches += 1
            records += sensed.record_count
            plots += len(sensed.plots)
            stamps_ns = np.array([item[0] for item in items], np.int64)
            latencies.append(done_ns - stamps_ns)
            # After its stamp a datagram waited no longer than until it was taken.
            waited.append(np.minimum(waited_before_ns, taken_ns - stamps_ns) + waited_done_ns - waited_taken_ns)
    finally:
        sender.kill()
        sender.wait()
        gc.unfreeze()
        os.sched_setaffinity(0, cores)
        dropped = source.count_drops()
        source.close()
    late_ms = np.concatenate(latencies) * 1e-6 if latencies else np.array([math.nan])
    note = f"{seconds:g} s, datagrams of {RECORDS_PER_DATAGRAM} records, {records / max(1, batches):.0f} records a batch"
    yield make("live", "records/s over loopback UDP, one core", records / seconds, "/s", note=note)
    yield make("live", "records that became plots", plots / max(1, records), "of 1", note=f"{plots:,} plots")
    yield make("live", "datagrams dropped by the kernel", float(dropped), "")
    for share, name in ((50, "p50"), (99, "p99"), (99.9, "p99.9"), (100, "greatest")):
        yield make("live", f"datagram to plot, {name}", float(np.percentile(late_ms, share)), "ms")
    alone_ms = late_ms - (np.concatenate(waited) * 1e-6 if waited else 0.0)
    yield make("live", "datagram to plot, p99, less waiting for a core", float(np.percentile(alone_ms, 99)), "ms",
               note="what other programs on the core cost taken off, by the kernel's count")
    yield make("live", "processor time of a batch", 1e3 * busy / max(1, batches), "ms", note=f"{batches:,} batches")
    yield make("live", "share of the core, in processor time", busy / seconds, "of 1", note="receiving not counted")
    yield make("live", "programs that wanted a core, last minute", os.getloadavg()[0], "", note=f"{len(cores)} cores; latency "
               "counts the waiting for one")


def _waited_ns() -> int:
    """Return how long this process was ready to run and had no core, by Linux's count; 0 elsewhere."""
    try:
        with open("/proc/self/schedstat", "rb", buffering=0) as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def free_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _patterns() -> list[bytes]:
    """Return datagrams of ten plots each, all different; their times of day are set when they are sent."""
    generator = np.random.default_rng(1)
    return [encode_block(48, [
        {"010": {"SAC": SAC, "SIC": SIC}, "140": 0.0, "020": {"TYP": 1}, "040": {
            "RHO": float(generator.uniform(5, 100)), "THETA": float(generator.uniform(0, 359))},
         "130": {"PAM": int(generator.integers(-90, -40))}} for _ in range(RECORDS_PER_DATAGRAM)]) for _ in range(PATTERNS)]


def send(port: int, seconds: float, core: int) -> None:
    """Send the patterns at an even pace, every record with the time of day of now."""
    os.sched_setaffinity(0, {core})
    patterns = [bytearray(octets) for octets in _patterns()]
    # FSPEC (1 octet), SAC, SIC, then three octets of time in each record; all records of a pattern are equally long.
    size = (len(patterns[0]) - 3) // RECORDS_PER_DATAGRAM
    places = [3 + k * size + 3 for k in range(RECORDS_PER_DATAGRAM)]
    assert all((len(p) - 3) % RECORDS_PER_DATAGRAM == 0 for p in patterns)
    sender = UdpSender(f"udp://127.0.0.1:{port}")
    begun, sent = time.perf_counter(), 0
    per_s = RECORDS_PER_S / RECORDS_PER_DATAGRAM
    while (now := time.perf_counter() - begun) < seconds:
        while sent < now * per_s:
            octets = patterns[sent % PATTERNS]
            # The rest of a 1/128 s goes by the running number: no two datagrams of two seconds are the same.
            at = int((time.time() % 86_400.0) * 128) - (sent // PATTERNS) % 8
            for place in places:
                octets[place : place + 3] = (at % (86_400 * 128)).to_bytes(3, "big")
            sender.send(bytes(octets))
            sent += 1
        time.sleep(0.0005)
    sender.close()


if __name__ == "__main__":
    send(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))

"""Bench `cap`: what a message costs between approval and hand-over: writing, signing, checking, delivering.

The message is of the size that a border alert has: three languages, an outline of 90 points, 40 zones with two codes each.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from lapwing.adapters.channels import make_channel
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.runtime.keys import make_key
from lapwing.runtime.outbox import Outbox
from lapwing.warn import cap
from lapwing.warn.cap_check import check
from lapwing.warn.cap_read import read
from lapwing.warn.cap_signature import Signer, read_certificates, verify

F = TypeVar("F")
RUNS = 60
POINTS, ZONES = 90, 40


def message(number: int, sent_ns: int) -> bytes:
    """Return a document of usual size, unsigned."""
    ring = tuple((round(45.2 + 0.3 * math.sin(angle), 4), round(28.8 + 0.4 * math.cos(angle), 4))
                 for angle in (2 * math.pi * i / POINTS for i in range(POINTS)))
    codes = tuple(pair for i in range(ZONES) for pair in (("LAPWING", f"RO-TL-{i:04d}"), ("SIRUTA", f"{159_000 + i}")))
    area = cap.Area("Isaccea, Somova and 38 more places (Tulcea)", ((*ring, ring[0]),), codes)
    infos = tuple(cap.Info(language, "Danger from the air", ("Shelter",), "Immediate", "Severe", "Likely", "County desk",
                           "Danger from the air: take shelter",
                           "Objects approach from the east. " * 8, "Go inside, away from windows. " * 6,
                           (area,), effective_ns=sent_ns, onset_ns=sent_ns, expires_ns=sent_ns + 1_200 * 10**9, contact="112",
                           parameters=(("level", "alert"), ("short_text", "Take shelter now. " * 8))) for language in ("ro", "en", "uk"))
    return cap.write(cap.Message(f"urn:uuid:bench-{number}", "desk@example.invalid", sent_ns, "Exercise", "Alert", infos))


def figures(repeat: int, figure: Callable[..., F]) -> Iterator[F]:
    """Measure; medians and 99th percentiles of some hundred runs each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_key("bench", 30, folder / "key.pem", folder / "certificate.pem")
        signer = Signer((folder / "key.pem").read_bytes(), (folder / "certificate.pem").read_bytes())
        pinned = read_certificates((folder / "certificate.pem").read_bytes())
        runs, now_ns = RUNS * repeat, time.time_ns()
        document = message(0, now_ns)
        signed = signer.sign(document)
        assert check(signed).valid and verify(signed, pinned).trusted, "the message of the bench is valid and verifies"
        for what, act in (("write", lambda: message(1, now_ns)), ("sign (RSA-3072, SHA-256)", lambda: signer.sign(document, ours=True)),
                          ("check by schema and all rules", lambda: check(signed)), ("verify against a pinned certificate",
                          lambda: verify(signed, pinned)), ("read leniently and write", lambda: read(document))):
            taken = [_milliseconds(act) for _ in range(runs)]
            wall = sorted(pair[0] for pair in taken)
            yield figure("cap", f"{what}, processor time", statistics.median(pair[1] for pair in taken), "ms",
                         note=f"{len(signed):,} octets; by the clock: median {statistics.median(wall):.1f}, "
                              f"p99 {wall[int(0.99 * runs)]:.1f} ms")
        yield from _delivered(folder, figure)


def _delivered(folder: Path, figure: Callable[..., F]) -> Iterator[F]:
    """From the decision, through the outbox on disk, to the receipt of signed feed and files."""
    drill = {"statuses": ["Exercise"]}
    signed = {"kind": "cap-feed", "key_file": "key.pem", "cert_file": "certificate.pem"}
    channels = {"feed": make_channel("feed", signed | drill, folder), "files": make_channel("files", {"kind": "cap-files"} | drill, folder)}
    store = OutboxStore(folder / "outbox.sqlite")
    outbox = Outbox(store, channels)
    for number in range(100):
        now_ns = time.time_ns()
        outbox.put(message(number, now_ns), now_ns)
        for channel in channels:
            outbox.deliver_due(channel)
    for row in outbox.status():
        yield figure("cap", f"decision to receipt, {row['channel']}, p99 of 100", 1e3 * float(row["latency_s_p99"]), "ms",
                     note="with every step durable on disk")
    store.close()


def _milliseconds(act: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds by the clock and of the processor: on a busy machine the two are far apart."""
    start, start_cpu = time.perf_counter(), time.process_time()
    act()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - start_cpu)

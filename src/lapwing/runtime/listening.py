"""Listens on one link for a while, surveys what comes, and saves it if asked."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import random

from lapwing.adapters.links import Surroundings, open_link
from lapwing.adapters.pcap_out import PcapWriter
from lapwing.adapters.udp import UdpSource
from lapwing.model.errors import ConfigError
from lapwing.model.sensors import SensorTable
from lapwing.runtime.survey import Survey, lines, sensor_blocks, summary

WINDOW_NS = 200_000_000
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0}


def parse_duration(text: str) -> float:
    """Return seconds of ``30s``, ``2m``, ``1h``, ``500ms`` or ``30``. Raises ConfigError."""
    for unit in sorted(_UNITS, key=len, reverse=True):
        if text.endswith(unit):
            number, factor = text[: -len(unit)], _UNITS[unit]
            break
    else:
        number, factor = text, 1.0
    try:
        seconds = float(number) * factor
    except ValueError:
        seconds = -1.0
    if not 0.0 < seconds <= 366 * 86_400.0:
        raise ConfigError(f"{text!r} is no duration", where="--for", remedy="write 30s, 2m or 1h")
    return seconds


def listen(url: str, *, for_s: float | None, save: Path | None, sensors: SensorTable, as_json: bool,
           clock: Callable[[], int] = time.time_ns, ready: Callable[[object], None] = lambda _: None) -> int:
    """Listen until the time is over or the user interrupts; print what was heard. 0 something came, 1 nothing did."""
    end_ns = None if for_s is None else clock() + round(for_s * 1e9)
    survey = Survey(sensors)
    waiting: list[tuple[int, str, str, bytes]] = []
    fed_ns = clock()

    def over() -> bool:
        return end_ns is not None and clock() >= end_ns

    link = open_link(url, Surroundings(clock, lambda seconds: _wait(min(seconds, 1.0), over), random, over,
                                       kernel_time=clock is time.time_ns))
    ready(link)
    writer = PcapWriter(save) if save is not None else None
    if not as_json:
        until = "Ctrl-C ends it" if for_s is None else f"for {for_s:g} s"
        print(f"listening on {url} ({until})", file=sys.stderr, flush=True)
    try:
        for item in link:
            if writer is not None:
                writer.write(item[0], item[1], item[3])
            waiting.append(item)
            now_ns = item[0]
            if now_ns - fed_ns >= WINDOW_NS or len(waiting) >= 5_000:
                survey.feed(waiting, now_ns)
                waiting, fed_ns = [], now_ns
            # What came in time and is read late still counts: loading the kernels may take a while.
            if end_ns is not None and now_ns >= end_ns:
                break
    except KeyboardInterrupt:
        print("", file=sys.stderr)
    finally:
        link.close()
        if writer is not None:
            writer.close()
    survey.feed(waiting, max(clock(), fed_ns))
    dropped = link.count_drops() if isinstance(link, UdpSource) else None
    buffer_octets = link.buffer_octets if isinstance(link, UdpSource) else None
    told = summary(survey, url, dropped, buffer_octets)
    if as_json:
        print(json.dumps({**told, "sensors_toml": "\n".join(sensor_blocks(told)).lstrip()}, ensure_ascii=False))
    else:
        for line in lines(told):
            print(line)
        if told["sources"]:
            print("\nFor the sensors file:")
            for line in sensor_blocks(told):
                print(line)
        if save is not None and writer is not None:
            print(f"\n{writer.count:,} datagrams saved: {save}", file=sys.stderr)
    return 0 if told["datagrams"] else 1


def _wait(seconds: float, over: Callable[[], bool]) -> bool:
    time.sleep(seconds)
    return over()

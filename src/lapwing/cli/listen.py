"""``lapwing listen URL``: what is on this link? For the engineer who connects a radar."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "listen"
HELP = ("Listen on a link and say what is on it: sources, categories, editions with confidence, rates, rotation, clock, position, "
        "duplicates, drops, refusals by reason; ends with a [sensor.*] block to paste. Exit status 1 where nothing came.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("url", metavar="URL", help="udp://GROUP:PORT[?iface=NAME], tcp://HOST:PORT, tcp-listen://:PORT, "
                        "sapient://:PORT, cot-udp://GROUP:PORT, cot://HOST:PORT, sbs://HOST:PORT, beast://HOST:PORT, "
                        "http-in://:PORT, aircraft-json://PATH or follow://PATH")
    parser.add_argument("--for", dest="duration", metavar="TIME", help="how long, e.g. 30s, 2m, 1h (default: until Ctrl-C)")
    parser.add_argument("--save", metavar="FILE", type=Path, help="keep the datagrams as pcap, with their times of reception")
    parser.add_argument("--sensors", metavar="FILE", type=Path, help="sensors.toml or scenario.json of what is known already")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")


def run(arguments: argparse.Namespace) -> int:
    """Listen and print."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.listening import listen, parse_duration
    from lapwing.runtime.opening import read_sensors

    return listen(arguments.url, for_s=None if arguments.duration is None else parse_duration(arguments.duration),
                  save=arguments.save, sensors=read_sensors(arguments.sensors), as_json=arguments.json)

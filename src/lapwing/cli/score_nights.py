"""``lapwing score nights``: many simulated nights through tracker and warner, scored one by one and as one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lapwing.cli.seeds import seeds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--country", metavar="CC", required=True, help="country pack whose border the nights play on")
    parser.add_argument("--night", choices=("danube", "balloons", "near"), default="danube", help="kind of night (default danube)")
    parser.add_argument("--seeds", metavar="A-B", required=True, help="first and last seed, or one; from 9000 on for scoring only")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="length of a night (default 30)")
    parser.add_argument("--detection", type=float, default=1.0, metavar="SHARE",
                        help="share of the echoes of objects that the radars report (default 1), as in lapwing simulate")
    parser.add_argument("--delay", type=float, action="append", metavar="S",
                        help="seconds from a proposal to its approval (default 20); may be repeated")
    parser.add_argument("--out", metavar="DIR", required=True,
                        help="folder of the nights; what is there already is not made again, so nights can be run in pieces")
    parser.add_argument("--json", metavar="OUT", help="write all figures there")


def run(arguments: argparse.Namespace) -> int:
    """Print a row a night and one of all; 0, or 2 where the input cannot be used."""
    from lapwing.model.errors import InputError
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.runtime.warning_nights import HEAD, Nights, line, run_nights

    seeds = seeds_of(arguments.seeds)
    delays_s = tuple(dict.fromkeys(arguments.delay or (20.0,)))
    if not all(delay_s >= 0.0 for delay_s in delays_s):
        raise InputError("a delay is below 0", where="--delay", remedy="give seconds, 0 or more")
    nights = Nights(arguments.night, arguments.country, arguments.minutes, arguments.detection, delays_s, Path(arguments.out), state_dir)
    print(HEAD)
    found = run_nights(nights, seeds, lambda text: print(text, flush=True))
    for each in found:
        print(line(f"all, {each['delay_s']:g} s", each["lapwing"], each["bars"]))
        print("bars missed: " + (", ".join(key for key, bar in each["bars"].items() if not bar["ok"]) or "none"))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0

"""``lapwing score judge``: many simulated nights through tracker and judge, verdicts and alarms scored one by one and as one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lapwing.cli.seeds import seeds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--country", metavar="CC", required=True, help="country pack whose border the nights play on")
    parser.add_argument("--night", choices=("near", "calm", "quiet", "danube", "balloons"), default="near",
                        help="kind of night, as in lapwing simulate (default near)")
    parser.add_argument("--seeds", metavar="A-B", required=True, help="first and last seed, or one; from 9000 on for scoring only")
    parser.add_argument("--minutes", type=float, metavar="M", help="length of a night (default: that of its kind)")
    parser.add_argument("--out", metavar="DIR", required=True,
                        help="folder of the nights; what is there already is not made again, so nights can be run in pieces")
    parser.add_argument("--json", metavar="OUT", help="write all figures there")


def run(arguments: argparse.Namespace) -> int:
    """Print a row a night, one a class and one of all; 0, 1 where a verdict is wrong, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.runtime.judge_nights import HEAD, Nights, line, run_nights

    seeds = seeds_of(arguments.seeds)
    nights = Nights(arguments.night, arguments.country, arguments.minutes, Path(arguments.out), state_dir)
    print(HEAD)
    found = run_nights(nights, seeds, lambda text: print(text, flush=True))
    for name, figures in found["classes"].items():
        print(line(name, figures, {}))
    print(line("all", found["verdicts"], found["alarms"]))
    print("red alarms on the harmless: " + (", ".join(f"{name} {count}" for name, count in found["alarms"]["reds_on_harmless"].items())
                                           or "none"))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if found["verdicts"]["wrong"] else 0

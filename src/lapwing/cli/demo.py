"""``lapwing demo``: a story through simulated radars, real ASTERIX bytes and the whole chain, narrated."""

from __future__ import annotations

import argparse

NAME = "demo"
HELP = ("Play a story: simulated radars write ASTERIX bytes, which travel through decoder, tracker, judge, warner and "
        "recorder like live data. The demo plays the officers and says so.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("story", nargs="?", default="orlivka-800m",
                        help="name of a shipped story, or a .yaml file (default orlivka-800m)")
    parser.add_argument("--list", action="store_true", help="list the shipped stories and stop")
    parser.add_argument("--speed", metavar="N|max", help="times real time (default 60 with the console, max without)")
    parser.add_argument("--headless", action="store_true", help="no console, terminal only")
    parser.add_argument("--port", type=int, default=8650, help="of the console (default 8650; 0: any free one)")
    parser.add_argument("--out", metavar="DIR", help="keep the outputs in this folder")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated sensors (default 1)")
    parser.add_argument("--json", action="store_true", help="print the closing checks as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Play; 0 where every check of the story holds, 1 where one does not, 2 where it could not be played."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.demo import demo_command

    return demo_command(arguments)

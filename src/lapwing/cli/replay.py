"""``lapwing replay``: recordings, plots, a story or a journal through the same chain as live data."""

from __future__ import annotations

import argparse

NAME = "replay"
HELP = ("Run a recording (ASTERIX: raw, FINAL, GPS recorder, pcap), plots (Parquet), a story or a journal through the "
        "whole chain and leave every output in a folder.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("source", nargs="*", help="recording files, a story (name or .yaml), or a journal.sqlite")
    parser.add_argument("--plots", metavar="FILE", help="plots.parquet, as lapwing simulate writes it")
    parser.add_argument("--sensors", metavar="FILE", help="sensors.toml or scenario.json: where the sensors stand")
    parser.add_argument("--country", metavar="CC", help="country pack (code or folder); without it: tracks alone")
    parser.add_argument("--out", metavar="DIR", help="folder for the outputs; an unfinished run there is resumed")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="day of a recording that knows only the time of day")
    parser.add_argument("--seed", type=int, default=1, help="of a story's sensors (default 1)")
    parser.add_argument("--edition", action="append", default=[], metavar="CAT=ED",
                        help="edition of a category, where it must not be guessed; may be repeated")
    parser.add_argument("--officer-delay", type=float, default=20.0, metavar="S",
                        help="the replay plays the officer, who approves so long after a proposal (default 20); "
                             "negative: nobody approves, proposals lapse")
    parser.add_argument("--serve", action="store_true", help="open the console on 127.0.0.1 while replaying")
    parser.add_argument("--port", type=int, default=8650, help="of the console (default 8650; 0: any free one)")
    parser.add_argument("--speed", default="max", metavar="N|max", help="times real time (default max)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", action="store_true", help="no narration")


def run(arguments: argparse.Namespace) -> int:
    """Replay; 0 done, 2 where nothing could be done."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.replay import replay_command

    return replay_command(arguments)

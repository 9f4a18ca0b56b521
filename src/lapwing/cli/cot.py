"""``lapwing cot check FILE...``: is it a Cursor on Target event, by the schema and by what the schema cannot say?"""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "cot"
HELP = "check CoT 2.0 events: XML, or TAK protocol version 1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    check = commands.add_parser("check", help="one line of JSON a file; exit status 1 where one has an error")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path,
                       help="XML events, one or several back to back, or TAK protocol version 1 (mesh or stream)")


def run(arguments: argparse.Namespace) -> int:
    """Print a line a file; 0 all valid, 1 an error was found, 2 a file could not be read."""
    from lapwing.cli.checks import check_files
    from lapwing.sense import cot_check

    return check_files(arguments.files, cot_check.check, cot_check.OCTETS_MAX)

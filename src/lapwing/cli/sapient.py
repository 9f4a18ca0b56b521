"""``lapwing sapient check FILE...``: is it a SAPIENT message, by every rule of BSI Flex 335 v2.0?"""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "sapient"
HELP = "check SAPIENT messages (BSI Flex 335 v2.0): mandatory fields, identifiers, enumerations, choices, ranges"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    check = commands.add_parser("check", help="one line of JSON a file; exit status 1 where one has an error")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path,
                       help="protobuf JSON, or protobuf with or without the frames of a TCP link")


def run(arguments: argparse.Namespace) -> int:
    """Print a line a file; 0 all valid, 1 an error was found, 2 a file could not be read."""
    from lapwing.cli.checks import check_files
    from lapwing.sense import sapient_check, sapient_wire

    sapient_wire.schema()      # says what to install, before the first file
    return check_files(arguments.files, sapient_check.check, sapient_check.OCTETS_MAX)

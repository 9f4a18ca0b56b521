"""``lapwing cap check FILE...``: is it CAP 1.2, by every rule and not by the schema alone?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "cap"
HELP = "check CAP 1.2 messages: every rule, not the XSD alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    check = commands.add_parser("check", help="one line of JSON a file; exit status 1 where one has an error")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path)


def run(arguments: argparse.Namespace) -> int:
    """Print a line a file; 0 all valid, 1 an error was found, 2 a file could not be read."""
    from lapwing.warn import cap_check

    faults = unread = 0
    for path in arguments.files:
        try:
            document = read_bounded(path, cap_check.OCTETS_MAX)
        except OSError as error:
            # The other files are still judged; the exit status says that one could not be.
            unread += 1
            finding = {"rule": "file-unreadable", "severity": "error", "path": "",
                       "message": error.strerror or str(error)}
            print(json.dumps({"file": str(path), "parsed": False, "valid": False, "findings": [finding]}))
            continue
        judged = cap_check.check(document)
        faults += not judged.valid
        print(json.dumps({
            "file": str(path), "parsed": judged.parsed, "valid": judged.valid,
            "findings": [{"rule": f.rule, "severity": f.severity, "path": f.path, "message": f.message}
                         for f in judged.findings],
        }, ensure_ascii=False), flush=True)
    return 2 if unread else 1 if faults else 0


def read_bounded(path: Path, octets_max: int) -> bytes:
    """Return a file's octets, one more than allowed at most: enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(octets_max + 1)

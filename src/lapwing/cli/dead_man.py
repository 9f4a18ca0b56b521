"""``lapwing dead-man FEED --pinned CERT``: ring when the signed feed stops being renewed."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

NAME = "dead-man"
HELP = "Read the signed feed back, as anybody outside would, and ring when it is not renewed. Run it on another machine."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("feed", metavar="FEED", help="address or file of feed.atom")
    parser.add_argument("--pinned", metavar="CERT", type=Path, required=True, help="the certificate that signs it; no other is trusted")
    parser.add_argument("--late", metavar="S", type=float, default=150.0,
                        help="dead when not renewed for so long (default 150: two beats missed)")
    parser.add_argument("--every", metavar="S", type=float, default=10.0, help="look so often (default 10)")
    parser.add_argument("--ring", metavar="COMMAND", default="", help="run this, beside the terminal's bell, at once and each minute")
    parser.add_argument("--once", action="store_true", help="look once: exit status 0 alive, 1 dead")


def run(arguments: argparse.Namespace) -> int:
    """Watch; with --once 0 alive, 1 dead."""
    from lapwing.model.errors import InputError
    from lapwing.runtime.dead_man import pinned, watch

    try:
        certificate = pinned(arguments.pinned)
    except ValueError as error:
        raise InputError(f"not a certificate: {error}", where=str(arguments.pinned), remedy="name a PEM or DER file") from error
    return watch(arguments.feed, certificate, late_s=arguments.late, every_s=max(0.1, arguments.every),
                 ring=shlex.split(arguments.ring), once=arguments.once)

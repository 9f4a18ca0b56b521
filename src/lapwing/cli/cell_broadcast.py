"""``lapwing cell-broadcast TEXT...``: what a text costs on phones."""

from __future__ import annotations

import argparse
import json

NAME = "cell-broadcast"
HELP = "alphabet, pages and hex of a text for phones"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the texts."""
    parser.add_argument("texts", metavar="TEXT", nargs="+", help="a message; one line of JSON for each")


def run(arguments: argparse.Namespace) -> int:
    """Print a line of JSON a text; 0 all fit, 1 one needs more pages than a message may have."""
    from lapwing.warn.cell_broadcast import pages_of

    faults = 0
    for text in arguments.texts:
        cut = pages_of(text)
        faults += not cut.fits
        print(json.dumps({"alphabet": cut.alphabet, "units": cut.units, "pages": len(cut.pages), "fits": cut.fits,
                          "page_hex": [page.hex() for page in cut.pages]}))
    return 1 if faults else 0

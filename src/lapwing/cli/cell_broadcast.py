"""``lapwing cell-broadcast TEXT...``: what a text costs on phones."""

from __future__ import annotations

import argparse
import json

NAME = "cell-broadcast"
HELP = "alphabet, pages and hex of a text for phones"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the texts."""
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="a message; one line of JSON for each")
    parser.add_argument("--country", metavar="CC", help="instead: the longest text that each template of a country pack can give")


def run(arguments: argparse.Namespace) -> int:
    """Print a line of JSON a text; 0 all fit, 1 one needs more pages than a message may have."""
    from lapwing.model.errors import InputError
    from lapwing.warn.cell_broadcast import pages_of

    if bool(arguments.texts) == bool(arguments.country):
        raise InputError("one or the other", where="TEXT... | --country CC", remedy="name texts, or a country")
    if arguments.country:
        return _country(arguments.country)
    faults = 0
    for text in arguments.texts:
        cut = pages_of(text)
        faults += not cut.fits
        print(json.dumps({"alphabet": cut.alphabet, "units": cut.units, "pages": len(cut.pages), "fits": cut.fits,
                          "page_hex": [page.hex() for page in cut.pages]}))
    return 1 if faults else 0


def _country(code: str) -> int:
    """Print a line a template; 0 all fit, 1 one does not."""
    from lapwing.runtime.phone_texts import phone_texts

    faults = 0
    for worst in phone_texts(code):
        faults += not worst.pages.fits
        print(json.dumps({"language": worst.language, "kind": worst.kind, "alphabet": worst.pages.alphabet, "units": worst.pages.units,
                          "pages": len(worst.pages.pages), "fits": worst.pages.fits, "text": worst.text}, ensure_ascii=False))
    return 1 if faults else 0

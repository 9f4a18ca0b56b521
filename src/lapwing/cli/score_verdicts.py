"""``lapwing score verdicts``: how right verdicts are against truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("verdicts", metavar="VERDICTS", help="verdicts.jsonl, as lapwing judge and replay write it")
    parser.add_argument("--tracks", metavar="TRACKS", required=True, help="tracks.parquet that was judged")
    parser.add_argument("--truth", metavar="TRUTH", required=True, help="truth.parquet")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder) that was judged against")
    which.add_argument("--border", metavar="FILE", help="or the border file (GeoJSON, home_side)")
    parser.add_argument("--cutoff", type=float, default=500.0, metavar="M",
                        help="metres beyond which a track is not of an object (default 500)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures as JSON; 0, 1 where a verdict is wrong, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.verdict_scores import score_files
    from lapwing.sim.verdict_scoring import Rules

    figures = score_files(
        Path(arguments.verdicts), Path(arguments.tracks), Path(arguments.truth), arguments.country,
        Path(arguments.border) if arguments.border else None, Rules(cutoff_m=arguments.cutoff))
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.json:
        Path(arguments.json).write_text(text + "\n")
    return 1 if figures["wrong"] else 0

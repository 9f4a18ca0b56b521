"""``lapwing score alarms``: how right the safety net's alarms are against truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("alarms", metavar="ALARMS", help="alarms.jsonl, as lapwing replay and judge --alarms write it")
    parser.add_argument("--tracks", metavar="TRACKS", required=True, help="tracks.parquet of the same run")
    parser.add_argument("--truth", metavar="TRUTH", required=True, help="truth.parquet")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder) whose airspace was watched")
    which.add_argument("--border", metavar="FILE", help="or the border file (GeoJSON, home_side)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures as JSON; 0, 1 where an entry was missed, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.alarm_scores import score_files

    figures = score_files(Path(arguments.alarms), Path(arguments.tracks), Path(arguments.truth), arguments.country,
                          Path(arguments.border) if arguments.border else None)
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.json:
        Path(arguments.json).write_text(text + "\n")
    return 1 if figures["missed"] else 0

"""``lapwing score tracks``: the figures of tracks against truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("truth", metavar="TRUTH", help="truth.parquet")
    parser.add_argument("tracks", metavar="TRACKS", help="tracks.parquet")
    parser.add_argument("--step", type=float, default=5.0, metavar="S", help="seconds between instants (default 5)")
    parser.add_argument("--cutoff", type=float, default=500.0, metavar="M",
                        help="metres beyond which a track is not of an object (default 500)")
    parser.add_argument("--max-age", type=float, default=15.0, metavar="S",
                        help="seconds a track counts as live after its last row (default 15)")
    parser.add_argument("--start", metavar="ISO", help="score from here, e.g. 2026-03-14T23:35:00Z")
    parser.add_argument("--end", metavar="ISO", help="score up to here")
    parser.add_argument("--answers", metavar="FILE", help="answers.json: with --registration, also its error")
    parser.add_argument("--registration", metavar="FILE", help="JSON lines as lapwing track --registration writes")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures as JSON; 0, or 2 where the input cannot be used."""
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso
    from lapwing.runtime.track_scores import Rules, registration_error, score_files

    try:
        span = tuple(None if text is None else from_iso(text) * 1e-9 for text in (arguments.start, arguments.end))
    except ValueError as error:
        raise InputError(str(error), where="--start/--end", remedy="write it like 2026-03-14T23:35:00Z") from None
    rules = Rules(step_s=arguments.step, cutoff_m=arguments.cutoff, age_s_max=arguments.max_age, start_s=span[0],
                  end_s=span[1])
    figures = score_files(Path(arguments.truth), Path(arguments.tracks), rules)
    if arguments.answers and arguments.registration:
        figures["registration_error"] = registration_error(Path(arguments.answers), Path(arguments.registration))
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.json:
        Path(arguments.json).write_text(text + "\n")
    return 0

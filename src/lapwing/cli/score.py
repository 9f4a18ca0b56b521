"""``lapwing score``: outputs against truth. One sub-command a kind of output; adding one is a module and a line here."""

from __future__ import annotations

import argparse
import importlib

NAME = "score"
HELP = "Score outputs against truth, a sub-command a kind of output: `lapwing score KIND --help` explains one."

# Sub-command -> (module of lapwing.cli, one line for --help). A module has add_arguments(parser) and run(arguments).
KINDS: dict[str, tuple[str, str]] = {
    "tracks": ("score_tracks", "tracks.parquet against truth.parquet"),
    "verdicts": ("score_verdicts", "verdicts.jsonl against truth.parquet: wrong, undetermined, intervals, entry times"),
    "forecast": ("score_forecast", "forecasts of tracks against truth: said against came true, Brier beside straight flight"),
    "alarms": ("score_alarms", "alarms.jsonl of the safety net against truth.parquet: hits, valid alerts, nuisances, misses, timeliness"),
    "warnings": ("score_warnings", "public messages against truth, beside three baselines"),
    "judge": ("score_judge", "many simulated nights through tracker and judge, verdicts and alarms scored one by one and as one"),
    "nights": ("score_nights", "many simulated nights through tracker and warner, their public messages scored one by one and as one"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, (module, text) in KINDS.items():
        one = kinds.add_parser(kind, help=text, description=text)
        importlib.import_module(f"lapwing.cli.{module}").add_arguments(one)


def run(arguments: argparse.Namespace) -> int:
    """Run the sub-command; its exit status."""
    module = importlib.import_module(f"lapwing.cli.{KINDS[arguments.kind][0]}")
    return int(module.run(arguments))

"""``lapwing score forecast``: how often what the forecast says comes true, and its Brier score beside straight flight's."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

CALIBRATION_MAX, BETTER_MIN, BETTER_ALONG_MIN = 0.05, 0.15, 0.30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folders", metavar="FOLDER", nargs="+",
                        help="with truth.parquet, border.geojson and tracks.parquet; all are scored together: one night says little")
    parser.add_argument("--country", metavar="CC", help="country pack (code or folder) in place of each border.geojson")
    parser.add_argument("--every", type=float, default=30.0, metavar="S", help="a forecast every S seconds of each track (default 30)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures as JSON; 0, 1 where a bar is missed, 2 where the input cannot be used."""
    from lapwing.model.errors import InputError
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.cli.judge import read_tracks
    from lapwing.runtime.forecast_scores import check, score_folders

    if not 1.0 <= arguments.every < 1e6:
        raise InputError(f"--every {arguments.every:g}", where="lapwing score forecast", remedy="give seconds from 1 on")
    folders = [Path(name) for name in arguments.folders]
    for folder in folders:
        check(folder, arguments.country)
    figures = score_folders([(folder, read_tracks(str(folder / "tracks.parquet"))) for folder in folders], arguments.country,
                            arguments.every)
    missed = []
    for group, better_min in (("all", BETTER_MIN), ("along_the_line", BETTER_ALONG_MIN)):
        for horizon, of in figures.get(group, {}).items():
            if not isinstance(of, dict):
                continue
            if group == "all" and (of["calibration_error_max"] or 0.0) > CALIBRATION_MAX:
                missed.append(f"{horizon}: calibration error {of['calibration_error_max']} > {CALIBRATION_MAX}")
            if of["better_share"] is not None and of["better_share"] < better_min:
                missed.append(f"{horizon} {group}: Brier {100 * of['better_share']:.0f} % better than straight flight, bar "
                              f"{100 * better_min:.0f} %")
    text = json.dumps({**figures, "missed": missed}, indent=1)
    print(text)
    if arguments.json:
        Path(arguments.json).write_text(text + "\n")
    return 1 if missed else 0

"""``lapwing plot``: a scene drawn: truth, plots and tracks in one picture."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "plot"
HELP = "Draw a scene (truth, plots, tracks, radars, line) as a PNG. Needs matplotlib, in the extra dev."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("scene", metavar="FOLDER", help="with scenario.json and any of plots.parquet, truth.parquet, "
                                                        "border.geojson (as lapwing simulate writes it)")
    parser.add_argument("--tracks", metavar="FILE", help="tracks.parquet, as lapwing track and replay write it")
    parser.add_argument("--out", metavar="FILE", required=True, help="PNG to write")
    parser.add_argument("--from", dest="begin", metavar="ISO", help="leave out what is before, e.g. 2026-03-14T23:30:00Z")
    parser.add_argument("--until", metavar="ISO", help="leave out what is then or later")
    parser.add_argument("--cutoff", type=float, default=500.0, metavar="M",
                        help="metres from every object beyond which a track is drawn as false (default 500)")


def run(arguments: argparse.Namespace) -> int:
    """Draw; 0 done, 2 where the input cannot be used."""
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso
    from lapwing.runtime.track_picture import draw

    try:
        span = tuple(None if text is None else from_iso(text) * 1e-9 for text in (arguments.begin, arguments.until))
    except ValueError as error:
        raise InputError(str(error), where="--from/--until", remedy="write it like 2026-03-14T23:30:00Z") from None
    drawn = draw(Path(arguments.scene), Path(arguments.tracks) if arguments.tracks else None, Path(arguments.out),
                 start_s=span[0], end_s=span[1], cutoff_m=arguments.cutoff)
    print(f"{drawn.plots} plots, {drawn.objects} objects, {drawn.tracks} confirmed tracks "
          f"({drawn.false_tracks} of them near no object for half their life) -> {arguments.out}")
    return 0

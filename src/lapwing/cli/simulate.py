"""``lapwing simulate``: a story or a made-up night as truth and sensor recordings."""

from __future__ import annotations

import argparse

NAME = "simulate"
HELP = (
    "Write a story, or a night made up near a country's border, as a folder of truth and sensor recordings. The same "
    "seed gives the same octets. Seeds from 9000 on are for scoring only: never choose a parameter by them."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("story", nargs="?", help="name of a shipped story, or a .yaml file")
    parser.add_argument(
        "--night",
        choices=("danube", "balloons", "quiet", "crossing", "near", "calm"),
        help="a made-up night instead of a story: drones along the line; balloons on the wind; nothing at all "
        "but clutter; five textbook scenes; many drones, decoys and balloons near the line and little clutter, to score "
        "verdicts by; balloons, birds, airliners and helicopters alone",
    )
    parser.add_argument("--country", metavar="CC", help="whose border the night plays on (a country pack)")
    parser.add_argument(
        "--neighbour",
        metavar="CC",
        help="which part of it: the line with this neighbour (default: the first "
        "that the pack does not exchange notices with as a neighbour)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of everything drawn (default 1); from 9000 on: for scoring only"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="length of a night (default: danube 90, balloons 75, quiet 360, crossing 8, near 60, calm 75)",
    )
    parser.add_argument(
        "--detection",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the echoes of objects that the radars of a night report, drawn anew each turn (default 1: as good as they are)",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write to; crossing writes five below it")


def run(arguments: argparse.Namespace) -> int:
    """Write; 0 done, 2 where nothing could be made."""
    from pathlib import Path

    from lapwing.model.errors import ConfigError
    from lapwing.runtime.environment import prepare

    cache = prepare() / "packs"
    from lapwing.runtime import scene_files

    out = Path(arguments.out)
    if (arguments.story is None) == (arguments.night is None):
        raise ConfigError(
            "name a story or a night, one of them",
            where="lapwing simulate",
            remedy="e.g. `lapwing simulate orlivka-800m --out DIR` or `--night danube --country ro --out DIR`",
        )
    if arguments.story is not None:
        folders = [scene_files.write_story(arguments.story, arguments.seed, out, cache)]
    else:
        if not arguments.country:
            raise ConfigError(
                "a night needs a country", where="lapwing simulate", remedy="add --country CC, e.g. --country ro"
            )
        folders = scene_files.write_night(
            arguments.night, arguments.country, arguments.seed, arguments.minutes, arguments.neighbour, out, cache,
            arguments.detection,
        )
    for folder in folders:
        print(f"wrote {folder}: " + ", ".join(sorted(path.name for path in folder.iterdir() if path.is_file())))
    return 0

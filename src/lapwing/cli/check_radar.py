"""``lapwing check-radar RECORDING --sensors FILE``: is this radar as good as its file says?"""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "check-radar"
HELP = ("Measure each radar of a recording: range and azimuth noise, bias against ADS-B or the other radars, time bias, detection "
        "probability, coverage; pass or fail per figure and what to do. Exit status 1 where one fails.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("recordings", metavar="RECORDING", nargs="+", type=Path, help="ASTERIX in any framing; several are merged")
    parser.add_argument("--sensors", metavar="FILE", type=Path, required=True, help="sensors.toml or scenario.json: places and "
                        "what is configured")
    parser.add_argument("--adsb", metavar="FILE", type=Path, help="a recording of ADS-B or multilateration of the same time, where "
                        "RECORDING holds none")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="of recordings that know only the time of day")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="write the coverage as SVG")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")


def run(arguments: argparse.Namespace) -> int:
    """Check and print."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.radar_checks import check

    return check(arguments.recordings, arguments.sensors, arguments.adsb, arguments.date, as_json=arguments.json,
                 plot_file=arguments.plot)

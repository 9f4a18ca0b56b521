"""``lapwing bench``: speed and quality beside a reference, as ratios; machines are noisy, so never a timed test."""

from __future__ import annotations

import argparse
import os

NAME = "bench"
HELP = ("Measure a part side by side with a reference in the same run and print ratios. Without a name: all. A "
        "reference that is not installed is said so, and the part is measured alone.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", choices=[
        "archive", "asterix", "border", "cap", "chain", "judge", "kill", "live-sense", "live-start", "packs", "place", "track"],
                        help="what to measure: archive (questions to 10 million track rows; by name alone), "
                             "asterix (records/s beside libasterix), border (points/s beside "
                             "shapely + pyproj), cap (a message: write, sign, check, deliver), "
                             "chain (every story through the whole chain), judge (500 tracks at 1 Hz), "
                             "packs (load time), place (polar reports to places), "
                             "kill (a live service under load, killed 10 times a repeat: what was lost; by name alone), "
                             "live-start (a live service from nothing, kernels compiled and loaded; by name alone), "
                             "live-sense (20,000 records/s over loopback UDP for 60 s; by name alone), "
                             "track (plots/s and GOSPA beside Stone Soup's GNN; by name alone)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each; the median counts (default 3)")
    parser.add_argument("--rows", type=int, metavar="N", help="archive: rows to ask (default 10,000,000)")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from lapwing.runtime.environment import prepare

    prepare()
    if arguments.rows is not None:
        os.environ["LAPWING_BENCH_ROWS"] = str(max(1, arguments.rows))
    from lapwing.runtime.bench import bench_command

    return bench_command(arguments.name, max(1, arguments.repeat), as_json=arguments.json)

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
        "archive", "asterix", "border", "cap", "chain", "judge", "kill", "live-sense", "live-start", "load", "packs", "place", "soak",
        "track", "warn"],
                        help="what to measure: archive (questions to 10 million track rows; by name alone), "
                             "asterix (records/s beside libasterix), border (points/s beside "
                             "shapely + pyproj), cap (a message: write, sign, check, deliver), "
                             "chain (every story through the whole chain), judge (500 tracks at 1 Hz), "
                             "packs (load time), place (polar reports to places), "
                             "kill (a live service under load, killed 10 times a repeat: what was lost; by name alone), "
                             "live-start (a live service from nothing, kernels compiled and loaded; by name alone), "
                             "load (20,000 plots/s into a whole live service for 60 s; by name alone), "
                             "soak (20 min of event time at 10 x speed through a whole live service: growth; by name alone), "
                             "live-sense (20,000 records/s over loopback UDP for 60 s; by name alone), "
                             "track (plots/s and GOSPA beside Stone Soup's GNN; by name alone), "
                             "warn (500 tracks: update to proposal, approval to receipt)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each; the median counts (default 3)")
    parser.add_argument("--rows", type=int, metavar="N", help="archive: rows to ask (default 10,000,000)")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="load, live-sense: how long (default 60); soak: of event time (default 1200; full: 86400)")
    parser.add_argument("--rate", type=float, metavar="N", help="load: plots a second (default 20,000)")
    parser.add_argument("--cluster", action="store_true",
                        help="with kill: three NATS servers and two machines; leader, worker, follower killed in turn, 4 a repeat")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from lapwing.model.errors import InputError
    from lapwing.runtime.environment import prepare

    prepare()
    for name in ("rows", "seconds", "rate"):
        if getattr(arguments, name) is not None:
            os.environ[f"LAPWING_BENCH_{name.upper()}"] = str(max(1, getattr(arguments, name)))
    from lapwing.runtime.bench import bench_command

    if arguments.cluster and arguments.name != "kill":
        raise InputError("--cluster goes with kill", remedy="lapwing bench kill --cluster")
    return bench_command("kill-cluster" if arguments.cluster else arguments.name, max(1, arguments.repeat), as_json=arguments.json)

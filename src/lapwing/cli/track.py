"""``lapwing track``: plots -> tracks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

NAME = "track"
HELP = "Track the plots of a Parquet file (schema of the scenarios) in order of arrival; write tracks.parquet."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("plots", metavar="PLOTS", help="plots.parquet")
    parser.add_argument("--sensors", metavar="FILE", required=True, help="scenario.json or sensors.toml")
    parser.add_argument("--out", metavar="FILE", required=True, help="tracks.parquet to write")
    parser.add_argument("--from", dest="begin", metavar="ISO", help="leave out what arrived before, e.g. 2026-03-14T23:30:00Z")
    parser.add_argument("--until", metavar="ISO", help="stop before what arrived then or later")
    parser.add_argument("--registration", metavar="FILE",
                        help="write the registration as learned, JSON lines: time, sensor, range_m, range_m_sigma, "
                             "azimuth_deg, azimuth_deg_sigma, time_s, time_s_sigma")
    parser.add_argument("--clutter-map", metavar="FILE",
                        help="clutter map: read where the file is there, written anew at the end")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Track; 0 done, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    prepare()
    from time import perf_counter

    from lapwing.runtime.track_file import track_file

    start = perf_counter()
    bar = _Bar() if sys.stderr.isatty() and not arguments.json else None
    done, _ = track_file(
        Path(arguments.plots), Path(arguments.sensors), Path(arguments.out), from_ns=_time(arguments.begin, "--from"),
        until_ns=_time(arguments.until, "--until"),
        registration=Path(arguments.registration) if arguments.registration else None,
        clutter_map=Path(arguments.clutter_map) if arguments.clutter_map else None, progress=bar)
    spent = perf_counter() - start
    if arguments.json:
        print(json.dumps({"plots": done.plot_count, "rows": done.row_count, "confirmed_tracks": done.track_count,
                          "seconds": round(spent, 3), "data_seconds": round(done.data_s, 3)}))
    else:
        print(f"{done.plot_count} plots of {done.data_s / 60:.1f} min -> {done.track_count} confirmed tracks, "
              f"{done.row_count} rows in {arguments.out} ({spent:.1f} s, {done.plot_count / max(spent, 1e-9):,.0f} plots/s)")
    return 0


def _time(text: str | None, option: str) -> int | None:
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso

    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError as error:
        raise InputError(f"{text!r}: {error}", where=option, remedy="write it like 2026-03-14T23:30:00Z") from None


class _Bar:
    """A line that grows, on a terminal."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if percent != self._shown:
            self._shown = percent
            end = "\n" if percent >= 100 else ""
            print(f"\r  {'#' * (percent // 4):<25} {percent:3d} %", end=end, file=sys.stderr, flush=True)

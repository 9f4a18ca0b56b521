"""``lapwing track``: a file of plots through the tracker alone."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "track"
HELP = ("Track a file of plots (Parquet, in order of arrival) and write the tracks. The tracker estimates its own "
        "registration; the same defaults hold for every file.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("plots", metavar="PLOTS", help="plots.parquet")
    parser.add_argument("--sensors", metavar="FILE", required=True, help="scenario.json or sensors.toml")
    parser.add_argument("--out", metavar="FILE", required=True, help="tracks.parquet to write")
    parser.add_argument("--from", dest="start", metavar="ISO", help="leave out plots received before")
    parser.add_argument("--until", metavar="ISO", help="leave out plots received from then on")
    parser.add_argument("--registration", metavar="FILE", help="write the estimated biases as JSON lines")
    parser.add_argument("--clutter-map", metavar="FILE", help="tracker state to start from where the file is there, with "
                        "its clutter maps; written at the end")


def run(arguments: argparse.Namespace) -> int:
    """Track; 0 done."""
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing import track
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso
    from lapwing.record import codec
    from lapwing.runtime.track_file import track_file

    def moment(text: str | None, option: str) -> int | None:
        try:
            return None if text is None else from_iso(text)
        except ValueError as error:
            raise InputError(f"{text!r} is no time: {error}", where=option, remedy="write 2026-03-14T23:35:00Z") from error

    kept = Path(arguments.clutter_map) if arguments.clutter_map else None
    before = None
    if kept is not None and kept.is_file():
        decoded = codec.decode(kept.read_bytes())
        if not isinstance(decoded, track.State):
            raise InputError("not a tracker state", where=str(kept), remedy="name a file that --clutter-map wrote")
        before = track.State(clutter=decoded.clutter)
    done, state = track_file(
        Path(arguments.plots), Path(arguments.sensors), Path(arguments.out), from_ns=moment(arguments.start, "--from"),
        until_ns=moment(arguments.until, "--until"),
        registration=Path(arguments.registration) if arguments.registration else None, clutter_in=before)
    if kept is not None:
        kept.write_bytes(codec.encode(state))
    print(f"{done.plot_count:,} plots over {done.data_s:,.0f} s, {done.track_count} confirmed tracks, "
          f"{done.row_count:,} rows in {arguments.out}")
    return 0

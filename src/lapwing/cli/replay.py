"""``lapwing replay``: recordings, plots, a story or a journal through the same chain as live data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapwing.runtime.opening import Opened

NAME = "replay"
HELP = ("Run a recording (ASTERIX: raw, FINAL, GPS recorder, pcap), plots (Parquet), a story or a journal through the "
        "whole chain and leave every output in a folder.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("source", nargs="*", help="recording files, a story (name or .yaml), or a journal.sqlite")
    parser.add_argument("--plots", metavar="FILE", help="plots.parquet, as lapwing simulate writes it")
    parser.add_argument("--sensors", metavar="FILE", help="sensors.toml or scenario.json: where the sensors stand")
    parser.add_argument("--country", metavar="CC", help="country pack (code or folder); without it: tracks alone "
                                                        "(a story brings its own country)")
    parser.add_argument("--out", metavar="DIR", required=True,
                        help="folder for the outputs; an unfinished run of the same source there is resumed")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="day of a recording that knows only the time of day")
    parser.add_argument("--edition", action="append", default=[], metavar="CAT=ED",
                        help="edition of a category (48=1.27), or of one source's (48@25/201=1.27); may be repeated; "
                             "else the sensors file's, else the one that fits best")
    parser.add_argument("--seed", type=int, default=1, help="of a story's sensors (default 1)")
    parser.add_argument("--officer-delay", type=float, default=20.0, metavar="S",
                        help="the replay plays the officer, who approves so long after a proposal (default 20); "
                             "negative: nobody approves, proposals lapse")
    console = parser.add_mutually_exclusive_group()
    console.add_argument("--serve", action="store_true", help="open the console on 127.0.0.1 while replaying")
    console.add_argument("--headless", action="store_true", help="no console: the default, as the demo has it")
    parser.add_argument("--port", type=int, default=8650, help="of the console (default 8650; 0: any free one)")
    parser.add_argument("--speed", default="max", metavar="N|max", help="times real time (default max)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", action="store_true", help="no narration")


def run(arguments: argparse.Namespace) -> int:
    """Replay; 0 done, 2 where nothing could be done."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.cli import pace
    from lapwing.runtime import narrate, played, replay, wiring

    speed = pace.parse_speed(arguments.speed)
    folder = Path(arguments.out)
    observers: list[Any] = [] if arguments.quiet or arguments.json else [narrate.Narrator()]
    if len(arguments.source) == 1 and _is_journal(Path(arguments.source[0])):
        done = replay.replay_journal(Path(arguments.source[0]), folder, observers)
        return _report(done, arguments.json)

    opened, story_country = _open(arguments)
    code = arguments.country or story_country
    country = wiring.load_country(code, state_dir) if code else None
    cast = played.Cast(officer_s=arguments.officer_delay)
    window = None
    if arguments.serve:
        from lapwing.cli import console

        window = console.open_console(opened, country, port=arguments.port, mode="REPLAY")
        observers.append(window.feed.take)
    try:
        with pace.progress(None, opened.title) as move:
            done = replay.run_to_folder(opened, folder, country, cast=cast, observers=[*observers, move],
                                        window_s=pace.window_s(speed, opened),
                                        before_batch=pace.Pace(speed, window.entered if window else None))
        status = _report(done, arguments.json)
    finally:
        if window is not None:
            window.close(wait=_watched())
    return status


def _watched() -> bool:
    return sys.stdout.isatty()


def _is_journal(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def _open(arguments: argparse.Namespace) -> tuple[Opened, str]:
    """Return the source, and the country it brings itself ("" none)."""
    from lapwing import sim
    from lapwing.model.errors import InputError
    from lapwing.runtime import opening

    sensors = opening.read_sensors(Path(arguments.sensors) if arguments.sensors else None)
    if arguments.plots:
        if arguments.source:
            raise InputError("a source beside --plots", where=" ".join(arguments.source), remedy="give one of the two")
        if not sensors.rows:
            raise InputError("plots need their radars", where="--plots", remedy="name scenario.json in --sensors")
        return opening.open_plots(Path(arguments.plots), sensors), ""
    if not arguments.source:
        raise InputError("nothing to replay", remedy="name recordings, a story or a journal, or give --plots FILE")
    first = arguments.source[0]
    if first.endswith((".yaml", ".yml")) or (first in sim.story_names() and not Path(first).exists()):
        if len(arguments.source) > 1:
            raise InputError("one story at a time", where=" ".join(arguments.source), remedy="replay them one by one")
        opened = opening.open_story(first, arguments.seed)
        assert opened.recording is not None, "a story is opened with its truth"
        return opened, opened.recording.story.country
    from lapwing.sense.asterix.edition_names import parse_editions

    opened = opening.open_recordings([Path(name) for name in arguments.source], sensors, arguments.date,
                                     parse_editions(arguments.edition))
    if not arguments.quiet:
        for note in opened.notes:
            print(f"lapwing replay: {note}", file=sys.stderr)
    return opened, ""


def _report(done: object, as_json: bool) -> int:
    import json

    from lapwing.runtime.replay import Run

    assert isinstance(done, Run)
    counts = done.counts
    if as_json:
        print(json.dumps({"out": str(done.folder), "batches": counts.batches, "entries": counts.entries,
                          "records": counts.records, "plots": counts.plots, "refusals": dict(sorted(counts.refusals.items())),
                          "refusals_first": dict(sorted(counts.firsts.items())),
                          "resumed_batches": done.resumed_batches, "files": [path.name for path in done.files]}))
    else:
        print(f"{counts.entries:,} entries, {counts.records:,} records, {counts.plots:,} plots; outputs in {done.folder}")
        for reason, count in sorted(counts.refusals.items(), key=lambda item: -item[1]):
            print(f"  refused {count:>9,}  {reason}; the first: {counts.firsts[reason][:200]}")
    if counts.refusals and not counts.records and not counts.plots:
        print("lapwing replay: nothing could be read: every octet was refused, for the reasons above; `lapwing decode FILE` says where",
              file=sys.stderr)
        return 2
    return 0

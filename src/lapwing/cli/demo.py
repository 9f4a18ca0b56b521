"""``lapwing demo``: a story through simulated radars, real ASTERIX bytes and the whole chain, narrated."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapwing.sim.scoring import Check

NAME = "demo"
HELP = ("Play a story: simulated radars write ASTERIX bytes, which travel through decoder, tracker, judge, warner and "
        "recorder like live data. The demo plays the officers and says so.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("story", nargs="?", default="orlivka-800m",
                        help="name of a shipped story, or a .yaml file (default orlivka-800m)")
    parser.add_argument("--list", action="store_true", help="list the shipped stories and stop")
    parser.add_argument("--speed", metavar="N|max", help="times real time (default 60 with the console, max without)")
    parser.add_argument("--headless", action="store_true", help="no console, terminal only")
    parser.add_argument("--port", type=int, default=8650, help="of the console (default 8650; 0: any free one)")
    parser.add_argument("--out", metavar="DIR", help="keep the outputs in this folder")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated sensors (default 1)")
    parser.add_argument("--json", action="store_true", help="print the closing checks as JSON, nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Play; 0 where every check of the story holds, 1 where one does not, 2 where it could not be played."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing import sim

    if arguments.list:
        for name in sim.story_names():
            print(f"{name:<28} {sim.load_story(name).title}")
        return 0
    with contextlib.ExitStack() as stack:
        folder = Path(arguments.out) if arguments.out else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lapwing-")))
        return _play(arguments, folder, state_dir)


def _play(arguments: argparse.Namespace, folder: Path, state_dir: Path) -> int:
    from lapwing.cli import pace
    from lapwing.runtime import narrate, opening, played, replay, wiring

    speed = pace.parse_speed(arguments.speed or ("max" if arguments.headless else "60"))
    opened = opening.open_story(arguments.story, arguments.seed)
    recording = opened.recording
    assert recording is not None, "a story is opened with its truth"
    story = recording.story
    country = wiring.load_country(story.country, state_dir)
    observers: list[Any] = []
    if not arguments.json:
        _introduce(story, recording)
        observers.append(narrate.Narrator())
    window = None
    if not arguments.headless:
        from lapwing.cli import console

        window = console.open_console(opened, country, port=arguments.port, mode="EXERCISE")
        observers.append(window.feed.take)
    try:
        done = replay.run_to_folder(opened, folder, country, cast=played.Cast(), window_s=pace.window_s(speed, opened), observers=observers,
                                    before_batch=pace.Pace(speed, window.entered if window else None))
        checks = score(folder, recording)
        if arguments.json:
            import json
            from dataclasses import asdict

            print(json.dumps({"story": story.id, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
        else:
            _conclude(checks, folder, done, kept=bool(arguments.out))
    finally:
        if window is not None:
            window.close(wait=_watched())
    return 0 if all(check.ok for check in checks) else 1


def _watched() -> bool:
    import sys

    return sys.stdout.isatty()


def score(folder: Path, recording: Any) -> list[Check]:
    """Return the checks of a story against the outputs in a folder."""
    from lapwing.runtime.story_checks import check_folder

    return check_folder(folder, recording)


def _introduce(story: Any, recording: Any) -> None:
    print(f"{story.title}")
    print(f"  {story.notice}" if story.notice else "  Made up.")
    print(f"  {len(recording.sensors.rows)} simulated sensors write ASTERIX; the demo plays both duty officers and the "
          "partners' liaison officers.")
    print("  EXERCISE: no message leaves this machine. Times are event time, UTC.\n")


def _conclude(checks: list[Check], folder: Path, done: Any, *, kept: bool) -> None:
    from lapwing.runtime.story_checks import statement_of

    print(f"\n{statement_of(folder)}\n")
    print("Against the story's expected values:")
    width = max(len(check.name) for check in checks) if checks else 0
    for check in checks:
        print(f"  {'ok  ' if check.ok else 'MISS'}  {check.name:<{width}}  {check.found}   (expected {check.expected})")
    counts = done.counts
    print(f"\n{counts.records:,} sensor records, {counts.plots:,} plots, {counts.entries:,} journal entries.")
    if kept:
        print(f"Outputs, report and journal: {folder}")

"""Bench `chain`: every shipped story, headless at full speed, from sensor bytes to the outputs on disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from lapwing import sim
from lapwing.runtime import opening, played, replay, wiring
from lapwing.runtime.environment import state_dir
from lapwing.runtime.story_checks import check_folder

F = TypeVar("F")


def figures(repeat: int, figure: Callable[..., F]) -> Iterator[F]:
    """Yield seconds and event-time ratio of each story; one run each (`repeat` is for the short benches)."""
    for name in sim.story_names():
        with tempfile.TemporaryDirectory(prefix="lapwing-bench-") as folder:
            start = time.perf_counter()
            opened = opening.open_story(name, 1)
            recording = opened.recording
            assert recording is not None, "a story is opened with its truth"
            country = wiring.load_country(recording.story.country, state_dir())
            replay.run_to_folder(opened, Path(folder), country, cast=played.Cast())
            seconds = time.perf_counter() - start
            checks = check_folder(Path(folder), recording)
        missed = [check.name for check in checks if not check.ok]
        yield figure("chain", name, seconds, "s", note=f"{recording.story.span_s / seconds:,.0f} x real time; checks "
                     f"missed: {', '.join(missed) or 'none'}")

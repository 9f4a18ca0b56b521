"""Compiles everything that a run compiles: kernels by playing the shortest story, packs of the countries that have stories."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lapwing import sim
from lapwing.runtime import opening, played, replay, wiring

STORY = "sumskas-slow-faller"      # every stage works in it


def compile_all(folder: Path) -> None:
    """Leave the compiled packs in a state folder, and the kernels where Numba keeps them. Raises ConfigError, StorageError."""
    countries = {sim.load_story(name).country for name in sim.story_names()}
    loaded = {code: wiring.load_country(code, folder) for code in sorted(countries)}
    opened = opening.open_story(STORY, 1)
    assert opened.recording is not None, "a story is opened with its truth"
    with tempfile.TemporaryDirectory(prefix="lapwing-") as out:
        replay.run_to_folder(opened, Path(out), loaded[opened.recording.story.country], cast=played.Cast())

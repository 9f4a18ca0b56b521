"""Shared fixtures. Input that may not be copied into the repo is read from LAPWING_SHARED (default ../shared)."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from lapwing.runtime.environment import prepare

# Before anything imports Numba: the program's level and its folder of compiled kernels.
prepare()

# No test measures time: a busy machine must not fail one.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with the recordings and scenarios; skip without it, fail without it under CI."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("LAPWING_SHARED", root.parent / "shared"))
    if not (folder / "data").is_dir():
        reason = f"no shared data at {folder}: set LAPWING_SHARED to the folder that holds data/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder

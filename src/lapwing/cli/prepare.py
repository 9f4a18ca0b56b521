"""``lapwing prepare``: compile kernels and country packs once, for every user of this installation."""

from __future__ import annotations

import argparse
import os
import time

NAME = "prepare"
HELP = ("Compile the kernels, and the packs of the countries that have stories, now, into the environment that Lapwing is installed "
        "in, so that no run of any user waits for it. ./run does this at set-up; after a plain pip install it saves every new user a "
        "minute.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: none."""


def run(arguments: argparse.Namespace) -> int:
    """Compile; 0 done, 2 where the environment cannot be written."""
    from lapwing.runtime.environment import prepare, prepared_dir

    began, folder = time.monotonic(), prepared_dir()
    os.environ["LAPWING_STATE"] = str(folder)      # what is compiled is kept where the environment is
    prepare()
    from lapwing.runtime.prepared import compile_all

    compile_all(folder)
    print(f"Compiled in {time.monotonic() - began:.0f} s: {folder}")
    return 0

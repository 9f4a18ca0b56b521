"""``lapwing init``: a commented site.toml to begin with."""

from __future__ import annotations

import argparse

NAME = "init"
HELP = "Write a commented site.toml for a country, ready for `lapwing check` and `lapwing run`. An existing file is left alone."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--country", metavar="CC", required=True, help="country pack (code or folder), such as ro")
    parser.add_argument("--out", metavar="FILE", default="site.toml", help="where to write it (default site.toml); - for standard output")


def run(arguments: argparse.Namespace) -> int:
    """Write; 0 done, 2 where it could not be."""
    from pathlib import Path

    from lapwing.runtime.site_example import example

    text = example(arguments.country)
    if arguments.out == "-":
        print(text, end="")
        return 0
    path = Path(arguments.out)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        from lapwing.model.errors import InputError

        raise InputError("is there already and was not touched", where=str(path), remedy="name another with --out") from error
    print(f"{path}: written. Next: name your links and sensors in it, then `lapwing check {path}` and `lapwing run {path}`.")
    return 0

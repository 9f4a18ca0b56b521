"""``lapwing report``: the after-action report from a journal."""

from __future__ import annotations

import argparse

NAME = "report"
HELP = ("Write the after-action report of a journal: a page that needs nothing else (map, border graph, verdicts, "
        "messages, what could not be seen), and the same as JSON beside it.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("journal", help="journal.sqlite of a run")
    parser.add_argument("--incident", default="", metavar="ID", help="as in the time line: 20250805-1 (default: all)")
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page (default report.html)")
    parser.add_argument("--country", default="", metavar="CC", help="another pack than the journal was made with")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the paths")


def run(arguments: argparse.Namespace) -> int:
    """Write; 0 done, 2 where the journal or the incident is not there."""
    from pathlib import Path

    from lapwing.model.errors import ConfigError
    from lapwing.runtime.environment import prepare

    out = Path(arguments.out)
    if out.suffix not in (".html", ".htm"):
        raise ConfigError("is not the name of a page", where=f"--out {out}", remedy="end it with .html; the JSON goes "
                          "beside it")
    prepare()
    from lapwing.runtime.journals import write_report

    paths = write_report(Path(arguments.journal), out, incident=arguments.incident, country=arguments.country)
    if arguments.json:
        print(paths[1].read_text(encoding="utf-8"), end="")
    else:
        for path in paths:
            print(path)
    return 0

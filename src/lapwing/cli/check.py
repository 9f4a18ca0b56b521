"""``lapwing check``: is a site.toml right; every problem at once, with key, value and remedy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapwing.runtime.config_keys import Problem
    from lapwing.runtime.site_config import Site

NAME = "check"
HELP = ("Check the configuration of a live site. Exit status 0: right; 1: it runs, with warnings; 2: it does not run. "
        "Nothing is opened or written.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("config", metavar="CONFIG", help="site.toml, as `lapwing init` writes it")
    parser.add_argument("--json", action="store_true", help="print the problems as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check; 0 right, 1 warnings, 2 errors."""
    import json
    from dataclasses import asdict
    from pathlib import Path

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.site_config import read_site

    site, problems = read_site(Path(arguments.config))
    if site.region.name and not any(problem.is_error for problem in problems):
        problems = (*problems, *_region(site))
    errors = sum(problem.is_error for problem in problems)
    if arguments.json:
        print(json.dumps({"config": arguments.config, "runs": not errors, "problems": [asdict(problem) for problem in problems]},
                         ensure_ascii=False, indent=2))
    else:
        for problem in sorted(problems, key=lambda problem: not problem.is_error):
            print(f"{problem.level.upper():<8} {problem}")
        if not problems:
            print(f"{arguments.config}: right: {len(site.links)} links, {len(site.sensors.rows)} sensors, "
                  f"country {site.country or 'none'}, status {site.status}")
    return 2 if errors else 1 if problems else 0


def _region(site: Site) -> list[Problem]:
    """Return what only the country's pack shows of a region: whether everybody has one who warns them."""
    from lapwing.model.errors import LapwingError
    from lapwing.runtime.config_keys import Problem
    from lapwing.runtime.environment import state_dir
    from lapwing.runtime.site_region import area_of
    from lapwing.runtime.wiring import load_country

    try:
        area_of(site.region, load_country(site.country, state_dir()).pack)
    except LapwingError as error:
        return [Problem("error", f"{site.path.name} [region.counties] {error.where}", error.what, error.remedy)]
    return []

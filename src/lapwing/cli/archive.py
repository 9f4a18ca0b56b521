"""``lapwing archive``: keep the archive of a site, check it, hold an incident."""

from __future__ import annotations

import argparse
from typing import Any

NAME = "archive"
HELP = ("The archive of a site: Parquet files of all published tracks, an hour each and then a day each, sealed in a manifest. The running "
        "service keeps it by itself; `lapwing query` asks it.")

_COMMANDS = {
    "keep": "Seal the hours that are over, make days of hours, remove what is past [archive] keep_days and not held.",
    "list": "The files that count, and the holds in force.",
    "verify": "Check every file against the manifest, and the manifest's chain. Exit status 1 where a fault is found.",
    "hold": "Keep all rows of an incident whatever their age, an hour on either side, until it is released.",
    "release": "End a hold.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below this one."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in _COMMANDS.items()}
    for name, each in made.items():
        each.add_argument("site", metavar="SITE", help="site.toml" if name in ("keep", "hold") else "site.toml, or an archive's folder")
    for name in ("hold", "release"):
        made[name].add_argument("incident", metavar="INCIDENT", help="as in the time line: 20250805-1; any name with --from")
        made[name].add_argument("--by", required=True, metavar="NAME", help="who orders it")
        made[name].add_argument("--why", required=True, metavar="TEXT", help="the order: number, court, ministry")
    made["hold"].add_argument("--from", dest="from_text", default="", metavar="ISO", help="instead of the incident's first event")
    made["hold"].add_argument("--until", dest="until_text", default="", metavar="ISO", help="instead of its last event")
    for name in ("list", "verify"):
        made[name].add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action; 0 done, 1 faults found, 2 where it could not be."""
    import time
    from pathlib import Path

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime import archiving
    from lapwing.runtime.site_config import archive_folder, require_site

    place, now_ns = Path(arguments.site), time.time_ns()
    folder = archive_folder(place) if place.suffix == ".toml" else place
    if arguments.action == "keep":
        site, _ = require_site(place)
        print(archiving.words_of(archiving.keep(site.data / "journal", folder, site.archive.keep_days, now_ns)) or "nothing to do")
    elif arguments.action == "hold":
        site, _ = require_site(place)
        period = _period(arguments, site.data / "journal")
        hold = archiving.hold_incident(folder, arguments.incident, period, arguments.by, arguments.why, now_ns)
        print(_hold(hold))
    elif arguments.action == "release":
        archiving.release_hold(folder, arguments.incident, arguments.by, arguments.why, now_ns)
        print(f"{arguments.incident}: released")
    elif arguments.action == "list":
        _list(folder, as_json=arguments.json)
    else:
        return _verify(folder, as_json=arguments.json)
    return 0


def _period(arguments: argparse.Namespace, journal: Any) -> tuple[int, int]:
    from lapwing.model.errors import ConfigError
    from lapwing.model.times import from_iso
    from lapwing.runtime.archiving import incident_period

    if bool(arguments.from_text) != bool(arguments.until_text):
        raise ConfigError("stand together", where="--from, --until", remedy="give both, or neither for the incident's own")
    if not arguments.from_text:
        return incident_period(journal, arguments.incident)
    try:
        return from_iso(arguments.from_text), from_iso(arguments.until_text)
    except ValueError as error:
        raise ConfigError(str(error), where="--from, --until", remedy="write 2026-03-14T23:30:00Z") from error


def _hold(hold: Any) -> str:
    from lapwing.model.times import to_iso

    return f"held  {hold.id}: {to_iso(hold.from_ns, digits=0)} to {to_iso(hold.until_ns, digits=0)}, by {hold.by}: {hold.why}"


def _list(folder: Any, *, as_json: bool) -> None:
    from lapwing.runtime.archiving import archive_of

    lines, holds = archive_of(folder)
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"files": lines, "holds": [asdict(hold) for hold in holds]}, indent=2))
        return
    for line in lines:
        period = f"{line['from'][:19]}Z to {line['until'][:19]}Z"
        print(f"{line['kind']:<5} {line['file']:<34} {sum(line['rows']):>13,} rows {line['octets'] / 1e6:>9,.1f} MB  {period}")
    for hold in holds:
        print(_hold(hold))
    print(f"{len(lines)} files, {sum(sum(line['rows']) for line in lines):,} rows, {sum(line['octets'] for line in lines) / 1e6:,.1f} MB")


def _verify(folder: Any, *, as_json: bool) -> int:
    from lapwing.runtime.archiving import check_archive

    faults, head = check_archive(folder)
    if as_json:
        import json

        print(json.dumps({"archive": str(folder), "sound": not faults, "head": head, "faults": faults}, indent=2))
        return 1 if faults else 0
    for fault in faults:
        print(f"FAULT  {fault}")
    print("The archive is not as it was sealed. Keep it, and compare it with a copy." if faults else
          "whole   every file is as it was sealed, and the manifest's chain holds")
    print(f"head    {head}")
    return 1 if faults else 0

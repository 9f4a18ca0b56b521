"""``lapwing incidents``: ask the register of a site."""

from __future__ import annotations

import argparse
from typing import Any

NAME = "incidents"
HELP = ("Incidents of a site, and of one its time line, warnings and decisions; or warnings, decisions, audit by who and when. Asks the "
        "database ([database] in site.toml), not the journal.")
NEWEST = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("site", metavar="SITE", help="site.toml")
    parser.add_argument("incident", nargs="?", default="", metavar="INCIDENT", help="such as 20250805-1: all that the register has of it")
    parser.add_argument("--show", choices=("incidents", "events", "proposals", "decisions", "alerts", "audit"), default="",
                        help="which table (default: incidents; with INCIDENT events, proposals, decisions and alerts)")
    parser.add_argument("--by", metavar="NAME", help="decisions and audit: of this person")
    parser.add_argument("--alert", metavar="ID", help="this one warning, with the proposal and the decisions that led to it")
    parser.add_argument("--from", dest="from_text", metavar="ISO", help="this time included")
    parser.add_argument("--until", dest="until_text", metavar="ISO", help="this time not included")
    parser.add_argument("--newest", type=int, default=NEWEST, metavar="N", help=f"at most so many rows of a table (default {NEWEST})")
    parser.add_argument("--all-sites", action="store_true", help="of every site that feeds this database")
    parser.add_argument("--json", action="store_true", help="print all columns as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Ask; 0 found, 1 nothing found, 2 where it could not be asked."""
    import json
    from pathlib import Path

    from lapwing.model.errors import ConfigError
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.register import open_database
    from lapwing.runtime.site_config import require_site

    if arguments.by and arguments.show not in ("decisions", "audit", ""):
        raise ConfigError(f"--show {arguments.show} has no person", where="--by", remedy="--show decisions or audit")
    if arguments.newest < 1:
        raise ConfigError(f"--newest {arguments.newest}", where="--newest", remedy="give 1 or more")
    site, _ = require_site(Path(arguments.site))
    with open_database(site.database) as database:
        found = _ask(database, arguments, "" if arguments.all_sites else site.database.site)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2, default=_octets))
    else:
        for table, rows in found.items():
            for row in rows:
                print(_LINES[table](row))
    if not any(found.values()):
        if not arguments.json:
            print("nothing of that in the register")
        return 1
    return 0


def _ask(database: Any, arguments: argparse.Namespace, site: str) -> dict[str, list[dict[str, Any]]]:
    here = {"site": site} if site else {}
    period = {"from_ns": _time(arguments.from_text, "--from"), "until_ns": _time(arguments.until_text, "--until"),
              "limit": arguments.newest}
    if arguments.alert:
        alerts = database.ask("alerts", where=here | {"id": arguments.alert})
        proposals = [row["proposal"] for row in alerts if row["proposal"]]
        return {"proposals": [row for key in proposals for row in database.ask("proposals", where=here | {"id": key})],
                "decisions": [row for key in proposals for row in database.ask("decisions", where=here | {"proposal": key})],
                "alerts": alerts}
    if arguments.by:
        of_people = [arguments.show] if arguments.show else ["decisions", "audit"]
        return {name: database.ask(name, where=here | {"who": arguments.by}, **period) for name in of_people}
    if arguments.incident:
        shown = [arguments.show] if arguments.show not in ("", "incidents", "audit") else ["events", "proposals", "decisions", "alerts"]
        return {"incidents": database.ask("incidents", where=here | {"id": arguments.incident})} | {
            name: database.ask(name, where=here | {"incident": arguments.incident}, **period) for name in shown}
    name = arguments.show or "incidents"
    return {name: database.ask(name, where=here, **period)}


def _time(text: str | None, option: str) -> int | None:
    from lapwing.model.errors import ConfigError
    from lapwing.model.times import from_iso

    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError as error:
        raise ConfigError(str(error), where=option, remedy="write 2026-03-14T23:30:00Z") from error


def _iso(time_ns: int) -> str:
    from lapwing.model.times import to_iso

    return to_iso(time_ns, digits=0)


def _octets(value: object) -> str:
    assert isinstance(value, bytes), "the only kind that JSON does not know"
    return value.hex()


_LINES: dict[str, Any] = {
    "incidents": lambda row: f"{row['id']:<14} {_iso(row['first_ns'])} to {_iso(row['last_ns'])}  {row['events']:>5} events  {row['site']}",
    "events": lambda row: f"{_iso(row['time_ns'])}  {row['severity']:<8} {row['text']}",
    "proposals": lambda row: f"{_iso(row['time_ns'])}  {row['level']:<10} {row['people']:>9,} people  {row['id']}  {row['reason']}",
    "decisions": lambda row: f"{_iso(row['time_ns'])}  {row['action']:<8} by {row['who']:<24} {row['proposal']}  {row['text']}".rstrip(),
    "alerts": lambda row: (f"{_iso(row['sent_ns'])}  {row['status']} {row['msg_type']} {row['level']:<10} {row['people']:>9,} people  "
                           f"{row['id']}  approved by {', '.join(row['approved_by']) or 'nobody'}"),
    "audit": lambda row: f"{_iso(row['time_ns'])}  {row['who']:<20} {row['what']:<16} {row['detail']}  {row['machine']}",
}

"""``lapwing journal``: the segments of a site's journal: which are there, which have left, and why the others stay."""

from __future__ import annotations

import argparse
from typing import Any

NAME = "journal"
HELP = ("The segments of a site's journal: list them, let those go that are past [journal] keep_days, bring one back. The running service "
        "retires them by itself, once an hour.")

_COMMANDS = {
    "list": "Every segment, at hand or retired, and why those at hand stay.",
    "retire": "Pack or drop the segments that may go, now.",
    "restore": "Unpack a retired segment into a folder, checked against the line that it left.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below this one."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in _COMMANDS.items()}
    for each in made.values():
        each.add_argument("site", metavar="SITE", help="site.toml")
    made["list"].add_argument("--json", action="store_true", help="print it as JSON")
    made["restore"].add_argument("segment", metavar="SEGMENT", help="such as journal-000003.sqlite")
    made["restore"].add_argument("--out", required=True, metavar="FOLDER", help="where to; not the journal's own folder")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action; 0 done, 2 where it could not be."""
    import time
    from pathlib import Path

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime import retiring
    from lapwing.runtime.site_config import require_site

    site, _ = require_site(Path(arguments.site))
    journal = site.data / "journal"
    if arguments.action == "restore":
        print(retiring.restore(journal, site.journal.pack, arguments.segment, Path(arguments.out)))
        return 0
    policy = retiring.policy_of(site)
    if arguments.action == "retire":
        print(retiring.words_of(retiring.retire(journal, policy, site.data / "audit-key", time.time_ns())) or "nothing to do")
        return 0
    _list(journal, retiring.standings(journal, policy, time.time_ns()), as_json=arguments.json)
    return 0


def _list(journal: Any, standings: Any, *, as_json: bool) -> None:
    import json

    from lapwing.model.times import to_iso
    from lapwing.runtime.retiring import retired

    gone = retired(journal)
    rows = [{"segment": line["segment"], "first": line["first"], "last": line["last"], "octets": line["octets"], "state": "retired",
             "why": f"{'packed as ' + line['kept_as'] if line['kept_as'] else 'dropped'} {line['time']}: {line['why']}"} for line in gone]
    rows += [{"segment": each.segment.path.name, "first": to_iso(each.first_ns), "last": to_iso(each.last_ns),
              "octets": each.segment.path.stat().st_size, "state": "stays" if each.why else "goes", "why": each.why} for each in standings]
    rows.sort(key=lambda row: row["segment"])
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        period = f"{row['first'][:19]}Z to {row['last'][:19]}Z"
        print(f"{row['segment']:<24} {period} {row['octets'] / 1e6:>10,.1f} MB  {row['state']:<8} {row['why']}")
    here = [row for row in rows if row["state"] != "retired"]
    print(f"{len(here)} segments at hand, {sum(row['octets'] for row in here) / 1e6:,.1f} MB; {len(gone)} retired")

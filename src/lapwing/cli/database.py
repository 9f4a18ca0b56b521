"""``lapwing database``: make, feed and rebuild the register of a site in its database."""

from __future__ import annotations

import argparse

NAME = "database"
HELP = ("The register of a site in PostgreSQL or a SQLite file ([database] in site.toml): incidents, warnings, decisions, audit, shared "
        "accounts. The running service feeds it from the journal; `lapwing incidents` asks it. Needs the extra postgres.")

_COMMANDS = {
    "upgrade": "Make the tables, or bring those of an older version up to this one.",
    "status": "Where the database is, its schema, how far it was fed, rows of each table. Exit status 1 where the schema is another.",
    "feed": "Feed what was committed since, as the running service does.",
    "rebuild": "Remove what came from the journal's segments at hand, and feed them again.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below this one."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in _COMMANDS.items()}
    for each in made.values():
        each.add_argument("site", metavar="SITE", help="site.toml")
    for name in ("feed", "rebuild"):
        made[name].add_argument("--journal", metavar="FOLDER", help="segments that lie elsewhere, such as those of `lapwing cluster fetch`")
    made["status"].add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action; 0 done, 1 another schema or rows refused, 2 where it could not be."""
    import time
    from pathlib import Path

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime import register
    from lapwing.runtime.site_config import require_site

    site, _ = require_site(Path(arguments.site))
    if arguments.action == "status":
        return _status(site, as_json=arguments.json)
    with register.open_database(site.database, any_schema=arguments.action == "upgrade") as database:
        if arguments.action == "upgrade":
            before, now = database.upgrade()
            print(f"{database.address.shown}: schema {now}" + ("" if before == now else f", before {before or 'none'}"))
            return 0
        journal = Path(arguments.journal) if arguments.journal else site.data / "journal"
        if arguments.action == "rebuild":
            removed, fed = register.rebuild(database, journal, site.database.site, time.time_ns())
            print(f"removed {removed:,} rows")
        else:
            fed = register.feed(database, journal, site.database.site, time.time_ns())
        audit = register.feed_audit(database, site.data, site.database.site)
    for text in fed.refused:
        print(f"REFUSED  {text}")
    print(f"fed {fed.rows:,} rows and {audit:,} of the audit; up to {fed.segment or 'no segment'}, batch {fed.batch}")
    return 1 if fed.refused else 0


def _status(site: object, *, as_json: bool) -> int:
    import json

    from lapwing.model.times import to_iso
    from lapwing.runtime import register
    from lapwing.runtime.site_config import Site

    assert isinstance(site, Site)
    with register.open_database(site.database, any_schema=True) as database:
        found, needed = database.schema()
        place = database.place(site.database.site) if found == needed else None
        counts = database.counts(site.database.site) if found == needed else {}
        shared = len(database.users()) if found == needed else 0
        told = {"database": database.address.shown, "site": site.database.site, "schema": found, "schema_needed": needed,
                "segment": place.segment if place else "", "batch": place.batch if place else -1,
                "written": to_iso(place.written_ns) if place and place.written_ns else None, "machine": place.machine if place else "",
                "rows": counts, "shared_accounts": shared}
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0 if found == needed else 1
    print(f"{told['database']}: schema {found or 'none'}" + ("" if found == needed else f", needs {needed}: `lapwing database upgrade`"))
    if place is not None:
        print(f"site {told['site']}: " + (f"fed to {place.segment}, batch {place.batch}, at {told['written']} by {place.machine}"
                                          if place.segment else "not fed yet"))
        print(", ".join(f"{count:,} {name}" for name, count in counts.items()) + f"; {shared} shared accounts")
    return 0 if found == needed else 1

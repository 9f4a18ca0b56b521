"""``lapwing users``: accounts, API keys and the audit of a site."""

from __future__ import annotations

import argparse

NAME = "users"
HELP = ("Accounts of a site: without one the console serves this machine alone. Roles: viewer sees; operator approves, refuses, "
        "cancels and logs; supervisor raises and ends warnings by hand; admin all of it.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", choices=("add", "list", "remove", "key", "remove-key", "audit"), help="what to do")
    parser.add_argument("name", nargs="?", default="", help="of the person, the program or the key")
    parser.add_argument("--site", metavar="FILE", default="site.toml", help="the site (default site.toml)")
    parser.add_argument("--role", choices=("viewer", "operator", "supervisor", "admin"), default="viewer", help="default viewer")
    parser.add_argument("--days", type=int, default=90, metavar="N", help="life of an API key (default 90)")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input, not from the terminal")
    parser.add_argument("--local", action="store_true", help="of this machine alone, where the site shares its accounts through a database")
    parser.add_argument("--public-key", metavar="HEX", help="audit: check the signatures with this key, kept elsewhere")
    parser.add_argument("--json", action="store_true", help="list and audit: print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 0 done, 1 the audit has faults or nothing of this name, 2 bad usage."""
    import getpass
    import sys
    from pathlib import Path

    from lapwing.model.errors import InputError
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime import users
    from lapwing.runtime.site_config import require_site

    site, _ = require_site(Path(arguments.site))
    if arguments.what in ("add", "remove", "key", "remove-key") and not arguments.name:
        raise InputError("no name", where=f"users {arguments.what}", remedy="name whom it is for")
    shared = None if arguments.local or not users.shares(site.database) else site.database
    if arguments.what == "add":
        if arguments.password_stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = getpass.getpass("Password (12 letters or more): ")
            if getpass.getpass("Again: ") != password:
                raise InputError("the two are not the same", where="password", remedy="try again")
        users.add(site.data, arguments.name, arguments.role, password, shared)
        print(f"{arguments.name} is {arguments.role}; restart the service if this is the first account")
        return 0
    if arguments.what == "key":
        print(users.make_key(site.data, arguments.name, arguments.role, arguments.days, shared))
        print("shown this once; send it as `Authorization: Bearer KEY`", file=sys.stderr)
        return 0
    if arguments.what in ("remove", "remove-key"):
        done = users.remove(site.data, arguments.name, key=arguments.what == "remove-key", shared=shared)
        print(f"{arguments.name}: {'removed' if done else 'there is none'}")
        return 0 if done else 1
    return _list(site.data, arguments) if arguments.what == "list" else _audit(site.data, arguments)


def _list(folder: object, arguments: argparse.Namespace) -> int:
    import json
    from pathlib import Path

    from lapwing.runtime import users

    assert isinstance(folder, Path)
    rows = users.listed(folder)
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['kind']:<6} {row['name']:<24} {row['role']:<11} {row['id']:<10} {row['expires']}".rstrip())
    if not rows:
        print("no accounts: the console serves this machine alone")
    return 0


def _audit(folder: object, arguments: argparse.Namespace) -> int:
    import json
    from pathlib import Path

    from lapwing.runtime import users

    assert isinstance(folder, Path)
    rows, faults, key = users.audit(folder, arguments.public_key)
    if arguments.json:
        print(json.dumps({"public_key": key, "faults": faults, "rows": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['time']}  {row['who']:<20} {row['what']:<16} {row['detail']}")
        for fault in faults:
            print(f"FAULT  {fault}")
        print(f"{len(rows)} rows, {'whole and signed' if not faults else f'{len(faults)} faults'}; public key {key}")
    return 1 if faults else 0

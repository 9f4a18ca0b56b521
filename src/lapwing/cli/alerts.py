"""``lapwing alerts``: the officer's hand over a running instance: what is proposed and in force, and decisions on it."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from lapwing.cli.loopback import URL

NAME = "alerts"
HELP = ("Public warnings of a running instance (demo, replay --serve, run): list what is proposed and in force, show one, "
        "decide, or raise a warning by hand. Every decision carries the name of who took it.")

DECISIONS = {"approve": "approve a proposal", "refuse": "refuse a proposal", "cancel": "withdraw a false alarm at once",
             "all-clear": "say that it is over"}
POLL_S = 0.2
LOCAL = "local"              # whom a site without accounts takes everybody for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=URL, help=f"the running instance, on this machine (default {URL})")
    common.add_argument("--json", action="store_true", help="print JSON")
    person = argparse.ArgumentParser(add_help=False)
    person.add_argument("--as", dest="by", required=True, metavar="NAME", help="who decides")
    person.add_argument("--text", default="", help="reason, for the record")
    person.add_argument("--wait", type=float, default=5.0, metavar="S",
                        help="seconds to wait for what comes of it (default 5; 0: do not wait)")

    actions.add_parser("list", parents=[common], help="open proposals and warnings in force")
    show = actions.add_parser("show", parents=[common], help="one of them in full: texts, zones, evidence, time left")
    show.add_argument("id", help="proposal or alert; its beginning is enough where it is the only one")
    for action, text in DECISIONS.items():
        one = actions.add_parser(action, parents=[common, person], help=text)
        one.add_argument("id", help="proposal or alert; its beginning is enough where it is the only one")
    hand = actions.add_parser("raise", parents=[common, person], help="a warning by hand, without a track")
    hand.add_argument("--zones", required=True, metavar="CODE,CODE", help="zones to warn, e.g. RO-TL-159927")
    hand.add_argument("--level", choices=("alert", "pre_alert"), default="alert", help="default alert")
    end = hand.add_mutually_exclusive_group(required=True)
    end.add_argument("--minutes", type=float, metavar="M", help="it ends so long from now (time of the run)")
    end.add_argument("--until", metavar="ISO", help="it ends then, e.g. 2025-08-05T21:30:00Z")


def run(arguments: argparse.Namespace) -> int:
    """Do one thing; 0 done or taken, 1 not (yet) done by the instance, 2 where it cannot be asked."""
    if arguments.action == "list":
        found = ask(arguments.url, "/api/alerts")
        print(json.dumps(found, ensure_ascii=False, indent=1) if arguments.json else listing(found))
        return 0
    if arguments.action == "show":
        one = find(ask(arguments.url, "/api/alerts"), arguments.id)
        print(json.dumps(one, ensure_ascii=False, indent=1) if arguments.json else in_full(one))
        return 0
    _same_name(arguments)
    command: dict[str, Any] = {"action": arguments.action, "by": arguments.by, "text": arguments.text}
    if arguments.action == "raise":
        command |= {"zones": [code.strip() for code in arguments.zones.split(",") if code.strip()],
                    "level": arguments.level, "expires": _end(arguments)}
    else:
        one = find(ask(arguments.url, "/api/alerts"), arguments.id)
        command["alert_id"] = one.get("id") or one["identifier"]
    before = ask(arguments.url, "/api/picture")
    ask(arguments.url, "/api/command", command)
    done, said = _came_of_it(arguments, command, before) if arguments.wait > 0.0 else (True, "taken")
    print(json.dumps({"taken": True, "done": done, "said": said}, ensure_ascii=False) if arguments.json
          else f"{arguments.action} by {arguments.by}: {said}")
    return 0 if done else 1


def _same_name(arguments: argparse.Namespace) -> None:
    """Refuse a name that is not that of the key: a site with accounts records the account's, whatever is sent."""
    from lapwing.cli.loopback import api_key
    from lapwing.model.errors import InputError

    if api_key():
        name = str(ask(arguments.url, "/api/me")["name"])
        if name not in (arguments.by, LOCAL):
            raise InputError(f"the key is {name}'s", where=f"--as {arguments.by}",
                             remedy=f"write --as {name!r}, or use the key of the person who decides")


def _end(arguments: argparse.Namespace) -> str:
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso, from_seconds, to_iso

    if arguments.until:
        try:
            return to_iso(from_iso(arguments.until), digits=0)
        except ValueError as error:
            raise InputError(str(error), where="--until", remedy="write it like 2025-08-05T21:30:00Z") from None
    if not arguments.minutes > 0.0:
        raise InputError(f"{arguments.minutes} is no time ahead", where="--minutes", remedy="give minutes above 0")
    now = str(ask(arguments.url, "/api/picture")["time"])
    return to_iso(from_iso(now) + from_seconds(60.0 * arguments.minutes), digits=0)


def _came_of_it(arguments: argparse.Namespace, command: dict[str, Any], before: dict[str, Any]) -> tuple[bool, str]:
    """Return whether the instance has acted on a decision within the wait, and its words."""
    told = {(event["time"], event["text"]) for event in before["events"]}
    sent = int(before["alert_count"])
    own = str(command.get("alert_id", ""))
    until = time.monotonic() + arguments.wait
    while time.monotonic() < until:
        time.sleep(POLL_S)
        picture = ask(arguments.url, "/api/picture")
        news = [event for event in picture["events"] if (event["time"], event["text"]) not in told]
        refused = [event["text"] for event in news if event["kind"] == "note" and (
            command["by"] in event["text"] or (own and own in event["text"]))]
        if refused:
            return "one more person" in refused[0], refused[0]
        taken = [event["text"] for event in news if event["kind"] == "decision" and event["text"].startswith(command["by"])]
        if taken:
            more = int(picture["alert_count"]) - sent
            return True, taken[0] + (f"; {more} message{'s' if more > 1 else ''} sent" if more > 0 else "")
    return False, "taken; nothing came of it yet (a run that is paused acts when it goes on)"


def find(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the proposal or alert that a name, or its beginning, means. Raises InputError."""
    from lapwing.model.errors import InputError

    every = [*found.get("proposals", []), *found.get("alerts", [])]
    named = [one for one in every if name in (one.get("id"), one.get("identifier"))] or [
        one for one in every if name and (str(one.get("id", "")).startswith(name)
                                          or str(one.get("identifier", "")).removeprefix("urn:uuid:").startswith(name))]
    if len(named) == 1:
        return dict(named[0])
    what = "no open proposal or alert of that name" if not named else f"{len(named)} begin so"
    raise InputError(what, where=name, remedy="`lapwing alerts list` names them; give more letters of one")


def listing(found: dict[str, Any]) -> str:
    """Return the table of open proposals and of warnings in force."""
    lines = []
    for one in found.get("proposals", []):
        given = f", approved by {', '.join(one['approved_by'])}" if one["approved_by"] else ""
        lines.append(f"PROPOSED  {one['id'][:8]}  {one['level']:<9}  {_people(one)}  lapses {_clock(one['expires'])}  "
                     f"{one['approvals_needed']} to approve{given}\n          {one['reason']}")
    for one in found.get("alerts", []):
        if one["in_force"]:
            lines.append(f"IN FORCE  {one['identifier'].removeprefix('urn:uuid:')[:8]}  {one['level']:<9}  {_people(one)}  "
                         f"until {_clock(one['expires'])}  sent {_clock(one['sent'])}")
    return "\n".join(lines) or "Nothing is proposed and nothing is in force."


def in_full(one: dict[str, Any]) -> str:
    """Return one proposal or alert in full."""
    name = one.get("id") or one["identifier"]
    lines = [f"{'Proposal' if 'id' in one else 'Alert'} {name}: {one['msg_type']} {one['level']}, {_people(one)}"]
    if "id" in one:
        given = ", ".join(one["approved_by"]) or "nobody yet"
        lines.append(f"proposed {one['proposed']}, lapses {one['expires']}; needs {one['approvals_needed']} "
                     f"({one.get('role', 'officer')}), approved by {given}")
        lines.append(f"why: {one['reason']}")
    else:
        lines.append(f"sent {one['sent']} ({one['status']}), until {one['expires']}, approved by "
                     f"{', '.join(one['approved_by'])}; {'in force' if one['in_force'] else 'not in force'}")
    lines.append(f"caused by: {', '.join(one['caused_by']) or 'a person'}")
    lines.append("zones: " + ", ".join(f"{zone['name']} ({zone['code']}, {zone['population']:,})" for zone in one["zones"]))
    lines += [f"[{text['language']}] {text['headline']} {text['description']}" for text in one.get("texts", [])]
    return "\n".join(lines)


def _people(one: dict[str, Any]) -> str:
    count = len(one["zones"])
    names = ", ".join(zone["name"] for zone in sorted(one["zones"], key=lambda z: -z["population"])[:3])
    return f"{count} zone{'' if count == 1 else 's'}, {one['people']:,} people ({names}{', ...' if count > 3 else ''})"


def _clock(iso: str) -> str:
    return iso[11:19] + "Z"


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return what a running instance on this machine answers. Raises InputError where it does not, or refuses."""
    from lapwing.cli.loopback import exchange
    from lapwing.model.errors import InputError

    answer = exchange(url, path, None if body is None else json.dumps(body).encode(),
                      refused="see the manual's page on warnings", absent="start one, or name its --url")
    try:
        return json.loads(answer)
    except ValueError as error:
        raise InputError(f"the answer is not JSON: {error}", where=url, remedy="is that Lapwing's port?") from error

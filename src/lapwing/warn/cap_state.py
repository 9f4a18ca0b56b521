"""The public picture from messages in any order: which warnings are in force at a time, which have ended.

Only status Actual counts, and only what had been sent by then. An Update replaces what it names, a Cancel ends it with
all that had become of it. Both are followed when they come before what they refer to, and when what they refer to never
came: then that is unknown. Nobody can end the messages of another sender.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from lapwing.warn.cap_elements import CAP
from lapwing.warn.cap_rules import moment, text_of

# A message without expiry: its recipients set their own policy (CAP 1.2, 3.2.2). After this it is unknown, not ended.
UNLIMITED_H = 24.0
Name = tuple[str, str]               # (sender, identifier)


@dataclass(frozen=True, slots=True)
class Fact:
    """What one message says of itself and of others."""

    sender: str
    identifier: str
    sent: datetime
    status: str
    msg_type: str
    scope: str
    references: tuple[Name, ...]
    effective: datetime              # the earliest of its info blocks
    expires: datetime | None         # the latest; None: one of them has no end
    clear: bool                      # every info block says that it is over

    @property
    def name(self) -> Name:
        """What others call it."""
        return self.sender, self.identifier


@dataclass(frozen=True, slots=True)
class Picture:
    """Identifiers, each list in order of sending. `coming`: sent, but not yet in effect."""

    in_force: tuple[str, ...]
    ended: tuple[str, ...]
    unknown: tuple[str, ...]
    coming: tuple[str, ...] = ()


def fact_of(alert: etree._Element) -> Fact | None:
    """Return what a message says, from a strict tree (`cap_read`); None where its time of sending is none."""
    sent = moment(text_of(alert, "sent"))
    if sent is None:
        return None
    infos = alert.findall(CAP + "info")
    ends = [moment(text_of(info, "expires")) for info in infos]
    begins = [moment(text_of(info, "effective")) or sent for info in infos]
    finite = [end for end in ends if end is not None]
    responses = [{(r.text or "").strip() for r in info.findall(CAP + "responseType")} for info in infos]
    references = [word.split(",") for word in text_of(alert, "references").split()]
    return Fact(
        sender=text_of(alert, "sender"), identifier=text_of(alert, "identifier"), sent=sent, status=text_of(alert, "status"),
        msg_type=text_of(alert, "msgType"), scope=text_of(alert, "scope"),
        references=tuple(dict.fromkeys((r[0], r[1]) for r in references if len(r) >= 2)),
        effective=min(begins, default=sent), expires=max(finite) if finite and len(finite) == len(ends) else None,
        clear=bool(responses) and all("AllClear" in r for r in responses))


def picture(facts: Iterable[Fact], at: datetime, *, unlimited_h: float = UNLIMITED_H) -> Picture:
    """Return the public picture at a time. The order of the facts does not matter, nor does one that comes twice."""
    known = _newest_of_each_name(f for f in facts if f.status == "Actual" and f.scope == "Public" and f.sent <= at)
    warnings = {name: f for name, f in known.items() if f.msg_type in ("Alert", "Update")}
    followers = _followers(known)
    gone = _replaced(known, at) | _cancelled(known, followers)

    order = sorted(warnings.values(), key=lambda f: (f.sent, f.identifier, f.sender))
    lists: dict[str, list[str]] = {"in_force": [], "ended": [], "unknown": [], "coming": []}
    for fact in order:
        lists[_where(fact, fact.name in gone, at, unlimited_h)].append(fact.identifier)
    missing = {name: f.sent for f in sorted(known.values(), key=lambda f: f.sent) for name in f.references
               if name not in known and f.msg_type in ("Update", "Cancel")}
    lists["unknown"] += [name[1] for name in sorted(missing, key=lambda n: (missing[n], n))]
    return Picture(*(tuple(dict.fromkeys(lists[key])) for key in ("in_force", "ended", "unknown", "coming")))


def _where(fact: Fact, gone: bool, at: datetime, unlimited_h: float) -> str:
    if gone or (fact.clear and fact.effective <= at) or (fact.expires is not None and fact.expires <= at):
        return "ended"
    if fact.effective > at:
        return "coming"
    if fact.expires is None and at - max(fact.sent, fact.effective) > timedelta(hours=unlimited_h):
        return "unknown"
    return "in_force"


def _newest_of_each_name(facts: Iterable[Fact]) -> dict[Name, Fact]:
    """Two messages of one name break the standard: the later one counts, whatever order they came in."""
    known: dict[Name, Fact] = {}
    for fact in facts:
        other = known.get(fact.name)
        if other is None or _rank(fact) > _rank(other):
            known[fact.name] = fact
    return known


def _rank(fact: Fact) -> tuple[datetime, str, str]:
    return fact.sent, fact.msg_type, repr(fact)


def _followers(known: dict[Name, Fact]) -> dict[Name, list[Fact]]:
    """Return the updates of each message, also of those that never came."""
    followers: dict[Name, list[Fact]] = {}
    for fact in known.values():
        if fact.msg_type == "Update":
            for name in fact.references:
                if name[0] == fact.sender:
                    followers.setdefault(name, []).append(fact)
    return followers


def _replaced(known: dict[Name, Fact], at: datetime) -> set[Name]:
    """Return what updates in effect have replaced, through any number of links, present or not."""
    gone: set[Name] = set()
    for fact in known.values():
        if fact.msg_type == "Update" and fact.effective <= at:
            gone |= {name for name in fact.references if _may_end(fact, name, known)}
    return gone


def _cancelled(known: dict[Name, Fact], followers: dict[Name, list[Fact]]) -> set[Name]:
    """Return what cancellations have ended: what they name, and what had become of it when they were sent."""
    gone: set[Name] = set()
    for fact in known.values():
        if fact.msg_type != "Cancel":
            continue
        waiting = [name for name in fact.references if _may_end(fact, name, known)]
        seen: set[Name] = set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += [f.name for f in followers.get(name, []) if f.sent <= fact.sent]
        gone |= seen
    return gone


def _may_end(fact: Fact, name: Name, known: dict[Name, Fact]) -> bool:
    """A message ends only those of its own sender, not itself, and none sent after it (a name used twice)."""
    return name[0] == fact.sender and name != fact.name and (name not in known or known[name].sent <= fact.sent)

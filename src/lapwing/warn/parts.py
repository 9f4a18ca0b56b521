"""Parts of a chain: zones that one message warns. Sent, renewed together, cut, ended; each a message to those it concerns."""

from __future__ import annotations

from dataclasses import replace

from lapwing.model.times import from_seconds
from lapwing.warn import policy as rule
from lapwing.warn.compose import Letter
from lapwing.warn.desk import Desk
from lapwing.warn.state import SENT_MAX, Chain, Part


def begin(desk: Desk, chain: Chain, level: str, zones: tuple[int, ...], *, reason: str = "", proposal_id: str = "",
          proposed_ns: int = 0, names: tuple[str, ...] = ()) -> Chain:
    """Return the chain after a message that warns zones not yet warned at this level; unasked where no names are given.

    An alert takes its zones out of pre-alerts; a pre-alert that has none left is replaced by it in so many words.
    """
    zones = tuple(sorted(set(zones) - set(chain.zones(level))))
    if not zones:
        return chain
    parts = chain.parts
    replaced: tuple[str, ...] = ()
    if level == "alert":
        left = tuple(_without(part, zones) if part.level == "pre_alert" else part for part in parts)
        replaced = tuple(dict.fromkeys(name for part in left if not part.zones for name in part.sent))
        parts = tuple(part for part in left if part.zones)
    letter = Letter(level, zones, replaced)
    chain = replace(chain, parts=parts)
    if names:
        chain, name, alert = desk.send(chain, letter, proposal_id, proposed_ns, names)
    else:
        chain, name, alert = desk.send_unasked(chain, letter, reason)
    part = Part(level, zones, tuple(desk.now_ns for _ in zones), (*replaced, name)[-SENT_MAX:], desk.now_ns, desk.now_ns,
                alert.expires_ns)
    return replace(chain, parts=(*chain.parts, part), began_ns=chain.began_ns or desk.now_ns,
                   alerted=chain.alerted or level == "alert", widened_ns=desk.now_ns,
                   envelope=tuple(i for i in chain.envelope if i not in zones) if level == "alert" else chain.envelope)


def _without(part: Part, zones: tuple[int, ...]) -> Part:
    kept = [(i, t) for i, t in zip(part.zones, part.wanted_ns, strict=True) if i not in zones]
    return replace(part, zones=tuple(i for i, _ in kept), wanted_ns=tuple(t for _, t in kept))


def change(desk: Desk, chain: Chain, parts: tuple[Part, ...], reason: str, *, cleared: tuple[int, ...] = (),
           shrinks: bool = False) -> Chain:
    """Return the chain after one message that stands for several parts from now on: renewed or cut.

    Parameters
    ----------
    parts : of one level; they become one
    cleared : zones that it takes out
    shrinks : zones were taken out of the parts before
    """
    known: dict[int, int] = {}
    for part in parts:
        for zone, wanted_ns in zip(part.zones, part.wanted_ns, strict=True):
            known[zone] = max(wanted_ns, known.get(zone, 0))
    zones = tuple(sorted(set(known) - set(cleared)))
    level, onset_ns = parts[0].level, min(part.onset_ns for part in parts)
    references = tuple(dict.fromkeys(name for part in parts for name in part.sent))
    chain, name, alert = desk.send_unasked(chain, Letter(level, zones, references, onset_ns, cleared, rings=False), reason)
    shrunk_ns = desk.now_ns if shrinks or cleared else max(part.shrunk_ns for part in parts)
    one = Part(level, zones, tuple(known[i] for i in zones), (*references, name)[-SENT_MAX:], onset_ns, desk.now_ns, alert.expires_ns,
               shrunk_ns)
    rest = tuple(part for part in chain.parts if not any(part is old for old in parts))
    return replace(chain, parts=(*rest, one))


def lower(desk: Desk, chain: Chain, cut: tuple[tuple[Part, tuple[int, ...]], ...], reason: str) -> Chain:
    """Return the chain after one message that tells zones of alerts to be ready, and one to those whose alert goes on without them.

    Parameters
    ----------
    cut : parts under alert, each with those of its zones that are lowered
    """
    zones = tuple(sorted({zone for _, some in cut for zone in some}))
    references = tuple(dict.fromkeys(name for part, _ in cut for name in part.sent))
    onset_ns = min(part.onset_ns for part, _ in cut)
    chain, name, alert = desk.send_unasked(chain, Letter("pre_alert", zones, references, onset_ns, rings=False), reason)
    # Wanted anew, for what it says now, and long enough that one who comes back is no surprise.
    until_ns = desk.now_ns + from_seconds(rule.LOWERED_S - rule.PRE_ALERT_STALE_S)
    ready = Part("pre_alert", zones, tuple(until_ns for _ in zones), (*references, name)[-SENT_MAX:], onset_ns, desk.now_ns,
                 alert.expires_ns, desk.now_ns)
    rest = tuple(left for part, some in cut if (left := _without(part, some)).zones)
    others = tuple(each for each in chain.parts if not any(each is part for part, _ in cut))
    chain = replace(chain, parts=(*others, *rest))
    if rest:
        chain = change(desk, chain, rest, reason, shrinks=True)
    return replace(chain, parts=(*chain.parts, ready))


def end(desk: Desk, chain: Chain, parts: tuple[Part, ...], reason: str) -> Chain:
    """Return the chain after one all clear for several parts, while others, or the threat, go on."""
    zones = tuple(sorted({i for part in parts for i in part.zones}))
    references = tuple(dict.fromkeys(name for part in parts for name in part.sent))
    chain, _, _ = desk.send_unasked(chain, Letter("all_clear", zones, references), reason)
    return replace(chain, parts=tuple(part for part in chain.parts if not any(part is old for old in parts)))


def end_all(desk: Desk, chain: Chain, kind: str, proposal_id: str, proposed_ns: int, names: tuple[str, ...]) -> Chain:
    """Return the chain after its last message: the all clear or the withdrawal of everything in force."""
    chain, _, _ = desk.send(chain, Letter(kind, chain.zones(), chain.references), proposal_id, proposed_ns, names)
    return replace(chain, parts=())

"""The officer's hand: approve, refuse, cancel, all clear, raise. What cannot be done is answered with a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lapwing.model.alerts import ALERT
from lapwing.model.ids import make_id
from lapwing.model.reports import Command
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.warn import parts
from lapwing.warn.approve import CLEAR_KINDS, ZONE_KINDS, approve, refuse
from lapwing.warn.desk import Desk, moved
from lapwing.warn.lifecycle import CLEARED, CLEARING, ENDED, PROPOSED
from lapwing.warn.state import Chain

Soon = Callable[[Chain], tuple[int, ...]]
SUPERVISORS_DO = ("raise", "all-clear")
HAND_S_MAX = 6 * 3600              # a warning by hand has an end within a watch


def apply(desk: Desk, chains: tuple[Chain, ...], command: Command, soon: Soon, count: int) -> tuple[Chain, ...]:
    """Return the chains after one command.

    Parameters
    ----------
    soon : gives the zones of a chain's envelope that are wanted by now
    count : chains ever begun, for the id of a new one
    """
    by = command.by.strip()
    if not by:
        desk.notes.append(f"{command.action}: no name given; every decision needs the name of the person")
        return chains
    role = desk.role_of(by, command.role)
    if not role:
        desk.notes.append(f"{command.action} by {by}: not in the site's table of people; nothing done")
        return chains
    if command.action in SUPERVISORS_DO and role != "supervisor":
        desk.notes.append(f"{command.action} by {by}: {by} is {role}; a supervisor raises a warning by hand or ends one")
        return chains
    if command.action == "raise":
        return _raise(desk, chains, command, by, count)
    at = _find(chains, command.alert_id)
    if at < 0:
        desk.notes.append(f"{command.action} by {by}: no open proposal or warning {command.alert_id!r}; it was "
                          "decided, has lapsed, or never was")
        return chains
    chain = chains[at]
    pending = next((p for p in chain.pending if p.proposal.id == command.alert_id), None)
    if command.action in ("approve", "refuse"):
        if pending is None:
            desk.notes.append(f"{command.action} by {by}: {command.alert_id} waits for no decision")
            return chains
        done = approve(desk, chain, pending, by, command.text, soon(chain), command.role) if command.action == "approve" \
            else refuse(desk, chain, pending, by, command.text)
    elif command.action == "cancel":
        done = _cancel(desk, chain, command, by)
    elif command.action == "all-clear":
        done = _all_clear(desk, chain, command, by)
    else:
        desk.notes.append(f"{command.action!r} by {by}: not a thing an officer can do here")
        return chains
    return (*chains[:at], done, *chains[at + 1 :])


def _find(chains: tuple[Chain, ...], name: str) -> int:
    """Return the place of the chain that has a proposal, a message or the id of that name, or -1."""
    for at, chain in enumerate(chains):
        if chain.phase != ENDED and (name == chain.id or name in chain.identifiers
                                     or any(p.proposal.id == name for p in chain.pending)):
            return at
    return -1


def _cancel(desk: Desk, chain: Chain, command: Command, by: str) -> Chain:
    """A false alarm: one person, at once. Its objects are not proposed again for a while."""
    desk.decide(command.alert_id, "cancel", by, command.text)
    before = chain
    chain, action = moved(chain, "cancel")
    chain = desk.withdraw(chain, (*ZONE_KINDS, *CLEAR_KINDS), f"cancelled by {by}")
    desk.dismiss(before)
    if action == "cancel" and chain.parts:
        chain = replace(chain, approved_ns=desk.now_ns, approved_by=(by,))
        chain = parts.end_all(desk, chain, "cancel", command.alert_id, desk.now_ns, (by,))
    return chain


def _all_clear(desk: Desk, chain: Chain, command: Command, by: str) -> Chain:
    """The end by a person's own word: while an object is still a threat it is refused, because unknown is not clear."""
    by_hand = bool(chain.by_hand_until_ns) and not chain.threats
    if by_hand and chain.parts:
        chain = replace(chain, phase=CLEARING)
    phase = chain.phase
    chain, action = moved(chain, "all_clear")
    if action == "refuse_clear":
        desk.notes.append(f"all clear by {by} not sent: an object of this warning is still a threat; if it is a false "
                          "alarm, cancel the warning")
        return chain
    desk.decide(command.alert_id, "all-clear", by, command.text)
    if action == "drop":
        return desk.withdraw(chain, (*ZONE_KINDS, *CLEAR_KINDS), f"ended by {by}")
    if action == "wait":
        until_ns = min(chain.by_hand_until_ns, desk.now_ns) if by_hand else chain.by_hand_until_ns
        chain = desk.withdraw(chain, CLEAR_KINDS, f"all clear given by {by}")
        chain = replace(chain, approved_by=(by,), approved_ns=desk.now_ns,
                        cleared_by=(command.alert_id, desk.now_ns, "clear"),
                        by_hand_until_ns=until_ns)
    assert phase in (CLEARING, CLEARED, PROPOSED), phase
    return chain


def _raise(desk: Desk, chains: tuple[Chain, ...], command: Command, by: str, count: int) -> tuple[Chain, ...]:
    """A warning by hand, without a track: it needs zones, a reason and an end. Who raises it has approved it once."""
    rows = {zone.code: i for i, zone in enumerate(desk.pack.zones)}
    unknown = [code for code in command.zones if code not in rows or not desk.pack.zones[rows[code]].addressable]
    level = command.level or "alert"
    left_s = (command.expires_ns - desk.now_ns) / NS_PER_S
    problems = [text for bad, text in (
        (not command.zones, "no zones"),
        (bool(unknown), f"unknown zones {', '.join(unknown[:5])}"),
        (not command.text.strip(), "no reason"),
        (level not in ("alert", "pre_alert"), f"level {level!r}: alert or pre_alert"),
        (not 60 <= left_s <= HAND_S_MAX, f"end {to_iso(command.expires_ns, digits=0)}: must lie 1 min to "
                                         f"{HAND_S_MAX // 3600} h ahead"),
    ) if bad]
    if problems:
        desk.notes.append(f"raise by {by} not done: {'; '.join(problems)}")
        return chains
    held = {i for chain in chains for i in chain.zones(level)}
    zones = tuple(sorted({rows[code] for code in command.zones} - held))
    if not zones:
        desk.notes.append(f"raise by {by} not done: all of its zones are under warning already")
        return chains
    main = desk.pack.zones[zones[0]]
    chain = Chain(id=make_id("chain", desk.pack.code, level, "hand", count, len(chains), desk.now_ns),
                  phase=PROPOSED, latitude_rad=main.latitude_rad, longitude_rad=main.longitude_rad,
                  by_hand_until_ns=command.expires_ns, by_hand_level=level)
    chain, pending = desk.propose(chain, "hand", level, zones, (), f"raised by {by}: {command.text}", msg_type=ALERT,
                                  text=command.text)
    desk.decide(pending.proposal.id, "raise", by, command.text)
    return (*chains, approve(desk, chain, pending, by, command.text, (), command.role))

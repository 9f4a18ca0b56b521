"""A proposal meets its decision: approvals are counted, two where two are needed, and what was approved is done."""

from __future__ import annotations

from dataclasses import replace

from lapwing.model.times import from_seconds, to_iso
from lapwing.warn import parts
from lapwing.warn import policy as rule
from lapwing.warn.desk import ENGINE, Desk, moved
from lapwing.warn.lifecycle import CLEARED, CLEARING
from lapwing.warn.state import Chain, Pending

ZONE_KINDS = ("raise", "hand")
CLEAR_KINDS = ("clear", "cancel")


def approve(desk: Desk, chain: Chain, pending: Pending, by: str, text: str, soon: tuple[int, ...],
            by_account: str = "") -> Chain:
    """Return the chain after one person approved one of its proposals.

    Parameters
    ----------
    by : name of the person; a second approval by the same name is refused with a note
    soon : zones of the envelope that are wanted by now: the message includes them at once
    by_account : role of the person by the account that is signed in; empty: by the site's table
    """
    role = desk.role_of(by, by_account)
    if not role:
        desk.notes.append(f"proposal {pending.proposal.id}: {by} is not in the site's table of people; not counted")
        return chain
    if pending.proposal.role == "supervisor" and role != "supervisor":
        desk.notes.append(f"proposal {pending.proposal.id}: {by} is {role}; its objects were seen by one sensor only, or by "
                          "sensors whose alignment is not known, so a supervisor must decide")
        return chain
    if by in pending.approvals:
        desk.notes.append(f"proposal {pending.proposal.id}: {by} has approved already; a second, different person must")
        return chain
    desk.decide(pending.proposal.id, "approve", by, text, pending.proposal)
    names = (*pending.approvals, by)
    if len(names) < pending.proposal.approvals_needed:
        waiting = replace(pending, approvals=names)
        desk.notes.append(f"proposal {pending.proposal.id}: approved by {by}, one more person must approve")
        return replace(chain, pending=tuple(waiting if p is pending else p for p in chain.pending))
    return carry_out(desk, chain, pending, names, soon)


def carry_out(desk: Desk, chain: Chain, pending: Pending, names: tuple[str, ...], soon: tuple[int, ...]) -> Chain:
    """Return the chain after a proposal with all its approvals has been carried out."""
    chain = replace(chain, pending=tuple(p for p in chain.pending if p is not pending))
    if pending.kind in CLEAR_KINDS:
        chain, action = moved(chain, "approved")
        if action != "wait":
            desk.notes.append(f"proposal {pending.proposal.id}: not needed any more")
            return chain
        return replace(chain, approved_by=names, approved_ns=desk.now_ns,
                       cleared_by=(pending.proposal.id, pending.proposal.proposed_ns, pending.kind))
    if chain.phase in (CLEARING, CLEARED):
        # A widening approved while the end was being asked for: the zones count, the end must wait.
        chain, _ = moved(chain, "back")
        chain = desk.withdraw(chain, CLEAR_KINDS, "zones were added")
    chain, action = moved(chain, "approved")
    assert action == "send", action
    approved = {*pending.envelope, *chain.envelope}
    zones = tuple(sorted(set(pending.zones) | (set(soon) & approved if pending.level == "alert" else set())))
    chain = replace(chain, approved_by=names, approved_ns=desk.now_ns,
                    envelope=tuple(sorted(approved - set(chain.zones("alert")))))
    if names == (ENGINE,):
        chain = parts.begin(desk, chain, pending.level, zones, proposal_id=pending.proposal.id,
                            proposed_ns=pending.proposal.proposed_ns, names=(ENGINE,))
    else:
        chain = parts.begin(desk, chain, pending.level, zones, proposal_id=pending.proposal.id,
                            proposed_ns=pending.proposal.proposed_ns, names=names)
    done = [p for p in chain.pending if p.kind in ZONE_KINDS and set(p.zones) <= set(chain.zones(p.level))]
    for each in done:
        desk.decide(each.proposal.id, "lapsed", ENGINE, "its zones are under warning already")
    return replace(chain, pending=tuple(p for p in chain.pending if not any(p is d for d in done)))


def refuse(desk: Desk, chain: Chain, pending: Pending, by: str, text: str) -> Chain:
    """Return the chain after a person refused one of its proposals."""
    desk.decide(pending.proposal.id, "refuse", by, text, pending.proposal)
    chain = replace(chain, pending=tuple(p for p in chain.pending if p is not pending))
    until_ns = desk.now_ns + from_seconds(rule.CLEAR_RETRY_S)
    if pending.kind in ZONE_KINDS and chain.parts:
        # The first alert refused: its objects stay pre-alerted at most. A widening refused: asked again after a while.
        wait_s = rule.CLEAR_RETRY_S if chain.zones("alert") else rule.REFUSED_S
        return replace(chain, quiet_until_ns=desk.now_ns + from_seconds(wait_s))
    chain, action = moved(chain, "refused")
    if action == "drop":
        desk.dismiss(chain)
        return desk.withdraw(chain, (*ZONE_KINDS, *CLEAR_KINDS), f"the warning was refused by {by}")
    desk.notes.append(f"the all clear was refused by {by}: the warning stays in force, asked again at "
                      f"{to_iso(until_ns, digits=0)}")
    return replace(chain, quiet_until_ns=until_ns)

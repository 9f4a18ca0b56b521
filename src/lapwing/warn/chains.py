"""Moves one chain of messages through one step: ask, widen, shrink, renew, ask for the end, end."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lapwing.model.alerts import ALERT, CANCEL, UPDATE
from lapwing.model.plots import Bools, Floats
from lapwing.model.times import NS_PER_S, from_seconds
from lapwing.warn import policy as rule
from lapwing.warn import reasons, zones
from lapwing.warn.approve import CLEAR_KINDS, ZONE_KINDS, carry_out, wanted_of
from lapwing.warn.desk import ENGINE, Desk, moved
from lapwing.warn.lifecycle import CLEARED, CLEARING, IN_FORCE, PROPOSED
from lapwing.warn.state import Chain, Threat

PENDING_MAX = 4                    # proposals of one chain that wait at once; further zones join the next one


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What the threats of a chain want of it now. Arrays over all zones of the pack."""

    arrival_s: Floats                # earliest arrival of any of its threats
    turn_rad: Floats
    asked: tuple[int, ...]           # zones that must be warned, steady or urgent
    urgent: bool                     # some of them cannot wait
    border_counties: tuple[str, ...]     # counties where an object may come near the border soon
    threats: tuple[Threat, ...]      # those of the chain that live or are held

    def within(self, limit_s: float) -> Bools:
        """Return which zones could be neared within a time."""
        return np.asarray(self.arrival_s <= rule.limit_s(self.turn_rad, limit_s))


def demand_of(desk: Desk, chain: Chain, mine: tuple[Threat, ...], taken: frozenset[int]) -> Demand:
    """Return what a chain's threats want of it.

    Parameters
    ----------
    mine : threats that belong to the chain
    taken : zones that other chains of the level hold, or that a graver level has
    """
    arrival_s, turn_rad = zones.soonest_s(mine, len(desk.pack.zones), desk.now_ns)
    asked: set[int] = set()
    urgent = False
    counties: set[str] = set()
    covered = {desk.pack.zones[i].county for i in chain.zones}
    for pending in chain.pending:
        covered |= {desk.pack.zones[i].county for i in pending.zones}
    for threat in mine:
        if chain.level == "pre_alert":
            limit_s = rule.PRE_ALERT_AHEAD_S - (rule.PRE_ALERT_STEP_S if chain.sent else 0.0)
            asked |= {int(i) for i in zones.pre_alerted(threat, desk.pack.policy, limit_s)}
            continue
        asked |= {int(i) for i in zones.asked_for(threat)}
        urgent = urgent or bool(set(threat.urgent.tolist()) - taken - set(chain.zones))
        first = [int(i) for i in threat.first]
        counties |= {desk.pack.zones[i].county for i in first}
        pressing = threat.border_time_s <= rule.BORDER_URGENT_S
        if threat.border_time_s <= desk.pack.policy.alert_lead_s and (pressing or len(threat.due) >= 2):
            fresh = [i for i in first if desk.pack.zones[i].county not in covered]
            asked |= set(fresh)
            urgent = urgent or (pressing and bool(fresh))
    return Demand(arrival_s, turn_rad, tuple(sorted(asked - taken)), urgent, tuple(sorted(counties)), mine)


def advance(desk: Desk, chain: Chain, demand: Demand, taken: frozenset[int]) -> Chain:
    """Return a chain after one step."""
    chain = _refreshed(desk, chain, demand)
    chain = _lapsed(desk, chain, demand)
    if _over(desk, chain, demand):
        if desk.now_ns >= chain.quiet_until_ns or chain.phase == PROPOSED:
            chain = _ask_end(desk, chain, demand)
    elif chain.phase in (CLEARING, CLEARED):
        chain, _ = moved(chain, "back")
        chain = desk.withdraw(chain, CLEAR_KINDS, "an object is a threat again: the warning stays in force")
        desk.notes.append("the end of a warning was being asked for; an object is a threat again, so it stays in force")
    if chain.phase == CLEARED and desk.now_ns >= earliest_end_ns(desk, chain, demand):
        return _end(desk, chain)
    if chain.phase in (PROPOSED, IN_FORCE):
        chain = _widened(desk, chain, demand, taken)
    if chain.phase == IN_FORCE and desk.now_ns - chain.changed_ns >= from_seconds(rule.WIDEN_EVERY_S):
        chain = _shrunk(desk, chain, demand)
    if chain.phase != PROPOSED and chain.sent and desk.now_ns >= chain.expires_ns - from_seconds(rule.RENEW_BEFORE_S) \
            and not _hand_ends_first(desk, chain):
        _, action = moved(chain, "renew")
        chain = desk.send_unasked(chain, action, "renewed before it lapses: the end has not been decided")
    return chain


def _refreshed(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain with the times at which its zones were last wanted, and the newest plot of its threats."""
    keep = demand.within((rule.ASK_S if chain.level == "alert" else rule.PRE_ALERT_AHEAD_S) * rule.KEEP_FACTOR)
    keep |= (demand.arrival_s <= rule.KEEP_AHEAD_S) & (demand.turn_rad <= rule.KEEP_TURN_RAD)
    wanted = {i for i in chain.zones if keep[i]}
    for county in demand.border_counties:
        members = [i for i in chain.zones if desk.pack.zones[i].county == county]
        soonest = min((float(demand.arrival_s[i]) for i in members), default=math.inf)
        if math.isfinite(soonest):
            wanted |= {i for i in members if demand.arrival_s[i] <= soonest + rule.FIRST_SPREAD_S}
    times = tuple(desk.now_ns if i in wanted else t for i, t in zip(chain.zones, chain.wanted_ns, strict=True))
    last_plot_ns = max([chain.last_plot_ns, *(t.last_plot_ns for t in demand.threats)])
    return replace(chain, wanted_ns=times, last_plot_ns=last_plot_ns)


def _lapsed(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain without proposals that nobody decided in time. They are made again while due."""
    for pending in [p for p in chain.pending if desk.now_ns >= p.proposal.expires_ns]:
        desk.decide(pending.proposal.id, "lapsed", ENGINE, "nobody decided in time")
        desk.notes.append(f"PROPOSAL LAPSED: nobody decided on {pending.proposal.id} ({pending.proposal.reason})")
        chain = replace(chain, pending=tuple(p for p in chain.pending if p is not pending))
        chain, action = moved(chain, "lapsed")
        if pending.kind in CLEAR_KINDS and action == "ask_again":
            chain = _propose_end(desk, chain, demand)
        elif pending.kind == "hand" and not demand.threats:
            chain, _ = moved(chain, "over")
    return chain


def _over(desk: Desk, chain: Chain, demand: Demand) -> bool:
    """Whether nothing speaks for the warning any more."""
    if chain.by_hand_until_ns and desk.now_ns < chain.by_hand_until_ns:
        return False
    if not demand.threats:
        return not any(p.kind == "hand" for p in chain.pending)
    if chain.phase == PROPOSED:
        return not demand.asked and not chain.pending
    if any(t.border_m <= 0.0 for t in demand.threats):
        return False                # an object inside is a threat to somebody for as long as it lives
    newest = max(chain.wanted_ns, default=chain.changed_ns)
    return not demand.asked and desk.now_ns - newest >= from_seconds(rule.QUIET_S)


def _ask_end(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    chain, action = moved(chain, "over")
    if action == "withdraw":
        return desk.withdraw(chain, ZONE_KINDS, "no object is a threat any more")
    if action == "ask_clear":
        chain = desk.withdraw(chain, ZONE_KINDS, "no object is a threat any more")
        chain = _propose_end(desk, chain, demand)
    return chain


def _propose_end(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain with the proposal of its end; carried out at once where its level needs no person."""
    false_alarm = not chain.real and not chain.by_hand_until_ns and not demand.threats
    by_hand = bool(chain.by_hand_until_ns) and not chain.threats
    automatic = chain.level not in desk.pack.policy.needs_approval or by_hand \
        or "all_clear" not in desk.pack.policy.needs_approval
    kind = "cancel" if false_alarm else "clear"
    earliest_ns = earliest_end_ns(desk, replace(chain, cleared_by=("", 0, kind)), demand)
    reason = reasons.end(desk.pack, chain, false_alarm, earliest_ns, desk.now_ns)
    chain, pending = desk.propose(chain, kind, chain.zones, (), reason,
                                  msg_type=CANCEL if false_alarm else UPDATE, level="all_clear", automatic=automatic)
    if automatic:
        # A warning by hand ends at the time that its author approved; a level that went out unasked ends unasked.
        chain = carry_out(desk, chain, pending, chain.approved_by if by_hand and chain.approved_by else (ENGINE,), ())
    return chain


def earliest_end_ns(desk: Desk, chain: Chain, demand: Demand) -> int:
    """Return the earliest time of the all clear: some minutes after the last plot, so that it is not taken back."""
    kind = chain.cleared_by[2]
    if kind == "cancel" or demand.threats or not chain.real:
        return desk.now_ns
    return chain.last_plot_ns + from_seconds(desk.pack.policy.clear_after_s)


def _end(desk: Desk, chain: Chain) -> Chain:
    proposal_id, proposed_ns, kind = chain.cleared_by
    chain, _ = moved(chain, "clear_time")
    return desk.send(chain, "cancel" if kind == "cancel" else "clear", proposal_id, proposed_ns, chain.approved_by)


def _widened(desk: Desk, chain: Chain, demand: Demand, taken: frozenset[int]) -> Chain:
    """Return the chain with the zones that are wanted beyond those in force: sent where approved before, else asked."""
    has = set(chain.zones)
    more = set(demand.asked) - has
    if not more:
        return chain
    since_s = (desk.now_ns - max(chain.changed_ns, *(p.proposal.proposed_ns for p in chain.pending), 0)) / NS_PER_S
    wait_s = rule.WIDEN_EVERY_S if chain.level == "alert" else rule.PRE_ALERT_EVERY_S
    inside = {i for i in more & set(chain.envelope) if demand.arrival_s[i] <= rule.WIDEN_S}
    if inside and chain.phase == IN_FORCE and (since_s >= wait_s or demand.urgent):
        ahead = demand.within(rule.WIDEN_S + rule.AHEAD_S)
        new = tuple(sorted(has | inside | {i for i in chain.envelope if ahead[i] and i not in taken}))
        chain, action = moved(chain, "widen_inside")
        chain = replace(chain, zones=new, wanted_ns=wanted_of(chain, new, desk.now_ns), changed_ns=desk.now_ns,
                        envelope=tuple(i for i in chain.envelope if i not in new))
        chain = desk.send_unasked(chain, action, reasons.widen(desk.pack, chain, tuple(sorted(set(new) - has))))
        more -= set(new)
    waiting = set(chain.envelope)
    for pending in chain.pending:
        waiting |= {*pending.zones, *pending.envelope}
    outside = more - waiting
    asking = (chain.pending or chain.level != "alert") and chain.sent and since_s < wait_s and not demand.urgent
    if not outside or asking or len(chain.pending) >= PENDING_MAX or desk.now_ns < chain.quiet_until_ns:
        return chain
    return _ask_wider(desk, chain, demand, outside, taken)


def _ask_wider(desk: Desk, chain: Chain, demand: Demand, outside: set[int], taken: frozenset[int]) -> Chain:
    ahead_s = rule.ASK_S + rule.AHEAD_S if chain.level == "alert" else rule.PRE_ALERT_AHEAD_S
    ahead = {int(i) for i in np.flatnonzero(demand.within(ahead_s))}
    if chain.level != "alert":
        # Wide and seldom: what would be asked for in the next minutes comes along.
        ahead = {int(i) for t in demand.threats for i in zones.pre_alerted(t, desk.pack.policy, ahead_s)}
    # What a graver level has taken over leaves the pre-alert without a word: its people have the graver message.
    has = set(chain.zones) if chain.level == "alert" else set(chain.zones) - taken
    new = tuple(sorted(has | outside | (ahead - taken)))
    order = np.lexsort((np.arange(len(demand.arrival_s)), demand.arrival_s))
    coming = (demand.arrival_s <= rule.ENVELOPE_S) | ((demand.arrival_s <= rule.ENVELOPE_AHEAD_S)
                                                      & (demand.turn_rad <= rule.ENVELOPE_TURN_RAD))
    soonest = [int(i) for i in order if coming[i] and int(i) not in taken]
    envelope = rule.fit_envelope(desk.pack, new, soonest) if chain.level == "alert" else ()
    chain, action = moved(chain, "widen_outside")
    kind = "raise" if not chain.sent else "widen"
    automatic = chain.level not in desk.pack.policy.needs_approval
    reason = reasons.ask(desk.pack, chain, demand.threats, tuple(set(new) - set(chain.zones)), envelope,
                         demand.arrival_s)
    chain, pending = desk.propose(chain, kind, new, envelope, reason, msg_type=UPDATE if chain.sent else ALERT,
                                  level=chain.level, automatic=automatic)
    assert action == "ask_wider", action
    return carry_out(desk, chain, pending, (ENGINE,), ()) if automatic else chain


def _shrunk(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain without zones that nothing has wanted for the hold. The last ones stay until the all clear."""
    policy = desk.pack.policy
    every_s = policy.shrink_every_s if chain.level == "alert" else max(policy.shrink_every_s, rule.PRE_ALERT_SHRINK_S)
    if desk.now_ns - max(chain.shrunk_ns, chain.onset_ns) < from_seconds(every_s) or chain.by_hand_until_ns:
        return chain
    hold_s = policy.hold_lost_s if chain.level == "alert" else 2.0 * policy.hold_lost_s
    stale = tuple(i for i, t in zip(chain.zones, chain.wanted_ns, strict=True)
                  if desk.now_ns - t >= from_seconds(hold_s))
    if not stale or len(stale) == len(chain.zones):
        return chain
    # Few people at a time are not worth a message to all the others, unless they have waited long.
    oldest_s = max(desk.now_ns - t for t in chain.wanted_ns) / NS_PER_S
    share = rule.population(desk.pack, stale) / max(1, rule.population(desk.pack, chain.zones))
    if share < rule.SHRINK_SHARE and oldest_s < 1.5 * hold_s:
        return chain
    chain, action = moved(chain, "shrink")
    kept = tuple(i for i in chain.zones if i not in stale)
    chain = replace(chain, zones=kept, wanted_ns=wanted_of(chain, kept, desk.now_ns), shrunk_ns=desk.now_ns,
                    changed_ns=desk.now_ns, envelope=tuple(sorted({*chain.envelope, *stale})))
    return desk.send_unasked(chain, action, reasons.shrink(desk.pack, stale), cleared=stale)


def _hand_ends_first(desk: Desk, chain: Chain) -> bool:
    return bool(chain.by_hand_until_ns) and not chain.threats and chain.expires_ns > chain.by_hand_until_ns

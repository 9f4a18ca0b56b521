"""Moves one chain of messages through one step: ask, widen, shrink, renew, ask for the end, end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lapwing.model.alerts import ALERT, CANCEL, UPDATE
from lapwing.model.plots import Floats
from lapwing.model.times import NS_PER_S, from_seconds
from lapwing.warn import parts, reasons, zones
from lapwing.warn import policy as rule
from lapwing.warn.approve import CLEAR_KINDS, ZONE_KINDS, carry_out
from lapwing.warn.desk import ENGINE, Desk, moved
from lapwing.warn.lifecycle import CLEARED, CLEARING, IN_FORCE, PROPOSED
from lapwing.warn.state import Chain, Part, Threat
from lapwing.warn.threat import doubtful

PENDING_MAX = 4                    # proposals of one chain that wait at once; further zones join the next one


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What the threats of a chain want of it now."""

    prob: Floats                     # (zones of the pack, horizons) P(any of its threats comes near)
    asked: tuple[int, ...]           # zones that must be warned, steady or urgent
    urgent: bool                     # some of them cannot wait
    ready: tuple[int, ...]           # zones that should be ready
    counties: tuple[str, ...]        # where an object may come near the border soon
    threats: tuple[Threat, ...]      # those of the chain that live or are held


def demand_of(desk: Desk, chain: Chain, mine: tuple[Threat, ...], taken: frozenset[int]) -> Demand:
    """Return what a chain's threats want of it.

    Parameters
    ----------
    mine : threats that belong to the chain
    taken : zones that other chains hold
    """
    pack, policy = desk.pack, desk.pack.policy
    prob = zones.together(mine, len(pack.zones))
    asked: set[int] = set()
    ready: set[int] = set()
    counties: set[str] = set()
    urgent = False
    held = set(chain.zones("alert"))
    covered = {pack.zones[i].county for i in held} | {
        pack.zones[i].county for p in chain.pending if p.level == "alert" for i in p.zones}
    for threat in mine:
        asked |= set(threat.asked)
        urgent = urgent or bool(set(threat.urgent) - taken - held)
        if threat.last_plot_ns >= desk.now_ns - _held_ns(desk):
            counties |= {pack.zones[i].county for i in threat.first}
        pressing = threat.border_time_s <= rule.BORDER_URGENT_S
        if threat.live and (pressing or threat.looks >= 2):
            fresh = [i for i in threat.first if pack.zones[i].county not in covered]
            asked |= set(fresh)
            urgent = urgent or (pressing and bool(fresh))
    if any(threat.looks >= 2 for threat in mine):
        ready = {int(i) for i in np.flatnonzero(prob[:, zones.ALL_COLUMN] >= policy.pre_alert_prob)}
    return Demand(prob, tuple(sorted(asked - taken)), urgent, tuple(sorted(ready - taken)), tuple(sorted(counties)), mine)


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
        proposal_id, proposed_ns, kind = chain.cleared_by
        chain, _ = moved(chain, "clear_time")
        return parts.end_all(desk, chain, "cancel" if kind == "cancel" else "all_clear", proposal_id, proposed_ns,
                             chain.approved_by)
    if chain.phase in (PROPOSED, IN_FORCE):
        chain = _widened(desk, chain, demand, taken)
        chain = _readied(desk, chain, demand, taken)
    if chain.phase == IN_FORCE:
        chain = _shrunk(desk, chain, demand)
    if chain.phase != PROPOSED and not _hand_ends_first(desk, chain):
        chain = _renewed(desk, chain)
    return chain


def _refreshed(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain with the times at which its zones were last wanted, and the newest plot of its threats."""
    policy, prob = desk.pack.policy, demand.prob
    keep = zones.kept(prob, policy)
    held, lately = _held(desk, demand)
    wanted = {i for i in chain.zones("alert") if keep[i] or i in lately}
    ready = {i for i in chain.zones("pre_alert") if prob[i, zones.ALL_COLUMN] >= policy.pre_alert_keep_prob or i in held}
    for county in demand.counties:
        # While an object may soon be at the border, somebody of the county stays warned: the likeliest.
        members = [(float(prob[i, zones.ALL_COLUMN]), t, -i) for part in chain.parts if part.level == "alert"
                   for i, t in zip(part.zones, part.wanted_ns, strict=True) if desk.pack.zones[i].county == county]
        if members:
            wanted.add(-max(members)[2])
    fresh = tuple(replace(part, wanted_ns=tuple(
        desk.now_ns if i in (wanted if part.level == "alert" else ready) else t
        for i, t in zip(part.zones, part.wanted_ns, strict=True))) for part in chain.parts)
    return replace(chain, parts=fresh, last_plot_ns=max([chain.last_plot_ns, *(t.last_plot_ns for t in demand.threats)]))


def _held(desk: Desk, demand: Demand) -> tuple[set[int], set[int]]:
    """Return the zones that lost objects hold, and among them those still under alert for it.

    A warning of a lost object decays: for half the hold it stays as it is, for the other half people are to be ready.
    """
    unseen_ns = desk.now_ns - from_seconds(zones.UNSEEN_S)
    half_ns = desk.now_ns - _held_ns(desk)
    lost = [threat for threat in demand.threats if threat.last_plot_ns < unseen_ns]
    return ({i for threat in lost for i in threat.held},
            {i for threat in lost if threat.last_plot_ns >= half_ns for i in threat.held})


def _held_ns(desk: Desk) -> int:
    """Return how long after its last plot a lost object keeps people under alert: half the hold, staleness included."""
    return from_seconds(0.5 * desk.pack.policy.hold_lost_s - rule.STALE_S)


def _lapsed(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain without proposals that nobody decided in time. They are made again while due."""
    unless_s = desk.pack.policy.unless_refused_s
    for pending in [p for p in chain.pending if p.kind == "raise" and p.proposal.role != "supervisor"] if unless_s > 0.0 else []:
        if desk.now_ns - pending.proposal.proposed_ns >= from_seconds(unless_s):
            desk.notes.append(f"PROPOSAL {pending.proposal.id} went out: nobody refused it within {unless_s:.0f} s")
            chain = carry_out(desk, chain, pending, (ENGINE,), ())
    for pending in [p for p in chain.pending if desk.now_ns >= p.proposal.expires_ns]:
        desk.decide(pending.proposal.id, "lapsed", ENGINE, "nobody decided in time", pending.proposal)
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
    if demand.asked or demand.ready or chain.pending:
        return chain.phase in (CLEARING, CLEARED) and not chain.alerted and not demand.asked and not demand.ready
    # An alert goes on while its object is a threat to anybody; what was never more than a pre-alert ends when it is stale.
    return not chain.alerted and all(_stale(desk, part) == part.zones for part in chain.parts)


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
    needs = desk.pack.policy.needs_approval
    # Who was ever told to take shelter hears that it is over from a person, also where all have been lowered by then.
    decided = (chain.alerted and "alert" in needs) or any(part.level in needs for part in chain.parts)
    automatic = by_hand or "all_clear" not in needs or not decided
    kind = "cancel" if false_alarm else "clear"
    earliest_ns = earliest_end_ns(desk, replace(chain, cleared_by=("", 0, kind)), demand)
    reason = reasons.end(desk.pack, chain, false_alarm, earliest_ns, desk.now_ns)
    chain, pending = desk.propose(chain, kind, "all_clear", chain.zones(), (), reason,
                                  msg_type=CANCEL if false_alarm else UPDATE, automatic=automatic)
    if automatic:
        # A warning by hand ends at the time that its author approved; a level that went out unasked ends unasked.
        chain = carry_out(desk, chain, pending, chain.approved_by if by_hand and chain.approved_by else (ENGINE,), ())
    return chain


def earliest_end_ns(desk: Desk, chain: Chain, demand: Demand) -> int:
    """Return the earliest time of the all clear: some minutes after the last plot, so that it is not taken back."""
    if chain.cleared_by[2] == "cancel" or demand.threats or not chain.real:
        return desk.now_ns
    return chain.last_plot_ns + from_seconds(desk.pack.policy.clear_after_s)


def _widened(desk: Desk, chain: Chain, demand: Demand, taken: frozenset[int]) -> Chain:
    """Return the chain with more zones under alert: sent where they were approved before, else asked for."""
    has, likely = set(chain.zones("alert")), demand.prob[:, zones.ALERT_COLUMN] >= desk.pack.policy.alert_prob
    more = set(demand.asked) - has
    if not more:
        return chain
    auto = demand.prob[:, zones.AUTO_COLUMN] >= desk.pack.policy.alert_prob
    inside = {i for i in more & set(chain.envelope) if auto[i]}
    since_s = (desk.now_ns - chain.widened_ns) / NS_PER_S
    if inside and chain.phase == IN_FORCE and (since_s >= rule.WIDEN_EVERY_S or demand.urgent):
        new = tuple(sorted(inside | {i for i in chain.envelope if likely[i] and i not in taken and i not in has}))
        chain, action = moved(chain, "widen_inside")
        assert action == "send", action
        chain = parts.begin(desk, chain, "alert", new, reason=reasons.widen(desk.pack, new))
        more -= set(new)
    waiting = set(chain.envelope)
    for pending in chain.pending:
        waiting |= {*pending.zones, *pending.envelope}
    outside = more - waiting
    asked_s = (desk.now_ns - max((p.proposal.proposed_ns for p in chain.pending), default=0)) / NS_PER_S
    asking = asked_s < rule.WIDEN_EVERY_S and not demand.urgent
    if not outside or asking or len(chain.pending) >= PENDING_MAX or desk.now_ns < chain.quiet_until_ns:
        return chain
    new = tuple(sorted(outside | {int(i) for i in np.flatnonzero(likely) if int(i) not in has | waiting | taken}))
    return _ask_wider(desk, chain, demand, new, taken)


def _ask_wider(desk: Desk, chain: Chain, demand: Demand, new: tuple[int, ...], taken: frozenset[int]) -> Chain:
    weight = demand.prob.sum(axis=1)         # likely and soon first
    coming = np.flatnonzero(demand.prob[:, zones.ALL_COLUMN] >= rule.ENVELOPE_PROB)
    order = coming[np.lexsort((coming, -weight[coming]))]
    has = chain.zones("alert")
    envelope = rule.fit_envelope(desk.pack, has, new, [int(i) for i in order if int(i) not in taken])
    chain, action = moved(chain, "widen_outside")
    assert action == "ask_wider", action
    automatic = "alert" not in desk.pack.policy.needs_approval
    live = [t for t in demand.threats if t.live]
    role = "supervisor" if live and all(doubtful(desk.pack.policy, t) for t in live) else "officer"
    reason = reasons.ask(desk.pack, chain, demand.threats, new, envelope, demand.prob)
    chain, pending = desk.propose(chain, "raise", "alert", new, envelope, reason, msg_type=ALERT, automatic=automatic,
                                  role=role)
    return carry_out(desk, chain, pending, (ENGINE,), ()) if automatic else chain


def _readied(desk: Desk, chain: Chain, demand: Demand, taken: frozenset[int]) -> Chain:
    """Return the chain with more zones under pre-alert: those likely to be neared that no alert is about to reach."""
    policy = desk.pack.policy
    if not demand.ready or desk.now_ns < chain.quiet_until_ns:
        return chain
    soon = demand.prob[:, zones.ALERT_COLUMN] >= policy.alert_prob
    waiting = {i for p in chain.pending for i in p.zones} | set(chain.zones()) | set(demand.asked) | taken | set(desk.cleared)
    if not [i for i in demand.ready if i not in waiting and not soon[i]]:
        return chain
    newest_ns = max([0, *(part.onset_ns for part in chain.parts if part.level == "pre_alert")])
    automatic = "pre_alert" not in policy.needs_approval
    if desk.now_ns - newest_ns < from_seconds(rule.PRE_ALERT_EVERY_S) or (
            not automatic and any(p.level == "pre_alert" for p in chain.pending)):
        return chain
    more = tuple(i for i in demand.ready if i not in waiting and not soon[i])
    reason = reasons.ask(desk.pack, chain, demand.threats, more, (), demand.prob)
    chain, pending = desk.propose(chain, "raise", "pre_alert", more, (), reason, msg_type=ALERT, automatic=automatic)
    return carry_out(desk, chain, pending, (ENGINE,), ()) if automatic else chain


def _stale(desk: Desk, part: Part) -> tuple[int, ...]:
    """Return the zones of a part that nothing has wanted for a while.

    None while the part is young. While those who would stay have heard of a change lately, none or most of the people.
    """
    every_ns = from_seconds(desk.pack.policy.shrink_every_s)
    if desk.now_ns - part.onset_ns < every_ns:
        return ()
    wait_ns = from_seconds(rule.STALE_S if part.level == "alert" else rule.PRE_ALERT_STALE_S)
    stale = tuple(i for i, t in zip(part.zones, part.wanted_ns, strict=True) if desk.now_ns - t >= wait_ns)
    most = 2 * rule.population(desk.pack, stale) >= rule.population(desk.pack, part.zones)
    return stale if most or desk.now_ns - part.shrunk_ns >= every_ns else ()


def _shrunk(desk: Desk, chain: Chain, demand: Demand) -> Chain:
    """Return the chain without zones that nothing has wanted for a while.

    While an object is a threat to anybody, the last zones of an alert are not told that all is clear: they are told to be
    ready, until the all clear of the whole.
    """
    if chain.by_hand_until_ns:
        return chain
    over = [part for part in chain.parts if _stale(desk, part) == part.zones]
    if over and chain.alerted and len(over) == len(chain.parts):
        # The fewest people wait on; a pre-alert, where there is one, needs no word at all.
        last = min(over, key=lambda part: (part.level == "alert", rule.population(desk.pack, part.zones), part.zones))
        over = [part for part in over if part is not last or part.level == "alert"]
    # All that can be let go is let go now: what waits for the next time waits three minutes more.
    some = [(part, stale) for part in chain.parts if (stale := _stale(desk, part)) and stale != part.zones
            and _worth_a_word(desk, part, stale)]
    done = [part for part in over if part.level == "pre_alert"]
    if done:
        chain, action = moved(chain, "shrink")
        assert action == "clear_zones", action
        gone = tuple(sorted({i for part in done for i in part.zones}))
        chain = parts.end(desk, chain, tuple(done), reasons.shrink(desk.pack, gone))
    for part, stale in some:
        if part.level == "pre_alert":
            chain, _ = moved(chain, "shrink")
            chain = parts.change(desk, chain, (part,), reasons.shrink(desk.pack, stale), cleared=stale)
    # While an object is a threat to anybody, people under alert are told to be ready first: some come back.
    cut = (*((part, part.zones) for part in over if part.level == "alert"), *(each for each in some if each[0].level == "alert"))
    if cut:
        chain, _ = moved(chain, "lower")
        gone = tuple(sorted({i for _, stale in cut for i in stale}))
        chain = parts.lower(desk, chain, cut, reasons.lower(desk.pack, gone))
    return chain


def _worth_a_word(desk: Desk, part: Part, some: tuple[int, ...]) -> bool:
    """Whether zones of a message are ended alone: all others under it hear of it too."""
    share = rule.population(desk.pack, some) / max(1, rule.population(desk.pack, part.zones))
    waited_ns = max(desk.now_ns - t for t in part.wanted_ns)
    return share >= rule.SHRINK_SHARE or waited_ns >= from_seconds(rule.SHRINK_WAIT_S)


def _renewed(desk: Desk, chain: Chain) -> Chain:
    """Return the chain with messages renewed that expire soon, those of a level in one."""
    for level in ("alert", "pre_alert"):
        own = [part for part in chain.parts if part.level == level]
        if not own or min(p.expires_ns for p in own) - desk.now_ns > from_seconds(rule.RENEW_BEFORE_S):
            continue
        # What was warned together stays together; parts that began within minutes of one another become one.
        oldest = min(own, key=lambda part: part.expires_ns)
        due = tuple(part for part in own if part.expires_ns - oldest.expires_ns <= from_seconds(rule.RENEW_WITH_S))
        stale = {i for part in due for i in _stale(desk, part)}
        kept = {i for part in due for i in part.zones} - stale
        # Zones that nothing wants any more are let go along with it, but never all of them: that is for the all clear.
        cleared = tuple(sorted(stale)) if kept and chain.phase == IN_FORCE and not chain.by_hand_until_ns else ()
        chain, _ = moved(chain, "renew")
        chain = parts.change(desk, chain, due, "renewed before it lapses: the end has not been decided", cleared=cleared)
    return chain


def _hand_ends_first(desk: Desk, chain: Chain) -> bool:
    return bool(chain.by_hand_until_ns) and not chain.threats and all(
        part.expires_ns > chain.by_hand_until_ns for part in chain.parts)

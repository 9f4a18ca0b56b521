"""What one step collects for its result, and the few things that every part of the warner needs at hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lapwing.country.pack import Pack
from lapwing.model.alerts import UPDATE, Alert, Decision, Proposal
from lapwing.model.ids import make_id
from lapwing.model.times import from_seconds
from lapwing.warn import policy as rule
from lapwing.warn.compose import compose
from lapwing.warn.lifecycle import ENDED, next_phase
from lapwing.warn.state import Chain, Pending, Settings

ENGINE = "engine"


@dataclass(slots=True)
class Desk:
    """Lives for one step: fixed inputs, and the lists that become its `Warned`."""

    pack: Pack
    settings: Settings
    now_ns: int
    numbers: int
    proposals: list[Proposal] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dismissed: dict[str, int] = field(default_factory=dict)

    def decide(self, proposal_id: str, action: str, by: str, text: str = "") -> None:
        """Record a decision."""
        self.decisions.append(Decision(self.now_ns, proposal_id, action, by, text))

    def dismiss(self, chain: Chain) -> None:
        """Keep the objects of a chain that a person called false from being proposed again for a while."""
        for track_id in chain.threats:
            self.dismissed[track_id] = self.now_ns + from_seconds(rule.REFUSED_S)

    def propose(self, chain: Chain, kind: str, zones: tuple[int, ...], envelope: tuple[int, ...], reason: str, *,
                msg_type: str, level: str, text: str = "", automatic: bool = False) -> tuple[Chain, Pending]:
        """Return the chain with one more proposal that waits, and that proposal."""
        self.numbers += 1
        needed = 1 if kind in ("clear", "cancel") or automatic else rule.approvals_needed(
            self.pack, (*zones, *envelope))
        proposal = Proposal(
            id=make_id("proposal", chain.id, self.numbers, self.now_ns), proposed_ns=self.now_ns,
            expires_ns=self.now_ns + from_seconds(self.pack.policy.proposal_lapse_s), msg_type=msg_type, level=level,
            zones=rule.zone_refs(self.pack, zones), caused_by=chain.threats, reason=reason, approvals_needed=needed,
            references=chain.sent, automatic=automatic, envelope=rule.zone_refs(self.pack, envelope))
        self.proposals.append(proposal)
        pending = Pending(proposal, kind, tuple(sorted(zones)), tuple(sorted(envelope)), (), text)
        return replace(chain, pending=(*chain.pending, pending)), pending

    def send(self, chain: Chain, action: str, proposal_id: str, proposed_ns: int, approved_by: tuple[str, ...],
             cleared: tuple[int, ...] = ()) -> Chain:
        """Put a message of a chain on the air; return the chain after it."""
        after, alert = compose(chain, action, self.pack, self.settings, self.now_ns, proposal_id=proposal_id,
                               proposed_ns=proposed_ns, approved_by=approved_by, cleared=cleared)
        self.alerts.append(alert)
        return after

    def send_unasked(self, chain: Chain, action: str, reason: str, cleared: tuple[int, ...] = ()) -> Chain:
        """Put a message on the air that needs no approval: inside the envelope, smaller, or renewed."""
        self.numbers += 1
        proposal = Proposal(
            id=make_id("proposal", chain.id, self.numbers, self.now_ns), proposed_ns=self.now_ns,
            expires_ns=self.now_ns, msg_type=UPDATE, level=chain.level,
            zones=rule.zone_refs(self.pack, chain.zones), caused_by=chain.threats, reason=reason,
            approvals_needed=0, references=chain.sent, automatic=True)
        self.proposals.append(proposal)
        return self.send(chain, action, proposal.id, self.now_ns, (ENGINE,), cleared)

    def withdraw(self, chain: Chain, kinds: tuple[str, ...], why: str) -> Chain:
        """Return the chain without its waiting proposals of some kinds; each is recorded as lapsed, with the reason."""
        for pending in chain.pending:
            if pending.kind in kinds:
                self.decide(pending.proposal.id, "lapsed", ENGINE, why)
        return replace(chain, pending=tuple(p for p in chain.pending if p.kind not in kinds))


def moved(chain: Chain, event: str) -> tuple[Chain, str]:
    """Return the chain in its next phase and the action of the transition table."""
    phase, action = next_phase(chain.phase, event)
    return replace(chain, phase=phase), action


def ended(chain: Chain) -> bool:
    """Whether a chain is over and leaves the state."""
    return chain.phase == ENDED

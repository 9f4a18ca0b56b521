"""What one step collects for its result, and the few things that every part of the warner needs at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lapwing.country.pack import Pack
from lapwing.model.alerts import ALERT, UPDATE, Alert, Decision, Proposal
from lapwing.model.ids import make_id
from lapwing.model.times import from_seconds
from lapwing.warn import policy as rule
from lapwing.warn import texts
from lapwing.warn.compose import Letter, compose
from lapwing.warn.lifecycle import ENDED, next_phase
from lapwing.warn.state import IDENTIFIERS_MAX, Chain, Pending, Settings, Threat

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
    cleared: dict[int, int] = field(default_factory=dict)      # zones told lately that it is over, and when
    threats: Mapping[str, Threat] = field(default_factory=dict)    # those of this step, by track id

    def objects(self, chain: Chain, zones: Iterable[int]) -> int:
        """Return how many objects the words of a message speak of: those that may come near its zones now, and one at least.

        A chain keeps all that ever caused it; one that has gone, or that flies elsewhere, is nothing to these people. 0: a person's
        warning, without an object.
        """
        wanted = np.fromiter(zones, np.int64)
        near = sum(bool((each.reach.prob[np.isin(each.reach.zone_index, wanted), -1] >= rule.MATTERS_PROB).any())
                   for name in chain.threats if (each := self.threats.get(name)) is not None)
        return max(near, 1) if chain.threats else 0

    def decide(self, proposal_id: str, action: str, by: str, text: str = "", saw: Proposal | None = None) -> None:
        """Record a decision, with what the person saw."""
        self.decisions.append(Decision(self.now_ns, proposal_id, action, by, text, "" if saw is None else _screen(saw)))

    def dismiss(self, chain: Chain) -> None:
        """Keep the objects of a chain that a person called false from being proposed again for a while."""
        for track_id in chain.threats:
            self.dismissed[track_id] = self.now_ns + from_seconds(rule.REFUSED_S)

    def role_of(self, name: str, by_account: str = "") -> str:
        """Return the role of a person by their account, else by the site's table; "" where the table does not have them."""
        if by_account:
            return by_account
        if not self.settings.people:
            return "supervisor"          # a site without a table trusts every name
        return dict(self.settings.people).get(name, "")

    def propose(self, chain: Chain, kind: str, level: str, zones: tuple[int, ...], envelope: tuple[int, ...], reason: str,
                *, msg_type: str, text: str = "", automatic: bool = False,
                role: str = "officer") -> tuple[Chain, Pending]:
        """Return the chain with one more proposal that waits, and that proposal."""
        self.numbers += 1
        needed = 1 if kind in ("clear", "cancel") or automatic else rule.approvals_needed(
            self.pack, (*chain.zones(level), *zones, *envelope))
        proposal = Proposal(
            id=make_id("proposal", chain.id, self.numbers, self.now_ns), proposed_ns=self.now_ns,
            expires_ns=self.now_ns + from_seconds(self.pack.policy.proposal_lapse_s), msg_type=msg_type, level=level,
            zones=rule.zone_refs(self.pack, zones), caused_by=chain.threats, reason=reason, approvals_needed=needed,
            references=chain.references if kind in ("clear", "cancel") else (), automatic=automatic,
            envelope=rule.zone_refs(self.pack, envelope), role=role,
            texts=() if automatic else self._texts(chain, kind, level, zones))
        self.proposals.append(proposal)
        pending = Pending(proposal, kind, level, tuple(sorted(zones)), tuple(sorted(envelope)), (), text)
        return replace(chain, pending=(*chain.pending, pending)), pending

    def _texts(self, chain: Chain, kind: str, level: str, zones: tuple[int, ...]) -> tuple[tuple[str, str, str], ...]:
        """Return the words that would go out, in every language of the pack."""
        said = [texts.words(self.pack, language, {"clear": "all_clear", "cancel": "cancel"}.get(kind, level), zones,
                            status=self.settings.status, objects=self.objects(chain, zones),
                            until_ns=self.now_ns + from_seconds(self.pack.policy.alert_expiry_s))
                for language in self.pack.languages]
        return tuple((w.language, w.headline, f"{w.description} {w.instruction}") for w in said)

    def send(self, chain: Chain, letter: Letter, proposal_id: str, proposed_ns: int,
             approved_by: tuple[str, ...]) -> tuple[Chain, str, Alert]:
        """Put a message of a chain on the air; return the chain after it, the message's reference and the message."""
        alert, name = compose(chain, letter, self.pack, self.settings, self.now_ns, proposal_id=proposal_id,
                              proposed_ns=proposed_ns, approved_by=approved_by, objects=self.objects(chain, letter.zones))
        self.alerts.append(alert)
        for zone in letter.zones if letter.kind in ("all_clear", "cancel") else letter.cleared:
            self.cleared[zone] = self.now_ns
        return replace(chain, identifiers=(*chain.identifiers, alert.identifier)[-IDENTIFIERS_MAX:],
                       message_count=chain.message_count + 1), name, alert

    def send_unasked(self, chain: Chain, letter: Letter, reason: str) -> tuple[Chain, str, Alert]:
        """Put a message on the air that needs no approval: inside the envelope, smaller, or renewed."""
        self.numbers += 1
        proposal = Proposal(
            id=make_id("proposal", chain.id, self.numbers, self.now_ns), proposed_ns=self.now_ns,
            expires_ns=self.now_ns, msg_type=UPDATE if letter.references else ALERT,
            level="all_clear" if letter.kind in ("all_clear", "cancel") else letter.kind,
            zones=rule.zone_refs(self.pack, letter.zones), caused_by=chain.threats, reason=reason,
            approvals_needed=0, references=letter.references, automatic=True)
        self.proposals.append(proposal)
        return self.send(chain, letter, proposal.id, self.now_ns, (ENGINE,))

    def withdraw(self, chain: Chain, kinds: tuple[str, ...], why: str) -> Chain:
        """Return the chain without its waiting proposals of some kinds; each is recorded as lapsed, with the reason."""
        for pending in chain.pending:
            if pending.kind in kinds:
                self.decide(pending.proposal.id, "lapsed", ENGINE, why)
        return replace(chain, pending=tuple(p for p in chain.pending if p.kind not in kinds))


def _screen(proposal: Proposal) -> str:
    """Return what an officer reads of a proposal, in one line for the record."""
    people = sum(zone.population for zone in proposal.zones)
    names = ", ".join(zone.name for zone in proposal.zones[:5])
    more = f" and {len(proposal.zones) - 5} more" if len(proposal.zones) > 5 else ""
    return f"{proposal.msg_type} {proposal.level}: {names}{more}; {people} people; {proposal.reason}"


def moved(chain: Chain, event: str) -> tuple[Chain, str]:
    """Return the chain in its next phase and the action of the transition table."""
    phase, action = next_phase(chain.phase, event)
    return replace(chain, phase=phase), action


def ended(chain: Chain) -> bool:
    """Whether a chain is over and leaves the state."""
    return chain.phase == ENDED

"""The people that a demo or a replay plays: the officer who approves, the second one, partners who acknowledge.

They are deterministic: each acts a stated time after what it answers, and its acts enter the journal like anyone's.
A live service never uses this module.
"""

from __future__ import annotations

from dataclasses import dataclass

from lapwing.model.reports import Acknowledgement, Command
from lapwing.model.times import from_seconds
from lapwing.pipeline import Outcome
from lapwing.runtime.batches import Injected
from lapwing.sense import person_json

FIRST_OFFICER, SECOND_OFFICER = "played officer 1", "played officer 2"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is played, and how fast. Negative: not played, proposals lapse."""

    officer_s: float = 20.0        # proposal on the screen to approval
    second_s: float = 15.0         # further until the second person, where two are needed
    partner_s: float = 45.0        # notice to acknowledgement


def react(outcome: Outcome, injected: Injected, cast: Cast) -> Injected:
    """Return the injected entries with what the played people do about an outcome."""
    if outcome.warned is not None and cast.officer_s >= 0:
        for proposal in outcome.warned.proposals:
            if proposal.automatic:
                continue
            due_ns = proposal.proposed_ns + from_seconds(cast.officer_s)
            names = (FIRST_OFFICER, SECOND_OFFICER)[: proposal.approvals_needed]
            for number, name in enumerate(names):
                at_ns = due_ns + number * from_seconds(cast.second_s)
                command = Command(at_ns, "approve", alert_id=proposal.id, text="played approval", by=name)
                injected = injected.plus(at_ns, "played:officer", "command", person_json.encode_command(command))
    if outcome.shared is not None and cast.partner_s >= 0:
        for notice in outcome.shared.notices:
            at_ns = notice.time_ns + from_seconds(cast.partner_s)
            answer = Acknowledgement(at_ns, notice.id, f"played liaison {notice.partner}")
            injected = injected.plus(at_ns, "played:partner", "acknowledge", person_json.encode_acknowledgement(answer))
    return injected

"""The life of a warning as one table: (phase, event) -> (next phase, action). What is not in the table cannot happen.

Phases: a chain of which nothing was sent is PROPOSED; one with a warning on the air is IN_FORCE; CLEARING asks a person
for the last all clear; CLEARED has it and waits for its earliest time; ENDED chains leave the state. Actions are carried
out by `warn.chains`. Whatever phase a sent chain is in, its messages are renewed before they expire, so nothing ends
silently.
"""

from __future__ import annotations

PROPOSED, IN_FORCE, CLEARING, CLEARED, ENDED = "proposed", "in_force", "clearing", "cleared", "ended"
PHASES = (PROPOSED, IN_FORCE, CLEARING, CLEARED)

EVENTS = (
    "approved",        # what waited has all its approvals, or went out unless refused, or needs none
    "refused",         # a person refused it
    "lapsed",          # nobody decided in time
    "over",            # the last hold of the last threat has ended
    "back",            # a threat came (back) before the all clear went out
    "widen_inside",    # zones of the approved envelope are wanted
    "widen_outside",   # zones beyond it are wanted
    "shrink",          # zones have not been wanted for a while, and the last shrink is long enough ago
    "lower",           # the last zones under alert are not wanted, but an object is still a threat: alert -> pre-alert
    "renew",           # a message expires soon
    "clear_time",      # the earliest time of the all clear has come
    "cancel",          # a person calls it a false alarm
    "all_clear",       # a person says that it is over
)

# Actions that put a message on the air stand in ON_THE_AIR. The others ask, note or wait.
TABLE: dict[tuple[str, str], tuple[str, str]] = {
    (PROPOSED, "approved"): (IN_FORCE, "send"),
    (PROPOSED, "refused"): (ENDED, "drop"),
    (PROPOSED, "lapsed"): (PROPOSED, "ask_again"),
    (PROPOSED, "over"): (ENDED, "withdraw"),
    (PROPOSED, "back"): (PROPOSED, "stay"),
    (PROPOSED, "widen_inside"): (PROPOSED, "stay"),
    (PROPOSED, "widen_outside"): (PROPOSED, "ask_wider"),
    (PROPOSED, "shrink"): (PROPOSED, "stay"),
    (PROPOSED, "lower"): (PROPOSED, "stay"),
    (PROPOSED, "renew"): (PROPOSED, "stay"),
    (PROPOSED, "clear_time"): (PROPOSED, "stay"),
    (PROPOSED, "cancel"): (ENDED, "drop"),
    (PROPOSED, "all_clear"): (ENDED, "drop"),

    (IN_FORCE, "approved"): (IN_FORCE, "send"),
    (IN_FORCE, "refused"): (IN_FORCE, "note"),
    (IN_FORCE, "lapsed"): (IN_FORCE, "ask_again"),
    (IN_FORCE, "over"): (CLEARING, "ask_clear"),
    (IN_FORCE, "back"): (IN_FORCE, "stay"),
    (IN_FORCE, "widen_inside"): (IN_FORCE, "send"),
    (IN_FORCE, "widen_outside"): (IN_FORCE, "ask_wider"),
    (IN_FORCE, "shrink"): (IN_FORCE, "clear_zones"),
    (IN_FORCE, "lower"): (IN_FORCE, "update"),
    (IN_FORCE, "renew"): (IN_FORCE, "renew"),
    (IN_FORCE, "clear_time"): (IN_FORCE, "stay"),
    (IN_FORCE, "cancel"): (ENDED, "cancel"),
    (IN_FORCE, "all_clear"): (IN_FORCE, "refuse_clear"),   # unknown is never "all clear": a threat still lives

    (CLEARING, "approved"): (CLEARED, "wait"),
    (CLEARING, "refused"): (IN_FORCE, "note"),             # stays in force; asked again after a while
    (CLEARING, "lapsed"): (CLEARING, "ask_again"),
    (CLEARING, "over"): (CLEARING, "stay"),
    (CLEARING, "back"): (IN_FORCE, "withdraw"),
    (CLEARING, "widen_inside"): (IN_FORCE, "withdraw"),
    (CLEARING, "widen_outside"): (IN_FORCE, "withdraw"),
    (CLEARING, "shrink"): (CLEARING, "stay"),              # all zones end together, with the all clear
    (CLEARING, "lower"): (CLEARING, "stay"),
    (CLEARING, "renew"): (CLEARING, "renew"),
    (CLEARING, "clear_time"): (CLEARING, "stay"),
    (CLEARING, "cancel"): (ENDED, "cancel"),
    (CLEARING, "all_clear"): (CLEARED, "wait"),

    (CLEARED, "approved"): (CLEARED, "stay"),
    (CLEARED, "refused"): (IN_FORCE, "note"),
    (CLEARED, "lapsed"): (CLEARED, "stay"),
    (CLEARED, "over"): (CLEARED, "stay"),
    (CLEARED, "back"): (IN_FORCE, "withdraw"),
    (CLEARED, "widen_inside"): (IN_FORCE, "withdraw"),
    (CLEARED, "widen_outside"): (IN_FORCE, "withdraw"),
    (CLEARED, "shrink"): (CLEARED, "stay"),
    (CLEARED, "lower"): (CLEARED, "stay"),
    (CLEARED, "renew"): (CLEARED, "renew"),
    (CLEARED, "clear_time"): (ENDED, "clear"),
    (CLEARED, "cancel"): (ENDED, "cancel"),
    (CLEARED, "all_clear"): (CLEARED, "stay"),
}

ACTIONS = tuple(sorted({action for _, action in TABLE.values()}))
ON_THE_AIR = ("send", "update", "clear_zones", "renew", "clear", "cancel")


def next_phase(phase: str, event: str) -> tuple[str, str]:
    """Return (next phase, action). A pair that is not in the table is a bug of ours and raises KeyError."""
    return TABLE[phase, event]

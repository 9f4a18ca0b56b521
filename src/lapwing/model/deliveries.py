"""What a channel is handed: one message with what it needs to know of it, and its key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One language of a message."""

    language: str
    headline: str
    description: str
    instruction: str
    short: str                           # for phones, sirens with a display, text messages


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one channel or more."""

    key: str                             # idempotency key: the same message has the same one each time it is sent
    identifier: str
    chain: str                           # what all messages of its chain have in common
    number: int                          # 0 for the first of its chain, counted up
    status: str                          # CAP: Actual | Exercise | Test
    msg_type: str                        # CAP: Alert | Update | Cancel
    level: str                           # pre_alert | alert | all_clear
    sent_ns: int
    expires_ns: int
    references: tuple[str, ...]          # identifiers of the messages that it replaces
    zones: tuple[str, ...]               # codes
    cleared: tuple[str, ...]             # zones that it takes out of the warning
    polygons: tuple[tuple[tuple[float, float], ...], ...]    # closed rings, (latitude_deg, longitude_deg)
    words: tuple[Words, ...]             # the national language first
    document: bytes                      # the CAP 1.2 document

    @property
    def ends(self) -> bool:
        """Whether it ends the warning."""
        return self.msg_type == "Cancel" or self.level == "all_clear"

    @property
    def urgent(self) -> bool:
        """Whether nothing may hold it up: a first alert, or the end of one."""
        return self.ends or self.msg_type == "Alert"

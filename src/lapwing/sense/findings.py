"""What a check of one document from outside says: a rule, how bad it is, where, and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a message. An error makes it invalid; a warning says that it is not to be believed."""

    rule: str           # stable short code
    severity: str       # error | warning | note
    path: str           # where in the message, in the format's own words
    message: str        # what is there and what was expected


def is_valid(findings: Iterable[Finding]) -> bool:
    """Whether nothing of it is an error."""
    return not any(finding.severity == ERROR for finding in findings)

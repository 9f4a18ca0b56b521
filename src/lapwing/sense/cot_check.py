"""Judges CoT documents from outside: by the schema of MITRE's base event and by what no schema can say."""

from __future__ import annotations

from itertools import islice

from lapwing.sense import cot_event
from lapwing.sense.findings import Finding

OCTETS_MAX = cot_event.OCTETS_MAX
FINDINGS_MAX = 200


def check(document: bytes) -> list[Finding]:
    """Return what is wrong with a document: XML or TAK protocol version 1, one event or several back to back."""
    events, wrong = cot_event.parse_events(document)
    return list(islice(cot_event.all_findings(events, wrong), FINDINGS_MAX))

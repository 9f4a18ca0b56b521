"""Judges a CAP document from outside: safely parsed, against the OASIS schema, then by the rules beyond it.

A document that is no CAP 1.2 alert is named for what it is (feed, older CAP, something else).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from lapwing.warn.cap_elements import CAP, LEGACY, NAMESPACE, SIGNATURE
from lapwing.warn.cap_rule_list import Finding, found
from lapwing.warn.cap_rules import info_findings, message_findings
from lapwing.warn.cap_rules_area import area_findings, resource_findings
from lapwing.warn.cap_schema import schema_findings
from lapwing.warn.cap_signature import digest_differs
from lapwing.warn.cap_xml import OCTETS_MAX, Hostile, parse

__all__ = ["FEEDS", "OCTETS_MAX", "Finding", "Judged", "check", "check_root"]

FEEDS = {
    "{http://www.w3.org/2005/Atom}feed": "an Atom feed",
    "rss": "an RSS feed",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF": "an RSS 1.0 feed",
    "{urn:oasis:names:tc:emergency:EDXL:DE:1.0}EDXLDistribution": "an EDXL-DE envelope",
    "{urn:oasis:names:tc:emergency:EDXL:DE:2.0}EDXLDistribution": "an EDXL-DE envelope",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a document: whether it could be parsed, whether it is valid CAP 1.2, and what was found."""

    parsed: bool
    valid: bool
    findings: tuple[Finding, ...]


def check(document: bytes) -> Judged:
    """Return what a document is worth as a CAP 1.2 alert."""
    leading = document[:1] in b" \t\r\n" and document.lstrip()[:5] == b"<?xml"
    try:
        root = parse(document.lstrip() if leading else document)
    except Hostile as refused:
        return Judged(False, False, (refused.finding,))
    judged = check_root(root)
    if leading:
        space = found("xml-leading-space", "", "white space before the XML declaration: many readers refuse it")
        return Judged(True, False, (space, *judged.findings))
    return judged


def check_root(root: etree._Element) -> Judged:
    """Return what a parsed document is worth as a CAP 1.2 alert."""
    if root.tag != CAP + "alert":
        return Judged(True, False, (_not_an_alert(root),))
    findings = (*schema_findings(root), *_beyond(root))
    return Judged(True, not any(f.severity == "error" for f in findings), findings)


def _beyond(alert: etree._Element) -> Iterator[Finding]:
    yield from message_findings(alert)
    for info in alert.findall(CAP + "info"):
        yield from info_findings(alert, info)
        for resource in info.findall(CAP + "resource"):
            yield from resource_findings(resource)
        for area in info.findall(CAP + "area"):
            yield from area_findings(area)
    if alert.find(SIGNATURE) is not None and digest_differs(alert):
        yield found("signature-digest", "alert/Signature", "the document is not the one that was signed")


def _not_an_alert(root: etree._Element) -> Finding:
    name = etree.QName(root)
    if root.tag in FEEDS:
        return found("feed-not-alert", name.localname, f"{FEEDS[str(root.tag)]}, not an alert: check the documents that it names")
    if name.localname == "alert" and name.namespace in LEGACY:
        return found("legacy-version", "alert", f"CAP {LEGACY[name.namespace]}, not 1.2")
    if name.localname == "alert":
        return found("namespace", "alert", f"namespace {name.namespace or '(none)'}: must be {NAMESPACE}")
    return found("not-cap", name.localname, f"the root is {root.tag}, not an alert of {NAMESPACE}")

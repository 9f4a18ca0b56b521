"""Judges a CAP document from outside: safely parsed, against the OASIS schema, then by the rules beyond it.

Hostile XML is refused before anything is made of it: document types and entities, excess size, depth and number of
elements. A document that is no CAP 1.2 alert is named for what it is (feed, older CAP, something else).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lxml import etree

from lapwing.warn.cap import schema_bytes
from lapwing.warn.cap_rules import CAP, Finding, findings

OCTETS_MAX = 4_000_000
DEPTH_MAX = 40
ELEMENTS_MAX = 100_000
LEGACY = {
    "http://www.incident.com/cap/1.0": "1.0",
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
}
FEEDS = {
    "{http://www.w3.org/2005/Atom}feed": "an Atom feed",
    "rss": "an RSS feed",
    "{urn:oasis:names:tc:emergency:EDXL:DE:1.0}EDXLDistribution": "an EDXL-DE envelope",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a document: whether it could be parsed, whether it is valid CAP 1.2, and what was found."""

    parsed: bool
    valid: bool
    findings: tuple[Finding, ...]


class Hostile(ValueError):
    """A document that is refused before it is read: its finding says why."""

    def __init__(self, rule: str, message: str) -> None:
        self.finding = Finding(rule, "error", "", message)
        super().__init__(message)


def parse(document: bytes) -> etree._Element:
    """Return the root element. Raises Hostile for what is refused, and for what is not well-formed."""
    if len(document) > OCTETS_MAX:
        raise Hostile("xml-too-large", f"{len(document)} octets; at most {OCTETS_MAX} are read")
    if not document.strip():
        raise Hostile("xml-empty", "the file is empty")
    _guard(document)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
                             huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise Hostile("xml-not-well-formed", str(error)) from error
    except (ValueError, LookupError) as error:
        raise Hostile("xml-encoding", str(error)) from error
    return root


class _Guard:
    """Counts what streams by and stops at the first thing that no alert needs. A parser target: builds no tree."""

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def start(self, tag: str | bytes, attributes: object) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEPTH_MAX:
            raise Hostile("xml-too-deep", f"elements nested deeper than {DEPTH_MAX}")
        if self.elements > ELEMENTS_MAX:
            raise Hostile("xml-too-many-elements", f"more than {ELEMENTS_MAX} elements")

    def end(self, tag: str | bytes) -> None:
        self.depth -= 1

    def data(self, data: str | bytes) -> None:
        """Text needs no counting: the octets are bounded."""

    def comment(self, text: str | bytes) -> None:
        """Comments say nothing to a reader of alerts."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise Hostile("xml-doctype", "a document type is declared: entities and external parts are not read")

    def close(self) -> None:
        """Nothing to hand over."""


def _guard(document: bytes) -> None:
    """Stream through the document once without building it. Raises Hostile."""
    parser = etree.XMLParser(target=_Guard(), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        for start in range(0, len(document), 65_536):
            parser.feed(document[start : start + 65_536])
        parser.close()
    except etree.XMLSyntaxError as error:
        raise Hostile("xml-not-well-formed", str(error)) from error
    except (ValueError, LookupError) as error:
        if isinstance(error, Hostile):
            raise
        raise Hostile("xml-encoding", str(error)) from error


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(schema_bytes()))


def check(document: bytes) -> Judged:
    """Return what a document is worth as a CAP 1.2 alert."""
    try:
        root = parse(document)
    except Hostile as refused:
        return Judged(False, False, (refused.finding,))
    if root.tag != CAP + "alert":
        return Judged(True, False, (_not_an_alert(root),))
    found = []
    schema = _schema()
    if not schema.validate(root):
        found += [Finding("schema", "error", f"line {error.line}", str(error.message).replace(CAP, ""))
                  for error in list(schema.error_log)]  # type: ignore[call-overload]
    found += findings(root)
    return Judged(True, not any(f.severity == "error" for f in found), tuple(found))


def _not_an_alert(root: etree._Element) -> Finding:
    name = etree.QName(root)
    if root.tag in FEEDS:
        return Finding("feed-not-alert", "error", name.localname,
                       f"{FEEDS[root.tag]}, not an alert: check the documents that it names")
    if name.localname == "alert" and name.namespace in LEGACY:
        return Finding("legacy-version", "error", "alert", f"CAP {LEGACY[name.namespace]}, not 1.2")
    return Finding("not-cap", "error", name.localname, f"the root is {root.tag}, not an alert of {CAP[1:-1]}")

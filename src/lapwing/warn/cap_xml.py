"""Parses XML from outside safely: hostile documents are refused before anything is made of them.

Refused: document types (and so entities and external parts), excess size, depth, elements and attributes.
"""

from __future__ import annotations

from lxml import etree

from lapwing.warn.cap_rule_list import found

OCTETS_MAX = 4_000_000
DEPTH_MAX = 40
ELEMENTS_MAX = 100_000
ATTRIBUTES_MAX = 64
CHUNK_OCTETS = 65_536


class Hostile(ValueError):
    """A document that is refused before it is read: its finding says why."""

    def __init__(self, rule: str, message: str) -> None:
        self.finding = found(rule, "", message)
        super().__init__(message)


def parse(document: bytes, *, keep_all: bool = False, ours: bool = False) -> etree._Element:
    """Return the root element. Raises Hostile for what is refused, and for what is not well-formed.

    `keep_all` keeps comments and processing instructions, which a signature may cover. `ours`: the document was made here,
    a moment ago, so that nobody can have put anything hostile into it.
    """
    if len(document) > OCTETS_MAX:
        raise Hostile("xml-too-large", f"more than {OCTETS_MAX:,} octets are not read")
    if not document.strip(b" \t\r\n\xef\xbb\xbf\x00"):
        raise Hostile("xml-empty", "the file is empty")
    if not ours:
        _guard(document)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
                             huge_tree=False, remove_comments=not keep_all, remove_pis=not keep_all)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(error) from error
    except (ValueError, LookupError) as error:
        raise Hostile("xml-encoding", str(error)) from error
    if root is None:
        raise Hostile("xml-not-well-formed", "there is no element in it")
    return root


def _refused(error: etree.XMLSyntaxError) -> Hostile:
    words = str(error)
    wrong_encoding = any(part in words.lower() for part in ("encod", "utf-8", "not proper", "bytes:"))
    return Hostile("xml-encoding" if wrong_encoding else "xml-not-well-formed", words)


class _Guard:
    """Counts what streams by and stops at the first thing that no alert needs. A parser target: builds no tree."""

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEPTH_MAX:
            raise Hostile("xml-too-deep", f"elements nested deeper than {DEPTH_MAX}")
        if self.elements > ELEMENTS_MAX:
            raise Hostile("xml-too-many-elements", f"more than {ELEMENTS_MAX:,} elements")
        if len(attrib) > ATTRIBUTES_MAX:
            raise Hostile("xml-too-many-attributes", f"an element with {len(attrib)} attributes")

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
        for start in range(0, len(document), CHUNK_OCTETS):
            parser.feed(document[start : start + CHUNK_OCTETS])
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _refused(error) from error
    except (ValueError, LookupError) as error:
        if isinstance(error, Hostile):
            raise
        raise Hostile("xml-encoding", str(error)) from error

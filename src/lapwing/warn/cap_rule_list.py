"""The rules by which a CAP document is judged: stable name, severity, meaning. The manual's table is made from this one.

`error`: the message breaks the standard or cannot be relied on. `warning`: allowed or tolerated, but a reader may go
wrong. `info`: worth knowing. Numbers in brackets are sections of OASIS CAP 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, INFO = "error", "warning", "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: rule name (stable), severity (error | warning | info), path in the document, words."""

    rule: str
    severity: str
    path: str
    message: str


def found(rule: str, path: str, message: str) -> Finding:
    """Return a finding of a rule of the list."""
    return Finding(rule, RULES[rule][0], path, message)


RULES: dict[str, tuple[str, str]] = {
    # The file and its XML: nothing is made of a document that one of these refuses.
    "file-unreadable": (ERROR, "the file cannot be opened"),
    "xml-empty": (ERROR, "the file is empty"),
    "xml-too-large": (ERROR, "more octets than are read (4,000,000)"),
    "xml-not-well-formed": (ERROR, "the octets are no XML"),
    "xml-encoding": (ERROR, "the octets are not in the encoding that they claim, or in one that is not known"),
    "xml-doctype": (ERROR, "a document type is declared: entities and external parts are never read"),
    "xml-too-deep": (ERROR, "elements nested deeper than 40"),
    "xml-too-many-elements": (ERROR, "more than 100,000 elements"),
    "xml-too-many-attributes": (ERROR, "an element with more than 64 attributes"),
    "xml-leading-space": (ERROR, "white space before the XML declaration"),
    "not-cap": (ERROR, "the root element is not an alert"),
    "feed-not-alert": (ERROR, "a feed or an envelope, not an alert (`lapwing cap feed` lists it)"),
    "legacy-version": (ERROR, "CAP 1.0 or 1.1, not 1.2 (`lapwing cap read` writes it as 1.2)"),
    "namespace": (ERROR, "an alert without the namespace of CAP 1.2"),
    # What the schema says.
    "schema-structure": (ERROR, "an element is missing, out of order, too often, unknown, or holds what it may not"),
    "schema-attribute": (ERROR, "an attribute that CAP does not have"),
    "schema-enumeration": (ERROR, "not one of the element's values"),
    "schema-time": (ERROR, "not YYYY-MM-DDThh:mm:ss with an offset: `Z`, fractions and impossible dates are refused (3.3.2)"),
    "schema-value": (ERROR, "not a number, a language or an address where one must stand"),
    # The message as a whole (3.2.1).
    "identifier-empty": (ERROR, "identifier says nothing"),
    "identifier-characters": (ERROR, "identifier with space, comma, < or &"),
    "sender-empty": (ERROR, "sender says nothing"),
    "sender-characters": (ERROR, "sender with space, comma, < or &"),
    "utc-offset-plus": (WARNING, "UTC written +00:00; CAP asks for -00:00"),
    "restriction-missing": (ERROR, "scope Restricted without restriction"),
    "restriction-unused": (WARNING, "a restriction where scope is not Restricted"),
    "addresses-missing": (ERROR, "scope Private without addresses"),
    "quotes-unpaired": (ERROR, "addresses or incidents with an unpaired double quote"),
    "note-missing": (WARNING, "an Error message that does not say in note what was wrong"),
    "references-missing": (ERROR, "Update, Cancel, Ack or Error that names no message"),
    "references-unexpected": (WARNING, "a first Alert that names messages"),
    "references-form": (ERROR, "a reference that is not sender,identifier,sent"),
    "references-self": (ERROR, "a message that names itself"),
    "references-later": (ERROR, "a reference to a message sent later than this one"),
    "references-twice": (WARNING, "a message named twice"),
    "info-missing": (WARNING, "Alert or Update without info"),
    "signature-not-last": (ERROR, "an element after the Signature, which comes last"),
    "signature-several": (WARNING, "more than one Signature"),
    "signature-digest": (WARNING, "the document was changed after it was signed (`lapwing cap verify`)"),
    "empty-element": (INFO, "an optional element that says nothing"),
    "value-repeated": (INFO, "the same value or pair twice"),
    # An info block (3.2.2).
    "event-empty": (ERROR, "event says nothing"),
    "language-code": (ERROR, "language is not a tag of RFC 3066"),
    "language-empty": (WARNING, "language is empty; readers take en-US"),
    "response-contradiction": (WARNING, "responseType None, or AllClear, beside another one"),
    "headline-long": (WARNING, "headline over 160 characters"),
    "web-relative": (ERROR, "web is not a full address"),
    "value-name-empty": (ERROR, "eventCode or parameter without a name"),
    "value-empty": (WARNING, "eventCode or parameter without a value"),
    "expires-before-effective": (ERROR, "expires before effective (or sent, where there is none)"),
    "expires-before-onset": (ERROR, "expires before onset, though urgency is Immediate or Past"),
    "expires-before-onset-later": (WARNING, "expires before onset: must be renewed before it begins"),
    "expired-when-sent": (ERROR, "an Alert or Update that was over when sent, or lapses at the moment that it takes effect"),
    "expired-when-sent-past": (WARNING, "was over when sent; urgency Past, an all clear, or a Cancel"),
    "expires-missing": (INFO, "no end: readers will set one of their own"),
    # A resource (3.2.3).
    "resource-description-empty": (ERROR, "resourceDesc says nothing"),
    "mime-type": (ERROR, "mimeType is not a type of RFC 2046"),
    "resource-nowhere": (WARNING, "neither uri nor derefUri"),
    "uri-relative": (ERROR, "uri is no full address, and there is no derefUri that it could name"),
    "deref-base64": (ERROR, "derefUri is not base64"),
    "digest-form": (ERROR, "digest is not a SHA-1 in 40 hexadecimal digits"),
    "digest-wrong": (ERROR, "digest is not that of the octets in derefUri"),
    "size-negative": (ERROR, "size under zero"),
    "size-wrong": (WARNING, "size is not that of the octets in derefUri"),
    # An area (3.2.4).
    "area-description-empty": (ERROR, "areaDesc says nothing"),
    "area-words-only": (INFO, "neither polygon, circle nor geocode: a machine cannot place it"),
    "polygon-form": (ERROR, "polygon is not pairs of latitude,longitude with spaces between"),
    "polygon-short": (ERROR, "polygon of fewer than four points"),
    "polygon-open": (ERROR, "first and last point differ"),
    "polygon-flat": (WARNING, "polygon without an inside: its points lie on a line"),
    "polygon-crossing": (WARNING, "polygon whose outline crosses or touches itself"),
    "polygon-wide": (WARNING, "polygon over more than 180 degrees of longitude"),
    "latitude-range": (ERROR, "latitude outside [-90, 90]"),
    "longitude-range": (ERROR, "longitude outside [-180, 180]"),
    "circle-form": (ERROR, "circle is not latitude,longitude radius"),
    "circle-radius": (ERROR, "radius negative, or longer than halfway round the Earth"),
    "geocode-empty": (ERROR, "geocode without name or value"),
    "ceiling-without-altitude": (ERROR, "ceiling without altitude"),
    "ceiling-under-altitude": (ERROR, "ceiling under altitude"),
}

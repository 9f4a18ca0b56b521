"""The elements of CAP 1.2 as one table: order, how often, what kind of content. The lenient reader builds by it and the tests break it.

Source: OASIS Common Alerting Protocol 1.2 (1 July 2010), section 3.2 and its schema.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
CAP = "{" + NAMESPACE + "}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNATURE = DSIG + "Signature"
# Namespace -> version of the older standards, which differ in few elements.
LEGACY = {
    "http://www.incident.com/cap/1.0": "1.0",
    "urn:oasis:names:tc:emergency:cap:1.0": "1.0",
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
    "http://www.incident.com/cap/1.1": "1.1",
}
MANY = 1_000_000

# Kinds of content.
TEXT, TOKEN, TIME, ENUM, LANGUAGE, URI, INTEGER, DECIMAL, PAIR, GROUP, POLYGON, CIRCLE = (
    "text", "token", "time", "enum", "language", "uri", "integer", "decimal", "pair", "group", "polygon", "circle")


@dataclass(frozen=True, slots=True)
class Element:
    """One element: `least` and `most` times in its parent, and the values that it may have (ENUM)."""

    name: str
    kind: str
    least: int = 0
    most: int = 1
    values: tuple[str, ...] = ()


def _enum(name: str, values: str, least: int = 1, most: int = 1) -> Element:
    return Element(name, ENUM, least, most, tuple(values.split()))


TABLE: dict[str, tuple[Element, ...]] = {
    "alert": (
        Element("identifier", TOKEN, 1),
        Element("sender", TOKEN, 1),
        Element("sent", TIME, 1),
        _enum("status", "Actual Exercise System Test Draft"),
        _enum("msgType", "Alert Update Cancel Ack Error"),
        Element("source", TEXT),
        _enum("scope", "Public Restricted Private"),
        Element("restriction", TEXT),
        Element("addresses", TEXT),
        Element("code", TEXT, 0, MANY),
        Element("note", TEXT),
        Element("references", TEXT),
        Element("incidents", TEXT),
        Element("info", GROUP, 0, MANY),
    ),
    "info": (
        Element("language", LANGUAGE),
        _enum("category", "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other", 1, MANY),
        Element("event", TEXT, 1),
        _enum("responseType", "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None", 0, MANY),
        _enum("urgency", "Immediate Expected Future Past Unknown"),
        _enum("severity", "Extreme Severe Moderate Minor Unknown"),
        _enum("certainty", "Observed Likely Possible Unlikely Unknown"),
        Element("audience", TEXT),
        Element("eventCode", PAIR, 0, MANY),
        Element("effective", TIME),
        Element("onset", TIME),
        Element("expires", TIME),
        Element("senderName", TEXT),
        Element("headline", TEXT),
        Element("description", TEXT),
        Element("instruction", TEXT),
        Element("web", URI),
        Element("contact", TEXT),
        Element("parameter", PAIR, 0, MANY),
        Element("resource", GROUP, 0, MANY),
        Element("area", GROUP, 0, MANY),
    ),
    "resource": (
        Element("resourceDesc", TEXT, 1),
        Element("mimeType", TOKEN, 1),
        Element("size", INTEGER),
        Element("uri", URI),
        Element("derefUri", TEXT),
        Element("digest", TOKEN),
    ),
    "area": (
        Element("areaDesc", TEXT, 1),
        Element("polygon", POLYGON, 0, MANY),
        Element("circle", CIRCLE, 0, MANY),
        Element("geocode", PAIR, 0, MANY),
        Element("altitude", DECIMAL),
        Element("ceiling", DECIMAL),
    ),
}
# A pair is a group of its own in the schema.
PAIR_TABLE = (Element("valueName", TEXT, 1), Element("value", TEXT, 1))


def children_of(name: str) -> tuple[Element, ...]:
    """Return what may stand in an element, in order; empty for one that holds text."""
    if name in ("eventCode", "parameter", "geocode"):
        return PAIR_TABLE
    return TABLE.get(name, ())

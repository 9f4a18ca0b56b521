"""What CAP 1.2 asks beyond its schema: one function a rule group, each finding with a stable name, severity and place.

Source: OASIS Common Alerting Protocol 1.2 (1 July 2010), section 3. `error`: the message breaks the standard or cannot
be relied on. `warning`: allowed, but a reader may go wrong. `info`: worth knowing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
_TRIPLE = re.compile(r"[^\s,<&]+,[^\s,<&]+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER})\s+({_NUMBER})")
_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;.*)?")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
HEADLINE_MAX = 160


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: rule name (stable), severity (error | warning | info), path in the document, words."""

    rule: str
    severity: str
    path: str
    message: str


def text_of(parent: etree._Element, name: str) -> str:
    """Return the stripped text of the first child of that name; empty where there is none."""
    child = parent.find(CAP + name)
    return "" if child is None or child.text is None else child.text.strip()


def path_of(element: etree._Element) -> str:
    """Return a short path, ``alert/info[2]/area[1]/polygon[1]``."""
    parts = []
    step: etree._Element | None = element
    while step is not None:
        name = etree.QName(step).localname
        parent = step.getparent()
        kin = [] if parent is None else [c for c in parent if c.tag == step.tag]
        parts.append(f"{name}[{kin.index(step) + 1}]" if len(kin) > 1 else name)
        step = parent
    return "/".join(reversed(parts))


def findings(alert: etree._Element) -> Iterator[Finding]:
    """Yield what the rules find in an ``alert`` of the CAP 1.2 namespace."""
    yield from _identifiers(alert)
    yield from _times(alert)
    yield from _scope(alert)
    yield from _references(alert)
    yield from _signature(alert)
    infos = alert.findall(CAP + "info")
    if not infos and text_of(alert, "msgType") in ("Alert", "Update"):
        yield Finding("info-missing", "warning", "alert",
                      f"{text_of(alert, 'msgType')} without info: says nothing to anyone")
    for info in infos:
        yield from _info(alert, info)
        for resource in info.findall(CAP + "resource"):
            yield from _resource(resource)
        for area in info.findall(CAP + "area"):
            yield from _area(area)


def _identifiers(alert: etree._Element) -> Iterator[Finding]:
    for name in ("identifier", "sender"):
        element = alert.find(CAP + name)
        if element is None:
            continue
        text = element.text or ""
        bad = sorted({c for c in text.strip() if c in ",<&" or c.isspace()})
        if not text.strip():
            yield Finding(f"{name}-empty", "error", f"alert/{name}", "is empty; every message needs its own")
        elif bad:
            yield Finding(f"{name}-characters", "error", f"alert/{name}",
                          f"{text.strip()!r} holds {' '.join(map(repr, bad))}: no space, comma, < or & (3.2.1)")


def _times(alert: etree._Element) -> Iterator[Finding]:
    for name in ("sent", "effective", "onset", "expires"):
        for element in alert.iter(CAP + name):
            if (element.text or "").strip().endswith("+00:00"):
                yield Finding("utc-offset-plus", "info", path_of(element), "UTC is written -00:00 in CAP (3.3.2)")


def _scope(alert: etree._Element) -> Iterator[Finding]:
    scope, restriction, addresses = (text_of(alert, n) for n in ("scope", "restriction", "addresses"))
    if scope == "Restricted" and not restriction:
        yield Finding("restriction-missing", "error", "alert/restriction",
                      "scope Restricted needs a restriction (3.2.1)")
    if scope and scope != "Restricted" and restriction:
        yield Finding("restriction-unused", "warning", "alert/restriction",
                      f"scope is {scope}: a restriction has no effect")
    if scope == "Private" and not addresses:
        yield Finding("addresses-missing", "error", "alert/addresses", "scope Private needs addresses (3.2.1)")
    if addresses.count('"') % 2:
        yield Finding("quotes-unpaired", "error", "alert/addresses",
                      "an address with spaces stands in double quotes (3.2.1)")
    incidents = text_of(alert, "incidents")
    if incidents.count('"') % 2:
        yield Finding("quotes-unpaired", "error", "alert/incidents",
                      "an incident with spaces stands in double quotes (3.2.1)")
    if text_of(alert, "msgType") == "Error" and not text_of(alert, "note"):
        yield Finding("note-missing", "warning", "alert/note",
                      "an Error message should say in note what was wrong (3.2.1)")


def _references(alert: etree._Element) -> Iterator[Finding]:
    kind, references = text_of(alert, "msgType"), text_of(alert, "references").split()
    if kind in ("Update", "Cancel", "Ack", "Error") and not references:
        yield Finding("references-missing", "error", "alert/references",
                      f"{kind} must name the messages it follows (3.2.1)")
    if kind == "Alert" and references:
        yield Finding("references-unexpected", "warning", "alert/references",
                      "a first Alert follows nothing: Update is meant?")
    own = f"{text_of(alert, 'sender')},{text_of(alert, 'identifier')},"
    for reference in references:
        if not _TRIPLE.fullmatch(reference):
            yield Finding("references-form", "error", "alert/references",
                          f"{reference!r}: must be sender,identifier,sent (3.2.1)")
        elif reference.startswith(own):
            yield Finding("references-self", "error", "alert/references", "a message cannot follow itself")
    if len(set(references)) < len(references):
        yield Finding("references-twice", "warning", "alert/references", "a message is named twice")


def _signature(alert: etree._Element) -> Iterator[Finding]:
    # libxml2's schema engine lets a Signature stand anywhere; the schema has it after every info.
    seen = False
    for child in alert:
        if child.tag == DSIG + "Signature":
            seen = True
        elif seen and isinstance(child.tag, str):
            yield Finding("signature-not-last", "error", path_of(child), "stands after the Signature, which comes last")
            return


def _info(alert: etree._Element, info: etree._Element) -> Iterator[Finding]:
    where = path_of(info)
    if info.find(CAP + "event") is not None and not text_of(info, "event"):
        yield Finding("event-empty", "error", f"{where}/event", "is empty; it names what the message is about")
    language = info.find(CAP + "language")
    if language is not None and not _LANGUAGE.fullmatch((language.text or "").strip()):
        yield Finding("language-code", "error", f"{where}/language", f"{language.text!r} is not a code of RFC 3066")
    if len(text_of(info, "headline")) > HEADLINE_MAX:
        yield Finding("headline-long", "warning", f"{where}/headline",
                      f"over {HEADLINE_MAX} characters: channels cut it (3.2.2)")
    web = text_of(info, "web")
    if web and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", web):
        yield Finding("web-relative", "error", f"{where}/web", f"{web!r} is not a full address (3.2.2)")
    for group in ("eventCode", "parameter"):
        for pair in info.findall(CAP + group):
            if not text_of(pair, "valueName"):
                yield Finding("value-name-empty", "error", path_of(pair), "valueName is empty")
    times = {name: _moment(text_of(info, name)) for name in ("effective", "onset", "expires")}
    sent = _moment(text_of(alert, "sent"))
    begins, expires = times["effective"] or sent, times["expires"]
    if expires and begins and expires <= begins:
        yield Finding("expires-before-effective", "error", f"{where}/expires",
                      f"{text_of(info, 'expires')} is not after {text_of(info, 'effective') or text_of(alert, 'sent')}")
    elif expires and sent and expires <= sent:
        yield Finding("expired-when-sent", "warning", f"{where}/expires",
                      "lies before sent: the message was over when it came")
    if expires and times["onset"] and expires < times["onset"]:
        yield Finding("expires-before-onset", "warning", f"{where}/expires",
                      "lies before onset: it lapses before it begins")
    if expires is None and text_of(alert, "msgType") in ("Alert", "Update"):
        yield Finding("expires-missing", "info", f"{where}/expires", "no end: readers will set one of their own")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) == 25 else None
    except ValueError:
        return None


def _resource(resource: etree._Element) -> Iterator[Finding]:
    where = path_of(resource)
    mime, uri, digest, size = (text_of(resource, n) for n in ("mimeType", "uri", "digest", "size"))
    if not _MIME.fullmatch(mime):
        yield Finding("mime-type", "error", f"{where}/mimeType", f"{mime!r} is not a type of RFC 2046 (3.2.3)")
    if not uri and not text_of(resource, "derefUri"):
        yield Finding("resource-nowhere", "warning", where, "neither uri nor derefUri: there is nothing to fetch")
    if digest and not _SHA1.fullmatch(digest):
        yield Finding("digest-form", "error", f"{where}/digest", "must be a SHA-1 in 40 hexadecimal digits (3.2.3)")
    if size.startswith("-"):
        yield Finding("size-negative", "error", f"{where}/size", f"{size} octets")


def _area(area: etree._Element) -> Iterator[Finding]:
    where = path_of(area)
    if not text_of(area, "areaDesc"):
        yield Finding("area-description-empty", "error", f"{where}/areaDesc",
                      "is empty; it is all that some channels show")
    for polygon in area.findall(CAP + "polygon"):
        yield from _polygon(polygon)
    for circle in area.findall(CAP + "circle"):
        yield from _circle(circle)
    for geocode in area.findall(CAP + "geocode"):
        if not text_of(geocode, "valueName") or not text_of(geocode, "value"):
            yield Finding("geocode-empty", "error", path_of(geocode), "valueName and value both must say something")
    altitude, ceiling = text_of(area, "altitude"), text_of(area, "ceiling")
    if ceiling and not altitude:
        yield Finding("ceiling-without-altitude", "error", f"{where}/ceiling", "a ceiling needs an altitude (3.2.4)")
    elif ceiling and _float(ceiling) < _float(altitude):
        yield Finding("ceiling-under-altitude", "error", f"{where}/ceiling",
                      f"{ceiling} ft is under the altitude {altitude} ft")


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _polygon(polygon: etree._Element) -> Iterator[Finding]:
    where, words = path_of(polygon), (polygon.text or "").split()
    pairs = [_PAIR.fullmatch(word) for word in words]
    if not all(pairs) or not pairs:
        bad = next((w for w, p in zip(words, pairs, strict=True) if not p), "")
        yield Finding("polygon-form", "error", where, f"{bad!r} is not latitude,longitude" if bad else "is empty")
        return
    points = [(float(p[1]), float(p[2])) for p in pairs if p]
    if len(points) < 4:
        yield Finding("polygon-short", "error", where,
                      f"{len(points)} points; a closed polygon has four or more (3.2.4)")
    if points[0] != points[-1]:
        yield Finding("polygon-open", "error", where, f"first point {words[0]} and last {words[-1]} differ (3.2.4)")
    yield from _in_range(where, points)
    longitudes = [lon for _, lon in points]
    if max(longitudes) - min(longitudes) > 180.0:
        yield Finding("polygon-wide", "warning", where, "spans over 180 degrees of longitude: cut it at the date line")


def _circle(circle: etree._Element) -> Iterator[Finding]:
    where, text = path_of(circle), (circle.text or "").strip()
    match = _CIRCLE.fullmatch(text)
    if match is None:
        yield Finding("circle-form", "error", where, f"{text!r}: must be latitude,longitude radius (3.2.4)")
        return
    yield from _in_range(where, [(float(match[1]), float(match[2]))])
    if float(match[3]) < 0.0:
        yield Finding("circle-radius", "error", where, f"radius {match[3]} km is negative")


def _in_range(where: str, points: list[tuple[float, float]]) -> Iterator[Finding]:
    axes = (("latitude-range", "latitude", 0, 90.0), ("longitude-range", "longitude", 1, 180.0))
    for rule, name, place, limit in axes:
        bad = next((p[place] for p in points if abs(p[place]) > limit), None)
        if bad is not None:
            yield Finding(rule, "error", where, f"{name} {bad:g} lies outside [-{limit:g}, {limit:g}] (WGS 84)")

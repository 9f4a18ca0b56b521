"""What CAP 1.2 asks of areas and resources beyond the schema. The names are those of `cap_rule_list`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Iterator, Sequence

from lxml import etree
from shapely import Polygon

from lapwing.warn.cap_elements import CAP
from lapwing.warn.cap_rule_list import Finding, found
from lapwing.warn.cap_rules import absolute, path_of, says_nothing, text_of

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
PAIR_FORM = re.compile(rf"({NUMBER}),({NUMBER})", re.ASCII)
CIRCLE_FORM = re.compile(rf"({NUMBER}),({NUMBER})\s+({NUMBER})", re.ASCII)
_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;.*)?")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")
RADIUS_KM_MAX = 20_038.0         # half of the equator
SHAPE_POINTS_MAX = 20_000        # of a polygon whose shape is looked at: beyond it, only its numbers are
FLAT_DEG2 = 1e-12                # under this area a ring has no inside: some 0.01 square metres


def resource_findings(resource: etree._Element) -> Iterator[Finding]:
    """Yield what is found in one resource."""
    where = path_of(resource)
    mime, uri, deref, digest, size = (text_of(resource, n) for n in ("mimeType", "uri", "derefUri", "digest", "size"))
    if says_nothing(resource, "resourceDesc"):
        yield found("resource-description-empty", f"{where}/resourceDesc", "is empty; it says what the resource is")
    if not _MIME.fullmatch(mime):
        yield found("mime-type", f"{where}/mimeType", f"{mime!r} is not a type of RFC 2046 (3.2.3)")
    if not uri and not deref:
        yield found("resource-nowhere", where, "neither uri nor derefUri: there is nothing to fetch")
    if uri and not deref and not absolute(uri):
        yield found("uri-relative", f"{where}/uri", f"{uri!r} is not a full address, and there is no derefUri (3.2.3)")
    if digest and not _SHA1.fullmatch(digest):
        yield found("digest-form", f"{where}/digest", "must be a SHA-1 in 40 hexadecimal digits (3.2.3)")
    if size.startswith("-") and size.strip("-0"):
        yield found("size-negative", f"{where}/size", f"{size} octets")
    if deref:
        yield from _content(where, deref, digest, size)


def _content(where: str, deref: str, digest: str, size: str) -> Iterator[Finding]:
    try:
        octets = base64.b64decode("".join(deref.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        yield found("deref-base64", f"{where}/derefUri", f"not base64: {error} (3.2.3)")
        return
    if _SHA1.fullmatch(digest) and hashlib.sha1(octets, usedforsecurity=False).hexdigest() != digest.lower():
        yield found("digest-wrong", f"{where}/digest", "is not the SHA-1 of the octets in derefUri")
    if size.isascii() and size.isdigit() and int(size) != len(octets):
        yield found("size-wrong", f"{where}/size", f"says {size}, derefUri holds {len(octets)} octets")


def area_findings(area: etree._Element) -> Iterator[Finding]:
    """Yield what is found in one area."""
    where = path_of(area)
    if says_nothing(area, "areaDesc"):
        yield found("area-description-empty", f"{where}/areaDesc", "is empty; it is all that some channels show")
    shapes = [*area.findall(CAP + "polygon"), *area.findall(CAP + "circle"), *area.findall(CAP + "geocode")]
    if not shapes:
        yield found("area-words-only", where, "neither polygon, circle nor geocode")
    for polygon in area.findall(CAP + "polygon"):
        yield from _polygon(polygon)
    for circle in area.findall(CAP + "circle"):
        yield from _circle(circle)
    for geocode in area.findall(CAP + "geocode"):
        if not text_of(geocode, "valueName") or not text_of(geocode, "value"):
            yield found("geocode-empty", path_of(geocode), "valueName and value both must say something")
    altitude, ceiling = text_of(area, "altitude"), text_of(area, "ceiling")
    if ceiling and not altitude:
        yield found("ceiling-without-altitude", f"{where}/ceiling", "a ceiling needs an altitude (3.2.4)")
    elif ceiling and _float(ceiling) < _float(altitude):
        yield found("ceiling-under-altitude", f"{where}/ceiling", f"{ceiling} ft is under the altitude {altitude} ft")


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _polygon(polygon: etree._Element) -> Iterator[Finding]:
    where, words = path_of(polygon), (polygon.text or "").split()
    pairs = [PAIR_FORM.fullmatch(word) for word in words]
    if not all(pairs) or not pairs:
        bad = next((w for w, p in zip(words, pairs, strict=True) if not p), "")
        yield found("polygon-form", where, f"{bad!r} is not latitude,longitude" if bad else "is empty")
        return
    points = [(float(p[1]), float(p[2])) for p in pairs if p]
    if len(points) < 4:
        yield found("polygon-short", where, f"{len(points)} points; a closed polygon has four or more (3.2.4)")
    if points[0] != points[-1]:
        yield found("polygon-open", where, f"first point {words[0]} and last {words[-1]} differ (3.2.4)")
    outside = list(_in_range(where, points))
    yield from outside
    longitudes = [lon for _, lon in points]
    if max(longitudes) - min(longitudes) > 180.0:
        yield found("polygon-wide", where, "spans over 180 degrees of longitude: cut it at the date line")
    elif 4 <= len(points) <= SHAPE_POINTS_MAX and not outside:
        ring = Polygon([(lon, lat) for lat, lon in points])
        if Polygon(ring.exterior).convex_hull.area < FLAT_DEG2:
            yield found("polygon-flat", where, "its points lie on a line: nobody is inside")
        elif not ring.is_valid:
            yield found("polygon-crossing", where, "its outline crosses or touches itself: what is inside is unclear")


def _circle(circle: etree._Element) -> Iterator[Finding]:
    where, text = path_of(circle), (circle.text or "").strip()
    match = CIRCLE_FORM.fullmatch(text)
    if match is None:
        yield found("circle-form", where, f"{text!r}: must be latitude,longitude radius (3.2.4)")
        return
    yield from _in_range(where, [(float(match[1]), float(match[2]))])
    if not 0.0 <= float(match[3]) <= RADIUS_KM_MAX:
        yield found("circle-radius", where, f"radius {match[3]} km: 0 to {RADIUS_KM_MAX:,.0f}")


def _in_range(where: str, points: Sequence[tuple[float, float]]) -> Iterator[Finding]:
    axes = (("latitude-range", "latitude", 0, 90.0), ("longitude-range", "longitude", 1, 180.0))
    for rule, name, place, limit in axes:
        bad = next((p[place] for p in points if abs(p[place]) > limit), None)
        if bad is not None:
            hint = "; longitude first?" if place == 0 and abs(bad) <= 180.0 else ""
            yield found(rule, where, f"{name} {bad:g} lies outside [-{limit:g}, {limit:g}] (WGS 84){hint}")

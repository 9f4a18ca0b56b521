"""Reads out of one of our documents what channels need beside it: level, zones, chain, words, area."""

from __future__ import annotations

import hashlib

from lxml import etree

from lapwing.model.deliveries import Delivery, Words
from lapwing.model.times import from_iso
from lapwing.warn.cap_elements import CAP
from lapwing.warn.cap_rules import text_of
from lapwing.warn.cap_xml import parse

ZONE_CODE = "LAPWING"                    # name of the geocode that holds our own code of a zone
_URGENCY_LEVEL = {"Immediate": "alert", "Expected": "pre_alert", "Future": "pre_alert"}


def delivery_of(document: bytes) -> Delivery:
    """Return the delivery of a document. Raises ValueError where it is not an alert that can be sent."""
    root = parse(document, ours=True)
    identifier, infos = text_of(root, "identifier"), root.findall(CAP + "info")
    if root.tag != CAP + "alert" or not identifier:
        raise ValueError("not a CAP 1.2 alert with an identifier")
    references = tuple(r.split(",")[1] for r in text_of(root, "references").split() if r.count(",") == 2)
    levels = [_level(info) for info in infos]
    ends = text_of(root, "msgType") == "Cancel" or (bool(levels) and set(levels) == {"all_clear"})
    level = "all_clear" if ends else next((each for each in levels if each != "all_clear"), "alert")
    # Blocks that clear zones inside a warning that goes on: those zones alone are told that it is over.
    own = [info for info, each in zip(infos, levels, strict=True) if ends or each != "all_clear"]
    gone = [info for info, each in zip(infos, levels, strict=True) if not ends and each == "all_clear"]
    sent_ns = from_iso(text_of(root, "sent"))
    expires = [from_iso(text) for info in own if (text := text_of(info, "expires"))]
    zones = _zones(own)
    return Delivery(
        key=hashlib.sha256(identifier.encode() + b"\0" + document).hexdigest()[:32], identifier=identifier,
        chain=text_of(root, "incidents") or (references[0] if references else identifier), number=len(references),
        status=text_of(root, "status"), msg_type=text_of(root, "msgType"), level=level, sent_ns=sent_ns,
        expires_ns=max(expires, default=sent_ns), references=references, zones=zones,
        cleared=tuple(zone for zone in _zones(gone) if zone not in zones), polygons=_polygons(own), words=_words(own), document=document)


def _level(info: etree._Element) -> str:
    responses = {(r.text or "").strip() for r in info.findall(CAP + "responseType")}
    named = next((text_of(p, "value") for p in info.findall(CAP + "parameter") if text_of(p, "valueName") == "level"), "")
    return "all_clear" if "AllClear" in responses else named or _URGENCY_LEVEL.get(text_of(info, "urgency"), "alert")


def _zones(infos: list[etree._Element]) -> tuple[str, ...]:
    codes = [text_of(g, "value") for info in infos for g in info.iter(CAP + "geocode") if text_of(g, "valueName") == ZONE_CODE]
    return tuple(dict.fromkeys(codes))


def _polygons(infos: list[etree._Element]) -> tuple[tuple[tuple[float, float], ...], ...]:
    rings = [text for info in infos for p in info.iter(CAP + "polygon") if (text := (p.text or "").strip())]
    return tuple(tuple((float(word.split(",")[0]), float(word.split(",")[1])) for word in ring.split()) for ring in dict.fromkeys(rings))


def _words(infos: list[etree._Element]) -> tuple[Words, ...]:
    """Return the words, one a language: those of its first block."""
    found: dict[str, Words] = {}
    for info in infos:
        language = text_of(info, "language") or "en-US"
        short = next((text_of(p, "value") for p in info.findall(CAP + "parameter") if text_of(p, "valueName") == "short_text"), "")
        headline, instruction = text_of(info, "headline"), text_of(info, "instruction")
        found.setdefault(language, Words(language, headline, text_of(info, "description"), instruction,
                                         short or " ".join(part for part in (headline, instruction) if part)))
    return tuple(found.values())

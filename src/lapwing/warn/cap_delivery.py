"""Makes a delivery from a journaled alert: what channels need beside the document is read out of both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from lapwing.model.deliveries import Delivery, Words
from lapwing.model.times import from_iso
from lapwing.warn.cap_elements import CAP
from lapwing.warn.cap_rules import text_of
from lapwing.warn.cap_xml import parse


def delivery_of(row: Mapping[str, Any]) -> Delivery:
    """Return the delivery of an alert as journaled (`record.rows.alert_row`)."""
    document = str(row["cap_xml"]).encode("utf-8")
    references = tuple(str(r).split(",")[1] for r in row["references"] if str(r).count(",") == 2)
    identifier = str(row["identifier"])
    return Delivery(
        key=hashlib.sha256(identifier.encode() + b"\0" + document).hexdigest()[:32],
        identifier=identifier, chain=references[0] if references else identifier, number=len(references),
        status=str(row["status"]), msg_type=str(row["msg_type"]), level=str(row["level"]),
        sent_ns=from_iso(str(row["sent"])), expires_ns=from_iso(str(row["expires"])), references=references,
        zones=_zones(row["zones"]), cleared=_zones(row.get("cleared", ())),
        polygons=tuple(tuple((float(p[0]), float(p[1])) for p in ring) for ring in row["polygon"]),
        words=words_of(document), document=document)


def _zones(rows: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(zone["code"]), str(zone["name"])) for zone in rows)


def words_of(document: bytes) -> tuple[Words, ...]:
    """Return the words of a message, one a language: those of its first block of that language."""
    found: dict[str, Words] = {}
    for info in parse(document).findall(CAP + "info"):
        language = text_of(info, "language") or "en-US"
        short = next((text_of(p, "value") for p in info.findall(CAP + "parameter") if text_of(p, "valueName") == "short_text"), "")
        headline, instruction = text_of(info, "headline"), text_of(info, "instruction")
        found.setdefault(language, Words(language, headline, text_of(info, "description"), instruction,
                                         short or " ".join(part for part in (headline, instruction) if part)))
    return tuple(found.values())

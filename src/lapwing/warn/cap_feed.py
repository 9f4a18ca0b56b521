"""Lists what feeds and envelopes carry: Atom, RSS 0.9 to 2.0, EDXL-DE 1.0 and 2.0; alerts inside them are taken out.

A feed names alerts by address, or holds them whole (as elements or as escaped text). Nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from lxml import etree

from lapwing.model.times import to_iso
from lapwing.warn.cap_check import FEEDS
from lapwing.warn.cap_read import read_root
from lapwing.warn.cap_rules import moment, text_of
from lapwing.warn.cap_xml import Hostile, parse

CAP_TYPE = "application/cap+xml"
SUMMARY = ("event", "msgType", "status", "urgency", "severity", "certainty", "effective", "onset", "expires", "areaDesc")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed. `alert`: the alert that it holds, as strict CAP 1.2; None where it only names one."""

    format: str                      # atom | rss | edxl-de
    id: str
    title: str
    updated: str                     # ISO 8601 with Z where it could be read, else as written
    link: str                        # where the alert is
    summary: tuple[tuple[str, str], ...] = ()     # CAP elements that the entry quotes
    alert: etree._Element | None = None


class NotAFeed(ValueError):
    """A document that is no feed that we know."""


def entries(document: bytes) -> Iterator[Entry]:
    """Yield the entries of a feed in order. Raises Hostile, NotAFeed."""
    root = parse(document.lstrip(b" \t\r\n"))
    if root.tag not in FEEDS:
        raise NotAFeed(f"the root is {root.tag}: neither Atom, RSS nor EDXL-DE")
    name = etree.QName(root).localname
    if name == "feed":
        yield from (_atom(e) for e in root.findall("{http://www.w3.org/2005/Atom}entry"))
    elif name == "EDXLDistribution":
        yield from _edxl(root)
    else:
        yield from (_rss(item) for item in root.iter("{*}item"))


def _child(parent: etree._Element, name: str) -> str:
    child = parent.find("{*}" + name)
    return "" if child is None else "".join(str(t) for t in child.itertext()).strip()


def _atom(entry: etree._Element) -> Entry:
    links = entry.findall("{http://www.w3.org/2005/Atom}link")
    ranked = sorted(enumerate(links), key=lambda pair: (pair[1].get("type") != CAP_TYPE, pair[1].get("rel", "alternate") not in (
        "alternate", "related", "enclosure"), pair[0]))
    content = entry.find("{http://www.w3.org/2005/Atom}content")
    link = str(ranked[0][1].get("href", "")) if ranked else ""
    if content is not None and content.get("src") and (not link or content.get("type") == CAP_TYPE):
        link = str(content.get("src"))
    return Entry("atom", _child(entry, "id"), _child(entry, "title"), _time(_child(entry, "updated") or _child(entry, "published")),
                 link, _summary(entry), _inside(entry))


def _rss(item: etree._Element) -> Entry:
    enclosure = item.find("{*}enclosure")
    link = _child(item, "link")
    if enclosure is not None and (enclosure.get("type") in (CAP_TYPE, "application/xml", "text/xml") or not link):
        link = str(enclosure.get("url", "")) or link
    about = str(item.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about", ""))
    date = _child(item, "pubDate") or _child(item, "date")
    return Entry("rss", _child(item, "guid") or about or link, _child(item, "title"), _time(date), link, _summary(item),
                 _inside(item))


def _edxl(root: etree._Element) -> Iterator[Entry]:
    sent, envelope = _time(_child(root, "dateTimeSent")), _child(root, "distributionID")
    for number, part in enumerate(p for p in root.iter("{*}contentObject", "{*}content") if _is_content(p)):
        alert = _inside(part)
        name = _child(part, "contentID") or (text_of(alert, "identifier") if alert is not None else "")
        uris = [u for u in part.iter("{*}uri") if u.text]
        yield Entry("edxl-de", name or f"{envelope}#{number + 1}", _child(part, "contentDescription"), sent,
                    (uris[0].text or "").strip() if uris else "", (), alert)


def _is_content(part: etree._Element) -> bool:
    """EDXL-DE 2.0 puts contentObjects into a content element; that is only a wrapper."""
    return etree.QName(part).localname == "contentObject" or next(part.iter("{*}contentObject"), None) is None


def _inside(entry: etree._Element) -> etree._Element | None:
    """Return the alert that an entry holds, as elements or as escaped text."""
    for element in entry.iter("{*}alert"):
        read = read_root(element)
        if read.root is not None:
            return read.root
    for element in entry.iter("{*}content", "{*}description", "{*}encoded", "{*}summary"):
        text = (element.text or "").strip()
        if text.startswith("<") and "alert" in text[:600]:
            try:
                read = read_root(parse(text.encode("utf-8", "replace")))
            except Hostile:
                continue         # HTML, or worse: then it holds no alert
            if read.root is not None:
                return read.root
    return None


def _summary(entry: etree._Element) -> tuple[tuple[str, str], ...]:
    """Return the CAP elements that stand in the entry itself."""
    found = []
    for child in entry:
        name = etree.QName(child)
        if name.localname in SUMMARY and "cap" in (name.namespace or ""):
            found.append((name.localname, " ".join("".join(str(t) for t in child.itertext()).split())))
    return tuple(found)


def _time(text: str) -> str:
    found = moment(text.replace("Z", "+00:00")) if text else None
    if found is None and text:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return text
    if found is None or found.tzinfo is None:
        return text
    return to_iso(round(found.timestamp()) * 1_000_000_000, digits=0)

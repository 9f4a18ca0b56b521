"""What CAP 1.2 asks of a message and its info blocks beyond the schema. Areas and resources: `cap_rules_area`.

Source: OASIS Common Alerting Protocol 1.2 (1 July 2010), section 3. The names are those of `cap_rule_list`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from lxml import etree

from lapwing.warn.cap_elements import CAP, PAIR, SIGNATURE, TABLE
from lapwing.warn.cap_rule_list import Finding, found

_TRIPLE = re.compile(r"[^\s,<&]+,[^\s,<&]+,(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d)")
# RFC 3066: a primary tag of two or three letters (ISO 639), or i- or x-; longer ones only where registered (none).
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[iIxX](?=-))(?:-[A-Za-z0-9]{1,8})*")
# A scheme and something after it, of the web a host; which letters an address may have is left to the schema.
_ABSOLUTE = re.compile(r"(?i:https?)://[^\s/?#]\S*|(?!(?i:https?):)[A-Za-z][A-Za-z0-9+.-]*:(?://\S+|[^\s/]\S*)")
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"     # letters that show nothing
HEADLINE_MAX = 160


def text_of(parent: etree._Element, name: str) -> str:
    """Return the stripped text of the first child of that name; empty where there is none."""
    child = parent.find(CAP + name)
    return "" if child is None or child.text is None else child.text.strip()


def says_nothing(parent: etree._Element, name: str) -> bool:
    """Whether the first child of that name is missing, or holds nothing that a reader sees."""
    return not text_of(parent, name).translate(dict.fromkeys(map(ord, _UNSEEN))).strip()


def path_of(element: etree._Element) -> str:
    """Return a short path, ``alert/info[2]/area[1]/polygon[1]``."""
    known = _children(element.getroottree().getroot())
    steps = []
    while (parent := element.getparent()) is not None:
        if element not in known.get(parent, {}):
            known[parent] = _steps(parent)
        steps.append(known[parent][element])
        element = parent
    return "/".join([etree.QName(element).localname, *reversed(steps)])


@lru_cache(maxsize=1)
def _children(root: etree._Element) -> dict[etree._Element, dict[etree._Element, str]]:
    """Return what is known of a tree's children, parent by parent: counting kin anew for each takes the square of their number."""
    return {}


def _steps(parent: etree._Element) -> dict[etree._Element, str]:
    children = [(child, str(child.tag)) for child in parent if isinstance(child.tag, str)]
    kin, counts, steps = Counter(tag for _, tag in children), Counter[str](), {}
    for child, tag in children:
        counts[tag] += 1
        steps[child] = tag.rpartition("}")[2] + (f"[{counts[tag]}]" if kin[tag] > 1 else "")
    return steps


def moment(text: str) -> datetime | None:
    """Return a time in CAP's form; None for what is not one."""
    try:
        found_time = datetime.fromisoformat(text) if len(text) == 25 else None
    except ValueError:
        return None
    return found_time if found_time is not None and found_time.tzinfo is not None else None


def absolute(address: str) -> bool:
    """Whether an address is a full one."""
    return _ABSOLUTE.fullmatch(address) is not None


def message_findings(alert: etree._Element) -> Iterator[Finding]:
    """Yield what is found in the message as a whole."""
    yield from _identifiers(alert)
    yield from _times(alert)
    yield from _scope(alert)
    yield from _references(alert)
    yield from _signature(alert)
    yield from _empty_and_repeated(alert)
    if alert.find(CAP + "info") is None and text_of(alert, "msgType") in ("Alert", "Update"):
        yield found("info-missing", "alert", f"{text_of(alert, 'msgType')} without info: says nothing to anyone")


def _identifiers(alert: etree._Element) -> Iterator[Finding]:
    for name in ("identifier", "sender"):
        element = alert.find(CAP + name)
        if element is None:
            continue
        text = element.text or ""
        bad = sorted({c for c in text if c in ",<&" or c.isspace()})
        if not text.strip():
            yield found(f"{name}-empty", f"alert/{name}", "is empty; every message needs its own")
        elif bad:
            yield found(f"{name}-characters", f"alert/{name}",
                        f"{text!r} holds {' '.join(map(repr, bad))}: no space, comma, < or & (3.2.1)")


def _times(alert: etree._Element) -> Iterator[Finding]:
    for name in ("sent", "effective", "onset", "expires"):
        for element in alert.iter(CAP + name):
            if (element.text or "").strip().endswith("+00:00"):
                yield found("utc-offset-plus", path_of(element), "UTC is written -00:00 in CAP (3.3.2)")


def _scope(alert: etree._Element) -> Iterator[Finding]:
    scope, restriction, addresses = (text_of(alert, n) for n in ("scope", "restriction", "addresses"))
    if scope == "Restricted" and not restriction:
        yield found("restriction-missing", "alert/restriction", "scope Restricted needs a restriction (3.2.1)")
    if scope and scope != "Restricted" and restriction:
        yield found("restriction-unused", "alert/restriction", f"scope is {scope}: a restriction has no effect")
    if scope == "Private" and not addresses:
        yield found("addresses-missing", "alert/addresses", "scope Private needs addresses (3.2.1)")
    for name in ("addresses", "incidents"):
        if text_of(alert, name).count('"') % 2:
            yield found("quotes-unpaired", f"alert/{name}", "a name with spaces stands in double quotes (3.2.1)")
    if text_of(alert, "msgType") == "Error" and not text_of(alert, "note"):
        yield found("note-missing", "alert/note", "an Error message should say in note what was wrong (3.2.1)")


def _references(alert: etree._Element) -> Iterator[Finding]:
    kind, references = text_of(alert, "msgType"), text_of(alert, "references").split()
    if kind in ("Update", "Cancel", "Ack", "Error") and not references:
        yield found("references-missing", "alert/references", f"{kind} must name the messages it follows (3.2.1)")
    if kind == "Alert" and references:
        yield found("references-unexpected", "alert/references", "a first Alert follows nothing: Update is meant?")
    own = f"{text_of(alert, 'sender')},{text_of(alert, 'identifier')},"
    sent = moment(text_of(alert, "sent"))
    for reference in references:
        match = _TRIPLE.fullmatch(reference)
        named = moment(match[1]) if match else None
        if match is None or named is None:
            yield found("references-form", "alert/references", f"{reference!r}: must be sender,identifier,sent (3.2.1)")
        elif reference.startswith(own):
            yield found("references-self", "alert/references", "a message cannot follow itself")
        elif sent is not None and named > sent:
            yield found("references-later", "alert/references",
                        f"{reference!r} was sent after this message ({text_of(alert, 'sent')})")
    if len(set(references)) < len(references):
        yield found("references-twice", "alert/references", "a message is named twice")


def _signature(alert: etree._Element) -> Iterator[Finding]:
    # libxml2's schema engine lets a Signature stand anywhere; the schema has it after every info.
    seen = 0
    for child in alert:
        if child.tag == SIGNATURE:
            seen += 1
        elif seen and isinstance(child.tag, str):
            yield found("signature-not-last", path_of(child), "stands after the Signature, which comes last")
            return
    if seen > 1:
        yield found("signature-several", "alert", f"{seen} signatures: which one counts?")


def _empty_and_repeated(alert: etree._Element) -> Iterator[Finding]:
    for group in alert.iter(*(CAP + name for name in TABLE)):
        for element in TABLE[etree.QName(group).localname]:
            children = group.findall(CAP + element.name)
            if element.kind == PAIR:
                values = [(text_of(c, "valueName"), text_of(c, "value")) for c in children]
            elif len(children) > 1 and not len(children[0]):
                values = [((c.text or "").strip(), "") for c in children]
            else:
                values = []
            repeated = next((value for value, count in Counter(values).items() if count > 1 and any(value)), None)
            if repeated is not None:
                yield found("value-repeated", f"{path_of(group)}/{element.name}", f"{' '.join(repeated).strip()!r} stands twice")
            # Empty ones that must say something have rules of their own.
            if element.least == 0 and element.kind == "text" and element.name != "derefUri":
                for child in children:
                    if not (child.text or "").strip() and not len(child):
                        yield found("empty-element", path_of(child), "is optional: leave it out where it says nothing")


def info_findings(alert: etree._Element, info: etree._Element) -> Iterator[Finding]:
    """Yield what is found in one info block, without its resources and areas."""
    where = path_of(info)
    if info.find(CAP + "event") is not None and says_nothing(info, "event"):
        yield found("event-empty", f"{where}/event", "is empty; it names what the message is about")
    language = info.find(CAP + "language")
    if language is not None:
        text = (language.text or "").strip()
        if not text:
            yield found("language-empty", f"{where}/language", "is empty: readers take en-US, the default")
        elif not _LANGUAGE.fullmatch(text):
            yield found("language-code", f"{where}/language", f"{text!r} is not a tag of RFC 3066, such as ro or en-GB")
    responses = {(r.text or "").strip() for r in info.findall(CAP + "responseType")}
    if len(responses) > 1 and responses & {"None", "AllClear"}:
        yield found("response-contradiction", f"{where}/responseType", f"{' and '.join(sorted(responses))} in one block")
    if len(text_of(info, "headline")) > HEADLINE_MAX:
        yield found("headline-long", f"{where}/headline", f"over {HEADLINE_MAX} characters: channels cut it (3.2.2)")
    web = text_of(info, "web")
    if web and not absolute(web):
        yield found("web-relative", f"{where}/web", f"{web!r} is not a full address (3.2.2)")
    for group in ("eventCode", "parameter"):
        for pair in info.findall(CAP + group):
            if not text_of(pair, "valueName"):
                yield found("value-name-empty", path_of(pair), "valueName is empty")
            elif not text_of(pair, "value"):
                yield found("value-empty", path_of(pair), f"{text_of(pair, 'valueName')} has no value")
    yield from _life(alert, info, where)


def _life(alert: etree._Element, info: etree._Element, where: str) -> Iterator[Finding]:
    times = {name: moment(text_of(info, name)) for name in ("effective", "onset", "expires")}
    sent, expires, onset = moment(text_of(alert, "sent")), times["expires"], times["onset"]
    begins = times["effective"] or sent
    kind, urgency = text_of(alert, "msgType"), text_of(info, "urgency")
    place = f"{where}/expires"
    if expires is None:
        if kind in ("Alert", "Update") and info.find(CAP + "expires") is None:
            yield found("expires-missing", place, "no end: readers will set one of their own")
        return
    if begins is not None and expires < begins:
        yield found("expires-before-effective", place,
                    f"{text_of(info, 'expires')} is before {text_of(info, 'effective') or text_of(alert, 'sent')}")
    elif (begins is not None and expires == begins) or (sent is not None and expires < sent):
        over = urgency == "Past" or kind not in ("Alert", "Update") or "AllClear" in (
            (r.text or "").strip() for r in info.findall(CAP + "responseType"))
        yield found("expired-when-sent-past" if over else "expired-when-sent", place,
                    f"{text_of(info, 'expires')}: it was over when it came")
    if onset is not None and expires < onset:
        # Weather services let a watch lapse before its event begins and renew it; an immediate danger has begun.
        now = urgency in ("Immediate", "Past")
        yield found("expires-before-onset" if now else "expires-before-onset-later", place,
                    f"lies before onset ({text_of(info, 'onset')}): it lapses before it begins")

"""Reads alerts as senders write them, and writes them again as strict CAP 1.2 of the same meaning.

Accepted with a finding each: CAP 1.0 and 1.1, no or a strange namespace, elements out of order or in other letter case,
values in other case or with space around, times with `Z`, fractions, no seconds or no offset, open polygons, foreign
elements. Nothing that changes whom it warns of what is guessed: a message without identifier, sender, sent, status or
msgType stays unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from lapwing.warn.cap_check import Judged, check_root
from lapwing.warn.cap_elements import (
    CAP,
    CIRCLE,
    DECIMAL,
    DSIG,
    ENUM,
    GROUP,
    INTEGER,
    LANGUAGE,
    LEGACY,
    NAMESPACE,
    PAIR,
    POLYGON,
    SIGNATURE,
    TEXT,
    TIME,
    Element,
    children_of,
)
from lapwing.warn.cap_rule_list import Finding
from lapwing.warn.cap_rules_area import NUMBER
from lapwing.warn.cap_xml import Hostile, parse

# What an element without a usable value gets; those of the message itself that are not here are never guessed.
DEFAULT = {"scope": "Public", "category": "Other", "urgency": "Unknown", "severity": "Unknown", "certainty": "Unknown",
           "event": "unknown", "resourceDesc": "resource", "mimeType": "application/octet-stream", "areaDesc": "area",
           "valueName": "", "value": ""}
# Values of the older standards and common slips -> ours.
OTHER_WORDS = {"very likely": "Likely", "verylikely": "Likely", "all clear": "AllClear", "all_clear": "AllClear",
               "warning": "Alert", "environmental": "Env", "meteorological": "Met", "cancelled": "Cancel"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,]\d+)?\s*(?:([Zz])|(?:GMT|UTC)?([-+]\d\d):?(\d\d)?)?")
_NUMBERS = re.compile(NUMBER, re.ASCII)


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a document. `root` is strict CAP 1.2, or None where it cannot be read as an alert."""

    root: etree._Element | None
    version: str                     # 1.0 | 1.1 | 1.2 | "" where the namespace does not say
    fixed: tuple[Finding, ...]       # what was read other than written
    octets: bytes = b""              # the document as it is to be written
    judged: Judged | None = None     # what the strict check says of it


def read(document: bytes) -> Read:
    """Return an alert read leniently. Hostile documents, and those that are no alert, have no root."""
    try:
        root = parse(document.lstrip(b" \t\r\n"))
    except Hostile as refused:
        return Read(None, "", (refused.finding,))
    return read_root(root, document)


def read_root(root: etree._Element, document: bytes = b"") -> Read:
    """Return an alert read leniently from a parsed tree; `document` is its octets, where it had any of its own."""
    name = etree.QName(root)
    if name.localname.lower() != "alert":
        return Read(None, "", (Finding("not-cap", "error", name.localname, f"the root is {root.tag}, not an alert"),))
    version = "1.2" if name.namespace == NAMESPACE else LEGACY.get(name.namespace or "", "")
    fixer = _Fixer()
    if version != "1.2":
        fixer.say("alert", f"namespace {name.namespace or '(none)'}: read as CAP {version or '1.2'}")
    signature = root.find(SIGNATURE)
    made = etree.Element(CAP + "alert", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    fixer.fill(made, root, "alert")
    _defaults_of_the_message(made, fixer)
    missing = [e.name for e in children_of("alert") if e.least and made.find(CAP + e.name) is None]
    if missing:
        wrong = Finding("schema-structure", "error", "alert", f"without {', '.join(missing)}: cannot be read as an alert")
        return Read(None, version, (*fixer.found, wrong))
    etree.indent(made)
    octets = bytes(etree.tostring(made, xml_declaration=True, encoding="UTF-8")) + b"\n"
    if signature is not None and document:
        if check_root(root).valid:
            # Only the octets as they are keep the signature: a valid message is handed on untouched.
            return Read(made, version, (), document, check_root(root))
        fixer.say("alert/Signature", "left out: the message had to be changed, and the signature covered it as it was")
    return Read(made, version, tuple(fixer.found), octets, check_root(parse(octets)))


def _defaults_of_the_message(made: etree._Element, fixer: _Fixer) -> None:
    """CAP 1.0 has scope optional, and Public where it is missing."""
    if made.find(CAP + "scope") is None and made.find(CAP + "restriction") is None and made.find(CAP + "addresses") is None:
        scope = etree.Element(CAP + "scope")
        scope.text = DEFAULT["scope"]
        order = [CAP + e.name for e in children_of("alert")]
        at = sum(1 for child in made if order.index(str(child.tag)) < order.index(CAP + "scope"))
        made.insert(at, scope)
        fixer.say("alert/scope", "is missing: read as Public, as CAP 1.0 has it")


class _Fixer:
    """Builds the strict tree from the lenient one and notes what it read other than written."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def say(self, path: str, message: str) -> None:
        self.found.append(Finding("read-leniently", "warning", path, message))

    def fill(self, made: etree._Element, source: etree._Element, path: str) -> None:
        """Fill an element of the strict tree with what the source holds, in the standard's order."""
        table = children_of(etree.QName(made).localname)
        by_name: dict[str, list[etree._Element]] = {e.name.lower(): [] for e in table}
        names: list[str] = []
        for child in source:
            name = etree.QName(child).localname
            if str(child.tag).startswith(DSIG):
                continue
            if name.lower() not in by_name:
                self.say(f"{path}/{name}", "is no element of CAP here: left out")
                continue
            if name != next(e.name for e in table if e.name.lower() == name.lower()):
                self.say(f"{path}/{name}", "letters in other case")
            by_name[name.lower()].append(child)
            names.append(name.lower())
        places = [list(by_name).index(name) for name in names]
        if places != sorted(places):
            self.say(path, "elements out of order: put in the standard's")
        for element in table:
            self._put(made, element, by_name[element.name.lower()], path)

    def _put(self, made: etree._Element, element: Element, sources: list[etree._Element], path: str) -> None:
        if len(sources) > element.most:
            self.say(f"{path}/{element.name}", f"{len(sources)} times: the first is taken")
        put = 0
        for number, source in enumerate(sources[: element.most], 1):
            where = f"{path}/{element.name}" + (f"[{number}]" if len(sources) > 1 else "")
            if element.kind in (GROUP, PAIR):
                child = etree.SubElement(made, CAP + element.name)
                if element.kind == PAIR and not len(source):
                    self._old_pair(child, source.text or "", where)
                else:
                    self.fill(child, source, where)
                put += 1
            else:
                text = self._text(element, _all_text(source), where)
                if text is not None:
                    etree.SubElement(made, CAP + element.name).text = text
                    put += 1
        if put < element.least and element.name in DEFAULT and element.name != "scope":
            etree.SubElement(made, CAP + element.name).text = DEFAULT[element.name]
            if not (sources and element.name == "value"):
                self.say(f"{path}/{element.name}", f"is missing: read as {DEFAULT[element.name] or '(nothing)'}")

    def _old_pair(self, made: etree._Element, text: str, where: str) -> None:
        """CAP 1.0 wrote ``name=value``."""
        name, _, value = text.strip().partition("=")
        etree.SubElement(made, CAP + "valueName").text = name.strip() if value else ""
        etree.SubElement(made, CAP + "value").text = (value or name).strip()
        self.say(where, "name=value of CAP 1.0")

    def _text(self, element: Element, text: str, where: str) -> str | None:
        """Return the value as CAP 1.2 writes it; None where there is nothing to write."""
        plain = text.strip()
        if not plain:
            if element.name == "value":
                return ""
            if element.least and element.name not in DEFAULT:
                self.say(where, "is empty")
            return None
        if element.kind == ENUM:
            return self._value(element, plain, where, plain == text)
        if element.kind == TIME:
            return self._time(plain, where)
        if element.kind == POLYGON:
            return self._polygon(plain, where)
        if element.kind == CIRCLE:
            return self._circle(plain, where)
        if element.kind in (INTEGER, DECIMAL):
            return self._number(element, plain, where)
        if element.kind == LANGUAGE and "_" in plain:
            self.say(where, f"{plain!r}: read as {plain.replace('_', '-')}")
            return plain.replace("_", "-")
        return text if element.kind == TEXT and element.name != "references" else " ".join(plain.split())

    def _value(self, element: Element, plain: str, where: str, exact: bool) -> str | None:
        if plain in element.values and exact:
            return plain
        lower = " ".join(plain.lower().split())
        by_case = {value.lower(): value for value in element.values}
        value = by_case.get(lower) or by_case.get(OTHER_WORDS.get(lower, "").lower())
        if value is None and element.name == "responseType":
            self.say(where, f"{plain!r} is no value of CAP: left out")
            return None
        if value is None and element.name in DEFAULT and element.name != "scope":
            value = DEFAULT[element.name]
        self.say(where, f"{plain!r}: " + (f"read as {value}" if value else "not understood"))
        return value

    def _time(self, plain: str, where: str) -> str | None:
        text, said = strict_time(plain)
        if text is None:
            self.say(where, f"{plain!r} is not a time: left out")
        elif said:
            self.say(where, f"{plain!r}: {said}")
        return text

    def _polygon(self, plain: str, where: str) -> str | None:
        words = plain.split()
        if not all(re.fullmatch(rf"{NUMBER},{NUMBER}", word, re.ASCII) for word in words):
            numbers = _NUMBERS.findall(plain)
            if len(numbers) % 2 or len(numbers) < 6:
                self.say(where, "is not pairs of numbers: left out")
                return None
            words = [f"{a},{b}" for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
            self.say(where, "numbers read in pairs, latitude first")
        if words[0] != words[-1] and tuple(map(float, words[0].split(","))) != tuple(map(float, words[-1].split(","))):
            words.append(words[0])
            self.say(where, "was open: closed")
        return " ".join(words)

    def _circle(self, plain: str, where: str) -> str | None:
        numbers = _NUMBERS.findall(plain)
        if len(numbers) != 3:
            self.say(where, f"{plain!r} is not latitude,longitude radius: left out")
            return None
        text = f"{numbers[0]},{numbers[1]} {numbers[2]}"
        if text != plain:
            self.say(where, f"{plain!r}: read as {text}")
        return text

    def _number(self, element: Element, plain: str, where: str) -> str | None:
        form = r"[-+]?\d+" if element.kind == INTEGER else NUMBER
        match = re.match(form, plain, re.ASCII)
        if match is None or match[0] != plain:
            self.say(where, f"{plain!r}: " + (f"read as {match[0]}" if match else "is not a number: left out"))
        return match[0] if match else None


def strict_time(text: str) -> tuple[str | None, str]:
    """Return a time as CAP 1.2 writes it, in the offset that it was given in, and what was done to it ("" nothing).

    >>> strict_time("2025-08-05T22:52:02.5Z")
    ('2025-08-05T22:52:02-00:00', 'Z and fractions are not CAP')
    >>> strict_time("2025-08-05T22:52:02+03:00")
    ('2025-08-05T22:52:02+03:00', '')
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None, ""
    date, minutes, seconds, zulu, hours, rest = match.groups()
    offset = "-00:00" if zulu or hours is None else f"{hours}:{rest or '00'}"
    if offset == "+00:00":
        offset = "-00:00"
    made = f"{date}T{minutes}{seconds or ':00'}{offset}"
    try:
        moment = datetime.fromisoformat(made.replace("T24:", "T00:", 1))
        if "T24:" in made:
            made = (moment + timedelta(days=1)).isoformat().replace("+00:00", "-00:00")
    except ValueError:
        return None, ""
    if not zulu and hours is None:
        return made, "no offset: read as UTC"
    if made == text or made.replace("-00:00", "+00:00") == text:
        return made, ""
    return made, "Z and fractions are not CAP" if zulu else f"read as {made}"


def _all_text(element: etree._Element) -> str:
    """Return the text of an element with that of its children, as a lenient reader sees it."""
    return "".join(_texts(element))


def _texts(element: etree._Element) -> Iterator[str]:
    for text in element.itertext():
        yield str(text)

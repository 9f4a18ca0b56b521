"""What the OASIS schema finds, one finding a fault, with a stable rule name, the element's place and words for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from lxml import etree

from lapwing.warn.cap import schema_bytes
from lapwing.warn.cap_elements import CAP, ENUM, INTEGER, TIME, children_of
from lapwing.warn.cap_rule_list import Finding, found
from lapwing.warn.cap_rules import path_of

# libxml2's names of what it finds -> ours. What is not here is a value that does not fit.
_RULE = {
    "SCHEMAV_ELEMENT_CONTENT": "schema-structure",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "schema-structure",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "schema-structure",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "schema-structure",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_4": "schema-structure",
    "SCHEMAV_CVC_TYPE_3_1_2": "schema-structure",
    "SCHEMAV_CVC_ELT_1": "schema-structure",
    "SCHEMAV_CVC_TYPE_3_1_1": "schema-attribute",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_1": "schema-attribute",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "schema-attribute",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": "schema-attribute",
    "SCHEMAV_CVC_ELT_3_1": "schema-attribute",
    "SCHEMAV_CVC_ENUMERATION_VALID": "schema-enumeration",
}
_TIMES = ("sent", "effective", "onset", "expires")
_STEP = re.compile(r"/\*(?:\[(\d+)\])?")
FINDINGS_MAX = 100               # of one document: more say nothing new


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(schema_bytes()))


def schema_findings(alert: etree._Element) -> Iterator[Finding]:
    """Yield what the schema finds in an alert, the first of each kind at each place."""
    schema = _schema()
    if schema.validate(alert):
        return
    seen: set[tuple[str, str]] = set()
    for error in list(schema.error_log)[:FINDINGS_MAX]:  # type: ignore[call-overload]
        element = _at(alert, str(error.path))
        name = etree.QName(element).localname
        rule = _RULE.get(str(error.type_name), "schema-time" if name in _TIMES else "schema-value")
        path = path_of(element)
        # One fault of an element is often told twice, as a facet and as a type.
        if (rule, path) not in seen:
            seen.add((rule, path))
            yield found(rule, path, _words(rule, element, str(error.message)))


def _at(root: etree._Element, path: str) -> etree._Element:
    """Return the element of a libxml2 path such as ``/*/*[3]/*[1]``; the root where there is none."""
    element = root
    for step in list(_STEP.finditer(path))[1:]:
        children = [child for child in element if isinstance(child.tag, str)]
        place = int(step[1] or 1) - 1
        if place >= len(children):
            break
        element = children[place]
    return element


def _words(rule: str, element: etree._Element, message: str) -> str:
    text = (element.text or "").strip()
    name = etree.QName(element).localname
    parent = element.getparent()
    kin = {} if parent is None else {e.name: e for e in children_of(etree.QName(parent).localname)}
    if rule == "schema-time":
        return f"{text!r}: must be YYYY-MM-DDThh:mm:ss with an offset such as +03:00; UTC is -00:00 (3.3.2)"
    if rule == "schema-enumeration" and name in kin and kin[name].kind == ENUM:
        return f"{element.text or ''!r}: one of {', '.join(kin[name].values)}"
    if rule == "schema-value" and name in kin and kin[name].kind in (INTEGER, TIME):
        return f"{text!r}: must be a whole number"
    return message.replace(CAP, "").replace("{http://www.w3.org/2000/09/xmldsig#}", "ds:")

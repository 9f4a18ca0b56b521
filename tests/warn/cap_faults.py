"""Makes CAP documents with exactly one fault each, over every element of the standard, from one full good document."""

from __future__ import annotations

import base64
import hashlib
from copy import deepcopy

from lxml import etree

from lapwing.warn.cap_elements import CAP, NAMESPACE, PAIR_TABLE, TABLE

SOUND = b"\x00\x01a siren"
FULL = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{NAMESPACE}">
  <identifier>urn:uuid:1f3a</identifier>
  <sender>warn@examplia.example</sender>
  <sent>2025-08-05T19:52:02-00:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <source>desk 3</source>
  <scope>Restricted</scope>
  <restriction>county desks</restriction>
  <addresses>one "two three"</addresses>
  <code>profile:one</code>
  <code>profile:two</code>
  <note>a note</note>
  <references>warn@examplia.example,urn:uuid:1f39,2025-08-05T19:40:00-00:00</references>
  <incidents>"incident one" two</incidents>
  <info>
    <language>ro</language>
    <category>Safety</category>
    <category>Security</category>
    <event>Drone</event>
    <responseType>Shelter</responseType>
    <responseType>Monitor</responseType>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <audience>all</audience>
    <eventCode><valueName>OURS</valueName><value>air</value></eventCode>
    <eventCode><valueName>OURS</valueName><value>drone</value></eventCode>
    <effective>2025-08-05T19:52:02-00:00</effective>
    <onset>2025-08-05T19:55:00-00:00</onset>
    <expires>2025-08-05T20:12:00-00:00</expires>
    <senderName>The desk</senderName>
    <headline>A drone comes</headline>
    <description>One drone.</description>
    <instruction>Go in.</instruction>
    <web>https://examplia.example/alerts</web>
    <contact>112</contact>
    <parameter><valueName>level</valueName><value>alert</value></parameter>
    <parameter><valueName>colour</valueName><value>red</value></parameter>
    <resource>
      <resourceDesc>Siren</resourceDesc>
      <mimeType>audio/mpeg</mimeType>
      <size>{len(SOUND)}</size>
      <uri>siren.mp3</uri>
      <derefUri>{base64.b64encode(SOUND).decode()}</derefUri>
      <digest>{hashlib.sha1(SOUND).hexdigest()}</digest>
    </resource>
    <area>
      <areaDesc>The bank</areaDesc>
      <polygon>45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0</polygon>
      <polygon>46.0,28.0 46.0,28.1 46.1,28.1 46.0,28.0</polygon>
      <circle>45.2,28.5 12.5</circle>
      <circle>45.3,28.5 0</circle>
      <geocode><valueName>NUTS</valueName><value>RO225</value></geocode>
      <geocode><valueName>NUTS</valueName><value>RO226</value></geocode>
      <altitude>100</altitude>
      <ceiling>2000.5</ceiling>
    </area>
  </info>
</alert>
"""
BAD_TIMES = ("2025-08-05T19:52:02Z", "2025-08-05T19:52:02", "2025-08-05T19:52:02.5-00:00", "2025-08-05 19:52:02-00:00",
             "2025-08-05T19:52-00:00", "2025-02-30T19:52:02-00:00", "2025-13-01T00:00:00-00:00", "2025-08-05T25:00:00-00:00",
             "2025-08-05T19:60:00-00:00", "2025-08-05T19:52:02-0000", "2025-08-05T19:52:02+24:00", "05.08.2025 19:52",
             "2025-08-05T19:52:02,00:00", "2025-8-5T19:52:02-00:00", "2025-08-05", "1754423522", "now", "")
BAD_WORDS = ("", " ", "x", "NULL")
BAD = {
    "identifier": ("a b", "a,b", "a<b", "a&b", " a", "a\n", "", " "),
    "sender": ("a b", "a,b", "a<b", "a&b", "a ", "", "\t"),
    "restriction": ("", " "),
    "addresses": ('"a b', 'a"'),
    "incidents": ('"a b', 'a "b" c"'),
    "references": ("", "a,b", "a", "a,b,c", "a,b,2025-08-05T19:40:00Z", "a b,c,2025-08-05T19:40:00-00:00",
                   "a,b,2025-08-05T19:40:00-00:00,d", "a,b,2025-02-30T19:40:00-00:00", "a,b,2025-08-06T19:40:00-00:00",
                   "warn@examplia.example,urn:uuid:1f3a,2025-08-05T19:52:02-00:00", ",b,2025-08-05T19:40:00-00:00",
                   "a,b,2025-08-05T19:40:00-00:00;c,d,2025-08-05T19:41:00-00:00"),
    "language": ("en_GB", "english", "e", "en-", "en-toolonglonglong", "en gb", "12", "română"),
    "event": ("", " \n"),
    "web": ("examplia.example", "/alerts", "not an address", "http://", "http: //a.example", "www.examplia.example/a"),
    "expires": ("2025-08-05T19:52:01-00:00", "2025-08-05T19:52:02-00:00", "2020-01-01T00:00:00-00:00", "2025-08-05T19:54:00-00:00"),
    "onset": ("2025-08-05T20:12:01-00:00", "2030-08-05T20:12:01-00:00"),
    "effective": ("2025-08-05T20:12:01-00:00", "2025-08-05T20:12:00-00:00"),
    "resourceDesc": ("", " "),
    "mimeType": ("", "audio", "audio/", "/mpeg", "audio mpeg", "mp3 file"),
    "size": ("-1", "12 kB", "1.5", "big", ""),
    "derefUri": ("not base64!", "abc", "äöü"),
    "digest": ("12", "z" * 40, "a" * 39, "a" * 41, "b" * 40, "sha1:" + "a" * 40),
    "areaDesc": ("", " "),
    "polygon": ("", "45,28", "45,28 45,28.1 45.1,28.1", "45,28 45,28.1 45,28", "45,28 45,28.1 45.1,28.1 45,28.0001",
                "45 28 45 28.1 45.1 28.1 45 28", "45,28;45,28.1;45.1,28.1;45,28", "45, 28 45, 28.1 45.1, 28.1 45, 28",
                "45,28,0 45,28.1,0 45.1,28.1,0 45,28,0", "91,28 45,28.1 45.1,28.1 91,28", "-90.1,28 45,28.1 45.1,28.1 -90.1,28",
                "45,181 45,178.1 45.1,178.1 45,181", "45,-180.5 45,-178.1 45.1,-178.1 45,-180.5",
                "120,45 121,45 121,46 120,45", "45,nan 45,28.1 45.1,28.1 45,nan", "45,inf 45,28.1 45.1,28.1 45,inf",
                "45N,28E 45N,29E 46N,29E 45N,28E", "4e1,28 45,28.1 45.1,28.1 4e1,28",
                "45,28 45,28.1 45.1,28.1 x", "45.0.1,28 45,28.1 45.1,28.1 45.0.1,28"),
    "circle": ("", "45,28", "45,28,3", "45 28 3", "45,28 -3", "91,28 3", "45,181 3", "45,28 3 km", "45,28 nan", "45,28 30000", "45, 28 3"),
    "altitude": ("", "high", "1e3", "100 ft", "2000.6"),
    "ceiling": ("", "high", "1e3", "99", "2,000"),
}
BAD_NAMES = {"eventCode": ("",), "parameter": ("",), "geocode": ("", " ")}


def good() -> etree._Element:
    return etree.fromstring(FULL.encode())


def octets(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _places(root):
    """Yield (group element, its table, path) of every group once, pairs too."""
    for name, table in TABLE.items():
        yield root if name == "alert" else root.find(f".//{CAP}{name}"), table
    for name in ("eventCode", "parameter", "geocode"):
        yield root.find(f".//{CAP}{name}"), PAIR_TABLE


def _mutant(change):
    root = good()
    change(root)
    return octets(root)


def _find(root, group, name):
    parent = root if group == "alert" else root.find(f".//{CAP}{group}")
    return parent, parent.find(CAP + name)


def structure_faults():
    """Yield (name, octets): elements missing, twice, out of order, unknown, with attributes, children, text between, other namespace."""
    groups = [(g, t) for g, t in TABLE.items()] + [(p, PAIR_TABLE) for p in ("eventCode", "parameter", "geocode")]
    for group, table in groups:
        for element in table:
            def at(root, group=group, element=element):
                return _find(root, group, element.name)

            if element.least:
                def drop(root, at=at, element=element):
                    parent, _ = at(root)
                    for child in parent.findall(CAP + element.name):
                        parent.remove(child)
                yield f"{group}/{element.name} missing", _mutant(drop)
            if element.most == 1:
                def double(root, at=at):
                    parent, child = at(root)
                    parent.insert(parent.index(child), deepcopy(child))
                yield f"{group}/{element.name} twice", _mutant(double)

            def rename(root, at=at):
                _, child = at(root)
                child.tag = CAP + etree.QName(child).localname + "X"
            yield f"{group}/{element.name} misspelt", _mutant(rename)

            def foreign(root, at=at):
                _, child = at(root)
                child.tag = "{urn:other}" + etree.QName(child).localname
            yield f"{group}/{element.name} in another namespace", _mutant(foreign)

            def attribute(root, at=at):
                at(root)[1].set("lang", "en")
            yield f"{group}/{element.name} with an attribute", _mutant(attribute)
            if element.kind not in ("group", "pair"):
                def inside(root, at=at):
                    etree.SubElement(at(root)[1], CAP + "b").text = "x"
                yield f"{group}/{element.name} with an element inside", _mutant(inside)
            else:
                def between(root, at=at):
                    at(root)[1].text = "words"
                yield f"{group}/{element.name} with text between", _mutant(between)

            def first(root, at=at, table=table):
                parent, child = at(root)
                others = [c for c in parent if c.tag != child.tag]
                if parent.index(child) > 0 and others:
                    parent.remove(child)
                    parent.insert(0, child)
                else:
                    parent.remove(child)
                    parent.append(child)
            yield f"{group}/{element.name} out of order", _mutant(first)


def value_faults():
    """Yield (name, octets): one wrong value in one element."""
    for group, table in TABLE.items():
        for element in table:
            values = BAD.get(element.name, ())
            if element.kind == "time":
                values += BAD_TIMES
            if element.kind == "enum":
                one = element.values[0]
                values += (*BAD_WORDS, one.lower(), one.upper() if one.upper() != one else one + "S", f" {one}", f"{one}\n", one[:-1])
            for value in values:
                def change(root, group=group, element=element, value=value):
                    _find(root, group, element.name)[1].text = value
                yield f"{group}/{element.name} = {value!r}", _mutant(change)
    for group, names in BAD_NAMES.items():
        for name in names:
            def change(root, group=group, name=name):
                root.find(f".//{CAP}{group}").find(CAP + "valueName").text = name
            yield f"{group} without a name", _mutant(change)


def message_faults():
    """Yield (name, octets): elements that are right alone and wrong together."""
    def removing(*names, **texts):
        def change(root):
            for name in names:
                for element in list(root.iter(CAP + name)):
                    element.getparent().remove(element)
            for name, text in texts.items():
                next(root.iter(CAP + name)).text = text
        return change

    for kind in ("Update", "Cancel", "Ack", "Error"):
        yield f"{kind} without references", _mutant(removing("references", msgType=kind))
    yield "Restricted without restriction", _mutant(removing("restriction"))
    yield "Private without addresses", _mutant(removing("restriction", "addresses", scope="Private"))
    yield "a ceiling without altitude", _mutant(removing("altitude"))
    yield "a relative uri without content", _mutant(removing("derefUri", "digest"))
    yield "a geocode without value", _mutant(lambda root: setattr(root.find(f".//{CAP}geocode/{CAP}value"), "text", ""))
    yield "expires before sent", _mutant(removing("effective", "onset", expires="2025-08-05T19:50:00-00:00"))
    yield "offsets hide that it is over", _mutant(removing("onset", expires="2025-08-05T20:12:00+03:00"))

    def signature_first(root):
        root.insert(0, etree.Element("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    yield "signature first", _mutant(signature_first)

    def foreign_last(root):
        etree.SubElement(root, "{urn:other}extension").text = "x"
    yield "an extension at the end", _mutant(foreign_last)
    oasis = "urn:oasis:names:tc:emergency:cap:"
    for namespace in (oasis + "1.1", oasis + "1.3", "http://www.incident.com/cap/1.0", ""):
        yield f"namespace {namespace!r}", FULL.replace(NAMESPACE, namespace).encode()


def all_faults():
    yield from structure_faults()
    yield from value_faults()
    yield from message_faults()

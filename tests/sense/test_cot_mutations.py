"""Every single fault of an otherwise sound CoT event is found, every sound variation is left alone; MITRE's schema is asked as well."""

import struct
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from lapwing.sense import cot_check
from lapwing.sense.findings import NOTE, is_valid

EVENT = {"version": "2.0", "uid": "UA-1", "type": "a-u-A-M-F-Q", "how": "m-r", "time": "2026-11-23T01:02:03.25Z",
         "start": "2026-11-23T01:02:03Z", "stale": "2026-11-23T01:02:18Z", "qos": "5-r-g", "opex": "o-night", "access": "NATO"}
POINT = {"lat": "45.3", "lon": "28.6", "hae": "180", "ce": "50", "le": "30.5"}
TRACK = {"course": "319.6", "speed": "48.6"}
REQUIRED = ("version", "uid", "type", "how", "time", "start", "stale")


def element(name, attributes, inside=""):
    return f"<{name}{''.join(f' {key}={quoteattr(text)}' for key, text in attributes.items())}>{inside}</{name}>"


def written(event=EVENT, point=POINT, track=TRACK):
    return element("event", event, element("point", point) + element("detail", {}, element("track", track)))


def found(text):
    return [finding for finding in cot_check.check(text.encode()) if finding.severity != NOTE]


def changed(part, name, text):
    attributes = {"event": EVENT, "point": POINT, "track": TRACK}[part]
    other = {key: value for key, value in attributes.items() if key != name} | ({} if text is None else {name: text})
    return written(**{part: other})


FAULTS = [
    *(("event", name, fault) for name in REQUIRED for fault in (None, "", " ")),
    *(("point", name, fault) for name in POINT for fault in (None, "", " ", "x", "1e2", "NaN", "INF", "1,5", "0x10", "1 2", "٤٥", "--1")),
    *(("event", name, fault) for name in ("time", "start", "stale") for fault in (
        "2026-11-23", "2026-11-23 01:02:10Z", "2026-11-23T01:02:10", "2026-13-23T01:02:10Z", "2026-02-30T01:02:10Z", "2026-11-23T25:02:10Z",
        "2026-11-23T01:60:10Z", "2026-11-23T01:02:60Z", "2026-11-23T01:02:10z", "26-11-23T01:02:10Z", "1795395723", "2026-11-23T01:02:10.Z",
        "2026-11-23T01:02:10+15:00", "2026-11-23T01:02:10+01:99", "2026-11-23T24:00:00.5Z", "2026-11-23T01:02:10+1:00", "now")),
    *(("event", "version", fault) for fault in ("1.0", "1.999", "0", "-2", "two", "2.0.1", "2,0", "3.0")),
    *(("event", "type", fault) for fault in ("a--u", "-a", "a-", "a u", "a.u.A", "a_u", "a-u-A;x;y", "a-q-A", "a", "q-x", "A-u-A")),
    *(("event", "how", fault) for fault in ("mr", "-m", "m-", "m r", "m_r", "x-r", "9")),
    *(("event", "qos", fault) for fault in ("", "5", "5-r", "r-5-g", "55-r-g", "5-rr-g", "5 r g", "5-r-g-x")),
    *(("event", "opex", fault) for fault in ("x", "exercise", "O-night")),
    *(("event", name, "1") for name in ("lat", "Type", "uuid", "xmlns", "severity")),
    *(("point", name, "1") for name in ("alt", "Lat", "uid")),
    ("point", "lat", "90.0001"), ("point", "lat", "-91"), ("point", "lon", "180.01"), ("point", "lon", "-181"), ("point", "hae", "-20000"),
    ("point", "hae", "500000"), ("point", "ce", "-1"), ("point", "le", "-0.5"), ("event", "stale", "2026-11-23T01:02:02Z"),
    ("event", "stale", "2026-11-23T01:02:03.1Z"), ("track", "course", None), ("track", "speed", None), ("track", "course", "360"),
    ("track", "course", "-1"), ("track", "speed", "fast"), ("track", "course", "nan"), ("track", "speed", ""),
]

VARIATIONS = [
    *(("event", name, None) for name in ("qos", "opex", "access")), *(("event", "access", text) for text in ("", "x y;z")),
    *(("event", "version", text) for text in ("2", "2.00", " 2.0 ", "+2.0", "2.1")),
    *(("event", "qos", text) for text in ("0-i-c", "9-f-d")),
    *(("event", "type", text) for text in ("a-f-G", "a-n-A-C-F", "b-m-p-s-m", "t-x-c-t", "u-d-c-c", "a-u-A;extra", "a-u-A;")),
    *(("event", "how", text) for text in ("m", "h-e", "h-g-i-g-o", "m-g")),
    *(("event", "opex", text) for text in ("", "o", "o-a b", "e-x", "s")),
    *(("event", name, text) for name in ("time", "start") for text in (
        "2026-11-23T01:02:03.123456789012Z", "2026-11-23T03:02:03+02:00", "2026-11-22T20:02:03-05:00", "2026-11-23T01:02:03.0Z")),
    ("event", "stale", "2026-11-23T24:00:00Z"), ("event", "stale", "2027-01-01T00:00:00Z"), ("event", "uid", "Zażółć 7"),
    *(("point", name, text) for name, texts in {
        "lat": ("90", "-90", "0", " 45.3 ", "+45.3", "45.", ".5", "45.30000000000000001"), "lon": ("180", "-180.0", "-0"),
        "hae": ("9999999.0", "999999", "-400", "0"), "ce": ("9999999", "0", "999999.0"),
        "le": ("9999999.0", "0")}.items() for text in texts),
    ("track", "course", "0"), ("track", "course", "359.99"), ("track", "speed", "0"),
]


def test_the_event_itself_is_sound():
    assert found(written()) == []


@pytest.mark.parametrize(("part", "name", "text"), FAULTS)
def test_a_single_fault_is_found(part, name, text):
    assert found(changed(part, name, text))


@pytest.mark.parametrize(("part", "name", "text"), VARIATIONS)
def test_a_sound_variation_is_left_alone(part, name, text):
    assert found(changed(part, name, text)) == []


INSIDE = element("point", POINT)


@pytest.mark.parametrize("document", [
    element("event", EVENT), element("event", EVENT, INSIDE * 2), element("event", EVENT, INSIDE + "<detail/><detail/>"),
    element("event", EVENT, INSIDE + "<extra/>"), element("event", EVENT, "text" + INSIDE), element("event", EVENT, INSIDE + "text"),
    element("event", EVENT, element("point", POINT, "text")), element("event", EVENT, element("point", POINT, "<x/>")),
    element("Event", EVENT, INSIDE), element("event", EVENT | {"xmlns": "urn:x"}, INSIDE),
    element("event", EVENT, element("Point", POINT)), element("event", EVENT | {"xmlns:p": "urn:x"}, element("p:point", POINT)),
    element("event", EVENT | {"xmlns:p": "urn:x", "p:lat": "1"}, INSIDE), written()[:-3], written()[1:], written() + "<", "", " ", "{}",
    written().replace(" uid=", " uid='B' uid="), written().replace("45.3", "&lat;"), "<!DOCTYPE event>" + written(),
    '<!DOCTYPE e [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + written().replace("UA-1", "&b;"), written() + "x" + written(),
    element("events", {}, written()), written().replace("<track", "<a>" * 80 + "<track").replace("</detail>", "</a>" * 80 + "</detail>"),
    "<?xml version='1.0' encoding='no-such'?>" + written(), written().replace("UA-1", "\x01"),
])
def test_a_wrong_build_is_found(document):
    assert not is_valid(cot_check.check(document.encode()))


@pytest.fixture(scope="module")
def schema(shared):
    [path] = (shared / "data/interop/cot/mitre-xsd").glob("CoT Base-Event*.xsd")
    return etree.XMLSchema(etree.parse(path))


@pytest.mark.parametrize(("part", "name", "text"), FAULTS + VARIATIONS)
def test_nothing_that_the_schema_of_mitre_refuses_is_valid(schema, part, name, text):
    document = changed(part, name, text)
    assert schema.validate(etree.fromstring(document)) or not is_valid(cot_check.check(document.encode()))


@given(st.sampled_from(["type", "how", "qos"]), st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
                                                        max_size=6))
def test_patterns_are_those_of_the_schema_for_any_letters(name, text):
    pattern = {"type": r"\w+(-\w+)*(;[^;]*)?", "how": r"\w(-\w+)*", "qos": r"\d-\w-\w"}[name]
    root = etree.fromstring(
        f"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a'><xs:simpleType><xs:restriction base='xs:string'>"
        f"<xs:pattern value='{pattern}'/></xs:restriction></xs:simpleType></xs:element></xs:schema>")
    refused = not etree.XMLSchema(root).validate(etree.fromstring(element("a", {}, text.replace("&", "&amp;").replace("<", "&lt;"))))
    errors = [f for f in cot_check.check(changed("event", name, text).encode()) if f.severity == "error"]
    if text.isascii():        # of other letters libxml2 has an older table
        assert refused == bool(errors)


def varint(number):
    octets = b""
    while number > 127:
        octets, number = octets + bytes([number & 127 | 128]), number >> 7
    return octets + bytes([number])


def text_field(number, octets):
    return varint(number << 3 | 2) + varint(len(octets)) + octets


FIELDS = {**{number: text_field(number, text) for number, text in {1: b"a-u-A", 5: b"UA-1", 9: b"m-r"}.items()},
          **{number: varint(number << 3) + varint(1_795_395_723_000 + late) for number, late in {6: 0, 7: 0, 8: 15_000}.items()},
          **{number: varint(number << 3 | 1) + struct.pack("<d", value)
             for number, value in {10: 45.3, 11: 28.6, 12: 180.0, 13: 50.0, 14: 30.0}.items()}}


def message(fields=FIELDS):
    return text_field(2, b"".join(fields.values()))


def mesh(octets):
    return b"\xbf\x01\xbf" + octets


def stream(octets):
    return b"\xbf" + varint(len(octets)) + octets


def test_the_tak_message_itself_is_sound_and_so_is_xml_behind_the_header_of_version_0():
    for document in (mesh(message()), stream(message()), stream(message()) * 3, b"\xbf\x00\xbf" + written().encode()):
        assert [f for f in cot_check.check(document) if f.severity != NOTE] == []


@pytest.mark.parametrize("document", [
    *(mesh(message({k: v for k, v in FIELDS.items() if k != number})) for number in (1, 5, 6, 7, 8, 9)),
    *(mesh(message(FIELDS | {number: varint(number << 3) + varint(7)})) for number in (1, 5, 9, 10, 11, 12, 13, 14, 15)),
    *(mesh(message(FIELDS | {number: varint(number << 3 | 5) + b"\0\0\0A"})) for number in (1, 5, 6, 7, 8, 9, 10, 11)),
    *(mesh(message(FIELDS | {number: varint(number << 3 | 1) + bytes(8)})) for number in (1, 5, 6, 7, 8, 9)),
    *(mesh(message(FIELDS | {number: text_field(number, b"x")})) for number in (6, 7, 8, 10, 11, 12, 13, 14, 15)),
    *(mesh(message(FIELDS | {number: varint(number << 3 | 1) + struct.pack("<d", value)}))
      for number, value in ((10, 91.0), (10, float("nan")), (11, 181.0), (12, float("inf")), (13, float("nan")))),
    mesh(message(FIELDS | {5: text_field(5, b"\xff")})), mesh(message(FIELDS | {8: varint(8 << 3) + varint(1)})),
    mesh(message(FIELDS | {6: varint(6 << 3) + varint((1 << 64) - 1)})),
    mesh(message(FIELDS | {15: text_field(15, text_field(1, b"<a>"))})), mesh(message(FIELDS | {0: b"\x03"})),
    mesh(message(FIELDS | {0: b"\x02\x00"})), mesh(b""),
    mesh(message()[:-1]), mesh(message() + b"\x12"),
    b"\xbf", b"\xbf\x01", b"\xbf\x02\xbf" + message(), b"\xbf\x01" + message(), b"\xbf\x00\xbf" + message(), b"\xbe\x01\xbf" + message(),
    stream(message())[:-1], stream(message()) + b"\x00", stream(message()) + b"\xbf", b"\xbf\xff\xff\xff\xff\x7f" + message(),
    b"\xbf" + b"\xff" * 11, stream(message()) + stream(message())[:5], b"\xbf\x00\xbf", b"\xbf\x00\xbf<event/>",
])
def test_a_single_fault_of_a_tak_message_is_found(document):
    assert not is_valid(cot_check.check(document))

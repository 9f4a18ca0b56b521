"""The lenient reader gives strict CAP 1.2 of the same meaning, or says that it cannot."""

import pytest
from cap_faults import FULL, all_faults
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from lapwing.warn.cap_check import check
from lapwing.warn.cap_elements import CAP, NAMESPACE
from lapwing.warn.cap_read import read, strict_time
from lapwing.warn.cap_signature import verify

V10, V11 = "http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.1"


def meaning(document):
    """Return every element's path and words, without empty optional ones and with UTC written one way."""
    found = []
    for element in etree.fromstring(document).iter(etree.Element):
        text = " ".join((element.text or "").split())
        text = text.replace("+00:00", "-00:00") if text.endswith("+00:00") else text
        tag = etree.QName(element)
        if tag.namespace == NAMESPACE and (text or len(element) or tag.localname == "value"):
            found.append((tag.localname, text))
    return found


def test_public_samples_are_written_again_equal_in_meaning(shared):
    for path in sorted((shared / "data/cap/samples").glob("*.xml")):
        made = read(path.read_bytes())
        assert meaning(made.octets) == meaning(path.read_bytes()), path.name
        assert check(made.octets).valid is check(path.read_bytes()).valid, path.name


def test_a_valid_signed_message_is_handed_on_untouched(shared):
    document = (shared / "data/cap/samples/us-ipaws-cancel-signed.xml").read_bytes()
    assert read(document).octets == document
    assert verify(read(document).octets, []).signature == "good"


@pytest.mark.parametrize(("old", "new", "there"), [
    ("<status>Actual</status>", "<status> actual </status>", "<status>Actual</status>"),
    ("2025-08-05T19:52:02-00:00</sent>", "2025-08-05T19:52:02.123Z</sent>", "<sent>2025-08-05T19:52:02-00:00</sent>"),
    ("2025-08-05T19:52:02-00:00</sent>", "2025-08-05 22:52+0300</sent>", "<sent>2025-08-05T22:52:00+03:00</sent>"),
    ("<scope>Restricted</scope>\n  <restriction>county desks</restriction>\n  <addresses>one \"two three\"</addresses>", "",
     "<scope>Public</scope>"),
    ("45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0", "45.0, 28.0; 45.0, 28.1; 45.1, 28.1", "45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0"),
    ("<certainty>Likely</certainty>", "<certainty>Very Likely</certainty>", "<certainty>Likely</certainty>"),
    ("<urgency>Immediate</urgency>", "", "<urgency>Unknown</urgency>"),
    ("<category>Safety</category>\n    <category>Security</category>", "", "<category>Other</category>"),
    ("<geocode><valueName>NUTS</valueName><value>RO225</value></geocode>", "<geocode>NUTS=RO225</geocode>", "<value>RO225</value>"),
    ("<language>ro</language>", "<language>ro_RO</language>", "<language>ro-RO</language>"),
    ("<headline>A drone comes</headline>", "<HEADLINE>A drone comes</HEADLINE>", "<headline>A drone comes</headline>"),
    ("<note>a note</note>", "<x:extra xmlns:x='urn:x'>1</x:extra><note>a note</note>", "<note>a note</note>"),
    (NAMESPACE, V11, NAMESPACE), (NAMESPACE, V10, NAMESPACE), (f' xmlns="{NAMESPACE}"', "", NAMESPACE),
])
def test_a_slip_is_read_noted_and_written_strictly(old, new, there):
    assert old in FULL
    made = read(FULL.replace(old, new, 1).encode())
    assert made.judged.valid, made.judged.findings
    assert there.encode() in made.octets
    assert made.fixed


def test_what_says_who_warns_is_never_guessed():
    for name in ("identifier", "sender", "sent", "status", "msgType"):
        root = etree.fromstring(FULL.encode())
        root.remove(root.find(CAP + name))
        made = read(etree.tostring(root))
        assert made.root is None and name in made.fixed[-1].message


def test_elements_out_of_order_are_put_in_order():
    root = etree.fromstring(FULL.encode())
    for parent in list(root.iter(etree.Element)):
        if len(parent) > 2:
            parent[:] = sorted(parent, key=lambda c: c.tag)
    assert check(read(etree.tostring(root)).octets).valid


def test_reading_twice_changes_nothing_more():
    for name, octets in list(all_faults())[::5]:
        made = read(octets)
        if made.root is not None:
            assert read(made.octets).octets == made.octets, name


def test_an_older_version_is_named():
    assert [read(FULL.replace(NAMESPACE, v).encode()).version for v in (V10, V11, NAMESPACE, "urn:x")] == ["1.0", "1.1", "1.2", ""]


@given(st.text(max_size=30))
def test_no_time_crashes_the_reader(text):
    made, _ = strict_time(text)
    assert made is None or len(made) == 25


@given(st.integers(0, len(FULL) - 1), st.characters())
def test_a_changed_character_never_crashes_the_reader(place, character):
    read((FULL[:place] + character + FULL[place + 1 :]).encode("utf-8", "surrogatepass"))

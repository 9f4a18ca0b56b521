"""The checker judges samples, single faults and hostile documents rightly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.warn import cap
from lapwing.warn.cap_check import check

T = 1_754_423_522 * 1_000_000_000
RING = ((45.0, 28.0), (45.0, 28.1), (45.1, 28.1), (45.0, 28.0))


def document(**changes):
    """Return a valid alert; `changes` are (old, new) replacements in its text."""
    info = cap.Info("en", "Danger", ("Shelter",), "Immediate", "Severe", "Likely", "Us", "Head", "Text", "Do",
                    (cap.Area("Here", (RING,), (("LAPWING", "X"),)),), effective_ns=T, onset_ns=T,
                    expires_ns=T + 600 * 10**9, contact="112", parameters=(("level", "alert"),))
    return cap.write(cap.Message("id-1", "us@example.com", T, "Exercise", "Alert", (info,))).decode()


GOOD = document()
TIME = "2025-08-05T19:52:02-00:00"


def with_fault(old, new):
    assert old in GOOD, old
    return GOOD.replace(old, new, 1).encode()


def test_the_good_one_is_good():
    judged = check(GOOD.encode())
    assert judged.parsed and judged.valid and not judged.findings


@pytest.mark.parametrize(("name", "valid", "rules"), [
    ("ca-update-two-languages.xml", True, ()),
    ("gdacs-earthquake-bad-longitude.xml", False, ("longitude-range",)),
    ("ie-geocodes-only.xml", True, ()),
    ("kz-polygon.xml", True, ()),
    ("oasis-a2-thunderstorm.xml", True, ()),
    ("oasis-a4-amber-two-languages.xml", True, ()),
    ("ph-two-languages.xml", True, ()),
    ("ru-cyrillic-polygons.xml", True, ()),
    ("us-atom-index.atom", False, ("feed-not-alert",)),
    ("us-ipaws-cancel-signed.xml", True, ()),
])
def test_public_samples(shared, name, valid, rules):
    judged = check((shared / "data/cap/samples" / name).read_bytes())
    assert judged.parsed
    assert judged.valid is valid
    assert tuple(f.rule for f in judged.findings if f.severity == "error") == rules


@pytest.mark.parametrize(("rule", "old", "new"), [
    ("identifier-characters", "id-1", "id 1"),
    ("identifier-characters", "id-1", "id,1"),
    ("identifier-empty", "id-1", " "),
    ("sender-characters", "us@example.com", "us &amp; them"),
    ("schema-enumeration", "<status>Exercise</status>", "<status>exercise</status>"),
    ("schema-time", f"<sent>{TIME}</sent>", "<sent>2025-08-05T19:52:02Z</sent>"),
    ("schema-time", f"<sent>{TIME}</sent>", "<sent>2025-02-30T19:52:02-00:00</sent>"),
    ("schema-structure", "  <scope>Public</scope>\n", ""),
    ("schema-structure", "<language>en</language>\n    <category>Safety</category>",
     "<category>Safety</category>\n    <language>en</language>"),
    ("schema-enumeration", "<severity>Severe</severity>", "<severity>Terrible</severity>"),
    ("references-missing", "<msgType>Alert</msgType>", "<msgType>Update</msgType>"),
    ("references-form", "<scope>Public</scope>", "<scope>Public</scope><references>us,id</references>"),
    ("references-self", "<scope>Public</scope>",
     f"<scope>Public</scope><references>us@example.com,id-1,{TIME}</references>"),
    ("restriction-missing", "<scope>Public</scope>", "<scope>Restricted</scope>"),
    ("addresses-missing", "<scope>Public</scope>", "<scope>Private</scope>"),
    ("quotes-unpaired", "<scope>Public</scope>", '<scope>Private</scope><addresses>"a b</addresses>'),
    ("event-empty", "<event>Danger</event>", "<event> </event>"),
    ("language-code", "<language>en</language>", "<language>english_</language>"),
    ("expires-before-effective", "20:02:02-00:00</expires>", "19:52:01-00:00</expires>"),
    ("expired-when-sent", "20:02:02-00:00</expires>", "19:52:02-00:00</expires>"),
    ("expires-before-onset", f"<onset>{TIME}", "<onset>2025-08-06T19:52:02-00:00"),
    ("area-description-empty", "<areaDesc>Here</areaDesc>", "<areaDesc/>"),
    ("polygon-open", "45.0000,28.0000</polygon>", "45.0000,28.0001</polygon>"),
    ("polygon-short", "45.0000,28.1000 45.1000,28.1000 ", ""),
    ("polygon-form", "45.0000,28.1000", "45.0000 28.1000"),
    ("polygon-form", "45.0000,28.1000", "45.0000,nan"),
    ("latitude-range", "45.1000,28.1000", "95.1000,28.1000"),
    ("longitude-range", "45.1000,28.1000", "45.1000,228.1000"),
    ("circle-form", "</polygon>", "</polygon><circle>45.0 28.0 3</circle>"),
    ("circle-radius", "</polygon>", "</polygon><circle>45.0,28.0 -3</circle>"),
    ("geocode-empty", "<value>X</value>", "<value/>"),
    ("value-name-empty", "<valueName>level</valueName>", "<valueName/>"),
    ("ceiling-without-altitude", "</geocode>", "</geocode><ceiling>100</ceiling>"),
    ("ceiling-under-altitude", "</geocode>", "</geocode><altitude>200</altitude><ceiling>100</ceiling>"),
    ("web-relative", "<contact>", "<web>here.html</web><contact>"),
    ("mime-type", "<area>", "<resource><resourceDesc>a</resourceDesc><mimeType>picture</mimeType>"
                            "<uri>a.png</uri></resource><area>"),
    ("digest-form", "<area>", "<resource><resourceDesc>a</resourceDesc><mimeType>image/png</mimeType>"
                              "<uri>a.png</uri><digest>12</digest></resource><area>"),
    ("size-negative", "<area>", "<resource><resourceDesc>a</resourceDesc><mimeType>image/png</mimeType>"
                                "<size>-1</size><uri>a.png</uri></resource><area>"),
    ("signature-not-last", "<info>", '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><info>'),
])
def test_a_single_fault_is_found_and_named(rule, old, new):
    judged = check(with_fault(old, new))
    assert judged.parsed
    assert not judged.valid
    assert rule in {f.rule for f in judged.findings if f.severity == "error"}


@pytest.mark.parametrize(("rule", "old", "new"), [
    ("utc-offset-plus", f"<sent>{TIME}", f"<sent>{TIME.replace('-00:00', '+00:00')}"),
    ("references-unexpected", "<scope>Public</scope>",
     f"<scope>Public</scope><references>us@example.com,id-0,{TIME}</references>"),
    ("restriction-unused", "<scope>Public</scope>", "<scope>Public</scope><restriction>x</restriction>"),
    ("headline-long", "<headline>Head", "<headline>" + "Head " * 40),
    ("expires-before-onset-later", f"<urgency>Immediate</urgency>\n    <severity>Severe</severity>\n    <certainty>Likely</certainty>\n"
     f"    <effective>{TIME}</effective>\n    <onset>{TIME}", "<urgency>Future</urgency><severity>Severe</severity>"
     f"<certainty>Likely</certainty><effective>{TIME}</effective><onset>2025-08-06T19:52:02-00:00"),
])
def test_what_is_allowed_but_odd_is_told_and_still_valid(rule, old, new):
    judged = check(with_fault(old, new))
    assert judged.valid, judged.findings
    assert rule in {f.rule for f in judged.findings}


@pytest.mark.parametrize("version", ["http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.1"])
def test_an_older_cap_is_named(version):
    judged = check(GOOD.replace(cap.NAMESPACE, version).encode())
    assert (judged.parsed, judged.valid, judged.findings[0].rule) == (True, False, "legacy-version")


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY a{n} "&a{n - 1 if n > 1 else ""};&a{n - 1 if n > 1 else ""};">' for n in range(1, 30)) + "]><a>&a29;</a>"


@pytest.mark.parametrize(("rule", "octets"), [
    ("xml-empty", b"  \n"),
    ("xml-not-well-formed", b"<alert>"),
    ("xml-not-well-formed", b"\x89PNG\r\n"),
    ("xml-doctype", LAUGHS.encode()),
    ("xml-doctype", b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>'),
    ("xml-doctype", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'),
    ("xml-too-deep", b"<a>" * 500 + b"</a>" * 500),
    ("xml-too-many-elements", b"<a>" + b"<b/>" * 200_000 + b"</a>"),
    ("xml-too-large", b"<a>" + b" " * 4_000_001 + b"</a>"),
    ("not-cap", b"<html/>"),
])
def test_hostile_and_foreign_documents_are_refused(rule, octets):
    judged = check(octets)
    assert not judged.valid
    assert judged.findings[0].rule == rule


@given(st.binary(max_size=300))
def test_no_octets_crash_the_checker(octets):
    assert check(octets).valid is False


@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_a_changed_character_never_crashes_the_checker(place, character):
    check((GOOD[:place] + character + GOOD[place + 1 :]).encode("utf-8", "surrogatepass"))


def test_utf_16_is_read():
    assert check(GOOD.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")).valid

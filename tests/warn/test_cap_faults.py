"""Every single fault over every element of the standard is found, and nothing is found in the good document."""

from pathlib import Path

import pytest
import xmlschema
from cap_faults import FULL, all_faults, structure_faults, value_faults
from lxml import etree

from lapwing.warn import cap
from lapwing.warn.cap_check import check
from lapwing.warn.cap_rule_list import RULES

FAULTS = list(all_faults())
JUDGED = {name: check(octets) for name, octets in FAULTS}


def test_the_full_document_has_every_element_and_no_finding():
    judged = check(FULL.encode())
    assert judged.valid and not judged.findings, judged.findings


def test_there_are_faults_of_every_element():
    assert len(FAULTS) > 600
    assert len({name for name, _ in FAULTS}) > 600


def test_every_single_fault_is_found():
    missed = [name for name, judged in JUDGED.items() if judged.valid]
    assert not missed, f"{len(missed)} of {len(FAULTS)}: {missed[:20]}"


def test_a_single_fault_of_a_value_is_named_at_its_element():
    for name, _ in value_faults():
        errors = [f for f in JUDGED[name].findings if f.severity == "error"]
        element = name.split(" ")[0].split("/")[-1]
        at = {f.path.split("/")[-1].split("[")[0] for f in errors}
        # A time that contradicts another is told at expires; a misplaced height at the ceiling.
        assert element in at or at & {"expires", "ceiling", "derefUri"}, (name, errors)


def test_what_the_schema_refuses_in_another_engine_is_refused_here():
    schema = xmlschema.XMLSchema(cap.schema_bytes())
    for name, octets in structure_faults():
        if not schema.is_valid(etree.fromstring(octets)):
            assert not JUDGED[name].valid, name


def test_every_finding_is_of_the_list():
    for judged in JUDGED.values():
        for finding in judged.findings:
            assert RULES[finding.rule][0] == finding.severity


def test_the_manual_explains_every_rule():
    manual = (Path(__file__).resolve().parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
    for rule, (severity, meaning) in RULES.items():
        assert f"| `{rule}` | {severity} | {meaning} |" in manual, rule


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-2", "windows-1251", "us-ascii"])
def test_the_good_document_is_good_in_any_encoding_that_it_states(encoding):
    named = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    assert check(FULL.replace("UTF-8", named).encode(encoding)).valid


@pytest.mark.parametrize(("rule", "octets"), [
    ("xml-encoding", FULL.replace("a note", "a n\u00f6te").encode("iso-8859-1")),
    ("xml-encoding", FULL.replace("UTF-8", "no-such-code").encode()),
    ("xml-encoding", FULL.encode("utf-16-le")[2:]),
    ("xml-not-well-formed", FULL.replace("</alert>", "").encode()),
    ("xml-not-well-formed", FULL.replace("a note", "a & b").encode()),
    ("xml-not-well-formed", FULL.replace("a note", "&nbsp;").encode()),
    ("xml-not-well-formed", FULL.replace("a note", "\x01").encode()),
    ("xml-not-well-formed", (FULL + FULL).encode()),
    ("xml-not-well-formed", b"{\"alert\": {}}"),
    ("xml-leading-space", ("\n" + FULL).encode()),
])
def test_broken_octets_are_told_apart(rule, octets):
    judged = check(octets)
    assert not judged.valid
    if rule == "xml-encoding":
        assert judged.findings[0].rule in ("xml-encoding", "xml-not-well-formed")
    else:
        assert judged.findings[0].rule == rule


@pytest.mark.parametrize("change", [
    ("<status>", "<!-- a comment --><status>"),
    ("<alert ", "<?style here?><alert "),
    ("a note", "<![CDATA[a < note]]>"),
    ("<alert ", '<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" '),
    ("2025-08-05T19:52:02-00:00</sent>", "\n 2025-08-05T22:52:02+03:00 \n</sent>"),
    ("<language>ro</language>", ""),
    ("<language>ro</language>", "<language>sr-Latn-RS</language>"),
    ("<language>ro</language>", "<language>i-klingon</language>"),
    ("45.0,28.0 45.0,28.1", "45.0,28.0\n\t 45.0,28.1"),
    ("45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0", "+45,28 45.,28.1 45.1,28.1 45.0,28.00"),
    ("45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0", "45,28 45,28.1 45,28.2 45,28"),
    ("https://examplia.example/alerts", "mailto:desk@examplia.example?subject={x|y}"),
    ("audio/mpeg", "application/x-thing; charset=utf-8"),
    ("<note>a note</note>", "<note/>"),
    ("<value>red</value>", "<value/>"),
    ("<urgency>Immediate</urgency>", "<urgency>Past</urgency>"),
])
def test_what_is_allowed_stays_valid(change):
    assert change[0] in FULL
    judged = check(FULL.replace(*change, 1).encode())
    assert judged.valid, judged.findings


@pytest.mark.parametrize("rule, change", [
    ("web-relative", ("https://examplia.example/alerts", "http:///alerts")),
    ("web-relative", ("https://examplia.example/alerts", "HTTPS:examplia.example")),
    ("event-empty", ("<event>Drone</event>", "<event>\u200b \u2060</event>")),
    ("area-description-empty", ("<areaDesc>The bank</areaDesc>", "<areaDesc>\ufeff</areaDesc>")),
    ("resource-description-empty", ("<resourceDesc>Siren</resourceDesc>", "<resourceDesc>\u00ad</resourceDesc>")),
])
def test_what_looks_full_and_is_not_is_found(rule, change):
    assert change[0] in FULL
    judged = check(FULL.replace(*change, 1).encode())
    assert [f.rule for f in judged.findings if f.severity == "error"] == [rule]


def test_hostile_sizes_are_judged_in_seconds():
    many = FULL.replace("<code>profile:one</code>", "<code/>" * 20_000)
    assert check(many.encode()).valid
    long_polygon = "45.0,28.0 " + "45.0,28.1 45.1,28.1 45.1,28.0 " * 40_000 + "45.0,28.0"
    assert check(FULL.replace("45.0,28.0 45.0,28.1 45.1,28.1 45.0,28.0", long_polygon).encode()).parsed

"""Every document that the warner writes is valid, complete in every language, and covers its zones."""

import math
import re

import numpy as np
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shapely import Polygon, unary_union
from warn_fakes import LANGUAGES, START_NS, Run, S, make_object

from lapwing.geo.areas import outline_deg
from lapwing.model.alerts import CANCEL
from lapwing.model.reports import Command
from lapwing.warn import cap
from lapwing.warn.cap_check import check
from lapwing.warn.outline import POINTS_MAX, outline

NS = {"c": cap.NAMESPACE}


@pytest.fixture(scope="module")
def run():
    """Alert, updates, shrinks, a pre-alert, an all clear, a cancellation and a warning by hand."""
    played = Run()
    played.fly([make_object(lat_deg=45.2)], 900)
    played.wait(700)
    rows = played.fly([make_object("K", lat_deg=45.15, north_mps=-30.0, now_ns=played.now_ns)], 60)
    alert = [a for a in played.alerts if a.level == "alert"][-1]
    played.step(rows, commands=[Command(played.now_ns, "cancel", alert_id=alert.identifier, by="Ana")])
    played.step(commands=[Command(played.now_ns, "raise", zones=("XX-E-0000",), text="smoke", by="Ana",
                                  expires_ns=played.now_ns + 600 * S)])
    return played


def test_every_document_passes_schema_and_rules_in_two_engines(run):
    schema = xmlschema.XMLSchema(cap.schema_bytes())
    assert {a.level for a in run.alerts} == {"pre_alert", "alert", "all_clear"}
    assert CANCEL in {a.msg_type for a in run.alerts}
    for alert in run.alerts:
        judged = check(alert.cap_xml)
        assert judged.valid, judged.findings
        assert not judged.findings
        assert schema.is_valid(etree.ElementTree(etree.fromstring(alert.cap_xml)))


def test_every_language_has_its_block_with_all_six_elements(run):
    for alert in run.alerts:
        root = etree.fromstring(alert.cap_xml)
        infos = root.findall("c:info", NS)
        assert tuple(i.findtext("c:language", namespaces=NS) for i in infos[:3]) == LANGUAGES
        for info in infos:
            for name in ("senderName", "event", "headline", "description", "instruction", "expires", "contact"):
                assert info.findtext(f"c:{name}", namespaces=NS), name
            assert len(info.findtext("c:headline", namespaces=NS)) <= 160
            for element in info.iter():
                assert "{" not in (element.text or ""), element.text


def test_what_the_alert_says_beside_is_what_the_document_says(run):
    for alert in run.alerts:
        root = etree.fromstring(alert.cap_xml)
        assert root.findtext("c:identifier", namespaces=NS) == alert.identifier
        assert root.findtext("c:msgType", namespaces=NS) == alert.msg_type
        assert root.findtext("c:sent", namespaces=NS) == cap.cap_time(alert.sent_ns)
        assert (root.findtext("c:references", namespaces=NS) or "").split() == list(alert.references)
        geocodes = root.find("c:info", NS).iter(f"{{{cap.NAMESPACE}}}geocode")
        codes = {g.findtext("c:value", namespaces=NS) for g in geocodes
                 if g.findtext("c:valueName", namespaces=NS) == "LAPWING"}
        assert codes == {zone.code for zone in alert.zones}


def test_polygons_are_closed_few_pointed_and_hold_every_zone(run):
    rows = {zone.code: i for i, zone in enumerate(run.pack.zones)}
    for alert in run.alerts:
        whole = unary_union([Polygon(ring) for ring in alert.polygons])
        for ring in alert.polygons:
            assert ring[0] == ring[-1]
            assert 4 <= len(ring) <= POINTS_MAX
        for zone in alert.zones:
            for ring in outline_deg(run.pack.areas, run.pack.zones[rows[zone.code]].area_index):
                assert whole.covers(Polygon(ring)), zone.code


@settings(deadline=None)
@given(st.sets(st.integers(2, 301), min_size=1, max_size=40))
def test_the_outline_of_any_zones_holds_them(zones):
    pack = _pack()
    whole = unary_union([Polygon(ring) for ring in outline(pack, sorted(zones))])
    for index in zones:
        assert whole.covers(Polygon(outline_deg(pack.areas, index)[0]))


_PACKS = []


def _pack():
    if not _PACKS:
        from warn_fakes import make_pack

        _PACKS.append(make_pack())
    return _PACKS[0]


def test_times_are_utc_with_minus_zero(run):
    for alert in run.alerts:
        for time in re.findall(rb"<(?:sent|effective|onset|expires)>([^<]+)<", alert.cap_xml):
            assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-00:00", time)


def test_text_with_markup_and_control_characters_is_written_safely():
    info = cap.Info("en", "a & b", ("None",), "Unknown", "Unknown", "Unknown", "", "<x>", "\x00\x08ok\ud800", "",
                    (cap.Area("]]> here"),))
    document = cap.write(cap.Message("id", "s@x", START_NS, "Test", "Alert", (info,)))
    root = etree.fromstring(document)
    assert root.findtext(".//c:event", namespaces=NS) == "a & b"
    assert root.findtext(".//c:description", namespaces=NS) == "ok"
    assert check(document).valid


def test_numbers_of_a_ring_never_show_a_negative_zero_or_an_exponent():
    assert math.copysign(1.0, outline(_pack(), [2])[0][0][0]) == 1.0
    assert "e" not in cap.ring_text([(1e-9, 180.0)])
    assert np.allclose([float(v) for v in cap.ring_text([(44.12345, -0.00001)]).split(",")], [44.1234, 0.0], atol=1e-4)

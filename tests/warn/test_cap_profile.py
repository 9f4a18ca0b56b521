"""Profiles add what a partner asks, keep the message, and stay valid."""

import sys
from pathlib import Path

import pytest
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters"))
from deliveries import alert_row

from lapwing.model.errors import ConfigError
from lapwing.warn import cap
from lapwing.warn.cap_check import check
from lapwing.warn.cap_profile import in_profile, profiles

NS = {"c": cap.NAMESPACE}


def document(level):
    return alert_row(level=level)["cap_xml"].encode()


def pairs(root, name):
    found = root.iter(f"{{{cap.NAMESPACE}}}{name}")
    return {(p.findtext("c:valueName", namespaces=NS), p.findtext("c:value", namespaces=NS)) for p in found}


@pytest.mark.parametrize("level", ["alert", "pre_alert", "all_clear"])
@pytest.mark.parametrize("name", sorted(profiles()))
def test_every_profile_at_every_level_is_valid_and_only_adds(name, level):
    made = in_profile(document(level), profiles()[name])
    assert check(made).findings == ()
    before, after = etree.fromstring(document(level)), etree.fromstring(made)
    for element in ("code", "eventCode", "parameter", "geocode"):
        for extra in list(after.iter(f"{{{cap.NAMESPACE}}}{element}")):
            extra.getparent().remove(extra)
        for own in list(before.iter(f"{{{cap.NAMESPACE}}}{element}")):
            own.getparent().remove(own)
    assert [(e.tag, (e.text or "").strip()) for e in after.iter()] == [(e.tag, (e.text or "").strip()) for e in before.iter()]


def test_plain_changes_no_octet_and_twice_is_once():
    assert in_profile(document("alert"), profiles()["plain"]) == document("alert")
    once = in_profile(document("alert"), profiles()["ipaws"])
    assert in_profile(once, profiles()["ipaws"]) == once


def test_partners_find_what_they_ask():
    root = etree.fromstring(in_profile(document("alert"), profiles()["meteoalarm"]))
    assert ("awareness_level", "4; red; Extreme") in pairs(root, "parameter")
    root = etree.fromstring(in_profile(document("all_clear"), profiles()["ipaws"]))
    assert ("SAME", "ADR") in pairs(root, "eventCode") and root.findtext("c:code", namespaces=NS) == "IPAWSv1.0"


def test_long_texts_are_cut_between_words_and_geocodes_renamed():
    own = profiles(b'[x]\ngeocodes = {LAPWING = "OURS"}\ncut = {t = 12}\n[x.parameters]\nalert = {t = "{headline} and more words"}\n')["x"]
    root = etree.fromstring(in_profile(document("alert"), own))
    assert ("t", "alert 0 ro…") in pairs(root, "parameter")
    assert {("OURS", "RO-1"), ("LAPWING", "RO-1")} <= pairs(root, "geocode")


@pytest.mark.parametrize("text", ["[x]\ncolour = 1", "[x", "x = 1", "[x.parameters]\nalert = {a = 1}"])
def test_a_wrong_profile_is_refused(text):
    with pytest.raises(ConfigError):
        profiles(text.encode(), "mine.toml")

"""Texts of the packs: complete, correct letters, filled without a hole, places cut sensibly, pages that fit."""

import re
from pathlib import Path

import pytest
from warn_fakes import START_NS, make_pack, replace

from lapwing.country.plurals import plural_forms
from lapwing.country.texts import read_texts
from lapwing.warn import texts
from lapwing.warn.cell_broadcast import pages_of

KINDS = ("alert", "pre_alert", "all_clear", "cancel")
PACKS = Path(__file__).resolve().parents[2] / "packs"
LATIN = re.compile(r"[^\W\d_]")


@pytest.fixture(scope="module")
def pack():
    return make_pack()


def cells(pack, count):
    return [i for i, zone in enumerate(pack.zones) if zone.addressable][:count]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["ro", "en", "uk"])
@pytest.mark.parametrize("objects", [0, 1, 5])
def test_every_text_is_filled(pack, kind, language, objects):
    said = texts.words(pack, language, kind, cells(pack, 9), status="Actual", until_ns=START_NS, objects=objects)
    for text in (said.event, said.headline, said.description, said.instruction, said.short, said.area):
        assert text.strip()
        assert not re.search(r"[{}]|  |\( *\)", text), text


@pytest.mark.parametrize(("count", "expected"), [
    (1, "Sat W0000"),
    (2, "Sat W0000 and Sat W0001"),
    (4, "Sat W0000, Sat W0001, Sat W0002 and Sat W0003"),
    (5, "Sat W0000, Sat W0001, Sat W0002 and 2 more places"),
])
def test_place_lists_are_cut_where_a_reader_still_takes_them_in(pack, count, expected):
    assert texts.place_list(pack, cells(pack, count), "en") == expected


@pytest.mark.parametrize(("language", "count", "expected"), [
    ("en", 1, "X and 1 more place"), ("en", 21, "X and 21 more places"),
    ("ro", 2, "X și încă 2 localități"), ("ro", 20, "X și încă 20 de localități"), ("ro", 101, "X și încă 101 localități"),
    ("ro", 1_000, "X și încă 1000 de localități"), ("ro", 3_119, "X și încă 3119 localități"),
    ("uk", 3, "X та ще 3 населені пункти"), ("uk", 11, "X та ще 11 населених пунктів"), ("uk", 21, "X та ще 21 населений пункт"),
    ("lt", 21, "X ir dar 21 vietovė"), ("lt", 12, "X ir dar 12 vietovių"), ("lt", 9, "X ir dar 9 vietovės"),
    ("pl", 22, "X i jeszcze 22 miejscowości"),
    ("lv", 21, "X un vēl 21 vieta"), ("lv", 10, "X un vēl 10 vietu"), ("lv", 3, "X un vēl 3 vietas"),
])
def test_a_count_takes_its_plural_form(language, count, expected):
    pack = replace(make_pack(), plurals={language: plural_forms(language)}, texts={language: shipped(language)})
    assert texts.counted(pack, language, "places_more", count, list="X") == expected


def test_without_rules_the_form_is_other():
    pack = replace(make_pack(), plurals={})
    assert texts.counted(pack, "ro", "places_more", 2, list="X") == "X și încă 2 de localități"
    assert plural_forms("xx-nowhere") == ("other",)


def shipped(language):
    files = {f"common/texts/{p.name}": p.read_bytes() for p in (PACKS / "common" / "texts").glob("*.toml")}
    files |= {f"texts/{p.name}": p.read_bytes() for country in ("ro", "lt", "lv") for p in (PACKS / country / "texts").glob("*.toml")}
    return read_texts(files, (language,))[0][language]


def test_the_largest_place_comes_first(pack):
    zones = list(pack.zones)
    last = cells(pack, 9)[-1]
    zones[last] = replace(zones[last], population=70_000, names={"ro": "Orașul", "en": "Town"})
    assert texts.place_list(replace(pack, zones=tuple(zones)), cells(pack, 9), "en").startswith("Town, ")


def test_times_are_local_and_say_so_where_they_cannot_be(pack):
    assert texts.local_time(pack, START_NS) == "22:50"      # 19:50 UTC, Romania in summer
    assert texts.local_time(replace(pack, time_zone="Nowhere/Town"), START_NS) == "19:50 UTC"


def test_a_missing_text_falls_back_to_english(pack):
    poor = replace(pack, texts={**pack.texts, "ro": {}})
    said = texts.words(poor, "ro", "alert", cells(pack, 1), status="Actual", until_ns=0, objects=1)
    assert said.headline.startswith("Take")


@pytest.mark.parametrize("language", ["ro", "en", "uk"])
def test_phone_texts_fit_a_message_with_the_longest_names(pack, language):
    zones = [replace(zone, names={language: "Ș" * 40 + zone.code[-4:]}) for zone in pack.zones]
    long = replace(pack, zones=tuple(zones))
    for kind in KINDS:
        said = texts.words(long, language, kind, cells(pack, 30), status="Exercise", until_ns=START_NS, objects=5)
        assert pages_of(said.short).fits, (language, kind, len(said.short))


def test_romanian_is_written_with_comma_below():
    from pathlib import Path

    for path in (Path(__file__).resolve().parents[2] / "packs").rglob("texts/*.toml"):
        assert not re.search("[şţŞŢ]", path.read_text(encoding="utf-8")), path


def test_every_language_shipped_is_complete():
    from pathlib import Path

    from lapwing.country.texts import read_texts

    packs = Path(__file__).resolve().parents[2] / "packs"
    common = {f"common/texts/{p.name}": p.read_bytes() for p in (packs / "common/texts").glob("*.toml")}
    for country, languages in (("ro", ("ro", "en", "uk")), ("lt", ("lt", "en", "pl")), ("lv", ("lv", "en"))):
        own = {f"texts/{p.name}": p.read_bytes() for p in (packs / country / "texts").glob("*.toml")}
        read, warnings = read_texts(common | own, languages)
        assert not warnings
        assert all(read[language] for language in languages)

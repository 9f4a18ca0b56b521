"""Cell broadcast messages: codes, serial numbers, pages, and the fence that phones check."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.errors import ConfigError
from lapwing.warn.cell_broadcast import GSM7, GSM7_EXTENSION, economical, pages_of
from lapwing.warn.cell_broadcast_message import SCOPES, Serial, broadcasts, geofence, identifiers
from lapwing.warn.cell_broadcast_templates import KINDS, prove, worst_cases

RING = ((45.0, 28.0), (45.0, 28.1), (45.1, 28.1), (45.0, 28.0))


def unpacked(page, alphabet):
    """A plain twin of the packing: bit by bit, with escapes, as a phone reads a page."""
    if alphabet == "UCS2":
        return page.decode("utf-16-be")
    bits = "".join(f"{octet:08b}"[::-1] for octet in page)
    codes = [int(bits[i : i + 7][::-1], 2) for i in range(0, len(bits) - 6, 7)]
    extension, text, at = {code: c for c, code in GSM7_EXTENSION.items()}, "", 0
    while at < len(codes):
        text += extension[codes[at + 1]] if codes[at] == 0x1B else GSM7[codes[at]]
        at += 2 if codes[at] == 0x1B else 1
    return text


def test_padding_fills_pages_with_carriage_returns():
    assert all(len(page) == 82 for page in (*pages_of("hello" * 30).padded(), *pages_of("ș" * 50).padded()))
    assert unpacked(pages_of("hello").padded()[0], "GSM7").rstrip("\r@") == "hello"
    assert unpacked(pages_of("ș").padded()[0], "UCS2").rstrip("\r") == "ș"


def test_real_exercise_and_test_never_share_an_identifier():
    real = {n for level in ("alert", "pre_alert", "all_clear") for n in identifiers("ro", "Actual", level)}
    others = {n for status in ("Exercise", "Test") for n in identifiers("ro", status, "alert")}
    assert len(real) == 6 and not real & others
    assert all(4370 <= n <= 4399 for n in real | others)


def test_a_serial_number_is_scope_code_and_update():
    assert Serial(0x155, 3, "plmn_wide").encoded == 0b01_0101010101_0011
    assert {Serial(0, 0, scope).encoded >> 14 for scope in SCOPES} == {0, 1, 2, 3}


def decoded(fence):
    """Read a fence as a phone does: types, lengths, points. Written from the layout, not from the encoder."""
    if not fence:
        return None, []
    assert int.from_bytes(fence[:2], "little") == len(fence) - 2
    at, wait_s, rings = 2, None, []
    while at < len(fence):
        head = int.from_bytes(fence[at : at + 2], "big")
        kind, length = head >> 12, head >> 2 & 0x3FF
        body = fence[at + 2 : at + length]
        if kind == 1:
            wait_s = body[0]
        else:
            bits = "".join(f"{octet:08b}" for octet in body)
            numbers = [int(bits[i * 22 : i * 22 + 22], 2) for i in range(len(bits) // 44 * 2)]
            rings.append([(lat * 180 / 2**22 - 90, lon * 360 / 2**22 - 180)
                          for lat, lon in zip(numbers[::2], numbers[1::2], strict=True)])
        at += length
    return wait_s, rings


@given(st.lists(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=3, max_size=20), min_size=1, max_size=4))
def test_a_fence_read_back_is_within_ten_metres(rings):
    wait_s, found = decoded(geofence(rings, 45))
    assert wait_s == 45
    for ring, read in zip(rings, found, strict=True):
        closed = ring if tuple(ring[0]) == tuple(ring[-1]) else [*ring, ring[0]]
        for (lat, lon), (lat_read, lon_read) in zip(closed, read, strict=True):
            assert abs(lat - lat_read) <= 180 / 2**22 and abs(lon - lon_read) <= 360 / 2**22


def test_a_fence_that_does_not_fit_is_left_out_never_cut():
    many = [(45 + i / 1000, 28.0) for i in range(120)]
    assert geofence([many]) == b""
    assert geofence([many[:60]] * 4) == b""
    assert geofence([]) == b""


def test_one_message_a_language_and_none_is_taken_for_a_repetition():
    made = broadcasts([("ro", "Adăpostiți-vă"), ("en", "Take shelter"), ("uk", "Укрийтеся")], Serial(7, 2), country="ro",
                      status="Actual", level="alert", area=(RING,), expires_ns=10**18)
    assert [m.message_identifier for m in made] == [4370, 4383, 4383]
    assert len({(m.message_identifier, m.serial.encoded) for m in made}) == 3
    assert [m.pages.alphabet for m in made] == ["UCS2", "GSM7", "UCS2"]
    row = made[0].neutral()
    assert row["pages"][0]["hex"] == "Adăpostiți-vă".encode("utf-16-be").hex() and row["warning_area_hex"]
    lab = made[1].osmocom("desk", 10**18 - 600 * 10**9)
    assert lab["smscb_message"]["message_id"] == 4383 and lab["num_of_bcast"] == 60
    assert all(len(page) == 164 for page in lab["smscb_message"]["payload"]["payload_encoded"]["pages"])


def test_a_text_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="16 pages"):
        broadcasts([("ro", "ș" * 616)], Serial(0, 0), country="ro", status="Actual", level="alert", area=(), expires_ns=0)


@pytest.mark.parametrize(("language", "text", "plain"), [
    ("en", "Danger near Brăila – take shelter", "Danger near Braila - take shelter"),
    ("en-GB", "Łódź… “now”", 'Lodz... "now"'),
    ("ro", "Pericol lângă Brăila – adăpostiți-vă", "Pericol lângă Brăila – adăpostiți-vă"),
    ("de", "Gefahr – „jetzt“ …", 'Gefahr - "jetzt" ...'),
    ("en", "Danger 🚨 near Brăila", "Danger 🚨 near Brăila"),
    ("uk", "Небезпека", "Небезпека"),
])
def test_an_accent_or_a_dash_never_costs_pages_by_accident(language, text, plain):
    assert economical(text, language) == plain


def test_the_longest_text_of_a_pack_is_reckoned_and_a_pack_whose_text_does_not_fit_is_refused():
    from dataclasses import replace

    from warn_fakes import make_pack

    pack = make_pack()
    worst = list(worst_cases(pack))
    assert {(w.language, w.kind) for w in worst} == {(language, kind) for language in pack.languages for kind in KINDS}
    prove(pack)
    long = {language: {**table, "warn.phone_alert": "ș" * 700} for language, table in pack.texts.items()}
    with pytest.raises(ConfigError, match="phone_alert can take"):
        prove(replace(pack, texts=long))

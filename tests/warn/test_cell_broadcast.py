"""Pages for phones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.warn.cell_broadcast import ESCAPE, GSM7, GSM7_EXTENSION, pages_of


def unpack(page, count):
    packed = int.from_bytes(page, "little")
    return [packed >> (7 * i) & 0x7F for i in range(count)]


def test_the_published_example_of_the_alphabet():
    # TS 23.038 packing: "hellohello" is the textbook case E8 32 9B FD 46 97 D9 EC 37.
    assert pages_of("hellohello").pages[0].hex() == "e8329bfd4697d9ec37"


@pytest.mark.parametrize(("text", "alphabet", "units", "pages"), [
    ("", "GSM7", 0, 1),
    ("a" * 93, "GSM7", 93, 1),
    ("a" * 94, "GSM7", 94, 2),
    ("a" * 92 + "€", "GSM7", 94, 2),             # the escape may not stand alone at the end of a page
    ("ă" * 41, "UCS2", 41, 1),
    ("ă" * 42, "UCS2", 42, 2),
    ("ă" * 40 + "😀", "UCS2", 42, 2),            # nor half a surrogate pair
    ("ă" * 615, "UCS2", 615, 15),
])
def test_counts(text, alphabet, units, pages):
    cut = pages_of(text)
    assert (cut.alphabet, cut.units, len(cut.pages)) == (alphabet, units, pages)


def test_sixteen_pages_do_not_fit():
    assert pages_of("ă" * 615).fits
    assert not pages_of("ă" * 616).fits


def test_the_alphabet_has_its_128_places():
    assert len(GSM7) == 128
    assert GSM7[ESCAPE] == "\x1b"
    assert (GSM7[0], GSM7[0x0A], GSM7[0x20], GSM7[0x41], GSM7[0x7F]) == ("@", "\n", " ", "A", "à")


@given(st.text(st.sampled_from(GSM7.replace("\x1b", "").replace("@", "") + "".join(GSM7_EXTENSION)), max_size=400))
def test_seven_bit_pages_read_back_to_the_text(text):
    # "@" is left out: its code is 0, which only the count tells from the bits left over.
    cut = pages_of(text)
    codes = {code: c for c, code in GSM7_EXTENSION.items()}
    found = ""
    for page in cut.pages:
        assert len(page) <= 82
        septets = unpack(page, len(page) * 8 // 7)
        while septets and septets[-1] == 0:
            septets.pop()
        at = 0
        while at < len(septets):
            step = 2 if septets[at] == ESCAPE else 1
            found += codes[septets[at + 1]] if step == 2 else GSM7[septets[at]]
            at += step
    assert found == text


@given(st.text(max_size=200).filter(lambda t: any(ord(c) > 0x3FF for c in t)))
def test_ucs2_pages_read_back_to_the_text(text):
    cut = pages_of(text)
    assert cut.alphabet == "UCS2"
    assert all(len(page) <= 82 for page in cut.pages)
    assert b"".join(cut.pages).decode("utf-16-be", "surrogatepass") == text
    for page in cut.pages:
        page.decode("utf-16-be")      # no page ends within a pair

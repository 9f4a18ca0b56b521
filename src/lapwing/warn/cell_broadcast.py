"""Cuts a text into the pages of a cell broadcast message: alphabet, units, pages, octets.

Source: 3GPP TS 23.041 (a page carries 82 octets of content, a message at most 15 pages) and TS 23.038 (GSM 7-bit
default alphabet, its extension table, UCS-2). GSM-7: 93 septets a page, packed from the low bit up; UCS-2: 41 units
of 16 bits a page, high octet first. Neither an escape with its character nor a surrogate pair is split.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

PAGE_OCTETS = 82
PAGE_SEPTETS = PAGE_OCTETS * 8 // 7     # 93
PAGE_UCS2 = PAGE_OCTETS // 2            # 41; a coding scheme with a language prefix would leave 40, we state none
PAGES_MAX = 15
ESCAPE = 0x1B

# TS 23.038, 6.2.1: code 0 first. Code 0x1B is the escape to the extension table.
GSM7 = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
# TS 23.038, 6.2.1.1: two septets each.
GSM7_EXTENSION = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40,
                  "€": 0x65}
_CODE = {character: code for code, character in enumerate(GSM7) if code != ESCAPE}


# Data coding scheme (TS 23.038, 5): general data coding, no compression, no class; the alphabet alone.
DCS_GSM7, DCS_UCS2 = 0x40, 0x48
PADDING = 0x0D                          # CR, as TS 23.038, 6.1.2.3.1 fills a page


@dataclass(frozen=True, slots=True)
class Pages:
    """A text as pages. `units` counts septets (GSM7, an escaped character is two) or 16-bit units (UCS2)."""

    alphabet: str                        # GSM7 | UCS2
    units: int
    pages: tuple[bytes, ...]             # useful content of each, before padding
    septets: tuple[tuple[int, ...], ...] = ()   # of each page, GSM7 alone: octets do not say how many there are

    @property
    def fits(self) -> bool:
        """Whether a message may hold that many pages."""
        return len(self.pages) <= PAGES_MAX

    @property
    def coding_scheme(self) -> int:
        """Return the octet that tells a phone the alphabet."""
        return DCS_GSM7 if self.alphabet == "GSM7" else DCS_UCS2

    def padded(self) -> tuple[bytes, ...]:
        """Return the pages at their full 82 octets, filled with carriage returns as the network wants them."""
        if self.alphabet == "UCS2":
            return tuple(page + bytes([0, PADDING]) * ((PAGE_OCTETS - len(page)) // 2) for page in self.pages)
        return tuple(pack_septets([*septets, *[PADDING] * (PAGE_SEPTETS - len(septets))]).ljust(PAGE_OCTETS, b"\0")
                     for septets in self.septets)


def pages_of(text: str) -> Pages:
    """Return a text cut into pages, in the 7-bit alphabet where every character is in it. Empty text is one empty page.

    >>> pages_of("All clear").alphabet, pages_of("Pericolul a trecut în județ").alphabet
    ('GSM7', 'UCS2')
    """
    if _seven_bit(text):
        groups = [(_CODE[c],) if c in _CODE else (ESCAPE, GSM7_EXTENSION[c]) for c in text]
        cut = _cut(groups, PAGE_SEPTETS)
        return Pages("GSM7", sum(map(len, groups)), tuple(pack_septets(page) for page in cut),
                     tuple(map(tuple, cut)))
    encoded = [c.encode("utf-16-be", "surrogatepass") for c in text]
    units = [tuple(int.from_bytes(c[i : i + 2], "big") for i in range(0, len(c), 2)) for c in encoded]
    cut = _cut(units, PAGE_UCS2)
    return Pages("UCS2", sum(map(len, units)), tuple(b"".join(u.to_bytes(2, "big") for u in page) for page in cut))


# What word processors put in place of plain characters: the same to a reader, and in the 7-bit alphabet.
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-", "…": "...", "\u00a0": " ",
                             "\u202f": " ", "\u2009": " ", "\u00ad": "", "\u200b": "", "•": "-", "\t": " "})
# Letters that have no accent to take away, in names that an English text may quote.
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "þ": "th", "Þ": "Th", "œ": "oe", "Œ": "Oe"})
PLAIN_LANGUAGES = ("en",)            # written without accents: a name that has one must not double the pages


def economical(text: str, language: str, plain_languages: tuple[str, ...] = PLAIN_LANGUAGES) -> str:
    """Return a text that does not cost pages by accident: the same words, in the 7-bit alphabet where that can be.

    Typographic quotes and dashes are made plain in every language, accents are taken away only in languages that are
    written without them, and nothing is changed where the text needs UCS-2 all the same.

    >>> economical("Take shelter – Brăila", "en"), economical("Adăpostiți-vă – Brăila", "ro")
    ('Take shelter - Braila', 'Adăpostiți-vă – Brăila')
    """
    if _seven_bit(text):
        return text
    plain = text.translate(_TYPOGRAPHY)
    if not _seven_bit(plain) and language.split("-")[0].lower() in plain_languages:
        plain = "".join(c if _seven_bit(c) else _bare(c) for c in plain)
    return plain if _seven_bit(plain) else text


def _seven_bit(text: str) -> bool:
    return all(c in _CODE or c in GSM7_EXTENSION for c in text)


def _bare(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character.translate(_LETTERS))
    return "".join(c for c in parts if not unicodedata.combining(c))


def _cut(groups: Iterable[tuple[int, ...]], room: int) -> list[list[int]]:
    """Return the units in pages of at most `room`; a group stays together."""
    pages: list[list[int]] = [[]]
    for group in groups:
        if len(pages[-1]) + len(group) > room:
            pages.append([])
        pages[-1] += group
    return pages


def pack_septets(septets: list[int]) -> bytes:
    """Return 7-bit codes packed into octets from the low bit up; the bits left over are zero (TS 23.038, 6.1.2.2).

    >>> pack_septets([0x68, 0x65, 0x6C, 0x6C, 0x6F]).hex()      # "hello"
    'e8329bfd06'
    """
    packed = 0
    for place, septet in enumerate(septets):
        packed |= septet << (7 * place)
    return packed.to_bytes((7 * len(septets) + 7) // 8, "little")

"""Which edition does a source speak? A wrong one seldom announces itself, so plausibility decides.

Each edition is tried on a sample of the source's blocks. A block speaks against an edition if it cannot be read with it,
or holds what cannot be: a time of day beyond 24 h or 10 min beside the others, a latitude beyond the pole, a level
or speed that nothing flies. Editions that read a sample alike are no rivals; of equals the newest is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.items import Items, Refused, read_record
from lapwing.sense.asterix.records import Editions
from lapwing.sense.asterix.tables import Compound, Definition, Edition, Element, Extended, Group, Item

SAMPLE_BLOCKS = 60
SOURCES_MAX = 256           # of which samples are gathered
TIME_SPREAD_S = 600.0       # reports of one sample lie near each other
DAY_S = 86_400.0
# The chance that a block of the right edition holds what cannot be: one in a hundred is generous to broken data.
ODD_PROB = 0.01
LEAVE_NEWEST = 0.3          # the newest is left only where so much more of the sample speaks against it,
LEAVE_BLOCKS = 3            # or so many blocks do and none against another: what is broken is broken in every edition
FITS = 0.5                  # an edition that so much of the sample speaks against fits not at all
# What a number can be, by its unit (places by their name).
# Climb is not among them: a real tracker sends -165,000 ft/min for hours.
_LIMITS = {"FL": (-20.0, 1_500.0), "NM/s": (-1.0, 1.0), "m/s": (-2_000.0, 2_000.0)}
_PLACES = {"LAT": (-90.0, 90.0), "LON": (-180.0, 180.0)}

Check = tuple[tuple[str, ...], float, float]


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well an edition fits a sample.

    Attributes
    ----------
    score : share of its blocks that nothing speaks against
    read_share, plausible_share : of blocks that can be read; of those, of blocks that can be
    confidence : that it is this one and not one that reads the sample otherwise (0 to 1)
    """

    edition: str
    score: float
    read_share: float
    plausible_share: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Detected:
    """The edition that a source is taken to speak; confidence 0 where none that is known fits."""

    edition: str
    confidence: float
    score: float
    newest_score: float         # of the newest edition, for comparison
    blocks: int                 # of the sample

    @property
    def fits(self) -> bool:
        """Whether it, or any known edition, can be right."""
        return self.score > FITS


@cache
def _checks(category: int, edition: str) -> tuple[tuple[str, ...], tuple[Check, ...]]:
    """Return the items that are times of day, and what the numbers of the others can be."""
    times: list[str] = []
    checks: list[Check] = []
    for _, places in tables.edition(category, edition).profiles:
        for item in places:
            if not isinstance(item, Item):
                continue
            of = item.definition
            if isinstance(of, Element) and of.bits == 24 and of.content.unit == "s" and of.content.lsb == 1 / 128:
                times.append(item.name)
            elif isinstance(of, Compound):
                for sub in of.items:
                    if sub is not None:
                        checks += _limits(sub.definition, (item.name, sub.name))
            else:
                checks += _limits(of, (item.name,))
    return tuple(dict.fromkeys(times)), tuple(dict.fromkeys(checks))


def _limits(definition: Definition, path: tuple[str, ...]) -> Iterator[Check]:
    if isinstance(definition, Element):
        limits = _LIMITS.get(definition.content.unit)
        if definition.content.unit == "°":
            limits = _PLACES.get(path[-1])
        if limits is not None and not definition.cases:
            yield path, *limits
    elif isinstance(definition, Group | Extended):
        parts = definition.parts if isinstance(definition, Group) else [p for c in definition.chunks for p in c.parts]
        for part in parts:
            if part.definition is not None:
                yield from _limits(part.definition, (*path, part.name))  # type: ignore[arg-type, unused-ignore]


def _at(items: Items, path: tuple[str, ...]) -> Any:
    at: Any = items
    for step in path:
        at = at.get(step) if isinstance(at, dict) else None
    return at


@dataclass(slots=True)
class _Reading:
    """A sample as one edition reads it: by block, its records (None: refused) and whether all of it can be."""

    records: list[tuple[Items, ...] | None]
    good: list[bool]

    @property
    def odd(self) -> int:
        return self.good.count(False)


def _read(edition: Edition, blocks: Sequence[bytes]) -> _Reading:
    times, checks = _checks(edition.category, edition.edition)
    records: list[tuple[Items, ...] | None] = []
    good: list[bool] = []
    clocks: list[float | None] = []
    for block in blocks:
        found, at, profile, clock = [], 3, "", None
        try:
            while at < len(block):
                items, at, profile = read_record(block, at, len(block), edition, profile)
                found.append(items)
        except Refused:
            records.append(None)
            good.append(False)
            clocks.append(None)
            continue
        can_be = True
        for items in found:
            for name in times:
                value = items.get(name)
                if isinstance(value, float):
                    can_be &= value < DAY_S
                    clock = value if clock is None else clock
            for path, low, high in checks:
                value = _at(items, path)
                if isinstance(value, float):
                    can_be &= low <= value <= high
        records.append(tuple(found))
        good.append(can_be)
        clocks.append(clock)
    _compare_clocks(clocks, good)
    return _Reading(records, good)


def _compare_clocks(clocks: Sequence[float | None], good: list[bool]) -> None:
    known = sorted(clock for clock in clocks if clock is not None)
    if len(known) < 4:
        return
    middle = known[len(known) // 2]
    for index, clock in enumerate(clocks):
        if clock is not None and abs((clock - middle + DAY_S / 2) % DAY_S - DAY_S / 2) > TIME_SPREAD_S:
            good[index] = False


def _reads_alike(one: Edition, other: Edition, records: Iterable[tuple[Items, ...] | None]) -> bool:
    """Whether two editions have the same definitions, at the same places, of all that a sample holds."""
    met = {name for block in records if block is not None for items in block for name in items}
    if None in records:
        return False
    for (_, ours), (_, theirs) in zip(one.profiles, other.profiles, strict=False):
        here = {item.name: (frn, item) for frn, item in enumerate(ours) if isinstance(item, Item)}
        there = {item.name: (frn, item) for frn, item in enumerate(theirs) if isinstance(item, Item)}
        for name in met:
            if here.get(name, (0, None))[1] is not there.get(name, (0, None))[1] or here.get(name) != there.get(name):
                return False
    return len(one.profiles) == len(other.profiles)


def _agree(one: Any, other: Any) -> bool:
    """Whether two readings say the same where both say something; an edition may name bits that another leaves spare."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = one.keys() & other.keys()
        return bool(both) == bool(one) and all(_agree(one[name], other[name]) for name in both)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_agree, one, other))
    return bool(one == other)


def rank_editions(category: int, blocks: Sequence[bytes]) -> tuple[Ranked, ...]:
    """Return the editions of a category, the best first; of equals the newest first. Empty without a table."""
    sample = [block for block in blocks if len(block) > 3][:SAMPLE_BLOCKS]
    names = tuple(reversed(tables.editions(category)))
    if not names or not sample:
        return tuple(Ranked(name, 0.0, 0.0, 0.0, 0.0) for name in names)
    readings: list[tuple[str, _Reading]] = []
    for name in names:
        edition = tables.edition(category, name)
        alike = next((reading for known, reading in readings
                      if _reads_alike(tables.edition(category, known), edition, reading.records)), None)
        readings.append((name, alike or _read(edition, sample)))
    distinct: list[_Reading] = []
    for _, reading in readings:
        if not any(reading is other or _agree(reading.records, other.records) for other in distinct):
            distinct.append(reading)
    least = min(reading.odd for reading in distinct)
    total = sum(_likelihood(reading.odd - least) for reading in distinct)
    ranked = []
    for name, reading in readings:
        read = sum(records is not None for records in reading.records)
        ranked.append(Ranked(name, 1.0 - reading.odd / len(sample), read / len(sample),
                             reading.good.count(True) / read if read else 0.0,
                             _likelihood(reading.odd - least) / total))
    return tuple(sorted(ranked, key=lambda row: -row.score))


def _likelihood(odd: int) -> float:
    """Return how likely a sample is in which so many blocks more than in the best reading cannot be, beside that one."""
    return math.exp(odd * math.log(ODD_PROB / (1.0 - ODD_PROB)))


def detect_edition(category: int, blocks: Sequence[bytes]) -> Detected | None:
    """Return the edition that blocks of one source speak; None for a category without a table.

    The newest, unless another fits much better, or without a fault: some broken blocks are no reason to read a source in an old language.
    """
    ranked = rank_editions(category, blocks)
    if not ranked:
        return None
    newest = next(row for row in ranked if row.edition == tables.default_edition(category))
    count = min(len(blocks), SAMPLE_BLOCKS)
    better = ranked[0].score - newest.score
    leave = better >= LEAVE_NEWEST or (ranked[0].score == 1.0 and better * count >= LEAVE_BLOCKS - 0.5)
    best = ranked[0] if leave else newest
    confidence = best.confidence if best.score > FITS else 0.0
    return Detected(best.edition, confidence, best.score, newest.score, count)


def _source(block: bytes) -> tuple[int, int]:
    """Return SAC and SIC of a block's first record, which stand right behind its presence octets; -1 where it has none."""
    body = 3
    while body < len(block) and block[body] & 1 and body < 19:
        body += 1
    if len(block) > 3 and block[3] & 0x80 and body + 3 <= len(block):
        return block[body + 1], block[body + 2]
    return -1, -1


Source = tuple[int, int, int]   # category, SAC, SIC


def sample_sources(payloads: Iterable[bytes]) -> Mapping[Source, list[bytes]]:
    """Return the first blocks of each source met in datagrams; what is no block is left out."""
    sources: dict[Source, list[bytes]] = {}
    for payload in payloads:
        at = 0
        while at + 3 <= len(payload):
            length = payload[at + 1] << 8 | payload[at + 2]
            if length < 3 or at + length > len(payload):
                break
            block = payload[at : at + length]
            at += length
            key = (block[0], *_source(block))
            if key in sources or len(sources) < SOURCES_MAX:
                sample = sources.setdefault(key, [])
                if len(sample) < SAMPLE_BLOCKS and length > 3:
                    sample.append(block)
    return sources


def detect_editions(payloads: Iterable[bytes], named: Editions | None = None) -> Mapping[Source, Detected]:
    """Return the edition of each source met in datagrams, but of those that are named already."""
    named = named or Editions()
    found: dict[Source, Detected] = {}
    for key, blocks in sample_sources(payloads).items():
        if key in named.by_source or key[0] in named.by_category:
            continue
        detected = detect_edition(key[0], blocks)
        if detected is not None:
            found[key] = detected
    return found


def with_detected(named: Editions, detected: Mapping[Source, Detected]) -> Editions:
    """Return editions with those of the sources added that do not speak the newest; what is named stays.

    Blocks without a source identifier are taken as such a source's where no other of their category was met.
    """
    other = {key: row.edition for key, row in detected.items() if row.edition != tables.default_edition(key[0])}
    known = {category for category, sac, _ in detected if sac >= 0}
    nameless = {category: name for (category, sac, _), name in other.items() if sac < 0 and category not in known}
    return Editions({**nameless, **named.by_category}, {**{k: v for k, v in other.items() if k[1] >= 0}, **named.by_source})

"""How much one link may bring in a second: what is beyond is refused and counted, so that a flood cannot starve the rest."""

from __future__ import annotations

from lapwing.model import entries as formats
from lapwing.model.entries import Entry
from lapwing.model.times import NS_PER_S
from lapwing.sense.work import Work

DATAGRAMS_MAX = 50_000       # a second and link: more than any national network sends over one
RECORDS_MAX = 50             # of people and nodes that report one by one
WINDOWS_PER_S = 20           # of a live run at most (0.05 s)
LINKS_MAX = 4_096
_ONE_BY_ONE = (formats.ACOUSTIC, formats.SIGHTING, formats.PATROL, formats.IDENTIFY, formats.IMPACT, formats.SENSOR)


def within_limits(work: Work, format_: str, entries: list[Entry]) -> list[Entry]:
    """Return the entries of a format that their links may bring."""
    limit = RECORDS_MAX if format_ in _ONE_BY_ONE else DATAGRAMS_MAX
    if len(entries) * WINDOWS_PER_S < limit:
        return entries       # so few in every window of a live run stay within the limit: nothing to count
    rates = work.own("rate")
    kept = []
    for entry in entries:
        key = f"{entry.link}|{format_ in _ONE_BY_ONE}"
        second = entry.received_ns // NS_PER_S
        last, count = rates.get(key, (second, 0))
        count = count + 1 if second == last else 1
        rates.pop(key, None)
        rates[key] = (second, count)
        if count <= limit:
            kept.append(entry)
        else:
            work.refusals.add("rate_limit", entry.link, f"more than {limit} a second over one link: the rest of the second is "
                              "left out", entry.link, entry.sequence, 0)
    while len(rates) > LINKS_MAX:
        rates.pop(next(iter(rates)))
    return kept


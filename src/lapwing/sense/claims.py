"""Claims of regions, out of their common store. Only the link ``regions`` brings them: the service's own, not one of the file's."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lapwing.model.claims import Claim
from lapwing.model.entries import Entry
from lapwing.sense import person_json
from lapwing.sense.found import Found
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

LINK = "regions"
_NUMBER = re.compile(r"\d{8}-[a-z0-9]{1,20}-\d{1,9}")
_SEQUENCE_MAX = float(1 << 53)


def read_claims(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return claims: JSON with the fields of `model.claims.Claim`, angles in degrees, times as ISO 8601."""
    found = []
    for entry in entries:
        try:
            if entry.link != LINK:
                raise person_json.BadReport(f"a claim from the link {entry.link[:60]!r}: only the regions' own store has them")
            found.append((entry.sequence, decode_claim(entry.payload)))
        except person_json.BadReport as error:
            work.refusals.add("bad_report", f"{entry.link} claim", str(error), entry.link, entry.sequence, 0)
    work.record_count += len(found)
    return Found(reports=tuple(found))


def decode_claim(payload: bytes) -> Claim:
    """Return a claim. Raises BadReport with key, value and what is expected."""
    f = person_json.Fields(payload)
    number, into = f.text("number", ...), f.text("into")
    for text in (number, into):
        if text and not _NUMBER.fullmatch(text):
            raise person_json.BadReport(f"{text[:60]!r} is no number of a track: DAY-region-COUNT expected")
    claim = Claim(
        number=number, region=f.text("region", ...), sequence=int(f.number("sequence", 0, _SEQUENCE_MAX, 0)),
        expected=int(f.number("expected", 0, _SEQUENCE_MAX, 0)), time_ns=f.time("time"), born_ns=f.time("born"),
        latitude_rad=math.radians(f.number("lat_deg", -90.0, 90.0)), longitude_rad=math.radians(f.number("lon_deg", -180.0, 180.0)),
        east_mps=f.number("east_mps", -2e3, 2e3), north_mps=f.number("north_mps", -2e3, 2e3),
        position_m_sigma=f.number("position_m_sigma", 0.0, 1e6), icao_address=f.code("icao_address", 16, 0xFFFFFF),
        entered=f.flag("entered"), left=f.flag("left"), ended=f.flag("ended"), into=into)
    f.done()
    return claim

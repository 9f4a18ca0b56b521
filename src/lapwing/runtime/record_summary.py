"""What a recording held: sources, categories and editions, time span, refusals by reason; counted while it passes by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.listing import Listed, Refusal
from lapwing.sense.asterix.ranking import Detected, Source
from lapwing.sense.asterix.records import Editions
from lapwing.sense.asterix.tables import default_edition

SHOWN = 12            # refusals shown one by one before they are only counted
SOURCES_SHOWN = 200   # lines of sources
DAY_S = 86_400.0


class Summary:
    """Counts records and refusals.

    Parameters
    ----------
    framing : of the recording
    named : editions that the user gave
    detected : editions found on a sample of each other source
    """

    def __init__(self, framing: str, named: Editions, detected: Mapping[Source, Detected]) -> None:
        self.framing, self._named, self._detected = framing, named, detected
        self.records = 0
        self._kinds: Counter[tuple[int, int, int, str]] = Counter()
        self._reasons: Counter[str] = Counter()
        self._by_source: Counter[tuple[str, int, int, int]] = Counter()
        self._shown: list[str] = []
        self._times: tuple[float, float] | None = None
        self._last_s = 0.0
        self._span_s = 0.0

    @property
    def categories(self) -> frozenset[int]:
        """Those that records were read of."""
        return frozenset(category for category, *_ in self._kinds)

    def watch(self, rows: Iterator[Listed | Refusal]) -> Iterator[Listed]:
        """Pass the records on, count all."""
        for row in rows:
            if isinstance(row, Listed):
                self.records += 1
                self._kinds[row.category, row.sac, row.sic, row.edition] += 1
                time = _time_of_day(row)
                if time is not None:
                    self._clock(time)
                yield row
            else:
                self._reasons[row.reason] += 1
                self._by_source[row.reason, row.category, row.sac, row.sic] += 1
                if len(self._shown) < SHOWN:
                    self._shown.append(f"  {row.where}: {row.reason}: {row.detail}")

    def _clock(self, time_s: float) -> None:
        """Follow the time of day across midnight, from the first record to the latest."""
        if time_s >= DAY_S:
            return
        if self._times is None:
            self._times, self._last_s = (time_s, time_s), time_s
            return
        self._last_s += (time_s - self._last_s + DAY_S / 2) % DAY_S - DAY_S / 2
        first, latest = self._times
        self._times = min(first, self._last_s), max(latest, self._last_s)

    def text(self) -> str:
        """Return the summary."""
        lines = [f"framing {self.framing}, {self.records} records"]
        kinds = sorted(self._kinds.items())
        for (category, sac, sic, edition), count in kinds[:SOURCES_SHOWN]:
            source = f"{sac}/{sic}" if sac >= 0 else "no source"
            lines.append(f"  CAT{category:03d} {source:>9}  edition {edition:<5}{self._why(category, sac, sic):<12} {count:>9}")
        if len(kinds) > SOURCES_SHOWN:
            lines.append(f"  ... and {len(kinds) - SOURCES_SHOWN} more sources")
        if self._times is not None:
            first, latest = self._times
            lines.append(f"time of day {_clock(first)} to {_clock(latest)}, {latest - first:.1f} s")
        if self._reasons:
            lines.append("refused: " + ", ".join(f"{reason} {n}" for reason, n in sorted(self._reasons.items())))
            for (reason, category, sac, sic), count in sorted(self._by_source.items()):
                if category >= 0:
                    source = f"{sac}/{sic}" if sac >= 0 else "no source"
                    lines.append(f"  CAT{category:03d} {source:>9}  {reason} {count}")
            lines += self._shown
            more = sum(self._reasons.values()) - len(self._shown)
            if more > 0:
                lines.append(f"  ... and {more} more")
        else:
            lines.append("refused: nothing")
        return "\n".join(lines + self._hints())

    def _why(self, category: int, sac: int, sic: int) -> str:
        """Return how it is known which edition a source speaks."""
        if (category, sac, sic) in self._named.by_source or category in self._named.by_category:
            return " (named)"
        found = self._detected.get((category, sac, sic))
        return "" if found is None else f" ({found.confidence:.0%})"

    def _hints(self) -> list[str]:
        lines = []
        for (category, sac, sic), found in sorted(self._detected.items()):
            source = f"CAT{category:03d}" + (f" of {sac}/{sic}" if sac >= 0 else "")
            newest = default_edition(category)
            name = f"{category}@{sac}/{sic}" if sac >= 0 else f"{category}"
            if found.edition != newest:
                lines.append(
                    f"  {source}: read as edition {found.edition}: {found.score:.0%} of {found.blocks} blocks can be, as {newest} "
                    f"{found.newest_score:.0%}; to settle it: --edition {name}={found.edition}")
            elif not found.fits:
                lines.append(
                    f"  {source}: no edition that is known fits: read as {newest}, {1.0 - found.score:.0%} of {found.blocks} blocks "
                    f"cannot be; believe none of it, and ask the sender which document it follows")
        return lines


def _time_of_day(row: Listed) -> float | None:
    if row.category == 1:
        return None  # counts within 512 s
    for path in COLUMNS.get(row.category, {}).get("time_of_day_s", ((), 1.0))[0]:
        value = row.items.get(path[0])
        if isinstance(value, float):
            return value
    return None


def _clock(seconds: float) -> str:
    seconds %= DAY_S
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:06.3f}"

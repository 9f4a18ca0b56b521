"""Plots in the making: the columns of one category's reports before they are joined, and the refusals on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from lapwing.model.errors import Refusal
from lapwing.model.plots import NO_CODE, Plots, empty_plots

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of one category and edition, each with its sensor and times. Every array has length n."""

    category: int
    columns: dict[str, Floats]
    sensor_index: Ints
    source: Ints                        # SAC * 256 + SIC; -1: none, then `source_name` stands in the counters
    measured_ns: Ints
    received_ns: Ints
    entry_sequence: Ints
    octet_offset: Ints
    source_name: str = ""

    def __len__(self) -> int:
        return len(self.sensor_index)

    def take(self, rows: Bools | npt.NDArray[np.intp]) -> Reports:
        """Return the chosen rows."""
        return Reports(self.category, {k: v[rows] for k, v in self.columns.items()}, self.sensor_index[rows],
                       self.source[rows], self.measured_ns[rows], self.received_ns[rows], self.entry_sequence[rows],
                       self.octet_offset[rows], self.source_name)

    def timed(self, measured_ns: Ints) -> Reports:
        """Return the same with their times."""
        return Reports(self.category, self.columns, self.sensor_index, self.source, measured_ns, self.received_ns,
                       self.entry_sequence, self.octet_offset, self.source_name)

    def has(self, name: str, value: float) -> Bools | None:
        """Return where a column has a value; None where the category has no such column."""
        found = self.columns.get(name)
        return None if found is None else found == value

    def get(self, name: str) -> Floats:
        """Return a column; NaN throughout where the category has none of that name."""
        found = self.columns.get(name)
        return np.full(len(self), np.nan) if found is None else found


@dataclass(slots=True)
class Refusals:
    """Collects what was refused in one step: one `Refusal` a reason and source, with its first place and its count."""

    rows: dict[tuple[str, str], Refusal] = field(default_factory=dict)

    def add(self, reason: str, where: str, detail: str, source: str = "", entry_sequence: int = -1, octet: int = -1,
            count: int = 1) -> None:
        """Count one refusal (or several of a kind)."""
        key = (reason, source)
        known = self.rows.get(key)
        if known is None:
            self.rows[key] = Refusal(reason, where, detail, source, entry_sequence, octet, count)
        else:
            self.rows[key] = Refusal(reason, known.where, known.detail, source, known.entry_sequence, known.octet,
                                     known.count + count)

    def add_rows(self, reports: Reports, refused: Bools, reason: str, detail: str) -> None:
        """Count the chosen reports, each under its source."""
        rows = np.flatnonzero(refused)
        if not len(rows):
            return
        sources, first, counts = np.unique(reports.source[rows], return_index=True, return_counts=True)
        for code, place, count in zip(sources.tolist(), first.tolist(), counts.tolist(), strict=True):
            row = rows[place]
            source = reports.source_name if code < 0 else f"{code >> 8}/{code & 255}"
            self.add(reason, f"{source} CAT{reports.category:03d}", detail, source, int(reports.entry_sequence[row]),
                     int(reports.octet_offset[row]), count)

    def keep(self, reports: Reports, refused: Bools | None, reason: str, detail: str) -> Reports:
        """Count the refused reports; return the others."""
        if refused is None or not refused.any():
            return reports
        self.add_rows(reports, refused, reason, detail)
        return reports.take(~refused)

    def sorted(self) -> tuple[Refusal, ...]:
        """Return them in the order of the input."""
        if not self.rows:
            return ()
        return tuple(sorted(self.rows.values(), key=lambda r: (r.entry_sequence, r.octet, r.reason, r.source)))


def codes(values: Floats) -> npt.NDArray[np.int32]:
    """Return numbers as codes; NO_CODE where there is none."""
    return np.where(np.isfinite(values), values, NO_CODE).astype(np.int32)


_SIX_BIT = np.frombuffer(("".join(
    chr(64 + c) if 1 <= c <= 26 else chr(c) if 48 <= c <= 57 else " " for c in range(64))).encode(), "S1")


def callsigns(values: Floats) -> npt.NDArray[np.bytes_]:
    """Return the stripped text of 48-bit call signs (counts as floats: exact below 2^53); b"" where there is none."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), "S8")
    raw = np.where(known, values, 0.0).astype(np.int64)
    letters = np.stack([_SIX_BIT[raw >> shift & 63] for shift in range(42, -1, -6)], axis=-1)
    found: npt.NDArray[np.bytes_] = np.char.strip(np.ascontiguousarray(letters).view("S8").reshape(-1))
    return found.astype("S8")


def join_plots(parts: Sequence[Plots]) -> Plots:
    """Return all plots in the order of the input: by entry, then by place in it."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return empty_plots()
    if len(kept) == 1:
        joined = kept[0]
    else:
        joined = Plots(*(np.concatenate([getattr(part, name) for part in kept]) for name in _PLOT_FIELDS))
    entry, octet = joined.entry_sequence, joined.octet_offset
    step = entry[1:] - entry[:-1]
    if bool(((step > 0) | ((step == 0) & (octet[1:] >= octet[:-1]))).all()):
        return joined
    return joined.take(np.lexsort((octet, entry)))


_PLOT_FIELDS = tuple(f.name for f in fields(Plots))

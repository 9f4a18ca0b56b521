"""What the columnar decoder gives: records by category and edition, and what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lapwing.sense.asterix import kernels, tables
from lapwing.sense.asterix.items import Items, read_record
from lapwing.sense.asterix.layout import Layout

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Editions:
    """Which edition to take: by (category, SAC, SIC), else by category, else the newest."""

    by_category: Mapping[int, str] = field(default_factory=dict)
    by_source: Mapping[tuple[int, int, int], str] = field(default_factory=dict)

    def choose(self, category: int, sac: int, sic: int) -> str | None:
        """Return the edition's name; None for a category without a table."""
        named = self.by_source.get((category, sac, sic)) or self.by_category.get(category)
        return named or (tables.default_edition(category) if category in tables.CATEGORIES else None)


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk over blocks of one edition found: records, and the shapes that they have."""

    records: Ints               # as of `kernels.walk`
    profiles: Ints              # of each shape
    lengths: Ints
    starts: npt.NDArray[np.uint16]
    ends: npt.NDArray[np.uint16]
    columns: Floats
    row_of: Sequence[int]       # of each column of `column_names`, in `columns`


@dataclass(frozen=True)
class Records:
    """Records of one category and edition, in order of the data. Every array has length n.

    Attributes
    ----------
    columns : name of `column_names` -> numbers, NaN where a record has none. For reading: those that no record has may share memory.
    """

    category: int
    edition: str
    columns: Mapping[str, Floats]
    _table: Layout
    _found: Found
    _data: bytes
    _blocks: Ints               # as of `kernels.cut_blocks`, those of this edition
    _rows: Ints | None          # their running numbers over all datagrams; None: all in order
    _datagram_starts: Ints

    def __len__(self) -> int:
        return int(self._found.records.shape[1])

    @property
    def sac(self) -> Ints:
        """-1: neither the record nor one before it in its block says."""
        column: Ints = self._found.records[kernels.SAC]
        return column

    @property
    def sic(self) -> Ints:
        """As `sac`."""
        column: Ints = self._found.records[kernels.SIC]
        return column

    @property
    def record_index(self) -> Ints:
        """Number in the block."""
        column: Ints = self._found.records[kernels.NUMBER]
        return column

    @cached_property
    def datagram_index(self) -> Ints:
        """Number of the datagram."""
        column: Ints = self._blocks[:, 0].take(self._found.records[kernels.BLOCK])
        return column

    @cached_property
    def block_index(self) -> Ints:
        """Running number of the block over all datagrams."""
        block: Ints = self._found.records[kernels.BLOCK]
        column: Ints = block if self._rows is None else self._rows[block]
        return column

    @cached_property
    def octet_offset(self) -> Ints:
        """First octet of the record in its datagram."""
        column: Ints = self._found.records[kernels.START] - self._datagram_starts.take(self.datagram_index)
        return column

    @cached_property
    def octet_count(self) -> Ints:
        """Octets of the record."""
        column: Ints = self._found.lengths[self._found.records[kernels.SHAPE]]
        return column

    @cached_property
    def profile_index(self) -> Ints:
        """Profile that the record follows (CAT001: plot, track)."""
        column: Ints = self._found.profiles[self._found.records[kernels.SHAPE]]
        return column

    @cached_property
    def present(self) -> Bools:
        """(n, fields) items of the profile that the record has."""
        fields = self._table.fields
        starts, profiles = self._found.starts, self._found.profiles
        by_shape = np.zeros((len(starts), fields), np.bool_)
        for profile in range(len(self._table.edition.profiles)):
            alike = profiles == profile
            by_shape[alike] = starts[alike, profile * fields : (profile + 1) * fields] > 0
        rows: Bools = by_shape[self._found.records[kernels.SHAPE]]
        return rows

    def octets(self, row: int) -> bytes:
        """Return a record's octets as they came."""
        start = int(self._found.records[kernels.START, row])
        return self._data[start : start + int(self.octet_count[row])]

    def items(self, row: int) -> Items:
        """Return all items of a record, in the units of the specification (`items.read_record`)."""
        start = int(self._found.records[kernels.START, row])
        profile = self._table.edition.profiles[int(self.profile_index[row])][0]
        return read_record(self._data, start, start + int(self.octet_count[row]), self._table.edition, profile)[0]


@dataclass(frozen=True, slots=True)
class BlockRefusal:
    """One thing that was not read: where and why. The rest of its block went with it."""

    datagram_index: int
    block_index: int                # -1: no block
    category: int                   # -1 likewise
    record_index: int               # in its block; -1
    item: str                       # "I048/040", "FSPEC", ""
    octet_offset: int               # in its datagram
    reason: str
    detail: str
    sac: int = -1
    sic: int = -1


@dataclass(frozen=True, slots=True)
class Decoded:
    """What datagrams held."""

    records: tuple[Records, ...]    # one of each category and edition met, by category
    refusals: tuple[BlockRefusal, ...]
    block_count: int

    def counts(self) -> Mapping[tuple[int, int, int, str], int]:
        """Return how often each (category, SAC, SIC, reason) was refused."""
        return Counter((r.category, r.sac, r.sic, r.reason) for r in self.refusals)

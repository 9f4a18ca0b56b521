"""What the sense stage remembers between steps, and what is fixed for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.model.sensors import SensorTable


@dataclass(frozen=True, slots=True)
class SenseSetup:
    """Fixed for a run.

    Attributes
    ----------
    sensors : as configured; sources met in the data are appended
    editions : category -> edition, where a category must not be taken as the newest; a sensor's own comes first
    source_editions : (category, SAC, SIC) -> edition, likewise, of sources that the table need not have
    allow : (SAC, SIC) of the sources that are listened to; empty: all
    own : (SAC, SIC) under which our own tracks and messages go out: what comes back under them is refused
    """

    sensors: SensorTable = field(default_factory=SensorTable)
    editions: Mapping[int, str] = field(default_factory=dict)
    source_editions: Mapping[tuple[int, int, int], str] = field(default_factory=dict)
    allow: tuple[tuple[int, int], ...] = ()
    own: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The memory of the stage: small, and the same bytes after a replay.

    Attributes
    ----------
    sensors : the table as it has grown; None before the first step
    link_source : link -> (SAC, SIC) last heard on it, for records that name no source
    recent_ns, recent_digest : datagrams of the last two seconds, to drop what comes twice
    north_ns : sensor row -> last north mark
    rotation_s : sensor row -> rotation estimated
    last_ns : sensor row -> newest time of a report
    counts : "reason|source" -> refused so far
    told : what was said once and need not be said again ("position|ID")
    record_count : records decoded so far
    memory : what formats and checks keep between steps, by name; each a dict of plain values
    """

    sensors: SensorTable | None = None
    link_source: dict[str, tuple[int, int]] = field(default_factory=dict)
    recent_ns: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    recent_digest: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    north_ns: dict[int, int] = field(default_factory=dict)
    rotation_s: dict[int, float] = field(default_factory=dict)
    last_ns: dict[int, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    record_count: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

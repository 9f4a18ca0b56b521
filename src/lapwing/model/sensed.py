"""What one step of the sense stage hands on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lapwing.model.errors import Refusal
from lapwing.model.plots import Bearings, Looks, Plots
from lapwing.model.reports import Report
from lapwing.model.sensors import SensorTable


@dataclass(frozen=True, slots=True)
class SensorHealth:
    """How one sensor does. Delays are reception less time of applicability: below zero is a clock that is ahead."""

    sensor_id: str
    state: str                            # reports | degraded | silent | quarantined | never_heard
    last_ns: int                          # when it was last heard; 0: never
    rotation_s: float                     # measured, else configured; NaN: unknown or not rotating
    delay_s: float                        # usual; NaN: nothing heard with a time
    delay_s_least: float
    words: str = ""                       # what it says of itself, or why it is not believed
    reach_m: float = math.nan             # its farthest plot of the last quarter of an hour; NaN: none, or no radar
    reach_m_expected: float = math.nan    # what its horizon and range allow, of aircraft at 3,000 m
    coverage_share: float = math.nan      # of 36 sectors, those seen beyond half of that; NaN: too few plots to say


@dataclass(frozen=True, slots=True)
class Sensed:
    """Plots and whatever else the entries of one batch held."""

    plots: Plots
    bearings: Bearings
    looks: Looks
    reports: tuple[Report, ...]
    sensors: SensorTable                  # as known after this batch; rows are only appended
    refusals: tuple[Refusal, ...]
    record_count: int                     # sensor records decoded, used or not
    health: tuple[SensorHealth, ...] = ()  # of every sensor of the table, in its order

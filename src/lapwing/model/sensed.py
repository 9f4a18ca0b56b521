"""What one step of the sense stage hands on."""

from __future__ import annotations

from dataclasses import dataclass

from lapwing.model.errors import Refusal
from lapwing.model.plots import Bearings, Looks, Plots
from lapwing.model.reports import PersonReport
from lapwing.model.sensors import SensorTable


@dataclass(frozen=True, slots=True)
class Sensed:
    """Plots and whatever else the entries of one batch held."""

    plots: Plots
    bearings: Bearings
    looks: Looks
    reports: tuple[PersonReport, ...]
    sensors: SensorTable                  # as known after this batch; rows are only appended
    refusals: tuple[Refusal, ...]
    record_count: int                     # sensor records decoded, used or not

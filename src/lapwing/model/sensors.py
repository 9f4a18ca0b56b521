"""Sensors: what reports, where it stands and how well it measures. A table of them is one value that may grow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

# Kinds of sensor
RADAR = "radar"              # rotating: polar plots
ADSB = "adsb"                # position sent by the aircraft
MLAT = "mlat"                # multilateration
TRACKER = "tracker"          # a neighbour's system tracks (CAT062)
SURFACE = "surface"          # surface-movement radar (CAT010)
ACOUSTIC_ARRAY = "acoustic"  # bearings or presence by sound
OBSERVER = "observer"        # people


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor. Heights are of the antenna above the WGS-84 ellipsoid. NaN or 0 where not known, as stated.

    A sensor without a position (NaN) decodes and is counted but is not tracked.
    """

    id: str
    kind: str = RADAR
    sac: int = -1                       # -1: not an ASTERIX source
    sic: int = -1
    latitude_rad: float = math.nan
    longitude_rad: float = math.nan
    height_m: float = math.nan          # ellipsoid
    rotation_s: float = math.nan        # NaN: unknown or not rotating; estimated from north marks
    range_m_sigma: float = 100.0
    azimuth_rad_sigma: float = math.radians(0.15)
    range_m_max: float = math.nan       # instrumented range
    latency_s: float = 0.0              # nominal, measurement to reception
    detection_prob: float = 0.9         # of its default target inside its small-target range
    small_range_m: float = math.nan     # range at which a 0.1 m2 object is seen half the time; NaN: unknown
    false_plots_per_scan: float = 10.0
    categories: tuple[int, ...] = ()
    editions: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    position_from: str = "config"       # config | data | none
    horizon: tuple[tuple[float, float], ...] = ()  # terrain: (azimuth, elevation) rad, azimuths rising in [0, 2 pi); empty: smooth earth
    qnh_hpa: float = math.nan           # sea-level pressure where it looks; NaN: standard, and less sure

    @property
    def has_position(self) -> bool:
        """Whether latitude and longitude are known; the height may still be NaN (taken as 0 by `place`)."""
        return math.isfinite(self.latitude_rad) and math.isfinite(self.longitude_rad)


@dataclass(frozen=True, slots=True)
class SensorTable:
    """All sensors known, in a fixed order: a plot's `sensor_index` is a row of it. Rows are only ever appended."""

    rows: tuple[Sensor, ...] = ()

    def index_of(self, sensor_id: str) -> int:
        """Return the row of an id, or -1."""
        return next((i for i, s in enumerate(self.rows) if s.id == sensor_id), -1)

    def index_of_source(self, sac: int, sic: int) -> int:
        """Return the row of an ASTERIX source, or -1."""
        return next((i for i, s in enumerate(self.rows) if s.sac == sac and s.sic == sic), -1)

    def with_sensor(self, sensor: Sensor) -> SensorTable:
        """Return a table with the sensor appended, or replaced in its row where its id is already there."""
        at = self.index_of(sensor.id)
        if at < 0:
            return SensorTable((*self.rows, sensor))
        return SensorTable((*self.rows[:at], sensor, *self.rows[at + 1 :]))

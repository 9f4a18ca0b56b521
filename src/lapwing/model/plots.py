"""Plots, bearings and looks: what the sense stage hands on. Columns; every array of one value has the same length."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Plots.kind
KIND_PSR, KIND_SSR, KIND_COMBINED, KIND_ADSB, KIND_MLAT, KIND_TRACK = 0, 1, 2, 3, 4, 5
NO_CODE = -1  # mode3a, icao_address, track_number: not given


@dataclass(frozen=True, slots=True)
class Plots:
    """Reports of one batch. Every array has length n; NaN where the sensor gave nothing.

    A plot is one sensor report of one object with a position. Polar sensors keep range and azimuth as measured (for
    registration); position and covariance are always filled (`sense.place`).
    """

    measured_ns: Ints                            # UTC, time of applicability
    received_ns: Ints                            # UTC, when it reached us
    sensor_index: npt.NDArray[np.uint16]         # row of the sensor table
    kind: npt.NDArray[np.uint8]                  # KIND_*
    range_m: Floats                              # slant range; NaN for sensors that give positions
    azimuth_rad: Floats                          # from true north, clockwise, [0, 2 pi); NaN likewise
    latitude_rad: Floats                         # WGS-84, of the object
    longitude_rad: Floats
    height_m: Floats                             # above the ellipsoid; NaN unknown (position then uses a low default)
    height_m_sigma: Floats                       # NaN where height is
    position_cov_m2: Floats                      # (n, 2, 2) east, north at the plot; random part only
    velocity_mps: Floats                         # (n, 2) east, north as reported (ADS-B, tracks); NaN otherwise
    amplitude_db: Floats                         # power over noise or as the sensor scales it; NaN
    mode3a: npt.NDArray[np.int32]                # 0..0o7777; NO_CODE
    icao_address: npt.NDArray[np.int32]          # 24 bit; NO_CODE
    callsign: npt.NDArray[np.bytes_]             # S8, stripped; b"" not given
    entry_sequence: Ints                         # journal entry it came in
    octet_offset: npt.NDArray[np.int32]          # of its record in that entry's payload
    track_number: npt.NDArray[np.int32]          # of a neighbour's system track, at its source; NO_CODE: none, or not its own
    velocity_mps_sigma: Floats                   # of such a track, each axis; NaN: not told

    def __len__(self) -> int:
        return len(self.measured_ns)

    def take(self, rows: npt.NDArray[np.intp] | Bools) -> Plots:
        """Return the chosen rows (index array or mask), in that order."""
        return Plots(*[getattr(self, name)[rows] for name in _PLOT_FIELDS])


_PLOT_FIELDS = tuple(f.name for f in fields(Plots))


@dataclass(frozen=True, slots=True)
class Bearings:
    """Directions without range: acoustic arrays, optical sensors, people. A bearing is never turned into a point."""

    measured_ns: Ints                            # UTC, of the sound or sight at the sensor
    received_ns: Ints
    sensor_index: npt.NDArray[np.uint16]         # row of the sensor table; 65535: a person, not in the table
    latitude_rad: Floats                         # of the sensor or observer
    longitude_rad: Floats
    azimuth_rad: Floats                          # true north, clockwise; NaN: presence only
    azimuth_rad_sigma: Floats
    range_m_max: Floats                          # how far such a sensor can hear or see
    sound: Bools                                 # True: by sound, delayed by 2.94 s a km
    entry_sequence: Ints

    def __len__(self) -> int:
        return len(self.measured_ns)


@dataclass(frozen=True, slots=True)
class Looks:
    """North marks and sector crossings (CAT034, CAT002): proof that a radar looked somewhere, plots or not."""

    measured_ns: Ints
    sensor_index: npt.NDArray[np.uint16]
    azimuth_rad: Floats                          # start of the sector just crossed; 0 for a north mark
    north_mark: Bools

    def __len__(self) -> int:
        return len(self.measured_ns)


def empty_plots() -> Plots:
    """Return a `Plots` of no rows."""
    none, ints = np.zeros(0), np.zeros(0, np.int64)
    return Plots(
        measured_ns=ints, received_ns=ints, sensor_index=np.zeros(0, np.uint16), kind=np.zeros(0, np.uint8),
        range_m=none, azimuth_rad=none, latitude_rad=none, longitude_rad=none, height_m=none, height_m_sigma=none,
        position_cov_m2=np.zeros((0, 2, 2)), velocity_mps=np.zeros((0, 2)), amplitude_db=none,
        mode3a=np.zeros(0, np.int32), icao_address=np.zeros(0, np.int32), callsign=np.zeros(0, "S8"),
        entry_sequence=ints, octet_offset=np.zeros(0, np.int32), track_number=np.zeros(0, np.int32), velocity_mps_sigma=none,
    )


def empty_bearings() -> Bearings:
    """Return a `Bearings` of no rows."""
    none, ints = np.zeros(0), np.zeros(0, np.int64)
    return Bearings(
        measured_ns=ints, received_ns=ints, sensor_index=np.zeros(0, np.uint16), latitude_rad=none, longitude_rad=none,
        azimuth_rad=none, azimuth_rad_sigma=none, range_m_max=none, sound=np.zeros(0, np.bool_), entry_sequence=ints,
    )


def empty_looks() -> Looks:
    """Return a `Looks` of no rows."""
    return Looks(measured_ns=np.zeros(0, np.int64), sensor_index=np.zeros(0, np.uint16), azimuth_rad=np.zeros(0),
                 north_mark=np.zeros(0, np.bool_))

"""Plots that are no ASTERIX, as packed rows: the payload of a ``plots`` entry.

Four octets ``LWP1``, then rows of 52 octets, little-endian, no padding::

    measured_ns   int64    UTC, time of applicability
    received_ns   int64    UTC, when it reached the one who packed it
    sensor_index  uint16   row of the sensor table of the run
    kind          uint8    KIND_* of model.plots
    spare         uint8    0
    range_m       float64  slant range
    azimuth_rad   float64  true north, clockwise
    amplitude_db  float32  NaN: none
    flight_level  float32  hundreds of feet, pressure altitude; NaN: none
    mode3a        int32    -1: none
    icao_address  int32    -1: none
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAGIC = b"LWP1"
ROW = np.dtype([("measured_ns", "<i8"), ("received_ns", "<i8"), ("sensor_index", "<u2"), ("kind", "u1"),
                ("spare", "u1"), ("range_m", "<f8"), ("azimuth_rad", "<f8"), ("amplitude_db", "<f4"),
                ("flight_level", "<f4"), ("mode3a", "<i4"), ("icao_address", "<i4")])


class BadRows(ValueError):
    """A payload that is not packed plots; says why."""


def empty(count: int) -> npt.NDArray[np.void]:
    """Return rows to fill: no amplitude, level, code or address."""
    rows = np.zeros(count, ROW)
    rows["amplitude_db"] = rows["flight_level"] = np.nan
    rows["mode3a"] = rows["icao_address"] = -1
    return rows


def pack(rows: npt.NDArray[np.void]) -> bytes:
    """Return the payload of rows of dtype `ROW`."""
    assert rows.dtype == ROW, rows.dtype
    return MAGIC + rows.tobytes()


def unpack(payload: bytes) -> npt.NDArray[np.void]:
    """Return the rows of a payload; a trailing part of a row is refused with all (BadRows)."""
    if payload[:4] != MAGIC:
        raise BadRows(f"packed plots begin with {MAGIC!r}, not {payload[:4]!r}")
    if (len(payload) - 4) % ROW.itemsize:
        raise BadRows(f"{len(payload) - 4} octets are no whole number of rows of {ROW.itemsize}")
    return np.frombuffer(payload, ROW, offset=4)

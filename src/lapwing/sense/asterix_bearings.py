"""ASTERIX reports of a direction without a range: radio direction finders (CAT205) and CAT015 with azimuth alone.

A bearing is handed on as a bearing. A position that a direction-finding system works out from several bearings (CAT205
message types 1 and 3) is that of a radio, not of something seen to fly: counted, not used.
"""

from __future__ import annotations

import math

import numpy as np

from lapwing.model.plots import Bearings, empty_bearings
from lapwing.sense import place
from lapwing.sense.drafts import Floats, Reports
from lapwing.sense.reports import sited
from lapwing.sense.sensor_columns import columns_of
from lapwing.sense.work import Work

FINDER_DEG_SIGMA = 2.0        # of a direction finder whose accuracy nobody gave (ICAO Doc 8071: class A, 2 degrees)
REACH_M = 300_000.0
SYSTEM_BEARING, SENSOR_DATA = 2, 5
STEP_M = 1_000.0


def cat205(work: Work, reports: Reports) -> Bearings:
    """Return the bearings of direction-finder reports."""
    message = reports.get("message")
    fixes = (message == 1) | (message == 3)
    reports = work.refusals.keep(reports, fixes, "radio_fix", "the place of a radio by cross bearings: a bearing counts, a "
                                 "point made of several does not")
    message = reports.get("message")
    reports = work.refusals.keep(reports, message == 4, "track_end", "the end of a transmission")
    local, system = reports.get("bearing_rad"), reports.get("system_bearing_rad")
    neither = ~np.isfinite(local) & ~np.isfinite(system)
    reports = work.refusals.keep(reports, neither, "no_place", "no bearing in the report")
    own = np.isfinite(reports.get("latitude_rad")) & np.isfinite(reports.get("longitude_rad"))
    lost = ~own & ~np.isfinite(columns_of(work.sensors.rows).latitude_rad[reports.sensor_index])
    reports = work.refusals.keep(reports, lost, "no_position", "neither the report nor the sensors file says where it stands")
    if not len(reports):
        return empty_bearings()
    of, index = columns_of(work.sensors.rows), reports.sensor_index
    own = np.isfinite(reports.get("latitude_rad")) & np.isfinite(reports.get("longitude_rad"))
    latitude = np.where(own, reports.get("latitude_rad"), of.latitude_rad[index])
    longitude = np.where(own, reports.get("longitude_rad"), of.longitude_rad[index])
    azimuth = reports.get("bearing_rad").copy()
    for row in np.flatnonzero(~np.isfinite(azimuth)).tolist():
        latitude[row], longitude[row], azimuth[row] = _from_plane(work, reports, row, latitude[row], longitude[row])
    sigma = of.azimuth_rad_sigma[index]
    return _bearings(work, reports, latitude, longitude, azimuth, np.where(sigma > 0.0, sigma, math.radians(FINDER_DEG_SIGMA)))


def _from_plane(work: Work, reports: Reports, row: int, latitude: float, longitude: float) -> tuple[float, float, float]:
    """Return place and true bearing of a system bearing: from a point of the system's plane, against its grid north."""
    site = work.sensors.rows[int(reports.sensor_index[row])]
    x_m, y_m = float(reports.get("x_m")[row]), float(reports.get("y_m")[row])
    angle = float(reports.get("system_bearing_rad")[row])
    if not (math.isfinite(x_m) and math.isfinite(y_m) and site.has_position):
        return latitude, longitude, angle
    xs, ys = np.array([x_m, x_m + STEP_M * math.sin(angle)]), np.array([y_m, y_m + STEP_M * math.cos(angle)])
    at_latitude, at_longitude = place.system_plane(site.latitude_rad, site.longitude_rad, xs, ys)
    east = (at_longitude[1] - at_longitude[0]) * math.cos(at_latitude[0])
    return float(at_latitude[0]), float(at_longitude[0]), math.atan2(east, at_latitude[1] - at_latitude[0])


def cat015(work: Work, reports: Reports) -> Bearings:
    """Return the bearings of reports with an azimuth and neither a position nor a range."""
    alone = np.isfinite(reports.get("azimuth_rad")) & ~np.isfinite(reports.get("range_m")) & ~(
        np.isfinite(reports.get("latitude_rad")) & np.isfinite(reports.get("longitude_rad")))
    real = ~(reports.get("target") > 0) & (reports.get("message") != 5)
    if not (alone & real).any():
        return empty_bearings()
    reports = sited(reports.take(alone & real), work.sensors, work.refusals)
    of, index = columns_of(work.sensors.rows), reports.sensor_index
    given = reports.get("azimuth_rad_sigma")
    return _bearings(work, reports, of.latitude_rad[index], of.longitude_rad[index], reports.get("azimuth_rad"),
                     np.where(given > 0.0, given, of.azimuth_rad_sigma[index]))


def _bearings(work: Work, reports: Reports, latitude: Floats, longitude: Floats, azimuth: Floats, sigma: Floats) -> Bearings:
    reach = np.array([s.range_m_max if math.isfinite(s.range_m_max) else REACH_M for s in work.sensors.rows])
    return Bearings(
        measured_ns=reports.measured_ns, received_ns=reports.received_ns, sensor_index=reports.sensor_index.astype(np.uint16),
        latitude_rad=latitude, longitude_rad=longitude, azimuth_rad=np.mod(azimuth, 2.0 * np.pi), azimuth_rad_sigma=sigma,
        range_m_max=reach[reports.sensor_index], sound=np.zeros(len(reports), np.bool_), entry_sequence=reports.entry_sequence)

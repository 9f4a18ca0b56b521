"""ASTERIX target reports -> plots, category by category.

Every function takes `Reports` (already timed, of known sensors) and gives `Plots`; what is no plot is refused with its
reason: test and simulated targets, coasted and ended tracks, reports without a position or of a sensor without one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import (
    KIND_ADSB,
    KIND_COMBINED,
    KIND_MLAT,
    KIND_PSR,
    KIND_SSR,
    KIND_TRACK,
    NO_CODE,
    Plots,
    empty_plots,
)
from lapwing.model.sensors import SensorTable
from lapwing.sense import heights, place
from lapwing.sense.drafts import Floats, Refusals, Reports, callsigns, codes, join_plots
from lapwing.sense.sensor_columns import columns_of

# Where the sender gives no accuracy.
TRACK_M_SIGMA = 300.0        # a neighbour's system track
MLAT_M_SIGMA = 30.0
ADSB_M_SIGMA = 300.0         # no quality indicator at all
ADSB_UNKNOWN_M_SIGMA = 5_000.0   # the indicator itself says "unknown"
GEOMETRIC_M_SIGMA = 50.0     # height by satellite
RADAR_HEIGHT_M_SIGMA = 500.0     # height measured by a 3D radar

# Estimated position uncertainty (95 % radius, metres) by NACp, RTCA DO-260B table 2-14; containment radius by NIC.
_EPU_M = np.array([np.nan, 18_520.0, 7_408.0, 3_704.0, 1_852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0])
_RADIUS_M = np.array([np.nan, 37_040.0, 14_816.0, 7_408.0, 3_704.0, 1_852.0, 1_111.2, 370.4, 185.2, 75.0, 25.0, 7.5])
_SIGMA_PER_95 = 1.0 / math.sqrt(-2.0 * math.log(0.05))   # circular normal: the 95 % radius is 2.448 sigma
_SIGMA_PER_50 = 1.0 / math.sqrt(-2.0 * math.log(0.5))

# I048/020 TYP and I001/020 SSRPSR
_CAT048_KIND = np.array([255, KIND_PSR, KIND_SSR, KIND_COMBINED, KIND_SSR, KIND_SSR, KIND_COMBINED, KIND_COMBINED])
_CAT001_KIND = np.array([255, KIND_PSR, KIND_SSR, KIND_COMBINED])
_CAT010_KIND = np.array([KIND_MLAT, KIND_MLAT, KIND_ADSB, KIND_PSR, KIND_PSR, KIND_MLAT, KIND_TRACK, KIND_TRACK])


def _real(reports: Reports, refusals: Refusals) -> Reports:
    """Leave out what never is a plot: simulated, test and field-monitor reports."""
    reports = refusals.keep(reports, reports.has("sim", 1), "simulated", "a simulated target (SIM), never a plot")
    reports = refusals.keep(reports, reports.has("tst", 1), "test_target", "a test target (TST), never a plot")
    return refusals.keep(reports, reports.has("rab", 1), "field_monitor",
                         "a field monitor or fixed transponder (RAB), never a plot")


def _plots(reports: Reports, kind: npt.NDArray[np.int64], latitude_rad: Floats, longitude_rad: Floats,
           cov_m2: Floats, height_m: Floats, height_m_sigma: Floats, range_m: Floats | None = None,
           azimuth_rad: Floats | None = None, velocity_mps: Floats | None = None,
           amplitude_db: Floats | None = None, track_number: npt.NDArray[np.int32] | None = None,
           velocity_mps_sigma: Floats | None = None) -> Plots:
    none = np.full(len(reports), np.nan)
    mode3a = _sure(reports, "mode3a")
    known = np.isfinite(height_m)
    return Plots(
        measured_ns=reports.measured_ns, received_ns=reports.received_ns,
        sensor_index=reports.sensor_index.astype(np.uint16), kind=kind.astype(np.uint8),
        range_m=none if range_m is None else range_m, azimuth_rad=none if azimuth_rad is None else azimuth_rad,
        latitude_rad=latitude_rad, longitude_rad=longitude_rad, height_m=height_m,
        height_m_sigma=np.where(known, height_m_sigma, np.nan), position_cov_m2=cov_m2,
        velocity_mps=np.full((len(reports), 2), np.nan) if velocity_mps is None else velocity_mps,
        amplitude_db=none if amplitude_db is None else amplitude_db, mode3a=codes(mode3a),
        icao_address=codes(reports.get("icao_address")), callsign=callsigns(reports.get("callsign")),
        entry_sequence=reports.entry_sequence, octet_offset=reports.octet_offset.astype(np.int32),
        track_number=np.full(len(reports), NO_CODE, np.int32) if track_number is None else track_number,
        velocity_mps_sigma=none if velocity_mps_sigma is None else velocity_mps_sigma)


def _sure(reports: Reports, name: str) -> Floats:
    """Return a code or level where it is neither marked invalid nor garbled; NaN elsewhere."""
    values = reports.get(name)
    stem = "level" if name == "flight_level" else name
    for flag in (f"{stem}_invalid", f"{stem}_garbled"):
        marked = reports.has(flag, 1)
        if marked is not None and marked.any():
            values = np.where(marked, np.nan, values)
    return values


def _level_height(reports: Reports, sensors: SensorTable, sea_m: Floats, sea_m_sigma: Floats,
                  level: Floats | None = None) -> tuple[Floats, Floats]:
    """Return height and sigma by the report's flight level, where it is valid and not garbled."""
    of, index = columns_of(sensors.rows), reports.sensor_index
    return heights.from_flight_level(_sure(reports, "flight_level") if level is None else level, sea_m, sea_m_sigma,
                                     of.level_m_shift[index], of.level_m_sigma[index])


def sited(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Reports:
    """Leave out reports of sensors without a position."""
    lost = ~np.isfinite(columns_of(sensors.rows).latitude_rad[reports.sensor_index])
    return refusals.keep(reports, lost, "no_position",
                         "the sensor's position is unknown: give lat_deg and lon_deg in the sensors file")


def polar_plots(reports: Reports, kind: npt.NDArray[np.int64], height_m: Floats, height_m_sigma: Floats,
                sensors: SensorTable, refusals: Refusals, amplitude_db: Floats | None = None) -> Plots:
    """Return plots of reports that have ``range_m`` and ``azimuth_rad``; those that cannot be are refused."""
    range_m, azimuth = reports.get("range_m"), reports.get("azimuth_rad")
    share = np.where((kind == KIND_SSR) | (kind == KIND_COMBINED), place.SECONDARY_SHARE, 1.0)
    of, index = columns_of(sensors.rows), reports.sensor_index
    latitude, longitude, cov = place.polar(
        (of.latitude_rad[index], of.longitude_rad[index]), of.height_m[index], range_m, azimuth, height_m, height_m_sigma,
        of.range_m_sigma[index] * share, of.azimuth_rad_sigma[index] * share, of.sea_m[index])
    plots = _plots(reports, kind, latitude, longitude, cov, height_m, height_m_sigma, range_m,
                   np.mod(azimuth, 2.0 * np.pi), amplitude_db=amplitude_db)
    good = np.isfinite(latitude) & np.isfinite(longitude)
    if good.all():
        return plots
    refusals.add_rows(reports, ~good, "range_below_height", "the slant range is shorter than the height above the radar")
    return plots.take(good)


def _radar(reports: Reports, kinds: npt.NDArray[np.int64], sensors: SensorTable, refusals: Refusals) -> Plots:
    """CAT048 and CAT001: slant range and azimuth; a track may give its place on the local plane instead."""
    reports = _real(reports, refusals)
    reports = refusals.keep(reports, reports.has("detection", 0), "no_detection",
                            "the track was not seen in this scan (coasted)")
    polar = np.isfinite(reports.get("range_m")) & np.isfinite(reports.get("azimuth_rad"))
    if not polar.all():
        flat = ~polar & np.isfinite(reports.get("x_m")) & np.isfinite(reports.get("y_m"))
        reports = refusals.keep(reports, ~polar & ~flat, "no_place", "neither a polar nor a Cartesian position")
    reports = sited(reports, sensors, refusals)
    if not len(reports):
        return empty_plots()
    polar = np.isfinite(reports.get("range_m")) & np.isfinite(reports.get("azimuth_rad"))
    if not polar.all():
        # A place on the plane alone stands for the range: short of the slant by little at low heights.
        reports.columns["range_m"] = np.where(polar, reports.get("range_m"),
                                              np.hypot(reports.get("x_m"), reports.get("y_m")))
        reports.columns["azimuth_rad"] = np.where(polar, reports.get("azimuth_rad"),
                                                  np.arctan2(reports.get("x_m"), reports.get("y_m")))
    detection = reports.get("detection")
    typed = np.isfinite(detection)
    kind = kinds[np.where(typed, detection, 0.0).astype(np.int64)]
    if not typed.all():
        answered = np.isfinite(reports.get("icao_address")) | np.isfinite(reports.get("mode3a"))
        kind = np.where(typed, kind, np.where(answered, KIND_SSR, KIND_PSR))
    of, index = columns_of(sensors.rows), reports.sensor_index
    sea = of.sea_m[index]
    height, sigma = _level_height(reports, sensors, sea, of.sea_m_sigma[index])
    measured = reports.columns.get("height_m")
    if measured is not None and np.isfinite(measured).any():
        use = ~np.isfinite(height) & np.isfinite(measured)
        height, sigma = np.where(use, measured + sea, height), np.where(use, RADAR_HEIGHT_M_SIGMA, sigma)
    power = reports.get("psr_power_dbm") if reports.category == 48 else reports.get("power_dbm")
    return polar_plots(reports, kind, height, sigma, sensors, refusals, amplitude_db=power)


def cat048(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Monoradar target reports."""
    return _radar(reports, _CAT048_KIND, sensors, refusals)


def cat001(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Monoradar target reports, old form: plots and tracks."""
    return _radar(reports, _CAT001_KIND, sensors, refusals)


def _local(reports: Reports, sensors: SensorTable, refusals: Refusals) -> tuple[Reports, Floats, Floats]:
    """Leave out reports without any place; return the rest with latitude and longitude: own, else by the plane."""
    latitude, longitude = reports.get("latitude_rad"), reports.get("longitude_rad")
    own = np.isfinite(latitude) & np.isfinite(longitude)
    flat = ~own & np.isfinite(reports.get("x_m")) & np.isfinite(reports.get("y_m"))
    reports = refusals.keep(reports, ~own & ~flat, "no_place", "no position in the report")
    site_latitude = columns_of(sensors.rows).latitude_rad[reports.sensor_index]
    own = np.isfinite(reports.get("latitude_rad")) & np.isfinite(reports.get("longitude_rad"))
    reports = refusals.keep(reports, ~own & ~np.isfinite(site_latitude), "no_position",
                            "the sensor's position is unknown: give lat_deg and lon_deg in the sensors file")
    latitude, longitude = reports.get("latitude_rad").copy(), reports.get("longitude_rad").copy()
    for index in np.unique(reports.sensor_index).tolist():
        rows = (reports.sensor_index == index) & ~(np.isfinite(latitude) & np.isfinite(longitude))
        if rows.any():
            site = sensors.rows[index]
            x_m, y_m = reports.get("x_m")[rows], reports.get("y_m")[rows]
            if reports.category == 62:
                found = place.system_plane(site.latitude_rad, site.longitude_rad, x_m, y_m)
            else:
                ones = np.ones(len(x_m))
                found = place.local_plane((site.latitude_rad * ones, site.longitude_rad * ones), x_m, y_m)
            latitude[rows], longitude[rows] = found
    return reports, latitude, longitude


def _velocity(reports: Reports) -> Floats:
    """Return east and north speed: by components, else by ground speed and track angle."""
    ground, angle = reports.get("ground_mps"), reports.get("heading_rad")
    east, north = reports.get("vx_mps"), reports.get("vy_mps")
    known = np.isfinite(east) & np.isfinite(north)
    return np.stack([np.where(known, east, ground * np.sin(angle)), np.where(known, north, ground * np.cos(angle))],
                    axis=-1)


def cat010(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Surface-movement reports: radar by range and azimuth (objects on the ground), others by place."""
    message = reports.get("message")
    reports = reports.take(~((message > 1) & (message <= 4)))  # start of cycle, status, events: no reports at all
    reports = _real(reports, refusals)
    kind = _CAT010_KIND[np.nan_to_num(reports.get("detection"), nan=6.0).astype(np.int64) & 7]
    radar = (kind == KIND_PSR) & np.isfinite(reports.get("range_m")) & np.isfinite(reports.get("azimuth_rad"))
    echoes = sited(reports.take(radar), sensors, refusals)
    plots = empty_plots()
    if len(echoes):
        # What a surface radar sees stands on the ground around it: at the aerial's own height, as good as known.
        of = columns_of(sensors.rows)
        ground = of.height_m[echoes.sensor_index]
        ground = np.where(np.isfinite(ground), ground, of.sea_m[echoes.sensor_index])
        plots = polar_plots(echoes, np.full(len(echoes), KIND_PSR), ground, np.full(len(echoes), 30.0), sensors, refusals)
    others, latitude, longitude = _local(reports.take(~radar), sensors, refusals)
    if not len(others):
        return plots
    kind = _CAT010_KIND[np.nan_to_num(others.get("detection"), nan=6.0).astype(np.int64) & 7]
    height, sigma = _level_height(others, sensors, *heights.mean_sea_level(latitude, longitude))
    east, north = _at_least(others.get("x_m_sigma")), _at_least(others.get("y_m_sigma"))
    second = _plots(others, kind, latitude, longitude, place.diagonal(east, north), height, sigma,
                    velocity_mps=_velocity(others))
    return join_plots((plots, second))


def _at_least(sigma_m: Floats, unknown_m: float = MLAT_M_SIGMA) -> Floats:
    """Return a sigma of 3 m or more: no sender's figure is better than its clock."""
    return np.where(np.isfinite(sigma_m) & (sigma_m > 0), np.maximum(sigma_m, 3.0), unknown_m)


def cat020(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Multilateration."""
    reports, latitude, longitude = _local(_real(reports, refusals), sensors, refusals)
    height, sigma = _level_height(reports, sensors, *heights.mean_sea_level(latitude, longitude))
    geometric = reports.get("height_m")
    use = np.isfinite(geometric)
    height = np.where(use, geometric, height)
    sigma = np.where(use, _at_least(reports.get("height_m_sigma"), GEOMETRIC_M_SIGMA), sigma)
    east, north = _at_least(reports.get("x_m_sigma")), _at_least(reports.get("y_m_sigma"))
    cov = place.diagonal(east, north, reports.get("xy_correlation") * east * north)
    return _plots(reports, np.full(len(reports), KIND_MLAT), latitude, longitude, cov, height, sigma,
                  velocity_mps=_velocity(reports))


def cat015(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Independent non-cooperative surveillance (passive and multi-static radar): position with its covariance block."""
    message = reports.get("message")
    reports = refusals.keep(reports, message == 5, "track_end", "the last message of a track")
    target = reports.get("target")
    reports = refusals.keep(reports, target == 3, "simulated", "a simulated or replayed target (TTAX), never a plot")
    target = reports.get("target")
    reports = refusals.keep(reports, (target == 1) | (target == 2), "field_monitor",
                            "a reference or synthetic target (TTAX), never a plot")
    reports = refusals.keep(reports, reports.has("terminated", 1), "track_end", "the track was ended by its user")
    reports = refusals.keep(reports, reports.has("coast", 1), "coasted", "extrapolated, not measured (CSTP)")
    latitude, longitude = reports.get("latitude_rad"), reports.get("longitude_rad")
    own = np.isfinite(latitude) & np.isfinite(longitude)
    polar = ~own & np.isfinite(reports.get("range_m")) & np.isfinite(reports.get("azimuth_rad"))
    # What has a bearing alone is handed on as a bearing (`bearings`), never made a point.
    alone = ~own & ~polar & np.isfinite(reports.get("azimuth_rad"))
    refusals.add_rows(reports, ~own & ~polar & ~alone, "no_place", "no position in the report")
    parts = []
    if polar.any():
        sensed = sited(reports.take(polar), sensors, refusals)
        if len(sensed):
            height, sigma = _height_of(sensed)
            parts.append(polar_plots(sensed, np.full(len(sensed), KIND_PSR), height, sigma, sensors, refusals))
    reports = reports.take(own)
    if len(reports):
        height, sigma = _height_of(reports)
        east, north = _at_least(reports.get("x_m_sigma"), TRACK_M_SIGMA), _at_least(reports.get("y_m_sigma"), TRACK_M_SIGMA)
        cov = place.diagonal(east, north, reports.get("xy_correlation") * east * north)
        tracked = (reports.get("message") == 2) | (reports.get("message") == 4)
        parts.append(_plots(reports, np.where(tracked, KIND_TRACK, KIND_PSR), latitude[own], longitude[own], cov, height, sigma,
                            velocity_mps=_velocity(reports)))
    return join_plots(parts)


def _height_of(reports: Reports) -> tuple[Floats, Floats]:
    """Return a height measured above the ellipsoid with its own sigma."""
    return reports.get("height_m"), _at_least(reports.get("height_m_sigma"), RADAR_HEIGHT_M_SIGMA)


def adsb_m_sigma(nacp: Floats, nic: Floats, given: npt.NDArray[np.bool_]) -> Floats:
    """Return 1 sigma of an ADS-B position: by NACp, else by NIC (half its radius taken as the 95 % error), else 300 m;
    5 km where the aircraft says that it does not know."""
    epu = _EPU_M[np.clip(np.where(np.isfinite(nacp), nacp, 0.0), 0, 11).astype(np.int64)]
    radius = _RADIUS_M[np.clip(np.where(np.isfinite(nic), nic, 0.0), 0, 11).astype(np.int64)]
    sigma = np.where(np.isfinite(epu), epu, 0.5 * radius) * _SIGMA_PER_95
    unknown = np.where(given, ADSB_UNKNOWN_M_SIGMA, ADSB_M_SIGMA)
    return np.where(np.isfinite(sigma), np.maximum(sigma, 5.0), unknown)


def cat021(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """ADS-B, position by the aircraft."""
    reports = _real(reports, refusals)
    latitude, longitude = reports.get("fine_latitude_rad"), reports.get("fine_longitude_rad")
    coarse = ~(np.isfinite(latitude) & np.isfinite(longitude))
    latitude = np.where(coarse, reports.get("latitude_rad"), latitude)
    longitude = np.where(coarse, reports.get("longitude_rad"), longitude)
    lost = ~(np.isfinite(latitude) & np.isfinite(longitude))
    reports = refusals.keep(reports, lost, "no_place", "no position in the report")
    latitude, longitude = latitude[~lost], longitude[~lost]
    height, sigma = _level_height(reports, sensors, *heights.mean_sea_level(latitude, longitude))
    geometric = reports.get("height_m")
    use = np.isfinite(geometric)
    height, sigma = np.where(use, geometric, height), np.where(use, GEOMETRIC_M_SIGMA, sigma)
    given = np.isfinite(reports.get("nacp")) | np.isfinite(reports.get("nic"))
    cov = place.isotropic(adsb_m_sigma(reports.get("nacp"), reports.get("nic"), given))
    return _plots(reports, np.full(len(reports), KIND_ADSB), latitude, longitude, cov, height, sigma,
                  velocity_mps=_velocity(reports))


def cat062(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """A neighbour's system tracks: position, velocity, and its accuracy where given."""
    reports = _real(reports, refusals)
    reports = refusals.keep(reports, reports.get("track_end") == 1, "track_end", "the last message of a track")
    reports = refusals.keep(reports, reports.get("coast") == 1, "coasted", "extrapolated, not measured (CST)")
    reports = refusals.keep(reports, reports.get("tentative") == 1, "tentative", "a track that its own system is not sure of yet (CNF)")
    reports = refusals.keep(reports, ~np.isfinite(reports.get("track_number")), "no_track_number",
                            "a system track without a number (I062/040): which one it goes on with is not known")
    reports, latitude, longitude = _local(reports, sensors, refusals)
    level = np.where(np.isfinite(reports.get("tracked_level")), reports.get("tracked_level"),
                     reports.get("flight_level"))
    height, sigma = _level_height(reports, sensors, *heights.mean_sea_level(latitude, longitude), level)
    geometric = reports.get("height_m")
    use = np.isfinite(geometric)
    height, sigma = np.where(use, geometric, height), np.where(use, GEOMETRIC_M_SIGMA, sigma)
    east, north = reports.get("x_m_sigma"), reports.get("y_m_sigma")
    by_angle = place.degrees_to_metres(latitude, reports.get("latitude_rad_sigma"),
                                       reports.get("longitude_rad_sigma"))
    east = _at_least(np.where(np.isfinite(east), east, by_angle[0]), TRACK_M_SIGMA)
    north = _at_least(np.where(np.isfinite(north), north, by_angle[1]), TRACK_M_SIGMA)
    # I062/500 COV is the root of the covariance with its sign.
    root = reports.get("xy_m")
    cov = place.diagonal(east, north, np.sign(root) * root**2)
    own = reports.get("callsign")
    reports.columns["callsign"] = np.where(np.isfinite(own), own, reports.get("derived_callsign"))
    speed = np.sqrt(0.5 * (reports.get("vx_mps_sigma") ** 2 + reports.get("vy_mps_sigma") ** 2))
    return _plots(reports, np.full(len(reports), KIND_TRACK), latitude, longitude, cov, height, sigma,
                  velocity_mps=_velocity(reports), track_number=reports.get("track_number").astype(np.int32), velocity_mps_sigma=speed)


def cat129(reports: Reports, sensors: SensorTable, refusals: Refusals) -> Plots:
    """Unmanned aircraft that report themselves."""
    latitude, longitude = reports.get("latitude_rad"), reports.get("longitude_rad")
    lost = ~(np.isfinite(latitude) & np.isfinite(longitude))
    reports = refusals.keep(reports, lost, "no_place", "no position in the report")
    latitude, longitude = latitude[~lost], longitude[~lost]
    sea, sea_sigma = heights.mean_sea_level(latitude, longitude)
    accuracy = reports.get("accuracy_m")
    sigma = np.where(accuracy > 0, np.maximum(accuracy * _SIGMA_PER_50, 5.0), ADSB_M_SIGMA)
    return _plots(reports, np.full(len(reports), KIND_ADSB), latitude, longitude, place.isotropic(sigma),
                  reports.get("altitude_m_amsl") + sea, np.hypot(GEOMETRIC_M_SIGMA, sea_sigma),
                  velocity_mps=_velocity(reports))


Placer = Callable[[Reports, SensorTable, Refusals], Plots]
PLACERS: Mapping[int, Placer] = {1: cat001, 10: cat010, 15: cat015, 20: cat020, 21: cat021, 48: cat048, 62: cat062, 129: cat129}

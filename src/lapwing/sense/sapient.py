"""SAPIENT messages (BSI Flex 335 v2.0) as entries: nodes register, then their detections become plots or bearings.

* registration: the node joins the sensor table under its configured id (its UUID, name or short name in the sensors file),
  else under its own name; what it says of units is remembered;
* status: place of the node, goodbye, trouble;
* detection by place: latitude and longitude in degrees or radians, or UTM; height by ellipsoid or geoid;
* detection by range and bearing: true north, or grid north by the convergence at the node. A bearing from magnetic north
  or from a platform's heading is refused: neither says where true north is. Without a range it is a bearing, never a point.

An unregistered node is refused, as is every message with an error in the sense of the standard. The answers to a node
(acknowledgements, refused tasks) are `sapient_session`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from lapwing.geo.geoid import undulation_m
from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_PSR, KIND_TRACK, Plots
from lapwing.model.sensors import ACOUSTIC_ARRAY, OBSERVER, RADAR, TRACKER, Sensor
from lapwing.model.times import NS_PER_S
from lapwing.sense import place, sapient_check, sapient_wire, screen
from lapwing.sense.findings import ERROR
from lapwing.sense.found import Bearing, Found, bearings_of
from lapwing.sense.positions import Position, plots_of, sensor_of, timely
from lapwing.sense.state import SenseSetup
from lapwing.sense.work import Work

NODES_MAX = 1_024
LOST = ("lost", "object lost", "track lost")
PLACE_M_SIGMA, RANGE_M_SIGMA = 100.0, 50.0
BEARING_DEG_SIGMA = 5.0
HEAR_M_MAX, SEE_M_MAX = 5_000.0, 20_000.0
DEGREES_SIGMA_MAX = 0.1          # an error of a place beyond that many degrees (11 km) was meant in metres
_ACOUSTIC, _RADAR, _FUSION = 6, 2, 20
_TRUE, _MAGNETIC, _GRID = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Node:
    """What a node said of itself, kept between steps."""

    sensor_id: str
    node_type: int
    acoustic: bool
    speed_share: float = 1.0          # its speeds in m/s
    utm_zone: str = ""


def read_sapient(work: Work, setup: SenseSetup, entries: Sequence[Entry]) -> Found:
    """Return plots and bearings of SAPIENT messages, one an entry: protobuf without its frame, or protobuf JSON."""
    positions: list[Position] = []
    polar: list[Plots] = []
    bearings: list[Bearing] = []
    for entry in entries:
        message = _message(work, entry)
        if message is None:
            continue
        work.record_count += 1
        content = message.WhichOneof("content")
        node_id = message.node_id.lower()
        if content == "registration":
            _register(work, entry, node_id, message.registration)
        elif content == "status_report":
            _status(work, entry, node_id, message.status_report)
        elif content == "detection_report":
            _detection(work, entry, message, positions, polar, bearings)
        elif content == "alert":
            _say(work, entry, "sapient_alert", f"an alert of another system, not a plot: {message.alert.description[:200]}")
        elif content == "task":
            _say(work, entry, "task_refused", "a task for us: this system watches and warns, it takes no tasks")
        elif content == "error":
            _say(work, entry, "sapient_error", "; ".join(message.error.error_message)[:200])
        # Acknowledgements of what we sent say nothing of the air.
    return Found(plots=(plots_of(work, positions), *polar), bearings=bearings_of(bearings))


def _message(work: Work, entry: Entry) -> Any:
    try:
        message = (sapient_wire.parse_json(entry.payload) if sapient_wire.is_json(entry.payload)
                   else sapient_wire.parse_binary(entry.payload))
    except sapient_wire.BadMessage as error:
        _say(work, entry, "not_a_message", str(error))
        return None
    wrong = next((f for f in sapient_check.check_message(message) if f.severity == ERROR), None)
    if wrong is not None:
        _say(work, entry, "invalid_message", f"{wrong.path}: {wrong.message}")
        return None
    return message


def _say(work: Work, entry: Entry, reason: str, detail: str, source: str = "") -> None:
    work.refusals.add(reason, f"{entry.link} SAPIENT", detail, source or entry.link, entry.sequence, 0)


def _nodes(work: Work) -> dict[str, Node]:
    return work.own("sapient_nodes")


def _register(work: Work, entry: Entry, node_id: str, registration: Any) -> None:
    nodes = _nodes(work)
    if node_id not in nodes and len(nodes) >= NODES_MAX:
        _say(work, entry, "too_many_sources", f"more than {NODES_MAX} nodes")
        return
    types = [definition.node_type for definition in registration.node_definition]
    modes = [part for mode in registration.mode_definition for part in mode.detection_definition]
    polar = any(part.location_type.HasField("range_bearing_units") for part in modes)
    kind = (ACOUSTIC_ARRAY if _ACOUSTIC in types else TRACKER if _FUSION in types or (_RADAR in types and not polar)
            else RADAR if _RADAR in types else OBSERVER)
    kilometres = any(part.velocity_type.enu_velocity_units.east_north_rate_units == 2 for part in modes)
    zone = next((part.location_type.zone for part in modes if part.location_type.zone), "")
    names = (node_id, registration.short_name, registration.name)
    configured = next((name for name in names if name and work.sensors.index_of(name) >= 0), None)
    known = nodes[node_id].sensor_id if node_id in nodes else None
    sensor_id = known or configured or (registration.short_name or registration.name or node_id)[:60]
    if sensor_of(work, sensor_id, kind) < 0:
        _say(work, entry, "too_many_sources", "the sensor table is full")
        return
    nodes[node_id] = Node(sensor_id, types[0] if types else 0, kind == ACOUSTIC_ARRAY, 1.0 / 3.6 if kilometres else 1.0, zone)


def _node(work: Work, entry: Entry, node_id: str) -> tuple[Node, int] | None:
    node = _nodes(work).get(node_id)
    if node is None:
        _say(work, entry, "not_registered", f"node {node_id} reports without having registered", node_id)
        return None
    return node, work.sensors.index_of(node.sensor_id)


def _status(work: Work, entry: Entry, node_id: str, status: Any) -> None:
    found = _node(work, entry, node_id)
    if found is None:
        return
    node, index = found
    if status.system in (2, 3, 5):
        words = {2: "a warning", 3: "an error", 5: "goodbye: it is leaving"}[status.system]
        detail = "; ".join(part.status_value for part in status.status if part.status_value)[:200]
        _say(work, entry, "node_goodbye" if status.system == 5 else "node_trouble",
             f"{node.sensor_id} reports {words}" + (f": {detail}" if detail else ""), node.sensor_id)
    if not status.HasField("node_location"):
        return
    sensor = work.sensors.rows[index]
    if sensor.has_position and sensor.position_from == "config":
        return
    at = _place(work, entry, node, status.node_location)
    if at is None:
        return
    latitude, longitude, height = at
    if (latitude, longitude) != (sensor.latitude_rad, sensor.longitude_rad):
        work.sensors = work.sensors.with_sensor(replace(
            sensor, latitude_rad=latitude, longitude_rad=longitude, position_from="data",
            height_m=height if math.isfinite(height) else sensor.height_m))


def _place(work: Work, entry: Entry, node: Node, location: Any) -> tuple[float, float, float] | None:
    """Return latitude, longitude and ellipsoid height of a location, or None (counted) where it is none."""
    x, y = location.x, location.y
    if location.coordinate_system == 1:
        latitude, longitude = math.radians(y), math.radians(x)
    elif location.coordinate_system == 2:
        latitude, longitude = y, x
    else:
        zone = location.utm_zone or node.utm_zone
        found = _from_utm(zone, x, y)
        if found is None:
            _say(work, entry, "no_place", f"UTM {x:g} {y:g} in zone {zone[:8]!r} is no place", node.sensor_id)
            return None
        latitude, longitude = found
    if not (abs(latitude) <= math.pi / 2 and abs(longitude) <= math.pi):
        _say(work, entry, "implausible_position", f"x {x:g} y {y:g}: off the globe; x is longitude, y latitude", node.sensor_id)
        return None
    height = location.z if location.HasField("z") else math.nan
    if location.datum == 2:
        height += float(undulation_m(latitude, longitude))
    return latitude, longitude, height


@cache
def _utm(zone: int, south: bool) -> Any:
    from pyproj import Proj

    return Proj(f"+proj=utm +zone={zone} +ellps=WGS84" + (" +south" if south else ""))


def _from_utm(zone: str, east_m: float, north_m: float) -> tuple[float, float] | None:
    """Return latitude and longitude of UTM coordinates in a zone such as 35T (bands C to M lie south)."""
    digits, band = zone[:-1], zone[-1:].upper()
    if not digits.isdecimal() or not 1 <= int(digits) <= 60 or band not in "CDEFGHJKLMNPQRSTUVWX" or not band:
        return None
    if not (0.0 <= east_m <= 1_000_000.0 and 0.0 <= north_m <= 10_000_000.0):
        return None
    longitude, latitude = _utm(int(digits), band < "N")(east_m, north_m, inverse=True)
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return None
    return math.radians(latitude), math.radians(longitude)


def _convergence_rad(latitude_rad: float, longitude_rad: float) -> float:
    """Return the angle from true to grid north (UTM) at a place."""
    zone = int((math.degrees(longitude_rad) + 180.0) // 6.0) % 60 + 1
    factors = _utm(zone, latitude_rad < 0.0).get_factors(math.degrees(longitude_rad), math.degrees(latitude_rad))
    return math.radians(float(factors.meridian_convergence))


def _detection(work: Work, entry: Entry, message: Any, positions: list[Position], polar: list[Plots],
               bearings: list[Bearing]) -> None:
    report = message.detection_report
    found = _node(work, entry, message.node_id.lower())
    if found is None:
        return
    node, index = found
    measured_ns = message.timestamp.seconds * NS_PER_S + message.timestamp.nanos
    if not timely(work, entry, measured_ns, node.sensor_id):
        return
    if report.state.strip().lower() in LOST:
        _say(work, entry, "track_end", "the node lost the object", node.sensor_id)
    elif report.WhichOneof("location_oneof") == "location":
        position = _position(work, entry, node, index, report, measured_ns)
        if position is not None:
            positions.append(position)
    else:
        _polar(work, entry, node, index, report, measured_ns, polar, bearings)


def _position(work: Work, entry: Entry, node: Node, index: int, report: Any, measured_ns: int) -> Position | None:
    at = _place(work, entry, node, report.location)
    if at is None:
        return None
    latitude, longitude, height = at
    location = report.location
    sigma = max(location.x_error, location.y_error)
    if location.coordinate_system in (1, 2):
        degrees = sigma if location.coordinate_system == 1 else math.degrees(sigma)
        sigma = degrees * 111_320.0 if degrees <= DEGREES_SIGMA_MAX else sigma
    east = north = math.nan
    if report.HasField("enu_velocity"):
        east, north = (report.enu_velocity.east_rate * node.speed_share, report.enu_velocity.north_rate * node.speed_share)
    height_sigma = location.z_error if location.z_error > 0.0 else 100.0
    return Position(entry, index, KIND_TRACK, measured_ns, latitude, longitude, sigma if sigma > 0.0 else PLACE_M_SIGMA, height,
                    height_sigma if math.isfinite(height) else math.nan, east, north,
                    callsign=report.id.strip().upper().encode("ascii", "ignore")[:8])


def _polar(work: Work, entry: Entry, node: Node, index: int, report: Any, measured_ns: int, polar: list[Plots],
           bearings: list[Bearing]) -> None:
    where, sensor = report.range_bearing, work.sensors.rows[index]
    if not sensor.has_position:
        _say(work, entry, "no_position", f"{node.sensor_id} reports by bearing and has not said where it stands: its status "
             "carries no node_location, and the sensors file has no place for it", node.sensor_id)
        return
    if where.datum not in (_TRUE, _GRID):
        north = "magnetic north" if where.datum == _MAGNETIC else "its platform's heading"
        _say(work, entry, "not_true_north", f"a bearing from {north}: where true north lies is not known; set the node to "
             "true north", node.sensor_id)
        return
    if not where.HasField("azimuth"):
        _say(work, entry, "no_place", "neither a bearing nor a position", node.sensor_id)
        return
    degrees = where.coordinate_system in (1, 3)
    unit_m = 1_000.0 if where.coordinate_system in (3, 4) else 1.0
    azimuth = math.radians(where.azimuth) if degrees else where.azimuth
    if where.datum == _GRID:
        azimuth += _convergence_rad(sensor.latitude_rad, sensor.longitude_rad)
    azimuth %= 2.0 * math.pi
    sigma = math.radians(where.azimuth_error) if degrees else where.azimuth_error
    if where.HasField("range"):
        elevation = math.nan
        if where.HasField("elevation"):
            elevation = math.radians(where.elevation) if degrees else where.elevation
        plot = _polar_plot(work, entry, index, sensor, measured_ns, where.range * unit_m, azimuth, elevation,
                           where.range_error * unit_m, sigma)
        if plot is not None:
            polar.append(plot)
        return
    usual = HEAR_M_MAX if node.acoustic else SEE_M_MAX
    bearings.append(Bearing(entry, index, measured_ns, sensor.latitude_rad, sensor.longitude_rad, azimuth,
                            sigma if sigma > 0.0 else math.radians(BEARING_DEG_SIGMA),
                            sensor.range_m_max if math.isfinite(sensor.range_m_max) else usual, node.acoustic))
    work.last_ns[index] = max(measured_ns, work.last_ns.get(index, measured_ns))


def _polar_plot(work: Work, entry: Entry, index: int, sensor: Sensor, measured_ns: int, range_m: float, azimuth_rad: float,
                elevation_rad: float, range_m_sigma: float, azimuth_rad_sigma: float) -> Plots | None:
    """Return the plot of a range and azimuth; its height by the elevation where that is given."""
    site_m = sensor.height_m if math.isfinite(sensor.height_m) else 0.0
    height, height_sigma = math.nan, math.nan
    if math.isfinite(elevation_rad):
        # The Earth falls away beneath the line of sight: r^2 / 2R, R widened by 4/3 for refraction.
        level = range_m * math.cos(elevation_rad)
        height = site_m + range_m * math.sin(elevation_rad) + level**2 / (2.0 * 4.0 / 3.0 * 6_371_000.0)
        height_sigma = max(50.0, range_m * math.radians(1.0))
    one = np.ones(1)
    sigma_m = range_m_sigma if range_m_sigma > 0.0 else RANGE_M_SIGMA
    sigma_rad = azimuth_rad_sigma if azimuth_rad_sigma > 0.0 else sensor.azimuth_rad_sigma
    latitude, longitude, cov = place.polar(
        (sensor.latitude_rad * one, sensor.longitude_rad * one), site_m * one, range_m * one, azimuth_rad * one, height * one,
        height_sigma * one, sigma_m * one, sigma_rad * one)
    if not (math.isfinite(latitude[0]) and range_m > 0.0):
        _say(work, entry, "range_below_height", "the range is shorter than the height above the node", sensor.id)
        return None
    nan = np.full(1, np.nan)
    work.last_ns[index] = max(measured_ns, work.last_ns.get(index, measured_ns))
    return screen.believable(work, Plots(
        measured_ns=np.array([measured_ns]), received_ns=np.array([entry.received_ns]),
        sensor_index=np.array([index], np.uint16), kind=np.array([KIND_PSR], np.uint8), range_m=range_m * one,
        azimuth_rad=azimuth_rad * one, latitude_rad=latitude, longitude_rad=longitude, height_m=height * one,
        height_m_sigma=height_sigma * one, position_cov_m2=cov, velocity_mps=np.full((1, 2), np.nan), amplitude_db=nan,
        mode3a=np.full(1, -1, np.int32), icao_address=np.full(1, -1, np.int32), callsign=np.zeros(1, "S8"),
        entry_sequence=np.array([entry.sequence]), octet_offset=np.zeros(1, np.int32), track_number=np.full(1, -1, np.int32),
        velocity_mps_sigma=nan))

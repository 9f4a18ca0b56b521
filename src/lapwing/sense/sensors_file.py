"""The sensor table from a file: ``sensors.toml`` or a scenario's ``scenario.json``.

::

    [sensor.tulcea]                 # the id, as in every message and report
    sac = 25                        # both or none: the ASTERIX source
    sic = 201
    lat_deg = 45.19
    lon_deg = 28.80
    antenna_m_amsl = 145.0          # or antenna_m_ellipsoid; one of them
    rotation_s = 4.0                # left out: estimated from north marks
    range_m_sigma = 60.0
    azimuth_deg_sigma = 0.12
    range_m_max = 180000.0
    latency_s = 0.5
    categories = [34, 48]
    editions = { 48 = "1.32" }      # where the source does not speak the newest
    kind = "radar"                  # radar adsb mlat tracker surface acoustic observer; left out: by its categories
    detection_prob = 0.9
    small_range_m = 60000.0         # 0.1 m2 seen half the time
    false_plots_per_scan = 10.0
    horizon = [[0.0, 0.4], [85.0, 1.2], [140.0, 0.1]]   # terrain: azimuth, elevation in degrees; left out: a smooth earth
    qnh_hpa = 1008.0                # sea-level pressure where it looks; left out: standard, and heights less sure

Every message names file, place, value and remedy. Heights become ellipsoidal with the EGM96 geoid.
"""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Mapping
from typing import Any

from lapwing.geo.geoid import undulation_m
from lapwing.model.errors import ConfigError
from lapwing.model.sensors import (
    ACOUSTIC_ARRAY,
    ADSB,
    MLAT,
    OBSERVER,
    RADAR,
    SURFACE,
    TRACKER,
    Sensor,
    SensorTable,
)

KINDS = (RADAR, ADSB, MLAT, TRACKER, SURFACE, ACOUSTIC_ARRAY, OBSERVER)
_KIND_OF_CATEGORY = {10: SURFACE, 20: MLAT, 21: ADSB, 23: ADSB, 62: TRACKER, 65: TRACKER}

# key -> (lowest, highest, what people usually have)
NUMBERS = {
    "lat_deg": (-90.0, 90.0, "degrees north"),
    "lon_deg": (-180.0, 180.0, "degrees east"),
    "antenna_m_amsl": (-500.0, 9_000.0, "metres above mean sea level"),
    "antenna_m_ellipsoid": (-500.0, 9_000.0, "metres above the WGS-84 ellipsoid"),
    "rotation_s": (0.2, 60.0, "usually 4 to 12 s"),
    "range_m_sigma": (0.1, 5_000.0, "usually 20 to 150 m"),
    "azimuth_deg_sigma": (0.001, 10.0, "usually 0.05 to 0.5"),
    "range_m_max": (100.0, 1_000_000.0, "metres, not NM"),
    "latency_s": (0.0, 60.0, "usually under 3 s"),
    "qnh_hpa": (850.0, 1090.0, "usually 980 to 1040"),
    "detection_prob": (0.01, 1.0, "a share, usually 0.8 to 0.98"),
    "small_range_m": (100.0, 1_000_000.0, "metres"),
    "false_plots_per_scan": (0.0, 100_000.0, "usually 1 to 300"),
}
HORIZON_DEG, HORIZON_ROWS_MAX = (-5.0, 45.0), 1_440     # four a degree
_HORIZON_SHAPE = "e.g. horizon = [[0.0, 0.4], [85.0, 1.2], [140.0, 0.1]], as the survey of the site has it"
KEYS = (*NUMBERS, "sac", "sic", "categories", "editions", "kind", "horizon")


def parse_sensors(content: bytes, name: str) -> SensorTable:
    """Return the sensors of a TOML or JSON file, in the order of the file.

    Parameters
    ----------
    content : the file's octets
    name : its name, for messages

    Raises
    ------
    ConfigError : what is wrong, where, and what to do
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"octet {error.start} is no UTF-8", where=name, remedy="save the file as UTF-8") from None
    if text.lstrip().startswith("{"):
        return _scenario(text, name)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"no TOML: {error}", where=name,
                          remedy="write [sensor.ID] tables, or give a scenario.json") from None
    rows = table.get("sensor")
    if not isinstance(rows, dict) or not rows:
        raise ConfigError("no [sensor.ID] table", where=name, remedy="add one for each sensor, e.g. [sensor.tulcea]")
    sensors = [_sensor(key, values, f"{name} [sensor.{key}]") for key, values in rows.items()]
    seen: dict[tuple[int, int], str] = {}
    for sensor in sensors:
        source = (sensor.sac, sensor.sic)
        if sensor.sac >= 0 and source in seen:
            raise ConfigError(f"SAC {source[0]} SIC {source[1]} is that of {seen[source]} too",
                              where=f"{name} [sensor.{sensor.id}]", remedy="a source names one sensor")
        seen[source] = sensor.id
    return SensorTable(tuple(sensors))


def _number(values: Mapping[str, Any], key: str, where: str, default: float = math.nan) -> float:
    if key not in values:
        return default
    low, high, usual = NUMBERS[key]
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{key} = {value!r}: must lie in [{low:g}, {high:g}]", where=where, remedy=usual)
    return float(value)


def _code(values: Mapping[str, Any], key: str, where: str) -> int:
    value = values.get(key, -1)
    if key in values and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255):
        raise ConfigError(f"{key} = {value!r}: must be a whole number in [0, 255]", where=where,
                          remedy="it names the source in the ASTERIX data; `lapwing decode` shows it")
    return int(value)


def _sensor(sensor_id: str, values: Any, where: str) -> Sensor:
    if not isinstance(values, dict):
        raise ConfigError(f"{values!r}: a table expected", where=where, remedy="write [sensor.ID] and keys below it")
    for key in values:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            raise ConfigError(f"{key} = {values[key]!r}: unknown key", where=where,
                              remedy=f"did you mean {near[0]}?" if near else f"known are {', '.join(KEYS)}")
    if ("sac" in values) != ("sic" in values):
        raise ConfigError("sac and sic stand together", where=where, remedy="give both, or none for a sensor that is "
                          "no ASTERIX source")
    if "antenna_m_amsl" in values and "antenna_m_ellipsoid" in values:
        raise ConfigError("antenna_m_amsl and antenna_m_ellipsoid are given", where=where, remedy="give one of them")
    categories = _categories(values, where)
    latitude = math.radians(_number(values, "lat_deg", where))
    longitude = math.radians(_number(values, "lon_deg", where))
    if ("lat_deg" in values) != ("lon_deg" in values):
        raise ConfigError("lat_deg and lon_deg stand together", where=where,
                          remedy="give both, or none to take the position from the data")
    height = _number(values, "antenna_m_ellipsoid", where)
    if "antenna_m_amsl" in values:
        height = _number(values, "antenna_m_amsl", where)
        if math.isfinite(latitude):
            height += float(undulation_m(latitude, longitude))
            if not math.isfinite(height):
                raise ConfigError(f"antenna_m_amsl = {values['antenna_m_amsl']}: outside the geoid grid (40-72 N, "
                                  "14-45 E)", where=where, remedy="give antenna_m_ellipsoid instead")
    default = Sensor(sensor_id)
    return Sensor(
        id=sensor_id, kind=_kind(values, categories, where), sac=_code(values, "sac", where),
        sic=_code(values, "sic", where), latitude_rad=latitude, longitude_rad=longitude, height_m=height,
        rotation_s=_number(values, "rotation_s", where),
        range_m_sigma=_number(values, "range_m_sigma", where, default.range_m_sigma),
        azimuth_rad_sigma=math.radians(
            _number(values, "azimuth_deg_sigma", where, math.degrees(default.azimuth_rad_sigma))),
        range_m_max=_number(values, "range_m_max", where), latency_s=_number(values, "latency_s", where, 0.0),
        detection_prob=_number(values, "detection_prob", where, default.detection_prob),
        small_range_m=_number(values, "small_range_m", where),
        false_plots_per_scan=_number(values, "false_plots_per_scan", where, default.false_plots_per_scan),
        qnh_hpa=_number(values, "qnh_hpa", where), horizon=_horizon(values, where),
        categories=categories, editions=_editions(values, where),
        position_from="config" if math.isfinite(latitude) else "none")


def _categories(values: Mapping[str, Any], where: str) -> tuple[int, ...]:
    found = values.get("categories", [])
    if not isinstance(found, list) or not all(isinstance(c, int) and 0 <= c <= 255 for c in found):
        raise ConfigError(f"categories = {found!r}: a list of numbers in [0, 255] expected", where=where,
                          remedy="e.g. categories = [34, 48]")
    return tuple(found)


def _horizon(values: Mapping[str, Any], where: str) -> tuple[tuple[float, float], ...]:
    """Return the terrain as (azimuth, elevation) rad in order of azimuth."""
    rows = values.get("horizon", [])
    if not isinstance(rows, list) or len(rows) > HORIZON_ROWS_MAX:
        raise ConfigError(f"horizon: a list of at most {HORIZON_ROWS_MAX:,} rows expected", where=where, remedy=_HORIZON_SHAPE)
    for row in rows:
        if not _is_horizon_row(row):
            raise ConfigError(f"horizon: {row!r}: an azimuth in [0, 360] and an elevation in [{HORIZON_DEG[0]:g}, {HORIZON_DEG[1]:g}] "
                              "degrees expected", where=where, remedy=_HORIZON_SHAPE)
    turned = sorted((math.radians(azimuth % 360.0), math.radians(elevation)) for azimuth, elevation in rows)
    if len({azimuth for azimuth, _ in turned}) < len(turned):
        raise ConfigError("horizon: an azimuth stands there twice (360 is 0)", where=where, remedy="give each azimuth once")
    return tuple(turned)


def _is_horizon_row(row: Any) -> bool:
    return (isinstance(row, list) and len(row) == 2 and all(type(number) in (int, float) for number in row)
            and 0.0 <= row[0] <= 360.0 and HORIZON_DEG[0] <= row[1] <= HORIZON_DEG[1])


def _editions(values: Mapping[str, Any], where: str) -> Mapping[int, str]:
    from lapwing.sense.asterix.tables import editions

    found = values.get("editions", {})
    if not isinstance(found, dict):
        raise ConfigError(f"editions = {found!r}: a table expected", where=where, remedy='e.g. { 48 = "1.32" }')
    chosen: dict[int, str] = {}
    for key, edition in found.items():
        known = editions(int(key)) if str(key).isdigit() else ()
        if str(edition) not in known:
            raise ConfigError(f"editions: CAT{key} edition {edition!r} is unknown", where=where,
                              remedy=f"known are {', '.join(known)}" if known else "no table for this category")
        chosen[int(key)] = str(edition)
    return chosen


def _kind(values: Mapping[str, Any], categories: tuple[int, ...], where: str) -> str:
    kind = values.get("kind")
    if kind is None:
        return next((_KIND_OF_CATEGORY[c] for c in categories if c in _KIND_OF_CATEGORY), RADAR)
    if kind not in KINDS:
        raise ConfigError(f"kind = {kind!r}: unknown", where=where, remedy=f"one of {', '.join(KINDS)}")
    return str(kind)


_SCENARIO_KEYS = {"lat": "lat_deg", "lon": "lon_deg", "height_m": "antenna_m_ellipsoid", "scan_period_s": "rotation_s",
                  "max_range_m": "range_m_max", "sigma_range_m": "range_m_sigma",
                  "sigma_azimuth_deg": "azimuth_deg_sigma", "latency_s": "latency_s"}


def _scenario(text: str, name: str) -> SensorTable:
    """Return the radars of a scenario.json."""
    try:
        scenario = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"no JSON: {error}", where=name, remedy="give a scenario.json or a sensors.toml") from None
    radars = scenario.get("radars")
    if not isinstance(radars, list) or not all(isinstance(r, dict) and isinstance(r.get("id"), str) for r in radars):
        raise ConfigError("no radars[] with an id each", where=name, remedy="give a scenario.json of a scenario folder")
    sensors = []
    for radar in radars:
        where = f"{name} radars[{radar['id']}]"
        missing = [key for key in ("lat", "lon") if key not in radar]
        if missing:
            raise ConfigError(f"{missing[0]}: missing", where=where, remedy="degrees, WGS-84")
        # Keys that say more than we use (ssr, and whatever a later simulator adds) are no fault of a scenario.
        known = {new: radar[old] for old, new in _SCENARIO_KEYS.items() if radar.get(old) is not None}
        known |= {key: radar[key] for key in KEYS if radar.get(key) is not None}
        sensors.append(_sensor(radar["id"], known, where))
    return SensorTable(tuple(sensors))

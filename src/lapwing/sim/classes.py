"""What flies and what looks, as numbers for the simulator: `data/objects.yaml` and `data/sensors.yaml`, read once.

Where a sheet gives a span and a default, the default counts; where it gives a span alone, its middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from lapwing.model.errors import ConfigError
from lapwing.model.resources import read_resource

# Class of the sheet -> class of a truth file (the words of the scenario format; the last two are ours).
TRUTH_CLASS = {
    "owa_uav_piston": "drone",
    "jet_uav": "drone",
    "quadcopter": "drone",
    "smuggling_uav_fixed_wing": "drone",
    "decoy_uav_small": "decoy",
    "balloon_smuggling": "balloon",
    "balloon_manned": "balloon",
    "glider": "light_aircraft",
    "paraglider": "light_aircraft",
    "light_aircraft": "light_aircraft",
    "helicopter": "helicopter",
    "fast_jet": "fighter",
    "airliner": "airliner",
    "bird_single": "bird",
    "bird_flock_large": "bird",
    "weather_clutter_cell": "weather",
    "wind_turbine": "surface",
    "ship_or_car": "surface",
}

# Classes that people and microphones hear. The sheet gives a range for the two small ones; an aircraft with a rotor or
# a jet is heard as far as any array reaches.
LOUD = ("owa_uav_piston", "decoy_uav_small", "jet_uav", "light_aircraft", "helicopter", "fast_jet", "airliner")

# What the sheet leaves open, our assumption: mean radar cross-section of a class without a figure, dBsm.
RCS_DBSM_ELSE = {"balloon_manned": 0.0, "ship_or_car": 10.0, "weather_clutter_cell": 10.0}


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """What a kind of object is to a sensor."""

    name: str
    truth_class: str
    rcs_dbsm: float
    heard_m: float  # how far people and microphones hear it; 0 silent


@dataclass(frozen=True, slots=True)
class SensorClass:
    """What a kind of sensor is, before a story gives it a place and a range. 0 where it has no such figure."""

    name: str
    update_s: float
    range_m_sigma: float
    azimuth_deg_sigma: float
    detection_prob: float
    false_plots_per_scan: float
    instrumented_m: float
    radial_mps_min: float  # below it a moving-target filter suppresses; 0 none
    range_m: float  # of an acoustic array, where the story gives none
    false_alarms_per_hour: float
    rotates: bool


def _value(row: Mapping[str, Any], key: str, otherwise: float = 0.0) -> float:
    """Return a figure of a sheet: its default, else its typical value, else the middle of its span, else its value."""
    found = row.get(key)
    if isinstance(found, dict):
        for word in ("default", "typical"):
            if isinstance(found.get(word), int | float):
                return float(found[word])
        found = found.get("v")
    if isinstance(found, list):
        return (float(found[0]) + float(found[1])) / 2.0
    return float(found) if isinstance(found, int | float) else otherwise


@cache
def _sheet(name: str) -> Mapping[str, Mapping[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table = yaml.load(read_resource("lapwing.sim", f"data/{name}.yaml"), Loader=loader)["classes"]  # noqa: S506  the safe loader, in C where it is there
    assert isinstance(table, dict)
    return table


@cache
def object_class(name: str) -> ObjectClass:
    """Return a class of objects.yaml. ConfigError names the known ones."""
    sheet = _sheet("objects")
    if name not in sheet:
        raise ConfigError(f"class {name!r} is unknown", remedy=f"known are {', '.join(sorted(sheet))}")
    row = sheet[name]
    heard = row.get("acoustic_range_km")
    # The far end of the span: a sensor's own range cuts it.
    heard_km = float(heard["v"][1]) if isinstance(heard, dict) else 5.0
    return ObjectClass(
        name,
        TRUTH_CLASS.get(name, "drone"),
        _value(row, "rcs_dbsm", RCS_DBSM_ELSE.get(name, 0.0)),
        heard_km * 1e3 if name in LOUD else 0.0,
    )


@cache
def sensor_class(name: str) -> SensorClass:
    """Return a class of sensors.yaml. ConfigError names the known ones."""
    sheet = _sheet("sensors")
    if name not in sheet:
        raise ConfigError(f"class {name!r} is unknown", remedy=f"known are {', '.join(sorted(sheet))}")
    row = sheet[name]
    return SensorClass(
        name=name,
        update_s=_value(row, "update_s", 4.0),
        range_m_sigma=_value(row, "range_sigma_m", 50.0),
        azimuth_deg_sigma=_value(row, "azimuth_sigma_deg", _value(row, "bearing_sigma_deg")),
        detection_prob=_value(row, "pd", 0.9),
        false_plots_per_scan=_value(row, "false_plots_per_scan"),
        instrumented_m=_value(row, "instrumented_range_km") * 1e3,
        radial_mps_min=_value(row, "min_radial_speed_mps"),
        range_m=_value(row, "range_km") * 1e3,
        false_alarms_per_hour=_value(row, "false_alarms_per_hour"),
        rotates=name in ("psr_enroute", "psr_tma", "gap_filler_radar", "drone_radar_short"),
    )


@cache
def object_span(name: str, key: str) -> tuple[float, float]:
    """Return the span [low, high] of a figure of objects.yaml, e.g. ``object_span("bird_single", "speed")``."""
    low, high = _sheet("objects")[name][key]["v"]
    return float(low), float(high)


def has_secondary(name: str) -> bool:
    """Return whether radars of a class carry a secondary radar too: the big ones do, gap fillers do not."""
    return name in ("psr_enroute", "psr_tma")

"""The sensors of a site.toml: ``[sensor.ID]`` tables in it, or the file that ``sensors`` names; one reader, one set of messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.model.errors import LapwingError
from lapwing.model.sensors import SensorTable
from lapwing.runtime.config_keys import Keys, Problem
from lapwing.sense.sensors_file import parse_sensors


def sensor_table(keys: Keys, path: Path, base: Path) -> SensorTable:
    """Return the sensors of [sensor.ID] tables here, or of the file that `sensors` names."""
    named = keys.text("sensors", "")
    inline = keys.raw("sensor")
    try:
        if named and inline is not None:
            keys.wrong("sensors", named, "give a file or [sensor.ID] tables, not both")
        elif named:
            return parse_sensors((base / named).read_bytes(), named)
        elif inline is not None:
            return parse_sensors(_toml({"sensor": inline}) if isinstance(inline, dict) else json.dumps(inline).encode(), path.name)
    except OSError as error:
        keys.wrong("sensors", named, f"{error.strerror}: give the path of a sensors.toml, seen from this file")
    except LapwingError as error:
        keys.add(Problem("error", error.where, error.what, error.remedy))
    return SensorTable()


def _toml(table: Mapping[str, Any]) -> bytes:
    """Return [sensor.ID] tables as the text that `parse_sensors` reads: one reader, one set of messages."""
    lines: list[str] = []
    for sensor_id, values in table["sensor"].items():
        lines.append(f"[sensor.{_quoted(sensor_id)}]")
        for key, value in (values.items() if isinstance(values, dict) else ()):
            lines.append(f"{_quoted(key)} = {_value(value)}")
    return "\n".join(lines).encode()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)

"""A story: who flies where, what looks, and what a system should find. Parsed from YAML and checked.

Schema ``lapwing-incident/1``. Every message of the check names file, key, value and remedy; unknown keys at the top are
left alone (a story may say more than the simulator uses).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any

import yaml

from lapwing.geo.geoid import covers
from lapwing.model.errors import ConfigError
from lapwing.model.resources import read_resource
from lapwing.model.times import from_iso
from lapwing.sim.classes import object_class, sensor_class

PLAYED = ("psr_enroute", "psr_tma", "gap_filler_radar", "drone_radar_short", "acoustic_array", "human_observer")
SPAN_S_MAX = 86_400.0


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where an object is at a time; the leg that ends here is flown at constant ground speed."""

    time_s: float  # after the story's start
    latitude_deg: float
    longitude_deg: float
    altitude_m: float  # above mean sea level
    note: str = ""


@dataclass(frozen=True, slots=True)
class StoryObject:
    """An object, or a formation of `count`."""

    id: str
    class_name: str
    cooperative: bool
    patrol: bool
    count: int
    waypoints: tuple[Waypoint, ...]
    end: str


@dataclass(frozen=True, slots=True)
class StorySensor:
    """A sensor; NaN position and range where it has none (people)."""

    id: str
    class_name: str
    latitude_deg: float
    longitude_deg: float
    antenna_m_amsl: float
    range_m: float  # for the small objects of the file, 0.1 m2
    note: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time over which an object is seen less: `detection_prob` 0 for not at all."""

    object_id: str
    start_s: float
    end_s: float
    detection_prob: float


@dataclass(frozen=True, slots=True)
class Story:
    """A story, checked."""

    id: str
    title: str
    kind: str
    notice: str
    country: str
    local_time: str
    start_ns: int
    end_ns: int  # sensors keep scanning until then
    objects: tuple[StoryObject, ...]
    sensors: tuple[StorySensor, ...]
    gaps: tuple[Gap, ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)
    invented: str = ""
    reported_facts: tuple[Mapping[str, Any], ...] = ()

    @property
    def span_s(self) -> float:
        """Length of the run in seconds."""
        return (self.end_ns - self.start_ns) / 1e9


def story_names() -> tuple[str, ...]:
    """Return the names of the stories shipped with the package, sorted."""
    files = resources.files("lapwing.sim").joinpath("stories").iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


def load_story(name_or_bytes: str | bytes, where: str = "story") -> Story:
    """Return a shipped story by its name, or the story in a file's octets (`where` is the file's name, for messages).

    Raises
    ------
    ConfigError : no such story, no YAML, or a story that is wrong; says file, key, value and remedy
    """
    if isinstance(name_or_bytes, bytes):
        return parse_story(name_or_bytes, where)
    if name_or_bytes not in story_names():
        raise ConfigError(
            f"no story {name_or_bytes!r}", remedy=f"shipped are {', '.join(story_names())}; or name a .yaml file"
        )
    return parse_story(read_resource("lapwing.sim", f"stories/{name_or_bytes}.yaml"), f"{name_or_bytes}.yaml")


def parse_story(content: bytes, name: str) -> Story:
    """Return the story in a YAML file's octets. ConfigError as `load_story`."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        table = yaml.load(content, Loader=loader)  # noqa: S506  the safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ConfigError(
            f"no YAML: {' '.join(str(error).split())[:200]}",
            where=name,
            remedy="see data/domain/README.md of the stories for the format",
        ) from None
    row = _Row(table, name)
    schema = row.text("schema")
    if schema != "lapwing-incident/1":
        raise row.wrong("schema", schema, "must be lapwing-incident/1")
    start_ns = row.time("t0_utc")
    objects = tuple(_object(each) for each in row.rows("objects"))
    sensors = tuple(_sensor(each) for each in row.rows("sensors"))
    for what, ids in (("objects", [o.id for o in objects]), ("sensors", [s.id for s in sensors])):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise row.wrong(what, twice[0], "this id stands twice; give each its own")
    last_s = max(o.waypoints[-1].time_s for o in objects)
    end_ns = row.time("run_ends_utc") if "run_ends_utc" in row.values else start_ns + round((last_s + 900.0) * 1e9)
    if not start_ns < end_ns <= start_ns + round(SPAN_S_MAX * 1e9):
        raise row.wrong("run_ends_utc", row.values.get("run_ends_utc"), "must come after t0_utc, by a day at most")
    expected = row.values.get("expected") or {}
    if not isinstance(expected, dict):
        raise row.wrong("expected", expected, "must be a table")
    facts = row.values.get("reported_facts") or []
    return Story(
        id=row.text("id"),
        title=row.text("title", row.text("id")),
        kind=row.text("kind", "synthetic"),
        notice=row.text("notice", ""),
        country=row.text("protected_country").upper(),
        local_time=row.text("local_time", "UTC"),
        start_ns=start_ns,
        end_ns=end_ns,
        objects=objects,
        sensors=sensors,
        gaps=tuple(_gap(each, objects) for each in row.rows("detection_gaps", needed=False)),
        expected=expected,
        invented=row.text("invented", ""),
        reported_facts=tuple(f for f in facts if isinstance(f, dict)),
    )


class _Row:
    """A table of the file with its place, for messages."""

    def __init__(self, values: Any, where: str) -> None:
        self.where = where
        if not isinstance(values, dict):
            raise ConfigError(
                f"{str(values)[:60]!r}: a table of keys and values expected",
                where=where,
                remedy="write `key: value` lines",
            )
        self.values: dict[str, Any] = values

    def wrong(self, key: str, value: Any, remedy: str) -> ConfigError:
        """Return the error that says what is wrong with a key."""
        return ConfigError(f"{key} = {str(value)[:80]!r}", where=self.where, remedy=remedy)

    def text(self, key: str, otherwise: str | None = None) -> str:
        """Return a text; a missing one is an error without `otherwise`."""
        value = self.values.get(key)
        if value is None and otherwise is not None:
            return otherwise
        if value is None:
            raise ConfigError(f"{key}: missing", where=self.where, remedy=f"add `{key}: ...`")
        if not isinstance(value, str | int | float):
            raise self.wrong(key, value, "must be a text")
        return str(value)

    def number(self, key: str, low: float, high: float, otherwise: float | None = None) -> float:
        """Return a number within bounds; a missing one is an error without `otherwise`."""
        value = self.values.get(key)
        if value is None and otherwise is not None:
            return otherwise
        if value is None:
            raise ConfigError(
                f"{key}: missing", where=self.where, remedy=f"add `{key}:` with a number in [{low:g}, {high:g}]"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(key, value, f"must be a number in [{low:g}, {high:g}]")
        return float(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false where missing."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "must be true or false")
        return value

    def time(self, key: str) -> int:
        """Return a time in ns."""
        value = self.values.get(key)
        try:
            return from_iso(value.isoformat() if isinstance(value, datetime) else str(value))
        except ValueError:
            raise self.wrong(key, value, "must be a time like '2025-08-05T19:50:00Z'") from None

    def rows(self, key: str, *, needed: bool = True) -> list[_Row]:
        """Return the tables of a list."""
        value = self.values.get(key) or []
        if not isinstance(value, list) or (needed and not value):
            raise self.wrong(key, value, "must be a list with at least one entry")
        return [
            _Row(each, f"{self.where} {key}[{each.get('id', i) if isinstance(each, dict) else i}]")
            for i, each in enumerate(value)
        ]


def _object(row: _Row) -> StoryObject:
    name = row.text("class")
    _known(row, name, object_class)
    waypoints = tuple(_waypoint(each) for each in row.rows("waypoints"))
    if len(waypoints) < 2:
        raise row.wrong(
            "waypoints", f"{len(waypoints)} waypoint", "give at least two: where it starts and where it ends"
        )
    for before, after in itertools.pairwise(waypoints):
        if after.time_s <= before.time_s:
            raise row.wrong(
                "waypoints",
                f"t {before.time_s:g} then {after.time_s:g}",
                "times must rise from waypoint to waypoint: put them in order",
            )
    count = row.number("count", 1, 40, 1.0)
    return StoryObject(
        row.text("id"), name, row.flag("cooperative"), row.flag("patrol"), int(count), waypoints, row.text("end", "")
    )


def _waypoint(row: _Row) -> Waypoint:
    point = Waypoint(
        row.number("t", 0.0, SPAN_S_MAX),
        row.number("lat", -90.0, 90.0),
        row.number("lon", -180.0, 180.0),
        row.number("alt_m", -100.0, 20_000.0),
        row.text("note", ""),
    )
    if not covers(math.radians(point.latitude_deg), math.radians(point.longitude_deg)):
        raise row.wrong(
            "lat, lon",
            f"{point.latitude_deg:g}, {point.longitude_deg:g}",
            "no geoid height is known there: the grid covers 40-72 N, 14-45 E",
        )
    return point


def _sensor(row: _Row) -> StorySensor:
    name = row.text("class")
    _known(row, name, sensor_class)
    if name not in PLAYED:
        raise row.wrong("class", name, f"the simulator does not play this one; it plays {', '.join(PLAYED)}")
    if name == "human_observer":
        return StorySensor(row.text("id"), name, math.nan, math.nan, 2.0, math.nan, row.text("note", ""))
    lat, lon = row.number("lat", -90.0, 90.0), row.number("lon", -180.0, 180.0)
    if not covers(math.radians(lat), math.radians(lon)):
        raise row.wrong(
            "lat, lon", f"{lat:g}, {lon:g}", "no geoid height is known there: the grid covers 40-72 N, 14-45 E"
        )
    return StorySensor(
        row.text("id"),
        name,
        lat,
        lon,
        row.number("antenna_m_amsl", -100.0, 5_000.0),
        # null: out of use in this run
        1e3 * row.number("max_range_km", 0.01, 1_000.0, math.nan),
        row.text("note", ""),
    )


def _known(row: _Row, name: str, find: Any) -> None:
    try:
        find(name)
    except ConfigError as error:
        raise row.wrong("class", name, f"unknown class: {error.remedy}") from None


def _gap(row: _Row, objects: Sequence[StoryObject]) -> Gap:
    """Return a detection gap: from and to waypoints named by a part of their note; without `to_note` to the end."""
    object_id, kind = row.text("object"), row.text("kind")
    found = [o for o in objects if o.id == object_id]
    if not found:
        raise row.wrong("object", object_id, f"no such object; known are {', '.join(o.id for o in objects)}")
    times = {}
    for key in ("from_note", "to_note"):
        words = row.text(key, "")
        match = [w.time_s for w in found[0].waypoints if words and words in w.note]
        if words and not match:
            raise row.wrong(key, words, f"no waypoint of {object_id} has this in its note")
        times[key] = match[0] if match else None
    if kind.startswith("no detections"):
        prob = 0.0
    elif "Pd" in kind:
        try:
            prob = float(kind.split("Pd")[1].split()[0])
        except (ValueError, IndexError):
            raise row.wrong("kind", kind, "write `intermittent, Pd 0.3`") from None
    else:
        raise row.wrong("kind", kind, "must be `no detections` or `intermittent, Pd 0.3`")
    first, last = found[0].waypoints[0].time_s, found[0].waypoints[-1].time_s
    start, end = times["from_note"], times["to_note"]
    return Gap(object_id, first if start is None else start, last if end is None else end, prob)

"""The patrol's log and its identity: what a story's air-policing pair would write. A log, never an order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.model.errors import ConfigError
from lapwing.model.reports import Identification, PatrolEvent
from lapwing.model.times import from_iso, from_seconds
from lapwing.sense.person_json import encode_identification, encode_patrol
from lapwing.sim.motion import Motion, sun_elevation_rad
from lapwing.sim.story import Story, StoryObject

SEES_M = {True: 10_000.0, False: 3_000.0}  # by day, by night; our assumption
RADIO_S = 8.0  # word of an event reaches the log so much later
BY = "simulated patrol"


def entries(story: Story, motions: Sequence[Motion]) -> list[tuple[int, str, bytes]]:
    """Return (received_ns, format, payload) of all patrols, in order of time: log entries and "these are ours"."""
    found: list[tuple[int, str, bytes]] = []
    for each in story.objects:
        if each.patrol:
            for motion in motions:
                if motion.patrol and motion.identity is not None and motion.name.split(".")[0] == each.id:
                    ready_ns = story.start_ns + from_seconds(each.waypoints[0].time_s)
                    found.append(
                        (
                            ready_ns,
                            "identify",
                            encode_identification(
                                Identification(
                                    ready_ns,
                                    "friend",
                                    icao_address=motion.identity.icao_address,
                                    mode3a=motion.identity.mode3a,
                                    text=f"own patrol {motion.name}",
                                    by=BY,
                                )
                            ),
                        )
                    )
            for event in _events(story, each, motions):
                found.append((event.time_ns + from_seconds(RADIO_S), "patrol", encode_patrol(event)))
    return sorted(found)


def station_index(each: StoryObject) -> int:
    """Return the waypoint at which a patrol is on station: the second after take-off (climb, then the patrol line)."""
    return min(2, len(each.waypoints) - 1)


def _events(story: Story, each: StoryObject, motions: Sequence[Motion]) -> list[PatrolEvent]:
    on = station_index(each)
    # Off station where it last flew at the height of its line.
    low_m = 0.9 * each.waypoints[on].altitude_m
    off = max(i for i, w in enumerate(each.waypoints) if i == on or (i > on and w.altitude_m >= low_m))
    off = min(off, len(each.waypoints) - 1)
    times = _stated_times(story, each.id)
    size = f"{each.count} aircraft" if each.count > 1 else "1 aircraft"
    plan = [
        (0, "airborne", f"took off, {size}"),
        (on, "on_station", "on the patrol line"),
        *((i, "look", "") for i in range(on + 1, off + 1)),
        (off, "off_station", "leaving the patrol line"),
        (len(each.waypoints) - 1, "landed", f"landed, {size}"),
    ]
    events = []
    for index, event, text in plan:
        point = each.waypoints[index]
        time_ns = times.get(event, story.start_ns + from_seconds(point.time_s))
        if event == "look":
            event, text = _look(story, each, index, motions)
        events.append(
            PatrolEvent(time_ns, each.id, event, f"{point.latitude_deg:.2f} N {point.longitude_deg:.2f} E", text, BY)
        )
    return events


def _look(story: Story, each: StoryObject, index: int, motions: Sequence[Motion]) -> tuple[str, str]:
    """Return what the patrol says at a turn of its line: `seen` where one without a transponder is near."""
    point = each.waypoints[index]
    lat, lon = math.radians(point.latitude_deg), math.radians(point.longitude_deg)
    day = sun_elevation_rad(lat, lon, story.start_ns + from_seconds(point.time_s)) > 0.0
    for motion in motions:
        if (
            motion.identity is None
            and motion.kind.heard_m > 0.0
            and motion.time_s[0] <= point.time_s <= motion.time_s[-1]
        ):
            there_lat, there_lon, _ = motion.at(point.time_s)
            if float(geodesic_inverse(lat, lon, there_lat, there_lon)[0]) <= SEES_M[day]:
                return "seen", "one small object, followed at a distance"
    return "not_seen", "no visual contact"


def _stated_times(story: Story, object_id: str) -> Mapping[str, int]:
    """Return the times that the story states for a patrol, by event."""
    for row in story.expected.get("patrol_times") or ():
        if isinstance(row, dict) and row.get("object") == object_id:
            try:
                return {
                    event: from_iso(str(row[key]))
                    for key, event in (("take_off", "airborne"), ("on_station", "on_station"), ("landed", "landed"))
                    if row.get(key)
                }
            except ValueError as error:
                raise ConfigError(
                    f"expected.patrol_times[{object_id}]: {error}",
                    where=story.id,
                    remedy="write times like '2025-08-05T20:15:00Z'",
                ) from None
    return {}

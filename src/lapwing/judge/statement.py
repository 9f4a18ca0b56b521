"""The sentence for people: number, interval, time and place, in the languages of the pack.

Templates come from the pack's texts (keys ``judge.*``); where a language lacks one, or it names a value that does not
exist, the English one here stands in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lapwing.country.pack import Pack, Places
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.verdict import Finding
from lapwing.model.times import to_iso
from lapwing.model.verdicts import ENTERED, NOT_ENTERED

ENGLISH: Mapping[str, str] = {
    "judge.not_entered": "Object {object} did not enter the airspace of {country}. Closest approach {closest_m} m "
                         "outside the border line (95 %: {low_m} to {high_m} m) at {time}, {place}.",
    "judge.entered_left": "Object {object} entered the airspace of {country} at {entry_time}, {entry_place}, and left "
                          "it at {exit_time}. Deepest point {depth_m} m inside the border line (95 %: {low_m} to "
                          "{high_m} m) at {time}, {place}.",
    "judge.entered_lost": "Object {object} entered the airspace of {country} at {entry_time}, {entry_place}, and was "
                          "last known inside at {last_time}, {last_place}. Deepest point {depth_m} m inside the border "
                          "line (95 %: {low_m} to {high_m} m) at {time}, {place}.",
    "judge.seen_inside": "Object {object} was in the airspace of {country} when first seen at {entry_time}, "
                         "{entry_place}; when it entered is not known. Last known at {last_time}, {last_place}. "
                         "Deepest point {depth_m} m inside the border line (95 %: {low_m} to {high_m} m) at {time}, "
                         "{place}.",
    "judge.stays": "It was inside {count} times, {minutes} minutes in all.",
    "judge.undetermined": "Possible entry: it cannot be said whether object {object} entered the airspace of {country} "
                          "(probability {percent} %). Closest approach {distance_m} m {side} the border line (95 %: "
                          "{low_m} to {high_m} m, negative inside) at {time}, {place}.",
    "judge.doubted": "Object {object} may be no object at all: it was seen for {seconds} s ({plots} plots) only. Whether anything entered "
                     "the airspace of {country} there is not known (probability that it is an object: {exists_percent} %). {distance_m} m "
                     "{side} the border line at {time}, {place}.",
    "judge.second_sight": "Object {object} is most probably object {other} seen twice, and no sign of a further entry into the airspace of "
                          "{country} (probability that it is an object of its own: {exists_percent} %). {distance_m} m {side} the border "
                          "line at {time}, {place}.",
    "judge.outside": "outside",
    "judge.inside": "inside",
    "judge.near": "{distance_km} km {compass} of {name}",
    "judge.at": "at {name}",
    "judge.no_place": "at {latitude_deg} N {longitude_deg} E",
    "judge.compass.n": "north", "judge.compass.ne": "north-east", "judge.compass.e": "east",
    "judge.compass.se": "south-east", "judge.compass.s": "south", "judge.compass.sw": "south-west",
    "judge.compass.w": "west", "judge.compass.nw": "north-west",
}
_COMPASS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")
_AT_PLACE_M = 1_000.0      # nearer than this a point is "at" the place
_PLACE_M_MAX = 200_000.0   # farther than this a place says nothing


def statement(finding: Finding, track_id: str, pack: Pack) -> dict[str, str]:
    """Return language -> sentence for a verdict, for the pack's languages and English."""
    languages = (*pack.languages, *(() if "en" in pack.languages else ("en",)))
    return {language: _sentence(finding, track_id, pack, language) for language in languages}


def nearest_place(places: Places, latitude_rad: float, longitude_rad: float) -> tuple[int, float, float]:
    """Return row, distance and azimuth (from the place to the point) of the nearest place; row -1 where none."""
    if not len(places):
        return -1, math.inf, 0.0
    meridian, prime = curvature_radii_m(latitude_rad)
    north = (latitude_rad - places.latitude_rad) * float(meridian)
    east = (longitude_rad - places.longitude_rad) * float(prime) * math.cos(latitude_rad)
    row = int(np.argmin(north * north + east * east))
    distance = math.hypot(float(north[row]), float(east[row]))
    return (row, distance, math.atan2(float(east[row]), float(north[row]))) if distance <= _PLACE_M_MAX else (
        -1, distance, 0.0)


def place_words(pack: Pack, language: str, latitude_rad: float, longitude_rad: float) -> str:
    """Return where a point is, for people: "1.2 km north of Isaccea"."""
    row, distance, azimuth = nearest_place(pack.places, latitude_rad, longitude_rad)
    if row < 0:
        return text(pack, language, "judge.no_place", latitude_deg=f"{math.degrees(latitude_rad):.4f}",
                    longitude_deg=f"{math.degrees(longitude_rad):.4f}")
    name = pack.places.name[row]
    if distance < _AT_PLACE_M:
        return text(pack, language, "judge.at", name=name)
    compass = _COMPASS[round(azimuth / (math.pi / 4.0)) % 8]
    return text(pack, language, "judge.near", name=name, distance_km=f"{distance / 1000.0:.1f}",
                compass=text(pack, language, f"judge.compass.{compass}"))


def text(pack: Pack, language: str, key: str, **values: object) -> str:
    """Return a template of the pack filled in, or the English one of this module."""
    template = pack.texts.get(language, {}).get(key)
    if template is not None:
        try:
            return template.format(**values)
        except (KeyError, IndexError, ValueError):
            # A pack's template that names a value we do not have: the English sentence is right, so it is said.
            return ENGLISH[key].format(**values)
    return ENGLISH[key].format(**values)


def _sentence(finding: Finding, track_id: str, pack: Pack, language: str) -> str:
    approach, path = finding.approach, finding.path

    def where(row: int) -> str:
        return place_words(pack, language, float(path.latitude_rad[row]), float(path.longitude_rad[row]))

    last = finding.last_plot
    values: dict[str, object] = {
        "object": track_id,
        "country": pack.names.get(language) or pack.names.get("en") or pack.code,
        "time": to_iso(int(path.time_ns[approach.row]), digits=0), "place": where(approach.row),
        "last_time": to_iso(int(path.time_ns[last]), digits=0), "last_place": where(last),
        "percent": f"{100.0 * finding.entered_prob:.0f}",
    }
    if finding.verdict == NOT_ENTERED:
        return text(pack, language, "judge.not_entered", closest_m=f"{approach.distance_m:.0f}",
                    low_m=f"{approach.low_m:.0f}", high_m=f"{approach.high_m:.0f}", **values)
    if finding.verdict != ENTERED or not finding.entries:
        side = text(pack, language, "judge.inside" if approach.distance_m < 0.0 else "judge.outside")
        if finding.doubted:
            exists = finding.exists
            return text(pack, language, "judge.second_sight" if exists.beside else "judge.doubted", side=side,
                        distance_m=f"{abs(approach.distance_m):.0f}", other=exists.beside, seconds=f"{exists.life_s:.0f}",
                        plots=f"{exists.plot_count}", exists_percent=f"{100.0 * exists.prob:.0f}", **values)
        return text(pack, language, "judge.undetermined", distance_m=f"{abs(approach.distance_m):.0f}", side=side,
                    low_m=f"{approach.low_m:.0f}", high_m=f"{approach.high_m:.0f}", **values)
    first, final = finding.entries[0], finding.entries[-1]
    values["entry_time"] = to_iso(first.entry_ns, digits=0)
    values["entry_place"] = place_words(pack, language, first.latitude_rad, first.longitude_rad)
    values["exit_time"] = to_iso(final.exit_ns, digits=0) if final.exit_ns else ""
    key = "judge.seen_inside" if finding.first_inside else "judge.entered_left" if final.exit_ns else \
        "judge.entered_lost"
    sentence = text(pack, language, key, depth_m=f"{finding.deepest_m:.0f}", low_m=f"{-approach.high_m:.0f}",
                    high_m=f"{-approach.low_m:.0f}", **values)
    if len(finding.entries) > 1:
        sentence += " " + text(pack, language, "judge.stays", count=len(finding.entries),
                               minutes=f"{finding.seconds_inside / 60.0:.1f}")
    return sentence

"""The seven ways in which authorities word what happened, filled from the record in every language of the country.

Each is said only where the record bears it out, and carries what it rests on. The words come from the pack's texts (keys
``stated.*``; places and directions are those of ``judge.*``); the English here stands in where a language lacks one.

==================  =====================================================================================================
kind                said where
==================  =====================================================================================================
no_entry            objects were judged and every verdict is `not_entered`; with the border that no radar saw
entered_towards     an object was seen to enter and was lost inside: how far in, from where, towards where, where it was lost
entered_briefly     an object entered, was inside for under ten minutes and left; over water only where it was in no zone
possible_entry      a verdict is `undetermined`: towards where the signal went
one_object          tracks that end and begin within two minutes where the flight would have been: most probably one object
not_over_places     an object that entered and left, seen all the way, stayed a kilometre off every place on the map while inside
partner_informed    notices went to a partner: the first so long after the object was first seen
==================  =====================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lapwing.country.pack import Pack
from lapwing.geo.areas import distances_m
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.times import from_iso, to_iso
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED
from lapwing.record.canonical import Row
from lapwing.record.track_rows import TrackRows

ENGLISH: Mapping[str, str] = {
    "stated.no_entry": "No unauthorised entry into the airspace of {country} between {start} and {end}: {count} objects judged, the "
                       "nearest stayed {closest_m} m outside. Below 100 m above the sea {blind_percent} % of the border shown "
                       "was out of sight of every radar.",
    "stated.entered_towards": "Object {object} entered about {km} km into the airspace of {country}, from {from_place} towards "
                              "{direction}; it was lost {last_place} at {last_time}.",
    "stated.entered_briefly": "Object {object} entered the airspace of {country} briefly, {from_place}, for {minutes} minutes, and "
                              "left it.",
    "stated.over_water": "It was over water only.",
    "stated.possible_entry": "Possible unauthorised entry: the signal of object {object} went towards {direction}, last {last_place} "
                             "at {last_time}.",
    "stated.one_object": "Most probably one object, seen intermittently: {objects}.",
    "stated.not_over_places": "Object {object} did not fly over inhabited areas: the nearest place, {name}, was {km} km away.",
    "stated.partner_informed": "{partner} was informed of object {object} {seconds} s after it was first seen, at {time}.",
}
_COMPASS = (("n", "north"), ("ne", "north-east"), ("e", "east"), ("se", "south-east"), ("s", "south"), ("sw", "south-west"),
            ("w", "west"), ("nw", "north-west"))
_WORDS = {"judge.near": "{distance_km} km {compass} of {name}", "judge.at": "at {name}",
          "judge.no_place": "at {latitude_deg} N {longitude_deg} E", **{f"judge.compass.{key}": word for key, word in _COMPASS}}
_BRIEF_S, _PLACE_M, _AT_PLACE_M, _PLACE_M_MAX = 600.0, 1_000.0, 1_000.0, 200_000.0
_AGAIN_S, _AGAIN_M, _AGAIN_MPS = 120.0, 1_000.0, 20.0
_COURSE_S = 60.0


def statements(verdicts: Sequence[Row], notices: Sequence[Row], tracks: Mapping[str, TrackRows], coverage: Row, pack: Pack,
               period: Row) -> list[Row]:
    """Return what can be stated: kind, text by language, and the tracks that it rests on.

    Parameters
    ----------
    tracks : rows in order of time by track id; coverage, period : of the report
    """
    made: list[Row] = []

    def state(kind: str, ids: Sequence[str], also: str = "", **values: Any) -> None:
        """`values` that are tuples of two are a place, floats called direction an angle: put in words by language."""
        made.append({"kind": kind, "track_ids": list(ids), "text": {
            language: " ".join(_said(pack, language, f"stated.{key}", values) for key in (kind, also) if key)
            for language in (*pack.languages, *(() if "en" in pack.languages else ("en",)))}})

    if verdicts and all(row["verdict"] == NOT_ENTERED for row in verdicts):
        state("no_entry", [], start=period["start"], end=period["end"], count=len(verdicts), blind_percent=_blind(coverage),
              closest_m=f"{min(float(row['closest_m']) for row in verdicts):.0f}")
    for row in verdicts:
        track_id, rows = str(row["track_id"]), tracks.get(str(row["track_id"]).partition("+")[0])
        rows = _in_time(rows, row)
        if rows is None or not len(rows):
            continue
        last: dict[str, Any] = {"last_place": _place(rows[-1]), "last_time": to_iso(int(rows["time_ns"][-1]), digits=0)}
        # What is most probably another object seen twice is no sign of an entry.
        if row["verdict"] == UNDETERMINED and not (row.get("evidence") or {}).get("beside"):
            state("possible_entry", [track_id], object=track_id, direction=_course(rows), **last)
        if row["verdict"] != ENTERED or not row["entries"]:
            continue
        entry, inside = row["entries"][0], rows[rows["border_m"] < 0.0]
        where = (math.radians(entry["lat_deg"]), math.radians(entry["lon_deg"]))
        # One first seen inside has entered nobody knows where; of one lost inside, or not seen for a while, nobody knows over what.
        came_in = str(entry["entry_time"]) > str((row.get("evidence") or {}).get("first_time") or "")
        whole = came_in and row["entries"][-1]["exit_time"] is not None and not (row.get("evidence") or {}).get("gaps")
        if not came_in:
            continue
        if row["entries"][-1]["exit_time"] is None:
            state("entered_towards", [track_id], object=track_id, km=f"{float(row['deepest_m']) / 1_000.0:.1f}", from_place=where,
                  direction=_course(inside if len(inside) else rows), **last)
        elif float(row["seconds_inside"]) < _BRIEF_S:
            state("entered_briefly", [track_id], "over_water" if _over_water(inside, pack) else "", object=track_id,
                  from_place=where, minutes=f"{float(row['seconds_inside']) / 60.0:.1f}")
        name, near_m = _nearest_place(inside, pack)
        if whole and name and near_m > _PLACE_M:
            state("not_over_places", [track_id], object=track_id, name=name, km=f"{near_m / 1_000.0:.1f}")
    for chain in chains({str(row["track_id"]): rows for row in verdicts
                         if (rows := tracks.get(str(row["track_id"]))) is not None and len(rows)}):
        state("one_object", chain, objects=", ".join(chain))
    for partner in pack.partners:
        told = [(str(item["track_id"]), notice) for notice in notices if notice["partner"] == partner.id for item in notice["objects"]]
        for track_id in dict.fromkeys(each for each, _ in told):
            first = min((notice for each, notice in told if each == track_id), key=lambda notice: str(notice["time"]))
            seen = tracks.get(track_id)
            if seen is not None and len(seen):
                seconds = (from_iso(str(first["time"])) - int(seen["time_ns"][0])) * 1e-9
                state("partner_informed", [track_id], object=track_id, partner=partner.name, seconds=f"{max(seconds, 0.0):.0f}",
                      time=to_iso(from_iso(str(first["time"])), digits=0))
    return made


def chains(tracks: Mapping[str, TrackRows]) -> list[list[str]]:
    """Return the tracks that are most probably one object: one begins where the one that has just ended would be."""
    following: dict[str, str] = {}
    for before, old in tracks.items():
        seen = old[~old["coasting"]] if (~old["coasting"]).any() else old
        best = _AGAIN_M + _AGAIN_MPS * _AGAIN_S
        for after, new in tracks.items():
            gap_s = (int(new["time_ns"][0]) - int(seen["time_ns"][-1])) * 1e-9
            if after == before or not 0.0 < gap_s <= _AGAIN_S or after in following.values():
                continue
            east, north = _apart_m(seen[-1], new[0])
            away = math.hypot(east - float(seen["vx_east"][-1]) * gap_s, north - float(seen["vy_north"][-1]) * gap_s)
            if away <= min(best, _AGAIN_M + _AGAIN_MPS * gap_s):
                best, following[before] = away, after
    result = []
    for start in following:
        if start not in following.values():
            chain = [start]
            while chain[-1] in following and following[chain[-1]] not in chain:
                chain.append(following[chain[-1]])
            result.append(chain)
    return result


def _said(pack: Pack, language: str, key: str, values: Mapping[str, Any]) -> str:
    words = {name: _place_words(pack, language, value) if isinstance(value, tuple) else
             _template(pack, language, f"judge.compass.{_COMPASS[round(value / (math.pi / 4.0)) % 8][0]}")
             if isinstance(value, float) else value for name, value in values.items()}
    words["country"] = pack.names.get(language) or pack.names.get("en") or pack.code
    try:
        return _template(pack, language, key).format(**words)
    except (KeyError, IndexError, ValueError):
        return ENGLISH[key].format(**words)


def _template(pack: Pack, language: str, key: str) -> str:
    return pack.texts.get(language, {}).get(key) or ENGLISH.get(key) or _WORDS[key]


def _place_words(pack: Pack, language: str, where: tuple[float, float]) -> str:
    places, (latitude, longitude) = pack.places, where
    if len(places):
        meridian, prime = (float(value) for value in curvature_radii_m(latitude))
        north = (latitude - places.latitude_rad) * meridian
        east = (longitude - places.longitude_rad) * prime * math.cos(latitude)
        row = int(np.argmin(north * north + east * east))
        distance, angle = math.hypot(float(north[row]), float(east[row])), math.atan2(float(east[row]), float(north[row]))
        if distance < _AT_PLACE_M:
            return _template(pack, language, "judge.at").format(name=places.name[row])
        if distance <= _PLACE_M_MAX:
            compass = _template(pack, language, f"judge.compass.{_COMPASS[round(angle / (math.pi / 4.0)) % 8][0]}")
            return _template(pack, language, "judge.near").format(distance_km=f"{distance / 1_000.0:.1f}", compass=compass,
                                                                  name=places.name[row])
    return _template(pack, language, "judge.no_place").format(latitude_deg=f"{math.degrees(latitude):.4f}",
                                                              longitude_deg=f"{math.degrees(longitude):.4f}")


def _in_time(rows: TrackRows | None, verdict: Row) -> TrackRows | None:
    """Return the rows of the time that a verdict answers for."""
    evidence = verdict.get("evidence") or {}
    if rows is None or not evidence.get("first_time") or not evidence.get("last_time"):
        return rows
    start, end = from_iso(str(evidence["first_time"])), from_iso(str(evidence["last_time"]))
    return rows[(rows["time_ns"] >= start) & (rows["time_ns"] <= end)]


def _place(row: Any) -> tuple[float, float]:
    return math.radians(float(row["lat_deg"])), math.radians(float(row["lon_deg"]))


def _course(rows: TrackRows) -> float:
    """Return the mean course over the last minute."""
    last = rows[rows["time_ns"] >= rows["time_ns"][-1] - round(_COURSE_S * 1e9)]
    return float(np.arctan2(last["vx_east"].mean(), last["vy_north"].mean()))


def _apart_m(one: Any, other: Any) -> tuple[float, float]:
    latitude, longitude = _place(one)
    meridian, prime = (float(value) for value in curvature_radii_m(latitude))
    to_latitude, to_longitude = _place(other)
    return (to_longitude - longitude) * prime * math.cos(latitude), (to_latitude - latitude) * meridian


def _blind(coverage: Row) -> str:
    """Return the share of the border shown that no radar saw at 100 m; 100 where no radar is known."""
    border = coverage["border"]
    length = float(border["length_km"] or 0.0)
    unseen = next((float(part["km"] or 0.0) for part in border["unseen"] if part["height_m"] == 100.0), length)
    return f"{100.0 * unseen / length:.0f}" if length > 0.0 and border["radars"] else "100"


def _over_water(inside: TrackRows, pack: Pack) -> bool:
    """Whether it was in no zone of the country while inside: zones cover the land."""
    if not len(inside) or not pack.zones:
        return False
    return not len(distances_m(pack.areas, np.radians(inside["lat_deg"]), np.radians(inside["lon_deg"]), 0.0)[0])


def _nearest_place(inside: TrackRows, pack: Pack) -> tuple[str, float]:
    """Return the place that it came nearest to while inside; "" where nothing can be said."""
    if not len(inside) or not len(pack.places):
        return "", math.inf
    latitude, longitude = np.radians(inside["lat_deg"]), np.radians(inside["lon_deg"])
    meridian, prime = curvature_radii_m(latitude)
    best, name = math.inf, ""
    for row in range(len(inside)):
        away = np.hypot((pack.places.latitude_rad - latitude[row]) * meridian[row],
                        (pack.places.longitude_rad - longitude[row]) * prime[row] * math.cos(latitude[row]))
        nearest = int(np.argmin(away))
        if away[nearest] < best:
            best, name = float(away[nearest]), pack.places.name[nearest]
    return name, best

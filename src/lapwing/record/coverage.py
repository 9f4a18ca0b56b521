"""What could not be seen: how low each stretch of border is watched, when links were silent, what was refused.

A report that states what it saw must state what it could not see: no plots there is not "nothing there".
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.country.sight import border_pieces, lowest_visible_m, ranging
from lapwing.geo.border import Territory
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.record.canonical import Row, degrees, iso, metres, rounded
from lapwing.record.gather import Link, Record

Floats = npt.NDArray[np.float64]

HEIGHTS_M = (50.0, 100.0, 300.0, 1_000.0)    # above mean sea level: low drones to light aircraft
SILENT_S_MIN, SILENT_GAPS = 30.0, 6.0        # a link is silent after this long, and this many of its usual gaps


def coverage_row(record: Record, sensors: SensorTable, territory: Territory, box_deg: Floats) -> Row:
    """Return the coverage part of a report.

    Parameters
    ----------
    record : the journal, read back
    sensors : as known at the end
    territory : whose border is looked at
    box_deg : (4,) south, west, north, east: the area of the incident
    """
    border = _border_row(ranging(sensors), territory, box_deg)
    links = [_link_row(link) for link in record.links]
    refused = [{"reason": reason, "source": source, "count": count} for reason, source, count in record.refusals]
    return {"statement": _statement(border, links, sensors, refused), "border": border, "links": links,
            "sensors": [_sensor_row(sensor) for sensor in sensors.rows], "refusals": refused}


def _border_row(radars: tuple[Sensor, ...], territory: Territory, box_deg: Floats) -> Row:
    latitude, longitude, length = border_pieces(territory, box_deg)
    lowest = lowest_visible_m(radars, latitude, longitude)
    return {"box_deg": [rounded(value, 3) for value in box_deg], "length_km": rounded(length.sum() / 1_000.0, 1),
            "radars": len(radars), "model": "smooth 4/3 Earth; terrain and woods hide more",
            "unseen": [{"height_m": height, "km": rounded(length[lowest > height].sum() / 1_000.0, 1)}
                       for height in HEIGHTS_M]}


def _link_row(link: Link) -> Row:
    gaps_ns = np.diff(link.heard_ns)
    usual_s = float(np.median(gaps_ns)) * 1e-9 if len(gaps_ns) else 0.0
    # Entries of people come when they come: a link with under twenty of them has no usual gap to miss.
    limit_s = max(SILENT_S_MIN, SILENT_GAPS * usual_s) if len(gaps_ns) >= 20 else math.inf
    silent = np.nonzero(gaps_ns > limit_s * 1e9)[0]
    return {"link": link.name, "entries": link.entry_count, "first_time": iso(int(link.heard_ns[0])),
            "last_time": iso(int(link.heard_ns[-1])), "usual_gap_s": rounded(usual_s, 2),
            "silences": [{"start": iso(int(link.heard_ns[i])), "end": iso(int(link.heard_ns[i + 1])),
                          "seconds": rounded(float(gaps_ns[i]) * 1e-9, 0)} for i in silent]}


def _sensor_row(sensor: Sensor) -> Row:
    return {"id": sensor.id, "kind": sensor.kind, "sac": sensor.sac, "sic": sensor.sic,
            "lat_deg": degrees(sensor.latitude_rad), "lon_deg": degrees(sensor.longitude_rad),
            "height_m": metres(sensor.height_m), "small_range_m": metres(sensor.small_range_m),
            "range_m_max": metres(sensor.range_m_max), "position_from": sensor.position_from}


def _statement(border: Row, links: list[Row], sensors: SensorTable, refused: list[Row]) -> list[str]:
    """Return the sentences on what could not be seen, the weightiest first."""
    told = []
    length_km = border["length_km"]
    if not border["radars"]:
        told.append("No radar with a known position contributed: what flew unseen cannot be said.")
    elif length_km:
        for part in border["unseen"][:3]:
            if part["km"]:
                told.append(f"Below {part['height_m']:.0f} m above the sea, {part['km']:.0f} of {length_km:.0f} km of "
                            "the border shown were out of sight of every radar (smooth Earth; hills hide more).")
        if not told:
            told.append(f"All {length_km:.0f} km of the border shown were within sight of a radar down to 50 m above "
                        "the sea over smooth Earth; hills and woods may hide more.")
    for link in links:
        if link["silences"]:
            longest = max(link["silences"], key=lambda silence: float(silence["seconds"]))
            total = sum(float(silence["seconds"]) for silence in link["silences"])
            told.append(f"{link['link']} was silent {len(link['silences'])} time"
                        f"{'s' if len(link['silences']) > 1 else ''}, {total:.0f} s in all, longest from "
                        f"{longest['start'][11:19]}Z to {longest['end'][11:19]}Z.")
    unplaced = [sensor.id for sensor in sensors.rows if not sensor.has_position]
    if unplaced:
        told.append(f"Without a position, and so not tracked: {', '.join(unplaced)}.")
    if refused:
        total = sum(int(item["count"]) for item in refused)
        told.append(f"{total:,} item{'s' if total > 1 else ''} of the input refused; the reasons are counted below.")
    return told

"""The after-action report as data (report.json): what happened, how sure, what was done, what could not be seen.

Pure: from rows read back from the journal. Every part carries `refs`: the journal batch it went out with and the
entries that came in with it, so that each sentence can be traced to octets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.model.errors import InputError
from lapwing.model.sensors import SensorTable
from lapwing.model.times import from_iso, to_iso
from lapwing.model.tracks import AFFILIATIONS, CLASSES
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED
from lapwing.record.canonical import Row, metres, prob
from lapwing.record.coverage import coverage_row
from lapwing.record.gather import Filed, Record
from lapwing.record.rows import alert_file_row, sensor_names
from lapwing.record.statements import statements
from lapwing.record.track_rows import TrackRows

NEAR_M = 60_000.0        # rows of tracks that make up the area of the incident
MARGIN_DEG = 0.05
NONE = "none"            # result where nothing was judged


def incidents(record: Record) -> tuple[str, ...]:
    """Return the ids of the incidents in a journal, in order."""
    return tuple(dict.fromkeys(str(filed.row["incident"]) for filed in record.of("event")))


def build_report(record: Record, pack: Pack, sensors: SensorTable, *, incident: str = "",
                 journal: Mapping[str, str] | None = None) -> Row:
    """Return the report of one incident, or of all that the journal holds where `incident` is empty.

    Parameters
    ----------
    record : the journal, read back
    pack : country the verdicts were reached for
    sensors : as configured
    incident : id as in the time line ("20250805-1")
    journal : what the journal says of itself: its head's digest, versions, source

    Raises InputError for an incident that the journal does not hold.
    """
    known = incidents(record)
    if incident and incident not in known:
        raise InputError(f"no incident {incident!r}", where="journal",
                         remedy=f"it holds {', '.join(known) if known else 'no incident at all'}")
    events = [filed for filed in record.of("event") if not incident or filed.row["incident"] == incident]
    start, end = _period(record, events)
    refs = _Refs(record)

    def within(kind: str, key: str = "time") -> list[Row]:
        return [filed.row | {"refs": refs(filed)} for filed in record.of(kind) if start <= filed.row[key] <= end]

    told = {name for filed in events for name in filed.row["ids"]}
    verdicts = [filed for filed in record.of("verdict") if not incident or filed.row["track_id"] in told]
    theirs = sorted((filed for filed in record.of("neighbour") if not incident or filed.row["track_id"] in told),
                    key=lambda filed: (str(filed.row["country"]), *_rank(filed.row)))
    traffic = [filed for filed in record.of("traffic")
               if not incident or (filed.row["last_time"] >= start and filed.row["first_time"] <= end)]
    verdicts.sort(key=lambda filed: _rank(filed.row))
    box_deg = incident_box_deg(record.tracks, verdicts)
    timeline = sorted((filed.row | {"refs": refs(filed)} for filed in events), key=lambda row: str(row["time"]))
    statement, result = _statement(verdicts, pack)
    coverage = coverage_row(record, sensors, pack.territory, box_deg)
    alerts = [alert_file_row(filed.row, number)[0] | {"refs": refs(filed)}
              for number, filed in enumerate(record.of("alert"), 1) if start <= filed.row["sent"] <= end]
    return {
        "incident": incident or (known[0] if len(known) == 1 else "all" if known else "none"),
        "country": pack.code,
        "period": {"start": start, "end": end},
        "result": result,
        "objects": _objects(record, verdicts, traffic, sensors, refs),
        "verdicts": [filed.row | {"refs": refs(filed)} for filed in verdicts],
        "neighbours": [filed.row | {"seen_inside": _seen_inside(filed.row), "refs": refs(filed)} for filed in theirs],
        "alerts": alerts,
        "decisions": within("decision"),
        "patrol": within("patrol"),
        "notices": within("notice"),
        "sightings": within("sighting"),
        "impacts": within("impact"),
        "timeline": timeline,
        "coverage": coverage,
        "statement": statement,
        "stated": statements([filed.row for filed in verdicts], within("notice"), split_tracks(record.tracks), coverage, pack,
                             {"start": start, "end": end}),
        "boundary": {"name": pack.territory.name, "version": pack.territory.version, "sha256": pack.territory.sha256,
                     "date": pack.territory.date},
        "pack": {"code": pack.code, "version": pack.version, "sha256": pack.sha256, "attribution": pack.attribution},
        "journal": dict(journal or {}),
    }


class _Refs:
    """Where in the journal a row is: its batch, and the entries that came in with it."""

    def __init__(self, record: Record) -> None:
        self._entries = record.entries_of_batch

    def __call__(self, filed: Filed) -> Row:
        first_last = self._entries.get(filed.batch)
        return {"batch": filed.batch, "entries": None if first_last is None else list(first_last)}


def _period(record: Record, events: Iterable[Filed]) -> tuple[str, str]:
    """Return start and end: of the events, or of the whole journal where there is none."""
    times = [str(filed.row["time"]) for filed in events]
    if times:
        return min(times), max(times)
    return to_iso(record.first_ns), to_iso(record.last_ns)


def _rank(row: Row) -> tuple[int, float, str]:
    """Entered first, then undetermined, then by distance."""
    order = {ENTERED: 0, UNDETERMINED: 1}.get(row["verdict"], 2)
    closest = row["closest_m"]
    return order, float("inf") if closest is None else float(closest), str(row["track_id"])


def _seen_inside(row: Row) -> bool:
    """Return whether an object was over a neighbour when first seen."""
    return bool(row["entries"]) and str(row["entries"][0]["entry_time"]) <= str(row["evidence"]["first_time"])


def _statement(verdicts: list[Filed], pack: Pack) -> tuple[dict[str, str], str]:
    """Return language -> what is said of the whole, and the result: the gravest verdict, with its own sentences."""
    if not verdicts:
        text = "No object came under judgement in this time; what could not be seen is stated under coverage."
        return {language: pack.texts.get(language, {}).get("report.nothing", text) for language in pack.languages}, NONE
    result = str(verdicts[0].row["verdict"])
    chosen = [filed.row for filed in verdicts if filed.row["verdict"] == result]
    if result == NOT_ENTERED:
        chosen = chosen[:1]  # the closest speaks for the others, which were farther out
    languages = dict.fromkeys([*pack.languages, *chosen[0]["statement"]])
    return {language: " ".join(row["statement"][language] for row in chosen if language in row["statement"])
            for language in languages}, result


def _objects(record: Record, verdicts: list[Filed], traffic: list[Filed], sensors: SensorTable,
             refs: _Refs) -> list[Row]:
    rows_of = split_tracks(record.tracks)
    found = []
    for filed in (*verdicts, *traffic):
        row, rows = filed.row, rows_of.get(str(filed.row["track_id"]))
        judged = "verdict" in row
        item: Row = {"track_id": row["track_id"], "judged": judged, "verdict": row.get("verdict"),
                     "reason": None if judged else row["reason"], "closest_m": row["closest_m"]}
        if rows is not None and len(rows):
            last = rows[-1]
            probs = np.array([last[f"class_{name}_prob"] for name in CLASSES])
            item |= {"class": CLASSES[int(probs.argmax())], "class_prob": prob(float(probs.max())),
                     "affiliation": AFFILIATIONS[int(last["affiliation"])],
                     "first_time": to_iso(int(rows["time_ns"].min())), "last_time": to_iso(int(rows["time_ns"].max())),
                     "plots": int(last["plot_count"]),
                     "sensors": [sensors.rows[i].id for i in sensor_names(last["sensors_mask"], len(sensors.rows))],
                     "height_m": _height(rows)}
        elif not judged:
            item |= {"class": row["class"], "class_prob": row["class_prob"], "affiliation": row["affiliation"],
                     "first_time": row["first_time"], "last_time": row["last_time"]}
        found.append(item | {"refs": refs(filed)})
    return found


def _height(rows: TrackRows) -> list[float | None] | None:
    heights = rows["alt_m"][np.isfinite(rows["alt_m"])]
    return [metres(float(heights.min()), 0), metres(float(heights.max()), 0)] if len(heights) else None


def split_tracks(tracks: TrackRows) -> dict[str, TrackRows]:
    """Return the rows of each track, in order of time, by track id."""
    order = np.lexsort((tracks["time_ns"], tracks["track_id"]))
    ordered = tracks[order]
    cuts = np.nonzero(ordered["track_id"][1:] != ordered["track_id"][:-1])[0] + 1
    return {bytes(part["track_id"][0]).decode(): part for part in np.split(ordered, cuts) if len(part)}


def incident_box_deg(tracks: TrackRows, verdicts: list[Filed]) -> npt.NDArray[np.float64]:
    """Return south, west, north, east of the area where judged tracks were near the border, with a margin."""
    judged = [str(filed.row["track_id"]).encode() for filed in verdicts]
    near = np.isin(tracks["track_id"], judged) & (np.abs(tracks["border_m"]) < NEAR_M)
    latitude, longitude = list(tracks["lat_deg"][near]), list(tracks["lon_deg"][near])
    for filed in verdicts:
        if filed.row["closest_m"] is not None and abs(filed.row["closest_m"]) < NEAR_M:
            latitude.append(filed.row["closest_lat_deg"])
            longitude.append(filed.row["closest_lon_deg"])
    if not latitude:
        latitude, longitude = list(tracks["lat_deg"]) or [0.0], list(tracks["lon_deg"]) or [0.0]
    return np.array([min(latitude) - MARGIN_DEG, min(longitude) - MARGIN_DEG, max(latitude) + MARGIN_DEG,
                     max(longitude) + MARGIN_DEG])


def duration_s(report: Row) -> float:
    """Return how long the incident lasted."""
    return (from_iso(report["period"]["end"]) - from_iso(report["period"]["start"])) * 1e-9

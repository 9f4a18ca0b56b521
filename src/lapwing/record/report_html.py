"""The after-action report as one self-contained page: nothing is loaded from anywhere, it prints, it may be mailed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from markupsafe import Markup

from lapwing.country.pack import Pack
from lapwing.model.resources import read_resource
from lapwing.model.sensors import SensorTable
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED
from lapwing.record.canonical import Row
from lapwing.record.drawing import LEVEL_COLOURS, OBJECT_COLOURS, OTHER_COLOUR
from lapwing.record.drawing_border import border_svg
from lapwing.record.drawing_map import map_svg
from lapwing.record.gather import Record
from lapwing.record.incident_words import distance
from lapwing.record.report import NEAR_M, NONE, duration_s, incident_box_deg, split_tracks

TABLE_ROWS = 10  # objects that did not enter with a line of their own, the nearest first

_RESULT_WORDS = {ENTERED: "Entered", NOT_ENTERED: "Did not enter", UNDETERMINED: "Undetermined",
                 NONE: "No object under judgement"}
_LANGUAGE_NAMES = {"en": "English", "ro": "Română", "hu": "Magyar", "uk": "Українська", "lt": "Lietuvių",
                   "pl": "Polski", "ru": "Русский", "lv": "Latviešu", "et": "Eesti", "fi": "Suomi", "sv": "Svenska",
                   "bg": "Български", "de": "Deutsch", "fr": "Français"}


def render_report(report: Row, record: Record, pack: Pack, sensors: SensorTable) -> str:
    """Return the page.

    Parameters
    ----------
    report : of `report.build_report`
    record, pack, sensors : what it was built from: the map and the graph are drawn from them
    """
    tracks = split_tracks(record.tracks)
    colours = object_colours(report)
    chosen = [filed for filed in record.of("verdict")
              if filed.row["track_id"] in {row["track_id"] for row in report["verdicts"]}]
    table, rest = _split(report["verdicts"])
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True)
    environment.filters |= {"clock": clock, "metres": metres_words, "thousands": thousands}
    environment.globals |= {"signed": distance}
    template = environment.from_string(read_resource("lapwing.record", "templates/report.html.j2").decode("utf-8"))
    return template.render(
        report=report, neighbours=_neighbours(report, pack),
        table=table, rest=rest, colours=colours, other_colour=OTHER_COLOUR, level_colours=LEVEL_COLOURS,
        result_words=_RESULT_WORDS[report["result"]], languages=_LANGUAGE_NAMES, country=_country(pack),
        local=_Local(pack.time_zone), time_zone=pack.time_zone, duration_min=duration_s(report) / 60.0,
        people=people_warned(report), test=_is_test(report),
        map=Markup(map_svg(report, pack, sensors, tracks, colours, incident_box_deg(record.tracks, chosen))),  # noqa: S704  our own drawing, its texts escaped
        graph=Markup(border_svg(report, tracks, colours)),  # noqa: S704  our own drawing, its texts escaped
    )


def _split(verdicts: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the verdicts that need a line each, and the rest: objects that stayed out, farther than those before."""
    grave = [row for row in verdicts if row["verdict"] != NOT_ENTERED]
    outside = [row for row in verdicts if row["verdict"] == NOT_ENTERED]
    return grave + outside[:TABLE_ROWS], outside[TABLE_ROWS:]


def _neighbours(report: Row, pack: Pack) -> list[tuple[str, list[Row], list[Row], list[Row]]]:
    """Return of each neighbour its name, the verdicts that need a line, the objects that were there from the first, and the rest."""
    found = []
    for code in dict.fromkeys(str(row["country"]) for row in report["neighbours"]):
        rows = [row for row in report["neighbours"] if row["country"] == code]
        table, rest = _split([row for row in rows if not row["seen_inside"]])
        found.append((pack.neighbour_names.get(code, {}).get("en", code), table, [row for row in rows if row["seen_inside"]], rest))
    return found


def object_colours(report: Row) -> dict[str, str]:
    """Return the colour of each judged object that was near the border, the gravest first; the others stay grey."""
    near = [row["track_id"] for row in report["verdicts"]
            if row["closest_m"] is not None and abs(row["closest_m"]) < NEAR_M]
    return dict(zip(near, OBJECT_COLOURS, strict=False))


def people_warned(report: Row) -> tuple[int, int]:
    """Return how many people live in the zones that were under an alert, and in those under a pre-alert alone."""
    alerted, readied = ({zone["code"]: int(zone["population"]) for alert in report["alerts"]
                         if alert["level"] == level for zone in alert["zones"]} for level in ("alert", "pre_alert"))
    return sum(alerted.values()), sum(people for code, people in readied.items() if code not in alerted)


def clock(iso: str | None) -> str:
    """Return the time of day of an ISO time, to the second."""
    return "–" if not iso else iso[11:19]


def metres_words(value: float | None) -> str:
    """Return metres with separators, or a dash where unknown."""
    return "–" if value is None else f"{value:,.0f} m"


def thousands(value: float) -> str:
    """Return a count with separators."""
    return f"{value:,.0f}"


def _country(pack: Pack) -> str:
    return pack.names.get("en") or next(iter(pack.names.values()), pack.code)


def _is_test(report: Row) -> bool:
    return any(alert["status"] != "Actual" for alert in report["alerts"])


class _Local:
    """Local time of day for an ISO time."""

    def __init__(self, time_zone: str) -> None:
        self._zone: Any = None
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._zone = None  # a machine without zone data: the column stays empty, UTC is there

    def __call__(self, iso: str | None) -> str:
        if self._zone is None or not iso:
            return ""
        return datetime.fromisoformat(iso).astimezone(self._zone).strftime("%H:%M:%S")

"""``lapwing forecast``: tracks.parquet -> will it enter, when, where, and which zones may it come to."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapwing.judge.forecast_tracks import TrackForecast

NAME = "forecast"
HELP = ("Forecast tracks (Parquet): the probability that each enters a country within 5, 10 and 15 minutes, when and where, the "
        "earliest it can be there, and the zones that it may come within 3 km of.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="TRACKS", help="tracks.parquet, as lapwing track and replay write it")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder)")
    which.add_argument("--border", metavar="FILE", help="GeoJSON with a LineString and home_side, or with Polygons")
    parser.add_argument("--at", metavar="ISO", help="instant, e.g. 2026-03-14T23:35:00Z: of each track its newest row then")
    parser.add_argument("--every", type=float, default=0.0, metavar="S",
                        help="forecast every S seconds of each track's life (default: once, at its last row)")
    parser.add_argument("--no-zones", action="store_true", help="leave the zones out")
    parser.add_argument("--out", metavar="FILE", help="lines of JSON there instead of on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Forecast every confirmed track; 0 done, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.cli.judge import read_home, read_tracks
    from lapwing.judge import Settings
    from lapwing.judge.forecast_tracks import forecast_tracks
    from lapwing.model.errors import InputError
    from lapwing.model.times import from_iso
    from lapwing.record.canonical import to_json

    pack = read_home(arguments, state_dir)
    if not 0.0 <= arguments.every < math.inf:
        raise InputError(f"--every {arguments.every}", where="lapwing forecast", remedy="give seconds from 0 on")
    try:
        instants = None if arguments.at is None else [from_iso(arguments.at)]
    except ValueError as error:
        raise InputError(str(error), where="--at", remedy="write it like 2026-03-14T23:35:00Z") from None
    found = forecast_tracks(read_tracks(arguments.tracks), pack, instants, arguments.every, Settings(),
                            with_zones=not arguments.no_zones and bool(pack.zones))
    names = {zone.code: zone.name for zone in pack.zones}
    lines = b"".join(to_json(_row(each, pack.code, names)) + b"\n" for each in found)
    if arguments.out:
        Path(arguments.out).write_bytes(lines)
        likely = sum(each.entry_prob[1] >= 0.5 for each in found)
        print(f"{len(found)} forecasts against {pack.territory.name}: {likely} with an entry within 10 minutes more probable than "
              f"not; written to {arguments.out}")
    else:
        print(lines.decode(), end="")
    return 0


def _row(each: TrackForecast, country: str, names: dict[str, str]) -> dict[str, Any]:
    from lapwing.model.times import to_iso

    def when(seconds: float) -> str | None:
        return to_iso(each.time_ns + round(seconds * 1e9), digits=0) if math.isfinite(seconds) else None

    def number(value: float, digits: int) -> float | None:
        return round(value, digits) if math.isfinite(value) else None

    return {
        "track_id": each.track_id, "country": country, "time": to_iso(each.time_ns, digits=3),
        "border_m": number(each.border_m, 1), "border_m_sigma": number(each.border_m_sigma, 1),
        "entry_5_prob": round(each.entry_prob[0], 4), "entry_10_prob": round(each.entry_prob[1], 4),
        "entry_15_prob": round(each.entry_prob[2], 4),
        "straight_5_prob": round(each.straight_prob[0], 4), "straight_10_prob": round(each.straight_prob[1], 4),
        "straight_15_prob": round(each.straight_prob[2], 4),
        "entry_time_10": when(each.entry_s[0]), "entry_time_50": when(each.entry_s[1]), "entry_time_90": when(each.entry_s[2]),
        "straight_time": when(each.straight_s), "earliest_time": when(each.earliest_s),
        "entry_lat_deg": number(math.degrees(each.entry_latitude_rad), 5),
        "entry_lon_deg": number(math.degrees(each.entry_longitude_rad), 5),
        "entry_place_m_sigma": number(each.entry_place_m_sigma, 0),
        "zones": [{"code": code, "name": names[code], "prob_5": round(prob[0], 4), "prob_10": round(prob[1], 4),
                   "prob_15": round(prob[2], 4)} for code, prob in each.zones],
    }

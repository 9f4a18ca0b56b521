"""``lapwing log``: what people know, written as a record with its author, for a running instance or into a file."""

from __future__ import annotations

import argparse
import math
from typing import Any

from lapwing.cli.loopback import URL

NAME = "log"
HELP = ("Journal what people know: a patrol's log, a sighting, an identification, an impact; or shut a sensor out; always with its "
        "author.")



def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--as", dest="by", required=True, metavar="NAME", help="who says so")
    common.add_argument("--time", metavar="ISO", help="when it was, e.g. 2025-08-05T20:41:00Z (default: now)")
    common.add_argument("--text", default="", help="in your own words")
    common.add_argument("--url", default=URL, help=f"the running instance, on this machine (default {URL})")
    common.add_argument("--print", dest="show", action="store_true", help="print the record, send nothing")
    common.add_argument("--out", metavar="FILE", help="append the record to a file, one a line, and send nothing")

    patrol = kinds.add_parser("patrol", parents=[common], help="asked, airborne, on_station, seen, not_seen, ...")
    patrol.add_argument("event", help="asked, airborne, on_station, seen, not_seen, off_station or landed")
    patrol.add_argument("--patrol", required=True, metavar="NAME", help="name or call sign of the patrol")
    patrol.add_argument("--place", default="", help="where, in words")

    sighting = kinds.add_parser("sighting", parents=[common], help="seen, heard, explosion, fire or debris")
    sighting.add_argument("what", help="seen, heard, explosion, fire or debris")
    _add_point(sighting)
    sighting.add_argument("--place", default="", help="where, in words")
    sighting.add_argument("--bearing", type=float, metavar="DEG", help="direction seen or heard, from true north")
    sighting.add_argument("--bearing-sigma", type=float, default=10.0, metavar="DEG", help="of the direction (10)")
    sighting.add_argument("--position-sigma", type=float, default=500.0, metavar="M", help="of the place (500)")
    sighting.add_argument("--time-sigma", type=float, default=60.0, metavar="S", help="of the time (60)")

    identify = kinds.add_parser("identify", parents=[common], help="this track or address is ours, or neutral")
    identify.add_argument("affiliation", help="friend, assumed_friend, neutral or unknown")
    identify.add_argument("--track", default="", metavar="ID", help="track, e.g. 20250805-0007")
    identify.add_argument("--icao", default="", metavar="HEX", help="24-bit address, six hexadecimal digits")
    identify.add_argument("--mode3a", default="", metavar="OCT", help="Mode 3/A code, four octal digits")

    impact = kinds.add_parser("impact", parents=[common], help="last-seen or impact point with a search radius")
    _add_point(impact)
    impact.add_argument("--radius", type=float, default=500.0, metavar="M", help="to be searched (500)")
    impact.add_argument("--last-seen", action="store_true", help="where it was last seen, not where it fell")
    impact.add_argument("--bearing", type=float, metavar="DEG", help="middle of the sector to be searched, from true north")
    impact.add_argument("--sector", type=float, metavar="DEG", help="whole width of that sector (60 where --bearing is given)")

    sensor = kinds.add_parser("sensor", parents=[common], help="shut a sensor's plots out, or let them in again")
    sensor.add_argument("action", help="quarantine or lift")
    sensor.add_argument("--sensor", required=True, metavar="ID", help="as in the sensors file; SAC/SIC where it is in none")


def _add_point(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lat", type=float, required=True, metavar="DEG", help="latitude, WGS-84")
    parser.add_argument("--lon", type=float, required=True, metavar="DEG", help="longitude, WGS-84")


def run(arguments: argparse.Namespace) -> int:
    """Write or send one record; 0 done, 2 where it is wrong or was not taken."""
    from lapwing.runtime.environment import prepare

    prepare()
    payload = record(arguments, _time_ns(arguments.time))
    if arguments.show:
        print(payload.decode("utf-8"))
    if arguments.out:
        with open(arguments.out, "ab") as file:
            file.write(payload + b"\n")
    if not (arguments.show or arguments.out):
        send(arguments.url, arguments.kind, payload)
        print(f"journaled: {arguments.kind} by {arguments.by}")
    return 0


def record(arguments: argparse.Namespace, time_ns: int) -> bytes:
    """Return the record as the payload of a journal entry. Raises ConfigError where a value is out of place."""
    from lapwing.model.errors import ConfigError
    from lapwing.sense import person_json

    encoders: dict[str, Any] = {"patrol": _patrol, "sighting": _sighting, "identify": _identify, "impact": _impact,
                                "sensor": _sensor}
    if not arguments.by.strip():
        raise ConfigError("no name", where="--as", remedy="say who you are: the record carries its author")
    payload: bytes = encoders[arguments.kind](arguments, time_ns)
    try:
        # Read back by the code that will read it from the journal: what it would refuse is refused here, in words.
        person_json.decode_report(arguments.kind, payload)
    except person_json.BadReport as error:
        raise ConfigError(str(error), where=f"log {arguments.kind}",
                          remedy=f"`lapwing log {arguments.kind} --help` lists what it takes") from error
    return payload


def _patrol(a: argparse.Namespace, time_ns: int) -> bytes:
    from lapwing.model.reports import PatrolEvent
    from lapwing.sense import person_json

    return person_json.encode_patrol(PatrolEvent(time_ns, a.patrol, a.event, a.place, a.text, a.by))


def _sighting(a: argparse.Namespace, time_ns: int) -> bytes:
    from lapwing.model.ids import make_id
    from lapwing.model.reports import Sighting
    from lapwing.sense import person_json

    bearing_rad = math.nan if a.bearing is None else math.radians(a.bearing % 360.0)
    return person_json.encode_sighting(Sighting(
        make_id("sighting", time_ns, a.by, a.what, repr(a.lat), repr(a.lon)), time_ns, a.time_sigma, a.what,
        math.radians(a.lat), math.radians(a.lon), a.position_sigma, bearing_rad,
        math.radians(a.bearing_sigma) if a.bearing is not None else math.nan, a.place, a.text, a.by))


def _identify(a: argparse.Namespace, time_ns: int) -> bytes:
    from lapwing.model.reports import Identification
    from lapwing.sense import person_json

    return person_json.encode_identification(Identification(
        time_ns, a.affiliation, a.track, _code(a.icao, 16, "--icao"), _code(a.mode3a, 8, "--mode3a"), a.text, a.by))


def _impact(a: argparse.Namespace, time_ns: int) -> bytes:
    from lapwing.model.reports import Impact
    from lapwing.sense import person_json

    bearing_rad = math.nan if a.bearing is None else math.radians(a.bearing % 360.0)
    sector = a.sector if a.sector is not None else 60.0 if a.bearing is not None else math.nan
    return person_json.encode_impact(Impact(time_ns, math.radians(a.lat), math.radians(a.lon), a.radius, a.text, a.by,
                                            "last_seen" if a.last_seen else "impact", bearing_rad, math.radians(sector)))


def _sensor(a: argparse.Namespace, time_ns: int) -> bytes:
    from lapwing.model.reports import SensorOrder
    from lapwing.sense import person_json

    return person_json.encode_sensor_order(SensorOrder(time_ns, a.sensor, a.action, a.text, a.by))


def _code(text: str, base: int, option: str) -> int:
    from lapwing.model.errors import ConfigError

    if not text:
        return -1
    try:
        return int(text, base)
    except ValueError as error:
        kind = "hexadecimal" if base == 16 else "octal"
        raise ConfigError(f"not {kind}", where=f"{option} {text}", remedy=f"give {kind} digits") from error


def _time_ns(text: str | None) -> int:
    import time

    from lapwing.model.errors import ConfigError
    from lapwing.model.times import from_iso

    if text is None:
        return time.time_ns()
    try:
        return from_iso(text)
    except ValueError as error:
        raise ConfigError(str(error), where=f"--time {text}", remedy="write it like 2025-08-05T20:41:00Z") from error


def send(url: str, kind: str, payload: bytes) -> None:
    """Hand a record to a running instance on this machine. Raises InputError where it is not taken."""
    from lapwing.cli.loopback import exchange

    exchange(url, f"/api/log/{kind}", payload, refused="correct the record, or write it into a file with --out",
             absent="start one, name its --url, or write the record into a file with --out")

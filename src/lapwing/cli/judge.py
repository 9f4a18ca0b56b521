"""``lapwing judge``: tracks.parquet against a border -> one verdict a track, as lines of JSON."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lapwing.country.pack import Pack
    from lapwing.geo.border import Territory
    from lapwing.judge.from_tracks import EmittedTrack
    from lapwing.judge.settings import Settings

NAME = "judge"
HELP = ("Judge tracks (Parquet) against a country's border or a border file: closest approach with its interval, "
        "entered or not, when and how sure.")


# What a what-if tells of each verdict
_COMPARED = ("verdict", "entered_prob", "closest_m", "closest_m_low", "closest_m_high", "closest_time", "entries", "boundary",
             "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="TRACKS", help="tracks.parquet, as lapwing track and replay write it")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder)")
    which.add_argument("--border", metavar="FILE", help="GeoJSON with one LineString and the property home_side; its "
                                                        "ends are extended straight by 500 km; or with Polygons")
    parser.add_argument("--out", metavar="FILE", required=True, help="verdicts, one line of JSON a track judged")
    parser.add_argument("--traffic", metavar="FILE", help="the tracks that are not judged, and why, likewise")
    parser.add_argument("--neighbours", metavar="FILE", help="verdicts on the airspace of each neighbour of the country that an object "
                                                             "came near, likewise")
    parser.add_argument("--settings", metavar="FILE", help="settings of the judge and, in a table [net], of the safety net (TOML: "
                                                           "key = value)")
    parser.add_argument("--alarms", metavar="FILE", help="what the safety net would have alarmed, one line of JSON a word; a file "
                                                         "beside it that ends in .ast holds the same as ASTERIX CAT004")
    parser.add_argument("--geozones", metavar="FILE", action="append", default=[],
                        help="with --alarms: zones that are watched as well (ED-269 or ED-318); may be repeated")
    parser.add_argument("--what-if", metavar="FILE",
                        help="judge again with another line (GeoJSON as for --border) or other settings of the judge (TOML: "
                             "key = value), and put what it would say beside each verdict")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Judge every confirmed track; 0 done, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.judge.from_tracks import judge_tracks
    from lapwing.judge.settings import Settings, read_settings
    from lapwing.record.canonical import to_json
    from lapwing.record.rows import traffic_row, verdict_row
    from lapwing.runtime.wiring import read_volumes

    pack, neighbours = read_home_and_neighbours(arguments, state_dir)
    emitted = read_tracks(arguments.tracks)
    settings = read_settings(Path(arguments.settings).read_bytes(), arguments.settings) if arguments.settings else Settings()
    settings = replace(settings, volumes=read_volumes(tuple(Path(name) for name in arguments.geozones)))
    verdicts, traffic = judge_tracks(emitted, pack, settings)
    rows = [verdict_row(verdict) for verdict in verdicts]
    changed: list[str] = []
    if arguments.what_if:
        changed = _what_if(Path(arguments.what_if), emitted, pack, rows)
    Path(arguments.out).write_bytes(b"".join(to_json(row) + b"\n" for row in rows))
    if arguments.traffic:
        Path(arguments.traffic).write_bytes(b"".join(to_json(traffic_row(each)) + b"\n" for each in traffic))
    theirs = _neighbours(arguments, emitted, pack, neighbours, settings) if arguments.neighbours else []
    alarms = _alarms(Path(arguments.alarms), emitted, pack, settings) if arguments.alarms else 0
    counts: dict[str, Any] = {value: sum(verdict.verdict == value for verdict in verdicts)
                              for value in ("entered", "not_entered", "undetermined")} | {"traffic": len(traffic)}
    if arguments.alarms:
        counts["alarms"] = alarms
    if arguments.neighbours:
        counts["neighbours"] = {code: sum(row["country"] == code and row["verdict"] == "entered" for row in theirs)
                                for code in sorted({row["country"] for row in theirs})}
    if arguments.json:
        if arguments.what_if:
            counts["changed"] = changed
        print(to_json(counts).decode())
    else:
        print(f"{len(verdicts)} tracks judged against {pack.territory.name}: {counts['entered']} entered, "
              f"{counts['not_entered']} not entered, {counts['undetermined']} undetermined; {len(traffic)} traffic; "
              f"written to {arguments.out}")
        if arguments.alarms:
            print(f"{alarms} alarms of the safety net; written to {arguments.alarms}")
        if arguments.neighbours:
            entered = ", ".join(f"{code} {count}" for code, count in counts["neighbours"].items()) or "no neighbour was near"
            print(f"{len(theirs)} verdicts on neighbours, entered: {entered}; written to {arguments.neighbours}")
        if arguments.what_if:
            print(f"what if {arguments.what_if}: {len(changed)} of {len(rows)} verdicts would be others")
            for line in changed:
                print(f"  {line}")
    return 0


def _what_if(path: Path, emitted: list[EmittedTrack], pack: Pack, rows: list[dict[str, Any]]) -> list[str]:
    """Put under `what_if` of each row what the other line or settings say; return the changes in words."""
    from lapwing.judge.from_tracks import judge_tracks
    from lapwing.judge.half_plane import parse_border
    from lapwing.judge.settings import Settings, read_settings
    from lapwing.record.rows import verdict_row

    data, settings = path.read_bytes(), Settings()
    if path.suffix.lower() == ".toml":
        settings = read_settings(data, str(path))
    else:
        pack = replace(pack, territory=parse_border(data, str(path), hashlib.sha256(data).hexdigest()))
    other = {row["track_id"]: row for row in map(verdict_row, judge_tracks(emitted, pack, settings)[0])}
    changed = []
    for row in rows:
        again = other.get(row["track_id"])
        # None: as it would be judged then, it is traffic.
        row["what_if"] = None if again is None else {key: again[key] for key in _COMPARED}
        verdict = "traffic" if again is None else again["verdict"]
        if verdict != row["verdict"]:
            closest = "" if again is None else f", closest {row['closest_m']:.0f} m -> {again['closest_m']:.0f} m"
            changed.append(f"{row['track_id']}: {row['verdict']} -> {verdict}{closest}")
    return changed


def _alarms(path: Path, emitted: list[EmittedTrack], pack: Pack, settings: Settings) -> int:
    """Write what the safety net would have alarmed; return how many alarms were raised."""
    from lapwing.country.volumes import own_airspace
    from lapwing.judge.net_tracks import alarms_of
    from lapwing.model.alarms import RAISED
    from lapwing.record.canonical import to_json
    from lapwing.record.rows import alarm_row
    from lapwing.runtime.outputs import alarm_octets

    words = alarms_of(emitted, pack, (own_airspace(pack), *settings.volumes), settings)
    path.write_bytes(b"".join(to_json(alarm_row(word)) + b"\n" for word in words))
    path.with_suffix(".ast").write_bytes(b"".join(alarm_octets(word) for word in words))
    return sum(word.state == RAISED for word in words)


def _neighbours(arguments: argparse.Namespace, emitted: list[EmittedTrack], pack: Pack, neighbours: Mapping[str, Territory],
                settings: Settings) -> list[dict[str, Any]]:
    """Write the verdicts on neighbours; return their rows."""
    from lapwing.judge.from_tracks import judge_neighbours
    from lapwing.record.canonical import to_json
    from lapwing.record.rows import verdict_row

    rows = [verdict_row(verdict) for verdict in judge_neighbours(emitted, pack, neighbours, settings)]
    Path(arguments.neighbours).write_bytes(b"".join(to_json(row) + b"\n" for row in rows))
    return rows


def read_home(arguments: argparse.Namespace, state_dir: Path) -> Pack:
    """Return what `--country` or `--border` names. Raises ConfigError or InputError."""
    return read_home_and_neighbours(arguments, state_dir)[0]


def read_home_and_neighbours(arguments: argparse.Namespace, state_dir: Path) -> tuple[Pack, Mapping[str, Territory]]:
    """Return the same with the territories of its neighbours; a border file has none. Raises ConfigError or InputError."""
    if arguments.border:
        from lapwing.judge.half_plane import parse_border, plain_pack

        data = Path(arguments.border).read_bytes()
        return plain_pack(parse_border(data, arguments.border, hashlib.sha256(data).hexdigest())), {}
    from lapwing.runtime.wiring import load_country

    country = load_country(arguments.country, state_dir)
    return country.pack, country.neighbours


def read_tracks(path: str) -> list[EmittedTrack]:
    """Return the confirmed rows of a tracks file, track by track in order of id. Raises InputError."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lapwing.judge.from_tracks import EmittedTrack
    from lapwing.model.errors import InputError
    from lapwing.model.tracks import CLASSES

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"no Parquet: {error}", where=path, remedy="give a tracks.parquet") from None
    missing = [name for name in ("track_id", "time", "lat", "lon", "vx_east", "vy_north", "confirmed")
               if name not in table.column_names]
    if missing:
        raise InputError(f"columns missing: {', '.join(missing)}", where=path,
                         remedy="give a tracks.parquet of lapwing track or replay")

    def numbers(name: str) -> Any:
        if name not in table.column_names:
            return np.full(table.num_rows, np.nan)
        return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)

    def flags(name: str) -> Any:
        if name not in table.column_names:
            return np.zeros(table.num_rows, np.bool_)
        return np.array([bool(value) for value in table[name].to_pylist()], np.bool_)

    time_ns = np.asarray(table["time"].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy(), np.int64)
    latitude, longitude = np.radians(numbers("lat")), np.radians(numbers("lon"))
    velocity = np.nan_to_num(np.column_stack([numbers("vx_east"), numbers("vy_north")]))
    parts = [numbers(f"position_cov_{part}_m2") for part in ("ee", "en", "en", "nn")]
    cov = np.column_stack(parts).reshape(-1, 2, 2)
    classes = np.column_stack([numbers(f"class_{name}_prob") for name in CLASSES])
    coasting, usable = flags("coasting"), flags("confirmed") & np.isfinite(latitude) & np.isfinite(longitude)
    counts = {name: np.nan_to_num(numbers(name)) for name in ("plot_count", "sensor_count")}
    names = np.array([str(name) for name in table["track_id"].to_pylist()], dtype=object).astype(str)
    words = table["affiliation"].to_pylist() if "affiliation" in table.column_names else ["unknown"] * table.num_rows

    rows = np.flatnonzero(usable)
    rows = rows[np.lexsort((time_ns[rows], names[rows]))]
    borders = np.flatnonzero(names[rows][1:] != names[rows][:-1]) + 1
    return [
        EmittedTrack(
            track_id=str(names[part[0]]), time_ns=time_ns[part], latitude_rad=latitude[part],
            longitude_rad=longitude[part], velocity_mps=velocity[part], position_cov_m2=cov[part],
            coasting=coasting[part], class_prob=classes[part], affiliation=str(words[part[-1]] or "unknown"),
            plot_count=int(counts["plot_count"][part[-1]]), sensor_count=int(counts["sensor_count"][part[-1]]))
        for part in np.split(rows, borders) if len(part)]

"""``lapwing judge``: tracks.parquet against a border -> one verdict a track, as lines of JSON."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapwing.judge.from_tracks import EmittedTrack

NAME = "judge"
HELP = ("Judge tracks (Parquet) against a country's border or a border file: closest approach with its interval, "
        "entered or not, when and how sure.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="TRACKS", help="tracks.parquet, as lapwing track and replay write it")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder)")
    which.add_argument("--border", metavar="FILE", help="GeoJSON with one LineString and the property home_side; its "
                                                        "ends are extended straight by 500 km")
    parser.add_argument("--out", metavar="FILE", required=True, help="verdicts, one line of JSON a track judged")
    parser.add_argument("--traffic", metavar="FILE", help="the tracks that are not judged, and why, likewise")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Judge every confirmed track; 0 done, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.judge import Settings
    from lapwing.judge.from_tracks import judge_tracks
    from lapwing.record.canonical import to_json
    from lapwing.record.rows import traffic_row, verdict_row

    if arguments.border:
        from lapwing.judge.half_plane import parse_border, plain_pack

        data = Path(arguments.border).read_bytes()
        pack = plain_pack(parse_border(data, arguments.border, hashlib.sha256(data).hexdigest()))
    else:
        from lapwing.runtime.wiring import load_country

        pack = load_country(arguments.country, state_dir).pack
    verdicts, traffic = judge_tracks(read_tracks(arguments.tracks), pack, Settings())
    Path(arguments.out).write_bytes(b"".join(to_json(verdict_row(verdict)) + b"\n" for verdict in verdicts))
    if arguments.traffic:
        Path(arguments.traffic).write_bytes(b"".join(to_json(traffic_row(each)) + b"\n" for each in traffic))
    counts = {value: sum(verdict.verdict == value for verdict in verdicts)
              for value in ("entered", "not_entered", "undetermined")} | {"traffic": len(traffic)}
    if arguments.json:
        print(to_json(counts).decode())
    else:
        print(f"{len(verdicts)} tracks judged against {pack.territory.name}: {counts['entered']} entered, "
              f"{counts['not_entered']} not entered, {counts['undetermined']} undetermined; {len(traffic)} traffic; "
              f"written to {arguments.out}")
    return 0


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
    names = np.array([str(name) for name in table["track_id"].to_pylist()], dtype=object).astype(str)
    words = table["affiliation"].to_pylist() if "affiliation" in table.column_names else ["unknown"] * table.num_rows

    rows = np.flatnonzero(usable)
    rows = rows[np.lexsort((time_ns[rows], names[rows]))]
    borders = np.flatnonzero(names[rows][1:] != names[rows][:-1]) + 1
    return [
        EmittedTrack(
            track_id=str(names[part[0]]), time_ns=time_ns[part], latitude_rad=latitude[part],
            longitude_rad=longitude[part], velocity_mps=velocity[part], position_cov_m2=cov[part],
            coasting=coasting[part], class_prob=classes[part], affiliation=str(words[part[-1]] or "unknown"))
        for part in np.split(rows, borders) if len(part)]

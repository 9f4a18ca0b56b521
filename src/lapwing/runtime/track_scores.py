"""`lapwing score tracks`: reads truth, tracks and registrations from files and has them scored."""

from __future__ import annotations

import json
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from lapwing.model.errors import InputError
from lapwing.model.times import from_iso
from lapwing.sim.track_scoring import Path, Rules, score

REGISTRATION_AFTER_S = 900.0


def score_files(truth: FilePath, tracks: FilePath, rules: Rules) -> dict[str, Any]:
    """Return the figures of a tracks file against a truth file. InputError where a file cannot be used."""
    objects = load_truth(truth)
    if not objects and (rules.start_s is None or rules.end_s is None):
        raise InputError("no object in it", where=str(truth), remedy="give --start and --end: false tracks per hour "
                         "would be counted over the tracks' own span")
    return score(objects, load_tracks(tracks), rules)


def load_truth(path: FilePath) -> list[Path]:
    """Return the objects of a truth.parquet in order of their ids."""
    columns = _columns(path, ("truth_id", "class", "time", "lat", "lon", "v_east", "v_north", "in_play"), ())
    identity = columns["truth_id"].astype(np.int64)
    result = []
    for one in np.unique(identity):
        rows = np.flatnonzero(identity == one)
        rows = rows[np.argsort(columns["time"][rows], kind="stable")]
        result.append(_path(columns, rows, str(one), str(columns["class"][rows[0]]), columns["in_play"], "time",
                            "v_east", "v_north"))
    return result


def load_tracks(path: FilePath) -> list[Path]:
    """Return the tracks of a tracks.parquet that were ever confirmed, from their first confirmed row on."""
    columns = _columns(path, ("track_id", "time", "lat", "lon", "vx_east", "vy_north", "confirmed"),
                       ("emit_time", *(f"position_cov_{part}_m2" for part in ("ee", "en", "nn"))))
    columns.setdefault("emit_time", columns["time"])
    names, index = np.unique(columns["track_id"].astype(str), return_inverse=True)
    order = np.lexsort((columns["time"], columns["emit_time"], index))
    result = []
    for k, rows in enumerate(np.split(order, np.flatnonzero(np.diff(index[order])) + 1)):
        sure = columns["confirmed"][rows].astype(np.bool_)
        if len(rows) and sure.any():
            result.append(_path(columns, rows[int(np.argmax(sure)):], str(names[k]), "", columns["confirmed"],
                                "emit_time", "vx_east", "vy_north"))
    return result


def _path(columns: dict[str, Any], rows: Any, name: str, class_name: str, in_play: Any, usable: str, east: str,
          north: str) -> Path:
    parts = [columns.get(f"position_cov_{part}_m2") for part in ("ee", "en", "nn")]
    cov = np.zeros((0, 3)) if parts[0] is None else np.stack([part[rows] for part in parts if part is not None], axis=1)
    return Path(name, class_name, columns["time"][rows], columns[usable][rows], columns["lat"][rows],
                columns["lon"][rows], columns[east][rows], columns[north][rows], in_play[rows].astype(np.bool_),
                cov.astype(np.float64))


def registration_error(answers: FilePath, registration: FilePath) -> dict[str, Any]:
    """Return for every sensor the error of its last registration, and the worst after the first 15 minutes."""
    known = json.loads(answers.read_text())["registration"]
    lines = [json.loads(line) for line in registration.read_text().splitlines() if line]
    if not lines:
        return {}
    begin = from_iso(lines[0]["time"])
    result: dict[str, Any] = {}
    for line in lines:
        if line["sensor"] not in known:
            continue
        true = known[line["sensor"]]
        error = {"range_m": line["range_m"] - true["range_bias_m"],
                 "azimuth_deg": line["azimuth_deg"] - true["azimuth_bias_deg"]}
        entry = result.setdefault(line["sensor"], {"after_15_min": None, "last": None})
        entry["last"] = error
        if entry["after_15_min"] is None and (from_iso(line["time"]) - begin) * 1e-9 >= REGISTRATION_AFTER_S:
            entry["after_15_min"] = error
    return result


def _columns(path: FilePath, wanted: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"no Parquet: {error}", where=str(path), remedy="give a .parquet file") from None
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise InputError(f"columns missing: {', '.join(missing)}", where=str(path),
                         remedy="see data/scenarios/README.md and the manual for the columns")
    result: dict[str, Any] = {}
    for name in (*wanted, *(o for o in optional if o in table.column_names)):
        column = table[name]
        if pa.types.is_timestamp(column.type):
            microseconds = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
            result[name] = np.asarray(microseconds.to_numpy(), np.float64) * 1e-6
        elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            result[name] = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        else:
            result[name] = np.asarray(column.to_pylist(), object)
    return result


__all__ = ["Path", "Rules", "load_tracks", "load_truth", "registration_error", "score_files"]
